"""Commands of the AWS CLI that remove open and unused parts.

EC2 removes whole rules only. Where a part of a rule is in use, a rule for that part is added before.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from alb_sg.estate.cidr import Family, parse_cidr
from alb_sg.estate.model import Permission, SecurityGroupReference
from alb_sg.permissions.unused_traffic import UnusedRule


def removal_commands(rules: Sequence[UnusedRule], region: str) -> Iterator[str]:
    """For each security group, the command that adds what stays in use, if anything does, and the one that removes."""
    for group_id, of_group in groupby(rules, key=lambda rule: rule.group_id):
        in_group = list(of_group)
        kept = [permission for rule in in_group for permission in rule.kept]
        if kept:
            yield _command("authorize", group_id, region, kept)
        yield _command("revoke", group_id, region, [rule.permission for rule in in_group])


def _command(verb: str, group_id: str, region: str, permissions: Iterable[Permission]) -> str:
    text = json.dumps(list(map(_ip_permission, permissions)), ensure_ascii=False)
    return (
        f"aws ec2 {verb}-security-group-ingress --region {region} --group-id {group_id} "
        f"--ip-permissions {shlex.quote(text)}"
    )


def _ip_permission(permission: Permission) -> dict[str, Any]:
    """A rule as an `IpPermission` of the EC2 API."""
    by_family: dict[Family, list[str]] = {family: [] for family in Family}
    for cidr in permission.cidrs:
        by_family[parse_cidr(cidr)[0]].append(cidr)
    fields: dict[str, Any] = {
        "IpProtocol": permission.protocol,
        "FromPort": permission.from_port,
        "ToPort": permission.to_port,
        "IpRanges": [{"CidrIp": cidr} for cidr in by_family[Family.IPV4]],
        "Ipv6Ranges": [{"CidrIpv6": cidr} for cidr in by_family[Family.IPV6]],
        "PrefixListIds": [{"PrefixListId": prefix_list_id} for prefix_list_id in permission.prefix_list_ids],
        "UserIdGroupPairs": list(map(_user_id_group_pair, permission.references)),
    }
    return {name: value for name, value in fields.items() if value not in (None, [])}


def _user_id_group_pair(reference: SecurityGroupReference) -> dict[str, str]:
    fields = {
        "GroupId": reference.group_id,
        "UserId": reference.owner_id,
        "VpcPeeringConnectionId": reference.peering_connection_id,
    }
    return {name: value for name, value in fields.items() if value is not None}
