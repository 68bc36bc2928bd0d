"""The options that read other accounts with a role."""

from __future__ import annotations

import argparse

from alb_sg.command_line.sources.role_options import add_role_arguments
from alb_sg.errors import InvalidInputError

WALK_HELP = """\
other accounts:
  --assume-role arn:aws:iam::111122223333:role/NAME reads that account. arn:aws:iam::{account}:role/NAME, or NAME alone,
  reads every active account of --accounts F, or each --account ID, in all regions asked for. Accounts and regions are
  read in parallel, each within its own API rates, and judged one by one, as a run in each account would. What cannot
  be read is an error that names account, role and what to do; everything else is judged. If a role of every account is
  refused in the account of the credentials themselves, these read it.
"""


def add_walk_options(parser: argparse.ArgumentParser, *, resumes: str) -> None:
    """Adds the options. `resumes`: what `--resume` keeps."""
    group = parser.add_argument_group("other accounts")
    add_role_arguments(
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
    parser.epilog = f"{parser.epilog}\n{WALK_HELP}"


def refuse_choice_of_accounts(arguments: argparse.Namespace) -> None:
    """Raises InvalidInputError for options that choose accounts, in a command that has them for a walk alone."""
    for name in ("account", "unit"):
        if getattr(arguments, name):
            raise InvalidInputError(f"--{name} chooses accounts to read with --assume-role; omit it")
