"""What a rule concludes about one load balancer: a finding, or an error that names what was not read."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from alb_sg.aws.arns import load_balancer_name
from alb_sg.estate.estate import Estate, ReadFailure
from alb_sg.estate.sections import Section
from alb_sg.exemptions.exemption import Exemption
from alb_sg.permissions.unused_traffic import PortRange
from alb_sg.recommendations.requirement import Origin


class Compliance(Enum):
    """AWS Config's ComplianceType."""

    COMPLIANT = "COMPLIANT"
    NON_COMPLIANT = "NON_COMPLIANT"
    NOT_APPLICABLE = "NOT_APPLICABLE"


class Change(Enum):
    """What a planned change does to a finding, or to what could be judged."""

    NEWLY_BROKEN = "newly broken"
    STILL_BROKEN = "still broken"
    FIXED = "fixed"
    NEWLY_UNKNOWN = "newly unknown"
    STILL_UNKNOWN = "still unknown"


# What a change is answerable for.
NEW_CHANGES = frozenset({Change.NEWLY_BROKEN, Change.NEWLY_UNKNOWN})


class Missing(NamedTuple):
    """One missing permission.

    `required` is the whole recommended peer. `peers` is the part of it that is not allowed yet, as the fewest CIDR
    blocks: to allow `peers` is enough, and none of its addresses is allowed already. A reference to one of
    `or_security_groups` is enough as well. For ICMP, `from_port` and `to_port` are type and code.

    For the direction `targetIngress`, one of `security_groups` must allow it: the groups of some targets, or none where
    they are not known. Otherwise they are empty, and one of the load balancer's groups must.
    """

    direction: str
    protocol: str
    from_port: int
    to_port: int
    required: tuple[str, ...]
    peers: tuple[str, ...]
    or_security_groups: tuple[str, ...]
    origin: Origin
    security_groups: tuple[str, ...] = ()


class Unused(NamedTuple):
    """What a rule of a security group lets in and no listener uses, from all of its peers.

    Without ports, it is the whole protocol; for protocol `-1`, everything but `used`. `rule_ids` are the IDs of the
    security group rules that it is a part of, as far as the source tells them.
    """

    security_group: str
    protocol: str
    from_port: int | None
    to_port: int | None
    peers: tuple[str, ...]
    used: tuple[PortRange, ...] = ()
    rule_ids: tuple[str, ...] = ()


class Finding(NamedTuple):
    """The verdict of one rule on one load balancer.

    `annotation` says the same as the other fields, for people; nothing is computed from it. `unresolved`: the load
    balancer may be COMPLIANT, depending on facts that AWS does not show. `remarks` are sentences on a verdict that a
    reader should know even where it is COMPLIANT, such as an accepted source that it rests on. `security_groups` are
    those that the verdict rests on and that a fix changes: the load balancer's, or its targets'. `applied_exemption`:
    the exemption in force that makes it NOT_APPLICABLE. `unused` are parts that are open and should not be; a finding
    has either those or `missing`. `change`: what a planned change over an estate does to it.
    """

    account_id: str
    region: str
    load_balancer_arn: str
    load_balancer_name: str
    rule: str
    compliance: Compliance
    annotation: str
    unresolved: bool = False
    missing: tuple[Missing, ...] = ()
    remarks: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()
    applied_exemption: AppliedExemption | None = None
    unused: tuple[Unused, ...] = ()
    change: Change | None = None

    @property
    def sort_key(self) -> tuple[str, str, str, str]:
        return (self.account_id, self.region, self.load_balancer_arn, self.rule)


class EvaluationError(NamedTuple):
    """Something could not be judged or read: `what` names it, `cause` says why. Never a verdict.

    `load_balancer_arn` is None where the error concerns a whole account and region, such as a failed enumeration.
    """

    account_id: str
    region: str
    load_balancer_arn: str | None
    rule: str | None
    what: str
    cause: str
    change: Change | None = None

    @property
    def load_balancer_name(self) -> str | None:
        return None if self.load_balancer_arn is None else load_balancer_name(self.load_balancer_arn)

    @property
    def sort_key(self) -> tuple[str, str, str, str, str, str]:
        return (self.account_id, self.region, self.load_balancer_arn or "", self.rule or "", self.what, self.cause)


Result = Finding | EvaluationError


class AppliedExemption(NamedTuple):
    """An exemption in force, and the result without it."""

    exemption: Exemption
    result_without: Result


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
