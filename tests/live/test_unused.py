"""ALB_SG_UNUSED_INGRESS from a live account: what is read to know who carries a group, and what a failure means."""

from __future__ import annotations

from typing import Any

import pytest

from alb_sg.findings.finding import EvaluationError, Finding
from alb_sg.findings.judge import judge_all
from alb_sg.live import LoadResult, Selection
from alb_sg.parameters import Parameters
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME
from tests.builders import (
    ANYWHERE,
    UNUSED,
    Saved,
    Shape,
    estate,
    group,
    interface,
    judge,
    listener,
    load_balancer,
    load_balancer_arn,
    network_load_balancer,
    node,
    tcp,
)
from tests.live.region import Call, Refused, Region

RULE = RECOMMENDATIONS_BY_NAME[UNUSED]
SECTIONS = RULE.estate_sections | RULE.detail_sections
WEB = Selection(load_balancers=frozenset({"web"}))


def security_group_rule(id_: str, port: int, cidr: str, *, of: str = "sg-1", **fields: Any) -> Shape:
    """One of DescribeSecurityGroupRules."""
    return {
        "SecurityGroupRuleId": id_,
        "GroupId": of,
        "IsEgress": False,
        "IpProtocol": "tcp",
        "FromPort": port,
        "ToPort": port,
        "CidrIpv4": cidr,
        **fields,
    }


def saved() -> Saved:
    """`web` shares sg-1 with `other` and a Network Load Balancer; a task carries sg-task."""
    found = estate(
        load_balancer(),
        load_balancer("other"),
        load_balancer("apart", groups=["sg-apart"]),
        network_load_balancer(groups=["sg-1"]),
        listener(443),
        listener(8443, of="other"),
        listener(22, of="apart"),
        listener(8883, "TLS", of=load_balancer_arn("nlb", "network")),
        group("sg-1", ingress=[tcp(port, ANYWHERE) for port in (22, 443, 8443, 8883)]),
        group("sg-apart"),
        node("10.0.0.1"),
        node("10.0.0.2", of="other"),
        node("10.0.0.3", of="nlb", type="network"),
        interface("10.0.0.9", groups=["sg-task"]),
    )
    found["SecurityGroupRules"] = [
        security_group_rule("sgr-22", 22, ANYWHERE),
        security_group_rule("sgr-443", 443, ANYWHERE),
        # Rules that differ from the unused one in their direction and in their group.
        security_group_rule("sgr-out", 22, ANYWHERE, IsEgress=True),
        security_group_rule("sgr-apart", 22, ANYWHERE, of="sg-apart"),
    ]
    return found


def results(loaded: LoadResult) -> list[Finding | EvaluationError]:
    findings, errors = judge_all(loaded.estate, loaded.selected, {RULE: Parameters()})
    return [*findings, *errors]


def load(region: Region, selection: Selection = WEB) -> list[Finding | EvaluationError]:
    return results(region.source().load(selection, SECTIONS))


def test_one_load_balancer_needs_the_others_of_its_groups() -> None:
    region = Region(saved())
    [finding] = load(region)
    assert isinstance(finding, Finding)
    [unused] = finding.unused
    assert (unused.from_port, unused.to_port, unused.peers, unused.rule_ids) == (22, 22, (ANYWHERE,), ("sgr-22",))
    assert region.counts() == {
        "DescribeLoadBalancers": 1,
        # Of the three that carry sg-1.
        "DescribeListeners": 3,
        "DescribeSecurityGroups": 1,
        "DescribeNetworkInterfaces": 1,
        "DescribeSecurityGroupRules": 1,
    }


def test_a_live_region_agrees_with_its_saved_estate() -> None:
    region = Region(saved(), page=2)
    for found in load(region, Selection(everything=True)):
        if "/net/" not in str(found.load_balancer_arn):
            assert found == judge(saved(), UNUSED, str(found.load_balancer_arn).split("/")[-2])


@pytest.mark.slow
def test_a_sweep_asks_for_200_groups_at_a_time() -> None:
    names = [f"lb-{number}" for number in range(250)]
    parts = [load_balancer(name, groups=[f"sg-{name}"]) for name in names]
    region = Region(estate(*parts, *(group(f"sg-{name}") for name in names)))
    found = load(region, Selection(everything=True))
    assert {finding.compliance.value for finding in found if isinstance(finding, Finding)} == {"COMPLIANT"}
    counts = region.counts()
    assert (counts["DescribeNetworkInterfaces"], counts["DescribeSecurityGroupRules"]) == (2, 2)


@pytest.mark.parametrize(
    ("operation", "what"),
    [
        ("DescribeNetworkInterfaces", "network interfaces that carry sg-1"),
        ("DescribeSecurityGroups", "security group sg-1"),
        ("DescribeListeners", "listeners of other"),
    ],
)
def test_unread_data_is_an_error_that_names_it(operation: str, what: str) -> None:
    def refuse(call: Call) -> None:
        if call.operation == operation:
            raise Refused("UnauthorizedOperation")

    [error] = load(Region(saved(), intervene=refuse))
    assert isinstance(error, EvaluationError)
    assert error.what == what
    assert "UnauthorizedOperation" in error.cause


def test_an_interface_whose_groups_cannot_be_read_may_carry_any_of_them() -> None:
    found = saved()
    found["NetworkInterfaces"][0]["Groups"].append({"GroupId": 7})
    [error] = load(Region(found))
    assert isinstance(error, EvaluationError)
    assert "Groups of network interface eni-" in error.cause


def test_without_rule_ids_the_verdict_stands_with_a_note() -> None:
    def refuse(call: Call) -> None:
        if call.operation == "DescribeSecurityGroupRules":
            raise Refused("UnauthorizedOperation")

    [finding] = load(Region(saved(), intervene=refuse))
    assert isinstance(finding, Finding)
    assert [entry.rule_ids for entry in finding.unused] == [()]
    assert any("ids of security group rules were not read" in remark for remark in finding.remarks)


def test_a_what_if_group_is_read_too() -> None:
    selection = Selection(load_balancers=frozenset({"web"}), also_security_groups=frozenset({"sg-apart"}))
    loaded = Region(saved()).source().load(selection, SECTIONS)
    assert loaded.estate.interfaces_by_group is not None
    assert set(loaded.estate.interfaces_by_group) == {"sg-1", "sg-apart"}
    assert load_balancer_arn("apart") in (loaded.estate.listeners or {})


def test_a_change_of_one_load_balancer_selects_those_that_share_its_groups() -> None:
    selection = Selection(sharing_groups_with=frozenset({load_balancer_arn("nlb", "network")}))
    loaded = Region(saved()).source().load(selection, SECTIONS)
    assert [found.name for found in loaded.selected] == ["other", "web"]
