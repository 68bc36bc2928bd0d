"""A change set, as CloudFormation gives it to a Lambda Hook, as a scenario over the account that exists.

It holds the template without parameter values, and for every changed resource its properties before and after: JSON
text in which conditions and parameters are resolved, every number and boolean is text, and what CloudFormation does not
know yet is `{{changeSet:KNOWN_AFTER_APPLY}}`. Of those, the template tells which resource they refer to.

Source: "Evaluating change set operations with Lambda Hooks" of the CloudFormation Hooks user guide, and
`ResourceChange` of the CloudFormation API reference.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alb_sg.aws.account_region import AccountRegion
from alb_sg.errors import InvalidInputError, error_context
from alb_sg.estate.json_files import parse_json
from alb_sg.estate.planned import resource_types as types
from alb_sg.estate.planned.resources import (
    Action,
    PlannedResource,
    PlannedValue,
    ResourceReference,
    Scenario,
    UnknownPlannedValue,
)
from alb_sg.estate.planned.stack_update import KEPT_BY
from alb_sg.estate.planned.template_defaults import with_egress_of_changes
from alb_sg.estate.planned.template_documents import RESOURCES, encode_template, parse_template
from alb_sg.estate.planned.template_properties import NO_VALUE_EXPRESSION, convert_properties
from alb_sg.estate.planned.template_types import (
    CREATION_PROPERTIES,
    DECIDING_PROPERTIES,
    IDENTIFIER_ATTRIBUTES,
)

MARKER = "{{changeSet:KNOWN_AFTER_APPLY}}"
# The hook's words for actions, and those of the API.
_ACTIONS = {
    "CREATE": Action.CREATE,
    "ADD": Action.CREATE,
    "UPDATE": Action.UPDATE,
    "MODIFY": Action.UPDATE,
    # What a macro or a value that is not known yet may change.
    "DYNAMIC": Action.UPDATE,
    "DELETE": Action.DELETE,
    "REMOVE": Action.DELETE,
    # A resource of the account joins the stack, or the stack takes note of how it is. It does not change.
    "IMPORT": Action.KEEP,
    "SYNCWITHACTUAL": Action.KEEP,
}


@dataclass(frozen=True)
class ChangedResource:
    """An entry of `changedResources`. The contexts are empty where there is none."""

    logical_id: str
    type: str
    action: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]


def read_changed_resources(payload: Mapping[str, Any]) -> list[ChangedResource]:
    """The resources that a change set changes. Raises InvalidInputError."""
    entries = payload.get("changedResources")
    if not isinstance(entries, list):
        raise InvalidInputError("the payload of a change set has no list changedResources")
    found = []
    for index, entry in enumerate(entries):
        place = f"changedResources[{index}]"
        if not isinstance(entry, dict):
            raise InvalidInputError("a changed resource must be an object", place)
        texts = [entry.get(name) for name in ("logicalResourceId", "resourceType", "action")]
        if not all(isinstance(text, str) and text for text in texts):
            raise InvalidInputError("a changed resource has a logicalResourceId, a resourceType and an action", place)
        logical_id, kind, action = map(str, texts)
        contexts = [_context(entry.get(name), f"{place}.{name}") for name in ("beforeContext", "afterContext")]
        found.append(ChangedResource(logical_id, kind, action, *contexts))
    return found


def _context(value: Any, place: str) -> Mapping[str, Any]:
    with error_context(place):
        context = parse_json(value, unique_keys=True) if isinstance(value, str) and value.strip() else value
    if context is None or context == "":
        return {}
    if not isinstance(context, dict) or not isinstance(context.get("Properties") or {}, dict):
        raise InvalidInputError("a context must be an object with Properties", place)
    return context


def is_relevant(resource: ChangedResource) -> bool:
    """Whether a verdict may depend on a resource of this type."""
    return resource.type in DECIDING_PROPERTIES or resource.type == types.NESTED_STACK


def read_change_set(
    template: str, changed: Sequence[ChangedResource], physical_ids: Mapping[str, str], account_region: AccountRegion
) -> Scenario:
    """What a change set makes of the stack. `physical_ids` are those of the stack's resources before it, by logical ID.

    Raises InvalidInputError.
    """
    document = parse_template(encode_template(template))
    expressions = document.value[RESOURCES]
    changing = {one.logical_id: one for one in changed if one.type in DECIDING_PROPERTIES}
    reader = _Reader(changing)
    resources = []
    for one in changing.values():
        action = _action(one)
        if action is Action.KEEP:
            continue
        if action is Action.DELETE and one.before.get("DeletionPolicy") in KEPT_BY:
            # The resource leaves the stack and stays in the account.
            continue
        physical_id = physical_ids.get(one.logical_id)
        if action is not Action.CREATE and physical_id is None:
            raise InvalidInputError(f"the stack has no resource {one.logical_id}, which the change set changes")
        written = expressions.get(one.logical_id)
        written = written.get("Properties") if isinstance(written, dict) else None
        resources.append(
            PlannedResource(
                address=one.logical_id,
                type=one.type,
                properties={} if action is Action.DELETE else reader.properties(one, one.after, written),
                action=action,
                physical_id=None if action is Action.CREATE else physical_id,
                before=None if action is Action.CREATE else reader.properties(one, one.before, None),
                account_id=account_region.account_id,
                region=account_region.region,
            )
        )
    unread = tuple(
        UnknownPlannedValue(f"what nested stack {one.logical_id} changes", "its own operation is judged when it runs")
        for one in changed
        if one.type == types.NESTED_STACK
    )
    return Scenario(with_egress_of_changes(resources), unread=unread)


def _action(resource: ChangedResource) -> Action:
    action = _ACTIONS.get(resource.action.upper())
    if action is None:
        raise InvalidInputError(
            f"{resource.logical_id}: the action {resource.action!r} is not known; known are {', '.join(_ACTIONS)}"
        )
    if action not in (Action.DELETE, Action.KEEP) and "Properties" not in resource.after:
        raise InvalidInputError(f"{resource.logical_id} has no afterContext with Properties")
    if action is Action.UPDATE:
        before, after = resource.before.get("Properties") or {}, resource.after.get("Properties") or {}
        if any(before.get(name) != after.get(name) for name in CREATION_PROPERTIES.get(resource.type, ())):
            return Action.REPLACE
    return action


class _Reader:
    """Reads contexts, with the references that only the template tells."""

    def __init__(self, changing: Mapping[str, ChangedResource]) -> None:
        self._changing = changing

    def properties(
        self, resource: ChangedResource, context: Mapping[str, Any], written: Any
    ) -> dict[str, PlannedValue]:
        expressions = written if isinstance(written, dict) else {}
        return convert_properties(
            {
                name: self._merge(expressions.get(name), value, f"{resource.logical_id}.{name}")
                for name, value in (context.get("Properties") or {}).items()
            }
        )

    def _merge(self, expression: Any, value: Any, place: str) -> PlannedValue:
        """A value of a context. `expression` is how the template writes it, None where that is not known."""
        found = [self._merge_one(one, value, place) for one in _alternatives(expression)]
        fitting = [one for one in found if not isinstance(one, UnknownPlannedValue)] or found
        first = fitting[0] if fitting else self._merge_one(None, value, place)
        if all(one == first for one in fitting):
            return first
        return self._merge_one(None, value, place)

    def _merge_one(self, expression: Any, value: Any, place: str) -> PlannedValue:
        if isinstance(value, str):
            if MARKER not in value:
                return value
            unknown = UnknownPlannedValue(f"known after deployment: {place}")
            return (self._reference(expression) if value == MARKER else None) or unknown
        if isinstance(value, list):
            elements = _elements(expression, len(value))
            return [
                self._merge(element, one, f"{place}[{index}]")
                for index, (element, one) in enumerate(zip(elements, value, strict=True))
            ]
        if isinstance(value, dict):
            written = expression if isinstance(expression, dict) else {}
            return {name: self._merge(written.get(name), one, f"{place}.{name}") for name, one in value.items()}
        return value

    def _reference(self, expression: Any) -> ResourceReference | None:
        """The resource that an expression refers to, if the change set changes it."""
        if not isinstance(expression, dict) or len(expression) != 1:
            return None
        [(name, argument)] = expression.items()
        if name == "Ref":
            return ResourceReference(argument) if isinstance(argument, str) and argument in self._changing else None
        if name == "Fn::Sub" and isinstance(argument, str):
            whole = argument.removeprefix("${").removesuffix("}")
            logical_id, _, attribute = whole.partition(".")
            if argument != f"${{{whole}}}":
                return None
            return self._reference({"Fn::GetAtt": [logical_id, attribute]} if attribute else {"Ref": whole})
        if name != "Fn::GetAtt":
            return None
        parts = argument.split(".", 1) if isinstance(argument, str) else argument
        if not isinstance(parts, list) or len(parts) != 2 or not all(isinstance(one, str) for one in parts):
            return None
        logical_id, attribute = parts
        if logical_id not in self._changing:
            return None
        is_identifier = attribute in IDENTIFIER_ATTRIBUTES.get(self._changing[logical_id].type, ())
        return ResourceReference(logical_id, "" if is_identifier else attribute)


def _alternatives(expression: Any) -> Iterator[Any]:
    """What an expression may be, without its conditions."""
    if isinstance(expression, dict) and len(expression) == 1:
        argument = expression.get("Fn::If")
        if isinstance(argument, list) and len(argument) == 3:
            yield from _alternatives(argument[1])
            yield from _alternatives(argument[2])
            return
    if expression != NO_VALUE_EXPRESSION:
        yield expression


def _elements(expression: Any, length: int) -> Sequence[Any]:
    """How the template writes each element of a list: None where that cannot be told."""
    if isinstance(expression, list):
        if len(expression) == length:
            return expression
        certain = [one for one in expression if not _may_be_absent(one)]
        if len(certain) == length:
            return certain
    elif length == 1 and expression is not None:
        # CloudFormation takes a single value for a list.
        return [expression]
    return [None] * length


def _may_be_absent(expression: Any) -> bool:
    return json.dumps(NO_VALUE_EXPRESSION) in json.dumps(expression)
