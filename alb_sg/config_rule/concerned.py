"""Which load balancers a changed configuration item concerns."""

from __future__ import annotations

import re
from collections.abc import Iterable

from alb_sg.config_rule.notification import Item
from alb_sg.errors import UnusableInput
from alb_sg.estate.model import LISTENER_TYPE, LOAD_BALANCER_TYPE, SECURITY_GROUP_TYPE, TARGET_GROUP_TYPE
from alb_sg.live import Selection

TYPES = (LISTENER_TYPE, LOAD_BALANCER_TYPE, SECURITY_GROUP_TYPE, TARGET_GROUP_TYPE)

LOAD_BALANCER_ARN = re.compile(
    r"arn:[^:\s]+:elasticloadbalancing:[^:\s]+:\d+:loadbalancer/(?:app|net)/[^/\s]+/[^/\s\"]+"
)
LISTENER_ARN = re.compile(r"(arn:[^:]+:elasticloadbalancing:[^:]+:\d+:)listener/((?:app|net|gwy)/[^/]+/[^/]+)/[^/]+")


def concerned(item: Item) -> Selection:
    """The load balancers to judge when an item has changed or is gone.

    A security group's: all that carry it. A listener's: its own. A target group's: its load balancers and, for
    type `alb`, the ones registered in it, now and before. A Network Load Balancer's: the ones behind it; those
    that a deleted one stood before are found in the target groups of type `alb` that nobody uses any more.
    Raises UnusableInput for an item of another type.
    """
    match item.resource_type:
        case "AWS::EC2::SecurityGroup":
            return Selection(carrying=frozenset({item.resource_id}))
        case "AWS::ElasticLoadBalancingV2::LoadBalancer":
            if item.load_balancer_type == "network":
                return Selection(behind=frozenset({item.resource_id}), behind_deleted=True)
            return _of_load_balancers([item.resource_id])
        case "AWS::ElasticLoadBalancingV2::Listener":
            return _of_load_balancers([_owner(item.resource_id)])
        case "AWS::ElasticLoadBalancingV2::TargetGroup":
            named = {arn for text in item.texts() for arn in LOAD_BALANCER_ARN.findall(text)}
            selection = _of_load_balancers(named)
            return Selection(
                load_balancers=selection.load_balancers,
                behind=selection.behind,
                target_groups=frozenset({item.resource_id}),
            )
    raise UnusableInput(f"{item.resource_type!r} does not concern this rule", "configurationItem.resourceType")


def _of_load_balancers(arns: Iterable[str]) -> Selection:
    arns = set(arns)
    network = frozenset(arn for arn in arns if ":loadbalancer/net/" in arn)
    return Selection(
        load_balancers=frozenset(arn for arn in arns if ":loadbalancer/app/" in arn),
        behind=network,
        behind_deleted=bool(network),
    )


def _owner(listener_arn: str) -> str:
    """The load balancer of a listener, which its ARN names."""
    match = LISTENER_ARN.fullmatch(listener_arn)
    if match is None:
        raise UnusableInput(f"{listener_arn!r} is not the ARN of a listener", "configurationItem.resourceId")
    return f"{match[1]}loadbalancer/{match[2]}"
