"""VPCs, subnets and prefix lists of a planned estate."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from alb_sg.estate.cidr import Family, is_cidr
from alb_sg.estate.model import PrefixList, Subnet, UnknownValue, Vpc, is_placeholder
from alb_sg.estate.planned import resource_types as types
from alb_sg.estate.planned.draft import NEW_ACTIONS, NOT_IN_DOCUMENT, OVER_AN_ACCOUNT, Draft
from alb_sg.estate.planned.resources import Action, PlannedResource, UnknownPlannedValue
from alb_sg.estate.planned.values import (
    FAMILIES,
    Properties,
    attribute_identity,
    element_identity,
    resource_id,
    unknown_block,
    unknown_text,
    unknown_value,
)
from alb_sg.estate.sections import Section

# The properties that let a pool choose a block where none is written.
_POOLS = {Family.IPV4: ("Ipv4IpamPoolId",), Family.IPV6: ("Ipv6IpamPoolId", "Ipv6Pool")}
_IPV6_PROPERTIES = ("AmazonProvidedIpv6CidrBlock", "Ipv6CidrBlock", *_POOLS[Family.IPV6])
NetworkT = TypeVar("NetworkT", Vpc, Subnet)
Blocks = dict[Family, tuple[str, ...]]


class VpcBuilder:
    """Builds VPCs with all their blocks, and prefix lists."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft

    def build_prefix_lists(self) -> None:
        for identifier in self._draft.deleted(types.PREFIX_LIST):
            self._draft.prefix_lists.pop(identifier, None)
        entries = self._entries(self._draft.each(types.PREFIX_LIST_ENTRY), self._draft.after)
        changed = [one for one in self._draft.by_type.get(types.PREFIX_LIST_ENTRY, ()) if one.action is not Action.KEEP]
        removed = self._entries(changed, self._draft.before)
        for one in self._draft.each(types.PREFIX_LIST):
            identifier = resource_id(one)
            read = self._draft.overlay(one, self._draft.prefix_lists.get(identifier), self._read_prefix_list)
            self._draft.prefix_lists.pop(identifier, None)
            if isinstance(read.entries, tuple):
                self._draft.prefix_lists[identifier] = read
        for identifier in entries.keys() | removed.keys():
            known = self._draft.prefix_lists.get(identifier)
            if known is None or known.entries is None:
                continue
            added, gone = entries.get(identifier, []), removed.get(identifier, [])
            if all(isinstance(cidr, str) for cidr in (*added, *gone)):
                kept = [cidr for cidr in known.entries if cidr not in gone]
                self._draft.prefix_lists[identifier] = known._replace(entries=tuple(dict.fromkeys((*kept, *added))))
            else:
                del self._draft.prefix_lists[identifier]
                self._draft.fail(Section.MANAGED_PREFIX_LISTS, identifier, "an entry is not known yet")
            self._draft.touched.add(identifier)

    def _entries(
        self, resources: Iterable[PlannedResource], properties_of: Callable[[PlannedResource], Properties | None]
    ) -> dict[str, list[Any]]:
        """The entries that are resources of their own, by prefix list. One that is not known may be each."""
        entries: dict[str, list[Any]] = {}
        for one in resources:
            properties = properties_of(one)
            if properties is None:
                continue
            prefix_list_id = properties.text("PrefixListId")
            if isinstance(prefix_list_id, str):
                entries.setdefault(prefix_list_id, []).append(properties.get("Cidr"))
            elif one.action is not Action.KEEP:
                own = {resource_id(planned) for planned in self._draft.each(types.PREFIX_LIST)}
                for identifier in properties.candidates("PrefixListId") or own | self._draft.prefix_lists.keys():
                    entries.setdefault(identifier, []).append(UnknownPlannedValue(f"{one.address} is perhaps one"))
        return entries

    def _read_prefix_list(self, identifier: str, properties: Properties) -> PrefixList:
        named = properties.one_of("AddressFamily", tuple(FAMILIES), "")
        name = properties.text("PrefixListName")
        cidrs: list[str] = []
        for entry in properties.objects("Entries"):
            cidr = entry if isinstance(entry, UnknownPlannedValue) else entry.get("Cidr")
            if not isinstance(cidr, str):
                cause = unknown_text(cidr) if isinstance(cidr, UnknownPlannedValue) else f"{cidr!r} is not a CIDR block"
                self._draft.fail(Section.MANAGED_PREFIX_LISTS, identifier, f"its entries are not known: {cause}")
                return PrefixList(identifier, str(name or identifier), None, None)
            cidrs.append(cidr)
        family = FAMILIES.get(named) if isinstance(named, str) else None
        return PrefixList(identifier, name if isinstance(name, str) else identifier, family, tuple(cidrs))

    def build_vpcs(self) -> None:
        for identifier in self._draft.deleted(types.VPC):
            self._draft.vpcs.pop(identifier, None)
        self._take_blocks_away()
        blocks = self._vpc_blocks(self._added(types.VPC_CIDR_BLOCK), self._draft.after)
        for one in self._draft.each(types.VPC):
            identifier = resource_id(one)
            if identifier in self._draft.vpcs and one.action not in NEW_ACTIONS:
                # Before the change it had none of the added blocks: they are added below.
                read = partial(self._read_vpc, added=(), resource=one)
            else:
                read = partial(self._read_vpc, added=blocks.pop(identifier, []), resource=one)
            self._draft.vpcs[identifier] = self._overlay(one, self._draft.vpcs.get(identifier), read)
        # Blocks of a VPC that exists, or that the document does not hold.
        for identifier, added in blocks.items():
            known = self._draft.vpcs.get(identifier)
            if known is None:
                known = Vpc(identifier, {Family.IPV4: (), Family.IPV6: ()}, _unknown_blocks(NOT_IN_DOCUMENT))
            cidrs, unknown = dict(known.cidrs), dict(known.unknown_cidrs)
            for properties in added:
                _add_blocks(properties, cidrs, unknown)
            self._draft.vpcs[identifier] = Vpc(identifier, cidrs, unknown)
            self._draft.touched.add(identifier)

    def _added(self, resource_type: str) -> Iterable[PlannedResource]:
        """The associations of blocks, without those that the base holds as they are."""
        is_alone = self._draft.base is None
        return [one for one in self._draft.each(resource_type) if is_alone or one.action is not Action.KEEP]

    def _take_blocks_away(self) -> None:
        """Remove the blocks of associations that go from VPCs of the base."""
        gone = [
            one
            for one in self._draft.by_type.get(types.VPC_CIDR_BLOCK, ())
            if one.action in (Action.DELETE, Action.REPLACE) and self._draft.base is not None
        ]
        for identifier, removed in self._vpc_blocks(gone, self._draft.before).items():
            known = self._draft.vpcs.get(identifier)
            if known is not None:
                lost = {properties.text(name) for properties in removed for name in ("CidrBlock", "Ipv6CidrBlock")}
                cidrs = {of: tuple(one for one in found if one not in lost) for of, found in known.cidrs.items()}
                self._draft.vpcs[identifier] = known._replace(cidrs=cidrs)
                self._draft.touched.add(identifier)

    def _overlay(
        self, resource: PlannedResource, existing: NetworkT | None, read: Callable[[str, Properties], NetworkT]
    ) -> NetworkT:
        """A VPC or subnet after the change. One that exists keeps its blocks: only a replacement has another one, and
        others may have added some."""
        after: NetworkT = self._draft.overlay(resource, existing, read)
        if existing is not None and existing.unknown_cidrs and resource.action not in NEW_ACTIONS:
            # It has other blocks that are not known.
            after = after._replace(unknown_cidrs=_without_identities(after.unknown_cidrs))
        if existing is None or resource.before is not None or resource.action in NEW_ACTIONS:
            return after
        cidrs = _together(existing.cidrs, after.cidrs)
        return existing._replace(cidrs=cidrs, unknown_cidrs={**existing.unknown_cidrs, **after.unknown_cidrs})

    def _vpc_blocks(
        self, resources: Iterable[PlannedResource], properties_of: Callable[[PlannedResource], Properties | None]
    ) -> dict[str, list[Properties]]:
        found: dict[str, list[Properties]] = {}
        for one in resources:
            properties = properties_of(one)
            vpc_id = None if properties is None else properties.text("VpcId")
            if properties is not None and isinstance(vpc_id, str):
                found.setdefault(vpc_id, []).append(properties)
            elif properties is not None and isinstance(vpc_id, UnknownValue):
                # It may be a block of any VPC of the document and the base.
                own = {resource_id(vpc) for draft in self._draft.may_be_one_with() for vpc in draft.each(types.VPC)}
                block = _unknown_block_of(properties, UnknownPlannedValue(vpc_id.text))
                for vpc in own | self._draft.vpcs.keys():
                    found.setdefault(vpc, []).append(block)
        return found

    def _read_vpc(
        self, identifier: str, properties: Properties, *, added: Sequence[Properties], resource: PlannedResource
    ) -> Vpc:
        cidrs: dict[Family, tuple[str, ...]] = {Family.IPV4: (), Family.IPV6: ()}
        unknown: dict[Family, UnknownValue] = {}
        _add_blocks(properties, cidrs, unknown, attribute_identity(resource.address, "CidrBlock"))
        for one in added:
            _add_blocks(one, cidrs, unknown)
        associations = properties.get("CidrBlockAssociations")
        if isinstance(associations, list | tuple):
            for association in properties.objects("CidrBlockAssociations"):
                if isinstance(association, Properties):
                    _add_blocks(association, cidrs, unknown)
        elif self._draft.base is None and resource.action not in NEW_ACTIONS:
            cause = f"the plan or template does not tell all blocks of a VPC that exists; {OVER_AN_ACCOUNT}"
            unknown = {**_unknown_blocks(cause), **_without_identities(unknown)}
        elif resource.action in NEW_ACTIONS:
            _identify_ipv6_block(resource.address, (properties, *added), unknown)
        return Vpc(identifier, cidrs, unknown)

    def build_subnets(self) -> None:
        for identifier in self._draft.deleted(types.SUBNET):
            self._draft.subnets.pop(identifier, None)
        added: dict[str, list[Properties]] = {}
        for one in self._added(types.SUBNET_CIDR_BLOCK):
            properties = self._draft.after(one)
            subnet_id = properties.text("SubnetId")
            if isinstance(subnet_id, str):
                added.setdefault(subnet_id, []).append(properties)
        for one in self._draft.each(types.SUBNET):
            identifier = resource_id(one)
            exists = identifier in self._draft.subnets and one.action not in NEW_ACTIONS
            read = partial(self._read_subnet, () if exists else added.pop(identifier, ()))
            self._draft.subnets[identifier] = self._overlay(one, self._draft.subnets.get(identifier), read)
        # Blocks of a subnet that exists.
        for identifier, blocks in added.items():
            known = self._draft.subnets.get(identifier)
            if known is not None:
                cidrs, unknown = dict(known.cidrs), dict(known.unknown_cidrs)
                for properties in blocks:
                    _add_blocks(properties, cidrs, unknown)
                self._draft.subnets[identifier] = known._replace(cidrs=cidrs, unknown_cidrs=unknown)
                self._draft.touched.add(identifier)

    def _read_subnet(self, added: Sequence[Properties], identifier: str, properties: Properties) -> Subnet:
        cidrs: dict[Family, tuple[str, ...]] = {Family.IPV4: (), Family.IPV6: ()}
        unknown: dict[Family, UnknownValue] = {}
        for one in (properties, *added):
            _add_blocks(one, cidrs, unknown)
        vpc_id = properties.text("VpcId")
        return Subnet(identifier, self.known_vpc_id(vpc_id, f"subnet {identifier}"), cidrs, unknown)

    def named_subnets(self, subnets: Iterable[Any]) -> tuple[Any, ...]:
        """The subnets without those that it cannot be: none that exists is in a new VPC, as all of them are."""
        subnets = tuple(subnets)
        vpc_id = self.vpc_of_subnets(subnets)
        vpc = self._draft.all_by_id.get(vpc_id) if isinstance(vpc_id, str) else None
        if vpc is None or vpc.action not in NEW_ACTIONS:
            return subnets
        return tuple(one for one in subnets if not (isinstance(one, UnknownPlannedValue) and one.is_existing))

    def possible_subnet_ids(self, subnets: Iterable[Any]) -> tuple[str, ...]:
        """All that may be among some subnets; empty where these may be any."""
        found: list[str] = []
        for subnet in self.named_subnets(subnets):
            candidates = self._draft.values.candidates(subnet) if isinstance(subnet, UnknownPlannedValue) else (subnet,)
            if not candidates:
                return ()
            found += candidates
        return tuple(sorted(set(found)))

    def vpc_of_subnets(self, subnets: Iterable[Any]) -> str | UnknownValue | None:
        """The VPC of the first subnet whose VPC is known."""
        unknown: UnknownValue | None = None
        for subnet in subnets:
            if isinstance(subnet, UnknownPlannedValue):
                vpcs = {self._known_vpc_of_subnet(one) for one in self._draft.values.candidates(subnet)}
                if len(vpcs) == 1 and None not in vpcs:
                    return vpcs.pop()
                unknown = unknown or unknown_value("Subnets", subnet)
                continue
            vpc_id = self._known_vpc_of_subnet(subnet)
            if vpc_id is not None:
                return vpc_id
            cause = f"the plan or template does not tell the VPC of subnet {subnet}; {OVER_AN_ACCOUNT}"
            unknown = unknown or UnknownValue("VpcId", cause)
        return unknown

    def _known_vpc_of_subnet(self, subnet: Any) -> str | None:
        known = self._draft.subnet(subnet) if isinstance(subnet, str) else None
        return str(known.vpc_id) if known is not None and known.vpc_id and not is_placeholder(known.vpc_id) else None

    def blocks_of_subnets(self, subnets: Sequence[Any]) -> tuple[str, ...]:
        """The blocks of subnets. A family of which a subnet's blocks are not known is left out."""
        blocks: list[str] = []
        subnets = self.named_subnets(subnets)
        for family in Family:
            of_family = [self._blocks_of_subnet(subnet, family) for subnet in subnets]
            if all(of_family):
                blocks += [block for found in of_family for block in found]
        return tuple(dict.fromkeys(blocks))

    def _blocks_of_subnet(self, subnet: Any, family: Family) -> tuple[str, ...]:
        if isinstance(subnet, UnknownPlannedValue):
            of_candidates = [self._blocks_of_subnet(one, family) for one in self._draft.values.candidates(subnet)]
            return tuple(block for one in of_candidates for block in one) if all(of_candidates) else ()
        known = self._draft.subnet(subnet) if isinstance(subnet, str) else None
        if known is None or family in known.unknown_cidrs:
            return ()
        found: tuple[str, ...] = known.cidrs[family]
        return found

    @staticmethod
    def blocks_of_vpc(vpc: Vpc) -> tuple[str, ...]:
        """The blocks of a VPC. A family of which one is not known is left out."""
        return tuple(block for family in Family if family not in vpc.unknown_cidrs for block in vpc.cidrs[family])

    def known_vpc_id(self, vpc_id: str | UnknownValue | None, owner: str) -> str:
        """A VPC's identifier. One that is not known gets an identifier that says whose VPC it is."""
        if isinstance(vpc_id, str):
            if vpc_id not in self._draft.vpcs and self._draft.base is None and vpc_id not in self._draft.all_by_id:
                self._draft.vpcs[vpc_id] = Vpc(
                    vpc_id, {Family.IPV4: (), Family.IPV6: ()}, _unknown_blocks(NOT_IN_DOCUMENT)
                )
            return vpc_id
        cause = f"VpcId is not in the document; {OVER_AN_ACCOUNT}" if vpc_id is None else vpc_id.text
        identifier = f"of {owner}"
        self._draft.vpcs[identifier] = Vpc(identifier, {Family.IPV4: (), Family.IPV6: ()}, _unknown_blocks(cause))
        return identifier


