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

from alb_sg.aws.account_region import AccountRegion
from alb_sg.command_line.output import ENCODING_ERRORS
from alb_sg.command_line.progress import Progress
from alb_sg.command_line.rule_selection import select_rules
from alb_sg.command_line.sources.loaded_estates import LoadedEstates, account_region_key, select_in_estates
from alb_sg.command_line.streaming import StreamedResults, stream_findings
from alb_sg.errors import InvalidInputError
from alb_sg.estate.cidr import Family
from alb_sg.estate.config_item_files import first_account_region, read_config_items
from alb_sg.estate.estate import SECTIONS, Estate, MissTrackingSection, OtherEstates
from alb_sg.estate.model import NetworkInterface
from alb_sg.report.json_report import write_error_lines

A = TypeVar("A")
B = TypeVar("B")

InterfaceAddress: TypeAlias = tuple[str, Family, int]
# Something that was looked for in other accounts and regions: a section and an id, or "NetworkInterfaces" and a VPC,
# family and address.
LookupKey: TypeAlias = tuple[str, str | InterfaceAddress]
INTERFACES_SECTION = "NetworkInterfaces"
# What is often needed elsewhere, and so little that every account's is kept.
SHARED_SECTIONS = ("Vpcs", "ManagedPrefixLists")


@dataclass(frozen=True)
class JudgingTask:
    """The files of an account and region, as far as the first item of each tells, and what is asked of them: rules and
    parameters as on the command line. Findings go to the file `lines`. `others`: what is known of what is elsewhere."""

    account_region: AccountRegion
    paths: Sequence[str]
    rule_names: Sequence[str]
    parameter_options: Sequence[str]
    output_path: str
    other_estates: Sequence[Estate] = ()


@dataclass(frozen=True)
class TaskResult:
    """`alone`: nothing else was in the files. `asked`: what was looked for elsewhere and is not among what is known.
    `shared`: what others may need, as an estate that holds nothing else."""

    streamed: StreamedResults
    is_only_account_region: bool
    misses: frozenset[LookupKey]
    shared_resources: Estate


def stream_json_lines_in_parallel(
    files: Sequence[str], rule_names: Sequence[str], parameter_options: Sequence[str], jobs: int, stream: TextIO
) -> StreamedResults | None:
    """As `write_lines`, and so many accounts and regions at once.

    None, and nothing is written, where they cannot be told apart or a file cannot be used: then all are to be read
    together, which tells the first thing that is wrong.
    """
    account_regions = _files_by_account_region(files)
    if len(account_regions) < 2:
        return None
    with tempfile.TemporaryDirectory(prefix="alb-sg-") as folder:
        tasks = [
            JudgingTask(where, account_regions[where], rule_names, parameter_options, str(Path(folder) / str(number)))
            # The largest first, so that none is left for one process to do alone.
            for number, where in enumerate(
                sorted(account_regions, key=lambda where: -_total_size(account_regions[where]))
            )
        ]
        try:
            with _open_workers(min(jobs, len(tasks))) as side_by_side:
                answers = _run_tasks(tasks, side_by_side)
        except (InvalidInputError, WorkerLostError):
            return None
        if answers is None:
            return None
        written = StreamedResults()
        for task, answer in sorted(zip(tasks, answers, strict=True), key=lambda pair: pair[0].account_region):
            with Path(task.output_path).open(encoding="utf-8", newline="") as lines:
                copyfileobj(lines, stream)
            written.errors += answer.streamed.errors
            written.non_compliant_findings += answer.streamed.non_compliant_findings
    write_error_lines(written.errors, stream)
    return written


def _total_size(paths: Iterable[str]) -> int:
    return sum(Path(path).stat().st_size for path in paths)


def _files_by_account_region(files: Iterable[str]) -> Mapping[AccountRegion, list[str]]:
    """Files by the account and region of their first item; none where that does not tell of one of them."""
    found: dict[AccountRegion, list[str]] = {}
    for path in files:
        where = first_account_region(path)
        if where is None:
            return {}
        found.setdefault(where, []).append(path)
    return found


class WorkerLostError(Exception):
    """A process that worked for this one has ended, or was ended, before its time."""


class ParallelMap(Protocol):
    """Calls a function with each of some things, as `map` does."""

    def __call__(self, function: Callable[[A], B], inputs: Iterable[A], /) -> Iterator[B]: ...


