"""The source `--template`: what it answers, refuses and writes."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from alb_sg.estate.planned.template_documents import parse_template
from tests.builders import (
    ANYWHERE,
    EGRESS,
    HEALTH,
    ICMP,
    INGRESS,
    TARGETS,
    estate,
    group,
    icmp,
    listener,
    load_balancer,
    load_balancer_arn,
    tcp,
)
from tests.command_line.calling import Command

TEMPLATE = """\
Parameters:
  Scheme: {Type: String, AllowedValues: [internal, internet-facing], Default: internet-facing}
  Clients: {Type: String, Default: 0.0.0.0/0}
Resources:
  Vpc: {Type: "AWS::EC2::VPC", Properties: {CidrBlock: 10.0.0.0/16}}
  Subnet: {Type: "AWS::EC2::Subnet", Properties: {VpcId: !Ref Vpc, CidrBlock: 10.0.1.0/24}}
  WebGroup:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: of the load balancer
      VpcId: !Ref Vpc
      SecurityGroupIngress:
        - {IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: !Ref Clients}
      SecurityGroupEgress:
        - {IpProtocol: tcp, FromPort: 8080, ToPort: 8080, CidrIp: 10.0.0.0/16}
  ServiceGroup: {Type: "AWS::EC2::SecurityGroup", Properties: {GroupDescription: of the tasks, VpcId: !Ref Vpc}}
  Web:
    Type: AWS::ElasticLoadBalancingV2::LoadBalancer
    Properties: {Scheme: !Ref Scheme, SecurityGroups: [!Ref WebGroup], Subnets: [!Ref Subnet]}
  Listener:
    Type: AWS::ElasticLoadBalancingV2::Listener
    Properties:
      LoadBalancerArn: !Ref Web
      Port: 443
      Protocol: HTTPS
      DefaultActions: [{Type: forward, TargetGroupArn: !Ref Targets}]
  Targets:
    Type: AWS::ElasticLoadBalancingV2::TargetGroup
    Properties: {Port: 80, Protocol: HTTP, TargetType: ip, VpcId: !Ref Vpc, HealthCheckPort: "9000"}
  Service:
    Type: AWS::ECS::Service
    Properties:
      LoadBalancers: [{ContainerName: web, ContainerPort: 8080, TargetGroupArn: !Ref Targets}]
      NetworkConfiguration:
        AwsvpcConfiguration: {SecurityGroups: [!Ref ServiceGroup], Subnets: [!Ref Subnet]}
"""


@pytest.fixture
def template(command: Command) -> str:
    return write(command, TEMPLATE)


def write(command: Command, text: str, name: str = "template.yaml") -> str:
    path = command.folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def verdicts(answer: Any) -> dict[str, str]:
    found = {one["rule"]: one["compliance"] for one in answer.json["findings"]}
    return found | {one["what"].partition(":")[0]: one["cause"] for one in answer.json["errors"]}


def test_a_verdict_holds_in_every_way_of_deploying(command: Command, template: str) -> None:
    """The tasks have their container's port, and the group's health check port is another. ICMP is open to nobody, and
    the tasks' group takes nothing."""
    answer = command("check", "--template", template, "--template-parameter", "Clients=0.0.0.0/0", "--format", "json")
    assert answer.code == 1
    assert verdicts(answer) == {
        INGRESS: "COMPLIANT",
        EGRESS: "COMPLIANT",
        HEALTH: "NON_COMPLIANT",
        ICMP: "NON_COMPLIANT",
        TARGETS: "NON_COMPLIANT",
    }


def test_missing_names_the_values_it_depends_on(command: Command, template: str) -> None:
    """ICMP is closed in both ways, but an internal load balancer needs it from its VPC alone."""
    line, fix, *_ = command("check", "--template", template, "--rule", "icmp_pmtud").out.splitlines()
    assert "from 10.0.0.0/16" in fix
    assert "(if parameter Scheme is internal; with other values something else is missing)" in line
    # The scheme is not known.
    assert line.split()[:3] == ["NON_COMPLIANT", "LOW", "-"]
    given = command("check", "--template", template, "--rule", "icmp_pmtud", "--template-parameter", "Scheme=internal")
    assert "with other values" not in given.out
    assert given.out.startswith("NON_COMPLIANT  LOW  internal")


