"""What crosses accounts and regions: what a verdict asks beyond its own, and who holds it.

`alb-sg check` has all estates of a run in one memory. Here an account and region is judged alone first, and tells what
it asked for in vain and what it holds. Where somebody holds what it asked for, it is judged again with them in view,
until nobody asks for more: the verdicts are those of one run, and only who shares a VPC, a peering or a prefix list is
read more than once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from alb_sg.aws.account_region import AccountRegion
from alb_sg.estate.cidr import Family
from alb_sg.estate.estate import SECTIONS, Estate, MissTrackingSection, OtherEstates
from alb_sg.estate.model import NetworkInterface
from alb_sg.snapshot_batch.manifest import WorkItem

# A section and an id in it; of network interfaces, the VPC that they are in.
ResourceKey = tuple[str, str]
INTERFACES = "NetworkInterfaces"
# The sections that an estate looks up beyond itself by id.
SECTIONS_BY_ID = ("SecurityGroups", "Vpcs", "Instances", "ManagedPrefixLists")


class MissTrackingEstates(OtherEstates):
    """What estates hold together, remembering what was asked for and not found."""

    def __init__(self, estates: Iterable[Estate]) -> None:
        super().__init__(estates)
        self.misses: set[ResourceKey] = set()

    def section(self, name: str) -> Mapping[str, Any]:
        return MissTrackingSection(name, super().section(name), self.misses)

    def interface_at(self, vpc_id: str, family: Family, address: int) -> NetworkInterface | None:
        held = super().interface_at(vpc_id, family, address)
        if held is None:
            self.misses.add((INTERFACES, vpc_id))
        return held


def with_other_estates(estate: Estate, others: Sequence[Estate]) -> tuple[Estate, MissTrackingEstates]:
    """An estate that sees others, in the order in which one run would have them all."""
    watched = MissTrackingEstates(sorted((estate, *others), key=lambda one: (one.account_id, one.region)))
    return replace(estate, other_estates=watched), watched


def available_keys(estate: Estate) -> Iterator[ResourceKey]:
    """What an estate can answer for others."""
    for section in SECTIONS_BY_ID:
        for key in getattr(estate, SECTIONS[section]) or ():
            yield section, key
    for vpc_id in {interface.vpc_id for interface in (estate.network_interfaces or {}).values()}:
        yield INTERFACES, vpc_id


def items_to_judge_again(
    items: Iterable[WorkItem],
    asked: Mapping[AccountRegion, Iterable[ResourceKey]],
    holders: Mapping[ResourceKey, Iterable[AccountRegion]],
) -> list[WorkItem]:
    """The items that get others into view which they did not see yet, with all that they see then."""
    found = []
    for item in items:
        wanted = {
            account_region for token in asked.get(item.account_region, ()) for account_region in holders.get(token, ())
        }
        seen = wanted | set(item.others)
        seen.discard(item.account_region)
        if seen != set(item.others):
            found.append(WorkItem(item.account_region, tuple(sorted(seen))))
    return found
