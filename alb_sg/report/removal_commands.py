"""Commands of the AWS CLI that remove open and unused parts.

EC2 removes whole rules only. Where a part of a rule is in use, a rule for that part is added before, with the same
description.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from alb_sg.estate.cidr import Family, parse_cidr
from alb_sg.estate.model import Permission, SecurityGroupReference
from alb_sg.permissions.unused_traffic import UnusedRule
from alb_sg.remediation.api_calls import ApiCall, cli_command


def removal_commands(rules: Sequence[UnusedRule], region: str) -> Iterator[str]:
    """For each security group, the command that adds what stays in use, if anything does, and the one that removes."""
    for group_id, of_group in groupby(rules, key=lambda rule: rule.group_id):
        in_group = list(of_group)
        kept = [_ip_permission(one, dict(rule.descriptions)) for rule in in_group for one in rule.kept]
        if kept:
            yield _command("Authorize", group_id, region, kept)
        yield _command("Revoke", group_id, region, [_ip_permission(rule.permission, {}) for rule in in_group])


def may_lose_descriptions(rules: Sequence[UnusedRule]) -> bool:
    """Whether a rule that the commands add may lack its description, which the source does not tell."""
    return any(
        peer not in dict(rule.descriptions) for rule in rules for permission in rule.kept for peer in permission.peers
    )


def _command(verb: str, group_id: str, region: str, permissions: Sequence[Mapping[str, Any]]) -> str:
    parameters = {"GroupId": group_id, "IpPermissions": permissions}
    return cli_command(ApiCall("ec2", f"{verb}SecurityGroupIngress", parameters), region)


def _ip_permission(permission: Permission, descriptions: Mapping[str, str]) -> dict[str, Any]:
    """A rule as an `IpPermission` of the EC2 API, with the descriptions of its peers."""

    def described(peer: str, fields: Mapping[str, str]) -> dict[str, str]:
        description = descriptions.get(peer)
        return {**fields, "Description": description} if description else {**fields}

    by_family: dict[Family, list[str]] = {family: [] for family in Family}
    for cidr in permission.cidrs:
        by_family[parse_cidr(cidr)[0]].append(cidr)
    fields: dict[str, Any] = {
        "IpProtocol": permission.protocol,
        "FromPort": permission.from_port,
        "ToPort": permission.to_port,
        "IpRanges": [described(cidr, {"CidrIp": cidr}) for cidr in by_family[Family.IPV4]],
        "Ipv6Ranges": [described(cidr, {"CidrIpv6": cidr}) for cidr in by_family[Family.IPV6]],
        "PrefixListIds": [described(one, {"PrefixListId": one}) for one in permission.prefix_list_ids],
        "UserIdGroupPairs": [described(one.group_id, _user_id_group_pair(one)) for one in permission.references],
    }
    return {name: value for name, value in fields.items() if value not in (None, [])}


def _user_id_group_pair(reference: SecurityGroupReference) -> dict[str, str]:
    fields = {
        "GroupId": reference.group_id,
        "UserId": reference.owner_id,
        "VpcPeeringConnectionId": reference.peering_connection_id,
    }
    return {name: value for name, value in fields.items() if value is not None}