def test_an_error_says_which_value_would_settle_the_verdict(command: Command, template: str) -> None:
    answer = command("check", "--template", template, "--rule", "listener_ingress", "--format", "json")
    assert answer.code == 3
    assert verdicts(answer)[INGRESS] == (
        "parameter Clients; give --template-parameter Clients=…, or take defaults with --template-defaults"
    )


def test_an_error_names_the_values_a_verdict_depends_on(command: Command, template: str) -> None:
    """The VPC's addresses are open: that is enough for an internal load balancer."""
    answer = command(
        "check", "--template", template, "--template-parameter", "Clients=10.0.0.0/16", "--rule", "listener_ingress"
    )
    assert answer.code == 3
    assert "the verdict depends on values: COMPLIANT if parameter Scheme is internal; " in answer.out
    assert "NON_COMPLIANT if parameter Scheme is internet-facing" in answer.out


@pytest.mark.parametrize(
    "content",
    [
        [
            {"ParameterKey": "Clients", "ParameterValue": "10.0.0.0/16"},
            {"ParameterKey": "Scheme", "UsePreviousValue": True},
        ],
        {"Parameters": {"Clients": "10.0.0.0/16"}, "Tags": {"team": "web"}},
        ["Clients=10.0.0.0/16"],
    ],
)
def test_a_parameter_file(command: Command, template: str, content: Any) -> None:
    file = write(command, json.dumps(content), "parameters.json")
    given = ("--template-parameter-file", file, "--template-parameter", "Scheme=internal")
    answer = command("check", "--template", template, *given, "--rule", "listener_ingress", "--format", "json")
    assert verdicts(answer) == {INGRESS: "COMPLIANT"}


def test_options_override_the_file(command: Command, template: str) -> None:
    file = write(command, '{"Parameters": {"Clients": "10.9.0.0/16"}}', "parameters.json")
    given = ("--template-parameter-file", file, "--template-parameter", "Clients=0.0.0.0/0")
    answer = command("check", "--template", template, *given, "--rule", "listener_ingress", "--format", "json")
    assert verdicts(answer) == {INGRESS: "COMPLIANT"}


def test_defaults_are_taken_on_request(command: Command, template: str) -> None:
    answer = command(
        "check", "--template", template, "--template-defaults", "--rule", "listener_ingress", "--format", "json"
    )
    assert verdicts(answer) == {INGRESS: "COMPLIANT"}


def test_unknown_values_pass_on_request(command: Command, template: str) -> None:
    given = ("check", "--template", template, "--rule", "listener_ingress", "--fail-on", "non-compliant")
    answer = command(*given)
    assert (answer.code, "give --template-parameter Clients=…" in answer.out) == (0, True)
    assert command(*given, "--template-parameter", "Clients=10.9.0.0/16").code == 1


def test_explain_shows_a_templates_rules(command: Command, template: str) -> None:
    answer = command("explain", "Web", "--template", template, "--template-defaults")
    assert "missing  outbound TCP 9000" in answer.out
    assert "WebGroup inbound TCP 443 from 0.0.0.0/0: covers 0.0.0.0/0" in answer.out


def test_a_command_for_one_way_names_the_open_choices(command: Command, template: str) -> None:
    message = command.refused("explain", "Web", "--template", template)
    assert "can be applied in 2 ways (parameter Scheme is internal; parameter Scheme is internet-facing)" in message


def test_what_if_starts_from_a_template(command: Command, template: str) -> None:
    given = ("--template", template, "--template-defaults")
    answer = command(
        "what-if", "Web", *given, "--add-listener", "8443", "--rule", "listener_ingress", "--format", "json"
    )
    assert [one["compliance"] for one in answer.json["before"]["findings"]] == ["COMPLIANT"]
    assert [one["compliance"] for one in answer.json["after"]["findings"]] == ["NON_COMPLIANT"]


