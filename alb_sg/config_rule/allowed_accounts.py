"""The accounts whose events a function accepts. It refuses other events before it makes any call.

AWS Config invokes a function for any account that the function's resource policy admits, and that policy cannot name
an organization. The function's environment therefore lists the accounts.
"""

from __future__ import annotations

import os

from alb_sg.aws.account_region import ACCOUNT_ID
from alb_sg.aws.arns import role_account_id
from alb_sg.config_rule.notification import Notification
from alb_sg.errors import InvalidInputError

# Comma-separated account ids. Unset: every account that the resource policy and the role admit.
ENVIRONMENT_VARIABLE = "ALB_SG_ACCOUNTS"


def check_account(notification: Notification) -> None:
    """Raises InvalidInputError for an event of another account, or with a role of another account.

    Raises it, too, if the variable is not a list of account ids. An empty value would allow no account, which no
    deployment intends.
    """
    value = os.environ.get(ENVIRONMENT_VARIABLE)
    if value is None:
        return
    accounts = [account.strip() for account in value.split(",")]
    invalid = [account for account in accounts if not ACCOUNT_ID.fullmatch(account)]
    if invalid:
        raise InvalidInputError(
            f"{invalid[0]!r} is not an account id (twelve digits, comma-separated)", ENVIRONMENT_VARIABLE
        )
    account_id, role_arn = notification.account_id, notification.execution_role_arn
    if account_id not in accounts:
        raise InvalidInputError(
            f"this function does not serve account {account_id!r} (see {ENVIRONMENT_VARIABLE})", "accountId"
        )
    if role_account_id(role_arn) != account_id:
        raise InvalidInputError(f"{role_arn!r} is not a role of account {account_id}", "executionRoleArn")
