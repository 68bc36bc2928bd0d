"""The hand-written templates in deploy/, as data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

DEPLOY = Path(__file__).parents[2] / "deploy"


class _CloudFormationLoader(yaml.SafeLoader):
    """Reads the short form of an intrinsic function as the long one: `!Ref A` as `{"Ref": "A"}`."""


def _long_form(loader: _CloudFormationLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.SequenceNode):
        return {f"Fn::{suffix}": loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.ScalarNode), node.start_mark
    text = loader.construct_scalar(node)
    match suffix:
        case "Ref":
            return {"Ref": text}
        case "GetAtt":
            return {"Fn::GetAtt": text.split(".", 1)}
    return {f"Fn::{suffix}": text}


_CloudFormationLoader.add_multi_constructor("!", _long_form)


def template(name: str) -> dict[str, Any]:
    """A template in the form that CloudFormation's JSON has."""
    found: dict[str, Any] = yaml.load((DEPLOY / name).read_text(encoding="utf-8"), _CloudFormationLoader)  # noqa: S506 (a safe loader)
    return found


def statements(name: str, role: str) -> list[dict[str, Any]]:
    """The statements of a role's inline policies."""
    properties = template(name)["Resources"][role]["Properties"]
    return [one for inline in properties["Policies"] for one in inline["PolicyDocument"]["Statement"]]
