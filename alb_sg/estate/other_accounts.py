"""Resources that cross accounts and regions: shared VPCs, interfaces of peered VPCs, prefix lists of other owners.

`link_estates` lets estates in one memory see each other. Where estates are judged apart, `MissTrackingEstates` records
the lookups that found nothing, so that the caller can search for those resources elsewhere and judge again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, NamedTuple, TypeAlias, TypeVar

from alb_sg.estate.cidr import Family
from alb_sg.estate.estate import Estate
from alb_sg.estate.indexing import InterfaceIndex
from alb_sg.estate.model import NetworkInterface
from alb_sg.estate.sections import SECTION_ATTRIBUTES, Section

T = TypeVar("T")
AccountT = TypeVar("AccountT", bound=Hashable)
ViewT = TypeVar("ViewT", bound=Hashable)

# The sections in which an estate looks up the ID of a resource of another account or region.
SECTIONS_BY_ID = (
    Section.SECURITY_GROUPS,
    Section.VPCS,
    Section.SUBNETS,
    Section.INSTANCES,
    Section.MANAGED_PREFIX_LISTS,
)


class InterfaceAddress(NamedTuple):
    """The key of a network interface: interfaces are looked up by an address in a VPC."""

    vpc_id: str
    family: Family
    address: int


ResourceKey: TypeAlias = tuple[Section, str | InterfaceAddress]


class OtherEstates:
    """The resources of several estates. IDs are unique across accounts and regions.

    The estates may include the one that uses this lookup: it consults its own resources first.
    """

    def __init__(self, estates: Iterable[Estate]) -> None:
        self._estates = tuple(estates)
        self._sections: dict[Section, dict[str, Any]] = {}

    def section(self, name: Section) -> Mapping[str, Any]:
        """One section of all estates together."""
        if name not in self._sections:
            attribute = SECTION_ATTRIBUTES[name]
            sections: list[Mapping[str, Any]] = [getattr(estate, attribute) or {} for estate in self._estates]
            if name is Section.MANAGED_PREFIX_LISTS:
                # A list is shared, and some accounts see its entries that others are refused.
                sections += [
                    {key: found for key, found in section.items() if found.entries is not None} for section in sections
                ]
            self._sections[name] = {key: found for section in sections for key, found in section.items()}
        return self._sections[name]

    def interface_at(self, vpc_id: str, family: Family, address: int) -> NetworkInterface | None:
        return self._interface_index.find(vpc_id, family, address)

    @cached_property
    def _interface_index(self) -> InterfaceIndex:
        sections = [estate.network_interfaces or {} for estate in self._estates]
        return InterfaceIndex(interface for section in sections for interface in section.values())


def link_estates(estates: Iterable[Estate]) -> tuple[Estate, ...]:
    """The estates of one run, each able to look up the resources of the others."""
    estates = tuple(estates)
    if len(estates) < 2:
        return estates
    all_estates = OtherEstates(estates)
    return tuple(replace(estate, other_estates=all_estates) for estate in estates)


class MissTrackingSection(Mapping[str, Any]):
    """A section that records the keys that it does not hold."""

    def __init__(self, name: Section, section: Mapping[str, Any], misses: set[ResourceKey]) -> None:
        self._name = name
        self._section = section
        self._misses = misses

    def __contains__(self, key: object) -> bool:
        if key in self._section:
            return True
        self._misses.add((self._name, str(key)))
        return False

    def __getitem__(self, key: str) -> Any:
        if key not in self:
            raise KeyError(key)
        return self._section[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._section)

    def __len__(self) -> int:
        return len(self._section)


class MissTrackingEstates(OtherEstates):
    """Estates that record which lookups found nothing."""

    def __init__(self, estates: Iterable[Estate]) -> None:
        super().__init__(estates)
        self.misses: set[ResourceKey] = set()

    def section(self, name: Section) -> Mapping[str, Any]:
        return MissTrackingSection(name, super().section(name), self.misses)

    def interface_at(self, vpc_id: str, family: Family, address: int) -> NetworkInterface | None:
        interface = super().interface_at(vpc_id, family, address)
        if interface is None:
            self.misses.add((Section.NETWORK_INTERFACES, InterfaceAddress(vpc_id, family, address)))
        return interface


def evaluate_with_others(
    estate: Estate, others: Iterable[Estate], evaluate: Callable[[Estate], T]
) -> tuple[T, frozenset[ResourceKey]]:
    """The result of evaluating an estate that sees others, and the keys that neither it nor they hold."""
    lookup = MissTrackingEstates(others)
    result = evaluate(replace(estate, other_estates=lookup))
    return result, frozenset(lookup.misses)


def select_resources(estates: Iterable[Estate], keys: Iterable[ResourceKey]) -> Estate:
    """The resources of some estates under these keys, as an estate that holds nothing else."""
    lookup = OtherEstates(estates)
    sections: dict[Section, dict[str, Any]] = {Section.NETWORK_INTERFACES: {}}
    for section, key in keys:
        if isinstance(key, InterfaceAddress):
            interface = lookup.interface_at(*key)
            if interface is not None:
                sections[section][interface.id] = interface
        elif key in lookup.section(section):
            sections.setdefault(section, {})[key] = lookup.section(section)[key]
    attributes: dict[str, Any] = {SECTION_ATTRIBUTES[section]: entries for section, entries in sections.items()}
    return Estate("", "", **attributes)


def resource_ids(estate: Estate, sections: Iterable[Section]) -> Iterator[tuple[Section, str]]:
    """The keys of all resources in these sections, which are keyed by ID."""
    for section in sections:
        for resource_id in getattr(estate, SECTION_ATTRIBUTES[section]) or ():
            yield section, resource_id


def find_holders(estates: Sequence[Estate], keys: Collection[ResourceKey]) -> Mapping[ResourceKey, list[int]]:
    """The indexes of the estates that hold a key."""
    addresses = [(section, key) for section, key in keys if isinstance(key, InterfaceAddress)]
    holders: dict[ResourceKey, list[int]] = {}
    for index, estate in enumerate(estates):
        held: list[ResourceKey] = [key for key in resource_ids(estate, SECTIONS_BY_ID) if key in keys]
        if estate.network_interfaces:
            lookup = OtherEstates([estate])
            held += [(section, key) for section, key in addresses if lookup.interface_at(*key) is not None]
        for resource_key in held:
            holders.setdefault(resource_key, []).append(index)
    return holders


def widen_views(
    views: Mapping[AccountT, Collection[ViewT]],
    misses: Mapping[AccountT, Iterable[ResourceKey]],
    holders: Mapping[ResourceKey, Iterable[ViewT]],
) -> dict[AccountT, frozenset[ViewT]]:
    """The accounts and regions to judge again, each with everything that it sees then.

    `views` names what each one saw, `misses` the keys that it did not find, and `holders` what holds a key. Repeated
    until nothing is left to judge again, the verdicts are those of one run over all estates.
    """
    widened = {}
    for account_region, seen in views.items():
        holding = {holder for key in misses.get(account_region, ()) for holder in holders.get(key, ())}
        if not holding <= set(seen):
            widened[account_region] = frozenset(holding | set(seen))
    return widened
