"""Runs of tests over a mutant of what a module does when it is imported: a file of a copy of the checkout is changed.

A process that has imported everything but the project forks for each mutant: imports would take most of the time.
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import multiprocessing
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from tests.mutation.choice import Choice
from tests.mutation.mutants import Mutant
from tests.mutation.outcomes import Outcome, Tried

NOT_COPIED = (".git", ".venv*", "node_modules", ".mypy_cache", ".ruff_cache", "dist", "build", ".hypothesis")
# The modules of other people that tests import, which a process imports before it forks.
IMPORTED_MODULES = (
    "pytest",
    "hypothesis",
    "boto3",
    "rdklib",
    "moto",
    "moto.config",
    "moto.ec2",
    "moto.elbv2",
    "moto.sts",
)
OWN_PACKAGES = frozenset({"alb_sg", "tests", "embedded_aws", "benchmarks", "demo", "rules"})
# Seconds in which a run may import the project, beside the time for its tests. Others may use the machine.
START_SECONDS = 60.0

Task = tuple[str, Mutant, Choice]


def copy_checkout(root: Path, copy: Path) -> Path:
    shutil.copytree(root, copy, ignore=shutil.ignore_patterns(*NOT_COPIED), symlinks=True)
    return copy


def python_path(copy: Path) -> str:
    """The copy, and what else is on the path that is no checkout."""
    others = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path and not _is_own(path)]
    return os.pathsep.join([str(copy), *others])


def try_all(tasks: Sequence[Task], copies: Sequence[Path], clock_seconds: float) -> Iterator[Tried]:
    """Tries mutants, in as many processes as there are copies, each for at most so many seconds on the clock."""
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    for copy in copies:
        queue.put(str(copy))
    for name in IMPORTED_MODULES:
        importlib.import_module(name)
    with context.Pool(len(copies), _start, (queue,)) as pool:
        yield from pool.imap_unordered(partial(_try, clock_seconds), tasks)


_copy: Path


def _start(copies: multiprocessing.SimpleQueue[str]) -> None:
    global _copy  # noqa: PLW0603 (each process has its own)
    _copy = Path(copies.get())


def _try(clock_seconds: float, task: Task) -> Tried:
    module, mutant, choice = task
    if not choice.tests:
        return Tried(module, mutant, Outcome.UNTESTED, 0, 0.0)
    start = time.monotonic()
    with _mutated(_copy / module, mutant):
        outcome = _run(_copy, choice, clock_seconds)
    return Tried(module, mutant, outcome, len(choice.tests), time.monotonic() - start)


@contextlib.contextmanager
def _mutated(path: Path, mutant: Mutant) -> Iterator[None]:
    original, before = path.read_text(encoding="utf-8"), path.stat()
    path.write_text(ast.unparse(mutant.apply_to(original)), encoding="utf-8")
    try:
        yield
    finally:
        path.write_text(original, encoding="utf-8")
        # The compiled original is valid again: Python compares the time.
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def _run(copy: Path, choice: Choice, clock_seconds: float) -> Outcome:
    child = os.fork()
    if child == 0:
        _run_in_child(copy, choice.tests)
    deadline = time.monotonic() + START_SECONDS + clock_seconds
    ended, status = 0, 0
    while not ended and time.monotonic() < deadline:
        time.sleep(0.02)
        ended, status = os.waitpid(child, os.WNOHANG)
    # With all that the mutant left running.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    if not ended:
        os.waitpid(child, 0)
        return Outcome.TIMED_OUT
    return Outcome.SURVIVED if os.waitstatus_to_exitcode(status) == 0 else Outcome.KILLED


def _run_in_child(copy: Path, tests: Sequence[str]) -> None:
    """Never returns: the process ends with pytest's exit code."""
    code = 1
    try:
        os.setsid()
        null = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(null, stream)
        os.chdir(copy)
        os.environ["PYTHONPATH"] = python_path(copy)
        # The mutant is not compiled for others, and what the original was compiled to is not written over.
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
        sys.dont_write_bytecode = True
        for name in [name for name in sys.modules if name.split(".")[0] in OWN_PACKAGES]:
            del sys.modules[name]
        sys.path[:] = [str(copy), *(path for path in sys.path if not _is_own(path))]
        importlib.invalidate_caches()
        pytest = importlib.import_module("pytest")
        code = int(pytest.main(["-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", "--no-header", *tests]))
    finally:
        os._exit(code)


def _is_own(path: str) -> bool:
    return path == "" or (Path(path) / "alb_sg").is_dir()
