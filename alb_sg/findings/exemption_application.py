"""Exemptions applied to what was found out: pure, for a day that the caller names."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from alb_sg.exemptions.exemption import Exemption, Exemptions, MalformedExemption
from alb_sg.findings.annotation import MAX_ANNOTATION_LENGTH, fit_to_limit
from alb_sg.findings.finding import AppliedExemption, Compliance, EvaluationError, Finding


def apply_exemptions(
    exemptions: Exemptions, findings: Iterable[Finding], errors: Iterable[EvaluationError], today: date
) -> tuple[list[Finding], list[EvaluationError]]:
    """Findings and errors with exemptions: an exempted load balancer has a finding, NOT_APPLICABLE, whatever would be
    said of it, also where it could not be judged. An expired exemption changes nothing and is mentioned.

    The order is that of account, region, ARN and rule.
    """
    found: list[Finding] = []
    failed: list[EvaluationError] = []
    results: list[Finding | EvaluationError] = [*findings, *errors]
    for result in results:
        after = apply_exemption(result, exemptions, today)
        if isinstance(after, Finding):
            found.append(after)
        else:
            failed.append(after)
    found.sort(key=lambda finding: finding.sort_key)
    failed.sort(key=lambda error: error.sort_key)
    return found, failed


def apply_exemption(
    result: Finding | EvaluationError, exemptions: Exemptions, today: date
) -> Finding | EvaluationError:
    """One result with the exemption of its load balancer from its rule, where there is one."""
    if result.load_balancer_arn is None or result.rule is None:
        return result
    exemption = exemptions.find(result.load_balancer_arn, result.rule)
    if exemption is None:
        return result
    if not exemption.is_in_force(today):
        return _with_expired_remark(result, exemption)
    name = result.load_balancer_name if isinstance(result, Finding) else result.load_balancer_arn.split("/")[-2]
    return Finding(
        account_id=result.account_id,
        region=result.region,
        load_balancer_arn=result.load_balancer_arn,
        load_balancer_name=name,
        rule=result.rule,
        compliance=Compliance.NOT_APPLICABLE,
        annotation=_annotation(exemption, result),
        applied_exemption=AppliedExemption(exemption, result),
    )


def expired_remark(result: Finding | EvaluationError, exemptions: Exemptions, today: date) -> str | None:
    """That the exemption of a result's load balancer from its rule has expired; None where that is not so."""
    exemption = exemptions.find(result.load_balancer_arn or "", result.rule or "")
    return None if exemption is None or exemption.is_in_force(today) else _expired_text(exemption)


def malformed_exemption_error(malformed: MalformedExemption, document_name: str) -> EvaluationError:
    """What a malformed entry is to whoever applies exemptions: an error, and never an exemption."""
    return EvaluationError("", "", None, None, f"{malformed.place} in {document_name}", str(malformed))


def _annotation(exemption: Exemption, result_without: Finding | EvaluationError) -> str:
    """Owner, ticket, expiry and the verdict in full; of reason and what would be missing as much as there is room
    for, the reason first."""
    head = f"exempt until {exemption.expires} by {exemption.owner} ({exemption.ticket}): "
    if isinstance(result_without, Finding):
        verdict, said = f"would be {result_without.compliance.value}", result_without.annotation
    else:
        verdict, said = "could not be judged", f"{result_without.what}: {result_without.cause}"
    reason = _shorten(exemption.reason, MAX_ANNOTATION_LENGTH - len(head) - len(f"; {verdict}"))
    whole = f"{head}{reason}; {verdict}"
    # Less than a few words of it would only puzzle.
    return (
        fit_to_limit([f"{whole}: {said}"]) if said and len(whole) + len(": ") + 20 <= MAX_ANNOTATION_LENGTH else whole
    )


def _with_expired_remark(result: Finding | EvaluationError, exemption: Exemption) -> Finding | EvaluationError:
    remark = _expired_text(exemption)
    if isinstance(result, EvaluationError):
        return result._replace(cause=f"{result.cause}; {remark}")
    said = _shorten(result.annotation, MAX_ANNOTATION_LENGTH - len("; ") - len(remark))
    return result._replace(annotation=f"{said}; {remark}" if said else remark)


def _expired_text(exemption: Exemption) -> str:
    return f"exemption expired {exemption.expires} ({exemption.ticket})"


def _shorten(text: str, max_length: int) -> str:
    """The text within so many characters, cut after a word."""
    if len(text) <= max_length:
        return text
    words = text[:max_length].rsplit(" ", 1)[0]
    return f"{words[: max_length - 1]}…"
