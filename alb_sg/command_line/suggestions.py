"""The known name that a wrong one was probably meant to be."""

from __future__ import annotations

from collections.abc import Iterable


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """The words `; did you mean 'NAME'?` for the closest known name, or nothing if none is close."""
    # Only a wrong call needs it.
    from difflib import get_close_matches  # noqa: PLC0415 (slow, and not always needed)

    by_lower_case = {name.lower(): name for name in known}
    close = get_close_matches(wrong.lower(), by_lower_case, n=1)
    return f"; did you mean {by_lower_case[close[0]]!r}?" if close else ""
