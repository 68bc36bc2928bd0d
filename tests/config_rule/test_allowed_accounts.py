"""The accounts whose events a function accepts."""

from __future__ import annotations

import pytest

from alb_sg.config_rule.allowed_accounts import (
    ENVIRONMENT_VARIABLE,
    check_account,
    read_allowed_accounts,
    require_allowed_account,
)
from alb_sg.config_rule.notification import Notification
from alb_sg.errors import InvalidInputError

OURS, OTHER = "111122223333", "999999999999"
OTHERS_ROLE = f"arn:aws:iam::{OTHER}:role/recorder"


def notification(account: str | None, role: str = f"arn:aws:iam::{OURS}:role/recorder") -> Notification:
    return Notification(account, "rule", "token", role, {}, "2026-01-02T03:04:05Z", None)


@pytest.mark.parametrize(
    ("value", "accounts"),
    [(None, None), (OURS, {OURS}), (f"{OURS}, {OTHER}", {OURS, OTHER})],
)
def test_list_of_accounts(value: str | None, accounts: set[str] | None) -> None:
    assert read_allowed_accounts({} if value is None else {ENVIRONMENT_VARIABLE: value}) == accounts


@pytest.mark.parametrize("value", ["", " ", "*", "o-a1b2c3d4e5", f"{OURS},", f"{OURS};{OTHER}", "11112222333"])
def test_an_invalid_account_list_allows_no_account(value: str) -> None:
    with pytest.raises(InvalidInputError, match=r"ALB_SG_ACCOUNTS: .* is not an account id"):
        read_allowed_accounts({ENVIRONMENT_VARIABLE: value})


def test_without_a_list_all_are_served() -> None:
    require_allowed_account(notification(OTHER, OTHERS_ROLE), None)


@pytest.mark.parametrize(
    ("refused", "sentence"),
    [
        (
            notification(OTHER, OTHERS_ROLE),
            "accountId: this function does not serve account '999999999999' (see ALB_SG_ACCOUNTS)",
        ),
        (notification(None), "accountId: this function does not serve account None"),
        # An account must not have another one read.
        (notification(OURS, OTHERS_ROLE), "is not a role of account 111122223333"),
        (notification(OURS, "recorder"), "executionRoleArn: 'recorder' is not a role of account 111122223333"),
    ],
)
def test_others_are_refused(refused: Notification, sentence: str) -> None:
    with pytest.raises(InvalidInputError) as error:
        require_allowed_account(refused, frozenset({OURS}))
    assert sentence in str(error.value)


def test_the_environment_of_the_function_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ENVIRONMENT_VARIABLE, raising=False)
    check_account(notification(OTHER, OTHERS_ROLE))
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, OURS)
    check_account(notification(OURS))
    with pytest.raises(InvalidInputError):
        check_account(notification(OTHER, OTHERS_ROLE))
