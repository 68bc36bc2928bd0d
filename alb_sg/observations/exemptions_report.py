"""The exemptions of a document, reviewed against what a run or an aggregator found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from alb_sg.aws.account_region import AccountRegion
from alb_sg.exemptions.exemption import MalformedExemption
from alb_sg.findings.exemption_review import (
    DEFAULT_EXPIRING_DAYS,
    ExemptionStatus,
    ExemptionUse,
    ReviewedExemption,
    ReviewScope,
    review,
)
from alb_sg.findings.finding import EvaluationError
from alb_sg.findings.loaded_exemptions import LoadedExemptions
from alb_sg.observations.results import Results


@dataclass(frozen=True)
class ExemptionsReport:
    """The exemptions of a document on a day. One that ends within `expiring_days` counts as expiring.

    `document_errors`: the errors in the results that are about the document, and not about load balancers.
    """

    document_name: str
    today: date
    expiring_days: int
    reviewed: Sequence[ReviewedExemption]
    malformed: Sequence[MalformedExemption]
    errors: Sequence[EvaluationError]
    document_errors: Collection[EvaluationError] = ()

    def summary(self) -> dict[str, int]:
        statuses = Counter(exemption.status for exemption in self.reviewed)
        uses = Counter(exemption.use for exemption in self.reviewed)
        return {
            **{status.value: statuses[status] for status in ExemptionStatus},
            **{use.value: uses[use] for use in (ExemptionUse.UNUSED, ExemptionUse.UNKNOWN)},
            "malformed": len(self.malformed),
            "errors": len(self.errors),
        }


def review_exemptions(loaded_exemptions: LoadedExemptions, without_exemptions: Results) -> ExemptionsReport:
    """The exemptions of the judged rules, held against the results without exemptions."""
    scope = ReviewScope(
        {AccountRegion(*one) for one in without_exemptions.account_regions},
        {(one.load_balancer_arn or "", one.rule or ""): one for one in without_exemptions.all},
        # An enumeration that failed concerns every rule.
        [error for error in without_exemptions.errors if error.rule is None],
    )
    rule_names = without_exemptions.rule_names
    exemptions, today = loaded_exemptions.exemptions, loaded_exemptions.today
    selected = [entry for entry in exemptions.entries if entry.rule in rule_names]
    return ExemptionsReport(
        document_name=exemptions.document_name,
        today=today,
        expiring_days=DEFAULT_EXPIRING_DAYS,
        reviewed=review(selected, scope, today, DEFAULT_EXPIRING_DAYS),
        malformed=[entry for entry in exemptions.malformed if entry.rule is None or entry.rule in rule_names],
        # Malformed entries stand in the list above; only a document that could not be read is left to report.
        errors=[] if exemptions.malformed else loaded_exemptions.errors,
        document_errors=frozenset(loaded_exemptions.errors),
    )
