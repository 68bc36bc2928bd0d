"""Inbound to the targets: from the load balancer, on every port that it uses (semantics §11).

The other side of the rules on egress: the same targets and ports, judged by the security groups of the targets.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import NamedTuple

from alb_sg.errors import NotReadError
from alb_sg.estate.cidr import Family, format_address
from alb_sg.estate.estate import Estate
from alb_sg.estate.model import LoadBalancer, TargetGroup, UnknownValue, require_known
from alb_sg.estate.resource_types import LISTENER_TYPE, PEER_TRIGGER_TYPES, TARGET_GROUP_TYPE
from alb_sg.estate.sections import Section
from alb_sg.parameters import COMMON_PARAMETERS, Parameters
from alb_sg.permissions.addresses import AddressSet, address_set
from alb_sg.permissions.allowed_traffic import Direction, Traffic
from alb_sg.recommendations.load_balancer_context import LoadBalancerContext
from alb_sg.recommendations.plain_load_balancer import PlainLoadBalancer, PlainlyMet
from alb_sg.recommendations.recommendation import USER_GUIDE, Recommendation, Severity
from alb_sg.recommendations.requirement import (
    NodesPeer,
    NotApplicable,
    Peer,
    RequirementGroup,
    RequirementSet,
    TargetPeer,
)
from alb_sg.recommendations.target_peer import peered_vpcs
from alb_sg.recommendations.target_requirements import TARGET_SECTIONS, target_notes, target_requirement_groups

MAX_NAMED_TARGETS = 3


class _Nodes(NamedTuple):
    """The addresses that a load balancer's nodes may have, in one family. `unread`: they are an upper bound."""

    cidrs: tuple[str, ...]
    addresses: AddressSet
    unread: NotReadError | None


class _Carried(NamedTuple):
    """The security groups of a target's interface, sorted. `unread` and `unresolved` say why they are not known, and
    `no_groups` why there are none to judge."""

    groups: tuple[str, ...] = ()
    unread: NotReadError | None = None
    unresolved: str | None = None
    no_groups: str | None = None


def requirements(context: LoadBalancerContext, parameters: Parameters) -> RequirementSet:
    """TCP from the load balancer to each registered target on its own port, its group's health check port and its
    control port. Raises NotApplicable, NotReadError."""
    split = _TargetSplit(context)
    groups: list[RequirementGroup] = []
    for group, targets in _targets_by_port(target_requirement_groups(context, _ports)):
        peers = split.nodes_peers(targets)
        if peers:
            groups.append(
                RequirementGroup(Direction.TARGET_INGRESS, group.traffic, peers, group.cause, unread=group.unread)
            )
    remarks = tuple([f"{_abbreviate(ids)} not judged: {reason}" for reason, ids in split.not_judged.items()])
    if not groups:
        raise NotApplicable("; ".join(remarks))
    return RequirementSet(tuple(groups), remarks)


def plainly_met(load_balancer: PlainLoadBalancer, _: Parameters) -> PlainlyMet:
    """As `requirements`, at a glance. Raises NotPlain, NotReadError."""
    return load_balancer.targets_let_it_in(_ports)


