"""Stage 3: targets and prefix lists, where a verdict hangs on them."""

from __future__ import annotations

from collections.abc import Iterable

from alb_sg.estate.cidr import Family
from alb_sg.estate.estate import InterfaceIndex
from alb_sg.estate.model import LoadBalancer
from alb_sg.live.describe import vpcs_by_id
from alb_sg.live.need import holds, needs
from alb_sg.live.requests import FILTER_VALUES, batches
from alb_sg.live.run import Run, Wanted


def look_up(run: Run, judged: Iterable[LoadBalancer]) -> None:
    """Reads what the verdicts on these load balancers hang on.

    In an account whose load balancers are all asked about, instances and interfaces are listed once as a whole.
    """
    needed = needs(run.estate(), judged, run.question)
    wanted = _instances(run, needed.instances) | _interfaces(run, needed.addresses)
    if needed.interfaces:
        # No call is made for an address that lies outside of every VPC in question: no interface holds it.
        run.reading.collected.add("NetworkInterfaces")
    if not run.selection.everything:
        wanted |= vpcs_by_id(run, needed.peered_vpcs - run.reading.vpcs.keys())
    ids = sorted(needed.prefix_lists)
    described: Wanted = {("described", some): run.ask.prefix_lists(some) for some in batches(ids, FILTER_VALUES)}
    entries: Wanted = {("entries", (found,)): run.ask.prefix_list_entries(found) for found in ids}
    answers = run.calls.answers({**wanted, **described, **entries})
    for key in described:
        description = answers.pop(key)
        for found in key[1]:
            run.reading.take_prefix_list(found, description, answers.pop(("entries", (found,))))
    run.take(answers)
    if not run.selection.everything:
        _look_into_prefixes(run, needed.addresses)


def _instances(run: Run, ids: Iterable[str]) -> Wanted:
    if run.selection.everything and ids:
        return {("Instances", ()): run.ask.instances()}
    return {("Instances", some): run.ask.instances(some) for some in batches(ids, FILTER_VALUES)}


def _interfaces(run: Run, addresses: Iterable[tuple[str, Family, int]]) -> Wanted:
    """Interfaces by VPC and the addresses that they hold themselves."""
    if run.selection.everything and addresses:
        return {("NetworkInterfaces", ()): run.ask.network_interfaces()}
    by_vpc: dict[tuple[str, Family], list[int]] = {}
    for vpc_id, family, address in addresses:
        by_vpc.setdefault((vpc_id, family), []).append(address)
    return {
        ("NetworkInterfaces", (vpc_id, family.label, str(first))): run.ask.network_interfaces_at(
            vpc_id, family, sorted(found)[first : first + FILTER_VALUES]
        )
        for (vpc_id, family), found in by_vpc.items()
        for first in range(0, len(found), FILTER_VALUES)
    }


def _look_into_prefixes(run: Run, addresses: Iterable[tuple[str, Family, int]]) -> None:
    """Lists the VPCs of addresses that no interface holds by itself: no filter finds a delegated prefix."""
    reading = run.reading
    if reading.failed("NetworkInterfaces"):
        return
    estate = run.estate()
    index = InterfaceIndex(reading.network_interfaces.values())
    unread_vpcs = {failure.key for failure in reading.failed("Vpcs")}
    vpcs = set()
    for vpc_id, family, address in addresses:
        inside = holds(estate, vpc_id, family, address)
        # In a VPC that this account does not see it sees no interface either.
        if index.at(vpc_id, family, address) is None and (inside or (inside is None and vpc_id in unread_vpcs)):
            vpcs.add(vpc_id)
    run.request({("NetworkInterfaces", (vpc_id,)): run.ask.network_interfaces(vpc_id) for vpc_id in sorted(vpcs)})
