"""Notes on standard error, beside the output of a command."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from alb_sg.findings.finding import EvaluationError
from alb_sg.report.phrasing import describe_error, printable


def write_note(sentence: str) -> None:
    """Writes one line. Names in it may come from anybody, so it keeps no control characters."""
    sys.stderr.write(printable(f"alb-sg: {sentence}") + "\n")


def write_errors(errors: Iterable[EvaluationError]) -> None:
    """Writes the errors that a report has no place for, a line each."""
    for error in errors:
        subject = f"{error.load_balancer_arn}: " if error.load_balancer_arn else ""
        write_note(f"{subject}{describe_error(error)}")
