"""What a nested stack may do whose template nobody has: everything, to each resource that is passed to it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from alb_sg.errors import InvalidInputError
from alb_sg.estate.planned import resource_types as types
from alb_sg.estate.planned.resources import (
    Location,
    PlannedResource,
    PlannedValue,
    ResourceReference,
    UnknownPlannedValue,
)
from alb_sg.estate.planned.template_choices import NeedsChoiceError
from alb_sg.estate.planned.template_documents import RESOURCES
from alb_sg.estate.planned.template_references import names_in
from alb_sg.estate.planned.template_stacks import Stack, nested_remedy
from alb_sg.estate.planned.template_text import JoinedText

# A nested stack that has no template here may also pass on what it is given.
AFFECTED_TYPES = frozenset(
    {types.SECURITY_GROUP, types.LOAD_BALANCER, types.LISTENER, types.TARGET_GROUP, types.VPC, types.NESTED_STACK}
)


def effects_of_unseen_stacks(stack: Stack, addresses: Collection[str] | None) -> Iterator[PlannedResource]:
    """Resources with unknown properties, which stand for those that nested stacks may create; with `addresses`, only
    nested stacks with one of them."""
    for logical_id in stack.unseen_children():
        if addresses is None or stack.address_of(logical_id) in addresses:
            yield from _effects_of_unseen_stack(stack, logical_id, addresses)


def unread_stacks(stacks: Iterable[Stack]) -> Iterator[UnknownPlannedValue]:
    """The nested stacks that have no template here and may be created: they may have load balancers."""
    for stack in stacks:
        for logical_id in stack.unseen_children():
            try:
                if not stack.is_created(logical_id):
                    continue
            except NeedsChoiceError:
                pass
            address = stack.address_of(logical_id)
            yield UnknownPlannedValue(
                f"load balancers of nested stack {address}, whose template is no local file", nested_remedy(address)
            )


def _effects_of_unseen_stack(
    stack: Stack, logical_id: str, addresses: Collection[str] | None
) -> Iterator[PlannedResource]:
    passed = stack.resources[logical_id]["Properties"].get("Parameters") or {}
    if not isinstance(passed, dict):
        raise InvalidInputError("Parameters must be an object", f"{stack.template.name}: {RESOURCES}.{logical_id}")
    affecting = [one for one in passed.values() if _may_name_affected(stack, one)]
    if not affecting or not stack.is_created(logical_id):
        return
    address = stack.address_of(logical_id)
    unknown = UnknownPlannedValue(
        f"what nested stack {address} does, whose template is no local file",
        nested_remedy(address),
    )
    location = Location(stack.template.path, stack.template.lines.get(logical_id))
    kinds = _types(stack, addresses)
    references = {reference for expression in affecting for reference in _references(stack.value(expression))}
    for reference in sorted(references, key=lambda one: one.address):
        for index, (kind, properties) in enumerate(_effects(kinds.get(reference.address, ""), reference, unknown)):
            yield PlannedResource(f"{address}.{reference.address}.{index}", kind, properties, location=location)


def _may_name_affected(stack: Stack, expression: Any) -> bool:
    """Whether an expression may be a resource of a type that a nested stack could affect. Others are not resolved, so
    that they ask for no choice."""
    for name in names_in(expression, with_conditional=True):
        kind = stack.resources[name]["Type"] if name in stack.resources else None
        if kind is None:
            # A parameter of a root is no resource of this deployment.
            if stack.is_nested and name in stack.template.parameters:
                return True
        elif kind in AFFECTED_TYPES:
            return True
    return False


def _types(stack: Stack, addresses: Collection[str] | None) -> Mapping[str, str]:
    """The type of every resource that may be affected, by address."""
    return {
        found.address_of(name): resource["Type"]
        for found in stack.deployment.stacks(addresses)
        for name, resource in found.created(AFFECTED_TYPES, addresses)
    }


def _effects(
    kind: str, reference: ResourceReference, unknown: UnknownPlannedValue
) -> Iterator[tuple[str, dict[str, PlannedValue]]]:
    if kind == types.SECURITY_GROUP:
        yield types.SECURITY_GROUP_INGRESS, {"GroupId": reference, "IpProtocol": "-1", "CidrIp": unknown}
        yield types.SECURITY_GROUP_EGRESS, {"GroupId": reference, "IpProtocol": "-1", "CidrIp": unknown}
    elif kind == types.LOAD_BALANCER:
        yield (
            types.LISTENER,
            {"LoadBalancerArn": reference, "Port": unknown, "Protocol": unknown, "DefaultActions": unknown},
        )
    elif kind == types.LISTENER:
        yield types.LISTENER_RULE, {"ListenerArn": reference, "Actions": unknown}
    elif kind == types.TARGET_GROUP:
        yield types.ECS_SERVICE, {"LoadBalancers": [{"TargetGroupArn": reference}], "NetworkConfiguration": unknown}
    elif kind == types.VPC:
        yield types.VPC_CIDR_BLOCK, {"VpcId": reference, "CidrBlock": unknown}


def _references(value: object) -> Iterator[ResourceReference]:
    if isinstance(value, ResourceReference):
        yield ResourceReference(value.address)
    elif isinstance(value, dict):
        for one in value.values():
            yield from _references(one)
    elif isinstance(value, (list, JoinedText)):
        for part in value.parts if isinstance(value, JoinedText) else value:
            yield from _references(part)
