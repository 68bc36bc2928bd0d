"""`alb-sg doctor`: whether the deployment works, in an account and region or in an organization."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import UTC, datetime

from alb_sg.command_line.arguments import Commands, add_command, add_output_option, add_text_or_json_option
from alb_sg.command_line.exit_code import ExitCode
from alb_sg.command_line.output import open_output
from alb_sg.command_line.sources.loading import add_live_options
from alb_sg.command_line.sources.role_options import add_role_options
from alb_sg.doctor.check import CheckResult, needs_attention
from alb_sg.doctor.report import write_json, write_text
from alb_sg.errors import InvalidInputError
from alb_sg.report.style import Style

DESCRIPTION = """\
Check that the deployment works: the recorder, the rules and how recently they ran, their functions, alarms and failed
events, exemptions and roles. With --aggregator, check the organization from the account with the functions: trusted
access, delegated administrator, StackSets, and what the aggregator covers. Each check says what it found, why it
matters and what to do. The command only reads; docs/doctor.md has the IAM policy that it needs.
"""
EXAMPLES = """\
  alb-sg doctor
  alb-sg doctor --profile shop --region eu-central-1 --region us-east-1
  alb-sg doctor --aggregator alb-sg --format json
"""
EXIT_CODES = """\
exit codes:
  0  everything was read, and there is no problem
  1  there is a problem, or something could not be read
  2  the command line is invalid, or there is no such aggregator
  3  the role cannot be assumed, or AWS does not tell the account of the credentials
"""


def add_doctor(commands: Commands) -> None:
    parser = add_command(
        commands,
        "doctor",
        run,
        summary="check that the deployment works",
        description=DESCRIPTION,
        examples=EXAMPLES,
        exit_codes=EXIT_CODES,
    )
    add_live_options(parser)
    add_role_options(parser)
    parser.add_argument("--aggregator", metavar="NAME", help="check the organization of this configuration aggregator")
    parser.add_argument(
        "--stack-set",
        action="append",
        default=[],
        metavar="NAME",
        help="with --aggregator: a StackSet of the deployment; repeatable (default: all with alb-sg in their names)",
    )
    add_text_or_json_option(parser)
    add_output_option(parser)


def run(arguments: argparse.Namespace) -> int:
    if arguments.stack_set and arguments.aggregator is None:
        raise InvalidInputError("--stack-set is for an organization; add --aggregator NAME, or omit it")
    if arguments.aggregator is not None and len(set(arguments.region)) > 1:
        raise InvalidInputError("an aggregator is in one region; give --region once")
    results = list(_results(arguments))
    with open_output(arguments.output, machine_readable=arguments.format == "json") as stream:
        if arguments.format == "json":
            write_json(results, stream)
        else:
            write_text(results, stream, Style.for_stream(stream))
    return ExitCode.NEEDS_ATTENTION if needs_attention(results) else ExitCode.SUCCESS


def _results(arguments: argparse.Namespace) -> Iterator[CheckResult]:
    # Importing botocore takes a third of a second, which help does not need.
    from alb_sg.command_line.sources.live import open_regions  # noqa: PLC0415 (see above)
    from alb_sg.command_line.sources.sessions import given_credentials  # noqa: PLC0415 (see above)
    from alb_sg.doctor.account import check_account  # noqa: PLC0415 (slow, and not always needed)
    from alb_sg.doctor.organization import check_organization  # noqa: PLC0415 (slow, and not always needed)
    from alb_sg.doctor.reader import Reader  # noqa: PLC0415 (slow, and not always needed)

    now = datetime.now(UTC)
    for place, make_client in open_regions(given_credentials(arguments), arguments.region):
        reader = Reader(make_client)
        if arguments.aggregator is None:
            yield from check_account(reader, place, now)
        else:
            yield from check_organization(reader, place, arguments.aggregator, now, arguments.stack_set)
