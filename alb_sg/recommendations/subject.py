"""The load balancer that recommendations ask something of, in its estate."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter

from alb_sg.errors import Unread
from alb_sg.estate.cidr import Family
from alb_sg.estate.estate import Estate
from alb_sg.estate.model import LoadBalancer, Target, TargetGroup
from alb_sg.permissions.permissions import EGRESS, Traffic
from alb_sg.recommendations.endpoint import endpoint
from alb_sg.recommendations.judged import must_be_judged
from alb_sg.recommendations.requirement import Ask, EndpointPeer, new_ask

# TargetHealth.State in the Elastic Load Balancing API: no traffic is sent to these, whatever the groups say.
SKIPPED_STATES = frozenset({"draining", "unused"})


class Subject:
    """A load balancer, and what more than one recommendation asks of it, worked out once.

    Raises NotApplicable for one of which nothing is asked at all.
    """

    def __init__(self, estate: Estate, load_balancer: LoadBalancer) -> None:
        must_be_judged(load_balancer)
        self.estate = estate
        self.load_balancer = load_balancer
        self._target_groups: tuple[TargetGroup, ...] | None = None
        self._instances: dict[Family, dict[str, EndpointPeer]] = {}
        self._known_sent_to: dict[str, tuple[Sequence[Target], tuple[EndpointPeer, ...]]] = {}
        self._reaching: dict[tuple[str, int | None], tuple[Ask, ...]] = {}

    def target_groups(self) -> tuple[TargetGroup, ...]:
        """The target groups that it uses. Raises Unread."""
        if self._target_groups is None:
            self._target_groups = self.estate.target_groups_of(self.load_balancer)
        return self._target_groups

    def reaching(self, group: TargetGroup, port: int | None) -> tuple[Ask, ...]:
        """TCP to every target of a group that is sent to, on this port; None: on the target's own. Raises Unread."""
        key = group.arn, port
        known = self._reaching.get(key)
        if known is None:
            known = self._reaching[key] = tuple(
                [
                    new_ask((EGRESS, Traffic.tcp(port_sent_to), peers, group, False))
                    for port_sent_to, peers in self._by_port(group, port)
                ]
            )
        return known

    def _by_port(self, group: TargetGroup, port: int | None) -> Sequence[tuple[int, tuple[EndpointPeer, ...]]]:
        """The targets of a group that are sent to on one port, in their order."""
        targets, peers = self._sent_to(group)
        if port is not None:
            return ((port, peers),) if peers else ()
        if len({target.port for target in targets}) == 1:
            return ((_own_port(group, targets[0]), peers),)
        own_ports = [_own_port(group, target) for target in targets]
        alike = groupby(zip(own_ports, peers, strict=True), key=itemgetter(0))
        return [(own_port, tuple([peer for _, peer in pairs])) for own_port, pairs in alike]

    def _sent_to(self, group: TargetGroup) -> tuple[Sequence[Target], tuple[EndpointPeer, ...]]:
        """The registrations in a target group that are sent to, and where each is."""
        arn = group.arn
        known = self._known_sent_to.get(arn)
        if known is None:
            # Tasks of one container instance share its id and differ in their ports; so do target groups of instances.
            endpoints = self._instances.setdefault(group.family, {}) if group.target_type == "instance" else {}
            targets, peers = [], []
            for target in self.estate.targets_of(group):
                target_id, _, state = target
                if state in SKIPPED_STATES:
                    continue
                peer = endpoints.get(target_id)
                if peer is None:
                    peer = endpoints[target_id] = endpoint(self.estate, group, target_id)
                targets.append(target)
                peers.append(peer)
            known = self._known_sent_to[arn] = targets, tuple(peers)
        return known


def _own_port(group: TargetGroup, target: Target) -> int:
    """The port given at registration, else the target group's."""
    port = target.port if target.port is not None else group.port
    if port is None:
        raise Unread(f"port of target group {group.name}", "it was not recorded")
    return port
