"""Changes of verdicts between runs, and the trend over them.

A run may cover less than the runs before it, and an account that did not report has fixed nothing. So a verdict that a
run does not cover keeps its last known status. Each account, region and rule is compared with the last run that
covered it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from statistics import median
from typing import Any

from alb_sg.dashboard.history import TIME_FORMAT, Row, Run, select_rows
from alb_sg.observations.ranking import VerdictStatus

ScopeKey = tuple[str, str, str]

NON_COMPLIANT, ERROR = VerdictStatus.NON_COMPLIANT.value, VerdictStatus.ERROR.value
GONE = "gone"
SECONDS_PER_DAY = 86400


class VerdictChange(Enum):
    """The change of a verdict since the last run that covered its account, region and rule.

    `FIRST_SEEN`: NON_COMPLIANT where no earlier run covered it or could judge it. It may be older than this run.
    `GONE`: it was NON_COMPLIANT and has no verdict any more, mostly because the load balancer was deleted.
    """

    NEW = "new"
    REOPENED = "reopened"
    FIXED = "fixed"
    EXEMPTED = "exempted"
    GONE = "gone"
    FIRST_SEEN = "firstLook"


@dataclass
class _KnownVerdict:
    """The last row of a verdict, its last known status, and each change as the run's time and the new status."""

    row: Row
    status: str
    transitions: list[tuple[str, str]] = field(default_factory=list)

    @property
    def was_non_compliant(self) -> bool:
        return any(status == NON_COMPLIANT for _, status in self.transitions)


