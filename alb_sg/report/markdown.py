"""Findings as GitHub Flavored Markdown, for a comment on a pull request.

Errors first, then what is not as recommended, the worst first, then exemptions, then counts of what is in order. It is
never longer than such a comment may be: rows beyond that are counted before the table that lacks them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TextIO

from alb_sg.findings.finding import Compliance, EvaluationError, Finding
from alb_sg.observations.results import Results
from alb_sg.recommendations.catalogue import rule_severity
from alb_sg.report import phrasing

# GitHub: characters of a comment. Counted in bytes here, which are never fewer.
MAX_COMMENT_BYTES = 65_536
MAX_MISSING = 6
MAX_PEERS = 4

# ASCII's punctuation, but for what means nothing inside of a line once the other signs are gone; a full stop would
# make a link of what begins with www.
_MARKUP_CHARACTER = re.compile(r"[!-+:<-@\[-`{-~]|(?<=www)\.", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Table:
    """A heading, with the number of rows that there are, and the rows."""

    heading: Callable[[int], str]
    columns: str
    rows: Sequence[str]


def write_markdown(results: Results, stream: TextIO) -> None:
    """One comment of at most 65,536 characters."""
    stream.write(render_markdown(results))


def render_markdown(results: Results) -> str:
    """The text of `write_markdown`: every row, or as many as there is room for."""
    head = _summary_heading(results)
    tables = [table for table in _make_tables(results) if table.rows]
    room = MAX_COMMENT_BYTES - _byte_count(head)
    # What each table takes without a row, even where the sentence on those left out is needed.
    room -= sum(_byte_count(_table_text(table, 0)) for table in tables)
    text = head
    for table in tables:
        kept = 0
        while kept < len(table.rows) and _byte_count(table.rows[kept]) <= room:
            room -= _byte_count(table.rows[kept])
            kept += 1
        text += _table_text(table, kept)
    return text


def _summary_heading(results: Results) -> str:
    failed = [finding for finding in results.findings if finding.compliance is Compliance.NON_COMPLIANT]
    load_balancers = len({finding.load_balancer_arn for finding in failed})
    if not results.load_balancer_count:
        verdict = "No load balancer found"
    elif load_balancers:
        verdict = f"{phrasing.pluralize(load_balancers, 'load balancer')} not as recommended"
    else:
        verdict = "No load balancer is known to be otherwise than recommended" if results.errors else "As recommended"
    if results.errors:
        verdict = f"Not everything could be judged. {verdict}"
    counts = [
        phrasing.pluralize(results.load_balancer_count, "load balancer"),
        f"{results.count(Compliance.NON_COMPLIANT):,} NON_COMPLIANT",
        f"{results.count(Compliance.COMPLIANT):,} COMPLIANT",
        f"{results.count(Compliance.NOT_APPLICABLE) - len(results.exempted_findings):,} NOT_APPLICABLE",
        f"{len(results.exempted_findings):,} EXEMPT",
        f"{len(results.errors):,} ERROR",
    ]
    return f"### alb-sg: {verdict}\n\n{' · '.join(_escape_underscores(count) for count in counts)}\n"


def _escape_underscores(text: str) -> str:
    """Words of this program's own, in which an underscore is no emphasis."""
    return text.replace("_", "\\_")


def _make_tables(results: Results) -> list[_Table]:
    failed = [finding for finding in results.findings if finding.compliance is Compliance.NON_COMPLIANT]
    failed.sort(key=lambda finding: (rule_severity(finding.rule), *finding.sort_key))
    return [
        _Table(
            lambda count: f"#### {phrasing.pluralize(count, 'error')}: what they concern is not judged",
            "| account and region | load balancer | what | why |\n|---|---|---|---|\n",
            [
                _table_row(
                    _account_region(error),
                    _load_balancer_name(error.load_balancer_arn),
                    phrasing.error_subject(error),
                    error.cause,
                )
                for error in results.errors
            ],
        ),
        _Table(
            lambda count: f"#### {count:,} NON\\_COMPLIANT",
            "| account and region | load balancer | rule | what is not open |\n|---|---|---|---|\n",
            [_table_row(_account_region(one), one.load_balancer_name, one.rule, _missing_lines(one)) for one in failed],
        ),
        _Table(
            lambda count: f"#### {phrasing.pluralize(count, 'exemption')} in force",
            "| account and region | load balancer | rule | exempt |\n|---|---|---|---|\n",
            [
                _table_row(
                    _account_region(finding),
                    finding.load_balancer_name,
                    finding.rule,
                    phrasing.describe_exemption(exempted),
                )
                for finding, exempted in results.exempted_findings
            ],
        ),
    ]


def _table_text(table: _Table, row_count: int) -> str:
    """The table with its first rows, and before it how many are left out."""
    left_out = len(table.rows) - row_count
    said = f"{left_out:,} more than a comment has room for are left out; the other formats have all.\n\n"
    heading = f"\n{table.heading(len(table.rows))}\n\n{said if left_out else ''}"
    return heading + table.columns + "".join(table.rows[:row_count])


def _account_region(result: Finding | EvaluationError) -> str:
    return " ".join(part for part in (result.account_id, result.region) if part)


def _load_balancer_name(arn: str | None) -> str:
    """The name in a load balancer's ARN."""
    return arn.split("/")[-2] if arn is not None and arn.count("/") > 1 else arn or ""


def _missing_lines(finding: Finding) -> list[str]:
    """The annotation, and each thing that is missing where there are several."""
    if len(finding.missing) < 2:
        return [finding.annotation]
    lines = [phrasing.describe_missing(missing, MAX_PEERS) for missing in finding.missing[:MAX_MISSING]]
    left_out = len(finding.missing) - len(lines)
    return [finding.annotation, *lines, *([f"+{left_out:,} more"] if left_out else [])]


def _table_row(*cells: str | Sequence[str]) -> str:
    """A row. A cell of several texts has a line for each."""
    lines = [[cell] if isinstance(cell, str) else cell for cell in cells]
    return f"| {' | '.join('<br>'.join(map(_code_text, cell)) for cell in lines)} |\n"


def _code_text(text: str) -> str:
    """Text as code in which no sign means anything: no markup, link, mention or end of a cell."""
    plain = _MARKUP_CHARACTER.sub(lambda sign: f"&#{ord(sign[0])};", phrasing.printable(text))
    return f"<code>{plain}</code>" if plain else ""


def _byte_count(text: str) -> int:
    return len(text.encode())
