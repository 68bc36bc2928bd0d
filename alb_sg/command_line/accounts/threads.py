"""Work on many accounts and regions in several threads, whose results come as soon as they are there."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from queue import SimpleQueue
from typing import NamedTuple, TypeVar

from alb_sg.command_line.progress import Progress

T = TypeVar("T")
R = TypeVar("R")

# Accounts and regions at the same time. Each makes up to `aws.clients.WORKERS` calls at once.
MAX_THREADS = 8


class _Failure(NamedTuple):
    error: BaseException


def run_in_threads(
    work: Callable[[T], R], inputs: Sequence[T], label: str, already_done: int = 0
) -> Iterator[tuple[T, R]]:
    """Each input with its result, in the order in which they are done. An error of `work` is raised here.

    `label` says in the progress what is done; `already_done` of an earlier run count as well. The threads are daemons,
    and nobody waits for them after an error: an interrupt ends the process at once.
    """
    total = already_done + len(inputs)
    left = deque(inputs)
    answers: SimpleQueue[tuple[T, R | _Failure]] = SimpleQueue()
    stopped = threading.Event()

    def run() -> None:
        while not stopped.is_set():
            try:
                one = left.popleft()
            except IndexError:
                return
            try:
                answers.put((one, work(one)))
            except BaseException as error:  # noqa: BLE001 (the caller's thread raises it)
                answers.put((one, _Failure(error)))

    for number in range(min(MAX_THREADS, len(inputs))):
        threading.Thread(target=run, name=f"alb-sg-account_{number}", daemon=True).start()
    try:
        with Progress(label) as progress:
            for done in range(already_done + 1, total + 1):
                one, result = answers.get()
                if isinstance(result, _Failure):
                    raise result.error
                yield one, result
                progress(done, total)
    finally:
        stopped.set()