class VerdictHistory:
    """The last known state of every verdict, and the trend. Runs are added oldest first."""

    def __init__(self) -> None:
        self._points: list[dict[str, Any]] = []
        self._verdicts: dict[ScopeKey, dict[str, _KnownVerdict]] = {}
        self._last_run_times: dict[ScopeKey, str] = {}
        # The NON_COMPLIANT verdicts of each rule and of each load balancer.
        self._open_by_rule: Counter[str] = Counter()
        self._open_by_arn: Counter[str] = Counter()
        # How long each fixed verdict was NON_COMPLIANT, in seconds.
        self._fix_times: list[float] = []

    @property
    def accounts_and_regions(self) -> frozenset[tuple[str, str]]:
        """The accounts and regions of all runs."""
        return frozenset((account, region) for account, region, _ in self._verdicts)

    def add_run(self, run: Run) -> None:
        complete = {_scope_key(row): bool(row["complete"]) for row in select_rows(run, "scope")}
        present: dict[ScopeKey, set[str]] = {}
        unread = _unread_load_balancers(run)
        changes: Counter[VerdictChange] = Counter()
        for row in _verdict_rows(run):
            present.setdefault(_scope_key(row), set()).add(row["load_balancer"])
            change = self._add_row(row, run.as_of)
            if change is not None:
                changes[change] += 1
        for scope, is_complete in complete.items():
            self._last_run_times[scope] = run.as_of
            verdicts = self._verdicts.setdefault(scope, {})
            if is_complete:
                for arn in verdicts.keys() - present.get(scope, set()) - unread:
                    if verdicts[arn].status != GONE:
                        self._set_status(verdicts[arn], GONE, run.as_of)
        observed = {scope[:2] for scope in complete}
        self._points.append(
            {
                "asOf": run.as_of,
                "findings": self._open_by_rule.total(),
                "loadBalancers": len(self._open_by_arn),
                "heard": len(observed),
                "carried": len(self.accounts_and_regions - observed),
                "rules": {rule: count for rule, count in sorted(self._open_by_rule.items()) if count},
                "new": changes[VerdictChange.NEW],
                "reopened": changes[VerdictChange.REOPENED],
                "fixed": changes[VerdictChange.FIXED],
            }
        )

    def trend(self, omitted: int) -> dict[str, Any]:
        """For the page's data: the state after each run, and how many older runs were left out.

        A point counts NON_COMPLIANT verdicts (`findings`, and by rule in `rules`) and their load balancers by the last
        known status, those that the run changed, and the accounts and regions: `heard`, which the run covered, and
        `carried`, which only earlier ones did. Half of the fixed verdicts were NON_COMPLIANT for `medianDays` at most.
        """
        median_days = round(median(self._fix_times) / SECONDS_PER_DAY, 1) if self._fix_times else None
        return {
            "points": list(self._points),
            "leftOut": omitted,
            "timeToFix": {"fixed": len(self._fix_times), "medianDays": median_days},
        }

    def _add_row(self, row: Row, as_of: str) -> VerdictChange | None:
        """Adds a verdict, and returns whether it is new, reopened or fixed."""
        scope, status = _scope_key(row), row["status"]
        known = self._verdicts.setdefault(scope, {}).get(row["load_balancer"])
        change = None
        if known is None:
            known = self._verdicts[scope][row["load_balancer"]] = _KnownVerdict(row, "")
            if status == NON_COMPLIANT and scope in self._last_run_times:
                change = VerdictChange.NEW
            self._set_status(known, status, as_of)
        elif status not in (ERROR, known.status):
            if status == NON_COMPLIANT and known.status != ERROR:
                change = VerdictChange.REOPENED if known.was_non_compliant else VerdictChange.NEW
            elif known.status == NON_COMPLIANT and status != VerdictStatus.EXEMPT.value:
                change = VerdictChange.FIXED
            self._set_status(known, status, as_of)
        known.row = row
        return change

    def _set_status(self, known: _KnownVerdict, status: str, as_of: str) -> None:
        """Changes the status of a verdict, and the counts."""
        rule, arn = known.row["rule"], known.row["load_balancer"]
        if known.status == NON_COMPLIANT:
            self._open_by_rule[rule] -= 1
            self._open_by_arn[arn] -= 1
            if not self._open_by_arn[arn]:
                del self._open_by_arn[arn]
            # An exemption, or the end of the load balancer, fixes nothing.
            if status not in (GONE, VerdictStatus.EXEMPT.value):
                since = known.transitions[-1][0]
                self._fix_times.append((_parse_time(as_of) - _parse_time(since)).total_seconds())
        if status == NON_COMPLIANT:
            self._open_by_rule[rule] += 1
            self._open_by_arn[arn] += 1
        known.status = status
        known.transitions.append((as_of, status))

    def previous_verdict(self, row: Row) -> dict[str, Any]:
        """What earlier runs tell of the verdict in a row, for the page's data; call it before adding the row's run.

        `was` is its last status (None: there was none), `since` the run since which it has its present status. Without
        empty fields: its `change`, and in `history` each change as the run's time and the new status.
        """
        scope = _scope_key(row)
        status = row["status"]
        known = self._verdicts.get(scope, {}).get(row["load_balancer"])
        last_status = None if known is None or known.status == GONE else known.status
        change = None
        if status == NON_COMPLIANT and last_status != NON_COMPLIANT:
            reopened = known is not None and known.was_non_compliant
            never_judged = scope not in self._last_run_times or last_status == ERROR
            change = (
                VerdictChange.REOPENED if reopened else VerdictChange.FIRST_SEEN if never_judged else VerdictChange.NEW
            )
        elif last_status == NON_COMPLIANT and status not in (NON_COMPLIANT, ERROR):
            change = VerdictChange.EXEMPTED if status == VerdictStatus.EXEMPT.value else VerdictChange.FIXED
        transitions = [] if known is None else known.transitions
        since = transitions[-1][0] if transitions and transitions[-1][1] == status else None
        fields: dict[str, Any] = {"was": last_status, "since": since}
        if change is not None:
            fields["change"] = change.value
        if len(transitions) > 1 or (transitions and since is None):
            fields["history"] = [list(transition) for transition in transitions]
        return fields

    def last_rows(self) -> Iterator[Row]:
        """The last row of every verdict that has not gone: its verdict, or the error in place of it."""
        return (
            known.row for verdicts in self._verdicts.values() for known in verdicts.values() if known.status != GONE
        )

    def disappeared(self, run: Run) -> Iterator[tuple[Row, str]]:
        """The NON_COMPLIANT verdicts that a run no longer has, though it found all load balancers there. Each is its
        last row, with the time of the last run that covered it."""
        return (
            (known.row, self._last_run_times[_scope_key(known.row)])
            for known in self._absent(run)
            if known.status == NON_COMPLIANT
        )

    def absent_rows(self, run: Run) -> Iterator[Row]:
        """The last rows of all verdicts that a run no longer has, though it found all load balancers there."""
        return (known.row for known in self._absent(run))

    def _absent(self, run: Run) -> Iterator[_KnownVerdict]:
        present = {(*_scope_key(row), row["load_balancer"]) for row in _verdict_rows(run)}
        unread = _unread_load_balancers(run)
        for row in select_rows(run, "scope"):
            scope = _scope_key(row)
            if not row["complete"]:
                continue
            for arn, known in sorted(self._verdicts.get(scope, {}).items()):
                if known.status != GONE and arn not in unread and (*scope, arn) not in present:
                    yield known

    def last_run_time(self, run: Run) -> str | None:
        """The time of the last run that covered anything that this run covers."""
        times = [self._last_run_times.get(_scope_key(row)) for row in select_rows(run, "scope")]
        return max((time for time in times if time is not None), default=None)


def _parse_time(text: str) -> datetime:
    return datetime.strptime(text, TIME_FORMAT).replace(tzinfo=UTC)


def _scope_key(row: Row) -> ScopeKey:
    return row["account"], row["region"], row["rule"]


def _verdict_rows(run: Run) -> Iterator[Row]:
    """Verdicts, and errors that are about one rule and one load balancer."""
    yield from select_rows(run, "verdict")
    for row in select_rows(run, "error"):
        if row["load_balancer"] is not None and row["rule"] is not None:
            yield row


def _unread_load_balancers(run: Run) -> set[str]:
    """Load balancers that exist and could not be read at all, so that no rule has a result for them."""
    return {row["load_balancer"] for row in select_rows(run, "error") if row["load_balancer"] and row["rule"] is None}
