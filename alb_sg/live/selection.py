"""Which load balancers a question is about, and how they are found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from alb_sg.estate.model import LoadBalancer, Target, TargetGroup


@dataclass(frozen=True)
class Selection:
    """The load balancers of a question: the union of what its fields mean.

    `everything`: all of the account and region. `load_balancers`: those of these ARNs or names. `carrying`: all
    that carry one of these security groups. `target_groups` (ARNs): the load balancers that use them and, for
    type `alb`, those registered in them. `behind` (ARNs of Network Load Balancers): those registered in their
    target groups of type `alb`. `behind_deleted`: those registered in target groups of type `alb` that no load
    balancer uses any more, as a Network Load Balancer leaves them when it is deleted.

    `also_security_groups` are read besides those of the load balancers, for a question about a change to them.
    """

    everything: bool = False
    load_balancers: frozenset[str] = frozenset()
    security_groups: frozenset[str] = frozenset()
    target_groups: frozenset[str] = frozenset()
    behind_network_load_balancers: frozenset[str] = frozenset()
    behind_deleted_load_balancers: bool = False
    also_security_groups: frozenset[str] = frozenset()

    @property
    def follows_target_groups(self) -> bool:
        """Whether target groups are needed to find the load balancers."""
        return bool(self.target_groups or self.behind_network_load_balancers or self.behind_deleted_load_balancers)

    @property
    def only_named(self) -> bool:
        """Whether every load balancer that is meant is named, so that none has to be searched for."""
        return not (self.everything or self.security_groups or self.follows_target_groups)

    def followed_alb_target_groups(self, target_groups: Iterable[TargetGroup]) -> list[TargetGroup]:
        """The target groups of type `alb` whose registrations are meant."""
        return [
            group
            for group in target_groups
            if group.target_type == "alb"
            and (
                group.arn in self.target_groups
                or not self.behind_network_load_balancers.isdisjoint(group.load_balancer_arns or ())
                or (self.behind_deleted_load_balancers and not group.load_balancer_arns)
            )
        ]

    def select(
        self,
        load_balancers: Iterable[LoadBalancer],
        target_groups: Mapping[str, TargetGroup],
        targets: Mapping[str, tuple[Target, ...]],
    ) -> tuple[LoadBalancer, ...]:
        """The load balancers that are meant, by ARN. Only `everything` or a name means one that is no
        Application Load Balancer."""
        found: set[str] = set()
        for arn in self.target_groups & target_groups.keys():
            found.update(target_groups[arn].load_balancer_arns or ())
        for group in self.followed_alb_target_groups(target_groups.values()):
            found.update(target.id for target in targets.get(group.arn, ()))

        def meant(load_balancer: LoadBalancer) -> bool:
            if self.everything or not self.load_balancers.isdisjoint((load_balancer.arn, load_balancer.name)):
                return True
            return load_balancer.type == "application" and (
                load_balancer.arn in found or not self.security_groups.isdisjoint(load_balancer.security_groups)
            )

        return tuple(sorted(filter(meant, load_balancers), key=lambda load_balancer: load_balancer.arn))
