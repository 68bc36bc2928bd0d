"""Which load balancers a changed configuration item concerns."""

from __future__ import annotations

import re
from collections.abc import Iterable

from alb_sg.config_rule.notification import ChangedItem
from alb_sg.errors import InvalidInputError
from alb_sg.live import Selection

LOAD_BALANCER_ARN = re.compile(
    r"arn:[^:\s]+:elasticloadbalancing:[^:\s]+:\d+:loadbalancer/(?:app|net)/[^/\s]+/[^/\s\"]+"
)
LISTENER_ARN = re.compile(r"(arn:[^:]+:elasticloadbalancing:[^:]+:\d+:)listener/((?:app|net|gwy)/[^/]+/[^/]+)/[^/]+")


def affected_load_balancers(item: ChangedItem) -> Selection:
    """The load balancers to judge when an item has changed or is gone.

    A security group's: all that carry it. A listener's: its own. A target group's: its load balancers and, for
    type `alb`, the ones registered in it, now and before. A Network Load Balancer's: the ones behind it; those
    that a deleted one stood before are found in the target groups of type `alb` that nobody uses any more.
    Raises InvalidInputError for an item of another type.
    """
    match item.resource_type:
        case "AWS::EC2::SecurityGroup":
            return Selection(security_groups=frozenset({item.resource_id}))
        case "AWS::ElasticLoadBalancingV2::LoadBalancer":
            if item.load_balancer_type == "network":
                return Selection(
                    behind_network_load_balancers=frozenset({item.resource_id}), behind_deleted_load_balancers=True
                )
            return _select_by_arn([item.resource_id])
        case "AWS::ElasticLoadBalancingV2::Listener":
            return _select_by_arn([_load_balancer_arn(item.resource_id)])
        case "AWS::ElasticLoadBalancingV2::TargetGroup":
            named = {arn for text in item.texts() for arn in LOAD_BALANCER_ARN.findall(text)}
            selection = _select_by_arn(named)
            return Selection(
                load_balancers=selection.load_balancers,
                behind_network_load_balancers=selection.behind_network_load_balancers,
                target_groups=frozenset({item.resource_id}),
            )
    raise InvalidInputError(f"{item.resource_type!r} does not concern this rule", "configurationItem.resourceType")


def _select_by_arn(arns: Iterable[str]) -> Selection:
    arns = set(arns)
    network = frozenset(arn for arn in arns if ":loadbalancer/net/" in arn)
    return Selection(
        load_balancers=frozenset(arn for arn in arns if ":loadbalancer/app/" in arn),
        behind_network_load_balancers=network,
        behind_deleted_load_balancers=bool(network),
    )


def _load_balancer_arn(listener_arn: str) -> str:
    """The load balancer of a listener, which its ARN names."""
    match = LISTENER_ARN.fullmatch(listener_arn)
    if match is None:
        raise InvalidInputError(f"{listener_arn!r} is not the ARN of a listener", "configurationItem.resourceId")
    return f"{match[1]}loadbalancer/{match[2]}"
