"""Exemptions held against what there is: how long each still counts, and whether it hides anything."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import NamedTuple

from alb_sg.estate.home import Home
from alb_sg.exemptions.exemption import Exemption, Key
from alb_sg.findings.finding import Compliance, Finding, JudgementError

# An exemption that ends within so many days is about to, where nobody asks for another number.
DAYS = 30


class Status(Enum):
    """How long an exemption still counts. `EXPIRING`: it is in force, and ends within the days asked for."""

    IN_FORCE = "inForce"
    EXPIRING = "expiring"
    EXPIRED = "expired"


class Use(Enum):
    """Whether there is something that an exemption hides, or would if it had not expired. `UNKNOWN` is no answer:
    its account and region were not looked at, or something could not be read."""

    USED = "used"
    UNUSED = "unused"
    UNKNOWN = "unknown"


class Reviewed(NamedTuple):
    """An exemption, and `because`: what its use rests on."""

    exemption: Exemption
    status: Status
    use: Use
    because: str

    @property
    def wants_attention(self) -> bool:
        return self.status is not Status.IN_FORCE or self.use is Use.UNUSED


@dataclass(frozen=True)
class Looked:
    """What was looked at: accounts and regions, the results there by load balancer and rule, and what of them could
    not be enumerated."""

    homes: Collection[Home]
    results: Mapping[Key, Finding | JudgementError]
    incomplete: Iterable[JudgementError]


def review(exemptions: Iterable[Exemption], looked: Looked, today: date, days: int) -> list[Reviewed]:
    """Every exemption, in the order of account, region, ARN and rule; `days` is how soon is soon."""
    ordered = sorted(exemptions, key=lambda exemption: (exemption.home, *exemption.key))
    return [Reviewed(exemption, _status(exemption, today, days), *_use(exemption, looked)) for exemption in ordered]


def _status(exemption: Exemption, today: date, days: int) -> Status:
    if not exemption.in_force(today):
        return Status.EXPIRED
    return Status.EXPIRING if (exemption.expires - today).days <= days else Status.IN_FORCE


def _use(exemption: Exemption, looked: Looked) -> tuple[Use, str]:
    result = looked.results.get(exemption.key)
    if isinstance(result, Finding):
        if result.compliance is Compliance.NON_COMPLIANT:
            return Use.USED, f"{result.compliance.value}: {result.annotation}"
        return Use.UNUSED, f"{result.compliance.value} without it: {result.annotation}"
    if result is not None:
        return Use.UNKNOWN, f"not judged: {result.what}: {result.cause}"
    home = exemption.home
    for error in looked.incomplete:
        same_home = (error.account_id, error.region) == (home.account_id, home.region)
        if same_home and error.load_balancer_arn in (None, exemption.load_balancer_arn):
            return Use.UNKNOWN, f"not judged: {error.what}: {error.cause}"
    if home not in looked.homes:
        return Use.UNKNOWN, f"{home} was not looked at"
    return Use.UNUSED, f"there is no such load balancer in {home}"
