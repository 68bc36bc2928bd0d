"""ALB_SG_UNUSED_INGRESS in the commands: judged where it is named, shown exactly, and removed by nobody else."""

from __future__ import annotations

import html
import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from alb_sg.report.formats import FORMATS
from embedded_aws.account import REGION, EmbeddedAws, all_traffic, icmp, ip_permission, tcp
from tests import builders
from tests.builders import ANYWHERE, UNUSED, Saved, estate, group, listener, load_balancer, node
from tests.command_line.calling import Command
from tests.estate.example import config_items

RULE = "--rule=unused_ingress"
EXACT = {
    "securityGroup": "sg-1",
    "protocol": "tcp",
    "fromPort": 444,
    "toPort": 500,
    "peers": [ANYWHERE, "2001:db8::/56"],
    "securityGroupRules": ["sgr-1"],
    "used": [],
}


def saved(*parts: builders.Shape) -> Saved:
    """A load balancer that listens on 443, open on 443 to 500."""
    rule = builders.tcp((443, 500), ANYWHERE, "2001:db8::/56")
    found = estate(load_balancer(), listener(443), group("sg-1", ingress=[rule]), node(), *parts)
    found["SecurityGroupRules"] = [
        {
            "SecurityGroupRuleId": "sgr-1",
            "GroupId": "sg-1",
            "IsEgress": False,
            "IpProtocol": "tcp",
            "FromPort": 443,
            "ToPort": 500,
            "CidrIpv4": ANYWHERE,
            "Description": "clients",
        }
    ]
    return found


def test_check_judges_it_only_where_it_is_named(command: Command) -> None:
    rules = {one["rule"] for one in command.on(saved(), "check", "--format", "json").json["findings"]}
    assert rules == set(builders.RULES)
    answer = command.on(saved(), "check", RULE, "--format", "json")
    [finding] = answer.json["findings"]
    assert (finding["rule"], finding["compliance"], finding["unused"]) == (UNUSED, "NON_COMPLIANT", [EXACT])
    assert (finding["missing"], answer.code) == ([], 1)


@pytest.mark.parametrize("format_name", FORMATS)
def test_every_format_lists_unused_ingress(command: Command, format_name: str) -> None:
    said = html.unescape(command.on(saved(), "check", RULE, "--format", format_name).out)
    assert UNUSED in said
    assert "444" in said
    assert "sg-1" in said


def test_a_compliant_load_balancer_has_nothing_of_it(command: Command) -> None:
    answer = command.on(saved(listener(444), *(listener(port) for port in range(445, 501))), "check", RULE)
    assert answer.code == 0
    assert "1 as recommended" in answer.out
    assert "unused" not in answer.out


def test_explain_shows_the_commands_that_remove_it(command: Command) -> None:
    answer = command.on(saved(), "explain", "web", RULE)
    assert "unused   inbound TCP 444-500 from 0.0.0.0/0, 2001:db8::/56 in sg-1 (sgr-1)" in answer.out
    authorize, revoke = [line.split() for line in answer.out.splitlines() if line.strip().startswith("aws ec2")]
    assert authorize[2] == "authorize-security-group-ingress"
    assert revoke[2] == "revoke-security-group-ingress"
    [rule] = command.on(saved(), "explain", "web", RULE, "--format", "json").json["rules"]
    assert rule["unused"] == [EXACT]
    of_ipv6 = {"Ipv6Ranges": [{"CidrIpv6": "2001:db8::/56"}]}
    described = {"IpRanges": [{"CidrIp": ANYWHERE, "Description": "clients"}]}
    assert [json.loads(shlex.split(line)[-1]) for line in rule["removal"]] == [
        [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, **described, **of_ipv6}],
        [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 500, "IpRanges": [{"CidrIp": ANYWHERE}], **of_ipv6}],
    ]


