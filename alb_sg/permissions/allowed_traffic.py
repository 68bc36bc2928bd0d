"""What the security groups of a load balancer allow together, for one kind of traffic at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from functools import cache, lru_cache
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
        if permission.protocol == "-1":
            return True
        if permission.protocol != self.protocol:
            return False
        first, last = permission.from_port, permission.to_port
        if self.protocol == "tcp":
            # No ports means all ports. A loader refuses one port without the other.
            return first is None or last is None or first <= self.from_port <= self.to_port <= last
        if first is None or last is None:
            # For ICMPv6 no type means all types (EC2 API). For ICMP its meaning is not documented.
            return self.protocol == "icmpv6" and first is None and last is None
        return first in (-1, self.from_port) and last in (-1, self.to_port)


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

    `referenced_group_ids` are the groups of `references`, and `peering_references` are those over VPC peering. `unread`
    are the reasons why more may be allowed than is known, and `unread_references` those why further groups may be
    referenced. `unresolved` names the prefix lists whose owners do not share the entries. `stale_references` allow
    nothing.
    """

    addresses: AddressSet
    references: tuple[SecurityGroupReference, ...] = ()
    peering_references: tuple[SecurityGroupReference, ...] = ()
    referenced_group_ids: frozenset[str] = frozenset()
    prefix_list_ids: frozenset[str] = frozenset()
    unread: tuple[NotReadError, ...] = ()
    unread_references: tuple[NotReadError, ...] = ()
    unresolved: tuple[str, ...] = ()
    stale_references: tuple[SecurityGroupReference, ...] = ()


