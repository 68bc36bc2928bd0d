"""Which accounts a function serves: it refuses every other account's events before it makes a call for them.

AWS Config invokes a function for any account that the function's resource policy lets in, and that policy knows no
organizations. The list stands in the function's environment.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from alb_sg.aws.account_region import ACCOUNT_ID
from alb_sg.errors import InvalidInputError

# Comma-separated account ids. Not set: every account that the resource policy and the role let through.
ENVIRONMENT_VARIABLE = "ALB_SG_ACCOUNTS"

ROLE_ARN = re.compile(r"arn:[^:]+:iam::(\d{12}):role/.+")


def read_allowed_accounts(environment: Mapping[str, str]) -> frozenset[str] | None:
    """The accounts that the environment names; None where it names none and so restricts nothing.

    Raises InvalidInputError for a variable that is set and is no list of account ids: an empty one serves nobody, which
    is nothing that a deployment means.
    """
    value = environment.get(ENVIRONMENT_VARIABLE)
    if value is None:
        return None
    accounts = [account.strip() for account in value.split(",")]
    wrong = [account for account in accounts if not ACCOUNT_ID.fullmatch(account)]
    if wrong:
        raise InvalidInputError(
            f"{wrong[0]!r} is not an account id (twelve digits, comma-separated)", ENVIRONMENT_VARIABLE
        )
    return frozenset(accounts)


def require_allowed_account(event: Mapping[str, Any], accounts: frozenset[str] | None) -> None:
    """Raises InvalidInputError where an event is not of one of the accounts, or has its role in another one."""
    if accounts is None:
        return
    account = event.get("accountId")
    if account not in accounts:
        raise InvalidInputError(
            f"this function does not serve account {account!r} (see {ENVIRONMENT_VARIABLE})", "accountId"
        )
    role = ROLE_ARN.fullmatch(str(event.get("executionRoleArn")))
    if role is None or role[1] != account:
        raise InvalidInputError(
            f"{event.get('executionRoleArn')!r} is not a role of account {account}", "executionRoleArn"
        )


def check_event_account(event: Mapping[str, Any]) -> None:
    """What a handler asks first. Raises InvalidInputError where the function does not serve the event's account."""
    require_allowed_account(event, read_allowed_accounts(os.environ))
