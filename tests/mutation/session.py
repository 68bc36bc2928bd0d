"""A plugin of pytest (`-p tests.mutation.session`) that tries mutants instead of running the collected tests once.

Each mutant has a process of its own, forked from the one that has collected the tests: starting and importing would
take most of the time. The fork replaces the code of the mutant's function, which every importer of it then calls. No
file is changed. What runs at import alone cannot be changed so, and is left to `tests.mutation.runs`.

The environment's `ALB_SG_MUTATION` names a file with an `Assignment` in JSON; the results go to its `results`.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import shutil
import signal
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any, NamedTuple, NoReturn

import pytest

from tests.mutation.choice import Recording
from tests.mutation.mutants import Mutant
from tests.mutation.outcomes import Outcome, Tried
from tests.mutation.recording import record

# Seconds of processor time that a mutant may take: these, and so many times what its tests took. What waits takes none,
# and is stopped by the clock.
LEAST_SECONDS, SLOWNESS = 5.0, 10.0
KILLED, SURVIVED, NOT_PATCHED = 1, 0, 3
# A file in a folder that holds the recording of every test, and not of those before a run was interrupted.
COMPLETE = "complete"
# The shares of each process when tests are recorded: some take far longer than others.
SHARES = 4


class Assignment(NamedTuple):
    """Mutants to try, each with its module, at a folder with a checkout; see `__main__` for the rest."""

    root: str
    recording: str
    rooms: Sequence[str]
    results: str
    processes: int
    seconds: float
    clock_seconds: float
    mutants: Sequence[tuple[str, Sequence[Any]]]


def pytest_runtestloop(session: pytest.Session) -> bool:
    assignment = Assignment(*json.loads(Path(os.environ["ALB_SG_MUTATION"]).read_text(encoding="utf-8")))
    root, folder = Path(assignment.root), Path(assignment.recording)
    if not (folder / COMPLETE).exists():
        _record(session, root, assignment, folder)
    recording, items = Recording(folder), {item.nodeid: item for item in session.items}
    functions = _functions(root)
    gc.freeze()
    with Path(assignment.results).open("a", encoding="utf-8") as results:
        for one in _try_all(session, assignment, recording, items, functions):
            results.write(f"{json.dumps(one.as_json())}\n")
            results.flush()
    return True


def _record(session: pytest.Session, root: Path, assignment: Assignment, folder: Path) -> None:
    """Runs all tests with coverage, a share of them in a process. Exits if one fails."""
    rooms = [root / room for room in assignment.rooms]
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    share = -(-len(session.items) // (SHARES * assignment.processes))
    starts = range(0, len(session.items), share)
    for number, start in enumerate(starts):
        if number >= assignment.processes:
            os.wait()

        def run(start: int = start) -> int:
            failed = record(session.items[start : start + share], lambda *pair: _run(session, *pair), rooms, folder)
            (folder / f"failed-{start}").write_text("\n".join(failed), encoding="utf-8")
            return SURVIVED

        _fork(run)
    for _ in range(min(assignment.processes, len(starts))):
        os.wait()
    failed = [line for path in folder.glob("failed-*") for line in path.read_text(encoding="utf-8").splitlines()]
    if failed or len(list(folder.glob("seconds-*"))) < len(starts):
        pytest.exit(f"tests fail without any mutant: {failed}", returncode=4)
    (folder / COMPLETE).touch()


def _try_all(
    session: pytest.Session,
    assignment: Assignment,
    recording: Recording,
    items: Mapping[str, pytest.Item],
    functions: Mapping[tuple[str, str], Sequence[FunctionType]],
) -> Iterator[Tried]:
    running: dict[int, tuple[str, Mutant, int, float]] = {}
    for module, fields in assignment.mutants:
        mutant = Mutant(*fields)
        choice = recording.choose(module, mutant, assignment.seconds)
        tests = [items[test] for test in choice.tests if test in items]
        if mutant.function is None:
            yield Tried(module, mutant, Outcome.AT_IMPORT, len(tests), 0.0)
            continue
        if not tests:
            yield Tried(module, mutant, Outcome.UNTESTED, 0, 0.0)
            continue
        while len(running) >= assignment.processes:
            yield from _ended(running, assignment.clock_seconds)
        allowed = LEAST_SECONDS + SLOWNESS * choice.seconds
        path = Path(assignment.root, module)
        live = functions.get((str(path), mutant.function), ())
        child = _fork(lambda: _try(session, path, mutant, live, tests, allowed))  # noqa: B023 (the child runs it at once)
        running[child] = (module, mutant, len(tests), time.monotonic())
    while running:
        yield from _ended(running, assignment.clock_seconds)


def _ended(running: dict[int, tuple[str, Mutant, int, float]], clock_seconds: float) -> Iterator[Tried]:
    """The results of the processes that have ended; waits a moment if none has."""
    time.sleep(0.02)
    for child, (module, mutant, tests, start) in list(running.items()):
        seconds = time.monotonic() - start
        ended, status = os.waitpid(child, os.WNOHANG)
        if not ended and seconds < clock_seconds:
            continue
        # With all that the mutant left running.
        _kill(child)
        if not ended:
            os.waitpid(child, 0)
        del running[child]
        yield Tried(module, mutant, _outcome(status if ended else None), tests, seconds)


def _outcome(status: int | None) -> Outcome:
    if status is None or (os.WIFSIGNALED(status) and os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL)):
        return Outcome.TIMED_OUT
    by_code = {SURVIVED: Outcome.SURVIVED, NOT_PATCHED: Outcome.AT_IMPORT}
    return by_code.get(os.waitstatus_to_exitcode(status), Outcome.KILLED)


def _kill(child: int) -> None:
    try:
        os.killpg(child, signal.SIGKILL)
    except ProcessLookupError:
        return


def _fork(run: Callable[[], int]) -> int:
    """A process with a group of its own, which ends with what `run` returns."""
    child = os.fork()
    if child == 0:
        _end_with(run)
    return child


def _end_with(run: Callable[[], int]) -> NoReturn:
    code = KILLED
    try:
        os.setsid()
        null = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(null, stream)
        code = run()
    finally:
        os._exit(code)


def _try(
    session: pytest.Session,
    path: Path,
    mutant: Mutant,
    live: Sequence[FunctionType],
    tests: Sequence[pytest.Item],
    allowed: float,
) -> int:
    limit = int(allowed) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 5))
    if not _replace_code(path, mutant, live):
        return NOT_PATCHED
    for item, following in zip(tests, [*tests[1:], None], strict=True):
        if not _run(session, item, following):
            return KILLED
    return SURVIVED


def _run(session: pytest.Session, item: pytest.Item, following: pytest.Item | None) -> bool:
    """Whether a test passes."""
    before = session.testsfailed
    item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
    return session.testsfailed == before


def _replace_code(path: Path, mutant: Mutant, live: Sequence[FunctionType]) -> bool:
    """Has the live functions run the mutant's code. False if they cannot."""
    compiled = compile(mutant.apply_to(path.read_text(encoding="utf-8")), str(path), "exec")
    codes = [code for code in _codes(compiled) if code.co_qualname == mutant.function]
    if len(codes) != 1 or not live:
        return False
    for function in live:
        if function.__code__.co_freevars != codes[0].co_freevars:
            return False
        function.__code__ = codes[0]
    return True


def _codes(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes(constant)


def _functions(root: Path) -> dict[tuple[str, str], list[FunctionType]]:
    """The functions of the checkout that are loaded, by file and qualified name."""
    found: dict[tuple[str, str], list[FunctionType]] = defaultdict(list)
    for one in gc.get_objects():
        if isinstance(one, FunctionType) and one.__code__.co_filename.startswith(str(root)):
            found[one.__code__.co_filename, one.__code__.co_qualname].append(one)
    return found
