"""What a live `explain` reads for remarks: nothing unless a remark may depend on it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from alb_sg.estate import from_api
from alb_sg.estate.estate import Estate
from alb_sg.findings.judge import Judge
from alb_sg.live.remark_facts import read_remark_facts
from alb_sg.live.requests import LiveClients

REGION, ACCOUNT = "us-east-1", "123456789012"
OIDC: Any = {
    "Type": "authenticate-oidc",
    "Order": 1,
    "AuthenticateOidcConfig": {
        "Issuer": "https://idp.example",
        "AuthorizationEndpoint": "https://idp.example/authorize",
        "TokenEndpoint": "https://idp.example/token",
        "UserInfoEndpoint": "https://idp.example/user",
        "ClientId": "id",
        "ClientSecret": "secret",
    },
}
REFUSED: Any = {"Type": "fixed-response", "Order": 2, "FixedResponseConfig": {"StatusCode": "404"}}


class Account:
    """An internal load balancer with a listener rule that authenticates, in a VPC with CloudFront's group."""

    def __init__(self) -> None:
        self.ec2: Any = boto3.client("ec2", REGION)
        self.elbv2: Any = boto3.client("elbv2", REGION)
        vpc = self.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnets = [
            self.ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"{REGION}{zone}")
            for number, zone in enumerate("ab")
        ]
        self.group = self.ec2.create_security_group(GroupName="web", Description="web", VpcId=vpc)["GroupId"]
        self.ec2.create_security_group(GroupName="CloudFront-VPCOrigins-Service-SG", Description="theirs", VpcId=vpc)
        self.load_balancer = self.elbv2.create_load_balancer(
            Name="web",
            Scheme="internal",
            Subnets=[one["Subnet"]["SubnetId"] for one in subnets],
            SecurityGroups=[self.group],
        )["LoadBalancers"][0]["LoadBalancerArn"]
        self.listener = self.elbv2.create_listener(
            LoadBalancerArn=self.load_balancer, Port=80, Protocol="HTTP", DefaultActions=[REFUSED]
        )["Listeners"][0]["ListenerArn"]
        self.elbv2.create_rule(
            ListenerArn=self.listener,
            Priority=1,
            Conditions=[{"Field": "path-pattern", "Values": ["/private"]}],
            Actions=[OIDC, REFUSED],
        )

    def close_egress(self) -> None:
        everything = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
        self.ec2.revoke_security_group_egress(GroupId=self.group, IpPermissions=[everything])

    def estate(self) -> Estate:
        listener = from_api.listener(self.elbv2.describe_listeners(LoadBalancerArn=self.load_balancer)["Listeners"][0])
        group = self.ec2.describe_security_groups(GroupIds=[self.group])["SecurityGroups"][0]
        balancer = from_api.load_balancer(self.elbv2.describe_load_balancers()["LoadBalancers"][0])
        return Estate(
            ACCOUNT,
            REGION,
            load_balancers={balancer.arn: balancer},
            listeners={balancer.arn: (listener,)},
            security_groups={self.group: from_api.security_group(group)},
        )

    def read(self) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...], list[str]]:
        """The remarks, what could not be read, and the operations called."""
        estate = self.estate()
        seen: list[str] = []
        for client in (self.ec2, self.elbv2):
            client.meta.events.register("before-call", lambda model, **_: seen.append(model.name))
        [balancer] = estate.load_balancers.values()
        finder = read_remark_facts(LiveClients(elbv2=self.elbv2, ec2=self.ec2), estate, balancer)
        return finder.remarks(Judge(estate), balancer, []), finder.unread, seen


@pytest.fixture
def account() -> Iterator[Account]:
    with mock_aws():
        yield Account()


def test_rules_are_read_where_no_identity_provider_can_be_reached(account: Account) -> None:
    account.close_egress()
    remarks, unread, seen = account.read()
    assert remarks[0].startswith("a rule of HTTP:80 authenticates (authenticate-oidc), but no outbound TCP 443 is open")
    assert remarks[1].startswith("CloudFront (VPC origins) is present in vpc-")
    assert unread == ()
    assert sorted(seen) == ["DescribeNetworkInterfaces", "DescribeRules", "DescribeSecurityGroups"]


def test_rules_are_not_read_where_all_egress_is_open(account: Account) -> None:
    """A call for each listener, for nothing."""
    remarks, _, seen = account.read()
    assert [remark.split(" is ")[0] for remark in remarks] == ["CloudFront (VPC origins)"]
    assert "DescribeRules" not in seen


def test_a_refused_call_is_named(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    account.close_egress()
    estate = account.estate()
    [balancer] = estate.load_balancers.values()

    def denied(**_: object) -> None:
        answer = {"Error": {"Code": "AccessDenied", "Message": "no"}}
        raise account.elbv2.exceptions.ClientError(answer, "DescribeRules")

    monkeypatch.setattr(account.elbv2, "describe_rules", denied, raising=True)
    monkeypatch.setattr(account.elbv2, "can_paginate", lambda _: False)
    finder = read_remark_facts(LiveClients(elbv2=account.elbv2, ec2=account.ec2), estate, balancer)
    [(what, cause)] = finder.unread
    assert what == f"rules of listener {account.listener}"
    assert "AccessDenied" in cause
