"""`alb-sg doctor`: whether the deployment works, in an account and region or in an organization."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import UTC, datetime

from alb_sg.aws.account_region import AccountRegion
from alb_sg.command_line.account_options import add_account_option, read_given_accounts
from alb_sg.command_line.argument_types import add_repeatable
from alb_sg.command_line.arguments import Parser, add_output_option, add_text_or_json_option
from alb_sg.command_line.exit_code import ExitCode
from alb_sg.command_line.output import open_output
from alb_sg.command_line.sources.loading import add_live_options
from alb_sg.command_line.sources.role_options import add_role_options, has_role, option_origin
from alb_sg.doctor.check import Check, CheckResult, needs_attention
from alb_sg.doctor.report import write_json, write_text
from alb_sg.errors import InvalidInputError
from alb_sg.observations.applied_options import COMMAND_LINE
from alb_sg.report.style import Style

ACCOUNT = Check("accounts", "Of an account that cannot be read, nothing is known.")
SUMMARY = "check that the deployment works"
DESCRIPTION = """\
Check that the deployment works: the recorder, the rules and how recently they ran, their functions, alarms and failed
events, exemptions and roles. With --aggregator, check the organization from the account with the functions: trusted
access, delegated administrator, StackSets, and what the aggregator covers. Each check says what it found, why it
matters and what to do. With --accounts or --account, check those accounts with a role in each. The command only reads;
docs/doctor.md has the IAM policy that it needs.
"""
EXAMPLES = """\
  alb-sg doctor
  alb-sg doctor --profile shop --region eu-central-1 --region us-east-1
  alb-sg doctor --aggregator alb-sg --format json
  alb-sg doctor --aggregator alb-sg --accounts accounts.json --assume-role alb-sg-doctor
"""
EXIT_CODES = """\
exit codes:
  0  everything was read, and there is no problem
  1  there is a problem, or something could not be read
  2  the command line is invalid, or there is no such aggregator
  3  the role of the one account cannot be assumed, or AWS does not tell the account of the credentials
"""


def add_options(parser: Parser) -> None:
    add_live_options(parser)
    add_role_options(parser)
    parser.add_argument(
        "--accounts",
        metavar="F",
        help="check every active account of this file with --assume-role NAME: what `aws organizations list-accounts` "
        "prints",
    )
    add_account_option(parser, "check this account with --assume-role NAME; repeatable")
    # Every account of the file is chosen.
    parser.set_defaults(unit=[])
    parser.add_argument("--aggregator", metavar="NAME", help="check the organization of this configuration aggregator")
    add_repeatable(
        parser,
        "--stack-set",
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
    many = _checks_many(arguments)
    results = list(_results(arguments, many=many))
    with open_output(arguments.output, machine_readable=arguments.format == "json") as stream:
        if arguments.format == "json":
            write_json(results, stream)
        else:
            write_text(results, stream, Style.for_stream(stream))
    return ExitCode.NEEDS_ATTENTION if needs_attention(results) else ExitCode.SUCCESS


def _checks_many(arguments: argparse.Namespace) -> bool:
    """Whether the run checks accounts with a role in each. Raises InvalidInputError for a contradiction."""
    if not (arguments.accounts or arguments.account):
        return False
    option = "--account" if arguments.account else "--accounts"
    if not has_role(arguments):
        # Other commands take the names of accounts from a configured file.
        if option_origin(arguments, option) != COMMAND_LINE:
            return False
        raise InvalidInputError(f"{option} chooses accounts to check with a role; add --assume-role NAME, or omit it")
    # botocore, as below.
    from alb_sg.aws.roles import ACCOUNT_PLACEHOLDER, parse_role  # noqa: PLC0415 (see above)

    if (account := parse_role(arguments.assume_role).account_id) is not None:
        raise InvalidInputError(
            f"--assume-role is of account {account}, and {option} chooses accounts; write {ACCOUNT_PLACEHOLDER} in its "
            f"place, or omit {option}"
        )
    return True


def _results(arguments: argparse.Namespace, *, many: bool) -> Iterator[CheckResult]:
    # Importing botocore takes a third of a second, which help does not need.
    from alb_sg.command_line.sources.live import open_regions  # noqa: PLC0415 (see above)
    from alb_sg.command_line.sources.sessions import Credentials, given_credentials  # noqa: PLC0415 (see above)
    from alb_sg.doctor.account import check_account  # noqa: PLC0415 (slow, and not always needed)
    from alb_sg.doctor.organization import check_organization  # noqa: PLC0415 (slow, and not always needed)
    from alb_sg.doctor.reader import Reader  # noqa: PLC0415 (slow, and not always needed)

    now = datetime.now(UTC)
    if arguments.aggregator is not None:
        credentials = Credentials(arguments.profile) if many else given_credentials(arguments)
        for place, make_client in open_regions(credentials, arguments.region):
            yield from check_organization(
                Reader(make_client), place, arguments.aggregator, now, arguments.stack_set, with_members=many
            )
    elif not many:
        for place, make_client in open_regions(given_credentials(arguments), arguments.region):
            yield from check_account(Reader(make_client), place, now)
    if many:
        yield from _results_of_many(arguments, now)


def _results_of_many(arguments: argparse.Namespace, now: datetime) -> Iterator[CheckResult]:
    """The checks of each account and region, several at the same time, in order."""
    from alb_sg.command_line.accounts.opened_accounts import open_accounts  # noqa: PLC0415 (see above)
    from alb_sg.command_line.accounts.threads import run_in_threads  # noqa: PLC0415 (see above)
    from alb_sg.command_line.sources.live import client_factory  # noqa: PLC0415 (see above)
    from alb_sg.doctor.account import check_account  # noqa: PLC0415 (see above)
    from alb_sg.doctor.reader import Reader  # noqa: PLC0415 (see above)

    opened = open_accounts(arguments, read_given_accounts(arguments))
    for error in sorted(opened.errors, key=lambda error: error.sort_key):
        yield ACCOUNT.unread(error.account_id, f"{error.what}: {error.cause}")

    def check(place: AccountRegion) -> list[CheckResult]:
        # Sessions are not made for several threads.
        session = opened.by_id[place.account_id].credentials.open_session()
        return list(check_account(Reader(client_factory(session, place)), place, now))

    results = dict(run_in_threads(check, opened.account_regions, "checking accounts and regions"))
    for place in sorted(results):
        yield from results[place]
