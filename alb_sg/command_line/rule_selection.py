"""The rules that a run judges, with their parameters, and what they need to read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from alb_sg.command_line.suggestions import did_you_mean
from alb_sg.errors import InvalidInputError
from alb_sg.parameters import (
    EXEMPTIONS_PARAMETER,
    PARAMETERS,
    SOURCE_PARAMETER,
    Parameters,
    parse_parameters,
)
from alb_sg.recommendations.catalogue import (
    DEFAULT_RECOMMENDATIONS,
    DISPLAY_ORDER,
    RECOMMENDATIONS,
    RECOMMENDATIONS_BY_NAME,
)
from alb_sg.recommendations.recommendation import NAME_PREFIX, Recommendation


@dataclass(frozen=True, slots=True)
class RuleSelection:
    """The rules of a run, each with its parameters. `also_sections` are read for other purposes than verdicts."""

    rules: Mapping[Recommendation, Parameters]
    also_sections: frozenset[str] = frozenset()

    @property
    def rule_names(self) -> tuple[str, ...]:
        return tuple(sorted(rule.name for rule in self.rules))

    @property
    def rules_to_display(self) -> dict[Recommendation, Parameters]:
        """The rules in the order of display."""
        return {rule: self.rules[rule] for rule in DISPLAY_ORDER if rule in self.rules}

    @property
    def detail_sections(self) -> frozenset[str]:
        """The sections to read beside those that a verdict can depend on."""
        return self.also_sections.union(*(rule.detail_sections for rule in self.rules))


def find_rule(name: str) -> Recommendation:
    """A rule by its name, in any letter case, with or without `ALB_SG_`. Raises InvalidInputError."""
    upper = name.strip().upper().replace("-", "_")
    found = RECOMMENDATIONS_BY_NAME.get(upper) or RECOMMENDATIONS_BY_NAME.get(NAME_PREFIX + upper)
    if found is None:
        short_names = [known.removeprefix(NAME_PREFIX) for known in RECOMMENDATIONS_BY_NAME]
        hint = did_you_mean(upper.removeprefix(NAME_PREFIX), short_names)
        raise InvalidInputError(f"unknown rule {name!r}; known are {', '.join(sorted(RECOMMENDATIONS_BY_NAME))}{hint}")
    return found


def select_rules(names: Sequence[str], parameters: Iterable[str]) -> RuleSelection:
    """The named rules, with parameters in the form `RULE:Key=Value` or `Key=Value`.

    Without a name, those that are deployed by default. A parameter without a rule applies to every selected rule that
    takes it. Raises InvalidInputError that names it.
    """
    chosen = {find_rule(name) for name in names} or set(DEFAULT_RECOMMENDATIONS)
    values: dict[Recommendation, dict[str, str]] = {rule: {} for rule in RECOMMENDATIONS if rule in chosen}
    for text in parameters:
        rules, key, value = _parse_parameter_option(text, values)
        for rule in rules:
            if values[rule].setdefault(key, value) != value:
                raise InvalidInputError(f"rule parameter {key} of {rule.name} is given twice, with different values")
    selected = {}
    for rule, given in values.items():
        try:
            selected[rule] = parse_parameters(given)
        except InvalidInputError as error:
            raise error.inside(f"--parameter {rule.name}") from error
    return RuleSelection(selected)


def _parse_parameter_option(option: str, chosen: Iterable[Recommendation]) -> tuple[list[Recommendation], str, str]:
    """The rules that a parameter is for, its key and its value."""
    left, equals, value = option.partition("=")
    rule_name, colon, key = left.rpartition(":")
    if not equals or not key or (colon and not rule_name):
        raise InvalidInputError(f"--parameter {option!r} is not RULE:Key=Value or Key=Value")
    if key == EXEMPTIONS_PARAMETER:
        raise InvalidInputError(f"--parameter {option!r}: give exemptions with --exemptions SOURCE, for all rules")
    if key == SOURCE_PARAMETER:
        raise InvalidInputError(f"--parameter {option!r}: give the source with --source, for all rules")
    if colon:
        rule = find_rule(rule_name)
        if rule not in chosen:
            raise InvalidInputError(f"--parameter {option!r} is for a rule that --rule does not select")
        if key not in rule.parameter_names:
            raise InvalidInputError(
                f"{rule.name} takes no rule parameter {key!r}; it takes {', '.join(rule.parameter_names)}"
            )
        return [rule], key, value
    if not any(key in rule.parameter_names for rule in RECOMMENDATIONS):
        known = ", ".join(fact.name for fact in PARAMETERS)
        hint = did_you_mean(key, (fact.name for fact in PARAMETERS))
        raise InvalidInputError(f"unknown rule parameter {key!r}; known are {known}{hint}")
    rules = [rule for rule in chosen if key in rule.parameter_names]
    if not rules:
        raise InvalidInputError(f"--parameter {option!r}: no selected rule takes {key}")
    return rules, key, value
