"""Lines of text, with colors on a terminal only."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TextIO

from alb_sg.findings.finding import Compliance, EvaluationError, Result

# Select Graphic Rendition parameters (ECMA-48).
BOLD, DIM, RED, GREEN, YELLOW = "1", "2", "31", "32", "33"


def write_lines(lines: Iterable[str], stream: TextIO) -> None:
    stream.writelines(f"{line}\n" for line in lines)


@dataclass(frozen=True, slots=True)
class Style:
    """Colors of text. Without `color`, text stays unchanged."""

    color: bool = False

    @staticmethod
    def for_stream(stream: TextIO) -> Style:
        """Colors if the stream is a terminal that shows them; none with NO_COLOR (no-color.org), and else always with
        FORCE_COLOR (force-color.org)."""
        if os.environ.get("NO_COLOR"):
            return Style()
        if os.environ.get("FORCE_COLOR"):
            return Style(color=True)
        return Style(color=os.environ.get("TERM") != "dumb" and stream.isatty())

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

    def in_verdict_color(self, result: Result, text: str) -> str:
        if isinstance(result, EvaluationError) or result.applied_exemption is not None:
            return self.warning(text)
        match result.compliance:
            case Compliance.COMPLIANT:
                return self.good(text)
            case Compliance.NON_COMPLIANT:
                return self.bad(text)
            case Compliance.NOT_APPLICABLE:
                return self.dim(text)

    def _with_code(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.color else text
