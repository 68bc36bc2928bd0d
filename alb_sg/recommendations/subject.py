"""The load balancer that recommendations ask something of, in its estate."""

from __future__ import annotations

from collections.abc import Sequence

from alb_sg.errors import Unread
from alb_sg.estate.estate import Estate
from alb_sg.estate.model import LoadBalancer, Target, TargetGroup
from alb_sg.permissions.permissions import Direction, Traffic
from alb_sg.recommendations.endpoint import endpoint
from alb_sg.recommendations.requirement import Because, EndpointPeer, Requirement

# TargetHealth.State in the Elastic Load Balancing API: no traffic is sent to these, whatever the groups say.
SKIPPED_STATES = frozenset({"draining", "unused"})


class Subject:
    """A load balancer, and what more than one recommendation asks of it, worked out once."""

    def __init__(self, estate: Estate, load_balancer: LoadBalancer) -> None:
        self.estate = estate
        self.load_balancer = load_balancer
        self._target_groups: tuple[TargetGroup, ...] | None = None
        self._endpoints: dict[str, Sequence[tuple[Target, EndpointPeer]]] = {}
        self._reaching: dict[tuple[str, int | None], tuple[Requirement, ...]] = {}

    def target_groups(self) -> tuple[TargetGroup, ...]:
        """The target groups that it uses. Raises Unread."""
        if self._target_groups is None:
            self._target_groups = self.estate.target_groups_of(self.load_balancer)
        return self._target_groups

    def reaching(self, group: TargetGroup, port: int | None) -> tuple[Requirement, ...]:
        """TCP to every target of a group that is sent to, on this port; None: on the target's own. Raises Unread."""
        known = self._reaching.get((group.arn, port))
        if known is None:
            because = Because("targetGroup", group.arn, f"target group {group.name}")
            known = self._reaching[group.arn, port] = tuple(
                [
                    Requirement(
                        Direction.EGRESS, Traffic.tcp(_own_port(group, target) if port is None else port), peer, because
                    )
                    for target, peer in self._sent_to(group)
                ]
            )
        return known

    def _sent_to(self, group: TargetGroup) -> Sequence[tuple[Target, EndpointPeer]]:
        """The registrations in a target group that are sent to, and where each is."""
        known = self._endpoints.get(group.arn)
        if known is None:
            # Tasks of one container instance share its id and differ in their ports.
            endpoints: dict[str, EndpointPeer] = {}
            found: list[tuple[Target, EndpointPeer]] = []
            for target in self.estate.targets_of(group):
                if target.state not in SKIPPED_STATES:
                    peer = endpoints.get(target.id)
                    if peer is None:
                        peer = endpoints[target.id] = endpoint(self.estate, group, target.id)
                    found.append((target, peer))
            known = self._endpoints[group.arn] = found
        return known


def _own_port(group: TargetGroup, target: Target) -> int:
    """The port given at registration, else the target group's."""
    port = target.port if target.port is not None else group.port
    if port is None:
        raise Unread(f"port of target group {group.name}", "it was not recorded")
    return port
