"""Which accounts a function serves."""

from __future__ import annotations

import pytest

from alb_sg.config_rule.admission import VARIABLE, admit, refuse_others, served_accounts
from alb_sg.errors import UnusableInput

OURS, OTHER = "111122223333", "999999999999"


def event(account: str | None, role_account: str = OURS) -> dict[str, object]:
    return {"accountId": account, "executionRoleArn": f"arn:aws:iam::{role_account}:role/recorder"}


@pytest.mark.parametrize(
    ("value", "accounts"),
    [(None, None), (OURS, {OURS}), (f"{OURS}, {OTHER}", {OURS, OTHER})],
)
def test_list_of_accounts(value: str | None, accounts: set[str] | None) -> None:
    assert served_accounts({} if value is None else {VARIABLE: value}) == accounts


@pytest.mark.parametrize("value", ["", " ", "*", "o-a1b2c3d4e5", f"{OURS},", f"{OURS};{OTHER}", "11112222333"])
def test_a_list_that_is_none_serves_nobody(value: str) -> None:
    with pytest.raises(UnusableInput, match=r"ALB_SG_ACCOUNTS: .* is not an account id"):
        served_accounts({VARIABLE: value})


def test_without_a_list_all_are_served() -> None:
    refuse_others(event(OTHER, OTHER), None)


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
    with pytest.raises(UnusableInput) as refused:
        refuse_others(event(account, role_account), frozenset({OURS}))
    assert sentence in str(refused.value)


def test_an_event_without_a_role_is_refused() -> None:
    with pytest.raises(UnusableInput, match="executionRoleArn: None is not a role of account"):
        refuse_others({"accountId": OURS}, frozenset({OURS}))


def test_the_environment_of_the_function_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    admit(event(OTHER, OTHER))
    monkeypatch.setenv(VARIABLE, OURS)
    admit(event(OURS))
    with pytest.raises(UnusableInput):
        admit(event(OTHER, OTHER))
