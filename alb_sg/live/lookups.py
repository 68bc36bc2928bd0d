"""The targets and prefix lists that verdicts depend on.

The only module of the live source that compares requirements with permissions. It decides what to read, never a verdict
(semantics §2, "Only what a verdict hangs on must be read").
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, partial

from alb_sg.errors import NotReadError
from alb_sg.estate.cidr import Family, InvalidCidrError, parse_cidr
from alb_sg.estate.estate import Estate
from alb_sg.estate.model import LoadBalancer, Target, TargetGroup, UnknownValue
from alb_sg.estate.sections import Section
from alb_sg.parameters import PREFIX_LIST_ID, Parameters
from alb_sg.permissions.addresses import AddressSet
from alb_sg.permissions.allowed_traffic import (
    ANY_TCP_PORT,
    AllowedTraffic,
    Direction,
    Permissions,
    Traffic,
)
from alb_sg.recommendations.catalogue import RECOMMENDATIONS
from alb_sg.recommendations.clients import CLIENT_FAMILIES
from alb_sg.recommendations.fronting_load_balancers import fronting_load_balancers
from alb_sg.recommendations.load_balancer_context import STATES_WITHOUT_TRAFFIC, LoadBalancerContext
from alb_sg.recommendations.recommendation import Recommendation
from alb_sg.recommendations.requirement import NodesPeer, NotApplicable
from alb_sg.recommendations.target_peer import peered_vpcs


@dataclass(frozen=True)
class ReadRequest:
    """What to read of the load balancers: sections, and the prefix lists that parameters and the tag of `tag_key` name.

    `all_targets`: look up all targets and prefix lists, whatever the security groups allow.
    """

    sections: frozenset[str]
    all_targets: bool = False
    prefix_lists: frozenset[str] = frozenset()
    tag_key: str | None = None
    also_security_groups: frozenset[str] = frozenset()


@dataclass
class Lookups:
    """Resources to look up: instances, addresses in a VPC, prefix lists, and the VPCs that a reference over a peering
    connection names for a target outside its own VPC. `interfaces`: a verdict depends on an address's interface, even
    if no VPC can hold the address."""

    instances: set[str] = field(default_factory=set)
    interfaces: bool = False
    addresses: set[tuple[str, Family, int]] = field(default_factory=set)
    prefix_lists: set[str] = field(default_factory=set)
    peered_vpcs: set[str] = field(default_factory=set)


@dataclass
class TargetSides:
    """What lets the nodes of load balancers in: subnets, security groups of targets, and by a target's groups together
    the traffic that they must let in."""

    subnets: set[str] = field(default_factory=set)
    security_groups: set[str] = field(default_factory=set)
    traffic: dict[tuple[str, ...], set[tuple[Traffic, Family]]] = field(default_factory=dict)

    def undecided_prefix_lists(self, estate: Estate) -> set[str]:
        """The prefix lists that may let in what the targets' groups otherwise do not."""
        return {
            prefix_list_id
            for group_ids, traffics in self.traffic.items()
            for traffic, family in traffics
            for prefix_list_id in _undecided_prefix_lists(
                Permissions(estate, group_ids).allowed_traffic(Direction.TARGET_INGRESS, traffic, family)
            )
        }


def find_lookups(estate: Estate, load_balancers: Iterable[LoadBalancer], read_request: ReadRequest) -> Lookups:
    """The lookups that the verdicts on these load balancers depend on, judging from the estate read so far."""
    lookups = Lookups()
    permissions_of = cache(partial(Permissions, estate))
    for load_balancer in load_balancers:
        permissions = permissions_of(load_balancer.security_groups)
        lookups.prefix_lists |= read_request.prefix_lists
        _add_client_lookups(estate, load_balancer, permissions, read_request, lookups)
        if Section.ALB_REGISTRATIONS in read_request.sections:
            _add_front_lookups(estate, load_balancer, permissions, lookups)
        if Section.INSTANCES in read_request.sections:
            _add_target_lookups(estate, load_balancer, permissions, read_request, lookups)
        if read_request.all_targets:
            lookups.prefix_lists |= _referenced_prefix_lists(permissions)
    lookups.prefix_lists |= _referenced_prefix_lists(Permissions(estate, sorted(read_request.also_security_groups)))
    if Section.MANAGED_PREFIX_LISTS not in read_request.sections:
        lookups.prefix_lists = set()
    return lookups


