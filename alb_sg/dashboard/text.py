"""Text as UTF-8 can hold it."""

from __future__ import annotations


def replace_lone_surrogates(text: str) -> str:
    """The text with a question mark for each half of a character (a lone surrogate, which JSON can escape and UTF-8
    cannot hold)."""
    return text.encode("utf-8", "replace").decode("utf-8")
