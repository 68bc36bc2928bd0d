"""Stage 2: the parts of the load balancers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from alb_sg.aws.calls import ApiResponse
from alb_sg.estate.model import LoadBalancer, TargetGroup
from alb_sg.estate.sections import Section
from alb_sg.live.load_context import LoadContext, RequestKey, RequestsByKey, requests_in_batches
from alb_sg.live.lookups import groups_to_confirm
from alb_sg.live.partial_estate import LOAD_BALANCER_NOT_FOUND
from alb_sg.live.requests import ELB_NAMES, batches


def read_details(context: LoadContext, load_balancers: Sequence[LoadBalancer]) -> None:
    """Reads listeners, registrations, security groups, VPCs and tags of these load balancers."""
    partial_estate = context.partial_estate
    front_groups = _front_target_groups(context, load_balancers)
    used_groups = _used_target_groups(context, load_balancers)
    requests: RequestsByKey = {}
    if context.needs_section(Section.LISTENERS) and not partial_estate.failures_of(Section.LISTENERS):
        listening = {found.arn for found in (*load_balancers, *_other_carriers(context, load_balancers))}
        unread = sorted(listening - partial_estate.listeners.keys())
        requests |= {(Section.LISTENERS, (arn,)): context.requests.listeners(arn) for arn in unread}
    needs_targets = context.needs_section(Section.TARGET_HEALTH_DESCRIPTIONS)
    requests |= context.target_health_requests((*front_groups, *(used_groups if needs_targets else ())))
    if context.needs_section(Section.SECURITY_GROUPS):
        requests |= _security_group_requests(context, load_balancers, front_groups)
    requests |= _carrier_requests(context, load_balancers)
    if context.needs_section(Section.VPCS):
        requests |= _vpc_requests(context, load_balancers, front_groups, used_groups)
    if context.needs_section(Section.TAGS):
        untagged = (found.arn for found in load_balancers if found.arn not in partial_estate.tags)
        for arns in batches(untagged, ELB_NAMES):
            requests[Section.TAGS, arns] = context.requests.tags(arns)
    responses = context.calls.send_all(requests)
    # A single deleted load balancer fails the call for its whole batch.
    failed_batches = [key for key, response in responses.items() if _must_split_batch(key, response)]
    for key in failed_batches:
        del responses[key]
    context.add_responses(responses)
    second_requests: RequestsByKey = {
        (Section.TAGS, (arn,)): context.requests.tags((arn,)) for _, arns in failed_batches for arn in arns
    }
    second_requests |= context.target_health_requests(_default_target_groups(context, load_balancers))
    second_requests |= _front_listener_requests(context, load_balancers, front_groups)
    context.read(second_requests)


def confirm_targets(context: LoadContext, load_balancers: Sequence[LoadBalancer]) -> None:
    """Reads registrations from Elastic Load Balancing where a verdict depends on them and only AWS Config has been
    read: it may lack a target, and may still have one that was deregistered."""
    if not context.needs_section(Section.TARGET_HEALTH_DESCRIPTIONS) or not context.is_from_config(
        Section.TARGET_GROUPS
    ):
        return
    instance_vpcs = _read_possible_targets(context)
    to_confirm = groups_to_confirm(context.estate(), load_balancers, context.read_request, instance_vpcs)
    recorded = [group for group in to_confirm if group.arn in context.partial_estate.recorded_target_groups]
    for group in recorded:
        del context.partial_estate.targets[group.arn]
    context.read(context.target_health_requests(recorded))


def _read_possible_targets(context: LoadContext) -> dict[str, str] | None:
    """Reads every instance of the account where the groups of targets are judged and registrations of instances were
    recorded. Returns the VPC of each; None unless all were read."""
    partial_estate = context.partial_estate
    recorded = (partial_estate.target_groups[arn] for arn in partial_estate.recorded_target_groups)
    if not (
        context.judges_targets
        and context.selection.everything
        # Without it, EC2 may hide instances that are targets.
        and context.requests.managed_resources("DescribeInstances")
        and any(group.target_type == "instance" for group in recorded)
    ):
        return None
    key: RequestKey = (Section.INSTANCES, ())
    responses = context.calls.send_all({key: context.requests.instances()})
    context.add_responses(responses)
    if partial_estate.failures_of(Section.INSTANCES):
        return None
    # EC2 shows a terminated instance for about an hour, without its VPC.
    return {item["InstanceId"]: item["VpcId"] for item in responses[key].items if item.get("VpcId")}


def _used_target_groups(context: LoadContext, load_balancers: Iterable[LoadBalancer]) -> list[TargetGroup]:
    """The target groups of these load balancers, without Lambda functions: no security group applies to those."""
    arns = {found.arn for found in load_balancers}
    return [
        group
        for group in context.partial_estate.target_groups.values()
        if group.target_type != "lambda" and not arns.isdisjoint(group.load_balancer_arns or ())
    ]


def _front_target_groups(context: LoadContext, load_balancers: Iterable[LoadBalancer]) -> list[TargetGroup]:
    """The target groups through which a Network Load Balancer may send to one of these load balancers."""
    if not context.needs_section(Section.ALB_REGISTRATIONS):
        return []
    vpc_ids = {found.vpc_id for found in load_balancers}
    return [
        group
        for group in context.partial_estate.target_groups.values()
        if group.may_hold_load_balancers and group.load_balancer_arns and group.vpc_id in vpc_ids
    ]


def _front_load_balancers(context: LoadContext, front_groups: Iterable[TargetGroup]) -> list[LoadBalancer]:
    """The Network Load Balancers of these target groups of type `alb`."""
    load_balancers = context.partial_estate.load_balancers
    arns = {arn for group in front_groups for arn in group.load_balancer_arns or ()}
    return [load_balancers[arn] for arn in sorted(arns & load_balancers.keys())]


def _front_listener_requests(
    context: LoadContext, load_balancers: Iterable[LoadBalancer], front_groups: Iterable[TargetGroup]
) -> RequestsByKey:
    """The listeners of each Network Load Balancer in front of one of these load balancers: which of its ports lead to
    them says what its security groups let through to them."""
    partial_estate = context.partial_estate
    not_recorded = any(failure.key is None for failure in partial_estate.failures_of(Section.LISTENERS))
    if not_recorded or not context.needs_section(Section.LISTENERS):
        return {}
    arns = {found.arn for found in load_balancers}
    in_use = [
        group
        for group in front_groups
        if any(target.id in arns and target.state != "draining" for target in partial_estate.targets.get(group.arn, ()))
    ]
    return {
        (Section.LISTENERS, (front.arn,)): context.requests.listeners(front.arn)
        for front in _front_load_balancers(context, in_use)
        if front.arn not in partial_estate.listeners
    }


def _default_target_groups(context: LoadContext, load_balancers: Iterable[LoadBalancer]) -> list[TargetGroup]:
    """The target groups of default actions: some did not name their load balancer yet when they were listed."""
    if not context.needs_section(Section.TARGET_HEALTH_DESCRIPTIONS):
        return []
    partial_estate = context.partial_estate
    listeners = [listener for found in load_balancers for listener in partial_estate.listeners.get(found.arn, ())]
    arns = {arn for listener in listeners for arn in listener.target_group_arns}
    groups = [partial_estate.target_groups[arn] for arn in sorted(arns & partial_estate.target_groups.keys())]
    return [group for group in groups if group.target_type != "lambda"]


def _security_group_requests(
    context: LoadContext, load_balancers: Sequence[LoadBalancer], front_groups: Iterable[TargetGroup]
) -> RequestsByKey:
    """The groups of the load balancers, and those of Network Load Balancers that may be in front of them."""
    carriers = (*load_balancers, *_front_load_balancers(context, front_groups))
    ids = {group_id for found in carriers for group_id in found.security_groups}
    ids |= context.read_request.also_security_groups
    if context.is_from_config(Section.SECURITY_GROUPS):
        if context.partial_estate.failures_of(Section.SECURITY_GROUPS):
            return {}
        ids -= context.partial_estate.security_groups.keys()
    elif context.selection.everything and ids:
        return {(Section.SECURITY_GROUPS, ()): context.requests.security_groups()}
    return requests_in_batches(Section.SECURITY_GROUPS, ids, context.requests.security_groups)


def _judged_groups(context: LoadContext, load_balancers: Iterable[LoadBalancer]) -> set[str]:
    """The security groups of these load balancers, and those that a what-if gives them."""
    ids = {group_id for found in load_balancers for group_id in found.security_groups}
    return ids | context.read_request.also_security_groups


def _other_carriers(context: LoadContext, load_balancers: Sequence[LoadBalancer]) -> list[LoadBalancer]:
    """The load balancers of every type with a security group of these: their listeners use its rules too."""
    if not context.needs_section(Section.SECURITY_GROUP_CARRIERS):
        return []
    ids = _judged_groups(context, load_balancers)
    return [
        found for found in context.partial_estate.load_balancers.values() if not ids.isdisjoint(found.security_groups)
    ]


def _carrier_requests(context: LoadContext, load_balancers: Sequence[LoadBalancer]) -> RequestsByKey:
    """The network interfaces that carry the load balancers' security groups, and the IDs of the groups' rules."""
    ids = _judged_groups(context, load_balancers)
    requests: RequestsByKey = {}
    if context.needs_section(Section.SECURITY_GROUP_CARRIERS):
        builder = context.requests.network_interfaces_with_groups
        requests |= requests_in_batches(Section.SECURITY_GROUP_CARRIERS, ids, builder)
    if context.needs_section(Section.SECURITY_GROUP_RULES):
        requests |= requests_in_batches(Section.SECURITY_GROUP_RULES, ids, context.requests.security_group_rules)
    return requests


def _vpc_requests(
    context: LoadContext,
    load_balancers: Sequence[LoadBalancer],
    front_groups: Iterable[TargetGroup],
    used_groups: Iterable[TargetGroup],
) -> RequestsByKey:
    """VPCs whose blocks are a load balancer's clients, or show that a registered address is outside of them."""
    if context.selection.everything and load_balancers and not context.is_from_config(Section.VPCS):
        return {(Section.VPCS, ()): context.requests.vpcs()}
    # A tag may name the VPC as a load balancer's clients, whatever its scheme.
    ids = {
        found.vpc_id
        for found in load_balancers
        if context.needs_section(Section.TAGS) or found.scheme != "internet-facing"
    }
    ids |= {group.vpc_id for group in front_groups}
    if context.needs_section(Section.NETWORK_INTERFACES):
        ids |= {group.vpc_id for group in used_groups if group.target_type == "ip"}
    if context.partial_estate.failures_of(Section.VPCS):
        return {}
    return requests_in_batches(Section.VPCS, ids - context.partial_estate.vpcs.keys(), context.requests.vpcs)


def _must_split_batch(key: RequestKey, response: ApiResponse) -> bool:
    section, keys = key
    return section == Section.TAGS and len(keys) > 1 and response.error_code == LOAD_BALANCER_NOT_FOUND
