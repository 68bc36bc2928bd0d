"""Changes one thing in the code and runs the tests that execute it. What no test notices survives.

The tests of `make check` run first, and over what survives them the slow ones of the mutant's room. A run without any
mutant records which lines each test executes: a mutant is tried with the tests that execute its statement, quickest
first, until one fails. One whose tests take ten times the processor time, or longer than `--clock-seconds`, is killed
by time-out. Mutants are drawn evenly from the rooms of `ROOMS`, or from the places that are named.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple

from tests.mutation.choice import Recording
from tests.mutation.mutants import Mutant, mutants
from tests.mutation.outcomes import Outcome, Tried
from tests.mutation.runs import copy_checkout, python_path, try_all
from tests.mutation.session import Assignment

ROOT = Path(__file__).resolve().parents[2]
JUDGING = (
    "tests/permissions",
    "tests/recommendations",
    "tests/semantics",
    "tests/findings",
    "tests/samples",
    "tests/exemptions",
    "tests/report",
    "tests/properties",
)
HANDLING = ("tests/config_rule", "tests/exemptions", "rules")
# The tests that should notice a mutant of a room.
ROOMS: dict[str, tuple[str, ...]] = {
    "alb_sg/permissions": JUDGING,
    "alb_sg/recommendations": JUDGING,
    "alb_sg/findings": (
        *JUDGING,
        "tests/command_line",
        "tests/dashboard/test_data.py",
        "tests/live/test_remark_facts.py",
    ),
    "alb_sg/remediation": ("tests/remediation", "tests/ssm_documents", "tests/report/test_advice.py"),
    "alb_sg/config_rule": HANDLING,
    "alb_sg/functions": ("tests/functions", "tests/deploy/test_states.py"),
}
# No verdict and no change depends on them: what roles are made of, imports, and text to copy.
LEFT_OUT = frozenset({"cold_start.py", "iam_actions.py", "snippets.py", "terraform.py", "cloudformation.py"})
MARKERS = {"quick": "not slow", "slow": "slow"}
ENOUGH = 0.95

Found = tuple[str, Mutant]


class Place(NamedTuple):
    """A folder or module below the checkout; of a module, optionally a function or class in it (`module.py:name`)."""

    path: str
    name: str | None

    def holds(self, module: str, mutant: Mutant) -> bool:
        is_inside = module == self.path or module.startswith(f"{self.path.rstrip('/')}/")
        return is_inside and (self.name is None or self.name in mutant.names)


def parse_place(text: str) -> Place:
    path, _, name = text.partition(":")
    if not (ROOT / path).exists():
        raise argparse.ArgumentTypeError(f"{path} is no file or folder of this checkout")
    return Place(path, name or None)


def room_of(module: str) -> str:
    return next(room for room in ROOMS if module.startswith(f"{room}/"))


def find_mutants(places: Sequence[Place]) -> dict[str, list[Found]]:
    """All mutants of the places, each with its module, by room."""
    by_room: dict[str, list[Found]] = {room: [] for room in ROOMS}
    for room, found in by_room.items():
        for path in sorted((ROOT / room).rglob("*.py")):
            module = str(path.relative_to(ROOT))
            if path.name in LEFT_OUT or path.name == "__init__.py":
                continue
            found += [
                (module, mutant)
                for mutant in mutants(path.read_text(encoding="utf-8"))
                if any(place.holds(module, mutant) for place in places)
            ]
    return {room: found for room, found in by_room.items() if found}


def sample(by_room: Mapping[str, Sequence[Found]], count: int, seed: int) -> list[Found]:
    """As many mutants of each room as of the others, in an order that mixes the rooms; of a small room, all.

    Those of a room are the same, whatever the other rooms are.
    """
    shuffled = {room: Random(f"{seed} {room}").sample(found, len(found)) for room, found in by_room.items()}
    chosen: list[Found] = []
    while len(chosen) < count and any(shuffled.values()):
        chosen += [found.pop() for found in shuffled.values() if found]
    return chosen[:count]


class Round(NamedTuple):
    """Trying mutants with the tests of one marker: the copies of the checkout, one a process, and a scratch folder."""

    options: argparse.Namespace
    copies: Sequence[Path]
    folder: Path
    tests: str

    def try_mutants(self, chosen: Sequence[Found]) -> Iterator[Tried]:
        """What becomes of mutants; first of those that are no part of an import."""
        recorded = (self.options.recording or self.folder) / self.tests
        at_import: list[Found] = []
        for one in self._in_session(chosen, recorded):
            if one.outcome is Outcome.AT_IMPORT:
                at_import.append((one.module, one.mutant))
            else:
                yield one
        if at_import:
            recording = Recording(recorded)
            tasks = [(*found, recording.choose(*found, self.options.seconds)) for found in at_import]
            yield from try_all(tasks, self.copies, self.options.clock_seconds)

    def _in_session(self, chosen: Sequence[Found], recorded: Path) -> Iterator[Tried]:
        results, file = self.folder / f"{self.tests}-results", self.folder / f"{self.tests}.json"
        results.touch()
        root = self.copies[0]
        assignment = Assignment(
            str(root),
            str(recorded.resolve()),
            list(ROOMS),
            str(results),
            self.options.processes,
            self.options.seconds,
            self.options.clock_seconds,
            [(module, tuple(mutant)) for module, mutant in chosen],
        )
        file.write_text(json.dumps(assignment), encoding="utf-8")
        tests = dict.fromkeys(test for module, _ in chosen for test in ROOMS[room_of(module)])
        plugins = ("tests.mutation.session", "no:terminal", "no:cacheprovider", "no:xdist")
        command = [sys.executable, "-m", "pytest", "-m", MARKERS[self.tests], *tests]
        environment = os.environ | {
            "PYTHONPATH": python_path(root),
            "PYTEST_ADDOPTS": " ".join(f"-p {plugin}" for plugin in plugins),
            "ALB_SG_MUTATION": str(file),
        }
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        with results.open(encoding="utf-8") as lines:
            running = subprocess.Popen(command, cwd=root, env=environment)  # noqa: S603 (pytest)
            is_over = False
            while not is_over:
                is_over = running.poll() is not None
                for line in lines:
                    yield Tried.from_json(json.loads(line))
                time.sleep(0.1)
        if running.returncode != 0:
            sys.exit(f"pytest ended with {running.returncode}")


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    place = "a folder, a module, or module.py:function (default: every room)"
    parser.add_argument("places", nargs="*", type=parse_place, metavar="PLACE", help=place)
    parser.add_argument("--mutants", type=int, default=200, help="how many to try (default: 200)")
    parser.add_argument("--seed", type=int, default=1, help="of the choice (default: 1)")
    parser.add_argument("--seconds", type=float, default=60.0, help="of tests for each mutant (default: 60)")
    clock = "on the clock for each mutant: one that sleeps or waits longer is killed by time-out (default: 300)"
    parser.add_argument("--clock-seconds", type=float, default=300.0, help=clock)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="(default: one a processor)")
    parser.add_argument("--quick", action="store_true", help="with the tests of `make check` alone")
    parser.add_argument("--recording", type=Path, help="a folder that keeps what tests execute, for further runs")
    report = "a file that gets a line of JSON for each result; those that it has are not tried again"
    parser.add_argument("--report", type=Path, help=report)
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> int:
    options = parse_arguments(arguments)
    by_room = find_mutants(options.places or [Place(room, None) for room in ROOMS])
    chosen = sample(by_room, options.mutants, options.seed)
    if not chosen:
        sys.exit("there is no mutant in these places")
    results: dict[Found, Tried] = {}
    with tempfile.TemporaryDirectory(prefix="alb-sg-mutants-") as folder:
        copies = [copy_checkout(ROOT, Path(folder, str(number))) for number in range(options.processes)]
        for tests in ("quick",) if options.quick else MARKERS:
            left = [found for found in chosen if found not in results or not results[found].outcome.is_killed]
            known = _read_report(options.report, tests, left)
            new = [found for found in left if found not in known]
            tried = Round(options, copies, Path(folder), tests).try_mutants(new) if new else iter(())
            for one in [*known.values(), *_reported(tried, tests, len(new), options.report)]:
                if one.outcome is not Outcome.UNTESTED or (one.module, one.mutant) not in results:
                    results[one.module, one.mutant] = one
            _summarize(results.values(), by_room, f"with {'quick' if tests == 'quick' else 'all'} tests")
    survivors = [one for one in results.values() if not one.outcome.is_killed]
    for one in sorted(survivors, key=lambda one: (one.module, one.mutant.line, one.mutant.change)):
        sys.stdout.write(f"{one.outcome.value}: {one.module}, line {one.mutant.line}: {one.mutant.change}\n")
    return 0 if len(survivors) <= (1 - ENOUGH) * len(results) else 1


def _read_report(path: Path | None, tests: str, wanted: Sequence[Found]) -> dict[Found, Tried]:
    """The results for these mutants with these tests that an earlier run has reported."""
    if path is None or not path.exists():
        return {}
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    found = [Tried.from_json(line) for line in lines if line["round"] == tests]
    return {(one.module, one.mutant): one for one in found if (one.module, one.mutant) in set(wanted)}


def _reported(tried: Iterator[Tried], tests: str, count: int, path: Path | None) -> Iterator[Tried]:
    """The results as they come, each with a line in the report, and the progress."""
    start, killed = time.monotonic(), 0
    for number, one in enumerate(tried, 1):
        killed += one.outcome.is_killed
        if path is not None:
            with path.open("a", encoding="utf-8") as file:
                file.write(f"{json.dumps({'round': tests, **one.as_json()})}\n")
        sys.stderr.write(f"{tests}: {number} of {count}, {killed} killed, {time.monotonic() - start:.0f} s\n")
        yield one


def _summarize(results: Iterable[Tried], by_room: Mapping[str, Sequence[Found]], what: str) -> None:
    tried = list(results)
    killed = [one for one in tried if one.outcome.is_killed]
    for room, found in by_room.items():
        dead, all_of_room = (sum(room_of(one.module) == room for one in some) for some in (killed, tried))
        sys.stdout.write(f"{room} {what}: {dead} of {all_of_room} killed; there are {len(found)}\n")
    by_operator, dead_by_operator = (Counter(one.mutant.operator for one in some) for some in (tried, killed))
    counts = (f"{name} {dead_by_operator[name]} of {count}" for name, count in sorted(by_operator.items()))
    sys.stdout.write(f"{', '.join(counts)}\n")
    timed_out = sum(one.outcome is Outcome.TIMED_OUT for one in tried)
    sys.stdout.write(f"{what}: {len(killed)} of {len(tried)} killed, {timed_out} of them by time-out\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
