"""Work in several threads, whose results come as soon as they are there."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from queue import Empty, SimpleQueue
from typing import NamedTuple, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class _Failure(NamedTuple):
    error: BaseException


def run_in_threads(work: Callable[[T], R], inputs: Sequence[T], count: int) -> Iterator[tuple[T, R]]:
    """Each input with its result, in the order in which they are done. An error of `work` is raised here.

    The threads are daemons, and nobody waits for them after an error: an interrupt ends the process at once.
    """
    left: SimpleQueue[T] = SimpleQueue()
    for one in inputs:
        left.put(one)
    answers: SimpleQueue[tuple[T, R | _Failure]] = SimpleQueue()
    stopped = threading.Event()

    def run() -> None:
        while not stopped.is_set():
            try:
                one = left.get_nowait()
            except Empty:
                return
            try:
                answers.put((one, work(one)))
            except BaseException as error:  # noqa: BLE001 (the caller's thread raises it)
                answers.put((one, _Failure(error)))

    for number in range(min(count, len(inputs))):
        threading.Thread(target=run, name=f"alb-sg-account_{number}", daemon=True).start()
    try:
        for _ in inputs:
            done, result = answers.get()
            if isinstance(result, _Failure):
                raise result.error
            yield done, result
    finally:
        stopped.set()
