"""Colour, on a terminal only."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TextIO

from alb_sg.findings.finding import Compliance, EvaluationError, Finding

# Select Graphic Rendition parameters (ECMA-48).
BOLD, DIM, RED, GREEN, YELLOW = "1", "2", "31", "32", "33"


@dataclass(frozen=True, slots=True)
class Style:
    """How text is set off; without `colour` everything stays as it is."""

    color: bool = False

    @staticmethod
    def for_stream(stream: TextIO) -> Style:
        """Colour where the stream is a terminal that shows it and nobody asked for none (no-color.org)."""
        wanted = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        return Style(wanted and stream.isatty())

    def bold(self, text: str) -> str:
        return self._with_code(BOLD, text)

    def dim(self, text: str) -> str:
        return self._with_code(DIM, text)

    def good(self, text: str) -> str:
        return self._with_code(GREEN, text)

    def bad(self, text: str) -> str:
        return self._with_code(RED, text)

    def warning(self, text: str) -> str:
        return self._with_code(YELLOW, text)

    def in_verdict_color(self, result: Finding | EvaluationError, text: str) -> str:
        """The text in the colour of a verdict."""
        if isinstance(result, EvaluationError):
            return self.warning(text)
        if result.applied_exemption is not None:
            return self.warning(text)
        return {Compliance.COMPLIANT: self.good, Compliance.NON_COMPLIANT: self.bad}.get(result.compliance, self.dim)(
            text
        )

    def _with_code(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.color else text
