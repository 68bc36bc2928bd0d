"""The exit codes of the command, and the option `--fail-on`, which says what makes them other than 0."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from enum import Enum, IntEnum

from alb_sg.errors import InvalidInputError
from alb_sg.findings.finding import NEW_CHANGES, Compliance, EvaluationError, Finding, Result
from alb_sg.recommendations.catalogue import rule_severity
from alb_sg.recommendations.recommendation import Severity


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


def exit_code(results: Iterable[Result]) -> ExitCode:
    """Errors take precedence over verdicts, so that nobody mistakes a partial result for a complete one."""
    code = ExitCode.SUCCESS
    for one in results:
        if isinstance(one, EvaluationError):
            return ExitCode.INCOMPLETE_EVALUATION
        if one.compliance is Compliance.NON_COMPLIANT:
            code = ExitCode.NON_COMPLIANT
    return code


class FailOn(Enum):
    """What counts for the exit code. Whatever it is, findings and errors are printed."""

    ANY = "any"
    NON_COMPLIANT = "non-compliant"
    HIGH = "high"
    NEW = "new"
    NEVER = "never"


def add_fail_on_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--fail-on",
        choices=[choice.value for choice in FailOn],
        default=FailOn.ANY.value,
        help="what makes the exit code other than 0: any NON_COMPLIANT finding or error (default); findings alone; "
        "findings of severity HIGH or CRITICAL alone; for a planned estate over one that exists, what the change newly "
        "breaks, or makes impossible to judge; or never",
    )


def refuse_fail_on(arguments: argparse.Namespace, *, over_existing: bool) -> None:
    """Raises InvalidInputError where `--fail-on new` has nothing to compare. `over_existing`: a change is judged over
    what exists."""
    if FailOn(arguments.fail_on) is FailOn.NEW and not over_existing:
        raise InvalidInputError(
            "--fail-on new needs what exists before the change: give --terraform-plan or --template, over --estate, "
            "--profile or --region"
        )


def exit_code_by_choice(
    arguments: argparse.Namespace, findings: Iterable[Finding], errors: Iterable[EvaluationError]
) -> ExitCode:
    """The exit code by `--fail-on`."""
    match FailOn(arguments.fail_on):
        case FailOn.ANY:
            return exit_code([*findings, *errors])
        case FailOn.NON_COMPLIANT:
            return exit_code(findings)
        case FailOn.HIGH:
            return exit_code(one for one in findings if rule_severity(one.rule) <= Severity.HIGH)
        case FailOn.NEW:
            return exit_code(one for one in [*findings, *errors] if one.change in NEW_CHANGES)
        case FailOn.NEVER:
            return ExitCode.SUCCESS
