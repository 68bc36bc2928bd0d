"""The options that a run went by, and where each comes from: the command line, the environment or a file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

COMMAND_LINE = "command line"


class AppliedOption(NamedTuple):
    """An option such as `--region` with its values. `origin`: the command line, a variable or a file."""

    option: str
    values: tuple[str, ...]
    origin: str


def applied_option_objects(options: Iterable[AppliedOption]) -> list[dict[str, Any]]:
    """The options in JSON: `{"option", "values", "from"}`, by name and origin."""
    return [{"option": one.option, "values": list(one.values), "from": one.origin} for one in sorted(options)]
