"""One requirement held against the permissions: covered, or what is left over.

The only place that decides whether something is let through.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from alb_sg.errors import Unread
from alb_sg.estate.cidr import Family, parse_cidr
from alb_sg.estate.model import SecurityGroupReference
from alb_sg.parameters import PREFIX_LIST_ID, SECURITY_GROUP_ID, Parameters, TargetMatch
from alb_sg.permissions.addresses import AddressSet
from alb_sg.permissions.permissions import Allowed, Permissions, prefix_list_addresses
from alb_sg.recommendations.requirement import (
    AddressPeer,
    Demand,
    EndpointPeer,
    GroupPeer,
    Peer,
    PrefixListPeer,
    Requirement,
)


class Outcome(NamedTuple):
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
    accepted: str | None = None

    @property
    def covered(self) -> bool:
        return self.missing is None


def plainly_met(permissions: Permissions, demand: Demand, parameters: Parameters) -> int | None:
    """The number of requirements, where what is let through meets them all without a closer look at who carries which
    group, which lists were read and which sources are accepted. Most do; None says nothing yet.
    """
    count = 0
    way = None
    for direction, traffic, peers, _, _ in demand.asks:
        if direction is not way:
            way, one_way = direction, permissions.one_way(direction)
        count += len(peers)
        family = None
        for peer in peers:
            of_family = peer.family
            if of_family is not family:
                family = of_family
                allowed = one_way.allowed(traffic, family)
                group_ids = allowed.group_ids
            # Most targets are met so.
            if isinstance(peer, EndpointPeer) and not group_ids.isdisjoint(peer.groups):
                continue
            if not _plainly_lets(allowed, peer, parameters.target_match):
                return None
    return count


def _plainly_lets(allowed: Allowed, peer: Peer, target_match: TargetMatch) -> bool:
    match peer:
        case EndpointPeer():
            return not allowed.group_ids.isdisjoint(peer.groups) or (
                target_match is TargetMatch.EFFECTIVE and _open_to(peer, allowed)
            )
        case AddressPeer():
            return peer.addresses <= allowed.addresses or not allowed.group_ids.isdisjoint(peer.or_security_groups)
        case PrefixListPeer():
            return peer.prefix_list_id in allowed.prefix_list_ids or allowed.addresses.whole
        case GroupPeer():
            return allowed.addresses.whole


def _open_to(peer: EndpointPeer, allowed: Allowed) -> bool:
    """Whether the address is open, whichever it is where it is not known."""
    if allowed.addresses.whole:
        return True
    address = peer.address
    return address is not None and allowed.addresses.holds(address, address)


def settle(
    permissions: Permissions, requirement: Requirement, parameters: Parameters, *, one_family: bool = True
) -> Outcome:
    """What becomes of a requirement. `one_family`: the load balancer has clients of one family only.

    Raises Unread where what was read neither proves cover nor rules it out.
    """
    peer = requirement.peer
    allowed = permissions.allowed(requirement.direction, requirement.traffic, peer.family)
    if _plainly_lets(allowed, peer, parameters.target_match):
        return Outcome(requirement)
    match peer:
        case AddressPeer():
            outcome = _addresses(requirement, peer, allowed)
        case PrefixListPeer():
            outcome = _prefix_list(permissions, requirement, peer, allowed)
        case GroupPeer():
            outcome = _group(permissions, requirement, peer, allowed)
        case EndpointPeer():
            return _endpoint(permissions, requirement, peer, allowed, parameters.target_match)
    if outcome.covered:
        return outcome
    unread = list(allowed.unread)
    if requirement.replaceable:
        accepted = _accepted(permissions, parameters.accepted_sources, peer.family, allowed, unread, one_family)
        if accepted is not None:
            return Outcome(requirement, accepted=accepted)
    if unread:
        raise unread[0]
    return outcome


def _addresses(requirement: Requirement, peer: AddressPeer, allowed: Allowed) -> Outcome:
    left = peer.addresses - allowed.addresses
    return Outcome(requirement, peer.required, left.cidrs(), peer.or_security_groups, allowed.unresolved)


def _prefix_list(permissions: Permissions, requirement: Requirement, peer: PrefixListPeer, allowed: Allowed) -> Outcome:
    required = (peer.prefix_list_id,)
    addresses = prefix_list_addresses(permissions.estate.prefix_list(peer.prefix_list_id), peer.family)
    if not addresses:
        # Entries that are refused, or none at all: the list must at least be referenced.
        return Outcome(requirement, required, required, unresolved=allowed.unresolved)
    left = addresses - allowed.addresses
    if not left:
        return Outcome(requirement)
    return Outcome(requirement, required, left.cidrs(), unresolved=allowed.unresolved)


def _refers_to(permissions: Permissions, group_id: str, allowed: Allowed) -> bool:
    """Whether a group that nobody is known to carry is referenced, and not only by what outlived it."""
    return any(
        reference.group_id == group_id and not permissions.estate.outlived(reference)
        for reference in allowed.references
    )


def _group(permissions: Permissions, requirement: Requirement, peer: GroupPeer, allowed: Allowed) -> Outcome:
    if _refers_to(permissions, peer.group_id, allowed):
        return Outcome(requirement)
    return Outcome(requirement, (peer.group_id,), (), frozenset({peer.group_id}), unresolved=allowed.unresolved)


def _accepted(
    permissions: Permissions,
    sources: Iterable[str],
    family: Family,
    allowed: Allowed,
    unread: list[Unread],
    one_family: bool,
) -> str | None:
    """The first accepted source that is let through in this family; what could not be told goes to `unread`."""
    for source in sources:
        if SECURITY_GROUP_ID.fullmatch(source):
            if _refers_to(permissions, source, allowed):
                return source
        elif PREFIX_LIST_ID.fullmatch(source):
            if _accepts_prefix_list(permissions, source, family, allowed, unread, one_family):
                return source
        else:
            of_family, block = parse_cidr(source)
            if of_family is family and AddressSet(family, (block,)) <= allowed.addresses:
                return source
    return None


def _accepts_prefix_list(
    permissions: Permissions,
    source: str,
    family: Family,
    allowed: Allowed,
    unread: list[Unread],
    one_family: bool,
) -> bool:
    referenced = source in allowed.prefix_list_ids
    try:
        found = permissions.estate.prefix_list(source)
    except Unread as error:
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
    return addresses is not None and bool(addresses) and addresses <= allowed.addresses


class _Carried(NamedTuple):
    """The security groups of an endpoint: those known, why there may be more that were read but not resolved,
    and what was not read."""

    groups: frozenset[str]
    unresolved: tuple[str, ...] = ()
    unread: Unread | None = None

    @property
    def surely_none(self) -> bool:
        return not self.groups and not self.unresolved and self.unread is None


def _endpoint(
    permissions: Permissions,
    requirement: Requirement,
    peer: EndpointPeer,
    allowed: Allowed,
    target_match: TargetMatch,
) -> Outcome:
    open_to_address = _open_to(peer, allowed)
    carried = _carried(permissions, peer, allowed)
    if not allowed.group_ids.isdisjoint(carried.groups):
        return Outcome(requirement)
    # Read literally, only a reference counts for a target that has groups, or may have.
    only_references = target_match is TargetMatch.SECURITY_GROUP and not carried.surely_none
    if open_to_address and not only_references:
        return Outcome(requirement)
    if carried.unread is not None and (allowed.references or only_references or peer.ip is None):
        raise carried.unread
    unread = permissions.unread if only_references else allowed.unread
    if unread:
        raise unread[0]
    required = () if peer.required is None else (peer.required,)
    missing = () if open_to_address or only_references else required
    # Without its unresolved groups an address that is open would do, read literally too.
    hangs_on_groups = allowed.references or peer.ip is None or open_to_address
    notes = list(carried.unresolved) if hangs_on_groups else []
    if not only_references:
        notes += allowed.unresolved
    return Outcome(requirement, required, missing, carried.groups, tuple(dict.fromkeys(notes)))


def _carried(permissions: Permissions, peer: EndpointPeer, allowed: Allowed) -> _Carried:
    if peer.outside and peer.address is not None:
        return _carried_over_peering(permissions, peer, peer.address, allowed.over_peering)
    unresolved = () if peer.unresolved is None else (peer.unresolved,)
    return _Carried(peer.groups, unresolved, peer.unread)


def _carried_over_peering(
    permissions: Permissions,
    peer: EndpointPeer,
    address: int,
    over_peering: Iterable[SecurityGroupReference],
) -> _Carried:
    """The groups of an address outside the target group's VPC: those of the interface that holds it in a VPC
    that an active peering reference names. Without such a reference (an address on premises) none.
    """
    estate = permissions.estate
    groups: set[str] = set()
    unresolved: list[str] = []
    for reference in over_peering:
        where = f"{reference.group_id} over {reference.peering_connection_id}"
        if reference.vpc_id is None:
            unresolved.append(f"{where} (its VPC is not named)")
            continue
        try:
            if not estate.vpc_holds(reference.vpc_id, peer.family, address):
                continue
        except Unread:
            # A peered VPC mostly belongs to somebody else; then only the interface itself can tell.
            pass
        try:
            interface = estate.interface_at(reference.vpc_id, peer.family, address)
        except Unread as error:
            return _Carried(frozenset(groups), tuple(unresolved), error)
        if interface is None:
            unresolved.append(f"{where} (its members in {reference.vpc_id} are not visible)")
        else:
            groups.update(interface.groups)
    return _Carried(frozenset(groups), tuple(unresolved))
