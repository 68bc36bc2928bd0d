"""Taking back what one execution added, and nothing else: it is found by its tags.

Nothing is forgotten by running it twice: what is gone already is not missed, and what failed is tried again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from alb_sg.errors import Unread
from alb_sg.estate import from_api
from alb_sg.live.calls import Request
from alb_sg.live.requests import EC2_PAGE
from alb_sg.permissions.permissions import Direction
from alb_sg.remediation.account import Account
from alb_sg.remediation.calls import EXECUTION_TAG, LOAD_BALANCER_TAG, PREVIOUS_GROUPS_TAG, set_groups
from alb_sg.remediation.circumstances import interface_carrier
from alb_sg.remediation.execution import RuleId, Undone

# What a call raises that AWS refuses, does not answer, or answers with what is none of the API's.
FAILURES = (ClientError, BotoCoreError, ResponseParserError)
# Seconds between attempts. A group is in use for some time after its load balancer let go of it.
PAUSES = (1, 2, 4, 8, 16)
TRY_AGAIN = frozenset(
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
RULE_GONE = frozenset({"InvalidPermission.NotFound", "InvalidSecurityGroupRuleId.NotFound"})
GROUP_GONE = "InvalidGroup.NotFound"
LOAD_BALANCER_GONE = frozenset({"LoadBalancerNotFound", "LoadBalancerNotFoundException"})

Pause = Callable[[float], None]


def failure(error: Exception) -> str:
    """A failed call as it is shown."""
    if isinstance(error, ClientError):
        said = error.response.get("Error", {})
        return f"{error.operation_name}: {said.get('Code', '')}: {said.get('Message', '')}"
    return str(error)


def code(error: Exception) -> str:
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, ClientError) else ""


def persistently(call: Callable[[], Any], pause: Pause) -> Any:
    """What a call returns, tried again where the failure may pass. Raises the last failure."""
    for seconds in PAUSES:
        try:
            return call()
        except FAILURES as error:
            if isinstance(error, ClientError) and code(error) not in TRY_AGAIN:
                raise
        pause(seconds)
    return call()


def undo(
    account: Account,
    execution: str,
    *,
    rules: Iterable[RuleId] = (),
    group_ids: Iterable[str] = (),
    pause: Pause = time.sleep,
) -> Undone:
    """Takes back an execution. `rules` and `group_ids` are known to be its own: their tags may not be found yet."""
    return _Undo(account, execution, pause).run(rules, group_ids)


def rules_of(account: Account, execution: str) -> tuple[RuleId, ...]:
    """The security group rules that an execution added. Raises Unread."""
    tagged = {f"tag:{EXECUTION_TAG}": [execution]}
    return tuple(
        sorted(
            (rule_id(one) for one in _all(account, "describe_security_group_rules", "SecurityGroupRules", tagged)),
            key=lambda rule: (rule.group_id, rule.rule_id),
        )
    )


def rule_id(source: Mapping[str, Any]) -> RuleId:
    """One of DescribeSecurityGroupRules."""
    direction = Direction.EGRESS if source.get("IsEgress") else Direction.INGRESS
    return RuleId(from_api.text(source, "GroupId"), from_api.text(source, "SecurityGroupRuleId"), direction)


def _all(account: Account, operation: str, result: str, filters: Mapping[str, list[str]]) -> list[Any]:
    listed = [{"Name": name, "Values": values} for name, values in filters.items()]
    answer = Request(account.clients.ec2, operation, result, {"Filters": listed}, EC2_PAGE).answer()
    if answer.failure is not None:
        raise Unread(" ".join(filter(None, (result, "of", account.account_id, account.region))), answer.failure)
    return answer.items


class _Undo:
    def __init__(self, account: Account, execution: str, pause: Pause) -> None:
        self._account = account
        self._pause = pause
        self._undone = Undone(execution)
        self._execution = execution

    def run(self, rules: Iterable[RuleId], group_ids: Iterable[str]) -> Undone:
        """Groups come off the load balancer first, rules after them, and what nobody carries is deleted."""
        found = set(rules) | set(self._read(lambda: rules_of(self._account, self._execution)) or ())
        tagged = {f"tag:{EXECUTION_TAG}": [self._execution]}
        groups = {group["GroupId"]: group for group in self._groups(tagged)}
        also = sorted(set(group_ids) - groups.keys())
        if also:
            groups |= {group["GroupId"]: group for group in self._groups({"group-id": also})}
        free = [group_id for group_id, group in sorted(groups.items()) if self._release(group, found)]
        for rule in sorted(found, key=lambda rule: (rule.group_id, rule.rule_id)):
            self._revoke(rule)
        for group_id in free:
            self._delete(group_id)
        return self._undone

    def _groups(self, filters: Mapping[str, list[str]]) -> list[Any]:
        return self._read(lambda: _all(self._account, "describe_security_groups", "SecurityGroups", filters)) or []

    def _read(self, read: Callable[[], Any]) -> Any:
        try:
            return read()
        except Unread as error:
            self._undone.failures.append(str(error))
            return None

    def _release(self, group: Mapping[str, Any], own: set[RuleId]) -> bool:
        """Takes a group off its load balancer; whether it may then be deleted."""
        group_id = group["GroupId"]
        of_group = {"group-id": [group_id]}
        there = self._read(lambda: _all(self._account, "describe_security_group_rules", "SecurityGroupRules", of_group))
        if there is None:
            return False
        others = {rule_id(rule) for rule in there} - own
        tags = from_api.tags(group.get("Tags"))
        arn = tags.get(LOAD_BALANCER_TAG, "")
        try:
            carrying = self._load_balancers()
        except FAILURES as error:
            self._undone.failures.append(failure(error))
            return False
        own_balancer = next((one for one in carrying if one["LoadBalancerArn"] == arn), None)
        carried = own_balancer is not None and group_id in own_balancer.get("SecurityGroups", ())
        if carried and others:
            self._undone.kept.append(
                f"security group {group_id} stays on {arn}: it has {len(others)} rules that {self._execution} did not "
                "add; undo or remove those, then undo this again"
            )
            return False
        in_use = self._in_use(group_id, arn, carrying)
        if in_use:
            self._undone.kept.append(f"security group {group_id} is not deleted: {', '.join(in_use)} carries it")
        if carried and own_balancer is not None:
            previous = tags.get(PREVIOUS_GROUPS_TAG, "").split()
            if not self._restore(own_balancer, group_id, previous):
                return False
        return not in_use

    def _load_balancers(self) -> list[Any]:
        pages = self._account.elbv2.get_paginator("describe_load_balancers").paginate()
        return [one for page in pages for one in page["LoadBalancers"]]

    def _in_use(self, group_id: str, arn: str, load_balancers: Iterable[Any]) -> list[str]:
        """Who else carries a group that was made for one load balancer."""
        found = [
            f"load balancer {one['LoadBalancerName']}"
            for one in load_balancers
            if one["LoadBalancerArn"] != arn and group_id in one.get("SecurityGroups", ())
        ]
        interfaces = self._read(
            lambda: _all(self._account, "describe_network_interfaces", "NetworkInterfaces", {"group-id": [group_id]})
        )
        if interfaces is None:
            return [*found, "somebody who could not be looked for"]
        carriers = (interface_carrier(one, arn) for one in interfaces)
        return [*found, *(carrier.what for carrier in carriers if carrier is not None)]

    def _restore(self, load_balancer: Mapping[str, Any], group_id: str, previous: list[str]) -> bool:
        """Sets the groups from before; those of now but for the one to go, where others have changed since."""
        now = [one for one in load_balancer["SecurityGroups"] if one != group_id]
        groups = previous if previous and (not now or set(now) == set(previous)) else now
        call = set_groups(load_balancer["LoadBalancerArn"], groups)
        try:
            persistently(lambda: self._account.elbv2.set_security_groups(**call.parameters), self._pause)
        except FAILURES as error:
            if code(error) in LOAD_BALANCER_GONE:
                return True
            self._undone.failures.append(failure(error))
            return False
        self._undone.restored[load_balancer["LoadBalancerArn"]] = tuple(groups)
        return True

    def _revoke(self, rule: RuleId) -> None:
        ec2 = self._account.ec2
        ingress = rule.direction is Direction.INGRESS
        revoke = ec2.revoke_security_group_ingress if ingress else ec2.revoke_security_group_egress
        try:
            persistently(lambda: revoke(GroupId=rule.group_id, SecurityGroupRuleIds=[rule.rule_id]), self._pause)
        except FAILURES as error:
            if code(error) not in {*RULE_GONE, GROUP_GONE}:
                self._undone.failures.append(f"{rule.rule_id} of {rule.group_id}: {failure(error)}")
            return
        self._undone.revoked.append(rule)

    def _delete(self, group_id: str) -> None:
        try:
            persistently(lambda: self._account.ec2.delete_security_group(GroupId=group_id), self._pause)
        except FAILURES as error:
            if code(error) != GROUP_GONE:
                self._undone.failures.append(f"{group_id}: {failure(error)}")
            return
        self._undone.deleted_groups.append(group_id)