def test_explain_says_where_descriptions_are_not_known(command: Command) -> None:
    """The rule for IPv6 is not among those that were read one by one."""
    sentence = "(the descriptions of rules that stay in part are not known here; add them)"
    known = saved()
    assert sentence in command.on(known, "explain", "web", RULE).out
    known["SecurityGroupRules"].append(
        {
            **known["SecurityGroupRules"][0],
            "SecurityGroupRuleId": "sgr-2",
            "CidrIpv4": None,
            "CidrIpv6": "2001:db8::/56",
        }
    )
    assert sentence not in command.on(known, "explain", "web", RULE).out


def test_rules_says_when_it_is_judged(command: Command) -> None:
    said = "judged by commands where it is named"
    assert said in command("rules", "unused_ingress").out
    assert said not in command("rules", "listener_ingress").out


def test_explain_without_a_name_leaves_it_out(command: Command) -> None:
    assert UNUSED not in command.on(saved(), "explain", "web").out


def test_what_if_a_listener_is_removed_its_port_is_unused(command: Command) -> None:
    answer = command.on(saved(listener(444)), "what-if", "web", "--remove-listener", "443", RULE)
    assert "unused inbound TCP 443 from" in answer.out
    assert "(new)" in answer.out
    assert answer.code == 1


def test_no_fix_removes_it(command: Command) -> None:
    answer = command.on(saved(), "fix", "web", RULE)
    assert "no fix removes security group rules" in answer.out
    assert "alb-sg explain web --rule ALB_SG_UNUSED_INGRESS" in answer.out
    assert answer.code == 1


def test_the_manager_of_a_group_is_named_beside_the_commands(command: Command) -> None:
    """It puts back what somebody removes by hand."""
    managed = saved()
    [own] = managed["SecurityGroups"]
    own["Tags"] = [{"Key": "aws:cloudformation:stack-name", "Value": "shop"}]
    sentence = "sg-1 is managed by CloudFormation stack shop, which may put the rules back: ask there"
    assert sentence in command.on(managed, "explain", "web", RULE).out
    assert sentence in command.on(managed, "check", RULE).out
    assert "is managed by" not in command.on(saved(), "explain", "web", RULE).out


def test_the_dashboard_has_it_with_the_commands(command: Command, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    assert command.on(saved(), "dashboard", RULE, "--output", str(page)).code == 1
    data = json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))
    [found] = data["loadBalancers"]
    [verdict] = found["verdicts"]
    assert verdict["unused"] == ["inbound TCP 444-500 from 0.0.0.0/0, 2001:db8::/56 in sg-1 (sgr-1)"]
    assert verdict["causes"] == ["unused"]
    assert "aws ec2 revoke-security-group-ingress" in found["detail"]["removal"]
    [rule] = data["rules"]
    assert (rule["name"], rule["document"]) == (UNUSED, None)


@pytest.mark.parametrize("format_name", ["json", "jsonl"])
def test_items_with_interfaces_give_the_same_and_no_ids(command: Command, format_name: str) -> None:
    items = command.file({"configurationItems": config_items(saved())}, "items.json")
    answer = command("check", RULE, "--format", format_name, "--config-items", items)
    found = answer.json["findings"] if format_name == "json" else [json.loads(answer.out)]
    assert [finding["unused"] for finding in found] == [[EXACT | {"securityGroupRules": []}]]


def test_items_without_interfaces_are_an_error_that_names_them(command: Command) -> None:
    without = [item for item in config_items(saved()) if item["resourceType"] != "AWS::EC2::NetworkInterface"]
    answer = command("check", RULE, "--format", "json", "--config-items", command.file({"configurationItems": without}))
    [error] = answer.json["errors"]
    assert error["what"] == f"{UNUSED}: network interfaces that carry sg-1"
    assert "NetworkInterfaces" in error["cause"]
    assert answer.code == 3


