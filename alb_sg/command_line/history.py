"""The option `--history`: the runs in a folder, which this run is compared with and added to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from alb_sg.command_line.output import open_output
from alb_sg.dashboard.changes import VerdictHistory
from alb_sg.dashboard.history import MAX_COMPARED_RUNS, Row, Run, earlier_run_files, read_run, run_file_name, write_run
from alb_sg.dashboard.page_data import EarlierRuns
from alb_sg.errors import InvalidInputError
from alb_sg.findings.finding import Compliance, Finding
from alb_sg.observations.earlier_results import FAILING, EarlierResults
from alb_sg.observations.ranking import VerdictStatus

GONE_ANNOTATION = "the load balancer is gone, or the rule judges it no more"


def read_earlier_runs(folder: Path, as_of: datetime) -> EarlierRuns:
    """The latest runs in a folder, which is created if missing. Runs are read lazily: together they may be large."""
    paths = earlier_run_files(folder, as_of)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInputError(
            f"cannot make the folder ({error.strerror or error}); choose another", str(folder)
        ) from error
    latest = paths[-MAX_COMPARED_RUNS:]
    return EarlierRuns(map(read_run, latest), len(paths) - len(latest))


def add_to_history(run: Run, folder: Path, as_of: datetime) -> None:
    """Adds a run. Raises InvalidInputError if it cannot be written."""
    with open_output(str(folder / run_file_name(as_of)), machine_readable=True) as stream:
        write_run(run, stream)


def earlier_results(runs: Iterable[Run], run: Run) -> EarlierResults:
    """What earlier runs reported of the verdicts of a run, and which failing ones it no longer has."""
    history = VerdictHistory()
    for earlier in runs:
        history.add_run(earlier)
    return EarlierResults(
        {(row["load_balancer"], row["rule"]): VerdictStatus(row["status"]) for row in history.last_rows()},
        [_gone_finding(row) for row in history.absent_rows(run) if VerdictStatus(row["status"]) in FAILING],
    )


def _gone_finding(row: Row) -> Finding:
    return Finding(
        row["account"] or "",
        row["region"] or "",
        row["load_balancer"],
        row["name"],
        row["rule"],
        Compliance.NOT_APPLICABLE,
        GONE_ANNOTATION,
    )
