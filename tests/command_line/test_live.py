"""Live use over an embedded AWS: what is read, exported and refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import botocore.client
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from moto import mock_aws

from tests.command_line.calling import Command, without_advice

pytestmark = pytest.mark.slow

REGION = "us-east-1"
ACCOUNT = "123456789012"


@pytest.fixture
def account() -> Iterator[Account]:
    with mock_aws():
        yield Account()


class Account:
    """A load balancer `web` with a closed security group, and a group that opens it."""

    def __init__(self) -> None:
        ec2 = boto3.client("ec2", region_name=REGION)
        elbv2 = boto3.client("elbv2", region_name=REGION)
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnets = [
            ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{index}.0/24", AvailabilityZone=f"{REGION}{zone}")["Subnet"]
            for index, zone in enumerate("ab")
        ]

        def group(name: str) -> str:
            return ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"]

        self.closed, self.open = group("closed"), group("open")
        ec2.authorize_security_group_ingress(
            GroupId=self.open, IpPermissions=[{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
        )
        self.arn = elbv2.create_load_balancer(
            Name="web", Subnets=[subnet["SubnetId"] for subnet in subnets], SecurityGroups=[self.closed]
        )["LoadBalancers"][0]["LoadBalancerArn"]
        target_group = elbv2.create_target_group(
            Name="web", Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip", HealthCheckPort="8080"
        )["TargetGroups"][0]["TargetGroupArn"]
        ec2.create_network_interface(SubnetId=subnets[0]["SubnetId"], PrivateIpAddress="10.0.0.9", Groups=[self.open])
        elbv2.register_targets(TargetGroupArn=target_group, Targets=[{"Id": "10.0.0.9"}])
        elbv2.create_listener(
            LoadBalancerArn=self.arn,
            Protocol="HTTP",
            Port=80,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": target_group}],
        )


Calls = list[tuple[str, str]]


@pytest.fixture
def at_the_wire(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Calls]:
    """Installs answers in place of calls, by operation: an exception to raise. Returns the calls seen from then on."""
    make = botocore.client.BaseClient._make_api_call  # type: ignore[attr-defined]  # noqa: SLF001 (the one place that every call passes; it is in no stubs)

    def install(**failing: Exception) -> Calls:
        seen: Calls = []

        def call(self: Any, operation: str, parameters: Any) -> Any:
            seen.append((self.meta.region_name, operation))
            if operation in failing:
                raise failing[operation]
            return make(self, operation, parameters)

        monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", call)
        return seen

    return install


def denied(operation: str, code: str = "AccessDenied") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "not for you"}}, operation)


def test_check_reads_the_account_of_the_credentials(command: Command, account: Account) -> None:
    answer = command("check", "--format", "json")
    assert answer.code == 1
    assert {(one["accountId"], one["region"], one["loadBalancerArn"]) for one in answer.json["findings"]} == {
        (ACCOUNT, REGION, account.arn)
    }
    found = {one["rule"]: one["compliance"] for one in answer.json["findings"]}
    assert found == {
        "ALB_SG_HEALTH_CHECK_EGRESS": "COMPLIANT",
        "ALB_SG_ICMP_PMTUD": "NON_COMPLIANT",
        "ALB_SG_INSTANCE_EGRESS": "COMPLIANT",
        "ALB_SG_LISTENER_INGRESS": "NON_COMPLIANT",
        "ALB_SG_TARGET_INGRESS": "COMPLIANT",
    }


@pytest.mark.usefixtures("account")
def test_an_export_gives_the_same_findings(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "estate.json.gz"
    assert command("export", "--output", str(path)).code == 0
    live = command("check", "--format", "json")
    saved = command("check", "--format", "json", "--estate", str(path))
    assert (saved.code, without_advice(saved.json["findings"])) == (live.code, without_advice(live.json["findings"]))
    assert saved.json["errors"] == live.json["errors"] == []


@pytest.mark.usefixtures("account")
def test_advice_says_that_only_a_fix_reads_who_shares_a_group(command: Command) -> None:
    """A check does not read every interface that carries a group."""
    (finding,) = command("check", "--format", "json", "--rule", "listener_ingress").json["findings"]
    [rule] = finding["advice"]
    assert rule.startswith("allow inbound TCP 80 from 0.0.0.0/0 in sg-")
    assert ", if it is neither shared nor managed (not known: who carries sg-" in rule
    assert rule.endswith(": only alb-sg fix reads it)")


def test_explain_reads_who_shares_a_group(command: Command, account: Account) -> None:
    """Of one load balancer, as `alb-sg fix` does."""
    out = command("explain", "web", "--rule", "listener_ingress").out
    assert f"  fix      allow inbound TCP 80 from 0.0.0.0/0 in {account.closed}\n" in out


@pytest.mark.usefixtures("account")
def test_all_regions_are_those_of_the_account(
    command: Command, at_the_wire: Callable[..., Calls], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are asked for even where no region is set."""
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    monkeypatch.delenv("AWS_REGION", raising=False)
    enabled = {one["RegionName"] for one in boto3.client("ec2", region_name=REGION).describe_regions()["Regions"]}
    calls = at_the_wire()
    answer = command("check", "--region", "all", "--rule", "icmp_pmtud", "--format", "json")
    assert answer.json["summary"]["loadBalancers"] == 1
    assert {region for region, operation in calls if operation == "DescribeLoadBalancers"} == enabled
    assert "omit the others" in command.refused("check", "--region", "all", "--region", "eu-west-1")


