"""Properties of the whole, over random estates: the verdict is what the text says, `missing` is exact and enough,
nothing gets worse by a permission more, and no order matters."""

from __future__ import annotations

import copy
import json
import re
import zlib
from collections.abc import Iterable
from dataclasses import replace
from ipaddress import collapse_addresses, ip_network
from random import Random
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from alb_sg.errors import NotReadError
from alb_sg.estate.estate import Estate
from alb_sg.estate.model import LoadBalancer
from alb_sg.findings.finding import EvaluationError, Finding, Missing
from alb_sg.findings.judge import Judge, judge_all
from alb_sg.parameters import Parameters, parse_parameters
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME
from alb_sg.recommendations.plain_load_balancer import NotPlain, PlainLoadBalancer
from alb_sg.recommendations.recommendation import Recommendation
from tests.builders import HEALTH, RULES, TARGETS, Saved, Shape, build, permission, reference
from tests.properties.estates import (
    OWN_GROUPS,
    PARAMETERS,
    PEERED,
    TARGET_GROUPS,
    estates,
    mostly_open_estates,
    permissions,
)
from tests.properties.oracle import Oracle, Traffic, opinion

pytestmark = pytest.mark.slow

NAMES = ("web", "other")
# The verdicts that one may turn into where more is allowed.
NO_WORSE = {
    "COMPLIANT": ("COMPLIANT",),
    "NOT_APPLICABLE": ("NOT_APPLICABLE",),
    # A prefix list more that was not read may cover what is missing.
    "NON_COMPLIANT": ("NON_COMPLIANT", "COMPLIANT", "ERROR"),
    # What was not read may be covered now, and something else that is missing is what remains.
    "ERROR": ("ERROR", "COMPLIANT", "NON_COMPLIANT"),
}
Results = dict[tuple[str, str], Finding | EvaluationError]


def _judged(saved: Saved, parameters: dict[str, str]) -> Results:
    """Every rule on every Application Load Balancer, by name and rule."""
    found = build(saved)
    parsed = parse_parameters(parameters)
    balancers = {one.arn: one.name for one in found.load_balancers.values() if one.name in NAMES}
    judged = [one for one in found.load_balancers.values() if one.name in NAMES]
    findings, errors = judge_all(found, judged, {RECOMMENDATIONS_BY_NAME[rule]: parsed for rule in RULES})
    results: Results = {(finding.load_balancer_name, finding.rule): finding for finding in findings}
    results |= {(balancers[str(error.load_balancer_arn)], str(error.rule)): error for error in errors}
    assert len(results) == len(findings) + len(errors) == len(NAMES) * len(RULES)
    return results


def _verdict(result: Finding | EvaluationError) -> str:
    return result.compliance.value if isinstance(result, Finding) else "ERROR"


@settings(max_examples=2 * settings().max_examples)
@given(estates(), PARAMETERS)
def test_the_verdict_agrees_with_the_text(saved: Saved, parameters: dict[str, str]) -> None:
    for (name, rule), result in _judged(saved, parameters).items():
        expected = opinion(saved, rule, name, parameters)
        if expected is None:
            continue
        event(f"{rule} {expected.compliance}")
        assert _verdict(result) == expected.compliance, f"{name} {rule}: {result}"
        if isinstance(result, Finding) and expected.unresolved is not None:
            assert result.unresolved == expected.unresolved, f"{name} {rule}: {result}"


@settings(max_examples=2 * settings().max_examples)
@given(st.one_of(estates(), mostly_open_estates()), PARAMETERS)
def test_what_shows_at_a_glance_is_what_the_requirements_give(saved: Saved, parameters: dict[str, str]) -> None:
    """The same findings, to the letter, as without the short way that most load balancers take."""
    parsed = parse_parameters(parameters)
    found = build(saved)
    for rule in RULES:
        recommendation = RECOMMENDATIONS_BY_NAME[rule]
        by_requirements = replace(recommendation, plainly_met=None)
        for load_balancer in found.load_balancers.values():
            expected = Judge(found).judge(load_balancer, by_requirements, parsed)
            assert Judge(found).judge(load_balancer, recommendation, parsed) == expected
            if _shows_at_a_glance(found, load_balancer, recommendation, parsed):
                event(f"{rule} shows")


def _shows_at_a_glance(
    found: Estate, load_balancer: LoadBalancer, recommendation: Recommendation, parsed: Parameters
) -> bool:
    try:
        return recommendation.plainly_met is not None and bool(
            recommendation.plainly_met(PlainLoadBalancer(found, load_balancer), parsed)[0]
        )
    except (NotPlain, NotReadError):
        return False


