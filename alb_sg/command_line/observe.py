"""What the dashboard shows of estates: the results of all load balancers, and explanations and plans of the worst."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass

from alb_sg.command_line.evaluate_all import judge_estates
from alb_sg.command_line.planning import make_planner, plan_results
from alb_sg.command_line.progress import Progress
from alb_sg.command_line.rule_selection import RuleSelection
from alb_sg.command_line.sources.loaded_estates import LoadedEstates
from alb_sg.findings.loaded_exemptions import LoadedExemptions
from alb_sg.observations.from_estates import load_balancer_details
from alb_sg.observations.observation import LoadBalancerDetail
from alb_sg.observations.results import Results
from alb_sg.remediation.plan import Plan


@dataclass(frozen=True)
class ObservedEstates:
    """`results` are those without the ports that are exempt, `without_exemptions` all. `details` and `plans` are by
    load balancer ARN."""

    results: Results
    without_exemptions: Results
    details: Mapping[str, LoadBalancerDetail]
    plans: Mapping[str, Plan]


def observe_loaded(
    arguments: argparse.Namespace,
    selection: RuleSelection,
    exemptions: LoadedExemptions | None,
    loaded: LoadedEstates,
) -> ObservedEstates:
    """Judges estates, and explains the worst load balancers, each with a plan."""
    of_ports = {} if exemptions is None else exemptions.of_ports
    without = judge_estates(loaded, selection)
    results = judge_estates(loaded, selection, of_ports) if of_ports else without
    applied = results.with_exemptions(exemptions)
    with Progress("drawing load balancers") as progress:
        details = load_balancer_details(
            loaded.estates, selection.rules_to_display, applied, arguments.pictures, progress, of_ports
        )
    explained = {arn for arn, detail in details.items() if detail.explanation is not None}
    planner = make_planner(arguments, loaded, selection, exemptions)
    return ObservedEstates(results, without, details, plan_results(planner, applied, explained))