def test_fix_writes_rules_for_the_template(command: Command, template: str) -> None:
    """They refer to the groups as the template names them, and say where those stand."""
    answer = command("fix", "Web", "--template", template, "--template-defaults", "--rule", "icmp_pmtud")
    assert answer.code == 1
    assert f"# Put these rules beside the security group WebGroup ({template}, line 7)." in answer.out
    assert "GroupId: !Ref WebGroup" in answer.out
    added = write(command, TEMPLATE + "".join(answer.out.partition("Resources:\n")[2]), "fixed.yaml")
    fixed = command("check", "--template", added, "--template-defaults", "--rule", "icmp_pmtud", "--format", "json")
    assert verdicts(fixed) == {ICMP: "COMPLIANT"}


ELSEWHERE = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/shop/0123456789abcdef"


@pytest.mark.parametrize(
    ("kind", "properties", "sentence"),
    [
        (
            "Listener",
            "LoadBalancerArn: !Ref Owner",
            "load balancer of Added: parameter Owner; give --template-parameter",
        ),
        ("Listener", f'LoadBalancerArn: "{ELSEWHERE}"', f"load balancer {ELSEWHERE}: Added changes it"),
        (
            "ListenerRule",
            "ListenerArn: !Ref Owner",
            "load balancer of Added: parameter Owner; give --template-parameter",
        ),
        # Only its load balancer matters, and each of its 289 ports would be a way of deploying the template.
        ("Listener", "LoadBalancerArn: !Ref Owner, Port: !Ref Port, Protocol: !Ref Protocol", "load balancer of Added"),
    ],
)
def test_a_listener_of_a_load_balancer_elsewhere_is_an_error(
    command: Command, kind: str, properties: str, sentence: str
) -> None:
    """The template changes what a load balancer needs, and nothing of it is judged."""
    values = ", ".join(map(str, range(8000, 8289)))
    path = write(
        command,
        f"Parameters: {{Owner: {{Type: String}}, Port: {{Type: Number, AllowedValues: [{values}]}}, "
        "Protocol: {Type: String}}\n"
        f"Resources: {{Added: {{Type: AWS::ElasticLoadBalancingV2::{kind}, Properties: {{{properties}}}}}}}\n",
    )
    answer = command("check", "--template", path)
    assert answer.code == 3
    assert sentence in answer.out


def test_a_listener_of_a_network_load_balancer_of_the_template_is_no_error(command: Command) -> None:
    path = write(
        command,
        "Resources:\n"
        "  Front: {Type: AWS::ElasticLoadBalancingV2::LoadBalancer, Properties: {Type: network}}\n"
        "  Added: {Type: AWS::ElasticLoadBalancingV2::Listener, Properties: {LoadBalancerArn: !Ref Front, Port: 80}}\n",
    )
    answer = command("check", "--template", path)
    assert answer.code == 0


def test_a_rule_has_the_condition_of_its_group(command: Command) -> None:
    """CloudFormation refuses a rule that names a group whose condition does not hold."""
    conditional = TEMPLATE.replace(
        "    Type: AWS::EC2::SecurityGroup\n", "    Type: AWS::EC2::SecurityGroup\n    Condition: Public\n"
    )
    path = write(command, "Conditions: {Public: !Equals [!Ref Scheme, internet-facing]}\n" + conditional)
    answer = command("fix", "Web", "--template", path, "--template-defaults", "--rule", "icmp_pmtud")
    assert '    Type: AWS::EC2::SecurityGroupIngress\n    Condition: "Public"\n    Properties:\n' in answer.out
    comment = command(
        "check", "--template", path, "--template-defaults", "--rule", "icmp_pmtud", "--format", "markdown"
    )
    assert '+    Condition: "Public"\n' in comment.out


