"""What the united security groups of a load balancer let through, asked for one kind of traffic at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from functools import cache, lru_cache
from operator import attrgetter
from typing import NamedTuple

from alb_sg.errors import NotReadError
from alb_sg.estate.cidr import Family
from alb_sg.estate.estate import Estate
from alb_sg.estate.model import Permission, PrefixList, SecurityGroup, SecurityGroupReference
from alb_sg.estate.snapshots.speed import tuple_constructor
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


class MatchingRule(NamedTuple):
    """One permission of one security group, so that an explanation can point at it."""

    group: SecurityGroup
    permission: Permission


class AllowedTraffic(NamedTuple):
    """What is let through of one traffic, in one direction and address family.

    `group_ids` are the groups that `references` name, and `over_peering` are those of the references that reach over
    VPC peering. `unread` are the causes that more may be let through than is known; `unresolved` names the prefix
    lists whose entries their owner refuses. `stale_references` let nobody through.
    """

    addresses: AddressSet
    references: tuple[SecurityGroupReference, ...]
    peering_references: tuple[SecurityGroupReference, ...]
    referenced_group_ids: frozenset[str]
    prefix_list_ids: frozenset[str]
    unread: tuple[NotReadError, ...]
    unresolved: tuple[str, ...]
    stale_references: tuple[SecurityGroupReference, ...] = ()


class Permissions:
    """The united permissions of a load balancer's security groups.

    A group that could not be read is kept as a cause in `unread`: it may let through anything.
    """

    def __init__(self, estate: Estate, group_ids: Iterable[str]) -> None:
        self.estate = estate
        self.groups: list[SecurityGroup] = []
        self.unread: list[NotReadError] = []
        self.group_ids = tuple(group_ids)
        self._direction_rules: dict[Direction, DirectionRules] = {}
        for group_id in self.group_ids:
            try:
                self.groups.append(estate.security_group(group_id))
            except NotReadError as error:
                self.unread.append(error)
        if not self.group_ids:
            self.unread.append(NotReadError("security groups", "the load balancer has none"))

    def matching_rules(self, direction: Direction, traffic: Traffic) -> Iterator[MatchingRule]:
        """The permissions that let the traffic through to or from somebody."""
        for group in self.groups:
            for permission in _permissions_of(group, direction):
                if traffic.matches(permission):
                    yield MatchingRule(group, permission)

    def allowed_traffic(self, direction: Direction, traffic: Traffic, family: Family) -> AllowedTraffic:
        """Everything that is let through of the traffic, in one family."""
        return self.direction_rules(direction).allowed_traffic(traffic, family)

    def direction_rules(self, direction: Direction) -> DirectionRules:
        """What all groups let through in one direction."""
        known = self._direction_rules.get(direction)
        if known is None:
            rules: list[Permission] = []
            for group in self.groups:
                rules += _permissions_of(group, direction)
            unread = (*self.unread, *self._unknown_rules(direction))
            known = self._direction_rules[direction] = DirectionRules(self.estate, unread, rules)
        return known

    def _unknown_rules(self, direction: Direction) -> Iterator[NotReadError]:
        """The causes that rules with unknown values may let through anything."""
        for group in self.groups:
            for unknown in group.unknown_ingress if direction is INGRESS else group.unknown_egress:
                yield unknown.error(f"security group {group.id}")


class DirectionRules:
    """The rules of one direction, and what they let through of each kind of traffic that was asked for.

    Those for a single TCP port are found by that port, so that a thousand ports with a rule each cost a thousand
    look-ups rather than a million comparisons.
    """

    def __init__(self, estate: Estate, unread: tuple[NotReadError, ...], rules: Sequence[Permission]) -> None:
        self._estate = estate
        self._unread = unread
        self._rules = rules
        self._by_traffic: dict[tuple[Traffic, Family], AllowedTraffic] = {}
        self._by_rule_indexes: dict[tuple[Family, tuple[int, ...]], AllowedTraffic] = {}
        # The places of rules in their order.
        self._tcp_port_indexes: dict[int, list[int]] = {}
        self._all_protocol_indexes: list[int] = []
        self._protocol_indexes: dict[str, list[int]] = {}
        for place, (protocol, from_port, to_port, _, _, _) in enumerate(rules):
            if protocol == "tcp" and from_port is not None and from_port == to_port:
                if from_port in self._tcp_port_indexes:
                    self._tcp_port_indexes[from_port].append(place)
                else:
                    self._tcp_port_indexes[from_port] = [place]
            elif protocol == "-1":
                self._all_protocol_indexes.append(place)
            elif protocol in self._protocol_indexes:
                self._protocol_indexes[protocol].append(place)
            else:
                self._protocol_indexes[protocol] = [place]

    def allowed_traffic(self, traffic: Traffic, family: Family) -> AllowedTraffic:
        known = self._by_traffic.get((traffic, family))
        if known is None:
            # Ports that the same rules are for share the answer.
            places = self._rule_indexes(traffic)
            known = self._by_rule_indexes.get((family, places))
            if known is None:
                known = self._by_rule_indexes[family, places] = self._combine(places, family)
            self._by_traffic[traffic, family] = known
        return known

    def _rule_indexes(self, traffic: Traffic) -> tuple[int, ...]:
        """The places of the rules that let the traffic through to or from somebody."""
        protocol, from_port, _ = traffic
        found = self._all_protocol_indexes
        others = self._protocol_indexes.get(protocol)
        if others is not None:
            found = found + _matching_indexes(traffic, self._rules, others)
        of_port = self._tcp_port_indexes.get(from_port) if protocol == "tcp" else None
        if of_port is not None:
            found = found + of_port
        return tuple(sorted(found)) if len(found) > 1 else tuple(found)

    def _combine(self, indexes: tuple[int, ...], family: Family) -> AllowedTraffic:
        """What the rules at some places let through together."""
        cidrs, prefix_list_ids, references = self._peers_of(indexes)
        stale: tuple[SecurityGroupReference, ...] = ()
        if references:
            named, references = references, _effective_references(references, self._estate.deleted_security_groups)
            if len(references) < len(named):
                stale = tuple(dict.fromkeys([one for one in named if one not in references]))
        if not references and not prefix_list_ids and not self._unread and not stale:
            return _addresses_only(family, cidrs)
        addresses, unread = address_set(family, cidrs), self._unread
        unresolved: tuple[str, ...] = ()
        if prefix_list_ids:
            addresses, unread, unresolved = self._add_prefix_lists(addresses, sorted(set(prefix_list_ids)))
        over_peering = references
        if len(references) == 1:
            only = references[0]
            group_ids = frozenset((only.group_id,))
            if only.peering_connection_id is None:
                over_peering = ()
        else:
            group_ids = frozenset(map(_GROUP_ID, references))
            over_peering = tuple(filter(_PEERING_CONNECTION_ID, references))
        lists = frozenset(prefix_list_ids)
        return _new_allowed_traffic((addresses, references, over_peering, group_ids, lists, unread, unresolved, stale))

    def _peers_of(
        self, indexes: tuple[int, ...]
    ) -> tuple[tuple[str, ...], tuple[str, ...], tuple[SecurityGroupReference, ...]]:
        """The CIDR blocks, prefix lists and security groups that the rules at some places name."""
        if len(indexes) == 1:
            return self._rules[indexes[0]][3:]
        cidrs: list[str] = []
        prefix_list_ids: list[str] = []
        references: list[SecurityGroupReference] = []
        for place in indexes:
            _, _, _, of_cidrs, of_prefix_lists, of_references = self._rules[place]
            cidrs += of_cidrs
            prefix_list_ids += of_prefix_lists
            references += of_references
        return tuple(cidrs), tuple(prefix_list_ids), tuple(references)

    def _add_prefix_lists(
        self, addresses: AddressSet, prefix_list_ids: Iterable[str]
    ) -> tuple[AddressSet, tuple[NotReadError, ...], tuple[str, ...]]:
        """Addresses and those in prefix lists, what was not read, and the lists whose entries their owner refuses."""
        family = addresses.family
        found, unread, unresolved = [addresses], [*self._unread], []
        for prefix_list_id in prefix_list_ids:
            try:
                prefix_list = self._estate.prefix_list(prefix_list_id)
            except NotReadError as error:
                unread.append(error)
                continue
            if prefix_list.family in (None, family):
                entries = prefix_list_addresses(prefix_list, family)
                if entries is None:
                    unresolved.append(f"prefix list {prefix_list_id} (its owner does not share the entries)")
                else:
                    found.append(entries)
        return AddressSet.union(family, found), tuple(unread), tuple(unresolved)


_new_allowed_traffic = tuple_constructor(AllowedTraffic)
_PEERING_CONNECTION_ID = attrgetter("peering_connection_id")
_GROUP_ID = attrgetter("group_id")


def _matching_indexes(traffic: Traffic, rules: Sequence[Permission], indexes: Iterable[int]) -> list[int]:
    """Those of some places whose rules let the traffic through."""
    return [place for place in indexes if traffic.matches(rules[place])]


def _effective_references(
    references: tuple[SecurityGroupReference, ...], deleted_groups: frozenset[str]
) -> tuple[SecurityGroupReference, ...]:
    """The references that still let something through, each once."""
    if len(references) == 1:
        return references if _is_effective(references[0], deleted_groups) else ()
    return tuple(dict.fromkeys([one for one in references if _is_effective(one, deleted_groups)]))


def _is_effective(reference: SecurityGroupReference, deleted_groups: frozenset[str]) -> bool:
    return reference.group_id not in deleted_groups and not reference.is_stale


@lru_cache(maxsize=256)
def _addresses_only(family: Family, cidrs: tuple[str, ...]) -> AllowedTraffic:
    """What rules let through that name CIDR blocks only, mostly one: that of everywhere or of a VPC."""
    return AllowedTraffic(address_set(family, cidrs), (), (), frozenset(), frozenset(), (), ())


def _permissions_of(group: SecurityGroup, direction: Direction) -> tuple[Permission, ...]:
    return group.ingress if direction is INGRESS else group.egress


def prefix_list_addresses(prefix_list: PrefixList, family: Family) -> AddressSet | None:
    """A prefix list's entries in a family; None where its owner refuses them."""
    return None if prefix_list.entries is None else address_set(family, prefix_list.entries)
