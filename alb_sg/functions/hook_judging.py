"""What a planned change newly breaks in an account and region, as the annotations of a CloudFormation Hook."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from alb_sg.aws.arns import load_balancer_name
from alb_sg.estate.estate import Estate
from alb_sg.estate.planned.planned_estate import PlannedEstates, planned_estates
from alb_sg.estate.planned.resources import Scenario
from alb_sg.estate.planned.values import unknown_text
from alb_sg.estate.sections import Section
from alb_sg.findings.exemption_application import apply_exemptions
from alb_sg.findings.finding import Change, EvaluationError, Finding, Result, enumeration_error
from alb_sg.findings.judge import NO_EXEMPTIONS, judge_all
from alb_sg.findings.loaded_exemptions import LoadedExemptions
from alb_sg.findings.phrasing import pluralize
from alb_sg.findings.planned_change import combine_scenarios, results_of_change
from alb_sg.functions.hook_scope import Scope
from alb_sg.parameters import Parameters
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME, rule_severity
from alb_sg.recommendations.recommendation import Recommendation
from alb_sg.remediation.planned_planning import PlannedEstatePlanner
from alb_sg.report.advice import plan_advice

PASSED, FAILED, SKIPPED = "PASSED", "FAILED", "SKIPPED"
# The most annotations, and the most characters of each of their texts; the Hook's message names how many there are.
MAX_ANNOTATIONS = 50
MAX_TEXT = 1000


@dataclass(frozen=True)
class Judgement:
    """The findings that a change newly breaks, what it makes unknown, and the annotations about both. `unread` are the
    load balancers for which the time was too short."""

    broken: Sequence[Finding]
    unknown: Sequence[str]
    annotations: Sequence[Mapping[str, Any]]
    unread: Sequence[str] = ()

    @property
    def summary(self) -> str:
        """The judgement in a sentence."""
        parts = []
        if self.broken:
            first, count = self.broken[0], pluralize(len(self.broken), "verdict")
            parts.append(f"the change newly breaks {count}, first {_name(first)}, {first.rule}: {first.annotation}")
        if self.unknown:
            parts.append(f"{pluralize(len(self.unknown), 'verdict')} cannot be judged, first {self.unknown[0]}")
        if self.unread:
            count = pluralize(len(self.unread), "load balancer")
            parts.append(f"there was no time to read {count}, first {load_balancer_name(self.unread[0])}")
        return "; ".join(parts) or "the change breaks no load balancer's security groups"


def unjudged(cause: str) -> Judgement:
    """The judgement of a change that cannot be judged as a whole."""
    return Judgement((), (cause,), (_annotation("alb-sg", SKIPPED, cause),))


def judge_change(
    scenarios: Sequence[Scenario],
    base: Estate,
    scope: Scope,
    rules: Mapping[Recommendation, Parameters],
    unread: Sequence[str] = (),
    exemptions: LoadedExemptions | None = None,
) -> Judgement:
    """What the change breaks in an account and region, among the load balancers of the scope and new ones. Raises
    InvalidInputError."""
    planned = [(scenario, planned_estates(scenario, [base])) for scenario in scenarios]
    judged: set[str] = set()
    by_assumptions: list[tuple[Sequence[str], Sequence[Result]]] = []
    for scenario, after in planned:
        results: list[Result] = []
        for estate in after.estates:
            results += _results(estate, base, scope, rules, exemptions)
            judged |= {
                arn for arn in estate.load_balancers if arn in scope.load_balancers or arn not in base.load_balancers
            }
        by_assumptions.append((scenario.assumptions, results))
    # As the estates after the change are judged: else an unread part would be an error before, and none after.
    was = _results(replace(base, is_planned=True), base, scope, rules, exemptions)
    replaced = {new: old for _, after in planned for new, old in after.replaced.items()}
    results = results_of_change(was, combine_scenarios(by_assumptions), replaced, judged)
    broken = [one for one in results if isinstance(one, Finding) and one.change is Change.NEWLY_BROKEN]
    unknown = [
        f"{_name(one)}, {one.rule}: {one.what}: {one.cause}"
        for one in results
        if isinstance(one, EvaluationError) and one.change is Change.NEWLY_UNKNOWN
    ]
    # A listener whose load balancer is not known may be one of any: none is read for it.
    unplaced = [
        enumeration_error(estate, failure)
        for _, after in planned
        for estate in after.estates
        for failure in estate.failures
        if failure.section == Section.LOAD_BALANCERS and failure not in base.failures
    ]
    unknown += dict.fromkeys(f"{one.what}: {one.cause}" for one in unplaced)
    # What was not seen may just as well add what a finding lacks.
    unseen = list(dict.fromkeys(unknown_text(one) for scenario in scenarios for one in scenario.unread))
    if unseen:
        unknown += [f"{_name(one)}, {one.rule}: {one.annotation}; {unseen[0]} is not known" for one in broken]
        broken = []
    unknown += [] if unknown else unseen
    unknown += [] if exemptions is None else [f"{one.what}: {one.cause}" for one in exemptions.errors]
    broken.sort(key=lambda one: one.sort_key)
    annotations = [*_findings(broken, planned, rules), *(_annotation("alb-sg", SKIPPED, one) for one in unknown)]
    return Judgement(broken, unknown, annotations[:MAX_ANNOTATIONS] or [_passed(len(judged))], unread)


def _results(
    estate: Estate,
    base: Estate,
    scope: Scope,
    rules: Mapping[Recommendation, Parameters],
    exemptions: LoadedExemptions | None,
) -> list[Result]:
    """The verdicts that the change can make worse: for nothing else the details were read."""
    by_side: dict[frozenset[str], dict[Recommendation, Parameters]] = {}
    for rule, parameters in rules.items():
        by_side.setdefault(scope.of_rule(rule), {})[rule] = parameters
    results: list[Result] = []
    for affected, of_side in by_side.items():
        judged = [
            one for one in estate.load_balancers.values() if one.arn in affected or one.arn not in base.load_balancers
        ]
        findings, errors = judge_all(
            estate, judged, of_side, NO_EXEMPTIONS if exemptions is None else exemptions.of_ports
        )
        if exemptions is not None:
            findings, errors = apply_exemptions(exemptions.exemptions, findings, errors, exemptions.today)
        results += [*findings, *errors]
    return results


def _passed(judged: int) -> Mapping[str, Any]:
    return _annotation("alb-sg", PASSED, f"{pluralize(judged, 'load balancer')} judged, none newly broken")


def _findings(
    broken: Sequence[Finding],
    planned: Sequence[tuple[Scenario, PlannedEstates]],
    rules: Mapping[Recommendation, Parameters],
) -> Iterator[Mapping[str, Any]]:
    advice: dict[tuple[str, str], Sequence[str]] = {}
    by_arn: dict[str, list[Finding]] = {}
    for finding in broken:
        by_arn.setdefault(finding.load_balancer_arn, []).append(finding)
    for _, after in planned:
        for estate in after.estates:
            planner = PlannedEstatePlanner(estate, rules)
            for arn in by_arn.keys() & estate.load_balancers.keys():
                advice = {**plan_advice(planner.plan(estate.load_balancers[arn], by_arn[arn])), **advice}
    for finding in broken:
        rule = RECOMMENDATIONS_BY_NAME[finding.rule]
        sentences = advice.get((finding.load_balancer_arn, finding.rule), ())
        yield {
            **_annotation(f"{finding.rule} {_name(finding)}", FAILED, finding.annotation),
            "remediationMessage": _shortened("; ".join(sentences) or rule.requirement_text),
            "remediationLink": rule.page_url,
            "severityLevel": rule_severity(rule.name).name,
        }


def _annotation(name: str, status: str, message: str) -> dict[str, Any]:
    return {"annotationName": _shortened(name), "status": status, "statusMessage": _shortened(message)}


def _shortened(text: str) -> str:
    return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1]}…"


def _name(result: Result) -> str:
    return load_balancer_name(result.load_balancer_arn or "the stack")
