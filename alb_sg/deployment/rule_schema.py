"""The part of rdk-config.json's schema that names rules and their parameters, derived from the catalogue."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from alb_sg.parameters import PARAMETERS, ParameterDefinition
from alb_sg.recommendations.catalogue import RECOMMENDATIONS
from alb_sg.recommendations.recommendation import Recommendation

Schema = dict[str, Any]


def with_rules(schema: Mapping[str, Any]) -> Schema:
    """The schema with every rule and every parameter that settings may give."""
    properties = dict(schema["properties"])
    properties["parameters"] |= {"properties": _parameters(PARAMETERS)}
    properties["rules"] |= {
        "additionalProperties": False,
        "properties": {recommendation.name: _rule(recommendation) for recommendation in RECOMMENDATIONS},
    }
    return {**schema, "properties": properties}


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
