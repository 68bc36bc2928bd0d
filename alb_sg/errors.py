"""The two ways in which input fails: it cannot be used at all, or a part of it could not be read.

Neither is ever a verdict. `InvalidInputError` stops the call (the command exits 2); `NotReadError` is raised where a
verdict would hang on something that is not there, and becomes an error that names it while every other load
balancer is still judged.
"""

from __future__ import annotations


class InvalidInputError(Exception):
    """Input that no verdict can be built on: one sentence that says what, where and what to do."""

    def __init__(self, message: str, place: str = "") -> None:
        super().__init__(message, place)
        self.message = message
        self.place = place

    def inside(self, place: str) -> InvalidInputError:
        """The same error seen from one level further out, such as `SecurityGroups[3]`."""
        if not self.place:
            return InvalidInputError(self.message, place)
        joint = "" if self.place.startswith("[") else "."
        return InvalidInputError(self.message, f"{place}{joint}{self.place}")

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" if self.place else self.message


class NotReadError(Exception):
    """Something that a verdict hangs on was not read: `what` names it, `cause` says why it is missing."""

    def __init__(self, what: str, cause: str) -> None:
        super().__init__(what, cause)
        self.what = what
        self.cause = cause

    def __str__(self) -> str:
        return f"{self.what}: {self.cause}"
