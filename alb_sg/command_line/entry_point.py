"""The entry point of the installed command. The process ends without freeing its memory object by object, which may be
millions."""

from __future__ import annotations

import os
import sys
from typing import NoReturn, TypeVar

T = TypeVar("T")

# Python's own exit code if it cannot flush its output.
OUTPUT_NOT_WRITTEN = 120

_objects_kept_until_exit: list[object] = []
_exits_without_cleanup = False


def keep_until_exit(value: T) -> T:
    """Returns the value, and keeps it alive until exit if the process ends with the command."""
    if _exits_without_cleanup:
        _objects_kept_until_exit.append(value)
    return value


def run() -> NoReturn:
    """Runs `main`, and ends the process."""
    global _exits_without_cleanup  # noqa: PLW0603 (one flag for the process)
    from alb_sg.command_line.main import main  # noqa: PLC0415 (the commands import this module)

    _exits_without_cleanup = True
    code = main()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            code = code or OUTPUT_NOT_WRITTEN
    os._exit(code)
