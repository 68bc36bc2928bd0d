"""Severities that `rdk-config.json` gives rules instead of their own, for everything that reports in this process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alb_sg.errors import InvalidInputError
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME
from alb_sg.recommendations.recommendation import Severity


def severities_in_settings(settings: Mapping[str, Any]) -> dict[str, Severity]:
    """The severities by rule in the content of `rdk-config.json`. Raises InvalidInputError."""
    rules = settings.get("rules", {})
    if not isinstance(rules, Mapping):
        raise InvalidInputError("is not an object with a rule's settings under its name", "rules")
    given = {name: rule["severity"] for name, rule in rules.items() if isinstance(rule, Mapping) and "severity" in rule}
    return {name: _severity(text, f"rules.{name}.severity") for name, text in given.items()}


def parse_severities(text: str) -> dict[str, Severity]:
    """The severities in a text such as `ALB_SG_ICMP_PMTUD=HIGH,…`; none in an empty one. Raises InvalidInputError."""
    severities: dict[str, Severity] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, severity = part.partition("=")
        if not equals or name not in RECOMMENDATIONS_BY_NAME:
            raise InvalidInputError(f"{part!r} is not RULE=SEVERITY with the name of a rule")
        severities[name] = _severity(severity, name)
    return severities


def format_severities(severities: Mapping[str, Severity]) -> str:
    """The text that `parse_severities` reads."""
    return ",".join(f"{name}={severity.name}" for name, severity in sorted(severities.items()))


def _severity(text: object, place: str) -> Severity:
    if isinstance(text, str) and text in Severity.__members__:
        return Severity[text]
    raise InvalidInputError(f"{text!r} is not one of {', '.join(Severity.__members__)}", place)
