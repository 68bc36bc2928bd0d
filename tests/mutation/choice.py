"""Which tests can notice a mutant: those that execute its statement, the quickest first."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from coverage import CoverageData

from tests.mutation.mutants import Mutant


class Choice(NamedTuple):
    """Tests by their pytest ids, and the seconds of processor time that they took when they were recorded."""

    tests: Sequence[str]
    seconds: float


class Recording:
    """What a run without any mutant has written into a folder (`recording.record`)."""

    def __init__(self, folder: Path) -> None:
        self._seconds: dict[str, float] = {}
        for path in sorted(folder.glob("seconds-*.json")):
            self._seconds |= json.loads(path.read_text(encoding="utf-8"))
        self._tests: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
        for path in sorted(folder.glob("coverage.*")):
            data = CoverageData(str(path))
            data.read()
            for file in data.measured_files():
                lines = self._tests[f"alb_sg/{file.rpartition('/alb_sg/')[2]}"]
                for line, contexts in data.contexts_by_lineno(file).items():
                    lines[line].update(context for context in contexts if context in self._seconds)

    def choose(self, module: str, mutant: Mutant, seconds: float) -> Choice:
        """Tests for a mutant of a module, as many as fit into the time, at least one where there is one.

        What runs at import alone (a constant, a default argument) concerns every test that executes anything of its
        module.
        """
        lines = self._tests[module]
        tests = set[str]().union(*(lines.get(line, ()) for line in range(mutant.first_line, mutant.last_line + 1)))
        if mutant.function is None:
            tests = set[str]().union(*lines.values())
        return self._fitting(sorted(tests, key=lambda test: (self._seconds[test], test)), seconds)

    def _fitting(self, tests: Sequence[str], seconds: float) -> Choice:
        chosen: list[str] = []
        total = 0.0
        for test in tests:
            if chosen and total + self._seconds[test] > seconds:
                break
            chosen.append(test)
            total += self._seconds[test]
        return Choice(chosen, total)
