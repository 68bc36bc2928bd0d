"""CloudFormation templates as JSON values, from JSON or YAML, with the line of every resource.

YAML's short forms become the long ones: `!GetAtt Web.Arn` is `{"Fn::GetAtt": ["Web", "Arn"]}`. Of a key that an object
has twice, the last one counts: CloudFormation accepts such a template and deploys that one. Every error is an
InvalidInputError without the file's name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from alb_sg.errors import InvalidInputError
from alb_sg.estate.json_files import parse_json

RESOURCES = "Resources"
# Short forms whose long form does not begin with `Fn::`.
PLAIN_TAGS = {"!Ref": "Ref", "!Condition": "Condition"}
# Numbers as people write ports. Others keep their text, so that `0123` and `1_000` stay what they are.
WHOLE_NUMBER = re.compile(r"0|-?[1-9][0-9]*")
DECIMAL_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)\.[0-9]+")
# Python refuses to convert thousands of digits.
MAX_NUMBER_LENGTH = 1000
# A template of CloudFormation has at most a million bytes.
MAX_YAML_VALUES = 1_000_000
BOOLEANS = {"true": True, "false": False}
NULLS = ("", "~", "null")
UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
YAML_INSTALL_HINT = (
    "this template is YAML, and PyYAML is not installed; install `alb-sg[templates]`, or convert the template to JSON"
)


@dataclass(frozen=True)
class TemplateDocument:
    """The value of a template, and the line of each logical ID in `Resources`."""

    value: Mapping[str, Any]
    lines: Mapping[str, int]


def encode_template(text: str) -> bytes:
    """A template's text as a file holds it. JSON may hold half of a surrogate pair, which `parse_template` refuses."""
    return text.encode("utf-8", "surrogatepass")


def parse_template(content: bytes) -> TemplateDocument:
    """A template in JSON or YAML. Raises InvalidInputError."""
    value, lines = _parse(content)
    if not isinstance(value, dict):
        raise InvalidInputError("not a CloudFormation template: an object with Resources was expected")
    if not isinstance(value.get(RESOURCES), dict):
        raise InvalidInputError(f"not a CloudFormation template: it has no Resources{_other_kind(value)}")
    return TemplateDocument(value, lines)


def parse_snippet(content: bytes) -> Any:
    """A part of a template in JSON or YAML. Raises InvalidInputError."""
    return _parse(content)[0]


def _parse(content: bytes) -> tuple[Any, Mapping[str, int]]:
    text = _decode(content)
    if not text.strip():
        raise InvalidInputError("the file is empty; a CloudFormation template was expected")
    if text.lstrip().startswith("{"):
        return parse_json(text), _json_resource_lines(text)
    return _parse_yaml_template(text)


def _other_kind(value: Mapping[str, Any]) -> str:
    """The option for a file that is something else that this command reads."""
    if "resource_changes" in value or "planned_values" in value:
        return "; read a Terraform plan with --terraform-plan"
    if "LoadBalancers" in value or "SecurityGroups" in value:
        return "; read a saved estate with --estate"
    if "artifacts" in value and "version" in value:
        return "; give the folder of this CDK manifest, not the file"
    return ""


