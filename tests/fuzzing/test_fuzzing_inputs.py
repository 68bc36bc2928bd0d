"""What else people and services give: templates, plans, change sets, configuration, accounts and interrupted runs.

Each is given to the command or the function that reads it. Bounded and long forms are those of `test_fuzzing`.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alb_sg.aws.account_region import AccountRegion
from alb_sg.command_line.accounts.resume_folder import DESCRIPTION_FILE, open_resume_folder
from alb_sg.command_line.accounts.stored_results import merge_stored, results_to_json
from alb_sg.command_line.main import main
from alb_sg.estate.planned.change_set import read_change_set, read_changed_resources
from alb_sg.findings.finding import Compliance, EvaluationError, Finding, Missing
from alb_sg.functions.hook import parse_rules, read_request
from alb_sg.observations.results import Results
from alb_sg.recommendations.requirement import Origin
from tests.builders import RULES, load_balancer_arn
from tests.estate.example import saved
from tests.estate.planned.plans import COMPUTED, Plan, Ref
from tests.functions.hook_events import GROUP, LISTENER, LOAD_BALANCER, changed, event, payload
from tests.fuzzing.strategies import damaged, file_contents, mutated, to_json
from tests.fuzzing.test_fuzzing import FOLDER, bounded, taken_or_refused, written

pytestmark = pytest.mark.slow

TEMPLATE = {
    "Transform": "AWS::LanguageExtensions",
    "Parameters": {
        "Scheme": {"Type": "String", "AllowedValues": ["internal", "internet-facing"], "Default": "internal"},
        "Clients": {"Type": "CommaDelimitedList", "Default": "10.0.0.0/8,192.168.0.0/16"},
    },
    "Mappings": {"Ports": {"us-east-1": {"http": 80, "https": 443}}},
    "Conditions": {"IsOpen": {"Fn::Equals": [{"Ref": "Scheme"}, "internet-facing"]}},
    "Resources": {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
        "Subnet": {
            "Type": "AWS::EC2::Subnet",
            "Properties": {
                "VpcId": {"Ref": "Vpc"},
                "CidrBlock": {"Fn::Select": [0, {"Fn::Cidr": ["10.0.0.0/16", 4, 8]}]},
            },
        },
        "WebGroup": {
            "Type": "AWS::EC2::SecurityGroup",
            "Properties": {
                "GroupDescription": {"Fn::Sub": "of ${AWS::StackName} in ${Vpc.CidrBlock}"},
                "VpcId": {"Ref": "Vpc"},
                "SecurityGroupIngress": [
                    {
                        "IpProtocol": "tcp",
                        "FromPort": {"Fn::FindInMap": ["Ports", {"Ref": "AWS::Region"}, "https"]},
                        "ToPort": 443,
                        "CidrIp": {"Fn::If": ["IsOpen", "0.0.0.0/0", {"Fn::Select": [0, {"Ref": "Clients"}]}]},
                    }
                ],
            },
        },
        "Web": {
            "Type": "AWS::ElasticLoadBalancingV2::LoadBalancer",
            "Properties": {
                "Scheme": {"Ref": "Scheme"},
                "SecurityGroups": [{"Fn::GetAtt": ["WebGroup", "GroupId"]}],
                "Subnets": [{"Ref": "Subnet"}],
            },
        },
        "Fn::ForEach::Listeners": [
            "Port",
            ["80", "443"],
            {
                "Listener${Port}": {
                    "Type": "AWS::ElasticLoadBalancingV2::Listener",
                    "Properties": {
                        "LoadBalancerArn": {"Ref": "Web"},
                        "Port": {"Ref": "Port"},
                        "Protocol": "HTTP",
                        "DefaultActions": [{"Type": "forward", "TargetGroupArn": {"Ref": "Targets"}}],
                    },
                }
            },
        ],
        "Targets": {
            "Type": "AWS::ElasticLoadBalancingV2::TargetGroup",
            "Properties": {"Port": 8080, "Protocol": "HTTP", "TargetType": "ip", "VpcId": {"Ref": "Vpc"}},
        },
    },
    "Outputs": {"Arn": {"Value": {"Ref": "Web"}, "Export": {"Name": {"Fn::Sub": "${AWS::StackName}-arn"}}}},
}
TEMPLATE_TEXT = """\
Parameters:
  Clients: {Type: String, Default: 0.0.0.0/0}
