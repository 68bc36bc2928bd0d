"""What changed between runs, and the trend over them.

Runs may look at less than others did: an account that was not heard from has fixed nothing. So whatever a run did not
look at keeps what was last known of it, and a run is compared with what was last known of the accounts, regions and
rules that it did look at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from alb_sg.dashboard.history import Row, Run, select_rows
from alb_sg.observations.ranking import VerdictStatus

ScopeKey = tuple[str, str, str]

NON_COMPLIANT, ERROR = VerdictStatus.NON_COMPLIANT.value, VerdictStatus.ERROR.value
GONE = "gone"


class VerdictChange(Enum):
    """What became of a verdict since its account, region and rule were last looked at.

    `FIRST_LOOK`: NON_COMPLIANT where nobody had looked before, or could not judge, which says nothing of when it began.
    `GONE`: it was NON_COMPLIANT and has no verdict any more, most often because the load balancer exists no more.
    """

    NEW = "new"
    REOPENED = "reopened"
    FIXED = "fixed"
    EXEMPTED = "exempted"
    GONE = "gone"
    FIRST_SEEN = "firstLook"


@dataclass
class _KnownVerdict:
    """What is known of a verdict: the row that said it last, and the times at which it changed, with what to."""

    row: Row
    status: str
    transitions: list[tuple[str, str]] = field(default_factory=list)

    @property
    def was_non_compliant(self) -> bool:
        return any(status == NON_COMPLIANT for _, status in self.transitions)


@dataclass(frozen=True, slots=True)
class PreviousVerdict:
    """What earlier runs say of a verdict of this one: what it was (None: it was not there, or nobody looked), how it
    changed, since when it is what it is, and the times at which it changed."""

    status: str | None
    change: VerdictChange | None
    since: str | None
    transitions: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """How it stood after a run: verdicts and load balancers that were NON_COMPLIANT as far as is known, the accounts
    and regions that the run heard from, and those of earlier runs that it did not, which stand as they last did."""

    as_of: str
    findings: int
    load_balancers: int
    observed: int
    carried_over: int


class VerdictHistory:
    """All that runs have said, advanced run by run, oldest first."""

    def __init__(self) -> None:
        self._verdicts: dict[ScopeKey, dict[str, _KnownVerdict]] = {}
        self._last_run_times: dict[ScopeKey, str] = {}

    @property
    def accounts_and_regions(self) -> frozenset[tuple[str, str]]:
        """The accounts and regions ever heard from."""
        return frozenset((account, region) for account, region, _ in self._verdicts)

    def add_run(self, run: Run) -> TrendPoint:
        """Takes a run in, and says how it stands after it."""
        complete = {_scope_key(row): bool(row["complete"]) for row in select_rows(run, "scope")}
        present: dict[ScopeKey, set[str]] = {}
        unread = _unread_load_balancers(run)
        for row in _verdict_rows(run):
            scope = _scope_key(row)
            present.setdefault(scope, set()).add(row["load_balancer"])
            known = self._verdicts.setdefault(scope, {}).get(row["load_balancer"])
            if known is None:
                known = self._verdicts[scope][row["load_balancer"]] = _KnownVerdict(row, row["status"])
                known.transitions.append((run.as_of, row["status"]))
            elif row["status"] not in (ERROR, known.status):
                known.status = row["status"]
                known.transitions.append((run.as_of, row["status"]))
            known.row = row
        for scope, all_found in complete.items():
            self._last_run_times[scope] = run.as_of
            states = self._verdicts.setdefault(scope, {})
            if all_found:
                for arn in states.keys() - present.get(scope, set()) - unread:
                    _mark_gone(states[arn], run.as_of)
        return self._trend_point(run.as_of, {scope[:2] for scope in complete})

    def previous_verdict(self, row: Row) -> PreviousVerdict:
        """What was known of a verdict before its run is taken in."""
        scope = _scope_key(row)
        now = row["status"]
        looked_at = self._last_run_times.get(scope)
        known = self._verdicts.get(scope, {}).get(row["load_balancer"])
        was = None if known is None or known.status == GONE else known.status
        change = None
        if now == NON_COMPLIANT and was != NON_COMPLIANT:
            reopened = known is not None and known.was_non_compliant
            never_judged = looked_at is None or was == ERROR
            change = (
                VerdictChange.REOPENED if reopened else VerdictChange.FIRST_SEEN if never_judged else VerdictChange.NEW
            )
        elif was == NON_COMPLIANT and now not in (NON_COMPLIANT, ERROR):
            change = VerdictChange.EXEMPTED if now == VerdictStatus.EXEMPT.value else VerdictChange.FIXED
        steps = () if known is None else tuple(known.transitions)
        since = steps[-1][0] if steps and steps[-1][1] == now else None
        return PreviousVerdict(was, change, since, steps)

    def disappeared(self, run: Run) -> Iterator[tuple[Row, str]]:
        """What was NON_COMPLIANT and is not there in this run, though it looked everywhere there; and when it was last
        there."""
        present = {(*_scope_key(row), row["load_balancer"]) for row in _verdict_rows(run)}
        unread = _unread_load_balancers(run)
        for row in select_rows(run, "scope"):
            scope = _scope_key(row)
            if not row["complete"]:
                continue
            for arn, known in sorted(self._verdicts.get(scope, {}).items()):
                if known.status == NON_COMPLIANT and arn not in unread and (*scope, arn) not in present:
                    yield known.row, self._last_run_times[scope]

    def last_run_time(self, run: Run) -> str | None:
        """The time of the last run that looked at any of what this one looks at."""
        times = [self._last_run_times.get(_scope_key(row)) for row in select_rows(run, "scope")]
        return max((time for time in times if time is not None), default=None)

    def _trend_point(self, as_of: str, heard: set[tuple[str, str]]) -> TrendPoint:
        bad = [
            (arn, scope)
            for scope, states in self._verdicts.items()
            for arn, known in states.items()
            if known.status == NON_COMPLIANT
        ]
        return TrendPoint(
            as_of, len(bad), len({arn for arn, _ in bad}), len(heard), len(self.accounts_and_regions - heard)
        )


def _mark_gone(known: _KnownVerdict, as_of: str) -> None:
    if known.status != GONE:
        known.status = GONE
        known.transitions.append((as_of, GONE))


def _scope_key(row: Row) -> ScopeKey:
    return row["account"], row["region"], row["rule"]


def _verdict_rows(run: Run) -> Iterator[Row]:
    """Verdicts, and errors that are about one rule and one load balancer."""
    yield from select_rows(run, "verdict")
    for row in select_rows(run, "error"):
        if row["load_balancer"] is not None and row["rule"] is not None:
            yield row


def _unread_load_balancers(run: Run) -> set[str]:
    """Load balancers that are there and could not be read at all, which no rule has a word on."""
    return {row["load_balancer"] for row in select_rows(run, "error") if row["load_balancer"] and row["rule"] is None}


def previous_verdict_object(past: PreviousVerdict) -> dict[str, Any]:
    """As the page's data has it; without what says nothing."""
    found: dict[str, Any] = {"was": past.status, "since": past.since}
    if past.change is not None:
        found["change"] = past.change.value
    if len(past.transitions) > 1 or (past.transitions and past.since is None):
        found["history"] = [list(step) for step in past.transitions]
    return found
