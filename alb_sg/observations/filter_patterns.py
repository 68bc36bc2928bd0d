"""How a filter fits: the grammar of the options that narrow a run, and of the filters in the address of a page.

`docs/command-line.md`, "Narrowing", defines it. `dashboard/assets/filters.js` follows the same definition, and
`tests/filter_cases.py` holds both to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase

# What an absent value reads, on the page and in a pattern.
NO_OWNER = "(no owner)"
ROOT_UNIT, UNKNOWN_UNIT = "Root", "(unit unknown)"


def fits(text: str, patterns: Iterable[str]) -> bool:
    """Whether one of the patterns fits the whole text, in any letter case.

    `*` is any characters, also none; `?` is one. Every other character matches itself, as in IAM policies.
    """
    lower = text.lower()
    return any(fnmatchcase(lower, pattern.lower().replace("[", "[[]")) for pattern in patterns)


def owner_fits(owner: str | None, patterns: Iterable[str]) -> bool:
    return fits(owner or NO_OWNER, patterns)


def unit_fits(unit: str | None, patterns: Iterable[str]) -> bool:
    """Whether a pattern fits an organizational unit or one above it. `unit`: as in `AccountName`."""
    trimmed = [pattern.strip("/") for pattern in patterns]
    return any(fits(candidate, trimmed) for candidate in _unit_and_those_above(unit))


def tags_fit(tags: Mapping[str, str], patterns: Iterable[str]) -> bool:
    """Whether a pattern fits a tag: its key, or its text `KEY=VALUE`."""
    wanted = list(patterns)
    return any(fits(key, wanted) or fits(f"{key}={value}", wanted) for key, value in tags.items())


def unit_name(unit: str | None) -> str:
    return UNKNOWN_UNIT if unit is None else unit or ROOT_UNIT


def _unit_and_those_above(unit: str | None) -> Iterator[str]:
    parts = (unit or "").split("/")
    yield unit_name(unit)
    for length in range(1, len(parts)):
        yield "/".join(parts[:length])
