"""The load balancers to read, and how to find them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from alb_sg.estate.model import LoadBalancer, Target, TargetGroup


@dataclass(frozen=True)
class Selection:
    """The load balancers to read: the union of the fields.

    - `everything`: all of the account and region
    - `load_balancers`: by ARN or name
    - `security_groups`: all that have one of these security groups
    - `target_security_groups`: all that send to a target with one of these security groups
    - `vpcs`: all in one of these VPCs
    - `prefix_lists`: all whose security groups refer to one of these prefix lists
    - `target_groups` (ARNs): all that use them and, for type `alb`, all that are registered in them
    - `behind_network_load_balancers` (ARNs): all that are registered in their target groups of type `alb`
    - `sharing_groups_with` (ARNs): all that have a security group of one of these load balancers
    - `behind_deleted_load_balancers`: all that are registered in a target group of type `alb` that no load balancer
      uses, as the deletion of a Network Load Balancer leaves it

    A load balancer behind a Network Load Balancer that is selected by its security groups is selected as well.
    `also_security_groups` are read in addition to those of the load balancers, for a what-if about a change to them.
    """

    everything: bool = False
    load_balancers: frozenset[str] = frozenset()
    security_groups: frozenset[str] = frozenset()
    target_security_groups: frozenset[str] = frozenset()
    vpcs: frozenset[str] = frozenset()
    prefix_lists: frozenset[str] = frozenset()
    target_groups: frozenset[str] = frozenset()
    behind_network_load_balancers: frozenset[str] = frozenset()
    behind_deleted_load_balancers: bool = False
    sharing_groups_with: frozenset[str] = frozenset()
    also_security_groups: frozenset[str] = frozenset()

    @property
    def follows_target_groups(self) -> bool:
        """Whether finding the load balancers takes target groups."""
        return bool(
            self.target_groups
            or self.target_security_groups
            or self.behind_network_load_balancers
            or self.behind_deleted_load_balancers
        )

    @property
    def only_named(self) -> bool:
        """Whether every load balancer is named, so that no search is necessary."""
        searched = self.security_groups or self.vpcs or self.prefix_lists or self.sharing_groups_with
        return not (self.everything or searched or self.follows_target_groups)

    def followed_alb_target_groups(self, target_groups: Iterable[TargetGroup]) -> list[TargetGroup]:
        """The target groups of type `alb` whose registrations are selected."""
        return [
            group
            for group in target_groups
            if group.may_hold_load_balancers
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
        """The selected load balancers, sorted by ARN. Only `everything` and names select load balancers of other types
        than `application`."""
        load_balancers = tuple(load_balancers)
        groups = set(self.security_groups)
        for found in load_balancers:
            if found.arn in self.sharing_groups_with:
                groups.update(found.security_groups)
        related: set[str] = set()
        for arn in self.target_groups & target_groups.keys():
            related.update(target_groups[arn].load_balancer_arns or ())
        for group in self.followed_alb_target_groups(target_groups.values()):
            related.update(target.id for target in targets.get(group.arn, ()))

        def is_selected(load_balancer: LoadBalancer) -> bool:
            if self.everything or not self.load_balancers.isdisjoint((load_balancer.arn, load_balancer.name)):
                return True
            return load_balancer.may_be_application and (
                load_balancer.arn in related
                or load_balancer.vpc_id in self.vpcs
                or not groups.isdisjoint(load_balancer.security_groups)
            )

        return tuple(sorted(filter(is_selected, load_balancers), key=lambda load_balancer: load_balancer.arn))
