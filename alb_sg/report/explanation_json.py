"""An explanation as JSON.

{"version": 1, "loadBalancer": {"accountId", "region", "loadBalancerArn", "loadBalancerName", "type", "scheme",
   "ipAddressType", "state", "vpcId", "vpcCidrs": […] or null, "securityGroups": [{"id", "name": … or null}],
   "listeners": [{"arn", "protocol", "port"}],
   "networkLoadBalancers": [{"arn", "name", "scheme", "targetGroup", "port", "securityGroups"}]},
 "rules": [{"rule", "compliance": … or null, "annotation": … or null, "unresolved",
   "exemption": as in findings' "exemptions", or null, "notes": […], "advice": […],
   "rows": [{"direction", "protocol", "fromPort", "toPort", "required", "label", "targets",
     "securityGroups": of the targets, only for the direction `targetIngress`,
     "because": {"type", "arn"}, "status": "met|missing|unread", "acceptedSource": … or null,
     "acceptedSources": {"met": […], "total"} or null, "lostSources": […], "closedSources": […], "nearMisses": […],
     "evidence": [{"securityGroup", "protocol", "fromPort", "toPort", "peer", "match", "covers"}],
     "missing": as in findings, or null, "unresolved": […],
     "instead": [{"securityGroup", "protocol", "fromPort", "toPort", "peer", "nothing": … or null}],
     "unread": {"what", "cause"} or null}],
   "unused": as in findings, "removal": the commands that remove it; both only where something is unused}],
 "remarks": […], "errors": [{"loadBalancerArn", "what", "cause"}]}
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from alb_sg.findings.evidence import PermissionPeer
from alb_sg.findings.explanation import Explanation, RequirementRow, RuleExplanation
from alb_sg.findings.finding import EvaluationError, Finding
from alb_sg.observations.applied_options import AppliedOption, applied_option_objects
from alb_sg.permissions.allowed_traffic import Direction
from alb_sg.recommendations.fronting_load_balancers import FrontingLoadBalancer
from alb_sg.report.advice import Advice
from alb_sg.report.json_report import (
    JSON_VERSION,
    error_object,
    exemption_object,
    missing_object,
    unused_field,
)
from alb_sg.report.removal_commands import removal_commands


def explanation_document(
    explanation: Explanation, advice: Advice, applied_options: Iterable[AppliedOption]
) -> dict[str, Any]:
    errors = [rule.verdict for rule in explanation.rules if isinstance(rule.verdict, EvaluationError)]
    return {
        "version": JSON_VERSION,
        "loadBalancer": _load_balancer_object(explanation),
        "rules": [
            _rule_object(
                rule, explanation.region, advice.get((explanation.load_balancer.arn, rule.recommendation.name), ())
            )
            for rule in explanation.rules
        ],
        "remarks": list(explanation.remarks),
        "errors": [error_object(error) for error in errors],
        "configuration": applied_option_objects(applied_options),
    }


def _load_balancer_object(explanation: Explanation) -> dict[str, Any]:
    load_balancer = explanation.load_balancer
    return {
        "accountId": explanation.account_id,
        "region": explanation.region,
        "loadBalancerArn": load_balancer.arn,
        "loadBalancerName": load_balancer.name,
        "type": str(load_balancer.type),
        "scheme": str(load_balancer.scheme),
        "ipAddressType": str(load_balancer.ip_address_type),
        "state": str(load_balancer.state),
        "vpcId": load_balancer.vpc_id,
        "vpcCidrs": None if explanation.vpc_cidrs is None else list(explanation.vpc_cidrs),
        "securityGroups": [
            {"id": group_id, "name": explanation.group_names.get(group_id)}
            for group_id in load_balancer.security_groups
        ],
        "listeners": [
            {
                "arn": listener.arn,
                "protocol": str(listener.protocol),
                "port": listener.port if isinstance(listener.port, int) else None,
            }
            for listener in explanation.listeners
        ],
        "networkLoadBalancers": [_network_load_balancer_object(front) for front in explanation.fronting_load_balancers],
    }


def _network_load_balancer_object(front: FrontingLoadBalancer) -> dict[str, Any]:
    network_load_balancer = front.load_balancer
    return {
        "arn": network_load_balancer.arn,
        "name": network_load_balancer.name,
        "scheme": network_load_balancer.scheme,
        "targetGroup": front.target_group.name,
        "port": front.port,
        "securityGroups": list(network_load_balancer.security_groups),
    }


def _rule_object(rule: RuleExplanation, region: str, advice: Sequence[str]) -> dict[str, Any]:
    verdict = rule.verdict if isinstance(rule.verdict, Finding) else None
    return {
        "rule": rule.recommendation.name,
        "compliance": None if verdict is None else verdict.compliance.value,
        "annotation": None if verdict is None else verdict.annotation,
        "unresolved": verdict is not None and verdict.unresolved,
        "exemption": exemption_object(verdict, verdict.applied_exemption)
        if verdict is not None and verdict.applied_exemption
        else None,
        "notes": list(rule.notes),
        "advice": list(advice),
        "rows": [_row_object(row) for row in rule.rows],
        **_unused_fields(rule, region),
    }


def _unused_fields(rule: RuleExplanation, region: str) -> dict[str, Any]:
    if not isinstance(rule.verdict, Finding) or not rule.verdict.unused:
        return {}
    return {**unused_field(rule.verdict), "removal": list(removal_commands(rule.unused, region))}


def _row_object(row: RequirementRow) -> dict[str, Any]:
    fields = {
        "direction": row.direction.value,
        "protocol": row.traffic.protocol,
        "fromPort": row.traffic.from_port,
        "toPort": row.traffic.to_port,
        "required": list(row.required),
        "label": row.label,
        "targets": list(row.targets),
        "because": {"type": row.origin.type, "arn": row.origin.arn},
        "status": row.status.value,
        "acceptedSource": row.accepted_source,
        "acceptedSources": None
        if row.accepted_sources is None
        else {"met": list(row.accepted_sources.met), "total": row.accepted_sources.total},
        "lostSources": list(row.lost_sources),
        "nearMisses": list(row.near_misses),
        "closedSources": list(row.closed_sources),
        "evidence": [
            {
                **_permission_peer_object(part.permission_peer),
                "match": part.match.value,
                "covers": list(part.covers),
            }
            for part in row.evidence
        ],
        "missing": None if row.missing is None else missing_object(row.missing),
        "unresolved": list(row.unresolved),
        "instead": [
            {**_permission_peer_object(peer), "nothing": peer.ineffective_reason or None} for peer in row.open_instead
        ],
        "unread": None if row.unread is None else {"what": row.unread[0], "cause": row.unread[1]},
    }
    if row.direction is Direction.TARGET_INGRESS:
        fields["securityGroups"] = list(row.security_groups)
    return fields


def _permission_peer_object(permission_peer: PermissionPeer) -> dict[str, Any]:
    permission = permission_peer.permission
    return {
        "securityGroup": permission_peer.group_id,
        "protocol": permission.protocol,
        "fromPort": permission.from_port,
        "toPort": permission.to_port,
        "peer": permission_peer.peer,
    }
