"""The API calls of a plan. Their tags let an undo find everything that an execution added.

Each call adds one rule, so a rule that already exists never fails the others.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from alb_sg.errors import InvalidInputError
from alb_sg.estate.model import LoadBalancer
from alb_sg.permissions.allowed_traffic import Direction
from alb_sg.remediation.plan import Addition, PeerKind, Plan
from alb_sg.remediation.tags import NAME_TAG

PROJECT = "alb-sg"
EXECUTION_TAG = f"{PROJECT}:execution"
RECOMMENDATION_TAG = f"{PROJECT}:recommendation"
LOAD_BALANCER_TAG = f"{PROJECT}:load-balancer"
# The fix's own tags.
TAG_KEYS = (NAME_TAG, EXECUTION_TAG, RECOMMENDATION_TAG, LOAD_BALANCER_TAG)

# A plan shows these in place of values that are known only when it is applied.
NEW_GROUP_PLACEHOLDER = "(the new group)"
DEFAULT_RULES_PLACEHOLDER = "(its default outbound rules)"
EXECUTION_PLACEHOLDER = "(the execution)"

EXECUTION_ID_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")
# IpRange.Description in the EC2 API: at most 255 of these characters.
INVALID_DESCRIPTION_CHARACTER = re.compile(r"[^a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]")
MAX_DESCRIPTION_LENGTH = 255
NO_TAGS: Mapping[str, str] = MappingProxyType({})

# The list of an `IpPermission` that holds each kind of peer, and the member that names the peer in it.
PEER_MEMBERS = {
    PeerKind.IPV4: ("IpRanges", "CidrIp"),
    PeerKind.IPV6: ("Ipv6Ranges", "CidrIpv6"),
    PeerKind.PREFIX_LIST: ("PrefixListIds", "PrefixListId"),
    PeerKind.SECURITY_GROUP: ("UserIdGroupPairs", "GroupId"),
}


@dataclass(frozen=True, slots=True)
class ApiCall:
    """An operation of `ec2` or `elbv2` with its parameters, as boto3 takes them. `note` warns the reader of a plan."""

    service: str
    operation: str
    parameters: Mapping[str, Any]
    note: str = ""


def parse_execution_id(text: str) -> str:
    """The id of an execution. Raises InvalidInputError."""
    if not EXECUTION_ID_PATTERN.fullmatch(text):
        raise InvalidInputError(
            f"{text!r} is not the id of an execution: expected at most 64 letters, digits and hyphens"
        )
    return text


def calls_for_plan(plan: Plan, execution: str = EXECUTION_PLACEHOLDER) -> tuple[ApiCall, ...]:
    """Every call that changes something, in order. The new group gets its rules before the load balancer gets it."""
    calls: list[ApiCall] = []
    if plan.new_group is not None:
        calls.append(create_group_call(plan, execution))
        calls.append(
            ApiCall(
                "ec2",
                "RevokeSecurityGroupEgress",
                {"GroupId": NEW_GROUP_PLACEHOLDER, "SecurityGroupRuleIds": [DEFAULT_RULES_PLACEHOLDER]},
                "the new group lets nothing out that is not asked for; no other group is concerned",
            )
        )
    calls += [
        authorize_call(addition, addition.group_id or NEW_GROUP_PLACEHOLDER, execution, plan.tags)
        for addition in plan.additions
    ]
    if plan.new_group is not None:
        calls.append(
            set_groups_call(plan.load_balancer.arn, (*plan.load_balancer.security_groups, NEW_GROUP_PLACEHOLDER))
        )
    return tuple(calls)


def authorize_call(addition: Addition, group_id: str, execution: str, tags: Mapping[str, str] = NO_TAGS) -> ApiCall:
    """AuthorizeSecurityGroupIngress or AuthorizeSecurityGroupEgress for one rule."""
    return ApiCall(
        "ec2",
        f"AuthorizeSecurityGroup{_direction_suffix(addition.direction)}",
        {
            "GroupId": group_id,
            "IpPermissions": [ip_permission(addition, execution)],
            "TagSpecifications": [
                _tag_specification(
                    "security-group-rule",
                    {**tags, EXECUTION_TAG: execution, RECOMMENDATION_TAG: " ".join(addition.rule_names)},
                )
            ],
        },
        f"opens it further than is recommended ({addition.peer})"
        if addition.is_wide
        else f"opens it to everyone ({addition.peer})"
        if addition.open_to_everyone
        else "",
    )


def cli_command(call: ApiCall, region: str) -> str:
    """A call that changes the rules of a security group as a command of the AWS CLI, quoted for a shell."""
    operation = re.sub(r"(?<!^)(?=[A-Z])", "-", call.operation).lower()
    permissions = json.dumps(call.parameters["IpPermissions"], ensure_ascii=False)
    return (
        f"aws {call.service} {operation} --region {shlex.quote(region)} "
        f"--group-id {shlex.quote(call.parameters['GroupId'])} "
        f"--ip-permissions {shlex.quote(permissions)}"
    )


def authorize_command(addition: Addition, group_id: str, region: str) -> str:
    """The command of the AWS CLI that adds one rule."""
    parameters = {"GroupId": group_id, "IpPermissions": [ip_permission(addition, None)]}
    return cli_command(
        ApiCall("ec2", f"AuthorizeSecurityGroup{_direction_suffix(addition.direction)}", parameters), region
    )


def revoke_call(group_id: str, rule_id: str, direction: Direction) -> ApiCall:
    """RevokeSecurityGroupIngress or RevokeSecurityGroupEgress for one rule."""
    return ApiCall(
        "ec2",
        f"RevokeSecurityGroup{_direction_suffix(direction)}",
        {"GroupId": group_id, "SecurityGroupRuleIds": [rule_id]},
    )


def _direction_suffix(direction: Direction) -> str:
    return "Ingress" if direction is Direction.INGRESS else "Egress"


def ip_permission(addition: Addition, execution: str | None) -> dict[str, Any]:
    """A rule as an `IpPermission` of one peer, with its description. `execution` is None if somebody else adds it."""
    permission = addition.permission
    list_name, member = PEER_MEMBERS[addition.peer_kind]
    peer = {member: addition.peer}
    for reference in permission.references:
        if reference.owner_id is not None:
            peer["UserId"] = reference.owner_id
    return {
        "IpProtocol": permission.protocol,
        "FromPort": permission.from_port,
        "ToPort": permission.to_port,
        list_name: [{**peer, "Description": rule_description(addition, execution)}],
    }


def create_group_call(plan: Plan, execution: str) -> ApiCall:
    """CreateSecurityGroup. Its tags name the load balancer for people; an undo goes by the execution's record."""
    if plan.new_group is None:
        raise ValueError("the plan has no new group")
    return ApiCall(
        "ec2",
        "CreateSecurityGroup",
        {
            "GroupName": plan.new_group.name,
            "Description": group_description(plan.load_balancer),
            "VpcId": plan.new_group.vpc_id,
            "TagSpecifications": [
                _tag_specification(
                    "security-group",
                    {
                        **plan.tags,
                        NAME_TAG: plan.new_group.name,
                        EXECUTION_TAG: execution,
                        RECOMMENDATION_TAG: " ".join(plan.rule_names),
                        LOAD_BALANCER_TAG: plan.load_balancer.arn,
                    },
                )
            ],
        },
    )


def set_groups_call(arn: str, group_ids: Iterable[str]) -> ApiCall:
    return ApiCall("elbv2", "SetSecurityGroups", {"LoadBalancerArn": arn, "SecurityGroups": list(group_ids)})


def rule_description(addition: Addition, execution: str | None = None) -> str:
    """Why a rule exists. A snippet names no execution, because somebody else adds its rules."""
    by = f" {execution}" if execution is not None else ""
    return _valid_description(f"{PROJECT} {' '.join(addition.rule_names)}{by}: {', '.join(addition.origins)}")


def group_description(load_balancer: LoadBalancer) -> str:
    return _valid_description(f"{PROJECT}: what Elastic Load Balancing recommends for {load_balancer.name}")


def _valid_description(text: str) -> str:
    return INVALID_DESCRIPTION_CHARACTER.sub("_", text)[:MAX_DESCRIPTION_LENGTH]


def _tag_specification(resource_type: str, tags: Mapping[str, str]) -> dict[str, Any]:
    return {
        "ResourceType": resource_type,
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
    }
