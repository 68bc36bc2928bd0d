"""The evidence that an explanation shows: complete, sufficient by itself, and free of what is not needed."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alb_sg.estate.estate import Estate
from alb_sg.findings.coverage import requirement_count
from alb_sg.findings.explanation import Explanation, RequirementRow, RowStatus, explain
from alb_sg.findings.finding import Compliance, Finding, Missing
from alb_sg.findings.judge import Judge
from alb_sg.parameters import Parameters, TargetMatch, parse_parameters
from alb_sg.permissions.allowed_traffic import Direction
from alb_sg.recommendations.catalogue import DEFAULT_RECOMMENDATIONS
from alb_sg.recommendations.load_balancer_context import LoadBalancerContext
from alb_sg.recommendations.requirement import NotApplicable
from tests.builders import (
    ANYWHERE,
    Saved,
    Shape,
    all_traffic,
    behind,
    build,
    estate,
    group,
    icmp,
    interface,
    listener,
    load_balancer,
    network_load_balancer,
    prefix_list,
    reference,
    target,
    target_group,
    tcp,
    vpc,
)

pytestmark = pytest.mark.slow

PEERS: list[str | Shape] = [
    ANYWHERE,
    "0.0.0.0/1",
    "128.0.0.0/1",
    "10.0.0.0/16",
    "10.0.0.0/17",
    "10.0.128.0/17",
    "10.0.1.5",
    "::/0",
    "pl-half",
    "pl-hidden",
    "sg-app",
    "sg-other",
    "sg-front",
    reference("sg-app", peering="pcx-1", vpc="vpc-1", status="deleted"),
    reference("sg-far", peering="pcx-2", vpc="vpc-2", status="active"),
]
TARGETS: list[str | Shape] = [
    "10.0.1.5",
    "10.0.1.6",
    "10.0.200.7",
    "172.16.0.9",
    target("10.0.1.8", 8080),
    target("10.0.1.5", 8080),
]


@st.composite
def permissions(draw: st.DrawFn) -> Shape:
    peers = draw(st.lists(st.sampled_from(PEERS), min_size=1, max_size=3))
    kind = draw(st.sampled_from(["tcp", "range", "all", "icmp"]))
    if kind == "icmp":
        return icmp(3, draw(st.sampled_from([4, -1])), *peers)
    if kind == "all":
        return all_traffic(*peers)
    return tcp((1, 65535) if kind == "range" else draw(st.sampled_from([80, 443, 8080])), *peers)


@st.composite
def estates(draw: st.DrawFn) -> Saved:
    def rules() -> list[Shape]:
        return draw(st.lists(permissions(), max_size=4))

    before = draw(st.booleans())
    return estate(
        load_balancer("web", groups=["sg-1", "sg-2"], scheme=draw(st.sampled_from(["internal", "internet-facing"]))),
        listener(443, forward=["web"]),
        listener(80, redirect=True),
        *([network_load_balancer("front", groups=["sg-front"]), behind(443, nlb="front")] if before else []),
        target_group(
            "web",
            targets=draw(st.lists(st.sampled_from(TARGETS), unique_by=str, max_size=5)),
            health_check_port=draw(st.sampled_from(["traffic-port", "8080"])),
        ),
        vpc("10.0.0.0/16"),
        vpc("172.16.0.0/16", id="vpc-2"),
        interface("10.0.1.5", groups=["sg-app"]),
        interface("10.0.1.6", groups=["sg-app"]),
        interface("10.0.1.8", groups=["sg-other"]),
        interface("172.16.0.9", groups=["sg-far", "sg-other"], vpc="vpc-2"),
        prefix_list("pl-half", "0.0.0.0/2", "64.0.0.0/2"),
        prefix_list("pl-hidden", "0.0.0.0/0", refused=True),
        group("sg-1", ingress=rules(), egress=rules()),
        group("sg-2", ingress=rules(), egress=rules()),
        *(group(one) for one in ("sg-app", "sg-other", "sg-front", "sg-far")),
    )


PARAMETERS = [
    Parameters(),
    Parameters(target_match=TargetMatch.SECURITY_GROUP),
    parse_parameters({"AcceptedSources": "10.0.0.0/17,pl-half,sg-other"}),
]


def explained(found: Estate, parameters: Parameters) -> Explanation:
    (web,) = [one for one in found.load_balancers.values() if one.name == "web"]
    return explain(Judge(found), web, dict.fromkeys(DEFAULT_RECOMMENDATIONS, parameters))


@given(estates(), st.sampled_from(PARAMETERS))
def test_every_requirement_is_in_exactly_one_row(saved: Saved, parameters: Parameters) -> None:
    found = build(saved)
    explanation = explained(found, parameters)
    for rule in explanation.rules:
        try:
            demanded = rule.recommendation.requirements(
                LoadBalancerContext(found, explanation.load_balancer), parameters
            ).requirements
        except NotApplicable:
            demanded = ()
        # A row for targets that must let the load balancer in counts each of them.
        assert sum(row.count for row in rule.rows) == sum(requirement_count(one.peer) for one in demanded)
        assert {(row.traffic, row.origin) for row in rule.rows} == {(one.traffic, one.origin) for one in demanded}


@given(estates(), st.sampled_from(PARAMETERS))
def test_rows_agree_with_the_verdict(saved: Saved, parameters: Parameters) -> None:
    for rule in explained(build(saved), parameters).rules:
        verdict = rule.verdict
        if not isinstance(verdict, Finding):
            assert RowStatus.UNREAD in {row.status for row in rule.rows}
        elif verdict.compliance is Compliance.COMPLIANT:
            assert {row.status for row in rule.rows} == {RowStatus.MET}
        elif verdict.compliance is Compliance.NON_COMPLIANT:
            missing = [row.missing for row in rule.rows if row.missing is not None]
            assert _united(missing) == _united(verdict.missing)


@given(estates(), st.sampled_from(PARAMETERS))
def test_the_evidence_of_a_row_meets_it_without_any_other_rule(saved: Saved, parameters: Parameters) -> None:
    found = build(saved)
    for rule in explained(found, parameters).rules:
        for row in rule.rows:
            if row.status is RowStatus.MET:
                assert row.evidence
                assert _status_of(row, found, parameters, range(len(row.evidence))) is RowStatus.MET


@given(estates())
def test_none_of_the_evidence_of_a_row_can_be_left_out(saved: Saved) -> None:
    """Each rule that is shown has a part of its own, so removing it would break something."""
    found = build(saved)
    for rule in explained(found, Parameters()).rules:
        for row in rule.rows:
            if row.status is RowStatus.MET and len(row.evidence) == 1:
                assert _status_of(row, found, Parameters(), ()) is not RowStatus.MET
            covered = [cidr for part in row.evidence for cidr in part.covers]
            if not row.targets:
                assert len(covered) == len(set(covered))


def _status_of(row: RequirementRow, found: Estate, parameters: Parameters, kept: range | tuple[int, ...]) -> RowStatus:
    """The status of a row where its evidence is all that the load balancer's groups let through."""
    permissions = tuple(row.evidence[index].permission_peer.permission for index in kept)
    ingress, egress = (permissions, ()) if row.direction is Direction.INGRESS else ((), permissions)
    groups = dict(found.security_groups or {})
    groups["sg-1"] = groups["sg-1"]._replace(ingress=ingress, egress=egress)
    groups["sg-2"] = groups["sg-2"]._replace(ingress=(), egress=())
    explanation = explained(replace(found, security_groups=groups), parameters)
    statuses = {
        other.status
        for rule in explanation.rules
        for other in rule.rows
        if (other.traffic, other.origin, other.label) == (row.traffic, row.origin, row.label)
        and (not row.targets or set(row.targets) & set(other.targets))
    }
    (status,) = statuses
    return status


