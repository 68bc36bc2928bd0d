"""What a recommendation asks for: requirements, each with its peer and the reason it is there."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from alb_sg.errors import NotReadError
from alb_sg.estate.cidr import Family, parse_cidr
from alb_sg.estate.model import Listener, LoadBalancer, TargetGroup
from alb_sg.estate.snapshots.speed import tuple_constructor
from alb_sg.permissions.addresses import AddressSet
from alb_sg.permissions.allowed_traffic import Direction, Traffic

# What a recommendation asks something for: the load balancer itself is asked for its clients' messages.
OriginResource = Listener | TargetGroup | LoadBalancer


class NotApplicable(Exception):
    """The recommendation asks nothing of this load balancer: the reason, as it is shown."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Origin(NamedTuple):
    """Where a requirement comes from: `type` is `listener`, `targetGroup` or `loadBalancer`; `label` is what a
    person calls it, such as `HTTPS:443` or `target group web`."""

    type: str
    arn: str
    label: str

    @staticmethod
    def from_resource(resource: OriginResource) -> Origin:
        """Why something is asked for, put into words only for what is said of it."""
        match resource:
            case Listener():
                return Origin("listener", resource.arn, f"{resource.protocol}:{resource.port}")
            case TargetGroup():
                return Origin("targetGroup", resource.arn, f"target group {resource.name}")
            case LoadBalancer():
                return Origin("loadBalancer", resource.arn, "Path MTU Discovery")


class AddressPeer(NamedTuple):
    """All of a set of addresses: `required` as the recommendation states it (CIDR blocks), `addresses` the
    same as a set. A reference to one of `or_security_groups` does as well (those of the Network Load Balancer
    whose traffic this is). `label` says what the addresses are."""

    family: Family
    cidrs: tuple[str, ...]
    addresses: AddressSet
    or_security_groups: frozenset[str] = frozenset()
    label: str = ""


class PrefixListPeer(NamedTuple):
    """All entries of a prefix list: a reference to the list itself does, and so do its entries."""

    family: Family
    prefix_list_id: str


class SecurityGroupPeer(NamedTuple):
    """A reference to this security group."""

    family: Family
    group_id: str


class TargetPeer(NamedTuple):
    """One registered target: an address together with the groups of its network interface.

    `ip` is its address as text, None where it is not known. What is known of the groups is in `groups`, unless one
    of these says why not: `unread` (what was not read), `unresolved` (read, but no interface holds the address),
    `outside` (the address is outside the target group's VPC: a peering reference may still reach it).
    """

    family: Family
    target_id: str
    ip: str | None
    security_groups: frozenset[str] = frozenset()
    unread: NotReadError | None = None
    unresolved: str | None = None
    is_outside_vpc: bool = False

    @property
    def address(self) -> int | None:
        return None if self.ip is None else parse_cidr(self.ip)[1][0]

    @property
    def cidr(self) -> str | None:
        """The CIDR block of this address alone."""
        return None if self.ip is None else f"{self.ip}/{self.family.bits}"


Peer = AddressPeer | PrefixListPeer | SecurityGroupPeer | TargetPeer


class Requirement(NamedTuple):
    """One thing that must be let through. `replaceable`: `AcceptedSources` may stand in for the peer."""

    direction: Direction
    traffic: Traffic
    peer: Peer
    origin: Origin
    allows_accepted_sources: bool = False


class RequirementGroup(NamedTuple):
    """Requirements that differ in their peers alone; `asking` is what they are there for."""

    direction: Direction
    traffic: Traffic
    peers: tuple[Peer, ...]
    resource: OriginResource
    allows_accepted_sources: bool = False

    def requirements(self) -> list[Requirement]:
        because = Origin.from_resource(self.resource)
        return [
            Requirement(self.direction, self.traffic, peer, because, self.allows_accepted_sources)
            for peer in self.peers
        ]


class RequirementSet(NamedTuple):
    """All that one recommendation asks of one load balancer, and remarks that belong into the finding."""

    groups: tuple[RequirementGroup, ...]
    remarks: tuple[str, ...] = ()

    @property
    def requirements(self) -> tuple[Requirement, ...]:
        return tuple([requirement for ask in self.groups for requirement in ask.requirements()])

    @property
    def has_one_family(self) -> bool:
        """Whether all peers are of one address family."""
        return len({peer.family for ask in self.groups for peer in ask.peers}) == 1


# Of each of these some are made for every load balancer.
new_target_peer = tuple_constructor(TargetPeer)
new_requirement_group = tuple_constructor(RequirementGroup)
new_requirement_set = tuple_constructor(RequirementSet)


@lru_cache(maxsize=4096)
def address_peer(
    family: Family,
    cidrs: tuple[str, ...],
    or_security_groups: frozenset[str] = frozenset(),
    label: str = "",
) -> AddressPeer:
    """The same object for the same blocks: most load balancers ask for one of a few."""
    return AddressPeer(family, cidrs, AddressSet.from_cidrs(family, cidrs), or_security_groups, label)
