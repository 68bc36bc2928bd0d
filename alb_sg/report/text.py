"""Results for people: by load balancer, the worst first. A load balancer without problems takes one line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TextIO

from alb_sg.aws.account_region import AccountRegion
from alb_sg.aws.arns import load_balancer_name
from alb_sg.findings.finding import Change, Compliance, EvaluationError, Finding, Result
from alb_sg.observations.results import Results
from alb_sg.recommendations.catalogue import rule_severity
from alb_sg.report import phrasing
from alb_sg.report.style import Style

# After the severities of the rules.
ERROR_SEVERITY, NO_SEVERITY = 3, 4


def write_text(results: Results, stream: TextIO, style: Style) -> None:
    """All results, the worst load balancer first, and the counts at the end."""
    stream.writelines(line + "\n" for line in _lines(results, style))


def write_errors(errors: Iterable[EvaluationError], stream: TextIO) -> None:
    """Errors that a report has no place for, as messages of the command."""
    for error in errors:
        subject = f"{error.load_balancer_arn}: " if error.load_balancer_arn else ""
        stream.write(phrasing.printable(f"alb-sg: {subject}{phrasing.describe_error(error)}") + "\n")


# The text shows at most this many; `alb-sg explain` and the other formats show all.
MAX_UNUSED = 6
MAX_PEERS = 4


def _lines(results: Results, style: Style) -> Iterator[str]:
    by_load_balancer: dict[str, list[Result]] = {}
    every: list[Result] = [*results.findings, *results.errors]
    for result in every:
        if result.load_balancer_arn is not None:
            by_load_balancer.setdefault(result.load_balancer_arn, []).append(result)
    for error in results.errors:
        if error.load_balancer_arn is None:
            yield f"{style.warning('ERROR')}  {phrasing.printable(phrasing.describe_error(error))}"
    groups = sorted(
        by_load_balancer.items(), key=lambda group: (_worst_severity(group[1]), *_account_region(group[1]), group[0])
    )
    problematic = [group for group in groups if _worst_severity(group[1]) < NO_SEVERITY]
    others = [group for group in groups if _worst_severity(group[1]) == NO_SEVERITY]
    for arn, group_results in problematic:
        yield from _load_balancer_lines(arn, group_results, results, style)
        yield ""
    for arn, group_results in others:
        yield _one_line_summary(arn, group_results, style)
    if others:
        yield ""
    yield _summary_line(results)


def _worst_severity(results: Iterable[Result]) -> int:
    return min(map(_result_severity, results))


def _result_severity(result: Result) -> int:
    if isinstance(result, EvaluationError):
        return ERROR_SEVERITY
    return rule_severity(result.rule) if result.compliance is Compliance.NON_COMPLIANT else NO_SEVERITY


def _account_region(results: Sequence[Result]) -> tuple[str, str]:
    return results[0].account_id, results[0].region


def _load_balancer_name(arn: str, results: Iterable[Result]) -> str:
    names = (result.load_balancer_name for result in results if isinstance(result, Finding))
    return phrasing.printable(next(names, load_balancer_name(arn)))


def _load_balancer_lines(
    arn: str, load_balancer_results: Sequence[Result], results: Results, style: Style
) -> Iterator[str]:
    place = AccountRegion(*_account_region(load_balancer_results))
    name = style.bold(_load_balancer_name(arn, load_balancer_results))
    yield f"{name}  {place}  {style.dim(phrasing.printable(arn))}"
    ordered = sorted(load_balancer_results, key=lambda result: (_result_severity(result), result.rule or ""))
    width = max(len(phrasing.verdict_label(result)) for result in ordered)
    for result in ordered:
        verdict = style.in_verdict_color(result, phrasing.verdict_label(result).ljust(width))
        rule = result.rule or ""
        if isinstance(result, EvaluationError):
            yield f"  {verdict}  {rule:<26}  {_change(result)}{phrasing.printable(f'{result.what}: {result.cause}')}"
            continue
        severity = f"[{rule_severity(rule).name}] " if result.compliance is Compliance.NON_COMPLIANT else ""
        words = f"{severity}{_change(result)}{phrasing.printable(_remarks(result))}"
        yield f"  {verdict}  {rule:<26}  {words}".rstrip(" :")
        if len(result.unused) > 1:
            yield from _unused_lines(result, style)
        for sentence in results.advice_on(result):
            yield f"      fix: {phrasing.printable(sentence)}"


def _change(result: Result) -> str:
    """What a planned change does to a result, before the words on it."""
    return "" if result.change is None else f"{result.change.value}: "


def _unused_lines(finding: Finding, style: Style) -> Iterator[str]:
    for entry in finding.unused[:MAX_UNUSED]:
        yield f"      unused {phrasing.describe_unused(entry, MAX_PEERS)}"
    omitted = len(finding.unused) - MAX_UNUSED
    if omitted > 0:
        rule = f"--rule {finding.rule}"
        yield style.dim(f"      and {omitted:,} more: alb-sg explain {finding.load_balancer_name} {rule}")


def _one_line_summary(arn: str, results: Sequence[Result], style: Style) -> str:
    """A load balancer without problems: its verdicts with their remarks."""
    findings = [result for result in results if isinstance(result, Finding)]
    place = AccountRegion(*_account_region(results))
    compliant = [finding for finding in findings if finding.compliance is Compliance.COMPLIANT]
    exempted = [finding for finding in findings if finding.applied_exemption is not None]
    reasons: dict[str, list[str]] = {}
    for finding in findings:
        if finding.applied_exemption is None and finding.compliance is Compliance.NOT_APPLICABLE:
            reasons.setdefault(finding.annotation, []).append(finding.rule)
    parts = []
    if compliant:
        texts = [f"{finding.rule}: {_remarks(finding)}" for finding in compliant if finding.remarks]
        remarks = f" ({'; '.join(texts)})" if texts else ""
        parts.append(
            f"{style.good('COMPLIANT')} with {phrasing.pluralize(len(compliant), 'rule')}{phrasing.printable(remarks)}"
        )
    fixed = [finding.rule for finding in findings if finding.change is Change.FIXED]
    if fixed:
        parts.append(f"{Change.FIXED.value}: {', '.join(fixed)}")
    parts.extend(
        f"{finding.rule} {style.warning('EXEMPT')} {phrasing.printable(_remarks(finding))}" for finding in exempted
    )
    for reason, rules in reasons.items():
        names = f"{', '.join(sorted(rules))} " if compliant or exempted or len(reasons) > 1 else ""
        parts.append(f"{names}{style.dim('NOT_APPLICABLE')}: {phrasing.printable(reason)}")
    return f"{style.bold(_load_balancer_name(arn, results))}  {place}  {'; '.join(parts)}"


def _remarks(finding: Finding) -> str:
    """What a reader should know of a finding: nothing of a plain COMPLIANT one."""
    if finding.applied_exemption is not None:
        return phrasing.describe_exemption(finding.applied_exemption)
    return "; ".join(finding.remarks) if finding.compliance is Compliance.COMPLIANT else finding.annotation


def _summary_line(results: Results) -> str:
    if not results.load_balancer_count:
        places = phrasing.abbreviate([str(AccountRegion(*one)) for one in results.account_regions], 4)
        errors = f"; {phrasing.pluralize(len(results.errors), 'error')}" if results.errors else ""
        return f"No load balancer found in {places or 'what could be read'}{errors}."
    non_compliant = {
        finding.load_balancer_arn for finding in results.findings if finding.compliance is Compliance.NON_COMPLIANT
    }
    without_verdict = results.without_verdict_count
    heard = without_verdict < results.load_balancer_count
    parts = [f"{len(non_compliant):,} not as recommended"] if heard else []
    if without_verdict:
        parts.append(f"{without_verdict:,} without a verdict")
    changes = results.changes
    parts += [f"{changes[change]:,} {change.value}" for change in Change if changes[change]]
    if results.exempted_findings:
        parts.append(f"{phrasing.pluralize(len(results.exempted_findings), 'exemption')} in force")
    if results.errors:
        parts.append(f"{phrasing.pluralize(len(results.errors), 'error')}: what they concern is not judged")
    return f"{phrasing.pluralize(results.load_balancer_count, 'load balancer')}: {'; '.join(parts)}."
