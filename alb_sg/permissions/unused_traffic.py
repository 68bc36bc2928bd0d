"""The part of a security group's inbound rules that nothing uses (semantics §12).

A used TCP or UDP port stays open, and so do ICMP and ICMPv6, which no port tells to be unused.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from alb_sg.estate.cidr import Family, parse_cidr
from alb_sg.estate.model import Permission, SecurityGroup

ICMP_PROTOCOLS = ("icmp", "icmpv6")
ALL_PROTOCOLS = "-1"
# As type and code of an ICMP rule in the EC2 API.
ANY_ICMP = -1
# Used ports by protocol: `tcp` and `udp`.
UsedPorts = Mapping[str, set[int]]


class PortRange(NamedTuple):
    """A protocol with consecutive ports; without ports, the whole protocol."""

    protocol: str
    from_port: int | None = None
    to_port: int | None = None


class UnusedRule(NamedTuple):
    """An inbound rule that lets in something unused: the unused part for all of its peers, and the part in use.

    `unused` of a rule for all protocols is that rule as a whole. What it lets in beyond `used` is unused. `kept` are
    the rules that take its place where it is removed, as far as its group does not have them already. `descriptions`
    are those of the rule by peer, as far as the source tells them.
    """

    group_id: str
    permission: Permission
    unused: tuple[PortRange, ...]
    used: tuple[PortRange, ...]
    kept: tuple[Permission, ...] = ()
    descriptions: tuple[tuple[str, str], ...] = ()


def find_unused_rules(group: SecurityGroup, used_ports: UsedPorts) -> tuple[UnusedRule, ...]:
    """The inbound rules of a group that let in something on a port, or by a protocol, that is not used."""
    splits = [_split(group.id, permission, used_ports) for permission in group.ingress if permission.has_peers]
    unused_rules = [rule for rule in splits if rule is not None]
    if not unused_rules:
        return ()
    present = {_rule_key(permission, peer) for permission in group.ingress for peer in permission.peers}
    found = []
    for rule in unused_rules:
        remaining = [_without_present(one, present) for one in _kept(rule)]
        kept = tuple([one for one in remaining if one.has_peers])
        # EC2 refuses a rule that its group has already, so no two rules keep the same one.
        present |= {_rule_key(one, peer) for one in kept for peer in one.peers}
        found.append(rule._replace(kept=kept))
    return tuple(found)


def _kept(rule: UnusedRule) -> Iterator[Permission]:
    """The rules for the used part. An ICMP rule has no IPv6 blocks, and an ICMPv6 rule no IPv4 blocks."""
    for protocol, from_port, to_port in rule.used:
        if protocol not in ICMP_PROTOCOLS:
            yield rule.permission._replace(protocol=protocol, from_port=from_port, to_port=to_port)
            continue
        family = Family.IPV4 if protocol == "icmp" else Family.IPV6
        cidrs = tuple(cidr for cidr in rule.permission.cidrs if parse_cidr(cidr)[0] is family)
        yield rule.permission._replace(protocol=protocol, from_port=ANY_ICMP, to_port=ANY_ICMP, cidrs=cidrs)


def _without_present(permission: Permission, present: Collection[tuple[object, ...]]) -> Permission:
    """The rule for those of its peers for which the group does not have it."""

    def is_new(peer: str) -> bool:
        return _rule_key(permission, peer) not in present

    return permission._replace(
        cidrs=tuple(filter(is_new, permission.cidrs)),
        prefix_list_ids=tuple(filter(is_new, permission.prefix_list_ids)),
        references=tuple(one for one in permission.references if is_new(one.group_id)),
    )


def _rule_key(permission: Permission, peer: str) -> tuple[object, ...]:
    """What tells a rule for one peer from the others of its group."""
    return permission.protocol, permission.from_port, permission.to_port, peer


def _split(group_id: str, permission: Permission, used_ports: UsedPorts) -> UnusedRule | None:
    """The rule with its unused and its used part; None where all of it is used."""
    protocol = permission.protocol
    if protocol in ICMP_PROTOCOLS:
        return None
    if permission.has_ports:
        first, last = permission.port_range
        ports = used_ports[protocol]
        if first == last and first in ports:
            return None
        open_ports = range(first, last + 1)
        # A rule is mostly for one port, and a load balancer may have many; or the other way round.
        used = sorted(
            ports.intersection(open_ports) if len(open_ports) < len(ports) else filter(open_ports.__contains__, ports)
        )
        if len(used) == len(open_ports):
            return None
        return UnusedRule(
            group_id,
            permission,
            tuple(PortRange(protocol, *gap) for gap in _gaps(first, last, used)),
            tuple(PortRange(protocol, *run) for run in _runs(used)),
        )
    kept: list[PortRange] = []
    if protocol == ALL_PROTOCOLS:
        kept += (PortRange(name, *run) for name in sorted(used_ports) for run in _runs(sorted(used_ports[name])))
        kept += map(PortRange, ICMP_PROTOCOLS)
    return UnusedRule(group_id, permission, (PortRange(protocol),), tuple(kept))


def _gaps(first: int, last: int, used: Iterable[int]) -> Iterator[tuple[int, int]]:
    """The ranges between used ports, which are sorted and within `first` and `last`."""
    for port in used:
        if first < port:
            yield first, port - 1
        first = port + 1
    if first <= last:
        yield first, last


def _runs(ports: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Sorted ports as ranges of consecutive ones."""
    first = last = None
    for port in ports:
        if first is None or last is None or port != last + 1:
            if first is not None and last is not None:
                yield first, last
            first = port
        last = port
    if first is not None and last is not None:
        yield first, last
