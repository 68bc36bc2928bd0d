"""Progress of long work, shown on a terminal and by the main thread only."""

from __future__ import annotations

import sys
import threading
import time
from typing import Self

# Shorter work shows nothing. A line that changes more often is unreadable.
DELAY_SECONDS = 0.5
INTERVAL_SECONDS = 0.1
ERASE_LINE = "\r\x1b[2K"


class Progress:
    """Each call updates the line `label done/total` on standard error; the end of the block erases it."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._next_update = time.monotonic() + DELAY_SECONDS
        self._shown = False
        # Several threads would write over each other's lines.
        self._is_terminal = sys.stderr.isatty() and threading.current_thread() is threading.main_thread()

    def __enter__(self) -> Self:
        return self

    def __call__(self, done: int, total: int) -> None:
        if not self._is_terminal or time.monotonic() < self._next_update:
            return
        self._next_update = time.monotonic() + INTERVAL_SECONDS
        self._shown = True
        sys.stderr.write(f"{ERASE_LINE}{self._label} {done:,}/{total:,}")
        sys.stderr.flush()

    def __exit__(self, *_: object) -> None:
        if self._shown:
            sys.stderr.write(ERASE_LINE)
            sys.stderr.flush()
