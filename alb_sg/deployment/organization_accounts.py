"""The organization's accounts, from the output of `aws organizations list-accounts`.

AWS Config deploys an organization conformance pack to every account that is not excluded. The whole pack fails if one
account fails. The functions refuse accounts outside `memberAccounts`, so those have to be excluded.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from alb_sg.deployment.settings import Settings
from alb_sg.errors import InvalidInputError

LISTING_COMMAND = "aws organizations list-accounts --output json"
# OrganizationConformancePack.ExcludedAccounts in AWS Config's API.
MAX_EXCLUDED_ACCOUNTS = 1_000


def read_organization_accounts(path: Path) -> tuple[str, ...]:
    """Every account's id, sorted. Raises InvalidInputError if the file is not a whole listing."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        accounts = tuple(sorted(account["Id"] for account in content["Accounts"]))
        if not all(len(account) == 12 and account.isdigit() for account in accounts):
            raise ValueError("an Id is not twelve digits")
    except OSError as error:
        raise InvalidInputError(f"cannot be read: {error.strerror}", str(path)) from error
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInputError(f"is not the output of `{LISTING_COMMAND}` ({error!r})", str(path)) from error
    if content.get("NextToken"):
        raise InvalidInputError(
            f"is only the first part of a listing; run `{LISTING_COMMAND}` without limits", str(path)
        )
    return accounts


def exclude_outsiders(settings: Settings, accounts: tuple[str, ...], path: Path) -> Settings:
    """The settings with every account of the organization excluded that the functions do not serve.

    Without `memberAccounts` the functions serve the whole organization, and the settings stay as they are. Raises
    InvalidInputError if a member is not in the organization, or if more accounts are outside than AWS Config excludes.
    """
    organization = settings.organization
    if not organization.member_accounts:
        return settings
    unknown = sorted(set(organization.member_accounts) - set(accounts))
    if unknown:
        raise InvalidInputError(
            f"does not list {', '.join(unknown)} of organization.memberAccounts; correct memberAccounts, or run "
            f"`{LISTING_COMMAND}` again",
            str(path),
        )
    excluded = sorted({*organization.excluded_accounts, *accounts} - set(organization.member_accounts))
    if len(excluded) > MAX_EXCLUDED_ACCOUNTS:
        raise InvalidInputError(
            f"{len(excluded):,} accounts are outside organization.memberAccounts, but AWS Config excludes at most "
            f"{MAX_EXCLUDED_ACCOUNTS:,}; use organization.organizationId instead",
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
