"""A check and its results."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class CheckStatus(Enum):
    """In the order of severity. `NOTICE` is worth knowing; the deployment works."""

    PROBLEM = "problem"
    UNREAD = "unread"
    NOTICE = "notice"
    OK = "ok"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What a check found at a place: an account and region, a function, a rule. `action` is empty if there is nothing
    to do."""

    check: str
    place: str
    status: CheckStatus
    found: str
    why: str
    action: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """A check, and why it matters."""

    name: str
    why: str

    def ok(self, place: object, found: str) -> CheckResult:
        return CheckResult(self.name, str(place), CheckStatus.OK, found, self.why)

    def notice(self, place: object, found: str, action: str) -> CheckResult:
        return CheckResult(self.name, str(place), CheckStatus.NOTICE, found, self.why, action)

    def problem(self, place: object, found: str, action: str) -> CheckResult:
        return CheckResult(self.name, str(place), CheckStatus.PROBLEM, found, self.why, action)

    def unread(self, place: object, cause: str) -> CheckResult:
        """The result where a call failed; `cause` names the call."""
        action = "repeat it, or allow the call to these credentials; docs/doctor.md has the policy"
        return CheckResult(self.name, str(place), CheckStatus.UNREAD, f"not read: {cause}", self.why, action)


def needs_attention(results: Iterable[CheckResult]) -> bool:
    """Whether any check failed, or could not be made."""
    return any(result.status in (CheckStatus.PROBLEM, CheckStatus.UNREAD) for result in results)
