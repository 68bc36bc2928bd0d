"""JSON lines of a check, written while it goes on: verdicts are not held in memory."""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TextIO

from alb_sg.command_line.choice import Choice
from alb_sg.command_line.progress import Progress
from alb_sg.command_line.sources import Gathered, home
from alb_sg.estate.quick import seldom_collecting, without_collector
from alb_sg.findings.finding import Compliance, Finding, JudgementError
from alb_sg.findings.judge import judge_all
from alb_sg.report.json_report import write_error_lines, write_finding_lines

# Load balancers judged at a time.
BATCH = 16


@dataclass
class Written:
    """What was found out: everything that could not be judged, and of each estate a NON_COMPLIANT finding if it has
    one. The others are written and gone."""

    errors: list[JudgementError] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def write_lines(gather: Callable[[], Gathered], choice: Choice, stream: TextIO) -> Written:
    """A line for every verdict on what is gathered, by account, region, ARN and rule, and then one for every error."""
    written = write_findings(gather, choice, stream)
    write_error_lines(written.errors, stream)
    return written


def write_findings(gather: Callable[[], Gathered], choice: Choice, stream: TextIO) -> Written:
    """As `write_lines`, and errors are left to the caller."""
    with without_collector():
        gathered = gather()
        # Estates have no cycles to be looked for, and millions of objects.
        gc.freeze()
    try:
        with seldom_collecting():
            return _written(gathered, choice, stream)
    finally:
        gc.unfreeze()


def _written(gathered: Gathered, choice: Choice, stream: TextIO) -> Written:
    written = Written(list(gathered.errors))
    total = sum(len(found) for found in gathered.selected.values())
    done = 0
    with Progress("judging load balancers") as progress:
        for estate in gathered.estates:
            load_balancers = gathered.selected[home(estate)]
            offence = None
            for first in range(0, len(load_balancers), BATCH):
                findings, errors = judge_all(estate, load_balancers[first : first + BATCH], choice.rules)
                write_finding_lines(findings, stream)
                written.errors.extend(errors)
                offence = offence or next(
                    (finding for finding in findings if finding.compliance is Compliance.NON_COMPLIANT), None
                )
                done += min(BATCH, len(load_balancers) - first)
                progress(done, total)
            written.findings += [] if offence is None else [offence]
    written.errors.sort(key=lambda error: error.sort_key)
    return written
