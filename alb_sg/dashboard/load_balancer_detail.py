"""The details of one load balancer in the page's data: the diagram and the recommended rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from alb_sg.aws.arns import target_group_name
from alb_sg.findings.explanation import Explanation, RequirementRow
from alb_sg.findings.phrasing import abbreviate, describe_port_range
from alb_sg.observations.observation import LoadBalancerDetail
from alb_sg.permissions.allowed_traffic import Direction
from alb_sg.recommendations.fronting_load_balancers import FrontingLoadBalancer
from alb_sg.report import phrasing
from alb_sg.report.removal_commands import removal_commands
from alb_sg.report.row_phrasing import describe_front, describe_peer, describe_targets, row_reasons

# So many peers of an unused opening are named.
MAX_PEERS = 3


def detail_object(detail: LoadBalancerDetail, fix: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """None where the load balancer has no explanation. `fix` is as `fixes` makes it."""
    if detail.explanation is None:
        return None
    return {**_explanation_object(detail.explanation), "fix": fix}


def _explanation_object(explanation: Explanation) -> dict[str, Any]:
    load_balancer = explanation.load_balancer
    openings = [
        {
            "traffic": describe_port_range(*port_range),
            "peer": abbreviate(opening.permission.peers, MAX_PEERS),
            "group": opening.group_id,
        }
        for rule in explanation.rules
        for opening in rule.unused
        for port_range in opening.unused
    ]
    removal = [line for rule in explanation.rules for line in removal_commands(rule.unused, explanation.region)]
    return {
        "type": str(load_balancer.type),
        "state": str(load_balancer.state),
        "ipAddressType": str(load_balancer.ip_address_type),
        "vpc": load_balancer.vpc_id,
        "vpcCidrs": None if explanation.vpc_cidrs is None else list(explanation.vpc_cidrs),
        "groupNames": dict(explanation.group_names),
        "listeners": [
            {
                "name": f"{listener.protocol}:{listener.port}",
                "targetGroups": [target_group_name(arn) for arn in listener.target_group_arns],
            }
            for listener in explanation.listeners
        ],
        "fronts": [describe_front(front) for front in explanation.fronting_load_balancers],
        "rows": [
            _row_object(rule.recommendation.name, row, explanation.fronting_load_balancers)
            for rule in explanation.rules
            for row in rule.rows
        ],
        "notes": [[rule.recommendation.name, note] for rule in explanation.rules for note in rule.notes],
        "remarks": list(explanation.remarks),
        "unread": [f"{what}: {cause}" for what, cause in explanation.unread],
        **({"unused": openings, "removal": "\n".join(removal)} if openings else {}),
    }


def _row_object(rule: str, row: RequirementRow, fronts: Sequence[FrontingLoadBalancer]) -> dict[str, Any]:
    """A recommended row, with its status and the reasons for it in words."""
    # The peer of inbound traffic to targets are the targets.
    to_targets = row.direction is Direction.TARGET_INGRESS
    return {
        "rule": rule,
        "direction": phrasing.direction_word(row.direction.value),
        "traffic": phrasing.describe_traffic(row.traffic.protocol, row.traffic.from_port, row.traffic.to_port),
        "preposition": "at" if to_targets else phrasing.direction_preposition(row.direction.value),
        "peer": describe_targets(row) if to_targets else describe_peer(row),
        "label": row.label,
        "because": [row.origin.type, row.origin.label],
        "status": row.status.value,
        "why": list(row_reasons(row, fronts)),
    }
