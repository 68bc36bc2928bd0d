"""The order of results, worst first: by status, by the rule's severity, then internet-facing load balancers first."""

from __future__ import annotations

from enum import Enum

from alb_sg.findings.finding import EvaluationError, Finding, Result
from alb_sg.recommendations.catalogue import rule_severity
from alb_sg.recommendations.recommendation import Severity

INTERNET_FACING = "internet-facing"


class VerdictStatus(Enum):
    """The result of a rule for a load balancer, in the order of display.

    A verdict has the name of its `Compliance`; `EXEMPT` is NOT_APPLICABLE to AWS Config, `ERROR` was not judged.
    """

    NON_COMPLIANT = "nonCompliant"
    ERROR = "error"
    EXEMPT = "exempt"
    COMPLIANT = "compliant"
    NOT_APPLICABLE = "notApplicable"


_STATUS_ORDER = {status: place for place, status in enumerate(VerdictStatus)}


def verdict_status(result: Result) -> VerdictStatus:
    if isinstance(result, EvaluationError):
        return VerdictStatus.ERROR
    return VerdictStatus[result.compliance.name] if result.applied_exemption is None else VerdictStatus.EXEMPT


def rank(result: Result, scheme: str) -> int:
    """A sort key, lowest for the worst. A finding that is only unresolved comes after a certain one.

    It is a number of one digit for each criterion, because the page's data has it for every verdict.
    """
    unresolved = isinstance(result, Finding) and result.unresolved
    criteria = (
        _STATUS_ORDER[verdict_status(result)],
        rule_severity(result.rule) - min(Severity),
        scheme != INTERNET_FACING,
        unresolved,
    )
    number = 0
    for criterion in criteria:
        number = number * 10 + int(criterion)
    return number
