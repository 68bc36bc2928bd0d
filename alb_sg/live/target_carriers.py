"""The load balancers that send to targets with some security group, in a bounded number of calls.

Neither Elastic Load Balancing nor EC2 tells where an instance or address is registered: only the registrations of each
target group in question do, one call each.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from alb_sg.estate import from_api
from alb_sg.estate.cidr import InvalidCidrError, parse_cidr
from alb_sg.estate.indexing import InterfaceIndex
from alb_sg.estate.model import NetworkInterface, Target, TargetGroup
from alb_sg.estate.sections import Section
from alb_sg.live.load_context import LoadContext, RequestsByKey
from alb_sg.live.requests import FILTER_VALUES, batches

# With more target groups than this in the VPCs of a security group's carriers, nobody looks for the load balancers that
# send to them: at the rate that Elastic Load Balancing allows, that would take longer than a few seconds.
MAX_FOLLOWED_TARGET_GROUPS = 100


def follow_targets(context: LoadContext) -> LoadContext:
    """The context whose selection has the target groups with a target that carries one of the selected groups.

    A failed call may hide load balancers: it is a failure of their enumeration.
    """
    group_ids = context.selection.target_security_groups
    if not group_ids:
        return context
    carriers = _carriers(context, group_ids)
    candidates = _candidates(context, carriers)
    if len(candidates) > MAX_FOLLOWED_TARGET_GROUPS:
        context.partial_estate.not_followed.append(
            f"load balancers that send to targets with {', '.join(sorted(group_ids))}: {len(candidates)} target groups "
            f"would have to be read, and at most {MAX_FOLLOWED_TARGET_GROUPS} are; the periodic run judges them"
        )
        return context
    requests: RequestsByKey = {}
    for group in candidates:
        requests |= context.target_health_requests(group)
    context.read(requests)
    unread = {
        failure.key: failure for failure in context.partial_estate.failures_of(Section.TARGET_HEALTH_DESCRIPTIONS)
    }
    index = InterfaceIndex(carriers)
    instance_ids = {carrier.instance_id for carrier in carriers}
    found = set(context.selection.target_groups)
    for group in candidates:
        if group.arn in unread:
            context.partial_estate.add_failure(Section.LOAD_BALANCERS, None, unread[group.arn].cause)
        targets = context.partial_estate.targets.get(group.arn, ())
        if any(_is_carrier(group, target, index, instance_ids) for target in targets):
            found.add(group.arn)
    return replace(context, selection=replace(context.selection, target_groups=frozenset(found)))


def _carriers(context: LoadContext, group_ids: Iterable[str]) -> list[NetworkInterface]:
    """The interfaces that carry one of the groups, without those of load balancers."""
    requests: RequestsByKey = {
        (Section.NETWORK_INTERFACES, batch): context.requests.network_interfaces_with_groups(batch)
        for batch in batches(group_ids, FILTER_VALUES)
    }
    carriers: list[NetworkInterface] = []
    for response in context.calls.send_all(requests).values():
        if response.failure is not None:
            context.partial_estate.add_failure(Section.LOAD_BALANCERS, None, response.failure)
        carriers += map(from_api.network_interface, response.items)
    return [carrier for carrier in carriers if not carrier.is_elb_managed]


def _candidates(context: LoadContext, carriers: Iterable[NetworkInterface]) -> list[TargetGroup]:
    """The target groups in the VPCs of carriers that an Application Load Balancer uses. Targets beyond a VPC peering
    are left to the periodic run: any target group might hold their addresses."""
    vpc_ids = {carrier.vpc_id for carrier in carriers}
    return [
        group
        for group in context.partial_estate.target_groups.values()
        if group.target_type in ("instance", "ip")
        and any(":loadbalancer/app/" in arn for arn in group.load_balancer_arns or ())
        and group.vpc_id in vpc_ids
    ]


def _is_carrier(group: TargetGroup, target: Target, index: InterfaceIndex, instance_ids: Iterable[str | None]) -> bool:
    if group.target_type == "instance":
        return target.id in instance_ids
    try:
        family, (address, _) = parse_cidr(target.id)
    except InvalidCidrError:
        return False
    return index.find(group.vpc_id, family, address) is not None
