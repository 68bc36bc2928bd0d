"""The results of the checks as text and as JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from typing import TextIO

from alb_sg.doctor.check import CheckResult, CheckStatus
from alb_sg.findings.phrasing import pluralize, printable
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
    order = list(dict.fromkeys(result.check for result in results))
    ordered = sorted(results, key=lambda result: order.index(result.check))
    for name, of_check in groupby(ordered, key=attrgetter("check")):
        found = list(of_check)
        yield f"{style.bold(name)}  {style.dim(found[0].why)}"
        for result in found:
            label = _colored(result.status, _LABELS[result.status].ljust(_WIDTH), style)
            yield f"  {label}  {printable(f'{result.place}: {result.found}')}"
            if result.action:
                yield f"  {' ' * _WIDTH}  to do: {printable(result.action)}"
    counts = Counter(result.status for result in results)
    yield (
        f"{pluralize(len(results), 'result')}: {pluralize(counts[CheckStatus.PROBLEM], 'problem')}, "
        f"{counts[CheckStatus.UNREAD]} not read, {pluralize(counts[CheckStatus.NOTICE], 'notice')}."
    )


def _colored(status: CheckStatus, text: str, style: Style) -> str:
    match status:
        case CheckStatus.PROBLEM:
            return style.bad(text)
        case CheckStatus.OK:
            return style.good(text)
    return style.warning(text)


def write_json(results: Sequence[CheckResult], stream: TextIO) -> None:
    counts = Counter(result.status for result in results)
    document = {
        "version": 1,
        "results": [_result_object(result) for result in results],
        "summary": {status.value: counts[status] for status in CheckStatus},
    }
    json.dump(document, stream, indent=2, ensure_ascii=False)
    stream.write("\n")


def _result_object(result: CheckResult) -> Mapping[str, str]:
    return {
        "check": result.check,
        "place": result.place,
        "status": result.status.value,
        "found": result.found,
        "why": result.why,
        "action": result.action,
    }
