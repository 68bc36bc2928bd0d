"""What options have in common: that some repeat, that some do not apply, and the types of their values.

A type takes an option's text, and raises argparse's error, in one sentence, for any other.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from alb_sg.errors import InvalidInputError
from alb_sg.exemptions.document import parse_date
from alb_sg.parameters import SECURITY_GROUP_ID

TRAFFIC_PORT = "traffic-port"
DIGITS_PATTERN = re.compile(r"[0-9]{1,9}")


def add_repeatable(group: argparse._ActionsContainer, *flags: str, **settings: Any) -> argparse.Action:
    """Adds an option that may be given several times; its value is a list, empty without it. `settings`: argparse's."""
    return group.add_argument(*flags, action="append", default=[], **settings)


def given_option(arguments: argparse.Namespace, *options: str) -> str | None:
    """The first of these options, such as `--config-items`, that is given; None if none is, or the command lacks it."""
    values = {one: getattr(arguments, one.removeprefix("--").replace("-", "_"), None) for one in options}
    return next((option for option, value in values.items() if value not in (None, False, [])), None)


def whole_number(lowest: int, highest: int, noun: str) -> Callable[[str], int]:
    """The type of a number from `lowest` to `highest`; `noun` names it in the error, such as "a number of days"."""

    def parse(text: str) -> int:
        if DIGITS_PATTERN.fullmatch(text) and lowest <= int(text) <= highest:
            return int(text)
        raise argparse.ArgumentTypeError(f"{text!r} is not {noun} ({lowest} to {highest})")

    return parse


def text_like(pattern: re.Pattern[str], wanted: str) -> Callable[[str], str]:
    """The type of a text that a pattern fits; `wanted` ends the error's sentence, such as "not an account id"."""

    def parse(text: str) -> str:
        if pattern.fullmatch(text):
            return text
        raise argparse.ArgumentTypeError(f"{text!r} is {wanted}")

    return parse


port = whole_number(1, 65535, "a port")


def health_check_port(text: str) -> tuple[str, int | None]:
    """A target group's name or ARN with its port, from `GROUP=PORT`; None is `traffic-port`."""
    name, equals, value = text.rpartition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not TARGET-GROUP=PORT")
    return name, None if value == TRAFFIC_PORT else port(value)


def security_group_ids(text: str) -> tuple[str, ...]:
    """Security group ids from a comma-separated list, each once, in the order given."""
    group_ids = tuple(dict.fromkeys(group_id.strip() for group_id in text.split(",")))
    for group_id in group_ids:
        if not SECURITY_GROUP_ID.fullmatch(group_id):
            raise argparse.ArgumentTypeError(f"{group_id!r} is not a security group (sg-…)")
    return group_ids


def calendar_date(text: str) -> date:
    """A date in the form YYYY-MM-DD."""
    try:
        return parse_date(text)
    except InvalidInputError as error:
        raise argparse.ArgumentTypeError(error.message) from error


def time_with_zone(text: str) -> datetime:
    """A time in ISO 8601 with its zone, converted to UTC."""
    try:
        time = datetime.fromisoformat(text)
        if time.tzinfo is not None:
            return time.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise argparse.ArgumentTypeError(f"{text!r} is not a time with its zone, such as 2027-01-31T08:00:00Z")