class _TargetSplit:
    """Splits targets of one load balancer by the security groups that they carry.

    The ports of a target group have the same targets, and so may target groups, so each list of targets is split once.
    `not_judged` are the ids of targets without groups to judge, by the reason.
    """

    def __init__(self, context: LoadBalancerContext) -> None:
        self.not_judged: dict[str, dict[str, None]] = {}
        self._estate = context.estate
        self._load_balancer = context.load_balancer
        self._load_balancer_groups = frozenset(context.load_balancer.security_groups)
        self._nodes_by_family: dict[Family, _Nodes] = {}
        self._carried_by_groups: dict[frozenset[str], _Carried] = {}
        # The context keeps the peers and shares them between ports, so that an identity stands for a target.
        self._carried_over_peering: dict[int, _Carried] = {}
        self._peers_by_targets: dict[tuple[int, ...], tuple[NodesPeer, ...]] = {}

    def nodes_peers(self, targets: Sequence[Peer]) -> tuple[NodesPeer, ...]:
        """The nodes as the targets see them: a peer for each set of groups that targets carry. A target counts once,
        however often it is registered. Raises NotReadError."""
        key = tuple(map(id, targets))
        peers = self._peers_by_targets.get(key)
        if peers is None:
            peers = self._peers_by_targets[key] = tuple(self._split(targets))
        return peers

    def _split(self, targets: Iterable[Peer]) -> list[NodesPeer]:
        nodes_peers: list[NodesPeer] = []
        by_groups: dict[_Carried, dict[str, TargetPeer]] = {}
        for target in targets:
            if isinstance(target, TargetPeer):
                by_groups.setdefault(self._carried(target), {})[target.target_id] = target
        for carried, carriers in by_groups.items():
            if carried.no_groups is None:
                nodes_peers.append(self._nodes_peer(carried, tuple(carriers.values())))
            else:
                self.not_judged.setdefault(carried.no_groups, {}).update(dict.fromkeys(carriers))
        return nodes_peers

    def _carried(self, target: TargetPeer) -> _Carried:
        if target.is_outside_vpc and target.address is not None:
            carried = self._carried_over_peering.get(id(target))
            if carried is None:
                carried = self._find_over_peering(target.family, target.address)
                self._carried_over_peering[id(target)] = carried
            return carried
        if target.unread is not None or not target.security_groups:
            return _partly_known_groups(target)
        carried = self._carried_by_groups.get(target.security_groups)
        if carried is None:
            carried = self._carried_by_groups[target.security_groups] = _Carried(tuple(sorted(target.security_groups)))
        return carried

    def _find_over_peering(self, family: Family, address: int) -> _Carried:
        """The groups of the visible interface that holds an address in a VPC that an active peering reference of the
        load balancer's groups names (semantics §6). Routes decide between VPCs whose blocks overlap."""
        carried_by_vpc: dict[str, tuple[str, ...]] = {}
        try:
            for vpc_id in self._peered_vpcs:
                interface = self._estate.interface_at(vpc_id, family, address)
                if interface is not None and interface.groups:
                    carried_by_vpc[vpc_id] = tuple(sorted(interface.groups))
        except NotReadError as error:
            return _Carried(unread=error)
        if not carried_by_vpc:
            return _Carried(no_groups="outside the VPC, and not seen in a VPC that an outbound peering reference names")
        if len(set(carried_by_vpc.values())) > 1:
            address_text = format_address(family, address)
            return _Carried(unresolved=f"{address_text} is an address in each of {', '.join(carried_by_vpc)}")
        return _Carried(next(iter(carried_by_vpc.values())))

    @cached_property
    def _peered_vpcs(self) -> Sequence[str]:
        return sorted(peered_vpcs(map(self._estate.security_group, self._load_balancer.security_groups)))

    def _nodes_peer(self, carried: _Carried, targets: tuple[TargetPeer, ...]) -> NodesPeer:
        family = targets[0].family
        nodes = self._nodes(family)
        return NodesPeer(
            family,
            nodes.cidrs,
            nodes.addresses,
            self._load_balancer_groups,
            carried.groups,
            targets,
            unread_addresses=nodes.unread,
            unread=carried.unread,
            unresolved=carried.unresolved,
        )

    def _nodes(self, family: Family) -> _Nodes:
        nodes = self._nodes_by_family.get(family)
        if nodes is None:
            nodes = self._nodes_by_family[family] = _nodes(self._estate, self._load_balancer, family)
        return nodes


def _targets_by_port(groups: Iterable[RequirementGroup]) -> list[tuple[RequirementGroup, Sequence[Peer]]]:
    """The first requirement group and the targets of each target group and port: a health check port may be the port of
    some targets."""
    groups_by_port: dict[tuple[str, Traffic, NotReadError | None], list[RequirementGroup]] = {}
    for group in groups:
        groups_by_port.setdefault((group.cause.arn, group.traffic, group.unread), []).append(group)
    return [
        (alike[0], alike[0].peers if len(alike) == 1 else [peer for group in alike for peer in group.peers])
        for alike in groups_by_port.values()
    ]


