"""Templates as YAML, with where they come from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alb_sg.yaml_text import to_yaml

GENERATED_HEADER = (
    "# Made from rdk-config.json and rules/*/parameters.json by `python -m alb_sg.deployment pack`; do not edit.\n"
)


def template_text(template: Mapping[str, Any]) -> str:
    return GENERATED_HEADER + to_yaml(template)
