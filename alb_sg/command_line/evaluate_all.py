"""All results of a run at once, as exemptions and most formats need them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from alb_sg.command_line.progress import Progress
from alb_sg.command_line.rule_selection import RuleSelection
from alb_sg.command_line.sources.loaded_estates import LoadedEstates, account_region_key
from alb_sg.estate.model import LoadBalancer
from alb_sg.findings.finding import EvaluationError, Finding
from alb_sg.findings.judge import judge_all
from alb_sg.findings.loaded_exemptions import LoadedExemptions
from alb_sg.observations.results import Results


def evaluate_all(
    loaded_estates: LoadedEstates, selection: RuleSelection, loaded_exemptions: LoadedExemptions | None = None
) -> Results:
    """Every rule chosen on every load balancer selected, and exemptions where some are given."""
    findings: list[Finding] = []
    errors: list[EvaluationError] = list(loaded_estates.errors)
    total = len(loaded_estates.load_balancers)
    with Progress("judging load balancers") as progress:
        done = 0

        def counted(load_balancers: Iterable[LoadBalancer]) -> Iterator[LoadBalancer]:
            nonlocal done
            for load_balancer in load_balancers:
                yield load_balancer
                done += 1
                progress(done, total)

        for estate in loaded_estates.estates:
            found, failed = judge_all(
                estate,
                counted(loaded_estates.load_balancers_by_account_region[account_region_key(estate)]),
                selection.rules,
            )
            findings.extend(found)
            errors.extend(failed)
    if loaded_exemptions is not None:
        findings, errors = loaded_exemptions.apply(findings, errors)
    findings.sort(key=lambda finding: finding.sort_key)
    errors.sort(key=lambda error: error.sort_key)
    return Results(
        [account_region_key(estate) for estate in loaded_estates.estates],
        total,
        selection.rule_names,
        findings,
        errors,
        loaded_exemptions is not None,
    )
