"""Plans and what became of them as objects of JSON.

plan: {"accountId", "region", "loadBalancerArn", "loadBalancerName", "fingerprint",
  "additions": [{"groupId" (null: the new group), "direction", "protocol", "fromPort", "toPort", "peer",
    "openToEveryone", "recommendations", "because"}],
  "newGroup": {"name", "vpcId", "why"} or null,
  "calls": [{"service", "operation", "parameters", "note"}],
  "refusals": [{"rule", "reason", "text", "wanted": [additions]}],
  "errors": [{"rule", "what", "cause"}]}
applied: {"execution", "loadBalancerArn", "outcome", "added": [{"groupId", "ruleId", "direction"}],
  "createdGroup", "previousGroups", "failure", "verdicts": {rule: compliance or "ERROR"}, "undone": … or null}
undone: {"execution", "revoked": […], "restored": {arn: groups}, "deletedGroups", "kept", "failures"}
"""

from __future__ import annotations

from typing import Any

from alb_sg.findings.finding import Finding
from alb_sg.remediation.calls import calls_of
from alb_sg.remediation.execution import Applied, RuleId, Undone
from alb_sg.remediation.plan import Addition, Plan


def plan_object(plan: Plan) -> dict[str, Any]:
    group = plan.new_group
    return {
        "accountId": plan.load_balancer.account_id,
        "region": plan.load_balancer.region,
        "loadBalancerArn": plan.load_balancer.arn,
        "loadBalancerName": plan.load_balancer.name,
        "fingerprint": plan.fingerprint,
        "additions": [addition_object(addition) for addition in plan.additions],
        "newGroup": None if group is None else {"name": group.name, "vpcId": group.vpc_id, "why": group.why},
        "calls": [
            {"service": call.service, "operation": call.operation, "parameters": call.parameters, "note": call.note}
            for call in calls_of(plan)
        ],
        "refusals": [
            {
                "rule": refusal.rule,
                "reason": refusal.reason.value,
                "text": refusal.text,
                "wanted": [addition_object(addition) for addition in refusal.wanted],
            }
            for refusal in plan.refusals
        ],
        "errors": [{"rule": error.rule, "what": error.what, "cause": error.cause} for error in plan.unjudged],
    }


def addition_object(addition: Addition) -> dict[str, Any]:
    return {
        "groupId": addition.group_id,
        "direction": addition.direction.value,
        "protocol": addition.permission.protocol,
        "fromPort": addition.permission.from_port,
        "toPort": addition.permission.to_port,
        "peer": addition.peer,
        "openToEveryone": addition.open_to_everyone,
        "recommendations": list(addition.recommendations),
        "because": list(addition.because),
    }


def applied_object(arn: str, applied: Applied) -> dict[str, Any]:
    return {
        "execution": applied.execution,
        "loadBalancerArn": arn,
        "outcome": applied.outcome.value,
        "added": [_rule_object(rule) for rule in applied.added],
        "createdGroup": applied.created_group,
        "previousGroups": list(applied.previous_groups),
        "failure": applied.failure,
        "verdicts": {
            str(result.rule): result.compliance.value if isinstance(result, Finding) else "ERROR"
            for result in applied.after
        },
        "undone": None if applied.undone is None else undone_object(applied.undone),
    }


def undone_object(undone: Undone) -> dict[str, Any]:
    return {
        "execution": undone.execution,
        "revoked": [_rule_object(rule) for rule in undone.revoked],
        "restored": {arn: list(groups) for arn, groups in undone.restored.items()},
        "deletedGroups": undone.deleted_groups,
        "kept": undone.kept,
        "failures": undone.failures,
    }


def _rule_object(rule: RuleId) -> dict[str, str]:
    return {"groupId": rule.group_id, "ruleId": rule.rule_id, "direction": rule.direction.value}
