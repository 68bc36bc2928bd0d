"""A load balancer in its estate, with the facts that several recommendations need."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple, TypeVar

from alb_sg.errors import NotReadError
from alb_sg.estate.cidr import Family
from alb_sg.estate.estate import Estate
from alb_sg.estate.model import LoadBalancer, Target, TargetGroup, require_known
from alb_sg.permissions.allowed_traffic import ANY_TCP_PORT, Direction, Traffic
from alb_sg.recommendations.applicability import require_applicable
from alb_sg.recommendations.requirement import RequirementGroup, TargetPeer
from alb_sg.recommendations.target_peer import target_peer

T = TypeVar("T")

# TargetHealth.State in the Elastic Load Balancing API: targets in these states receive no traffic.
STATES_WITHOUT_TRAFFIC = frozenset({"draining", "unused"})
# Most targets are in these states. Others that receive traffic are decided one by one.
RECEIVING_STATES = frozenset({"healthy", "unhealthy", "initial", None})


class _ReceivingTargets(NamedTuple):
    """The registrations in a target group that receive traffic, each with its peer."""

    targets: Sequence[Target]
    peers: tuple[TargetPeer, ...]


class _PlannedPort(NamedTuple):
    """The port of targets, or the reason why it is not known before a plan is applied. `doubt`: why it is not known
    whether they are targets of the group. `may_be_of_others`: perhaps no group of the load balancer has them."""

    port: int | NotReadError
    doubt: NotReadError | None
    may_be_of_others: bool


class LoadBalancerContext:
    """Caches facts about one load balancer. Raises NotApplicable for one that no recommendation applies to."""

    def __init__(self, estate: Estate, load_balancer: LoadBalancer) -> None:
        require_applicable(load_balancer)
        self.estate = estate
        self.load_balancer = load_balancer
        self._target_groups: tuple[TargetGroup, ...] | None = None
        self._possible_target_groups: Mapping[str, NotReadError] | None = None
        self._instance_peers: dict[Family, dict[str, TargetPeer]] = {}
        self._receiving_targets_by_group: dict[str, _ReceivingTargets] = {}
        self._target_requirements: dict[tuple[str, int | None], Sequence[RequirementGroup]] = {}

    def target_groups(self) -> tuple[TargetGroup, ...]:
        """The target groups that the load balancer uses, whose types are known. Raises NotReadError."""
        if self._target_groups is None:
            groups = self.estate.target_groups_of(self.load_balancer)
            for group in groups:
                require_known(group.target_type, f"target group {group.name}")
            self._target_groups = groups
        return self._target_groups

    def target_requirements(self, group: TargetGroup, port: int | None) -> Sequence[RequirementGroup]:
        """TCP to every target of a group that receives traffic, on this port; None: on the target's own port.

        Consecutive targets with one port are together. Raises NotReadError.
        """
        key = group.arn, port
        requirements = self._target_requirements.get(key)
        if requirements is None:
            require = self._planned_requirements if self.estate.is_planned else self._known_requirements
            requirements = self._target_requirements[key] = require(group, port)
        return requirements

    def _known_requirements(self, group: TargetGroup, port: int | None) -> Sequence[RequirementGroup]:
        targets, peers = self._receiving_targets(group)
        if not peers:
            return ()
        if port is None and len({target.port for target in targets}) == 1:
            port = group.port_of(targets[0])
        if port is not None:
            return (RequirementGroup(Direction.EGRESS, Traffic.tcp(port), peers, group),)
        ports = [group.port_of(target) for target in targets]
        return [
            RequirementGroup(Direction.EGRESS, Traffic.tcp(own_port), own_peers, group)
            for own_port, own_peers in _group_peers(ports, peers)
        ]

    def _planned_requirements(self, group: TargetGroup, port: int | None) -> Sequence[RequirementGroup]:
        """As `_known_requirements`, where some values are not known before a plan is applied."""
        if self._possible_target_groups is None:
            self._possible_target_groups = self.estate.possible_target_groups_of(self.load_balancer)
        unread = self._possible_target_groups.get(group.arn)
        targets, peers = self._receiving_targets(group)
        ports = [
            _PlannedPort(
                _planned_port(group, target) if port is None else port, _doubt(target), self._may_be_of_others(target)
            )
            for target in targets
        ]
        requirements = []
        for (own_port, doubt, may_be_of_others), own_peers in _group_peers(ports, peers):
            traffic, upper_bound = (
                (ANY_TCP_PORT, own_port)
                if isinstance(own_port, NotReadError)
                else (Traffic.tcp(own_port), unread or doubt)
            )
            perhaps_nothing = unread or (doubt if may_be_of_others else None)
            requirements.append(
                RequirementGroup(Direction.EGRESS, traffic, own_peers, group, unread=upper_bound, doubt=perhaps_nothing)
            )
        return requirements

    def _may_be_of_others(self, target: Target) -> bool:
        """Whether a target whose target group is not known may be in none of the load balancer's."""
        if target.unknown is None:
            return False
        possible = target.possible_target_group_arns
        return not possible or not {group.arn for group in self.target_groups()}.issuperset(possible)

    def _receiving_targets(self, group: TargetGroup) -> _ReceivingTargets:
        cached = self._receiving_targets_by_group.get(group.arn)
        if cached is None:
            # Several registrations may share an instance and differ in their ports: tasks of one container instance,
            # or target groups of the same instances.
            of_instances = group.target_type == "instance"
            known_peers = self._instance_peers.setdefault(group.known_family, {}) if of_instances else {}
            targets = self.estate.targets_of(group)
            if not RECEIVING_STATES.issuperset([target.state for target in targets]):
                targets = tuple([one for one in targets if group.state_of(one) not in STATES_WITHOUT_TRAFFIC])
            peers = []
            for target in targets:
                peer = known_peers.get(target.id)
                if peer is None:
                    peer = known_peers[target.id] = target_peer(self.estate, group, target.id)
                peers.append(peer)
            cached = _ReceivingTargets(targets, tuple(peers))
            self._receiving_targets_by_group[group.arn] = cached
        return cached


def _group_peers(ports: Sequence[T], peers: Sequence[TargetPeer]) -> Iterator[tuple[T, tuple[TargetPeer, ...]]]:
    """The ports of targets, in their order, each with the consecutive peers that have it."""
    for port, pairs in groupby(zip(ports, peers, strict=True), key=itemgetter(0)):
        yield port, tuple([peer for _, peer in pairs])


def _planned_port(group: TargetGroup, target: Target) -> int | NotReadError:
    try:
        return group.port_of(target)
    except NotReadError as error:
        return error


def _doubt(target: Target) -> NotReadError | None:
    """Why it is not known whether a target group has a target."""
    return None if target.unknown is None else target.unknown.error(f"target {target.id}")
