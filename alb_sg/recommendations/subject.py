"""The load balancer that recommendations ask something of, in its estate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from alb_sg.errors import Unread
from alb_sg.estate.cidr import Family
from alb_sg.estate.estate import Estate
from alb_sg.estate.model import LoadBalancer, Target, TargetGroup
from alb_sg.permissions.permissions import Direction, Traffic
from alb_sg.recommendations.endpoint import endpoint
from alb_sg.recommendations.requirement import Ask, Because, EndpointPeer

# TargetHealth.State in the Elastic Load Balancing API: no traffic is sent to these, whatever the groups say.
SKIPPED_STATES = frozenset({"draining", "unused"})


class Subject:
    """A load balancer, and what more than one recommendation asks of it, worked out once."""

    def __init__(self, estate: Estate, load_balancer: LoadBalancer) -> None:
        self.estate = estate
        self.load_balancer = load_balancer
        self._target_groups: tuple[TargetGroup, ...] | None = None
        self._instances: dict[tuple[Family, str], EndpointPeer] = {}
        self._sent_to: dict[str, Sequence[tuple[Target, EndpointPeer]]] = {}
        self._reaching: dict[tuple[str, int | None], tuple[Ask, ...]] = {}

    def target_groups(self) -> tuple[TargetGroup, ...]:
        """The target groups that it uses. Raises Unread."""
        if self._target_groups is None:
            self._target_groups = self.estate.target_groups_of(self.load_balancer)
        return self._target_groups

    def reaching(self, group: TargetGroup, port: int | None) -> tuple[Ask, ...]:
        """TCP to every target of a group that is sent to, on this port; None: on the target's own. Raises Unread."""
        known = self._reaching.get((group.arn, port))
        if known is None:
            because = Because("targetGroup", group.arn, f"target group {group.name}")
            known = self._reaching[group.arn, port] = tuple(
                [
                    Ask(Direction.EGRESS, Traffic.tcp(port_sent_to), peers, because)
                    for port_sent_to, peers in self._by_port(group, port)
                ]
            )
        return known

    def _by_port(self, group: TargetGroup, port: int | None) -> Iterator[tuple[int, tuple[EndpointPeer, ...]]]:
        """The targets of a group that are sent to on one port, in their order."""
        sent_to = self._targets_sent_to(group)
        if port is not None:
            if sent_to:
                yield port, tuple([peer for _, peer in sent_to])
            return
        for own_port, targets in groupby(sent_to, key=lambda pair: _own_port(group, pair[0])):
            yield own_port, tuple([peer for _, peer in targets])

    def _targets_sent_to(self, group: TargetGroup) -> Sequence[tuple[Target, EndpointPeer]]:
        """The registrations in a target group that are sent to, and where each is."""
        known = self._sent_to.get(group.arn)
        if known is None:
            # Tasks of one container instance share its id and differ in their ports; so do target groups of instances.
            endpoints = self._instances if group.target_type == "instance" else {}
            found: list[tuple[Target, EndpointPeer]] = []
            for target in self.estate.targets_of(group):
                if target.state not in SKIPPED_STATES:
                    key = (group.family, target.id)
                    peer = endpoints.get(key)
                    if peer is None:
                        peer = endpoints[key] = endpoint(self.estate, group, target.id)
                    found.append((target, peer))
            known = self._sent_to[group.arn] = found
        return known


def _own_port(group: TargetGroup, target: Target) -> int:
    """The port given at registration, else the target group's."""
    port = target.port if target.port is not None else group.port
    if port is None:
        raise Unread(f"port of target group {group.name}", "it was not recorded")
    return port
