"""`python -m tests.faults [RUNS] [SEED]`: random runs with faults; prints each run in which something is wrong."""

from __future__ import annotations

import sys
import time

from tests.faults.runs import random_runs


def main(runs: int = 2000, seed: int = 1) -> int:
    start = time.monotonic()
    wrong = 0
    for number, problem in enumerate(random_runs(runs, seed), 1):
        if problem is not None:
            wrong += 1
            sys.stdout.write(f"run {number}: {problem}\n")
        if number % 100 == 0:
            sys.stderr.write(f"{number} runs, {wrong} wrong, {time.monotonic() - start:.0f} s\n")
    sys.stdout.write(f"{runs} runs with seed {seed}: {wrong} wrong\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
