"""The part of an account that a change can concern.

Elastic Load Balancing allows ten calls a second for all of an account (user guide, "Request throttling"), and the
listeners and targets of each load balancer take two. A change set seldom concerns more than a few of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from alb_sg.aws.arns import listener_load_balancer_arn, listener_of_rule
from alb_sg.estate.field_readers import texts_in
from alb_sg.estate.planned.resources import Action, Scenario
from alb_sg.estate.planned.template_types import (
    EGRESS,
    INGRESS,
    LISTENER,
    LISTENER_RULE,
    LOAD_BALANCER,
    SECURITY_GROUP,
    SUBNET,
    TARGET_GROUP,
    VPC,
)
from alb_sg.estate.sections import Section
from alb_sg.live.export import ExportScope

# The types whose identifiers tell which load balancers a change of them concerns.
_NARROW_TYPES = frozenset({EGRESS, INGRESS, LISTENER, LISTENER_RULE, LOAD_BALANCER, SECURITY_GROUP, TARGET_GROUP})
# The types that concern no load balancer that exists when they are new, but through what they name.
_NARROW_WHEN_NEW = frozenset(
    {
        SUBNET,
        VPC,
        "AWS::AutoScaling::AutoScalingGroup",
        "AWS::AutoScaling::LaunchConfiguration",
        "AWS::EC2::Instance",
        "AWS::EC2::LaunchTemplate",
        "AWS::EC2::NetworkInterface",
        "AWS::EC2::PrefixList",
        "AWS::ECS::Service",
    }
)
# The target group type of Application Load Balancers behind a Network Load Balancer.
_ALB = "alb"
_ELB_REQUESTER = "amazon-elb"


def scope_of(scenarios: Sequence[Scenario]) -> ExportScope | None:
    """What has to be read for these scenarios; None if it is the whole account."""
    resources = [one for scenario in scenarios for one in scenario.resources]
    for one in resources:
        if one.type not in _NARROW_TYPES and not (one.action is Action.CREATE and one.type in _NARROW_WHEN_NEW):
            return None
    named = {text for one in resources for text in texts_in([one.physical_id, one.properties, one.before])}
    listeners = named | {arn for arn in map(listener_of_rule, named) if arn is not None}
    named |= {arn for arn in map(listener_load_balancer_arn, listeners) if arn is not None}

    def scope(sections: Mapping[str, Sequence[Mapping[str, Any]]]) -> tuple[set[str], set[str]]:
        vpcs = _vpcs_of_other_carriers(sections[Section.NETWORK_INTERFACES], named)
        load_balancers = {
            one["LoadBalancerArn"]
            for one in sections[Section.LOAD_BALANCERS]
            if not named.isdisjoint([one["LoadBalancerArn"], *one.get("SecurityGroups", ())])
        }
        target_groups = sections[Section.TARGET_GROUPS]
        for one in target_groups:
            # Which load balancers stand behind a Network Load Balancer only registrations tell.
            if one["TargetGroupArn"] in named or one.get("VpcId") in vpcs or one.get("TargetType") == _ALB:
                load_balancers.update(one.get("LoadBalancerArns", ()))
        return load_balancers, {
            one["TargetGroupArn"]
            for one in target_groups
            if one["TargetGroupArn"] in named or not load_balancers.isdisjoint(one.get("LoadBalancerArns", ()))
        }

    return scope


def _vpcs_of_other_carriers(interfaces: Iterable[Mapping[str, Any]], named: set[str]) -> set[str]:
    """The VPCs in which something else than load balancers carries a group that the change names: a target may."""
    return {
        one["VpcId"]
        for one in interfaces
        if one.get("RequesterId") != _ELB_REQUESTER
        and any(group["GroupId"] in named for group in one.get("Groups", ()))
    }
