"""Structures held against botocore's own models of services: members, types, enumerations, lengths, patterns."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import botocore.session
from botocore.validate import ParamValidator

_SESSION = botocore.session.Session()


def problems(operation: str, request: Any, *, service: str = "config") -> list[str]:
    """What the API would not take of an operation's request."""
    model: Any = _SESSION.get_service_model(service)
    shape = model.operation_model(operation).input_shape
    report = ParamValidator().validate(request, shape)
    return [report.generate_report()] if report.has_errors() else list(_refused(request, shape, operation))


def _refused(value: Any, shape: Any, path: str) -> Iterator[str]:
    """What botocore's validator leaves to the service."""
    size = len(value) if isinstance(value, str | list | dict) else value
    limits = shape.metadata
    if "max" in limits and size > limits["max"]:
        yield f"{path}: {size} is more than {limits['max']}"
    if limits.get("enum") and value not in limits["enum"]:
        yield f"{path}: {value} is none of {limits['enum']}"
    if "pattern" in limits and not re.search(_pattern(limits["pattern"]), value):
        yield f"{path}: {value} does not match {limits['pattern']}"
    if shape.type_name == "structure":
        for name, member in value.items():
            yield from _refused(member, shape.members[name], f"{path}.{name}")
    elif shape.type_name == "list":
        for member in value:
            yield from _refused(member, shape.member, f"{path}[]")
    elif shape.type_name == "map":
        for name, member in value.items():
            yield from _refused(member, shape.value, f"{path}.{name}")


def _pattern(text: str) -> str:
    """A pattern of Java's, whose classes of characters Python does not know, as one that lets through a little more."""
    for of_java, of_python in (("L", "w"), ("Z", "s"), ("N", "d")):
        text = text.replace(f"\\p{{{of_java}}}", f"\\{of_python}")
    return text.replace(r"\p", ".")