def _nodes(estate: Estate, load_balancer: LoadBalancer, family: Family) -> _Nodes:
    """The blocks of the enabled subnets; where one was not read, those of all that it may be, of the VPC, or else the
    whole family."""
    try:
        subnet_ids = require_known(load_balancer.subnet_ids, f"load balancer {load_balancer.name}")
        if not subnet_ids:
            raise NotReadError(f"subnets of {load_balancer.name}", "AvailabilityZones was not recorded")
        blocks = estate.subnet_cidrs(subnet_ids, family)
    except NotReadError as error:
        bound = (
            _possible_blocks(estate, load_balancer, family)
            or _vpc_blocks(estate, load_balancer, family)
            or (family.any_address_cidr,)
        )
        return _Nodes(bound, address_set(family, bound), error)
    return _Nodes(blocks, address_set(family, blocks), None)


def _possible_blocks(estate: Estate, load_balancer: LoadBalancer, family: Family) -> tuple[str, ...]:
    """The blocks of all subnets that a planned load balancer may have; none where they are not known."""
    try:
        return estate.subnet_cidrs(load_balancer.possible_subnet_ids, family)
    except NotReadError:
        return ()


def _vpc_blocks(estate: Estate, load_balancer: LoadBalancer, family: Family) -> tuple[str, ...]:
    """The blocks that hold every subnet; none where they are not known."""
    try:
        return estate.vpc(load_balancer.vpc_id).known_cidrs(family)
    except NotReadError:
        return ()


def _partly_known_groups(target: TargetPeer) -> _Carried:
    """The groups that must let the nodes in to a target of the target group's VPC, as far as they are known."""
    if target.unread is not None:
        # Groups that are known may let the nodes in, whatever the others are.
        return _Carried(tuple(sorted(target.security_groups)), unread=target.unread)
    if target.unresolved is not None:
        return _Carried(unresolved=target.unresolved)
    return _Carried(no_groups="its network interface has no security group")


def _abbreviate(target_ids: Iterable[str]) -> str:
    """The first targets and the number of the others."""
    names = list(target_ids)
    rest = len(names) - MAX_NAMED_TARGETS
    return f"{', '.join(names[:MAX_NAMED_TARGETS])}{f' +{rest}' if rest > 0 else ''}"


def _ports(group: TargetGroup) -> tuple[int | None, ...]:
    """The ports of a target group that the load balancer uses (None: each target's own port)."""
    health_check_port = group.known_health_check_port if group.known_health_checks_enabled else None
    # A dictionary drops repetitions.
    return tuple({None: None, health_check_port: None, group.known_target_control_port: None})


def _ports_to_read(group: TargetGroup) -> tuple[int | None, ...]:
    """As `_ports`, as far as they are known."""
    unknown = isinstance(group.health_checks_enabled, UnknownValue) or not group.health_checks_enabled
    ports = (None if unknown else group.health_check_port, group.target_control_port)
    return (None, *(port for port in ports if isinstance(port, int)))


RECOMMENDATION = Recommendation(
    name="ALB_SG_TARGET_INGRESS",
    title="Targets let the load balancer in",
    subject="Targets' security groups",
    requirement_text="Inbound TCP at every registered target, from the load balancer's security groups or from every "
    "address of its subnets, on the port it was registered with, on its target group's health check port and on the "
    "group's control port where it has one.",
    quote="Allow traffic from the load balancer on the instance listener port",
    page_section="Target security groups",
    page_url=f"{USER_GUIDE}/target-group-register-targets.html",
    severity=Severity.HIGH,
    direction=Direction.TARGET_INGRESS,
    parameters=COMMON_PARAMETERS,
    estate_sections=TARGET_SECTIONS | {Section.SUBNETS},
    # Each may change what is allowed, from or to whom, or on which port.
    trigger_types=(LISTENER_TYPE, TARGET_GROUP_TYPE, *PEER_TRIGGER_TYPES),
    display_order=5,
    requirements=requirements,
    plainly_met=plainly_met,
    target_ports=_ports_to_read,
    notes=target_notes,
    caveat="Network ACLs and routes also decide whether the load balancer reaches its targets; no rule judges them.",
)
