"""Properties of plans over random estates, on the model alone: a plan suffices, opens nothing else, affects no other
resource, and can be undone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from alb_sg.estate.cidr import Family
from alb_sg.estate.estate import Estate
from alb_sg.estate.model import LoadBalancer, Permission
from alb_sg.findings.finding import Compliance, Finding, Missing
from alb_sg.findings.judge import judge_all
from alb_sg.parameters import parse_parameters
from alb_sg.permissions.addresses import AddressSet
from alb_sg.permissions.allowed_traffic import Direction, Permissions, Traffic
from alb_sg.remediation.change_context import ChangeContexts
from alb_sg.remediation.fix_request import FixPolicy, ManagedGroupPolicy, SharedGroupPolicy
from alb_sg.remediation.placement import dedicated_group_name
from alb_sg.remediation.plan import Plan
from alb_sg.remediation.planning import NEW_GROUP_ID, apply_to_estate, judge_load_balancer, make_plan
from tests.builders import Saved, build
from tests.properties.estates import PARAMETERS, estates
from tests.remediation.account import fix_of

pytestmark = pytest.mark.slow

POLICIES = st.builds(
    FixPolicy, st.sampled_from(SharedGroupPolicy), st.sampled_from(ManagedGroupPolicy), st.sampled_from([60, 60, 60, 4])
)
Verdicts = dict[tuple[str, str], Compliance]


def _facts(saved: Saved) -> Saved:
    """The estate with the maximum of entries of each prefix list."""
    lists = {key: {**value, "MaxEntries": 5} for key, value in (saved.get("ManagedPrefixLists") or {}).items()}
    return {**saved, "ManagedPrefixLists": lists} if saved.get("ManagedPrefixLists") is not None else saved


def _apart(saved: Saved) -> Saved:
    """The estate in which `web` and `other` share no group: plans leave shared groups unchanged."""
    balancers = [dict(one) for one in saved["LoadBalancers"]]
    web = next(one for one in balancers if one["LoadBalancerName"] == "web")
    for one in balancers:
        if one["LoadBalancerName"] == "other":
            one["SecurityGroups"] = [group for group in one["SecurityGroups"] if group not in web["SecurityGroups"]]
    return {**saved, "LoadBalancers": balancers}


def _plan(saved: Saved, name: str, parameters: dict[str, str], policy: FixPolicy) -> tuple[Estate, Plan]:
    estate = build(_facts(saved))
    load_balancer = next(one for one in estate.load_balancers.values() if one.name == name)
    fix = fix_of(policy=policy, parameters=parse_parameters(parameters))
    context = ChangeContexts([estate]).of(estate, load_balancer)
    return estate, make_plan(estate, load_balancer, fix, judge_load_balancer(estate, load_balancer, fix), context)


def _verdicts(estate: Estate, parameters: dict[str, str]) -> Verdicts:
    fix = fix_of(parameters=parse_parameters(parameters))
    findings, _ = judge_all(estate, estate.load_balancers.values(), fix.rules)
    return {(finding.load_balancer_name, finding.rule): finding.compliance for finding in findings}


def _after(estate: Estate, plan: Plan) -> Estate:
    return apply_to_estate(estate, plan.load_balancer, plan.additions, plan.new_group)


def _undone(estate: Estate, plan: Plan) -> Estate:
    """The estate after the plan without the rules added last and the new group."""
    if not plan.additions:
        return estate
    groups = dict(estate.security_groups or {})
    load_balancer = estate.load_balancers[plan.load_balancer.arn]
    for addition in reversed(plan.additions):
        group = groups[addition.group_id or NEW_GROUP_ID]
        if addition.direction is Direction.INGRESS:
            groups[group.id] = group._replace(ingress=_without_last(group.ingress, addition.permission))
        else:
            groups[group.id] = group._replace(egress=_without_last(group.egress, addition.permission))
    if plan.new_group is not None:
        del groups[NEW_GROUP_ID]
        group_ids = tuple(group_id for group_id in load_balancer.security_groups if group_id != NEW_GROUP_ID)
        load_balancer = load_balancer._replace(security_groups=group_ids)
    load_balancers = {**estate.load_balancers, load_balancer.arn: load_balancer}
    return replace(estate, load_balancers=load_balancers, security_groups=groups)


def _without_last(permissions: tuple[Permission, ...], permission: Permission) -> tuple[Permission, ...]:
    last = len(permissions) - 1 - permissions[::-1].index(permission)
    return permissions[:last] + permissions[last + 1 :]


SAVED = st.one_of(estates(), estates(collected=True), estates(collected=True).map(_apart))
NAMES = st.sampled_from(["web", "other"])


@given(SAVED, NAMES, PARAMETERS, POLICIES)
def test_a_plan_suffices_breaks_nothing_and_can_be_undone(
    saved: Saved, name: str, parameters: dict[str, str], policy: FixPolicy
) -> None:
    estate, plan = _plan(saved, name, parameters, policy)
    before, after = _verdicts(estate, parameters), _verdicts(_after(estate, plan), parameters)
    for rule in plan.rule_names:
        event(f"planned {rule}")
        assert before[name, rule] is Compliance.NON_COMPLIANT
        assert after[name, rule] is Compliance.COMPLIANT
    for key, compliance in before.items():
        if compliance is Compliance.COMPLIANT:
            assert after[key] is Compliance.COMPLIANT
    for refusal in plan.refusals:
        event(f"refused {refusal.reason.value}")
        assert before[name, refusal.rule] is Compliance.NON_COMPLIANT
        assert refusal.rule not in plan.rule_names
    # Every finding is either fixed or refused.
    open_ones = {rule for (of, rule), one in before.items() if of == name and one is Compliance.NON_COMPLIANT}
    assert open_ones == {*plan.rule_names, *(refusal.rule for refusal in plan.refusals)}
    assert _undone(_after(estate, plan), plan) == estate
    assert bool(plan.additions) or plan.new_group is None


@given(SAVED, NAMES, PARAMETERS, POLICIES)
def test_a_plan_opens_nothing_that_is_not_missing(
    saved: Saved, name: str, parameters: dict[str, str], policy: FixPolicy
) -> None:
    estate, plan = _plan(saved, name, parameters, policy)
    after = _after(estate, plan)
    findings = [one for one in plan.results if isinstance(one, Finding) and one.rule in plan.rule_names]
    missing = [entry for finding in findings for entry in finding.missing]
    was = Permissions(estate, plan.load_balancer.security_groups)
    now = Permissions(after, after.load_balancers[plan.load_balancer.arn].security_groups)
    for traffic, direction in _traffics(plan):
        wanted = [entry for entry in missing if _is(entry, traffic, direction)]
        for family in Family:
            opened = now.allowed_traffic(direction, traffic, family), was.allowed_traffic(direction, traffic, family)
            fresh = opened[0].addresses - opened[1].addresses
            if any(peer.startswith("pl-") for entry in wanted for peer in entry.required):
                # The entries of a prefix list are missing; unreadable entries are not among the addresses.
                lists = [peer for entry in wanted for peer in entry.required if peer.startswith("pl-")]
                entries = [cidr for one in lists for cidr in estate.prefix_list(one).entries or ()]
            else:
                entries = []
            texts = [peer for entry in wanted for peer in entry.peers if not peer.startswith(("pl-", "sg-"))]
            assert fresh <= AddressSet.from_cidrs(family, [*texts, *entries])
            references = {one.group_id for one in set(opened[0].references) - set(opened[1].references)}
            assert references <= {group for entry in wanted for group in entry.or_security_groups}
    # Each rule is for one port or one ICMP message, so no other traffic changes.
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
def test_no_other_load_balancer_is_opened(
    saved: Saved, name: str, parameters: dict[str, str], policy: FixPolicy
) -> None:
    """A plan changes no shared group, and nothing that was not read."""
    estate, plan = _plan(saved, name, parameters, policy)
    touched = {addition.group_id for addition in plan.additions} - {None}
    assert touched <= set(plan.load_balancer.security_groups)
    assert not plan.additions or saved.get("NetworkInterfaces") is not None
    carried = {one for found in _others(estate, plan.load_balancer) for one in found.security_groups}
    for holder in (*(saved.get("NetworkInterfaces") or ()), *(saved.get("Instances") or ())):
        carried |= {one["GroupId"] for one in holder.get("Groups", ())}
    assert not touched & carried
    assert policy.shared_group is SharedGroupPolicy.DEDICATED or plan.new_group is None
    if plan.new_group is not None:
        event("a new group")
        assert plan.new_group.name == dedicated_group_name(plan.load_balancer)
        assert len(_after(estate, plan).load_balancers[plan.load_balancer.arn].security_groups) <= 5
        assert NEW_GROUP_ID not in (estate.security_groups or {})


def _others(estate: Estate, load_balancer: LoadBalancer) -> list[LoadBalancer]:
    return [one for one in estate.load_balancers.values() if one.arn != load_balancer.arn]
