"""The load balancers that a changed configuration item affects."""

from __future__ import annotations

from collections.abc import Iterable

from alb_sg.aws.arns import find_load_balancer_arns, listener_load_balancer_arn
from alb_sg.config_rule.notification import ChangedItem
from alb_sg.errors import InvalidInputError
from alb_sg.live import Selection


def affected_load_balancers(item: ChangedItem) -> Selection:
    """The load balancers to judge after an item was changed or deleted.

    - a security group: all that have it
    - a listener: its own
    - a target group: its load balancers and, for type `alb`, the registered ones, now and before the change
    - a Network Load Balancer: all behind it; if it was deleted, those in target groups of type `alb` that no load
      balancer uses

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
            arn = listener_load_balancer_arn(item.resource_id)
            if arn is None:
                raise InvalidInputError(
                    f"{item.resource_id!r} is not the ARN of a listener", "configurationItem.resourceId"
                )
            return _select_by_arn([arn])
        case "AWS::ElasticLoadBalancingV2::TargetGroup":
            selection = _select_by_arn(arn for text in item.texts for arn in find_load_balancer_arns(text))
            return Selection(
                load_balancers=selection.load_balancers,
                behind_network_load_balancers=selection.behind_network_load_balancers,
                target_groups=frozenset({item.resource_id}),
            )
    raise InvalidInputError(
        f"this rule does not handle the resource type {item.resource_type!r}", "configurationItem.resourceType"
    )


def _select_by_arn(arns: Iterable[str]) -> Selection:
    arns = set(arns)
    network = frozenset(arn for arn in arns if ":loadbalancer/net/" in arn)
    return Selection(
        load_balancers=frozenset(arn for arn in arns if ":loadbalancer/app/" in arn),
        behind_network_load_balancers=network,
        behind_deleted_load_balancers=bool(network),
    )
