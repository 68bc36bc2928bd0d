"""Exemptions: which load balancer is exempt from which rule, with reason, owner and expiry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from alb_sg.aws.account_region import AccountRegion, account_region_of

# A load balancer's ARN and a rule's name.
VerdictKey = tuple[str, str]


class Exemption(NamedTuple):
    """One load balancer is exempt from one rule, through the day `expires` (UTC).

    With `ports`, only what the rule requires on these TCP ports is exempt; the rest is still judged.
    """

    load_balancer_arn: str
    rule: str
    reason: str
    owner: str
    ticket: str
    expires: date
    ports: tuple[int, ...] = ()

    @property
    def key(self) -> VerdictKey:
        return self.load_balancer_arn, self.rule

    @property
    def account_region(self) -> AccountRegion:
        """Those of the load balancer."""
        return account_region_of(self.load_balancer_arn, "loadBalancer")

    def is_in_force(self, today: date) -> bool:
        return today <= self.expires


class MalformedExemption(NamedTuple):
    """An invalid entry, which exempts nothing: `place` is its place in the document, `message` its fault.

    `load_balancer_arn` and `rule` are None if the entry has no valid ones.
    """

    place: str
    message: str
    load_balancer_arn: str | None
    rule: str | None

    def may_apply_to(self, rule: str, account_region: AccountRegion) -> bool:
        """Whether the entry may have been intended for a rule in an account and region."""
        arn = self.load_balancer_arn
        return self.rule in (None, rule) and (arn is None or account_region_of(arn, "loadBalancer") == account_region)

    def __str__(self) -> str:
        subject = " ".join(name for name in (self.rule, self.load_balancer_arn) if name is not None)
        return f"{self.message}; the exemption{f' ({subject})' if subject else ''} hides nothing"


@dataclass(frozen=True)
class Exemptions:
    """The content of a document. No two `entries` are for the same load balancer and rule."""

    document_name: str
    entries: tuple[Exemption, ...] = ()
    malformed: tuple[MalformedExemption, ...] = ()
    _by_key: Mapping[VerdictKey, Exemption] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_key", {entry.key: entry for entry in self.entries})

    def find(self, load_balancer_arn: str, rule: str) -> Exemption | None:
        """The exemption of a load balancer from a rule, in force or expired."""
        return self._by_key.get((load_balancer_arn, rule))

    def of_ports(self, today: date) -> Mapping[VerdictKey, Exemption]:
        """The exemptions of single ports that are in force. They count when a load balancer is judged, not after."""
        return {entry.key: entry for entry in self.entries if entry.ports and entry.is_in_force(today)}
