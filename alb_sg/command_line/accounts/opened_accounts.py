"""Opening accounts: assuming the role in each, and asking which regions to read."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from alb_sg.aws.account_region import AccountRegion
from alb_sg.aws.clients import open_session
from alb_sg.aws.roles import Role, RoleNotAssumedError
from alb_sg.command_line.accounts.chosen_accounts import ChosenAccounts, choose_accounts
from alb_sg.command_line.accounts.threads import run_in_threads
from alb_sg.command_line.output import write_note
from alb_sg.command_line.sources.live import make_live_clients
from alb_sg.command_line.sources.sessions import ALL_REGIONS, Credentials, RoleAssumer, chosen_regions
from alb_sg.errors import NotReadError
from alb_sg.findings.finding import EvaluationError
from alb_sg.findings.phrasing import abbreviate, pluralize
from alb_sg.live import LiveSource
from alb_sg.observations.accounts import AccountName

# The most skipped accounts that a sentence names.
MAX_NAMED_ACCOUNTS = 5


@dataclass(frozen=True)
class OpenedAccount:
    """An account that can be read."""

    regions: Sequence[str]
    credentials: Credentials


@dataclass(frozen=True)
class OpenedAccounts:
    """The accounts and regions to read, in the order to read them in, and what could not be opened."""

    by_id: Mapping[str, OpenedAccount]
    account_regions: Sequence[AccountRegion]
    errors: Sequence[EvaluationError]

    def source(self, account_region: AccountRegion, *, from_config: bool = False) -> LiveSource:
        """An account and region, with a session of its own: sessions are not made for several threads.

        `from_config`: it reads what AWS Config has recorded first.
        """
        account_id, region = account_region
        session = self.by_id[account_id].credentials.open_session()
        return LiveSource(make_live_clients(session, region, from_config=from_config), account_id, region)


def open_accounts(arguments: argparse.Namespace, accounts: Mapping[str, AccountName]) -> OpenedAccounts:
    """The accounts and regions that the arguments choose. `accounts`: those of `--accounts`.

    Raises InvalidInputError, and NotReadError if the credentials of the command cannot be used.
    """
    chosen = choose_accounts(arguments, accounts)
    open_account = _account_opener(arguments, chosen)
    _report_skipped(chosen)
    opened: dict[str, OpenedAccount] = {}
    errors = list(chosen.errors)
    for account_id, result in run_in_threads(open_account, chosen.account_ids, "opening accounts"):
        if isinstance(result, OpenedAccount):
            opened[account_id] = result
        else:
            errors.append(result)
    return OpenedAccounts(opened, _in_reading_order(opened), errors)


def _account_opener(
    arguments: argparse.Namespace, chosen: ChosenAccounts
) -> Callable[[str], OpenedAccount | EvaluationError]:
    assumer = RoleAssumer(arguments, arguments.region)

    def open_account(account_id: str) -> OpenedAccount | EvaluationError:
        try:
            credentials = _assume(arguments, assumer, chosen.role, account_id)
            return OpenedAccount(chosen_regions(credentials.open_session(), arguments.region), credentials)
        except NotReadError as error:
            return EvaluationError(account_id, "", None, None, f"account {account_id}, {error.what}", error.cause)

    # A fault of the requested regions is one for all accounts.
    if set(arguments.region) != {ALL_REGIONS}:
        chosen_regions(open_session(arguments.profile), arguments.region)
    return open_account


def _assume(arguments: argparse.Namespace, assumer: RoleAssumer, role: Role, account_id: str) -> Credentials:
    """The role's credentials; those of the command where a role of every account is refused in its own. Raises
    NotReadError."""
    try:
        return assumer.assume(role, account_id)
    except RoleNotAssumedError as error:
        caller = assumer.caller
        if not error.is_denied or account_id != caller.account_id or role.account_id is not None:
            raise
        if arguments.verbose:
            write_note(f"{account_id} is read without {error.role_arn}: it is the account of {caller.arn}")
        return Credentials(arguments.profile)


def _in_reading_order(opened: Mapping[str, OpenedAccount]) -> list[AccountRegion]:
    """One region of every account, then the next: this spreads the calls to one account over time."""
    by_account = [
        [AccountRegion(account_id, region) for region in account.regions]
        for account_id, account in sorted(opened.items())
    ]
    return [one for of_accounts in zip_longest(*by_account) for one in of_accounts if one is not None]


def _report_skipped(chosen: ChosenAccounts) -> None:
    if not chosen.skipped:
        return
    named = abbreviate([f"{one} ({status})" for one, status in sorted(chosen.skipped.items())], MAX_NAMED_ACCOUNTS)
    count = pluralize(len(chosen.skipped), "account")
    write_note(f"skipped {count} that Organizations has as not active: {named}")
