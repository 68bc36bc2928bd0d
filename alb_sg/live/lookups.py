"""What verdicts hang on beyond the load balancers themselves: targets and prefix lists.

The one place of the live source that knows permissions and recommendations; it decides what is read and never a
verdict (semantics §2, "Only what a verdict hangs on must be read").
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from alb_sg.errors import NotReadError
from alb_sg.estate.cidr import Family, InvalidCidrError, parse_cidr
from alb_sg.estate.estate import Estate
from alb_sg.estate.from_api import HIGHEST_PORT
from alb_sg.estate.model import LoadBalancer, Permission, Target, TargetGroup
from alb_sg.estate.sections import Section
from alb_sg.parameters import PREFIX_LIST_ID
from alb_sg.permissions.addresses import AddressSet
from alb_sg.permissions.allowed_traffic import (
    AllowedTraffic,
    Direction,
    Permissions,
    Traffic,
)
from alb_sg.recommendations.catalogue import RECOMMENDATIONS
from alb_sg.recommendations.clients import CLIENT_FAMILIES
from alb_sg.recommendations.load_balancer_context import STATES_WITHOUT_TRAFFIC
from alb_sg.recommendations.recommendation import Recommendation


@dataclass(frozen=True)
class ReadRequest:
    """What is asked of the load balancers: the estate's sections, and what parameters and tags name.

    `all_targets`: look targets and prefix lists up whatever the security groups let through.
    """

    sections: frozenset[str]
    all_targets: bool = False
    prefix_lists: frozenset[str] = frozenset()
    tag_key: str | None = None
    also_security_groups: frozenset[str] = frozenset()


@dataclass
class Lookups:
    """What is to be looked up: instances, addresses in a VPC, prefix lists, and VPCs that a reference over a
    peering names for a target outside its own. `interfaces`: it matters which interface holds some address,
    although there may be no VPC in which one could."""

    instances: set[str] = field(default_factory=set)
    interfaces: bool = False
    addresses: set[tuple[str, Family, int]] = field(default_factory=set)
    prefix_lists: set[str] = field(default_factory=set)
    peered_vpcs: set[str] = field(default_factory=set)


def find_lookups(estate: Estate, load_balancers: Iterable[LoadBalancer], read_request: ReadRequest) -> Lookups:
    """What the verdicts on these load balancers hang on, as far as the estate has been read."""
    found = Lookups()
    known: dict[tuple[str, ...], Permissions] = {}
    for load_balancer in load_balancers:
        ids = load_balancer.security_groups
        permissions = known.setdefault(ids, Permissions(estate, ids))
        found.prefix_lists |= read_request.prefix_lists
        _add_client_lookups(estate, load_balancer, permissions, read_request, found)
        if "Instances" in read_request.sections:
            _add_target_lookups(estate, load_balancer, permissions, read_request, found)
        if read_request.all_targets:
            found.prefix_lists |= _referenced_prefix_lists(permissions)
    found.prefix_lists |= _referenced_prefix_lists(Permissions(estate, sorted(read_request.also_security_groups)))
    if "ManagedPrefixLists" not in read_request.sections:
        found.prefix_lists = set()
    return found


def groups_to_confirm(
    estate: Estate, load_balancers: Iterable[LoadBalancer], read_request: ReadRequest
) -> list[TargetGroup]:
    """The target groups that have to be asked who is registered, and in which state.

    Not those of a load balancer that may send to every address and port: whoever is registered is reached.
    """
    found: dict[str, TargetGroup] = {}
    for load_balancer in load_balancers:
        permissions = Permissions(estate, load_balancer.security_groups)
        try:
            groups = estate.target_groups_of(load_balancer)
        except NotReadError:
            continue
        for group in groups:
            if group.target_type in ("instance", "ip") and (
                read_request.all_targets or not _allows_all_egress(permissions, _target_families(group))
            ):
                found[group.arn] = group
    return [found[arn] for arn in sorted(found)]


def _target_families(group: TargetGroup) -> tuple[Family, ...]:
    """The address families that registrations in a target group may have."""
    return tuple(Family) if group.target_type == "ip" else (group.family,)


def _allows_all_egress(permissions: Permissions, families: Iterable[Family]) -> bool:
    blocks = [
        parse_cidr(cidr)
        for group in permissions.groups
        for permission in group.egress
        if _allows_every_tcp_port(permission)
        for cidr in permission.cidrs
    ]
    return all(
        AddressSet.from_ranges(family, [block for of, block in blocks if of is family]).is_everything
        for family in families
    )


def _allows_every_tcp_port(permission: Permission) -> bool:
    if permission.protocol == "-1":
        return True
    first, last = permission.from_port, permission.to_port
    return permission.protocol == "tcp" and (first is None or last is None or (first <= 1 and last == HIGHEST_PORT))


def _add_client_lookups(
    estate: Estate, load_balancer: LoadBalancer, permissions: Permissions, read_request: ReadRequest, lookups: Lookups
) -> None:
    """Prefix lists that let clients in where an address range does not, and those that a tag names."""
    # A Network Load Balancer comes over IPv4, whatever family the clients have.
    families = {Family.IPV4, *CLIENT_FAMILIES.get(load_balancer.ip_address_type, Family)}
    traffics = {
        traffic for rule in _requested_rules(read_request) for traffic in rule.client_traffic(estate, load_balancer)
    }
    for family in families:
        for traffic in traffics:
            lookups.prefix_lists |= _undecided_prefix_lists(
                permissions.allowed_traffic(Direction.INGRESS, traffic, family)
            )
    if read_request.tag_key is not None:
        words = (estate.tags or {}).get(load_balancer.arn, {}).get(read_request.tag_key, "").split()
        lookups.prefix_lists.update(filter(PREFIX_LIST_ID.fullmatch, words))


def _requested_rules(read_request: ReadRequest) -> list[Recommendation]:
    """The rules whose verdicts the requested sections suffice for."""
    return [rule for rule in RECOMMENDATIONS if rule.estate_sections - {Section.TAGS} <= read_request.sections]


def _add_target_lookups(
    estate: Estate, load_balancer: LoadBalancer, permissions: Permissions, read_request: ReadRequest, lookups: Lookups
) -> None:
    try:
        groups = estate.target_groups_of(load_balancer)
    except NotReadError:
        return
    for group in groups:
        if group.target_type not in ("instance", "ip"):
            continue
        for target in (estate.targets or {}).get(group.arn, ()):
            if target.state not in STATES_WITHOUT_TRAFFIC:
                _add_lookups_of_target(estate, group, target, permissions, read_request, lookups)


def _add_lookups_of_target(
    estate: Estate,
    group: TargetGroup,
    target: Target,
    permissions: Permissions,
    read_request: ReadRequest,
    lookups: Lookups,
) -> None:
    try:
        family, point = parse_cidr(target.id) if group.target_type == "ip" else (group.family, None)
    except InvalidCidrError:
        return
    own_port = target.port if target.port is not None else group.port
    ports = {
        own_port if port is None else port
        for rule in _requested_rules(read_request)
        for port in rule.target_ports(group)
    }
    allowed = [
        permissions.allowed_traffic(Direction.EGRESS, Traffic.tcp(port), family) for port in ports if port is not None
    ]
    if not read_request.all_targets:
        covered = AddressSet.everything(family) if point is None else AddressSet(family, (point,))
        allowed = [some for some in allowed if not covered <= some.addresses]
    if not allowed:
        return
    for some in allowed:
        lookups.prefix_lists |= _undecided_prefix_lists(some)
    if point is None:
        lookups.instances.add(target.id)
    else:
        _add_interface_lookups(estate, group.vpc_id, family, point[0], allowed, lookups)


def _add_interface_lookups(
    estate: Estate, vpc_id: str, family: Family, address: int, allowed: Iterable[AllowedTraffic], lookups: Lookups
) -> None:
    """Where the interface of an address may be: in the target group's VPC, or outside its blocks in one that a
    reference over a peering names."""
    lookups.interfaces = True
    inside = vpc_contains(estate, vpc_id, family, address)
    if inside is not False:
        lookups.addresses.add((vpc_id, family, address))
    if inside is not True:
        peered = {
            reference.vpc_id
            for some in allowed
            for reference in some.references
            if reference.peering_connection_id is not None and reference.vpc_id is not None
        }
        lookups.peered_vpcs |= peered
        lookups.addresses |= {(peer, family, address) for peer in peered}


def vpc_contains(estate: Estate, vpc_id: str, family: Family, address: int) -> bool | None:
    """Whether an address is within a VPC's blocks; None where they were not read."""
    vpc = (estate.vpcs or {}).get(vpc_id)
    if vpc is None:
        return None
    return AddressSet(family, ((address, address),)) <= AddressSet.from_cidrs(family, vpc.cidrs[family])


def _undecided_prefix_lists(allowed: AllowedTraffic) -> frozenset[str]:
    """The prefix lists that may let through more than is known; none where everything is let through."""
    return frozenset() if allowed.addresses.is_everything else allowed.prefix_list_ids


def _referenced_prefix_lists(permissions: Permissions) -> set[str]:
    return {
        prefix_list_id
        for group in permissions.groups
        for permission in (*group.ingress, *group.egress)
        for prefix_list_id in permission.prefix_list_ids
    }
