"""The names and organizational units of accounts, where Organizations can be read."""

from __future__ import annotations

from collections.abc import Iterable

from botocore.client import BaseClient

from alb_sg.aws.calls import ApiRequest, CallPool
from alb_sg.observations.accounts import AccountName

# API reference of Organizations: the largest page.
PAGE_SIZE = 20


def read_account_names(calls: CallPool, organizations: BaseClient) -> tuple[dict[str, AccountName], list[str]]:
    """Accounts by id, and a sentence if some may lack a name or unit; none where the whole organization was read.

    Reads the units from the root down, a level at a time. Where that is denied, ListAccounts may still be allowed.
    """
    accounts: dict[str, AccountName] = {}
    failures: list[str] = []

    def read(requests: dict[str, ApiRequest]) -> dict[str, list[dict[str, str]]]:
        responses = calls.send_all(requests)
        failures.extend(response.failure for response in responses.values() if response.failure is not None)
        return {key: response.items for key, response in responses.items()}

    def read_below(parents: Iterable[str], operation: str, result_key: str) -> dict[str, list[dict[str, str]]]:
        return read(
            {
                parent: ApiRequest(organizations, operation, result_key, {"ParentId": parent}, PAGE_SIZE)
                for parent in parents
            }
        )

    roots = read({"": ApiRequest(organizations, "list_roots", "Roots", {})})[""]
    # The roots or units of a level, with their paths.
    level = {root["Id"]: "" for root in roots}
    while level:
        for parent, found in read_below(level, "list_accounts_for_parent", "Accounts").items():
            accounts |= {account["Id"]: AccountName(account.get("Name"), level[parent]) for account in found}
        units = read_below(level, "list_organizational_units_for_parent", "OrganizationalUnits")
        level = {
            unit["Id"]: f"{level[parent]}/{unit['Name']}".removeprefix("/")
            for parent, found in units.items()
            for unit in found
        }
    if not failures:
        return accounts, []
    request = ApiRequest(organizations, "list_accounts", "Accounts", {}, PAGE_SIZE)
    for account in calls.send_all({"": request})[""].items:
        accounts.setdefault(account["Id"], AccountName(account.get("Name")))
    return accounts, [f"Not every account's name and organizational unit is known: {failures[0]}."]
