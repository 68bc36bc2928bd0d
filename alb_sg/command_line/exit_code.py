"""What the command's exit code says."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from alb_sg.findings.finding import Compliance, EvaluationError, Finding


class ExitCode(IntEnum):
    """`NON_COMPLIANT` and `WANTS_ATTENTION` are one: something is to be done. `INTERRUPTED` and
    `BROKEN_PIPE` are what shells know: 128 and the number of the signal."""

    SUCCESS = 0
    NON_COMPLIANT = 1
    NEEDS_ATTENTION = 1
    INVALID_INPUT = 2
    INCOMPLETE_EVALUATION = 3
    INTERRUPTED = 130
    BROKEN_PIPE = 141


EXIT_CODES = """exit codes:
  0  no load balancer is NON_COMPLIANT
  1  some are
  2  the call or its input cannot be used
  3  something could not be read or judged, also where others are NON_COMPLIANT
"""


def exit_code(findings: Iterable[Finding], errors: Iterable[EvaluationError]) -> ExitCode:
    """An error weighs more than a verdict: nobody may take a partial answer for a whole one."""
    if any(True for _ in errors):
        return ExitCode.INCOMPLETE_EVALUATION
    if any(finding.compliance is Compliance.NON_COMPLIANT for finding in findings):
        return ExitCode.NON_COMPLIANT
    return ExitCode.SUCCESS
