"""The errors that callers of this package handle. None of them is ever a verdict.

AlbSgError
├── InvalidInputError          input is unusable: the whole call stops, and the command exits with 2
├── NotReadError               a fact that a verdict depends on is missing: that verdict becomes an
│                              `EvaluationError`, and every other load balancer is still judged
└── IncompleteEvaluationError  a Config rule's invocation could not judge or record everything: Lambda must fail
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PACKAGE = Path(__file__).parent


class AlbSgError(Exception):
    """Base of the errors that this package raises on purpose."""


class InvalidInputError(AlbSgError):
    """Input that no verdict can be based on: one sentence with the fault, its place, and what to do."""

    def __init__(self, message: str, place: str = "") -> None:
        super().__init__(message, place)
        self.message = message
        self.place = place

    def inside(self, place: str) -> InvalidInputError:
        """The same error as seen from the enclosing value, such as `SecurityGroups[3]`."""
        if not self.place:
            return self.at(place)
        joint = "" if self.place.startswith("[") else "."
        return self.at(f"{place}{joint}{self.place}")

    def at(self, place: str) -> InvalidInputError:
        """The same error at another place."""
        return InvalidInputError(self.message, place)

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" if self.place else self.message


@contextmanager
def error_context(place: str) -> Iterator[None]:
    """Adds the enclosing value to the place of errors, as `InvalidInputError.inside` does.

    It takes about a microsecond: readers of single items and fields use a plain `try`.
    """
    try:
        yield
    except InvalidInputError as error:
        raise error.inside(place) from error


class NotReadError(AlbSgError):
    """A verdict depends on something that was not read: `what` names it, `cause` says why it is missing."""

    def __init__(self, what: str, cause: str) -> None:
        super().__init__(what, cause)
        self.what = what
        self.cause = cause

    def __str__(self) -> str:
        return f"{self.what}: {self.cause}"


class IncompleteEvaluationError(AlbSgError):
    """An invocation could not judge or record everything; each error was logged before."""


def unexpected_error_text(error: Exception) -> str:
    """An error that this package did not expect, in one sentence with the place in its code."""
    frames = traceback.extract_tb(error.__traceback__)
    # The innermost place in this package: below it is a library.
    own = next((frame for frame in reversed(frames) if Path(frame.filename).is_relative_to(_PACKAGE)), None)
    place = "" if own is None else f" in {Path(own.filename).relative_to(_PACKAGE.parent)}, line {own.lineno}"
    return f"unexpected {type(error).__name__}{place}: {error}; please report it"
