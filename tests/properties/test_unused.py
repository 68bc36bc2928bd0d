"""Properties of ALB_SG_UNUSED_INGRESS over random estates: the verdict and `unused` are what §12 says, and to remove
exactly `unused` changes no other verdict."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from alb_sg.findings.finding import EvaluationError, Finding, Unused
from tests.builders import RULES, UNUSED, Saved, Shape, interface, judge, node, permission
from tests.properties.estates import PARAMETERS, estates
from tests.properties.oracle import PROTOCOLS

pytestmark = pytest.mark.slow

NAMES = ("web", "other")
# The protocol, and the port where the protocol has ports.
Traffic = tuple[str, int | None]


@st.composite
def estates_with_carriers(draw: st.DrawFn) -> Saved:
    """An estate whose load balancers have interfaces, and in which others may carry their groups."""
    saved = draw(estates())
    for source in saved["LoadBalancers"]:
        if source["Type"] == "network" and draw(st.sampled_from([False, False, True])):
            source["SecurityGroups"] = [*source["SecurityGroups"], draw(st.sampled_from(["sg-1", "sg-2"]))]
    if "NetworkInterfaces" not in saved:
        return saved
    for index, source in enumerate(saved["LoadBalancers"]):
        name, kind, groups = source["LoadBalancerName"], source["Type"], source["SecurityGroups"]
        saved["NetworkInterfaces"].append(node(f"10.0.3.{index}", of=name, type=kind, groups=groups))
    if draw(st.sampled_from([False, False, True])):
        saved["NetworkInterfaces"].append(interface("10.0.3.100", groups=[draw(st.sampled_from(["sg-1", "sg-2"]))]))
    if draw(st.sampled_from([False] * 4 + [True])):
        classic = {**node("10.0.3.101", groups=["sg-1"]), "Description": "ELB classic"}
        saved["NetworkInterfaces"].append(classic)
    return saved


def _judged(saved: Saved, name: str, parameters: dict[str, str], *rules: str) -> list[Finding | EvaluationError]:
    return [judge(saved, rule, name, **parameters) for rule in rules]


def _load_balancer(saved: Saved, name: str) -> Shape:
    return next(dict(one) for one in saved["LoadBalancers"] if one["LoadBalancerName"] == name)


def _protocol(rule: Shape) -> str:
    name: str = rule["IpProtocol"].lower()
    return PROTOCOLS.get(name, name)


def _peers(rule: Shape) -> Iterator[str]:
    for members, member in (
        ("IpRanges", "CidrIp"),
        ("Ipv6Ranges", "CidrIpv6"),
        ("PrefixListIds", "PrefixListId"),
        ("UserIdGroupPairs", "GroupId"),
    ):
        yield from (peer[member] for peer in rule.get(members, ()))


def _lets_in(rule: Shape, traffic: Traffic) -> bool:
    protocol, port = traffic
    if _protocol(rule) == "-1":
        return True
    if _protocol(rule) != protocol:
        return False
    return port is None or "FromPort" not in rule or rule["FromPort"] <= port <= rule["ToPort"]


def _carriers(saved: Saved, group_id: str) -> list[Shape]:
    return [one for one in saved["NetworkInterfaces"] if any(group["GroupId"] == group_id for group in one["Groups"])]


def _used(saved: Saved, group_id: str) -> set[Traffic]:
    """The listeners' ports of all load balancers that carry the group. Here every listener is one for TCP."""
    carriers = {one["LoadBalancerArn"] for one in saved["LoadBalancers"] if group_id in one["SecurityGroups"]}
    return {("tcp", one["Port"]) for one in saved["Listeners"] if one["LoadBalancerArn"] in carriers}


def _points(saved: Saved, group: Shape) -> set[Traffic]:
    """Traffic of each kind that may be told apart: at the ends of all ranges and of what is used, and next to them."""
    ports = {port for _, port in _used(saved, group["GroupId"]) if port is not None}
    for rule in group["IpPermissions"]:
        if _protocol(rule) in ("tcp", "udp") and "FromPort" in rule:
            ports |= {rule["FromPort"], rule["ToPort"]}
    near = {port + step for port in (*ports, 0, 65535) for step in (-1, 0, 1)}
    found: set[Traffic] = {(name, port) for name in ("tcp", "udp") for port in near if 0 <= port <= 65535}
    return found | {("47", None), ("50", None), ("99", None)}


def _unused(saved: Saved, group: Shape) -> set[tuple[str, Traffic, str]]:
    """Every kind of traffic of a group that is open to a peer and not used."""
    used = _used(saved, group["GroupId"])
    return {
        (group["GroupId"], traffic, peer)
        for traffic in _points(saved, group)
        for rule in group["IpPermissions"]
        for peer in _peers(rule)
        if _lets_in(rule, traffic) and traffic not in used
    }


