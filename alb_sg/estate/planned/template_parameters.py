"""The parameters of a template: what it declares, and the values that are given for a deployment.

Formats of parameter files: `aws cloudformation create-stack` (a list of ParameterKey and ParameterValue), AWS
CodePipeline's template configuration (an object with Parameters), and `aws cloudformation deploy` (a list of
`Key=Value`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alb_sg.errors import InvalidInputError
from alb_sg.estate.json_files import file_error_context, read_json_file

SSM_TYPE = "AWS::SSM::Parameter::Value"
LIST_TYPES = ("CommaDelimitedList", "List<", f"{SSM_TYPE}<List", f"{SSM_TYPE}<CommaDelimitedList")
PSEUDO_PARAMETERS = (
    "AWS::AccountId",
    "AWS::NotificationARNs",
    "AWS::Partition",
    "AWS::Region",
    "AWS::StackId",
    "AWS::StackName",
    "AWS::URLSuffix",
)
PARAMETER_FILE_HINT = (
    "a parameter file is a list of objects with ParameterKey and ParameterValue, a list of Key=Value, or an object "
    "with Parameters"
)


@dataclass(frozen=True)
class DeclaredParameter:
    """A parameter as a template declares it. `default` and `allowed_values` are text, as CloudFormation compares
    them."""

    name: str
    type: str
    default: str | None
    allowed_values: tuple[str, ...]
    pattern: str | None
    min_length: int | None
    is_secret: bool

    @property
    def is_list(self) -> bool:
        return self.type.startswith(LIST_TYPES)

    @property
    def is_from_ssm(self) -> bool:
        """Whether its value is the name of an SSM parameter, which CloudFormation reads when it deploys."""
        return self.type.startswith(SSM_TYPE)

    def may_be(self, text: str) -> bool:
        """Whether CloudFormation accepts this value."""
        if self.min_length is not None and len(text) < self.min_length:
            return False
        if self.pattern is None:
            return True
        try:
            return re.fullmatch(self.pattern, text) is not None
        except re.error:
            # CloudFormation's expressions are Java's.
            return True


def read_declared_parameters(document: Mapping[str, Any]) -> Mapping[str, DeclaredParameter]:
    """The section `Parameters` of a template. Raises InvalidInputError."""
    section = document.get("Parameters") or {}
    if not isinstance(section, dict):
        raise InvalidInputError("Parameters must be an object")
    return {name: _declared_parameter(name, declared) for name, declared in section.items()}


def _declared_parameter(name: str, declared: Any) -> DeclaredParameter:
    if not isinstance(declared, dict):
        raise InvalidInputError("a parameter must be an object with a Type", f"Parameters.{name}")
    default, allowed = declared.get("Default"), declared.get("AllowedValues")
    pattern, min_length = declared.get("AllowedPattern"), str(declared.get("MinLength", ""))
    return DeclaredParameter(
        name=name,
        type=str(declared.get("Type", "String")),
        default=None if default is None else plain_text(default),
        allowed_values=tuple(plain_text(one) for one in allowed) if isinstance(allowed, list) else (),
        pattern=pattern if isinstance(pattern, str) else None,
        min_length=int(min_length) if min_length.isdecimal() else None,
        is_secret=plain_text(declared.get("NoEcho", False)).lower() == "true",
    )


def plain_text(value: Any) -> str:
    """A scalar, or a list of them, as CloudFormation writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(plain_text(one) for one in value)
    return "" if value is None else str(value)


def parse_assignments(
    assignments: Sequence[str], *, what: str = "a template parameter", form: str = "Key=Value"
) -> dict[str, str]:
    """The values of `Key=Value` texts. `what` and `form` describe them in errors. Raises InvalidInputError."""
    found: dict[str, str] = {}
    for text in assignments:
        name, separator, value = text.partition("=")
        if not separator or not name.strip():
            raise InvalidInputError(f"{what} is written {form}, not {text!r}")
        if found.setdefault(name.strip(), value) != value:
            raise InvalidInputError(f"{what}, {name.strip()}, is given twice with two values; give one")
    return found


def read_parameter_file(path: str) -> dict[str, str]:
    """The values of a parameter file. Raises InvalidInputError."""
    with file_error_context(path):
        return _parameter_values(read_json_file(path, unique_keys=True))


def _parameter_values(content: Any) -> dict[str, str]:
    if isinstance(content, dict):
        values = content.get("Parameters")
        if not isinstance(values, dict):
            raise InvalidInputError(PARAMETER_FILE_HINT)
        return {name: plain_text(value) for name, value in values.items()}
    if not isinstance(content, list):
        raise InvalidInputError(PARAMETER_FILE_HINT)
    if all(isinstance(one, str) for one in content):
        return parse_assignments(content)
    found: dict[str, str] = {}
    for index, entry in enumerate(content):
        if not isinstance(entry, dict) or not isinstance(entry.get("ParameterKey"), str):
            raise InvalidInputError(PARAMETER_FILE_HINT, f"[{index}]")
        # A value of the deployment before (UsePreviousValue) is not known.
        if "ParameterValue" in entry:
            found[entry["ParameterKey"]] = plain_text(entry["ParameterValue"])
    return found
