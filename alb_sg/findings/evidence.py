"""Which security group rules meet a requirement.

Nothing here decides whether something is let through. A rule is evidence where `outcome.settle`, given that rule
alone, says that it meets the requirement; where only several rules together do, each is listed with its part.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from alb_sg.errors import NotReadError
from alb_sg.estate.cidr import Family
from alb_sg.estate.model import Permission, SecurityGroup, SecurityGroupReference
from alb_sg.findings.coverage import Coverage, check
from alb_sg.parameters import PREFIX_LIST_ID, SECURITY_GROUP_ID, Parameters
from alb_sg.permissions.addresses import AddressSet
from alb_sg.permissions.allowed_traffic import Direction, Permissions, Traffic, prefix_list_addresses
from alb_sg.recommendations.requirement import (
    AddressPeer,
    Peer,
    PrefixListPeer,
    Requirement,
    SecurityGroupPeer,
    TargetPeer,
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
class PermissionPeer:
    """One peer of one security group rule: `permission` has this peer alone, and `peer` is it as the rule says
    it (CIDR block, `pl-…` or `sg-…`).

    `nothing` says why it lets nobody through (stale, deleted, entries refused or not read); "" where it does.
    """

    group_id: str
    group_name: str
    permission: Permission
    peer: str
    ineffective_reason: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A grant and the part it has in meeting a requirement; `covers` are CIDR blocks, for `Match.ADDRESSES`."""

    permission_peer: PermissionPeer
    match: Match
    covers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckedRequirement:
    """A requirement with its outcome and the evidence for it: what meets it whole where it is covered, else what
    lets a part of its addresses through already. `outcome` None: `unread` says what it hangs on."""

    requirement: Requirement
    coverage: Coverage | None
    evidence: tuple[Evidence, ...]
    unread: NotReadError | None = None


