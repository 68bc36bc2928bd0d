"""JSON lines of files of configuration items, an account and region at a time, in one process or in several.

Only the accounts and regions being judged are in memory. Where a verdict hangs on what another one holds, such as the
VPC that it shares, that is looked up there and the verdict found again: so all is as if everything were read together.
"""

from __future__ import annotations

import signal
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import copyfileobj
from typing import Any, Protocol, TextIO, TypeAlias, TypeVar

from alb_sg.command_line.choice import choose
from alb_sg.command_line.lines import Written, write_findings
from alb_sg.command_line.output import UNENCODABLE
from alb_sg.command_line.progress import Progress
from alb_sg.command_line.sources import Gathered, gathered_from, home
from alb_sg.errors import UnusableInput
from alb_sg.estate.cidr import Family
from alb_sg.estate.config_items import first_home, read_config_items
from alb_sg.estate.estate import SECTIONS, Beyond, Estate, WatchedSection
from alb_sg.estate.home import Home
from alb_sg.estate.model import NetworkInterface
from alb_sg.report.json_report import write_error_lines

A = TypeVar("A")
B = TypeVar("B")

Address: TypeAlias = tuple[str, Family, int]
# Something that was looked for in other accounts and regions: a section and an id, or "NetworkInterfaces" and a VPC,
# family and address.
Asked: TypeAlias = tuple[str, str | Address]
INTERFACES = "NetworkInterfaces"
# What is often needed elsewhere, and so little that every account's is kept.
SHARED = ("Vpcs", "ManagedPrefixLists")


@dataclass(frozen=True)
class Task:
    """The files of an account and region, as far as the first item of each tells, and what is asked of them: rules and
    parameters as on the command line. Findings go to the file `lines`. `others`: what is known of what is elsewhere."""

    home: Home
    paths: Sequence[str]
    rules: Sequence[str]
    parameters: Sequence[str]
    lines: str
    others: Sequence[Estate] = ()


@dataclass(frozen=True)
class Answer:
    """`alone`: nothing else was in the files. `asked`: what was looked for elsewhere and is not among what is known.
    `shared`: what others may need, as an estate that holds nothing else."""

    written: Written
    alone: bool
    asked: frozenset[Asked]
    shared: Estate


def write_lines_apart(
    files: Sequence[str], rules: Sequence[str], parameters: Sequence[str], jobs: int, stream: TextIO
) -> Written | None:
    """As `write_lines`, and so many accounts and regions at once.

    None, and nothing is written, where they cannot be told apart or a file cannot be used: then all are to be read
    together, which tells the first thing that is wrong.
    """
    homes = _by_home(files)
    if len(homes) < 2:
        return None
    with tempfile.TemporaryDirectory(prefix="alb-sg-") as folder:
        tasks = [
            Task(where, homes[where], rules, parameters, str(Path(folder) / str(number)))
            # The largest first, so that none is left for one process to do alone.
            for number, where in enumerate(sorted(homes, key=lambda where: -_size(homes[where])))
        ]
        try:
            with _workers(min(jobs, len(tasks))) as side_by_side:
                answers = _answers(tasks, side_by_side)
        except (UnusableInput, WorkerLost):
            return None
        if answers is None:
            return None
        written = Written()
        for task, answer in sorted(zip(tasks, answers, strict=True), key=lambda pair: pair[0].home):
            with Path(task.lines).open(encoding="utf-8", newline="") as lines:
                copyfileobj(lines, stream)
            written.errors += answer.written.errors
            written.findings += answer.written.findings
    write_error_lines(written.errors, stream)
    return written


def _size(paths: Iterable[str]) -> int:
    return sum(Path(path).stat().st_size for path in paths)


def _by_home(files: Iterable[str]) -> Mapping[Home, list[str]]:
    """Files by the account and region of their first item; none where that does not tell of one of them."""
    found: dict[Home, list[str]] = {}
    for path in files:
        where = first_home(path)
        if where is None:
            return {}
        found.setdefault(where, []).append(path)
    return found


class WorkerLost(Exception):
    """A process that worked for this one has ended, or was ended, before its time."""


class Workers(Protocol):
    """Calls a function with each of some things, as `map` does."""

    def __call__(self, function: Callable[[A], B], things: Iterable[A], /) -> Iterator[B]: ...


