"""Values of a template while it is resolved: those of `resources.PlannedValue`, and three more.

`NO_VALUE` removes a property. An `OpenParameter` is a parameter that nobody gave a value: conditions ask what it is. A
`JoinedText` is text of which some parts are not known, so that a list that was joined for a nested stack can be split
again. `planned_value` turns all of them into what readers of a scenario see.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from alb_sg.errors import InvalidInputError
from alb_sg.estate.planned.resources import PlannedValue, ResourceReference, UnknownPlannedValue
from alb_sg.estate.planned.template_parameters import DeclaredParameter, plain_text
from alb_sg.estate.planned.values import attribute_identity


class _NoValue:
    def __repr__(self) -> str:
        return "NO_VALUE"


NO_VALUE = _NoValue()


@dataclass(frozen=True)
class OpenParameter:
    """A parameter without a value. `stack` is the address of its stack. `hidden` is the value of a NoEcho parameter:
    conditions may compare it, and nothing prints it."""

    stack: str
    name: str
    unknown: UnknownPlannedValue
    is_identifier: bool = False
    declared: DeclaredParameter | None = field(default=None, repr=False, compare=False)
    hidden: str | None = field(default=None, repr=False, compare=False)


TextPart: TypeAlias = "str | OpenParameter | UnknownPlannedValue | ResourceReference"


@dataclass(frozen=True)
class JoinedText:
    """Text in parts, of which at least one is not known."""

    parts: tuple[TextPart, ...]


def is_known(value: object) -> bool:
    """Whether a value holds nothing unknown."""
    if isinstance(value, list):
        return all(is_known(one) for one in value)
    if isinstance(value, dict):
        return all(is_known(one) for one in value.values())
    return value is None or isinstance(value, (str, bool, int, float))


def joined(values: Iterable[object]) -> object:
    """The values as one text; a value itself where it is the only one that is not empty."""
    parts: list[TextPart] = []
    for value in values:
        for part in value.parts if isinstance(value, JoinedText) else (_part(value),):
            if isinstance(part, str) and parts and isinstance(parts[-1], str):
                parts[-1] += part
            elif part != "":
                parts.append(part)
    if not parts:
        return ""
    return parts[0] if len(parts) == 1 else JoinedText(tuple(parts))


def _part(value: object) -> TextPart:
    if isinstance(value, (OpenParameter, UnknownPlannedValue, ResourceReference)):
        return value
    if isinstance(value, (dict, list)):
        raise InvalidInputError("a list or an object stands where text was expected")
    return plain_text(value)


def split(delimiter: str, value: object) -> object:
    """The parts of a text. A list if all delimiters are known, otherwise unknown."""
    if isinstance(value, list):
        return value
    if not isinstance(value, JoinedText):
        if isinstance(value, ResourceReference) and _cannot_hold(value, delimiter):
            return [value]
        return plain_text(value).split(delimiter) if is_known(value) else unknown_of(value)
    found: list[list[TextPart]] = [[]]
    for part in value.parts:
        if isinstance(part, str):
            first, *others = part.split(delimiter)
            found[-1].append(first)
            found.extend([one] for one in others)
        elif _cannot_hold(part, delimiter):
            found[-1].append(part)
        else:
            return unknown_of(part)
    return [joined(parts) for parts in found]


def _cannot_hold(part: TextPart, delimiter: str) -> bool:
    """Whether an unknown part is an identifier: those have no comma, space, pipe or semicolon, nor several of them."""
    is_identifier = (isinstance(part, ResourceReference) and not part.attribute) or (
        isinstance(part, OpenParameter) and part.is_identifier
    )
    return is_identifier and bool(delimiter) and not delimiter.strip(" ,|;")


def unknown_of(value: object, prefix: str = "") -> UnknownPlannedValue:
    """Why a value that is not known is not known. It has no identity: it may be made of the value in any way.

    Raises InvalidInputError for a known value, which is none of those that a function takes.
    """
    if isinstance(value, UnknownPlannedValue):
        return UnknownPlannedValue(f"{prefix}{value.origin}", value.remedy)
    if isinstance(value, OpenParameter):
        return unknown_of(value.unknown, prefix)
    if isinstance(value, ResourceReference):
        name = value.attribute or "identifier"
        return UnknownPlannedValue(f"{prefix}{name} of {value.address}, known after deployment")
    contents = (
        value.parts if isinstance(value, JoinedText) else list(value.values()) if isinstance(value, dict) else value
    )
    for one in contents if isinstance(contents, (list, tuple)) else ():
        if not is_known(one):
            return unknown_of(one, prefix)
    what = "AWS::NoValue" if value is NO_VALUE else repr(value)
    raise InvalidInputError(f"{what} stands where a text or a list was expected")


def planned_value(value: object) -> PlannedValue:
    """A value as readers of a scenario see it."""
    if isinstance(value, list):
        return [planned_value(one) for one in value]
    if isinstance(value, dict):
        return {key: planned_value(one) for key, one in value.items()}
    if isinstance(value, (OpenParameter, JoinedText)):
        return replace(unknown_of(value), identity=identity_of(value))
    return value


def identity_of(value: object) -> str:
    """What is the same for equal values that are not known; "" if that cannot be told. A deployment has one value of
    each parameter and attribute, so that text that is made of the same ones in the same way is equal."""
    if isinstance(value, UnknownPlannedValue):
        return value.identity
    if isinstance(value, OpenParameter):
        return parameter_identity(value.stack, value.name)
    if isinstance(value, ResourceReference):
        return attribute_identity(value.address, value.attribute)
    if isinstance(value, JoinedText):
        parts = [repr(part) if isinstance(part, str) else identity_of(part) for part in value.parts]
        return f"({' + '.join(parts)})" if all(parts) else ""
    return ""


def parameter_identity(stack: str, name: str) -> str:
    return f"parameter {name!r} of {stack!r}"
