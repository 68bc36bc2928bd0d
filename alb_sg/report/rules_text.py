"""What each rule asks, its parameters, and where the Elastic Load Balancing user guide says so."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from typing import TextIO

from alb_sg.parameters import PARAMETERS
from alb_sg.recommendations.catalogue import HEALTH_CHECK_EGRESS, INSTANCE_EGRESS, USER_GUIDE_URL, Recommendation
from alb_sg.report.explanation_text import EGRESS_CAVEAT
from alb_sg.report.style import Style

WIDTH = 100


def write_rules(rules: Iterable[Recommendation], stream: TextIO, style: Style) -> None:
    stream.writelines(line + "\n" for line in _lines(rules, style))


def _lines(rules: Iterable[Recommendation], style: Style) -> Iterator[str]:
    for index, rule in enumerate(rules):
        if index:
            yield ""
        yield f"{style.bold(rule.name)}  {rule.title}"
        yield from _wrap(rule.requirement_text)
        if rule in (INSTANCE_EGRESS, HEALTH_CHECK_EGRESS):
            yield from _wrap(EGRESS_CAVEAT)
        yield from _wrap(f'"{rule.quote}" (section "{rule.page_section}")')
        yield f"  {USER_GUIDE_URL}"
        yield "  parameters:"
        for fact in PARAMETERS:
            if rule.name in fact.rules:
                default = f"default {fact.default}" if fact.default else "no default"
                yield f"    {fact.name} ({default})"
                yield from _wrap(fact.meaning, "      ")


def _wrap(text: str, indent: str = "  ") -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)
