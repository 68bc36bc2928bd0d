"""JSON lines of files of configuration items, one account and region at a time, in one process or in several.

Only the accounts and regions being judged are in memory. A verdict may depend on a resource of another account or
region, such as a shared VPC. The lookup of such a resource fails first; then all files are searched for it, and the
account and region is judged again. The output equals that of reading all files together.
"""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import copyfileobj
from threading import Thread
from typing import Protocol, TextIO, TypeVar

from alb_sg.aws.account_region import AccountRegion
from alb_sg.command_line.output import ENCODING_ERRORS
from alb_sg.command_line.progress import Progress
from alb_sg.command_line.rule_selection import select_rules
from alb_sg.command_line.sources.loaded_estates import select_in_estates
from alb_sg.command_line.streaming import StreamedResults, stream_findings
from alb_sg.errors import InvalidInputError
from alb_sg.estate.estate import Estate
from alb_sg.estate.other_accounts import (
    ResourceKey,
    evaluate_with_others,
    find_holders,
    resource_ids,
    select_resources,
    widen_views,
)
from alb_sg.estate.sections import Section
from alb_sg.estate.snapshots.files import first_account_region, read_config_items
from alb_sg.report.json_report import write_error_lines

A = TypeVar("A")
B = TypeVar("B")

# Resources that other accounts often need. They are few, so every account and region reports all of its own.
SHARED_SECTIONS = (Section.VPCS, Section.MANAGED_PREFIX_LISTS)


@dataclass(frozen=True)
class JudgingTask:
    """The files of one account and region, by the first item of each, and the rules and parameters of the command line.

    Findings are written to `output_path`. `others` hold resources of other accounts and regions.
    """

    account_region: AccountRegion
    paths: Sequence[str]
    rule_names: Sequence[str]
    parameter_options: Sequence[str]
    output_path: str
    others: Sequence[Estate] = ()


@dataclass(frozen=True)
class TaskResult:
    """The results of a task. `misses`: resources that neither its files nor `others` hold. `shared_resources`: its
    `SHARED_SECTIONS`."""

    streamed: StreamedResults
    misses: frozenset[ResourceKey]
    shared_resources: Estate


def stream_json_lines_in_parallel(
    files: Sequence[str], rule_names: Sequence[str], parameter_options: Sequence[str], jobs: int, stream: TextIO
) -> StreamedResults | None:
    """As `stream_json_lines`, in up to `jobs` processes.

    Returns None and writes nothing where a file holds several accounts and regions or is invalid. The caller must then
    read all files together, which names the first error.
    """
    files_by_account_region = _files_by_account_region(files)
    if len(files_by_account_region) < 2:
        return None
    # The largest first, so that no process is left with the most work at the end.
    largest_first = sorted(files_by_account_region, key=lambda key: -_total_size(files_by_account_region[key]))
    with tempfile.TemporaryDirectory(prefix="alb-sg-") as folder:
        tasks = {
            account_region: JudgingTask(
                account_region,
                files_by_account_region[account_region],
                rule_names,
                parameter_options,
                str(Path(folder, str(number))),
            )
            for number, account_region in enumerate(largest_first)
        }
        try:
            with _open_workers(min(jobs, len(tasks))) as workers:
                results = _run_tasks(tasks, workers)
        except (InvalidInputError, MixedFilesError, WorkerLostError):
            return None
        total = StreamedResults()
        for account_region in sorted(tasks):
            with Path(tasks[account_region].output_path).open(encoding="utf-8", newline="") as lines:
                copyfileobj(lines, stream)
            total.errors += results[account_region].streamed.errors
            total.non_compliant_findings += results[account_region].streamed.non_compliant_findings
    write_error_lines(total.errors, stream)
    return total


def _total_size(paths: Iterable[str]) -> int:
    return sum(Path(path).stat().st_size for path in paths)


def _files_by_account_region(files: Iterable[str]) -> Mapping[AccountRegion, list[str]]:
    """Files by the account and region of their first item; empty where the first item of a file does not tell it."""
    grouped: dict[AccountRegion, list[str]] = {}
    for path in files:
        account_region = first_account_region(path)
        if account_region is None:
            return {}
        grouped.setdefault(account_region, []).append(path)
    return grouped


