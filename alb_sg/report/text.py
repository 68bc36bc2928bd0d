"""Findings for people: by load balancer, the worst first, what is in order in one line each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TextIO

from alb_sg.findings.finding import Compliance, Finding, JudgementError
from alb_sg.report import words
from alb_sg.report.results import Results
from alb_sg.report.style import Style

# First what takes traffic away without anything else showing it, then what a health check shows, then the rest.
SEVERITY = {
    "ALB_SG_INSTANCE_EGRESS": 0,
    "ALB_SG_LISTENER_INGRESS": 0,
    "ALB_SG_HEALTH_CHECK_EGRESS": 1,
    "ALB_SG_ICMP_PMTUD": 2,
}
ERROR, IN_ORDER = 3, 4
# Where more than these are missing, `alb-sg explain` and the other formats show all.
MOST_MISSING = 6
MOST_PEERS = 4

Result = Finding | JudgementError


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
            yield f"{style.doubtful('ERROR')}  {words.printable(f'{words.what(error)}: {error.cause}')}"
    groups = sorted(by_load_balancer.items(), key=lambda group: (_severity(group[1]), *_home(group[1]), group[0]))
    wrong = [group for group in groups if _severity(group[1]) < IN_ORDER]
    in_order = [group for group in groups if _severity(group[1]) == IN_ORDER]
    for arn, found in wrong:
        yield from _load_balancer(arn, found, style)
        yield ""
    for arn, found in in_order:
        yield _in_one_line(arn, found, style)
    if in_order:
        yield ""
    yield _summary(results)


def _severity(found: Iterable[Result]) -> int:
    """The place of a load balancer's worst result in the order above."""
    return min(map(_severity_of, found))


def _severity_of(result: Result) -> int:
    if isinstance(result, JudgementError):
        return ERROR
    return SEVERITY.get(result.rule, 0) if result.compliance is Compliance.NON_COMPLIANT else IN_ORDER


def _home(found: Sequence[Result]) -> tuple[str, str]:
    return found[0].account_id, found[0].region


def _name(arn: str, found: Iterable[Result]) -> str:
    names = (result.load_balancer_name for result in found if isinstance(result, Finding))
    return words.printable(next(names, arn.split("/")[-2] if "/" in arn else arn))


def _load_balancer(arn: str, found: Sequence[Result], style: Style) -> Iterator[str]:
    account_id, region = _home(found)
    yield f"{style.bold(_name(arn, found))}  {account_id} {region}  {style.dim(words.printable(arn))}"
    ordered = sorted(found, key=lambda result: (_severity_of(result), result.rule or ""))
    width = max(len(words.verdict(result)) for result in ordered)
    for result in ordered:
        verdict = style.as_verdict(result, words.verdict(result).ljust(width))
        rule = result.rule or ""
        if isinstance(result, JudgementError):
            yield f"  {verdict}  {rule:<26}  {words.printable(f'{result.what}: {result.cause}')}"
            continue
        yield f"  {verdict}  {rule:<26}  {words.printable(_said(result))}".rstrip()
        if len(result.missing) > 1:
            yield from _missing(result, style)


def _missing(finding: Finding, style: Style) -> Iterator[str]:
    """All that is missing, where the annotation had no room for it."""
    for entry in finding.missing[:MOST_MISSING]:
        why = f"  for {entry.because.label}"
        yield f"      allow {words.missing(entry, MOST_PEERS)}{style.dim(words.printable(why))}"
    left_out = len(finding.missing) - MOST_MISSING
    if left_out > 0:
        yield style.dim(f"      and {left_out:,} more: alb-sg explain {finding.load_balancer_name}")


def _in_one_line(arn: str, found: Sequence[Result], style: Style) -> str:
    """A load balancer with nothing wrong: its verdicts, and only what is remarkable about them."""
    findings = [result for result in found if isinstance(result, Finding)]
    account_id, region = _home(found)
    compliant = [finding for finding in findings if finding.compliance is Compliance.COMPLIANT]
    exempt = [finding for finding in findings if finding.exempted is not None]
    reasons: dict[str, list[str]] = {}
    for finding in findings:
        if finding.exempted is None and finding.compliance is Compliance.NOT_APPLICABLE:
            reasons.setdefault(finding.annotation, []).append(finding.rule)
    parts = []
    if compliant:
        remarks = [f"{finding.rule}: {said}" for finding in compliant if (said := _said(finding))]
        of = f" ({'; '.join(remarks)})" if remarks else ""
        parts.append(f"{style.good('COMPLIANT')} with {words.counted(len(compliant), 'rule')}{words.printable(of)}")
    parts.extend(f"{finding.rule} {style.doubtful('EXEMPT')} {words.printable(_said(finding))}" for finding in exempt)
    for reason, rules in reasons.items():
        which = f"{', '.join(sorted(rules))} " if compliant or exempt or len(reasons) > 1 else ""
        parts.append(f"{which}{style.dim('NOT_APPLICABLE')}: {words.printable(reason)}")
    return f"{style.bold(_name(arn, found))}  {account_id} {region}  {'; '.join(parts)}"


def _said(finding: Finding) -> str:
    """The annotation, without the plain count of what is met: only exceptions are worth a line."""
    if finding.exempted is not None:
        return words.exemption(finding.exempted)
    if finding.compliance is not Compliance.COMPLIANT:
        return finding.annotation
    first, _, remarks = finding.annotation.partition("; ")
    return remarks if first[:1].isdigit() else finding.annotation


def _summary(results: Results) -> str:
    if not results.load_balancers:
        where = words.some([f"{account_id} {region}" for account_id, region in results.homes], 4)
        failed = f"; {words.counted(len(results.errors), 'error')}" if results.errors else ""
        return f"No load balancer found in {where or 'what could be read'}{failed}."
    non_compliant = {
        finding.load_balancer_arn for finding in results.findings if finding.compliance is Compliance.NON_COMPLIANT
    }
    parts = [f"{len(non_compliant):,} not as recommended"]
    if results.exempted:
        parts.append(f"{words.counted(len(results.exempted), 'exemption')} in force")
    if results.errors:
        parts.append(f"{words.counted(len(results.errors), 'error')}: what they concern is not judged")
    return f"{words.counted(results.load_balancers, 'load balancer')}: {'; '.join(parts)}."
