"""Accounts' names and units, and the file of them, as `aws organizations list-accounts` prints it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from alb_sg.aws.account_region import ACCOUNT_ID
from alb_sg.errors import InvalidInputError

ACCOUNTS_KEY = "Accounts"
# Organizations has no name of a unit in an account's entry: the author of the file may add it.
UNIT_KEY = "Unit"
PATHS_KEY = "Paths"
# The state of an account that can be used. The others answer no call.
ACTIVE = "ACTIVE"


@dataclass(frozen=True, slots=True)
class AccountName:
    """An account's name, and the path of its organizational unit below the root, such as `Production/Shops`.

    `None` is unknown; a `unit` of "" is the root itself. `status` is Organizations' word, such as `ACTIVE`.
    """

    name: str | None = None
    unit: str | None = None
    status: str | None = None


def account_state(account: Mapping[str, Any]) -> Any:
    """The state of an account as Organizations describes it, such as SUSPENDED, or None. `State` replaces `Status`,
    which AWS retires on September 9, 2026."""
    return account.get("State") or account.get("Status")


def parse_accounts(document: Any) -> dict[str, AccountName]:
    """The accounts of a document by id: `{"Accounts": [{"Id", "Name", "Unit"}]}`, or the list alone.

    A unit is a path such as `Production/Shops`. Without `Unit`, it is the path of unit ids in Organizations' `Paths`.
    Raises an InvalidInputError that names the place.
    """
    entries = document.get(ACCOUNTS_KEY) if isinstance(document, Mapping) else document
    if not isinstance(entries, list):
        raise InvalidInputError(
            f"has no list {ACCOUNTS_KEY!r}; give what `aws organizations list-accounts` prints", ACCOUNTS_KEY
        )
    accounts: dict[str, AccountName] = {}
    for number, entry in enumerate(entries):
        place = f"{ACCOUNTS_KEY}[{number}]"
        account_id, name = _parse_account(entry, place)
        if account_id in accounts:
            raise InvalidInputError(f"account {account_id} is there twice", place)
        accounts[account_id] = name
    return accounts


def _parse_account(entry: Any, place: str) -> tuple[str, AccountName]:
    if not isinstance(entry, Mapping):
        raise InvalidInputError(f"{entry!r} is not an object", place)
    account_id = entry.get("Id")
    if not isinstance(account_id, str) or not ACCOUNT_ID.fullmatch(account_id):
        raise InvalidInputError(
            f"{account_id!r} is not an account id: 12 digits as a text, zeros included", f"{place}.Id"
        )
    name, unit = _text_or_none(entry, "Name", place), _text_or_none(entry, UNIT_KEY, place)
    unit = next(_units_in_paths(entry, place), None) if unit is None else unit.strip("/")
    for key in ("State", "Status"):
        _text_or_none(entry, key, place)
    return account_id, AccountName(name, unit, account_state(entry))


def _text_or_none(entry: Mapping[str, Any], key: str, place: str) -> str | None:
    value = entry.get(key)
    if value is not None and not isinstance(value, str):
        raise InvalidInputError(f"{value!r} is not a text", f"{place}.{key}")
    return value


def _units_in_paths(entry: Mapping[str, Any], place: str) -> Iterator[str]:
    """The path of unit ids below the root: `o-1/r-1/ou-1/ou-2/123456789012/` is `ou-1/ou-2`."""
    paths = entry.get(PATHS_KEY)
    if paths is None:
        return
    if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
        raise InvalidInputError(f"{paths!r} is not a list of texts", f"{place}.{PATHS_KEY}")
    for path in paths:
        yield "/".join(part for part in path.split("/") if part.startswith("ou-"))
