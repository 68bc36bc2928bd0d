"""Which lines of the rooms each test executes: coverage's files with a context a test, and seconds beside them."""

from __future__ import annotations

import json
import os
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import coverage
import pytest


def record(
    items: Sequence[pytest.Item],
    run: Callable[[pytest.Item, pytest.Item | None], bool],
    rooms: Sequence[Path],
    to: Path,
) -> list[str]:
    """Runs tests and records what they execute. Returns those that fail, without any mutant."""
    recorder = coverage.Coverage(
        data_file=str(to / "coverage"),
        data_suffix=True,
        source=[str(room) for room in rooms],
        config_file=False,
        messages=False,
    )
    seconds: dict[str, float] = {}
    failed: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        recorder.start()
        for item, following in zip(items, [*items[1:], None], strict=True):
            recorder.switch_context(item.nodeid)
            start = time.process_time()
            if not run(item, following):
                failed.append(item.nodeid)
            seconds[item.nodeid] = time.process_time() - start
        recorder.stop()
        recorder.save()
    (to / f"seconds-{os.getpid()}.json").write_text(json.dumps(seconds), encoding="utf-8")
    return failed
