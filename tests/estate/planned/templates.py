"""Small templates, written to files and read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from alb_sg.estate.planned.cloudformation import read_templates
from alb_sg.estate.planned.resources import PlannedResource, Scenario, UnknownPlannedValue
from alb_sg.estate.planned.template_stacks import GivenValues, TemplateFile

LOAD_BALANCER = "AWS::ElasticLoadBalancingV2::LoadBalancer"
LISTENER = "AWS::ElasticLoadBalancingV2::Listener"
TARGET_GROUP = "AWS::ElasticLoadBalancingV2::TargetGroup"
SECURITY_GROUP = "AWS::EC2::SecurityGroup"
NESTED_STACK = "AWS::CloudFormation::Stack"


def load_balancer(**properties: Any) -> dict[str, Any]:
    return {"Type": LOAD_BALANCER, "Properties": properties}


def write(folder: Path, template: Mapping[str, Any] | str, name: str = "template.json") -> str:
    path = folder / name
    path.write_text(template if isinstance(template, str) else json.dumps(template, indent=1), encoding="utf-8")
    return str(path)


def read(
    folder: Path,
    template: Mapping[str, Any] | str,
    parameters: Mapping[str, str] | None = None,
    *,
    take_defaults: bool = False,
    others: Sequence[TemplateFile] = (),
    stack_name: str | None = None,
) -> list[Scenario]:
    """The scenarios of a template, deployed together with others."""
    files = [TemplateFile(write(folder, template), stack_name), *others]
    return read_templates(files, GivenValues(parameters or {}, take_defaults=take_defaults))


def resource(scenario: Scenario, address: str) -> PlannedResource:
    [found] = [one for one in scenario.resources if one.address == address]
    return found


def only_value(folder: Path, expression: Any, parameters: Mapping[str, str] | None = None, **template: Any) -> Any:
    """The value of an expression that leaves nothing to choose."""
    resources = {"Web": load_balancer(Scheme=expression), **template.pop("Resources", {})}
    [scenario] = read(folder, {"Resources": resources, **template}, parameters)
    return resource(scenario, "Web").properties.get("Scheme")


def values(folder: Path, expression: Any, **template: Any) -> dict[tuple[str, ...], Any]:
    """The values of an expression by the assumptions that they hold for; the origin of one that is not known."""
    resources = {"Web": load_balancer(Scheme=expression), **template.pop("Resources", {})}
    found = {}
    for scenario in read(folder, {"Resources": resources, **template}):
        value = resource(scenario, "Web").properties.get("Scheme")
        found[scenario.assumptions] = value.origin if isinstance(value, UnknownPlannedValue) else value
    return found
