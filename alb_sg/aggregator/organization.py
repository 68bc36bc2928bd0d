"""Accounts as people know them: names and organizational units, as far as Organizations tells."""

from __future__ import annotations

from dataclasses import dataclass, field

from alb_sg.aggregator.requests import OrganizationRequests
from alb_sg.dashboard.observation import AccountName
from alb_sg.live.calls import Answer, Calls


@dataclass
class _Reading:
    """What was read so far, and the first call that failed."""

    accounts: dict[str, AccountName] = field(default_factory=dict)
    failure: str | None = None

    def take(self, answer: Answer) -> list[dict[str, str]]:
        self.failure = self.failure or answer.failure
        return answer.items


def read_accounts(calls: Calls, ask: OrganizationRequests) -> tuple[dict[str, AccountName], str | None]:
    """Accounts by id, and why some may lack a name or unit; None where all of the organization could be read.

    The units are walked from the root down, a level at a time. Where that is refused, the plain list of accounts may
    still be allowed.
    """
    reading = _Reading()
    level = {found["Id"]: "" for found in reading.take(calls.answers({"roots": ask.roots()})["roots"])}
    while level:
        level = _read_level(calls, ask, level, reading)
    if reading.failure is not None:
        for account in calls.answers({"accounts": ask.accounts()})["accounts"].items:
            reading.accounts.setdefault(account["Id"], AccountName(account.get("Name")))
    return reading.accounts, reading.failure


def _read_level(calls: Calls, ask: OrganizationRequests, paths: dict[str, str], reading: _Reading) -> dict[str, str]:
    """Reads the accounts of roots or units, given with their paths, and returns the units below."""
    accounts = calls.answers({parent: ask.accounts_in(parent) for parent in paths})
    for parent, answer in accounts.items():
        for account in reading.take(answer):
            reading.accounts[account["Id"]] = AccountName(account.get("Name"), paths[parent])
    below: dict[str, str] = {}
    for parent, answer in calls.answers({parent: ask.units(parent) for parent in paths}).items():
        for unit in reading.take(answer):
            below[unit["Id"]] = f"{paths[parent]}/{unit['Name']}".removeprefix("/")
    return below
