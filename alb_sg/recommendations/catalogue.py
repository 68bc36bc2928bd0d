"""All recommendations: every module of this package that defines `RECOMMENDATION`.

A new rule is a new module and no other change here.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator, Mapping
from importlib import import_module
from operator import attrgetter

from alb_sg import recommendations
from alb_sg.recommendations.recommendation import USER_GUIDE_URL, Recommendation, Severity

__all__ = ("DISPLAY_ORDER", "RECOMMENDATIONS", "RECOMMENDATIONS_BY_NAME", "USER_GUIDE_URL", "rule_severity")


def _collect() -> Iterator[Recommendation]:
    for module_info in pkgutil.iter_modules(recommendations.__path__, f"{recommendations.__name__}."):
        recommendation = getattr(import_module(module_info.name), "RECOMMENDATION", None)
        if recommendation is not None:
            yield recommendation


RECOMMENDATIONS: tuple[Recommendation, ...] = tuple(sorted(_collect(), key=attrgetter("name")))
RECOMMENDATIONS_BY_NAME = {recommendation.name: recommendation for recommendation in RECOMMENDATIONS}
# The rules that are judged where none is named.
DEFAULT_RECOMMENDATIONS = tuple(rule for rule in RECOMMENDATIONS if rule.deployed_by_default)
# As rules are listed for people: inbound, outbound, and ICMP below them, as on the user guide's page.
DISPLAY_ORDER = tuple(sorted(RECOMMENDATIONS, key=attrgetter("display_order", "name")))


_overridden_severities: dict[str, Severity] = {}


def override_severities(severities: Mapping[str, Severity]) -> None:
    """Give rules other severities than their own, by name, in everything that this process reports."""
    _overridden_severities.clear()
    _overridden_severities.update(severities)


def rule_severity(rule: str | None) -> Severity:
    """The severity of a rule by its name; HIGH for an unknown rule, and where no rule is known."""
    overridden = _overridden_severities.get(rule or "")
    if overridden is not None:
        return overridden
    known = RECOMMENDATIONS_BY_NAME.get(rule or "")
    return Severity.HIGH if known is None else known.severity