@contextmanager
def _open_workers(jobs: int) -> Iterator[ParallelMap]:
    if jobs < 2:
        yield map
        return
    from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415 (one process alone need not pay for it)
    from concurrent.futures.process import BrokenProcessPool  # noqa: PLC0415 (as said above)

    with ProcessPoolExecutor(jobs, initializer=_end_on_interrupt) as pool:
        try:
            yield pool.map
        except BrokenProcessPool as error:
            raise WorkerLostError from error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _end_on_interrupt() -> None:
    """An interrupt is told by the process that shows results; those that work for it end without a word."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _run_tasks(tasks: Sequence[JudgingTask], workers: ParallelMap) -> list[TaskResult] | None:
    """What each task gave in the end, in their order; None where the files of one hold something else, too."""
    answers = _run_with_progress(workers, judge_account_region, tasks, "judging accounts and regions")
    others = [answer.shared_resources for answer in answers]
    looked_up: set[LookupKey] = set()
    while all(answer.is_only_account_region for answer in answers):
        asked = {one for answer in answers for one in answer.misses if one[0] not in SHARED_SECTIONS} - looked_up
        if asked:
            searches = [(task.paths, frozenset(asked)) for task in tasks]
            others += _run_with_progress(workers, find_resources, searches, "looking in accounts and regions")
            looked_up |= asked
        elsewhere = MissTrackingEstates(others)
        again = [number for number, answer in enumerate(answers) if any(map(elsewhere.contains, answer.misses))]
        if not again:
            return answers
        tasks_again = [replace(tasks[number], other_estates=others) for number in again]
        for number, answer in zip(
            again, _run_with_progress(workers, judge_account_region, tasks_again, "judging again"), strict=True
        ):
            answers[number] = answer
    return None


def _run_with_progress(workers: ParallelMap, function: Callable[[A], B], inputs: Sequence[A], label: str) -> list[B]:
    found = []
    with Progress(label) as progress:
        for one in workers(function, inputs):
            found.append(one)
            progress(len(found), len(inputs))
    return found


# --- done by workers


def judge_account_region(task: JudgingTask) -> TaskResult:
    """The verdicts of one account and region. Raises InvalidInputError."""
    elsewhere = MissTrackingEstates(task.other_estates)
    estates: list[Estate] = []

    def gather() -> LoadedEstates:
        estates.extend(read_config_items(task.paths))
        return select_in_estates([replace(estate, other_estates=elsewhere) for estate in estates], ())

    with Path(task.output_path).open("w", encoding="utf-8", errors=ENCODING_ERRORS, newline="") as stream:
        written = stream_findings(gather, select_rules(task.rule_names, task.parameter_options), stream)
    held = OtherEstates(estates)
    return TaskResult(
        written,
        is_only_account_region=[account_region_key(estate) for estate in estates]
        == [(task.account_region.account_id, task.account_region.region)],
        misses=frozenset(elsewhere.misses),
        shared_resources=_partial_estate({name: held.section(name) for name in SHARED_SECTIONS}),
    )


def find_resources(paths_and_keys: tuple[Sequence[str], frozenset[LookupKey]]) -> Estate:
    """What files hold of what is asked for, and nothing else. Raises InvalidInputError."""
    paths, asked = paths_and_keys
    held = OtherEstates(read_config_items(paths))
    sections: dict[str, dict[str, Any]] = {}
    for name, key in asked:
        if isinstance(key, tuple):
            interface = held.interface_at(*key)
            if interface is not None:
                sections.setdefault(name, {})[interface.id] = interface
        elif key in held.section(name):
            sections.setdefault(name, {})[key] = held.section(name)[key]
    return _partial_estate(sections)


def _partial_estate(sections: Mapping[str, Mapping[str, Any]]) -> Estate:
    """An estate that stands for parts of others: only what it holds matters."""
    held: dict[str, Any] = {SECTIONS[name]: dict(found) for name, found in {INTERFACES_SECTION: {}, **sections}.items()}
    return Estate("", "", **held)


class MissTrackingEstates(OtherEstates):
    """What is known of other accounts and regions; `asked` is what was looked for and is not."""

    def __init__(self, other_estates: Iterable[Estate]) -> None:
        super().__init__(other_estates)
        self.misses: set[LookupKey] = set()

    def contains(self, lookup_key: LookupKey) -> bool:
        name, key = lookup_key
        return super().interface_at(*key) is not None if isinstance(key, tuple) else key in super().section(name)

    def section(self, name: str) -> Mapping[str, Any]:
        return MissTrackingSection(name, super().section(name), self.misses)

    def interface_at(self, vpc_id: str, family: Family, address: int) -> NetworkInterface | None:
        found = super().interface_at(vpc_id, family, address)
        if found is None:
            self.misses.add((INTERFACES_SECTION, (vpc_id, family, address)))
        return found