def test_a_template_over_an_estate_reports_newly_broken(command: Command) -> None:
    """The listener goes to a load balancer that exists, whose group does not open its port."""
    existing = estate(
        load_balancer("web"), listener(443), group("sg-1", ingress=[tcp(443, ANYWHERE), icmp(3, 4, ANYWHERE)])
    )
    arn = existing["LoadBalancers"][0]["LoadBalancerArn"]
    action = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
    properties = {"LoadBalancerArn": arn, "Port": 8443, "Protocol": "HTTPS", "DefaultActions": [action]}
    resources = {"Added": {"Type": "AWS::ElasticLoadBalancingV2::Listener", "Properties": properties}}
    template = write(command, json.dumps({"Resources": resources}), "template.json")
    over = ("--template", template, "--estate", command.file(existing))
    answer = command("check", *over, "--rule", "listener_ingress", "--fail-on", "new")
    assert answer.code == 1
    assert "HTTPS:8443 not open to 0.0.0.0/0" in answer.out
    properties["Port"] = 443
    write(command, json.dumps({"Resources": resources}), "template.json")
    assert command("check", *over, "--rule", "listener_ingress", "--fail-on", "new").code == 0


def test_a_listener_of_any_load_balancer_is_one_error(command: Command) -> None:
    """Each load balancer of the account would have the same error. One that the template concerns has it, too."""
    saved = estate(
        *(part for name in ("web", "other") for part in (load_balancer(name, groups=[name]), listener(443, of=name))),
        *(group(name, ingress=[tcp(443, ANYWHERE)]) for name in ("web", "other")),
    )
    listener_of_owner = {"LoadBalancerArn": {"Ref": "Owner"}, "Port": 80, "Protocol": "HTTP"}
    resources = {"Http": {"Type": "AWS::ElasticLoadBalancingV2::Listener", "Properties": listener_of_owner}}
    document = {"Parameters": {"Owner": {"Type": "String"}}, "Resources": resources}
    arguments = ("--template", write(command, json.dumps(document)), "--rule", "listener_ingress", "--format", "json")
    answer = command.on(saved, "check", *arguments)
    assert answer.code == 3
    [error] = answer.json["errors"]
    assert error["what"] == "load balancer of Http"
    assert error["cause"].startswith("parameter Owner; give --template-parameter")
    rule = {"GroupId": "web", "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": ANYWHERE}
    resources["Ssh"] = {"Type": "AWS::EC2::SecurityGroupIngress", "Properties": rule}
    write(command, json.dumps(document))
    errors = command.on(saved, "check", *arguments).json["errors"]
    assert [one["loadBalancerArn"] for one in errors if "LISTENER_INGRESS" in one["what"]] == [load_balancer_arn("web")]


def test_a_stack_that_exists_is_not_judged_as_a_new_one(command: Command, template: str) -> None:
    existing = estate(group("sg-1"))
    existing["SecurityGroups"][0]["Tags"] = [{"Key": "aws:cloudformation:stack-name", "Value": "shop"}]
    over = ("--estate", command.file(existing), "--template-defaults")
    message = command.refused("check", "--template", f"shop={template}", *over)
    assert "the stack shop exists already (sg-1)" in message
    assert command("check", "--template", f"other={template}", *over).code == 1


def test_a_cdk_output_is_judged_by_its_folder(command: Command) -> None:
    folder = command.folder / "cdk.out"
    folder.mkdir()
    (folder / "Web.template.json").write_text(
        json.dumps({"Resources": {"Web": {"Type": "AWS::ElasticLoadBalancingV2::LoadBalancer"}}}), encoding="utf-8"
    )
    stack = {
        "type": "aws:cloudformation:stack",
        "environment": "aws://111122223333/eu-west-1",
        "properties": {"templateFile": "Web.template.json"},
    }
    (folder / "manifest.json").write_text(
        json.dumps({"version": "36.0.0", "artifacts": {"Web": stack}}), encoding="utf-8"
    )
    answer = command("check", "--template", str(folder), "--rule", "listener_ingress", "--format", "json")
    [finding] = answer.json["findings"]
    assert (finding["accountId"], finding["region"]) == ("111122223333", "eu-west-1")
    assert (finding["loadBalancerArn"], finding["compliance"]) == ("Web", "NOT_APPLICABLE")


