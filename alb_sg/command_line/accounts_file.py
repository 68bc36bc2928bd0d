"""The options that tell whom to ask: the file of accounts' names and units, and the tag that names an owner."""

from __future__ import annotations

import argparse

from alb_sg.estate.json_files import file_error_context, read_json_file
from alb_sg.observations.accounts import AccountName, parse_accounts


def add_accounts_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--accounts",
        metavar="F",
        help="accounts' names and units: what `aws organizations list-accounts` prints; add a `Unit` such as "
        "`Production/Shops` to each account",
    )


def add_owner_tag_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--owner-tag",
        action="append",
        default=[],
        metavar="KEY",
        help="the tag that names whom to ask, of the load balancer, else of its security groups; repeatable: the first "
        "that is set counts",
    )


def read_accounts(path: str) -> dict[str, AccountName]:
    """Accounts by id. Raises an InvalidInputError that names the file and the place in it."""
    with file_error_context(path):
        return parse_accounts(read_json_file(path))
