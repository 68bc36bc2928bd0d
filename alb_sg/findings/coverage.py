"""One requirement held against the permissions: covered, or what is left over.

The only place that decides whether something is let through.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from alb_sg.errors import NotReadError
from alb_sg.estate.cidr import Family, parse_cidr
from alb_sg.estate.model import SecurityGroupReference
from alb_sg.parameters import PREFIX_LIST_ID, SECURITY_GROUP_ID, Parameters, TargetMatch
from alb_sg.permissions.addresses import AddressSet
from alb_sg.permissions.allowed_traffic import AllowedTraffic, Permissions, prefix_list_addresses
from alb_sg.recommendations.requirement import (
    AddressPeer,
    Peer,
    PrefixListPeer,
    Requirement,
    RequirementSet,
    SecurityGroupPeer,
    TargetPeer,
)


class Coverage(NamedTuple):
    """A requirement and what became of it.

    Covered where `missing` is None; `accepted` then names the accepted source that stands in. Otherwise
    `missing` is the part of the peer that is not let through (empty where no address is known), and
    `unresolved` says what might let it through and could not be resolved.
    """

    requirement: Requirement
    required: tuple[str, ...] = ()
    missing: tuple[str, ...] | None = None
    or_security_groups: frozenset[str] = frozenset()
    unresolved: tuple[str, ...] = ()
    accepted_source: str | None = None

    @property
    def is_covered(self) -> bool:
        return self.missing is None


def count_if_all_covered(
    permissions: Permissions, requirement_set: RequirementSet, parameters: Parameters
) -> int | None:
    """The number of requirements, where what is let through meets them all without a closer look at who carries which
    group, which lists were read and which sources are accepted. Most do; None says nothing yet.
    """
    count = 0
    way = None
    for direction, traffic, peers, _, _ in requirement_set.groups:
        if direction is not way:
            way, one_way = direction, permissions.direction_rules(direction)
        count += len(peers)
        family = None
        for peer in peers:
            of_family = peer.family
            if of_family is not family:
                family = of_family
                allowed = one_way.allowed_traffic(traffic, family)
                group_ids = allowed.referenced_group_ids
            # Most targets are met so.
            if isinstance(peer, TargetPeer) and not group_ids.isdisjoint(peer.security_groups):
                continue
            if not _covers_directly(allowed, peer, parameters.target_match):
                return None
    return count


def _covers_directly(allowed: AllowedTraffic, peer: Peer, target_match: TargetMatch) -> bool:
    match peer:
        case TargetPeer():
            return not allowed.referenced_group_ids.isdisjoint(peer.security_groups) or (
                target_match is TargetMatch.EFFECTIVE and _address_is_open(peer, allowed)
            )
        case AddressPeer():
            return peer.addresses.is_covered_by(allowed.addresses) or not allowed.referenced_group_ids.isdisjoint(
                peer.or_security_groups
            )
        case PrefixListPeer():
            return peer.prefix_list_id in allowed.prefix_list_ids or allowed.addresses.is_everything
        case SecurityGroupPeer():
            return allowed.addresses.is_everything


def _address_is_open(peer: TargetPeer, allowed: AllowedTraffic) -> bool:
    """Whether the address is open, whichever it is where it is not known."""
    if allowed.addresses.is_everything:
        return True
    address = peer.address
    return address is not None and allowed.addresses.contains_range(address, address)


def check(
    permissions: Permissions, requirement: Requirement, parameters: Parameters, *, one_family: bool = True
) -> Coverage:
    """What becomes of a requirement. `one_family`: the load balancer has clients of one family only.

    Raises NotReadError where what was read neither proves cover nor rules it out.
    """
    peer = requirement.peer
    allowed = permissions.allowed_traffic(requirement.direction, requirement.traffic, peer.family)
    if _covers_directly(allowed, peer, parameters.target_match):
        return Coverage(requirement)
    match peer:
        case AddressPeer():
            outcome = _check_addresses(requirement, peer, allowed)
        case PrefixListPeer():
            outcome = _check_prefix_list(permissions, requirement, peer, allowed)
        case SecurityGroupPeer():
            outcome = _check_security_group(permissions, requirement, peer, allowed)
        case TargetPeer():
            return _check_target(permissions, requirement, peer, allowed, parameters.target_match)
    if outcome.is_covered:
        return outcome
    unread = list(allowed.unread)
    if requirement.allows_accepted_sources:
        accepted = _find_accepted_source(
            permissions, parameters.accepted_sources, peer.family, allowed, unread, one_family
        )
        if accepted is not None:
            return Coverage(requirement, accepted_source=accepted)
    if unread:
        raise unread[0]
    return outcome


def _check_addresses(requirement: Requirement, peer: AddressPeer, allowed: AllowedTraffic) -> Coverage:
    left = peer.addresses - allowed.addresses
    return Coverage(requirement, peer.cidrs, left.cidrs(), peer.or_security_groups, allowed.unresolved)


def _check_prefix_list(
    permissions: Permissions, requirement: Requirement, peer: PrefixListPeer, allowed: AllowedTraffic
) -> Coverage:
    required = (peer.prefix_list_id,)
    addresses = prefix_list_addresses(permissions.estate.prefix_list(peer.prefix_list_id), peer.family)
    if not addresses:
        # Entries that are refused, or none at all: the list must at least be referenced.
        return Coverage(requirement, required, required, unresolved=allowed.unresolved)
    left = addresses - allowed.addresses
    if not left:
        return Coverage(requirement)
    return Coverage(requirement, required, left.cidrs(), unresolved=allowed.unresolved)


def _has_valid_reference(permissions: Permissions, group_id: str, allowed: AllowedTraffic) -> bool:
    """Whether a group that nobody is known to carry is referenced, and not only by what outlived it."""
    return any(
        reference.group_id == group_id and not permissions.estate.references_deleted_group(reference)
        for reference in allowed.references
    )


def _check_security_group(
    permissions: Permissions, requirement: Requirement, peer: SecurityGroupPeer, allowed: AllowedTraffic
) -> Coverage:
    if _has_valid_reference(permissions, peer.group_id, allowed):
        return Coverage(requirement)
    return Coverage(requirement, (peer.group_id,), (), frozenset({peer.group_id}), unresolved=allowed.unresolved)


def _find_accepted_source(
    permissions: Permissions,
    sources: Iterable[str],
    family: Family,
    allowed: AllowedTraffic,
    unread: list[NotReadError],
    one_family: bool,
) -> str | None:
    """The first accepted source that is let through in this family; what could not be told goes to `unread`."""
    for source in sources:
        if SECURITY_GROUP_ID.fullmatch(source):
            if _has_valid_reference(permissions, source, allowed):
                return source
        elif PREFIX_LIST_ID.fullmatch(source):
            if _is_accepted_prefix_list(permissions, source, family, allowed, unread, one_family):
                return source
        else:
            of_family, block = parse_cidr(source)
            if of_family is family and AddressSet(family, (block,)).is_covered_by(allowed.addresses):
                return source
    return None


def _is_accepted_prefix_list(
    permissions: Permissions,
    source: str,
    family: Family,
    allowed: AllowedTraffic,
    unread: list[NotReadError],
    one_family: bool,
) -> bool:
    referenced = source in allowed.prefix_list_ids
    try:
        found = permissions.estate.prefix_list(source)
    except NotReadError as error:
        # A reference is enough, unless there are clients of two families and the list may be of the other.
        if referenced and one_family:
            return True
        unread.append(error)
        return False
    if found.family not in (None, family):
        return False
    if referenced and (found.family is not None or one_family):
        return True
    addresses = prefix_list_addresses(found, family)
    return addresses is not None and addresses.is_covered_by(allowed.addresses)


class _TargetSecurityGroups(NamedTuple):
    """The security groups of an endpoint: those known, why there may be more that were read but not resolved,
    and what was not read."""

    groups: frozenset[str]
    unresolved: tuple[str, ...] = ()
    unread: NotReadError | None = None

    @property
    def is_known_empty(self) -> bool:
        return not self.groups and not self.unresolved and self.unread is None


def _check_target(
    permissions: Permissions,
    requirement: Requirement,
    peer: TargetPeer,
    allowed: AllowedTraffic,
    target_match: TargetMatch,
) -> Coverage:
    open_to_address = _address_is_open(peer, allowed)
    carried = _target_security_groups(permissions, peer, allowed)
    if not allowed.referenced_group_ids.isdisjoint(carried.groups):
        return Coverage(requirement)
    # Read literally, only a reference counts for a target that has groups, or may have.
    only_references = target_match is TargetMatch.SECURITY_GROUP and not carried.is_known_empty
    if open_to_address and not only_references:
        return Coverage(requirement)
    if carried.unread is not None and (allowed.references or only_references or peer.ip is None):
        raise carried.unread
    unread = permissions.unread if only_references else allowed.unread
    if unread:
        raise unread[0]
    required = () if peer.cidr is None else (peer.cidr,)
    missing = () if open_to_address or only_references else required
    # Without its unresolved groups an address that is open would do, read literally too.
    hangs_on_groups = allowed.references or peer.ip is None or open_to_address
    notes = list(carried.unresolved) if hangs_on_groups else []
    if not only_references:
        notes += allowed.unresolved
    return Coverage(requirement, required, missing, carried.groups, tuple(dict.fromkeys(notes)))


def _target_security_groups(
    permissions: Permissions, peer: TargetPeer, allowed: AllowedTraffic
) -> _TargetSecurityGroups:
    if peer.is_outside_vpc and peer.address is not None:
        return _security_groups_over_peering(permissions, peer, peer.address, allowed.peering_references)
    unresolved = () if peer.unresolved is None else (peer.unresolved,)
    return _TargetSecurityGroups(peer.security_groups, unresolved, peer.unread)


def _security_groups_over_peering(
    permissions: Permissions,
    peer: TargetPeer,
    address: int,
    peering_references: Iterable[SecurityGroupReference],
) -> _TargetSecurityGroups:
    """The groups of an address outside the target group's VPC: those of the interface that holds it in a VPC
    that an active peering reference names. Without such a reference (an address on premises) none.
    """
    estate = permissions.estate
    groups: set[str] = set()
    unresolved: list[str] = []
    for reference in peering_references:
        where = f"{reference.group_id} over {reference.peering_connection_id}"
        if reference.vpc_id is None:
            unresolved.append(f"{where} (its VPC is not named)")
            continue
        try:
            if not estate.vpc_contains(reference.vpc_id, peer.family, address):
                continue
        except NotReadError:
            # A peered VPC mostly belongs to somebody else; then only the interface itself can tell.
            pass
        try:
            interface = estate.interface_at(reference.vpc_id, peer.family, address)
        except NotReadError as error:
            return _TargetSecurityGroups(frozenset(groups), tuple(unresolved), error)
        if interface is None:
            unresolved.append(f"{where} (its members in {reference.vpc_id} are not visible)")
        else:
            groups.update(interface.groups)
    return _TargetSecurityGroups(frozenset(groups), tuple(unresolved))
