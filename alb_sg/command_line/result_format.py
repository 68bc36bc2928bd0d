"""The options for output formats, and writing results in the chosen format."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from typing import TextIO

from alb_sg.command_line.argument_types import time_with_zone
from alb_sg.command_line.settings_option import add_settings_option
from alb_sg.observations.results import Results
from alb_sg.report.formats import FORMATS, TEXT
from alb_sg.report.text import write_errors


def add_format_options(parser: argparse.ArgumentParser) -> None:
    add_settings_option(parser)
    parser.add_argument(
        "--format",
        choices=FORMATS,
        default=TEXT,
        help="text for people (default); json, jsonl (a finding per line) and csv for programs; markdown for a pull "
        "request's comment; sarif, junit, asff (Security Hub) and ocsf for other systems",
    )
    parser.add_argument(
        "--as-of",
        type=time_with_zone,
        metavar="TIME",
        help="junit, asff, ocsf: the time that the results describe, such as 2027-01-31T08:00:00Z (default: now)",
    )


def is_machine_readable(arguments: argparse.Namespace) -> bool:
    """Whether the format is for programs, which expect UTF-8 whatever the terminal's encoding."""
    return bool(arguments.format != TEXT)


def write_formatted(results: Results, arguments: argparse.Namespace, stream: TextIO) -> None:
    """Writes results in the format of `--format`, and to standard error the errors that the format cannot hold."""
    # Some formats are slow to import.
    from alb_sg.report.writing import write_results  # noqa: PLC0415

    as_of: datetime = arguments.as_of or datetime.now(UTC)
    write_errors(write_results(results, arguments.format, stream, as_of), sys.stderr)
