"""Results for people: a line for each, the worst first, with all that a search needs on it.

A line has status, severity, scheme, load balancer, account and region, rule, and what is wrong. What fixes it stands
below, indented. COMPLIANT, NOT_APPLICABLE and exempt results are counted, and listed only with `every_verdict`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from alb_sg.aws.account_region import AccountRegion
from alb_sg.findings.finding import NEW_CHANGES, Change, Compliance, EvaluationError, Finding, Result
from alb_sg.observations.earlier_results import is_failing
from alb_sg.observations.ranking import INTERNET_FACING, VerdictStatus, rank, verdict_status
from alb_sg.observations.results import Results
from alb_sg.recommendations.catalogue import rule_severity
from alb_sg.report import phrasing
from alb_sg.report.style import Style

# The text shows at most this many; `alb-sg explain` and the other formats show all.
MAX_UNUSED = 6
MAX_PEERS = 4
# Columns are as wide as their widest cell, but names and rules no wider than this.
MAX_COLUMN_WIDTH = 32
UNKNOWN = "-"
# The words for load balancers by their worst result.
OTHER_LOAD_BALANCERS = {
    VerdictStatus.ERROR: "not fully judged",
    VerdictStatus.EXEMPT: "exempt",
    VerdictStatus.COMPLIANT: "as recommended",
    VerdictStatus.NOT_APPLICABLE: "to which no rule applies",
}


def text_lines(results: Results, style: Style, *, every_verdict: bool) -> Iterator[str]:
    """A line for each result, and the counts at the end. `every_verdict`: also for what needs no work."""
    for error in results.errors:
        if error.load_balancer_arn is None:
            yield f"{style.warning('ERROR')}  {phrasing.printable(phrasing.describe_error(error))}"
    listed = [
        result
        for result in results.all
        # What a planned change fixes is worth a line.
        if result.load_balancer_arn is not None and (every_verdict or is_failing(result) or result.change is not None)
    ]
    listed.sort(
        key=lambda result: (
            result.change not in NEW_CHANGES,
            rank(result, results.facts_of(result.load_balancer_arn).scheme or ""),
            _place(result),
        )
    )
    rows = [_cells(result, results) for result in listed]
    widths = [min(max(map(len, column)), MAX_COLUMN_WIDTH) for column in zip(*rows, strict=True)]
    for result, cells in zip(listed, rows, strict=True):
        status, *others = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        line = "  ".join((style.in_verdict_color(result, status), *others, phrasing.printable(_explanation(result))))
        yield line.rstrip()
        if isinstance(result, Finding):
            yield from _detail_lines(result, results, style)
    if listed or any(error.load_balancer_arn is None for error in results.errors):
        yield ""
    yield _summary_line(results, every_verdict=every_verdict)


def _place(result: Result) -> tuple[str, str, str, str]:
    return result.account_id, result.region, result.load_balancer_arn or "", result.rule or ""


def _cells(result: Result, results: Results) -> Sequence[str]:
    """The columns before the explanation. Only that of account and region has a space in it."""
    failed = isinstance(result, Finding) and result.compliance is Compliance.NON_COMPLIANT
    return (
        phrasing.verdict_label(result),
        rule_severity(result.rule).name if failed else UNKNOWN,
        results.facts_of(result.load_balancer_arn).scheme or UNKNOWN,
        _name(result),
        str(AccountRegion(result.account_id, result.region)) or UNKNOWN,
        result.rule or UNKNOWN,
    )


def _name(result: Result) -> str:
    """The load balancer's name; of a planned one the address, which the plan or template can be searched for."""
    arn = result.load_balancer_arn or ""
    if not arn.startswith("arn:"):
        return phrasing.printable(arn)
    return phrasing.printable(result.load_balancer_name or "")


