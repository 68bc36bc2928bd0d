"""The parts put together, in the order of one run: every finding, then every exemption, then every error."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from alb_sg.findings.finding import JudgementError
from alb_sg.report.json_report import write_json_lines
from alb_sg.report.results import Results
from alb_sg.sweep.judging import Part, unusable
from alb_sg.sweep.plan import Item, Plan

NO_RESULT = "it was not judged, however often it was tried; the function's log says why"


@dataclass(frozen=True)
class Merged:
    """Findings, exemptions and errors as lines of `alb-sg check --format jsonl`."""

    load_balancers: int
    findings: Sequence[str]
    exemptions: Sequence[str]
    errors: Sequence[str]


def merge(plan: Plan, items: Iterable[Item], part_of: Callable[[Item], Part | None]) -> Merged:
    """Everything, once. An object without a result is an error that names it, and so is one that is nobody's."""
    load_balancers = 0
    findings: list[str] = []
    exemptions: list[str] = []
    strays = [
        JudgementError("", "", None, None, f"s3://{plan.bucket}/{key}", "its name does not say whose it is")
        for key in plan.strays
    ]
    given = plan.given
    unread = [] if given is None else given.errors
    errors = [_line(error) for error in sorted([*strays, *unread], key=lambda one: one.sort_key)]
    for item in sorted(items, key=lambda one: one.home):
        part = part_of(item)
        if part is None:
            errors += [
                _line(unusable(item.home, f"s3://{plan.bucket}/{stored.key}", NO_RESULT))
                for stored in plan.homes[item.home]
            ]
            continue
        load_balancers += part.load_balancers
        for line in part.lines:
            said = json.loads(line)
            (errors if "error" in said else exemptions if "exemption" in said else findings).append(line)
    return Merged(load_balancers, findings, exemptions, errors)


def _line(error: JudgementError) -> str:
    stream = io.StringIO()
    write_json_lines(Results([], 0, [], [], [error]), stream)
    return stream.getvalue()
