"""The schema of `rdk-config.json`. A file has it without rules and parameters, which the catalogue adds."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from alb_sg.parameters import PARAMETERS, ParameterDefinition
from alb_sg.recommendations.catalogue import RECOMMENDATIONS
from alb_sg.recommendations.recommendation import Recommendation

SCHEMA_FILE = Path(__file__).with_name("rdk-config.schema.json")

Schema = dict[str, Any]


def schema() -> Schema:
    """The schema with every rule and every parameter that settings may give."""
    content: Schema = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    properties = content["properties"]
    properties["parameters"] |= {"properties": _parameters(PARAMETERS)}
    properties["rules"] |= {
        "additionalProperties": False,
        "properties": {recommendation.name: _rule(recommendation) for recommendation in RECOMMENDATIONS},
    }
    return content


def _rule(recommendation: Recommendation) -> Schema:
    deployed = "" if recommendation.deployed_by_default else " Deployed only if deployed is true."
    return {
        "description": f"{recommendation.requirement_text} Severity {recommendation.severity.name}.{deployed}",
        "$ref": "#/$defs/rule",
        "properties": {
            "parameters": {
                "description": "Rule parameters that override those of all rules.",
                "properties": _parameters(recommendation.parameters),
            }
        },
    }


def _parameters(definitions: Iterable[ParameterDefinition]) -> Schema:
    """Without those that the deployment sets itself."""
    return {
        definition.name: {"description": definition.meaning}
        for definition in definitions
        if definition.max_length is not None
    }
