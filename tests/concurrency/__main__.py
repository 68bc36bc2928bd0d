"""`python -m tests.concurrency [RUNS] [SEED]`: random meetings of fixes and undos; prints each in which something is
wrong."""

from __future__ import annotations

import sys
import time

from tests.concurrency.pairs import problem_of, random_meetings


def main(runs: int = 500, seed: int = 1) -> int:
    start = time.monotonic()
    wrong = 0
    for number, meeting in enumerate(random_meetings(runs, seed), 1):
        problem = problem_of(meeting)
        if problem is not None:
            wrong += 1
            sys.stdout.write(f"run {number}: {problem}\n")
            sys.stdout.flush()
        if number % 50 == 0:
            sys.stderr.write(f"{number} runs, {wrong} wrong, {time.monotonic() - start:.0f} s\n")
    sys.stdout.write(f"{runs} runs with seed {seed}: {wrong} wrong\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
