"""Templates over an estate that exists, as new stacks and as updates: what they change there is never overlooked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from alb_sg.estate.estate import Estate
from alb_sg.estate.planned.cloudformation import read_templates
from alb_sg.estate.planned.deployed_stack import DeployedResource, DeployedStack
from alb_sg.estate.planned.template_stacks import TemplateFile
from tests.builders import (
    ANYWHERE,
    build,
    estate,
    group,
    instance,
    interface,
    listener,
    load_balancer,
    load_balancer_arn,
    prefix_list,
    target,
    target_group,
    target_group_arn,
    tcp,
    vpc,
)
from tests.estate.planned.judging import judge_scenario
from tests.estate.planned.templates import LISTENER, LOAD_BALANCER, SECURITY_GROUP, TARGET_GROUP, write

INSTANCE = "AWS::EC2::Instance"
LAUNCH_TEMPLATE = "AWS::EC2::LaunchTemplate"
NETWORK_INTERFACE = "AWS::EC2::NetworkInterface"
PREFIX_LIST = "AWS::EC2::PrefixList"
UNKNOWN = {"Ref": "Unknown"}
PARAMETERS = {"Unknown": {"Type": "String"}}


def of_type(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": kind, "Properties": properties}


def judge(
    folder: Path,
    resources: Mapping[str, Any],
    *base: Estate,
    deployed: Mapping[str, tuple[str, str]] | None = None,
    **template: Any,
) -> dict[str, str]:
    """The first result of every rule on the only load balancer, by what the rule is about. `deployed` are the types and
    identifiers of the resources that the stack has, whose template is not known."""
    path = write(folder, {"Parameters": PARAMETERS, "Resources": resources, **template})
    stack = (
        None
        if deployed is None
        else DeployedStack("shop", {key: DeployedResource(*one) for key, one in deployed.items()})
    )
    [scenario] = read_templates([TemplateFile(path, deployed=stack)], over_estate=bool(base))
    return {about: text for (_, about), text in judge_scenario(scenario, base).items()}


def web_with_target(target_properties: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A load balancer that may send to the default group of its VPC alone, and its target."""
    to_default = {
        "IpProtocol": "tcp",
        "FromPort": 8080,
        "ToPort": 8080,
        "DestinationSecurityGroupId": {"Fn::GetAtt": "Vpc.DefaultSecurityGroup"},
    }
    return {
        "Vpc": of_type("AWS::EC2::VPC", CidrBlock="10.0.0.0/16"),
        "Subnet": of_type("AWS::EC2::Subnet", VpcId={"Ref": "Vpc"}, CidrBlock="10.0.1.0/24"),
        "Group": of_type(SECURITY_GROUP, VpcId={"Ref": "Vpc"}, SecurityGroupEgress=[to_default]),
        "Other": of_type(SECURITY_GROUP, VpcId={"Ref": "Vpc"}),
        "Web": of_type(LOAD_BALANCER, SecurityGroups=[{"Ref": "Group"}], Subnets=[{"Ref": "Subnet"}]),
        "Listener": of_type(
            LISTENER,
            LoadBalancerArn={"Ref": "Web"},
            Port=80,
            Protocol="HTTP",
            DefaultActions=[{"Type": "forward", "TargetGroupArn": {"Ref": "Targets"}}],
        ),
        "Targets": of_type(TARGET_GROUP, Port=8080, VpcId={"Ref": "Vpc"}, Targets=[{"Id": {"Ref": "App"}}]),
        "App": of_type(INSTANCE, SubnetId={"Ref": "Subnet"}, **target_properties),
        **more,
    }


@pytest.mark.parametrize(
    ("properties", "verdict"),
    [
        ({}, "COMPLIANT"),
        ({"LaunchTemplate": {"LaunchTemplateId": {"Ref": "Launch"}, "Version": "1"}}, "NON_COMPLIANT"),
        # What the instance names goes before what its launch template names.
        (
            {
                "LaunchTemplate": {"LaunchTemplateId": {"Ref": "Launch"}, "Version": "1"},
                "SecurityGroupIds": [{"Fn::GetAtt": "Vpc.DefaultSecurityGroup"}],
            },
            "COMPLIANT",
        ),
        ({"LaunchTemplate": {"LaunchTemplateId": "lt-1", "Version": "1"}}, "ERROR"),
        ({"LaunchTemplate": UNKNOWN}, "ERROR"),
    ],
)
def test_an_instance_has_the_groups_of_its_launch_template(
    properties: dict[str, Any], verdict: str, tmp_path: Path
) -> None:
    """Without groups of its own, it has the VPC's default one only if no launch template names others."""
    launch = of_type(LAUNCH_TEMPLATE, LaunchTemplateData={"SecurityGroupIds": [{"Ref": "Other"}]})
    found = judge(tmp_path, web_with_target(properties, Launch=launch))
    assert found["targets"].split()[0] == verdict


