"""The account and region that something belongs to, and whether an ARN agrees."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from alb_sg.errors import UnusableInput

ACCOUNT_ID = re.compile(r"[0-9]{12}")


class Home(NamedTuple):
    account_id: str
    region: str

    def __str__(self) -> str:
        return f"{self.account_id} {self.region}"

    def require(self, arn: str, field: str) -> None:
        """Raises UnusableInput where an ARN is none, or is of another account or region."""
        home = home_of(arn, field)
        if home != self:
            raise UnusableInput(f"{arn!r} is of {home}, not of {self}", field)


def home_of(arn: str, field: str) -> Home:
    """The account and region in an ARN. Raises UnusableInput."""
    parts = arn.split(":", 5)
    if len(parts) < 6 or parts[0] != "arn" or not parts[3] or not ACCOUNT_ID.fullmatch(parts[4]):
        raise UnusableInput(f"{arn!r} is not an ARN with a region and an account", field)
    return Home(account_id=parts[4], region=parts[3])


def account_id(value: Any, field: str) -> str:
    """An account's id: text, because a number loses leading zeros. Raises UnusableInput."""
    if value is None:
        raise UnusableInput("the account's 12-digit id is missing", field)
    if not isinstance(value, str) or not ACCOUNT_ID.fullmatch(value):
        raise UnusableInput(f"the account's 12-digit id was expected as text, not {value!r}", field)
    return value
