"""Properties of plans over random estates, on the model alone: what is planned suffices, opens nothing else, harms
nobody, and can be taken back."""

from __future__ import annotations

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from alb_sg.estate.cidr import Family
from alb_sg.estate.estate import Estate
from alb_sg.estate.model import LoadBalancer
from alb_sg.findings.finding import Compliance, Finding, Missing
from alb_sg.findings.judge import judge_all
from alb_sg.parameters import parse_parameters
from alb_sg.permissions.addresses import AddressSet
from alb_sg.permissions.permissions import Direction, Permissions, Traffic
from alb_sg.remediation.circumstances import saved_circumstances
from alb_sg.remediation.placement import dedicated_name
from alb_sg.remediation.plan import Plan
from alb_sg.remediation.planning import make_plan, verdicts
from alb_sg.remediation.policy import ManagedGroup, Policy, SharedGroup
from alb_sg.remediation.simulation import NEW_GROUP_ID, applied, undone
from tests.builders import Saved, build
from tests.properties.estates import PARAMETERS, estates
from tests.remediation.account import fix_of

pytestmark = pytest.mark.slow

POLICIES = st.builds(
    Policy, st.sampled_from(SharedGroup), st.sampled_from(ManagedGroup), st.sampled_from([60, 60, 60, 4])
)
Verdicts = dict[tuple[str, str], Compliance]


def _facts(saved: Saved) -> Saved:
    """The estate as DescribeManagedPrefixLists tells it, with the maximum of entries of each list."""
    lists = {key: {**value, "MaxEntries": 5} for key, value in (saved.get("ManagedPrefixLists") or {}).items()}
    return {**saved, "ManagedPrefixLists": lists} if saved.get("ManagedPrefixLists") is not None else saved


def _apart(saved: Saved) -> Saved:
    """The estate with the groups of `other` taken off it where `web` has them too: shared, they are left alone."""
    balancers = [dict(one) for one in saved["LoadBalancers"]]
    web = next(one for one in balancers if one["LoadBalancerName"] == "web")
    for one in balancers:
        if one["LoadBalancerName"] == "other":
            one["SecurityGroups"] = [group for group in one["SecurityGroups"] if group not in web["SecurityGroups"]]
    return {**saved, "LoadBalancers": balancers}


def _plan(saved: Saved, name: str, parameters: dict[str, str], policy: Policy) -> tuple[Estate, Plan]:
    estate = build(saved)
    load_balancer = next(one for one in estate.load_balancers.values() if one.name == name)
    fix = fix_of(policy=policy, parameters=parse_parameters(parameters))
    facts = saved_circumstances([_facts(saved)], load_balancer, estate.load_balancers.values())
    return estate, make_plan(estate, load_balancer, fix, verdicts(estate, load_balancer, fix), facts)


def _verdicts(estate: Estate, parameters: dict[str, str]) -> Verdicts:
    fix = fix_of(parameters=parse_parameters(parameters))
    findings, _ = judge_all(estate, estate.load_balancers.values(), fix.rules)
    return {(finding.load_balancer_name, finding.rule): finding.compliance for finding in findings}


def _after(estate: Estate, plan: Plan) -> Estate:
    return applied(estate, plan.load_balancer, plan.additions, plan.new_group)


SAVED = st.one_of(estates(), estates(collected=True), estates(collected=True).map(_apart))
NAMES = st.sampled_from(["web", "other"])


@given(SAVED, NAMES, PARAMETERS, POLICIES)
def test_a_plan_suffices_harms_nobody_and_can_be_undone(
    saved: Saved, name: str, parameters: dict[str, str], policy: Policy
) -> None:
    estate, plan = _plan(saved, name, parameters, policy)
    before, after = _verdicts(estate, parameters), _verdicts(_after(estate, plan), parameters)
    for rule in plan.recommendations:
        event(f"planned {rule}")
        assert before[name, rule] is Compliance.NON_COMPLIANT
        assert after[name, rule] is Compliance.COMPLIANT
    for key, compliance in before.items():
        if compliance is Compliance.COMPLIANT:
            assert after[key] is Compliance.COMPLIANT
    for refusal in plan.refusals:
        event(f"refused {refusal.reason.value}")
        assert before[name, refusal.rule] is Compliance.NON_COMPLIANT
        assert refusal.rule not in plan.recommendations
    # Every finding is either fixed or refused.
    open_ones = {rule for (of, rule), one in before.items() if of == name and one is Compliance.NON_COMPLIANT}
    assert open_ones == {*plan.recommendations, *(refusal.rule for refusal in plan.refusals)}
    assert undone(_after(estate, plan), plan.load_balancer.arn, plan.additions, plan.new_group) == estate
    assert bool(plan.additions) or plan.new_group is None


