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

from alb_sg.dashboard.history import Row, Run, rows_of
from alb_sg.dashboard.ranking import Status

Scope = tuple[str, str, str]
Key = tuple[str, str]

BAD, ERROR = Status.NON_COMPLIANT.value, Status.ERROR.value
GONE = "gone"


class Change(Enum):
    """What became of a verdict since its account, region and rule were last looked at.

    `FIRST_LOOK`: NON_COMPLIANT where nobody had looked before, or could not judge, which says nothing of when it began.
    `GONE`: it was NON_COMPLIANT and has no verdict any more, most often because the load balancer exists no more.
    """

    NEW = "new"
    REOPENED = "reopened"
    FIXED = "fixed"
    EXEMPTED = "exempted"
    GONE = "gone"
    FIRST_LOOK = "firstLook"


@dataclass
class _Known:
    """What is known of a verdict: the row that said it last, and the times at which it changed, with what to."""

    row: Row
    status: str
    steps: list[tuple[str, str]] = field(default_factory=list)

    @property
    def was_bad(self) -> bool:
        return any(status == BAD for _, status in self.steps)


@dataclass(frozen=True, slots=True)
class Past:
    """What earlier runs say of a verdict of this one: what it was (None: it was not there, or nobody looked), how it
    changed, since when it is what it is, and the times at which it changed."""

    was: str | None
    change: Change | None
    since: str | None
    steps: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Point:
    """How it stood after a run: verdicts and load balancers that were NON_COMPLIANT as far as is known, the accounts
    and regions that the run heard from, and those of earlier runs that it did not, which stand as they last did."""

    as_of: str
    findings: int
    load_balancers: int
    heard: int
    carried: int


class Ledger:
    """All that runs have said, advanced run by run, oldest first."""

    def __init__(self) -> None:
        self._scopes: dict[Scope, dict[str, _Known]] = {}
        self._looked_at: dict[Scope, str] = {}

    @property
    def homes(self) -> frozenset[tuple[str, str]]:
        """The accounts and regions ever heard from."""
        return frozenset((account, region) for account, region, _ in self._scopes)

    def advance(self, run: Run) -> Point:
        """Takes a run in, and says how it stands after it."""
        complete = {_scope(row): bool(row["complete"]) for row in rows_of(run, "scope")}
        present: dict[Scope, set[str]] = {}
        unread = _unread(run)
        for row in _results(run):
            scope = _scope(row)
            present.setdefault(scope, set()).add(row["load_balancer"])
            known = self._scopes.setdefault(scope, {}).get(row["load_balancer"])
            if known is None:
                known = self._scopes[scope][row["load_balancer"]] = _Known(row, row["status"])
                known.steps.append((run.as_of, row["status"]))
            elif row["status"] not in (ERROR, known.status):
                known.status = row["status"]
                known.steps.append((run.as_of, row["status"]))
            known.row = row
        for scope, all_found in complete.items():
            self._looked_at[scope] = run.as_of
            states = self._scopes.setdefault(scope, {})
            if all_found:
                for arn in states.keys() - present.get(scope, set()) - unread:
                    _leave(states[arn], run.as_of)
        return self._point(run.as_of, {scope[:2] for scope in complete})

    def past(self, row: Row) -> Past:
        """What was known of a verdict before its run is taken in."""
        scope = _scope(row)
        now = row["status"]
        looked_at = self._looked_at.get(scope)
        known = self._scopes.get(scope, {}).get(row["load_balancer"])
        was = None if known is None or known.status == GONE else known.status
        change = None
        if now == BAD and was != BAD:
            reopened = known is not None and known.was_bad
            never_judged = looked_at is None or was == ERROR
            change = Change.REOPENED if reopened else Change.FIRST_LOOK if never_judged else Change.NEW
        elif was == BAD and now not in (BAD, ERROR):
            change = Change.EXEMPTED if now == Status.EXEMPT.value else Change.FIXED
        steps = () if known is None else tuple(known.steps)
        since = steps[-1][0] if steps and steps[-1][1] == now else None
        return Past(was, change, since, steps)

    def gone(self, run: Run) -> Iterator[tuple[Row, str]]:
        """What was NON_COMPLIANT and is not there in this run, though it looked everywhere there; and when it was last
        there."""
        present = {(*_scope(row), row["load_balancer"]) for row in _results(run)}
        unread = _unread(run)
        for row in rows_of(run, "scope"):
            scope = _scope(row)
            if not row["complete"]:
                continue
            for arn, known in sorted(self._scopes.get(scope, {}).items()):
                if known.status == BAD and arn not in unread and (*scope, arn) not in present:
                    yield known.row, self._looked_at[scope]

    def last_looked_at(self, run: Run) -> str | None:
        """The time of the last run that looked at any of what this one looks at."""
        times = [self._looked_at.get(_scope(row)) for row in rows_of(run, "scope")]
        return max((time for time in times if time is not None), default=None)

    def _point(self, as_of: str, heard: set[tuple[str, str]]) -> Point:
        bad = [
            (arn, scope)
            for scope, states in self._scopes.items()
            for arn, known in states.items()
            if known.status == BAD
        ]
        return Point(as_of, len(bad), len({arn for arn, _ in bad}), len(heard), len(self.homes - heard))


def _leave(known: _Known, as_of: str) -> None:
    if known.status != GONE:
        known.status = GONE
        known.steps.append((as_of, GONE))


def _scope(row: Row) -> Scope:
    return row["account"], row["region"], row["rule"]


def _results(run: Run) -> Iterator[Row]:
    """Verdicts, and errors that are about one rule and one load balancer."""
    yield from rows_of(run, "verdict")
    for row in rows_of(run, "error"):
        if row["load_balancer"] is not None and row["rule"] is not None:
            yield row


def _unread(run: Run) -> set[str]:
    """Load balancers that are there and could not be read at all, which no rule has a word on."""
    return {row["load_balancer"] for row in rows_of(run, "error") if row["load_balancer"] and row["rule"] is None}


def past_object(past: Past) -> dict[str, Any]:
    """As the page's data has it; without what says nothing."""
    found: dict[str, Any] = {"was": past.was, "since": past.since}
    if past.change is not None:
        found["change"] = past.change.value
    if len(past.steps) > 1 or (past.steps and past.since is None):
        found["history"] = [list(step) for step in past.steps]
    return found
