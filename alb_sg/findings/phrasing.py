"""Counts and lists in sentences, below every module that words one."""

from __future__ import annotations

from collections.abc import Sequence


def pluralize(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def abbreviate(names: Sequence[str], max_names: int) -> str:
    """The first names and how many more there are."""
    if len(names) <= max_names + 1:
        return ", ".join(names)
    return f"{', '.join(names[:max_names])} and {len(names) - max_names:,} more"
