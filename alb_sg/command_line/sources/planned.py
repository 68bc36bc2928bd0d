"""The sources `--terraform-plan` and `--template`: the estate that they would make, alone or over one that exists."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from alb_sg.aws.account_region import AccountRegion
from alb_sg.command_line.evaluate_all import evaluate_all
from alb_sg.command_line.progress import Progress
from alb_sg.command_line.rule_selection import RuleSelection
from alb_sg.command_line.sources.files import load_files
from alb_sg.command_line.sources.loaded_estates import (
    LoadedEstates,
    has_name_or_arn,
    refuse_unknown_names,
    select_in_estates,
)
from alb_sg.command_line.sources.templates import (
    TEMPLATES_HELP,
    add_template_arguments,
    read_template_scenarios,
    reads_templates,
    refuse_existing_stacks,
)
from alb_sg.errors import InvalidInputError
from alb_sg.estate.estate import Estate
from alb_sg.estate.export_file import estate_of_export
from alb_sg.estate.json_files import STANDARD_INPUT
from alb_sg.estate.model import LoadBalancer
from alb_sg.estate.planned.planned_estate import PlannedEstates, planned_estates
from alb_sg.estate.planned.resources import Scenario
from alb_sg.findings.finding import Compliance, EvaluationError, Finding, Result
from alb_sg.findings.loaded_exemptions import LoadedExemptions
from alb_sg.findings.planned_change import combine_scenarios, results_of_change
from alb_sg.observations.results import FileLocation, LoadBalancerFacts, Results
from alb_sg.remediation.plan import Plan
from alb_sg.remediation.planned_planning import PlannedEstatePlanner
from alb_sg.remediation.snippet_languages import SNIPPET_WRITERS
from alb_sg.remediation.snippets import DocumentResources, make_snippets
from alb_sg.report.advice import plan_advice
from alb_sg.report.formats import MARKDOWN

PLANNED_HELP = (
    """\
  --terraform-plan F the estate that a Terraform or OpenTofu plan would make: the output of `terraform show -json PLAN`
                     (- for standard input). Alone, or with --estate, --profile or --region over what exists: then the
                     plan's creations, changes and deletions are applied to it, and each finding is newly broken, still
                     broken or fixed. A value that is not known before the plan is applied is never guessed: a verdict
                     that depends on it is an error that names it
"""
    + TEMPLATES_HELP
)
# The most choices that an error shows.
MAX_SHOWN_CHOICES = 6
# The options that choose a source that nothing can be planned over.
_REFUSED_OPTIONS = {
    "config_items": "--config-items",
    "source": "--source",
    "aggregator": "--aggregator",
}


@dataclass(frozen=True)
class PlannedRun:
    """The scenarios of a document, each with the estates after it, and the estates before."""

    scenarios: Sequence[tuple[Scenario, PlannedEstates]]
    base: Sequence[Estate]


class _OnePlan(argparse.Action):
    """The last of several plans would hide the others."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,  # noqa: ARG002 (argparse's signature)
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,  # noqa: ARG002 (argparse's signature)
    ) -> None:
        if getattr(namespace, "has_terraform_plan", False):
            raise argparse.ArgumentError(self, "one plan is judged at a time; run the command once for each")
        namespace.has_terraform_plan = True
        setattr(namespace, self.dest, values)


def add_planned_arguments(group: argparse._ActionsContainer) -> None:
    group.add_argument(
        "--terraform-plan",
        metavar="F",
        action=_OnePlan,
        help="the JSON of a Terraform or OpenTofu plan; - for standard input",
    )
    add_template_arguments(group)


def is_planned(arguments: argparse.Namespace) -> bool:
    """Whether the run judges what a document would make."""
    return getattr(arguments, "terraform_plan", None) is not None or reads_templates(arguments)


def planned_language(arguments: argparse.Namespace) -> str:
    """The language of the document, as `alb-sg fix --snippet` names it."""
    return "terraform" if arguments.terraform_plan is not None else "cloudformation"


