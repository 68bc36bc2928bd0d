"""The parsers of CloudFormation and Terraform accept the snippets, and read from them what the plan says."""

from __future__ import annotations

from typing import Any

import hcl2
import pytest
from cfnlint.api import lint  # type: ignore[import-untyped]  # cfn-lint ships no types
from cfnlint.config import ManualArgs  # type: ignore[import-untyped]  # cfn-lint ships no types
from cfnlint.decode import decode_str  # type: ignore[import-untyped]  # cfn-lint ships no types

from alb_sg.remediation.cloudformation import render_cloudformation
from alb_sg.remediation.fix_request import FixPolicy, SharedGroupPolicy
from alb_sg.remediation.plan import Plan
from alb_sg.remediation.snippets import make_snippets
from alb_sg.remediation.terraform import render_terraform
from tests.builders import estate as saved_estate
from tests.builders import group, interface, listener, load_balancer, prefix_list, target_group, vpc
from tests.remediation.test_plan import plan, web

pytestmark = pytest.mark.slow

SHARED = interface("10.0.1.9", groups=["sg-1"])
# Ids of the length of EC2's, because cfn-lint checks their pattern.
LONG = {"sg-1": "sg-0a1b2c3d4e5f60718", "sg-app": "sg-0b1b2c3d4e5f60718", "vpc-1": "vpc-0a1b2c3d4e5f60718"}


def _plans() -> dict[str, Plan]:
    everything = web(
        target_group("on-premises", targets=["192.168.7.7"], port=9000),
        {**prefix_list("pl-0a1b2c3d4e5f60718", "203.0.113.0/24"), "MaxEntries": 1},
        ip_address_type="dualstack",
        tags={"clients": "internet pl-0a1b2c3d4e5f60718"},
    )
    return {
        "all": plan(everything, TagKey="clients"),
        "shared": plan(web(SHARED)),
        "refused": plan(web(SHARED), policy=FixPolicy(shared_group=SharedGroupPolicy.REFUSE)),
        "internal": plan(web(vpc("10.0.0.0/16", "2001:db8::/56"), scheme="internal", ip_address_type="dualstack")),
    }


PLANS = _plans()


@pytest.mark.parametrize("name", PLANS)
def test_cloudformation_is_a_template_without_a_mistake(name: str) -> None:
    text = render_cloudformation(make_snippets([PLANS[name]]))
    for short, long in LONG.items():
        text = text.replace(f'"{short}"', f'"{long}"')
    assert [str(match) for match in lint(text, config=ManualArgs(regions=["us-east-1"]))] == []
    template, _ = decode_str(text)
    resources = template["Resources"]
    rules = [one["Properties"] for one in resources.values() if one["Type"] != "AWS::EC2::SecurityGroup"]
    peers = ("CidrIp", "CidrIpv6", "SourceSecurityGroupId", "DestinationSecurityGroupId")
    lists = ("SourcePrefixListId", "DestinationPrefixListId")
    found = {
        (str(rule["IpProtocol"]), rule["FromPort"], rule[key])
        for rule in rules
        for key in (*peers, *lists)
        if key in rule
    }
    assert found == {(protocol, port, LONG.get(peer, peer)) for protocol, port, peer in _expected(PLANS[name])}
    groups = [one for one in resources.values() if one["Type"] == "AWS::EC2::SecurityGroup"]
    assert len(groups) == (name in ("shared", "refused"))


@pytest.mark.parametrize("name", PLANS)
def test_terraform_output_parses(name: str) -> None:
    blocks: list[dict[str, Any]] = hcl2.loads(render_terraform(make_snippets([PLANS[name]])))["resource"]
    rules: list[dict[str, Any]] = []
    groups: list[dict[str, Any]] = []
    for block in blocks:
        for kind, named in block.items():
            for body in (value for key, value in named.items() if not key.startswith("__")):
                (groups if _plain(kind) == "aws_security_group" else rules).append(body)
    peers = ("cidr_ipv4", "cidr_ipv6", "prefix_list_id", "referenced_security_group_id")
    found = {
        (_plain(rule["ip_protocol"]), rule["from_port"], _plain(rule[key]))
        for rule in rules
        for key in peers
        if key in rule
    }
    assert found == _expected(PLANS[name])
    assert [_plain(one["name"]) for one in groups] == (["alb-sg-web"] if name in ("shared", "refused") else [])


def _plain(text: str) -> str:
    return text.strip('"')


def _expected(found: Plan) -> set[tuple[str, int | None, str]]:
    rules = found.additions or tuple(one for refusal in found.refusals for one in refusal.additions)
    assert rules
    return {(one.permission.protocol, one.permission.from_port, one.peer) for one in rules}


def test_nothing_to_add_is_no_text() -> None:
    assert make_snippets([]) == ()
    assert render_cloudformation([]) == render_terraform([]) == ""


def test_names_of_load_balancers_stay_apart() -> None:
    saved = saved_estate(load_balancer("web"), listener(443), group("sg-1"), vpc("10.0.0.0/16"))
    one = plan(saved)
    both = make_snippets([one, one])
    assert [snippet.name for snippet in both] == ["web", "web_2"]
    assert [str(match) for match in lint(render_cloudformation(both).replace('"sg-1"', f'"{LONG["sg-1"]}"'))] == []


def test_opening_to_everyone_is_reported() -> None:
    for text in (render_cloudformation(make_snippets([PLANS["all"]])), render_terraform(make_snippets([PLANS["all"]]))):
        assert "# This opens it to everyone (0.0.0.0/0, ::/0)" in text


def test_names_cannot_break_out_of_the_text() -> None:
    """The name of a target group becomes part of a description."""
    saved = web(target_group('a"${file(1)}\n#', targets=["192.168.7.7"], port=9000))
    snippets = make_snippets([plan(saved)])
    assert hcl2.loads(render_terraform(snippets))["resource"]
    assert "${file" not in render_terraform(snippets).replace("$${file", "")
    assert decode_str(render_cloudformation(snippets))[0]["Resources"]