Conditions: {A: !Equals [!Ref Clients, 0.0.0.0/0]}
Resources:
  Group:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: &text !Sub "${AWS::StackName}"
      SecurityGroupIngress:
        - {IpProtocol: tcp, FromPort: 0x1BB, ToPort: 443, CidrIp: !Ref Clients}
        - !If [A, {IpProtocol: -1, CidrIp: 10.0.0.0/8}, !Ref AWS::NoValue]
  Web:
    Type: AWS::ElasticLoadBalancingV2::LoadBalancer
    Properties: {SecurityGroups: [!GetAtt Group.GroupId], Name: *text}
"""
PLAN = (
    Plan()
    .create("aws_vpc.main", cidr_block="10.0.0.0/16", id=COMPUTED)
    .create("aws_subnet.main[0]", cidr_block="10.0.1.0/24", vpc_id=Ref("aws_vpc.main.id"), id=COMPUTED)
    .create(
        'module.web["a"].aws_security_group.web',
        vpc_id=Ref("var.vpc"),
        id=COMPUTED,
        ingress=[{"protocol": "tcp", "from_port": 443, "to_port": 443, "cidr_blocks": ["0.0.0.0/0"], "self": False}],
        egress=[],
    )
    .call("module.web", vpc=Ref("aws_vpc.main.id"))
    .create(
        'module.web["a"].aws_lb.web',
        name="web",
        internal=False,
        load_balancer_type="application",
        security_groups=[Ref("aws_security_group.web.id")],
        subnets=Ref("aws_subnet.main"),
        arn=COMPUTED,
    )
    .update("aws_security_group_rule.more", "sgr-1", {"from_port": 80}, type="ingress", from_port=443, to_port=443)
    .delete("aws_lb_listener.old", "arn:of:listener", port=80)
    .document()
)
MANIFEST = {
    "version": "36.0.0",
    "artifacts": {
        "Web": {
            "type": "aws:cloudformation:stack",
            "environment": "aws://111122223333/eu-west-1",
            "properties": {"templateFile": "Web.template.json", "parameters": {"Clients": "10.0.0.0/8"}},
        },
        "Tree": {"type": "cdk:tree", "properties": {"file": "tree.json"}},
    },
}
PARAMETER_FILE = [{"ParameterKey": "Scheme", "ParameterValue": "internal"}]
CONFIGURATION = """\
region = ["eu-west-1", "us-east-1"]
exemptions = "exemptions.json"

[check]
fail-on = "high"
format = 'text'
rule = ["icmp_pmtud"]
"""
ACCOUNTS = {
    "Accounts": [
        {"Id": "111122223333", "Name": "shops", "Status": "ACTIVE", "Unit": "Production/Shops"},
        {"Id": "111122224444", "Name": "old", "State": "SUSPENDED", "Paths": ["o-1/r-1/ou-1/"]},
    ]
}
CHANGE_SET = payload(
    {
        "Group": {"Type": GROUP, "Properties": {"GroupDescription": "web"}},
        "Web": {"Type": LOAD_BALANCER, "Properties": {"SecurityGroups": [{"Ref": "Group"}]}},
        "Listener": {"Type": LISTENER, "Properties": {"LoadBalancerArn": {"Ref": "Web"}, "Port": 443}},
    },
    [
        changed("Group", GROUP, after={"GroupDescription": "web", "SecurityGroupIngress": [{"IpProtocol": "-1"}]}),
        changed("Web", LOAD_BALANCER, "UPDATE", before={"Scheme": "internal"}, after={"SecurityGroups": ["sg-1"]}),
        changed("Listener", LISTENER, "DELETE", before={"LoadBalancerArn": "arn", "Port": 443}),
    ],
)
ACCOUNT_REGION = AccountRegion("111122223333", "eu-west-1")
QUESTION = {"command": "check", "rules": {"a": "b"}}
NOW = datetime(2027, 1, 31, 8, tzinfo=UTC)
STORED = results_to_json(
    Results(
        [ACCOUNT_REGION],
        1,
        RULES,
        [
            Finding(
                *ACCOUNT_REGION,
                load_balancer_arn("web"),
                "web",
                RULES[0],
                Compliance.NON_COMPLIANT,
                "missing",
                missing=(
                    Missing(
                        "ingress",
                        "tcp",
                        443,
                        443,
                        ("0.0.0.0/0",),
                        ("0.0.0.0/0",),
                        (),
                        Origin("listener", "arn:of:listener", "HTTPS:443"),
                    ),
                ),
            )
        ],
        [EvaluationError(*ACCOUNT_REGION, load_balancer_arn("api"), RULES[0], "listeners", "AccessDenied")],
    )
)


def ends_with_a_sentence(arguments: Sequence[str]) -> None:
    """A command ends with one of its exit codes, and with no unexpected error."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(arguments)
    said = out.getvalue() + err.getvalue()
    assert code in {0, 1, 2, 3}
    assert code != 1 or "NON_COMPLIANT" in said
    # As `unexpected_error_text` ends. Libraries call the end of a file unexpected, too.
    assert "please report it" not in said, said
    assert "\x1b" not in said


