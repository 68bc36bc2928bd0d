"""Taking back what one execution added, and nothing else. Its record tells what it added; tags only find it.

An undo can run again: it skips parts that are gone and retries those that failed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from alb_sg.aws.client_errors import AWS_ERRORS, error_code, error_text
from alb_sg.errors import NotReadError
from alb_sg.estate.model import SecurityGroup
from alb_sg.findings.phrasing import abbreviate
from alb_sg.remediation.account import AccountClients, other_users, with_group
from alb_sg.remediation.api_calls import EXECUTION_TAG, ApiCall, revoke_call
from alb_sg.remediation.execution import RuleContent, SecurityGroupRule, UndoResult
from alb_sg.remediation.execution_record import ExecutionRecord, delete_records, read_records
from alb_sg.remediation.load_balancer_groups import RETRY_DELAYS, Sleep, Wanted, change_groups, is_retryable

T = TypeVar("T")

# A text names this many of the resources that stay, and counts the rest.
MAX_NAMED_RESOURCES = 10
GROUP_NOT_FOUND = frozenset({"InvalidGroup.NotFound"})
RULE_NOT_FOUND = frozenset({"InvalidPermission.NotFound", "InvalidSecurityGroupRuleId.NotFound", *GROUP_NOT_FOUND})
LOAD_BALANCER_NOT_FOUND = frozenset({"LoadBalancerNotFound", "LoadBalancerNotFoundException"})


def undo(account: AccountClients, execution: str, *, pause: Sleep = time.sleep) -> UndoResult:
    """Takes back what the records of an execution name."""
    try:
        records = read_records(account, execution)
    except NotReadError as error:
        return UndoResult(execution, failures=[str(error)])
    return undo_records(account, execution, records, pause)


def undo_records(
    account: AccountClients, execution: str, records: Sequence[ExecutionRecord], pause: Sleep
) -> UndoResult:
    """Takes back what these records of an execution name, whatever has been written of them."""
    return _Undo(account, execution, pause).run(records)


def planned_rules(
    account: AccountClients, record: ExecutionRecord, created_group: str | None
) -> tuple[SecurityGroupRule, ...]:
    """The rules with an execution's tag and the content of a rule that it planned. Raises NotReadError."""
    tagged = account.tagged_rules(EXECUTION_TAG, record.execution)
    return tuple(rule for rule, content in tagged.items() if record.is_planned(content, created_group))


