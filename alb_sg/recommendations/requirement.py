"""What a recommendation asks for: requirements, each with its peer and the reason it is there."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from alb_sg.errors import Unread
from alb_sg.estate.cidr import Family
from alb_sg.permissions.addresses import AddressSet
from alb_sg.permissions.permissions import Direction, Traffic


class NotApplicable(Exception):
    """The recommendation asks nothing of this load balancer: the reason, as it is shown."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Because:
    """Where a requirement comes from: `type` is `listener`, `targetGroup` or `loadBalancer`; `label` is what a
    person calls it, such as `HTTPS:443` or `target group web`."""

    type: str
    arn: str
    label: str


@dataclass(frozen=True, slots=True)
class AddressPeer:
    """All of a set of addresses: `required` as the recommendation states it (CIDR blocks), `addresses` the
    same as a set. A reference to one of `or_security_groups` does as well (those of the Network Load Balancer
    whose traffic this is). `label` says what the addresses are."""

    family: Family
    required: tuple[str, ...]
    addresses: AddressSet
    or_security_groups: frozenset[str] = frozenset()
    label: str = ""


@dataclass(frozen=True, slots=True)
class PrefixListPeer:
    """All entries of a prefix list: a reference to the list itself does, and so do its entries."""

    family: Family
    prefix_list_id: str


@dataclass(frozen=True, slots=True)
class GroupPeer:
    """A reference to this security group."""

    family: Family
    group_id: str


@dataclass(frozen=True, slots=True)
class EndpointPeer:
    """One registered target: an address together with the groups of its network interface.

    `address` is None where it is not known. What is known of the groups is in `groups`, unless one of
    these says why not: `unread` (what was not read), `unresolved` (read, but no interface holds the address),
    `outside` (the address is outside the target group's VPC: a peering reference may still reach it).
    """

    family: Family
    name: str
    address: int | None
    required: str | None
    groups: frozenset[str] = frozenset()
    unread: Unread | None = None
    unresolved: str | None = None
    outside: bool = False


Peer = AddressPeer | PrefixListPeer | GroupPeer | EndpointPeer


@dataclass(frozen=True, slots=True)
class Requirement:
    """One thing that must be let through. `replaceable`: `AcceptedSources` may stand in for the peer."""

    direction: Direction
    traffic: Traffic
    peer: Peer
    because: Because
    replaceable: bool = False


@dataclass(frozen=True, slots=True)
class Demand:
    """All that one recommendation asks of one load balancer, and remarks that belong into the finding."""

    requirements: tuple[Requirement, ...]
    remarks: tuple[str, ...] = ()


def address_peer(
    family: Family,
    cidrs: tuple[str, ...],
    or_security_groups: frozenset[str] = frozenset(),
    label: str = "",
) -> AddressPeer:
    return AddressPeer(family, cidrs, _addresses(family, cidrs), or_security_groups, label)


@lru_cache(maxsize=4096)
def _addresses(family: Family, cidrs: tuple[str, ...]) -> AddressSet:
    return AddressSet.of(family, cidrs)
