"""The fixes of load balancers that are planned: which group gets the rules, where no account says who carries one."""

from __future__ import annotations

import pytest

from alb_sg.findings.judge import judge_all
from alb_sg.parameters import parse_parameters
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME
from alb_sg.remediation.plan import Plan, RefusalReason
from alb_sg.remediation.planned_planning import PlannedEstatePlanner
from tests.builders import (
    ANYWHERE,
    EGRESS,
    ICMP,
    INGRESS,
    TARGETS,
    Saved,
    Shape,
    build,
    estate,
    group,
    instance,
    interface,
    listener,
    load_balancer,
    prefix_list,
    target_group,
    tcp,
)


def plan(saved: Saved, *rules: str, **parameters: str) -> Plan:
    """The plan for `web` and what these rules say of it."""
    found = build(saved)
    [web] = [one for one in found.load_balancers.values() if one.name == "web"]
    parsed = parse_parameters(parameters)
    selected = {RECOMMENDATIONS_BY_NAME[rule]: parsed for rule in rules}
    findings, errors = judge_all(found, [web], selected)
    return PlannedEstatePlanner(found, selected).plan(web, [*findings, *errors])


def web(*parts: Shape, scheme: str = "internet-facing", shared: str = "sg-base") -> Saved:
    """A load balancer with two groups, one of which `other` carries as well, and a target with two groups."""
    given = {part.get("GroupId") for part in parts}
    return estate(
        load_balancer("web", groups=["sg-1", "sg-2"], scheme=scheme),
        load_balancer("other", groups=["sg-1"]),
        listener(443, forward=["web"]),
        target_group(targets=["10.0.1.5"]),
        interface("10.0.1.5", groups=["sg-app", "sg-base"]),
        interface("10.0.1.6", groups=[shared]),
        *parts,
        *(group(one) for one in ("sg-1", "sg-2", "sg-app", "sg-base") if one not in given),
    )


def added(found: Plan) -> list[tuple[str | None, str, int | None, tuple[str, ...]]]:
    return [
        (one.group_id, one.permission.protocol, one.permission.from_port, one.permission.cidrs)
        for one in found.additions
    ]


def test_the_least_shared_group_of_the_load_balancer_gets_the_rules() -> None:
    found = plan(web(), INGRESS, ICMP)
    assert added(found) == [("sg-2", "icmp", 3, (ANYWHERE,)), ("sg-2", "tcp", 443, (ANYWHERE,))]
    assert (found.new_group, found.refusals) == (None, ())


@pytest.mark.parametrize(
    "carrier", [interface("10.0.1.9", groups=["sg-1"]), instance("i-1", "10.0.1.9", groups=["sg-1"])]
)
def test_a_group_that_an_instance_carries_too_does_not_get_the_rules_of_a_load_balancer(carrier: Shape) -> None:
    """A planned instance has no interface yet."""
    saved = estate(load_balancer("web", groups=["sg-1", "sg-2"]), listener(443), carrier, group("sg-1"), group("sg-2"))
    assert added(plan(saved, ICMP)) == [("sg-2", "icmp", 3, (ANYWHERE,))]


@pytest.mark.parametrize(("shared", "least"), [("sg-base", "sg-app"), ("sg-app", "sg-base")])
def test_the_least_carried_group_of_the_targets_gets_theirs(shared: str, least: str) -> None:
    [addition] = plan(web(shared=shared), TARGETS).additions
    assert (addition.group_id, addition.permission.from_port) == (least, 80)
    # Whom else it opens, a plan does not tell.
    assert addition.also_opens == ()


def test_the_default_group_of_the_vpc_comes_last() -> None:
    """Whatever is launched without a group gets it."""
    default = [{**group(one), "GroupName": "default"} for one in ("sg-2", "sg-app")]
    found = plan(web(*default, shared="sg-2"), INGRESS, TARGETS)
    assert [one.group_id for one in found.additions] == ["sg-1", "sg-base"]


def test_a_rule_that_two_findings_need_is_added_once_for_both() -> None:
    found = plan(web(), EGRESS, "ALB_SG_HEALTH_CHECK_EGRESS")
    [addition] = found.additions
    assert sorted(addition.rule_names) == ["ALB_SG_HEALTH_CHECK_EGRESS", EGRESS]


def test_an_internal_load_balancer_is_not_opened_to_everybody() -> None:
    saved = web(scheme="internal")
    saved["Tags"] = {
        one["LoadBalancerArn"]: [{"Key": "clients", "Value": "internet"}] for one in saved["LoadBalancers"]
    }
    found = plan(saved, INGRESS, TagKey="clients")
    assert (found.additions, [one.reason for one in found.refusals]) == ((), [RefusalReason.OPENS_INTERNAL])
    assert "would be open to 0.0.0.0/0, and web is internal" in found.refusals[0].text
    # What is refused is shown all the same, and marked.
    assert [one.is_wide for one in found.refusals[0].additions] == [True]


def test_a_finding_that_is_met_or_not_known_has_no_plan() -> None:
    found = plan(web(group("sg-1", ingress=[tcp(443, ANYWHERE)])), INGRESS)
    assert (found.additions, found.refusals) == ((), ())


def test_a_rule_that_may_exist_already_is_refused() -> None:
    saved = web(prefix_list("pl-1", refused=True), group("sg-2", ingress=[tcp(443, "pl-1")]))
    found = plan(saved, INGRESS)
    assert [one.reason for one in found.refusals] == [RefusalReason.UNRESOLVED]
    assert found.additions == ()


@pytest.mark.parametrize("ingress", [[], [tcp(443, "pl-1")]])
def test_a_prefix_list_that_lost_its_entries_opens_nothing(ingress: list[Shape]) -> None:
    """As for what is deployed: a rule for everybody would open a load balancer that the list was to protect."""
    found = plan(web(prefix_list("pl-1"), group("sg-2", ingress=ingress)), INGRESS, AcceptedSources="pl-1")
    assert (found.additions, [one.reason for one in found.refusals]) == ((), [RefusalReason.UNRESOLVED])
    assert found.refusals[0].text.startswith("the prefix list pl-1 has no entries")


def test_without_its_groups_nothing_is_planned() -> None:
    saved = web()
    del saved["SecurityGroups"]
    found = plan(saved, INGRESS)
    assert found.additions == ()
