"""CloudFormation templates as scenarios: `read_templates`.

Several templates are deployed together: an export of one is an import of another.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterator, Mapping, Sequence
from typing import Any

from alb_sg.errors import InvalidInputError
from alb_sg.estate.json_files import file_error_context
from alb_sg.estate.planned import resource_types as types
from alb_sg.estate.planned.deployed_stack import DeployedResource, DeployedStack
from alb_sg.estate.planned.resources import (
    Location,
    PlannedResource,
    PlannedValue,
    ResourceReference,
    Scenario,
    UnknownPlannedValue,
)
from alb_sg.estate.planned.stack_update import KEPT_BY, update_stack
from alb_sg.estate.planned.template_choices import (
    MAX_SCENARIOS,
    Choices,
    NeedsChoiceError,
    TooManyWaysError,
    enumerate_choices,
)
from alb_sg.estate.planned.template_defaults import with_default_egress, with_egress_of_changes
from alb_sg.estate.planned.template_documents import RESOURCES
from alb_sg.estate.planned.template_parameters import PSEUDO_PARAMETERS
from alb_sg.estate.planned.template_properties import convert_properties, keep_deciding_keys
from alb_sg.estate.planned.template_references import refuse_circles
from alb_sg.estate.planned.template_rules import refuse_failing_assertions
from alb_sg.estate.planned.template_stacks import Deployment, GivenValues, Stack, TemplateFile, TemplateLibrary
from alb_sg.estate.planned.template_text import NO_VALUE, planned_value
from alb_sg.estate.planned.template_types import DECIDING_PROPERTIES
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
    library = TemplateLibrary(given)
    for file in files:
        library.load(file)
    graph = DependencyGraph(Deployment(files, library, Choices()))
    for template in library.loaded.values():
        with file_error_context(template.path):
            refuse_circles(template.resources)
    _refuse_unknown_parameters(library)
    _refuse_unknown_nested_stacks(given, graph.stacks)

    unread = tuple(unread_stacks(graph.stacks))

    def scenarios(addresses: frozenset[str] | None, judged: frozenset[str] | None) -> list[Scenario]:
        def resources(choices: Choices) -> list[PlannedResource]:
            deployment = Deployment(files, library, choices)
            return with_default_egress(_planned_resources(deployment, addresses), several=deployment.several)

        def has_load_balancer(found: Sequence[PlannedResource]) -> bool:
            return not graph.load_balancers or any(
                one.type == types.LOAD_BALANCER and (not judged or one.address in judged) for one in found
            )

        # Otherwise a value that makes every load balancer impossible would be no error.
        ways = enumerate_choices(resources, has_load_balancer)
        return [Scenario(found, assumptions, judged, unread) for found, assumptions in ways]

    updated = [(root, root.file.deployed) for root in graph.roots if root.file.deployed is not None]
    if updated:
        return _update_scenarios(files, library, updated, unread)
    if over_estate:
        return scenarios(None, None)
    return _scenarios_of_parts(graph, scenarios, unread) or [Scenario((), unread=unread)]


def _scenarios_of_parts(
    graph: DependencyGraph,
    scenarios: Callable[[frozenset[str], frozenset[str]], list[Scenario]],
    unread: tuple[UnknownPlannedValue, ...],
) -> list[Scenario]:
    """The scenarios of each load balancer, and of each listener of one that is elsewhere and therefore not judged.

    `scenarios` makes those with some resources for some load balancers, both by address.
    """
    found: list[Scenario] = []
    for load_balancer in graph.load_balancers:
        judged = frozenset({load_balancer})
        try:
            found += scenarios(graph.view(load_balancer), judged)
        except TooManyWaysError as error:
            found.append(Scenario([_unjudged(load_balancer, error)], (), judged, unread))
    for address in graph.listeners_elsewhere:
        try:
            found += scenarios(frozenset({address}), frozenset())
        except TooManyWaysError as error:
            unknown = UnknownPlannedValue(f"load balancer of {address}", error.remedy)
            found.append(Scenario((), unread=(*unread, unknown)))
    return found


def _update_scenarios(
    files: Sequence[TemplateFile],
    library: TemplateLibrary,
    updated: Sequence[tuple[Stack, DeployedStack]],
    unread: tuple[UnknownPlannedValue, ...],
) -> list[Scenario]:
    """Every way of deploying templates of which some update stacks."""
    deployed: dict[str, DeployedResource] = {}
    previous: dict[str, Mapping[str, PlannedValue]] = {}
    retained: set[str] = set()
    places: dict[str, tuple[str | None, str | None]] = {}
    for root, root_stack in updated:
        # Each deployed template is read once.
        deployed_library = TemplateLibrary()
        retained |= _retained(root.file, root_stack, root.address, deployed_library)
        for address, stack in _seen_stacks(root, root_stack, retained):
            own = {f"{address}{logical_id}": one for logical_id, one in stack.resources.items()}
            deployed |= own
            places |= dict.fromkeys(own, (root.told("AWS::AccountId"), root.told("AWS::Region")))
            previous |= _previous_properties(root.file, stack, address, deployed_library)
            retained |= _retained(root.file, stack, address, deployed_library)
        unread += tuple(_removed_nested_stacks(root, root_stack, retained))

    def resources(choices: Choices) -> list[PlannedResource]:
        return _planned_resources(Deployment(files, library, choices), None)

    several = len(files) > 1
    return [
        Scenario(
            with_egress_of_changes(update_stack(found, deployed, previous, retained, places), several=several),
            assumptions,
            unread=unread,
        )
        for found, assumptions in enumerate_choices(resources)
    ]


def _seen_stacks(root: Stack, deployed: DeployedStack, retained: Container[str]) -> Iterator[tuple[str, DeployedStack]]:
    """The deployed stacks whose templates are there now, and those that the update deletes, with the addresses of their
    resources. Raises InvalidInputError for a nested stack with a template whose resources are not known."""
    yield root.address, deployed
    for logical_id, one in deployed.resources.items():
        if one.type != types.NESTED_STACK:
            continue
        address = root.address_of(logical_id)
        remains = _remains(root, logical_id)
        child = root.child(logical_id) if remains else None
        nested = deployed.nested.get(logical_id)
        if child is not None and nested is None:
            raise InvalidInputError(
                f"the resources of nested stack {address} are not known; give them with another --stack-resources"
            )
        if nested is not None and (child is not None or not (remains or address in retained)):
            yield from nested.stacks(f"{address}.")


def _remains(root: Stack, logical_id: str) -> bool:
    """Whether a stack has a nested stack after the update, or may have it."""
    if root.resources.get(logical_id, {}).get("Type") != types.NESTED_STACK:
        return False
    try:
        return root.is_created(logical_id)
    except NeedsChoiceError:
        return True


def _removed_nested_stacks(
    root: Stack, deployed: DeployedStack, retained: Container[str]
) -> Iterator[UnknownPlannedValue]:
    """The nested stacks that the update deletes, and of which nobody knows the resources."""
    for logical_id, one in deployed.resources.items():
        address = root.address_of(logical_id)
        is_unknown = one.type == types.NESTED_STACK and logical_id not in deployed.nested
        if is_unknown and address not in retained and not _remains(root, logical_id):
            yield UnknownPlannedValue(f"what nested stack {address} takes away with it")


def _deployed_template(file: TemplateFile, stack: DeployedStack, address: str) -> TemplateFile:
    return TemplateFile(
        f"deployed template of stack {stack.name} ({address})",
        stack.name,
        file.account_id,
        file.region,
        parameters=stack.parameters,
        has_local_parts=False,
        content=stack.template,
    )


def _retained(file: TemplateFile, stack: DeployedStack, address: str, library: TemplateLibrary) -> set[str]:
    """The addresses of the resources that stay in the account when they leave a deployed stack; none where its template
    is not known."""
    if stack.template is None:
        return set()
    try:
        [root] = Deployment([_deployed_template(file, stack, address)], library, Choices()).roots
    except InvalidInputError:
        return set()
    return {f"{address}{one}" for one in root.resources if _deletion_policy(root, one) in KEPT_BY}


def _previous_properties(
    file: TemplateFile, stack: DeployedStack, address: str, library: TemplateLibrary
) -> dict[str, Mapping[str, PlannedValue]]:
    """The properties of the resources of a deployed stack as its template has them, by address; none where the template
    is not known.

    What depends on a value that is not known is left out if it decides which resources there are.
    """
    if stack.template is None:
        return {}
    was = _deployed_template(file, stack, address)
    try:
        ways = enumerate_choices(lambda choices: _planned_resources(Deployment([was], library, choices), None))
    except InvalidInputError:
        return {}
    first = {one.address: one for one in ways[0][0]}
    certain = {one.address: one for one in first.values() if all(one in found for found, _ in ways[1:])}
    return {
        f"{address}{one.address}": {key: _moved(value, address) for key, value in one.properties.items()}
        for one in certain.values()
    }


def _deletion_policy(stack: Stack, logical_id: str) -> object:
    """The DeletionPolicy of a resource, which AWS::LanguageExtensions lets depend on parameters; None where it is not
    known."""
    try:
        return stack.value(stack.resources[logical_id].get("DeletionPolicy"))
    except (InvalidInputError, NeedsChoiceError):
        return None


def _moved(value: PlannedValue, address: str) -> PlannedValue:
    """A value whose references are those of a stack with this address."""
    if isinstance(value, ResourceReference):
        return ResourceReference(f"{address}{value.address}", value.attribute)
    if isinstance(value, list):
        return [_moved(one, address) for one in value]
    if isinstance(value, dict):
        return {key: _moved(one, address) for key, one in value.items()}
    return value


def _unjudged(load_balancer: str, error: TooManyWaysError) -> PlannedResource:
    """A load balancer of which nothing is known: the verdicts of no other depend on it."""
    origin = f"which of more than {MAX_SCENARIOS} ways of deploying {load_balancer}"
    return PlannedResource(load_balancer, types.LOAD_BALANCER, {"Type": UnknownPlannedValue(origin, error.remedy)})


def _refuse_unknown_parameters(library: TemplateLibrary) -> None:
    declared = {name for template in library.loaded.values() for name in template.parameters}
    for name in library.given.parameters:
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
        if resource["Type"] == types.NESTED_STACK
    }
    for address in given.nested_templates:
        if address not in addresses:
            known = f"there are {', '.join(sorted(addresses))}" if addresses else "there is none"
            raise InvalidInputError(f"no nested stack has the address {address!r} ({known}); correct --nested-template")


def _planned_resources(deployment: Deployment, addresses: Collection[str] | None) -> list[PlannedResource]:
    """The resources of one way of deploying, without what EC2 adds to them; with `addresses`, only these."""
    # The values that need a choice come first: a choice begins the resolution again.
    created = [
        (stack, logical_id, resource)
        for stack in deployment.stacks(addresses)
        for logical_id, resource in stack.created(DECIDING_PROPERTIES, addresses)
    ]
    unseen = [one for stack in deployment.stacks(addresses) for one in effects_of_unseen_stacks(stack, addresses)]
    deciding = [_resolved_properties(*one, deciding=True) for one in created]
    found = [
        _planned_resource(*one, {**properties, **_resolved_properties(*one, deciding=False)})
        for one, properties in zip(created, deciding, strict=True)
    ]
    for stack in deployment.stacks(addresses):
        refuse_failing_assertions(stack)
    return [*found, *unseen]


def _planned_resource(
    stack: Stack, logical_id: str, resource: Mapping[str, Any], properties: Mapping[str, PlannedValue]
) -> PlannedResource:
    condition = resource.get("Condition")
    return PlannedResource(
        address=stack.address_of(logical_id),
        type=resource["Type"],
        properties=convert_properties(properties),
        location=Location(
            stack.template.path,
            stack.template.lines.get(logical_id),
            condition if isinstance(condition, str) else None,
        ),
        account_id=stack.told("AWS::AccountId"),
        region=stack.told("AWS::Region"),
    )


def _resolved_properties(
    stack: Stack, logical_id: str, resource: Mapping[str, Any], *, deciding: bool
) -> dict[str, PlannedValue]:
    """The properties that decide verdicts, or the others."""
    kind = resource["Type"]
    found: dict[str, PlannedValue] = {}
    for name, expression in resource["Properties"].items():
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
