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

from alb_sg.aws.client_errors import AWS_ERRORS, error_code, error_text
from alb_sg.errors import NotReadError
from alb_sg.findings.finding import Compliance, Finding
from alb_sg.permissions.allowed_traffic import Direction
from alb_sg.remediation.api_calls import authorize_call, create_group_call, parse_execution_id, set_groups_call
from alb_sg.remediation.execution import ApplyOutcome, ApplyResult, SecurityGroupRule
from alb_sg.remediation.fix_request import FixRequest
from alb_sg.remediation.live_planning import AccountClients, make_live_plan, read_load_balancer
from alb_sg.remediation.plan import Addition, Plan
from alb_sg.remediation.planning import Result, judge_load_balancer
from alb_sg.remediation.undo import (
    RETRY_DELAYS,
    Sleep,
    find_rules,
    parse_rule,
    undo,
)

DUPLICATE_RULE = "InvalidPermission.Duplicate"
# Seconds before each look at what was done: describe calls may lag behind changes.
VERIFICATION_DELAYS = (0, 2, 5, 10)


class _ApplyError(Exception):
    """A step failed: why, as it is shown."""


@dataclass
class _ChangesMade:
    """What was done so far."""

    added_rules: list[SecurityGroupRule] = field(default_factory=list)
    new_group_id: str | None = None
    previous_groups: tuple[str, ...] = ()

    @property
    def new_group_ids(self) -> tuple[str, ...]:
        return () if self.new_group_id is None else (self.new_group_id,)


def apply(
    account: AccountClients,
    arn: str,
    fix: FixRequest,
    execution: str,
    *,
    approved_fingerprint: str | None = None,
    pause: Sleep = time.sleep,
) -> ApplyResult:
    """Fixes a load balancer as it is now. `approved` is the fingerprint of a plan that somebody saw: anything else
    is not done.

    Raises NotReadError where the load balancer cannot be looked for; nothing was done then. InvalidInputError for an
    execution whose id is none.
    """
    parse_execution_id(execution)
    plan = make_live_plan(account, arn, fix)
    if plan is None:
        return ApplyResult(execution, ApplyOutcome.LOAD_BALANCER_DELETED, None)
    if not plan.additions:
        refused = plan.refusals or plan.evaluation_errors
        return ApplyResult(
            execution, ApplyOutcome.REFUSED if refused else ApplyOutcome.NOTHING_TO_DO, plan, results_after=plan.results
        )
    if approved_fingerprint is not None and plan.fingerprint != approved_fingerprint:
        return ApplyResult(execution, ApplyOutcome.PLAN_CHANGED, plan, results_after=plan.results)
    made = _ChangesMade()
    try:
        _carry_out(account, plan, execution, made, pause)
    except (_ApplyError, *AWS_ERRORS) as error:
        undone = undo(account, execution, rules=made.added_rules, group_ids=made.new_group_ids, pause=pause)
        complete = not (undone.failures or undone.left_in_place)
        return ApplyResult(
            execution,
            ApplyOutcome.ROLLED_BACK if complete else ApplyOutcome.PARTLY_ROLLED_BACK,
            plan,
            results_after=plan.results,
            failure=str(error) if isinstance(error, _ApplyError) else error_text(error),
            rollback=undone,
        )
    except BaseException:
        # Whoever interrupts must not leave half of it behind.
        undo(account, execution, rules=made.added_rules, group_ids=made.new_group_ids, pause=pause)
        raise
    after, said = _verify(account, arn, fix, plan, pause)
    return ApplyResult(
        execution,
        ApplyOutcome.APPLIED if said is None else ApplyOutcome.UNVERIFIED,
        plan,
        tuple(made.added_rules),
        made.new_group_id,
        made.previous_groups,
        after,
        said,
    )


def _carry_out(account: AccountClients, plan: Plan, execution: str, changes: _ChangesMade, pause: Sleep) -> None:
    if plan.new_group is not None:
        changes.previous_groups = _current_groups(account, plan)
        changes.new_group_id = _create_new_group(account, plan, execution, changes.previous_groups)
        _revoke_default_rules(account, changes.new_group_id, pause)
    duplicates = False
    for addition in plan.additions:
        group_id = addition.group_id or changes.new_group_id
        if group_id is None:
            raise ValueError("a rule is for a group that the plan does not create")
        duplicates |= not _authorize(account, addition, group_id, execution, changes.added_rules)
    if duplicates:
        # A call that was answered only when it was repeated says Duplicate of a rule that it added itself.
        try:
            changes.added_rules += [rule for rule in find_rules(account, execution) if rule not in changes.added_rules]
        except NotReadError as error:
            raise _ApplyError(str(error)) from error
    if changes.new_group_id is not None:
        _attach(account, plan, changes.new_group_id, changes)


