"""The option for `rdk-config.json`, whose severities reports show."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from alb_sg.command_line.output import write_note
from alb_sg.command_line.rule_selection import find_rule
from alb_sg.errors import InvalidInputError
from alb_sg.observations.applied_options import AppliedOption
from alb_sg.observations.severities import severities_in_settings
from alb_sg.parameters import ACCEPTED_SOURCES, ACCEPTED_SOURCES_MATCH, TAG_KEY, TARGET_MATCH
from alb_sg.recommendations.catalogue import DEFAULT_RECOMMENDATIONS, override_severities

DEFAULT_SETTINGS = "rdk-config.json"
# Where exemptions and configuration items come from is for the command line to say.
JUDGING_PARAMETERS = frozenset(one.name for one in (ACCEPTED_SOURCES, ACCEPTED_SOURCES_MATCH, TAG_KEY, TARGET_MATCH))


def add_settings_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--settings",
        metavar="F",
        help="the deployment's settings, whose severities replace those of the rules (default: rdk-config.json in the "
        "current folder, if it is there)",
    )


def apply_settings(arguments: argparse.Namespace) -> None:
    """Shows the severities of the settings; those of the rules without settings. Raises InvalidInputError."""
    path = getattr(arguments, "settings", None)
    if path is None and not Path(DEFAULT_SETTINGS).is_file():
        override_severities({})
        return
    place = path or DEFAULT_SETTINGS
    try:
        content = json.loads(Path(place).read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidInputError(f"cannot be read ({error.strerror or error})", place) from error
    except ValueError as error:
        raise InvalidInputError(f"is not JSON ({error})", place) from error
    if not isinstance(content, dict):
        raise InvalidInputError("is not an object, as rdk-config.json is", place)
    try:
        severities = severities_in_settings(content)
    except InvalidInputError as error:
        raise error.inside(place) from error
    override_severities(severities)
    if hasattr(arguments, "settings"):
        values = tuple(f"{name}={severity.name}" for name, severity in sorted(severities.items()))
        _apply(arguments, [AppliedOption("severity", values, place)] if values else [])
    # Outside of it: an unknown rule is one of the command line.
    _add_parameters(arguments, content, place)


def _add_parameters(arguments: argparse.Namespace, settings: Mapping[str, Any], place: str) -> None:
    """Adds the parameters of the deployed rules that the command line does not give, so that both judge alike.

    Recorded verdicts have their own parameters already.
    """
    recorded = (
        getattr(arguments, "shows_recorded_verdicts", False)
        and arguments.aggregator is not None
        and getattr(arguments, "verdicts", None) != "own"
    )
    if recorded or getattr(arguments, "parameter", None) is None:
        return
    given = {text.partition("=")[0].rpartition(":")[::2] for text in arguments.parameter}
    named = {(find_rule(rule).name if rule else "", key) for rule, key in given}
    rules = [find_rule(name) for name in arguments.rule] or DEFAULT_RECOMMENDATIONS
    added = []
    for rule in rules:
        own = settings.get("rules", {}).get(rule.name, {}).get("parameters", {})
        for key, value in {**settings.get("parameters", {}), **own}.items():
            is_given = {("", key), (rule.name, key)} & named
            if key in JUDGING_PARAMETERS and key in rule.parameter_names and not is_given:
                added.append(f"{rule.name}:{key}={value}")
    arguments.parameter = [*arguments.parameter, *added]
    _apply(arguments, [AppliedOption("--parameter", (text,), place) for text in added])


def _apply(arguments: argparse.Namespace, options: Sequence[AppliedOption]) -> None:
    """Adds options to those that applied, and says them with `--verbose`."""
    arguments.applied_options = [*getattr(arguments, "applied_options", ()), *options]
    if arguments.verbose:
        for one in options:
            write_note(f"{one.option}={','.join(one.values)} from {one.origin}")
