"""Notes on standard error, beside the output of a command."""

from __future__ import annotations

import sys

from alb_sg.findings.phrasing import printable


def write_note(sentence: str) -> None:
    """Writes one line. Names in it may come from anybody, so it keeps no control characters."""
    sys.stderr.write(printable(f"alb-sg: {sentence}") + "\n")
