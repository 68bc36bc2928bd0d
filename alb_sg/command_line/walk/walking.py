"""The walk: work in every account and region that the options choose, with results that are kept in a folder."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence, Sized
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from alb_sg.aws.account_region import AccountRegion
from alb_sg.command_line.notes import write_note
from alb_sg.command_line.progress import Progress
from alb_sg.command_line.walk.opening import WALKERS, OpenedAccounts, open_accounts
from alb_sg.command_line.walk.state import WalkState, open_state, utc_now
from alb_sg.command_line.walk.threads import run_in_threads
from alb_sg.findings.finding import EvaluationError
from alb_sg.observations.account_name import AccountName


@dataclass(frozen=True)
class Walk:
    """A walk that is over: its results by account and region, and what could not be opened."""

    state: WalkState
    account_regions: Sequence[AccountRegion]
    errors: Sequence[EvaluationError]

    def stored(self) -> Iterator[tuple[AccountRegion, Mapping[str, Any]]]:
        """Each result, read again when it is asked for, by account and region."""
        for account_region in sorted(self.account_regions):
            yield account_region, self.state.read(account_region)


Work = Callable[[OpenedAccounts, AccountRegion], Mapping[str, Any]]


@contextmanager
def walk_accounts(
    arguments: argparse.Namespace,
    accounts: Mapping[str, AccountName],
    question: Mapping[str, Any],
    work: Work,
    has_errors: Callable[[Mapping[str, Any]], bool],
    label: str,
) -> Iterator[Walk]:
    """Does `work` in every account and region, and gives its results, JSON objects, in a folder that lasts as long as
    the block.

    With `--resume`, the folder stays if the block raises or a result `has_errors`: the next run takes those that have
    none, and does the rest. `question` is what results depend on. Raises InvalidInputError, and NotReadError if the
    credentials of the command cannot be used.
    """
    with open_state(getattr(arguments, "resume", None), question, utc_now()) as state:
        finished = {one for one in state.saved_at if not has_errors(state.read(one))}
        opened = open_accounts(arguments, accounts)
        _report_resumed(state, finished.intersection(opened.account_regions))
        total = len(opened.account_regions)
        rest = [one for one in opened.account_regions if one not in finished]

        def run(account_region: AccountRegion) -> bool:
            result = work(opened, account_region)
            state.save(account_region, result, utc_now())
            return has_errors(result)

        try:
            with Progress(label) as progress:
                results = run_in_threads(run, rest, WALKERS)
                for done, (account_region, has_failed) in enumerate(results, total - len(rest) + 1):
                    if not has_failed:
                        finished.add(account_region)
                    progress(done, total)
            yield Walk(state, opened.account_regions, opened.errors)
        except BaseException:
            if state.is_kept:
                _report_kept(state, finished, "go on")
            raise
        if not state.is_kept:
            return
        if opened.errors or not finished.issuperset(opened.account_regions):
            _report_kept(state, finished, "read what could not be read")
        else:
            state.clear()


def _report_resumed(state: WalkState, finished: Collection[AccountRegion]) -> None:
    if finished:
        since = min(state.saved_at[one] for one in finished).strftime("%Y-%m-%d %H:%M UTC")
        write_note(f"{state.folder} has {count_account_regions(finished)}, read since {since}; they are not read again")


def _report_kept(state: WalkState, finished: Collection[AccountRegion], purpose: str) -> None:
    write_note(f"{state.folder} keeps {count_account_regions(finished)}; run again with the same options to {purpose}")


def count_account_regions(account_regions: Sized) -> str:
    return f"{len(account_regions):,} {'account and region' if len(account_regions) == 1 else 'accounts and regions'}"
