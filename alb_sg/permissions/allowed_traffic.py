"""What the security groups of a load balancer allow together, for one kind of traffic at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from functools import cache, lru_cache
from operator import itemgetter
from typing import NamedTuple

from alb_sg.errors import NotReadError
from alb_sg.estate.cidr import Family
from alb_sg.estate.estate import Estate
from alb_sg.estate.model import Permission, PrefixList, SecurityGroup, SecurityGroupReference
from alb_sg.permissions.addresses import AddressSet, address_set


class Direction(StrEnum):
    """A direction of required traffic. `INGRESS` and `EGRESS` are those of the load balancer's groups, and of every
    security group rule. `TARGET_INGRESS` is inbound to its targets, which their groups must allow."""

    INGRESS = "ingress"
    EGRESS = "egress"
    TARGET_INGRESS = "targetIngress"

    @property
    def of_rules(self) -> Direction:
        """The direction of the security group rules that allow this traffic."""
        return Direction.EGRESS if self is Direction.EGRESS else Direction.INGRESS


# The directions of security group rules.
RULE_DIRECTIONS = (Direction.INGRESS, Direction.EGRESS)


class Traffic(NamedTuple):
    """A protocol with a port, or an ICMP type and code (in `from_port` and `to_port`, as in the EC2 API)."""

    protocol: str
    from_port: int
    to_port: int

    @staticmethod
    @cache
    def tcp(port: int) -> Traffic:
        return Traffic("tcp", port, port)

    @property
    def label(self) -> str:
        if self.protocol == "tcp":
            return f"TCP:{self.from_port}" if self.from_port == self.to_port else f"TCP:{self.from_port}-{self.to_port}"
        return f"{'ICMP' if self.protocol == 'icmp' else 'ICMPv6'} type {self.from_port} code {self.to_port}"

    def matches(self, permission: Permission) -> bool:
        """Whether a permission allows this traffic for its peers (IpPermission in the EC2 API)."""
        return bool(self.select((permission,)))

    def select(self, permissions: Iterable[Permission]) -> list[Permission]:
        """Those of some permissions that allow this traffic for their peers, in their order."""
        if self.protocol != "tcp":
            return [one for one in permissions if one.protocol == "-1" or self._matches_icmp(one)]
        port, last_port = self.from_port, self.to_port
        return [
            one
            for one in permissions
            # No ports means all ports. A loader refuses one port without the other.
            if (
                one.protocol == "tcp"
                and (one.from_port is None or one.to_port is None or one.from_port <= port <= last_port <= one.to_port)
            )
            or one.protocol == "-1"
        ]

    def _matches_icmp(self, permission: Permission) -> bool:
        if permission.protocol != self.protocol:
            return False
        icmp_type, code = permission.from_port, permission.to_port
        if icmp_type is None or code is None:
            # For ICMPv6 no type means all types (EC2 API). For ICMP its meaning is not documented.
            return self.protocol == "icmpv6" and icmp_type is None and code is None
        return icmp_type in (-1, self.from_port) and code in (-1, self.to_port)


# All fields of a permission but its protocol and ports.
_PEERS = itemgetter(slice(Permission._fields.index("cidrs"), None))

# A security group with more permissions than this in one direction gets an index of them.
MAX_PERMISSIONS_WITHOUT_INDEX = 16

# Every port that a target may turn out to have.
ANY_TCP_PORT = Traffic("tcp", 1, 65535)

# Path MTU Discovery (EC2 user guide, "Network maximum transmission unit", Path MTU Discovery): RFC 1191's
# "fragmentation needed" and RFC 8201's "packet too big".
FRAGMENTATION_NEEDED = Traffic("icmp", 3, 4)
PACKET_TOO_BIG = Traffic("icmpv6", 2, 0)


class MatchingRule(NamedTuple):
    """A permission with its security group."""

    group: SecurityGroup
    permission: Permission


class AllowedTraffic(NamedTuple):
    """What is allowed of one kind of traffic, in one direction and address family.

    `referenced_group_ids` are the groups of `references`, and `peering_references` those over VPC peering. `unread`
    are the reasons why more may be allowed than is known, and `unread_references` those why further groups may be
    referenced. `unresolved` names the prefix lists whose owners do not share the entries. `stale_references` and
    `empty_prefix_lists` (they are not among `prefix_list_ids`) allow nothing. `identities` are those of the blocks that
    are allowed and not known before a plan is applied.
    """

    addresses: AddressSet
    references: tuple[SecurityGroupReference, ...] = ()
    referenced_group_ids: frozenset[str] = frozenset()
    prefix_list_ids: frozenset[str] = frozenset()
    unread: tuple[NotReadError, ...] = ()
    unread_references: tuple[NotReadError, ...] = ()
    unresolved: tuple[str, ...] = ()
    stale_references: tuple[SecurityGroupReference, ...] = ()
    peering_references: tuple[SecurityGroupReference, ...] = ()
    empty_prefix_lists: tuple[str, ...] = ()
    identities: frozenset[str] = frozenset()


class Permissions:
    """The permissions of the security groups of a load balancer, or of a target, together.

    `unread` has an error for each group that could not be read: it may allow anything.
    """

    def __init__(self, estate: Estate, group_ids: Iterable[str]) -> None:
        self.estate = estate
        self.groups: list[SecurityGroup] = []
        self.unread: list[NotReadError] = []
        self.group_ids = tuple(group_ids)
        self._by_traffic: dict[tuple[bool, Traffic, Family], AllowedTraffic] = {}
        self._by_peers: dict[tuple[bool, Family, tuple[object, ...]], AllowedTraffic] = {}
        for group_id in self.group_ids:
            try:
                self.groups.append(estate.security_group(group_id))
            except NotReadError as error:
                self.unread.append(error)
        if not self.group_ids:
            self.unread.append(NotReadError("security groups", "the load balancer has none"))

    @staticmethod
    def of_groups(estate: Estate, groups: Iterable[SecurityGroup]) -> Permissions:
        """The permissions of security groups that need not be part of the estate."""
        permissions = Permissions(estate, ())
        permissions.unread.clear()
        permissions.groups.extend(groups)
        return permissions

    def matching_rules(self, direction: Direction, traffic: Traffic) -> Iterator[MatchingRule]:
        """The permissions that allow the traffic for some peer."""
        for group in self.groups:
            for permission in traffic.select(group.egress if direction is Direction.EGRESS else group.ingress):
                yield MatchingRule(group, permission)

    def allowed_traffic(self, direction: Direction, traffic: Traffic, family: Family) -> AllowedTraffic:
        is_egress = direction is Direction.EGRESS
        known = self._by_traffic.get((is_egress, traffic, family))
        if known is None:
            permissions: list[Permission] = []
            for group in self.groups:
                permissions += _select(self.estate, group, traffic, is_egress=is_egress)
            # Kinds of traffic that match permissions with the same peers share the answer.
            key = is_egress, family, tuple(map(_PEERS, permissions))
            known = self._by_peers.get(key)
            if known is None:
                unread = (*self.unread, *self.unknown_rules(direction))
                known = self._by_peers[key] = _combine(self.estate, permissions, family, unread)
            self._by_traffic[is_egress, traffic, family] = known
        return known

    def unknown_rules(self, direction: Direction) -> list[NotReadError]:
        """The causes that rules with unknown values may let through anything."""
        return [
            unknown.error(f"security group {group.id}")
            for group in self.groups
            for unknown in (group.unknown_egress if direction is Direction.EGRESS else group.unknown_ingress)
        ]


def _select(estate: Estate, group: SecurityGroup, traffic: Traffic, *, is_egress: bool) -> list[Permission]:
    """The permissions of a security group that allow the traffic for some peer."""
    permissions = group.egress if is_egress else group.ingress
    if len(permissions) <= MAX_PERMISSIONS_WITHOUT_INDEX:
        return traffic.select(permissions)
    # All load balancers and targets that carry a large group share the index of its permissions.
    key = _PermissionIndex, group.id, is_egress
    index: _PermissionIndex | None = estate.derived_facts.get(key)
    # A group of this ID that is no part of the estate has other permissions.
    if index is None or index.permissions is not permissions:
        index = estate.derived_facts[key] = _PermissionIndex(permissions)
    return index.matching(traffic)


class _PermissionIndex:
    """The permissions of one direction of a large security group, by the traffic that they are for.

    A thousand ports with a permission each take a thousand look-ups, not a million comparisons.
    """

    def __init__(self, permissions: Sequence[Permission]) -> None:
        self.permissions = permissions
        # Positions in `permissions`: of those for a single TCP port, and of the others by protocol.
        self._by_tcp_port: dict[int, list[int]] = {}
        self._by_protocol: dict[str, list[int]] = {}
        for position, permission in enumerate(permissions):
            port = permission.from_port
            if permission.protocol == "tcp" and port is not None and port == permission.to_port:
                self._by_tcp_port.setdefault(port, []).append(position)
            else:
                self._by_protocol.setdefault(permission.protocol, []).append(position)

    def matching(self, traffic: Traffic) -> list[Permission]:
        """The permissions that allow the traffic for some peer, in their order."""
        positions = [*self._by_protocol.get("-1", ()), *self._by_protocol.get(traffic.protocol, ())]
        if traffic.protocol == "tcp":
            positions += self._by_tcp_port.get(traffic.from_port, ())
        matching = [position for position in positions if traffic.matches(self.permissions[position])]
        return [self.permissions[position] for position in sorted(matching)]


def _combine(
    estate: Estate, permissions: Iterable[Permission], family: Family, unread: Sequence[NotReadError]
) -> AllowedTraffic:
    """What some permissions allow together. `unread`: why there may be more of them."""
    cidrs: list[str] = []
    prefix_list_ids: set[str] = set()
    # A dictionary keeps the order of the permissions and drops repetitions.
    named: dict[SecurityGroupReference, None] = {}
    unknown_addresses: list[NotReadError] = []
    unknown_references: list[NotReadError] = []
    identities: frozenset[str] = frozenset()
    for permission in permissions:
        cidrs += permission.cidrs
        if permission.prefix_list_ids:
            prefix_list_ids.update(permission.prefix_list_ids)
        if permission.references:
            named.update(dict.fromkeys(permission.references))
        if permission.unknown_addresses is not None:
            unknown_addresses.append(permission.unknown_addresses.error("a security group rule"))
            identities |= permission.unknown_addresses.identities
        if permission.unknown_reference is not None:
            unknown_references.append(permission.unknown_reference.error("a security group rule"))
    if not (unread or prefix_list_ids or named or unknown_addresses or unknown_references):
        return _addresses_only(family, tuple(cidrs))
    references: list[SecurityGroupReference] = []
    stale_references: list[SecurityGroupReference] = []
    for reference in named:
        is_effective = not reference.is_stale and not estate.references_deleted_group(reference)
        (references if is_effective else stale_references).append(reference)
    addresses = address_set(family, tuple(cidrs))
    unread_lists: Sequence[NotReadError] = ()
    unresolved: Sequence[str] = ()
    empty_lists: Sequence[str] = ()
    if prefix_list_ids:
        entries, unread_lists, unresolved, empty_lists = _prefix_list_entries(estate, prefix_list_ids, family)
        addresses = AddressSet.union(family, [addresses, *entries])
    return AllowedTraffic(
        addresses,
        tuple(references),
        frozenset([reference.group_id for reference in references]),
        frozenset(prefix_list_ids.difference(empty_lists)),
        (*unread, *unread_lists, *unknown_addresses),
        tuple(unknown_references),
        tuple(unresolved),
        tuple(stale_references),
        tuple([reference for reference in references if reference.peering_connection_id is not None]),
        tuple(empty_lists),
        identities,
    )


def _prefix_list_entries(
    estate: Estate, prefix_list_ids: Iterable[str], family: Family
) -> tuple[Sequence[AddressSet], Sequence[NotReadError], Sequence[str], Sequence[str]]:
    """The addresses of prefix lists, what was not read of them, the lists with entries that are not shared, and those
    without any entry."""
    entries: list[AddressSet] = []
    unread: list[NotReadError] = []
    unresolved: list[str] = []
    empty: list[str] = []
    for prefix_list_id in sorted(prefix_list_ids):
        try:
            prefix_list = estate.prefix_list(prefix_list_id)
        except NotReadError as error:
            unread.append(error)
            continue
        if prefix_list.family in (None, family):
            addresses = prefix_list_addresses(prefix_list, family)
            if addresses is None:
                unresolved.append(f"prefix list {prefix_list_id} (its owner does not share the entries)")
            elif not addresses:
                empty.append(prefix_list_id)
            else:
                entries.append(addresses)
    return entries, unread, unresolved, empty


@lru_cache(maxsize=256)
def _addresses_only(family: Family, cidrs: tuple[str, ...]) -> AllowedTraffic:
    """What permissions with CIDR blocks alone allow. Most name a single block: all addresses, or that of a VPC."""
    return AllowedTraffic(address_set(family, cidrs))


def prefix_list_addresses(prefix_list: PrefixList, family: Family) -> AddressSet | None:
    """A prefix list's entries in a family; None where its owner does not share them."""
    return None if prefix_list.entries is None else address_set(family, prefix_list.entries)
