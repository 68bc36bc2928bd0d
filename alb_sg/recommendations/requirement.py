"""Requirements of a recommendation: what traffic from or to which peer, and why."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter
from typing import NamedTuple

from alb_sg.errors import NotReadError
from alb_sg.estate.cidr import Family, parse_cidr
from alb_sg.estate.model import Listener, TargetGroup
from alb_sg.parameters import PREFIX_LIST_ID, SECURITY_GROUP_ID
from alb_sg.permissions.addresses import AddressSet
from alb_sg.permissions.allowed_traffic import Direction, Traffic


class NotApplicable(Exception):
    """The recommendation requires nothing of this load balancer. `reason` is shown to people."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Origin(NamedTuple):
    """The resource that causes a requirement. `type` is `listener`, `targetGroup` or `loadBalancer`; `label` names it
    for people, such as `HTTPS:443` or `target group web`."""

    type: str
    arn: str
    label: str

    @staticmethod
    def from_cause(cause: Cause) -> Origin:
        match cause:
            case Listener():
                return Origin("listener", cause.arn, f"{cause.protocol}:{cause.port}")
            case TargetGroup():
                return Origin("targetGroup", cause.arn, f"target group {cause.name}")
            case Origin():
                return cause


# What causes a requirement: a resource is put into words only where the requirement is reported.
Cause = Listener | TargetGroup | Origin


@dataclass(frozen=True, slots=True)
class AddressPeer:
    """All of a set of addresses. `cidrs` are the CIDR blocks as the recommendation states them, `addresses` the same
    as a set, and `label` describes them.

    A reference to one of `or_security_groups` counts as well: the groups of the Network Load Balancer that sends this
    traffic. `unread`: the addresses are an upper bound, because what narrows them was not read; `some_required` says
    that at least one of them is required. `identities` are what the addresses consist of, where they are not known
    before a plan is applied: permissions for blocks of the same ones cover them. Building one without addresses of its
    family raises NotReadError: it would be covered by anything.
    """

    family: Family
    cidrs: tuple[str, ...]
    addresses: AddressSet
    or_security_groups: frozenset[str] = frozenset()
    label: str = ""
    unread: NotReadError | None = None
    some_required: bool = False
    identities: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if not self.addresses or self.addresses.family is not self.family:
            blocks = ", ".join(self.cidrs) or "none"
            raise NotReadError(f"{self.label or 'required'} addresses", f"no {self.family.label} block in: {blocks}")


class PrefixListPeer(NamedTuple):
    """All entries of a prefix list. A reference to the list covers it, and so do its entries, or a reference to one of
    `or_security_groups`."""

    family: Family
    prefix_list_id: str
    or_security_groups: frozenset[str] = frozenset()


class SecurityGroupPeer(NamedTuple):
    """A reference to this security group."""

    family: Family
    group_id: str


class TargetPeer(NamedTuple):
    """One registered target: its address and the security groups of its network interface.

    `ip` is None where the address is not known. `security_groups` are complete unless one of these says why not:
    `unread` (something was not read), `unresolved` (everything was read, but no interface holds the address),
    `is_outside_vpc` (the address is outside the target group's VPC, where a peering reference may still reach it).
    `unknown_address`: why the address is not known before a plan is applied; it lies in `possible_cidrs`, or anywhere
    if there are none.
    """

    family: Family
    target_id: str
    ip: str | None
    security_groups: frozenset[str] = frozenset()
    unread: NotReadError | None = None
    unresolved: str | None = None
    is_outside_vpc: bool = False
    unknown_address: NotReadError | None = None
    possible_cidrs: tuple[str, ...] = ()

    @property
    def address(self) -> int | None:
        return None if self.ip is None else parse_cidr(self.ip)[1][0]

    @property
    def cidr(self) -> str | None:
        """The CIDR block of this address alone."""
        return None if self.ip is None else f"{self.ip}/{self.family.bits}"


class NodesPeer(NamedTuple):
    """The nodes of a load balancer, as `targets` see them whose interfaces carry the same `target_groups`: the groups
    that must let the nodes in.

    A node has any address of the enabled subnets, whose blocks are `cidrs`, and carries all `load_balancer_groups`.
    `unread_addresses`: the addresses are an upper bound, because a subnet was not read. `unread` and `unresolved` say
    why the targets' groups are not known.
    """

    family: Family
    cidrs: tuple[str, ...]
    addresses: AddressSet
    load_balancer_groups: frozenset[str]
    target_groups: tuple[str, ...]
    targets: tuple[TargetPeer, ...]
    unread_addresses: NotReadError | None = None
    unread: NotReadError | None = None
    unresolved: str | None = None


