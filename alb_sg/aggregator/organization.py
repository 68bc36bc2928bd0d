"""Accounts as people know them: names and organizational units, as far as Organizations tells."""

from __future__ import annotations

from dataclasses import dataclass, field

from alb_sg.aggregator.requests import OrganizationRequests
from alb_sg.aws.calls import ApiResponse, CallPool
from alb_sg.observations.observation import AccountName


@dataclass
class _AccountNames:
    """What was read so far, and the first call that failed."""

    accounts: dict[str, AccountName] = field(default_factory=dict)
    failure: str | None = None

    def items_of(self, answer: ApiResponse) -> list[dict[str, str]]:
        self.failure = self.failure or answer.failure
        return answer.items


def read_account_names(calls: CallPool, requests: OrganizationRequests) -> tuple[dict[str, AccountName], str | None]:
    """Accounts by id, and why some may lack a name or unit; None where all of the organization could be read.

    The units are walked from the root down, a level at a time. Where that is refused, the plain list of accounts may
    still be allowed.
    """
    reading = _AccountNames()
    level = {found["Id"]: "" for found in reading.items_of(calls.send_all({"roots": requests.roots()})["roots"])}
    while level:
        level = _read_level(calls, requests, level, reading)
    if reading.failure is not None:
        for account in calls.send_all({"accounts": requests.accounts()})["accounts"].items:
            reading.accounts.setdefault(account["Id"], AccountName(account.get("Name")))
    return reading.accounts, reading.failure


def _read_level(
    calls: CallPool, requests: OrganizationRequests, paths: dict[str, str], reading: _AccountNames
) -> dict[str, str]:
    """Reads the accounts of roots or units, given with their paths, and returns the units below."""
    accounts = calls.send_all({parent: requests.accounts_in(parent) for parent in paths})
    for parent, answer in accounts.items():
        for account in reading.items_of(answer):
            reading.accounts[account["Id"]] = AccountName(account.get("Name"), paths[parent])
    below: dict[str, str] = {}
    for parent, answer in calls.send_all({parent: requests.organizational_units(parent) for parent in paths}).items():
        for unit in reading.items_of(answer):
            below[unit["Id"]] = f"{paths[parent]}/{unit['Name']}".removeprefix("/")
    return below
