"""The security group rules that cover a requirement.

This module does not decide what the groups allow: a rule is evidence if `coverage.check`, given that rule alone,
calls the requirement covered. If only several rules cover it together, each is listed with its part.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from alb_sg.errors import NotReadError
from alb_sg.estate.cidr import Family
from alb_sg.estate.estate import Estate
from alb_sg.estate.model import Permission, SecurityGroup, SecurityGroupReference
from alb_sg.findings.coverage import Coverage, PermissionsOf, check
from alb_sg.parameters import Parameters
from alb_sg.permissions.addresses import AddressSet
from alb_sg.permissions.allowed_traffic import Direction, Permissions, Traffic, prefix_list_addresses
from alb_sg.recommendations.requirement import (
    AddressPeer,
    NodesPeer,
    Peer,
    PrefixListPeer,
    Requirement,
    TargetPeer,
    parse_peer,
)


class Match(Enum):
    """How a rule covers a requirement: by its addresses, by a security group of the target, of the load balancer itself
    (at its targets) or of the Network Load Balancer in front, or by naming the required prefix list or group itself."""

    ADDRESSES = "addresses"
    TARGET = "target's security group"
    LOAD_BALANCER = "load balancer's security group"
    NETWORK_LOAD_BALANCER = "network load balancer's security group"
    NAMED = "named"


@dataclass(frozen=True, slots=True)
class PermissionPeer:
    """One peer of one security group rule. `permission` has this peer alone, and `peer` is its text (CIDR block, `pl-…`
    or `sg-…`).

    `ineffective_reason` says why it allows nothing (stale, deleted, entries not shared or not read); "" if it does.
    """

    group_id: str
    group_name: str
    permission: Permission
    peer: str
    ineffective_reason: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A rule's peer and how it covers a requirement. `covers` are CIDR blocks, for `Match.ADDRESSES`."""

    permission_peer: PermissionPeer
    match: Match
    covers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckedRequirement:
    """A requirement with its coverage and the evidence: the rules that cover it, or else those that cover a part of its
    addresses. `coverage` is None where it depends on facts that were not read; `unread` names them."""

    requirement: Requirement
    coverage: Coverage | None
    evidence: tuple[Evidence, ...]
    unread: NotReadError | None = None


