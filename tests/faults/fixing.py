"""Fixes and undos with a fault: done, rolled back, or what is left is named. An undo without a fault takes it back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from random import Random

from alb_sg.errors import unexpected_error_text
from alb_sg.findings.finding import Compliance, Finding, Result
from alb_sg.remediation.execution import ApplyOutcome
from embedded_aws.account import EmbeddedAws
from tests.faults.injector import KINDS, Fault, Injector
from tests.remediation.account import Shop

UNCHANGED = (ApplyOutcome.ROLLED_BACK, ApplyOutcome.REFUSED, ApplyOutcome.NOTHING_TO_DO)


def is_met(result: Result) -> bool:
    return isinstance(result, Finding) and result.compliance is not Compliance.NON_COMPLIANT


class FixCampaign:
    """One load balancer, which every run fixes and undoes. `shared`: a fix makes a group and attaches it."""

    def __init__(self, shop: Shop, injector: Injector, *, shared: bool) -> None:
        self._shop = shop
        self._injector = injector
        self._numbers = count()
        self.name = "fix with a new group" if shared else "fix"
        if shared:
            shop.share()
        self._before = shop.state()
        injector.inject(None)
        applied = shop.apply(execution="without-fault")
        self.apply_calls = Counter(injector.calls)
        assert applied.outcome is ApplyOutcome.APPLIED, applied
        injector.inject(None)
        undone = shop.undo("without-fault")
        self.undo_calls = Counter(injector.calls)
        assert not undone.failures
        assert shop.state() == self._before

    def faults(self) -> Iterator[tuple[Fault, bool]]:
        """Each operation's first call with each fault, of a fix and of an undo."""
        for calls, undoes in ((self.apply_calls, False), (self.undo_calls, True)):
            for operation in sorted(calls):
                for kind in KINDS:
                    yield Fault(operation, 0, kind), undoes

    def random_fault(self, random: Random) -> tuple[Fault, bool]:
        undoes = random.random() < 0.4
        calls = self.undo_calls if undoes else self.apply_calls
        operation = random.choice(sorted(calls))
        persists = random.random() < 0.3
        return Fault(operation, random.randrange(calls[operation]), random.choice(KINDS), persists), undoes

    def run(self, fault: Fault, *, undoes: bool) -> str | None:
        """What is wrong with a run with a fault; None where nothing is."""
        execution = f"fix-{next(self._numbers)}"
        problem = self._undo(execution, fault) if undoes else self._fix(execution, fault)
        self._injector.inject(None)
        undone = self._shop.undo(execution)
        if problem is None and self._shop.state() != self._before:
            problem = f"an undo does not take it back: {undone}"
        return None if problem is None else f"{'undo' if undoes else self.name}, {fault}: {problem}"[:1500]

    def _fix(self, execution: str, fault: Fault) -> str | None:
        self._injector.inject(fault)
        try:
            applied = self._shop.apply(execution=execution)
        except Exception as error:  # noqa: BLE001 (the document reports any)
            self._injector.inject(None)
            text = unexpected_error_text(error)
            if fault.operation not in text:
                return f"no error names the call: {text}"
            return None if self._shop.state() == self._before else f"half of it is left: {text}"
        self._injector.inject(None)
        state = self._shop.state()
        if applied.outcome is ApplyOutcome.APPLIED:
            assert applied.plan is not None
            again = {result.rule for result in self._shop.plan().results if not is_met(result)}
            if again & set(applied.plan.rule_names):
                return f"not fixed: {again}"
            if again and fault.operation not in str(applied.plan.evaluation_errors) + str(applied.plan.refusals):
                return f"left out without a word: {again}"
            return None
        text = f"{applied.failure} {applied.rollback} {applied.plan and (applied.plan.refusals, applied.results_after)}"
        if fault.operation not in text:
            return f"{applied.outcome}: no error names the call: {text}"
        if applied.outcome in UNCHANGED and state != self._before:
            return f"{applied.outcome}, and half of it is left: {text}"
        return None

    def _undo(self, execution: str, fault: Fault) -> str | None:
        applied = self._shop.apply(execution=execution)
        if applied.outcome is not ApplyOutcome.APPLIED:
            return f"not applied: {applied}"
        self._injector.inject(fault)
        try:
            undone = self._shop.undo(execution)
        except Exception as error:  # noqa: BLE001 (the document reports any)
            text = unexpected_error_text(error)
            return None if fault.operation in text else f"no error names the call: {text}"
        finally:
            self._injector.inject(None)
        if self._shop.state() == self._before:
            return None
        text = f"{undone.failures} {undone.left_in_place}"
        return None if fault.operation in text else f"half of it is left, and no error names the call: {undone}"


@contextmanager
def opened_shop(*, shared: bool) -> Iterator[FixCampaign]:
    with Injector() as injector, EmbeddedAws() as aws:
        yield FixCampaign(Shop(aws), injector, shared=shared)