class _Undo:
    def __init__(self, account: AccountClients, execution: str, pause: Sleep) -> None:
        self._account = account
        self._execution = execution
        self._pause = pause
        self._result = UndoResult(execution)

    def run(self, records: Sequence[ExecutionRecord]) -> UndoResult:
        """Takes groups off the load balancer, then revokes rules, then deletes the groups that nothing else uses."""
        tagged_rules = self._try_read(lambda: self._account.tagged_rules(EXECUTION_TAG, self._execution)) or {}
        tagged_groups = self._find_groups(f"tag:{EXECUTION_TAG}", [self._execution])
        created = {record: self._created_group(record, tagged_groups) for record in records}
        rules = {rule for record, group_id in created.items() for rule in _added_rules(record, group_id, tagged_rules)}
        rules -= self._changed_since(created, tagged_rules)
        known_ids = sorted(group_id for group_id in created.values() if group_id is not None)
        groups = self._find_groups("group-id", known_ids) if known_ids else {}
        deletable = [
            group_id
            for record, group_id in created.items()
            if group_id in groups and self._detach_group(group_id, record, rules)
        ]
        for rule in sorted(rules, key=lambda rule: (rule.group_id, rule.rule_id)):
            self._revoke(rule)
        for group_id in deletable:
            self._delete(group_id)
        recorded = {rule for record in records for rule in record.added_rules}
        rules_left = tagged_rules.keys() - rules - recorded
        groups_left = tagged_groups.keys() - groups.keys()
        if rules_left or groups_left:
            other_rules, other_groups = self._recorded_for_others(records, tagged_rules, tagged_groups)
            names = [f"{rule.rule_id} of {rule.group_id}" for rule in tagged_rules if rule in rules_left - other_rules]
            self._report_unrecorded([*names, *sorted(groups_left - other_groups)])
        if records and not (self._result.failures or self._result.left_in_place):
            self._delete_records(records)
        return self._result

    def _created_group(self, record: ExecutionRecord, tagged_groups: Mapping[str, SecurityGroup]) -> str | None:
        """The group that an execution created, also if its record lacks the id. None if it created none."""
        if record.created_group is not None or record.is_complete or record.new_group_name is None:
            return record.created_group
        named = (record.new_group_name, record.vpc_id)
        return next((group.id for group in tagged_groups.values() if (group.name, group.vpc_id) == named), None)

    def _changed_since(
        self,
        created: Mapping[ExecutionRecord, str | None],
        tagged_rules: Mapping[SecurityGroupRule, RuleContent],
    ) -> set[SecurityGroupRule]:
        """The recorded rules that somebody has changed to something else since: they keep their ids. They are reported,
        and stay."""
        untagged = [rule.rule_id for record in created for rule in record.added_rules if rule not in tagged_rules]
        contents = {**tagged_rules, **(self._try_read(lambda: self._account.rules_of_ids(untagged)) or {})}
        changed = [
            rule
            for record, group_id in created.items()
            for rule in record.added_rules
            if rule in contents and not record.is_planned(contents[rule], group_id)
        ]
        if changed:
            names = [f"{rule.rule_id} of {rule.group_id}" for rule in changed]
            self._result.left_in_place.append(
                f"{abbreviate(names, MAX_NAMED_RESOURCES)} was changed since {self._execution} added it; remove it by "
                "hand if it should go"
            )
        return set(changed)

    def _recorded_for_others(
        self,
        records: Sequence[ExecutionRecord],
        tagged_rules: Mapping[SecurityGroupRule, RuleContent],
        tagged_groups: Mapping[str, SecurityGroup],
    ) -> tuple[set[SecurityGroupRule], set[str | None]]:
        """The rules and groups that further records of the execution name: a roll-back is of one load balancer, and its
        execution may have fixed others."""
        every = self._try_read(lambda: read_records(self._account, self._execution)) or []
        paths = {record.path for record in records}
        created = {one: self._created_group(one, tagged_groups) for one in every if one.path not in paths}
        rules = {rule for record, group_id in created.items() for rule in _added_rules(record, group_id, tagged_rules)}
        return rules, set(created.values())

    def _report_unrecorded(self, names: Sequence[str]) -> None:
        """Anybody may set a tag: what only a tag attributes to the execution stays."""
        if names:
            self._result.left_in_place.append(
                f"{abbreviate(names, MAX_NAMED_RESOURCES)} carries the tag of {self._execution}, but no record says "
                "that it was added; remove it by hand if it should go"
            )

    def _delete_records(self, records: Sequence[ExecutionRecord]) -> None:
        try:
            delete_records(self._account, self._execution, records)
        except (NotReadError, *AWS_ERRORS) as error:
            self._result.left_in_place.append(f"the record of {self._execution} is not deleted: {error_text(error)}")

    def _find_groups(self, filter_name: str, values: list[str]) -> dict[str, SecurityGroup]:
        groups = self._try_read(lambda: self._account.security_groups(filter_name, values)) or []
        return {group.id: group for group in groups}

    def _try_read(self, read: Callable[[], T]) -> T | None:
        """What `read` returns; None if it fails, which is then a failure of the undo."""
        try:
            return read()
        except NotReadError as error:
            self._result.failures.append(str(error))
            return None

    def _detach_group(self, group_id: str, record: ExecutionRecord, own_rules: set[SecurityGroupRule]) -> bool:
        """Takes a group off its load balancer. Returns whether the group may then be deleted."""
        rules = self._try_read(lambda: self._account.security_group_rules("group-id", group_id))
        load_balancers = self._try_read(self._account.load_balancers)
        if rules is None or load_balancers is None:
            return False
        arn = record.load_balancer_arn
        load_balancer = next(
            (one for one in with_group(load_balancers, group_id) if one["LoadBalancerArn"] == arn), None
        )
        if load_balancer is not None and self._keep_for_foreign_rules(group_id, arn, set(rules) - own_rules):
            return False
        users = self._other_users(group_id, arn, load_balancers)
        if users:
            self._result.left_in_place.append(
                f"security group {group_id} is not deleted: {', '.join(users)} carries it"
            )
        if load_balancer is not None:
            if not self._restore_groups(arn, group_id, record.previous_groups):
                return False
            if not self._still_deletable(group_id, arn, own_rules):
                return False
        return not users

    def _keep_for_foreign_rules(self, group_id: str, arn: str, foreign_rules: set[SecurityGroupRule]) -> bool:
        if foreign_rules:
            self._result.left_in_place.append(
                f"security group {group_id} stays on {arn}: it has {len(foreign_rules)} rules that {self._execution} "
                "did not add; undo or remove those, then undo this again"
            )
        return bool(foreign_rules)

    def _still_deletable(self, group_id: str, arn: str, own_rules: set[SecurityGroupRule]) -> bool:
        """Whether a detached group has no rule of others. One that was added meanwhile is given its effect back."""
        rules = self._try_read(lambda: self._account.security_group_rules("group-id", group_id))
        if rules is None:
            return False
        if not self._keep_for_foreign_rules(group_id, arn, set(rules) - own_rules):
            return True
        self._change_groups(arn, lambda groups: groups if group_id in groups else (*groups, group_id))
        return False

    def _other_users(self, group_id: str, arn: str, load_balancers: Iterable[Any]) -> list[str]:
        """The resources that use a group, apart from the load balancer that it was created for."""
        users = self._try_read(lambda: other_users(self._account, group_id, arn, load_balancers))
        return ["somebody who could not be looked for"] if users is None else users

    def _restore_groups(self, arn: str, group_id: str, previous: tuple[str, ...]) -> bool:
        """Gives a load balancer its previous groups. If somebody changed them since, only `group_id` is removed.

        Returns False if that fails.
        """

        def wanted(groups: tuple[str, ...]) -> tuple[str, ...]:
            remaining = tuple(one for one in groups if one != group_id)
            unchanged = not remaining or set(remaining) == set(previous)
            return previous if previous and unchanged else remaining

        return self._change_groups(arn, wanted)

    def _change_groups(self, arn: str, wanted: Wanted) -> bool:
        try:
            change = change_groups(self._account, arn, wanted, self._pause)
        except AWS_ERRORS as error:
            if error_code(error) in LOAD_BALANCER_NOT_FOUND:
                return True
            self._result.failures.append(f"{arn}: {error_text(error)}")
            return False
        except NotReadError as error:
            self._result.failures.append(str(error))
            return False
        self._result.restored_groups[arn] = change.groups
        if change.put_back:
            self._result.put_back_groups[arn] = change.put_back
        return True

    def _revoke(self, rule: SecurityGroupRule) -> None:
        call = revoke_call(rule.group_id, rule.rule_id, rule.direction)
        if self._send(call, RULE_NOT_FOUND, f"{rule.rule_id} of {rule.group_id}"):
            self._result.revoked_rules.append(rule)

    def _delete(self, group_id: str) -> None:
        call = ApiCall("ec2", "DeleteSecurityGroup", {"GroupId": group_id})
        if self._send(call, GROUP_NOT_FOUND, group_id):
            self._result.deleted_groups.append(group_id)

    def _send(self, call: ApiCall, not_found_codes: Collection[str], subject: str) -> bool:
        """Makes a call, with retries. Returns whether it changed something. A failure is recorded with the subject of
        the call; it is none if the subject is gone already."""
        try:
            _retry(lambda: self._account.send(call), self._pause)
        except AWS_ERRORS as error:
            if error_code(error) not in not_found_codes:
                self._result.failures.append(f"{subject}: {error_text(error)}")
            return False
        return True


def _added_rules(
    record: ExecutionRecord, created_group: str | None, tagged_rules: Mapping[SecurityGroupRule, RuleContent]
) -> set[SecurityGroupRule]:
    """The rules that an execution added. An incomplete record names no ids: content and tag together identify them."""
    rules = set(record.added_rules)
    if not record.is_complete:
        rules |= {rule for rule, content in tagged_rules.items() if record.is_planned(content, created_group)}
    return rules


def _retry(call: Callable[[], Any], pause: Sleep) -> None:
    """Makes a call, again after failures that may pass. Raises the last failure."""
    for seconds in RETRY_DELAYS:
        try:
            call()
        except AWS_ERRORS as error:
            if not is_retryable(error):
                raise
        else:
            return
        pause(seconds)
    call()
