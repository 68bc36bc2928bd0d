"""`alb-sg export`: save an account and region as a file, to judge it offline."""

from __future__ import annotations

import argparse

from alb_sg.command_line.account_options import add_accounts_choice, add_accounts_option, read_given_accounts
from alb_sg.command_line.arguments import Parser
from alb_sg.command_line.exit_code import ExitCode
from alb_sg.command_line.output import open_output, write_errors
from alb_sg.command_line.sources.loading import add_live_options
from alb_sg.command_line.sources.role_options import add_roles_options, reads_with_role, refuse_choice_of_accounts
from alb_sg.estate.export_file import write_export_file

SUMMARY = "save an account for offline use"
DESCRIPTION = """\
Read load balancers, listeners, target groups and registrations, security groups, VPCs, network interfaces,
instances, prefix lists and tags of an account, and write them as a saved estate for the option `--estate` of the other
commands. The file holds the API's values and no secrets. One region is one JSON object; several regions are a list.
If any call fails, the command writes nothing and exits with 3. With --assume-role and several accounts and regions, it
writes all that could be read whole, names the others, and exits with 3.
"""
EXAMPLES = """\
  alb-sg export --output estate.json
  alb-sg export --profile audit --region eu-west-1 --region us-east-1 --output estate.json.gz
  alb-sg export --accounts accounts.json --assume-role alb-sg-reader --region all --output organization.json.gz
  alb-sg check --estate estate.json
"""
EXIT_CODES = """\
exit codes:
  0  the file is written
  2  the call cannot be used, or the file cannot be written
  3  something could not be read, and is not in the file
"""


def add_options(parser: Parser) -> None:
    add_live_options(parser)
    add_accounts_option(parser)
    add_accounts_choice(parser)
    add_roles_options(parser, resumes="what was exported")
    parser.add_argument(
        "-o",
        "--output",
        required=True,
        metavar="F",
        help="the file to write, compressed if it ends in .gz; - is standard output",
    )


def run(arguments: argparse.Namespace) -> int:
    if reads_with_role(arguments):
        return _export_accounts(arguments)
    refuse_choice_of_accounts(arguments)
    # Importing boto3 takes a third of a second, which commands on files do not need.
    from alb_sg.command_line.sources.live import export_regions  # noqa: PLC0415 (see above)
    from alb_sg.command_line.sources.sessions import Credentials  # noqa: PLC0415 (see above)

    with open_output(arguments.output, machine_readable=True) as stream:
        write_export_file(export_regions(Credentials(arguments.profile), arguments.region), stream)
    return ExitCode.SUCCESS


def _export_accounts(arguments: argparse.Namespace) -> ExitCode:
    """Exports accounts that are read with a role."""
    from alb_sg.command_line.accounts.export import export_accounts, write_exports  # noqa: PLC0415 (it imports boto3)

    with export_accounts(arguments, read_given_accounts(arguments)) as account_results:
        with open_output(arguments.output, machine_readable=True) as stream:
            errors = write_exports(account_results, stream)
        write_errors(errors)
    return ExitCode.INCOMPLETE_EVALUATION if errors else ExitCode.SUCCESS
