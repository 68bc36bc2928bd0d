"""The results of an execution and of its undo."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from alb_sg.findings.finding import Result
from alb_sg.permissions.allowed_traffic import Direction
from alb_sg.remediation.plan import Plan


@dataclass(frozen=True, slots=True)
class SecurityGroupRule:
    """A security group rule, as it takes to revoke it."""

    group_id: str
    rule_id: str
    direction: Direction


@dataclass
class UndoResult:
    """What an undo took back.

    `restored_groups` are the groups that each load balancer has again. `left_in_place` says what remains of the
    execution and why, `failures` which calls failed: either means that there is more to undo.
    """

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
    """What applying a plan came to.

    `PLAN_CHANGED`: the plan differs from the approved one, so nothing was changed. `UNVERIFIED`: the rules were
    added, but the load balancer does not show as compliant. `PARTLY_ROLLED_BACK`: a step failed, and so did a part of
    the rollback.
    """

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
    """What one execution did to one load balancer.

    `plan` was made just before the changes; it is None if the load balancer was gone. `added_rules` belong to this
    execution. `previous_groups` are the load balancer's groups before it got `created_group`. `results_after` are the
    latest results.
    """

    execution: str
    outcome: ApplyOutcome
    plan: Plan | None
    added_rules: tuple[SecurityGroupRule, ...] = ()
    created_group: str | None = None
    previous_groups: tuple[str, ...] = ()
    results_after: tuple[Result, ...] = ()
    failure: str | None = None
    rollback: UndoResult | None = None