@pytest.mark.usefixtures("account")
def test_regions_that_cannot_be_told_are_an_error(command: Command, at_the_wire: Callable[..., Calls]) -> None:
    at_the_wire(DescribeRegions=denied("DescribeRegions"))
    answer = command("check", "--region", "all", "--format", "json")
    assert answer.code == 3
    (error,) = answer.json["errors"]
    assert "ec2:DescribeRegions" in error["what"]


@pytest.mark.usefixtures("account")
def test_several_regions(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "estate.json"
    assert command("export", "--region", "us-west-2", "--region", REGION, "--output", str(path)).code == 0
    assert [one["Region"] for one in json.loads(path.read_text())] == [REGION, "us-west-2"]
    answer = command("check", "--region", "us-west-2", "--region", REGION)
    assert (answer.code, "web" in answer.out) == (1, True)
    answer = command("check", "--region", "us-west-2")
    assert (answer.code, answer.out) == (0, f"No load balancer found in {ACCOUNT} us-west-2.\n")


def test_a_load_balancer_is_selected_by_name_or_arn(
    command: Command, account: Account, at_the_wire: Callable[..., Calls]
) -> None:
    calls = at_the_wire()
    for name in ("web", account.arn):
        answer = command("explain", name)
        assert answer.code == 1
        assert "sg-" in answer.out
    assert ("us-east-1", "DescribeTargetHealth") in calls
    assert "'shop'" in command.refused("check", "--load-balancer", "shop")


def test_the_region_comes_from_the_arn(
    command: Command, account: Account, at_the_wire: Callable[..., Calls], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    calls = at_the_wire()
    assert command("explain", account.arn).code == 1
    assert {region for region, _ in calls} == {REGION}


def test_what_if_reads_unattached_groups(command: Command, account: Account) -> None:
    answer = command("what-if", "web", "--security-groups", account.open)
    assert answer.code == 0
    assert answer.out.count("NON_COMPLIANT -> COMPLIANT") == 2
    assert "sg-00000000" in command.refused("what-if", "web", "--security-groups", "sg-00000000")


@pytest.mark.usefixtures("account")
def test_tags_are_read_for_tag_key_only(command: Command, at_the_wire: Callable[..., Calls]) -> None:
    calls = at_the_wire()
    command("check")
    assert not [operation for _, operation in calls if operation == "DescribeTags"]
    command("check", "--parameter", "TagKey=clients")
    assert [operation for _, operation in calls if operation == "DescribeTags"]


@pytest.mark.usefixtures("account")
def test_load_balancers_that_cannot_be_listed_are_an_error(command: Command, at_the_wire: Callable[..., Calls]) -> None:
    at_the_wire(DescribeLoadBalancers=denied("DescribeLoadBalancers"))
    answer = command("check", "--format", "json")
    assert answer.code == 3
    (error,) = answer.json["errors"]
    assert error["loadBalancerArn"] is None
    assert error["what"] == f"LoadBalancers of {ACCOUNT} {REGION}"
    assert "AccessDenied" in error["cause"]
    assert command("explain", "web").code == 3
    assert command("what-if", "web", "--add-listener", "443").code == 3


@pytest.mark.usefixtures("account")
def test_one_call_that_fails_leaves_the_other_verdicts(command: Command, at_the_wire: Callable[..., Calls]) -> None:
    at_the_wire(DescribeListeners=denied("DescribeListeners"))
    answer = command("check", "--format", "json")
    assert answer.code == 3
    found = {one["rule"]: one["compliance"] for one in answer.json["findings"]}
    assert found["ALB_SG_ICMP_PMTUD"] == "NON_COMPLIANT"
    assert "ALB_SG_LISTENER_INGRESS" not in found


@pytest.mark.usefixtures("account")
@pytest.mark.parametrize("operation", ["DescribeLoadBalancers", "DescribeTargetHealth", "DescribeNetworkInterfaces"])
def test_an_export_with_a_failed_call_writes_nothing(
    command: Command, at_the_wire: Callable[..., Calls], tmp_path: Path, operation: str
) -> None:
    path = tmp_path / "estate.json"
    path.write_text("before")
    at_the_wire(**{operation: denied(operation)})
    answer = command("export", "--output", str(path))
    assert answer.code == 3
    assert operation in answer.err
    assert path.read_text() == "before"
    assert [one.name for one in tmp_path.iterdir()] == ["estate.json"]


def test_an_account_that_cannot_be_asked_for_is_an_error(command: Command, at_the_wire: Callable[..., Calls]) -> None:
    at_the_wire(GetCallerIdentity=EndpointConnectionError(endpoint_url="https://sts.us-east-1.amazonaws.com/"))
    answer = command("check", "--format", "json")
    assert answer.code == 3
    assert answer.json["findings"] == []
    assert answer.json["errors"][0]["what"] == "the account of the credentials"
    assert command("export", "--output", "-").code == 3


def test_no_region_is_refused(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.delenv("AWS_REGION", raising=False)
    assert "--region" in command.refused("check")
    assert "--region" in command.refused("export", "--output", "-")


def test_no_credentials_are_refused(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    assert "--profile" in command.refused("check")


def test_credentials_that_aws_refuses_are_refused(command: Command, at_the_wire: Callable[..., Calls]) -> None:
    at_the_wire(GetCallerIdentity=denied("GetCallerIdentity", "ExpiredToken"))
    assert "ExpiredToken" in command.refused("check")


def test_an_unknown_profile_is_refused(command: Command) -> None:
    assert "'audit'" in command.refused("check", "--profile", "audit")


def test_an_invalid_region_is_refused(command: Command) -> None:
    assert "'not a region'" in command.refused("check", "--region", "not a region")


def test_rules_live_share_their_tag_key(command: Command) -> None:
    said = command.refused("check", "--parameter", "listener_ingress:TagKey=a", "--parameter", "icmp_pmtud:TagKey=b")
    assert "TagKey" in said


def test_parameters_are_refused_before_any_call(command: Command, at_the_wire: Callable[..., Calls]) -> None:
    calls = at_the_wire()
    command.refused("check", "--parameter", "TargetMatch=both")
    command.refused("check", "--rule", "nacl")
    command.refused("check", "--output", "/nonexistent/findings.json")
    assert calls == []
