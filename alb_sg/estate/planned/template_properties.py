"""Properties in the shape of the API: numbers, booleans, text and lists, whichever way the template writes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alb_sg.estate.planned.resources import PlannedValue, ResourceReference, UnknownPlannedValue
from alb_sg.estate.planned.template_parameters import plain_text
from alb_sg.estate.planned.template_types import (
    BOOLEAN_PROPERTIES,
    DECIDING_KEYS,
    INTEGER_PROPERTIES,
    LIST_PROPERTIES,
    TEXT_PROPERTIES,
)

# A condition's name, the value where it holds, and the other.
CONDITION_ARGUMENTS = 3
# The expression that removes a property.
NO_VALUE_EXPRESSION = {"Ref": "AWS::NoValue"}


def spread_condition(properties: Mapping[str, Any]) -> Mapping[str, Any]:
    """The properties by name. `Fn::If` in place of all properties becomes one for each of them."""
    if properties == NO_VALUE_EXPRESSION:
        return {}
    argument = properties.get("Fn::If")
    if len(properties) != 1 or not isinstance(argument, list) or len(argument) != CONDITION_ARGUMENTS:
        return properties
    condition, *values = argument
    if not all(isinstance(one, dict) for one in values):
        return properties
    then, otherwise = map(spread_condition, values)
    return {
        name: {"Fn::If": [condition, then.get(name, NO_VALUE_EXPRESSION), otherwise.get(name, NO_VALUE_EXPRESSION)]}
        for name in {**then, **otherwise}
    }


def keep_deciding_keys(kind: str, name: str, expression: Any) -> Any:
    """The expression of a property without the keys that no verdict depends on, so that they ask for no choice."""
    keys = DECIDING_KEYS.get((kind, name))
    return expression if keys is None else _keep(expression, keys)


def _keep(expression: Any, keys: frozenset[str]) -> Any:
    if isinstance(expression, list):
        return [_keep(one, keys) for one in expression]
    if not isinstance(expression, dict):
        return expression
    argument = expression.get("Fn::If")
    if isinstance(argument, list) and len(argument) == CONDITION_ARGUMENTS:
        condition, then, otherwise = argument
        return {"Fn::If": [condition, _keep(then, keys), _keep(otherwise, keys)]}
    if any(name == "Ref" or name.startswith("Fn::") for name in expression):
        return expression
    return {name: value for name, value in expression.items() if name in keys}


def convert_properties(properties: Mapping[str, PlannedValue]) -> dict[str, PlannedValue]:
    """The properties with every number, boolean, text and list as the API has it. What cannot be converted stays."""
    return {name: _convert(name, value) for name, value in properties.items() if value is not None}


def _convert(name: str, value: PlannedValue) -> PlannedValue:
    if isinstance(value, list):
        return [_convert_one(name, one) for one in value]
    converted = _convert_one(name, value)
    # An unknown value may be a list already.
    is_single = name in LIST_PROPERTIES and not isinstance(converted, UnknownPlannedValue)
    return [converted] if is_single else converted


def _convert_one(name: str, value: PlannedValue) -> PlannedValue:
    if isinstance(value, dict):
        return convert_properties(value)
    if isinstance(value, (UnknownPlannedValue, ResourceReference)):
        return value
    if name in INTEGER_PROPERTIES and isinstance(value, (str, float)):
        return _integer(value)
    if name in BOOLEAN_PROPERTIES and isinstance(value, str):
        return {"true": True, "false": False}.get(value.lower(), value)
    if name in TEXT_PROPERTIES:
        return plain_text(value)
    return value


def _integer(value: str | float) -> PlannedValue:
    try:
        number = float(value)
    except ValueError:
        return value
    return int(number) if number.is_integer() else value
