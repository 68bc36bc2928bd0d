"""The results of an execution and of its undo."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from alb_sg.estate.cidr import parse_cidr
from alb_sg.findings.finding import Result
from alb_sg.parameters import PREFIX_LIST_ID, SECURITY_GROUP_ID
from alb_sg.permissions.addresses import AddressSet
from alb_sg.permissions.allowed_traffic import Direction
from alb_sg.remediation.plan import Plan


@dataclass(frozen=True, slots=True)
class SecurityGroupRule:
    """A security group rule, as it takes to revoke it."""

    group_id: str
    rule_id: str
    direction: Direction


class RuleContent(NamedTuple):
    """What a security group rule lets through, and in which group. `direction` is as EC2 writes it, `peer` as
    `normalized_peer` does."""

    group_id: str
    direction: str
    protocol: str
    from_port: int | None
    to_port: int | None
    peer: str


def normalized_peer(peer: str) -> str:
    """A peer with its addresses written in one way."""
    if PREFIX_LIST_ID.fullmatch(peer) or SECURITY_GROUP_ID.fullmatch(peer):
        return peer
    family, (first, last) = parse_cidr(peer)
    return AddressSet(family, ((first, last),)).cidrs()[0]


@dataclass
class UndoResult:
    """What an undo took back.

    `restored_groups` are the groups that each load balancer has again. `put_back_groups` are those among them that
    somebody else attached meanwhile and that the undo had taken off by accident. `left_in_place` says what remains of
    the execution and why, `failures` which calls failed: either means that there is more to undo.
    """

    execution: str
    revoked_rules: list[SecurityGroupRule] = field(default_factory=list)
    restored_groups: dict[str, tuple[str, ...]] = field(default_factory=dict)
    put_back_groups: dict[str, tuple[str, ...]] = field(default_factory=dict)
    deleted_groups: list[str] = field(default_factory=list)
    left_in_place: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not (
            self.revoked_rules or self.restored_groups or self.deleted_groups or self.left_in_place or self.failures
        )


def put_back_sentence(groups: Iterable[str]) -> str:
    """What a result says of groups that somebody else attached while the load balancer's groups were changed."""
    return f"{', '.join(groups)} was attached meanwhile and taken off by this change; it is attached again"


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
    execution. `previous_groups` are the load balancer's groups before it got `created_group`. `put_back_groups` are
    those that somebody else attached meanwhile and that the change had taken off by accident. `results_after` are the
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
    put_back_groups: tuple[str, ...] = ()
