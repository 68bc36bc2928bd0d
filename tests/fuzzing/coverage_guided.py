"""`python -m tests.fuzzing.coverage_guided TEST SECONDS`: a test of this folder with atheris, which prefers inputs that
reach further lines of `alb_sg`. Atheris ends the process; its exit code is not 0 for an input that fails."""

from __future__ import annotations

import os
import sys

import atheris

# Only modules that are imported here report their lines. To instrument all of the process would take minutes.
with atheris.instrument_imports(include=["alb_sg"]):
    from tests.conftest import ENVIRONMENT
    from tests.fuzzing.tests import TESTS

MAX_BYTES = 4096


def main(name: str, seconds: int) -> None:
    os.environ.update(ENVIRONMENT)
    options = [sys.argv[0], f"-max_total_time={seconds}", f"-max_len={MAX_BYTES}"]
    atheris.Setup(options, TESTS[name].hypothesis.fuzz_one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