def _decode(content: bytes) -> str:
    is_utf_16 = content.startswith(UTF_16_MARKS)
    try:
        return content.decode("utf-16" if is_utf_16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        encoding = "UTF-16" if is_utf_16 else "UTF-8"
        raise InvalidInputError(f"not {encoding} text (byte {error.start + 1}); save it as UTF-8") from error


def _json_resource_lines(text: str) -> dict[str, int]:
    """The line of each key of `Resources`, in text that is known to be JSON."""
    decoder = json.JSONDecoder()
    starts: dict[str, int] = {}

    def entries(position: int) -> Any:
        """Each key of the object that begins at `position`, with where the key and its value begin. The caller sends
        where the value ends."""
        position = _skip_space(text, position + 1)
        while text[position] != "}":
            key, end = decoder.raw_decode(text, position)
            value_start = _skip_space(text, _skip_space(text, end) + 1)
            yield key, position, value_start
            _, end = decoder.raw_decode(text, value_start)
            position = _skip_space(text, end)
            if text[position] == ",":
                position = _skip_space(text, position + 1)

    for key, _, value_start in entries(_skip_space(text, 0)):
        if key == RESOURCES and text[value_start] == "{":
            starts = {name: start for name, start, _ in entries(value_start)}
    return {name: text.count("\n", 0, start) + 1 for name, start in starts.items()}


_SPACE = re.compile(r"[ \t\r\n]*")


def _skip_space(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return position if found is None else found.end()


def _parse_yaml_template(text: str) -> tuple[Any, Mapping[str, int]]:
    try:
        import yaml  # noqa: PLC0415 (only templates in YAML need it)
    except ImportError as error:
        raise InvalidInputError(YAML_INSTALL_HINT) from error
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        root = yaml.compose(text, Loader=loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark is not None else ""
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or error
        raise InvalidInputError(f"not YAML: {problem}{where}") from error
    if root is not None and _size(root, {}) > MAX_YAML_VALUES:
        raise InvalidInputError(
            f"with what its aliases (*) repeat, it has more than {MAX_YAML_VALUES} values; CloudFormation takes none"
        )
    return _yaml_value(root), _yaml_resource_lines(root)


def _size(node: Any, known: dict[int, int]) -> int:
    """The number of values in a node, with those that aliases repeat. `known` are the numbers of nodes, by id."""
    if node.id == "scalar":
        return 1
    if id(node) not in known:
        parts = node.value if node.id == "sequence" else [one for entry in node.value for one in entry]
        known[id(node)] = 1 + sum(_size(part, known) for part in parts)
    return known[id(node)]


def _yaml_resource_lines(root: Any) -> dict[str, int]:
    if root is None or root.id != "mapping":
        return {}
    sections = [value for key, value in root.value if key.value == RESOURCES and value.id == "mapping"]
    return {name.value: name.start_mark.line + 1 for name, _ in sections[-1].value} if sections else {}


def _yaml_value(node: Any) -> Any:
    """The value of a node, short forms in their long form."""
    if node is None:
        return None
    tag: str = node.tag
    if tag.startswith("!") and tag != "!":
        return _short_form(tag, node)
    return _untagged(node)


def _untagged(node: Any) -> Any:
    if node.id == "scalar":
        return _scalar(node)
    if node.id == "sequence":
        return [_yaml_value(one) for one in node.value]
    found: dict[str, Any] = {}
    for key_node, value_node in node.value:
        if key_node.id != "scalar":
            raise InvalidInputError(f"line {key_node.start_mark.line + 1} has a key that is no text; write a name")
        key = str(key_node.value)
        line = key_node.start_mark.line + 1
        if key == "<<" and not key_node.style:
            raise InvalidInputError(
                f"line {line} merges a mapping (<<), which CloudFormation refuses; give the output of "
                "`aws cloudformation package`"
            )
        found[key] = _yaml_value(value_node)
    return found


def _scalar(node: Any) -> Any:
    text: str = node.value
    # A quoted or block scalar is text, and so is one with the tag `!!str`.
    if node.style or node.tag == "tag:yaml.org,2002:str":
        return text
    if text.lower() in BOOLEANS:
        return BOOLEANS[text.lower()]
    if text.lower() in NULLS:
        return None
    if WHOLE_NUMBER.fullmatch(text):
        if len(text) > MAX_NUMBER_LENGTH:
            raise InvalidInputError(f"line {node.start_mark.line + 1} has a number of {len(text)} digits")
        return int(text)
    if DECIMAL_NUMBER.fullmatch(text):
        return float(text)
    return text


def _short_form(tag: str, node: Any) -> Any:
    name = PLAIN_TAGS.get(tag, f"Fn::{tag[1:]}")
    value = node.value if node.id == "scalar" else _untagged(node)
    if name == "Fn::GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {name: value}
