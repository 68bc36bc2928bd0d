"""The exit codes of the command."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from alb_sg.findings.finding import Compliance, EvaluationError, Finding


class ExitCode(IntEnum):
    """`NON_COMPLIANT` and `NEEDS_ATTENTION` share a number: the reader has to act. `INTERRUPTED` and `BROKEN_PIPE`
    follow the shells' convention: 128 plus the number of the signal."""

    SUCCESS = 0
    NON_COMPLIANT = 1
    NEEDS_ATTENTION = 1
    INVALID_INPUT = 2
    INCOMPLETE_EVALUATION = 3
    INTERRUPTED = 130
    BROKEN_PIPE = 141


EXIT_CODES = """exit codes:
  0  no load balancer is NON_COMPLIANT
  1  at least one load balancer is NON_COMPLIANT
  2  the command line or its input is invalid
  3  something could not be read or judged, also if others are NON_COMPLIANT
"""


def exit_code(findings: Iterable[Finding], errors: Iterable[EvaluationError]) -> ExitCode:
    """Errors take precedence over verdicts, so that nobody mistakes a partial result for a complete one."""
    if any(True for _ in errors):
        return ExitCode.INCOMPLETE_EVALUATION
    if any(finding.compliance is Compliance.NON_COMPLIANT for finding in findings):
        return ExitCode.NON_COMPLIANT
    return ExitCode.SUCCESS
