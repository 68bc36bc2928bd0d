"""The options that read other accounts with a role."""

from __future__ import annotations

import argparse
import re

from alb_sg.command_line.argument_types import given_option, text_like
from alb_sg.errors import InvalidInputError
from alb_sg.observations.applied_options import COMMAND_LINE

DEFAULT_SESSION_NAME = "alb-sg"
# AWS STS API reference, AssumeRole.
SESSION_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)
ROLE_HELP = """\
another account:
  --assume-role arn:aws:iam::111122223333:role/NAME makes all calls in that account with the role, which needs the
  permissions that the command needs.
"""
ARN_HELP = """\
  arn:aws:iam::{account}:role/NAME, or NAME alone, is the role in the account that the load balancer's ARN names.
"""
ROLES_HELP = """\
other accounts:
  --assume-role arn:aws:iam::111122223333:role/NAME reads that account. arn:aws:iam::{account}:role/NAME, or NAME alone,
  reads every active account of --accounts F, or each --account ID, in all regions asked for. Accounts and regions are
  read in parallel, each within its own API rates, and judged one by one, as a run in each account would. What cannot
  be read is an error that names account, role and what to do; everything else is judged. If a role of every account is
  refused in the account of the credentials themselves, these read it.
"""


def add_role_options(parser: argparse.ArgumentParser, *, names_load_balancers: bool = False) -> None:
    """Adds the options to a command about one account. `names_load_balancers`: their ARNs may tell the account."""
    _add_role_arguments(parser.add_argument_group("another account"), "live: read that account with this role")
    parser.epilog = f"{parser.epilog}\n{ROLE_HELP}{ARN_HELP if names_load_balancers else ''}"


def add_roles_options(parser: argparse.ArgumentParser, *, resumes: str) -> None:
    """Adds the options. `resumes`: what `--resume` keeps."""
    group = parser.add_argument_group("other accounts")
    _add_role_arguments(
        group,
        "live: read with this role, of one account or, as arn:aws:iam::{account}:role/NAME or NAME, of every "
        "account of --accounts",
    )
    group.add_argument(
        "--resume",
        metavar="DIR",
        help=f"keep {resumes} in this folder, and read only the rest after an interruption or an error; a missing "
        "folder is created, and emptied by a run without errors",
    )
    parser.epilog = f"{parser.epilog}\n{ROLES_HELP}"


def _add_role_arguments(group: argparse._ActionsContainer, explanation: str) -> None:
    external_id = text_like(EXTERNAL_ID, "no external ID: 2 to 1,224 letters, digits and +=,.@:/-_")
    session_name = text_like(SESSION_NAME, "no session name: 2 to 64 letters, digits and +=,.@-_")
    group.add_argument("--assume-role", metavar="ROLE", help=explanation)
    group.add_argument("--external-id", type=external_id, metavar="ID", help="the external ID that the role asks for")
    group.add_argument(
        "--session-name",
        type=session_name,
        default=None,
        metavar="NAME",
        help=f"the name of the role's sessions in CloudTrail (default: {DEFAULT_SESSION_NAME})",
    )


def reads_with_role(arguments: argparse.Namespace) -> bool:
    """Whether the run reads a live account with a role. Raises InvalidInputError for another source, and for an option
    that means nothing without a role."""
    if not has_role(arguments):
        return False
    option = given_option(arguments, "--estate", "--config-items", "--aggregator", "--terraform-plan", "--template")
    if option is not None:
        own = ", which is read with the credentials of --profile" if option == "--aggregator" else ""
        raise InvalidInputError(f"--assume-role reads live accounts; omit it with {option}{own}")
    return True


def refuse_choice_of_accounts(arguments: argparse.Namespace) -> None:
    """Raises InvalidInputError for options that choose accounts, which need --assume-role in this command."""
    if (option := given_option(arguments, "--account", "--unit")) is not None:
        raise InvalidInputError(f"{option} chooses accounts to read with --assume-role; omit it")


def has_role(arguments: argparse.Namespace) -> bool:
    """Whether a role is given. Raises InvalidInputError for an option that means nothing without one."""
    if arguments.assume_role is not None:
        return True
    if (option := given_option(arguments, "--external-id", "--session-name", "--resume")) is not None:
        raise InvalidInputError(f"{option} is for --assume-role; omit it")
    return False


def ignored_role_origin(arguments: argparse.Namespace) -> str | None:
    """Where a role of every account comes from that a command about one account ignores; None if it must not.

    A role on the command line is meant for this command, one in a file or variable for those that read many accounts.
    No account is changed with other credentials than the configured ones.
    """
    if getattr(arguments, "apply", False) or getattr(arguments, "undo", None) is not None:
        return None
    origin = option_origin(arguments, "--assume-role")
    return None if origin == COMMAND_LINE else origin


def option_origin(arguments: argparse.Namespace, option: str) -> str:
    """Where an option comes from: the command line, a variable or a file."""
    return next((one.origin for one in arguments.applied_options if one.option == option), COMMAND_LINE)
