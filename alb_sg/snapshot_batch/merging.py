"""The parts put together, in the order of one run: every finding, then every exemption, then every error."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from alb_sg.findings.finding import EvaluationError
from alb_sg.observations.results import Results
from alb_sg.report.json_report import write_json_lines
from alb_sg.snapshot_batch.judging import ItemResult, account_region_error
from alb_sg.snapshot_batch.manifest import Manifest, WorkItem

NO_RESULT = "it was not judged, however often it was tried; the function's log says why"


@dataclass(frozen=True)
class MergedResults:
    """Findings, exemptions and errors as lines of `alb-sg check --format jsonl`."""

    load_balancers: int
    findings: Sequence[str]
    exemptions: Sequence[str]
    errors: Sequence[str]


def merge(
    manifest: Manifest, items: Iterable[WorkItem], read_result: Callable[[WorkItem], ItemResult | None]
) -> MergedResults:
    """Everything, once. An object without a result is an error that names it, and so is one that is nobody's."""
    load_balancers = 0
    findings: list[str] = []
    exemptions: list[str] = []
    strays = [
        EvaluationError("", "", None, None, f"s3://{manifest.bucket}/{key}", "its name does not say whose it is")
        for key in manifest.unassigned_keys
    ]
    given = manifest.loaded_exemptions
    unread = [] if given is None else given.errors
    errors = [_error_line(error) for error in sorted([*strays, *unread], key=lambda one: one.sort_key)]
    for item in sorted(items, key=lambda one: one.account_region):
        part = read_result(item)
        if part is None:
            errors += [
                _error_line(
                    account_region_error(item.account_region, f"s3://{manifest.bucket}/{stored.key}", NO_RESULT)
                )
                for stored in manifest.objects[item.account_region]
            ]
            continue
        load_balancers += part.load_balancers
        for line in part.lines:
            said = json.loads(line)
            (errors if "error" in said else exemptions if "exemption" in said else findings).append(line)
    return MergedResults(load_balancers, findings, exemptions, errors)


def _error_line(error: EvaluationError) -> str:
    stream = io.StringIO()
    write_json_lines(Results([], 0, [], [], [error]), stream)
    return stream.getvalue()