@given(estates(), PARAMETERS)
def test_missing_is_exact(saved: Saved, parameters: dict[str, str]) -> None:
    """`peers` lies within `required`, none of it is let through yet, all else of `required` is, and no fewer blocks
    would do."""
    for (name, _), result in _judged(saved, parameters).items():
        if not isinstance(result, Finding):
            continue
        assert bool(result.missing) == (_verdict(result) == "NON_COMPLIANT")
        assert len(set(result.missing)) == len(result.missing)
        oracle = Oracle(saved, name, parameters)
        for entry in result.missing:
            _must_be_exact(oracle, entry)


def _must_be_exact(oracle: Oracle, entry: Missing) -> None:
    carried = entry.security_groups if entry.direction == "targetIngress" else None
    traffic = Traffic(entry.direction, entry.protocol, entry.from_port, entry.to_port, carried)
    if any(peer.startswith(("pl-", "sg-")) for peer in (*entry.required, *entry.peers)):
        return
    peers = [ip_network(peer) for peer in entry.peers]
    required = list(collapse_addresses(map(ip_network, entry.required)))  # type: ignore[type-var]  # of one family
    assert len(list(collapse_addresses(peers))) == len(peers)  # type: ignore[type-var]  # as above
    for peer in entry.peers:
        assert any(ip_network(peer).subnet_of(one) for one in required)  # type: ignore[arg-type]  # as above
        assert not any(oracle.lets_in(traffic, address) for address in oracle.samples(traffic, peer))
    if entry.peers:
        for block in entry.required:
            for address in oracle.samples(traffic, block):
                assert oracle.lets_in(traffic, address) or any(address in peer for peer in peers)


@given(estates(collected=True), PARAMETERS, st.randoms(use_true_random=False))
def test_granting_exactly_missing_makes_it_compliant(saved: Saved, parameters: dict[str, str], random: Random) -> None:
    """By the blocks, by a reference to any one of the groups, or by some of each."""
    results = _judged(saved, parameters)
    for (name, rule), result in results.items():
        if _verdict(result) != "NON_COMPLIANT" or not isinstance(result, Finding):
            continue
        if any(entry.direction == "targetIngress" and not entry.security_groups for entry in result.missing):
            # Nobody knows the groups of a target whose interface is not seen.
            unseen = [entry for entry in result.missing if not entry.security_groups]
            assert result.unresolved or len(unseen) < len(result.missing)
            continue
        unknown = [entry for entry in result.missing if not entry.peers and not entry.or_security_groups]
        if unknown:
            # Only references count, and those of a target whose interface is not found are not known. Where no rule
            # has a reference, or another target is missing too, that is not all that the verdict depends on.
            assert parameters.get("TargetMatch") == "security-group"
            continue
        if any(_is_empty_prefix_list(saved, peer) for entry in result.missing for peer in entry.peers):
            # A tag names it. No rule lets its clients in before it has entries.
            continue
        for choose in (_blocks_first, _references_first, random.choice):
            granted = copy.deepcopy(saved)
            for entry in result.missing:
                _grant(granted, name, entry, choose([list(entry.peers), _references(entry)]))
            after = _judged(granted, parameters)
            assert _verdict(after[name, rule]) == "COMPLIANT", f"{result}\n{after[name, rule]}"
            if rule == TARGETS:
                # The group of a target may be that of a load balancer too.
                for key, other in results.items():
                    assert _verdict(after[key]) in NO_WORSE[_verdict(other)], f"{key}: {other}\n{after[key]}"


def _is_empty_prefix_list(saved: Saved, peer: str) -> bool:
    return bool(saved.get("ManagedPrefixLists", {}).get(peer, {}).get("Entries") == [])


def _blocks_first(ways: list[list[Any]]) -> list[Any]:
    return ways[0] or ways[1]


def _references_first(ways: list[list[Any]]) -> list[Any]:
    return ways[1] or ways[0]


def _references(entry: Missing) -> list[Shape | str]:
    """One reference, the last of those that would do; over the peering where the group is beyond it."""
    if not entry.or_security_groups:
        return []
    id_ = entry.or_security_groups[-1]
    return [PEERED if id_ == PEERED["GroupId"] else reference(id_)]


def _grant(saved: Saved, name: str, entry: Missing, peers: list[Any]) -> None:
    balancer = next(one for one in saved["LoadBalancers"] if one["LoadBalancerName"] == name)
    ids = entry.security_groups or balancer["SecurityGroups"]
    group = next(one for one in saved["SecurityGroups"] if one["GroupId"] in ids)
    rules = group["IpPermissionsEgress" if entry.direction == "egress" else "IpPermissions"]
    ways = [way for way in (peers, list(entry.peers), _references(entry)) if way]
    rules.append(permission(entry.protocol, entry.from_port, entry.to_port, *ways[0]))


