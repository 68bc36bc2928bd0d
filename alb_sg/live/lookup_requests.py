"""Stage 3: targets and prefix lists that a verdict depends on."""

from __future__ import annotations

from collections.abc import Iterable

from alb_sg.estate.cidr import Family
from alb_sg.estate.indexing import InterfaceIndex
from alb_sg.estate.model import LoadBalancer
from alb_sg.estate.sections import Section
from alb_sg.live.load_context import LoadContext, RequestsByKey, requests_in_batches
from alb_sg.live.lookups import find_lookups, find_target_sides, vpc_contains
from alb_sg.live.requests import FILTER_VALUES, batches


def read_lookups(context: LoadContext, load_balancers: Iterable[LoadBalancer]) -> None:
    """Reads the resources that the verdicts on these load balancers depend on.

    When the selection is the whole account, lists all instances and interfaces once.
    """
    lookups = find_lookups(context.estate(), load_balancers, context.read_request)
    requests = _instance_requests(context, lookups.instances) | _interface_requests(context, lookups.addresses)
    if lookups.interfaces:
        # An address outside every VPC in question needs no call: no interface holds it.
        context.partial_estate.included_sections.add(Section.NETWORK_INTERFACES)
    if not context.selection.everything:
        peered = lookups.peered_vpcs - context.partial_estate.vpcs.keys()
        requests |= requests_in_batches(Section.VPCS, peered, context.requests.vpcs)
    _read_with_prefix_lists(context, requests, lookups.prefix_lists)
    if not context.selection.everything:
        _read_delegated_prefixes(context, lookups.addresses)


def read_target_sides(context: LoadContext, load_balancers: Iterable[LoadBalancer]) -> None:
    """Reads what lets the nodes of these load balancers in: the security groups of their targets and their subnets, and
    the prefix lists in those groups. When the selection is the whole account, stage 2 has listed every group."""
    if not context.judges_targets:
        return
    partial_estate = context.partial_estate
    sides = find_target_sides(context.estate(), load_balancers)
    requests: RequestsByKey = {}
    if context.selection.everything and sides.subnets:
        requests[Section.SUBNETS, ()] = context.requests.subnets()
    else:
        requests |= requests_in_batches(Section.SUBNETS, sides.subnets, context.requests.subnets)
    if not context.selection.everything and not context.is_from_config(Section.SECURITY_GROUPS):
        unread = sides.security_groups - partial_estate.security_groups.keys()
        requests |= requests_in_batches(Section.SECURITY_GROUPS, unread, context.requests.security_groups)
    context.read(requests)
    lists = sides.undecided_prefix_lists(context.estate()) - partial_estate.prefix_lists.keys()
    _read_with_prefix_lists(context, {}, lists)


def _read_with_prefix_lists(context: LoadContext, requests: RequestsByKey, prefix_list_ids: Iterable[str]) -> None:
    """Makes the calls, and those that describe prefix lists, at the same time."""
    ids = sorted(prefix_list_ids)
    described: RequestsByKey = {
        ("described", batch): context.requests.prefix_lists(batch) for batch in batches(ids, FILTER_VALUES)
    }
    entries: RequestsByKey = {("entries", (list_id,)): context.requests.prefix_list_entries(list_id) for list_id in ids}
    responses = context.calls.send_all({**requests, **described, **entries})
    for key in described:
        description = responses.pop(key)
        for list_id in key[1]:
            context.partial_estate.add_prefix_list(list_id, description, responses.pop(("entries", (list_id,))))
    context.add_responses(responses)


def _instance_requests(context: LoadContext, ids: Iterable[str]) -> RequestsByKey:
    if context.selection.everything and (not ids or context.has_listed(Section.INSTANCES)):
        return {}
    if context.selection.everything:
        return {(Section.INSTANCES, ()): context.requests.instances()}
    return requests_in_batches(Section.INSTANCES, ids, context.requests.instances)


def _interface_requests(context: LoadContext, addresses: Iterable[tuple[str, Family, int]]) -> RequestsByKey:
    """The interfaces that hold one of the addresses, by VPC."""
    section = Section.NETWORK_INTERFACES
    if context.selection.everything and addresses:
        return {(section, ()): context.requests.network_interfaces()}
    by_vpc: dict[tuple[str, Family], list[int]] = {}
    for vpc_id, family, address in addresses:
        by_vpc.setdefault((vpc_id, family), []).append(address)
    return {
        (section, (vpc_id, family.label, str(first))): context.requests.network_interfaces_by_address(
            vpc_id, family, sorted(in_vpc)[first : first + FILTER_VALUES]
        )
        for (vpc_id, family), in_vpc in by_vpc.items()
        for first in range(0, len(in_vpc), FILTER_VALUES)
    }


def _read_delegated_prefixes(context: LoadContext, addresses: Iterable[tuple[str, Family, int]]) -> None:
    """Lists all interfaces of a VPC in which no interface holds one of the addresses: no filter finds an address in a
    delegated prefix."""
    section = Section.NETWORK_INTERFACES
    partial_estate = context.partial_estate
    if partial_estate.failures_of(section):
        return
    estate = context.estate()
    index = InterfaceIndex(partial_estate.network_interfaces.values())
    unread_vpcs = {failure.key for failure in partial_estate.failures_of(Section.VPCS)}
    vpc_ids = set()
    for vpc_id, family, address in addresses:
        inside = vpc_contains(estate, vpc_id, family, address)
        # An account that cannot describe a VPC cannot describe its interfaces either.
        if index.find(vpc_id, family, address) is None and (inside or (inside is None and vpc_id in unread_vpcs)):
            vpc_ids.add(vpc_id)
    context.read({(section, (vpc_id,)): context.requests.network_interfaces(vpc_id) for vpc_id in sorted(vpc_ids)})
