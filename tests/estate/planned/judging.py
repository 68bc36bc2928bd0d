"""The verdicts on planned estates, in short."""

from __future__ import annotations

from collections.abc import Sequence

from alb_sg.estate.estate import Estate
from alb_sg.estate.planned.planned_estate import planned_estates
from alb_sg.estate.planned.resources import Scenario
from alb_sg.estate.planned.terraform import terraform_scenario
from alb_sg.findings.judge import judge_all
from alb_sg.parameters import parse_parameters
from alb_sg.recommendations.catalogue import RECOMMENDATIONS
from tests.estate.planned.plans import Plan

# The rules by what they are about.
RULES = {
    "ALB_SG_LISTENER_INGRESS": "listeners",
    "ALB_SG_INSTANCE_EGRESS": "targets",
    "ALB_SG_HEALTH_CHECK_EGRESS": "health checks",
    "ALB_SG_ICMP_PMTUD": "icmp",
    "ALB_SG_TARGET_INGRESS": "nodes",
}


def judge_scenario(scenario: Scenario, base: Sequence[Estate] = ()) -> dict[tuple[str, str], str]:
    """Verdict and annotation, or `ERROR` with what is not known and why, by load balancer and subject of the rule."""
    results: dict[tuple[str, str], str] = {}
    parameters = {rule: parse_parameters({}) for rule in RECOMMENDATIONS if rule.name in RULES}
    for estate in planned_estates(scenario, base).estates:
        findings, errors = judge_all(estate, estate.load_balancers.values(), parameters)
        for finding in findings:
            key = finding.load_balancer_arn, RULES[finding.rule]
            results[key] = f"{finding.compliance.value} {finding.annotation}"
        for error in errors:
            results[error.load_balancer_arn or "", RULES[error.rule or ""]] = f"ERROR {error.what}: {error.cause}"
    return results


def judge_plan(plan: Plan, base: Sequence[Estate] = ()) -> dict[tuple[str, str], str]:
    return judge_scenario(terraform_scenario(plan.document()), base)


def verdicts(plan: Plan, address: str, base: Sequence[Estate] = ()) -> dict[str, str]:
    """The first word of each result of one load balancer, by what the rule is about."""
    return {about: text.split()[0] for (arn, about), text in judge_plan(plan, base).items() if arn == address}
