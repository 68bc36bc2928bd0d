"""Plans and the results of applying and undoing them, as objects for JSON.

plan: {"accountId", "region", "loadBalancerArn", "loadBalancerName", "fingerprint",
  "additions": [{"groupId" (null: the new group), "direction", "protocol", "fromPort", "toPort", "peer",
    "openToEveryone", "needsApproval", "recommendations", "because",
    "alsoOpens" (only in a group of targets: what else carries it)}],
  "newGroup": {"name", "vpcId", "why"} or null,
  "calls": [{"service", "operation", "parameters", "note"}],
  "refusals": [{"rule", "reason", "text", "wanted": [additions]}],
  "errors": [{"rule", "what", "cause"}]}
applied: {"execution", "loadBalancerArn", "outcome", "added": [{"groupId", "ruleId", "direction"}],
  "createdGroup", "previousGroups", "putBack", "failure", "verdicts": {rule: compliance or "ERROR"},
  "undone": … or null}
undone: {"execution", "revoked": […], "restored": {arn: groups}, "putBack": {arn: groups}, "deletedGroups", "kept",
  "failures"}
"""

from __future__ import annotations

from typing import Any

from alb_sg.findings.finding import Finding
from alb_sg.remediation.api_calls import calls_for_plan
from alb_sg.remediation.execution import ApplyResult, SecurityGroupRule, UndoResult
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
        "newGroup": None if group is None else {"name": group.name, "vpcId": group.vpc_id, "why": group.reason},
        "calls": [
            {"service": call.service, "operation": call.operation, "parameters": call.parameters, "note": call.note}
            for call in calls_for_plan(plan)
        ],
        "refusals": [
            {
                "rule": refusal.rule,
                "reason": refusal.reason.value,
                "text": refusal.text,
                "wanted": [addition_object(addition) for addition in refusal.additions],
            }
            for refusal in plan.refusals
        ],
        "errors": [{"rule": error.rule, "what": error.what, "cause": error.cause} for error in plan.evaluation_errors],
    }


def addition_object(addition: Addition) -> dict[str, Any]:
    fields = {
        "groupId": addition.group_id,
        "direction": addition.direction.value,
        "protocol": addition.permission.protocol,
        "fromPort": addition.permission.from_port,
        "toPort": addition.permission.to_port,
        "peer": addition.peer,
        "openToEveryone": addition.open_to_everyone,
        "needsApproval": addition.is_wide,
        "recommendations": list(addition.rule_names),
        "because": list(addition.origins),
    }
    if addition.target_groups:
        fields["alsoOpens"] = list(addition.also_opens)
    return fields


def apply_result_object(arn: str, result: ApplyResult) -> dict[str, Any]:
    return {
        "execution": result.execution,
        "loadBalancerArn": arn,
        "outcome": result.outcome.value,
        "added": [_rule_object(rule) for rule in result.added_rules],
        "createdGroup": result.created_group,
        "previousGroups": list(result.previous_groups),
        "putBack": list(result.put_back_groups),
        "failure": result.failure,
        "verdicts": {
            str(verdict.rule): verdict.compliance.value if isinstance(verdict, Finding) else "ERROR"
            for verdict in result.results_after
        },
        "undone": None if result.rollback is None else undo_result_object(result.rollback),
    }


def undo_result_object(result: UndoResult) -> dict[str, Any]:
    return {
        "execution": result.execution,
        "revoked": [_rule_object(rule) for rule in result.revoked_rules],
        "restored": {arn: list(groups) for arn, groups in result.restored_groups.items()},
        "putBack": {arn: list(groups) for arn, groups in result.put_back_groups.items()},
        "deletedGroups": result.deleted_groups,
        "kept": result.left_in_place,
        "failures": result.failures,
    }


def _rule_object(rule: SecurityGroupRule) -> dict[str, str]:
    return {"groupId": rule.group_id, "ruleId": rule.rule_id, "direction": rule.direction.value}
