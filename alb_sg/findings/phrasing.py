"""Counts and lists in sentences, below every module that words one."""

from __future__ import annotations

from collections.abc import Sequence


def pluralize(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def printable(text: str) -> str:
    """The text without control and formatting characters, which a terminal would obey and which reorder a line:
    anyone may choose a name in AWS."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def cut_middle(text: str, max_length: int) -> str:
    """The text, or its first and last part with the number of characters between them."""
    if len(text) <= max_length:
        return text
    half = max_length // 2
    return f"{text[:half]}… ({len(text) - 2 * half:,} characters more) …{text[-half:]}"


def abbreviate(names: Sequence[str], max_names: int) -> str:
    """The first names and how many more there are."""
    if len(names) <= max_names + 1:
        return ", ".join(names)
    return f"{', '.join(names[:max_names])} and {len(names) - max_names:,} more"
