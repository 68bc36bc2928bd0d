"""Taking back what one execution added, and nothing else. Tags tell what it added.

An undo can run again: it ignores what is gone already and retries what failed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from enum import Enum
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from alb_sg.aws.client_errors import AWS_ERRORS, error_code, error_text
from alb_sg.errors import NotReadError
from alb_sg.estate.model import SecurityGroup
from alb_sg.remediation.account import AccountClients
from alb_sg.remediation.api_calls import (
    EXECUTION_TAG,
    LOAD_BALANCER_TAG,
    PREVIOUS_GROUPS_TAG,
    ApiCall,
    revoke_call,
    set_groups_call,
)
from alb_sg.remediation.change_context import attached_interface
from alb_sg.remediation.execution import SecurityGroupRule, UndoResult

T = TypeVar("T")

# Seconds between attempts. A security group stays in use for a while after its load balancer has dropped it.
RETRY_DELAYS = (1, 2, 4, 8, 16)
RETRYABLE_CODES = frozenset(
    {
        "DependencyViolation",
        "InternalError",
        "InternalFailure",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "Throttling",
        "ThrottlingException",
        "Unavailable",
    }
)
GROUP_NOT_FOUND = frozenset({"InvalidGroup.NotFound"})
RULE_NOT_FOUND = frozenset({"InvalidPermission.NotFound", "InvalidSecurityGroupRuleId.NotFound", *GROUP_NOT_FOUND})
LOAD_BALANCER_NOT_FOUND = frozenset({"LoadBalancerNotFound", "LoadBalancerNotFoundException"})

Sleep = Callable[[float], None]


def undo(
    account: AccountClients,
    execution: str,
    *,
    rules: Iterable[SecurityGroupRule] = (),
    group_ids: Collection[str] = (),
    pause: Sleep = time.sleep,
) -> UndoResult:
    """Takes back an execution: what carries its tag, and the rules and groups given.

    A caller that just added them knows them before a search by tag finds them.
    """
    return _Undo(account, execution, pause).run(rules, group_ids)


def find_rules(account: AccountClients, execution: str) -> tuple[SecurityGroupRule, ...]:
    """The security group rules that an execution added. Raises NotReadError."""
    return account.security_group_rules(f"tag:{EXECUTION_TAG}", execution)


class _Sent(Enum):
    """What a call came to."""

    DONE = "done"
    ALREADY_GONE = "already gone"
    FAILED = "failed"


class _Undo:
    def __init__(self, account: AccountClients, execution: str, pause: Sleep) -> None:
        self._account = account
        self._execution = execution
        self._pause = pause
        self._result = UndoResult(execution)

    def run(self, known_rules: Iterable[SecurityGroupRule], known_group_ids: Collection[str]) -> UndoResult:
        """Takes groups off the load balancer, then revokes rules, then deletes the groups that nothing else uses."""
        tagged_rules = self._try_read(lambda: find_rules(self._account, self._execution)) or ()
        rules = {*known_rules, *tagged_rules}
        groups = self._created_groups(known_group_ids)
        deletable = [group_id for group_id in sorted(groups) if self._detach_group(groups[group_id], rules)]
        for rule in sorted(rules, key=lambda rule: (rule.group_id, rule.rule_id)):
            self._revoke(rule)
        for group_id in deletable:
            self._delete(group_id)
        return self._result

    def _created_groups(self, known_group_ids: Collection[str]) -> dict[str, SecurityGroup]:
        groups = self._find_groups(f"tag:{EXECUTION_TAG}", [self._execution])
        untagged = sorted(set(known_group_ids) - groups.keys())
        return groups | self._find_groups("group-id", untagged) if untagged else groups

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

    def _detach_group(self, group: SecurityGroup, own_rules: set[SecurityGroupRule]) -> bool:
        """Takes a group off its load balancer. Returns whether the group may then be deleted."""
        group_id = group.id
        rules = self._try_read(lambda: self._account.security_group_rules("group-id", group_id))
        load_balancers = self._try_read(self._account.load_balancers)
        if rules is None or load_balancers is None:
            return False
        arn = group.tags.get(LOAD_BALANCER_TAG, "")
        load_balancer = next(
            (one for one in _with_group(load_balancers, group_id) if one["LoadBalancerArn"] == arn), None
        )
        foreign_rules = set(rules) - own_rules
        if load_balancer is not None and foreign_rules:
            self._result.left_in_place.append(
                f"security group {group_id} stays on {arn}: it has {len(foreign_rules)} rules that {self._execution} "
                "did not add; undo or remove those, then undo this again"
            )
            return False
        users = self._other_users(group_id, arn, load_balancers)
        if users:
            self._result.left_in_place.append(
                f"security group {group_id} is not deleted: {', '.join(users)} carries it"
            )
        if load_balancer is not None:
            previous = group.tags.get(PREVIOUS_GROUPS_TAG, "").split()
            if not self._restore_groups(load_balancer, group_id, previous):
                return False
        return not users

    def _other_users(self, group_id: str, arn: str, load_balancers: Iterable[Any]) -> list[str]:
        """The resources that use a group, apart from the load balancer that it was created for."""
        users = [
            f"load balancer {one['LoadBalancerName']}"
            for one in _with_group(load_balancers, group_id)
            if one["LoadBalancerArn"] != arn
        ]
        interfaces = self._try_read(lambda: self._account.network_interfaces_with(group_id))
        if interfaces is None:
            return [*users, "somebody who could not be looked for"]
        attached = (attached_interface(interface, arn) for interface in interfaces)
        return [*users, *(resource.label for resource in attached if resource is not None)]

    def _restore_groups(self, load_balancer: Mapping[str, Any], group_id: str, previous: list[str]) -> bool:
        """Gives a load balancer its previous groups. If somebody changed them since, only `group_id` is removed.

        Returns False if the call fails.
        """
        arn = load_balancer["LoadBalancerArn"]
        remaining = [one for one in load_balancer["SecurityGroups"] if one != group_id]
        groups = previous if previous and (not remaining or set(remaining) == set(previous)) else remaining
        sent = self._send(set_groups_call(arn, groups), LOAD_BALANCER_NOT_FOUND, arn)
        if sent is _Sent.DONE:
            self._result.restored_groups[arn] = tuple(groups)
        return sent is not _Sent.FAILED

    def _revoke(self, rule: SecurityGroupRule) -> None:
        call = revoke_call(rule.group_id, rule.rule_id, rule.direction)
        if self._send(call, RULE_NOT_FOUND, f"{rule.rule_id} of {rule.group_id}") is _Sent.DONE:
            self._result.revoked_rules.append(rule)

    def _delete(self, group_id: str) -> None:
        call = ApiCall("ec2", "DeleteSecurityGroup", {"GroupId": group_id})
        if self._send(call, GROUP_NOT_FOUND, group_id) is _Sent.DONE:
            self._result.deleted_groups.append(group_id)

    def _send(self, call: ApiCall, not_found_codes: Collection[str], subject: str) -> _Sent:
        """Makes a call, with retries. A failure is recorded with the subject of the call."""
        try:
            _retry(lambda: self._account.send(call), self._pause)
        except AWS_ERRORS as error:
            if error_code(error) in not_found_codes:
                return _Sent.ALREADY_GONE
            self._result.failures.append(f"{subject}: {error_text(error)}")
            return _Sent.FAILED
        return _Sent.DONE


def _with_group(load_balancers: Iterable[Any], group_id: str) -> Iterable[Any]:
    return (one for one in load_balancers if group_id in one.get("SecurityGroups", ()))


def _retry(call: Callable[[], Any], pause: Sleep) -> None:
    """Makes a call, again after failures that may pass. Raises the last failure."""
    for seconds in RETRY_DELAYS:
        try:
            call()
        except AWS_ERRORS as error:
            if isinstance(error, ClientError) and error_code(error) not in RETRYABLE_CODES:
                raise
        else:
            return
        pause(seconds)
    call()
