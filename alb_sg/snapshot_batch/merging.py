"""Merges the results of all items, in the order of one run: every finding, every exemption, every error."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from alb_sg.findings.finding import EvaluationError
from alb_sg.observations.results import Results
from alb_sg.report.json_report import write_json_lines
from alb_sg.snapshot_batch.judging import ItemResult, account_region_error
from alb_sg.snapshot_batch.manifest import Manifest
from alb_sg.snapshot_batch.work_items import WorkItem

NO_RESULT = "it was not judged after all attempts; the function's log has the cause"


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
    """All results. An object without a result, or without an account and region, is an error that names it."""
    load_balancers = 0
    findings: list[str] = []
    exemptions: list[str] = []
    unassigned = [
        EvaluationError(
            "", "", None, None, f"s3://{manifest.bucket}/{key}", "its name does not tell an account and region"
        )
        for key in manifest.unassigned_keys
    ]
    loaded_exemptions = manifest.loaded_exemptions
    unread = [] if loaded_exemptions is None else loaded_exemptions.errors
    errors = [_error_line(error) for error in sorted([*unassigned, *unread], key=lambda error: error.sort_key)]
    for item in sorted(items, key=lambda one: one.account_region):
        result = read_result(item)
        if result is None:
            errors += [
                _error_line(
                    account_region_error(item.account_region, f"s3://{manifest.bucket}/{stored.key}", NO_RESULT)
                )
                for stored in manifest.objects[item.account_region]
            ]
            continue
        load_balancers += result.load_balancers
        for line in result.lines:
            entry = json.loads(line)
            (errors if "error" in entry else exemptions if "exemption" in entry else findings).append(line)
    return MergedResults(load_balancers, findings, exemptions, errors)


def _error_line(error: EvaluationError) -> str:
    stream = io.StringIO()
    write_json_lines(Results([], 0, [], [], [error]), stream)
    return stream.getvalue()
