"""Templates of stacks that are deployed: judged as the update of the resources that the stack has."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest

from embedded_aws.account import REGION, EmbeddedAws
from tests.builders import (
    ACCOUNT,
    ANYWHERE,
    estate,
    group,
    interface,
    listener,
    load_balancer,
    load_balancer_arn,
    target_group,
    target_group_arn,
    tcp,
)
from tests.command_line.calling import Command

TEMPLATE = """\
Parameters:
  Clients: {Type: String}
Resources:
  WebGroup:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: of the load balancer
      VpcId: vpc-1
      SecurityGroupIngress:
        - {IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: !Ref Clients}
  Http:
    Type: AWS::EC2::SecurityGroupIngress
    Properties: {GroupId: !GetAtt WebGroup.GroupId, IpProtocol: tcp, FromPort: 80, ToPort: 80, CidrIp: 0.0.0.0/0}
  Web:
    Type: AWS::ElasticLoadBalancingV2::LoadBalancer
    Properties: {Scheme: internet-facing, SecurityGroups: [!Ref WebGroup], Subnets: [subnet-a]}
  Listener:
    Type: AWS::ElasticLoadBalancingV2::Listener
    Properties:
      LoadBalancerArn: !Ref Web
      Port: 443
      Protocol: HTTPS
      DefaultActions: [{Type: fixed-response, FixedResponseConfig: {StatusCode: "404"}}]
  HttpListener:
    Type: AWS::ElasticLoadBalancingV2::Listener
    Properties:
      LoadBalancerArn: !Ref Web
      Port: 80
      Protocol: HTTP
      DefaultActions: [{Type: fixed-response, FixedResponseConfig: {StatusCode: "404"}}]
