"""Exemptions applied to what an aggregator tells."""

from __future__ import annotations

from dataclasses import replace

from alb_sg.findings.exemption_review import DEFAULT_EXPIRING_DAYS, ReviewScope, review
from alb_sg.findings.finding import EvaluationError, Finding
from alb_sg.findings.loaded_exemptions import LoadedExemptions
from alb_sg.observations.observation import Observation
from alb_sg.report.exemptions import ExemptionsReport

NO_VERDICT_CAUSE = "AWS Config keeps no verdict of it, as of all that is not applicable"


def apply_exemptions(observation: Observation, loaded_exemptions: LoadedExemptions) -> Observation:
    """The observation with exemptions: those of load balancers without a verdict count, too, for that is what AWS
    Config makes of a load balancer that is exempt."""
    results, known = observation.results, loaded_exemptions.exemptions
    every: list[Finding | EvaluationError] = [*results.findings, *results.errors]
    said = {(one.load_balancer_arn or "", one.rule or ""): one for one in every}
    entries = [entry for entry in known.entries if entry.rule in results.rule_names]
    unsaid = {
        entry: EvaluationError(
            entry.account_region.account_id,
            entry.account_region.region,
            *entry.key,
            "the verdict without it",
            NO_VERDICT_CAUSE,
        )
        for entry in entries
        if entry.key not in said and entry.load_balancer_arn in observation.details
    }
    in_force = [error for entry, error in unsaid.items() if entry.is_in_force(loaded_exemptions.today)]
    findings, errors = loaded_exemptions.apply(results.findings, [*results.errors, *in_force])
    errors.sort(key=lambda error: error.sort_key)
    looked = ReviewScope(
        account_regions=observation.completeness.observed.keys(),
        results={**said, **{entry.key: error for entry, error in unsaid.items()}},
        incomplete=[error for error in results.errors if error.rule is None],
    )
    return replace(
        observation,
        results=replace(results, findings=findings, errors=errors, exemptions_applied=True),
        exemptions=ExemptionsReport(
            known.document_name,
            loaded_exemptions.today,
            DEFAULT_EXPIRING_DAYS,
            review(entries, looked, loaded_exemptions.today, DEFAULT_EXPIRING_DAYS),
            [one for one in known.malformed if one.rule is None or one.rule in results.rule_names],
            [] if known.malformed else loaded_exemptions.errors,
        ),
    )
