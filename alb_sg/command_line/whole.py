"""All results of a run at once, as exemptions and most formats need them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from alb_sg.command_line.choice import Choice
from alb_sg.command_line.progress import Progress
from alb_sg.command_line.sources import Gathered, home
from alb_sg.estate.model import LoadBalancer
from alb_sg.exemptions.given import Given
from alb_sg.findings.finding import Finding, JudgementError
from alb_sg.findings.judge import judge_all
from alb_sg.report.results import Results


def judged(gathered: Gathered, choice: Choice, exemptions: Given | None = None) -> Results:
    """Every rule chosen on every load balancer selected, and exemptions where some are given."""
    findings: list[Finding] = []
    errors: list[JudgementError] = list(gathered.errors)
    total = len(gathered.load_balancers)
    with Progress("judging load balancers") as progress:
        done = 0

        def counted(load_balancers: Iterable[LoadBalancer]) -> Iterator[LoadBalancer]:
            nonlocal done
            for load_balancer in load_balancers:
                yield load_balancer
                done += 1
                progress(done, total)

        for estate in gathered.estates:
            found, failed = judge_all(estate, counted(gathered.selected[home(estate)]), choice.rules)
            findings.extend(found)
            errors.extend(failed)
    if exemptions is not None:
        findings, errors = exemptions.applied(findings, errors)
    findings.sort(key=lambda finding: finding.sort_key)
    errors.sort(key=lambda error: error.sort_key)
    return Results(
        [home(estate) for estate in gathered.estates], total, choice.names, findings, errors, exemptions is not None
    )
