"""What the Hook leaves out of an account changes nothing: it blocks what it would block with everything read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from alb_sg.aws.account_region import AccountRegion
from alb_sg.estate.estate import Estate
from alb_sg.estate.export_file import estate_of_export
from alb_sg.estate.planned import resource_types as types
from alb_sg.estate.planned.resources import Action, PlannedResource, Scenario
from alb_sg.findings.finding import Compliance
from alb_sg.findings.judge import judge_all
from alb_sg.functions import hook
from alb_sg.functions.hook_judging import Judgement, judge_change
from alb_sg.functions.hook_scope import Scope
from alb_sg.live import LiveSource
from alb_sg.parameters import Parameters, parse_parameters
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME
from alb_sg.recommendations.recommendation import Recommendation
from tests.builders import ACCOUNT, REGION, RULES, Saved, Shape
from tests.live.region import Region
from tests.properties.estates import PARAMETERS, estates, permissions

pytestmark = pytest.mark.slow

Verdict = tuple[str, str]
ACCOUNT_REGION = AccountRegion(ACCOUNT, REGION)
PEERS = {
    "SecurityGroupIngress": ("SourcePrefixListId", "SourceSecurityGroupId", "SourceSecurityGroupOwnerId"),
    "SecurityGroupEgress": (
        "DestinationPrefixListId",
        "DestinationSecurityGroupId",
        "DestinationSecurityGroupOwnerId",
    ),
}


def written(permission: Shape, name: str) -> Iterator[Shape]:
    """The rules of a permission as CloudFormation writes them, one for each peer."""
    prefix_list, group, owner = PEERS[name]
    traffic = {key: permission[key] for key in ("IpProtocol", "FromPort", "ToPort") if permission.get(key) is not None}
    yield from ({**traffic, "CidrIp": one["CidrIp"]} for one in permission.get("IpRanges", ()))
    yield from ({**traffic, "CidrIpv6": one["CidrIpv6"]} for one in permission.get("Ipv6Ranges", ()))
    yield from ({**traffic, prefix_list: one["PrefixListId"]} for one in permission.get("PrefixListIds", ()))
    for pair in permission.get("UserIdGroupPairs", ()):
        yield {**traffic, group: pair["GroupId"], **({owner: pair["UserId"]} if "UserId" in pair else {})}


@st.composite
def changes(draw: st.DrawFn, saved: Saved) -> list[PlannedResource]:
    """Security groups that lose some rules and get others, and perhaps a listener or a block of the VPC more."""
    found = []
    for index, group in enumerate(draw(st.lists(st.sampled_from(saved["SecurityGroups"]), min_size=1, max_size=2))):
        before: dict[str, Any] = {}
        after: dict[str, Any] = {}
        for name, key in (("SecurityGroupIngress", "IpPermissions"), ("SecurityGroupEgress", "IpPermissionsEgress")):
            rules = [rule for one in group[key] for rule in written(one, name)]
            kept = draw(st.lists(st.sampled_from(rules), unique_by=str)) if rules else []
            added = draw(st.lists(permissions(peered=False), max_size=1))
            before[name], after[name] = rules, [*kept, *(rule for one in added for rule in written(one, name))]
        found.append(_resource(f"Group{index}", types.SECURITY_GROUP, after, group["GroupId"], before))
    if draw(st.booleans()):
        of = draw(st.sampled_from(saved["LoadBalancers"]))["LoadBalancerArn"]
        listener = {"LoadBalancerArn": of, "Port": 8443, "Protocol": "HTTPS", "DefaultActions": []}
        found.append(_resource("New", types.LISTENER, listener))
    if draw(st.booleans()):
        block = {"VpcId": draw(st.sampled_from(saved["Vpcs"]))["VpcId"], "CidrBlock": "172.16.0.0/16"}
        found.append(_resource("Block", types.VPC_CIDR_BLOCK, block))
    return list({one.physical_id or one.address: one for one in found}.values())


def _resource(
    address: str,
    kind: str,
    properties: Mapping[str, Any],
    physical_id: str | None = None,
    before: Mapping[str, Any] | None = None,
) -> PlannedResource:
    action = Action.CREATE if physical_id is None else Action.UPDATE
    return PlannedResource(address, kind, properties, action, physical_id, before, account_id=ACCOUNT, region=REGION)


def newly_broken(judgement: Judgement, whole: Estate, rules: Mapping[Recommendation, Parameters]) -> set[Verdict]:
    """The verdicts that a change breaks, without those that were broken before: what these lack may differ now."""
    findings, _ = judge_all(replace(whole, is_planned=True), whole.load_balancers.values(), rules)
    were = {(one.load_balancer_arn, one.rule) for one in findings if one.compliance is Compliance.NON_COMPLIANT}
    return {(one.load_balancer_arn, one.rule) for one in judgement.broken} - were


@cache
def served() -> tuple[Region, LiveSource]:
    """A region, whose content each example replaces: its clients are slow to make."""
    region = Region({})
    return region, region.source()


def name_load_balancers(saved: Saved) -> None:
    """Gives each target group all load balancers that forward to it, as DescribeTargetGroups does. The Hook relies on
    that, because it reads no listeners but those of its scope."""
    groups = {group["TargetGroupArn"]: group["LoadBalancerArns"] for group in saved["TargetGroups"]}
    for listener in saved["Listeners"]:
        for action in listener["DefaultActions"]:
            for one in action.get("ForwardConfig", {}).get("TargetGroups", ()):
                used_by = groups.get(one["TargetGroupArn"], [])
                if listener["LoadBalancerArn"] not in used_by:
                    used_by.append(listener["LoadBalancerArn"])


@given(st.data(), estates(collected=True), PARAMETERS)
def test_data_that_the_hook_leaves_out_decides_nothing(
    data: st.DataObject, saved: Saved, parameters: dict[str, str]
) -> None:
    for group in saved["TargetGroups"]:
        saved["TargetHealthDescriptions"].setdefault(group["TargetGroupArn"], [])
    name_load_balancers(saved)
    scenarios = [Scenario(data.draw(changes(saved)))]
    rules = {RECOMMENDATIONS_BY_NAME[name]: parse_parameters(parameters) for name in RULES}
    region, source = served()
    region.saved = saved
    with (
        patch.object(hook, "LiveSource", lambda *_: source),
        patch.object(hook, "make_client", lambda *_, **__: None),
        patch.object(hook, "LiveClients", lambda **_: None),
    ):
        base, scope, unread = hook.read_account(ACCOUNT_REGION, None, scenarios, rules, lambda: False)
    assert not unread
    whole = estate_of_export(source.export())
    everything = frozenset(whole.load_balancers)
    all_judged = judge_change(scenarios, whole, Scope(everything, everything), rules)
    event("broken" if all_judged.broken else "not broken")
    event(f"{len(everything - scope.load_balancers)} left out")
    judged = judge_change(scenarios, base, scope, rules)
    assert newly_broken(judged, whole, rules) == newly_broken(all_judged, whole, rules)
