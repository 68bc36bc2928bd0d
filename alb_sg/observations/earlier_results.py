"""The results of earlier runs, for formats whose readers keep findings and must close those that are fixed or gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from alb_sg.exemptions.exemption import VerdictKey
from alb_sg.findings.finding import Finding, Result
from alb_sg.observations.ranking import VerdictStatus, verdict_status

# Not as recommended, or not known to be.
FAILING = frozenset({VerdictStatus.NON_COMPLIANT, VerdictStatus.ERROR})


@dataclass(frozen=True)
class EarlierResults:
    """The last known status of each verdict before this run, and the failing verdicts that are gone since.

    `gone` has a finding for each verdict that failed and that this run no longer has, though it found all load
    balancers there: NOT_APPLICABLE, with an annotation that says so.
    """

    statuses: Mapping[VerdictKey, VerdictStatus] = field(default_factory=dict)
    gone: Sequence[Finding] = ()

    def status_of(self, result: Result) -> VerdictStatus | None:
        """The status before this run; None if no earlier run reported it."""
        return self.statuses.get((result.load_balancer_arn or "", result.rule or ""))

    def is_closed_by(self, result: Result) -> bool:
        """Whether the verdict failed before and does no more."""
        return self.status_of(result) in FAILING and not is_failing(result)


NOTHING_EARLIER = EarlierResults()


def is_failing(result: Result) -> bool:
    return verdict_status(result) in FAILING
