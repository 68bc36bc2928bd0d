"""Which accounts a function serves."""

from __future__ import annotations

import pytest

from alb_sg.config_rule.allowed_accounts import (
    ENVIRONMENT_VARIABLE,
    check_event_account,
    read_allowed_accounts,
    require_allowed_account,
)
from alb_sg.errors import InvalidInputError

OURS, OTHER = "111122223333", "999999999999"


def event(account: str | None, role_account: str = OURS) -> dict[str, object]:
    return {"accountId": account, "executionRoleArn": f"arn:aws:iam::{role_account}:role/recorder"}


@pytest.mark.parametrize(
    ("value", "accounts"),
    [(None, None), (OURS, {OURS}), (f"{OURS}, {OTHER}", {OURS, OTHER})],
)
def test_list_of_accounts(value: str | None, accounts: set[str] | None) -> None:
    assert read_allowed_accounts({} if value is None else {ENVIRONMENT_VARIABLE: value}) == accounts


@pytest.mark.parametrize("value", ["", " ", "*", "o-a1b2c3d4e5", f"{OURS},", f"{OURS};{OTHER}", "11112222333"])
def test_a_list_that_is_none_serves_nobody(value: str) -> None:
    with pytest.raises(InvalidInputError, match=r"ALB_SG_ACCOUNTS: .* is not an account id"):
        read_allowed_accounts({ENVIRONMENT_VARIABLE: value})


def test_without_a_list_all_are_served() -> None:
    require_allowed_account(event(OTHER, OTHER), None)


@pytest.mark.parametrize(
    ("account", "role_account", "sentence"),
    [
        (OTHER, OTHER, "accountId: this function does not serve account '999999999999' (see ALB_SG_ACCOUNTS)"),
        (None, OURS, "accountId: this function does not serve account None"),
        # An account may not have another one read.
        (OURS, OTHER, "is not a role of account 111122223333"),
    ],
)
def test_others_are_refused(account: str | None, role_account: str, sentence: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        require_allowed_account(event(account, role_account), frozenset({OURS}))
    assert sentence in str(refused.value)


def test_an_event_without_a_role_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="executionRoleArn: None is not a role of account"):
        require_allowed_account({"accountId": OURS}, frozenset({OURS}))


def test_the_environment_of_the_function_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ENVIRONMENT_VARIABLE, raising=False)
    check_event_account(event(OTHER, OTHER))
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, OURS)
    check_event_account(event(OURS))
    with pytest.raises(InvalidInputError):
        check_event_account(event(OTHER, OTHER))
