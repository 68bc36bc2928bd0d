"""The hand-written templates in deploy/, as data."""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

from alb_sg.deployment.template_files import HAND_WRITTEN_FOLDER
from alb_sg.estate.planned.template_documents import parse_template

DEPLOY = Path(__file__).parents[2] / HAND_WRITTEN_FOLDER


def template(name: str) -> dict[str, Any]:
    """A template in the form that CloudFormation's JSON has."""
    return deepcopy(_read(name))


@cache
def _read(name: str) -> dict[str, Any]:
    return dict(parse_template((DEPLOY / name).read_bytes()).value)


def statements(name: str, role: str) -> list[dict[str, Any]]:
    """The statements of a role's inline policies."""
    properties = template(name)["Resources"][role]["Properties"]
    return [one for inline in properties["Policies"] for one in inline["PolicyDocument"]["Statement"]]
