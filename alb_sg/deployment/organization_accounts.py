"""The organization's accounts, from the output of `aws organizations list-accounts`.

AWS Config deploys an organization conformance pack to every account that is not excluded. The whole pack fails if one
account fails. The functions refuse accounts outside `memberAccounts`, and nothing can be deployed to an account that is
suspended, so those have to be excluded.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from alb_sg.deployment.settings import Settings
from alb_sg.errors import InvalidInputError
from alb_sg.observations.accounts import ACTIVE, account_state

LISTING_COMMAND = "aws organizations list-accounts --output json"
# OrganizationConformancePack.ExcludedAccounts in AWS Config's API.
MAX_EXCLUDED_ACCOUNTS = 1_000


def read_organization_accounts(path: Path) -> dict[str, str]:
    """The states of all accounts by id, such as ACTIVE. Raises InvalidInputError if the file is not a whole listing."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        states = {account["Id"]: account_state(account) for account in content["Accounts"]}
        if None in states.values():
            raise ValueError("an account has neither State nor Status")
        if not all(len(account) == 12 and account.isdigit() for account in states):
            raise ValueError("an Id is not twelve digits")
    except OSError as error:
        raise InvalidInputError(f"cannot be read: {error.strerror}", str(path)) from error
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInputError(f"is not the output of `{LISTING_COMMAND}` ({error!r})", str(path)) from error
    if content.get("NextToken"):
        raise InvalidInputError(
            f"is only the first part of a listing; run `{LISTING_COMMAND}` without limits", str(path)
        )
    return states


def exclude_accounts(settings: Settings, states: Mapping[str, str], path: Path) -> Settings:
    """The settings with every account of the organization excluded that is not active or that the functions do not
    serve.

    Without `memberAccounts` the functions serve the whole organization. Raises InvalidInputError if a member is not in
    the organization or not active, or if more accounts have to be excluded than AWS Config allows.
    """
    organization = settings.organization
    members = organization.member_accounts
    inactive = {account: state for account, state in states.items() if state != ACTIVE}
    unknown = sorted(set(members) - set(states))
    if unknown:
        raise InvalidInputError(
            f"does not list {', '.join(unknown)} of organization.memberAccounts; correct memberAccounts, or run "
            f"`{LISTING_COMMAND}` again",
            str(path),
        )
    suspended = [f"{account} ({inactive[account]})" for account in sorted(members) if account in inactive]
    if suspended:
        raise InvalidInputError(
            f"lists {', '.join(suspended)} of organization.memberAccounts, which nothing deploys to; remove it there",
            str(path),
        )
    outside = set(states) - set(members) if members else set(inactive)
    excluded = sorted({*organization.excluded_accounts, *outside})
    if len(excluded) > MAX_EXCLUDED_ACCOUNTS and not organization.organizational_units:
        which = "outside organization.memberAccounts" if members else "excluded or not active"
        raise InvalidInputError(
            f"{len(excluded):,} accounts are {which}, but AWS Config excludes at most {MAX_EXCLUDED_ACCOUNTS:,}; use "
            f"organization.{'organizationId' if members else 'organizationalUnits'} instead",
            str(path),
        )
    return replace(settings, organization=replace(organization, excluded_accounts=tuple(excluded)))


def outsider_remarks(settings: Settings) -> Iterator[str]:
    """What to do about accounts outside `memberAccounts`, where nobody has listed the organization's accounts."""
    members = len(settings.organization.member_accounts)
    excluded = len(settings.organization.excluded_accounts)
    if members:
        yield (
            f"organization.memberAccounts names {members} accounts, and excludedAccounts {excluded}. AWS Config "
            "deploys the pack to every account that is not excluded. The functions refuse accounts outside "
            f"memberAccounts, and one such account fails the whole pack. Run `{LISTING_COMMAND} > accounts.json` "
            "in the management account or a delegated administrator, then `python -m alb_sg.deployment pack "
            "--organization-accounts accounts.json`: it writes ExcludedAccounts"
        )
