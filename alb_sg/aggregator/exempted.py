"""Exemptions applied to what an aggregator tells."""

from __future__ import annotations

from dataclasses import replace

from alb_sg.dashboard.observation import Observation
from alb_sg.exemptions.given import Given
from alb_sg.exemptions.review import DAYS, Looked, review
from alb_sg.findings.finding import Finding, JudgementError
from alb_sg.report.exemptions import ExemptionsReport

NOT_KEPT = "AWS Config keeps no verdict of it, as of all that is not applicable"


def exempted(observation: Observation, given: Given) -> Observation:
    """The observation with exemptions: those of load balancers without a verdict count, too, for that is what AWS
    Config makes of a load balancer that is exempt."""
    results, known = observation.results, given.exemptions
    every: list[Finding | JudgementError] = [*results.findings, *results.errors]
    said = {(one.load_balancer_arn or "", one.rule or ""): one for one in every}
    entries = [entry for entry in known.entries if entry.rule in results.rules]
    unsaid = {
        entry: JudgementError(entry.home.account_id, entry.home.region, *entry.key, "the verdict without it", NOT_KEPT)
        for entry in entries
        if entry.key not in said and entry.load_balancer_arn in observation.details
    }
    in_force = [error for entry, error in unsaid.items() if entry.in_force(given.today)]
    findings, errors = given.applied(results.findings, [*results.errors, *in_force])
    errors.sort(key=lambda error: error.sort_key)
    looked = Looked(
        homes=observation.coverage.heard.keys(),
        results={**said, **{entry.key: error for entry, error in unsaid.items()}},
        incomplete=[error for error in results.errors if error.rule is None],
    )
    return replace(
        observation,
        results=replace(results, findings=findings, errors=errors, exemptions_applied=True),
        exemptions=ExemptionsReport(
            known.source,
            given.today,
            DAYS,
            review(entries, looked, given.today, DAYS),
            [one for one in known.malformed if one.rule is None or one.rule in results.rules],
            [] if known.malformed else given.errors,
        ),
    )
