"""The live source against moto's APIs: the same verdicts for the region, for one load balancer and from an export."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws

from alb_sg.aws.clients import make_client
from alb_sg.estate.estate import Estate
from alb_sg.estate.export_file import read_export_file, write_export_file
from alb_sg.estate.model import LoadBalancer
from alb_sg.findings.judge import judge_all
from alb_sg.live import LiveClients, LiveSource, Selection
from alb_sg.parameters import parse_parameters
from alb_sg.recommendations.catalogue import DEFAULT_RECOMMENDATIONS

pytestmark = pytest.mark.slow

ACCOUNT = "123456789012"  # moto's
REGION = "eu-central-1"
SECTIONS = frozenset[str]().union(*(rule.estate_sections for rule in DEFAULT_RECOMMENDATIONS)) - {"Tags"}


@dataclass
class Shop:
    """An account with three load balancers.

    `web` is internet-facing with an instance that its security group references, `inner` is internal behind the NLB
    `front` with a secondary address as target, and `bare` serves CloudFront alone and has no target.
    """

    source: LiveSource
    web_group: str
    calls: Counter[str] = field(default_factory=Counter)


@pytest.fixture
def shop() -> Iterator[Shop]:
    with mock_aws():
        ec2 = make_client("ec2", REGION)
        elbv2 = make_client("elbv2", REGION)
        web_group = _build(ec2, elbv2)
        built = Shop(LiveSource(LiveClients(elbv2=elbv2, ec2=ec2), ACCOUNT, REGION), web_group)

        def count(operation_name: str, **_: Any) -> None:
            built.calls[operation_name] += 1

        for client in (ec2, elbv2):
            client.meta.events.register("request-created.*", count)
        yield built


def _build(ec2: Any, elbv2: Any) -> str:
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"{REGION}{zone}")["Subnet"][
            "SubnetId"
        ]
        for number, zone in enumerate("ab")
    ]
    (cloudfront,) = ec2.describe_managed_prefix_lists(
        Filters=[{"Name": "prefix-list-name", "Values": ["com.amazonaws.global.cloudfront.origin-facing"]}]
    )["PrefixLists"]

    def group(name: str, ingress: list[dict[str, Any]], egress: list[dict[str, Any]]) -> str:
        made: str = ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"]
        ec2.revoke_security_group_egress(
            GroupId=made, IpPermissions=[{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
        )
        for permissions, authorize in (
            (ingress, ec2.authorize_security_group_ingress),
            (egress, ec2.authorize_security_group_egress),
        ):
            if permissions:
                authorize(GroupId=made, IpPermissions=permissions)
        return made

    def tcp(port: int, **peers: Any) -> dict[str, Any]:
        return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **peers}

    app = group("app", [], [])
    to_app = [tcp(8080, UserIdGroupPairs=[{"GroupId": app}])]
    web_group = group("web", [tcp(443, IpRanges=[{"CidrIp": "0.0.0.0/0"}])], to_app)
    inner_group = group("inner", [tcp(80, IpRanges=[{"CidrIp": "10.0.0.0/16"}])], to_app)
    bare_group = group("bare", [tcp(80, PrefixListIds=[{"PrefixListId": cloudfront["PrefixListId"]}])], [])

    image = ec2.describe_images()["Images"][0]["ImageId"]
    instance = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, SubnetId=subnets[0], SecurityGroupIds=[app])[
        "Instances"
    ][0]["InstanceId"]
    ec2.create_network_interface(
        SubnetId=subnets[1],
        Groups=[app],
        PrivateIpAddresses=[
            {"PrivateIpAddress": "10.0.1.50", "Primary": True},
            {"PrivateIpAddress": "10.0.1.51", "Primary": False},
        ],
    )

    def balancer(name: str, scheme: str, groups: list[str], kind: str = "application") -> str:
        made: str = elbv2.create_load_balancer(
            Name=name, Subnets=subnets, SecurityGroups=groups, Scheme=scheme, Type=kind
        )["LoadBalancers"][0]["LoadBalancerArn"]
        return made

    def target_group(name: str, kind: str, port: int, targets: list[str]) -> str:
        protocol = "TCP" if kind == "alb" else "HTTP"
        made: str = elbv2.create_target_group(Name=name, TargetType=kind, Protocol=protocol, Port=port, VpcId=vpc)[
            "TargetGroups"
        ][0]["TargetGroupArn"]
        elbv2.register_targets(TargetGroupArn=made, Targets=[{"Id": one} for one in targets])
        return made

    def listener(of: str, port: int, to: str | None, protocol: str = "HTTP") -> None:
        action = (
            {"Type": "forward", "TargetGroupArn": to}
            if to is not None
            else {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
        )
        elbv2.create_listener(LoadBalancerArn=of, Port=port, Protocol=protocol, DefaultActions=[action])

    web = balancer("web", "internet-facing", [web_group])
    inner = balancer("inner", "internal", [inner_group])
    bare = balancer("bare", "internet-facing", [bare_group])
    front = balancer("front", "internal", [], "network")
    listener(web, 443, target_group("instances", "instance", 8080, [instance]))
    listener(inner, 80, target_group("addresses", "ip", 8080, ["10.0.1.51"]))
    listener(bare, 80, None)
    listener(front, 80, target_group("inner", "alb", 80, [inner]), "TCP")
    return web_group


def verdicts(estate: Estate, load_balancers: tuple[LoadBalancer, ...]) -> dict[tuple[str, str], str]:
    """Each verdict with its annotation, by load balancer and rule. Fails on errors."""
    rules = {recommendation: parse_parameters({}) for recommendation in DEFAULT_RECOMMENDATIONS}
    findings, errors = judge_all(estate, load_balancers, rules)
    assert errors == []
    return {
        (found.load_balancer_name, found.rule): f"{found.compliance.value}: {found.annotation}" for found in findings
    }


def test_all_of_a_region(shop: Shop) -> None:
    loaded = shop.source.load(Selection(everything=True), SECTIONS)
    found = verdicts(loaded.estate, loaded.selected)
    short = {name: text.partition(":")[0] for (name, rule), text in found.items() if rule == "ALB_SG_INSTANCE_EGRESS"}
    assert short == {
        "web": "COMPLIANT",
        "inner": "COMPLIANT",
        "bare": "NOT_APPLICABLE",
        "front": "NOT_APPLICABLE",
    }
    ingress = {name: text for (name, rule), text in found.items() if rule == "ALB_SG_LISTENER_INGRESS"}
    assert ingress["web"].startswith("COMPLIANT")
    assert ingress["inner"].startswith("COMPLIANT")
    assert ingress["bare"].startswith("NON_COMPLIANT")
    assert shop.calls == {
        "DescribeLoadBalancers": 1,
        "DescribeTargetGroups": 1,
        "DescribeSecurityGroups": 1,
        "DescribeVpcs": 1,
        "DescribeSubnets": 1,
        "DescribeInstances": 1,
        "DescribeNetworkInterfaces": 1,
        "DescribeListeners": 4,  # one per Application Load Balancer, and one for the Network Load Balancer in front
        "DescribeTargetHealth": 3,  # one per target group
        "DescribeManagedPrefixLists": 1,
        "GetManagedPrefixListEntries": 1,
    }


def test_one_load_balancer_has_the_same_verdicts_as_among_all(shop: Shop) -> None:
    loaded = shop.source.load(Selection(everything=True), SECTIONS)
    every = verdicts(loaded.estate, loaded.selected)
    for name in ("web", "inner", "bare", "front"):
        alone = shop.source.load(Selection(load_balancers=frozenset({name})), SECTIONS)
        expected = {key: text for key, text in every.items() if key[0] == name}
        assert verdicts(alone.estate, alone.selected) == expected


def test_a_security_groups_event(shop: Shop) -> None:
    loaded = shop.source.load(Selection(security_groups=frozenset({shop.web_group})), SECTIONS)
    assert [found.name for found in loaded.selected] == ["web"]
    # The NLB's target group is in the VPC, so `web` may be registered in it. Two calls are for the targets' side: their
    # security groups, and the subnets of the load balancer.
    assert sum(shop.calls.values()) == 10


def test_an_export_has_the_same_verdicts(shop: Shop, tmp_path: Path) -> None:
    loaded = shop.source.load(Selection(everything=True), SECTIONS)
    text = io.StringIO()
    write_export_file([shop.source.export()], text)
    (tmp_path / "saved.json").write_text(text.getvalue())
    (saved,) = read_export_file(str(tmp_path / "saved.json"))
    selected = tuple(saved.load_balancers[found.arn] for found in loaded.selected)
    assert verdicts(saved, selected) == verdicts(loaded.estate, loaded.selected)
