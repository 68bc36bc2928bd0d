"""The load balancers that send to targets with some security group, in a bounded number of calls.

Neither Elastic Load Balancing nor EC2 tells where an instance or address is registered: only the registrations of each
target group in question do, one call each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from alb_sg.estate import from_api
from alb_sg.estate.cidr import InvalidCidrError, parse_cidr
from alb_sg.estate.indexing import InterfaceIndex
from alb_sg.estate.model import NetworkInterface, SecurityGroup, Target, TargetGroup
from alb_sg.estate.sections import Section
from alb_sg.live.load_context import LoadContext, RequestsByKey, requests_in_batches
from alb_sg.recommendations.target_peer import peered_vpcs

# With more target groups than this to read, nobody looks for the load balancers that send to the carriers of a security
# group: at the rate that Elastic Load Balancing allows, that would take longer than a few seconds.
MAX_FOLLOWED_TARGET_GROUPS = 100
# How Elastic Load Balancing describes the interfaces of Network Load Balancers. Their addresses do not change, so that
# they may be targets of an Application Load Balancer.
NETWORK_LOAD_BALANCER_INTERFACE = "ELB net/"
T = TypeVar("T")


def follow_targets(context: LoadContext) -> LoadContext:
    """The context whose selection has the target groups with a target that carries one of the selected groups.

    A failed call may hide load balancers: it is a failure of their enumeration.
    """
    group_ids = context.selection.target_security_groups
    if not group_ids:
        return context
    carriers = _carriers(context, group_ids)
    candidates = _candidates(context, {carrier.vpc_id for carrier in carriers})
    if len(candidates) > MAX_FOLLOWED_TARGET_GROUPS:
        context.partial_estate.not_followed.append(
            f"load balancers that send to targets with {', '.join(sorted(group_ids))}: {len(candidates)} target groups "
            f"would have to be read, and at most {MAX_FOLLOWED_TARGET_GROUPS} are; the periodic run judges them"
        )
        return context
    target_groups = context.partial_estate.target_groups
    context.read(context.target_health_requests(target_groups[arn] for arn in candidates))
    unread = {
        failure.key: failure for failure in context.partial_estate.failures_of(Section.TARGET_HEALTH_DESCRIPTIONS)
    }
    index = InterfaceIndex(carriers)
    instance_ids = {carrier.instance_id for carrier in carriers}
    found = set(context.selection.target_groups)
    for arn, vpc_ids in candidates.items():
        if arn in unread:
            _add_failure(context, unread[arn].cause)
        targets = context.partial_estate.targets.get(arn, ())
        if any(_is_carrier(target_groups[arn], target, vpc_ids, index, instance_ids) for target in targets):
            found.add(arn)
    return replace(context, selection=replace(context.selection, target_groups=frozenset(found)))


def _carriers(context: LoadContext, group_ids: Iterable[str]) -> list[NetworkInterface]:
    """The interfaces that carry one of the groups and may be targets."""
    builder = context.requests.network_interfaces_with_groups
    requests = requests_in_batches(Section.NETWORK_INTERFACES, group_ids, builder)
    carriers = _read_all(context, requests, from_api.network_interface)
    for carrier in carriers:
        if carrier.unknown is not None:
            # It may hold any address.
            _add_failure(context, str(carrier.unknown.error(f"network interface {carrier.id}")))
    return [
        carrier
        for carrier in carriers
        if not carrier.is_elb_managed or carrier.description.startswith(NETWORK_LOAD_BALANCER_INTERFACE)
    ]


def _candidates(context: LoadContext, vpc_ids: set[str]) -> dict[str, frozenset[str]]:
    """The ARNs of the target groups of Application Load Balancers that may hold a carrier, with those of the carriers'
    VPCs where it may be: the target group's own, and those that a load balancer reaches over a VPC peering.

    An address outside the target group's VPC is judged only if an active peering reference in the load balancer's
    groups names the VPC (semantics §6).
    """
    used = [
        group
        for group in context.partial_estate.target_groups.values()
        if group.target_type in ("instance", "ip") and _application_load_balancers(group)
    ]
    beyond = [group for group in used if group.target_type == "ip" and vpc_ids - {group.vpc_id}]
    peered = _peered_vpcs(context, {arn for group in beyond for arn in _application_load_balancers(group)})
    candidates = {group.arn: vpc_ids & {group.vpc_id} for group in used}
    for group in beyond:
        for arn in _application_load_balancers(group):
            candidates[group.arn] |= vpc_ids & peered.get(arn, frozenset())
    return {arn: frozenset(found) for arn, found in candidates.items() if found}


def _peered_vpcs(context: LoadContext, load_balancer_arns: Iterable[str]) -> dict[str, frozenset[str]]:
    """The VPCs that active peering references in the groups of each load balancer name. They take one call for each
    200 security groups."""
    known = context.partial_estate.load_balancers
    load_balancers = [known[arn] for arn in load_balancer_arns if arn in known]
    group_ids = {group_id for found in load_balancers for group_id in found.security_groups}
    requests = requests_in_batches(Section.SECURITY_GROUPS, group_ids, context.requests.security_groups)
    groups: Mapping[str, SecurityGroup] = {
        group.id: group for group in _read_all(context, requests, from_api.security_group)
    }
    return {
        found.arn: peered_vpcs(groups[group_id] for group_id in found.security_groups if group_id in groups)
        for found in load_balancers
    }


def _application_load_balancers(group: TargetGroup) -> list[str]:
    return [arn for arn in group.load_balancer_arns or () if ":loadbalancer/app/" in arn]


def _read_all(context: LoadContext, requests: RequestsByKey, read: Callable[[Any], T]) -> list[T]:
    """Every item of the responses. A failed one is a failure to enumerate the load balancers."""
    items: list[T] = []
    for response in context.calls.send_all(requests).values():
        found, failure = response.read_all(read)
        if failure is not None:
            _add_failure(context, failure)
        items += found
    return items


def _add_failure(context: LoadContext, cause: str) -> None:
    context.partial_estate.add_failure(Section.LOAD_BALANCERS, None, cause)


def _is_carrier(
    group: TargetGroup,
    target: Target,
    vpc_ids: Iterable[str],
    index: InterfaceIndex,
    instance_ids: Iterable[str | None],
) -> bool:
    if group.target_type == "instance":
        return target.id in instance_ids
    try:
        family, (address, _) = parse_cidr(target.id)
    except InvalidCidrError:
        return False
    return any(index.find(vpc_id, family, address) is not None for vpc_id in vpc_ids)
