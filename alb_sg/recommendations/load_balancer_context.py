"""The load balancer that recommendations ask something of, in its estate."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter

from alb_sg.errors import NotReadError
from alb_sg.estate.cidr import Family
from alb_sg.estate.estate import Estate
from alb_sg.estate.model import LoadBalancer, Target, TargetGroup
from alb_sg.permissions.allowed_traffic import EGRESS, Traffic
from alb_sg.recommendations.applicability import require_applicable
from alb_sg.recommendations.requirement import RequirementGroup, TargetPeer, new_requirement_group
from alb_sg.recommendations.target_peer import target_peer

# TargetHealth.State in the Elastic Load Balancing API: no traffic is sent to these, whatever the groups say.
STATES_WITHOUT_TRAFFIC = frozenset({"draining", "unused"})


class LoadBalancerContext:
    """A load balancer, and what more than one recommendation asks of it, worked out once.

    Raises NotApplicable for one of which nothing is asked at all.
    """

    def __init__(self, estate: Estate, load_balancer: LoadBalancer) -> None:
        require_applicable(load_balancer)
        self.estate = estate
        self.load_balancer = load_balancer
        self._target_groups: tuple[TargetGroup, ...] | None = None
        self._instance_peers: dict[Family, dict[str, TargetPeer]] = {}
        self._receiving_targets_by_group: dict[str, tuple[Sequence[Target], tuple[TargetPeer, ...]]] = {}
        self._target_requirements: dict[tuple[str, int | None], tuple[RequirementGroup, ...]] = {}

    def target_groups(self) -> tuple[TargetGroup, ...]:
        """The target groups that it uses. Raises NotReadError."""
        if self._target_groups is None:
            self._target_groups = self.estate.target_groups_of(self.load_balancer)
        return self._target_groups

    def target_requirements(self, group: TargetGroup, port: int | None) -> tuple[RequirementGroup, ...]:
        """TCP to every target of a group that is sent to, on this port; None: on the target's own. Raises
        NotReadError."""
        key = group.arn, port
        known = self._target_requirements.get(key)
        if known is None:
            known = self._target_requirements[key] = tuple(
                [
                    new_requirement_group((EGRESS, Traffic.tcp(port_sent_to), peers, group, False))
                    for port_sent_to, peers in self._peers_by_port(group, port)
                ]
            )
        return known

    def _peers_by_port(self, group: TargetGroup, port: int | None) -> Sequence[tuple[int, tuple[TargetPeer, ...]]]:
        """The targets of a group that are sent to on one port, in their order."""
        targets, peers = self._receiving_targets(group)
        if port is not None:
            return ((port, peers),) if peers else ()
        if len({target.port for target in targets}) == 1:
            return ((_own_port(group, targets[0]), peers),)
        own_ports = [_own_port(group, target) for target in targets]
        alike = groupby(zip(own_ports, peers, strict=True), key=itemgetter(0))
        return [(own_port, tuple([peer for _, peer in pairs])) for own_port, pairs in alike]

    def _receiving_targets(self, group: TargetGroup) -> tuple[Sequence[Target], tuple[TargetPeer, ...]]:
        """The registrations in a target group that are sent to, and where each is."""
        arn = group.arn
        known = self._receiving_targets_by_group.get(arn)
        if known is None:
            # Tasks of one container instance share its id and differ in their ports; so do target groups of instances.
            endpoints = self._instance_peers.setdefault(group.family, {}) if group.target_type == "instance" else {}
            targets, peers = [], []
            for target in self.estate.targets_of(group):
                target_id, _, state = target
                if state in STATES_WITHOUT_TRAFFIC:
                    continue
                peer = endpoints.get(target_id)
                if peer is None:
                    peer = endpoints[target_id] = target_peer(self.estate, group, target_id)
                targets.append(target)
                peers.append(peer)
            known = self._receiving_targets_by_group[arn] = targets, tuple(peers)
        return known


def _own_port(group: TargetGroup, target: Target) -> int:
    """The port given at registration, else the target group's."""
    port = target.port if target.port is not None else group.port
    if port is None:
        raise NotReadError(f"port of target group {group.name}", "it was not recorded")
    return port