class EvidenceSearch:
    """Looks for the rules that meet requirements, among those of one load balancer's security groups."""

    def __init__(self, permissions: Permissions, parameters: Parameters, *, one_family: bool) -> None:
        self._permissions = permissions
        self._estate = permissions.estate
        self._parameters = parameters
        self._one_family = one_family
        self._permission_peers: dict[tuple[Direction, Traffic], tuple[PermissionPeer, ...]] = {}

    def check_requirement(self, requirement: Requirement) -> CheckedRequirement:
        """What becomes of a requirement, and through which rules. Never raises NotReadError."""
        try:
            outcome = check(self._permissions, requirement, self._parameters, one_family=self._one_family)
        except NotReadError as error:
            return CheckedRequirement(requirement, None, self._partial_evidence(requirement), error)
        if not outcome.is_covered:
            return CheckedRequirement(requirement, outcome, self._partial_evidence(requirement))
        met = requirement
        if outcome.accepted_source is not None:
            met = requirement._replace(peer=_accepted_source_peer(outcome.accepted_source, requirement.peer.family))
        evidence = self._single_evidence(met) or self._complete_address_evidence(met) or self._joint_evidence(met)
        return CheckedRequirement(requirement, outcome, evidence)

    def permission_peers(self, direction: Direction, traffic: Traffic) -> tuple[PermissionPeer, ...]:
        """Every peer of every rule that lets the traffic through, in an order that rules and groups do not set."""
        known = self._permission_peers.get((direction, traffic))
        if known is None:
            found: dict[PermissionPeer, None] = {}
            for source in self._permissions.matching_rules(direction, traffic):
                found.update(dict.fromkeys(self._split_by_peer(source.group, source.permission)))
            known = self._permission_peers[direction, traffic] = tuple(sorted(found, key=_sort_key))
        return known

    # --- ways to meet a requirement

    def _single_evidence(self, requirement: Requirement) -> tuple[Evidence, ...]:
        """The first grant that meets the requirement without any other; none where it takes several."""
        for grant in self.permission_peers(requirement.direction, requirement.traffic):
            if self._may_cover(grant, requirement.peer) and self._are_sufficient((grant,), requirement):
                return (self._evidence(grant, requirement.peer),)
        return ()

    def _complete_address_evidence(self, requirement: Requirement) -> tuple[Evidence, ...]:
        """Grants whose addresses together are those of the requirement; none where they are not."""
        parts, left = self._address_evidence(requirement)
        return () if left else parts

    def _joint_evidence(self, requirement: Requirement) -> tuple[Evidence, ...]:
        """Grants of which none can be left out, where they bear on each other: one peering reference tells the
        groups of a target, and another names one of them."""
        kept = list(self.permission_peers(requirement.direction, requirement.traffic))
        for grant in tuple(kept):
            fewer = [other for other in kept if other is not grant]
            if self._are_sufficient(fewer, requirement):
                kept = fewer
        return tuple(self._evidence(grant, requirement.peer) for grant in kept)

    def _partial_evidence(self, requirement: Requirement) -> tuple[Evidence, ...]:
        """The grants that cover a part of the addresses of a requirement that is not met whole."""
        peer = requirement.peer
        if isinstance(peer, AddressPeer) or (isinstance(peer, PrefixListPeer) and self._entries(peer)):
            return self._address_evidence(requirement)[0]
        return ()

    def _address_evidence(self, requirement: Requirement) -> tuple[tuple[Evidence, ...], AddressSet]:
        """Grants that cover addresses of the requirement, the largest parts first, and what they leave over."""
        left = self._required_addresses(requirement.peer)
        offers: list[tuple[PermissionPeer, AddressSet]] = []
        for grant in self.permission_peers(requirement.direction, requirement.traffic):
            offered = self._addresses(grant, left.family)
            if offered is not None and offered.overlaps(left):
                offers.append((grant, left - (left - offered)))
        offers.sort(key=lambda offer: -_address_count(offer[1]))
        parts: list[Evidence] = []
        for grant, offered in offers:
            after = left - offered
            if after != left:
                parts.append(Evidence(grant, Match.ADDRESSES, (left - after).cidrs()))
            left = after
        return tuple(parts), left

    def _are_sufficient(self, permission_peers: Iterable[PermissionPeer], requirement: Requirement) -> bool:
        """Whether these grants and nothing else meet a requirement."""
        permissions = tuple(grant.permission for grant in permission_peers)
        ingress, egress = (permissions, ()) if requirement.direction is Direction.INGRESS else ((), permissions)
        only = Permissions(self._estate, ())
        only.unread = []
        only.groups = [SecurityGroup("", "", "", ingress, egress)]
        try:
            outcome = check(only, requirement, self._parameters, one_family=self._one_family)
        except NotReadError:
            return False
        return outcome.is_covered and outcome.accepted_source is None

    # --- addresses

    def _required_addresses(self, peer: Peer) -> AddressSet:
        """The addresses that would meet a peer: its own, or the whole family where they are not known."""
        match peer:
            case AddressPeer():
                return peer.addresses
            case PrefixListPeer():
                return self._entries(peer) or AddressSet.everything(peer.family)
            case TargetPeer() if peer.address is not None:
                return AddressSet(peer.family, ((peer.address, peer.address),))
            case _:
                return AddressSet.everything(peer.family)

    def _entries(self, peer: PrefixListPeer) -> AddressSet | None:
        """The entries of a prefix list; None where they are not known."""
        try:
            return prefix_list_addresses(self._estate.prefix_list(peer.prefix_list_id), peer.family)
        except NotReadError:
            return None

    def _addresses(self, permission_peer: PermissionPeer, family: Family) -> AddressSet | None:
        """The addresses that a grant names; None where it names a group, or entries that are not known."""
        if SECURITY_GROUP_ID.fullmatch(permission_peer.peer):
            return None
        if PREFIX_LIST_ID.fullmatch(permission_peer.peer):
            return self._entries(PrefixListPeer(family, permission_peer.peer))
        return AddressSet.from_cidrs(family, (permission_peer.peer,))

    def _may_cover(self, permission_peer: PermissionPeer, peer: Peer) -> bool:
        """False where the grant's addresses are far from a target's: spares most judgements of large groups."""
        if (
            not isinstance(peer, TargetPeer)
            or peer.address is None
            or SECURITY_GROUP_ID.fullmatch(permission_peer.peer)
        ):
            return True
        offered = self._addresses(permission_peer, peer.family)
        return offered is not None and any(first <= peer.address <= last for first, last in offered.ranges)

    # --- grants

    def _evidence(self, permission_peer: PermissionPeer, peer: Peer) -> Evidence:
        if SECURITY_GROUP_ID.fullmatch(permission_peer.peer):
            if isinstance(peer, TargetPeer):
                return Evidence(permission_peer, Match.TARGET)
            return Evidence(
                permission_peer, Match.NETWORK_LOAD_BALANCER if isinstance(peer, AddressPeer) else Match.NAMED
            )
        if isinstance(peer, PrefixListPeer) and permission_peer.peer == peer.prefix_list_id:
            return Evidence(permission_peer, Match.NAMED)
        return Evidence(permission_peer, Match.ADDRESSES, self._required_addresses(peer).cidrs())

    def _split_by_peer(self, group: SecurityGroup, permission: Permission) -> Iterable[PermissionPeer]:
        bare = permission._replace(cidrs=(), prefix_list_ids=(), references=())
        for cidr in permission.cidrs:
            yield PermissionPeer(group.id, group.name, bare._replace(cidrs=(cidr,)), cidr)
        for prefix_list_id in permission.prefix_list_ids:
            only = bare._replace(prefix_list_ids=(prefix_list_id,))
            yield PermissionPeer(group.id, group.name, only, prefix_list_id, self._prefix_list_problem(prefix_list_id))
        for reference in permission.references:
            only = bare._replace(references=(reference,))
            yield PermissionPeer(group.id, group.name, only, reference.group_id, self._reference_problem(reference))

    def _prefix_list_problem(self, prefix_list_id: str) -> str:
        try:
            entries = self._estate.prefix_list(prefix_list_id).entries
        except NotReadError as error:
            return f"not read: {error.cause}"
        if entries is None:
            return "its owner does not share the entries"
        return "" if entries else "it has no entries"

    def _reference_problem(self, reference: SecurityGroupReference) -> str:
        if reference.stale_cause is not None:
            return f"stale: {reference.stale_cause}"
        return "the group is deleted" if self._estate.references_deleted_group(reference) else ""


def _accepted_source_peer(source: str, family: Family) -> Peer:
    """An accepted source as the peer of a requirement."""
    if SECURITY_GROUP_ID.fullmatch(source):
        return SecurityGroupPeer(family, source)
    if PREFIX_LIST_ID.fullmatch(source):
        return PrefixListPeer(family, source)
    return address_peer(family, (source,))


def _sort_key(permission_peer: PermissionPeer) -> tuple[object, ...]:
    """By group; a reference to a group, the page's own way, before addresses; then as the rule is written."""
    permission = permission_peer.permission
    ports = tuple(-2 if port is None else port for port in (permission.from_port, permission.to_port))
    kind = 0 if permission.references else 1 if permission.prefix_list_ids else 2
    references: Sequence[tuple[str, ...]] = [
        tuple(text or "" for text in (one.owner_id, one.vpc_id, one.peering_connection_id, one.peering_status))
        for one in permission.references
    ]
    return (permission_peer.group_id, kind, permission_peer.peer, permission.protocol, ports, references)


def _address_count(addresses: AddressSet) -> int:
    return sum(last - first + 1 for first, last in addresses.ranges)