class MixedFilesError(Exception):
    """A file holds items of several accounts and regions."""


class WorkerLostError(Exception):
    """A worker process ended before its task."""


class ParallelMap(Protocol):
    """The signature of `map`, for a function of one argument."""

    def __call__(self, function: Callable[[A], B], inputs: Iterable[A], /) -> Iterator[B]: ...


@contextmanager
def _open_workers(jobs: int) -> Iterator[ParallelMap]:
    if jobs < 2:
        yield map
        return
    from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415 (one process does not need it)
    from concurrent.futures.process import BrokenProcessPool  # noqa: PLC0415 (as above)
    from multiprocessing import active_children  # noqa: PLC0415 (as above)

    # The command ends without cleanup, so that processes which were not waited for would stay.
    with ProcessPoolExecutor(jobs, initializer=_prepare_worker) as pool:
        try:
            yield pool.map
        except BaseException as error:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in active_children():
                process.terminate()
            if isinstance(error, BrokenProcessPool):
                raise WorkerLostError from error
            raise


def _prepare_worker() -> None:
    """The main process reports an interrupt; workers end silently. They also end with a main process that could not end
    them: one that is killed, or interrupted again at the wrong moment."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    Thread(target=_end_with_main_process, daemon=True).start()


def _end_with_main_process() -> None:
    from multiprocessing import parent_process  # noqa: PLC0415 (one process does not need it)

    main_process = parent_process()
    if main_process is not None:
        main_process.join()
        os._exit(1)


def _run_tasks(tasks: Mapping[AccountRegion, JudgingTask], workers: ParallelMap) -> Mapping[AccountRegion, TaskResult]:
    """The final result of every task."""
    judged = _run_with_progress(workers, judge_account_region, list(tasks.values()), "judging accounts and regions")
    results = dict(zip(tasks, judged, strict=True))
    # Resources of all accounts and regions, as far as they were searched. A view names some by their index.
    resources = [result.shared_resources for result in judged]
    views: dict[AccountRegion, frozenset[int]] = dict.fromkeys(tasks, frozenset())
    searched: set[ResourceKey] = set()
    while True:
        misses = frozenset().union(*(result.misses for result in results.values()))
        unsearched = {key for key in misses if key[0] not in SHARED_SECTIONS} - searched
        if unsearched:
            searches = [(task.paths, frozenset(unsearched)) for task in tasks.values()]
            resources += _run_with_progress(workers, search_files, searches, "searching accounts and regions")
            searched |= unsearched
        widened = widen_views(
            views, {key: result.misses for key, result in results.items()}, find_holders(resources, misses)
        )
        if not widened:
            return results
        again = [
            replace(tasks[account_region], others=[resources[index] for index in sorted(view)])
            for account_region, view in widened.items()
        ]
        results |= zip(widened, _run_with_progress(workers, judge_account_region, again, "judging again"), strict=True)
        views |= widened


def _run_with_progress(workers: ParallelMap, function: Callable[[A], B], inputs: Sequence[A], label: str) -> list[B]:
    results = []
    with Progress(label) as progress:
        for result in workers(function, inputs):
            results.append(result)
            progress(len(results), len(inputs))
    return results


def judge_account_region(task: JudgingTask) -> TaskResult:
    """The verdicts of one account and region. Raises InvalidInputError and MixedFilesError."""
    estates = read_config_items(task.paths)
    if [estate.account_region for estate in estates] != [task.account_region]:
        raise MixedFilesError
    selection = select_rules(task.rule_names, task.parameter_options)

    def write_findings(estate: Estate) -> StreamedResults:
        with Path(task.output_path).open("w", encoding="utf-8", errors=ENCODING_ERRORS, newline="") as stream:
            return stream_findings(lambda: select_in_estates([estate], ()), selection, stream)

    streamed, misses = evaluate_with_others(estates[0], task.others, write_findings)
    return TaskResult(streamed, misses, select_resources(estates, resource_ids(estates[0], SHARED_SECTIONS)))


def search_files(paths_and_keys: tuple[Sequence[str], frozenset[ResourceKey]]) -> Estate:
    """The resources in files that have one of the keys. Raises InvalidInputError."""
    paths, keys = paths_and_keys
    return select_resources(read_config_items(paths), keys)
