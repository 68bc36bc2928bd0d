"""Plans, what became of them, and what was taken back, for people and for programs.

As JSON: {"version": 1, "plans": [plan], "applied": [applied], "errors": [{"loadBalancerArn", "what", "cause"}],
"cloudformation", "terraform"} (`remediation.shapes`); an undo is {"version": 1, "undone": [{"region", …undone}]}.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TextIO

from alb_sg.command_line.exit_code import ExitCode
from alb_sg.findings.finding import Compliance, Finding, JudgementError
from alb_sg.remediation.calls import calls_of
from alb_sg.remediation.cloudformation import cloudformation
from alb_sg.remediation.execution import Applied, Outcome, Undone
from alb_sg.remediation.plan import Addition, Plan
from alb_sg.remediation.shapes import applied_object, plan_object, undone_object
from alb_sg.remediation.snippets import snippets_of
from alb_sg.remediation.terraform import terraform
from alb_sg.report import words
from alb_sg.report.json_report import VERSION, error_object
from alb_sg.report.style import Style

FAILED = frozenset({Outcome.UNVERIFIED, Outcome.ROLLED_BACK, Outcome.LEFT_OVER})


@dataclass
class FixReport:
    """The plans of a run, what became of those that were applied (by ARN), and what could not be read."""

    plans: Sequence[Plan]
    errors: list[JudgementError]
    applied: dict[str, Applied] = field(default_factory=dict)

    def exit_code(self) -> ExitCode:
        """A failure weighs more than what is left."""
        last = [self.last(plan) for plan in self.plans]
        outcomes = {applied.outcome for applied in self.applied.values()}
        if self.errors or any(plan.unjudged for plan in last) or outcomes & FAILED:
            return ExitCode.NOT_JUDGED
        waiting = any(plan.additions and plan.load_balancer.arn not in self.applied for plan in self.plans)
        if waiting or Outcome.CHANGED in outcomes or any(plan.refusals for plan in last):
            return ExitCode.WANTS_ATTENTION
        return ExitCode.NONE_NON_COMPLIANT

    def last(self, plan: Plan) -> Plan:
        """A plan as it was found when it was applied."""
        applied = self.applied.get(plan.load_balancer.arn)
        return plan if applied is None or applied.plan is None else applied.plan


def write_fix_json(report: FixReport, stream: TextIO) -> None:
    snippets = snippets_of(report.plans)
    document = {
        "version": VERSION,
        "plans": [plan_object(plan) for plan in report.plans],
        "applied": [applied_object(arn, applied) for arn, applied in report.applied.items()],
        "errors": [error_object(error) for error in report.errors],
        "cloudformation": cloudformation(snippets),
        "terraform": terraform(snippets),
    }
    stream.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")


def write_fix(report: FixReport, stream: TextIO, style: Style) -> None:
    """Each load balancer with its plan and, where that was applied, what became of it; snippets where nothing was."""
    for plan in report.plans:
        applied = report.applied.get(plan.load_balancer.arn)
        write_plan(report.last(plan), stream, style)
        if applied is not None:
            _write(_applied(applied, style), stream)
        stream.write("\n")
    for error in report.errors:
        _write([style.doubtful(f"not judged: {words.what(error)}: {error.cause}")], stream)
    if report.applied:
        return
    snippets = snippets_of(report.plans)
    for name, text in (("CloudFormation", cloudformation(snippets)), ("Terraform", terraform(snippets))):
        if text:
            stream.write(f"{style.bold(f'as {name}:')}\n{text}\n")


def write_plan(plan: Plan, stream: TextIO, style: Style) -> None:
    _write(_plan(plan, style), stream)


def _write(lines: Iterator[str] | Sequence[str], stream: TextIO) -> None:
    stream.writelines(line + "\n" for line in lines)


def _plan(plan: Plan, style: Style) -> Iterator[str]:
    name = words.printable(plan.load_balancer.name)
    yield f"{style.bold(name)}  {style.dim(words.printable(plan.load_balancer.arn))}"
    for result in plan.results:
        if isinstance(result, JudgementError):
            said = words.printable(f"{result.what}: {result.cause}")
            yield f"  {result.rule}  {style.doubtful('not judged')}: {said}"
        elif result.compliance is not Compliance.NON_COMPLIANT or result.rule not in _fixed_or_refused(plan):
            yield f"  {result.rule}  {style.as_verdict(result, words.verdict(result))}, nothing to do"
    if plan.new_group is not None:
        yield f"  create the security group {plan.new_group.name} and add it to the load balancer:"
        yield f"    {words.printable(plan.new_group.why)}"
    for addition in plan.additions:
        yield f"  add {_rule(addition)}{_everyone(addition, style)}"
        because = ", ".join(addition.because)
        yield style.dim(f"    {' '.join(addition.recommendations)}: {words.printable(because)}")
    for refusal in plan.refusals:
        yield f"  {refusal.rule}  {style.bad('refused')} ({refusal.reason.value}): {words.printable(refusal.text)}"
        for addition in refusal.wanted:
            yield f"    it would take {_rule(addition)}{_everyone(addition, style)}"
    calls = calls_of(plan)
    if calls:
        yield "  calls:"
    for call in calls:
        parameters = json.dumps(call.parameters, ensure_ascii=False)
        yield style.dim(f"    {call.service}:{call.operation} {words.printable(parameters)}")


def _fixed_or_refused(plan: Plan) -> set[str]:
    return {*plan.recommendations, *(refusal.rule for refusal in plan.refusals)}


def _rule(addition: Addition) -> str:
    direction, permission = addition.direction.value, addition.permission
    where = addition.group_id or "a security group of its own"
    traffic = words.ports(permission)
    return f"{words.inbound(direction)} {traffic} {words.toward(direction)} {words.host(addition.peer)} in {where}"


def _everyone(addition: Addition, style: Style) -> str:
    return style.bad(" (OPEN TO EVERYONE, as is recommended for its clients)") if addition.open_to_everyone else ""


def _applied(applied: Applied, style: Style) -> Iterator[str]:
    good = applied.outcome in (Outcome.APPLIED, Outcome.NOTHING, Outcome.GONE)
    shown = style.good(applied.outcome.value) if good else style.bad(applied.outcome.value)
    because = f": {words.printable(applied.failure)}" if applied.failure else ""
    yield f"  {shown}{because}"
    for rule in applied.added:
        yield f"    {rule.rule_id} in {rule.group_id}"
    if applied.created_group is not None:
        yield f"    {applied.created_group} beside {', '.join(applied.previous_groups)}"
    for result in applied.after if applied.added else ():
        if isinstance(result, Finding):
            yield f"  {result.rule}  {style.as_verdict(result, words.verdict(result))}"
    if applied.undone is not None:
        yield from _undone(applied.undone, style)
    if applied.added or applied.outcome is Outcome.LEFT_OVER:
        yield f"  take it back with: alb-sg fix --undo {applied.execution}"


def write_undone(found: Sequence[tuple[str, Undone]], stream: TextIO, style: Style, *, as_json: bool) -> None:
    """What was taken back in each region."""
    if as_json:
        undone = [{"region": region, **undone_object(one)} for region, one in found]
        stream.write(json.dumps({"version": VERSION, "undone": undone}, ensure_ascii=False, indent=2) + "\n")
        return
    for region, one in found:
        if not one.found_nothing:
            stream.write(f"{style.bold(one.execution)}  {style.dim(region)}\n")
            _write(_undone(one, style), stream)


def _undone(undone: Undone, style: Style) -> Iterator[str]:
    for rule in undone.revoked:
        yield f"  revoked {rule.rule_id} in {rule.group_id}"
    for arn, groups in undone.restored.items():
        yield f"  {words.printable(arn)} carries {', '.join(groups)} again"
    for group_id in undone.deleted_groups:
        yield f"  deleted {group_id}"
    for sentence in undone.kept:
        yield f"  {style.doubtful('kept')}: {words.printable(sentence)}"
    for sentence in undone.failures:
        yield f"  {style.bad('failed')}: {words.printable(sentence)}"
