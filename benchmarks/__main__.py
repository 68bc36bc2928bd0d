"""Speed, memory and numbers of calls, each beside what it is compared with.

    python -m benchmarks [NAME,…]

Prints a table as it is measured. All benchmarks together are also written to benchmarks/RESULTS.md, ratios first, with
the machine and the date; some of them alone change no file. The exit code is 1 where a benchmark got a result that is
wrong, such as a verdict. A limit that is missed is shown, and is no error.
"""

from __future__ import annotations

import argparse
import io
import os
import platform
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

from benchmarks.table import RATIO_UNIT, Row, markdown_table

# Modules here whose `rows` measures; in the order in which they run.
BENCHMARKS = ("snapshot", "judging", "planned", "calls", "event", "hook", "functions", "dashboard")
RESULTS = Path(__file__).with_name("RESULTS.md")


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME,…", help=f"some of {', '.join(BENCHMARKS)} (default: all)")
    names = [name for text in parser.parse_args(argv).names for name in text.split(",") if name]
    unknown = sorted(set(names) - set(BENCHMARKS))
    if unknown:
        parser.error(f"no benchmark is called {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    rows: list[Row] = []
    wrong = []
    for name in names or BENCHMARKS:
        try:
            for row in _measure(name):
                rows.append(row)
                print(_row_text(row), flush=True)
        except AssertionError:
            traceback.print_exc()
            wrong.append(name)
    if wrong:
        print(f"wrong results in {', '.join(wrong)}; nothing was written", file=sys.stderr)
        return 1
    if not names:
        RESULTS.write_text(_results_page(rows), encoding="utf-8")
    return 0


def _measure(name: str) -> Iterator[Row]:
    """The rows of a benchmark, without what the measured functions log."""
    measured: Iterator[Row] = import_module(f"benchmarks.{name}").rows()
    while True:
        with redirect_stdout(io.StringIO()):
            row = next(measured, None)
        if row is None:
            return
        yield row


def _row_text(row: Row) -> str:
    limit = "" if row.limit is None else f"{'met' if row.is_met else 'MISSED'}, {row.limit:g} at most"
    return f"{row.value:10.3g} {row.unit:3} {row.name:60} {limit:22} {row.detail}"


def _results_page(rows: Sequence[Row]) -> str:
    ratios_first = sorted(rows, key=lambda row: row.unit != RATIO_UNIT)
    return f"""# What it costs

`make bench` writes this page. A ratio is of runs taken in turn on the same machine; verdicts and other results are
checked in every run. What is ours is Python, what it is compared with often C: with a Python that was built without
profile-guided optimization, as pyenv builds it unless told otherwise, such a ratio is about a tenth higher than with
that of a distribution.

{datetime.now(UTC):%Y-%m-%d}, {_describe_machine()}

{markdown_table(ratios_first)}"""


def _describe_machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{_processor_name()}, {os.cpu_count()} processors, {memory:.0f} GiB of memory, {platform.system()}, "
        f"{platform.python_implementation()} {platform.python_version()}"
    )


def _processor_name() -> str:
    """The processor's name where the system tells it, else its architecture."""
    told = Path("/proc/cpuinfo")
    lines = told.read_text(encoding="utf-8").splitlines() if told.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


if __name__ == "__main__":
    sys.exit(main())
