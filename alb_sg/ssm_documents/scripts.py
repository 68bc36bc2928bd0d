"""What the steps of the documents call: each takes a step's InputPayload and returns what the step's outputs select.

A refusal, a load balancer that is gone and nothing to do are answers. What could not be read, and a change that failed
or is not seen to do, raise: the step fails, with the message as its reason.
"""

from __future__ import annotations

from typing import Any

from botocore.config import Config

from alb_sg.aws.client_errors import AWS_ERRORS, error_text
from alb_sg.aws.clients import make_client
from alb_sg.findings.finding import Compliance, EvaluationError
from alb_sg.remediation.api_calls import parse_execution_id
from alb_sg.remediation.apply import apply as apply_plan
from alb_sg.remediation.execution import ApplyOutcome, ApplyResult
from alb_sg.remediation.live_planning import make_live_plan, read_load_balancer
from alb_sg.remediation.plan import Plan
from alb_sg.remediation.planning import judge_load_balancer
from alb_sg.remediation.undo import undo as undo_execution
from alb_sg.ssm_documents.step_input import (
    Payload,
    StepInput,
    account_clients,
    read_step_input,
    required_text,
    text_list,
)
from alb_sg.ssm_documents.step_output import (
    StepOutput,
    apply_output,
    no_plan_output,
    plan_output,
    summarize,
    undo_lines,
    undo_output,
)

PLANNED = "planned"
LOAD_BALANCER_DELETED = "the load balancer is gone"
# Outcomes after which nothing has changed that should not have.
SUCCESSFUL_OUTCOMES = frozenset(
    {
        ApplyOutcome.NOTHING_TO_DO,
        ApplyOutcome.LOAD_BALANCER_DELETED,
        ApplyOutcome.REFUSED,
        ApplyOutcome.APPLIED,
        ApplyOutcome.UNVERIFIED,
    }
)


class StepFailedError(Exception):
    """Why a step of a document fails: what stands, and what to do."""


def plan(payload: Payload) -> StepOutput:
    """Judges, and says what would be done. `outcome` is `planned` where there is something to do, `approval` whether
    somebody is to be asked. Raises NotReadError, InvalidInputError and StepFailedError."""
    request = read_step_input(payload)
    approval = "asked for" if text_list(payload, "Approvers") else "not asked for"
    found = make_live_plan(request.account, request.load_balancer_arn, request.fix)
    if found is None:
        return no_plan_output(LOAD_BALANCER_DELETED, f"{request.load_balancer_arn} is gone") | {"approval": approval}
    _require_evaluated(found)
    without = ApplyOutcome.REFUSED if found.refusals else ApplyOutcome.NOTHING_TO_DO
    return plan_output(PLANNED if found.additions else without.value, found) | {"approval": approval}


def apply(payload: Payload) -> StepOutput:
    """Does what was planned, if it is still the same. Raises as `plan` does, and StepFailedError where that has
    changed or a call failed; what was added then is taken back."""
    request = read_step_input(payload)
    execution, fingerprint = required_text(payload, "Execution"), required_text(payload, "Fingerprint")
    applied = apply_plan(
        request.account, request.load_balancer_arn, request.fix, execution, approved_fingerprint=fingerprint
    )
    if applied.plan is not None and not applied.added_rules:
        _require_evaluated(applied.plan)
    answer = apply_output(request.load_balancer_arn, applied)
    if applied.outcome not in SUCCESSFUL_OUTCOMES:
        raise StepFailedError(_failure_message(applied, answer["summary"]))
    return answer


def verify(payload: Payload) -> StepOutput:
    """Judges again, and asks AWS Config to. Raises as `plan` does, and StepFailedError where the rule is not met."""
    request = read_step_input(payload)
    found = read_load_balancer(request.account, request.load_balancer_arn, request.fix)
    asked = _start_reevaluation(payload.get("ConfigRuleName"), request)
    if found is None:
        return {
            "verdict": LOAD_BALANCER_DELETED,
            "reevaluation": asked,
            "summary": summarize([LOAD_BALANCER_DELETED, asked]),
        }
    [result] = judge_load_balancer(*found, request.fix)
    if isinstance(result, EvaluationError):
        raise StepFailedError(f"{result.what}: {result.cause}; what was added stays, undo it with AlbSg-Undo")
    said = f"{result.rule}: {result.compliance.value}: {result.annotation}"
    if result.compliance is Compliance.NON_COMPLIANT:
        raise StepFailedError(f"{said}; what was added stays, undo it with AlbSg-Undo; {asked}")
    return {"verdict": result.compliance.value, "reevaluation": asked, "summary": summarize([said, asked])}


def undo(payload: Payload) -> StepOutput:
    """Takes back what an execution added. Raises StepFailedError where a call failed: the rest is left to undo."""
    account, execution = account_clients(payload), parse_execution_id(required_text(payload, "Execution"))
    undone = undo_execution(account, execution)
    if undone.failures:
        raise StepFailedError(summarize([*undo_lines(undone), "run this again to take back the rest"]))
    return undo_output(undone)


def _require_evaluated(found: Plan) -> None:
    for error in found.evaluation_errors:
        raise StepFailedError(f"nothing was changed, {error.rule} could not be judged: {error.what}: {error.cause}")


def _failure_message(applied: ApplyResult, said: str) -> str:
    if applied.outcome is ApplyOutcome.PLAN_CHANGED:
        return f"{said}; nothing was changed, start the document again to see what is to be done now"
    if applied.outcome is ApplyOutcome.PARTLY_ROLLED_BACK:
        return f"{said}\nrun AlbSg-Undo with Execution {applied.execution} to take back the rest"
    return said


def _start_reevaluation(rule_name: Any, step_input: StepInput) -> str:
    """What came of asking AWS Config to evaluate the rule again. The load balancer is fixed whatever came of it:
    AWS Config judges it again by itself when it records the change, or by its schedule."""
    if not rule_name:
        return "AWS Config was not asked to evaluate again: no rule was named"
    # One more try and no more: this is not worth waiting for.
    config = make_client(
        "config",
        step_input.account.region,
        config=Config(retries={"mode": "standard", "max_attempts": 2}, connect_timeout=5, read_timeout=10),
    )
    try:
        config.start_config_rules_evaluation(ConfigRuleNames=[rule_name])
    except AWS_ERRORS as error:
        return f"AWS Config was asked to evaluate {rule_name} again, and did not: {error_text(error)}"
    return f"AWS Config evaluates {rule_name} again"
