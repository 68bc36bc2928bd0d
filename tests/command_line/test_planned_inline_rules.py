"""The fix of a planned security group that lists its rules itself: blocks of its own, and no rules beside it.

Terraform takes away rules that are resources of their own from such a group (registry, aws_security_group).
"""

from __future__ import annotations

from typing import Any

import hcl2
import pytest

from alb_sg.estate.planned.terraform import terraform_scenario
from tests.command_line.calling import Command
from tests.estate.planned.plans import COMPUTED, Dynamic, Plan, Ref
from tests.estate.planned.test_terraform import (
    ALB_GROUP,
    APP_GROUP,
    OPEN_443,
    TO_APP,
    cidr_block,
    listener,
    load_balancer,
    rule,
    security_group,
    service,
    target_group,
    vpc,
    web,
)

HTTPS = cidr_block("tcp", 443, 443, "0.0.0.0/0")


def with_groups(alb: dict[str, Any], app: dict[str, Any] | None = None) -> Plan:
    """A load balancer and a service whose groups have these arguments."""
    plan = vpc(Plan())
    security_group(plan, "aws_security_group.alb", **alb)
    security_group(plan, "aws_security_group.app", **(app or {}))
    return service(target_group(listener(load_balancer(plan))))


def fix(command: Command, plan: Plan) -> str:
    return command("fix", "web", "--terraform-plan", str(plan.write(command.folder / "plan.json"))).out


def blocks(text: str) -> dict[str, list[dict[str, Any]]]:
    """The blocks of the code outside of resources, by direction, and the resources by type."""
    parsed: dict[str, Any] = hcl2.loads(text)
    found = {name.strip('"'): parsed.get(name, []) for name in ("ingress", "egress")}
    for one in parsed.get("resource", []):
        for kind, resources in one.items():
            found.setdefault(kind.strip('"'), []).extend(resources.values())
    return found


def test_rules_that_are_written_inline(command: Command) -> None:
    text = fix(command, with_groups({"ingress": [HTTPS], "egress": []}))
    assert "# Add these blocks to aws_security_group.alb, which lists its rules itself:" in text
    found = blocks(text)
    assert [one["from_port"] for one in found["ingress"]] == [3]
    assert [one.strip('"') for one in found["ingress"][0]["cidr_blocks"]] == ["0.0.0.0/0"]
    [egress] = found["egress"]
    assert (egress["from_port"], "aws_security_group.app.id" in str(egress["security_groups"])) == (8080, True)
    # The group of the service has no rules at all: it takes those that are resources of their own.
    assert [one["from_port"] for one in found["aws_vpc_security_group_ingress_rule"]] == [8080]
    assert "aws_vpc_security_group_egress_rule" not in found


def test_each_direction_by_itself(command: Command) -> None:
    """Outbound rules that are resources of their own stay so."""
    plan = with_groups({"ingress": [HTTPS]})
    rule(plan, "dns", "egress", ALB_GROUP, ip_protocol="udp", from_port=53, to_port=53, cidr_ipv4="10.0.0.2/32")
    found = blocks(fix(command, plan))
    assert [one["from_port"] for one in found["ingress"]] == [3]
    assert (found["egress"], len(found["aws_vpc_security_group_egress_rule"])) == ([], 1)


def test_rules_of_a_dynamic_block(command: Command) -> None:
    """The configuration does not hold it: a new group without rules of its own has unknown ones as a whole."""
    found = blocks(fix(command, with_groups({"ingress": [Dynamic(HTTPS)]})))
    assert [one["from_port"] for one in found["ingress"]] == [3]


@pytest.mark.parametrize(("is_changed", "directions"), [(True, {"ingress"}), (False, set())])
def test_a_group_that_exists(is_changed: bool, directions: set[str]) -> None:
    """The rules that were refreshed may be resources of their own, unless the change is to the list itself."""
    https, dns = cidr_block("tcp", 443, 443, "0.0.0.0/0"), cidr_block("udp", 53, 53, "10.0.0.2/32")
    before = {"name": "old", "ingress": [dns if is_changed else https], "egress": [dns]}
    plan = Plan()
    plan.update("aws_security_group.alb", "sg-1", before, name="new", ingress=[https], egress=[dns])
    [configured] = plan.root["resources"]
    # As of rules in a `dynamic` block, and of rules that are resources of their own.
    configured["expressions"] = {"name": {"constant_value": "new"}}
    [group] = terraform_scenario(plan.document()).resources
    assert group.inline_rules == directions


def test_the_default_group_of_a_vpc_lists_its_rules_always(command: Command) -> None:
    plan = vpc(Plan())
    plan.create(
        "aws_default_security_group.alb",
        vpc_id=Ref("aws_vpc.main.id"),
        ingress=COMPUTED,
        egress=COMPUTED,
        name="default",
    )
    load_balancer(plan, groups=[Ref("aws_default_security_group.alb.id")])
    listener(plan, group=None)
    found = blocks(fix(command, plan))
    assert sorted(one["from_port"] for one in found["ingress"]) == [3, 443]


def test_a_group_that_refers_to_itself(command: Command) -> None:
    plan = vpc(Plan())
    security_group(plan, "aws_security_group.alb", ingress=[HTTPS], egress=[])
    load_balancer(plan)
    service(target_group(listener(plan)), groups=[ALB_GROUP])
    found = blocks(fix(command, plan))
    assert [one.get("self") for one in found["egress"]] == [True]


@pytest.mark.parametrize(
    "app", [{"ingress": []}, {"ingress": [cidr_block("tcp", 22, 22, security_groups=[ALB_GROUP])]}]
)
def test_groups_whose_blocks_name_each_other(command: Command, app: dict[str, Any]) -> None:
    text = fix(command, with_groups({"ingress": [HTTPS], "egress": []}, app))
    assert "refuses groups whose blocks name each other (aws_security_group.alb and aws_security_group.app)" in text


def test_groups_of_which_one_names_the_other(command: Command) -> None:
    assert "refuses groups" not in fix(command, with_groups({"ingress": [HTTPS], "egress": [TO_APP]}))


def test_the_comment_on_a_pull_request(command: Command) -> None:
    path = str(with_groups({"ingress": [HTTPS]}).write(command.folder / "plan.json"))
    text = command("check", "--terraform-plan", path, "--format", "markdown").out
    assert "+# Add these blocks to aws_security_group.alb" in text
    assert "+ingress {\n" in text


def test_a_group_without_inline_rules(command: Command) -> None:
    plan = web()
    rule(plan, "https", "ingress", ALB_GROUP, **OPEN_443)
    rule(plan, "app", "egress", ALB_GROUP, from_port=8080, to_port=8080, referenced_security_group_id=APP_GROUP)
    found = blocks(fix(command, plan))
    assert (found["ingress"], found["egress"]) == ([], [])
    assert len(found["aws_vpc_security_group_ingress_rule"]) == 2
