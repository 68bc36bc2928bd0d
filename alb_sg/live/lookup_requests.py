"""Stage 3: targets and prefix lists, where a verdict hangs on them."""

from __future__ import annotations

from collections.abc import Iterable

from alb_sg.estate.cidr import Family
from alb_sg.estate.indexing import InterfaceIndex
from alb_sg.estate.model import LoadBalancer
from alb_sg.live.details import vpc_requests_by_id
from alb_sg.live.load_context import LoadContext, RequestsByKey
from alb_sg.live.lookups import find_lookups, vpc_contains
from alb_sg.live.requests import FILTER_VALUES, batches


def read_lookups(context: LoadContext, judged: Iterable[LoadBalancer]) -> None:
    """Reads what the verdicts on these load balancers hang on.

    In an account whose load balancers are all asked about, instances and interfaces are listed once as a whole.
    """
    needed = find_lookups(context.estate(), judged, context.read_request)
    wanted = _instance_requests(context, needed.instances) | _interface_requests(context, needed.addresses)
    if needed.interfaces:
        # No call is made for an address that lies outside of every VPC in question: no interface holds it.
        context.partial_estate.included_sections.add("NetworkInterfaces")
    if not context.selection.everything:
        wanted |= vpc_requests_by_id(context, needed.peered_vpcs - context.partial_estate.vpcs.keys())
    ids = sorted(needed.prefix_lists)
    described: RequestsByKey = {
        ("described", some): context.requests.prefix_lists(some) for some in batches(ids, FILTER_VALUES)
    }
    entries: RequestsByKey = {("entries", (found,)): context.requests.prefix_list_entries(found) for found in ids}
    answers = context.calls.send_all({**wanted, **described, **entries})
    for key in described:
        description = answers.pop(key)
        for found in key[1]:
            context.partial_estate.add_prefix_list(found, description, answers.pop(("entries", (found,))))
    context.add_responses(answers)
    if not context.selection.everything:
        _read_delegated_prefixes(context, needed.addresses)


def _instance_requests(context: LoadContext, ids: Iterable[str]) -> RequestsByKey:
    if context.selection.everything and ids:
        return {("Instances", ()): context.requests.instances()}
    return {("Instances", some): context.requests.instances(some) for some in batches(ids, FILTER_VALUES)}


def _interface_requests(context: LoadContext, addresses: Iterable[tuple[str, Family, int]]) -> RequestsByKey:
    """Interfaces by VPC and the addresses that they hold themselves."""
    if context.selection.everything and addresses:
        return {("NetworkInterfaces", ()): context.requests.network_interfaces()}
    by_vpc: dict[tuple[str, Family], list[int]] = {}
    for vpc_id, family, address in addresses:
        by_vpc.setdefault((vpc_id, family), []).append(address)
    return {
        ("NetworkInterfaces", (vpc_id, family.label, str(first))): context.requests.network_interfaces_by_address(
            vpc_id, family, sorted(found)[first : first + FILTER_VALUES]
        )
        for (vpc_id, family), found in by_vpc.items()
        for first in range(0, len(found), FILTER_VALUES)
    }


def _read_delegated_prefixes(context: LoadContext, addresses: Iterable[tuple[str, Family, int]]) -> None:
    """Lists the VPCs of addresses that no interface holds by itself: no filter finds a delegated prefix."""
    reading = context.partial_estate
    if reading.failures_of("NetworkInterfaces"):
        return
    estate = context.estate()
    index = InterfaceIndex(reading.network_interfaces.values())
    unread_vpcs = {failure.key for failure in reading.failures_of("Vpcs")}
    vpcs = set()
    for vpc_id, family, address in addresses:
        inside = vpc_contains(estate, vpc_id, family, address)
        # In a VPC that this account does not see it sees no interface either.
        if index.find(vpc_id, family, address) is None and (inside or (inside is None and vpc_id in unread_vpcs)):
            vpcs.add(vpc_id)
    context.read(
        {("NetworkInterfaces", (vpc_id,)): context.requests.network_interfaces(vpc_id) for vpc_id in sorted(vpcs)}
    )
