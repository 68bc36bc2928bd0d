"""In which format results are written, for every command that has some."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from typing import TextIO

from alb_sg.observations.results import Results
from alb_sg.report import phrasing
from alb_sg.report.formats import FORMATS, TEXT


def add_format_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--format",
        choices=FORMATS,
        default=TEXT,
        help="text for people (default); json, jsonl (a finding per line) and csv for programs; markdown for a pull "
        "request's comment; sarif, junit, asff (Security Hub) and ocsf for other systems",
    )
    parser.add_argument(
        "--as-of",
        type=_parse_time,
        metavar="TIME",
        help="the time that asff and ocsf name, such as 2027-01-31T08:00:00Z (default: now)",
    )


def is_machine_readable(arguments: argparse.Namespace) -> bool:
    """Whether the format is for programs, which want UTF-8 whatever the terminal's encoding is."""
    return bool(arguments.format != TEXT)


def write_formatted(results: Results, arguments: argparse.Namespace, stream: TextIO) -> None:
    """Writes results as `--format` asks, and errors that have no place in it to standard error."""
    # The formats of other systems take long to import.
    from alb_sg.report.writing import write_results  # noqa: PLC0415

    as_of: datetime = arguments.as_of or datetime.now(UTC)
    for error in write_results(results, arguments.format, stream, as_of):
        where = f"{error.load_balancer_arn}: " if error.load_balancer_arn else ""
        sys.stderr.write(phrasing.printable(f"alb-sg: {where}{phrasing.error_subject(error)}: {error.cause}") + "\n")


def _parse_time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
        if time.tzinfo is not None:
            return time.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise argparse.ArgumentTypeError(f"{text!r} is not a time with its zone, such as 2027-01-31T08:00:00Z")