Peer = AddressPeer | PrefixListPeer | SecurityGroupPeer | TargetPeer | NodesPeer


def targets_of(peer: Peer) -> tuple[TargetPeer, ...]:
    """The targets that a requirement is for; none for one that concerns clients."""
    match peer:
        case TargetPeer():
            return (peer,)
        case NodesPeer():
            return peer.targets
        case _:
            return ()


def carried_groups(peer: Peer) -> tuple[str, ...]:
    """The security groups of the targets whose own groups decide about a peer; none for other peers."""
    return peer.target_groups if isinstance(peer, NodesPeer) else ()


class Requirement(NamedTuple):
    """Traffic that must be allowed for one peer. `allows_accepted_sources`: one of the parameter `AcceptedSources` may
    replace the peer. `unread`: why the traffic is only an upper bound, so that what is not allowed of it may not be
    needed. `doubt`: why nothing at all may require it, before a plan is applied."""

    direction: Direction
    traffic: Traffic
    peer: Peer
    origin: Origin
    allows_accepted_sources: bool = False
    unread: NotReadError | None = None
    doubt: NotReadError | None = None


class RequirementGroup(NamedTuple):
    """Requirements that differ only in their peers."""

    direction: Direction
    traffic: Traffic
    peers: tuple[Peer, ...]
    cause: Cause
    allows_accepted_sources: bool = False
    unread: NotReadError | None = None
    doubt: NotReadError | None = None

    def requirements(self, peers: Iterable[Peer]) -> list[Requirement]:
        """The requirements for some of the peers."""
        origin = Origin.from_cause(self.cause)
        return [
            Requirement(
                self.direction, self.traffic, peer, origin, self.allows_accepted_sources, self.unread, self.doubt
            )
            for peer in peers
        ]


_PEERS = attrgetter("peers")


@dataclass(frozen=True, slots=True)
class RequirementSet:
    """Everything that one recommendation requires of one load balancer. `remarks` belong into the finding.

    Building an empty one raises NotReadError: it would be met by anything. A recommendation that requires nothing
    raises NotApplicable.
    """

    groups: tuple[RequirementGroup, ...]
    remarks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.groups or not all(map(_PEERS, self.groups)):
            raise NotReadError("requirements", "there is none, and no reason for it")

    @property
    def requirements(self) -> tuple[Requirement, ...]:
        return tuple(requirement for group in self.groups for requirement in group.requirements(group.peers))

    def without_ports(self, ports: Collection[int], reason: str) -> RequirementSet:
        """What is required on all but these TCP ports, with `reason` as a remark if anything is left out.

        Raises NotApplicable for that reason if nothing else is required.
        """
        groups = tuple(
            group for group in self.groups if group.traffic.protocol != "tcp" or group.traffic.from_port not in ports
        )
        if groups == self.groups:
            return self
        if not groups:
            raise NotApplicable(f"{reason}; no other port is required")
        return RequirementSet(groups, (*self.remarks, reason))

    @property
    def doubt(self) -> NotReadError | None:
        """Why nothing of this may be required; None where something certainly is."""
        if self.groups[0].doubt is None or any(group.doubt is None for group in self.groups):
            return None
        return self.groups[0].doubt

    @property
    def has_one_family(self) -> bool:
        """Whether all peers are of one address family."""
        return len({peer.family for group in self.groups for peer in group.peers}) == 1


def parse_peer(text: str, family: Family) -> Peer | None:
    """The peer that a CIDR block, `pl-…` or `sg-…` names in one address family; None for a block of the other one.

    Raises InvalidCidrError.
    """
    if SECURITY_GROUP_ID.fullmatch(text):
        return SecurityGroupPeer(family, text)
    if PREFIX_LIST_ID.fullmatch(text):
        return PrefixListPeer(family, text)
    return address_peer(family, (text,)) if parse_cidr(text)[0] is family else None


@lru_cache(maxsize=4096)
def address_peer(
    family: Family,
    cidrs: tuple[str, ...],
    or_security_groups: frozenset[str] = frozenset(),
    label: str = "",
) -> AddressPeer:
    """An AddressPeer of CIDR blocks. Most load balancers require one of a few, so equal ones are built once."""
    return AddressPeer(family, cidrs, AddressSet.from_cidrs(family, cidrs), or_security_groups, label)