def base_with_address() -> Estate:
    """`web` may send to sg-app alone, which the interface of its target carries."""
    owner = interface("10.0.1.5", groups=["sg-app"])
    owner["NetworkInterfaceId"] = "eni-1"
    return build(
        estate(
            load_balancer("web"),
            listener(443, forward=["web"]),
            target_group("web", type="ip", port=8080, targets=[target("10.0.1.5", 8080)]),
            owner,
            group("sg-1", ingress=[tcp(443, ANYWHERE)], egress=[tcp(8080, "sg-app")]),
            group("sg-app", ingress=[tcp(8080, "sg-1")]),
        )
    )


@pytest.mark.parametrize(
    ("groups", "verdict"),
    [
        ({"GroupSet": ["sg-app"]}, "COMPLIANT"),
        ({"GroupSet": ["sg-1"]}, "NON_COMPLIANT"),
        ({"GroupSet": [UNKNOWN]}, "ERROR"),
        ({"GroupSet": UNKNOWN}, "ERROR"),
        # What the interface gets instead is not documented.
        ({}, "ERROR"),
    ],
)
def test_an_interface_does_not_keep_groups_that_an_update_changes(
    groups: dict[str, Any], verdict: str, tmp_path: Path
) -> None:
    found = judge(
        tmp_path,
        {"Interface": of_type(NETWORK_INTERFACE, SubnetId="subnet-a", **groups)},
        base_with_address(),
        deployed={"Interface": (NETWORK_INTERFACE, "eni-1")},
    )
    assert found["targets"].split()[0] == verdict


@pytest.mark.parametrize(
    ("entries", "verdict"),
    [
        ([{"Cidr": ANYWHERE}], "COMPLIANT"),
        ([{"Cidr": "10.0.0.0/8"}], "NON_COMPLIANT"),
        ([{"Cidr": UNKNOWN}], "ERROR"),
        (UNKNOWN, "ERROR"),
    ],
)
def test_a_prefix_list_does_not_keep_entries_that_an_update_changes(entries: Any, verdict: str, tmp_path: Path) -> None:
    base = estate(
        load_balancer("web"),
        listener(443),
        group("sg-1", ingress=[tcp(443, "pl-4")]),
        prefix_list("pl-4", ANYWHERE),
    )
    found = judge(
        tmp_path,
        {"List": of_type(PREFIX_LIST, AddressFamily="IPv4", Entries=entries)},
        build(base),
        deployed={"List": (PREFIX_LIST, "pl-4")},
    )
    assert found["listeners"].split()[0] == verdict


def two_internal() -> Estate:
    """Two internal load balancers, `web` and `other`, which let in their VPC's block and send to sg-app alone."""
    parts = [
        [
            load_balancer(name, scheme="internal"),
            listener(443, of=name, forward=[name]),
            target_group(name, type="instance", port=8080, targets=[target("i-1", 8080)]),
        ]
        for name in ("web", "other")
    ]
    return build(
        estate(
            *parts[0],
            *parts[1],
            group("sg-1", ingress=[tcp(443, "10.0.0.0/16")], egress=[tcp(8080, "sg-app")]),
            group("sg-app", ingress=[tcp(8080, "sg-1")]),
            instance("i-1", "10.0.1.20", groups=["sg-app"]),
            vpc("10.0.0.0/16"),
        )
    )


