"""What became of a mutant."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, NamedTuple, Self

from tests.mutation.mutants import Mutant


class Outcome(Enum):
    """`UNTESTED`, a statement that no test executes, counts as survived; `AT_IMPORT` was not tried."""

    KILLED = "killed"
    TIMED_OUT = "killed by time-out"
    SURVIVED = "survives"
    UNTESTED = "survives, no test executes it"
    AT_IMPORT = "runs at import"

    @property
    def is_killed(self) -> bool:
        return self in (Outcome.KILLED, Outcome.TIMED_OUT)


class Tried(NamedTuple):
    """A mutant of a module, what became of it, the number of tests that were chosen, and the seconds that they took."""

    module: str
    mutant: Mutant
    outcome: Outcome
    tests: int
    seconds: float

    def as_json(self) -> dict[str, Any]:
        mutant = {**self.mutant._asdict(), "names": list(self.mutant.names)}
        return {**self._asdict(), "mutant": mutant, "outcome": self.outcome.name, "seconds": round(self.seconds, 1)}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Self:
        mutant = Mutant(**{**found["mutant"], "names": tuple(found["mutant"]["names"])})
        return cls(found["module"], mutant, Outcome[found["outcome"]], found["tests"], found["seconds"])