"""
CHECK = ("check", "--template", "template.yaml", "--rule", "listener_ingress", "--format", "json")


def write(command: Command, name: str, content: Any) -> None:
    text = content if isinstance(content, str) else json.dumps(content)
    (command.folder / name).write_text(text, encoding="utf-8")


@pytest.fixture(autouse=True)
def _in_folder(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(command.folder)


def saved(command: Command, *more: Any, **physical_ids: str) -> None:
    """The stack as it is deployed."""
    found = estate(
        load_balancer("web"),
        listener(443, suffix="a1"),
        listener(80, suffix="a2"),
        group("sg-1", ingress=[tcp(443, ANYWHERE), tcp(80, ANYWHERE)]),
        *more,
    )
    found["SecurityGroupRules"] = [
        {
            "SecurityGroupRuleId": "sgr-80",
            "GroupId": "sg-1",
            "IsEgress": False,
            "IpProtocol": "tcp",
            "FromPort": 80,
            "ToPort": 80,
            "CidrIpv4": ANYWHERE,
        }
    ]
    write(command, "estate.json", found)
    arn = load_balancer_arn("web")
    listeners = arn.replace(":loadbalancer/", ":listener/")
    resources = {
        "WebGroup": ("AWS::EC2::SecurityGroup", "sg-1"),
        "Http": ("AWS::EC2::SecurityGroupIngress", physical_ids.get("Http", "sgr-80")),
        "Web": ("AWS::ElasticLoadBalancingV2::LoadBalancer", arn),
        "Listener": ("AWS::ElasticLoadBalancingV2::Listener", f"{listeners}/a1"),
        "HttpListener": ("AWS::ElasticLoadBalancingV2::Listener", f"{listeners}/a2"),
    }
    stack_id = f"arn:aws:cloudformation:us-east-1:{ACCOUNT}:stack/shop/1a2b"
    items = [
        {
            "StackName": "shop",
            "StackId": stack_id,
            "LogicalResourceId": logical_id,
            "PhysicalResourceId": physical_id,
            "ResourceType": kind,
            "ResourceStatus": "UPDATE_COMPLETE",
        }
        for logical_id, (kind, physical_id) in resources.items()
    ]
    write(command, "resources.json", {"StackResources": items})


SAVED = (*CHECK, "--estate", "estate.json", "--stack-resources", "resources.json")
EVERYBODY = ("--template-parameter", "Clients=0.0.0.0/0")


def changes(answer: Any) -> dict[str, Any]:
    assert not answer.json["errors"], answer.json["errors"]
    return {one["loadBalancerName"]: (one["compliance"], one.get("change")) for one in answer.json["findings"]}


def test_a_fix_refers_to_a_group_that_the_stack_has_already(command: Command) -> None:
    saved(command)
    write(command, "template.yaml", TEMPLATE)
    arguments = ("--template", "template.yaml", *SAVED[SAVED.index("--estate") :], "--rule", "icmp_pmtud")
    comment = command("check", *arguments, "--template-parameter", "Clients=0.0.0.0/0", "--format", "markdown").out
    assert "+      GroupId: !Ref WebGroup\n" in comment
    assert "beside the security group WebGroup (template.yaml, line " in comment


def test_an_update_that_changes_nothing_leaves_every_verdict(command: Command) -> None:
    saved(command)
    write(command, "template.yaml", TEMPLATE)
    answer = command(*SAVED, *EVERYBODY)
    assert answer.code == 0, answer.err
    assert changes(answer) == {"web": ("COMPLIANT", None)}


def test_a_rule_that_the_template_no_longer_has_is_removed(command: Command) -> None:
    saved(command)
    start, end = TEMPLATE.index("  Http:\n"), TEMPLATE.index("  Web:\n")
    write(command, "template.yaml", TEMPLATE[:start] + TEMPLATE[end:])
    answer = command(*SAVED, *EVERYBODY, "--fail-on", "new")
    assert answer.code == 1
    assert changes(answer) == {"web": ("NON_COMPLIANT", "newly broken")}
    assert "HTTP:80 not open" in answer.json["findings"][0]["annotation"]


def test_a_listener_that_the_template_no_longer_has_needs_nothing(command: Command) -> None:
    """Its port would be closed, too."""
    saved(command)
    start, end = TEMPLATE.index("  Http:\n"), TEMPLATE.index("  Web:\n")
    without_rule = TEMPLATE[:start] + TEMPLATE[end:]
    write(command, "template.yaml", without_rule[: without_rule.index("  HttpListener:\n")])
    assert changes(command(*SAVED, *EVERYBODY)) == {"web": ("COMPLIANT", None)}


def test_whose_rules_are_of_the_group_is_not_known_without_the_deployed_template(command: Command) -> None:
    """The template opens another port. The rule for 443 may be one that it had, or somebody else's."""
    saved(command)
    write(command, "template.yaml", TEMPLATE.replace("FromPort: 443, ToPort: 443", "FromPort: 8443, ToPort: 8443"))
    [error] = command(*SAVED, *EVERYBODY).json["errors"]
    assert "what the change does to rules that exist and are not in it is not known" in error["cause"]
    # A port that stays open by another rule needs none of it.
    opened = "- {IpProtocol: tcp, FromPort: 0, ToPort: 65535, CidrIp: 0.0.0.0/0}\n        - {IpProtocol: tcp, From"
    write(command, "template.yaml", TEMPLATE.replace("- {IpProtocol: tcp, From", opened))
    assert changes(command(*SAVED, *EVERYBODY)) == {"web": ("COMPLIANT", None)}


def test_which_rule_goes_is_not_known_without_its_identifier(command: Command) -> None:
    """An older stack calls the rule by a name: any rule of the group may be the one that the update removes."""
    saved(command, Http="shop-Http-1ABCDEFGHIJKL")
    start, end = TEMPLATE.index("  Http:\n"), TEMPLATE.index("  Web:\n")
    write(command, "template.yaml", TEMPLATE[:start] + TEMPLATE[end:])
    answer = command(*SAVED, *EVERYBODY)
    [error] = answer.json["errors"]
    assert "not known" in error["cause"]


def test_a_parameter_that_is_not_given_is_not_that_of_the_deployed_stack(command: Command) -> None:
    saved(command)
    write(command, "template.yaml", TEMPLATE)
    [error] = command(*SAVED).json["errors"]
    assert "not known" in error["cause"]


