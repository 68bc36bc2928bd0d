"""The accounts that the options choose, before anything is read."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from alb_sg.aws.roles import ACCOUNT_PLACEHOLDER, Role, parse_role
from alb_sg.command_line.account_options import unknown_unit_error
from alb_sg.command_line.suggestions import did_you_mean
from alb_sg.errors import InvalidInputError
from alb_sg.findings.finding import EvaluationError
from alb_sg.observations.accounts import ACTIVE, AccountName
from alb_sg.observations.filter_patterns import unit_fits


@dataclass(frozen=True)
class ChosenAccounts:
    """The accounts to read, those that are skipped because they are not active, with their status, and an error for
    each whose unit decides and is not known."""

    role: Role
    account_ids: Sequence[str]
    skipped: Mapping[str, str]
    errors: Sequence[EvaluationError]


def choose_accounts(arguments: argparse.Namespace, accounts: Mapping[str, AccountName]) -> ChosenAccounts:
    """The accounts of `--accounts` that `--account` and `--unit` leave; without `--accounts` those of `--account`; of a
    role with an account, that one. Raises InvalidInputError."""
    role = parse_role(arguments.assume_role)
    if role.account_id is not None:
        if arguments.account and role.account_id not in arguments.account:
            raise InvalidInputError(
                f"--assume-role is of account {role.account_id}, which --account leaves out; for other accounts, write "
                f"{ACCOUNT_PLACEHOLDER} in its place"
            )
        return ChosenAccounts(role, [role.account_id], {}, [])
    if arguments.accounts is None:
        if not arguments.account:
            raise InvalidInputError(
                f"--assume-role {arguments.assume_role} is of every account; say which: --accounts F or --account ID"
            )
        return ChosenAccounts(role, sorted(set(arguments.account)), {}, [])
    return _choose_from_file(arguments, accounts, role)


def _choose_from_file(arguments: argparse.Namespace, accounts: Mapping[str, AccountName], role: Role) -> ChosenAccounts:
    unknown = next((account for account in arguments.account if account not in accounts), None)
    if unknown is not None:
        raise InvalidInputError(f"account {unknown} is not in {arguments.accounts}{did_you_mean(unknown, accounts)}")
    named = {account: accounts[account] for account in sorted(set(arguments.account) or accounts)}
    # The unit of an account that is not read decides nothing.
    in_unit = {
        account: name for account, name in named.items() if not arguments.unit or unit_fits(name.unit, arguments.unit)
    }
    skipped = {account: str(name.status) for account, name in named.items() if name.status not in (None, ACTIVE)}
    errors = [
        unknown_unit_error(account, "")
        for account, name in named.items()
        if name.unit is None and account not in in_unit.keys() | skipped
    ]
    if not (in_unit or errors):
        place = f" in unit {' or '.join(arguments.unit)}" if arguments.unit else ""
        raise InvalidInputError(f"there is no account{place}, so nothing would be read", arguments.accounts)
    return ChosenAccounts(
        role,
        [account for account in in_unit if account not in skipped],
        {account: status for account, status in skipped.items() if account in in_unit},
        errors,
    )
