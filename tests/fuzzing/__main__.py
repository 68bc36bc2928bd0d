"""`python -m tests.fuzzing [SECONDS]`: each test of this folder for that long, with atheris where it is installed.

Without atheris, hypothesis alone looks further each time. Prints the number of inputs and every input that fails.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from importlib.util import find_spec

from hypothesis import settings

from tests.conftest import ENVIRONMENT
from tests.fuzzing.tests import TESTS
from tests.fuzzing.texts import PARSERS, refused_badly

INPUTS_AT_ONCE = 500


def fuzz(name: str, seconds: int) -> None:
    """Feeds one test in this process."""
    test = TESTS[name]
    further = settings(test._hypothesis_internal_use_settings, max_examples=500, derandomize=False, database=None)  # noqa: SLF001 (hypothesis has no public way to change a test's settings)
    test._hypothesis_internal_use_settings = further  # noqa: SLF001 (as above)
    start, inputs = time.monotonic(), 0
    while time.monotonic() - start < seconds:
        test()
        inputs += 500
    sys.stdout.write(f"{name}: {inputs:,} inputs, none fails\n")


def change_texts(seconds: int) -> list[str]:
    """Feeds each parser of `texts` for that long. Returns the names of those that fail."""
    failed, total = [], 0
    for name in PARSERS:
        start, seed, wrong = time.monotonic(), 0, 0
        while time.monotonic() - start < seconds:
            seed += 1
            for content, error in refused_badly(name, INPUTS_AT_ONCE, seed):
                wrong += 1
                sys.stdout.write(f"{name}, seed {seed}: {error!r} for {content[:200]!r}\n")
        total += seed * INPUTS_AT_ONCE
        sys.stdout.write(f"{name}: {seed * INPUTS_AT_ONCE:,} inputs, {wrong or 'none'} wrong\n")
        sys.stdout.flush()
        failed += [name] if wrong else []
    sys.stdout.write(f"{total:,} texts\n")
    return failed


def main(seconds: int) -> int:
    """Changed texts, and every test in a process of its own. The exit code is 1 if one fails."""
    failed = change_texts(seconds)
    for name in TESTS:
        program = ["tests.fuzzing.coverage_guided"] if find_spec("atheris") else ["tests.fuzzing", "--one"]
        command = [sys.executable, "-m", *program, name, str(seconds)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 (this very program)
        sys.stdout.write(f"{name}: {'passed' if done.returncode == 0 else 'FAILED'}\n")
        sys.stdout.write("\n".join([*done.stdout.splitlines()[-3:], *done.stderr.splitlines()[-3:]]) + "\n")
        sys.stdout.flush()
        if done.returncode:
            failed.append(name)
    return 1 if failed else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--texts"]:
        os.environ.update(ENVIRONMENT)
        sys.exit(1 if change_texts(int(sys.argv[2])) else 0)
    elif sys.argv[1:2] == ["--one"]:
        os.environ.update(ENVIRONMENT)
        fuzz(sys.argv[2], int(sys.argv[3]))
    else:
        sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 60))
