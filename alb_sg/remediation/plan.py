"""A plan: the security group rules to add for one load balancer, where, and what is refused and why."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import Enum
from typing import Any

from alb_sg.estate.cidr import Family
from alb_sg.estate.model import LoadBalancer, Permission
from alb_sg.findings.finding import EvaluationError, Finding
from alb_sg.permissions.allowed_traffic import Direction

EVERYWHERE = frozenset(family.any_address_cidr for family in Family)


class RefusalReason(Enum):
    """Why a finding is not fixed."""

    SHARED = "shared"
    MANAGED = "managed"
    OTHER_OWNER = "otherOwner"
    RULE_QUOTA = "ruleQuota"
    GROUP_QUOTA = "groupQuota"
    NAME_TAKEN = "nameTaken"
    UNRESOLVED = "unresolved"
    GROUP_ELSEWHERE = "groupElsewhere"
    NOT_READ = "notRead"
    MALFORMED_EXEMPTION = "malformedExemption"
    INSUFFICIENT = "insufficient"


@dataclass(frozen=True, slots=True)
class Addition:
    """One security group rule to add: `permission` has one peer alone. `group_id` None is the new group.

    `recommendations` are the names of the rules that ask for it, `because` what of the load balancer does (its
    listeners and target groups).
    """

    group_id: str | None
    direction: Direction
    permission: Permission
    rule_names: tuple[str, ...]
    origins: tuple[str, ...]

    @property
    def peer(self) -> str:
        """A CIDR block, `pl-…` or `sg-…`."""
        permission = self.permission
        references = (reference.group_id for reference in permission.references)
        return next(iter((*permission.cidrs, *permission.prefix_list_ids, *references)))

    @property
    def open_to_everyone(self) -> bool:
        return self.peer in EVERYWHERE


@dataclass(frozen=True, slots=True)
class NewGroup:
    """A security group to create and to add to the load balancer's own; `why` none of those will do."""

    name: str
    vpc_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """A finding that is not fixed. `wanted` is what would fix it, for whoever may; empty where that is not known.
    A `group_id` of None there stands for a group of the load balancer's own that it does not have yet."""

    rule: str
    reason: RefusalReason
    text: str
    additions: tuple[Addition, ...] = ()


@dataclass(frozen=True)
class Plan:
    """What is to be done for one load balancer. `results` are the verdicts that it rests on, exemptions included."""

    load_balancer: LoadBalancer
    results: tuple[Finding | EvaluationError, ...]
    additions: tuple[Addition, ...] = ()
    new_group: NewGroup | None = None
    refusals: tuple[Refusal, ...] = ()

    @property
    def evaluation_errors(self) -> tuple[EvaluationError, ...]:
        return tuple(result for result in self.results if isinstance(result, EvaluationError))

    @property
    def rule_names(self) -> tuple[str, ...]:
        """The names of the rules that the additions are to meet."""
        return tuple(sorted({name for addition in self.additions for name in addition.rule_names}))

    @property
    def fingerprint(self) -> str:
        """The same for plans that change the same: what was approved can be told from what would be done later."""
        group = self.new_group
        changes: list[Any] = [
            self.load_balancer.arn,
            None if group is None else [group.name, group.vpc_id, self.load_balancer.security_groups],
            [
                [
                    addition.group_id,
                    addition.direction.value,
                    addition.permission.protocol,
                    addition.permission.from_port,
                    addition.permission.to_port,
                    addition.peer,
                    addition.rule_names,
                ]
                for addition in self.additions
            ],
        ]
        return hashlib.sha256(json.dumps(changes).encode()).hexdigest()


class FixRefusedError(Exception):
    """A finding cannot be fixed. `group_id`: the group that its rules belong into all the same."""

    def __init__(self, reason: RefusalReason, text: str, group_id: str | None = None) -> None:
        super().__init__(reason, text, group_id)
        self.reason = reason
        self.text = text
        self.group_id = group_id
