"""How the process ends: without taking apart first what it has in memory, which may be millions of objects."""

from __future__ import annotations

import os
import sys
from typing import NoReturn, TypeVar

T = TypeVar("T")

# What Python itself ends with where the last of its output cannot be written.
OUTPUT_NOT_WRITTEN = 120

_objects_kept_until_exit: list[object] = []
_exits_without_cleanup = False


def keep_until_exit(value: T) -> T:
    """The same; it stays in memory where the process ends with the command."""
    if _exits_without_cleanup:
        _objects_kept_until_exit.append(value)
    return value


def run() -> NoReturn:
    """The installed command: `main`, and the end of the process."""
    global _exits_without_cleanup  # noqa: PLW0603 (of the process, there is one)
    from alb_sg.command_line.main import main  # noqa: PLC0415 (it imports the commands, which import this)

    _exits_without_cleanup = True
    code = main()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            code = code or OUTPUT_NOT_WRITTEN
    os._exit(code)
