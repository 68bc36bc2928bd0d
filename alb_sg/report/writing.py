"""Results in each of the formats of `--format`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TextIO

from alb_sg.findings.finding import EvaluationError
from alb_sg.observations.results import Results
from alb_sg.report.asff import write_asff
from alb_sg.report.csv_report import write_csv
from alb_sg.report.formats import ASFF, CSV, JSON, JSON_LINES, TEXT
from alb_sg.report.json_report import write_json, write_json_lines
from alb_sg.report.junit import write_junit
from alb_sg.report.markdown import write_markdown
from alb_sg.report.ocsf import write_ocsf
from alb_sg.report.sarif import write_sarif
from alb_sg.report.style import Style
from alb_sg.report.text import write_text

# The formats that have a place for every error.
_WRITERS: dict[str, Callable[[Results, TextIO, datetime], None]] = {
    TEXT: lambda results, stream, _: write_text(results, stream, Style.for_stream(stream)),
    JSON: lambda results, stream, _: write_json(results, stream),
    JSON_LINES: lambda results, stream, _: write_json_lines(results, stream),
    "sarif": lambda results, stream, _: write_sarif(results, stream),
    "junit": write_junit,
    "markdown": lambda results, stream, _: write_markdown(results, stream),
    "ocsf": write_ocsf,
}


def write_results(results: Results, format_name: str, stream: TextIO, as_of: datetime) -> Sequence[EvaluationError]:
    """Writes results, and returns the errors that the format has no place for: the caller shows them.

    `as_of` is the time that the results describe, for the formats that must name one (JUnit, ASFF and OCSF).
    """
    if format_name == ASFF:
        return write_asff(results, stream, as_of)
    if format_name == CSV:
        write_csv(results, stream)
        return results.errors
    _WRITERS[format_name](results, stream, as_of)
    return ()