def test_a_template_on_standard_input(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    class Input:
        class buffer:  # noqa: N801 (as sys.stdin names it)
            @staticmethod
            def read() -> bytes:
                return TEMPLATE.encode()

    monkeypatch.setattr("sys.stdin", Input)
    answer = command(
        "check", "--template", "-", "--template-defaults", "--rule", "listener_ingress", "--format", "json"
    )
    assert verdicts(answer) == {INGRESS: "COMPLIANT"}


@pytest.mark.parametrize("format_name", ["text", "json", "jsonl", "csv", "markdown", "sarif", "junit", "ocsf"])
def test_every_format_has_the_findings_of_a_template(command: Command, template: str, format_name: str) -> None:
    answer = command("check", "--template", template, "--template-defaults", "--format", format_name)
    assert answer.code == 1
    assert "ICMP type 3 code 4 not open to 0.0.0.0/0 in WebGroup" in answer.out.replace("&#47;", "/")


REFUSED: dict[str, tuple[tuple[str, ...], str]] = {
    "a file that is not there": (("check", "--template", "no.yaml"), "no.yaml: the file cannot be read"),
    "a value that is no assignment": (
        ("check", "--template", "T", "--template-parameter", "Clients"),
        "a template parameter is written Key=Value, not 'Clients'",
    ),
    "two values": (
        ("check", "--template", "T", "--template-parameter", "Clients=a", "--template-parameter", "Clients=b"),
        "a template parameter, Clients, is given twice with two values; give one",
    ),
    "a parameter that is not there": (
        ("check", "--template", "T", "--template-parameter", "Client=a"),
        "no template parameter has the name 'Client'",
    ),
    "a value that is not allowed": (
        ("check", "--template", "T", "--template-parameter", "Scheme=public"),
        "'public' is not allowed for parameter Scheme; the template allows internal, internet-facing",
    ),
    "a nested stack that is not there": (
        ("check", "--template", "T", "--nested-template", "Network=network.yaml"),
        "no nested stack has the address 'Network' (there is none); correct --nested-template",
    ),
    "parameters without a template": (
        ("check", "--template-defaults"),
        "--template-defaults is for templates; give one with --template, or omit it",
    ),
    "a template twice": (
        ("check", "--template", "T", "--template", "T"),
        "twice; give it once, or with two stack names",
    ),
    "two changes": (
        ("check", "--template", "T", "--terraform-plan", "plan.json"),
        "--terraform-plan and --template are two changes; judge one at a time",
    ),
    "Security Hub": (
        ("check", "--template", "T", "--format", "asff"),
        "Security Hub needs the account of each load balancer",
    ),
    "an unknown name": (("explain", "Wob", "--template", "T"), "no load balancer has the name 'Wob' in what was read"),
    "a change of an account": (("fix", "Web", "--template", "T", "--apply", "--yes"), "--apply"),
    "new without a base": (("check", "--template", "T", "--fail-on", "new"), "needs what exists before the change"),
    "another source": (("check", "--template", "T", "--config-items", "x"), "omit --config-items"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_bad_input_is_one_sentence(command: Command, template: str, name: str) -> None:
    arguments, sentence = REFUSED[name]
    assert sentence in command.refused(*(template if one == "T" else one for one in arguments))


@pytest.mark.slow
def test_a_value_of_a_noecho_parameter_is_shown_nowhere(command: Command) -> None:
    text = TEMPLATE.replace("Clients: {Type: String,", "Clients: {Type: String, NoEcho: true,")
    path = write(command, text, "secret.yaml")
    for format_name in ("text", "json"):
        answer = command(
            "check", "--template", path, "--template-parameter", "Clients=10.1.2.3/32", "--format", format_name
        )
        assert "10.1.2.3" not in answer.out + answer.err
        assert "parameter Clients, which is NoEcho" in answer.out


def test_a_template_needs_no_aws_client(tmp_path: Path) -> None:
    """Importing boto3 takes longer than judging a template."""
    import subprocess  # noqa: PLC0415
    import sys  # noqa: PLC0415

    path = tmp_path / "template.yaml"
    path.write_text(TEMPLATE, encoding="utf-8")
    code = f"import sys\nfrom alb_sg.command_line.main import main\nmain(['check', '--template', {str(path)!r}])\n"
    code += "assert not {'boto3', 'samtranslator', 'jsonschema'} & set(sys.modules)\n"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)  # noqa: S603


def test_a_comment_has_file_line_and_the_rules_to_add(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    write(command, TEMPLATE)
    monkeypatch.chdir(command.folder)
    answer = command("check", "--template", "template.yaml", "--template-defaults", "--format", "markdown")
    assert "<code>Web</code><br><code>template.yaml&#58;17</code>" in answer.out
    diff = answer.out.partition("```diff\n")[2].partition("```")[0]
    assert all(line.startswith("+") for line in diff.splitlines())
    assert '+      GroupId: !Ref WebGroup\n+      IpProtocol: "icmp"\n' in diff
    # Outbound 9000 and ICMP for the load balancer, 8080 and 9000 for the tasks.
    assert diff.count("Type: AWS::EC2::SecurityGroup") == 4
    assert "GroupId: !Ref ServiceGroup" in diff


def test_sarif_names_the_file_relative_to_the_working_directory(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(command, TEMPLATE)
    monkeypatch.chdir(command.folder)
    answer = command("check", "--template", path, "--template-defaults", "--format", "sarif")
    places = [one["locations"][0]["physicalLocation"] for one in answer.json["runs"][0]["results"]]
    place = {"artifactLocation": {"uri": "template.yaml"}, "region": {"startLine": 17}}
    assert places == [place, place, place]


def test_every_verdict_is_in_sarif_on_request(command: Command, template: str) -> None:
    given = ("check", "--template", template, "--template-defaults", "--format")
    assert len(command(*given, "sarif", "--all").json["runs"][0]["results"]) == 5


@pytest.mark.parametrize(
    ("rule", "verdict"),
    [
        # Whichever port Amazon ECS chooses, it is open.
        ('{IpProtocol: "-1", CidrIp: 0.0.0.0/0}', "COMPLIANT"),
        # Port 8080 may be the one, and may not.
        ("{IpProtocol: tcp, FromPort: 8080, ToPort: 8080, CidrIp: 0.0.0.0/0}", "its tasks have host ports"),
    ],
)
def test_host_ports_that_amazon_ecs_chooses_may_be_any(command: Command, rule: str, verdict: str) -> None:
    text = TEMPLATE.replace("{IpProtocol: tcp, FromPort: 8080, ToPort: 8080, CidrIp: 10.0.0.0/16}", rule)
    head, _, _ = text.partition("      NetworkConfiguration:")
    path = write(command, head.replace("TargetType: ip", "TargetType: instance"))
    given = ("--template-defaults", "--rule", "instance_egress", "--format", "json")
    answer = command("check", "--template", path, *given)
    assert verdicts(answer)[EGRESS].startswith(verdict)


@pytest.mark.parametrize(
    ("resource", "verdict"),
    [
        # Tasks of a task set have groups and ports as those of a service have.
        (
            (
                "{Type: 'AWS::ECS::TaskSet', Properties: {LoadBalancers: "
                "[{ContainerName: web, ContainerPort: 9999, TargetGroupArn: !Ref Targets}], NetworkConfiguration: "
                "{AwsvpcConfiguration: {SecurityGroups: [!Ref ServiceGroup], Subnets: [!Ref Subnet]}}}}"
            ),
            "NON_COMPLIANT",
        ),
        # The instances are in the VPC, to all of which port 80 is not open.
        (
            (
                "{Type: 'AWS::AutoScaling::AutoScalingGroup', Properties: {VPCZoneIdentifier: [!Ref Subnet], "
                "LaunchTemplate: {LaunchTemplateId: lt-0123456789abcdef0, Version: '1'}, "
                "TrafficSources: [{Identifier: !Ref Targets, Type: elbv2}]}}"
            ),
            "NON_COMPLIANT",
        ),
        # Another traffic source is no target group.
        (
            (
                "{Type: 'AWS::AutoScaling::AutoScalingGroup', Properties: {VPCZoneIdentifier: [!Ref Subnet], "
                "TrafficSources: [{Identifier: !Ref Targets, Type: vpc-lattice}]}}"
            ),
            "NOT_APPLICABLE",
        ),
        # Nothing is open on port 80, whatever the groups of its instances are.
        (
            (
                "{Type: 'AWS::EC2::SpotFleet', Properties: {SpotFleetRequestConfigData: "
                "{LoadBalancersConfig: {TargetGroupsConfig: {TargetGroups: [{Arn: !Ref Targets}]}}}}}"
            ),
            "NON_COMPLIANT",
        ),
    ],
    ids=["task set", "traffic source", "other traffic source", "Spot Fleet"],
)
def test_a_service_registers_its_targets(command: Command, resource: str, verdict: str) -> None:
    before, _, _ = TEMPLATE.partition("  Service:\n")
    path = write(command, f"{before}  Service: {resource}\n")
    arguments = ("--template-defaults", "--rule", EGRESS, "--format", "json", "--template-parameter", "Scheme=internal")
    assert verdicts(command("check", "--template", path, *arguments))[EGRESS] == verdict


def test_a_rule_may_forward_to_a_target_group_of_another_stack(command: Command) -> None:
    """Nobody knows its targets, although everything is known of those of the listener itself."""
    arn = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/other/0123456789abcdef"
    rule = (
        f"  Rule: {{Type: 'AWS::ElasticLoadBalancingV2::ListenerRule', Properties: {{ListenerArn: !Ref Listener, "
        f"Priority: 1, Conditions: [], Actions: [{{Type: forward, TargetGroupArn: '{arn}'}}]}}}}\n"
    )
    for text, expected in ((TEMPLATE, "COMPLIANT"), (TEMPLATE + rule, "the plan or template does not hold it")):
        path = write(command, text)
        arguments = ("--template-defaults", "--rule", EGRESS, "--format", "json")
        assert verdicts(command("check", "--template", path, *arguments))[EGRESS].startswith(expected)


@pytest.mark.parametrize(
    ("rule", "listeners", "icmp_verdict"),
    [
        # Whatever port TCP is open on, ICMP is not; and the other way round.
        (
            "{IpProtocol: tcp, FromPort: !Ref Port, ToPort: !Ref Port, CidrIp: 0.0.0.0/0}",
            "parameter Port",
            "NON_COMPLIANT",
        ),
        ("{IpProtocol: icmp, FromPort: !Ref Port, ToPort: -1, CidrIp: 0.0.0.0/0}", "NON_COMPLIANT", "parameter Port"),
        # All traffic has no ports.
        ("{IpProtocol: -1, FromPort: !Ref Port, ToPort: !Ref Port, CidrIp: 0.0.0.0/0}", "COMPLIANT", "COMPLIANT"),
        # No port lets everybody in if only a group is let in.
        (
            "{IpProtocol: tcp, FromPort: !Ref Port, ToPort: !Ref Port, SourceSecurityGroupId: !Ref ServiceGroup}",
            "NON_COMPLIANT",
            "NON_COMPLIANT",
        ),
    ],
    ids=["tcp", "icmp", "all traffic", "from a group"],
)
def test_a_port_that_is_not_known(command: Command, rule: str, listeners: str, icmp_verdict: str) -> None:
    text = TEMPLATE.replace("{IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: !Ref Clients}", rule)
    path = write(command, text.replace("Parameters:\n", "Parameters:\n  Port: {Type: Number}\n"))
    found = verdicts(
        command("check", "--template", path, "--template-parameter", "Scheme=internet-facing", "-f", "json")
    )
    assert found[INGRESS].startswith(listeners)
    assert found[ICMP].startswith(icmp_verdict)


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("GroupDescription: of the load balancer", "'Fn::Transform': {Name: Rules}", "Resources.WebGroup"),
        ("Parameters:", "Fn::Transform: {Name: 'AWS::Include'}\nParameters:", "Fn::Transform adds to the template"),
    ],
    ids=["properties", "template"],
)
def test_an_addition_of_a_macro_is_not_overlooked(command: Command, old: str, new: str, place: str) -> None:
    """A macro beside properties may add rules, and one beside sections may add resources."""
    answer = command("check", "--template", write(command, TEMPLATE.replace(old, new, 1)))
    assert answer.code == 2
    assert place in answer.err
    assert "--template-stage Processed" in answer.err


def test_values_that_decide_no_verdict_may_be_anything(command: Command) -> None:
    """Only CloudFormation can run the macro, and it makes the attributes of the load balancer alone."""
    attributes = "LoadBalancerAttributes: {'Fn::Transform': {Name: Attributes}}, Scheme: !Ref Scheme"
    path = write(command, TEMPLATE.replace("Scheme: !Ref Scheme", attributes))
    arguments = ("--template-defaults", "--rule", INGRESS, "--format", "json")
    assert verdicts(command("check", "--template", path, *arguments)) == {INGRESS: "COMPLIANT"}
    deciding = write(command, TEMPLATE.replace("[!Ref WebGroup]", "{'Fn::Transform': {Name: Groups}}"))
    answer = command("check", "--template", deciding)
    assert answer.code == 2
    assert "Web.Properties.SecurityGroups" in answer.err


MALFORMED: dict[str, tuple[tuple[str, ...], Any, str]] = {
    "an object as owner": (("Listener", "LoadBalancerArn"), {"Key": []}, "text was expected, not {'Key': []}"),
    "a tag that is no object": (("Web", "Tags"), [7], "a tag is no object: 7"),
    "tags that are no list": (("Web", "Tags"), {"Key": "a"}, "Tags is no list: {'Key': 'a'}"),
    "a list of groups in a list of tasks": (
        ("Service", "NetworkConfiguration"),
        {"AwsvpcConfiguration": {"SecurityGroups": [7], "Subnets": []}},
        "text was expected, not 7",
    ),
    "a length of a number": (("Web", "Scheme"), {"Fn::Length": 7}, "7 stands where a text or a list was expected"),
    "a join of an object": (("Web", "Scheme"), {"Fn::Join": ["", {"a": 1}]}, "where a text or a list was expected"),
    "a part of nothing": (
        ("Web", "Scheme"),
        {"Fn::Select": [0, {"Ref": "AWS::NoValue"}]},
        "AWS::NoValue stands where a text or a list was expected",
    ),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_value_of_a_wrong_type_is_an_error_that_names_it(name: str, command: Command) -> None:
    """Never an error of the program, and never a verdict."""
    (logical_id, key), value, said = MALFORMED[name]
    document: Any = copy.deepcopy(parse_template(TEMPLATE.encode()).value)
    document["Resources"][logical_id]["Properties"][key] = value
    path = write(command, json.dumps(document))
    arguments = ("--template-parameter", "Scheme=internal", "--template-parameter", "Clients=10.0.0.0/16")
    tagged = ("--parameter", "TagKey=clients") if key == "Tags" else ()
    answer = command("check", "--template", path, *arguments, *tagged)
    assert answer.code in (2, 3)
    assert said in answer.out + answer.err
    assert "unexpected" not in answer.out + answer.err


@pytest.mark.parametrize("depends_on", [7, 1.5, {"a": "b"}, [7], True])
def test_a_dependency_of_a_wrong_type_changes_no_verdict(depends_on: Any, command: Command) -> None:
    document: Any = copy.deepcopy(parse_template(TEMPLATE.encode()).value)
    document["Resources"]["Web"]["DependsOn"] = depends_on
    answer = command("check", "--template", write(command, json.dumps(document)), "--template-defaults")
    assert "unexpected" not in answer.out + answer.err
    assert answer.code == 1


def test_parameters_of_a_nested_stack_that_are_no_object(command: Command) -> None:
    properties = {"TemplateURL": "https://b.s3.amazonaws.com/t", "Parameters": [7]}
    document = {"Resources": {"Nested": {"Type": "AWS::CloudFormation::Stack", "Properties": properties}}}
    answer = command.on(estate(load_balancer("web")), "check", "--template", write(command, json.dumps(document)))
    assert answer.code == 2
    assert "Resources.Nested: Parameters must be an object" in answer.err
