"""Terraform and OpenTofu plans as scenarios (Terraform, "JSON Output Format")."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from alb_sg.estate.json_files import file_error_context
from alb_sg.estate.planned import resource_types as types
from alb_sg.estate.planned.resources import Action, PlannedResource, Scenario
from alb_sg.estate.planned.terraform_plan import (
    ACTIONS,
    data_sources,
    read_terraform_plan,
    require_known_shape,
    resource_changes,
)
from alb_sg.estate.planned.terraform_providers import Providers
from alb_sg.estate.planned.terraform_references import Instance, Key, References, module_path, parse_steps
from alb_sg.estate.planned.terraform_resources import (
    DATA_READERS,
    READERS,
    RULE_TYPES,
    SECURITY_GROUP_RULE,
    Reader,
    cloudformation_type,
    read_cloud_control,
    read_security_group_rule,
)
from alb_sg.estate.planned.terraform_view import View

# Resources that every account has: their creation takes over one that exists.
_ADOPTED = frozenset({"aws_default_security_group", "aws_default_vpc", "aws_default_subnet"})
_GENERATED_RULES = {name: re.compile(rf"^\s*{name}\s*[=\{{]", re.MULTILINE) for name in ("ingress", "egress")}
# The attributes that hold a resource's ARN or identifier.
_PHYSICAL_ID_ATTRIBUTES: Mapping[str, str] = {
    "awscc_elasticloadbalancingv2_load_balancer": "load_balancer_arn",
    "awscc_elasticloadbalancingv2_listener": "listener_arn",
    "awscc_elasticloadbalancingv2_target_group": "target_group_arn",
    "awscc_ec2_security_group": "group_id",
}


def read_terraform_scenario(path: str) -> Scenario:
    """What the plan in a file would make; `-` is standard input. Raises InvalidInputError, naming the file."""
    document = read_terraform_plan(path)
    with file_error_context(path):
        return terraform_scenario(document)


def terraform_scenario(document: Mapping[str, Any]) -> Scenario:
    """What a plan would make. Raises InvalidInputError for a document that is not as the format says."""
    require_known_shape(document)
    changed = list(_managed(document))
    # What was read earlier is not what a data source says that is read again while the plan is applied.
    read_later = {one.address for one in changed if one.is_data}
    instances = [*changed, *(one for one in _data(document) if one.address not in read_later)]
    references = References(document, [one for one in instances if one.action is not Action.DELETE])
    providers = Providers(document, references, instances)
    resources: list[PlannedResource] = []
    credentials: set[str] = set()
    for one in instances:
        planned = _planned_resource(references, one, providers)
        if planned is not None:
            resources += _rules_by_direction(planned, one) if one.type == SECURITY_GROUP_RULE else [planned]
            credentials |= providers.credentials_of(one)
    return Scenario(resources, is_one_account=len(credentials) < 2)


def _managed(document: Mapping[str, Any]) -> Iterator[Instance]:
    for entry in resource_changes(document):
        change = entry["change"]
        actions = tuple(change["actions"])
        is_data = entry.get("mode") == "data"
        address = entry["address"]
        action = ACTIONS[actions]
        is_forgotten = actions == ("forget",) or (actions == ("delete",) and _is_left_behind(entry["type"], change))
        if is_forgotten:
            action = Action.KEEP
        deposed = entry.get("deposed")
        if deposed:
            address = f"{address} (deposed {deposed})"
        after = change.get("before") if is_forgotten else change.get("after")
        generated = change.get("generated_config")
        yield Instance(
            address,
            module_path(entry.get("module_address") or ""),
            entry["type"],
            entry["name"],
            _key(entry),
            action=action,
            is_data=is_data,
            before=change.get("before"),
            after=None if is_data and actions == ("read",) else after,
            unknown=change.get("after_unknown"),
            sensitive=change.get("after_sensitive"),
            before_sensitive=change.get("before_sensitive"),
            generated_configuration=generated if isinstance(generated, str) else "",
        )


def _is_left_behind(resource_type: str, change: Mapping[str, Any]) -> bool:
    """Whether a resource that the plan deletes exists afterwards: the provider only forgets what it did not make
    (Terraform registry, aws_default_security_group)."""
    before = change.get("before")
    is_forced = isinstance(before, Mapping) and before.get("force_destroy") is True
    return resource_type in _ADOPTED and not is_forced


def _data(document: Mapping[str, Any]) -> Iterator[Instance]:
    """The data sources that were read while planning."""
    for module_address, entry in data_sources(document):
        kind, name = entry.get("type"), entry.get("name")
        if isinstance(kind, str) and isinstance(name, str):
            prefix = f"{module_address}." if module_address else ""
            key = _key(entry)
            index = "" if key is None else f"[{key}]" if isinstance(key, int) else f'["{key}"]'
            yield Instance(
                f"{prefix}data.{kind}.{name}{index}",
                module_path(module_address),
                kind,
                name,
                key,
                action=Action.KEEP,
                is_data=True,
                after=entry.get("values"),
                sensitive=entry.get("sensitive_values"),
            )


def _key(entry: Mapping[str, Any]) -> Key:
    index = entry.get("index")
    if isinstance(index, int | str) and not isinstance(index, bool):
        return index
    address = entry.get("address")
    steps = parse_steps(address) if isinstance(address, str) else []
    return steps[-1][1] if steps else None


def _planned_resource(references: References, instance: Instance, providers: Providers) -> PlannedResource | None:
    """The resource; None where no verdict depends on its type."""
    found = _reader(instance)
    if found is None or (instance.is_data and not isinstance(instance.after, Mapping)):
        return None
    resource_type, read = found
    account_id, region = providers.account_and_region(instance)
    values = instance.before if instance.action is Action.DELETE else instance.after
    if instance.action is Action.DELETE:
        properties = read(View.before(references, instance))
    else:
        properties = read(View.after(references, instance))
    has_before = isinstance(instance.before, Mapping)
    return PlannedResource(
        address=instance.address,
        type=resource_type,
        properties=properties,
        action=instance.action,
        physical_id=_physical_id(instance, instance.before if has_before else values),
        before=read(View.before(references, instance)) if has_before else None,
        account_id=account_id,
        region=region,
        provider=providers.provider_of(instance),
        inline_rules=frozenset(_inline_directions(references, instance)),
        is_written=bool(references.resource_configuration(instance) or instance.generated_configuration),
    )


def _inline_directions(references: References, instance: Instance) -> Iterator[str]:
    """The directions in which a security group has rules that its own resource lists. A `dynamic` block is not in the
    configuration: its rules are known or unknown one by one, and those of a group that exists change with it."""
    if instance.type not in ("aws_security_group", "aws_default_security_group"):
        return
    expressions = references.expressions(instance) or {}
    before, after, unknown = (
        one if isinstance(one, Mapping) else {} for one in (instance.before, instance.after, instance.unknown)
    )
    for direction in ("ingress", "egress"):
        is_listed = bool(after.get(direction) or unknown.get(direction) not in (None, False, True, []))
        is_changed = instance.action is not Action.KEEP and before.get(direction) != after.get(direction)
        if (
            direction in expressions
            # The default group's resource takes away every rule that it does not list.
            or instance.type == "aws_default_security_group"
            or (is_listed and is_changed)
            # What `-generate-config-out` writes for an imported group lists its rules.
            or _GENERATED_RULES[direction].search(instance.generated_configuration)
        ):
            yield direction


def _rules_by_direction(rule: PlannedResource, instance: Instance) -> list[PlannedResource]:
    """A rule whose direction is one of its arguments. Another direction makes it another rule, and one of which the
    direction is not known may be a rule in each."""
    was, will_be = _directions(instance.before), _directions(instance.after)
    if instance.action is Action.DELETE:
        return [replace(rule, type=kind) for kind in was]
    if rule.before is None or was == will_be:
        return [replace(rule, type=kind) for kind in will_be]
    gone = [replace(rule, type=kind, action=Action.DELETE, properties=rule.before) for kind in was]
    return [*gone, *(replace(rule, type=kind, physical_id=None, before=None) for kind in will_be)]


def _directions(values: Any) -> list[str]:
    direction = values.get("type") if isinstance(values, Mapping) else None
    return [RULE_TYPES[direction]] if direction in ("ingress", "egress") else list(RULE_TYPES.values())


def _reader(instance: Instance) -> tuple[str, Reader] | None:
    if instance.is_data:
        return DATA_READERS.get(instance.type)
    if instance.type == SECURITY_GROUP_RULE:
        return types.SECURITY_GROUP_INGRESS, read_security_group_rule
    own_type = cloudformation_type(instance.type)
    if own_type is not None:
        return own_type, lambda view: read_cloud_control(view, own_type)
    return READERS.get(instance.type)


def _physical_id(instance: Instance, values: Any) -> str | None:
    """The ARN or identifier of a resource that exists."""
    if instance.action is Action.CREATE or not isinstance(values, Mapping):
        return None
    attribute = _PHYSICAL_ID_ATTRIBUTES.get(instance.type, "id")
    identifier = values.get(attribute) or values.get("id")
    return identifier if isinstance(identifier, str) and identifier else None
