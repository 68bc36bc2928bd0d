"""All results of a run at once, as exemptions and most formats need them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from alb_sg.command_line.progress import Progress
from alb_sg.command_line.rule_selection import RuleSelection
from alb_sg.command_line.sources.loaded_estates import LoadedEstates
from alb_sg.estate.model import LoadBalancer
from alb_sg.exemptions.exemption import Exemption, VerdictKey
from alb_sg.findings.finding import EvaluationError, Finding
from alb_sg.findings.judge import NO_EXEMPTIONS, judge_all
from alb_sg.findings.loaded_exemptions import LoadedExemptions
from alb_sg.observations.results import LoadBalancerFacts, Results


def evaluate_all(
    loaded: LoadedEstates, selection: RuleSelection, loaded_exemptions: LoadedExemptions | None = None
) -> Results:
    """Judge every selected load balancer by every selected rule, and apply the exemptions."""
    port_exemptions = NO_EXEMPTIONS if loaded_exemptions is None else loaded_exemptions.of_ports
    return judge_estates(loaded, selection, port_exemptions).with_exemptions(loaded_exemptions)


def judge_estates(
    loaded: LoadedEstates,
    selection: RuleSelection,
    port_exemptions: Mapping[VerdictKey, Exemption] = NO_EXEMPTIONS,
) -> Results:
    """Judge every selected load balancer by every selected rule, without what `port_exemptions` exempt."""
    findings: list[Finding] = []
    errors: list[EvaluationError] = list(loaded.errors)
    total, done = len(loaded.load_balancers), 0
    with Progress("judging load balancers") as progress:

        def with_progress(load_balancers: Iterable[LoadBalancer]) -> Iterator[LoadBalancer]:
            nonlocal done
            for load_balancer in load_balancers:
                yield load_balancer
                done += 1
                progress(done, total)

        for estate in loaded.estates:
            load_balancers = loaded.load_balancers_by_account_region[estate.account_region]
            estate_findings, estate_errors = judge_all(
                estate, with_progress(load_balancers), selection.rules, port_exemptions
            )
            findings += estate_findings
            errors += estate_errors
    findings.sort(key=lambda finding: finding.sort_key)
    errors.sort(key=lambda error: error.sort_key)
    return Results(
        [estate.account_region for estate in loaded.estates],
        total,
        selection.rule_names,
        findings,
        errors,
        facts={
            load_balancer.arn: LoadBalancerFacts(
                load_balancer.scheme if isinstance(load_balancer.scheme, str) else None,
                None if estate.tags is None else estate.tags.get(load_balancer.arn),
            )
            for estate, load_balancer in loaded.load_balancers
        },
    )