@given(
    estates(),
    PARAMETERS,
    st.sampled_from([*OWN_GROUPS, *TARGET_GROUPS]),
    st.sampled_from(["IpPermissions", "IpPermissionsEgress"]),
    st.data(),
)
def test_a_permission_more_makes_nothing_worse(
    saved: Saved, parameters: dict[str, str], id_: str, direction: str, data: st.DataObject
) -> None:
    # Read literally (TargetMatch), a peering reference is what tells that a target beyond it has groups at all, so
    # that its CIDR block counts no longer: of the parameters, that one alone may ask for more where more is allowed.
    more = data.draw(permissions(peered=parameters.get("TargetMatch") != "security-group"))
    before = _judged(saved, parameters)
    granted = copy.deepcopy(saved)
    for group in granted.get("SecurityGroups", []):
        if group["GroupId"] == id_:
            group[direction].append(more)
    after = _judged(granted, parameters)
    # It also tells in which VPC to look for the interface of a target outside the VPC, whose groups are then judged.
    names_a_vpc = id_ in OWN_GROUPS and any("VpcPeeringConnectionId" in pair for pair in more["UserIdGroupPairs"])
    for key, result in before.items():
        if key[1] == TARGETS and names_a_vpc:
            continue
        assert _verdict(after[key]) in NO_WORSE[_verdict(result)], f"{key}: {result}\n{after[key]}"


def _shuffled(value: Any, random: Random) -> Any:
    """The same in another order, all the way down."""
    if isinstance(value, dict):
        names = list(value)
        random.shuffle(names)
        return {name: _shuffled(value[name], random) for name in names}
    if isinstance(value, list):
        elements = [_shuffled(element, random) for element in value]
        random.shuffle(elements)
        return elements
    return value


@given(estates(), PARAMETERS, st.randoms(use_true_random=False))
def test_no_order_matters(saved: Saved, parameters: dict[str, str], random: Random) -> None:
    """Findings and errors are equal, annotations included."""
    assert _judged(_shuffled(saved, random), parameters) == _judged(saved, parameters)


def _lengthened(saved: Saved) -> Saved:
    """The same estate with names and ids as long as AWS has them."""

    def longer_id(match: re.Match[str]) -> str:
        digits = f"{zlib.crc32(match[0].encode()):017x}"
        return f"{match[1]}-{digits}"

    text = re.sub(r"\b(sg|pl|i|vpc|pcx)-(?!cidr)[0-9a-z]+\b", longer_id, json.dumps(saved))
    for name in ("ip-a", "tg-b", "tg-c", "via-nlb-b", "via-nlb"):
        text = text.replace(f'"TargetGroupName": "{name}"', f'"TargetGroupName": "{name.ljust(32, "x")}"')
    for name in ("nlb", "nlb-b"):
        text = text.replace(f'"LoadBalancerName": "{name}"', f'"LoadBalancerName": "{name.ljust(32, "x")}"')
    result: Saved = json.loads(text)
    return result


@given(estates(collected=True), PARAMETERS.filter(lambda parameters: "AcceptedSources" not in parameters))
def test_annotations_are_whole_and_within_the_limit(saved: Saved, parameters: dict[str, str]) -> None:
    """At most 256 characters whatever the estate, in one line, nothing cut off; what is unresolved is said."""
    for result in _judged(_lengthened(saved), parameters).values():
        if not isinstance(result, Finding):
            continue
        said = result.annotation
        assert 0 < len(said) <= 256
        assert said.isprintable()
        assert "…" not in said
        assert "  " not in said
        assert result.unresolved == ("unresolved" in said)
        if result.missing:
            # The first missing thing in full: what it is, and on which port.
            assert any(entry.origin.label in said or entry.protocol.startswith("icmp") for entry in result.missing)
            assert any(_named(entry, result.rule) in said for entry in result.missing)
            unseen = any(entry.direction == "targetIngress" and not entry.security_groups for entry in result.missing)
            assert " in sg-" in said or (unseen and "as far as is known" in said)


def _named(entry: Missing, rule: str) -> str:
    if entry.protocol != "tcp":
        return f"type {entry.from_port} code {entry.to_port}"
    if entry.origin.type == "listener":
        return f":{entry.from_port} not open to "
    return f" TCP:{entry.from_port} not open to " if rule == HEALTH else f"TCP:{entry.from_port} "


@given(st.lists(st.sampled_from(NAMES), min_size=1, max_size=2, unique=True), estates(collected=True))
def test_load_balancers_do_not_meet(names: Iterable[str], saved: Saved) -> None:
    """A load balancer is judged the same alone and among others."""
    together = _judged(saved, {})
    found = build(saved)
    for name in names:
        alone = [one for one in found.load_balancers.values() if one.name == name]
        findings, errors = judge_all(
            found, alone, {RECOMMENDATIONS_BY_NAME[rule]: parse_parameters({}) for rule in RULES}
        )
        results: list[Finding | EvaluationError] = [*findings, *errors]
        assert [together[name, str(result.rule)] for result in results] == results