class EvidenceSearch:
    """Finds the rules that cover requirements among those of the security groups that decide about them."""

    def __init__(
        self, estate: Estate, permissions_of: PermissionsOf, parameters: Parameters, *, one_family: bool
    ) -> None:
        self._permissions_of = permissions_of
        self._estate = estate
        self._parameters = parameters
        self._one_family = one_family
        self._permission_peers: dict[tuple[tuple[str, ...], Direction, Traffic], tuple[PermissionPeer, ...]] = {}

    def check_requirement(self, requirement: Requirement) -> CheckedRequirement:
        """The coverage of a requirement, with its evidence. Never raises NotReadError."""
        try:
            permissions = self._permissions_of(requirement.peer)
            coverage = check(permissions, requirement, self._parameters, one_family=self._one_family)
        except NotReadError as error:
            return CheckedRequirement(requirement, None, self._partial_evidence(requirement), error)
        if not coverage.is_covered:
            return CheckedRequirement(requirement, coverage, self._partial_evidence(requirement))
        if coverage.accepted_sources is None:
            return CheckedRequirement(requirement, coverage, self._covering_evidence(requirement))
        # None is met where nobody needs to reach the port: no rule covers it.
        peers = (parse_peer(source, requirement.peer.family) for source in coverage.accepted_sources.met)
        evidence = [
            part
            for peer in peers
            if peer is not None
            for part in self._covering_evidence(requirement._replace(peer=peer))
        ]
        return CheckedRequirement(requirement, coverage, _merge_evidence(evidence))

    def closed_accepted_sources(self, checked: CheckedRequirement) -> tuple[str, ...]:
        """The accepted sources that would cover a requirement, where neither its peer nor any of them is open."""
        requirement, coverage = checked.requirement, checked.coverage
        if coverage is None or coverage.is_covered or coverage.accepted_sources is not None:
            return ()
        if not requirement.allows_accepted_sources:
            return ()
        traffic, family = requirement.traffic, requirement.peer.family
        sources = self._parameters.accepted_sources_of(traffic.from_port if traffic.protocol == "tcp" else None)
        return tuple(
            source.peer for source in sources if source.peer is not None and self._concerns(source.peer, family)
        )

    def _concerns(self, source: str, family: Family) -> bool:
        """Whether a source has addresses of a family, as far as that is known."""
        peer = parse_peer(source, family)
        if not isinstance(peer, PrefixListPeer):
            return peer is not None
        try:
            return self._estate.prefix_list(peer.prefix_list_id).family in (None, family)
        except NotReadError:
            return True

    def permission_peers(self, requirement: Requirement) -> tuple[PermissionPeer, ...]:
        """Every peer of every rule that allows the traffic, in an order that does not depend on that of the rules."""
        permissions = self._permissions_of(requirement.peer)
        key = permissions.group_ids, requirement.direction, requirement.traffic
        known = self._permission_peers.get(key)
        if known is None:
            found: dict[PermissionPeer, None] = {}
            for rule in permissions.matching_rules(requirement.direction, requirement.traffic):
                found.update(dict.fromkeys(self._split_by_peer(rule.group, rule.permission)))
            known = self._permission_peers[key] = tuple(sorted(found, key=_sort_key))
        return known

    def _covering_evidence(self, requirement: Requirement) -> tuple[Evidence, ...]:
        return (
            self._single_evidence(requirement)
            or self._complete_address_evidence(requirement)
            or self._joint_evidence(requirement)
        )

    def _single_evidence(self, requirement: Requirement) -> tuple[Evidence, ...]:
        """The first peer that covers the requirement by itself; none if it takes several."""
        for permission_peer in self.permission_peers(requirement):
            if self._may_cover(permission_peer, requirement.peer) and self._are_sufficient(
                (permission_peer,), requirement
            ):
                return (self._evidence(permission_peer, requirement.peer),)
        return ()

    def _complete_address_evidence(self, requirement: Requirement) -> tuple[Evidence, ...]:
        """Peers whose addresses together cover those of the requirement; none if they do not."""
        parts, remaining = self._address_evidence(requirement)
        return () if remaining else parts

    def _joint_evidence(self, requirement: Requirement) -> tuple[Evidence, ...]:
        """Peers that cover the requirement only together: one peering reference leads to the security groups of a
        target, and another one names one of them."""
        needed = list(self.permission_peers(requirement))
        for permission_peer in tuple(needed):
            others = [other for other in needed if other is not permission_peer]
            if self._are_sufficient(others, requirement):
                needed = others
        return tuple(self._evidence(permission_peer, requirement.peer) for permission_peer in needed)

    def _partial_evidence(self, requirement: Requirement) -> tuple[Evidence, ...]:
        """The peers that cover a part of the addresses of a requirement that is not covered."""
        peer = requirement.peer
        if isinstance(peer, AddressPeer | NodesPeer) or (isinstance(peer, PrefixListPeer) and self._entries(peer)):
            return self._address_evidence(requirement)[0]
        return ()

    def _address_evidence(self, requirement: Requirement) -> tuple[tuple[Evidence, ...], AddressSet]:
        """The peers that cover addresses of the requirement, the largest parts first, and the remaining addresses."""
        remaining = self._required_addresses(requirement.peer)
        candidates: list[tuple[PermissionPeer, AddressSet]] = []
        for permission_peer in self.permission_peers(requirement):
            allowed = self._addresses(permission_peer, remaining.family)
            if allowed is not None and allowed.overlaps(remaining):
                candidates.append((permission_peer, remaining - (remaining - allowed)))
        candidates.sort(key=lambda candidate: -_address_count(candidate[1]))
        parts: list[Evidence] = []
        for permission_peer, allowed in candidates:
            after = remaining - allowed
            if after != remaining:
                parts.append(Evidence(permission_peer, Match.ADDRESSES, (remaining - after).cidrs()))
            remaining = after
        return tuple(parts), remaining

    def _are_sufficient(self, permission_peers: Iterable[PermissionPeer], requirement: Requirement) -> bool:
        """Whether these peers alone cover a requirement."""
        permissions = tuple(permission_peer.permission for permission_peer in permission_peers)
        is_egress = requirement.direction is Direction.EGRESS
        ingress, egress = ((), permissions) if is_egress else (permissions, ())
        only_these = Permissions.of_groups(self._estate, [SecurityGroup("", "", "", ingress, egress)])
        try:
            coverage = check(only_these, requirement, self._parameters, one_family=self._one_family)
        except NotReadError:
            return False
        return coverage.is_covered and coverage.accepted_source is None

    def _required_addresses(self, peer: Peer) -> AddressSet:
        """The addresses that cover a peer: its own, or the whole family if they are not known."""
        match peer:
            case AddressPeer() | NodesPeer():
                return peer.addresses
            case PrefixListPeer():
                return self._entries(peer) or AddressSet.everything(peer.family)
            case TargetPeer() if peer.address is not None:
                return AddressSet(peer.family, ((peer.address, peer.address),))
            case _:
                return AddressSet.everything(peer.family)

    def _entries(self, peer: PrefixListPeer) -> AddressSet | None:
        """The entries of a prefix list; None if they are not known."""
        try:
            return prefix_list_addresses(self._estate.prefix_list(peer.prefix_list_id), peer.family)
        except NotReadError:
            return None

    def _addresses(self, permission_peer: PermissionPeer, family: Family) -> AddressSet | None:
        """The addresses of a rule's peer; None if it is a group, of the other family, or its entries are not known."""
        permission = permission_peer.permission
        # A planned group or prefix list has no identifier that tells what it is.
        if permission.prefix_list_ids:
            return self._entries(PrefixListPeer(family, permission.prefix_list_ids[0]))
        if permission.references:
            return None
        peer = parse_peer(permission_peer.peer, family)
        return peer.addresses if isinstance(peer, AddressPeer) else None

    def _may_cover(self, permission_peer: PermissionPeer, peer: Peer) -> bool:
        """False if the addresses of a rule do not include those of a peer: this saves most checks of large groups."""
        if permission_peer.permission.references:
            return True
        match peer:
            case TargetPeer(address=int() as address):
                required = AddressSet(peer.family, ((address, address),))
            case AddressPeer() | NodesPeer():
                required = peer.addresses
            case _:
                return True
        addresses = self._addresses(permission_peer, peer.family)
        return addresses is not None and required.is_covered_by(addresses)

    def _evidence(self, permission_peer: PermissionPeer, peer: Peer) -> Evidence:
        if permission_peer.permission.references:
            if isinstance(peer, TargetPeer):
                return Evidence(permission_peer, Match.TARGET)
            if isinstance(peer, NodesPeer):
                return Evidence(permission_peer, Match.LOAD_BALANCER)
            return Evidence(
                permission_peer,
                Match.NETWORK_LOAD_BALANCER if isinstance(peer, AddressPeer | PrefixListPeer) else Match.NAMED,
            )
        if isinstance(peer, PrefixListPeer) and permission_peer.peer == peer.prefix_list_id:
            return Evidence(permission_peer, Match.NAMED)
        return Evidence(permission_peer, Match.ADDRESSES, self._required_addresses(peer).cidrs())

    def _split_by_peer(self, group: SecurityGroup, permission: Permission) -> Iterable[PermissionPeer]:
        no_peer = permission._replace(cidrs=(), prefix_list_ids=(), references=())
        for cidr in permission.cidrs:
            yield PermissionPeer(group.id, group.name, no_peer._replace(cidrs=(cidr,)), cidr)
        for prefix_list_id in permission.prefix_list_ids:
            single = no_peer._replace(prefix_list_ids=(prefix_list_id,))
            problem = self._prefix_list_problem(prefix_list_id)
            yield PermissionPeer(group.id, group.name, single, prefix_list_id, problem)
        for reference in permission.references:
            single = no_peer._replace(references=(reference,))
            yield PermissionPeer(group.id, group.name, single, reference.group_id, self._reference_problem(reference))

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


def _merge_evidence(evidence: Iterable[Evidence]) -> tuple[Evidence, ...]:
    """Each rule's peer once, with all that it covers."""
    covers: dict[tuple[PermissionPeer, Match], dict[str, None]] = {}
    for part in evidence:
        covers.setdefault((part.permission_peer, part.match), {}).update(dict.fromkeys(part.covers))
    return tuple(Evidence(*rule, tuple(cidrs)) for rule, cidrs in covers.items())


def _sort_key(permission_peer: PermissionPeer) -> tuple[object, ...]:
    """By group; references, which the user guide recommends, before prefix lists and addresses; then by the rule."""
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
