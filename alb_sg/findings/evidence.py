"""Which security group rules meet a requirement.

Nothing here decides whether something is let through. A rule is evidence where `outcome.settle`, given that rule
alone, says that it meets the requirement; where only several rules together do, each is listed with its part.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from alb_sg.errors import Unread
from alb_sg.estate.cidr import Family
from alb_sg.estate.model import Permission, SecurityGroup, SecurityGroupReference
from alb_sg.findings.outcome import Outcome, settle
from alb_sg.parameters import PREFIX_LIST_ID, SECURITY_GROUP_ID, Parameters
from alb_sg.permissions.addresses import AddressSet
from alb_sg.permissions.permissions import Direction, Permissions, Traffic, prefix_list_addresses
from alb_sg.recommendations.requirement import (
    AddressPeer,
    EndpointPeer,
    GroupPeer,
    Peer,
    PrefixListPeer,
    Requirement,
    address_peer,
)


class Match(Enum):
    """Why a rule meets a requirement: it covers its addresses, names a group that the target carries, names a
    group of the Network Load Balancer in front, or names the very prefix list or group that is asked for."""

    ADDRESSES = "addresses"
    TARGET = "target's security group"
    NETWORK_LOAD_BALANCER = "network load balancer's security group"
    NAMED = "named"


@dataclass(frozen=True, slots=True)
class Grant:
    """One peer of one security group rule: `permission` has this peer alone, and `peer` is it as the rule says
    it (CIDR block, `pl-…` or `sg-…`).

    `nothing` says why it lets nobody through (stale, deleted, entries refused or not read); "" where it does.
    """

    group_id: str
    group_name: str
    permission: Permission
    peer: str
    nothing: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A grant and the part it has in meeting a requirement; `covers` are CIDR blocks, for `Match.ADDRESSES`."""

    grant: Grant
    match: Match
    covers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Settled:
    """A requirement with its outcome and the evidence for it: what meets it whole where it is covered, else what
    lets a part of its addresses through already. `outcome` None: `unread` says what it hangs on."""

    requirement: Requirement
    outcome: Outcome | None
    evidence: tuple[Evidence, ...]
    unread: Unread | None = None


