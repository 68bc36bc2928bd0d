"""A CloudFormation stack as it is deployed: which resources exist already, and how they were written.

Source: `DescribeStacks`, `ListStackResources`, `DescribeStackResources` and `GetTemplate` of the AWS CloudFormation API
reference.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from alb_sg.errors import InvalidInputError, error_context
from alb_sg.estate.field_readers import require_object, required_text
from alb_sg.estate.json_files import file_error_context, read_json_file
from alb_sg.estate.planned.resource_types import NESTED_STACK

# The keys of resources in what `aws cloudformation` prints.
RESOURCE_KEYS = ("StackResources", "StackResourceSummaries")
GONE = "DELETE_COMPLETE"


@dataclass(frozen=True)
class DeployedResource:
    """A resource of a stack. `physical_id` is what `Ref` returns: an ARN or an identifier."""

    type: str
    physical_id: str


@dataclass(frozen=True)
class DeployedStack:
    """A stack. `resources` and `nested` stacks are by logical ID. `template` is None where it is not known, and
    `parameters` are the values that are known."""

    name: str
    resources: Mapping[str, DeployedResource]
    template: bytes | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    nested: Mapping[str, DeployedStack] = field(default_factory=dict)

    def stacks(self, address: str = "") -> Iterator[tuple[str, DeployedStack]]:
        """This stack and those nested in it, with what the addresses of their resources begin with."""
        yield address, self
        for logical_id, one in self.nested.items():
            yield from one.stacks(f"{address}{logical_id}.")


def deployed_resources(items: Sequence[Mapping[str, Any]]) -> dict[str, DeployedResource]:
    """Resources by logical ID, from the API's items, without those that are deleted. Raises InvalidInputError."""
    found: dict[str, DeployedResource] = {}
    for item in items:
        if item.get("ResourceStatus") == GONE or not item.get("PhysicalResourceId"):
            continue
        logical_id = required_text(item, "LogicalResourceId")
        found[logical_id] = DeployedResource(
            required_text(item, "ResourceType"), required_text(item, "PhysicalResourceId")
        )
    return found


def read_resource_files(paths: Sequence[str]) -> list[DeployedStack]:
    """The stacks in files as `aws cloudformation describe-stack-resources` prints them, without nested ones, which are
    in the stacks that they belong to. Raises InvalidInputError."""
    items: dict[str, list[Mapping[str, Any]]] = {}
    names: dict[str, str] = {}
    for path in paths:
        with file_error_context(path):
            for index, item in enumerate(_items(read_json_file(path, unique_keys=True))):
                with error_context(f"[{index}]"):
                    shape = require_object(item)
                    stack_id = required_text(shape, "StackId") if "StackId" in shape else path
                    names.setdefault(stack_id, str(shape.get("StackName") or ""))
                    items.setdefault(stack_id, []).append(shape)
    stacks = {}
    for stack_id, found in items.items():
        with file_error_context(names[stack_id] or stack_id):
            stacks[stack_id] = DeployedStack(names[stack_id], deployed_resources(found))
    nested = {one.physical_id for stack in stacks.values() for one in stack.resources.values()}
    return [_with_nested(stack, stacks) for stack_id, stack in stacks.items() if stack_id not in nested]


def _items(document: Any) -> Sequence[Any]:
    found = (
        next((document[key] for key in RESOURCE_KEYS if key in document), None) if isinstance(document, dict) else None
    )
    if not isinstance(found, list) or not found:
        raise InvalidInputError(
            "not the resources of a stack; give the output of `aws cloudformation describe-stack-resources`"
        )
    if document.get("NextToken"):
        raise InvalidInputError("the list has further pages; collect all of them and remove NextToken")
    return found


def _with_nested(stack: DeployedStack, stacks: Mapping[str, DeployedStack]) -> DeployedStack:
    nested = {
        logical_id: _with_nested(stacks[one.physical_id], stacks)
        for logical_id, one in stack.resources.items()
        if one.type == NESTED_STACK and one.physical_id in stacks
    }
    return replace(stack, nested=nested)
