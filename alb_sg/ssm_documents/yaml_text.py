"""YAML for people: the same content always gives the same text, with keys in their own order."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

# Texts that a YAML 1.2 reader takes for numbers (core schema, section 10.3.2). PyYAML reads 1.1 and leaves some of them
# without quotes, such as the account id 089012345678: it starts with a zero and is no octal number.
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|0o[0-7]+|0x[0-9a-fA-F]+")


class _Dumper(yaml.SafeDumper):
    """Writes no anchors, indents lists, and writes a text of several lines as a block."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 (PyYAML's signature)
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT002 (PyYAML's)
        super().increase_indent(flow, False)


def _represent_text(dumper: _Dumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else "'" if _NUMBER.fullmatch(value) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _represent_text)


def to_yaml(content: Mapping[str, Any]) -> str:
    text: str = yaml.dump(dict(content), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
    return text
