"""Exemptions applied to what was found out: pure, for a day that the caller names."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from alb_sg.exemptions.exemption import Exemption, Exemptions, MalformedExemption
from alb_sg.findings.annotation import LIMIT, fit
from alb_sg.findings.finding import Compliance, Exempted, Finding, JudgementError


def apply(
    exemptions: Exemptions, findings: Iterable[Finding], errors: Iterable[JudgementError], today: date
) -> tuple[list[Finding], list[JudgementError]]:
    """Findings and errors with exemptions: an exempted load balancer has a finding, NOT_APPLICABLE, whatever would be
    said of it, also where it could not be judged. An expired exemption changes nothing and is mentioned.

    The order is that of account, region, ARN and rule.
    """
    found: list[Finding] = []
    failed: list[JudgementError] = []
    results: list[Finding | JudgementError] = [*findings, *errors]
    for result in results:
        after = exempted(result, exemptions, today)
        if isinstance(after, Finding):
            found.append(after)
        else:
            failed.append(after)
    found.sort(key=lambda finding: finding.sort_key)
    failed.sort(key=lambda error: error.sort_key)
    return found, failed


def exempted(result: Finding | JudgementError, exemptions: Exemptions, today: date) -> Finding | JudgementError:
    """One result with the exemption of its load balancer from its rule, where there is one."""
    if result.load_balancer_arn is None or result.rule is None:
        return result
    exemption = exemptions.of(result.load_balancer_arn, result.rule)
    if exemption is None:
        return result
    if not exemption.in_force(today):
        return _expired(result, exemption)
    name = result.load_balancer_name if isinstance(result, Finding) else result.load_balancer_arn.split("/")[-2]
    return Finding(
        account_id=result.account_id,
        region=result.region,
        load_balancer_arn=result.load_balancer_arn,
        load_balancer_name=name,
        rule=result.rule,
        compliance=Compliance.NOT_APPLICABLE,
        annotation=_annotation(exemption, result),
        exempted=Exempted(exemption, result),
    )


def expired_remark(result: Finding | JudgementError, exemptions: Exemptions, today: date) -> str | None:
    """That the exemption of a result's load balancer from its rule has expired; None where that is not so."""
    exemption = exemptions.of(result.load_balancer_arn or "", result.rule or "")
    return None if exemption is None or exemption.in_force(today) else _remark(exemption)


def malformed_error(malformed: MalformedExemption, source: str) -> JudgementError:
    """What a malformed entry is to whoever applies exemptions: an error, and never an exemption."""
    return JudgementError("", "", None, None, f"{malformed.place} in {source}", str(malformed))


def _annotation(exemption: Exemption, otherwise: Finding | JudgementError) -> str:
    """Owner, ticket, expiry and the verdict in full; of reason and what would be missing as much as there is room
    for, the reason first."""
    head = f"exempt until {exemption.expires} by {exemption.owner} ({exemption.ticket}): "
    if isinstance(otherwise, Finding):
        verdict, said = f"would be {otherwise.compliance.value}", otherwise.annotation
    else:
        verdict, said = "could not be judged", f"{otherwise.what}: {otherwise.cause}"
    reason = _shortened(exemption.reason, LIMIT - len(head) - len(f"; {verdict}"))
    whole = f"{head}{reason}; {verdict}"
    # Less than a few words of it would only puzzle.
    return fit([f"{whole}: {said}"]) if said and len(whole) + len(": ") + 20 <= LIMIT else whole


def _expired(result: Finding | JudgementError, exemption: Exemption) -> Finding | JudgementError:
    remark = _remark(exemption)
    if isinstance(result, JudgementError):
        return result._replace(cause=f"{result.cause}; {remark}")
    said = _shortened(result.annotation, LIMIT - len("; ") - len(remark))
    return result._replace(annotation=f"{said}; {remark}" if said else remark)


def _remark(exemption: Exemption) -> str:
    return f"exemption expired {exemption.expires} ({exemption.ticket})"


def _shortened(text: str, room: int) -> str:
    """The text within so many characters, cut after a word."""
    if len(text) <= room:
        return text
    words = text[:room].rsplit(" ", 1)[0]
    return f"{words[: room - 1]}…"
