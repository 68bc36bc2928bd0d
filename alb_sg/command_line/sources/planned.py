"""The sources `--terraform-plan` and `--template`: the estate that they would make, alone or over one that exists."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from alb_sg.command_line.argument_types import given_option
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
from alb_sg.estate.json_files import STANDARD_INPUT
from alb_sg.estate.model import LoadBalancer
from alb_sg.findings.finding import EvaluationError

if TYPE_CHECKING:
    from alb_sg.estate.planned.planned_estate import PlannedEstates
    from alb_sg.estate.planned.resources import Scenario

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
    # Most runs judge no document.
    from alb_sg.estate.planned.planned_estate import planned_estates  # noqa: PLC0415 (see above)

    if (option := given_option(arguments, "--config-items", "--source", "--aggregator")) is not None:
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
    loaded = [
        (scenario, planned, select_planned(scenario, planned, load_balancer_names))
        for scenario, planned in run.scenarios
    ]
    refuse_names_without_load_balancer([one for _, _, one in loaded], load_balancer_names)
    with_load_balancers = [one for one in loaded if one[2].load_balancers]
    fitting = with_load_balancers or loaded
    if len(fitting) > 1:
        raise InvalidInputError(_several_ways([scenario.assumptions for scenario, _, _ in with_load_balancers]))
    _, planned, found = fitting[0]
    return replace(found, document=planned.document)


def _several_ways(ways: Sequence[Sequence[str]]) -> str:
    """Which choices are left, for a command that takes one way of applying a document."""
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
    from alb_sg.command_line.sources.live import export_regions  # noqa: PLC0415 (see above)
    from alb_sg.command_line.sources.sessions import Credentials  # noqa: PLC0415 (see above)
    from alb_sg.estate.export_file import estate_of_export  # noqa: PLC0415 (slow, and not always needed)

    # Whatever the change makes a verdict depend on has to be there.
    return list(map(estate_of_export, export_regions(Credentials(arguments.profile), arguments.region)))


def select_planned(scenario: Scenario, planned: PlannedEstates, load_balancer_names: Sequence[str]) -> LoadedEstates:
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


def refuse_names_without_load_balancer(found: Sequence[LoadedEstates], names: Sequence[str]) -> None:
    """Raises InvalidInputError for a name that no scenario has a load balancer for."""
    for name in names:
        if any(has_name_or_arn(one, name) for loaded in found for _, one in loaded.load_balancers):
            continue
        refuse_unknown_names(found[0], [name])