@pytest.mark.parametrize(
    ("part", "about"),
    [
        (of_type(LISTENER, LoadBalancerArn=UNKNOWN, Port=80, Protocol="HTTP", DefaultActions=[]), "listeners"),
        (
            of_type(
                "AWS::ElasticLoadBalancingV2::ListenerRule",
                ListenerArn=UNKNOWN,
                Actions=[{"Type": "forward", "TargetGroupArn": {"Ref": "Targets"}}],
            ),
            "targets",
        ),
        (
            of_type(
                "AWS::AutoScaling::AutoScalingGroup",
                TargetGroupARNs=[UNKNOWN],
                LaunchTemplate={"LaunchTemplateId": {"Ref": "Launch"}, "Version": "1"},
            ),
            "targets",
        ),
        (
            of_type(
                "AWS::ECS::Service",
                LoadBalancers=[{"TargetGroupArn": UNKNOWN, "ContainerPort": 80}],
                NetworkConfiguration={"AwsvpcConfiguration": {"SecurityGroups": ["sg-1"], "Subnets": ["subnet-a"]}},
            ),
            "targets",
        ),
        (of_type("AWS::EC2::VPCCidrBlock", VpcId=UNKNOWN, CidrBlock="10.1.0.0/16"), "listeners"),
    ],
)
def test_a_part_of_what_is_not_known_is_perhaps_of_any(part: dict[str, Any], about: str, tmp_path: Path) -> None:
    """No load balancer of the account is COMPLIANT that it may belong to."""
    targets = of_type(TARGET_GROUP, Port=9090, VpcId="vpc-1", Targets=[{"Id": "i-1"}])
    launch = of_type(LAUNCH_TEMPLATE, LaunchTemplateData={"SecurityGroupIds": ["sg-1"]})
    resources = {"Part": part, "Targets": targets, "Launch": launch}
    path = write(tmp_path, {"Parameters": PARAMETERS, "Resources": resources})
    [scenario] = read_templates([TemplateFile(path)], over_estate=True)
    results = judge_scenario(scenario, [two_internal()])
    found = [text for (_, key), text in results.items() if key == about]
    assert len(found) == 2
    assert all(text.startswith("ERROR") and "parameter Unknown" in text for text in found), found
    # The rules that it does not concern are judged.
    other = "listeners" if about == "targets" else "targets"
    verdicts = [
        text.split()[0] for (_, key), text in judge_scenario(scenario, [two_internal()]).items() if key == other
    ]
    assert verdicts == ["COMPLIANT", "COMPLIANT"]


NESTED_STACK = "AWS::CloudFormation::Stack"
INGRESS = "AWS::EC2::SecurityGroupIngress"
OPEN_443 = {"GroupId": "sg-1", "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": ANYWHERE}
TOPIC = {"Topic": {"Type": "AWS::SNS::Topic"}}


def open_443(region: str = "us-east-1") -> Estate:
    """`web` lets everybody in, by a rule of its own."""
    saved = estate(load_balancer("web"), listener(443), group("sg-1", ingress=[tcp(443, ANYWHERE)]), region=region)
    rule = {"GroupId": "sg-1", "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIpv4": ANYWHERE}
    saved["SecurityGroupRules"] = [{"SecurityGroupRuleId": "sgr-443", "IsEgress": False, **rule}]
    return build(saved)


def listeners_after(file: TemplateFile, *base: Estate) -> str:
    [scenario] = read_templates([file], over_estate=True)
    [text] = [text for (_, key), text in judge_scenario(scenario, base).items() if key == "listeners"]
    return "; ".join((text.split()[0], *(one.origin for one in scenario.unread)))


@pytest.mark.parametrize(("is_known", "expected"), [(True, "NON_COMPLIANT"), (False, "what nested stack Rules takes")])
@pytest.mark.parametrize("template_url", ["https://s3.amazonaws.com/b/rules.json", None])
def test_a_nested_stack_whose_condition_no_longer_holds_takes_its_rules_away(
    template_url: str | None, is_known: bool, expected: str, tmp_path: Path
) -> None:
    """Its template is in S3, or a local file."""
    write(tmp_path, {"Resources": {"Rule": of_type(INGRESS, **OPEN_443)}}, "rules.json")
    nested = {**of_type(NESTED_STACK, TemplateURL=template_url or "rules.json"), "Condition": "Never"}
    never = {"Never": {"Fn::Equals": ["yes", "no"]}}
    path = write(tmp_path, {"Conditions": never, "Resources": {"Rules": nested}})
    rules = DeployedStack("shop-Rules", {"Rule": DeployedResource(INGRESS, "sgr-443")})
    resources = {"Rules": DeployedResource(NESTED_STACK, "arn:aws:cloudformation:us-east-1:111122223333:stack/r/1")}
    deployed = DeployedStack("shop", resources, nested={"Rules": rules} if is_known else {})
    assert expected in listeners_after(TemplateFile(path, deployed=deployed), open_443())


