"""Programs that take turns: one runs at a time, and another may go on before each call of AWS.

Who goes on at a call is a function of the calls made so far, so a run can be made again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import botocore.session

from alb_sg.aws.service_models import new_session

# From the number of the program that is about to make a call, and the number of its calls before, to the program that
# goes on; a program that has ended is passed over.
Choice = Callable[[int, int], int]
# Called with a program's number and the operation that it is about to call.
BeforeCall = Callable[[int, str], None]
Program = Callable[[botocore.session.Session, Callable[[float], None]], Any]
# A turn that takes longer is a deadlock.
SECONDS = 120


class Turns:
    """Runs programs in turns. Each gets its number, a session whose clients wait for their turn, and a pause."""

    def __init__(self, choose: Choice, before_call: BeforeCall = lambda *_: None) -> None:
        self._choose = choose
        self._before_call = before_call
        self._condition = threading.Condition()
        self._turn = 0
        self._running: set[int] = set()
        self.calls: dict[int, list[str]] = {}
        # The numbers of the programs, in the order in which they ended.
        self.ended: list[int] = []

    def run(self, *programs: Program) -> list[Any]:
        """What each program returned, or the exception that it raised."""
        self._running = set(range(len(programs)))
        self.calls = {number: [] for number in self._running}
        found: list[Any] = [None] * len(programs)
        sessions = [self._session(number) for number in range(len(programs))]

        def run(number: int) -> None:
            try:
                self._wait(number)
                found[number] = programs[number](sessions[number], lambda _: self._take_turns(number, "pause"))
            except Exception as error:  # noqa: BLE001 (the test judges any)
                found[number] = error
            finally:
                with self._condition:
                    self._running.discard(number)
                    self.ended.append(number)
                    self._pass_to(number + 1)

        threads = [threading.Thread(target=run, args=(number,), daemon=True) for number in sorted(self._running)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(SECONDS)
            assert not thread.is_alive(), "a program never got its turn"
        return found

    def _session(self, number: int) -> botocore.session.Session:
        session = new_session()

        def before_call(**given: Any) -> None:
            self._take_turns(number, given["model"].name)

        session.register("before-call", before_call)
        return session

    def _take_turns(self, number: int, operation: str) -> None:
        self._before_call(number, operation)
        with self._condition:
            calls = self.calls[number]
            calls.append(operation)
            self._pass_to(self._choose(number, len(calls) - 1))
        self._wait(number)

    def _pass_to(self, number: int) -> None:
        count = len(self.calls)
        self._turn = next(
            (one % count for one in range(number, number + count) if one % count in self._running), self._turn
        )
        self._condition.notify_all()

    def _wait(self, number: int) -> None:
        with self._condition:
            assert self._condition.wait_for(lambda: self._turn == number, SECONDS), "never got its turn"
