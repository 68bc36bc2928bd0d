"""Carrying out a plan: read again, add the rules, judge again, and roll back if a step fails.

The rules come before the change to the load balancer's groups, and no group ever leaves it. A rule that exists already
is a success but does not belong to the execution, so an undo leaves it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from botocore.exceptions import ClientError

from alb_sg.aws.client_errors import AWS_ERRORS, error_code, error_text
from alb_sg.aws.pages import name_call
from alb_sg.errors import NotReadError
from alb_sg.findings.finding import Compliance, Finding, Result
from alb_sg.permissions.allowed_traffic import Direction
from alb_sg.remediation.account import AccountClients, other_users
from alb_sg.remediation.api_calls import (
    ApiCall,
    authorize_call,
    create_group_call,
    parse_execution_id,
)
from alb_sg.remediation.execution import ApplyOutcome, ApplyResult, SecurityGroupRule, UndoResult
from alb_sg.remediation.execution_record import ExecutionRecord, planned_record, read_records, write_added, write_plan
from alb_sg.remediation.fix_request import FixRequest
from alb_sg.remediation.live_planning import make_live_plan, read_load_balancer
from alb_sg.remediation.load_balancer_groups import RETRY_DELAYS, Sleep, change_groups
from alb_sg.remediation.plan import Addition, Plan
from alb_sg.remediation.planning import judge_load_balancer, result_text
from alb_sg.remediation.undo import planned_rules, undo_records

DUPLICATE_RULE = "InvalidPermission.Duplicate"
# Seconds before each verification: describe calls may lag behind changes.
VERIFICATION_DELAYS = (0, 2, 5, 10)


class _ApplyError(Exception):
    """Why a step failed, as the result shows it."""


def apply(
    account: AccountClients,
    arn: str,
    fix: FixRequest,
    execution: str,
    *,
    approved_fingerprint: str | None = None,
    pause: Sleep = time.sleep,
) -> ApplyResult:
    """Fixes a load balancer in its present state.

    `approved_fingerprint` is that of the plan that somebody approved: a plan that differs changes nothing.

    Raises NotReadError, before any change, if the load balancer cannot be read, and InvalidInputError for an
    execution id that a tag cannot hold.
    """
    parse_execution_id(execution)
    plan = make_live_plan(account, arn, fix)
    if plan is None:
        return ApplyResult(execution, ApplyOutcome.LOAD_BALANCER_DELETED, None)
    if not plan.additions:
        refused = plan.refusals or plan.evaluation_errors
        outcome = ApplyOutcome.REFUSED if refused else ApplyOutcome.NOTHING_TO_DO
        return ApplyResult(execution, outcome, plan, results_after=plan.results)
    if approved_fingerprint is not None and plan.fingerprint != approved_fingerprint:
        return ApplyResult(execution, ApplyOutcome.PLAN_CHANGED, plan, results_after=plan.results)
    return _Execution(account, fix, execution, plan, pause).run()


@dataclass
class _Execution:
    """One plan as it is carried out, with the changes made so far."""

    account: AccountClients
    fix: FixRequest
    id: str
    plan: Plan
    pause: Sleep
    added_rules: list[SecurityGroupRule] = field(default_factory=list)
    created_group: str | None = None
    record: ExecutionRecord | None = None
    previous_groups: tuple[str, ...] = ()
    put_back_groups: tuple[str, ...] = ()

    def run(self) -> ApplyResult:
        try:
            self._carry_out()
        except (_ApplyError, NotReadError, *AWS_ERRORS) as error:
            rollback = self._roll_back()
            complete = not (rollback.failures or rollback.left_in_place)
            return ApplyResult(
                self.id,
                ApplyOutcome.ROLLED_BACK if complete else ApplyOutcome.PARTLY_ROLLED_BACK,
                self.plan,
                results_after=self.plan.results,
                failure=error_text(error),
                rollback=rollback,
            )
        except BaseException:
            # An interruption must not leave half of the changes behind.
            self._roll_back()
            raise
        results_after, failure = self._verify()
        return ApplyResult(
            self.id,
            ApplyOutcome.APPLIED if failure is None else ApplyOutcome.UNVERIFIED,
            self.plan,
            tuple(self.added_rules),
            self.created_group,
            self.previous_groups,
            results_after,
            failure,
            put_back_groups=self.put_back_groups,
        )

    def _roll_back(self) -> UndoResult:
        records = [] if self.record is None else [self.record.with_added(self.added_rules, self.created_group)]
        return undo_records(self.account, self.id, records, self.pause)

    def _carry_out(self) -> None:
        if self.plan.new_group is not None:
            self.previous_groups = self._current_groups()
        records = read_records(self.account, self.id)
        record = planned_record(self.id, self.plan, self.previous_groups, records)
        write_plan(self.account, record)
        self.record = record
        if self.plan.new_group is not None:
            created = self.account.send(create_group_call(self.plan, self.id))
            with name_call("CreateSecurityGroup"):
                self.created_group = str(created["GroupId"])
            self._revoke_default_rules(self.created_group)
        authorized = [self._authorize(addition) for addition in self.plan.additions]
        if not all(authorized):
            # botocore may have repeated a call whose response was lost: the repetition reports the rule that the
            # first call added as a duplicate.
            rules = planned_rules(self.account, record, self.created_group)
            self.added_rules += [rule for rule in rules if rule not in self.added_rules]
        if self.created_group is not None:
            self._attach(self.created_group)
        self._require_not_shared()
        write_added(self.account, record.with_added(self.added_rules, self.created_group))

    def _current_groups(self) -> tuple[str, ...]:
        """The load balancer's present groups, in the API's order."""
        groups = self.account.groups_of_load_balancer(self.plan.load_balancer.arn)
        if sorted(groups) != sorted(self.plan.load_balancer.security_groups):
            raise _ApplyError("the load balancer's security groups were changed meanwhile")
        return groups

    def _revoke_default_rules(self, group_id: str) -> None:
        """Revokes the outbound rules that EC2 gives to a new group: they allow everything."""
        with name_call("DescribeSecurityGroups"):
            self.account.ec2.get_waiter("security_group_exists").wait(GroupIds=[group_id])
        for seconds in (*RETRY_DELAYS, None):
            rules = self.account.security_group_rules("group-id", group_id)
            rule_ids = [rule.rule_id for rule in rules if rule.direction is Direction.EGRESS]
            if rule_ids:
                parameters = {"GroupId": group_id, "SecurityGroupRuleIds": rule_ids}
                self.account.send(ApiCall("ec2", "RevokeSecurityGroupEgress", parameters))
                return
            if seconds is not None:
                self.pause(seconds)
        raise _ApplyError(f"the outbound rules that {group_id} comes with were not seen, and could not be revoked")

    def _authorize(self, addition: Addition) -> bool:
        """Adds one rule. Returns False if it exists already."""
        group_id = addition.group_id or self.created_group
        if group_id is None:
            raise ValueError("a rule is for a group that the plan does not create")
        call = authorize_call(addition, group_id, self.id, self.plan.tags)
        try:
            response = self.account.send(call)
        except ClientError as error:
            if error_code(error) == DUPLICATE_RULE:
                return False
            raise
        with name_call(call.operation):
            rule_ids = [str(rule["SecurityGroupRuleId"]) for rule in response["SecurityGroupRules"]]
        self.added_rules += [SecurityGroupRule(group_id, rule_id, addition.direction) for rule_id in rule_ids]
        return True

    def _attach(self, group_id: str) -> None:
        """Adds the new group to the load balancer's groups, provided that it has the planned rules and no others."""
        unplanned = set(self.account.security_group_rules("group-id", group_id)) - set(self.added_rules)
        if unplanned:
            rule_ids = ", ".join(sorted(rule.rule_id for rule in unplanned))
            raise _ApplyError(f"{group_id} has rules that were not planned: {rule_ids}")
        self._current_groups()
        change = change_groups(
            self.account,
            self.plan.load_balancer.arn,
            lambda groups: groups if group_id in groups else (*groups, group_id),
            self.pause,
        )
        self.put_back_groups = change.put_back

    def _require_not_shared(self) -> None:
        """Raises _ApplyError if somebody else carries a group that the rules opened: it became shared meanwhile."""
        own_groups = {*self.plan.load_balancer.security_groups, self.created_group}
        load_balancers = self.account.load_balancers()
        for group_id in sorted({rule.group_id for rule in self.added_rules if rule.group_id in own_groups}):
            users = other_users(self.account, group_id, self.plan.load_balancer.arn, load_balancers)
            if users:
                raise _ApplyError(
                    f"{group_id} became shared meanwhile with {', '.join(users)}, which it would open too"
                )

    def _verify(self) -> tuple[tuple[Result, ...], str | None]:
        """The results after the changes, and why they do not show the planned rules as met; None if they do."""
        results: tuple[Result, ...] = ()
        failure = ""
        for seconds in VERIFICATION_DELAYS:
            if seconds:
                self.pause(seconds)
            try:
                loaded = read_load_balancer(self.account, self.plan.load_balancer.arn, self.fix)
            except NotReadError as error:
                failure = str(error)
                continue
            if loaded is None:
                return (), ApplyOutcome.LOAD_BALANCER_DELETED.value
            results = judge_load_balancer(*loaded, self.fix)
            unmet = _unmet(results, self.plan.rule_names)
            if not unmet:
                return results, None
            failure = "; ".join(f"{result.rule}: {result_text(result)}" for result in unmet)
        return results, failure


def _unmet(results: Sequence[Result], rule_names: Sequence[str]) -> list[Result]:
    """The results of these rules that are errors or NON_COMPLIANT."""
    return [
        result
        for result in results
        if result.rule in rule_names
        and not (isinstance(result, Finding) and result.compliance is not Compliance.NON_COMPLIANT)
    ]