def _opinion(saved: Saved, name: str) -> tuple[str, set[tuple[str, Traffic, str]]]:
    """The verdict, and everything that is unused."""
    group_ids = _load_balancer(saved, name)["SecurityGroups"]
    if not group_ids or "NetworkInterfaces" not in saved:
        return "ERROR", set()
    known = {group["GroupId"]: group for group in saved.get("SecurityGroups", ())}
    unused: set[tuple[str, Traffic, str]] = set()
    judged = [
        group_id
        for group_id in group_ids
        if all(one.get("RequesterId") == "amazon-elb" for one in _carriers(saved, group_id))
    ]
    if not judged:
        return "NOT_APPLICABLE", set()
    for group_id in judged:
        if group_id not in known:
            return "ERROR", set()
        found = _unused(saved, known[group_id])
        classic = any(one.get("Description") == "ELB classic" for one in _carriers(saved, group_id))
        if found and classic:
            return "ERROR", set()
        unused |= found
    return ("NON_COMPLIANT" if unused else "COMPLIANT"), unused


def _is_unused(entry: Unused, traffic: Traffic) -> bool:
    protocol, port = traffic
    if entry.protocol == "-1":
        return not any(
            used.protocol == protocol and port is not None and (used.from_port or 0) <= port <= (used.to_port or 0)
            for used in entry.used
        )
    if entry.protocol != protocol:
        return False
    return port is None or (entry.from_port is not None and entry.from_port <= port <= (entry.to_port or 0))


@given(estates_with_carriers())
def test_verdict_and_unused_agree_with_the_text(saved: Saved) -> None:
    for name in NAMES:
        result = judge(saved, UNUSED, name)
        verdict, unused = _opinion(saved, name)
        event(verdict)
        assert (result.compliance.value if isinstance(result, Finding) else "ERROR") == verdict, str(result)
        if verdict != "NON_COMPLIANT" or not isinstance(result, Finding):
            continue
        groups = [one for one in saved["SecurityGroups"] if one["GroupId"] in result.security_groups]
        found = {
            (entry.security_group, traffic, peer)
            for group in groups
            for traffic in _points(saved, group)
            for entry in result.unused
            for peer in entry.peers
            if entry.security_group == group["GroupId"] and _is_unused(entry, traffic)
        }
        assert found == unused
        for entry in result.unused:
            assert entry.protocol not in ("icmp", "icmpv6")
            assert entry.from_port is None or entry.from_port <= (entry.to_port or 0)


def _remaining(rule: Shape, entries: list[Unused]) -> Iterator[Shape]:
    """The rules that are left of one, without exactly what is unused for its peers."""
    peers = [
        *(one["CidrIp"] for one in rule.get("IpRanges", ())),
        *(one["CidrIpv6"] for one in rule.get("Ipv6Ranges", ())),
        *(one["PrefixListId"] for one in rule.get("PrefixListIds", ())),
        *rule.get("UserIdGroupPairs", ()),
    ]
    names = set(_peers(rule))
    own = [entry for entry in entries if set(entry.peers) == names and entry.protocol == _protocol(rule)]
    if not own:
        yield rule
    elif _protocol(rule) == "-1":
        for used in own[0].used:
            ports = (-1, -1) if used.from_port is None else (used.from_port, used.to_port)
            yield permission(used.protocol, *ports, *peers)
    elif _protocol(rule) in ("tcp", "udp"):
        first = rule.get("FromPort", 0)
        for entry in [*sorted(own, key=lambda entry: entry.from_port or 0), None]:
            last = rule.get("ToPort", 65535) if entry is None else (entry.from_port or 0) - 1
            if first <= last:
                yield permission(_protocol(rule), first, last, *peers)
            first = first if entry is None else max(first, (entry.to_port or 0) + 1)


def _without(saved: Saved, unused: tuple[Unused, ...]) -> Saved:
    changed = copy.deepcopy(saved)
    for group in changed["SecurityGroups"]:
        kept: list[Any] = []
        for rule in group["IpPermissions"]:
            first, last = rule.get("FromPort", 0), rule.get("ToPort", 65535)
            of_rule = [
                entry
                for entry in unused
                if entry.security_group == group["GroupId"]
                and (entry.from_port is None or (first <= entry.from_port and (entry.to_port or 0) <= last))
            ]
            kept += _remaining(rule, list(dict.fromkeys(of_rule)))
        group["IpPermissions"] = kept
    return changed


@given(estates_with_carriers(), PARAMETERS)
def test_removing_exactly_unused_changes_no_other_verdict(saved: Saved, parameters: dict[str, str]) -> None:
    for name in NAMES:
        result = judge(saved, UNUSED, name)
        if not isinstance(result, Finding) or not result.unused:
            continue
        removed = _without(saved, result.unused)
        after = judge(removed, UNUSED, name)
        assert isinstance(after, Finding), str(after)
        assert after.compliance.value == "COMPLIANT", after.annotation
        for other in NAMES:
            for before, now in zip(
                _judged(saved, other, parameters, *RULES), _judged(removed, other, parameters, *RULES), strict=True
            ):
                event(f"{before.rule} {type(before).__name__}")
                if isinstance(before, Finding):
                    assert isinstance(now, Finding), str(now)
                    assert (now.compliance, now.missing, now.unresolved, now.remarks) == (
                        before.compliance,
                        before.missing,
                        before.unresolved,
                        before.remarks,
                    )
                else:
                    assert now == before
