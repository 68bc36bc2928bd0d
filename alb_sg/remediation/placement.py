"""The security group that gets the new rules: one of the load balancer's groups, or a dedicated new one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from alb_sg.errors import NotReadError
from alb_sg.estate.cidr import Family
from alb_sg.estate.estate import Estate
from alb_sg.estate.model import LoadBalancer, Permission, SecurityGroup
from alb_sg.findings.near_misses import DEFAULT_GROUP_NAME
from alb_sg.permissions.allowed_traffic import RULE_DIRECTIONS, Direction
from alb_sg.remediation.change_context import ChangeContext
from alb_sg.remediation.fix_request import GROUPS_PER_LOAD_BALANCER, FixPolicy, ManagedGroupPolicy, SharedGroupPolicy
from alb_sg.remediation.plan import Addition, FixRefusedError, NewGroup, RefusalReason
from alb_sg.remediation.quota import count_rules
from alb_sg.remediation.required_rules import RequiredRule
from alb_sg.remediation.resource_managers import find_group_manager, find_manager

# A text names this many of the resources that share a group, and counts the rest.
MAX_NAMED_RESOURCES = 3
# Somebody else decides about these groups.
FOREIGN_REASONS = frozenset({RefusalReason.MANAGED, RefusalReason.OTHER_OWNER})


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a group must not get rules. `text` continues a sentence that starts with the group's id."""

    reason: RefusalReason
    text: str


def dedicated_group_name(load_balancer: LoadBalancer) -> str:
    return f"alb-sg-{load_balancer.name}"


