"""The account and region that a resource belongs to, read from its ARN or from the fields of its record."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from alb_sg.errors import InvalidInputError

ACCOUNT_ID = re.compile(r"[0-9]{12}")
# AWS Config names the account `awsAccountId` in notifications and snapshots, and `accountId` in its API.
ACCOUNT_ID_FIELDS = ("awsAccountId", "accountId")


class AccountRegion(NamedTuple):
    account_id: str
    region: str

    def __str__(self) -> str:
        return " ".join(filter(None, self)) or "an account that is not known"

    def check_arn(self, arn: str, field: str) -> None:
        """Raises InvalidInputError for text that is not an ARN, or an ARN of another account or region."""
        account_region = account_region_of(arn, field)
        if account_region != self:
            raise InvalidInputError(f"{arn!r} is of {account_region}, not of {self}", field)


def account_region_of(arn: str, field: str) -> AccountRegion:
    """The account and region in an ARN. Raises InvalidInputError."""
    parts = arn.split(":", 5)
    if len(parts) < 6 or parts[0] != "arn" or not parts[3] or not ACCOUNT_ID.fullmatch(parts[4]):
        raise InvalidInputError(f"{arn!r} is not an ARN with a region and an account", field)
    return AccountRegion(account_id=parts[4], region=parts[3])


def read_account_region(record: Mapping[str, Any], arn: str | None = None) -> AccountRegion:
    """The account and region of a record of AWS Config: an item, or a row of an advanced query.

    The ARN fills in what the fields leave out. Raises InvalidInputError.
    """
    field = next((name for name in ACCOUNT_ID_FIELDS if record.get(name) is not None), None)
    region = record.get("awsRegion") or None
    if region is not None and not isinstance(region, str):
        raise InvalidInputError(f"text was expected, not {region!r}", "awsRegion")
    account_id = None if field is None else parse_account_id(record[field], field)
    if account_id is not None and region is not None:
        return AccountRegion(account_id, region)
    if arn is None:
        missing = "awsAccountId" if account_id is None else "awsRegion"
        raise InvalidInputError("missing, and no ARN names it; add it to the record", missing)
    in_arn = account_region_of(arn, "ARN")
    return AccountRegion(account_id or in_arn.account_id, region or in_arn.region)


def parse_account_id(value: Any, field: str) -> str:
    """An account ID: text, because a number loses leading zeros. Raises InvalidInputError."""
    if value is None:
        raise InvalidInputError("the 12-digit account ID is missing", field)
    if not isinstance(value, str) or not ACCOUNT_ID.fullmatch(value):
        raise InvalidInputError(f"a 12-digit account ID was expected as text, not {value!r}", field)
    return value


def account_region_in(
    fields: Mapping[str, Any], account_field: str = "accountId", region_field: str = "awsRegion"
) -> AccountRegion:
    """The account and region that two fields name. Raises InvalidInputError."""
    account_id, region = parse_account_id(fields.get(account_field), account_field), fields.get(region_field)
    if not isinstance(region, str) or not region:
        raise InvalidInputError(
            "text is missing" if region is None else f"text was expected, not {region!r}", region_field
        )
    return AccountRegion(account_id, region)


def find_account_region(
    fields: Mapping[str, Any], account_field: str = "accountId", region_field: str = "awsRegion"
) -> AccountRegion | None:
    """The account and region that two fields name; None where they name none."""
    try:
        return account_region_in(fields, account_field, region_field)
    except InvalidInputError:
        return None
