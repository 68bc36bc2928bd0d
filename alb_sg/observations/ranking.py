"""What is worst: first what takes traffic away, then what a health check shows, then Path MTU Discovery; within each,
what faces the internet first.
"""

from __future__ import annotations

from enum import Enum

from alb_sg.findings.finding import Compliance, EvaluationError, Finding
from alb_sg.recommendations.catalogue import rule_severity

INTERNET_FACING = "internet-facing"


class VerdictStatus(Enum):
    """What a rule says of a load balancer, as people sort it. `ERROR` is no verdict: nobody could judge."""

    NON_COMPLIANT = "nonCompliant"
    ERROR = "error"
    EXEMPT = "exempt"
    COMPLIANT = "compliant"
    NOT_APPLICABLE = "notApplicable"


_STATUS_BY_COMPLIANCE = {
    Compliance.NON_COMPLIANT: VerdictStatus.NON_COMPLIANT,
    Compliance.COMPLIANT: VerdictStatus.COMPLIANT,
    Compliance.NOT_APPLICABLE: VerdictStatus.NOT_APPLICABLE,
}
_STATUS_ORDER = {status: place for place, status in enumerate(VerdictStatus)}


def verdict_status(result: Finding | EvaluationError) -> VerdictStatus:
    if isinstance(result, EvaluationError):
        return VerdictStatus.ERROR
    return _STATUS_BY_COMPLIANCE[result.compliance] if result.applied_exemption is None else VerdictStatus.EXEMPT


def rank(result: Finding | EvaluationError, scheme: str) -> int:
    """The place in a worst-first list, small for bad. What is only unresolved comes after what is certain."""
    unresolved = isinstance(result, Finding) and result.unresolved
    places = (
        _STATUS_ORDER[verdict_status(result)],
        rule_severity(result.rule),
        scheme != INTERNET_FACING,
        unresolved,
    )
    number = 0
    for place in places:
        number = number * 10 + int(place)
    return number
