"""Opening accounts: assuming the role in each, and asking which regions to read."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.credentials import RefreshableCredentials
from botocore.session import Session

from alb_sg.aws.account_region import AccountRegion
from alb_sg.aws.clients import CallerIdentity, make_client, open_session
from alb_sg.aws.roles import RoleNotAssumedError, RoleSettings, assume_role, use_credentials
from alb_sg.command_line.notes import write_note
from alb_sg.command_line.progress import Progress
from alb_sg.command_line.sources.live import (
    ALL_REGIONS,
    DEFAULT_REGION,
    chosen_regions,
    identify_caller,
    make_live_clients,
)
from alb_sg.command_line.walk.accounts import ChosenAccounts, choose_accounts
from alb_sg.command_line.walk.options import session_name
from alb_sg.command_line.walk.threads import run_in_threads
from alb_sg.errors import NotReadError
from alb_sg.findings.finding import EvaluationError
from alb_sg.findings.phrasing import abbreviate, pluralize
from alb_sg.live import LiveSource
from alb_sg.observations.account_name import AccountName

# Accounts and regions at the same time. Each makes up to `aws.clients.WORKERS` calls at once.
WALKERS = 8
# The most skipped accounts that a sentence names.
MAX_NAMED_ACCOUNTS = 5


@dataclass(frozen=True)
class OpenedAccount:
    """An account that can be read. `credentials` None: those of the command itself."""

    account_id: str
    regions: Sequence[str]
    credentials: RefreshableCredentials | None


@dataclass(frozen=True)
class OpenedAccounts:
    """The accounts and regions to read, in the order to read them in, and what could not be opened."""

    profile: str | None
    by_id: Mapping[str, OpenedAccount]
    account_regions: Sequence[AccountRegion]
    errors: Sequence[EvaluationError]

    def source(self, account_region: AccountRegion, *, from_config: bool = False) -> LiveSource:
        """An account and region, with a session of its own: sessions are not made for several threads.

        `from_config`: it reads what AWS Config has recorded first.
        """
        account_id, region = account_region
        session = _session_in(self.profile, self.by_id[account_id].credentials)
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
    with Progress("opening accounts") as progress:
        for account_id, result in run_in_threads(open_account, chosen.account_ids, WALKERS):
            if isinstance(result, OpenedAccount):
                opened[account_id] = result
            else:
                errors.append(result)
            progress(len(opened) + len(errors), len(chosen.account_ids))
    return OpenedAccounts(arguments.profile, opened, list(_in_reading_order(opened)), errors)


def _account_opener(
    arguments: argparse.Namespace, chosen: ChosenAccounts
) -> Callable[[str], OpenedAccount | EvaluationError]:
    own = open_session(arguments.profile)
    region = next((one for one in arguments.region if one != ALL_REGIONS), own.get_config_variable("region"))
    sts_region = region or DEFAULT_REGION
    caller = identify_caller(own, sts_region)
    settings = RoleSettings(session_name(arguments), arguments.external_id)

    def open_account(account_id: str) -> OpenedAccount | EvaluationError:
        role_arn = chosen.role.arn(account_id, caller.partition)
        try:
            credentials = _assume(arguments, account_id, role_arn, caller, settings, sts_region)
            session = _session_in(arguments.profile, credentials)
            return OpenedAccount(account_id, chosen_regions(session, arguments.region), credentials)
        except NotReadError as error:
            return EvaluationError(account_id, "", None, None, f"account {account_id}, {error.what}", error.cause)

    # What is wrong with the regions that were asked for is so for all accounts.
    if set(arguments.region) != {ALL_REGIONS}:
        chosen_regions(own, arguments.region)
    return open_account


def _assume(
    arguments: argparse.Namespace,
    account_id: str,
    role_arn: str,
    caller: CallerIdentity,
    settings: RoleSettings,
    region: str,
) -> RefreshableCredentials | None:
    """The role's credentials; None where it is refused in the account of the command's own. Raises NotReadError."""
    session = open_session(arguments.profile)

    def make(service: str, **given: Any) -> Any:
        return make_client(service, region, session=session, **given)

    try:
        return assume_role(role_arn, settings, session, caller, make)
    except RoleNotAssumedError as error:
        if not error.is_denied or account_id != caller.account_id:
            raise
        if arguments.verbose:
            write_note(f"{account_id} is read without {role_arn}: it is the account of {caller.arn}")
        return None


def _session_in(profile: str | None, credentials: RefreshableCredentials | None) -> Session:
    session = open_session(profile)
    return session if credentials is None else use_credentials(session, credentials)


def _in_reading_order(opened: Mapping[str, OpenedAccount]) -> Iterator[AccountRegion]:
    """One region of every account, then the next: an account's calls are spread over the whole walk."""
    most = max((len(one.regions) for one in opened.values()), default=0)
    for position in range(most):
        for account_id in sorted(opened):
            if position < len(opened[account_id].regions):
                yield AccountRegion(account_id, opened[account_id].regions[position])


def _report_skipped(chosen: ChosenAccounts) -> None:
    if not chosen.skipped:
        return
    named = abbreviate([f"{one} ({status})" for one, status in sorted(chosen.skipped.items())], MAX_NAMED_ACCOUNTS)
    count = pluralize(len(chosen.skipped), "account")
    write_note(f"skipped {count} that Organizations has as not active: {named}")