def has_base(arguments: argparse.Namespace) -> bool:
    """Whether the document is judged over an estate that exists."""
    return bool(arguments.estate or arguments.profile or arguments.region)


def load_planned_run(arguments: argparse.Namespace) -> PlannedRun:
    """Reads the document and what it is judged over. Raises InvalidInputError and NotReadError."""
    for name, option in _REFUSED_OPTIONS.items():
        if getattr(arguments, name, None):
            raise InvalidInputError(
                f"a plan or template is judged alone or over --estate, --profile or --region; omit {option}"
            )
    if [arguments.terraform_plan, *arguments.template, *arguments.estate].count(STANDARD_INPUT) > 1:
        raise InvalidInputError("standard input holds one document; give the others as files")
    if arguments.template:
        if arguments.terraform_plan is not None:
            raise InvalidInputError("--terraform-plan and --template are two changes; judge one at a time")
        scenarios, files = read_template_scenarios(arguments, over_estate=has_base(arguments))
        base = _read_base(arguments)
        refuse_existing_stacks(files, base)
    else:
        scenarios = _read_plan(arguments)
        base = _read_base(arguments)
    return PlannedRun([(scenario, planned_estates(scenario, base)) for scenario in scenarios], base)


def load_planned_estates(arguments: argparse.Namespace, load_balancer_names: Sequence[str]) -> LoadedEstates:
    """The estates after the change, for commands that need a single scenario.

    Raises InvalidInputError for several scenarios with these load balancers, and for an unknown name.
    """
    run = load_planned_run(arguments)
    loaded = [(planned, _select(scenario, planned, load_balancer_names)) for scenario, planned in run.scenarios]
    _refuse_names_without_load_balancer([one for _, one in loaded], load_balancer_names)
    fitting = [one for one in loaded if one[1].load_balancers] or loaded
    if len(fitting) > 1:
        raise InvalidInputError(_several_ways(run, load_balancer_names))
    planned, found = fitting[0]
    return replace(found, document=DocumentResources(planned.addresses, planned.locations))


def _several_ways(run: PlannedRun, load_balancer_names: Sequence[str]) -> str:
    """Which choices are left, for a command that takes one way of applying a document."""
    ways = [
        scenario.assumptions
        for scenario, planned in run.scenarios
        if _select(scenario, planned, load_balancer_names).load_balancers
    ]
    open_choices = [
        one for one in dict.fromkeys(one for way in ways for one in way) if not all(one in way for way in ways)
    ]
    shown = "; ".join(open_choices[:MAX_SHOWN_CHOICES])
    more = f"; {len(open_choices) - MAX_SHOWN_CHOICES} more" if len(open_choices) > MAX_SHOWN_CHOICES else ""
    given = f" ({shown}{more})" if shown else "; name one load balancer"
    return (
        f"the document can be applied in {len(ways)} ways{given}; this command takes one: give values with "
        "--template-parameter, or use `alb-sg check`"
    )


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
        loaded = _select(scenario, planned, load_balancer_names)
        found_names.append(loaded)
        if run.base:
            affected |= {
                one.arn
                for estate, one in loaded.load_balancers
                # Those that are named are shown in any case.
                if load_balancer_names or planned.is_affected(estate, one)
            }
        else:
            affected |= {one.arn for _, one in loaded.load_balancers}
        evaluated = evaluate_all(loaded, selection, exemptions)
        facts = _shared_facts(facts, evaluated.facts)
        by_assumptions.append((scenario.assumptions, [*evaluated.findings, *evaluated.errors]))
    _refuse_names_without_load_balancer(found_names, load_balancer_names)
    results = combine_scenarios(by_assumptions)
    if run.base:
        # As the estates after the change are judged: else an unread part would be an error before, and none after.
        base = [replace(one, is_planned=True) for one in run.base]
        before = evaluate_all(select_in_estates(base, ()), selection, exemptions)
        replaced = {new: old for _, planned in run.scenarios for new, old in planned.replaced.items()}
        results = results_of_change([*before.findings, *before.errors], results, replaced, affected)
        affected |= {one.load_balancer_arn for one in results if one.load_balancer_arn is not None}
    findings = sorted((one for one in results if isinstance(one, Finding)), key=lambda one: one.sort_key)
    errors = sorted((one for one in results if isinstance(one, EvaluationError)), key=lambda one: one.sort_key)
    places: dict[AccountRegion, None] = {
        estate.account_region: None for _, planned in run.scenarios for estate in planned.estates
    }
    is_exempted = evaluated is not None and evaluated.exemptions_applied
    locations = {
        address: FileLocation(_relative(location.file), location.line)
        for _, planned in run.scenarios
        for address, location in planned.locations.items()
    }
    plans = _plans(run, findings)
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


