"""Exemptions compared with results: how long each still counts, and whether it hides anything."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import NamedTuple

from alb_sg.aws.account_region import AccountRegion
from alb_sg.exemptions.exemption import Exemption, VerdictKey
from alb_sg.findings.finding import Compliance, EvaluationError, Finding, Result

# An exemption that ends within this many days is about to expire.
DEFAULT_EXPIRING_DAYS = 30


class ExemptionStatus(Enum):
    """How long an exemption still counts. `EXPIRING`: it is in force and about to expire."""

    IN_FORCE = "inForce"
    EXPIRING = "expiring"
    EXPIRED = "expired"


class ExemptionUse(Enum):
    """Whether an exemption hides a finding, or would hide one if it had not expired. `UNKNOWN`: its account and region
    were not in scope, or something could not be read."""

    USED = "used"
    UNUSED = "unused"
    UNKNOWN = "unknown"


class ReviewedExemption(NamedTuple):
    """An exemption with its status and use. `reason` explains the use."""

    exemption: Exemption
    status: ExemptionStatus
    use: ExemptionUse
    reason: str

    @property
    def needs_attention(self) -> bool:
        return self.status is not ExemptionStatus.IN_FORCE or self.use is ExemptionUse.UNUSED


@dataclass(frozen=True)
class ReviewScope:
    """What exemptions are compared with: accounts and regions, their results, and the errors of what could not be
    enumerated."""

    account_regions: Collection[AccountRegion]
    results: Mapping[VerdictKey, Result]
    incomplete: Iterable[EvaluationError]


def review(exemptions: Iterable[Exemption], scope: ReviewScope, today: date, days: int) -> list[ReviewedExemption]:
    """Every exemption, in the order of account, region, ARN and rule. Those that end within `days` are expiring."""
    ordered = sorted(exemptions, key=lambda exemption: (exemption.account_region, *exemption.key))
    return [
        ReviewedExemption(exemption, _status(exemption, today, days), *_use(exemption, scope)) for exemption in ordered
    ]


def _status(exemption: Exemption, today: date, days: int) -> ExemptionStatus:
    if not exemption.is_in_force(today):
        return ExemptionStatus.EXPIRED
    return ExemptionStatus.EXPIRING if (exemption.expires - today).days <= days else ExemptionStatus.IN_FORCE


def _concerns(exemption: Exemption, finding: Finding) -> bool:
    """Whether something is missing on the ports of an exemption, or open and unused."""
    missing = [(entry.from_port, entry.to_port) for entry in finding.missing if entry.protocol == "tcp"]
    unused = [(entry.from_port or 0, entry.to_port or 0) for entry in finding.unused if entry.protocol == "tcp"]
    return any(first <= port <= last for first, last in (*missing, *unused) for port in exemption.ports)


def _use(exemption: Exemption, scope: ReviewScope) -> tuple[ExemptionUse, str]:
    result = scope.results.get(exemption.key)
    if isinstance(result, Finding):
        if result.compliance is Compliance.NON_COMPLIANT:
            if exemption.ports and not _concerns(exemption, result):
                return ExemptionUse.UNUSED, f"nothing is missing on its ports: {result.annotation}"
            return ExemptionUse.USED, f"{result.compliance.value}: {result.annotation}"
        return ExemptionUse.UNUSED, f"{result.compliance.value} without it: {result.annotation}"
    if result is not None:
        return ExemptionUse.UNKNOWN, f"not judged: {result.what}: {result.cause}"
    account_region = exemption.account_region
    for error in scope.incomplete:
        same_account_region = (error.account_id, error.region) == account_region
        if same_account_region and error.load_balancer_arn in (None, exemption.load_balancer_arn):
            return ExemptionUse.UNKNOWN, f"not judged: {error.what}: {error.cause}"
    if account_region not in scope.account_regions:
        return ExemptionUse.UNKNOWN, f"{account_region} was not looked at"
    return ExemptionUse.UNUSED, f"there is no such load balancer in {account_region}"
