"""The accounts whose events a function accepts."""

from __future__ import annotations

import pytest

from alb_sg.config_rule.allowed_accounts import ENVIRONMENT_VARIABLE, check_account
from alb_sg.config_rule.notification import Notification
from alb_sg.errors import InvalidInputError

OURS, OTHER = "111122223333", "999999999999"
OTHERS_ROLE = f"arn:aws:iam::{OTHER}:role/recorder"


def notification(account: str | None, role: str = f"arn:aws:iam::{OURS}:role/recorder") -> Notification:
    return Notification(account, "rule", "token", role, {}, "2026-01-02T03:04:05Z", None)


@pytest.mark.parametrize("value", [OURS, f"{OURS}, {OTHER}", f"{OTHER},{OURS} "])
def test_accounts_of_the_list_are_served(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, value)
    check_account(notification(OURS))


def test_every_account_of_a_list_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, f"{OURS}, {OTHER}")
    check_account(notification(OTHER, OTHERS_ROLE))


@pytest.mark.parametrize("value", ["", " ", "*", "o-a1b2c3d4e5", f"{OURS},", f"{OURS};{OTHER}", "11112222333"])
def test_an_invalid_account_list_allows_no_account(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, value)
    with pytest.raises(InvalidInputError, match=r"ALB_SG_ACCOUNTS: .* is not an account id"):
        check_account(notification(OURS))


def test_without_a_list_all_are_served(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ENVIRONMENT_VARIABLE, raising=False)
    check_account(notification(OTHER, OTHERS_ROLE))


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
def test_others_are_refused(refused: Notification, sentence: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, OURS)
    with pytest.raises(InvalidInputError) as error:
        check_account(refused)
    assert sentence in str(error.value)