@bounded
@given(
    file_contents(TEMPLATE), st.sampled_from([[], ["--template-defaults"], ["--template-parameter", "Scheme=internal"]])
)
def test_templates(content: bytes, options: list[str]) -> None:
    ends_with_a_sentence(["check", "--format", "json", "--template", written(content, "template.json"), *options])


@bounded
@given(damaged(TEMPLATE_TEXT.encode()))
def test_templates_in_yaml(content: bytes) -> None:
    ends_with_a_sentence(["check", "--format", "json", "--template", written(content, "template.yaml")])


@bounded
@given(file_contents(PARAMETER_FILE))
def test_parameter_files(content: bytes) -> None:
    template = written(json.dumps(TEMPLATE).encode(), "template.json")
    path = written(content, "parameters.json")
    ends_with_a_sentence(["check", "--format", "json", "--template", template, "--template-parameter-file", path])


@bounded
@given(file_contents(MANIFEST))
def test_manifests_of_cdk(content: bytes) -> None:
    folder = FOLDER / "cdk.out"
    folder.mkdir(exist_ok=True)
    (folder / "manifest.json").write_bytes(content)
    (folder / "Web.template.json").write_text('{"Resources": {}}', encoding="utf-8")
    ends_with_a_sentence(["check", "--format", "json", "--template", str(folder)])


@bounded
@given(file_contents(PLAN))
def test_terraform_plans(content: bytes) -> None:
    ends_with_a_sentence(["check", "--format", "json", "--terraform-plan", written(content, "plan.json")])


@bounded
@given(damaged(CONFIGURATION.encode()))
def test_configuration_files(content: bytes) -> None:
    estate = written(json.dumps(saved()).encode(), "configured.json")
    folder = FOLDER / "configured"
    folder.mkdir(exist_ok=True)
    (folder / "alb-sg.toml").write_bytes(content)
    with contextlib.chdir(folder):
        ends_with_a_sentence(["check", "--format", "json", "--estate", estate])


@bounded
@given(file_contents(ACCOUNTS))
def test_accounts_files(content: bytes) -> None:
    estate = written(json.dumps(saved()).encode(), "estate.json")
    ends_with_a_sentence(
        ["check", "--format", "json", "--estate", estate, "--accounts", written(content, "accounts.json")]
    )


@bounded
@given(mutated(event()))
def test_events_of_a_hook(given_event: Any) -> None:
    if isinstance(given_event, dict):
        with taken_or_refused():
            read_request(given_event)


@bounded
@given(st.one_of(st.text(), mutated({RULES[0]: {"TagKey": "clients"}}).map(to_json)))
def test_rules_of_a_hook(text: str) -> None:
    with taken_or_refused():
        parse_rules(text)


@bounded
@given(mutated(CHANGE_SET))
def test_change_sets(document: Any) -> None:
    if isinstance(document, dict):
        with taken_or_refused():
            resources = read_changed_resources(document)
            template = document.get("template")
            if isinstance(template, str):
                read_change_set(template, resources, {"Web": "arn:web", "Listener": "arn:listener"}, ACCOUNT_REGION)


@bounded
@given(file_contents(QUESTION), file_contents({"savedAt": "2027-01-31T07:00:00+00:00", "result": STORED}))
def test_interrupted_runs(description: bytes, result: bytes) -> None:
    folder = FOLDER / "run"
    folder.mkdir(exist_ok=True)
    (folder / DESCRIPTION_FILE).write_bytes(description)
    zipped = result if result.startswith(b"\x1f\x8b") else gzip.compress(result, 1, mtime=0)
    (folder / "111122223333-eu-west-1.json.gz").write_bytes(zipped)
    with taken_or_refused(), open_resume_folder(str(folder), QUESTION, NOW) as state:
        merge_stored([(one, state.read(one)) for one in state.saved_at], RULES, {})