@pytest.mark.parametrize(("policy", "verdict"), [("Retain", "COMPLIANT"), ("Delete", "NON_COMPLIANT")])
def test_a_nested_stack_that_is_retained_keeps_its_rules(policy: str, verdict: str, tmp_path: Path) -> None:
    before = {"Resources": {"Rules": {**of_type(NESTED_STACK, TemplateURL="https://b/r"), "DeletionPolicy": policy}}}
    rules = DeployedStack("shop-Rules", {"Rule": DeployedResource(INGRESS, "sgr-443")})
    resources = {"Rules": DeployedResource(NESTED_STACK, "arn:aws:cloudformation:us-east-1:111122223333:stack/r/1")}
    deployed = DeployedStack("shop", resources, json.dumps(before).encode(), nested={"Rules": rules})
    path = write(tmp_path, {"Resources": TOPIC})
    assert listeners_after(TemplateFile(path, deployed=deployed), open_443()) == verdict


@pytest.mark.parametrize(("policy", "verdict"), [("Retain", "COMPLIANT"), ("Delete", "NOT_APPLICABLE")])
def test_a_retained_resource_stays_whatever_its_properties_were(policy: str, verdict: str, tmp_path: Path) -> None:
    """Its port depends on a parameter whose deployed value is not known."""
    old = of_type(
        LISTENER,
        LoadBalancerArn=load_balancer_arn("web"),
        Port={"Fn::If": ["IsTest", 444, 443]},
        DefaultActions=[],
    )
    before = {
        "Parameters": PARAMETERS,
        "Conditions": {"IsTest": {"Fn::Equals": [UNKNOWN, "test"]}},
        "Resources": {"Old": {**old, "DeletionPolicy": policy}},
    }
    base = open_443()
    [arn] = [one.arn for found in (base.listeners or {}).values() for one in found]
    deployed = DeployedStack("shop", {"Old": DeployedResource(LISTENER, arn)}, json.dumps(before).encode())
    path = write(tmp_path, {"Resources": TOPIC})
    assert listeners_after(TemplateFile(path, deployed=deployed), base) == verdict


def test_what_leaves_a_stack_leaves_the_region_of_that_stack(tmp_path: Path) -> None:
    """The first of two templates that are deployed together is for another region."""
    shared = of_type(SECURITY_GROUP, GroupDescription="shared")
    first = TemplateFile(write(tmp_path, {"Resources": {"Shared": shared}}, "first.json"), "first", None, "us-west-2")
    deployed = DeployedStack("second", {"Rule": DeployedResource(INGRESS, "sgr-443")})
    second = TemplateFile(
        write(tmp_path, {"Resources": TOPIC}, "second.json"), "second", None, "us-east-1", deployed=deployed
    )
    [scenario] = read_templates([first, second], over_estate=True)
    [text] = [text for (_, key), text in judge_scenario(scenario, [open_443()]).items() if key == "listeners"]
    assert text.startswith("NON_COMPLIANT")


@pytest.mark.parametrize(
    ("description", "verdict"), [("of the web", "COMPLIANT"), ("another", "ERROR"), (UNKNOWN, "ERROR")]
)
def test_a_group_that_is_perhaps_replaced_perhaps_loses_the_rules_of_others(
    description: Any, verdict: str, tmp_path: Path
) -> None:
    """The rule that lets everybody in is not the stack's. The load balancer outside of the stack keeps a group that is
    replaced, and that nobody knows any more."""

    def template(text: Any) -> dict[str, Any]:
        group_of_web = of_type(SECURITY_GROUP, GroupDescription=text, VpcId="vpc-1")
        return {"Parameters": PARAMETERS, "Resources": {"Group": group_of_web}}

    deployed = DeployedStack(
        "shop", {"Group": DeployedResource(SECURITY_GROUP, "sg-1")}, json.dumps(template("of the web")).encode()
    )
    path = write(tmp_path, template(description))
    assert listeners_after(TemplateFile(path, deployed=deployed), open_443()) == verdict


@pytest.mark.parametrize(
    ("version", "is_known", "verdict"),
    [
        ("$Latest", True, "NON_COMPLIANT"),
        ({"Fn::GetAtt": ["Launch", "LatestVersionNumber"]}, True, "NON_COMPLIANT"),
        # Whether the new version is the default one is not known.
        ("$Default", True, "ERROR"),
        ("1", True, "COMPLIANT"),
        (1, True, "COMPLIANT"),
        ("$Latest", False, "NON_COMPLIANT"),
        ("$Default", False, "ERROR"),
        ("1", False, "ERROR"),
        (1, False, "ERROR"),
    ],
)
def test_an_auto_scaling_group_launches_by_a_template_that_changes(
    version: Any, is_known: bool, verdict: str, tmp_path: Path
) -> None:
    """The Auto Scaling group itself may stay as it is. The load balancer may send to sg-app alone."""
    scaling = "AWS::AutoScaling::AutoScalingGroup"

    def template(group_id: str) -> dict[str, Any]:
        launched = {"LaunchTemplateId": {"Ref": "Launch"}, "Version": version}
        arns = [target_group_arn("web")]
        launch = of_type(LAUNCH_TEMPLATE, LaunchTemplateData={"SecurityGroupIds": [group_id]})
        return {
            "Resources": {"Scaling": of_type(scaling, TargetGroupARNs=arns, LaunchTemplate=launched), "Launch": launch}
        }

    resources = {
        "Scaling": DeployedResource(scaling, "scaling-1"),
        "Launch": DeployedResource(LAUNCH_TEMPLATE, "lt-1"),
    }
    before = json.dumps(template("sg-app")).encode() if is_known else None
    file = TemplateFile(write(tmp_path, template("sg-1")), deployed=DeployedStack("shop", resources, before))
    [scenario] = read_templates([file], over_estate=True)
    results = judge_scenario(scenario, [two_internal()])
    assert results[load_balancer_arn("web"), "targets"].split()[0] == verdict


