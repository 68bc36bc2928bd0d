"""Work in every account and region that the options choose. A folder keeps the results."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence, Sized
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from alb_sg.aws.account_region import AccountRegion
from alb_sg.command_line.accounts.opened_accounts import OpenedAccounts, open_accounts
from alb_sg.command_line.accounts.resume_folder import ResumeFolder, open_resume_folder, utc_now
from alb_sg.command_line.accounts.threads import run_in_threads
from alb_sg.command_line.output import write_note
from alb_sg.findings.finding import EvaluationError
from alb_sg.observations.accounts import AccountName


@dataclass(frozen=True)
class AccountResults:
    """The results of all accounts and regions, and errors for the accounts that could not be opened."""

    folder: ResumeFolder
    account_regions: Sequence[AccountRegion]
    errors: Sequence[EvaluationError]

    def stored(self) -> Iterator[tuple[AccountRegion, Mapping[str, Any]]]:
        """Each result, by account and region. Reads one at a time."""
        for account_region in sorted(self.account_regions):
            yield account_region, self.folder.read(account_region)


Work = Callable[[OpenedAccounts, AccountRegion], Mapping[str, Any]]


@contextmanager
def work_in_accounts(
    arguments: argparse.Namespace,
    accounts: Mapping[str, AccountName],
    inputs: Mapping[str, Any],
    work: Work,
    has_errors: Callable[[Mapping[str, Any]], bool],
    label: str,
) -> Iterator[AccountResults]:
    """Does `work` in every account and region. Its results are JSON objects, in a folder that lasts
    as long as the block.

    With `--resume`, the folder stays if the block raises or a result `has_errors`. The next run takes the results
    without errors, and does the rest. Results depend on `inputs`. Raises InvalidInputError, and NotReadError if the
    credentials of the command cannot be used.
    """
    with open_resume_folder(getattr(arguments, "resume", None), inputs, utc_now()) as folder:
        finished = {one for one in folder.saved_at if not has_errors(folder.read(one))}
        opened = open_accounts(arguments, accounts)
        _report_resumed(folder, finished.intersection(opened.account_regions))
        rest = [one for one in opened.account_regions if one not in finished]

        def run(account_region: AccountRegion) -> bool:
            result = work(opened, account_region)
            folder.save(account_region, result, utc_now())
            return has_errors(result)

        try:
            already_done = len(opened.account_regions) - len(rest)
            for account_region, has_failed in run_in_threads(run, rest, label, already_done):
                if not has_failed:
                    finished.add(account_region)
            yield AccountResults(folder, opened.account_regions, opened.errors)
        except BaseException:
            if folder.is_kept:
                _report_kept(folder, finished, "go on")
            raise
        if not folder.is_kept:
            return
        if opened.errors or not finished.issuperset(opened.account_regions):
            _report_kept(folder, finished, "read what could not be read")
        else:
            folder.clear()


def _report_resumed(folder: ResumeFolder, finished: Collection[AccountRegion]) -> None:
    if finished:
        since = min(folder.saved_at[one] for one in finished).strftime("%Y-%m-%d %H:%M UTC")
        write_note(f"{folder.path} has {count_account_regions(finished)}, read since {since}; they are not read again")


def _report_kept(folder: ResumeFolder, finished: Collection[AccountRegion], purpose: str) -> None:
    write_note(f"{folder.path} keeps {count_account_regions(finished)}; run again with the same options to {purpose}")


def count_account_regions(account_regions: Sized) -> str:
    return f"{len(account_regions):,} {'account and region' if len(account_regions) == 1 else 'accounts and regions'}"
