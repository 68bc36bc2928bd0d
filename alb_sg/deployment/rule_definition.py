"""What rdk keeps of a rule in `rules/<RULE>/parameters.json`, read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from alb_sg.errors import InvalidInputError


@dataclass(frozen=True, slots=True)
class RuleDefinition:
    """A rule as rdk has it: the types whose changes it listens to, how often it judges everything, the names of the
    parameters that it takes, and the rule sets that it is in."""

    name: str
    description: str
    runtime: str
    resource_types: tuple[str, ...]
    frequency: str
    parameters: tuple[str, ...]
    rule_sets: frozenset[str]

    @property
    def kebab_name(self) -> str:
        """`listener-ingress` for ALB_SG_LISTENER_INGRESS."""
        return self.name.removeprefix("ALB_SG_").lower().replace("_", "-")

    @property
    def camel_name(self) -> str:
        """`ListenerIngress` for ALB_SG_LISTENER_INGRESS, as CloudFormation's logical ids want it."""
        return "".join(part.capitalize() for part in self.kebab_name.split("-"))


def read_rule_definitions(folder: Path) -> tuple[RuleDefinition, ...]:
    """Every rule of the folder, by name. Raises InvalidInputError where there is none, or a file is not rdk's."""
    files = sorted(folder.glob("*/parameters.json"))
    if not files:
        raise InvalidInputError("no rule found here (RULE/parameters.json); run this from the checkout", str(folder))
    return tuple(_read_definition(path) for path in files)


def _read_definition(path: Path) -> RuleDefinition:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))["Parameters"]
        inputs, optional = json.loads(content["InputParameters"]), json.loads(content["OptionalParameters"])
        return RuleDefinition(
            name=content["RuleName"],
            description=content["Description"],
            runtime=content["SourceRuntime"],
            resource_types=tuple(content["SourceEvents"].split(",")),
            frequency=content["SourcePeriodic"],
            parameters=(*inputs, *optional),
            rule_sets=frozenset(content["RuleSets"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInputError(f"not a rule's parameters as rdk keeps them ({error!r})", str(path)) from error