def test_a_port_that_is_exempt_counts_as_used(command: Command) -> None:
    entry: dict[str, Any] = {
        "loadBalancer": builders.load_balancer_arn(),
        "rule": UNUSED,
        "reason": "test listener of blue/green deployments",
        "owner": "team-edge",
        "ticket": "SEC-12",
        "expires": "2027-01-31",
        "ports": [444],
    }
    exemptions = command.file({"version": 1, "exemptions": [entry]}, "exemptions.json")
    arguments = ("check", RULE, "--format", "json", "--exemptions", exemptions, "--date", "2027-01-01")
    [finding] = command.on(saved(), *arguments).json["findings"]
    assert [(one["fromPort"], one["toPort"]) for one in finding["unused"]] == [(445, 500)]
    assert "port 444 exempt until 2027-01-31 by team-edge (SEC-12)" in finding["annotation"]


@pytest.fixture
def aws() -> Iterator[EmbeddedAws]:
    with EmbeddedAws() as account:
        yield account


def run(aws: EmbeddedAws, command_line: str) -> None:
    """Runs a command of the AWS CLI as a call of boto3."""
    words = shlex.split(command_line)
    assert words[:2] == ["aws", "ec2"]
    options = dict(zip(words[3::2], words[4::2], strict=True))
    assert options["--region"] == REGION
    operation = getattr(aws.ec2, words[2].replace("-", "_"))
    operation(GroupId=options["--group-id"], IpPermissions=json.loads(options["--ip-permissions"]))


@pytest.mark.slow
def test_the_commands_remove_exactly_the_unused_ingress(command: Command, aws: EmbeddedAws) -> None:
    vpc = aws.vpc()
    app = aws.security_group(vpc, "app")
    ingress = [
        tcp(80, "0.0.0.0/0"),
        tcp(22, "10.0.0.0/8", app),
        # Its used part is there already.
        tcp(1, "0.0.0.0/0", to_port=1024),
        # Both keep port 8080 from 10.0.0.0/8, and EC2 refuses the same rule twice.
        tcp(8000, "10.0.0.0/8", to_port=9000),
        all_traffic("10.0.0.0/8", "2001:db8::/56", app),
        ip_permission("udp", 1024, 65535, "0.0.0.0/0"),
        icmp(3, 4, "0.0.0.0/0"),
    ]
    # Port 80 stays open by another rule, and ports 8080 of both are one rule, which has the description of the first.
    ingress[3]["IpRanges"][0]["Description"] = 'admin\'s "tools"'
    lb = aws.security_group(vpc, "lb", ingress=ingress)
    web = aws.load_balancer("web", aws.subnets(vpc), [lb])
    aws.listener(web, 80)
    aws.listener(web, 8080)
    others = ("check", "--region", REGION, "--format", "json")
    before = command(*others).json["findings"]
    [rule] = command("explain", "web", RULE, "--region", REGION, "--format", "json").json["rules"]
    assert all(entry["securityGroupRules"] for entry in rule["unused"])
    for line in rule["removal"]:
        run(aws, line)
    [finding] = command("check", RULE, "--region", REGION, "--format", "json").json["findings"]
    assert (finding["compliance"], finding["annotation"]) == ("COMPLIANT", f"nothing unused in {lb}")
    after = command(*others).json["findings"]
    assert [(one["rule"], one["compliance"], one["missing"]) for one in after] == [
        (one["rule"], one["compliance"], one["missing"]) for one in before
    ]
    permissions = aws.ec2.describe_security_groups(GroupIds=[lb])["SecurityGroups"][0]["IpPermissions"]
    [kept] = [one for one in permissions if one.get("FromPort") == 8080 and one["IpRanges"]]
    assert [one.get("Description") for one in kept["IpRanges"]] == ['admin\'s "tools"']
    left = {(one["IpProtocol"], one.get("FromPort"), one.get("ToPort")) for one in permissions}
    assert left == {("tcp", 80, 80), ("tcp", 8080, 8080), ("icmp", 3, 4), ("icmp", -1, -1), ("icmpv6", -1, -1)}