def _current_groups(account: AccountClients, plan: Plan) -> tuple[str, ...]:
    """The load balancer's groups as they are now, in their own order."""
    answer = account.elbv2.describe_load_balancers(LoadBalancerArns=[plan.load_balancer.arn])
    groups = tuple(answer["LoadBalancers"][0].get("SecurityGroups", ()))
    if sorted(groups) != sorted(plan.load_balancer.security_groups):
        raise _ApplyError("the load balancer's security groups were changed meanwhile")
    return groups


def _create_new_group(account: AccountClients, plan: Plan, execution: str, previous: Sequence[str]) -> str:
    group_id: str = account.ec2.create_security_group(**create_group_call(plan, previous, execution).parameters)[
        "GroupId"
    ]
    return group_id


def _revoke_default_rules(account: AccountClients, group_id: str, pause: Sleep) -> None:
    """Revokes the rules that a new group comes with: everything may go out by them."""
    account.ec2.get_waiter("security_group_exists").wait(GroupIds=[group_id])
    for seconds in (*RETRY_DELAYS, None):
        outbound = [rule.rule_id for rule in _group_rules(account, group_id) if rule.direction is Direction.EGRESS]
        if outbound:
            account.ec2.revoke_security_group_egress(GroupId=group_id, SecurityGroupRuleIds=outbound)
            return
        if seconds is not None:
            pause(seconds)
    raise _ApplyError(f"the outbound rules that {group_id} comes with were not seen, and could not be revoked")


def _group_rules(account: AccountClients, group_id: str) -> tuple[SecurityGroupRule, ...]:
    pages = account.ec2.get_paginator("describe_security_group_rules").paginate(
        Filters=[{"Name": "group-id", "Values": [group_id]}]
    )
    return tuple(parse_rule(rule) for page in pages for rule in page["SecurityGroupRules"])


def _attach(account: AccountClients, plan: Plan, group_id: str, changes: _ChangesMade) -> None:
    """Adds the new group to the load balancer's own, if it lets through nothing but what was planned."""
    strange = set(_group_rules(account, group_id)) - set(changes.added_rules)
    if strange:
        raise _ApplyError(
            f"{group_id} has rules that were not planned: {', '.join(sorted(r.rule_id for r in strange))}"
        )
    # Once more, lest a group that somebody else has added meanwhile were taken off.
    previous = _current_groups(account, plan)
    call = set_groups_call(plan.load_balancer.arn, (*previous, group_id))
    account.elbv2.set_security_groups(**call.parameters)


def _authorize(
    account: AccountClients, addition: Addition, group_id: str, execution: str, added: list[SecurityGroupRule]
) -> bool:
    """Adds one rule; False where it is there already."""
    ec2 = account.ec2
    ingress = addition.direction is Direction.INGRESS
    operation = ec2.authorize_security_group_ingress if ingress else ec2.authorize_security_group_egress
    try:
        answer: dict[str, Any] = operation(**authorize_call(addition, group_id, execution).parameters)
    except ClientError as error:
        if error_code(error) == DUPLICATE_RULE:
            return False
        raise
    rules = answer["SecurityGroupRules"]
    added += [SecurityGroupRule(group_id, rule["SecurityGroupRuleId"], addition.direction) for rule in rules]
    return True


def _verify(
    account: AccountClients, arn: str, fix: FixRequest, plan: Plan, pause: Sleep
) -> tuple[tuple[Result, ...], str | None]:
    """The verdicts now, and why what was planned is not seen to be met; None where it is."""
    after: tuple[Result, ...] = ()
    said = ""
    for seconds in VERIFICATION_DELAYS:
        if seconds:
            pause(seconds)
        try:
            found = read_load_balancer(account, arn, fix)
        except NotReadError as error:
            said = str(error)
            continue
        if found is None:
            return (), "the load balancer is gone"
        after = judge_load_balancer(*found, fix)
        open_ones = [result for result in after if result.rule in plan.rule_names and not _is_met(result)]
        if not open_ones:
            return after, None
        said = "; ".join(
            f"{one.rule}: {one.annotation if isinstance(one, Finding) else f'{one.what}: {one.cause}'}"
            for one in open_ones
        )
    return after, said


def _is_met(result: Result) -> bool:
    return isinstance(result, Finding) and result.compliance is not Compliance.NON_COMPLIANT
