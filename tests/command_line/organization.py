"""An organization over an embedded AWS: accounts with a load balancer each, and every call as AWS gets it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3
from botocore.exceptions import ClientError

# What moto takes for the account of unknown credentials.
OWN_ACCOUNT = "123456789012"
REGION, OTHER_REGION = "us-east-1", "eu-west-1"
ACCOUNTS = ("100000000001", "100000000002", "100000000003")
ROLE = "arn:aws:iam::{account}:role/audit/reader"


def role_arn(account: str, partition: str = "aws") -> str:
    return f"arn:{partition}:iam::{account}:role/audit/reader"


def create_load_balancer(account: str, region: str) -> None:
    answer = boto3.client("sts", region_name=REGION).assume_role(RoleArn=role_arn(account), RoleSessionName="test")
    given = answer["Credentials"]
    session = boto3.Session(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"], region)
    ec2, elbv2 = session.client("ec2"), session.client("elbv2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{index}.0/24", AvailabilityZone=f"{region}{zone}")["Subnet"]
        for index, zone in enumerate("ab")
    ]
    group = ec2.create_security_group(GroupName="web", Description="web", VpcId=vpc)["GroupId"]
    elbv2.create_load_balancer(
        Name=f"web-{account[-1]}",
        Subnets=[subnet["SubnetId"] for subnet in subnets],
        SecurityGroups=[group],
        Tags=[{"Key": "team", "Value": f"team {account[-1]}"}],
    )


class Wire:
    """Every call as account of its credentials, region, operation and parameters. `failing` raises for some of them."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, str]] = []
        self.parameters: list[dict[str, Any]] = []
        self.failing: Callable[[str, str, dict[str, Any]], BaseException | None] = lambda *_: None

    def count(self, operation: str) -> int:
        return sum(called == operation for _, _, called in self.calls)

    def regions(self, operation: str) -> set[str]:
        return {region for region, _, called in self.calls if called == operation}


def denied(operation: str) -> ClientError:
    return ClientError({"Error": {"Code": "AccessDenied", "Message": "not for you"}}, operation)


def refuse_role_of(account: str) -> Callable[[str, str, dict[str, Any]], BaseException | None]:
    def failing(_: str, operation: str, parameters: dict[str, Any]) -> BaseException | None:
        return denied(operation) if operation == "AssumeRole" and account in parameters["RoleArn"] else None

    return failing
