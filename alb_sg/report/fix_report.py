"""Plans and the results of applying and undoing them, as text and as JSON.

The JSON of a fix is {"version": 1, "plans": [plan], "applied": [applied], "errors": [{"loadBalancerArn", "what",
"cause"}], "cloudformation", "terraform"}, and that of an undo {"version": 1, "undone": [{"region", …undone}]}.
`remediation.json_objects` describes plan, applied and undone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from alb_sg.findings.finding import Compliance, EvaluationError, Finding
from alb_sg.observations.applied_options import AppliedOption, applied_option_objects
from alb_sg.remediation.api_calls import calls_for_plan
from alb_sg.remediation.cloudformation import render_cloudformation
from alb_sg.remediation.execution import ApplyOutcome, ApplyResult, UndoResult, put_back_sentence
from alb_sg.remediation.json_objects import apply_result_object, plan_object, undo_result_object
from alb_sg.remediation.plan import Addition, Plan
from alb_sg.remediation.snippets import make_snippets
from alb_sg.remediation.terraform import render_terraform
from alb_sg.report import phrasing
from alb_sg.report.json_report import JSON_VERSION, error_object
from alb_sg.report.style import Style

SUCCESSFUL_OUTCOMES = frozenset({ApplyOutcome.APPLIED, ApplyOutcome.NOTHING_TO_DO, ApplyOutcome.LOAD_BALANCER_DELETED})


@dataclass
class FixReport:
    """The plans of a run, the results of those that were applied (by ARN), and what could not be read."""

    plans: Sequence[Plan]
    errors: list[EvaluationError]
    apply_results: dict[str, ApplyResult] = field(default_factory=dict)

    def latest_plan(self, plan: Plan) -> Plan:
        """The plan that `apply` made just before its changes, if the plan was applied; else the plan itself."""
        applied = self.apply_results.get(plan.load_balancer.arn)
        return plan if applied is None or applied.plan is None else applied.plan


def fix_document(report: FixReport, applied_options: Iterable[AppliedOption]) -> dict[str, Any]:
    snippets = make_snippets(report.plans)
    return {
        "version": JSON_VERSION,
        "plans": [plan_object(plan) for plan in report.plans],
        "applied": [apply_result_object(arn, applied) for arn, applied in report.apply_results.items()],
        "errors": [error_object(error) for error in report.errors],
        "cloudformation": render_cloudformation(snippets),
        "terraform": render_terraform(snippets),
        "configuration": applied_option_objects(applied_options),
    }


def fix_lines(report: FixReport, style: Style) -> Iterator[str]:
    """Each plan, with its result if it was applied. If no plan was applied, snippets follow."""
    for plan in report.plans:
        applied = report.apply_results.get(plan.load_balancer.arn)
        yield from plan_lines(report.latest_plan(plan), style)
        if applied is not None:
            yield from _apply_result_lines(applied, style)
        yield ""
    for error in report.errors:
        yield style.warning(f"not judged: {phrasing.error_subject(error)}: {error.cause}")
    if report.apply_results:
        return
    snippets = make_snippets(report.plans)
    for name, text in (("CloudFormation", render_cloudformation(snippets)), ("Terraform", render_terraform(snippets))):
        if text:
            yield f"{style.bold(f'as {name}:')}\n{text}"


def plan_lines(plan: Plan, style: Style) -> Iterator[str]:
    name = phrasing.printable(plan.load_balancer.name)
    yield f"{style.bold(name)}  {style.dim(phrasing.printable(plan.load_balancer.arn))}"
    planned_or_refused = {*plan.rule_names, *(refusal.rule for refusal in plan.refusals)}
    for result in plan.results:
        if isinstance(result, EvaluationError):
            error = phrasing.printable(f"{result.what}: {result.cause}")
            yield f"  {result.rule}  {style.warning('not judged')}: {error}"
        elif result.compliance is not Compliance.NON_COMPLIANT or result.rule not in planned_or_refused:
            yield f"  {result.rule}  {style.in_verdict_color(result, phrasing.verdict_label(result))}, nothing to do"
    if plan.new_group is not None:
        group_name = phrasing.printable(plan.new_group.name)
        yield f"  create the security group {group_name} and add it to the load balancer:"
        yield f"    {phrasing.printable(plan.new_group.reason)}"
    for addition in plan.additions:
        yield from _addition_lines(addition, style)
    for refusal in plan.refusals:
        yield f"  {refusal.rule}  {style.bad('refused')} ({refusal.reason.value}): {phrasing.printable(refusal.text)}"
        for addition in refusal.additions:
            yield f"    it would take {_describe_addition(addition)}{_open_to_everyone_warning(addition, style)}"
    calls = calls_for_plan(plan)
    if calls:
        yield "  calls:"
    for call in calls:
        parameters = json.dumps(call.parameters, ensure_ascii=False)
        yield style.dim(f"    {call.service}:{call.operation} {phrasing.printable(parameters)}")


def _addition_lines(addition: Addition, style: Style) -> Iterator[str]:
    yield f"  add {_describe_addition(addition)}{_open_to_everyone_warning(addition, style)}"
    origins = ", ".join(addition.origins)
    yield style.dim(f"    {' '.join(addition.rule_names)}: {phrasing.printable(origins)}")
    if addition.also_opens:
        yield style.warning(f"    {phrasing.printable(addition.also_opens_sentence)}")


def _describe_addition(addition: Addition) -> str:
    rule = phrasing.describe_rule(addition.direction, addition.permission, phrasing.address_or_cidr(addition.peer))
    return phrasing.printable(f"{rule} in {addition.group_id or 'a security group of its own'}")


def _open_to_everyone_warning(addition: Addition, style: Style) -> str:
    if addition.is_wide:
        return style.bad(" (MORE THAN IS RECOMMENDED: a person must approve it)")
    return style.bad(" (OPEN TO EVERYONE, as is recommended for its clients)") if addition.open_to_everyone else ""


def _apply_result_lines(apply_result: ApplyResult, style: Style) -> Iterator[str]:
    colored = style.good if apply_result.outcome in SUCCESSFUL_OUTCOMES else style.bad
    failure = f": {phrasing.printable(apply_result.failure)}" if apply_result.failure else ""
    yield f"  {colored(apply_result.outcome.value)}{failure}"
    for rule in apply_result.added_rules:
        yield f"    {phrasing.printable(f'{rule.rule_id} in {rule.group_id}')}"
    if apply_result.created_group is not None:
        beside = ", ".join(apply_result.previous_groups)
        yield f"    {phrasing.printable(f'{apply_result.created_group} beside {beside}')}"
    if apply_result.put_back_groups:
        yield f"    {style.warning(phrasing.printable(put_back_sentence(apply_result.put_back_groups)))}"
    for result in apply_result.results_after if apply_result.added_rules else ():
        if isinstance(result, Finding):
            yield f"  {result.rule}  {style.in_verdict_color(result, phrasing.verdict_label(result))}"
    if apply_result.rollback is not None:
        yield from _undo_result_lines(apply_result.rollback, style)
    if apply_result.added_rules or apply_result.outcome is ApplyOutcome.PARTLY_ROLLED_BACK:
        yield f"  take it back with: alb-sg fix --undo {apply_result.execution}"


def undo_document(results_by_region: Sequence[tuple[str, UndoResult]]) -> dict[str, Any]:
    undone = [{"region": region, **undo_result_object(result)} for region, result in results_by_region]
    return {"version": JSON_VERSION, "undone": undone}


def undo_lines(results_by_region: Sequence[tuple[str, UndoResult]], style: Style) -> Iterator[str]:
    for region, result in results_by_region:
        if not result.is_empty:
            yield f"{style.bold(result.execution)}  {style.dim(region)}"
            yield from _undo_result_lines(result, style)


def _undo_result_lines(undo_result: UndoResult, style: Style) -> Iterator[str]:
    for rule in undo_result.revoked_rules:
        yield f"  revoked {rule.rule_id} in {rule.group_id}"
    for arn, groups in undo_result.restored_groups.items():
        yield f"  {phrasing.printable(arn)} carries {', '.join(groups)} again"
    for groups in undo_result.put_back_groups.values():
        yield f"  {style.warning(put_back_sentence(groups))}"
    for group_id in undo_result.deleted_groups:
        yield f"  deleted {group_id}"
    for sentence in undo_result.left_in_place:
        yield f"  {style.warning('kept')}: {phrasing.printable(sentence)}"
    for sentence in undo_result.failures:
        yield f"  {style.bad('failed')}: {phrasing.printable(sentence)}"