def _explanation(result: Result) -> str:
    """What a reader should know of a result: what a planned change does to it, and nothing of a plain COMPLIANT one."""
    words = _words(result)
    if result.change is None:
        return words
    return f"{result.change.value}: {words}" if words else result.change.value


def _words(result: Result) -> str:
    if isinstance(result, EvaluationError):
        return f"{result.what}: {result.cause}"
    if result.applied_exemption is not None:
        return phrasing.describe_exemption(result.applied_exemption)
    return "; ".join(result.remarks) if result.compliance is Compliance.COMPLIANT else result.annotation


def _detail_lines(finding: Finding, results: Results, style: Style) -> Iterator[str]:
    if len(finding.unused) > 1:
        for entry in finding.unused[:MAX_UNUSED]:
            yield f"    unused {phrasing.describe_unused(entry, MAX_PEERS)}"
        omitted = len(finding.unused) - MAX_UNUSED
        if omitted > 0:
            rule = f"--rule {finding.rule}"
            yield style.dim(f"    and {omitted:,} more: alb-sg explain {finding.load_balancer_name} {rule}")
    for sentence in results.advice_on(finding):
        yield f"    fix: {phrasing.printable(sentence)}"


def summary_lines(results: Results, style: Style) -> Iterator[str]:
    """The counts alone: of each rule, then of all load balancers."""
    counts = Counter((result.rule, verdict_status(result)) for result in results.all)
    for rule in sorted(results.rule_names, key=lambda name: (rule_severity(name), name)):
        shown = [f"{counts[rule, status]:,} {status.name}" for status in VerdictStatus if counts[rule, status]]
        name = style.bold(rule.ljust(MAX_COLUMN_WIDTH))
        yield f"{name}  {rule_severity(rule).name:<8}  {', '.join(shown) or 'no verdict'}"
    yield _summary_line(results, every_verdict=True)


def _summary_line(results: Results, *, every_verdict: bool) -> str:
    """The load balancers by the worst of their results, each counted once."""
    if not results.load_balancer_count:
        places = phrasing.abbreviate([str(AccountRegion(*one)) for one in results.account_regions], 4)
        errors = f"; {phrasing.pluralize(len(results.errors), 'error')}" if results.errors else ""
        if results.is_change:
            return f"The change concerns no load balancer in {places}{errors}."
        return f"No load balancer found in {places or 'what could be read'}{errors}."
    parts = list(_load_balancer_counts(results))
    parts += [f"{results.changes[change]:,} {change.value}" for change in Change if results.changes[change]]
    if results.exempted_findings:
        parts.append(f"{phrasing.pluralize(len(results.exempted_findings), 'exemption')} in force")
    if results.errors:
        parts.append(f"{phrasing.pluralize(len(results.errors), 'error')}: what they concern is not judged")
    hidden = not every_verdict and any(not is_failing(one) and one.change is None for one in results.findings)
    hint = " --all lists every verdict." if hidden else ""
    return f"{phrasing.pluralize(results.load_balancer_count, 'load balancer')}: {'; '.join(parts)}.{hint}"


def _load_balancer_counts(results: Results) -> Iterator[str]:
    """The load balancers by the worst of their results."""
    order = list(VerdictStatus)
    worst = {
        arn: min(map(verdict_status, found), key=order.index) for arn, found in results.by_load_balancer.items() if arn
    }
    counts = Counter(worst.values())
    failed = [arn for arn, status in worst.items() if status is VerdictStatus.NON_COMPLIANT]
    exposed = sum(results.facts_of(arn).scheme == INTERNET_FACING for arn in failed)
    without_verdict = results.without_verdict_count
    if without_verdict < results.load_balancer_count:
        yield f"{len(failed):,} not as recommended" + (f" ({exposed:,} internet-facing)" if exposed else "")
    if without_verdict:
        yield f"{without_verdict:,} without a verdict"
    yield from (f"{counts[status]:,} {words}" for status, words in OTHER_LOAD_BALANCERS.items() if counts[status])
