"""How the process ends: without taking apart first what it has in memory, which may be millions of objects."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import NoReturn, TypeVar

T = TypeVar("T")

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
        # `main` has written what there was and told where that failed.
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)
