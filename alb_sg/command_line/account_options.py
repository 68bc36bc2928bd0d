"""The options about accounts: their names and units from a file, which to take, and the tag that names an owner."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from alb_sg.aws.account_region import ACCOUNT_ID
from alb_sg.command_line.argument_types import add_repeatable, text_like
from alb_sg.errors import InvalidInputError
from alb_sg.estate.json_files import file_error_context, read_json_file
from alb_sg.findings.finding import EvaluationError
from alb_sg.observations.accounts import AccountName, parse_accounts


def add_accounts_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--accounts",
        metavar="F",
        help="accounts' names and units: what `aws organizations list-accounts` prints; add a `Unit` such as "
        "`Production/Shops` to each account",
    )


def add_owner_tag_option(parser: argparse.ArgumentParser) -> None:
    add_repeatable(
        parser,
        "--owner-tag",
        metavar="KEY",
        help="the tag that names whom to ask, of the load balancer, else of its security groups; repeatable: the first "
        "that is set counts",
    )


def add_accounts_choice(parser: argparse.ArgumentParser) -> None:
    """Adds `--account` and `--unit`, for a run that chooses accounts alone, after `--accounts`."""
    group = parser.add_argument_group("choice of accounts, with --assume-role (each repeatable)")
    add_account_option(group)
    add_unit_option(group)


def add_account_option(group: argparse._ActionsContainer, explanation: str = "load balancers of this account") -> None:
    account_id = text_like(ACCOUNT_ID, "not an account id of 12 digits")
    add_repeatable(group, "--account", type=account_id, metavar="ID", help=explanation)


def add_unit_option(group: argparse._ActionsContainer) -> None:
    add_repeatable(
        group,
        "--unit",
        metavar="PATH",
        help="load balancers of accounts in this organizational unit, such as Production/Shops, or below it; Root: "
        "directly below the organization's root; needs --accounts",
    )


def unknown_unit_error(account_id: str, region: str) -> EvaluationError:
    """The error where the unit of an account decides and is not known."""
    what = f"unit of account {account_id}"
    return EvaluationError(account_id, region, None, None, what, "the file of --accounts does not tell it")


def read_given_accounts(arguments: argparse.Namespace) -> Mapping[str, AccountName]:
    """The accounts of `--accounts`. Raises InvalidInputError, also where an option lacks the one that it needs."""
    if arguments.unit and arguments.accounts is None:
        raise InvalidInputError("--unit needs the units of accounts; give them with --accounts")
    if getattr(arguments, "owner", None) and not arguments.owner_tag:
        raise InvalidInputError("--owner needs the tag that names owners; give it with --owner-tag")
    if arguments.accounts is None:
        return {}
    with file_error_context(arguments.accounts):
        return parse_accounts(read_json_file(arguments.accounts))
