"""Exemptions applied to an observation of an aggregator."""

from __future__ import annotations

from dataclasses import replace

from alb_sg.findings.finding import EvaluationError
from alb_sg.findings.loaded_exemptions import LoadedExemptions
from alb_sg.observations.exemptions_report import review_exemptions
from alb_sg.observations.observation import Observation

NO_VERDICT_CAUSE = "AWS Config keeps no verdict of it, as of all that is not applicable"


def apply_exemptions(observation: Observation, loaded_exemptions: LoadedExemptions) -> Observation:
    """The observation with exemptions applied.

    An exemption may apply to a load balancer without a verdict: AWS Config keeps none of an exempt load balancer.
    """
    results = observation.results
    known = {(result.load_balancer_arn, result.rule) for result in results.all}
    without_verdict = {
        entry: EvaluationError(*entry.account_region, *entry.key, "the verdict without it", NO_VERDICT_CAUSE)
        for entry in loaded_exemptions.exemptions.entries
        if entry.rule in results.rule_names
        and entry.key not in known
        and entry.load_balancer_arn in observation.details
    }
    in_force = [error for entry, error in without_verdict.items() if entry.is_in_force(loaded_exemptions.today)]
    reviewed = replace(results, errors=[*results.errors, *without_verdict.values()])
    return replace(
        observation,
        results=replace(results, errors=[*results.errors, *in_force]).with_exemptions(loaded_exemptions),
        exemptions=review_exemptions(loaded_exemptions, reviewed),
    )
