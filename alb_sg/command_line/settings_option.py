"""The option for `rdk-config.json`, whose severities reports show."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from alb_sg.errors import InvalidInputError
from alb_sg.observations.severities import severities_in_settings
from alb_sg.recommendations.catalogue import override_severities

DEFAULT_SETTINGS = "rdk-config.json"


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
        override_severities(severities_in_settings(content))
    except InvalidInputError as error:
        raise error.inside(place) from error
