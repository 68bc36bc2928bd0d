"""One line of a benchmark's results, and the table of them all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

RATIO_UNIT = "\N{MULTIPLICATION SIGN}"


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured. `value` is a ratio (`unit` TIMES) or a figure in `unit`; `limit` is what it should stay at or
    below, None where it is only to be known. `against` says what it is compared with, `detail` gives the absolute
    figures."""

    name: str
    value: float
    unit: str
    limit: float | None
    comparison: str
    detail: str

    @property
    def is_met(self) -> bool:
        return self.limit is None or self.value <= self.limit


COLUMNS = ("benchmark", "result", "limit", "", "against", "figures")


def markdown_table(rows: Iterable[Row]) -> str:
    """The table in Markdown."""
    return (
        "\n".join(f"| {' | '.join(cells)} |" for cells in (COLUMNS, ["---"] * len(COLUMNS), *_table_rows(rows))) + "\n"
    )


def _table_rows(rows: Iterable[Row]) -> Iterator[tuple[str, ...]]:
    for row in rows:
        limit = "" if row.limit is None else f"≤ {row.limit:g} {row.unit}"
        said = "" if row.limit is None else "met" if row.is_met else "**missed**"
        yield (row.name, f"{row.value:.3g} {row.unit}", limit, said, row.comparison, row.detail)
