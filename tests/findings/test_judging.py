"""Judging accounts that have much of something, and what is kept from one load balancer to the next."""

from __future__ import annotations

from collections import Counter

import pytest

from alb_sg.findings.judge import Judge, judge_all
from alb_sg.parameters import Parameters, TargetMatch
from alb_sg.recommendations.catalogue import DEFAULT_RECOMMENDATIONS, RECOMMENDATIONS_BY_NAME
from benchmarks.generated_estates import EXTREME_ESTATES, ordinary_estate
from tests.builders import build, estate, group, interface, listener, target_group, tcp

SIZE = 64
RULES = dict.fromkeys(DEFAULT_RECOMMENDATIONS, Parameters())


@pytest.mark.parametrize("name", EXTREME_ESTATES)
def test_size_changes_no_verdict(name: str) -> None:
    make, _ = EXTREME_ESTATES[name]
    made = make(SIZE)
    findings, errors = judge_all(made.estate, made.estate.load_balancers.values(), RULES)
    assert not errors
    assert Counter((finding.rule, finding.compliance) for finding in findings) == made.verdicts


def test_planted_defects_are_found_and_no_other() -> None:
    made = ordinary_estate(120)
    findings, errors = judge_all(made.estate, made.estate.load_balancers.values(), RULES)
    assert not errors
    assert Counter((finding.rule, finding.compliance) for finding in findings) == made.verdicts


def test_findings_are_in_order_whatever_the_order_of_load_balancers_and_rules() -> None:
    found = ordinary_estate(40).estate
    in_order, _ = judge_all(found, found.load_balancers.values(), RULES)
    backwards = {rule: Parameters() for rule in reversed(DEFAULT_RECOMMENDATIONS)}
    assert judge_all(found, reversed(list(found.load_balancers.values())), backwards)[0] == in_order
    assert in_order == sorted(in_order, key=lambda finding: finding.sort_key)


def test_a_judge_takes_the_rules_of_a_load_balancer_in_any_order() -> None:
    found = ordinary_estate(3).estate
    together, _ = judge_all(found, found.load_balancers.values(), RULES)
    judge = Judge(found)
    by_rule = [judge.judge(one, rule, Parameters()) for rule in RULES for one in found.load_balancers.values()]
    assert sorted(together, key=repr) == sorted(by_rule, key=repr)


def test_parameters_of_one_rule_are_not_those_of_another() -> None:
    saved = estate(
        listener(443),
        group("sg-1", egress=[tcp(80, "10.0.0.0/16")]),
        target_group("web", targets=["10.0.1.5"]),
        interface("10.0.1.5", groups=["sg-app"]),
    )
    found = build(saved)
    literal = {
        **RULES,
        RECOMMENDATIONS_BY_NAME["ALB_SG_INSTANCE_EGRESS"]: Parameters()._replace(
            target_match=TargetMatch.SECURITY_GROUP
        ),
    }
    findings, _ = judge_all(found, found.load_balancers.values(), literal)
    assert {finding.rule: finding.compliance.value for finding in findings if "EGRESS" in finding.rule} == {
        "ALB_SG_HEALTH_CHECK_EGRESS": "COMPLIANT",
        "ALB_SG_INSTANCE_EGRESS": "NON_COMPLIANT",
    }
