"""Runs a command and says what it took: `python measure_process.py OUT COMMAND…`.

A process of its own, because a child's peak memory is counted from its parent's size on, and a benchmark is large.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from time import perf_counter

out, *command = sys.argv[1:]
with Path(out).open("wb") as stream:
    begin = perf_counter()
    process = subprocess.Popen(command, stdout=stream)
    _, status, used = os.wait4(process.pid, 0)
    clock = perf_counter() - begin
code = process.returncode = os.waitstatus_to_exitcode(status)
json.dump(
    {"code": code, "processor": used.ru_utime + used.ru_stime, "clock": clock, "memory": used.ru_maxrss / 1024},
    sys.stdout,
)
