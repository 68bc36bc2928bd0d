"""The results of judging a plan or template: what the change breaks and fixes."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from alb_sg.command_line.evaluate_all import evaluate_all
from alb_sg.command_line.rule_selection import RuleSelection
from alb_sg.command_line.sources.loaded_estates import (
    LoadedEstates,
    select_in_estates,
)
from alb_sg.command_line.sources.planned import (
    PlannedRun,
    load_planned_run,
    planned_language,
    refuse_names_without_load_balancer,
    select_planned,
)
from alb_sg.estate.json_files import STANDARD_INPUT
from alb_sg.estate.planned.resources import DocumentResources
from alb_sg.findings.finding import Compliance, EvaluationError, Finding, Result
from alb_sg.findings.loaded_exemptions import LoadedExemptions
from alb_sg.findings.planned_change import combine_scenarios, results_of_change
from alb_sg.observations.results import FileLocation, LoadBalancerFacts, Results
from alb_sg.remediation.plan import Plan
from alb_sg.remediation.planned_planning import PlannedEstatePlanner
from alb_sg.remediation.snippet_languages import SNIPPET_WRITERS
from alb_sg.remediation.snippets import make_snippets
from alb_sg.report.advice import plan_advice
from alb_sg.report.formats import MARKDOWN


def evaluate_planned(
    arguments: argparse.Namespace,
    selection: RuleSelection,
    load_balancer_names: Sequence[str],
    exemptions: LoadedExemptions | None,
) -> Results:
    """Judge every affected load balancer after the change, and say what the change breaks and fixes."""
    run = load_planned_run(arguments)
    affected: set[str] = set()
    by_assumptions: list[tuple[Sequence[str], Sequence[Result]]] = []
    found_names: list[LoadedEstates] = []
    evaluated: Results | None = None
    facts: dict[str, LoadBalancerFacts] = {}
    for scenario, planned in run.scenarios:
        loaded = select_planned(scenario, planned, load_balancer_names)
        found_names.append(loaded)
        affected |= {
            one.arn
            for estate, one in loaded.load_balancers
            # Those that are named are shown in any case.
            if not run.base or load_balancer_names or planned.is_affected(estate, one)
        }
        evaluated = evaluate_all(loaded, selection, exemptions)
        facts = _shared_facts(facts, evaluated.facts)
        by_assumptions.append((scenario.assumptions, evaluated.all))
    refuse_names_without_load_balancer(found_names, load_balancer_names)
    results = combine_scenarios(by_assumptions)
    if run.base:
        # As the estates after the change are judged: else an unread part would be an error before, and none after.
        base = [replace(one, is_planned=True) for one in run.base]
        before = evaluate_all(select_in_estates(base, ()), selection, exemptions)
        replaced = {new: old for _, planned in run.scenarios for new, old in planned.replaced.items()}
        results = results_of_change(before.all, results, replaced, affected)
        affected |= {one.load_balancer_arn for one in results if one.load_balancer_arn is not None}
    findings = sorted((one for one in results if isinstance(one, Finding)), key=lambda one: one.sort_key)
    errors = sorted((one for one in results if isinstance(one, EvaluationError)), key=lambda one: one.sort_key)
    places = dict.fromkeys(estate.account_region for _, planned in run.scenarios for estate in planned.estates)
    is_exempted = evaluated is not None and evaluated.exemptions_applied
    locations = {
        address: FileLocation(_relative(location.file), location.line)
        for _, planned in run.scenarios
        for address, location in planned.locations.items()
    }
    plans = _plans(run, findings, selection)
    return Results(
        list(places),
        len(affected),
        selection.rule_names,
        findings,
        errors,
        is_exempted,
        advice={key: sentences for plan in plans for key, sentences in plan_advice(plan).items()},
        facts=facts,
        locations=locations,
        document=_document(arguments, locations),
        fix_code=_fix_code(arguments, run, plans) if arguments.format == MARKDOWN else "",
        is_change=bool(run.base),
    )


def _shared_facts(
    known: Mapping[str, LoadBalancerFacts], further: Mapping[str, LoadBalancerFacts]
) -> dict[str, LoadBalancerFacts]:
    """The facts of load balancers in several scenarios. One that depends on the scenario is not known."""
    shared = {**further, **known}
    for arn in known.keys() & further.keys():
        one, other = known[arn], further[arn]
        shared[arn] = LoadBalancerFacts(
            one.scheme if one.scheme == other.scheme else None, one.tags if one.tags == other.tags else None
        )
    return shared


def _plans(run: PlannedRun, findings: Sequence[Finding], selection: RuleSelection) -> list[Plan]:
    """The rules that the load balancers with these findings lack, each in the first scenario that has it."""
    by_arn: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.compliance is Compliance.NON_COMPLIANT:
            by_arn.setdefault(finding.load_balancer_arn, []).append(finding)
    plans: dict[str, Plan] = {}
    for scenario, planned in run.scenarios:
        for estate, one in select_planned(scenario, planned, ()).load_balancers:
            if one.arn in by_arn and one.arn not in plans:
                plans[one.arn] = PlannedEstatePlanner(estate, selection.rules).plan(one, by_arn[one.arn])
    return list(plans.values())


def _fix_code(arguments: argparse.Namespace, run: PlannedRun, plans: Sequence[Plan]) -> str:
    """The rules that load balancers of the document lack, as code in its language."""
    documented = frozenset[str]().union(*(planned.documented for _, planned in run.scenarios))
    document = DocumentResources(
        {identifier: address for _, planned in run.scenarios for identifier, address in planned.addresses.items()},
        {identifier: location for _, planned in run.scenarios for identifier, location in planned.locations.items()},
    )
    own = [plan for plan in plans if plan.load_balancer.arn in documented]
    return SNIPPET_WRITERS[planned_language(arguments)](make_snippets(own, document))


def _document(arguments: argparse.Namespace, locations: Mapping[str, FileLocation]) -> str | None:
    """The file of the plan or of the only template; None for standard input and for several templates."""
    if arguments.terraform_plan:
        return None if arguments.terraform_plan == STANDARD_INPUT else _relative(arguments.terraform_plan)
    files = {location.file for location in locations.values()}
    return files.pop() if len(files) == 1 else None


def _relative(path: str) -> str:
    """A path as code review tools name it: relative to the working directory, if that contains the file."""
    try:
        return Path(path).resolve().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return path
