"""Situations from public reports, rebuilt as estates in `field/`.

A case with an `expected.json` states its verdicts; for the others they are derived here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from alb_sg.estate.estate import Estate
from alb_sg.estate.export_file import read_export_file
from alb_sg.estate.snapshots.files import read_config_items
from alb_sg.findings.judge import judge_all
from alb_sg.parameters import parse_parameters
from alb_sg.recommendations.catalogue import RECOMMENDATIONS
from tests.builders import EGRESS, HEALTH, ICMP, INGRESS, RULES

FOLDER = Path(__file__).with_name("field")

COMPLIANT, NON_COMPLIANT, NOT_APPLICABLE, ERROR = "COMPLIANT", "NON_COMPLIANT", "NOT_APPLICABLE", "ERROR"
_ALL_ERRORS = dict.fromkeys(RULES, ERROR)
# A load balancer whose listener, target and health check ports are open, and whose groups say nothing of ICMP.
_OPEN = {INGRESS: COMPLIANT, EGRESS: COMPLIANT, HEALTH: COMPLIANT, ICMP: NON_COMPLIANT}

# Cases without an expectation of their own: verdicts by load balancer and rule, and the reason for them.
DERIVED: dict[str, tuple[dict[str, dict[str, str]], str]] = {
    "cfg-tg-new-ip-type": (
        {"alb-a": _OPEN, "alb-b": {**_OPEN, EGRESS: ERROR, HEALTH: ERROR}},
        "Only alb-b sends to the target group whose address type is new; its clients do not depend on it.",
    ),
    "tg-new-ip-type": (
        {"alb-a": _OPEN, "alb-b": {**_OPEN, EGRESS: ERROR, HEALTH: ERROR}},
        "As in configuration items.",
    ),
    "lb-new-scheme": (
        {"alb-a": _OPEN, "alb-b": {**_OPEN, INGRESS: ERROR, ICMP: ERROR}},
        "Only alb-b has the new scheme, which says who its clients are; its targets do not depend on it.",
    ),
    "sg-tcp-minus-1-unrelated-group": (
        {"alb-a": _OPEN, "alb-b": _OPEN},
        "The malformed rule is in the group of alb-b's targets, whose rules no rule of ours reads.",
    ),
    "tg-bad-hcport": (
        {"alb-a": _OPEN, "alb-b": {**_OPEN, HEALTH: ERROR}},
        "Only the health checks of alb-b depend on the port that is none.",
    ),
    "pl-as-cli-prints": (
        {"alb-a": _OPEN, "alb-b": _OPEN},
        "No security group names the prefix list whose entries are missing.",
    ),
    "state-active_degraded": (
        {"web": _ALL_ERRORS},
        "Nobody knows whether a load balancer in this state serves clients.",
    ),
    "type-application-v2": (
        {"web": _ALL_ERRORS},
        "Nobody knows whether a load balancer of this type has listeners and security groups to judge.",
    ),
    "targettype-IP2": (
        {"web": {INGRESS: NON_COMPLIANT, EGRESS: ERROR, HEALTH: ERROR, ICMP: NON_COMPLIANT}},
        "What the targets' ids mean is not known; listener and ICMP are closed whatever the targets are.",
    ),
    "nlb-internal-clients-of-other-vpc": (
        {"shop": {INGRESS: NON_COMPLIANT, EGRESS: NOT_APPLICABLE, HEALTH: NOT_APPLICABLE, ICMP: NON_COMPLIANT}},
        "The Network Load Balancer's group lets in 10.0.0.0/8, and the group of shop lets in its VPC alone.",
    ),
    "vpc-ipv6-text-as-ipv4-block": (
        {"web": {INGRESS: ERROR, EGRESS: NOT_APPLICABLE, HEALTH: NOT_APPLICABLE, ICMP: ERROR}},
        "The clients' addresses are not known; the listener answers by itself, so there is no target.",
    ),
}
# Without items of target groups, what needs nothing is not known.
ITEMS_DIFFER = {"vpc-ipv6-text-as-ipv4-block": {"web": {EGRESS: ERROR, HEALTH: ERROR}}}


def _cases() -> Iterator[tuple[str, str]]:
    """Each case with each of its files, and with both readers of configuration items."""
    for folder in sorted(FOLDER.iterdir()):
        if (folder / "estate.json").exists():
            yield folder.name, "estate"
        if (folder / "items.json").exists():
            yield folder.name, "items"
            yield folder.name, "fast items"


def test_every_case_has_its_verdicts() -> None:
    without = {name for name, _ in _cases() if not (FOLDER / name / "expected.json").exists()}
    assert without == DERIVED.keys()


@pytest.mark.parametrize(("name", "source"), list(_cases()))
def test_a_case_is_judged_as_expected(name: str, source: str) -> None:
    verdicts, parameters = _expectation(FOLDER / name)
    if source != "estate":
        differing = ITEMS_DIFFER.get(name, {})
        verdicts = {balancer: {**rules, **differing.get(balancer, {})} for balancer, rules in verdicts.items()}
    found = _judge(_read(FOLDER / name, source), parameters)
    assert {balancer: {rule: found[balancer, rule] for rule in rules} for balancer, rules in verdicts.items()} == (
        verdicts
    ), DERIVED.get(name, ("", ""))[1]


def _expectation(folder: Path) -> tuple[Mapping[str, Mapping[str, str]], Mapping[str, Mapping[str, str]]]:
    """Verdicts by load balancer and rule, and the parameters by rule that they hold for."""
    expected = folder / "expected.json"
    if not expected.exists():
        return DERIVED[folder.name][0], {}
    document: dict[str, Any] = json.loads(expected.read_text(encoding="utf-8"))
    parameters: dict[str, dict[str, str]] = {}
    for text in document["parameters"]:
        rule, _, assignment = text.partition(":")
        name, _, value = assignment.partition("=")
        parameters.setdefault(rule, {})[name] = value
    return document["verdicts"], parameters


def _read(folder: Path, source: str) -> Estate:
    if source == "estate":
        [estate] = read_export_file(str(folder / "estate.json"))
    else:
        [estate] = read_config_items([str(folder / "items.json")], fast=source == "fast items")
    return estate


def _judge(estate: Estate, parameters: Mapping[str, Mapping[str, str]]) -> dict[tuple[str, str], str]:
    rules = {rule: parse_parameters(dict(parameters.get(rule.name, {}))) for rule in RECOMMENDATIONS}
    findings, errors = judge_all(estate, estate.load_balancers.values(), rules)
    names = {arn: found.name for arn, found in estate.load_balancers.items()}
    by_rule = {(names[one.load_balancer_arn], one.rule): one.compliance.value for one in findings}
    return by_rule | {(names[one.load_balancer_arn or ""], str(one.rule)): ERROR for one in errors}
