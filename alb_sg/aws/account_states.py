"""The states of an organization's accounts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ACTIVE = "ACTIVE"


def account_state(account: Mapping[str, Any]) -> Any:
    """The state of an account as Organizations describes it, such as SUSPENDED, or None. `State` replaces `Status`,
    which AWS retires on September 9, 2026."""
    return account.get("State") or account.get("Status")
