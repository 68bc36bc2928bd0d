"""The hand-written templates in `deploy/`, as data in the form that CloudFormation's JSON has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

HAND_WRITTEN_FOLDER = "deploy"


class _CloudFormationLoader(yaml.SafeLoader):
    """Reads the short form of an intrinsic function as the long one: `!Ref A` as `{"Ref": "A"}`."""


def _long_form(loader: _CloudFormationLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.SequenceNode):
        return {f"Fn::{suffix}": loader.construct_sequence(node, deep=True)}
    if not isinstance(node, yaml.ScalarNode):
        raise yaml.constructor.ConstructorError(None, None, f"!{suffix} of an object", node.start_mark)
    text = loader.construct_scalar(node)
    match suffix:
        case "Ref":
            return {"Ref": text}
        case "GetAtt":
            return {"Fn::GetAtt": text.split(".", 1)}
    return {f"Fn::{suffix}": text}


_CloudFormationLoader.add_multi_constructor("!", _long_form)


def read_template(path: Path) -> dict[str, Any]:
    """A template of `deploy/`."""
    found: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), _CloudFormationLoader)  # noqa: S506 (a safe loader)
    return found
