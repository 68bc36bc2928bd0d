"""An organization as a user has it: saved estates, earlier runs, and the file of accounts."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from alb_sg.dashboard.history import TIME_FORMAT, run_file_name, write_run
from alb_sg.estate.cidr import Family
from alb_sg.estate.estate import Estate
from alb_sg.estate.model import Instance, Listener, LoadBalancer, Permission, SecurityGroup, Target, TargetGroup, Vpc
from tests.dashboard.organization import Organization


@dataclass(frozen=True)
class SavedOrganization:
    """Where the parts of an organization are."""

    estates: Path
    history: Path
    accounts: Path


def save_organization(made: Organization, folder: Path) -> SavedOrganization:
    """Writes an export file for each account and region, a file for each earlier run, and the accounts."""
    saved = SavedOrganization(folder / "estates", folder / "history", folder / "accounts.json")
    for path in (saved.estates, saved.history):
        path.mkdir(parents=True)
    for estate in made.estates:
        path = saved.estates / f"{estate.account_id}-{estate.region}.json"
        path.write_text(json.dumps(export_object(estate)), encoding="utf-8")
    for run in made.earlier.runs:
        text = io.StringIO()
        write_run(run, text)
        as_of = datetime.strptime(f"{run.as_of}+0000", f"{TIME_FORMAT}%z")
        (saved.history / run_file_name(as_of)).write_bytes(gzip.compress(text.getvalue().encode("utf-8"), mtime=0))
    accounts = [
        {"Id": account, "Name": name.name, "Unit": name.unit}
        for account, name in sorted(made.observation.accounts.items())
    ]
    saved.accounts.write_text(json.dumps({"Accounts": accounts}), encoding="utf-8")
    return saved


def export_object(estate: Estate) -> dict[str, Any]:
    """An estate of `organization` as `alb-sg export` writes it."""
    listeners = [one for some in (estate.listeners or {}).values() for one in some]
    return {
        "AccountId": estate.account_id,
        "Region": estate.region,
        "LoadBalancers": [_load_balancer(one) for one in estate.load_balancers.values()],
        "Listeners": [_listener(one) for one in listeners],
        "TargetGroups": [_target_group(one) for one in (estate.target_groups or {}).values()],
        "TargetHealthDescriptions": {
            arn: [_target_health(one) for one in targets] for arn, targets in (estate.targets or {}).items()
        },
        "SecurityGroups": [_security_group(one) for one in (estate.security_groups or {}).values()],
        "Vpcs": [_vpc(one) for one in (estate.vpcs or {}).values()],
        "Instances": [_instance(one) for one in (estate.instances or {}).values()],
        "NetworkInterfaces": [],
        "ManagedPrefixLists": {},
        "Tags": {arn: _tags(tags) for arn, tags in (estate.tags or {}).items()},
    }


def _load_balancer(one: LoadBalancer) -> dict[str, Any]:
    return {
        "LoadBalancerArn": one.arn,
        "LoadBalancerName": one.name,
        "Type": one.type,
        "Scheme": one.scheme,
        "State": {"Code": one.state},
        "VpcId": one.vpc_id,
        "IpAddressType": one.ip_address_type,
        "SecurityGroups": list(one.security_groups),
        "AvailabilityZones": [],
    }


def _listener(one: Listener) -> dict[str, Any]:
    return {
        "ListenerArn": one.arn,
        "LoadBalancerArn": one.load_balancer_arn,
        "Protocol": one.protocol,
        "Port": one.port,
        "DefaultActions": [{"Type": "forward", "TargetGroupArn": arn} for arn in one.target_group_arns],
    }


def _target_group(one: TargetGroup) -> dict[str, Any]:
    return {
        "TargetGroupArn": one.arn,
        "TargetGroupName": one.name,
        "TargetType": one.target_type,
        "Port": one.port,
        "VpcId": one.vpc_id,
        "LoadBalancerArns": list(one.load_balancer_arns or ()),
        "HealthCheckEnabled": one.health_checks_enabled,
        "HealthCheckPort": str(one.health_check_port),
    }


def _target_health(one: Target) -> dict[str, Any]:
    port = {} if one.port is None else {"Port": one.port}
    return {"Target": {"Id": one.id, **port}, "TargetHealth": {"State": one.state}}


def _security_group(one: SecurityGroup) -> dict[str, Any]:
    return {
        "GroupId": one.id,
        "GroupName": one.name,
        "VpcId": one.vpc_id,
        "OwnerId": one.owner_id,
        "IpPermissions": [_permission(rule) for rule in one.ingress],
        "IpPermissionsEgress": [_permission(rule) for rule in one.egress],
        "Tags": _tags(one.known_tags),
    }


def _permission(rule: Permission) -> dict[str, Any]:
    return {
        "IpProtocol": rule.protocol,
        "FromPort": rule.from_port,
        "ToPort": rule.to_port,
        "IpRanges": [{"CidrIp": cidr} for cidr in rule.cidrs if ":" not in cidr],
        "Ipv6Ranges": [{"CidrIpv6": cidr} for cidr in rule.cidrs if ":" in cidr],
        "UserIdGroupPairs": [
            {"GroupId": one.group_id, **({"UserId": one.owner_id} if one.owner_id else {})} for one in rule.references
        ],
    }


def _vpc(one: Vpc) -> dict[str, Any]:
    return {"VpcId": one.id, "CidrBlock": one.cidrs[Family.IPV4][0]}


def _instance(one: Instance) -> dict[str, Any]:
    groups = [{"GroupId": group_id} for group_id in one.groups]
    interface = {"Attachment": {"DeviceIndex": 0, "NetworkCardIndex": 0}, "PrivateIpAddress": one.ipv4_address}
    return {"InstanceId": one.id, "NetworkInterfaces": [{**interface, "Groups": groups}]}


def _tags(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
