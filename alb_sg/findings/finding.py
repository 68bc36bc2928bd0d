"""What is found out about one load balancer: a finding per rule, or an error that names what was not read."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from alb_sg.estate.estate import Estate, ReadFailure
from alb_sg.estate.sections import Section
from alb_sg.exemptions.exemption import Exemption
from alb_sg.recommendations.requirement import Origin


class Compliance(Enum):
    """AWS Config's ComplianceType."""

    COMPLIANT = "COMPLIANT"
    NON_COMPLIANT = "NON_COMPLIANT"
    NOT_APPLICABLE = "NOT_APPLICABLE"

    # Enum hashes through its name's string.
    __hash__ = object.__hash__


# As in `estate.cidr`: a member is not looked up in its Enum for every verdict.
COMPLIANT, NON_COMPLIANT, NOT_APPLICABLE = Compliance


class Missing(NamedTuple):
    """One thing that is not let through, exactly.

    `required` is the whole peer and `peers` the part of it that is not allowed yet, as few CIDR blocks as will
    do: allowing `peers` is enough, and no address in it is already allowed. A reference to any one of
    `or_security_groups` does as well. For ICMP, `from_port` and `to_port` are type and code.
    """

    direction: str
    protocol: str
    from_port: int
    to_port: int
    required: tuple[str, ...]
    peers: tuple[str, ...]
    or_security_groups: tuple[str, ...]
    origin: Origin


class Finding(NamedTuple):
    """The verdict of one rule on one load balancer. `unresolved`: only what could not be resolved stands
    between the load balancer and COMPLIANT. `exempted`: it is NOT_APPLICABLE by an exemption in force."""

    account_id: str
    region: str
    load_balancer_arn: str
    load_balancer_name: str
    rule: str
    compliance: Compliance
    annotation: str
    unresolved: bool = False
    missing: tuple[Missing, ...] = ()
    applied_exemption: AppliedExemption | None = None

    @property
    def sort_key(self) -> tuple[str, str, str, str]:
        return (self.account_id, self.region, self.load_balancer_arn, self.rule)


class EvaluationError(NamedTuple):
    """Something could not be judged or read: `what` names it, `cause` says why. Never a verdict.

    `load_balancer_arn` None: it concerns a whole account and region, such as an enumeration that failed.
    """

    account_id: str
    region: str
    load_balancer_arn: str | None
    rule: str | None
    what: str
    cause: str

    @property
    def sort_key(self) -> tuple[str, str, str, str, str, str]:
        return (self.account_id, self.region, self.load_balancer_arn or "", self.rule or "", self.what, self.cause)


class AppliedExemption(NamedTuple):
    """An exemption in force, and what would be said without it."""

    exemption: Exemption
    result_without: Finding | EvaluationError


def enumeration_error(estate: Estate, failure: ReadFailure, rule: str | None = None) -> EvaluationError:
    """The error for a failure that may hide load balancers: a single one, or any of the account and region."""
    is_load_balancer = failure.section == Section.LOAD_BALANCERS and failure.key is not None
    what = (
        f"load balancer {failure.key}"
        if is_load_balancer
        else f"{failure.section} of {estate.account_id} {estate.region}"
    )
    arn = failure.key if is_load_balancer else None
    return EvaluationError(estate.account_id, estate.region, arn, rule, what, failure.cause)