def _together(some: Mapping[Family, Iterable[str]], others: Mapping[Family, Iterable[str]]) -> Blocks:
    return {family: tuple(sorted({*some[family], *others[family]})) for family in Family}


def _unknown_blocks(cause: str) -> dict[Family, UnknownValue]:
    return {family: UnknownValue("CIDR blocks", cause) for family in Family}


def _unknown_block_of(properties: Properties, unknown: UnknownPlannedValue) -> Properties:
    """The block of an association as one that is not known, of each family that it may have."""
    names = {Family.IPV4: ("CidrBlock", *_POOLS[Family.IPV4]), Family.IPV6: _IPV6_PROPERTIES}
    told = {family for family, of_family in names.items() if any(name in properties for name in of_family)}
    fields = {Family.IPV4: "CidrBlock", Family.IPV6: "Ipv6CidrBlock"}
    return Properties(properties.values, {fields[family]: unknown for family in told or Family})


def _add_blocks(
    properties: Properties,
    cidrs: dict[Family, tuple[str, ...]],
    unknown: dict[Family, UnknownValue],
    pool_identity: str = "",
) -> None:
    """Add the blocks that a VPC, a subnet or an association names. `pool_identity` is that of an IPv4 block from a
    pool."""
    for name, family in (("CidrBlock", Family.IPV4), ("Ipv6CidrBlock", Family.IPV6)):
        value, block = properties.get(name), properties.text(name)
        if isinstance(value, UnknownPlannedValue):
            _add_unknown(unknown, family, unknown_block(name, value, family))
        elif isinstance(block, UnknownValue):
            _add_unknown(unknown, family, block)
        elif block is not None and not is_cidr(block):
            _add_unknown(unknown, family, UnknownValue(name, f"{block!r} is not a CIDR block"))
        elif block is not None:
            cidrs[family] = tuple(sorted({*cidrs[family], block}))
        elif any(name in properties for name in _POOLS[family]):
            chosen = UnknownPlannedValue("an address pool gives it when the change is applied", identity=pool_identity)
            _add_unknown(unknown, family, unknown_block(name, chosen, family))
    if properties.get("AmazonProvidedIpv6CidrBlock") not in (None, False, "false") and not cidrs[Family.IPV6]:
        provided = UnknownValue("Ipv6CidrBlock", "Amazon provides it when the change is applied")
        _add_unknown(unknown, Family.IPV6, provided)


def _without_identities(unknown: Mapping[Family, UnknownValue]) -> dict[Family, UnknownValue]:
    return {family: one._replace(identities=frozenset()) for family, one in unknown.items()}


def _identify_ipv6_block(address: str, of_vpc: Iterable[Properties], unknown: dict[Family, UnknownValue]) -> None:
    """The only IPv6 block of a new VPC is the first element of its attribute `Ipv6CidrBlocks`."""
    associated = [one for one in of_vpc if any(name in one for name in _IPV6_PROPERTIES)]
    block = unknown.get(Family.IPV6)
    if len(associated) == 1 and block is not None:
        identity = element_identity(0, attribute_identity(address, "Ipv6CidrBlocks"))
        unknown[Family.IPV6] = block._replace(identities=frozenset({f"{Family.IPV6.label} {identity}"}))


def _add_unknown(unknown: dict[Family, UnknownValue], family: Family, block: UnknownValue) -> None:
    """Add an unknown block. The identities of several are known if those of each are."""
    known = unknown.get(family)
    if known is not None:
        both = known.identities and block.identities
        block = block._replace(identities=known.identities | block.identities if both else frozenset())
    unknown[family] = block
