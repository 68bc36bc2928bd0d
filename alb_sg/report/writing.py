"""Results in each of the formats of `--format`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TextIO

from alb_sg.findings.finding import EvaluationError
from alb_sg.observations.results import Results
from alb_sg.report.asff import write_asff
from alb_sg.report.csv_report import write_csv
from alb_sg.report.formats import (
    ASFF,
    CSV,
    JSON,
    JSON_LINES,
    JUNIT,
    MARKDOWN,
    OCSF,
    SARIF,
    TEXT,
    FormatOptions,
)
from alb_sg.report.json_report import write_json, write_json_lines
from alb_sg.report.junit import write_junit
from alb_sg.report.markdown import render_markdown
from alb_sg.report.ocsf import write_ocsf
from alb_sg.report.sarif import write_sarif
from alb_sg.report.style import Style, write_lines
from alb_sg.report.text import summary_lines, text_lines


def _write_text(results: Results, stream: TextIO, options: FormatOptions) -> None:
    style = Style.for_stream(stream)
    if options.summary:
        write_lines(summary_lines(results, style), stream)
    else:
        write_lines(text_lines(results, style, every_verdict=options.every_verdict), stream)


# The formats that have a place for every error.
_WRITERS: dict[str, Callable[[Results, TextIO, FormatOptions], object]] = {
    TEXT: _write_text,
    JSON: lambda results, stream, options: write_json(results, stream, options.applied_options),
    JSON_LINES: lambda results, stream, _: write_json_lines(results, stream),
    CSV: lambda results, stream, options: write_csv(results, stream, for_spreadsheets=options.for_spreadsheets),
    SARIF: lambda results, stream, options: write_sarif(results, stream, every_verdict=options.every_verdict),
    JUNIT: write_junit,
    MARKDOWN: lambda results, stream, _: stream.write(render_markdown(results)),
    OCSF: write_ocsf,
}


def write_results(
    results: Results, format_name: str, stream: TextIO, options: FormatOptions
) -> Sequence[EvaluationError]:
    """Writes results, and returns the errors that the format has no place for: the caller shows them."""
    if format_name == ASFF:
        return write_asff(results, stream, options)
    _WRITERS[format_name](results, stream, options)
    return ()
