"""The load balancers that a changed configuration item affects."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from alb_sg.aws.arns import find_load_balancer_arns, listener_load_balancer_arn
from alb_sg.config_rule.notification import ChangedItem
from alb_sg.errors import InvalidInputError
from alb_sg.estate.sections import Section
from alb_sg.live import Selection
from alb_sg.parameters import Parameters
from alb_sg.permissions.allowed_traffic import Direction
from alb_sg.recommendations.recommendation import Recommendation

_SECURITY_GROUP_ID = re.compile(r"\bsg-\w+")


def affected_load_balancers(item: ChangedItem, recommendation: Recommendation, parameters: Parameters) -> Selection:
    """The load balancers to judge after an item was changed or deleted.

    - a security group, or its association with another VPC: all that have it and, for a rule that judges the security
      groups of targets, all that send to a target that has it
    - a listener: its own
    - a target group: its load balancers and, for type `alb`, the registered ones, now and before the change
    - a Network Load Balancer, its listener or its security group: all behind it; if it was deleted, those in target
      groups of type `alb` that no load balancer uses
    - a load balancer of any type or its listener, for a rule that reads who carries a security group: also all that
      have one of its groups, now or before the change
    - a VPC: all in it
    - a prefix list: all whose security groups refer to it; every load balancer if a parameter names it or tags may

    The selection is empty if the item cannot change a verdict of the rule: Network Load Balancers in front matter only
    to a rule that reads the registrations of Application Load Balancers. Raises InvalidInputError for an item of
    another type.
    """
    is_ec2 = item.resource_type.startswith("AWS::EC2::")
    selection = _affected_by_ec2(item, parameters) if is_ec2 else _affected_by_load_balancing(item)
    if recommendation.direction is Direction.TARGET_INGRESS:
        selection = replace(selection, target_security_groups=selection.security_groups)
    if Section.SECURITY_GROUP_CARRIERS in recommendation.estate_sections and not is_ec2:
        selection = _with_others_of_groups(selection, item)
    if Section.ALB_REGISTRATIONS in recommendation.estate_sections:
        return selection
    return replace(selection, behind_network_load_balancers=frozenset(), behind_deleted_load_balancers=False)


def _affected_by_ec2(item: ChangedItem, parameters: Parameters) -> Selection:
    match item.resource_type:
        case "AWS::EC2::SecurityGroup":
            return Selection(security_groups=frozenset({item.resource_id}))
        case "AWS::EC2::SecurityGroupVpcAssociation":
            # The id names group and VPC; where it does not, the configuration names the group.
            texts = (item.resource_id, *item.texts)
            return Selection(
                security_groups=frozenset(group for text in texts for group in _SECURITY_GROUP_ID.findall(text))
            )
        case "AWS::EC2::VPC":
            return Selection(vpcs=frozenset({item.resource_id}))
        case "AWS::EC2::PrefixList":
            named = any(item.resource_id in str(source) for source in parameters.accepted_sources)
            if named or parameters.tag_key is not None:
                return Selection(everything=True)
            return Selection(prefix_lists=frozenset({item.resource_id}))
    raise _unhandled_type(item)


def _affected_by_load_balancing(item: ChangedItem) -> Selection:
    match item.resource_type:
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
    raise _unhandled_type(item)


def _with_others_of_groups(selection: Selection, item: ChangedItem) -> Selection:
    """The selection with the load balancers that share a security group with those it names: they use its ports too."""
    named = frozenset(group for text in item.texts for group in _SECURITY_GROUP_ID.findall(text))
    return replace(
        selection,
        sharing_groups_with=selection.load_balancers | selection.behind_network_load_balancers,
        security_groups=selection.security_groups | named,
    )


def _unhandled_type(item: ChangedItem) -> InvalidInputError:
    return InvalidInputError(
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
