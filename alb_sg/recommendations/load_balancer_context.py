"""A load balancer in its estate, with the facts that several recommendations need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from alb_sg.errors import NotReadError
from alb_sg.estate.cidr import Family
from alb_sg.estate.estate import Estate
from alb_sg.estate.model import LoadBalancer, Target, TargetGroup
from alb_sg.permissions.allowed_traffic import ANY_TCP_PORT, Direction, Traffic
from alb_sg.recommendations.applicability import require_applicable
from alb_sg.recommendations.requirement import RequirementGroup, TargetPeer
from alb_sg.recommendations.target_peer import target_peer

# TargetHealth.State in the Elastic Load Balancing API: targets in these states receive no traffic.
STATES_WITHOUT_TRAFFIC = frozenset({"draining", "unused"})


class _TargetPort(NamedTuple):
    """The port of targets, or the reason why it is not known before a plan is applied. `doubt`: why it is not known
    whether they are targets of the group."""

    port: int | NotReadError
    doubt: NotReadError | None = None


class LoadBalancerContext:
    """Caches facts about one load balancer. Raises NotApplicable for one that no recommendation applies to."""

    def __init__(self, estate: Estate, load_balancer: LoadBalancer) -> None:
        require_applicable(load_balancer)
        self.estate = estate
        self.load_balancer = load_balancer
        self._target_groups: tuple[TargetGroup, ...] | None = None
        self._possible_target_groups: Mapping[str, NotReadError] | None = None
        self._instance_peers: dict[Family, dict[str, TargetPeer]] = {}
        self._receiving_targets_by_group: dict[str, tuple[Sequence[Target], tuple[TargetPeer, ...]]] = {}
        self._target_requirements: dict[tuple[str, int | None], Sequence[RequirementGroup]] = {}

    def target_groups(self) -> tuple[TargetGroup, ...]:
        """The target groups that the load balancer uses. Raises NotReadError."""
        if self._target_groups is None:
            self._target_groups = self.estate.target_groups_of(self.load_balancer)
        return self._target_groups

    def target_requirements(self, group: TargetGroup, port: int | None) -> Sequence[RequirementGroup]:
        """TCP to every target of a group that receives traffic, on this port; None: on the target's own port.

        Raises NotReadError.
        """
        key = group.arn, port
        requirements = self._target_requirements.get(key)
        if requirements is None:
            if self._possible_target_groups is None:
                self._possible_target_groups = self.estate.possible_target_groups_of(self.load_balancer)
            unread = self._possible_target_groups.get(group.arn)
            requirements = self._target_requirements[key] = [
                RequirementGroup(Direction.EGRESS, ANY_TCP_PORT, peers, group, unread=target_port)
                if isinstance(target_port, NotReadError)
                else RequirementGroup(Direction.EGRESS, Traffic.tcp(target_port), peers, group, unread=unread or doubt)
                for (target_port, doubt), peers in self._peers_by_port(group, port)
            ]
        return requirements

    def _peers_by_port(
        self, group: TargetGroup, port: int | None
    ) -> Sequence[tuple[_TargetPort, tuple[TargetPeer, ...]]]:
        """The targets of a group that receive traffic, in their order: consecutive ones with one port together."""
        targets, peers = self._receiving_targets(group)
        if port is not None and not self.estate.is_planned:
            return ((_TargetPort(port), peers),) if peers else ()
        own_ports = [
            _TargetPort(self._own_port(group, target) if port is None else port, _doubt(target)) for target in targets
        ]
        if len(set(own_ports)) == 1:
            return ((own_ports[0], peers),)
        pairs_by_port = groupby(zip(own_ports, peers, strict=True), key=itemgetter(0))
        return [(own_port, tuple(peer for _, peer in pairs)) for own_port, pairs in pairs_by_port]

    def _own_port(self, group: TargetGroup, target: Target) -> int | NotReadError:
        try:
            return group.port_of(target)
        except NotReadError as error:
            if not self.estate.is_planned:
                raise
            return error

    def _receiving_targets(self, group: TargetGroup) -> tuple[Sequence[Target], tuple[TargetPeer, ...]]:
        """The registrations in a target group that receive traffic, each with its peer."""
        cached = self._receiving_targets_by_group.get(group.arn)
        if cached is None:
            # Several registrations may share an instance and differ in their ports: tasks of one container instance,
            # or target groups of the same instances.
            of_instances = group.known_target_type == "instance"
            known_peers = self._instance_peers.setdefault(group.known_family, {}) if of_instances else {}
            targets, peers = [], []
            for target in self.estate.targets_of(group):
                if group.state_of(target) in STATES_WITHOUT_TRAFFIC:
                    continue
                peer = known_peers.get(target.id)
                if peer is None:
                    peer = known_peers[target.id] = target_peer(self.estate, group, target.id)
                targets.append(target)
                peers.append(peer)
            cached = self._receiving_targets_by_group[group.arn] = targets, tuple(peers)
        return cached


def _doubt(target: Target) -> NotReadError | None:
    """Why it is not known whether a target group has a target."""
    return None if target.unknown is None else target.unknown.error(f"target {target.id}")
