"""Verdicts before and after a change that was not made.

As JSON: {"version": 1, "loadBalancerArn", "loadBalancerName", "changes": […], "notes": […], "before": {"findings",
"errors"}, "after": {"findings", "errors"}}, findings and errors as `check` has them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TextIO

from alb_sg.estate.model import LoadBalancer
from alb_sg.findings.finding import Compliance, Finding, JudgementError
from alb_sg.report import words
from alb_sg.report.json_report import VERSION, error_object, finding_object
from alb_sg.report.style import Style

Result = Finding | JudgementError


@dataclass(frozen=True, slots=True)
class WhatIf:
    """`before` and `after` have a result for each rule, in one order; `changes` and `notes` are sentences."""

    load_balancer: LoadBalancer
    changes: Sequence[str]
    notes: Sequence[str]
    before: Sequence[Result]
    after: Sequence[Result]


def write_what_if(found: WhatIf, stream: TextIO, style: Style) -> None:
    stream.writelines(line + "\n" for line in _lines(found, style))


def write_what_if_json(found: WhatIf, stream: TextIO) -> None:
    document = {
        "version": VERSION,
        "loadBalancerArn": found.load_balancer.arn,
        "loadBalancerName": found.load_balancer.name,
        "changes": list(found.changes),
        "notes": list(found.notes),
        "before": _results(found.before),
        "after": _results(found.after),
    }
    stream.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")


def _results(results: Sequence[Result]) -> dict[str, Any]:
    return {
        "findings": [finding_object(result) for result in results if isinstance(result, Finding)],
        "errors": [error_object(result) for result in results if isinstance(result, JudgementError)],
    }


def _lines(found: WhatIf, style: Style) -> Iterator[str]:
    name = words.printable(found.load_balancer.name)
    yield f"{style.bold(name)}  {style.dim(words.printable(found.load_balancer.arn))}"
    for change in found.changes:
        yield f"  if {words.printable(change)}"
    yield ""
    for before, after in zip(found.before, found.after, strict=True):
        yield from _rule(before, after, style)
    for note in found.notes:
        yield style.dim(f"note: {words.printable(note)}")


def _rule(before: Result, after: Result, style: Style) -> Iterator[str]:
    was, now = words.verdict(before), words.verdict(after)
    shown = style.as_verdict(after, now)
    if was == now:
        yield f"{after.rule}  stays {shown}"
    else:
        yield f"{after.rule}  {style.as_verdict(before, was)} -> {shown}"
    if isinstance(after, JudgementError):
        yield f"  not judged: {words.printable(f'{after.what}: {after.cause}')}"
    elif after.compliance is Compliance.NON_COMPLIANT:
        yield f"  {words.printable(after.annotation)}"
        known = () if isinstance(before, JudgementError) else before.missing
        for entry in after.missing:
            new = "" if entry in known else style.bold(" (new)")
            yield f"    allow {words.printable(words.missing(entry))}{new}"
    elif after.compliance is Compliance.NOT_APPLICABLE:
        yield f"  {words.printable(after.annotation)}"
