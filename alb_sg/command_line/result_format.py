"""The options for output formats, and writing results in the chosen format."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from alb_sg.command_line.argument_types import time_with_zone
from alb_sg.command_line.arguments import add_history_option
from alb_sg.command_line.output import write_errors
from alb_sg.command_line.settings_option import add_settings_option
from alb_sg.errors import InvalidInputError
from alb_sg.observations.results import Results
from alb_sg.report.formats import COMPARING_FORMATS, CSV, FAILURE_FORMATS, FORMATS, TEXT, FormatOptions

if TYPE_CHECKING:
    # Slow to import, and for a history alone.
    from alb_sg.observations.observation import Observation


def add_format_options(parser: argparse.ArgumentParser) -> None:
    add_settings_option(parser)
    parser.add_argument(
        "-f",
        "--format",
        choices=FORMATS,
        default=TEXT,
        help="text for people (default); json, jsonl (a finding per line) and csv for programs; markdown for a pull "
        "request's comment; sarif, junit, asff (Security Hub) and ocsf for other systems",
    )
    parser.add_argument(
        "--all",
        action="store_true",
        dest="every_verdict",
        help="text, sarif, asff: write every verdict (default: only NON_COMPLIANT ones and errors); the "
        "other formats always do",
    )
    parser.add_argument(
        "-q",
        "--quiet",
        action="store_true",
        help="print no results; the exit code has the answer. --output is still written",
    )
    parser.add_argument("--summary", action="store_true", help="text: print the counts of each rule alone")
    parser.add_argument(
        "--spreadsheet",
        action="store_true",
        help="csv: for Excel, LibreOffice and Google Sheets, with a byte order mark, and with account ids as text, so "
        "that they keep leading zeros",
    )
    add_history_option(parser, "asff, ocsf: ")
    parser.add_argument(
        "--as-of",
        type=time_with_zone,
        metavar="TIME",
        help="junit, asff, ocsf: the time that the results describe, such as 2027-01-31T08:00:00Z (default: now)",
    )


def prepare_format(arguments: argparse.Namespace) -> None:
    """Sends quiet results nowhere. Raises InvalidInputError for an option that does not concern the format."""
    if arguments.quiet and arguments.output is None:
        arguments.output = os.devnull
    for given, option, formats in (
        (arguments.every_verdict, "--all", FAILURE_FORMATS),
        (arguments.summary, "--summary", (TEXT,)),
        (arguments.spreadsheet, "--spreadsheet", (CSV,)),
        (arguments.history, "--history", COMPARING_FORMATS),
    ):
        if given and arguments.format not in formats:
            others = f"{', '.join(formats[:-1])} or " if len(formats) > 1 else ""
            raise InvalidInputError(f"{option} is for --format {others}{formats[-1]}; omit it with {arguments.format}")


def write_formatted(
    results: Results,
    arguments: argparse.Namespace,
    stream: TextIO,
    observe: Callable[[datetime], Observation] | None = None,
) -> Callable[[], None]:
    """Writes results in the format of `--format`, and to standard error the errors that the format cannot hold.

    `observe` gives the observation of the results at a time, for `--history`; None where they have no history. Returns
    what adds the run to the history: call it once the output is complete, so that no run is compared with one that
    nobody has seen.
    """
    # Some formats are slow to import.
    from alb_sg.report.writing import write_results  # noqa: PLC0415 (slow, and not always needed)

    options = FormatOptions(
        arguments.as_of or datetime.now(UTC),
        # What --status names is listed.
        every_verdict=arguments.every_verdict or bool(arguments.status),
        for_spreadsheets=arguments.spreadsheet,
        summary=arguments.summary,
        applied_options=arguments.applied_options,
    )
    if arguments.history is None or observe is None:
        write_errors(write_results(results, arguments.format, stream, options))
        return lambda: None
    # Most runs keep no history.
    from alb_sg.command_line.history import add_to_history, earlier_results, read_earlier_runs  # noqa: PLC0415 (slow, and not always needed)
    from alb_sg.dashboard.history import make_run  # noqa: PLC0415 (slow, and not always needed)

    folder, run = Path(arguments.history), make_run(observe(options.as_of))
    earlier = earlier_results(read_earlier_runs(folder, options.as_of).runs, run)
    unplaced = write_results(results, arguments.format, stream, replace(options, earlier=earlier))
    write_errors(unplaced)
    return lambda: add_to_history(run, folder, options.as_of)
