"""How the process ends: without taking apart first what it has in memory, which may be millions of objects."""

from __future__ import annotations

import os
import sys
from typing import NoReturn, TypeVar

T = TypeVar("T")

# What Python itself ends with where the last of its output cannot be written.
NOT_WRITTEN = 120

_kept: list[object] = []
_leaving = False


def keep(thing: T) -> T:
    """The same; it stays in memory where the process ends with the command."""
    if _leaving:
        _kept.append(thing)
    return thing


def run() -> NoReturn:
    """The installed command: `main`, and the end of the process."""
    global _leaving  # noqa: PLW0603 (of the process, there is one)
    from alb_sg.command_line.main import main  # noqa: PLC0415 (it imports the commands, which import this)

    _leaving = True
    code = main()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            code = code or NOT_WRITTEN
    os._exit(code)
