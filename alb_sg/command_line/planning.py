"""What reports say beside verdicts: the plans of `alb-sg fix` as advice, and remarks."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from alb_sg.aws.account_region import AccountRegion
from alb_sg.command_line.progress import Progress
from alb_sg.command_line.rule_selection import RuleSelection
from alb_sg.command_line.sources.loaded_estates import LoadedEstates
from alb_sg.findings.judge import Judge
from alb_sg.findings.loaded_exemptions import LoadedExemptions
from alb_sg.findings.remarks import RemarkFinder
from alb_sg.observations.results import Results
from alb_sg.remediation.estate_planning import EstatePlanner
from alb_sg.remediation.fix_request import FixRequest
from alb_sg.remediation.plan import Plan
from alb_sg.report.advice import plan_advice

CONFIG_ITEMS_CAUSE = "Config items do not tell it; plan live or from a saved estate"
LIVE_CAUSE = "only alb-sg fix reads it"


def make_planner(
    arguments: argparse.Namespace,
    loaded: LoadedEstates,
    selection: RuleSelection,
    loaded_exemptions: LoadedExemptions | None,
) -> EstatePlanner:
    """The planner of the estates. Only a saved one tells who carries and manages a security group."""
    unknown_causes: dict[AccountRegion, str] = {}
    for estate in loaded.estates:
        if estate.account_region in loaded.from_config_items or arguments.aggregator is not None:
            unknown_causes[estate.account_region] = CONFIG_ITEMS_CAUSE
        elif not (arguments.estate or arguments.config_items):
            unknown_causes[estate.account_region] = LIVE_CAUSE
    return EstatePlanner(loaded.estates, make_fix_request(selection, loaded_exemptions), unknown_causes)


def make_fix_request(selection: RuleSelection, loaded_exemptions: LoadedExemptions | None) -> FixRequest:
    """The request of `alb-sg fix` with its default policy."""
    if loaded_exemptions is None:
        return FixRequest(selection.rules, datetime.now(UTC).date())
    return FixRequest(selection.rules, loaded_exemptions.today, exemptions=loaded_exemptions.exemptions)


def plan_results(
    planner: EstatePlanner, results: Results, load_balancers: Collection[str] | None = None
) -> dict[str, Plan]:
    """The plan for each load balancer with a NON_COMPLIANT finding, by ARN; only for those in `load_balancers`."""
    every = results.all
    if load_balancers is not None:
        every = [result for result in every if result.load_balancer_arn in load_balancers]
    with Progress("planning fixes") as progress:
        return planner.plan_findings(every, progress)


def with_advice(results: Results, planner: EstatePlanner) -> Results:
    """The results with what `alb-sg fix` would do about each finding."""
    plans = plan_results(planner, results)
    return replace(results, advice={key: text for plan in plans.values() for key, text in plan_advice(plan).items()})


def with_remarks(results: Results, loaded: LoadedEstates) -> Results:
    """The results with the remarks on each load balancer, from what was read for its verdicts."""
    by_arn = results.by_load_balancer
    remarks: dict[str, Sequence[str]] = {}
    for estate in loaded.estates:
        judge, finder = Judge(estate), RemarkFinder(estate)
        for load_balancer in loaded.load_balancers_by_account_region[estate.account_region]:
            remarks[load_balancer.arn] = finder.remarks(judge, load_balancer, by_arn.get(load_balancer.arn, ()))
    return replace(results, remarks=remarks)
