"""What became of an execution: what it added, and what was taken back."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from alb_sg.permissions.allowed_traffic import Direction
from alb_sg.remediation.plan import Plan
from alb_sg.remediation.planning import Result


@dataclass(frozen=True, slots=True)
class SecurityGroupRule:
    """A security group rule as it can be revoked."""

    group_id: str
    rule_id: str
    direction: Direction


@dataclass
class UndoResult:
    """What was taken back. `restored`: load balancers and the groups that they have again. `kept` says what of the
    execution stays and why, `failures` which calls failed: with any of them, more is left to undo."""

    execution: str
    revoked_rules: list[SecurityGroupRule] = field(default_factory=list)
    restored_groups: dict[str, tuple[str, ...]] = field(default_factory=dict)
    deleted_groups: list[str] = field(default_factory=list)
    left_in_place: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not (
            self.revoked_rules or self.restored_groups or self.deleted_groups or self.left_in_place or self.failures
        )


class ApplyOutcome(Enum):
    """What became of it. `CHANGED`: what would be done is not what was approved, and nothing was. `UNVERIFIED`: the
    rules are there, and the load balancer could not be seen to meet what they are for. `LEFT_OVER`: it failed, and
    not all of it could be taken back."""

    NOTHING_TO_DO = "nothing to do"
    LOAD_BALANCER_DELETED = "the load balancer is gone"
    REFUSED = "refused"
    PLAN_CHANGED = "changed since it was planned"
    APPLIED = "applied"
    UNVERIFIED = "applied, not verified"
    ROLLED_BACK = "failed and rolled back"
    PARTLY_ROLLED_BACK = "failed, not all of it rolled back"


@dataclass(frozen=True)
class ApplyResult:
    """`plan` is what was found just before (None: the load balancer was gone). `added` are the rules that are this
    execution's own, `previous_groups` those of the load balancer where it got one more. `after` are the verdicts
    that were seen last. `undone` is what was taken back."""

    execution: str
    outcome: ApplyOutcome
    plan: Plan | None
    added_rules: tuple[SecurityGroupRule, ...] = ()
    created_group: str | None = None
    previous_groups: tuple[str, ...] = ()
    results_after: tuple[Result, ...] = ()
    failure: str | None = None
    rollback: UndoResult | None = None
