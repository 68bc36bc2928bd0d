"""What the steps of the documents call: each takes a step's InputPayload and returns what the step's outputs select.

A refusal, a load balancer that is gone and nothing to do are answers. What could not be read, and a change that failed
or is not seen to do, raise: the step fails, with the message as its reason.
"""

from __future__ import annotations

from typing import Any

import boto3
from botocore.config import Config

from alb_sg.automation.answer import (
    Answer,
    applied_answer,
    no_plan_answer,
    plan_answer,
    summary,
    undone_answer,
    undone_lines,
)
from alb_sg.automation.request import Payload, Request, account_of, read_request, text, texts
from alb_sg.findings.finding import Compliance, JudgementError
from alb_sg.remediation.account import live_plan, look
from alb_sg.remediation.apply import apply as apply_plan
from alb_sg.remediation.calls import execution_id
from alb_sg.remediation.execution import Applied, Outcome
from alb_sg.remediation.plan import Plan
from alb_sg.remediation.planning import verdicts
from alb_sg.remediation.undo import FAILURES, failure
from alb_sg.remediation.undo import undo as undo_execution

PLANNED = "planned"
GONE = "the load balancer is gone"
# Outcomes after which nothing has changed that should not have.
QUIET = frozenset({Outcome.NOTHING, Outcome.GONE, Outcome.REFUSED, Outcome.APPLIED, Outcome.UNVERIFIED})


class StepFailed(Exception):
    """Why a step of a document fails: what stands, and what to do."""


def plan(payload: Payload) -> Answer:
    """Judges, and says what would be done. `outcome` is `planned` where there is something to do, `approval` whether
    somebody is to be asked. Raises Unread, UnusableInput and StepFailed."""
    request = read_request(payload)
    approval = "asked for" if texts(payload, "Approvers") else "not asked for"
    found = live_plan(request.account, request.load_balancer_arn, request.fix)
    if found is None:
        return no_plan_answer(GONE, f"{request.load_balancer_arn} is gone") | {"approval": approval}
    _must_be_judged(found)
    without = Outcome.REFUSED if found.refusals else Outcome.NOTHING
    return plan_answer(PLANNED if found.additions else without.value, found) | {"approval": approval}


def apply(payload: Payload) -> Answer:
    """Does what was planned, if it is still the same. Raises as `plan` does, and StepFailed where that has changed or
    a call failed; what was added then is taken back."""
    request = read_request(payload)
    execution, fingerprint = text(payload, "Execution"), text(payload, "Fingerprint")
    applied = apply_plan(request.account, request.load_balancer_arn, request.fix, execution, approved=fingerprint)
    if applied.plan is not None and not applied.added:
        _must_be_judged(applied.plan)
    answer = applied_answer(request.load_balancer_arn, applied)
    if applied.outcome not in QUIET:
        raise StepFailed(_what_to_do(applied, answer["summary"]))
    return answer


def verify(payload: Payload) -> Answer:
    """Judges again, and asks AWS Config to. Raises as `plan` does, and StepFailed where the rule is not met."""
    request = read_request(payload)
    found = look(request.account, request.load_balancer_arn, request.fix)
    asked = _asked_to_evaluate(payload.get("ConfigRuleName"), request)
    if found is None:
        return {"verdict": GONE, "reevaluation": asked, "summary": summary([GONE, asked])}
    [result] = verdicts(*found, request.fix)
    if isinstance(result, JudgementError):
        raise StepFailed(f"{result.what}: {result.cause}; what was added stays, undo it with AlbSg-Undo")
    said = f"{result.rule}: {result.compliance.value}: {result.annotation}"
    if result.compliance is Compliance.NON_COMPLIANT:
        raise StepFailed(f"{said}; what was added stays, undo it with AlbSg-Undo; {asked}")
    return {"verdict": result.compliance.value, "reevaluation": asked, "summary": summary([said, asked])}


def undo(payload: Payload) -> Answer:
    """Takes back what an execution added. Raises StepFailed where a call failed: the rest is left to undo."""
    account, execution = account_of(payload), execution_id(text(payload, "Execution"))
    undone = undo_execution(account, execution)
    if undone.failures:
        raise StepFailed(summary([*undone_lines(undone), "run this again to take back the rest"]))
    return undone_answer(undone)


def _must_be_judged(found: Plan) -> None:
    for error in found.unjudged:
        raise StepFailed(f"nothing was changed, {error.rule} could not be judged: {error.what}: {error.cause}")


def _what_to_do(applied: Applied, said: str) -> str:
    if applied.outcome is Outcome.CHANGED:
        return f"{said}; nothing was changed, start the document again to see what is to be done now"
    if applied.outcome is Outcome.LEFT_OVER:
        return f"{said}\nrun AlbSg-Undo with Execution {applied.execution} to take back the rest"
    return said


def _asked_to_evaluate(rule_name: Any, request: Request) -> str:
    """What came of asking AWS Config to evaluate the rule again. The load balancer is fixed whatever came of it:
    AWS Config judges it again by itself when it records the change, or by its schedule."""
    if not rule_name:
        return "AWS Config was not asked to evaluate again: no rule was named"
    # One more try and no more: this is not worth waiting for.
    config = boto3.client(
        "config",
        region_name=request.account.region,
        config=Config(retries={"mode": "standard", "max_attempts": 2}, connect_timeout=5, read_timeout=10),
    )
    try:
        config.start_config_rules_evaluation(ConfigRuleNames=[rule_name])
    except FAILURES as error:
        return f"AWS Config was asked to evaluate {rule_name} again, and did not: {failure(error)}"
    return f"AWS Config evaluates {rule_name} again"
