"""What is worst: first what takes traffic away, then what a health check shows, then Path MTU Discovery; within each,
what faces the internet first.
"""

from __future__ import annotations

from enum import Enum

from alb_sg.findings.finding import Compliance, Finding, JudgementError
from alb_sg.report.text import SEVERITY

INTERNET_FACING = "internet-facing"


class Status(Enum):
    """What a rule says of a load balancer, as people sort it. `ERROR` is no verdict: nobody could judge."""

    NON_COMPLIANT = "nonCompliant"
    ERROR = "error"
    EXEMPT = "exempt"
    COMPLIANT = "compliant"
    NOT_APPLICABLE = "notApplicable"


_OF_COMPLIANCE = {
    Compliance.NON_COMPLIANT: Status.NON_COMPLIANT,
    Compliance.COMPLIANT: Status.COMPLIANT,
    Compliance.NOT_APPLICABLE: Status.NOT_APPLICABLE,
}
_ORDER = {status: place for place, status in enumerate(Status)}


def status_of(result: Finding | JudgementError) -> Status:
    if isinstance(result, JudgementError):
        return Status.ERROR
    return _OF_COMPLIANCE[result.compliance] if result.exempted is None else Status.EXEMPT


def severity_of(rule: str) -> int:
    """0: traffic does not arrive; 1: health checks fail; 2: Path MTU Discovery. An unknown rule is the worst."""
    return SEVERITY.get(rule, 0)


def rank(result: Finding | JudgementError, scheme: str) -> int:
    """The place in a worst-first list, small for bad. What is only unresolved comes after what is certain."""
    unresolved = isinstance(result, Finding) and result.unresolved
    places = (_ORDER[status_of(result)], severity_of(result.rule or ""), scheme != INTERNET_FACING, unresolved)
    number = 0
    for place in places:
        number = number * 10 + int(place)
    return number
