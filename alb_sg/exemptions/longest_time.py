"""The longest time that an exemption may still last. The deployment sets it, not the writer of the document."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from alb_sg.errors import InvalidInputError
from alb_sg.exemptions.exemption import Exemption, Exemptions, MalformedExemption

# The functions' environment variable; unset or empty for no limit.
MAX_DAYS_VARIABLE = "ALB_SG_MAX_EXEMPTION_DAYS"


def parse_max_days(text: str | None) -> int | None:
    """The value of MAX_DAYS_VARIABLE in days, None without a limit. Raises InvalidInputError."""
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and 0 < len(text) < 6):
        raise InvalidInputError(f"{text!r} is not a number of days", MAX_DAYS_VARIABLE)
    return int(text)


def limit_exemptions(exemptions: Exemptions, today: date, max_days: int | None) -> Exemptions:
    """The exemptions without those that last longer: they are malformed, and exempt nothing."""
    if max_days is None:
        return exemptions
    latest = today + timedelta(days=max_days)
    too_long = [_too_long(entry, latest, max_days) for entry in exemptions.entries if entry.expires > latest]
    entries = tuple(entry for entry in exemptions.entries if entry.expires <= latest)
    return replace(exemptions, entries=entries, malformed=(*exemptions.malformed, *too_long))


def _too_long(entry: Exemption, latest: date, max_days: int) -> MalformedExemption:
    return MalformedExemption(
        "exemptions[…].expires",
        f"{entry.expires} is more than {max_days} {'day' if max_days == 1 else 'days'} ahead; the last day allowed is "
        f"{latest}",
        entry.load_balancer_arn,
        entry.rule,
    )