def test_a_target_group_keeps_the_load_balancers_of_others(command: Command) -> None:
    """`other` forwards to the stack's target group, and its listener is in no template."""
    saved(
        command,
        load_balancer("other", groups=["sg-2"]),
        listener(443, of="other", forward=["tg"]),
        group("sg-2", ingress=[tcp(443, ANYWHERE)], egress=[tcp(8080, "sg-app")]),
        target_group("tg", port=8080, load_balancers=["other"], targets=["10.0.1.5"]),
        interface("10.0.1.5"),
    )
    targets = """\
  Targets:
    Type: AWS::ElasticLoadBalancingV2::TargetGroup
    Properties: {Port: 8080, Protocol: HTTP, TargetType: ip, VpcId: vpc-1, HealthCheckPort: "9999"}
"""
    write(command, "template.yaml", TEMPLATE + targets)
    resources = json.loads((command.folder / "resources.json").read_text())
    resources["StackResources"].append(
        {
            **resources["StackResources"][0],
            "LogicalResourceId": "Targets",
            "PhysicalResourceId": target_group_arn("tg"),
            "ResourceType": "AWS::ElasticLoadBalancingV2::TargetGroup",
        }
    )
    write(command, "resources.json", resources)
    options = [one.replace("listener_ingress", "health_check_egress") for one in SAVED]
    answer = command(*options, *EVERYBODY)
    assert changes(answer)["other"] == ("NON_COMPLIANT", "newly broken")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--stack", "shop"), "--stack is read from an account; give --profile or --region"),
        (("--stack-resources", "resources.json"), "--stack-resources is for a saved estate; give --estate"),
        (
            ("--estate", "estate.json", "--stack-resources", "estate.json"),
            "give the output of `aws cloudformation describe-stack-resources`",
        ),
        (
            ("--estate", "estate.json", "--stack-resources", "resources.json", "--previous-parameters"),
            "--previous-parameters are those of a deployed stack",
        ),
    ],
)
def test_conflicting_stack_options_are_refused(options: tuple[str, ...], said: str, command: Command) -> None:
    saved(command)
    write(command, "template.yaml", TEMPLATE)
    answer = command(*CHECK, *options)
    assert answer.code == 2
    assert said in answer.err


def test_another_stack_than_that_of_the_resources_is_refused(command: Command) -> None:
    saved(command)
    write(command, "template.yaml", TEMPLATE)
    answer = command("check", "--template", "blog=template.yaml", *SAVED[3:])
    assert answer.code == 2
    assert "no --template is for the stack 'shop'" in answer.err


@pytest.mark.slow
def test_a_live_stack_is_read_with_its_template_and_parameters(command: Command) -> None:
    with EmbeddedAws() as aws:
        vpc = aws.vpc()
        subnets = aws.subnets(vpc)
        template = TEMPLATE.replace("vpc-1", vpc).replace("[subnet-a]", f"[{', '.join(subnets)}]")
        boto3.client("cloudformation", REGION).create_stack(
            StackName="shop",
            TemplateBody=template,
            Parameters=[{"ParameterKey": "Clients", "ParameterValue": ANYWHERE}],
        )
        live = (*CHECK, "--region", REGION, "--stack", "shop")
        write(command, "template.yaml", template)
        assert command(*live, "--previous-parameters").json["findings"][0]["compliance"] == "COMPLIANT"
        [error] = command(*live).json["errors"]
        assert "parameter Clients" in error["cause"]
        answer = command(*live, "--template-parameter", "Clients=10.0.0.0/8")
        [finding] = answer.json["findings"]
        assert (finding["compliance"], finding["change"]) == ("NON_COMPLIANT", "newly broken")
        # The name of a template is that of its stack.
        write(command, "template.yaml", template.replace("Port: 443\n", "Port: 8443\n"))
        named = ("check", "--template", "shop=template.yaml", *CHECK[3:], "--region", REGION, "--previous-parameters")
        [finding] = command(*named).json["findings"]
        assert "HTTPS:8443 not open" in finding["annotation"]
        missing = command(*CHECK, "--region", REGION, "--stack", "blog")
        assert missing.code == 2
        assert "there is no stack blog in" in missing.err