@contextmanager
def _workers(jobs: int) -> Iterator[Workers]:
    if jobs < 2:
        yield map
        return
    from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415 (one process alone need not pay for it)
    from concurrent.futures.process import BrokenProcessPool  # noqa: PLC0415 (as said above)

    with ProcessPoolExecutor(jobs, initializer=_end_on_interrupt) as pool:
        try:
            yield pool.map
        except BrokenProcessPool as error:
            raise WorkerLost from error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _end_on_interrupt() -> None:
    """An interrupt is told by the process that shows results; those that work for it end without a word."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _answers(tasks: Sequence[Task], workers: Workers) -> list[Answer] | None:
    """What each task gave in the end, in their order; None where the files of one hold something else, too."""
    answers = _done(workers, judge_apart, tasks, "judging accounts and regions")
    others = [answer.shared for answer in answers]
    looked_up: set[Asked] = set()
    while all(answer.alone for answer in answers):
        asked = {one for answer in answers for one in answer.asked if one[0] not in SHARED} - looked_up
        if asked:
            searches = [(task.paths, frozenset(asked)) for task in tasks]
            others += _done(workers, look_up, searches, "looking in accounts and regions")
            looked_up |= asked
        elsewhere = Elsewhere(others)
        again = [number for number, answer in enumerate(answers) if any(map(elsewhere.holds, answer.asked))]
        if not again:
            return answers
        tasks_again = [replace(tasks[number], others=others) for number in again]
        for number, answer in zip(again, _done(workers, judge_apart, tasks_again, "judging again"), strict=True):
            answers[number] = answer
    return None


def _done(workers: Workers, function: Callable[[A], B], things: Sequence[A], label: str) -> list[B]:
    found = []
    with Progress(label) as progress:
        for one in workers(function, things):
            found.append(one)
            progress(len(found), len(things))
    return found


# --- done by workers


def judge_apart(task: Task) -> Answer:
    """The verdicts of one account and region. Raises UnusableInput."""
    elsewhere = Elsewhere(task.others)
    estates: list[Estate] = []

    def gather() -> Gathered:
        estates.extend(read_config_items(task.paths))
        return gathered_from([replace(estate, beyond=elsewhere) for estate in estates], ())

    with Path(task.lines).open("w", encoding="utf-8", errors=UNENCODABLE, newline="") as stream:
        written = write_findings(gather, choose(task.rules, task.parameters), stream)
    held = Beyond(estates)
    return Answer(
        written,
        alone=[home(estate) for estate in estates] == [(task.home.account_id, task.home.region)],
        asked=frozenset(elsewhere.asked),
        shared=_excerpt({name: held.section(name) for name in SHARED}),
    )


def look_up(search: tuple[Sequence[str], frozenset[Asked]]) -> Estate:
    """What files hold of what is asked for, and nothing else. Raises UnusableInput."""
    paths, asked = search
    held = Beyond(read_config_items(paths))
    sections: dict[str, dict[str, Any]] = {}
    for name, key in asked:
        if isinstance(key, tuple):
            interface = held.interface_at(*key)
            if interface is not None:
                sections.setdefault(name, {})[interface.id] = interface
        elif key in held.section(name):
            sections.setdefault(name, {})[key] = held.section(name)[key]
    return _excerpt(sections)


def _excerpt(sections: Mapping[str, Mapping[str, Any]]) -> Estate:
    """An estate that stands for parts of others: only what it holds matters."""
    held: dict[str, Any] = {SECTIONS[name]: dict(found) for name, found in {INTERFACES: {}, **sections}.items()}
    return Estate("", "", **held)


class Elsewhere(Beyond):
    """What is known of other accounts and regions; `asked` is what was looked for and is not."""

    def __init__(self, others: Iterable[Estate]) -> None:
        super().__init__(others)
        self.asked: set[Asked] = set()

    def holds(self, asked: Asked) -> bool:
        name, key = asked
        return super().interface_at(*key) is not None if isinstance(key, tuple) else key in super().section(name)

    def section(self, name: str) -> Mapping[str, Any]:
        return WatchedSection(name, super().section(name), self.asked)

    def interface_at(self, vpc_id: str, family: Family, address: int) -> NetworkInterface | None:
        found = super().interface_at(vpc_id, family, address)
        if found is None:
            self.asked.add((INTERFACES, (vpc_id, family, address)))
        return found