class GroupSelector:
    """Selects a security group for the rules of one load balancer."""

    def __init__(self, estate: Estate, load_balancer: LoadBalancer, context: ChangeContext, policy: FixPolicy) -> None:
        self._estate = estate
        self._load_balancer = load_balancer
        self._context = context
        self._policy = policy

    def select_group(
        self, required: Sequence[RequiredRule], planned: Sequence[Addition], new_group: NewGroup | None
    ) -> tuple[str | None, NewGroup | None]:
        """One group for all required rules, beside those planned: its id, or None for the new group.

        The second value is the plan's new group, which is `new_group` or one that this call plans.

        Raises FixRefusedError if no group may get the rules, NotReadError if a fact that decides it was not read.
        """
        obstacles_by_group = {
            group_id: self._obstacles(group_id, required, planned) for group_id in self._ordered_group_ids()
        }
        for group_id, obstacles in obstacles_by_group.items():
            if not obstacles:
                return group_id, new_group
        why = "; ".join(
            f"{group_id} {obstacle.text}"
            for group_id, obstacles in obstacles_by_group.items()
            for obstacle in obstacles
        )
        changeable = [
            obstacles
            for obstacles in obstacles_by_group.values()
            if all(obstacle.reason not in FOREIGN_REASONS for obstacle in obstacles)
        ]
        if not changeable:
            raise _foreign_groups_error(obstacles_by_group, why)
        if self._policy.shared_group is SharedGroupPolicy.REFUSE:
            raise FixRefusedError(changeable[0][0].reason, f"{why}; a group of its own would do, and is not wanted")
        group = new_group or self._plan_new_group(why)
        self._require_room_in_new_group(required, planned)
        return None, group

    def select_target_group(self, required: Sequence[RequiredRule], planned: Sequence[Addition]) -> str:
        """The group for rules that one of some targets' groups must have: of those that may be changed, the one that
        fewest others carry, and rather another one than the VPC's default group. It may be shared: the plan says with
        whom.

        Raises FixRefusedError if none of them may get the rules, NotReadError if a fact that decides it was not read.
        """
        group_ids = sorted(
            required[0].target_groups,
            key=lambda group_id: (
                len(self._context.other_resources_with(group_id)),
                self._estate.security_group(group_id).name == DEFAULT_GROUP_NAME,
                group_id,
            ),
        )
        refused: list[tuple[str, Obstacle]] = []
        for group_id in group_ids:
            obstacles = self._obstacles(group_id, required, planned, may_be_shared=True)
            if not obstacles:
                return group_id
            refused += ((group_id, obstacle) for obstacle in obstacles)
        why = "; ".join(f"{group_id} {obstacle.text}" for group_id, obstacle in refused)
        group_id, obstacle = refused[0]
        raise FixRefusedError(obstacle.reason, why, group_id)

    def _ordered_group_ids(self) -> list[str]:
        """The load balancer's groups by id, its dedicated group first, and the VPC's default group last: whatever is
        launched without a group gets that one."""
        dedicated = dedicated_group_name(self._load_balancer)
        names = {
            group_id: self._estate.security_group(group_id).name for group_id in self._load_balancer.security_groups
        }
        return sorted(names, key=lambda one: (names[one] != dedicated, names[one] == DEFAULT_GROUP_NAME, one))

    def _obstacles(
        self,
        group_id: str,
        required: Iterable[RequiredRule],
        planned: Iterable[Addition],
        *,
        may_be_shared: bool = False,
    ) -> list[Obstacle]:
        group = self._context.group(group_id)
        obstacles = (
            self._owner_obstacle(None if group is None else group.owner_id),
            None if group is None else self._manager_obstacle(group),
            None if may_be_shared else self._sharing_obstacle(group_id),
            self._quota_obstacle(group_id, required, planned),
        )
        return [obstacle for obstacle in obstacles if obstacle is not None]

    def _owner_obstacle(self, owner_id: str | None) -> Obstacle | None:
        account_id = self._load_balancer.account_id
        if owner_id == account_id:
            return None
        owner = "of an unknown owner" if owner_id is None else f"of account {owner_id}"
        return Obstacle(RefusalReason.OTHER_OWNER, f"is {owner}, not of {account_id}")

    def _manager_obstacle(self, group: SecurityGroup) -> Obstacle | None:
        manager = find_group_manager(group) if self._refuses_managed else None
        if manager is None:
            return None
        return Obstacle(RefusalReason.MANAGED, f"is managed by {manager}, which may take the change back: ask there")

    @property
    def _refuses_managed(self) -> bool:
        return self._policy.managed_group is ManagedGroupPolicy.REFUSE

    def _sharing_obstacle(self, group_id: str) -> Obstacle | None:
        others = self._context.other_resources_with(group_id)
        if not others:
            return None
        rest = f" and {len(others) - MAX_NAMED_RESOURCES} more" if len(others) > MAX_NAMED_RESOURCES else ""
        names = f"{', '.join(others[:MAX_NAMED_RESOURCES])}{rest}"
        return Obstacle(RefusalReason.SHARED, f"is shared with {names}, which the rules would open too")

    def _quota_obstacle(
        self, group_id: str, required: Iterable[RequiredRule], planned: Iterable[Addition]
    ) -> Obstacle | None:
        group = self._estate.security_group(group_id)
        for direction, present in ((Direction.INGRESS, group.ingress), (Direction.EGRESS, group.egress)):
            new = _permissions(required, direction)
            if not new:
                continue
            to_group = [addition for addition in planned if addition.group_id == group_id]
            try:
                exceeded = self._exceeded_quota(present, [*_permissions(to_group, direction), *new])
            except NotReadError as error:
                return Obstacle(RefusalReason.RULE_QUOTA, f"may be full ({error})")
            if exceeded is not None:
                rules = f"{len(new)} more {direction.value} rule{'s' * (len(new) != 1)}"
                return Obstacle(RefusalReason.RULE_QUOTA, f"has no room for {rules} ({exceeded})")
        return None

    def _exceeded_quota(self, present: Sequence[Permission], new: Sequence[Permission]) -> str | None:
        """The quota that the new rules would exceed, in words. Raises NotReadError."""
        for family in Family:
            added = count_rules(new, family, self._context.prefix_lists)
            total = count_rules(present, family, self._context.prefix_lists) + added if added else 0
            if total > self._policy.rules_per_group:
                return f"{total} {family.label} rules of {self._policy.rules_per_group}"
        return None

    def _plan_new_group(self, why: str) -> NewGroup:
        load_balancer = self._load_balancer
        if len(load_balancer.security_groups) >= GROUPS_PER_LOAD_BALANCER:
            raise FixRefusedError(
                RefusalReason.GROUP_QUOTA,
                f"{why}; the load balancer has {len(load_balancer.security_groups)} security groups already, and no "
                "room for one of its own",
            )
        manager = find_manager(self._context.require_load_balancer_tags()) if self._refuses_managed else None
        if manager is not None:
            raise FixRefusedError(
                RefusalReason.MANAGED,
                f"{why}; the load balancer is managed by {manager}, which may take a group of its own off it again: "
                "ask there",
            )
        name = dedicated_group_name(load_balancer)
        namesake = self._context.group_by_name(name, load_balancer.vpc_id)
        if namesake is not None:
            attached = namesake.id in load_balancer.security_groups
            advice = "it will not do" if attached else "the load balancer does not carry it; delete it, or add it"
            raise FixRefusedError(
                RefusalReason.NAME_TAKEN, f"{why}; a security group {name} is there already ({namesake.id}): {advice}"
            )
        return NewGroup(name, load_balancer.vpc_id, why)

    def _require_room_in_new_group(self, required: Iterable[RequiredRule], planned: Iterable[Addition]) -> None:
        """Raises FixRefusedError if the rules exceed a new group's quota, NotReadError if that is not known."""
        to_new_group = [addition for addition in planned if addition.group_id is None]
        for direction in RULE_DIRECTIONS:
            rules = [*_permissions(to_new_group, direction), *_permissions(required, direction)]
            exceeded = self._exceeded_quota((), rules)
            if exceeded is not None:
                raise FixRefusedError(
                    RefusalReason.RULE_QUOTA,
                    f"{len(rules)} {direction.value} rules do not fit into one security group ({exceeded})",
                )


def _permissions(rules: Iterable[RequiredRule | Addition], direction: Direction) -> list[Permission]:
    return [rule.permission for rule in rules if rule.direction is direction]


def _foreign_groups_error(obstacles_by_group: Mapping[str, Sequence[Obstacle]], why: str) -> FixRefusedError:
    """The refusal if every group is managed or of another account. It names a managed group, if there is one."""
    group_id, obstacles = next(
        (
            (group_id, obstacles)
            for group_id, obstacles in obstacles_by_group.items()
            if any(obstacle.reason is RefusalReason.MANAGED for obstacle in obstacles)
        ),
        next(iter(obstacles_by_group.items())),
    )
    reason = next(obstacle.reason for obstacle in obstacles if obstacle.reason in FOREIGN_REASONS)
    return FixRefusedError(reason, why, group_id)
