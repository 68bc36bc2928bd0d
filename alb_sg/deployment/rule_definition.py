"""A rule as rdk reads it from `rules/<RULE>/parameters.json`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from alb_sg.errors import InvalidInputError
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME
from alb_sg.recommendations.recommendation import Recommendation


@dataclass(frozen=True, slots=True)
class RuleDefinition:
    """`resource_types` are those whose changes trigger the rule, and `frequency` is how often it evaluates everything.
    rdk deploys a rule with the `rule_sets` that contain it."""

    recommendation: Recommendation
    description: str
    runtime: str
    resource_types: tuple[str, ...]
    frequency: str
    parameters: tuple[str, ...]
    rule_sets: frozenset[str]

    @property
    def name(self) -> str:
        return self.recommendation.name


def read_rule_definitions(folder: Path) -> tuple[RuleDefinition, ...]:
    """Every rule in the folder, sorted by name. Raises InvalidInputError if there is none or a file is invalid."""
    return tuple(_read_definition(path / "parameters.json") for path in rule_folders(folder))


def rule_folders(folder: Path) -> list[Path]:
    """The folder of each rule, sorted by name. Raises InvalidInputError if there is none."""
    found = sorted(path.parent for path in folder.glob("*/parameters.json"))
    if not found:
        raise InvalidInputError(
            "contains no rule (RULE/parameters.json); run the command in the checkout, or name the folder with --rules",
            str(folder),
        )
    return found


def _read_definition(path: Path) -> RuleDefinition:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))["Parameters"]
        inputs, optional = json.loads(content["InputParameters"]), json.loads(content["OptionalParameters"])
        name = content["RuleName"]
        if name not in RECOMMENDATIONS_BY_NAME:
            known = ", ".join(RECOMMENDATIONS_BY_NAME)
            raise InvalidInputError(f"unknown rule {name!r}; alb_sg.recommendations has {known}", str(path))
        return RuleDefinition(
            recommendation=RECOMMENDATIONS_BY_NAME[name],
            description=content["Description"],
            runtime=content["SourceRuntime"],
            resource_types=tuple(content["SourceEvents"].split(",")),
            frequency=content["SourcePeriodic"],
            parameters=(*inputs, *optional),
            rule_sets=frozenset(content["RuleSets"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInputError(f"is not a parameters.json as rdk writes it ({error!r})", str(path)) from error
