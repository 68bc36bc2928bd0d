"""Findings as GitHub Flavored Markdown, for a comment on a pull request.

A summary, then errors, NON_COMPLIANT findings with the worst first, and exemptions. Long tables are folded, and those
that ask for nothing: exemptions, and load balancers that are compliant or not applicable. It keeps to the limit of such
a comment: a sentence before a table counts the rows for which there is no room.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from alb_sg.findings.finding import Change, Compliance, Finding, Result
from alb_sg.observations.results import Results
from alb_sg.recommendations.catalogue import rule_severity
from alb_sg.report import phrasing

# GitHub limits a comment's characters. Bytes are counted here; there are never fewer of them.
MAX_COMMENT_BYTES = 65_536
MAX_MISSING = 6
MAX_PEERS = 4
# A longer table is folded.
MAX_UNFOLDED_ROWS = 10

# ASCII punctuation, except the characters that mean nothing within a line once the others are escaped. A full stop
# makes a link after www.
_MARKUP_CHARACTER = re.compile(r"[!-+:<-@\[-`{-~]|(?<=www)\.", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Table:
    """A heading for a number of rows, and the rows."""

    heading: Callable[[int], str]
    columns: str
    rows: Sequence[str]
    is_folded: bool = False


def render_markdown(results: Results) -> str:
    """One comment of at most 65,536 characters: all rows, or as many as the limit allows."""
    head = _summary_heading(results)
    tables = [table for table in _make_tables(results) if table.rows]
    room = MAX_COMMENT_BYTES - _byte_count(head)
    # Each table's size without rows, with the sentence on those left out.
    room -= sum(_byte_count(_table_text(table, 0)) for table in tables)
    text = head
    for table in tables:
        row_count = 0
        while row_count < len(table.rows) and _byte_count(table.rows[row_count]) <= room:
            room -= _byte_count(table.rows[row_count])
            row_count += 1
        text += _table_text(table, row_count)
    text += _fix_section(results, MAX_COMMENT_BYTES - _byte_count(text))
    return text + _command_section(results, MAX_COMMENT_BYTES - _byte_count(text))


def _fix_section(results: Results, room: int) -> str:
    """The code that fixes planned load balancers, as additions to it."""
    additions = [f"+{line}" for line in results.fix_code.splitlines()]
    note = "`alb-sg fix` writes the rules to add; a comment has no room for them."
    return _code_section("Rules to add", "diff", additions, note, room)


def _command_section(results: Results, room: int) -> str:
    """The commands that fix load balancers which a planned change breaks and does not describe."""
    commands = results.fix_commands.splitlines()
    note = "The commands that fix load balancers outside of the change have no room in a comment."
    return _code_section("Rules to add outside of the change", "sh", commands, note, room)


def _code_section(heading: str, language: str, lines: Sequence[str], note: str, room: int) -> str:
    """Lines under a heading, or else a note that there is no room for them, or else nothing."""
    if not lines:
        return ""
    text = "".join(f"{phrasing.printable(line)}\n" for line in lines)
    choices = (f"\n#### {heading}\n\n{_code_block(language, text)}", f"\n{note}\n", "")
    return next(choice for choice in choices if _byte_count(choice) <= max(room, 0))


def _code_block(language: str, text: str) -> str:
    # A fence is longer than every fence in the text.
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence}{language}\n{text}{fence}\n"


def _summary_heading(results: Results) -> str:
    failed = [finding for finding in results.findings if finding.compliance is Compliance.NON_COMPLIANT]
    load_balancers = len({finding.load_balancer_arn for finding in failed})
    if not results.load_balancer_count:
        verdict = "The change concerns no load balancer" if results.is_change else "No load balancer found"
    elif load_balancers:
        verdict = f"{phrasing.pluralize(load_balancers, 'load balancer')} not as recommended"
    elif results.errors or results.without_verdict_count:
        verdict = "No load balancer is known to be otherwise than recommended"
    else:
        verdict = "As recommended"
    if results.errors:
        verdict = f"Not everything could be judged. {verdict}"
    counts = [
        phrasing.pluralize(results.load_balancer_count, "load balancer"),
        f"{results.count(Compliance.NON_COMPLIANT):,} NON_COMPLIANT",
        f"{results.count(Compliance.COMPLIANT):,} COMPLIANT",
        f"{results.count(Compliance.NOT_APPLICABLE) - len(results.exempted_findings):,} NOT_APPLICABLE",
        f"{len(results.exempted_findings):,} EXEMPT",
        f"{len(results.errors):,} ERROR",
        *(
            f"{count:,} {change.value}"
            for change, count in sorted(results.changes.items(), key=lambda one: one[0].name)
        ),
    ]
    return f"### alb-sg: {verdict}\n\n{' · '.join(_escape_underscores(count) for count in counts)}\n"


def _escape_underscores(text: str) -> str:
    """Words of this program, in which an underscore is not emphasis."""
    return text.replace("_", "\\_")


def _make_tables(results: Results) -> list[_Table]:
    failed = [finding for finding in results.findings if finding.compliance is Compliance.NON_COMPLIANT]
    # What a planned change breaks comes first.
    order = {Change.NEWLY_BROKEN: 0, None: 1, Change.STILL_BROKEN: 2, Change.FIXED: 3}
    failed.sort(key=lambda finding: (order[finding.change], rule_severity(finding.rule), *finding.sort_key))
    return [
        _Table(
            lambda count: f"{phrasing.pluralize(count, 'error')}: what they concern is not judged",
            "| account and region | load balancer | what | why |\n|---|---|---|---|\n",
            [
                _table_row(
                    _account_region(error),
                    error.load_balancer_name or "",
                    phrasing.error_subject(error),
                    [*_change(error), error.cause],
                )
                for error in results.errors
            ],
        ),
        _Table(
            lambda count: f"{count:,} NON_COMPLIANT",
            "| account and region | load balancer | rule | what is not open, and the fix |\n|---|---|---|---|\n",
            [
                _table_row(
                    _account_region(finding),
                    [finding.load_balancer_name, *_place(results, finding)],
                    finding.rule,
                    [*_missing_lines(finding), *(f"fix: {sentence}" for sentence in results.advice_on(finding))],
                )
                for finding in failed
            ],
        ),
        _Table(
            lambda count: f"{phrasing.pluralize(count, 'exemption')} in force",
            "| account and region | load balancer | rule | exempt |\n|---|---|---|---|\n",
            [
                _table_row(
                    _account_region(finding),
                    finding.load_balancer_name,
                    finding.rule,
                    phrasing.describe_exemption(applied_exemption),
                )
                for finding, applied_exemption in results.exempted_findings
            ],
            is_folded=True,
        ),
        _Table(
            lambda count: f"{count:,} compliant or not applicable",
            "| account and region | load balancer | rule | verdict | why |\n|---|---|---|---|---|\n",
            [
                _table_row(
                    _account_region(finding),
                    finding.load_balancer_name,
                    finding.rule,
                    finding.compliance.value,
                    finding.annotation,
                )
                for finding in results.findings
                if finding.compliance is not Compliance.NON_COMPLIANT and finding.applied_exemption is None
            ],
            is_folded=True,
        ),
    ]


def _table_text(table: _Table, row_count: int) -> str:
    """The table with its first rows, after the number of those left out."""
    omitted = len(table.rows) - row_count
    note = f"{omitted:,} more than a comment has room for are left out; the other formats have all.\n\n"
    content = f"{note if omitted else ''}{table.columns}{''.join(table.rows[:row_count])}"
    heading = table.heading(len(table.rows))
    if table.is_folded or len(table.rows) > MAX_UNFOLDED_ROWS:
        return f"\n<details><summary>{heading}</summary>\n\n{content}\n</details>\n"
    return f"\n#### {_escape_underscores(heading)}\n\n{content}"


def _account_region(result: Result) -> str:
    return " ".join(part for part in (result.account_id, result.region) if part)


def _place(results: Results, finding: Finding) -> list[str]:
    """The file and line of a planned load balancer."""
    location = results.locations.get(finding.load_balancer_arn)
    if location is None:
        return []
    return [location.file if location.line is None else f"{location.file}:{location.line}"]


def _change(result: Result) -> list[str]:
    """What a planned change does to a result."""
    return [] if result.change is None else [result.change.value]


def _missing_lines(finding: Finding) -> list[str]:
    """The annotation, and each missing permission if there are several."""
    texts = [
        *(phrasing.describe_missing(missing, MAX_PEERS) for missing in finding.missing),
        *(f"unused: {phrasing.describe_unused(entry, MAX_PEERS)}" for entry in finding.unused),
    ]
    if len(texts) < 2:
        return [*_change(finding), finding.annotation]
    lines = texts[:MAX_MISSING]
    omitted = len(texts) - len(lines)
    return [*_change(finding), finding.annotation, *lines, *([f"+{omitted:,} more"] if omitted else [])]


def _table_row(*cells: str | Sequence[str]) -> str:
    """A row. A cell of several texts has a line for each."""
    texts = [[cell] if isinstance(cell, str) else cell for cell in cells]
    return f"| {' | '.join('<br>'.join(map(_code_text, lines)) for lines in texts)} |\n"


def _code_text(text: str) -> str:
    """Text as code without markup, links, mentions or the end of a cell."""
    plain = _MARKUP_CHARACTER.sub(lambda character: f"&#{ord(character[0])};", phrasing.printable(text))
    return f"<code>{plain}</code>" if plain else ""


def _byte_count(text: str) -> int:
    return len(text.encode())
