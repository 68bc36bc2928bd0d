"""Into which security group rules go: one of the load balancer's own that nothing forbids, or a new one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from alb_sg.errors import NotReadError
from alb_sg.estate.cidr import Family
from alb_sg.estate.estate import Estate
from alb_sg.estate.model import LoadBalancer, Permission
from alb_sg.permissions.allowed_traffic import Direction
from alb_sg.remediation.change_context import ChangeContext
from alb_sg.remediation.fix_request import GROUPS_PER_LOAD_BALANCER, FixPolicy, ManagedGroupPolicy, SharedGroupPolicy
from alb_sg.remediation.plan import Addition, FixRefusedError, NewGroup, RefusalReason
from alb_sg.remediation.quota import count_rules
from alb_sg.remediation.required_rules import RequiredRule
from alb_sg.remediation.resource_managers import find_manager

# Who carries a group is named up to here, then counted.
MAX_NAMED_RESOURCES = 3


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why rules do not go into a group: `text` goes on from its id."""

    reason: RefusalReason
    text: str


def dedicated_group_name(load_balancer: LoadBalancer) -> str:
    return f"alb-sg-{load_balancer.name}"


class GroupSelector:
    """Chooses a security group for the rules of one load balancer."""

    def __init__(self, estate: Estate, load_balancer: LoadBalancer, context: ChangeContext, policy: FixPolicy) -> None:
        self._estate = estate
        self._load_balancer = load_balancer
        self._context = context
        self._policy = policy

    def select_group(
        self, required: Sequence[RequiredRule], planned: Sequence[Addition], new_group: NewGroup | None
    ) -> tuple[str | None, NewGroup | None]:
        """The group for all of these rules, besides those planned: an id, or None and the new group.

        Raises Refused, and NotReadError where what decides it was not read.
        """
        found = [(group_id, self._obstacles(group_id, required, planned)) for group_id in self._ordered_group_ids()]
        for group_id, obstacles in found:
            if not obstacles:
                return group_id, new_group
        why = "; ".join(f"{group_id} {obstacle.text}" for group_id, obstacles in found for obstacle in obstacles)
        kept = frozenset({RefusalReason.MANAGED, RefusalReason.OTHER_OWNER})
        free = [obstacles for _, obstacles in found if all(obstacle.reason not in kept for obstacle in obstacles)]
        if not free:
            group_id, obstacles = next(
                (pair for pair in found if any(one.reason is RefusalReason.MANAGED for one in pair[1])), found[0]
            )
            raise FixRefusedError(next(one.reason for one in obstacles if one.reason in kept), why, group_id)
        if self._policy.shared_group is SharedGroupPolicy.REFUSE:
            raise FixRefusedError(free[0][0].reason, f"{why}; a group of its own would do, and is not wanted")
        group = new_group or self._make_new_group(why)
        self._require_room_in_new_group(required, planned)
        return None, group

    def _ordered_group_ids(self) -> list[str]:
        """The load balancer's groups, the one that was made for it first."""
        name = dedicated_group_name(self._load_balancer)
        own = self._load_balancer.security_groups
        return sorted(own, key=lambda group_id: (self._estate.security_group(group_id).name != name, group_id))

    def _obstacles(self, group_id: str, wanted: Iterable[RequiredRule], planned: Iterable[Addition]) -> list[Obstacle]:
        found: list[Obstacle] = []
        facts = self._context.group(group_id)
        owner = self._load_balancer.account_id
        if facts is None or facts.owner_id != owner:
            whose = "of an owner who is not known" if facts is None else f"of account {facts.owner_id}"
            found.append(Obstacle(RefusalReason.OTHER_OWNER, f"is {whose}, not of {owner}"))
        manager = None if facts is None else find_manager(facts.tags)
        if manager is not None and self._policy.managed_group is ManagedGroupPolicy.REFUSE:
            found.append(
                Obstacle(RefusalReason.MANAGED, f"is managed by {manager}, which may take the change back: ask there")
            )
        others = self._context.other_resources_with(group_id)
        if others:
            more = f" and {len(others) - MAX_NAMED_RESOURCES} more" if len(others) > MAX_NAMED_RESOURCES else ""
            names = f"{', '.join(others[:MAX_NAMED_RESOURCES])}{more}"
            found.append(Obstacle(RefusalReason.SHARED, f"is shared with {names}, which the rules would open too"))
        full = self._quota_problem(group_id, wanted, planned)
        if full is not None:
            found.append(Obstacle(RefusalReason.RULE_QUOTA, full))
        return found

    def _quota_problem(self, group_id: str, wanted: Iterable[RequiredRule], planned: Iterable[Addition]) -> str | None:
        """Why the rules do not fit; None where they do."""
        group = self._estate.security_group(group_id)
        for direction in Direction:
            there = group.ingress if direction is Direction.INGRESS else group.egress
            to_come = [one.permission for one in planned if (one.group_id, one.direction) == (group_id, direction)]
            more = [one.permission for one in wanted if one.direction is direction]
            try:
                over = self._exceeded_quota(there, [*to_come, *more]) if more else None
            except NotReadError as error:
                return f"may be full ({error})"
            if over is not None:
                return f"has no room for {len(more)} more {direction.value} rule{'s' * (len(more) != 1)} ({over})"
        return None

    def _require_room_in_new_group(self, wanted: Iterable[RequiredRule], planned: Iterable[Addition]) -> None:
        """Raises Refused where the rules do not fit into a new group either, NotReadError where that cannot be told."""
        for direction in Direction:
            rules = [one.permission for one in planned if (one.group_id, one.direction) == (None, direction)]
            rules += [one.permission for one in wanted if one.direction is direction]
            over = self._exceeded_quota((), rules)
            if over is not None:
                raise FixRefusedError(
                    RefusalReason.RULE_QUOTA,
                    f"{len(rules)} {direction.value} rules do not fit into one security group ({over})",
                )

    def _exceeded_quota(self, there: Sequence[Permission], more: Sequence[Permission]) -> str | None:
        """Of which quota there would be too much; None where there would not. Raises NotReadError."""
        for family in Family:
            added = self._count_rules(more, family)
            total = self._count_rules(there, family) + added if added else 0
            if total > self._policy.rules_per_group:
                return f"{total} {family.label} rules of {self._policy.rules_per_group}"
        return None

    def _count_rules(self, permissions: Iterable[Permission], family: Family) -> int:
        return count_rules(permissions, family, self._prefix_list_weight)

    def _prefix_list_weight(self, prefix_list_id: str) -> tuple[int | None, Family | None]:
        facts = self._context.prefix_list(prefix_list_id)
        return facts.weight, facts.family

    def _make_new_group(self, why: str) -> NewGroup:
        load_balancer = self._load_balancer
        if len(load_balancer.security_groups) >= GROUPS_PER_LOAD_BALANCER:
            raise FixRefusedError(
                RefusalReason.GROUP_QUOTA,
                f"{why}; the load balancer has {len(load_balancer.security_groups)} security groups already, and no "
                "room for one of its own",
            )
        manager = find_manager(self._context.require_load_balancer_tags())
        if manager is not None and self._policy.managed_group is ManagedGroupPolicy.REFUSE:
            raise FixRefusedError(
                RefusalReason.MANAGED,
                f"{why}; the load balancer is managed by {manager}, which may take a group of its own off it again: "
                "ask there",
            )
        name = dedicated_group_name(load_balancer)
        taken = self._context.group_by_name(name, load_balancer.vpc_id)
        if taken is not None:
            carried = taken.id in load_balancer.security_groups
            todo = "it will not do" if carried else "the load balancer does not carry it; delete it, or add it"
            raise FixRefusedError(
                RefusalReason.NAME_TAKEN, f"{why}; a security group {name} is there already ({taken.id}): {todo}"
            )
        return NewGroup(name, load_balancer.vpc_id, why)
