"""CloudFormation templates as scenarios: `read_templates`.

Several templates are deployed together: an export of one is an import of another.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Any

from alb_sg.errors import InvalidInputError
from alb_sg.estate.json_files import file_error_context
from alb_sg.estate.planned.resources import (
    Location,
    PlannedResource,
    PlannedValue,
    Scenario,
    UnknownPlannedValue,
)
from alb_sg.estate.planned.template_choices import (
    MAX_SCENARIOS,
    Choices,
    NeedsChoiceError,
    TooManyWaysError,
    enumerate_choices,
)
from alb_sg.estate.planned.template_defaults import with_default_egress
from alb_sg.estate.planned.template_documents import RESOURCES
from alb_sg.estate.planned.template_parameters import PSEUDO_PARAMETERS
from alb_sg.estate.planned.template_properties import convert_properties, keep_deciding_keys
from alb_sg.estate.planned.template_references import refuse_circles
from alb_sg.estate.planned.template_stacks import Deployment, GivenValues, Stack, TemplateFile, TemplateLibrary
from alb_sg.estate.planned.template_text import NO_VALUE, planned_value
from alb_sg.estate.planned.template_types import DECIDING_PROPERTIES, LOAD_BALANCER, NESTED_STACK
from alb_sg.estate.planned.template_unseen import effects_of_unseen_stacks, unread_stacks
from alb_sg.estate.planned.template_views import DependencyGraph

NO_GIVEN_VALUES = GivenValues()


def read_templates(
    files: Sequence[TemplateFile], given: GivenValues = NO_GIVEN_VALUES, *, over_estate: bool = False
) -> list[Scenario]:
    """Every way in which the templates can be deployed together.

    The ways are enumerated for each load balancer apart. `over_estate`: for all together, as the load balancers of an
    estate need that the templates change. Raises InvalidInputError.
    """
    library = TemplateLibrary()
    for file in files:
        library.load(file.path)
    graph = DependencyGraph(Deployment(files, given, library, Choices()))
    for template in library.loaded.values():
        with file_error_context(template.path):
            refuse_circles(template.resources)
    _refuse_unknown_parameters(given, library)
    _refuse_unknown_nested_stacks(given, graph.stacks)

    unread = tuple(unread_stacks(graph.stacks))

    def scenarios(addresses: frozenset[str] | None, judged: frozenset[str] | None) -> list[Scenario]:
        def resources(choices: Choices) -> list[PlannedResource]:
            return _planned_resources(Deployment(files, given, library, choices), addresses)

        return [Scenario(found, assumptions, judged, unread) for found, assumptions in enumerate_choices(resources)]

    if over_estate:
        return scenarios(None, None)
    found: list[Scenario] = []
    for load_balancer in graph.load_balancers:
        judged = frozenset({load_balancer})
        try:
            found += scenarios(graph.view(load_balancer), judged)
        except TooManyWaysError as error:
            found.append(Scenario([_unjudged(load_balancer, error)], (), judged, unread))
    return found or [Scenario((), unread=unread)]


def _unjudged(load_balancer: str, error: TooManyWaysError) -> PlannedResource:
    """A load balancer of which nothing is known: the verdicts of no other depend on it."""
    origin = f"which of more than {MAX_SCENARIOS} ways of deploying {load_balancer}"
    return PlannedResource(load_balancer, LOAD_BALANCER, {"Type": UnknownPlannedValue(origin, error.remedy)})


def _refuse_unknown_parameters(given: GivenValues, library: TemplateLibrary) -> None:
    declared = {name for template in library.loaded.values() for name in template.parameters}
    for name in given.parameters:
        if name not in declared and name not in PSEUDO_PARAMETERS:
            templates = ", ".join(template.name for template in library.loaded.values())
            known = f"it has {', '.join(sorted(declared))}" if declared else "it has none"
            raise InvalidInputError(
                f"no template parameter has the name {name!r} ({templates}; {known}); correct the name"
            )


def _refuse_unknown_nested_stacks(given: GivenValues, stacks: Sequence[Stack]) -> None:
    addresses = {
        stack.address_of(logical_id)
        for stack in stacks
        for logical_id, resource in stack.resources.items()
        if resource["Type"] == NESTED_STACK
    }
    for address in given.nested_templates:
        if address not in addresses:
            known = f"there are {', '.join(sorted(addresses))}" if addresses else "there is none"
            raise InvalidInputError(f"no nested stack has the address {address!r} ({known}); correct --nested-template")


def _planned_resources(deployment: Deployment, addresses: Container[str] | None) -> list[PlannedResource]:
    """The resources of one way of deploying; with `addresses`, only these."""
    # The values that need a choice come first: a choice begins the resolution again.
    created = [
        (stack, logical_id, resource)
        for stack in deployment.stacks()
        for logical_id, resource in stack.created(DECIDING_PROPERTIES, addresses)
    ]
    unseen = [one for stack in deployment.stacks() for one in effects_of_unseen_stacks(stack, addresses)]
    deciding = [_resolved_properties(*one, deciding=True) for one in created]
    found = [
        _planned_resource(*one, {**properties, **_resolved_properties(*one, deciding=False)})
        for one, properties in zip(created, deciding, strict=True)
    ]
    return with_default_egress([*found, *unseen], several=deployment.several)


def _planned_resource(
    stack: Stack, logical_id: str, resource: Mapping[str, Any], properties: Mapping[str, PlannedValue]
) -> PlannedResource:
    return PlannedResource(
        address=stack.address_of(logical_id),
        type=resource["Type"],
        properties=convert_properties(properties),
        location=Location(stack.template.path, stack.template.lines.get(logical_id)),
        account_id=stack.told("AWS::AccountId"),
        region=stack.told("AWS::Region"),
    )


def _resolved_properties(
    stack: Stack, logical_id: str, resource: Mapping[str, Any], *, deciding: bool
) -> dict[str, PlannedValue]:
    """The properties that decide verdicts, or the others."""
    kind = resource["Type"]
    found: dict[str, PlannedValue] = {}
    for name, expression in (resource.get("Properties") or {}).items():
        if (name in DECIDING_PROPERTIES[kind]) != deciding:
            continue
        try:
            value = stack.expressions.resolve(keep_deciding_keys(kind, name, expression))
        except NeedsChoiceError as needed:
            if deciding:
                raise
            value = UnknownPlannedValue(needed.parameter)
        except InvalidInputError as error:
            place = f"{stack.template.name}: {RESOURCES}.{logical_id}.Properties.{name}"
            if deciding:
                raise error.inside(place) from error
            value = UnknownPlannedValue(str(error.inside(place)))
        if value is not NO_VALUE and value is not None:
            found[name] = planned_value(value)
    return found
