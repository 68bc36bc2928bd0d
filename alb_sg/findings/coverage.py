"""One requirement compared with the permissions: covered, or else what is missing.

No other module decides whether something is allowed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from alb_sg.errors import NotReadError
from alb_sg.estate.cidr import Family
from alb_sg.estate.model import SecurityGroupReference
from alb_sg.parameters import Parameters, TargetMatch
from alb_sg.permissions.allowed_traffic import AllowedTraffic, Permissions, prefix_list_addresses
from alb_sg.recommendations.requirement import (
    AddressPeer,
    Peer,
    PrefixListPeer,
    Requirement,
    RequirementSet,
    SecurityGroupPeer,
    TargetPeer,
    parse_peer,
)


class Coverage(NamedTuple):
    """A requirement and whether it is covered.

    It is covered if `missing` is None; `accepted_source` then names the accepted source that replaces its peer, if one
    does. Otherwise `missing` is the part of `required` that is not allowed (empty if no address is known), and
    `unresolved` names what may allow it but could not be resolved.
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
    """The number of requirements, if the permissions cover them all directly; None if that is not certain yet.

    This is the common case. It needs neither the targets' interfaces nor accepted sources.
    """
    count = 0
    for group in requirement_set.groups:
        rules = permissions.direction_rules(group.direction)
        for peer in group.peers:
            allowed = rules.allowed_traffic(group.traffic, peer.family)
            if not _covers_directly(allowed, peer, parameters.target_match):
                return None
        count += len(group.peers)
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
    """Whether the target's address is open. An unknown address is open only if every address is."""
    if allowed.addresses.is_everything:
        return True
    address = peer.address
    return address is not None and allowed.addresses.contains_range(address, address)


def check(
    permissions: Permissions, requirement: Requirement, parameters: Parameters, *, one_family: bool = True
) -> Coverage:
    """The coverage of a requirement. `one_family`: all peers of the requirement set are of one address family.

    Raises NotReadError if the facts that were read neither prove nor rule out that it is covered.
    """
    peer = requirement.peer
    allowed = permissions.allowed_traffic(requirement.direction, requirement.traffic, peer.family)
    if _covers_directly(allowed, peer, parameters.target_match):
        return Coverage(requirement)
    match peer:
        case AddressPeer():
            coverage = _check_addresses(requirement, peer, allowed)
        case PrefixListPeer():
            coverage = _check_prefix_list(permissions, requirement, peer, allowed)
        case SecurityGroupPeer():
            coverage = _check_security_group(requirement, peer, allowed)
        case TargetPeer():
            return _check_target(permissions, requirement, peer, allowed, parameters.target_match)
    if coverage.is_covered:
        return coverage
    unread = list(allowed.unread)
    if requirement.allows_accepted_sources:
        accepted_source = _find_accepted_source(
            permissions, parameters.accepted_sources, peer.family, allowed, unread, one_family
        )
        if accepted_source is not None:
            return Coverage(requirement, accepted_source=accepted_source)
    if unread:
        raise unread[0]
    return coverage


def _check_addresses(requirement: Requirement, peer: AddressPeer, allowed: AllowedTraffic) -> Coverage:
    missing = peer.addresses - allowed.addresses
    return Coverage(requirement, peer.cidrs, missing.cidrs(), peer.or_security_groups, allowed.unresolved)


def _check_prefix_list(
    permissions: Permissions, requirement: Requirement, peer: PrefixListPeer, allowed: AllowedTraffic
) -> Coverage:
    required = (peer.prefix_list_id,)
    addresses = prefix_list_addresses(permissions.estate.prefix_list(peer.prefix_list_id), peer.family)
    if not addresses:
        # Its entries are not shared, or there are none: only a reference to the list can cover it.
        return Coverage(requirement, required, required, unresolved=allowed.unresolved)
    missing = addresses - allowed.addresses
    if not missing:
        return Coverage(requirement)
    return Coverage(requirement, required, missing.cidrs(), unresolved=allowed.unresolved)


def _check_security_group(requirement: Requirement, peer: SecurityGroupPeer, allowed: AllowedTraffic) -> Coverage:
    if peer.group_id in allowed.referenced_group_ids:
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
    """The first accepted source that is allowed in this family. Adds errors to `unread` where that is not known."""
    for source in sources:
        match parse_peer(source, family):
            case SecurityGroupPeer(group_id=group_id):
                is_accepted = group_id in allowed.referenced_group_ids
            case PrefixListPeer():
                is_accepted = _is_accepted_prefix_list(permissions, source, family, allowed, unread, one_family)
            case AddressPeer(addresses=addresses):
                is_accepted = addresses.is_covered_by(allowed.addresses)
            case _:
                is_accepted = False
        if is_accepted:
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
        prefix_list = permissions.estate.prefix_list(source)
    except NotReadError as error:
        # A reference is enough, unless there are peers of two families and the list may be of the other one.
        if referenced and one_family:
            return True
        unread.append(error)
        return False
    if prefix_list.family not in (None, family):
        return False
    if referenced and (prefix_list.family is not None or one_family):
        return True
    addresses = prefix_list_addresses(prefix_list, family)
    return addresses is not None and addresses.is_covered_by(allowed.addresses)


class _TargetSecurityGroups(NamedTuple):
    """The known security groups of a target. There may be more: `unresolved` says why although everything was read,
    and `unread` what was not read."""

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
    target = _target_security_groups(permissions, peer, allowed)
    if not allowed.referenced_group_ids.isdisjoint(target.groups):
        return Coverage(requirement)
    # Read literally, the recommendation accepts only a reference for a target that has, or may have, security groups.
    only_references = target_match is TargetMatch.SECURITY_GROUP and not target.is_known_empty
    if open_to_address and not only_references:
        return Coverage(requirement)
    if target.unread is not None and (allowed.references or only_references or peer.ip is None):
        raise target.unread
    unread = permissions.unread if only_references else allowed.unread
    if unread:
        raise unread[0]
    required = () if peer.cidr is None else (peer.cidr,)
    missing = () if open_to_address or only_references else required
    # An open address would be enough for a target without security groups, read literally too.
    depends_on_groups = allowed.references or peer.ip is None or open_to_address
    unresolved = list(target.unresolved) if depends_on_groups else []
    if not only_references:
        unresolved += allowed.unresolved
    return Coverage(requirement, required, missing, target.groups, tuple(dict.fromkeys(unresolved)))


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
    """The groups of an address outside the target group's VPC: those of the interface that holds the address in a VPC
    that an active peering reference names. Without such a reference it has none, like an address on premises.
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
            # A peered VPC often belongs to another account; its interface may still be known.
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
