"""The names and organizational units of accounts, where Organizations can be read."""

from __future__ import annotations

from dataclasses import dataclass, field

from alb_sg.aggregator.requests import OrganizationRequests
from alb_sg.aws.calls import ApiResponse, CallPool
from alb_sg.observations.accounts import AccountName


@dataclass
class _AccountNames:
    """The accounts read so far, and why the first failed call failed."""

    accounts: dict[str, AccountName] = field(default_factory=dict)
    failure: str | None = None

    def items_of(self, response: ApiResponse) -> list[dict[str, str]]:
        self.failure = self.failure or response.failure
        return response.items


def read_account_names(calls: CallPool, requests: OrganizationRequests) -> tuple[dict[str, AccountName], str | None]:
    """Accounts by id, and why some may lack a name or unit; None where the whole organization was read.

    Reads the units from the root down, a level at a time. Where that is denied, ListAccounts may still be allowed.
    """
    names = _AccountNames()
    roots = calls.send_all({"roots": requests.roots()})["roots"]
    level = {root["Id"]: "" for root in names.items_of(roots)}
    while level:
        level = _read_level(calls, requests, level, names)
    if names.failure is not None:
        for account in calls.send_all({"accounts": requests.accounts()})["accounts"].items:
            names.accounts.setdefault(account["Id"], AccountName(account.get("Name")))
    return names.accounts, names.failure


def missing_names_gap(failure: str) -> str:
    """The sentence on names and units that were not read."""
    return f"Not every account's name and organizational unit is known: {failure}."


def _read_level(
    calls: CallPool, requests: OrganizationRequests, paths: dict[str, str], names: _AccountNames
) -> dict[str, str]:
    """Reads the accounts in roots or units, given with their paths, and returns the units one level below."""
    accounts = calls.send_all({parent: requests.accounts_in(parent) for parent in paths})
    for parent, response in accounts.items():
        for account in names.items_of(response):
            names.accounts[account["Id"]] = AccountName(account.get("Name"), paths[parent])
    units = calls.send_all({parent: requests.organizational_units(parent) for parent in paths})
    return {
        unit["Id"]: f"{paths[parent]}/{unit['Name']}".removeprefix("/")
        for parent, response in units.items()
        for unit in names.items_of(response)
    }
