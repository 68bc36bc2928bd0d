"""JSON lines of a check, written while it goes on: nothing but the estate being judged is held in memory.

Files of configuration items of several accounts and regions are judged one after the other, or side by side in several
processes, and give the lines that they would give in one.
"""

from __future__ import annotations

import gc
import signal
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from shutil import copyfileobj
from typing import Any, TextIO

from alb_sg.command_line.choice import Choice, choose
from alb_sg.command_line.output import UNENCODABLE
from alb_sg.command_line.progress import Progress
from alb_sg.command_line.sources import Gathered, gathered_from, home
from alb_sg.errors import UnusableInput
from alb_sg.estate.cidr import Family
from alb_sg.estate.config_items import first_home, read_config_items
from alb_sg.estate.estate import Beyond
from alb_sg.estate.files import json_files
from alb_sg.estate.home import Home
from alb_sg.estate.model import NetworkInterface
from alb_sg.findings.finding import Compliance, Finding, JudgementError
from alb_sg.findings.judge import judge_all
from alb_sg.report.json_report import write_error_lines, write_finding_lines

# Load balancers judged at a time.
BATCH = 256


@dataclass
class Written:
    """What was found out: everything that could not be judged, and of each estate a NON_COMPLIANT finding if it has
    one. The others are written and gone."""

    errors: list[JudgementError] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def write_lines(gathered: Gathered, choice: Choice, stream: TextIO) -> Written:
    """A line for every verdict, in the order of account, region, ARN and rule, and then one for every error."""
    written = _write_findings(gathered, choice, stream)
    write_error_lines(written.errors, stream)
    return written


def _write_findings(gathered: Gathered, choice: Choice, stream: TextIO) -> Written:
    written = Written(list(gathered.errors))
    total = sum(len(found) for found in gathered.selected.values())
    done = 0
    with _left_alone(), Progress("judging load balancers") as progress:
        for estate in gathered.estates:
            load_balancers = gathered.selected[home(estate)]
            offence = None
            for first in range(0, len(load_balancers), BATCH):
                findings, errors = judge_all(estate, load_balancers[first : first + BATCH], choice.rules)
                write_finding_lines(findings, stream)
                written.errors.extend(errors)
                offence = offence or next(
                    (finding for finding in findings if finding.compliance is Compliance.NON_COMPLIANT), None
                )
                done += min(BATCH, len(load_balancers) - first)
                progress(done, total)
            written.findings += [] if offence is None else [offence]
    written.errors.sort(key=lambda error: error.sort_key)
    return written


@contextmanager
def _left_alone() -> Iterator[None]:
    """What is in memory already is not looked through for cycles: an estate has none, and millions of objects."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


# --- files of several accounts and regions


@dataclass(frozen=True)
class Task:
    """The files of an account and region, as far as the first item of each tells, and what is asked of them. Rules and
    parameters are named as on the command line, and findings go to a file."""

    home: Home
    paths: Sequence[str]
    rules: Sequence[str]
    parameters: Sequence[str]
    lines: str


@dataclass(frozen=True)
class Answer:
    """`apart`: nothing else was in the files, and no verdict hangs on what they do not hold and others may."""

    written: Written
    apart: bool


def write_lines_apart(
    paths: Sequence[str], rules: Sequence[str], parameters: Sequence[str], jobs: int, stream: TextIO
) -> Written | None:
    """As `write_lines`, an account and region at a time, so many at once. None, and nothing is written, where they
    cannot be told apart: then all are to be read together. So they are for an error: the first in their order is told.
    """
    files = json_files(paths)
    homes = _by_home(files) if len(files) > 1 else {}
    if len(homes) < 2:
        return None
    with tempfile.TemporaryDirectory(prefix="alb-sg-") as folder:
        tasks = [
            Task(where, homes[where], rules, parameters, str(Path(folder) / str(number)))
            for number, where in enumerate(sorted(homes))
        ]
        try:
            answers = _answers(tasks, min(jobs, len(tasks)))
        except UnusableInput:
            return None
        if not all(answer.apart for answer in answers):
            return None
        for task in tasks:
            with Path(task.lines).open(encoding="utf-8", newline="") as lines:
                copyfileobj(lines, stream)
    written = Written(
        [error for answer in answers for error in answer.written.errors],
        [finding for answer in answers for finding in answer.written.findings],
    )
    write_error_lines(written.errors, stream)
    return written


def _by_home(files: Iterable[str]) -> Mapping[Home, list[str]]:
    """Files by the account and region of their first item; none where that does not tell of one of them."""
    found: dict[Home, list[str]] = {}
    for path in files:
        where = first_home(path)
        if where is None:
            return {}
        found.setdefault(where, []).append(path)
    return found


def _answers(tasks: Sequence[Task], jobs: int) -> list[Answer]:
    """What each task gave, in their order; in as many processes as there are jobs. Raises UnusableInput."""
    answers: dict[Home, Answer] = {}
    with Progress("accounts and regions") as progress:

        def done(task: Task, answer: Answer) -> None:
            answers[task.home] = answer
            progress(len(answers), len(tasks))

        if jobs < 2:
            for task in tasks:
                done(task, judge_apart(task))
        else:
            # The largest first, so that none is left for one process to do alone.
            ordered = sorted(tasks, key=lambda task: -sum(Path(path).stat().st_size for path in task.paths))
            with ProcessPoolExecutor(jobs, initializer=_end_on_interrupt) as pool:
                try:
                    for task, answer in zip(ordered, pool.map(judge_apart, ordered), strict=True):
                        done(task, answer)
                except BrokenProcessPool as error:
                    raise UnusableInput("a process was ended") from error
                finally:
                    pool.shutdown(wait=False, cancel_futures=True)
    return [answers[task.home] for task in tasks]


def _end_on_interrupt() -> None:
    """An interrupt ends the process that shows results; those that work for it end without a word."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def judge_apart(task: Task) -> Answer:
    """The verdicts of one account and region. Raises UnusableInput."""
    elsewhere = Elsewhere()
    estates = read_config_items(task.paths)
    alone = [home(estate) for estate in estates] == [(task.home.account_id, task.home.region)]
    gathered = gathered_from([replace(estate, beyond=elsewhere) for estate in estates], ())
    with Path(task.lines).open("w", encoding="utf-8", errors=UNENCODABLE, newline="") as stream:
        written = _write_findings(gathered, choose(task.rules, task.parameters), stream)
    return Answer(written, alone and not elsewhere.asked)


class Elsewhere(Beyond):
    """Other accounts and regions as nobody knows them yet; `asked` says whether a verdict hangs on them."""

    def __init__(self) -> None:
        super().__init__(())
        self.asked = False

    def section(self, name: str) -> Mapping[str, Any]:  # noqa: ARG002 (whatever it is)
        self.asked = True
        return {}

    def interface_at(self, vpc_id: str, family: Family, address: int) -> NetworkInterface | None:  # noqa: ARG002 (whatever it is)
        self.asked = True
        return None