class Permissions:
    """The permissions of the security groups of a load balancer, or of a target, together.

    `unread` has an error for each group that could not be read: it may allow anything.
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
            for permission in _permissions_of(group, direction):
                if traffic.matches(permission):
                    yield MatchingRule(group, permission)

    def allowed_traffic(self, direction: Direction, traffic: Traffic, family: Family) -> AllowedTraffic:
        return self.direction_rules(direction).allowed_traffic(traffic, family)

    def direction_rules(self, direction: Direction) -> DirectionRules:
        """The permissions of all groups in one direction."""
        known = self._direction_rules.get(direction)
        if known is None:
            rules = [rule for group in self.groups for rule in _permissions_of(group, direction)]
            unread = (*self.unread, *self.unknown_rules(direction))
            known = self._direction_rules[direction] = DirectionRules(self.estate, unread, rules)
        return known

    def unknown_rules(self, direction: Direction) -> Iterator[NotReadError]:
        """The causes that rules with unknown values may let through anything."""
        for group in self.groups:
            for unknown in group.unknown_egress if direction is Direction.EGRESS else group.unknown_ingress:
                yield unknown.error(f"security group {group.id}")


class DirectionRules:
    """The permissions of one direction, and what they allow of each kind of traffic.

    An index holds the permissions for a single TCP port: a thousand ports with a permission each take a thousand
    look-ups, not a million comparisons.
    """

    def __init__(self, estate: Estate, unread: tuple[NotReadError, ...], rules: Sequence[Permission]) -> None:
        self._estate = estate
        self._unread = unread
        self._rules = rules
        self._by_traffic: dict[tuple[Traffic, Family], AllowedTraffic] = {}
        self._by_rule_indexes: dict[tuple[Family, tuple[int, ...]], AllowedTraffic] = {}
        # Indexes into `rules`.
        self._tcp_port_indexes: dict[int, list[int]] = {}
        self._all_protocol_indexes: list[int] = []
        self._protocol_indexes: dict[str, list[int]] = {}
        for index, rule in enumerate(rules):
            if rule.protocol == "tcp" and rule.from_port is not None and rule.from_port == rule.to_port:
                self._tcp_port_indexes.setdefault(rule.from_port, []).append(index)
            elif rule.protocol == "-1":
                self._all_protocol_indexes.append(index)
            else:
                self._protocol_indexes.setdefault(rule.protocol, []).append(index)

    def allowed_traffic(self, traffic: Traffic, family: Family) -> AllowedTraffic:
        known = self._by_traffic.get((traffic, family))
        if known is None:
            # Kinds of traffic that match the same permissions share the answer.
            indexes = self._rule_indexes(traffic)
            known = self._by_rule_indexes.get((family, indexes))
            if known is None:
                known = self._by_rule_indexes[family, indexes] = self._combine(indexes, family)
            self._by_traffic[traffic, family] = known
        return known

    def _rule_indexes(self, traffic: Traffic) -> tuple[int, ...]:
        """The permissions that allow the traffic for some peer."""
        indexes = [
            *self._all_protocol_indexes,
            *(
                index
                for index in self._protocol_indexes.get(traffic.protocol, ())
                if traffic.matches(self._rules[index])
            ),
        ]
        if traffic.protocol == "tcp":
            indexes += self._tcp_port_indexes.get(traffic.from_port, ())
        return tuple(sorted(indexes))

    def _combine(self, indexes: tuple[int, ...], family: Family) -> AllowedTraffic:
        """What some permissions allow together."""
        rules = [self._rules[index] for index in indexes]
        cidrs = rules[0].cidrs if len(rules) == 1 else tuple(cidr for rule in rules for cidr in rule.cidrs)
        if not self._unread and all(rule.has_cidrs_alone for rule in rules):
            return _addresses_only(family, cidrs)
        prefix_list_ids = frozenset(prefix_list_id for rule in rules for prefix_list_id in rule.prefix_list_ids)
        # A dictionary keeps the order of the permissions and drops repetitions.
        named = dict.fromkeys(reference for rule in rules for reference in rule.references)
        references = tuple(filter(self._is_effective, named))
        stale_references = tuple(reference for reference in named if reference not in references)
        unknown_addresses = [rule.unknown_addresses for rule in rules if rule.unknown_addresses is not None]
        unknown_references = [rule.unknown_reference for rule in rules if rule.unknown_reference is not None]
        addresses, unread, unresolved = self._add_prefix_lists(address_set(family, cidrs), prefix_list_ids)
        return AllowedTraffic(
            addresses=addresses,
            references=references,
            peering_references=tuple(
                reference for reference in references if reference.peering_connection_id is not None
            ),
            referenced_group_ids=frozenset(reference.group_id for reference in references),
            prefix_list_ids=prefix_list_ids,
            unread=(*unread, *(unknown.error("a security group rule") for unknown in unknown_addresses)),
            unread_references=tuple(unknown.error("a security group rule") for unknown in unknown_references),
            unresolved=unresolved,
            stale_references=stale_references,
        )

    def _is_effective(self, reference: SecurityGroupReference) -> bool:
        """Whether a reference still allows anything: it is not stale, and its group exists."""
        return not reference.is_stale and not self._estate.references_deleted_group(reference)

    def _add_prefix_lists(
        self, addresses: AddressSet, prefix_list_ids: Iterable[str]
    ) -> tuple[AddressSet, tuple[NotReadError, ...], tuple[str, ...]]:
        """The addresses with those of prefix lists, what was not read, and the lists with entries that are not
        shared."""
        family = addresses.family
        sets, unread, unresolved = [addresses], [*self._unread], []
        for prefix_list_id in sorted(prefix_list_ids):
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
                    sets.append(entries)
        return AddressSet.union(family, sets), tuple(unread), tuple(unresolved)


@lru_cache(maxsize=256)
def _addresses_only(family: Family, cidrs: tuple[str, ...]) -> AllowedTraffic:
    """What permissions with CIDR blocks alone allow. Most name a single block: all addresses, or that of a VPC."""
    return AllowedTraffic(address_set(family, cidrs))


def _permissions_of(group: SecurityGroup, direction: Direction) -> tuple[Permission, ...]:
    return group.egress if direction is Direction.EGRESS else group.ingress


def prefix_list_addresses(prefix_list: PrefixList, family: Family) -> AddressSet | None:
    """A prefix list's entries in a family; None where its owner does not share them."""
    return None if prefix_list.entries is None else address_set(family, prefix_list.entries)