@given(SAVED, NAMES, PARAMETERS, POLICIES)
def test_a_plan_opens_nothing_that_is_not_missing(
    saved: Saved, name: str, parameters: dict[str, str], policy: Policy
) -> None:
    estate, plan = _plan(saved, name, parameters, policy)
    after = _after(estate, plan)
    findings = [one for one in plan.results if isinstance(one, Finding) and one.rule in plan.recommendations]
    missing = [entry for finding in findings for entry in finding.missing]
    was = Permissions(estate, plan.load_balancer.security_groups)
    now = Permissions(after, after.load_balancers[plan.load_balancer.arn].security_groups)
    for traffic, direction in _traffics(plan):
        wanted = [entry for entry in missing if _is(entry, traffic, direction)]
        for family in Family:
            opened = now.allowed(direction, traffic, family), was.allowed(direction, traffic, family)
            fresh = opened[0].addresses - opened[1].addresses
            if any(peer.startswith("pl-") for entry in wanted for peer in entry.required):
                # A list's own entries are what is missing; those that nobody shows are not among the addresses.
                lists = [peer for entry in wanted for peer in entry.required if peer.startswith("pl-")]
                entries = [cidr for one in lists for cidr in estate.prefix_list(one).entries or ()]
            else:
                entries = []
            texts = [peer for entry in wanted for peer in entry.peers if not peer.startswith(("pl-", "sg-"))]
            assert fresh <= AddressSet.of(family, [*texts, *entries])
            references = {one.group_id for one in set(opened[0].references) - set(opened[1].references)}
            assert references <= {group for entry in wanted for group in entry.or_security_groups}
    # Of traffic that nothing is planned for, nothing changes: each rule is for one port, or one ICMP message.
    for addition in plan.additions:
        assert addition.permission.protocol in ("tcp", "icmp", "icmpv6")
        assert addition.permission.protocol != "tcp" or addition.permission.from_port == addition.permission.to_port
        assert len((*addition.permission.cidrs, *addition.permission.prefix_list_ids)) <= 1
        assert not addition.open_to_everyone or any(
            addition.peer in entry.required and entry.direction == "ingress" for entry in missing
        )


def _traffics(plan: Plan) -> set[tuple[Traffic, Direction]]:
    found = set()
    for addition in plan.additions:
        first, last = addition.permission.from_port, addition.permission.to_port
        assert first is not None
        assert last is not None
        found.add((Traffic(addition.permission.protocol, first, last), addition.direction))
    return found


def _is(entry: Missing, traffic: Traffic, direction: Direction) -> bool:
    return (entry.direction, entry.protocol, entry.from_port, entry.to_port) == (
        direction.value,
        traffic.protocol,
        traffic.from_port,
        traffic.to_port,
    )


@given(SAVED, NAMES, PARAMETERS, POLICIES)
def test_nobody_else_is_opened(saved: Saved, name: str, parameters: dict[str, str], policy: Policy) -> None:
    """A group that anything else carries is left as it is, and what was not looked at is not touched."""
    estate, plan = _plan(saved, name, parameters, policy)
    touched = {addition.group_id for addition in plan.additions} - {None}
    assert touched <= set(plan.load_balancer.security_groups)
    assert not plan.additions or saved.get("NetworkInterfaces") is not None
    carried = {one for found in _others(estate, plan.load_balancer) for one in found.security_groups}
    for holder in (*(saved.get("NetworkInterfaces") or ()), *(saved.get("Instances") or ())):
        carried |= {one["GroupId"] for one in holder.get("Groups", ())}
    assert not touched & carried
    assert policy.shared_group is SharedGroup.DEDICATED or plan.new_group is None
    if plan.new_group is not None:
        event("a new group")
        assert plan.new_group.name == dedicated_name(plan.load_balancer)
        assert len(_after(estate, plan).load_balancers[plan.load_balancer.arn].security_groups) <= 5
        assert NEW_GROUP_ID not in (estate.security_groups or {})


def _others(estate: Estate, load_balancer: LoadBalancer) -> list[LoadBalancer]:
    return [one for one in estate.load_balancers.values() if one.arn != load_balancer.arn]
