"""JSON lines of a check, written while it goes on: verdicts are not held in memory."""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TextIO

from alb_sg.command_line.progress import Progress
from alb_sg.command_line.rule_selection import RuleSelection
from alb_sg.command_line.sources.loaded_estates import LoadedEstates, account_region_key
from alb_sg.estate.snapshots.speed import no_garbage_collection, rare_garbage_collection
from alb_sg.findings.finding import Compliance, EvaluationError, Finding
from alb_sg.findings.judge import judge_all
from alb_sg.report.json_report import write_error_lines, write_finding_lines

# Load balancers judged at a time.
BATCH_SIZE = 16


@dataclass
class StreamedResults:
    """What was found out: everything that could not be judged, and of each estate a NON_COMPLIANT finding if it has
    one. The others are written and gone."""

    errors: list[EvaluationError] = field(default_factory=list)
    non_compliant_findings: list[Finding] = field(default_factory=list)


def stream_json_lines(load: Callable[[], LoadedEstates], selection: RuleSelection, stream: TextIO) -> StreamedResults:
    """A line for every verdict on what is gathered, by account, region, ARN and rule, and then one for every error."""
    written = stream_findings(load, selection, stream)
    write_error_lines(written.errors, stream)
    return written


def stream_findings(load: Callable[[], LoadedEstates], selection: RuleSelection, stream: TextIO) -> StreamedResults:
    """As `write_lines`, and errors are left to the caller."""
    with no_garbage_collection():
        gathered = load()
        # Estates have no cycles to be looked for, and millions of objects.
        gc.freeze()
    try:
        with rare_garbage_collection():
            return _write_in_batches(gathered, selection, stream)
    finally:
        gc.unfreeze()


def _write_in_batches(loaded_estates: LoadedEstates, selection: RuleSelection, stream: TextIO) -> StreamedResults:
    written = StreamedResults(list(loaded_estates.errors))
    total = sum(len(found) for found in loaded_estates.load_balancers_by_account_region.values())
    done = 0
    with Progress("judging load balancers") as progress:
        for estate in loaded_estates.estates:
            load_balancers = loaded_estates.load_balancers_by_account_region[account_region_key(estate)]
            offence = None
            for first in range(0, len(load_balancers), BATCH_SIZE):
                findings, errors = judge_all(estate, load_balancers[first : first + BATCH_SIZE], selection.rules)
                write_finding_lines(findings, stream)
                written.errors.extend(errors)
                offence = offence or next(
                    (finding for finding in findings if finding.compliance is Compliance.NON_COMPLIANT), None
                )
                done += min(BATCH_SIZE, len(load_balancers) - first)
                progress(done, total)
            written.non_compliant_findings += [] if offence is None else [offence]
    written.errors.sort(key=lambda error: error.sort_key)
    return written
