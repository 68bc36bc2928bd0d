"""Making a plan so: look again, authorize, judge again; where anything fails, take back what was added.

Rules are authorized before a load balancer's groups are touched, and no group is ever taken off it. A rule that is
there already is a success, and not this execution's own: it stays when the execution is undone.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from alb_sg.errors import Unread
from alb_sg.findings.finding import Compliance, Finding
from alb_sg.permissions.permissions import Direction
from alb_sg.remediation.account import Account, live_plan, look
from alb_sg.remediation.calls import authorize, create_group, execution_id, set_groups
from alb_sg.remediation.execution import Applied, Outcome, RuleId
from alb_sg.remediation.plan import Addition, Plan
from alb_sg.remediation.planning import Result, verdicts
from alb_sg.remediation.policy import Fix
from alb_sg.remediation.undo import FAILURES, PAUSES, Pause, code, failure, rule_id, rules_of, undo

DUPLICATE = "InvalidPermission.Duplicate"
# Seconds before each look at what was done: describe calls may lag behind changes.
VERIFICATION = (0, 2, 5, 10)


class _Failed(Exception):
    """A step failed: why, as it is shown."""


@dataclass
class _Made:
    """What was done so far."""

    added: list[RuleId] = field(default_factory=list)
    group_id: str | None = None
    previous: tuple[str, ...] = ()

    @property
    def groups(self) -> tuple[str, ...]:
        return () if self.group_id is None else (self.group_id,)


def apply(
    account: Account,
    arn: str,
    fix: Fix,
    execution: str,
    *,
    approved: str | None = None,
    pause: Pause = time.sleep,
) -> Applied:
    """Fixes a load balancer as it is now. `approved` is the fingerprint of a plan that somebody saw: anything else
    is not done.

    Raises Unread where the load balancer cannot be looked for; nothing was done then. UnusableInput for an execution
    whose id is none.
    """
    execution_id(execution)
    plan = live_plan(account, arn, fix)
    if plan is None:
        return Applied(execution, Outcome.GONE, None)
    if not plan.additions:
        refused = plan.refusals or plan.unjudged
        return Applied(execution, Outcome.REFUSED if refused else Outcome.NOTHING, plan, after=plan.results)
    if approved is not None and plan.fingerprint != approved:
        return Applied(execution, Outcome.CHANGED, plan, after=plan.results)
    made = _Made()
    try:
        _make(account, plan, execution, made, pause)
    except (_Failed, *FAILURES) as error:
        undone = undo(account, execution, rules=made.added, group_ids=made.groups, pause=pause)
        complete = not (undone.failures or undone.kept)
        return Applied(
            execution,
            Outcome.ROLLED_BACK if complete else Outcome.LEFT_OVER,
            plan,
            after=plan.results,
            failure=str(error) if isinstance(error, _Failed) else failure(error),
            undone=undone,
        )
    except BaseException:
        # Whoever interrupts must not leave half of it behind.
        undo(account, execution, rules=made.added, group_ids=made.groups, pause=pause)
        raise
    after, said = _verified(account, arn, fix, plan, pause)
    return Applied(
        execution,
        Outcome.APPLIED if said is None else Outcome.UNVERIFIED,
        plan,
        tuple(made.added),
        made.group_id,
        made.previous,
        after,
        said,
    )


def _make(account: Account, plan: Plan, execution: str, made: _Made, pause: Pause) -> None:
    if plan.new_group is not None:
        made.previous = _groups_of(account, plan)
        made.group_id = _create(account, plan, execution, made.previous)
        _clear(account, made.group_id, pause)
    duplicates = False
    for addition in plan.additions:
        group_id = addition.group_id or made.group_id
        if group_id is None:
            raise ValueError("a rule is for a group that the plan does not create")
        duplicates |= not _authorize(account, addition, group_id, execution, made.added)
    if duplicates:
        # A call that was answered only when it was repeated says Duplicate of a rule that it added itself.
        try:
            made.added += [rule for rule in rules_of(account, execution) if rule not in made.added]
        except Unread as error:
            raise _Failed(str(error)) from error
    if made.group_id is not None:
        _attach(account, plan, made.group_id, made)


def _groups_of(account: Account, plan: Plan) -> tuple[str, ...]:
    """The load balancer's groups as they are now, in their own order."""
    answer = account.elbv2.describe_load_balancers(LoadBalancerArns=[plan.load_balancer.arn])
    groups = tuple(answer["LoadBalancers"][0].get("SecurityGroups", ()))
    if sorted(groups) != sorted(plan.load_balancer.security_groups):
        raise _Failed("the load balancer's security groups were changed meanwhile")
    return groups


