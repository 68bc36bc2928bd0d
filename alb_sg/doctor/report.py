"""The results of the checks as text and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import groupby
from operator import attrgetter
from typing import TextIO

from alb_sg.doctor.check import CheckResult, CheckStatus
from alb_sg.findings.phrasing import pluralize, printable
from alb_sg.report.json_report import write_json_document
from alb_sg.report.style import Style

_LABELS = {
    CheckStatus.PROBLEM: "PROBLEM",
    CheckStatus.UNREAD: "NOT READ",
    CheckStatus.NOTICE: "NOTICE",
    CheckStatus.OK: "ok",
}
_WIDTH = max(map(len, _LABELS.values()))


def write_text(results: Sequence[CheckResult], stream: TextIO, style: Style) -> None:
    """The results by check, in the order in which they came, and a line that counts them."""
    stream.writelines(f"{line}\n" for line in _lines(results, style))


def _lines(results: Sequence[CheckResult], style: Style) -> Iterator[str]:
    colors = {CheckStatus.PROBLEM: style.bad, CheckStatus.OK: style.good}
    order = list(dict.fromkeys(result.check for result in results))
    ordered = sorted(results, key=lambda result: order.index(result.check))
    for name, of_check in groupby(ordered, key=attrgetter("check")):
        found = list(of_check)
        yield f"{style.bold(name)}  {style.dim(found[0].why)}"
        for result in found:
            label = colors.get(result.status, style.warning)(_LABELS[result.status].ljust(_WIDTH))
            yield f"  {label}  {printable(f'{result.place}: {result.found}')}"
            if result.action:
                yield f"  {' ' * _WIDTH}  to do: {printable(result.action)}"
    counts = Counter(result.status for result in results)
    yield (
        f"{pluralize(len(results), 'result')}: {pluralize(counts[CheckStatus.PROBLEM], 'problem')}, "
        f"{counts[CheckStatus.UNREAD]} not read, {pluralize(counts[CheckStatus.NOTICE], 'notice')}."
    )


def write_json(results: Sequence[CheckResult], stream: TextIO) -> None:
    counts = Counter(result.status for result in results)
    document = {
        "version": 1,
        "results": [{**asdict(result), "status": result.status.value} for result in results],
        "summary": {status.value: counts[status] for status in CheckStatus},
    }
    write_json_document(document, stream)
