"""Into which security group rules go: one of the load balancer's own that nothing forbids, or a new one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from alb_sg.errors import Unread
from alb_sg.estate.cidr import Family
from alb_sg.estate.estate import Estate
from alb_sg.estate.model import LoadBalancer, Permission
from alb_sg.permissions.permissions import Direction
from alb_sg.remediation.circumstances import Circumstances
from alb_sg.remediation.management import managed_by
from alb_sg.remediation.needed import Needed
from alb_sg.remediation.plan import Addition, NewGroup, Reason, Refused
from alb_sg.remediation.policy import GROUPS_PER_LOAD_BALANCER, ManagedGroup, Policy, SharedGroup
from alb_sg.remediation.quota import rules_counted

# Who carries a group is named up to here, then counted.
NAMED = 3


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why rules do not go into a group: `text` goes on from its id."""

    reason: Reason
    text: str


def dedicated_name(load_balancer: LoadBalancer) -> str:
    return f"alb-sg-{load_balancer.name}"


class Placement:
    """Chooses a security group for the rules of one load balancer."""

    def __init__(
        self, estate: Estate, load_balancer: LoadBalancer, circumstances: Circumstances, policy: Policy
    ) -> None:
        self._estate = estate
        self._load_balancer = load_balancer
        self._circumstances = circumstances
        self._policy = policy

    def place(
        self, wanted: Sequence[Needed], planned: Sequence[Addition], new_group: NewGroup | None
    ) -> tuple[str | None, NewGroup | None]:
        """The group for all of these rules, besides those planned: an id, or None and the new group.

        Raises Refused, and Unread where what decides it was not read.
        """
        found = [(group_id, self._obstacles(group_id, wanted, planned)) for group_id in self._groups()]
        for group_id, obstacles in found:
            if not obstacles:
                return group_id, new_group
        why = "; ".join(f"{group_id} {obstacle.text}" for group_id, obstacles in found for obstacle in obstacles)
        kept = frozenset({Reason.MANAGED, Reason.OWNER})
        free = [obstacles for _, obstacles in found if all(obstacle.reason not in kept for obstacle in obstacles)]
        if not free:
            group_id, obstacles = next(
                (pair for pair in found if any(one.reason is Reason.MANAGED for one in pair[1])), found[0]
            )
            raise Refused(next(one.reason for one in obstacles if one.reason in kept), why, group_id)
        if self._policy.shared_group is SharedGroup.REFUSE:
            raise Refused(free[0][0].reason, f"{why}; a group of its own would do, and is not wanted")
        group = new_group or self._new_group(why)
        self._must_fit(wanted, planned)
        return None, group

    def _groups(self) -> list[str]:
        """The load balancer's groups, the one that was made for it first."""
        name = dedicated_name(self._load_balancer)
        own = self._load_balancer.security_groups
        return sorted(own, key=lambda group_id: (self._estate.security_group(group_id).name != name, group_id))

    def _obstacles(self, group_id: str, wanted: Iterable[Needed], planned: Iterable[Addition]) -> list[Obstacle]:
        found: list[Obstacle] = []
        facts = self._circumstances.group(group_id)
        owner = self._load_balancer.account_id
        if facts is None or facts.owner_id != owner:
            whose = "of an owner who is not known" if facts is None else f"of account {facts.owner_id}"
            found.append(Obstacle(Reason.OWNER, f"is {whose}, not of {owner}"))
        manager = None if facts is None else managed_by(facts.tags)
        if manager is not None and self._policy.managed_group is ManagedGroup.REFUSE:
            found.append(
                Obstacle(Reason.MANAGED, f"is managed by {manager}, which may take the change back: ask there")
            )
        others = self._circumstances.others_that_carry(group_id)
        if others:
            more = f" and {len(others) - NAMED} more" if len(others) > NAMED else ""
            names = f"{', '.join(others[:NAMED])}{more}"
            found.append(Obstacle(Reason.SHARED, f"is shared with {names}, which the rules would open too"))
        full = self._full(group_id, wanted, planned)
        if full is not None:
            found.append(Obstacle(Reason.QUOTA, full))
        return found

    def _full(self, group_id: str, wanted: Iterable[Needed], planned: Iterable[Addition]) -> str | None:
        """Why the rules do not fit; None where they do."""
        group = self._estate.security_group(group_id)
        for direction in Direction:
            there = group.ingress if direction is Direction.INGRESS else group.egress
            to_come = [one.permission for one in planned if (one.group_id, one.direction) == (group_id, direction)]
            more = [one.permission for one in wanted if one.direction is direction]
            try:
                over = self._over(there, [*to_come, *more]) if more else None
            except Unread as error:
                return f"may be full ({error})"
            if over is not None:
                return f"has no room for {len(more)} more {direction.value} rule{'s' * (len(more) != 1)} ({over})"
        return None

    def _must_fit(self, wanted: Iterable[Needed], planned: Iterable[Addition]) -> None:
        """Raises Refused where the rules do not fit into a new group either, Unread where that cannot be told."""
        for direction in Direction:
            rules = [one.permission for one in planned if (one.group_id, one.direction) == (None, direction)]
            rules += [one.permission for one in wanted if one.direction is direction]
            over = self._over((), rules)
            if over is not None:
                raise Refused(
                    Reason.QUOTA, f"{len(rules)} {direction.value} rules do not fit into one security group ({over})"
                )

    def _over(self, there: Sequence[Permission], more: Sequence[Permission]) -> str | None:
        """Of which quota there would be too much; None where there would not. Raises Unread."""
        for family in Family:
            added = self._count(more, family)
            total = self._count(there, family) + added if added else 0
            if total > self._policy.rules_per_group:
                return f"{total} {family.label} rules of {self._policy.rules_per_group}"
        return None

    def _count(self, permissions: Iterable[Permission], family: Family) -> int:
        return rules_counted(permissions, family, self._weight)

    def _weight(self, prefix_list_id: str) -> tuple[int | None, Family | None]:
        facts = self._circumstances.prefix_list(prefix_list_id)
        return facts.weight, facts.family

    def _new_group(self, why: str) -> NewGroup:
        load_balancer = self._load_balancer
        if len(load_balancer.security_groups) >= GROUPS_PER_LOAD_BALANCER:
            raise Refused(
                Reason.GROUPS,
                f"{why}; the load balancer has {len(load_balancer.security_groups)} security groups already, and no "
                "room for one of its own",
            )
        manager = managed_by(self._circumstances.tags_of_load_balancer())
        if manager is not None and self._policy.managed_group is ManagedGroup.REFUSE:
            raise Refused(
                Reason.MANAGED,
                f"{why}; the load balancer is managed by {manager}, which may take a group of its own off it again: "
                "ask there",
            )
        name = dedicated_name(load_balancer)
        taken = self._circumstances.named(name, load_balancer.vpc_id)
        if taken is not None:
            carried = taken.id in load_balancer.security_groups
            todo = "it will not do" if carried else "the load balancer does not carry it; delete it, or add it"
            raise Refused(Reason.NAME, f"{why}; a security group {name} is there already ({taken.id}): {todo}")
        return NewGroup(name, load_balancer.vpc_id, why)
