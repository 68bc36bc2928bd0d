"""The results of judging a plan or template: what the change breaks and fixes."""

from __future__ import annotations

import argparse
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from alb_sg.aws.arns import region_of
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
from alb_sg.findings.finding import Change, Compliance, EvaluationError, Finding, Result
from alb_sg.findings.loaded_exemptions import LoadedExemptions
from alb_sg.findings.phrasing import printable
from alb_sg.findings.planned_change import combine_scenarios, results_of_change
from alb_sg.observations.results import FileLocation, LoadBalancerFacts, Results
from alb_sg.remediation.api_calls import authorize_command
from alb_sg.remediation.plan import Addition, Plan
from alb_sg.remediation.planned_planning import PlannedEstatePlanner
from alb_sg.remediation.snippet_languages import SNIPPET_WRITERS
from alb_sg.remediation.snippets import make_snippets
from alb_sg.report.advice import plan_advice
from alb_sg.report.formats import MARKDOWN

# The most changes that a text names.
MAX_CHANGES = 6


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
        results = _without_repeated(results_of_change(before.all, results, replaced, affected), affected)
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
    advice = {key: tuple(sentences) for plan in plans for key, sentences in plan_advice(plan).items()}
    outside = _changes_to_others(run, findings, plans)
    for finding in findings:
        if finding.change is Change.NEWLY_BROKEN and finding.load_balancer_arn in outside:
            key = finding.load_balancer_arn, finding.rule
            advice[key] = (*advice.get(key, ()), f"or {outside[finding.load_balancer_arn]}")
    as_markdown = arguments.format == MARKDOWN
    return Results(
        list(places),
        len(affected),
        selection.rule_names,
        findings,
        errors,
        is_exempted,
        advice=advice,
        facts=facts,
        locations=locations,
        document=_document(arguments, locations),
        fix_code=_fix_code(arguments, run, plans, findings) if as_markdown else "",
        fix_commands=_fix_commands(run, plans, findings, outside) if as_markdown else "",
        is_change=bool(run.base),
    )


def _without_repeated(results: Sequence[Result], affected: Container[str]) -> list[Result]:
    """The results without those errors of load balancers outside of `affected` that an error of the whole document
    says, such as that its listener may be one of any load balancer."""
    said = {one.cause for one in results if isinstance(one, EvaluationError) and one.rule is None}
    return [
        one
        for one in results
        if not isinstance(one, EvaluationError)
        or one.rule is None
        or one.load_balancer_arn in affected
        or one.cause not in said
    ]


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


def _changes_to_others(run: PlannedRun, findings: Sequence[Finding], plans: Sequence[Plan]) -> dict[str, str]:
    """What to leave out of the document for load balancers that it does not describe and breaks, by ARN."""
    documented = _documented(run)
    groups = {
        plan.load_balancer.arn: {group for one in plan.additions for group in (one.group_id or "", *one.target_groups)}
        for plan in plans
    }
    broken = {one.load_balancer_arn for one in findings if one.change is Change.NEWLY_BROKEN} - documented
    found: dict[str, str] = {}
    for _, planned in run.scenarios if broken else ():
        for estate in planned.estates:
            for arn in broken & estate.load_balancers.keys() - found.keys():
                changes = planned.changes_to(estate, estate.load_balancers[arn], groups.get(arn, set()))
                if changes:
                    more = f" and {len(changes) - MAX_CHANGES} more" if len(changes) > MAX_CHANGES else ""
                    found[arn] = f"leave out of the change: {', '.join(changes[:MAX_CHANGES])}{more}"
    return found


def _documented(run: PlannedRun) -> frozenset[str]:
    """The load balancers that the document describes."""
    return frozenset[str]().union(*(planned.documented for _, planned in run.scenarios))


def _additions_of_others(
    run: PlannedRun, plans: Sequence[Plan], findings: Sequence[Finding], *, in_document: bool
) -> Iterator[Plan]:
    """The rules that load balancers outside of the document newly lack, each once: those of security groups that the
    document describes, or the others."""
    documented = _documented(run)
    addresses = {identifier for _, planned in run.scenarios for identifier in planned.addresses}
    broken = {(one.load_balancer_arn, one.rule) for one in findings if one.change is Change.NEWLY_BROKEN}
    found: set[tuple[object, ...]] = set()
    for plan in plans:
        arn = plan.load_balancer.arn
        additions: list[Addition] = []
        for one in plan.additions if arn not in documented else ():
            key = one.group_id, one.direction, one.permission
            is_broken = any((arn, rule) in broken for rule in one.rule_names)
            if is_broken and (one.group_id in addresses) is in_document and key not in found:
                found.add(key)
                additions.append(one)
        if additions:
            yield replace(plan, additions=tuple(additions), refusals=())


def _fix_commands(
    run: PlannedRun, plans: Sequence[Plan], findings: Sequence[Finding], outside: Mapping[str, str]
) -> str:
    """The rules of security groups outside of the document that load balancers outside of it newly lack, as commands of
    the AWS CLI."""
    lines: list[str] = []
    for plan in _additions_of_others(run, plans, findings, in_document=False):
        arn = plan.load_balancer.arn
        comment = f"# Load balancer {plan.load_balancer.name} ({arn}): after the change is applied"
        # A line break in a key would make a command of what follows it.
        lines.append(printable(f"{comment}, or {outside[arn]}" if arn in outside else comment))
        lines += [
            authorize_command(one, one.group_id, region_of(arn)) for one in plan.additions if one.group_id is not None
        ]
    return "".join(f"{line}\n" for line in lines)


def _fix_code(
    arguments: argparse.Namespace, run: PlannedRun, plans: Sequence[Plan], findings: Sequence[Finding]
) -> str:
    """The rules that load balancers lack, as code in the language of the document: those of load balancers and of
    security groups that it describes."""
    documented = _documented(run)
    document = DocumentResources(
        {identifier: address for _, planned in run.scenarios for identifier, address in planned.addresses.items()},
        {identifier: location for _, planned in run.scenarios for identifier, location in planned.locations.items()},
        {identifier: rules for _, planned in run.scenarios for identifier, rules in planned.inline_rules.items()},
    )
    own = [plan for plan in plans if plan.load_balancer.arn in documented]
    others = _additions_of_others(run, plans, findings, in_document=True)
    return SNIPPET_WRITERS[planned_language(arguments)](make_snippets([*own, *others], document))


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