def _plans(run: PlannedRun, findings: Sequence[Finding]) -> list[Plan]:
    """The rules that the load balancers with these findings lack, each in the first scenario that has it."""
    by_arn: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.compliance is Compliance.NON_COMPLIANT:
            by_arn.setdefault(finding.load_balancer_arn, []).append(finding)
    plans: dict[str, Plan] = {}
    for scenario, planned in run.scenarios:
        for estate, one in _select(scenario, planned, ()).load_balancers:
            if one.arn in by_arn and one.arn not in plans:
                plans[one.arn] = PlannedEstatePlanner(estate).plan(one, by_arn[one.arn])
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


def _read_plan(arguments: argparse.Namespace) -> list[Scenario]:
    # Most runs judge no plan.
    from alb_sg.estate.planned.terraform import read_terraform_scenario  # noqa: PLC0415 (see above)

    return [read_terraform_scenario(arguments.terraform_plan)]


def _read_base(arguments: argparse.Namespace) -> Sequence[Estate]:
    """What the document is judged over; empty where it stands alone."""
    if arguments.estate:
        if arguments.profile or arguments.region:
            raise InvalidInputError("--profile and --region are for live accounts; omit them with --estate")
        return load_files(arguments.estate, (), ()).estates
    if not (arguments.profile or arguments.region):
        return ()
    # Importing boto3 takes a third of a second, which commands on files do not need.
    from alb_sg.command_line.sources.live import live_sources  # noqa: PLC0415 (see above)
    from alb_sg.command_line.sources.sessions import Credentials  # noqa: PLC0415 (see above)

    estates = []
    for region, source in live_sources(Credentials(arguments.profile), arguments.region):
        with Progress(f"reading {region}: calls") as progress:
            # Whatever the change makes a verdict depend on has to be there.
            estates.append(estate_of_export(source(progress).export()))
    return estates


def _select(scenario: Scenario, planned: PlannedEstates, load_balancer_names: Sequence[str]) -> LoadedEstates:
    loaded = select_in_estates(planned.estates, load_balancer_names)
    if not load_balancer_names:
        unread = [EvaluationError("", "", None, None, one.origin, one.remedy) for one in scenario.unread]
        loaded = replace(loaded, errors=[*loaded.errors, *unread])
    if scenario.load_balancers is None:
        return loaded
    wanted = scenario.load_balancers

    def is_wanted(one: LoadBalancer) -> bool:
        return one.arn in wanted or one.arn not in planned.documented

    return replace(
        loaded,
        load_balancers_by_account_region={
            place: [one for one in found if is_wanted(one)]
            for place, found in loaded.load_balancers_by_account_region.items()
        },
    )


def _refuse_names_without_load_balancer(found: Sequence[LoadedEstates], names: Sequence[str]) -> None:
    """Raises InvalidInputError for a name that no scenario has a load balancer for."""
    for name in names:
        if any(has_name_or_arn(one, name) for loaded in found for _, one in loaded.load_balancers):
            continue
        refuse_unknown_names(found[0], [name])
