"""What the united security groups of a load balancer let through, asked for one kind of traffic at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from functools import cache, lru_cache
from operator import attrgetter
from typing import NamedTuple

from alb_sg.errors import Unread
from alb_sg.estate.cidr import Family
from alb_sg.estate.estate import Estate
from alb_sg.estate.model import Permission, PrefixList, SecurityGroup, SecurityGroupReference
from alb_sg.estate.quick import tuple_maker
from alb_sg.permissions.addresses import AddressSet, address_set


class Direction(Enum):
    INGRESS = "ingress"
    EGRESS = "egress"

    __hash__ = object.__hash__


# As in `estate.cidr`: a member is not looked up in its Enum for every requirement.
INGRESS, EGRESS = Direction.INGRESS, Direction.EGRESS


class Traffic(NamedTuple):
    """A protocol with a port, or an ICMP type and code (in `from_port` and `to_port`, as EC2 has them)."""

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


class Source(NamedTuple):
    """One permission of one security group, so that an explanation can point at it."""

    group: SecurityGroup
    permission: Permission


class Allowed(NamedTuple):
    """What is let through of one traffic, in one direction and address family.

    `group_ids` are the groups that `references` name, and `over_peering` are those of the references that reach over
    VPC peering. `unread` are the causes that more may be let through than is known; `unresolved` names the prefix
    lists whose entries their owner refuses.
    """

    addresses: AddressSet
    references: tuple[SecurityGroupReference, ...]
    over_peering: tuple[SecurityGroupReference, ...]
    group_ids: frozenset[str]
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
        self._one_way: dict[Direction, OneWay] = {}
        for group_id in self.group_ids:
            try:
                self.groups.append(estate.security_group(group_id))
            except Unread as error:
                self.unread.append(error)
        if not self.group_ids:
            self.unread.append(Unread("security groups", "the load balancer has none"))

    def sources(self, direction: Direction, traffic: Traffic) -> Iterator[Source]:
        """The permissions that let the traffic through to or from somebody."""
        for group in self.groups:
            for permission in _of(group, direction):
                if traffic.matches(permission):
                    yield Source(group, permission)

    def allowed(self, direction: Direction, traffic: Traffic, family: Family) -> Allowed:
        """Everything that is let through of the traffic, in one family."""
        return self.one_way(direction).allowed(traffic, family)

    def one_way(self, direction: Direction) -> OneWay:
        """What all groups let through in one direction."""
        known = self._one_way.get(direction)
        if known is None:
            rules: list[Permission] = []
            for group in self.groups:
                rules += _of(group, direction)
            known = self._one_way[direction] = OneWay(self.estate, tuple(self.unread), rules)
        return known


class OneWay:
    """The rules of one direction, and what they let through of each kind of traffic that was asked for.

    Those for a single TCP port are found by that port, so that a thousand ports with a rule each cost a thousand
    look-ups rather than a million comparisons.
    """

    def __init__(self, estate: Estate, unread: tuple[Unread, ...], rules: Sequence[Permission]) -> None:
        self._estate = estate
        self._unread = unread
        self._rules = rules
        self._allowed: dict[tuple[Traffic, Family], Allowed] = {}
        self._allowed_by: dict[tuple[Family, tuple[int, ...]], Allowed] = {}
        # The places of rules in their order.
        self._of_port: dict[int, list[int]] = {}
        self._for_all: list[int] = []
        self._others: dict[str, list[int]] = {}
        for place, (protocol, from_port, to_port, _, _, _) in enumerate(rules):
            if protocol == "tcp" and from_port is not None and from_port == to_port:
                if from_port in self._of_port:
                    self._of_port[from_port].append(place)
                else:
                    self._of_port[from_port] = [place]
            elif protocol == "-1":
                self._for_all.append(place)
            elif protocol in self._others:
                self._others[protocol].append(place)
            else:
                self._others[protocol] = [place]

    def allowed(self, traffic: Traffic, family: Family) -> Allowed:
        known = self._allowed.get((traffic, family))
        if known is None:
            # Ports that the same rules are for share the answer.
            places = self._places(traffic)
            known = self._allowed_by.get((family, places))
            if known is None:
                known = self._allowed_by[family, places] = self._united(places, family)
            self._allowed[traffic, family] = known
        return known

    def _places(self, traffic: Traffic) -> tuple[int, ...]:
        """The places of the rules that let the traffic through to or from somebody."""
        protocol, from_port, _ = traffic
        found = self._for_all
        others = self._others.get(protocol)
        if others is not None:
            found = found + _matching(traffic, self._rules, others)
        of_port = self._of_port.get(from_port) if protocol == "tcp" else None
        if of_port is not None:
            found = found + of_port
        return tuple(sorted(found)) if len(found) > 1 else tuple(found)

    def _united(self, places: tuple[int, ...], family: Family) -> Allowed:
        """What the rules at some places let through together."""
        cidrs, prefix_list_ids, references = self._named(places)
        if references:
            references = _in_force(references, self._estate.deleted_groups)
        if not references and not prefix_list_ids and not self._unread:
            return _addresses_alone(family, cidrs)
        addresses, unread = address_set(family, cidrs), self._unread
        unresolved: tuple[str, ...] = ()
        if prefix_list_ids:
            addresses, unread, unresolved = self._with_lists(addresses, sorted(set(prefix_list_ids)))
        over_peering = references
        if len(references) == 1:
            only = references[0]
            group_ids = frozenset((only.group_id,))
            if only.peering_connection_id is None:
                over_peering = ()
        else:
            group_ids = frozenset(map(_GROUP_ID, references))
            over_peering = tuple(filter(_PEERING, references))
        lists = frozenset(prefix_list_ids)
        return _new_allowed((addresses, references, over_peering, group_ids, lists, unread, unresolved))

    def _named(
        self, places: tuple[int, ...]
    ) -> tuple[tuple[str, ...], tuple[str, ...], tuple[SecurityGroupReference, ...]]:
        """The CIDR blocks, prefix lists and security groups that the rules at some places name."""
        if len(places) == 1:
            return self._rules[places[0]][3:]
        cidrs: list[str] = []
        prefix_list_ids: list[str] = []
        references: list[SecurityGroupReference] = []
        for place in places:
            _, _, _, of_cidrs, of_prefix_lists, of_references = self._rules[place]
            cidrs += of_cidrs
            prefix_list_ids += of_prefix_lists
            references += of_references
        return tuple(cidrs), tuple(prefix_list_ids), tuple(references)

    def _with_lists(
        self, addresses: AddressSet, prefix_list_ids: Iterable[str]
    ) -> tuple[AddressSet, tuple[Unread, ...], tuple[str, ...]]:
        """Addresses and those in prefix lists, what was not read, and the lists whose entries their owner refuses."""
        family = addresses.family
        found, unread, unresolved = [addresses], [*self._unread], []
        for prefix_list_id in prefix_list_ids:
            try:
                prefix_list = self._estate.prefix_list(prefix_list_id)
            except Unread as error:
                unread.append(error)
                continue
            if prefix_list.family in (None, family):
                entries = prefix_list_addresses(prefix_list, family)
                if entries is None:
                    unresolved.append(f"prefix list {prefix_list_id} (its owner does not share the entries)")
                else:
                    found.append(entries)
        return AddressSet.union(family, found), tuple(unread), tuple(unresolved)


_new_allowed = tuple_maker(Allowed)
_PEERING = attrgetter("peering_connection_id")
_GROUP_ID = attrgetter("group_id")


def _matching(traffic: Traffic, rules: Sequence[Permission], places: Iterable[int]) -> list[int]:
    """Those of some places whose rules let the traffic through."""
    return [place for place in places if traffic.matches(rules[place])]


def _in_force(
    references: tuple[SecurityGroupReference, ...], deleted: frozenset[str]
) -> tuple[SecurityGroupReference, ...]:
    """The references that still let something through, each once."""
    if len(references) == 1:
        return references if _lets_through(references[0], deleted) else ()
    return tuple(dict.fromkeys([one for one in references if _lets_through(one, deleted)]))


def _lets_through(reference: SecurityGroupReference, deleted: frozenset[str]) -> bool:
    return reference.group_id not in deleted and (reference.peering_status is None or not reference.stale)


@lru_cache(maxsize=256)
def _addresses_alone(family: Family, cidrs: tuple[str, ...]) -> Allowed:
    """What rules let through that name CIDR blocks only, mostly one: that of everywhere or of a VPC."""
    return Allowed(address_set(family, cidrs), (), (), frozenset(), frozenset(), (), ())


def _of(group: SecurityGroup, direction: Direction) -> tuple[Permission, ...]:
    return group.ingress if direction is INGRESS else group.egress


def prefix_list_addresses(found: PrefixList, family: Family) -> AddressSet | None:
    """A prefix list's entries in a family; None where its owner refuses them."""
    return None if found.entries is None else address_set(family, found.entries)