class EvidenceSearch:
    """Looks for the rules that meet requirements, among those of one load balancer's security groups."""

    def __init__(self, permissions: Permissions, parameters: Parameters, *, one_family: bool) -> None:
        self._permissions = permissions
        self._estate = permissions.estate
        self._parameters = parameters
        self._one_family = one_family
        self._grants: dict[tuple[Direction, Traffic], tuple[Grant, ...]] = {}

    def settled(self, requirement: Requirement) -> Settled:
        """What becomes of a requirement, and through which rules. Never raises Unread."""
        try:
            outcome = settle(self._permissions, requirement, self._parameters, one_family=self._one_family)
        except Unread as error:
            return Settled(requirement, None, self._let_through_already(requirement), error)
        if not outcome.covered:
            return Settled(requirement, outcome, self._let_through_already(requirement))
        met = requirement
        if outcome.accepted is not None:
            met = requirement._replace(peer=_peer_of(outcome.accepted, requirement.peer.family))
        evidence = self._alone(met) or self._in_parts(met) or self._jointly(met)
        return Settled(requirement, outcome, evidence)

    def grants(self, direction: Direction, traffic: Traffic) -> tuple[Grant, ...]:
        """Every peer of every rule that lets the traffic through, in an order that rules and groups do not set."""
        known = self._grants.get((direction, traffic))
        if known is None:
            found: dict[Grant, None] = {}
            for source in self._permissions.sources(direction, traffic):
                found.update(dict.fromkeys(self._each_peer(source.group, source.permission)))
            known = self._grants[direction, traffic] = tuple(sorted(found, key=_order))
        return known

    # --- ways to meet a requirement

    def _alone(self, requirement: Requirement) -> tuple[Evidence, ...]:
        """The first grant that meets the requirement without any other; none where it takes several."""
        for grant in self.grants(requirement.direction, requirement.traffic):
            if self._may_reach(grant, requirement.peer) and self._meet((grant,), requirement):
                return (self._evidence(grant, requirement.peer),)
        return ()

    def _in_parts(self, requirement: Requirement) -> tuple[Evidence, ...]:
        """Grants whose addresses together are those of the requirement; none where they are not."""
        parts, left = self._parts(requirement)
        return () if left else parts

    def _jointly(self, requirement: Requirement) -> tuple[Evidence, ...]:
        """Grants of which none can be left out, where they bear on each other: one peering reference tells the
        groups of a target, and another names one of them."""
        kept = list(self.grants(requirement.direction, requirement.traffic))
        for grant in tuple(kept):
            fewer = [other for other in kept if other is not grant]
            if self._meet(fewer, requirement):
                kept = fewer
        return tuple(self._evidence(grant, requirement.peer) for grant in kept)

    def _let_through_already(self, requirement: Requirement) -> tuple[Evidence, ...]:
        """The grants that cover a part of the addresses of a requirement that is not met whole."""
        peer = requirement.peer
        if isinstance(peer, AddressPeer) or (isinstance(peer, PrefixListPeer) and self._entries(peer)):
            return self._parts(requirement)[0]
        return ()

    def _parts(self, requirement: Requirement) -> tuple[tuple[Evidence, ...], AddressSet]:
        """Grants that cover addresses of the requirement, the largest parts first, and what they leave over."""
        left = self._wanted(requirement.peer)
        offers: list[tuple[Grant, AddressSet]] = []
        for grant in self.grants(requirement.direction, requirement.traffic):
            offered = self._addresses(grant, left.family)
            if offered is not None and offered.overlaps(left):
                offers.append((grant, left - (left - offered)))
        offers.sort(key=lambda offer: -_size(offer[1]))
        parts: list[Evidence] = []
        for grant, offered in offers:
            after = left - offered
            if after != left:
                parts.append(Evidence(grant, Match.ADDRESSES, (left - after).cidrs()))
            left = after
        return tuple(parts), left

    def _meet(self, grants: Iterable[Grant], requirement: Requirement) -> bool:
        """Whether these grants and nothing else meet a requirement."""
        permissions = tuple(grant.permission for grant in grants)
        ingress, egress = (permissions, ()) if requirement.direction is Direction.INGRESS else ((), permissions)
        only = Permissions(self._estate, ())
        only.unread = []
        only.groups = [SecurityGroup("", "", "", ingress, egress)]
        try:
            outcome = settle(only, requirement, self._parameters, one_family=self._one_family)
        except Unread:
            return False
        return outcome.covered and outcome.accepted is None

    # --- addresses

    def _wanted(self, peer: Peer) -> AddressSet:
        """The addresses that would meet a peer: its own, or the whole family where they are not known."""
        match peer:
            case AddressPeer():
                return peer.addresses
            case PrefixListPeer():
                return self._entries(peer) or AddressSet.everything(peer.family)
            case EndpointPeer() if peer.address is not None:
                return AddressSet(peer.family, ((peer.address, peer.address),))
            case _:
                return AddressSet.everything(peer.family)

    def _entries(self, peer: PrefixListPeer) -> AddressSet | None:
        """The entries of a prefix list; None where they are not known."""
        try:
            return prefix_list_addresses(self._estate.prefix_list(peer.prefix_list_id), peer.family)
        except Unread:
            return None

    def _addresses(self, grant: Grant, family: Family) -> AddressSet | None:
        """The addresses that a grant names; None where it names a group, or entries that are not known."""
        if SECURITY_GROUP_ID.fullmatch(grant.peer):
            return None
        if PREFIX_LIST_ID.fullmatch(grant.peer):
            return self._entries(PrefixListPeer(family, grant.peer))
        return AddressSet.of(family, (grant.peer,))

    def _may_reach(self, grant: Grant, peer: Peer) -> bool:
        """False where the grant's addresses are far from a target's: spares most judgements of large groups."""
        if not isinstance(peer, EndpointPeer) or peer.address is None or SECURITY_GROUP_ID.fullmatch(grant.peer):
            return True
        offered = self._addresses(grant, peer.family)
        return offered is not None and any(first <= peer.address <= last for first, last in offered.ranges)

    # --- grants

    def _evidence(self, grant: Grant, peer: Peer) -> Evidence:
        if SECURITY_GROUP_ID.fullmatch(grant.peer):
            if isinstance(peer, EndpointPeer):
                return Evidence(grant, Match.TARGET)
            return Evidence(grant, Match.NETWORK_LOAD_BALANCER if isinstance(peer, AddressPeer) else Match.NAMED)
        if isinstance(peer, PrefixListPeer) and grant.peer == peer.prefix_list_id:
            return Evidence(grant, Match.NAMED)
        return Evidence(grant, Match.ADDRESSES, self._wanted(peer).cidrs())

    def _each_peer(self, group: SecurityGroup, permission: Permission) -> Iterable[Grant]:
        bare = permission._replace(cidrs=(), prefix_list_ids=(), references=())
        for cidr in permission.cidrs:
            yield Grant(group.id, group.name, bare._replace(cidrs=(cidr,)), cidr)
        for prefix_list_id in permission.prefix_list_ids:
            only = bare._replace(prefix_list_ids=(prefix_list_id,))
            yield Grant(group.id, group.name, only, prefix_list_id, self._why_no_entries(prefix_list_id))
        for reference in permission.references:
            only = bare._replace(references=(reference,))
            yield Grant(group.id, group.name, only, reference.group_id, self._why_no_members(reference))

    def _why_no_entries(self, prefix_list_id: str) -> str:
        try:
            entries = self._estate.prefix_list(prefix_list_id).entries
        except Unread as error:
            return f"not read: {error.cause}"
        if entries is None:
            return "its owner does not share the entries"
        return "" if entries else "it has no entries"

    def _why_no_members(self, reference: SecurityGroupReference) -> str:
        if reference.stale:
            return f"stale: its peering is {reference.peering_status}"
        return "the group is deleted" if self._estate.outlived(reference) else ""


def _peer_of(source: str, family: Family) -> Peer:
    """An accepted source as the peer of a requirement."""
    if SECURITY_GROUP_ID.fullmatch(source):
        return GroupPeer(family, source)
    if PREFIX_LIST_ID.fullmatch(source):
        return PrefixListPeer(family, source)
    return address_peer(family, (source,))


def _order(grant: Grant) -> tuple[object, ...]:
    """By group; a reference to a group, the page's own way, before addresses; then as the rule is written."""
    permission = grant.permission
    ports = tuple(-2 if port is None else port for port in (permission.from_port, permission.to_port))
    kind = 0 if permission.references else 1 if permission.prefix_list_ids else 2
    references: Sequence[tuple[str, ...]] = [
        tuple(text or "" for text in (one.owner_id, one.vpc_id, one.peering_connection_id, one.peering_status))
        for one in permission.references
    ]
    return (grant.group_id, kind, grant.peer, permission.protocol, ports, references)


def _size(addresses: AddressSet) -> int:
    return sum(last - first + 1 for first, last in addresses.ranges)
