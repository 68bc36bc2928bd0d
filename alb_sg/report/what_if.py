"""Verdicts before and after a hypothetical change.

As JSON: {"version": 1, "loadBalancerArn", "loadBalancerName", "changes": […], "notes": […], "before": {"findings",
"errors"}, "after": {"findings", "errors"}}, findings and errors as `check` has them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from alb_sg.estate.model import LoadBalancer
from alb_sg.findings.finding import Compliance, EvaluationError, Finding, Result
from alb_sg.observations.applied_options import AppliedOption, applied_option_objects
from alb_sg.report import phrasing
from alb_sg.report.json_report import JSON_VERSION, error_object, finding_object
from alb_sg.report.style import Style

# Of a missing permission; the other blocks are counted.
MAX_PEERS = 4


@dataclass(frozen=True, slots=True)
class WhatIfReport:
    """`before` and `after` have a result for each rule, in the same order. `changes` and `notes` are sentences."""

    load_balancer: LoadBalancer
    changes: Sequence[str]
    notes: Sequence[str]
    before: Sequence[Result]
    after: Sequence[Result]


def what_if_document(report: WhatIfReport, applied_options: Iterable[AppliedOption]) -> dict[str, Any]:
    return {
        "version": JSON_VERSION,
        "loadBalancerArn": report.load_balancer.arn,
        "loadBalancerName": report.load_balancer.name,
        "changes": list(report.changes),
        "notes": list(report.notes),
        "before": _results_object(report.before),
        "after": _results_object(report.after),
        "configuration": applied_option_objects(applied_options),
    }


def _results_object(results: Sequence[Result]) -> dict[str, Any]:
    return {
        "findings": [finding_object(result) for result in results if isinstance(result, Finding)],
        "errors": [error_object(result) for result in results if isinstance(result, EvaluationError)],
    }


def what_if_lines(report: WhatIfReport, style: Style) -> Iterator[str]:
    name = phrasing.printable(report.load_balancer.name)
    yield f"{style.bold(name)}  {style.dim(phrasing.printable(report.load_balancer.arn))}"
    for change in report.changes:
        yield f"  if {phrasing.printable(change)}"
    yield ""
    for before, after in zip(report.before, report.after, strict=True):
        yield from _rule_lines(before, after, style)
    for note in report.notes:
        yield style.dim(f"note: {phrasing.printable(note)}")


def _rule_lines(before: Result, after: Result, style: Style) -> Iterator[str]:
    label_before, label_after = phrasing.verdict_label(before), phrasing.verdict_label(after)
    colored = style.in_verdict_color(after, label_after)
    if label_before == label_after:
        yield f"{after.rule}  stays {colored}"
    else:
        yield f"{after.rule}  {style.in_verdict_color(before, label_before)} -> {colored}"
    if isinstance(after, EvaluationError):
        yield f"  not judged: {phrasing.printable(f'{after.what}: {after.cause}')}"
    elif after.compliance is Compliance.NON_COMPLIANT:
        yield f"  {phrasing.printable(after.annotation)}"
        known = () if isinstance(before, EvaluationError) else before.missing
        for entry in after.missing:
            new = "" if entry in known else style.bold(" (new)")
            yield f"    not open: {phrasing.printable(phrasing.describe_missing(entry, MAX_PEERS))}{new}"
        known_unused = () if isinstance(before, EvaluationError) else before.unused
        for unused in after.unused:
            new = "" if unused in known_unused else style.bold(" (new)")
            yield f"    unused {phrasing.printable(phrasing.describe_unused(unused))}{new}"
    elif after.compliance is Compliance.NOT_APPLICABLE:
        yield f"  {phrasing.printable(after.annotation)}"
