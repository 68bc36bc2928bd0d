"""`alb-sg rules`: what each rule requires, its parameters, and the sentence of the user guide behind it.

As JSON: {"version": 1, "rules": [{"name", "title", "severity", "requirement", "caveat", "deployedByDefault", "quote",
"section", "url", "parameters": [{"name", "default", "meaning"}]}]}; `caveat` may be null.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from typing import Any

from alb_sg.recommendations.catalogue import rule_severity
from alb_sg.recommendations.recommendation import Recommendation
from alb_sg.report.json_report import JSON_VERSION
from alb_sg.report.style import Style

WIDTH = 100


def rules_document(rules: Iterable[Recommendation]) -> dict[str, Any]:
    return {"version": JSON_VERSION, "rules": [_rule_object(rule) for rule in rules]}


def _rule_object(rule: Recommendation) -> dict[str, Any]:
    return {
        "name": rule.name,
        "title": rule.title,
        "severity": rule_severity(rule.name).name,
        "requirement": rule.requirement_text,
        "caveat": rule.caveat,
        "deployedByDefault": rule.deployed_by_default,
        "quote": rule.quote,
        "section": rule.page_section,
        "url": rule.page_url,
        "parameters": [{"name": one.name, "default": one.default, "meaning": one.meaning} for one in rule.parameters],
    }


def rules_lines(rules: Iterable[Recommendation], style: Style) -> Iterator[str]:
    for index, rule in enumerate(rules):
        if index:
            yield ""
        yield f"{style.bold(rule.name)}  [{rule_severity(rule.name).name}] {rule.title}"
        yield from _wrap(rule.requirement_text)
        if rule.caveat is not None:
            yield from _wrap(rule.caveat)
        if not rule.deployed_by_default:
            yield from _wrap("It is deployed where rdk-config.json says so, and judged by commands where it is named.")
        yield from _wrap(f'"{rule.quote}" (section "{rule.page_section}")')
        yield f"  {rule.page_url}"
        yield "  parameters:"
        for definition in rule.parameters:
            default = f"default {definition.default}" if definition.default else "no default"
            yield f"    {definition.name} ({default})"
            yield from _wrap(definition.meaning, "      ")


def _wrap(text: str, indent: str = "  ") -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)
