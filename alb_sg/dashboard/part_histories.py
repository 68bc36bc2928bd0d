"""The history of each part of a page: the same runs, with the load balancers of the part alone.

A load balancer belongs to the part that it belongs to today, in earlier runs too: so the trend of a part is about the
load balancers that its page lists. One that is gone belongs to the owner that its last run recorded.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from alb_sg.aws.account_region import AccountRegion
from alb_sg.dashboard.changes import VerdictHistory
from alb_sg.dashboard.history import Row, Run
from alb_sg.dashboard.split import PartHistory, SplitBy, owner_title
from alb_sg.observations.accounts import AccountName
from alb_sg.observations.filter_patterns import unit_name
from alb_sg.observations.observation import Observation


class PartHistories:
    """The histories of the parts of an observation's page. Runs are added oldest first, the present one last.

    `omitted`: how many older runs are left out.
    """

    def __init__(self, observation: Observation, by: SplitBy, omitted: int) -> None:
        self._by = by
        self._omitted = omitted
        self._accounts = observation.accounts
        self._owners: dict[str, str] = {}
        # The parts that have, or had, load balancers in an account and region.
        self._parts_by_account_region: defaultdict[AccountRegion, set[str]] = defaultdict(set)
        self._histories: defaultdict[str, VerdictHistory] = defaultdict(VerdictHistory)
        self._last_run_times: dict[str, str | None] = {}
        if by is SplitBy.OWNER:
            for result in observation.results.all:
                arn = result.load_balancer_arn
                if arn is not None:
                    owner = self._owners[arn] = owner_title(observation.owner_of(arn))
                    self._parts_by_account_region[AccountRegion(result.account_id, result.region)].add(owner)

    def watch(self, runs: Iterable[Run]) -> Iterator[Run]:
        """The runs, each added on its way: they are read once."""
        for run in runs:
            self.add_run(run)
            yield run

    def add_run(self, run: Run) -> None:
        rows = self._rows_by_part(run)
        for part in sorted({*rows, *self._histories}):
            part_run = Run(run.as_of, rows.get(part, []))
            history = self._histories[part]
            self._last_run_times[part] = history.last_run_time(part_run)
            history.add_run(part_run)

    def part_history(self, part: str) -> PartHistory:
        """The history of a part after the last run that was added."""
        return PartHistory(self._histories[part].trend(self._omitted), self._last_run_times.get(part))

    def _rows_by_part(self, run: Run) -> dict[str, list[Row]]:
        rows: defaultdict[str, list[Row]] = defaultdict(list)
        scopes = []
        for row in run.rows:
            if row["record"] == "scope":
                scopes.append(row)
            elif row["load_balancer"] is not None:
                part = self._part_of(row)
                self._parts_by_account_region[AccountRegion(row["account"], row["region"])].add(part)
                rows[part].append(row)
        for row in scopes:
            # An owner's accounts and regions are known when the load balancers of the run are.
            account_region = AccountRegion(row["account"], row["region"])
            by_owner = self._by is SplitBy.OWNER
            for part in self._parts_by_account_region[account_region] if by_owner else {self._part_of(row)}:
                rows[part].append(row)
        return rows

    def _part_of(self, row: Row) -> str:
        if self._by is SplitBy.ACCOUNT:
            return str(row["account"])
        if self._by is SplitBy.UNIT:
            return unit_name(self._accounts.get(row["account"], AccountName()).unit)
        known = self._owners.get(row["load_balancer"])
        return owner_title(row["owner"]) if known is None else known