def _united(entries: tuple[Missing, ...] | list[Missing]) -> list[tuple[object, ...]]:
    """What is missing, with targets of one group and port together."""
    flat = sorted(
        (one.origin.arn, one.from_port, one.to_port, one.or_security_groups, one.peers, one.required) for one in entries
    )
    return [
        (
            key,
            sorted({peer for entry in held for peer in entry[4]}),
            sorted({one for entry in held for one in entry[5]}),
        )
        for key, held in ((key, list(held)) for key, held in groupby(flat, key=lambda entry: entry[:4]))
    ]


def test_rules_that_bear_on_each_other_are_shown_together() -> None:
    """A peering reference tells the groups of a target outside the VPC; another rule names one of them."""
    saved = estate(
        listener(443, forward=["web"]),
        target_group("web", targets=["172.16.0.9"]),
        vpc("10.0.0.0/16"),
        vpc("172.16.0.0/16", id="vpc-2"),
        interface("172.16.0.9", groups=["sg-other"], vpc="vpc-2"),
        group(
            "sg-1",
            egress=[
                tcp(80, reference("sg-far", peering="pcx-2", vpc="vpc-2", status="active")),
                tcp(80, "sg-other"),
                tcp(80, "10.0.0.0/8"),
            ],
        ),
        *(group(one) for one in ("sg-other", "sg-far")),
    )
    rows = [rule.rows for rule in explained(build(saved), Parameters()).rules if "INSTANCE" in rule.recommendation.name]
    ((row,),) = rows
    assert row.status is RowStatus.MET
    assert {part.permission_peer.peer for part in row.evidence} == {"sg-far", "sg-other"}


@pytest.mark.parametrize("order", [1, -1])
def test_order_of_rules_and_groups_changes_no_explanation(order: int) -> None:
    rules = [tcp(443, "0.0.0.0/1", "10.0.0.0/8"), all_traffic(ANYWHERE), tcp(443, ANYWHERE), tcp(443, "128.0.0.0/1")]
    saved = estate(
        load_balancer("web", groups=["sg-1", "sg-2"][::order]),
        listener(443),
        group("sg-1", ingress=rules[::order]),
        group("sg-2", ingress=rules[::-order]),
    )
    (row,) = next(
        rule.rows for rule in explained(build(saved), Parameters()).rules if "LISTENER" in rule.recommendation.name
    )
    assert [(part.permission_peer.group_id, part.permission_peer.permission.protocol) for part in row.evidence] == [
        ("sg-1", "-1")
    ]
