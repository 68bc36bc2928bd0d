"""Readers of the fields of decoded JSON. Every one raises InvalidInputError, naming the field, for a wrong value."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from alb_sg.errors import InvalidInputError
from alb_sg.estate.cidr import Family, InvalidCidrError, parse_cidr

Shape = Mapping[str, Any]
T = TypeVar("T")

LOWEST_PORT, HIGHEST_PORT = 1, 65535
WHOLE_NUMBER_TEXT = re.compile(r"-?[0-9]{1,19}(\.0+)?")


def require_object(value: Any) -> Shape:
    if not isinstance(value, Mapping):
        raise InvalidInputError(f"an object was expected, not {_json_type_name(value)}")
    return value


def list_or_empty(value: Any) -> list[Any]:
    """A list; empty where the value is absent or null."""
    if value is None:
        return []
    if not isinstance(value, list | tuple):
        raise InvalidInputError(f"a list was expected, not {_json_type_name(value)}")
    return list(value)


def required_list(fields: Shape, field: str) -> list[Any]:
    """A list that must be there: without it, an object does not say that there is nothing."""
    value = fields.get(field)
    if not isinstance(value, list | tuple):
        found = "it is missing" if value is None else f"a list was expected, not {_json_type_name(value)}"
        raise InvalidInputError(found, field)
    return list(value)


def read_each(values: Iterable[Any], place: str, read: Callable[[Any], T]) -> Iterator[T]:
    """Read every element; an error names the element's index in `place`."""
    for index, value in enumerate(values):
        try:
            yield read(value)
        except InvalidInputError as error:
            raise error.inside(f"{place}[{index}]") from error


def read_list(fields: Shape, field: str, read: Callable[[Any], T]) -> tuple[T, ...]:
    """Read every element of the list in a field."""
    value = fields.get(field)
    if value is None or value == []:
        return ()
    try:
        elements = list_or_empty(value)
    except InvalidInputError as error:
        raise error.inside(field) from error
    return tuple(read_each(elements, field, read))


def required_text(fields: Shape, field: str) -> str:
    value = fields.get(field)
    if not isinstance(value, str) or not value:
        raise InvalidInputError("text is missing" if value is None else f"text was expected, not {value!r}", field)
    return value


def optional_text(fields: Shape, field: str) -> str | None:
    """Text; None where it is absent or empty."""
    return required_text(fields, field) if fields.get(field) else None


def text_or_default(fields: Shape, field: str, default: str) -> str:
    return default if fields.get(field) is None else required_text(fields, field)


def known_value(fields: Shape, field: str, known: Sequence[str], default: str) -> str:
    """A value of an enumeration, in lower case. An unknown one is refused: no rule knows its meaning."""
    value = text_or_default(fields, field, default).lower() if fields.get(field) is not None else default
    if value != default and value not in known:
        raise InvalidInputError(f"{value!r} is not one of {', '.join(known)}", field)
    return value


def cidr(value: Any, field: str) -> str:
    """The text of a CIDR block or an address."""
    if not isinstance(value, str):
        raise InvalidInputError(f"a CIDR block was expected, not {_json_type_name(value)}", field)
    try:
        parse_cidr(value)
    except InvalidCidrError as error:
        raise InvalidInputError(str(error), field) from error
    return value


def cidr_of_family(value: Any, field: str, family: Family) -> str:
    """The text of a CIDR block of an address family."""
    text = cidr(value, field)
    if parse_cidr(text)[0] is not family:
        raise InvalidInputError(f"{text!r} is not an {family.label} CIDR block", field)
    return text


def address(value: Any, field: str, family: Family) -> str:
    """The text of one address of an address family."""
    text = cidr_of_family(value, field, family)
    if "/" in text:
        raise InvalidInputError(f"{text!r} is not an address", field)
    return text


def whole_number(value: Any, field: str) -> int:
    """A whole number. Configuration items also spell it as text or as a float."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and WHOLE_NUMBER_TEXT.fullmatch(value):
        return int(value.partition(".")[0])
    raise InvalidInputError(f"a whole number was expected, not {value!r}", field)


def rule_port(value: Any, field: str) -> int:
    """The first or last port of a security group rule, where 0 begins the range of all ports."""
    return port(value, field, lowest=0)


def port(value: Any, field: str, *, lowest: int = LOWEST_PORT) -> int:
    """The port of a listener or a target."""
    number = value if type(value) is int else whole_number(value, field)
    if not lowest <= number <= HIGHEST_PORT:
        raise InvalidInputError(f"{number} is not a port ({lowest} to {HIGHEST_PORT})", field)
    return number


def optional_port(fields: Shape, field: str) -> int | None:
    value = fields.get(field)
    return None if value is None else port(value, field)


def _json_type_name(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "text", type(None): "null", bool: "true or false"}
    return names.get(type(value), "a number")


def texts_in(value: object) -> Iterator[str]:
    """Every text in decoded JSON, except the keys."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from texts_in(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from texts_in(inner)
