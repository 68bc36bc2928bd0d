"""Exemptions applied to an observation of an aggregator."""

from __future__ import annotations

from dataclasses import replace

from alb_sg.exemptions.exemption import VerdictKey
from alb_sg.findings.exemption_review import ReviewScope
from alb_sg.findings.finding import EvaluationError, Result
from alb_sg.findings.loaded_exemptions import LoadedExemptions
from alb_sg.observations.exemptions_report import review_exemptions
from alb_sg.observations.observation import Observation

NO_VERDICT_CAUSE = "AWS Config keeps no verdict of it, as of all that is not applicable"


def apply_exemptions(observation: Observation, loaded_exemptions: LoadedExemptions) -> Observation:
    """The observation with exemptions applied.

    An exemption may apply to a load balancer without a verdict: AWS Config keeps none of an exempt load balancer.
    """
    results = observation.results
    results_by_key: dict[VerdictKey, Result] = {
        (result.load_balancer_arn or "", result.rule or ""): result for result in results.all
    }
    exempt_without_verdict: list[EvaluationError] = []
    for entry in loaded_exemptions.exemptions.entries:
        if (
            entry.rule not in results.rule_names
            or entry.key in results_by_key
            or entry.load_balancer_arn not in observation.details
        ):
            continue
        error = EvaluationError(*entry.account_region, *entry.key, "the verdict without it", NO_VERDICT_CAUSE)
        results_by_key[entry.key] = error
        if entry.is_in_force(loaded_exemptions.today):
            exempt_without_verdict.append(error)
    scope = ReviewScope(
        account_regions=observation.completeness.observed.keys(),
        results=results_by_key,
        incomplete=[error for error in results.errors if error.rule is None],
    )
    return replace(
        observation,
        results=replace(results, errors=[*results.errors, *exempt_without_verdict]).with_exemptions(loaded_exemptions),
        exemptions=review_exemptions(loaded_exemptions, scope, results.rule_names),
    )
