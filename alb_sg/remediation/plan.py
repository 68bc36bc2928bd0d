"""A plan for one load balancer: the security group rules to add and where, and the findings that it refuses to fix."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from alb_sg.estate.cidr import Family, parse_cidr
from alb_sg.estate.model import LoadBalancer, Permission
from alb_sg.findings.finding import EvaluationError, Result
from alb_sg.findings.phrasing import abbreviate
from alb_sg.permissions.allowed_traffic import Direction

# What tells required rules apart: the direction, the rule, and the targets' groups one of which must have it (none: one
# of the load balancer's groups).
RuleKey = tuple[Direction, Permission, tuple[str, ...]]

# A sentence names this many of the resources that a rule also opens, and counts the rest; JSON has all.
MAX_NAMED_CARRIERS = 3

EVERYWHERE = frozenset(family.any_address_cidr for family in Family)


class RefusalReason(Enum):
    """Why a plan does not fix a finding."""

    SHARED = "shared"
    MANAGED = "managed"
    OTHER_OWNER = "otherOwner"
    RULE_QUOTA = "ruleQuota"
    GROUP_QUOTA = "groupQuota"
    NAME_TAKEN = "nameTaken"
    UNRESOLVED = "unresolved"
    GROUP_ELSEWHERE = "groupElsewhere"
    OPENS_INTERNAL = "opensInternal"
    NOT_READ = "notRead"
    MALFORMED_EXEMPTION = "malformedExemption"
    INSUFFICIENT = "insufficient"
    REMOVES_RULES = "removesRules"


class PeerKind(Enum):
    """What a security group rule names as its peer."""

    IPV4 = "IPv4"
    IPV6 = "IPv6"
    PREFIX_LIST = "prefix list"
    SECURITY_GROUP = "security group"


@dataclass(frozen=True, slots=True)
class Addition:
    """One security group rule to add. `permission` has exactly one peer; `group_id` is None for the new group.

    `rule_names` are the Config rules that need it, `origins` the listeners and target groups. `is_wide`: it opens more
    than the page's tables do, so that a person must approve it. `target_groups` are the groups of targets one of which
    must have the rule; none for a rule of the load balancer's groups. `also_opens` are the resources that carry the
    group too and are no targets of the load balancer.
    """

    group_id: str | None
    direction: Direction
    permission: Permission
    rule_names: tuple[str, ...]
    origins: tuple[str, ...]
    is_wide: bool = False
    target_groups: tuple[str, ...] = ()
    also_opens: tuple[str, ...] = ()

    @property
    def key(self) -> RuleKey:
        return self.direction, self.permission, self.target_groups

    @property
    def peer(self) -> str:
        """A CIDR block, `pl-…` or `sg-…`."""
        permission = self.permission
        references = (reference.group_id for reference in permission.references)
        return next(iter((*permission.cidrs, *permission.prefix_list_ids, *references)))

    @property
    def peer_kind(self) -> PeerKind:
        if self.permission.references:
            return PeerKind.SECURITY_GROUP
        if self.permission.prefix_list_ids:
            return PeerKind.PREFIX_LIST
        return PeerKind.IPV4 if parse_cidr(self.peer)[0] is Family.IPV4 else PeerKind.IPV6

    @property
    def also_opens_sentence(self) -> str:
        """What else this opens, for people; "" where that is nothing."""
        if not self.also_opens:
            return ""
        others = abbreviate(self.also_opens, MAX_NAMED_CARRIERS)
        return f"this also opens what else carries {self.group_id}: {others}"

    @property
    def open_to_everyone(self) -> bool:
        return self.peer in EVERYWHERE

    def also_for(self, rule_name: str, origin: str) -> Addition:
        """The same security group rule, needed by one more Config rule or origin."""
        return replace(
            self,
            rule_names=tuple(sorted({*self.rule_names, rule_name})),
            origins=tuple(dict.fromkeys((*self.origins, origin))),
        )


@dataclass(frozen=True, slots=True)
class NewGroup:
    """A security group to create and attach to the load balancer. `reason`: why its present groups do not fit."""

    name: str
    vpc_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """A finding that the plan does not fix. `additions` would fix it; they are empty if they are not known.

    Their `group_id` is None for a dedicated group that does not exist yet.
    """

    rule: str
    reason: RefusalReason
    text: str
    additions: tuple[Addition, ...] = ()


@dataclass(frozen=True)
class Plan:
    """The changes to one load balancer's groups. `results` are the verdicts behind them, after exemptions. `tags` go on
    everything that is created."""

    load_balancer: LoadBalancer
    results: tuple[Result, ...]
    additions: tuple[Addition, ...] = ()
    new_group: NewGroup | None = None
    refusals: tuple[Refusal, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def evaluation_errors(self) -> tuple[EvaluationError, ...]:
        return tuple(result for result in self.results if isinstance(result, EvaluationError))

    @property
    def rule_names(self) -> tuple[str, ...]:
        """The names of the Config rules that the additions satisfy."""
        return tuple(sorted({name for addition in self.additions for name in addition.rule_names}))

    @property
    def fingerprint(self) -> str:
        """A hash of the changes: it tells whether a later plan still makes the changes that somebody approved.

        What a reference or a prefix list lets in may change without a change to the rule: whether it is wide counts.
        """
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
                    addition.is_wide,
                ]
                for addition in self.additions
            ],
        ]
        return hashlib.sha256(json.dumps(changes).encode()).hexdigest()


class FixRefusedError(Exception):
    """A plan must not fix a finding. `group_id`: the group that its rules belong in, if that is known."""

    def __init__(self, reason: RefusalReason, text: str, group_id: str | None = None) -> None:
        super().__init__(reason, text, group_id)
        self.reason = reason
        self.text = text
        self.group_id = group_id
