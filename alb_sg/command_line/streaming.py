"""JSON lines of a check, written while load balancers are judged, so that findings need no memory."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TextIO

from alb_sg.command_line.progress import Progress
from alb_sg.command_line.rule_selection import RuleSelection
from alb_sg.command_line.sources.loaded_estates import LoadedEstates
from alb_sg.estate.snapshots.speed import no_garbage_collection, rare_garbage_collection
from alb_sg.findings.finding import Compliance, EvaluationError, Finding
from alb_sg.findings.judge import judge_all
from alb_sg.report.json_report import write_error_lines, write_finding_lines

# Load balancers judged at a time.
BATCH_SIZE = 16


@dataclass
class StreamedResults:
    """All errors, and the first NON_COMPLIANT finding of each rule and estate. The other findings are written only."""

    errors: list[EvaluationError] = field(default_factory=list)
    non_compliant_findings: list[Finding] = field(default_factory=list)


def stream_json_lines(load: Callable[[], LoadedEstates], selection: RuleSelection, stream: TextIO) -> StreamedResults:
    """Write a line for every verdict, by account, region, ARN and rule, and then one for every error."""
    results = stream_findings(load, selection, stream)
    write_error_lines(results.errors, stream)
    return results


def stream_findings(load: Callable[[], LoadedEstates], selection: RuleSelection, stream: TextIO) -> StreamedResults:
    """As `stream_json_lines`, and leave the errors to the caller."""
    with no_garbage_collection():
        loaded = load()
        # Estates have millions of objects and no cycles, so the collector must not traverse them.
        gc.freeze()
    try:
        with rare_garbage_collection():
            return _write_in_batches(loaded, selection, stream)
    finally:
        gc.unfreeze()


def _write_in_batches(loaded: LoadedEstates, selection: RuleSelection, stream: TextIO) -> StreamedResults:
    results = StreamedResults(list(loaded.errors))
    total = sum(map(len, loaded.load_balancers_by_account_region.values()))
    done = 0
    with Progress("judging load balancers") as progress:
        for estate in loaded.estates:
            load_balancers = loaded.load_balancers_by_account_region[estate.account_region]
            non_compliant: dict[str, Finding] = {}
            for first in range(0, len(load_balancers), BATCH_SIZE):
                batch = load_balancers[first : first + BATCH_SIZE]
                findings, errors = judge_all(estate, batch, selection.rules)
                write_finding_lines(findings, stream)
                results.errors += errors
                keep_first_non_compliant(findings, non_compliant)
                done += len(batch)
                progress(done, total)
            results.non_compliant_findings += non_compliant.values()
    results.errors.sort(key=lambda error: error.sort_key)
    return results


def keep_first_non_compliant(findings: Iterable[Finding], by_rule: dict[str, Finding]) -> None:
    """Adds the first NON_COMPLIANT finding of each rule that `by_rule` does not have."""
    for finding in findings:
        if finding.compliance is Compliance.NON_COMPLIANT:
            by_rule.setdefault(finding.rule, finding)
