"""One fault at a time, and what must hold in every run."""

from __future__ import annotations

from collections import Counter
from random import Random

from alb_sg.findings.finding import Compliance
from tests.faults.injector import KINDS, Fault, Injector
from tests.faults.scenarios import Outcome, Scenario

NOT_APPLICABLE = Compliance.NOT_APPLICABLE.value


class Campaign:
    """Runs a scenario without a fault, and then with one."""

    def __init__(self, scenario: Scenario, injector: Injector) -> None:
        self._scenario = scenario
        self._injector = injector
        injector.inject(None)
        self.baseline = scenario.run()
        self.calls = Counter(injector.calls)
        assert not self.baseline.failed, self.baseline.text
        assert self.calls, f"{scenario.name} calls nothing"

    def fail_each_operation(self, random: Random) -> list[str]:
        """What is wrong with runs in which each operation fails once, with a fault of its own."""
        faults = (Fault(operation, 0, random.choice(KINDS)) for operation in sorted(self.calls))
        return [problem for fault in faults if (problem := self.run(fault)) is not None]

    def random_fault(self, random: Random) -> Fault:
        operation = random.choice(sorted(self.calls))
        return Fault(operation, random.randrange(self.calls[operation]), random.choice(KINDS), random.random() < 0.3)

    def run(self, fault: Fault) -> str | None:
        """What is wrong with a run with a fault; None where nothing is."""
        self._injector.inject(fault)
        try:
            outcome = self._scenario.run()
        finally:
            self._injector.inject(None)
        problem = self._problem(outcome, fault)
        return None if problem is None else f"{self._scenario.name}, {fault}: {problem}: {outcome.text[:600]}"

    def _problem(self, outcome: Outcome, fault: Fault) -> str | None:
        # A result that is not cleared is cleared by the next run.
        expected = self.baseline.verdicts
        wrong = {key: said for key, said in outcome.verdicts.items() if expected.get(key) != said}
        if wrong:
            return f"wrong verdicts {wrong}"
        lost = sorted(key for key, said in expected.items() if key not in outcome.verdicts and said != NOT_APPLICABLE)
        if not lost:
            return None
        if not outcome.failed:
            return f"without a word, no verdict on {lost}"
        if fault.operation not in outcome.text:
            return "no error names the call"
        return None
