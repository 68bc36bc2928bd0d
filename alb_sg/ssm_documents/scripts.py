"""The functions of the documents' steps: each takes a step's InputPayload and returns the step's outputs.

A refusal, a deleted load balancer and nothing to do are outputs. A failed read, a failed change and a rule that is not
met after the change raise an error: the step fails, with the message as its reason.
"""

from __future__ import annotations

from botocore.config import Config

from alb_sg.aws.client_errors import AWS_ERRORS, error_text
from alb_sg.aws.clients import make_client
from alb_sg.findings.finding import Compliance, EvaluationError
from alb_sg.remediation.api_calls import parse_execution_id
from alb_sg.remediation.apply import apply as apply_plan
from alb_sg.remediation.execution import ApplyOutcome, ApplyResult
from alb_sg.remediation.live_planning import make_live_plan, read_load_balancer
from alb_sg.remediation.plan import Plan
from alb_sg.remediation.planning import judge_load_balancer, result_text
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

# Values that the documents' branches compare.
PLANNED = "planned"
APPROVAL_REQUIRED = "asked for"
APPROVAL_NOT_REQUIRED = "not asked for"

# The outcomes that do not fail the step.
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
    """Why a step of a document fails, and what to do about it."""


def plan(payload: Payload) -> StepOutput:
    """Judges the load balancer and plans the changes. `outcome` is PLANNED if there is something to change.

    Raises NotReadError, InvalidInputError and StepFailedError.
    """
    step = read_step_input(payload)
    approvers = step.limits.narrowed_approvers(text_list(payload, "Approvers"))
    approval = {"approval": APPROVAL_REQUIRED if approvers else APPROVAL_NOT_REQUIRED, "approvers": approvers}
    made = make_live_plan(step.account, step.load_balancer_arn, step.fix)
    if made is None:
        output = no_plan_output(ApplyOutcome.LOAD_BALANCER_DELETED.value, f"{step.load_balancer_arn} is gone")
        return output | approval
    _require_evaluated(made)
    outcome_without_additions = ApplyOutcome.REFUSED if made.refusals else ApplyOutcome.NOTHING_TO_DO
    outcome = PLANNED if made.additions else outcome_without_additions.value
    return plan_output(outcome, made) | approval


def apply(payload: Payload) -> StepOutput:
    """Applies the plan with the given fingerprint.

    Raises as `plan` does, and StepFailedError if the plan is another one by now, or a call failed and was rolled back.
    """
    step = read_step_input(payload)
    execution, fingerprint = required_text(payload, "Execution"), required_text(payload, "Fingerprint")
    result = apply_plan(step.account, step.load_balancer_arn, step.fix, execution, approved_fingerprint=fingerprint)
    if result.plan is not None and not result.added_rules:
        _require_evaluated(result.plan)
    output = apply_output(step.load_balancer_arn, result)
    if result.outcome not in SUCCESSFUL_OUTCOMES:
        raise StepFailedError(_failure_message(result, output["summary"]))
    return output


def verify(payload: Payload) -> StepOutput:
    """Judges again, and asks AWS Config to evaluate the rule.

    Raises as `plan` does, and StepFailedError if the rule is not met.
    """
    step = read_step_input(payload)
    loaded = read_load_balancer(step.account, step.load_balancer_arn, step.fix)
    reevaluation = _start_reevaluation(required_text(payload, "ConfigRuleName"), step)
    if loaded is None:
        verdict = ApplyOutcome.LOAD_BALANCER_DELETED.value
        return {"verdict": verdict, "reevaluation": reevaluation, "summary": summarize([verdict, reevaluation])}
    [result] = judge_load_balancer(*loaded, step.fix)
    if isinstance(result, EvaluationError):
        raise StepFailedError(f"{result_text(result)}; what was added stays, undo it with AlbSg-Undo")
    verdict = result.compliance.value
    sentence = f"{result.rule}: {verdict}: {result.annotation}"
    if result.compliance is Compliance.NON_COMPLIANT:
        raise StepFailedError(f"{sentence}; what was added stays, undo it with AlbSg-Undo; {reevaluation}")
    return {"verdict": verdict, "reevaluation": reevaluation, "summary": summarize([sentence, reevaluation])}


def undo(payload: Payload) -> StepOutput:
    """Removes what an execution added. Raises StepFailedError if a call failed: then there is more to undo."""
    account, execution = account_clients(payload), parse_execution_id(required_text(payload, "Execution"))
    result = undo_execution(account, execution)
    if result.failures:
        raise StepFailedError(summarize([*undo_lines(result), "run this again to take back the rest"]))
    return undo_output(result)


def _require_evaluated(made: Plan) -> None:
    for error in made.evaluation_errors:
        raise StepFailedError(f"nothing was changed, {error.rule} could not be judged: {result_text(error)}")


def _failure_message(result: ApplyResult, summary: str) -> str:
    if result.outcome is ApplyOutcome.PLAN_CHANGED:
        return f"{summary}; nothing was changed, start the document again to get a new plan"
    if result.outcome is ApplyOutcome.PARTLY_ROLLED_BACK:
        return f"{summary}\nrun AlbSg-Undo with Execution {result.execution} to take back the rest"
    return summary


def _start_reevaluation(rule_name: str, step_input: StepInput) -> str:
    """Asks AWS Config to evaluate the rule again. Returns the result as a sentence.

    A failure does not matter: AWS Config evaluates again when it records the change, or by its schedule.
    """
    # A single retry: the request is not worth a longer wait.
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
