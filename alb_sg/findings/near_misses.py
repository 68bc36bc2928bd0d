"""What comes close to a requirement that is not covered: it often is the cause.

Nothing here changes a verdict.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from alb_sg.errors import NotReadError
from alb_sg.estate.cidr import Family
from alb_sg.estate.model import LoadBalancer
from alb_sg.findings.coverage import Coverage, covers_directly
from alb_sg.findings.phrasing import abbreviate_names, describe_open
from alb_sg.parameters import TargetMatch
from alb_sg.permissions.addresses import AddressSet
from alb_sg.permissions.allowed_traffic import (
    FRAGMENTATION_NEEDED,
    PACKET_TOO_BIG,
    AllowedTraffic,
    Direction,
    Permissions,
    Traffic,
    prefix_list_addresses,
)
from alb_sg.recommendations.requirement import NodesPeer

# Groups may have a thousand rules; the ports nearest to the required one tell most.
MAX_OTHER_PORTS = 64
# The name of the group that EC2 creates with a VPC and that nobody can delete (Amazon VPC user guide, "Default security
# groups for your VPCs"). No other group may have it.
DEFAULT_GROUP_NAME = "default"
_ICMP_OF_OTHER_FAMILY = {FRAGMENTATION_NEEDED: PACKET_TOO_BIG, PACKET_TOO_BIG: FRAGMENTATION_NEEDED}


class NearMiss(NamedTuple):
    """`clause` continues "not open to the peer in these groups", `sentence` stands alone."""

    clause: str
    sentence: str


def open_peers(permissions: Permissions, direction: Direction, traffic: Traffic, family: Family) -> tuple[str, ...]:
    """The addresses that some traffic is open to, as the fewest blocks. Prefix lists stand under their ids, which say
    more than their entries."""
    allowed = permissions.allowed_traffic(direction, traffic, family)
    if not allowed.prefix_list_ids:
        return allowed.addresses.cidrs()
    cidrs = [cidr for rule in permissions.matching_rules(direction, traffic) for cidr in rule.permission.cidrs]
    of_blocks = AddressSet.from_cidrs(family, cidrs)
    lists = [one for one in sorted(allowed.prefix_list_ids) if _opens_more(permissions, one, of_blocks)]
    return (*of_blocks.cidrs(), *lists)


def _opens_more(permissions: Permissions, prefix_list_id: str, addresses: AddressSet) -> bool:
    """Whether a prefix list has further addresses of the family, as far as its entries are known."""
    try:
        prefix_list = permissions.estate.prefix_list(prefix_list_id)
    except NotReadError:
        return False
    entries = prefix_list_addresses(prefix_list, addresses.family)
    return entries is not None and not entries <= addresses


def find_near_misses(permissions: Permissions, coverage: Coverage, load_balancer: LoadBalancer) -> Iterator[NearMiss]:
    """Addresses of nodes alone, accepted sources that are all of the other address family, other ports and address
    families that are open, and the VPC's default group, the most telling first."""
    requirement = coverage.requirement
    allowed = permissions.allowed_traffic(requirement.direction, requirement.traffic, requirement.peer.family)
    if isinstance(requirement.peer, NodesPeer):
        yield from _on_nodes(requirement.peer, allowed)
    if coverage.accepted_sources is not None and not coverage.accepted_sources.total:
        text = f"no accepted source is {requirement.peer.family.label}"
        yield NearMiss(text, text)
    if not allowed.addresses and not allowed.references:
        yield from _other_family(permissions, coverage, load_balancer)
        yield from _other_ports(permissions, coverage)
    yield from (
        NearMiss(f"{group.id} is the VPC's default group", f"{group.id} is the VPC's default group")
        for group in permissions.groups
        if group.name == DEFAULT_GROUP_NAME
    )


def _on_nodes(peer: NodesPeer, allowed: AllowedTraffic) -> Iterator[NearMiss]:
    """A part of a subnet may be open because nodes have addresses there today."""
    for cidr in peer.cidrs:
        block = AddressSet.from_cidrs(peer.family, [cidr])
        if block.overlaps(allowed.addresses) and not block <= allowed.addresses:
            text = "the addresses of nodes change within their subnets"
            yield NearMiss(text, text)
            return


def _other_family(permissions: Permissions, coverage: Coverage, load_balancer: LoadBalancer) -> Iterator[NearMiss]:
    requirement = coverage.requirement
    family = Family.IPV6 if requirement.peer.family is Family.IPV4 else Family.IPV4
    traffic = _ICMP_OF_OTHER_FAMILY.get(requirement.traffic, requirement.traffic)
    open_instead = open_peers(permissions, requirement.direction, traffic, family)
    if not open_instead:
        return
    open_to = f"open to {describe_open(open_instead)}"
    no_ipv4 = (
        family is Family.IPV4
        and requirement.direction is Direction.INGRESS
        and load_balancer.ip_address_type == "dualstack-without-public-ipv4"
    )
    reason = "this load balancer has no public IPv4" if no_ipv4 else ""
    clause = f"{open_to}; {reason}" if reason else open_to
    yield NearMiss(clause, f"{open_to}, which is {family.label}{f'; {reason}' if reason else ''}")


def _other_ports(permissions: Permissions, coverage: Coverage) -> Iterator[NearMiss]:
    """The ports of the same protocol that are open to the peer, or the ICMP types."""
    requirement = coverage.requirement
    traffic, peer = requirement.traffic, requirement.peer
    ranges = {
        (rule.from_port, rule.to_port)
        for group in permissions.groups
        for rule in (group.egress if requirement.direction is Direction.EGRESS else group.ingress)
        if rule.protocol == traffic.protocol
        and rule.from_port is not None
        and rule.to_port is not None
        and not traffic.matches(rule)
    }
    nearest = sorted(ranges, key=lambda ports: (min(abs(port - traffic.from_port) for port in ports), ports))
    open_ranges = []
    for first, last in sorted(nearest[:MAX_OTHER_PORTS]):
        other = Traffic.tcp(first) if traffic.protocol == "tcp" else Traffic(traffic.protocol, first, max(last, 0))
        allowed = permissions.allowed_traffic(requirement.direction, other, peer.family)
        if covers_directly(allowed, peer, TargetMatch.EFFECTIVE):
            open_ranges.append((first, last))
    if open_ranges == [(0, 0)] and traffic.protocol == "tcp":
        # People write it for all ports, which it is only for the protocol -1.
        yield NearMiss("port 0 alone is", "TCP 0 is open to it, which is port 0 alone and not all ports")
    elif open_ranges:
        names = tuple(_port_name(traffic.protocol, *ports) for ports in open_ranges)
        text, verb = abbreviate_names(names), "is" if len(names) == 1 else "are"
        protocol = "TCP " if traffic.protocol == "tcp" else ""
        yield NearMiss(f"{text} {verb}", f"{protocol}{text} {verb} open to it")


def _port_name(protocol: str, first: int, last: int) -> str:
    if protocol == "tcp":
        return str(first) if first == last else f"{first}-{last}"
    return f"type {first}" if last == -1 else f"type {first} code {last}"
