"""Exemptions applied to results: pure functions of a day that the caller chooses."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from alb_sg.aws.arns import load_balancer_name
from alb_sg.exemptions.exemption import Exemption, Exemptions, MalformedExemption
from alb_sg.findings.annotation import MAX_ANNOTATION_LENGTH, append_remark, fit_to_limit, shorten
from alb_sg.findings.finding import AppliedExemption, Compliance, EvaluationError, Finding, Result

# Fewer characters of an explanation would only puzzle.
_MIN_EXPLANATION_LENGTH = 20


def apply_exemptions(
    exemptions: Exemptions, findings: Iterable[Finding], errors: Iterable[EvaluationError], today: date
) -> tuple[list[Finding], list[EvaluationError]]:
    """Findings and errors with exemptions, in the order of account, region, ARN and rule.

    An exempted load balancer has a NOT_APPLICABLE finding, even where it could not be judged. An expired exemption
    changes no verdict but adds a remark.
    """
    exempted_findings: list[Finding] = []
    remaining_errors: list[EvaluationError] = []
    results: list[Result] = [*findings, *errors]
    for result in results:
        applied = apply_exemption(result, exemptions, today)
        if isinstance(applied, Finding):
            exempted_findings.append(applied)
        else:
            remaining_errors.append(applied)
    exempted_findings.sort(key=lambda finding: finding.sort_key)
    remaining_errors.sort(key=lambda error: error.sort_key)
    return exempted_findings, remaining_errors


def apply_exemption(result: Result, exemptions: Exemptions, today: date) -> Result:
    """One result with the exemption of its load balancer from its rule, if there is one.

    An exemption of single ports changes no result here: `Judge` leaves those ports out.
    """
    if result.load_balancer_arn is None or result.rule is None:
        return result
    exemption = exemptions.find(result.load_balancer_arn, result.rule)
    if exemption is None:
        return result
    if not exemption.is_in_force(today):
        return _with_expired_remark(result, exemption)
    if exemption.ports:
        # The rest of the load balancer is judged. Its verdict leaves these ports out already.
        return result
    if isinstance(result, Finding):
        name, security_groups = result.load_balancer_name, result.security_groups
    else:
        name, security_groups = load_balancer_name(result.load_balancer_arn), ()
    return Finding(
        account_id=result.account_id,
        region=result.region,
        load_balancer_arn=result.load_balancer_arn,
        load_balancer_name=name,
        rule=result.rule,
        compliance=Compliance.NOT_APPLICABLE,
        annotation=_annotation(exemption, result),
        security_groups=security_groups,
        applied_exemption=AppliedExemption(exemption, result),
    )


def expired_remark(result: Result, exemptions: Exemptions, today: date) -> str | None:
    """The remark that the exemption of a result's load balancer from its rule has expired; None if it has not."""
    exemption = exemptions.find(result.load_balancer_arn or "", result.rule or "")
    return None if exemption is None or exemption.is_in_force(today) else _expired_text(exemption)


def malformed_exemption_error(malformed: MalformedExemption, document_name: str) -> EvaluationError:
    """The error that a malformed entry is: it exempts nothing."""
    return EvaluationError("", "", None, None, f"{malformed.place} in {document_name}", str(malformed))


def _annotation(exemption: Exemption, result_without: Result) -> str:
    """Owner, ticket, expiry and verdict in full, then the reason and the verdict's explanation within the limit."""
    head = f"exempt until {exemption.expires} by {exemption.owner} ({exemption.ticket}): "
    if isinstance(result_without, Finding):
        verdict, explanation = f"would be {result_without.compliance.value}", result_without.annotation
    else:
        verdict, explanation = "could not be judged", f"{result_without.what}: {result_without.cause}"
    reason = shorten(exemption.reason, MAX_ANNOTATION_LENGTH - len(head) - len(f"; {verdict}"))
    text = f"{head}{reason}; {verdict}"
    has_room = len(text) + len(": ") + _MIN_EXPLANATION_LENGTH <= MAX_ANNOTATION_LENGTH
    return fit_to_limit([f"{text}: {explanation}"]) if explanation and has_room else text


def _with_expired_remark(result: Result, exemption: Exemption) -> Result:
    remark = _expired_text(exemption)
    if isinstance(result, EvaluationError):
        return result._replace(cause=f"{result.cause}; {remark}")
    return result._replace(annotation=append_remark(result.annotation, remark), remarks=(*result.remarks, remark))


def _expired_text(exemption: Exemption) -> str:
    ports = f" of port {', '.join(map(str, exemption.ports))}" if exemption.ports else ""
    return f"exemption{ports} expired {exemption.expires} ({exemption.ticket})"
