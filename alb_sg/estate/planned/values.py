"""The values of planned resources: references followed, and unknown values turned into those of the model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from alb_sg.errors import InvalidInputError
from alb_sg.estate.cidr import Family
from alb_sg.estate.field_readers import port, whole_number
from alb_sg.estate.model import UnknownValue
from alb_sg.estate.planned.resources import (
    Action,
    PlannedResource,
    PlannedValue,
    ResourceReference,
    UnknownPlannedValue,
)

# The attributes that return a resource's own ARN or identifier, unless the resource has a property of that name.
_IDENTITIES = frozenset(
    {
        "",
        "Arn",
        "GroupId",
        "Id",
        "InstanceId",
        "LaunchTemplateId",
        "ListenerArn",
        "LoadBalancerArn",
        "PrefixListId",
        "PrimaryNetworkInterfaceId",
        "SubnetId",
        "TargetGroupArn",
        "VpcId",
    }
)
_PROPERTY_OF_ATTRIBUTE = {"PrivateIp": "PrivateIpAddress"}
FAMILIES = {"ipv4": Family.IPV4, "ipv6": Family.IPV6}
DEFAULT_SECURITY_GROUP = "DefaultSecurityGroup"
_MAX_REFERENCES = 64


def resource_id(resource: PlannedResource) -> str:
    """The identifier of a resource in the model: its own where it keeps one, otherwise its address."""
    if resource.physical_id is None or resource.action is Action.REPLACE:
        return resource.address
    return resource.physical_id


def unknown_text(value: object) -> str:
    """Where an unknown value comes from, and what would settle it. Any other value stands where text was expected."""
    if not isinstance(value, UnknownPlannedValue):
        return f"text was expected, not {value!r}"
    return f"{value.origin}; {value.remedy}" if value.remedy else value.origin


def unknown_value(field: str, value: object) -> UnknownValue:
    return UnknownValue(field, unknown_text(value))


def unknown_block(field: str, value: UnknownPlannedValue, family: Family | None) -> UnknownValue:
    """An unknown CIDR block of a family, with its identity. `family` is None for what is no block, such as a prefix
    list."""
    unknown = unknown_value(field, value)
    if not value.identity or family is None:
        return unknown
    return unknown._replace(identities=frozenset({f"{family.label} {value.identity}"}))


class PlannedValues:
    """Follows the references between the resources of a scenario."""

    def __init__(self, resources: Iterable[PlannedResource]) -> None:
        self._resources = {one.address: one for one in resources if one.action is not Action.DELETE}

    def resolve(self, value: PlannedValue) -> Any:
        """A value without references at its top: those of the resources inside a list or mapping are kept."""
        for _ in range(_MAX_REFERENCES):
            if not isinstance(value, ResourceReference):
                return value
            value = self._follow(value)
        return UnknownPlannedValue("a circle of references")

    def resolve_all(self, value: PlannedValue) -> Any:
        """A value without any reference, in lists and mappings too."""
        value = self.resolve(value)
        if isinstance(value, list | tuple):
            return [self.resolve_all(one) for one in value]
        if isinstance(value, Mapping):
            return {key: self.resolve_all(one) for key, one in value.items()}
        return value

    def candidates(self, value: PlannedValue) -> tuple[str, ...]:
        """The identifiers of which an unknown value is one; empty if it may be another one, or is known."""
        if not isinstance(value, UnknownPlannedValue):
            return ()
        found = [self.resolve(one) for one in value.candidates]
        return tuple(found) if all(isinstance(one, str) for one in found) else ()

    def resource(self, address: str) -> PlannedResource | None:
        return self._resources.get(address)

    def _follow(self, reference: ResourceReference) -> PlannedValue:
        resource = self._resources.get(reference.address)
        name = f"{reference.address}.{reference.attribute}" if reference.attribute else reference.address
        # A resource of another type, such as a custom resource, is read nowhere.
        if resource is not None:
            attribute = _PROPERTY_OF_ATTRIBUTE.get(reference.attribute, reference.attribute)
            if attribute in resource.properties:
                return resource.properties[attribute]
            if attribute in _IDENTITIES:
                return resource_id(resource)
            if attribute == DEFAULT_SECURITY_GROUP:
                return default_group_id(resource_id(resource))
        identity = attribute_identity(reference.address, reference.attribute)
        return UnknownPlannedValue(f"known after apply: {name}", identity=identity)


def attribute_identity(address: str, attribute: str) -> str:
    """The identity of the value of a resource's attribute."""
    return f"{attribute} of {address}"


