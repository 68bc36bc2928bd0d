"""What the dashboard shows of estates: the results of all load balancers, and explanations and plans of the worst."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from datetime import datetime

from alb_sg.command_line.evaluate_all import judge_estates
from alb_sg.command_line.planning import make_planner, plan_results
from alb_sg.command_line.progress import Progress
from alb_sg.command_line.rule_selection import RuleSelection
from alb_sg.command_line.sources.loaded_estates import LoadedEstates
from alb_sg.findings.loaded_exemptions import LoadedExemptions
from alb_sg.observations.from_estates import observe_estates
from alb_sg.observations.observation import Observation
from alb_sg.observations.results import Results
from alb_sg.remediation.plan import Plan


@dataclass(frozen=True)
class ObservedEstates:
    """`observation` has the results with exemptions, `results` those without the ports that are exempt, and
    `without_exemptions` all. `plans` are by load balancer ARN."""

    observation: Observation
    results: Results
    without_exemptions: Results
    plans: dict[str, Plan]


def observe_loaded(
    arguments: argparse.Namespace,
    selection: RuleSelection,
    exemptions: LoadedExemptions | None,
    as_of: datetime,
    loaded: LoadedEstates,
) -> ObservedEstates:
    """Judges estates, and explains the worst load balancers, each with a plan."""
    of_ports = {} if exemptions is None else exemptions.of_ports
    without = judge_estates(loaded, selection)
    results = judge_estates(loaded, selection, of_ports) if of_ports else without
    applied = results.with_exemptions(exemptions)
    rules = selection.rules_to_display
    with Progress("drawing load balancers") as progress:
        observation = observe_estates(
            loaded.estates, rules, applied, None, as_of, arguments.pictures, progress, of_ports
        )
    planner = make_planner(arguments, loaded, selection, exemptions)
    return ObservedEstates(observation, results, without, plan_results(planner, applied, observation.explained_arns))
