"""What the united security groups of a load balancer let through, asked for one kind of traffic at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

from alb_sg.errors import Unread
from alb_sg.estate.cidr import Family, Range, parse_cidr
from alb_sg.estate.estate import Estate
from alb_sg.estate.model import Permission, PrefixList, SecurityGroup, SecurityGroupReference
from alb_sg.permissions.addresses import AddressSet


class Direction(Enum):
    INGRESS = "ingress"
    EGRESS = "egress"

    __hash__ = object.__hash__


@dataclass(frozen=True, slots=True)
class Traffic:
    """A protocol with a port, or an ICMP type and code (in `from_port` and `to_port`, as EC2 has them)."""

    protocol: str
    from_port: int
    to_port: int

    @staticmethod
    def tcp(port: int) -> Traffic:
        return Traffic("tcp", port, port)

    @property
    def label(self) -> str:
        if self.protocol == "tcp":
            return f"TCP:{self.from_port}"
        return f"{'ICMP' if self.protocol == 'icmp' else 'ICMPv6'} type {self.from_port} code {self.to_port}"

    def matches(self, permission: Permission) -> bool:
        """Whether a permission lets this traffic through, whoever the peer (IpPermission in the EC2 API)."""
        if permission.protocol == "-1":
            return True
        if permission.protocol != self.protocol:
            return False
        first, last = permission.from_port, permission.to_port
        if self.protocol == "tcp":
            # Without ports: all of them. A loader refuses one without the other.
            return first is None or last is None or first <= self.from_port <= last
        if first is None or last is None:
            # IPv6 groups may leave out the type for all types; for IPv4 nothing says what was meant.
            return self.protocol == "icmpv6" and first is None and last is None
        return first in (-1, self.from_port) and last in (-1, self.to_port)


# Path MTU Discovery (EC2 user guide, "Network maximum transmission unit", Path MTU Discovery): the message of
# RFC 1191 "fragmentation needed" and that of RFC 8201 "packet too big".
FRAGMENTATION_NEEDED = Traffic("icmp", 3, 4)
PACKET_TOO_BIG = Traffic("icmpv6", 2, 0)


@dataclass(frozen=True, slots=True)
class Source:
    """One permission of one security group, so that an explanation can point at it."""

    group: SecurityGroup
    permission: Permission


@dataclass(frozen=True, slots=True)
class Allowed:
    """What is let through of one traffic, in one direction and address family.

    `unread` are the causes that more may be let through than is known; `unresolved` names the prefix lists
    whose entries their owner refuses.
    """

    addresses: AddressSet
    references: tuple[SecurityGroupReference, ...]
    prefix_list_ids: frozenset[str]
    unread: tuple[Unread, ...]
    unresolved: tuple[str, ...]


class Permissions:
    """The united permissions of a load balancer's security groups.

    A group that could not be read is kept as a cause in `unread`: it may let through anything.
    """

    def __init__(self, estate: Estate, group_ids: Iterable[str]) -> None:
        self.estate = estate
        self.groups: list[SecurityGroup] = []
        self.unread: list[Unread] = []
        self.group_ids = tuple(group_ids)
        self._allowed: dict[tuple[Direction, Traffic, Family], Allowed] = {}
        for group_id in self.group_ids:
            try:
                self.groups.append(estate.security_group(group_id))
            except Unread as error:
                self.unread.append(error)
        if not self.group_ids:
            self.unread.append(Unread("security groups", "the load balancer has none"))

    def sources(self, direction: Direction, traffic: Traffic) -> Iterator[Source]:
        """The permissions that let the traffic through to or from somebody."""
        for source in self._ingress if direction is Direction.INGRESS else self._egress:
            if traffic.matches(source.permission):
                yield source

    def allowed(self, direction: Direction, traffic: Traffic, family: Family) -> Allowed:
        """Everything that is let through of the traffic, in one family."""
        key = (direction, traffic, family)
        known = self._allowed.get(key)
        if known is None:
            known = self._allowed[key] = self._compile(direction, traffic, family)
        return known

    def _compile(self, direction: Direction, traffic: Traffic, family: Family) -> Allowed:
        ranges: list[Range] = []
        references: dict[SecurityGroupReference, None] = {}
        prefix_list_ids: dict[str, None] = {}
        unread = list(self.unread)
        unresolved: list[str] = []
        for source in self.sources(direction, traffic):
            for cidr in source.permission.cidrs:
                of_family, block = parse_cidr(cidr)
                if of_family is family:
                    ranges.append(block)
            prefix_list_ids.update(dict.fromkeys(source.permission.prefix_list_ids))
            for reference in source.permission.references:
                if not reference.stale and reference.group_id not in self.estate.deleted_groups:
                    references[reference] = None
        for prefix_list_id in sorted(prefix_list_ids):
            try:
                found = self.estate.prefix_list(prefix_list_id)
            except Unread as error:
                unread.append(error)
                continue
            if found.family in (None, family):
                if found.entries is None:
                    unresolved.append(f"prefix list {prefix_list_id} (its owner does not share the entries)")
                else:
                    ranges.extend(block for of_family, block in map(parse_cidr, found.entries) if of_family is family)
        return Allowed(
            addresses=AddressSet.from_ranges(family, ranges),
            references=tuple(references),
            prefix_list_ids=frozenset(prefix_list_ids),
            unread=tuple(unread),
            unresolved=tuple(unresolved),
        )

    @cached_property
    def _ingress(self) -> tuple[Source, ...]:
        return tuple(Source(group, permission) for group in self.groups for permission in group.ingress)

    @cached_property
    def _egress(self) -> tuple[Source, ...]:
        return tuple(Source(group, permission) for group in self.groups for permission in group.egress)


def prefix_list_addresses(found: PrefixList, family: Family) -> AddressSet | None:
    """A prefix list's entries in a family; None where its owner refuses them."""
    return None if found.entries is None else AddressSet.of(family, found.entries)