def _create(account: Account, plan: Plan, execution: str, previous: Sequence[str]) -> str:
    group_id: str = account.ec2.create_security_group(**create_group(plan, previous, execution).parameters)["GroupId"]
    return group_id


def _clear(account: Account, group_id: str, pause: Pause) -> None:
    """Revokes the rules that a new group comes with: everything may go out by them."""
    account.ec2.get_waiter("security_group_exists").wait(GroupIds=[group_id])
    for seconds in (*PAUSES, None):
        outbound = [rule.rule_id for rule in _rules_in(account, group_id) if rule.direction is Direction.EGRESS]
        if outbound:
            account.ec2.revoke_security_group_egress(GroupId=group_id, SecurityGroupRuleIds=outbound)
            return
        if seconds is not None:
            pause(seconds)
    raise _Failed(f"the outbound rules that {group_id} comes with were not seen, and could not be revoked")


def _rules_in(account: Account, group_id: str) -> tuple[RuleId, ...]:
    pages = account.ec2.get_paginator("describe_security_group_rules").paginate(
        Filters=[{"Name": "group-id", "Values": [group_id]}]
    )
    return tuple(rule_id(rule) for page in pages for rule in page["SecurityGroupRules"])


def _attach(account: Account, plan: Plan, group_id: str, made: _Made) -> None:
    """Adds the new group to the load balancer's own, if it lets through nothing but what was planned."""
    strange = set(_rules_in(account, group_id)) - set(made.added)
    if strange:
        raise _Failed(f"{group_id} has rules that were not planned: {', '.join(sorted(r.rule_id for r in strange))}")
    # Once more, lest a group that somebody else has added meanwhile were taken off.
    previous = _groups_of(account, plan)
    call = set_groups(plan.load_balancer.arn, (*previous, group_id))
    account.elbv2.set_security_groups(**call.parameters)


def _authorize(account: Account, addition: Addition, group_id: str, execution: str, added: list[RuleId]) -> bool:
    """Adds one rule; False where it is there already."""
    ec2 = account.ec2
    ingress = addition.direction is Direction.INGRESS
    operation = ec2.authorize_security_group_ingress if ingress else ec2.authorize_security_group_egress
    try:
        answer: dict[str, Any] = operation(**authorize(addition, group_id, execution).parameters)
    except ClientError as error:
        if code(error) == DUPLICATE:
            return False
        raise
    rules = answer["SecurityGroupRules"]
    added += [RuleId(group_id, rule["SecurityGroupRuleId"], addition.direction) for rule in rules]
    return True


def _verified(account: Account, arn: str, fix: Fix, plan: Plan, pause: Pause) -> tuple[tuple[Result, ...], str | None]:
    """The verdicts now, and why what was planned is not seen to be met; None where it is."""
    after: tuple[Result, ...] = ()
    said = ""
    for seconds in VERIFICATION:
        if seconds:
            pause(seconds)
        try:
            found = look(account, arn, fix)
        except Unread as error:
            said = str(error)
            continue
        if found is None:
            return (), "the load balancer is gone"
        after = verdicts(*found, fix)
        open_ones = [result for result in after if result.rule in plan.recommendations and not _met(result)]
        if not open_ones:
            return after, None
        said = "; ".join(
            f"{one.rule}: {one.annotation if isinstance(one, Finding) else f'{one.what}: {one.cause}'}"
            for one in open_ones
        )
    return after, said


def _met(result: Result) -> bool:
    return isinstance(result, Finding) and result.compliance is not Compliance.NON_COMPLIANT