def element_identity(number: int, list_identity: str) -> str:
    """The identity of an element of a list, from that of the list; "" if the list has none."""
    return f"element {number} of ({list_identity})" if list_identity else ""


def default_group_id(vpc_id: str) -> str:
    """The identifier of a VPC's default security group where the group's own is not known."""
    return f"default of VPC {vpc_id}"


class Properties:
    """The properties of one resource, or of an object in them, with references followed."""

    def __init__(self, values: PlannedValues, properties: Mapping[str, PlannedValue]) -> None:
        self.values = values
        self.raw = properties

    def __contains__(self, name: str) -> bool:
        return self.get(name) is not None

    def get(self, name: str) -> Any:
        """The value; None where it is absent."""
        return self.values.resolve(self.raw.get(name))

    def get_all(self, name: str) -> Any:
        """As `get`, with the references inside it followed too."""
        return self.values.resolve_all(self.raw.get(name))

    def candidates(self, name: str) -> tuple[str, ...]:
        """The identifiers of which the value is one if it is not known; empty if it may be another one."""
        return self.values.candidates(self.get(name))

    def text(self, name: str) -> str | UnknownValue | None:
        """Text; None where it is absent or empty."""
        value = self.get(name)
        if isinstance(value, UnknownPlannedValue):
            return unknown_value(name, value)
        if value is None or value == "":
            return None
        if isinstance(value, str):
            return value
        return UnknownValue(name, f"text was expected, not {value!r}", str(value))

    def one_of(self, name: str, known: Sequence[str], default: str) -> str | UnknownValue:
        """A value of an enumeration, in lower case."""
        value = self.text(name)
        if value is None or isinstance(value, UnknownValue):
            return default if value is None else value
        if value.lower() in known:
            return value.lower()
        return UnknownValue(name, f"{value!r} is not one of {', '.join(known)}", value)

    def port(self, name: str) -> int | UnknownValue | None:
        value = self.get(name)
        if isinstance(value, UnknownPlannedValue):
            return unknown_value(name, value)
        try:
            return None if value is None or value == "" else port(value, name)
        except InvalidInputError as error:
            return UnknownValue(name, error.message, str(value))

    def number(self, name: str) -> int | None:
        """A whole number; None where it is absent or not known."""
        try:
            return whole_number(self.get(name), name)
        except InvalidInputError:
            return None

    def flag(self, name: str) -> bool | UnknownValue | None:
        value = self.get(name)
        if isinstance(value, UnknownPlannedValue):
            return unknown_value(name, value)
        if isinstance(value, str) and value.lower() in ("true", "false"):
            return value.lower() == "true"
        if value is None or isinstance(value, bool):
            return value
        return UnknownValue(name, f"true or false was expected, not {value!r}", str(value))

    def elements(self, name: str) -> list[Any]:
        """The elements of a list, with references followed. A single value is a list of it, and an unknown list is one
        unknown element."""
        value = self.get(name)
        if value is None:
            return []
        if not isinstance(value, list | tuple):
            return [value]
        found: list[Any] = []
        for element in value:
            resolved = self.values.resolve(element)
            # A reference inside a list may itself be a list.
            found += resolved if isinstance(resolved, list | tuple) else [] if resolved is None else [resolved]
        return [self.values.resolve(element) for element in found]

    def objects(self, name: str) -> list[Properties | UnknownPlannedValue]:
        """The elements of a list of objects."""
        return [self._object(element, name) for element in self.elements(name)]

    def object(self, name: str) -> Properties | UnknownPlannedValue | None:
        value = self.get(name)
        return None if value is None else self._object(value, name)

    def _object(self, value: Any, name: str) -> Properties | UnknownPlannedValue:
        if isinstance(value, Mapping):
            return Properties(self.values, value)
        if isinstance(value, UnknownPlannedValue):
            return value
        return UnknownPlannedValue(f"{name} is no object")
