"""What an organization calls an account."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AccountName:
    """An account's name, and the path of its organizational unit below the root, such as `Production/Shops`.

    `None` is unknown; a `unit` of "" is the root itself. `status` is Organizations' word, such as `ACTIVE`.
    """

    name: str | None = None
    unit: str | None = None
    status: str | None = None
