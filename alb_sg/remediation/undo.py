"""Taking back what one execution added, and nothing else: it is found by its tags.

Nothing is forgotten by running it twice: what is gone already is not missed, and what failed is tried again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from alb_sg.aws.calls import ApiRequest
from alb_sg.aws.client_errors import AWS_ERRORS, error_code, error_text
from alb_sg.errors import NotReadError
from alb_sg.estate import from_api
from alb_sg.live.requests import EC2_PAGE
from alb_sg.permissions.allowed_traffic import Direction
from alb_sg.remediation.api_calls import EXECUTION_TAG, LOAD_BALANCER_TAG, PREVIOUS_GROUPS_TAG, set_groups_call
from alb_sg.remediation.change_context import attached_interface
from alb_sg.remediation.execution import SecurityGroupRule, UndoResult
from alb_sg.remediation.live_planning import AccountClients

# Seconds between attempts. A group is in use for some time after its load balancer let go of it.
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
RULE_NOT_FOUND = frozenset({"InvalidPermission.NotFound", "InvalidSecurityGroupRuleId.NotFound"})
GROUP_NOT_FOUND = "InvalidGroup.NotFound"
LOAD_BALANCER_NOT_FOUND = frozenset({"LoadBalancerNotFound", "LoadBalancerNotFoundException"})

Sleep = Callable[[float], None]


def retry(call: Callable[[], Any], pause: Sleep) -> Any:
    """What a call returns, tried again where the failure may pass. Raises the last failure."""
    for seconds in RETRY_DELAYS:
        try:
            return call()
        except AWS_ERRORS as error:
            if isinstance(error, ClientError) and error_code(error) not in RETRYABLE_CODES:
                raise
        pause(seconds)
    return call()


def undo(
    account: AccountClients,
    execution: str,
    *,
    rules: Iterable[SecurityGroupRule] = (),
    group_ids: Iterable[str] = (),
    pause: Sleep = time.sleep,
) -> UndoResult:
    """Takes back an execution. `rules` and `group_ids` are known to be its own: their tags may not be found yet."""
    return _Undo(account, execution, pause).run(rules, group_ids)


def find_rules(account: AccountClients, execution: str) -> tuple[SecurityGroupRule, ...]:
    """The security group rules that an execution added. Raises NotReadError."""
    tagged = {f"tag:{EXECUTION_TAG}": [execution]}
    return tuple(
        sorted(
            (
                parse_rule(one)
                for one in _describe_all(account, "describe_security_group_rules", "SecurityGroupRules", tagged)
            ),
            key=lambda rule: (rule.group_id, rule.rule_id),
        )
    )


def parse_rule(source: Mapping[str, Any]) -> SecurityGroupRule:
    """One of DescribeSecurityGroupRules."""
    direction = Direction.EGRESS if source.get("IsEgress") else Direction.INGRESS
    return SecurityGroupRule(
        from_api.required_text(source, "GroupId"), from_api.required_text(source, "SecurityGroupRuleId"), direction
    )


def _describe_all(account: AccountClients, operation: str, result: str, filters: Mapping[str, list[str]]) -> list[Any]:
    listed = [{"Name": name, "Values": values} for name, values in filters.items()]
    answer = ApiRequest(account.clients.ec2, operation, result, {"Filters": listed}, EC2_PAGE).send()
    if answer.failure is not None:
        raise NotReadError(" ".join(filter(None, (result, "of", account.account_id, account.region))), answer.failure)
    return answer.items


class _Undo:
    def __init__(self, account: AccountClients, execution: str, pause: Sleep) -> None:
        self._account = account
        self._pause = pause
        self._result = UndoResult(execution)
        self._execution = execution

    def run(self, rules: Iterable[SecurityGroupRule], group_ids: Iterable[str]) -> UndoResult:
        """Groups come off the load balancer first, rules after them, and what nobody carries is deleted."""
        found = set(rules) | set(self._try_read(lambda: find_rules(self._account, self._execution)) or ())
        tagged = {f"tag:{EXECUTION_TAG}": [self._execution]}
        groups = {group["GroupId"]: group for group in self._find_groups(tagged)}
        also = sorted(set(group_ids) - groups.keys())
        if also:
            groups |= {group["GroupId"]: group for group in self._find_groups({"group-id": also})}
        free = [group_id for group_id, group in sorted(groups.items()) if self._detach_group(group, found)]
        for rule in sorted(found, key=lambda rule: (rule.group_id, rule.rule_id)):
            self._revoke(rule)
        for group_id in free:
            self._delete(group_id)
        return self._result

    def _find_groups(self, filters: Mapping[str, list[str]]) -> list[Any]:
        return (
            self._try_read(lambda: _describe_all(self._account, "describe_security_groups", "SecurityGroups", filters))
            or []
        )

    def _try_read(self, read: Callable[[], Any]) -> Any:
        try:
            return read()
        except NotReadError as error:
            self._result.failures.append(str(error))
            return None

    def _detach_group(self, group: Mapping[str, Any], own_rules: set[SecurityGroupRule]) -> bool:
        """Takes a group off its load balancer; whether it may then be deleted."""
        group_id = group["GroupId"]
        of_group = {"group-id": [group_id]}
        there = self._try_read(
            lambda: _describe_all(self._account, "describe_security_group_rules", "SecurityGroupRules", of_group)
        )
        if there is None:
            return False
        others = {parse_rule(rule) for rule in there} - own_rules
        tags = from_api.tags(group.get("Tags"))
        arn = tags.get(LOAD_BALANCER_TAG, "")
        try:
            carrying = self._load_balancers()
        except AWS_ERRORS as error:
            self._result.failures.append(error_text(error))
            return False
        own_balancer = next((one for one in carrying if one["LoadBalancerArn"] == arn), None)
        carried = own_balancer is not None and group_id in own_balancer.get("SecurityGroups", ())
        if carried and others:
            self._result.left_in_place.append(
                f"security group {group_id} stays on {arn}: it has {len(others)} rules that {self._execution} did not "
                "add; undo or remove those, then undo this again"
            )
            return False
        in_use = self._other_users(group_id, arn, carrying)
        if in_use:
            self._result.left_in_place.append(
                f"security group {group_id} is not deleted: {', '.join(in_use)} carries it"
            )
        if carried and own_balancer is not None:
            previous = tags.get(PREVIOUS_GROUPS_TAG, "").split()
            if not self._restore_groups(own_balancer, group_id, previous):
                return False
        return not in_use

    def _load_balancers(self) -> list[Any]:
        pages = self._account.elbv2.get_paginator("describe_load_balancers").paginate()
        return [one for page in pages for one in page["LoadBalancers"]]

    def _other_users(self, group_id: str, arn: str, load_balancers: Iterable[Any]) -> list[str]:
        """Who else carries a group that was made for one load balancer."""
        found = [
            f"load balancer {one['LoadBalancerName']}"
            for one in load_balancers
            if one["LoadBalancerArn"] != arn and group_id in one.get("SecurityGroups", ())
        ]
        interfaces = self._try_read(
            lambda: _describe_all(
                self._account, "describe_network_interfaces", "NetworkInterfaces", {"group-id": [group_id]}
            )
        )
        if interfaces is None:
            return [*found, "somebody who could not be looked for"]
        carriers = (attached_interface(one, arn) for one in interfaces)
        return [*found, *(carrier.label for carrier in carriers if carrier is not None)]

    def _restore_groups(self, load_balancer: Mapping[str, Any], group_id: str, previous: list[str]) -> bool:
        """Sets the groups from before; those of now but for the one to go, where others have changed since."""
        now = [one for one in load_balancer["SecurityGroups"] if one != group_id]
        groups = previous if previous and (not now or set(now) == set(previous)) else now
        call = set_groups_call(load_balancer["LoadBalancerArn"], groups)
        try:
            retry(lambda: self._account.elbv2.set_security_groups(**call.parameters), self._pause)
        except AWS_ERRORS as error:
            if error_code(error) in LOAD_BALANCER_NOT_FOUND:
                return True
            self._result.failures.append(error_text(error))
            return False
        self._result.restored_groups[load_balancer["LoadBalancerArn"]] = tuple(groups)
        return True

    def _revoke(self, rule: SecurityGroupRule) -> None:
        ec2 = self._account.ec2
        ingress = rule.direction is Direction.INGRESS
        revoke = ec2.revoke_security_group_ingress if ingress else ec2.revoke_security_group_egress
        try:
            retry(lambda: revoke(GroupId=rule.group_id, SecurityGroupRuleIds=[rule.rule_id]), self._pause)
        except AWS_ERRORS as error:
            if error_code(error) not in {*RULE_NOT_FOUND, GROUP_NOT_FOUND}:
                self._result.failures.append(f"{rule.rule_id} of {rule.group_id}: {error_text(error)}")
            return
        self._result.revoked_rules.append(rule)

    def _delete(self, group_id: str) -> None:
        try:
            retry(lambda: self._account.ec2.delete_security_group(GroupId=group_id), self._pause)
        except AWS_ERRORS as error:
            if error_code(error) != GROUP_NOT_FOUND:
                self._result.failures.append(f"{group_id}: {error_text(error)}")
            return
        self._result.deleted_groups.append(group_id)