@pytest.mark.parametrize(
    ("advanced", "verdict"),
    [
        ({}, "COMPLIANT"),
        ({"AdvancedConfiguration": {"AlternateTargetGroupArn": {"Ref": "Green"}}}, "NON_COMPLIANT"),
        ({"AdvancedConfiguration": UNKNOWN}, "ERROR"),
    ],
)
def test_tasks_are_targets_of_the_alternate_target_group_too(
    advanced: dict[str, Any], verdict: str, tmp_path: Path
) -> None:
    """A deployment moves them from one to the other, whose health checks have a port of their own."""
    resources = web_with_target({})
    of_targets = {"Port": 8080, "VpcId": {"Ref": "Vpc"}, "TargetType": "ip"}
    resources["Targets"] = of_type(TARGET_GROUP, **of_targets)
    resources["Green"] = of_type(TARGET_GROUP, **of_targets, HealthCheckPort="9999")
    both = [{"TargetGroupArn": {"Ref": one}} for one in ("Targets", "Green")]
    resources["Listener"]["Properties"]["DefaultActions"] = [
        {"Type": "forward", "ForwardConfig": {"TargetGroups": both}}
    ]
    default = {"Fn::GetAtt": "Vpc.DefaultSecurityGroup"}
    resources["Service"] = of_type(
        "AWS::ECS::Service",
        LoadBalancers=[{"TargetGroupArn": {"Ref": "Targets"}, "ContainerPort": 8080, **advanced}],
        NetworkConfiguration={"AwsvpcConfiguration": {"SecurityGroups": [default], "Subnets": [{"Ref": "Subnet"}]}},
    )
    assert judge(tmp_path, resources)["health checks"].split()[0] == verdict


@pytest.mark.parametrize(
    ("was", "becomes", "verdict"),
    [
        (None, "10.1.0.0/16", "NON_COMPLIANT"),
        ("10.1.0.0/16", "10.1.0.0/16", "NON_COMPLIANT"),
        # The association is replaced, and the block that it had goes.
        ("10.1.0.0/16", "10.0.128.0/17", "COMPLIANT"),
        ("10.1.0.0/16", None, "COMPLIANT"),
        (None, UNKNOWN, "ERROR"),
    ],
)
def test_a_block_comes_to_a_vpc_that_the_update_leaves_as_it_is(
    was: Any, becomes: Any, verdict: str, tmp_path: Path
) -> None:
    """Its internal load balancer lets in the first block of the VPC alone."""

    def template(block: Any) -> dict[str, Any]:
        resources = {"Vpc": of_type("AWS::EC2::VPC", CidrBlock="10.0.0.0/16")}
        if block is not None:
            resources["Block"] = of_type("AWS::EC2::VPCCidrBlock", VpcId={"Ref": "Vpc"}, CidrBlock=block)
        return {"Parameters": PARAMETERS, "Resources": resources}

    base = estate(
        load_balancer("web", scheme="internal"),
        listener(443),
        group("sg-1", ingress=[tcp(443, "10.0.0.0/16")]),
        vpc("10.0.0.0/16", *([] if was is None else [was])),
    )
    resources = {"Vpc": DeployedResource("AWS::EC2::VPC", "vpc-1")}
    if was is not None:
        resources["Block"] = DeployedResource("AWS::EC2::VPCCidrBlock", "vpc-cidr-assoc-1")
    deployed = DeployedStack("shop", resources, json.dumps(template(was)).encode())
    path = write(tmp_path, template(becomes))
    assert listeners_after(TemplateFile(path, deployed=deployed), build(base)) == verdict