def find_target_sides(estate: Estate, load_balancers: Iterable[LoadBalancer]) -> TargetSides:
    """What the targets' groups must let in, judging from the targets that were looked up."""
    rules = [rule for rule in RECOMMENDATIONS if rule.direction is Direction.TARGET_INGRESS]
    sides = TargetSides()
    for load_balancer in load_balancers:
        for rule in rules:
            try:
                requirement_set = rule.requirements(LoadBalancerContext(estate, load_balancer), Parameters())
            except (NotApplicable, NotReadError):
                continue
            for group in requirement_set.groups:
                for peer in group.peers:
                    if isinstance(peer, NodesPeer):
                        sides.security_groups.update(peer.target_groups)
                        sides.traffic.setdefault(peer.target_groups, set()).add((group.traffic, peer.family))
        if isinstance(load_balancer.subnet_ids, tuple):
            sides.subnets.update(load_balancer.subnet_ids)
    return sides


def groups_to_confirm(
    estate: Estate,
    load_balancers: Iterable[LoadBalancer],
    read_request: ReadRequest,
    instance_vpcs: Mapping[str, str] | None,
) -> list[TargetGroup]:
    """The target groups whose registrations, and their states, a verdict depends on.

    If a load balancer may send to every address and port, it reaches any target: its target groups are left out. Where
    the groups of targets are judged too, every target that may be registered must also let the load balancer in.
    `instance_vpcs` are the VPCs of all instances in the account; None: not all are known.
    """
    judges_targets = any(rule.direction is Direction.TARGET_INGRESS for rule in _requested_rules(read_request))
    openings = _InstanceOpenings(estate, instance_vpcs) if judges_targets and instance_vpcs is not None else None
    to_confirm: dict[str, TargetGroup] = {}
    for load_balancer in load_balancers:
        permissions = Permissions(estate, load_balancer.security_groups)
        try:
            groups = estate.target_groups_of(load_balancer)
        except NotReadError:
            continue
        for group in groups:
            if group.target_type in ("instance", "ip") and (
                read_request.all_targets
                or not _allows_all_egress(permissions, _target_families(group))
                or (judges_targets and (openings is None or not openings.let_in(load_balancer, group)))
            ):
                to_confirm[group.arn] = group
    return [to_confirm[arn] for arn in sorted(to_confirm)]


class _InstanceOpenings:
    """Which load balancers every instance of a VPC lets in on every port, whichever of them are registered."""

    def __init__(self, estate: Estate, instance_vpcs: Mapping[str, str]) -> None:
        self._estate = estate
        self._permissions_of = cache(partial(Permissions, estate))
        self._instance_vpcs = instance_vpcs
        # The groups that instances carry together.
        self._carried_by_vpc: dict[str, set[tuple[str, ...]]] = {}
        for instance_id, vpc_id in instance_vpcs.items():
            self._carried_by_vpc.setdefault(vpc_id, set()).add(estate.instance(instance_id).groups)

    def let_in(self, load_balancer: LoadBalancer, group: TargetGroup) -> bool:
        """Whether no registration in a target group can be closed to a load balancer. Never for one of type `ip`: an
        address that no interface is seen to hold may be registered there, which is a finding."""
        targets = (self._estate.targets or {}).get(group.arn, ())
        if group.target_type != "instance" or any(target.id not in self._instance_vpcs for target in targets):
            return False
        try:
            family = group.known_family
            blocks = self._estate.vpc(load_balancer.vpc_id).known_cidrs(family)
        except NotReadError:
            return False
        nodes = AddressSet.from_cidrs(family, blocks)
        return all(self._lets_in(groups, load_balancer, nodes) for groups in self._carried_by_vpc.get(group.vpc_id, ()))

    def _lets_in(self, groups: tuple[str, ...], load_balancer: LoadBalancer, nodes: AddressSet) -> bool:
        allowed = self._permissions_of(groups).allowed_traffic(Direction.TARGET_INGRESS, ANY_TCP_PORT, nodes.family)
        by_reference = not allowed.referenced_group_ids.isdisjoint(load_balancer.security_groups)
        return by_reference or (bool(nodes) and nodes <= allowed.addresses)


def _target_families(group: TargetGroup) -> tuple[Family, ...]:
    """The possible address families of a target group's registrations."""
    known = () if isinstance(group.family, UnknownValue) else (group.family,)
    return tuple(Family) if group.target_type == "ip" else known


def _allows_all_egress(permissions: Permissions, families: Iterable[Family]) -> bool:
    return all(
        permissions.allowed_traffic(Direction.EGRESS, ANY_TCP_PORT, family).addresses.is_everything
        for family in families
    )


