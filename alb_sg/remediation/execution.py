"""What became of an execution: what it added, and what was taken back."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from alb_sg.permissions.permissions import Direction
from alb_sg.remediation.plan import Plan
from alb_sg.remediation.planning import Result


@dataclass(frozen=True, slots=True)
class RuleId:
    """A security group rule as it can be revoked."""

    group_id: str
    rule_id: str
    direction: Direction


@dataclass
class Undone:
    """What was taken back. `restored`: load balancers and the groups that they have again. `kept` says what of the
    execution stays and why, `failures` which calls failed: with any of them, more is left to undo."""

    execution: str
    revoked: list[RuleId] = field(default_factory=list)
    restored: dict[str, tuple[str, ...]] = field(default_factory=dict)
    deleted_groups: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    @property
    def found_nothing(self) -> bool:
        return not (self.revoked or self.restored or self.deleted_groups or self.kept or self.failures)


class Outcome(Enum):
    """What became of it. `CHANGED`: what would be done is not what was approved, and nothing was. `UNVERIFIED`: the
    rules are there, and the load balancer could not be seen to meet what they are for. `LEFT_OVER`: it failed, and
    not all of it could be taken back."""

    NOTHING = "nothing to do"
    GONE = "the load balancer is gone"
    REFUSED = "refused"
    CHANGED = "changed since it was planned"
    APPLIED = "applied"
    UNVERIFIED = "applied, not verified"
    ROLLED_BACK = "failed and rolled back"
    LEFT_OVER = "failed, not all of it rolled back"


@dataclass(frozen=True)
class Applied:
    """`plan` is what was found just before (None: the load balancer was gone). `added` are the rules that are this
    execution's own, `previous_groups` those of the load balancer where it got one more. `after` are the verdicts
    that were seen last. `undone` is what was taken back."""

    execution: str
    outcome: Outcome
    plan: Plan | None
    added: tuple[RuleId, ...] = ()
    created_group: str | None = None
    previous_groups: tuple[str, ...] = ()
    after: tuple[Result, ...] = ()
    failure: str | None = None
    undone: Undone | None = None
