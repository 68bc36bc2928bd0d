"""A VPC whose block nobody knows before the change, and rules for that same block.

Both are the same value of one deployment: the rule covers the VPC whatever the value is. In a plan they may be
different parts of one block, because a plan does not show functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from alb_sg.estate.planned.template_stacks import TemplateFile
from tests.estate.planned.judging import judge_scenario, verdicts
from tests.estate.planned.plans import COMPUTED, Plan, Ref
from tests.estate.planned.templates import NESTED_STACK, SECURITY_GROUP, read, write

VPC, VPC_CIDR_BLOCK = "AWS::EC2::VPC", "AWS::EC2::VPCCidrBlock"
VPC_CIDR = {"Ref": "VpcCidr"}
OF_VPC = {"Fn::GetAtt": ["Vpc", "CidrBlock"]}
FIRST_IPV6 = {"Fn::Select": [0, {"Fn::GetAtt": ["Vpc", "Ipv6CidrBlocks"]}]}
AMAZON: dict[str, Any] = {"AmazonProvidedIpv6CidrBlock": True}


def template(
    open_to: Sequence[Any], vpc: Any = VPC_CIDR, more: Sequence[dict[str, Any]] = (), ipv6: Sequence[Any] = ()
) -> dict[str, Any]:
    """An internal load balancer whose group opens its port to these blocks. `more` are further blocks of the VPC."""
    rules = [{"CidrIp": block} for block in open_to] + [{"CidrIpv6": block} for block in ipv6]
    resources: dict[str, Any] = {
        "Vpc": {"Type": VPC, "Properties": {"CidrBlock": vpc} if vpc is not None else {"Ipv4IpamPoolId": "ipam-1"}},
        "Subnet": {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.0.0.0/24"}},
        "Group": {
            "Type": SECURITY_GROUP,
            "Properties": {
                "VpcId": {"Ref": "Vpc"},
                "SecurityGroupIngress": [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, **one} for one in rules],
            },
        },
        "Web": {
            "Type": "AWS::ElasticLoadBalancingV2::LoadBalancer",
            "Properties": {
                "Scheme": "internal",
                "IpAddressType": "dualstack" if ipv6 else "ipv4",
                "SecurityGroups": [{"Ref": "Group"}],
                "Subnets": [{"Ref": "Subnet"}],
            },
        },
        "Listener": {
            "Type": "AWS::ElasticLoadBalancingV2::Listener",
            "Properties": {
                "LoadBalancerArn": {"Ref": "Web"},
                "Port": 443,
                "Protocol": "HTTPS",
                "DefaultActions": [{"Type": "fixed-response"}],
            },
        },
    }
    for number, block in enumerate(more):
        resources[f"Block{number}"] = {"Type": VPC_CIDR_BLOCK, "Properties": {"VpcId": {"Ref": "Vpc"}, **block}}
    parameters = {name: {"Type": "String"} for name in ("VpcCidr", "Second", "Octet")}
    parameters["Ssm"] = {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/vpc/cidr"}
    parameters["Blocks"] = {"Type": "CommaDelimitedList"}
    return {"Parameters": parameters, "Resources": resources}


def listeners(folder: Path, template: dict[str, Any], others: Sequence[TemplateFile] = (), address: str = "Web") -> str:
    [scenario] = read(folder, template, others=others)
    return judge_scenario(scenario)[address, "listeners"]


def sub(text: str) -> dict[str, str]:
    return {"Fn::Sub": text}


@pytest.mark.parametrize(
    ("open_to", "vpc"),
    [
        ([VPC_CIDR], VPC_CIDR),
        ([OF_VPC], VPC_CIDR),
        ([sub("${VpcCidr}")], VPC_CIDR),
        ([sub("${Vpc.CidrBlock}")], VPC_CIDR),
        # Text that is made of the same parts in the same way.
        ([sub("10.${Octet}.0.0/16")], sub("10.${Octet}.0.0/16")),
        ([{"Fn::Join": ["", ["10.", {"Ref": "Octet"}, ".0.0/16"]]}], sub("10.${Octet}.0.0/16")),
        ([{"Ref": "Ssm"}], {"Ref": "Ssm"}),
        ([{"Fn::Select": [1, {"Ref": "Blocks"}]}], {"Fn::Select": [1, {"Ref": "Blocks"}]}),
        # An address pool chooses the block of the VPC.
        ([OF_VPC], None),
        ([{"Ref": "Second"}, VPC_CIDR], VPC_CIDR),
    ],
)
def test_a_rule_for_the_block_of_the_vpc(tmp_path: Path, open_to: Sequence[Any], vpc: Any) -> None:
    assert listeners(tmp_path, template(open_to, vpc)) == "COMPLIANT 1 requirement met in Group"


@pytest.mark.parametrize(
    ("open_to", "vpc"),
    [
        ([{"Ref": "Second"}], VPC_CIDR),
        ([sub("10.${Octet}.1.0/24")], sub("10.${Octet}.0.0/16")),
        ([sub("${VpcCidr}/16")], VPC_CIDR),
        # A part of the block.
        ([{"Fn::Select": [0, {"Fn::Cidr": [VPC_CIDR, 4, 8]}]}], VPC_CIDR),
        ([{"Fn::Select": [0, {"Ref": "Blocks"}]}], {"Fn::Select": [1, {"Ref": "Blocks"}]}),
        # Both depend on one value in different ways.
        (
            [{"Fn::Select": [0, {"Fn::Split": [" ", {"Ref": "Ssm"}]}]}],
            {"Fn::Select": [0, {"Fn::Split": [",", {"Ref": "Ssm"}]}]},
        ),
        ([VPC_CIDR], None),
    ],
)
def test_a_rule_for_another_block(tmp_path: Path, open_to: Sequence[Any], vpc: Any) -> None:
    """It may be a larger one: nobody knows."""
    assert listeners(tmp_path, template(open_to, vpc)).startswith("ERROR ")


def test_a_known_part_beside_the_unknown_one(tmp_path: Path) -> None:
    known = {"CidrBlock": "10.9.0.0/16"}
    assert listeners(tmp_path, template([VPC_CIDR, "10.9.0.0/16"], more=[known])).startswith("COMPLIANT")
    missing = listeners(tmp_path, template([VPC_CIDR], more=[known]))
    # The other block may hold it.
    assert missing.startswith("ERROR CidrIp of Group")


def test_every_block_of_the_vpc_has_to_be_open(tmp_path: Path) -> None:
    second = {"CidrBlock": {"Ref": "Second"}}
    assert listeners(tmp_path, template([VPC_CIDR, {"Ref": "Second"}], more=[second])).startswith("COMPLIANT 1 ")
    assert listeners(tmp_path, template([VPC_CIDR], more=[second])).startswith("ERROR ")
    # What a pool chooses has no name.
    assert listeners(tmp_path, template([VPC_CIDR], more=[{"Ipv4IpamPoolId": "ipam-1"}])).startswith("ERROR ")


def test_the_ipv6_block_that_amazon_provides(tmp_path: Path) -> None:
    assert listeners(tmp_path, template([VPC_CIDR], more=[AMAZON], ipv6=[FIRST_IPV6])).startswith("COMPLIANT 2 ")
    # It may be the second one.
    two: list[dict[str, Any]] = [AMAZON, {"Ipv6IpamPoolId": "ipam-1"}]
    assert listeners(tmp_path, template([VPC_CIDR], more=two, ipv6=[FIRST_IPV6])).startswith("ERROR ")


def test_an_ipv6_block_from_a_pool_is_a_block(tmp_path: Path) -> None:
    pool = {"Ipv6IpamPoolId": "ipam-1", "Ipv6NetmaskLength": 56}
    document = template(["10.0.0.0/16"], "10.0.0.0/16", more=[pool], ipv6=["fd00::/64"])
    assert listeners(tmp_path, document).startswith("ERROR Ipv6CidrBlock of VPC Vpc: an address pool gives it")


def test_a_rule_whose_port_is_not_known(tmp_path: Path) -> None:
    document = template([VPC_CIDR])
    document["Resources"]["Group"]["Properties"]["SecurityGroupIngress"][0]["ToPort"] = {"Ref": "Second"}
    assert listeners(tmp_path, document).startswith("ERROR ToPort of Group")


def test_parameters_of_one_name_in_two_stacks(tmp_path: Path) -> None:
    """Each stack has its own value."""
    document = template([{"Fn::ImportValue": "OpenTo"}])
    other = {
        "Parameters": {"VpcCidr": {"Type": "String"}},
        "Resources": {"Vpc": {"Type": VPC, "Properties": {"CidrBlock": VPC_CIDR}}},
        "Outputs": {"OpenTo": {"Value": VPC_CIDR, "Export": {"Name": "OpenTo"}}},
    }
    others = [TemplateFile(write(tmp_path, other, "other.json"), "other")]
    assert listeners(tmp_path, document, others, "template/Web").startswith("ERROR ")


def test_a_block_that_is_passed_to_a_nested_stack(tmp_path: Path) -> None:
    document = template([{"Fn::GetAtt": ["Nested", "Outputs.Block"]}])
    nested = {
        "Parameters": {"Passed": {"Type": "String"}},
        "Resources": {"Vpc": {"Type": VPC, "Properties": {"CidrBlock": "10.9.0.0/16"}}},
        "Outputs": {"Block": {"Value": {"Ref": "Passed"}}},
    }
    write(tmp_path, nested, "nested.json")
    stack = {"TemplateURL": "nested.json", "Parameters": {"Passed": VPC_CIDR}}
    document["Resources"]["Nested"] = {"Type": NESTED_STACK, "Properties": stack}
    assert listeners(tmp_path, document).startswith("COMPLIANT")


@pytest.mark.parametrize("block", [Ref("aws_vpc.main.cidr_block"), [Ref("aws_vpc.main.cidr_block")]])
def test_a_plan_does_not_tell_a_block_from_a_part_of_it(block: Any) -> None:
    """`cidrsubnet(aws_vpc.main.cidr_block, 8, 1)` has the same references."""
    plan = Plan()
    plan.create("aws_vpc.main", cidr_block=COMPUTED, ipv4_ipam_pool_id="ipam-pool-1", ipv4_netmask_length=16)
    plan.create("aws_subnet.a", vpc_id=Ref("aws_vpc.main.id"), cidr_block=COMPUTED)
    rule = {"protocol": "tcp", "from_port": 443, "to_port": 443}
    inline = [{**rule, "cidr_blocks": block}] if isinstance(block, list) else COMPUTED
    plan.create("aws_security_group.web", name="web", vpc_id=Ref("aws_vpc.main.id"), ingress=inline, egress=COMPUTED)
    if not isinstance(block, list):
        plan.create(
            "aws_vpc_security_group_ingress_rule.web",
            security_group_id=Ref("aws_security_group.web.id"),
            cidr_ipv4=block,
            ip_protocol="tcp",
            from_port=443,
            to_port=443,
        )
    plan.create(
        "aws_lb.web",
        name="web",
        internal=True,
        load_balancer_type="application",
        ip_address_type="ipv4",
        security_groups=[Ref("aws_security_group.web.id")],
        subnets=[Ref("aws_subnet.a.id")],
    )
    plan.create(
        "aws_lb_listener.web",
        load_balancer_arn=Ref("aws_lb.web.arn"),
        port=443,
        protocol="HTTPS",
        default_action=[{"type": "redirect", "target_group_arn": None, "forward": []}],
    )
    assert verdicts(plan, "aws_lb.web")["listeners"] == "ERROR"