def _add_client_lookups(
    estate: Estate, load_balancer: LoadBalancer, permissions: Permissions, read_request: ReadRequest, lookups: Lookups
) -> None:
    """Prefix lists that may let clients in where no address range does, and those that a tag names."""
    # A Network Load Balancer connects over IPv4, whatever the clients' family.
    families = {Family.IPV4, *CLIENT_FAMILIES.get(str(load_balancer.ip_address_type), Family)}
    traffics = {
        traffic for rule in _requested_rules(read_request) for traffic in rule.client_traffic(estate, load_balancer)
    }
    for family in families:
        for traffic in traffics:
            lookups.prefix_lists |= _undecided_prefix_lists(
                permissions.allowed_traffic(Direction.INGRESS, traffic, family)
            )
    if read_request.tag_key is not None:
        clients = (estate.tags or {}).get(load_balancer.arn, {}).get(read_request.tag_key, "").split()
        lookups.prefix_lists.update(filter(PREFIX_LIST_ID.fullmatch, clients))


def _add_front_lookups(estate: Estate, load_balancer: LoadBalancer, permissions: Permissions, lookups: Lookups) -> None:
    """Prefix lists that say who the clients of a Network Load Balancer in front are: those that its groups let in on
    the listeners that lead here. Not where this load balancer lets everybody in."""
    try:
        fronts = fronting_load_balancers(estate, load_balancer)
    except NotReadError:
        return
    for front in fronts:
        if permissions.allowed_traffic(Direction.INGRESS, Traffic.tcp(front.port), Family.IPV4).addresses.is_everything:
            continue
        of_front = Permissions(estate, front.load_balancer.security_groups)
        for listener in (estate.listeners or {}).get(front.load_balancer.arn, ()):
            if front.target_group.arn in listener.target_group_arns:
                allowed = of_front.allowed_traffic(Direction.INGRESS, Traffic.tcp(listener.port), Family.IPV4)
                lookups.prefix_lists |= _undecided_prefix_lists(allowed)


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
        family, point = parse_cidr(target.id) if group.target_type == "ip" else (group.known_family, None)
        own_port = group.port_of(target)
    except (InvalidCidrError, NotReadError):
        return
    rules = [rule for rule in _requested_rules(read_request) if any(True for _ in rule.target_ports(group))]
    ports = {
        own_port if port is None else port
        for rule in rules
        if rule.direction is Direction.EGRESS
        for port in rule.target_ports(group)
    }
    allowed = [
        permissions.allowed_traffic(Direction.EGRESS, Traffic.tcp(port), family) for port in ports if port is not None
    ]
    if not read_request.all_targets:
        covered = AddressSet.everything(family) if point is None else AddressSet(family, (point,))
        allowed = [traffic for traffic in allowed if not covered <= traffic.addresses]
    for traffic in allowed:
        lookups.prefix_lists |= _undecided_prefix_lists(traffic)
    peered = {
        reference.vpc_id
        for traffic in allowed
        for reference in traffic.peering_references
        if reference.vpc_id is not None
    }
    # The groups of a target are judged whatever the load balancer may send to.
    judges_target = any(rule.direction is Direction.TARGET_INGRESS for rule in rules)
    if judges_target:
        peered |= peered_vpcs(permissions.groups)
    if not allowed and not judges_target:
        return
    if point is None:
        lookups.instances.add(target.id)
    else:
        _add_interface_lookups(estate, group.vpc_id, family, point[0], peered, lookups)


def _add_interface_lookups(
    estate: Estate, vpc_id: str, family: Family, address: int, peered: Iterable[str], lookups: Lookups
) -> None:
    """An address's interface may be in the target group's VPC or, for an address outside its blocks, in one of the
    VPCs that references over a peering connection name."""
    lookups.interfaces = True
    inside = vpc_contains(estate, vpc_id, family, address)
    if inside is not False:
        lookups.addresses.add((vpc_id, family, address))
    if inside is not True:
        lookups.peered_vpcs.update(peered)
        lookups.addresses |= {(peer, family, address) for peer in peered}


def vpc_contains(estate: Estate, vpc_id: str, family: Family, address: int) -> bool | None:
    """Whether an address is within a VPC's blocks; None if the VPC was not read."""
    vpc = (estate.vpcs or {}).get(vpc_id)
    if vpc is None:
        return None
    return AddressSet(family, ((address, address),)) <= AddressSet.from_cidrs(family, vpc.cidrs[family])


def _undecided_prefix_lists(allowed: AllowedTraffic) -> frozenset[str]:
    """The prefix lists that may allow further addresses; none if every address is allowed."""
    return frozenset() if allowed.addresses.is_everything else allowed.prefix_list_ids


def _referenced_prefix_lists(permissions: Permissions) -> set[str]:
    return {
        prefix_list_id
        for group in permissions.groups
        for permission in (*group.ingress, *group.egress)
        for prefix_list_id in permission.prefix_list_ids
    }
