"""Circles of references between the resources of a template, which CloudFormation refuses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from alb_sg.errors import InvalidInputError
from alb_sg.estate.planned.template_values import SUBSTITUTION


def refuse_circles(resources: Mapping[str, Mapping[str, Any]]) -> None:
    """Raises InvalidInputError for resources that refer to one another in a circle.

    Conditions can take a reference away. Conditional resources and the values of `Fn::If` are left out.
    """
    always = {name: resource for name, resource in resources.items() if "Condition" not in resource}
    graph = {name: {found for found in _names(resource) if found in always} for name, resource in always.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle = " → ".join(reversed(error.args[1]))
        raise InvalidInputError(
            f"circular references between resources: {circle}; take a security group rule that refers to another group "
            "out of its group (AWS::EC2::SecurityGroupIngress, AWS::EC2::SecurityGroupEgress)"
        ) from error


def _names(resource: Mapping[str, Any]) -> Iterator[str]:
    depends_on = resource.get("DependsOn")
    others = depends_on if isinstance(depends_on, list) else [depends_on]
    yield from (one for one in others if isinstance(one, str))
    yield from names_in(resource["Properties"])


def names_in(value: Any, *, with_conditional: bool = False) -> Iterator[str]:
    """The parameters and resources that an expression names. `with_conditional`: inside of `Fn::If`, too."""
    if isinstance(value, list):
        for one in value:
            yield from names_in(one, with_conditional=with_conditional)
    elif isinstance(value, dict):
        for key, one in value.items():
            if key == "Fn::If" and not with_conditional:
                continue
            if key == "Ref" and isinstance(one, str):
                yield one
            elif key == "Fn::GetAtt" and isinstance(one, str):
                yield one.partition(".")[0]
            elif key == "Fn::GetAtt" and isinstance(one, list) and one:
                yield str(one[0])
            elif key == "Fn::Sub":
                yield from _names_in_text(one, with_conditional=with_conditional)
            else:
                yield from names_in(one, with_conditional=with_conditional)


def _names_in_text(argument: Any, *, with_conditional: bool) -> Iterator[str]:
    text, values = argument if isinstance(argument, list) and len(argument) == 2 else (argument, {})
    if isinstance(text, str) and isinstance(values, dict):
        for literal, name in SUBSTITUTION.findall(text):
            if not literal and name not in values:
                yield name.partition(".")[0]
        yield from names_in(values, with_conditional=with_conditional)
