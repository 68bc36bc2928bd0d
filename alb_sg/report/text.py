"""Findings for people: by load balancer, the worst first, what is in order in one line each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TextIO

from alb_sg.findings.finding import Compliance, EvaluationError, Finding
from alb_sg.observations.results import Results
from alb_sg.recommendations.catalogue import rule_severity
from alb_sg.report import phrasing
from alb_sg.report.style import Style

# After the severities of the rules.
ERROR_SEVERITY, NO_SEVERITY = 3, 4
# Where more than these are missing, `alb-sg explain` and the other formats show all.
MAX_MISSING = 6
MAX_PEERS = 4

Result = Finding | EvaluationError


def write_text(results: Results, stream: TextIO, style: Style) -> None:
    """Everything found, the worst load balancer first, and the counts at the end."""
    stream.writelines(line + "\n" for line in _lines(results, style))


def _lines(results: Results, style: Style) -> Iterator[str]:
    by_load_balancer: dict[str, list[Result]] = {}
    found_out: list[Result] = [*results.findings, *results.errors]
    for result in found_out:
        if result.load_balancer_arn is not None:
            by_load_balancer.setdefault(result.load_balancer_arn, []).append(result)
    for error in results.errors:
        if error.load_balancer_arn is None:
            yield f"{style.warning('ERROR')}  {phrasing.printable(f'{phrasing.error_subject(error)}: {error.cause}')}"
    groups = sorted(
        by_load_balancer.items(), key=lambda group: (_worst_severity(group[1]), *_account_region(group[1]), group[0])
    )
    wrong = [group for group in groups if _worst_severity(group[1]) < NO_SEVERITY]
    in_order = [group for group in groups if _worst_severity(group[1]) == NO_SEVERITY]
    for arn, found in wrong:
        yield from _load_balancer_lines(arn, found, style)
        yield ""
    for arn, found in in_order:
        yield _one_line_summary(arn, found, style)
    if in_order:
        yield ""
    yield _summary_line(results)


def _worst_severity(results: Iterable[Result]) -> int:
    """The place of a load balancer's worst result in the order above."""
    return min(map(_result_severity, results))


def _result_severity(result: Result) -> int:
    if isinstance(result, EvaluationError):
        return ERROR_SEVERITY
    return rule_severity(result.rule) if result.compliance is Compliance.NON_COMPLIANT else NO_SEVERITY


def _account_region(results: Sequence[Result]) -> tuple[str, str]:
    return results[0].account_id, results[0].region


def _load_balancer_name(arn: str, results: Iterable[Result]) -> str:
    names = (result.load_balancer_name for result in results if isinstance(result, Finding))
    return phrasing.printable(next(names, arn.split("/")[-2] if "/" in arn else arn))


def _load_balancer_lines(arn: str, results: Sequence[Result], style: Style) -> Iterator[str]:
    account_id, region = _account_region(results)
    yield (
        f"{style.bold(_load_balancer_name(arn, results))}  {account_id} {region}  {style.dim(phrasing.printable(arn))}"
    )
    ordered = sorted(results, key=lambda result: (_result_severity(result), result.rule or ""))
    width = max(len(phrasing.verdict_label(result)) for result in ordered)
    for result in ordered:
        verdict = style.in_verdict_color(result, phrasing.verdict_label(result).ljust(width))
        rule = result.rule or ""
        if isinstance(result, EvaluationError):
            yield f"  {verdict}  {rule:<26}  {phrasing.printable(f'{result.what}: {result.cause}')}"
            continue
        yield f"  {verdict}  {rule:<26}  {phrasing.printable(_describe_remarks(result))}".rstrip()
        if len(result.missing) > 1:
            yield from _missing_lines(result, style)


def _missing_lines(finding: Finding, style: Style) -> Iterator[str]:
    """All that is missing, where the annotation had no room for it."""
    for entry in finding.missing[:MAX_MISSING]:
        why = f"  for {entry.origin.label}"
        yield f"      allow {phrasing.describe_missing(entry, MAX_PEERS)}{style.dim(phrasing.printable(why))}"
    left_out = len(finding.missing) - MAX_MISSING
    if left_out > 0:
        yield style.dim(f"      and {left_out:,} more: alb-sg explain {finding.load_balancer_name}")


def _one_line_summary(arn: str, results: Sequence[Result], style: Style) -> str:
    """A load balancer with nothing wrong: its verdicts, and only what is remarkable about them."""
    findings = [result for result in results if isinstance(result, Finding)]
    account_id, region = _account_region(results)
    compliant = [finding for finding in findings if finding.compliance is Compliance.COMPLIANT]
    exempt = [finding for finding in findings if finding.applied_exemption is not None]
    reasons: dict[str, list[str]] = {}
    for finding in findings:
        if finding.applied_exemption is None and finding.compliance is Compliance.NOT_APPLICABLE:
            reasons.setdefault(finding.annotation, []).append(finding.rule)
    parts = []
    if compliant:
        remarks = [f"{finding.rule}: {said}" for finding in compliant if (said := _describe_remarks(finding))]
        of = f" ({'; '.join(remarks)})" if remarks else ""
        parts.append(
            f"{style.good('COMPLIANT')} with {phrasing.pluralize(len(compliant), 'rule')}{phrasing.printable(of)}"
        )
    parts.extend(
        f"{finding.rule} {style.warning('EXEMPT')} {phrasing.printable(_describe_remarks(finding))}"
        for finding in exempt
    )
    for reason, rules in reasons.items():
        which = f"{', '.join(sorted(rules))} " if compliant or exempt or len(reasons) > 1 else ""
        parts.append(f"{which}{style.dim('NOT_APPLICABLE')}: {phrasing.printable(reason)}")
    return f"{style.bold(_load_balancer_name(arn, results))}  {account_id} {region}  {'; '.join(parts)}"


def _describe_remarks(finding: Finding) -> str:
    """The annotation, without the plain count of what is met: only exceptions are worth a line."""
    if finding.applied_exemption is not None:
        return phrasing.describe_exemption(finding.applied_exemption)
    return "; ".join(finding.remarks) if finding.compliance is Compliance.COMPLIANT else finding.annotation


def _summary_line(results: Results) -> str:
    if not results.load_balancer_count:
        where = phrasing.abbreviate([f"{account_id} {region}" for account_id, region in results.account_regions], 4)
        failed = f"; {phrasing.pluralize(len(results.errors), 'error')}" if results.errors else ""
        return f"No load balancer found in {where or 'what could be read'}{failed}."
    non_compliant = {
        finding.load_balancer_arn for finding in results.findings if finding.compliance is Compliance.NON_COMPLIANT
    }
    parts = [f"{len(non_compliant):,} not as recommended"]
    if results.exempted_findings:
        parts.append(f"{phrasing.pluralize(len(results.exempted_findings), 'exemption')} in force")
    if results.errors:
        parts.append(f"{phrasing.pluralize(len(results.errors), 'error')}: what they concern is not judged")
    return f"{phrasing.pluralize(results.load_balancer_count, 'load balancer')}: {'; '.join(parts)}."
