"""One requirement compared with the permissions: covered, or else what is missing.

No other module decides whether something is allowed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from alb_sg.errors import NotReadError
from alb_sg.estate.cidr import Family
from alb_sg.estate.model import SecurityGroupReference, is_placeholder, is_security_group_id
from alb_sg.parameters import AcceptedSourcesMatch, Parameters, TargetMatch
from alb_sg.permissions.addresses import AddressSet
from alb_sg.permissions.allowed_traffic import AllowedTraffic, Permissions, prefix_list_addresses
from alb_sg.recommendations.requirement import (
    AddressPeer,
    NodesPeer,
    Peer,
    PrefixListPeer,
    Requirement,
    RequirementSet,
    SecurityGroupPeer,
    TargetPeer,
    address_peer,
    parse_peer,
)

# The permissions that decide about a peer: those of the load balancer's groups, or of the groups of a target.
PermissionsOf = Callable[[Peer], Permissions]


class AcceptedSources(NamedTuple):
    """The accepted sources that are open, of the `total` that concern a requirement's port and address family. Both are
    empty for a port that is closed on purpose, `closed_port`, and where all sources are of the other family."""

    met: tuple[str, ...]
    total: int
    closed_port: int | None = None


class Coverage(NamedTuple):
    """A requirement and whether it is covered.

    It is covered if `missing` is None; `accepted_sources` then names those that replace its peer, if they do. Otherwise
    `missing` is the part of `required` that is not allowed (empty if no address is known), and `unresolved` names what
    may allow it but could not be resolved.

    `lost_sources`: where all accepted sources must be open and only some are, the coverage of those that are not (CIDR
    blocks together). They are what is missing then, not the recommended peer.
    """

    requirement: Requirement
    required: tuple[str, ...] = ()
    missing: tuple[str, ...] | None = None
    or_security_groups: frozenset[str] = frozenset()
    unresolved: tuple[str, ...] = ()
    accepted_sources: AcceptedSources | None = None
    lost_sources: tuple[Coverage, ...] = ()

    @property
    def is_covered(self) -> bool:
        return self.missing is None

    @property
    def accepted_source(self) -> str | None:
        """The first accepted source that replaces the peer, or `none@80`; None if none does."""
        if self.accepted_sources is None or not self.is_covered:
            return None
        return next(iter(self.accepted_sources.met), f"none@{self.accepted_sources.closed_port}")


def not_covered_directly(
    permissions_of: PermissionsOf, requirement_set: RequirementSet, target_match: TargetMatch
) -> list[Requirement]:
    """The requirements that the permissions do not cover as they stand. Most load balancers have none.

    This needs neither the targets' interfaces nor accepted sources.
    """
    found: list[Requirement] = []
    for group in requirement_set.groups:
        direction, traffic = group.direction, group.traffic
        peers = [
            peer
            for peer in group.peers
            if not covers_directly(
                permissions_of(peer).allowed_traffic(direction, traffic, peer.family), peer, target_match
            )
        ]
        if peers:
            found += group.requirements(peers)
    return found


def requirement_count(peer: Peer) -> int:
    """For how many requirements a peer stands: one for each target."""
    return len(peer.targets) if isinstance(peer, NodesPeer) else 1


def covers_directly(allowed: AllowedTraffic, peer: Peer, target_match: TargetMatch) -> bool:
    """Whether what is allowed covers a peer without further facts about it."""
    match peer:
        case TargetPeer():
            return not allowed.referenced_group_ids.isdisjoint(peer.security_groups) or (
                target_match is TargetMatch.EFFECTIVE and _address_is_open(peer, allowed)
            )
        case NodesPeer():
            return bool(peer.target_groups) and (
                not allowed.referenced_group_ids.isdisjoint(peer.load_balancer_groups)
                or peer.addresses.is_covered_by(allowed.addresses)
            )
        case AddressPeer():
            return (
                peer.addresses.is_covered_by(allowed.addresses)
                or not allowed.referenced_group_ids.isdisjoint(peer.or_security_groups)
                or (bool(peer.identities) and peer.identities <= allowed.identities)
            )
        case PrefixListPeer():
            return (
                peer.prefix_list_id in allowed.prefix_list_ids
                or allowed.addresses.is_everything
                or not allowed.referenced_group_ids.isdisjoint(peer.or_security_groups)
            )
        case SecurityGroupPeer():
            return allowed.addresses.is_everything


def _address_is_open(peer: TargetPeer, allowed: AllowedTraffic) -> bool:
    """Whether the target's address is open. An unknown address is open only if every address is."""
    if allowed.addresses.is_everything:
        return True
    if peer.unknown_address is not None:
        return AddressSet.from_cidrs(peer.family, peer.possible_cidrs).is_covered_by(allowed.addresses)
    address = peer.address
    return address is not None and allowed.addresses.contains_range(address, address)


def _may_be_open(peer: TargetPeer, allowed: AllowedTraffic) -> bool:
    """Whether an address that is not known yet may turn out to be one that is open."""
    if not peer.possible_cidrs:
        return bool(allowed.addresses)
    return AddressSet.from_cidrs(peer.family, peer.possible_cidrs).overlaps(allowed.addresses)


def check(
    permissions: Permissions, requirement: Requirement, parameters: Parameters, *, one_family: bool = True
) -> Coverage:
    """The coverage of a requirement. `one_family`: all peers of the requirement set are of one address family.

    Raises NotReadError if the facts that were read neither prove nor rule out that it is covered.
    """
    peer = requirement.peer
    allowed = permissions.allowed_traffic(requirement.direction, requirement.traffic, peer.family)
    if covers_directly(allowed, peer, parameters.target_match):
        return Coverage(requirement)
    if isinstance(peer, TargetPeer):
        return _check_target(permissions, requirement, peer, allowed, parameters.target_match)
    if isinstance(peer, NodesPeer):
        return _check_nodes(permissions, requirement, peer, allowed)
    coverage = _check_peer(permissions, requirement, peer, allowed)
    if coverage.is_covered:
        return coverage
    unread = list(allowed.unread)
    if allowed.unread_references and (coverage.or_security_groups or parameters.accepted_sources):
        unread += allowed.unread_references
    unread += _placeholder_errors(permissions, coverage.or_security_groups, allowed)
    if isinstance(peer, AddressPeer) and peer.unread is not None and (allowed.addresses or not peer.some_required):
        unread.append(peer.unread)
    if requirement.allows_accepted_sources:
        accepted, may_be_accepted = _check_accepted_sources(permissions, coverage, parameters, allowed, one_family)
        if accepted.is_covered:
            return accepted
        coverage = accepted
        unread += may_be_accepted
    if unread:
        raise unread[0]
    return coverage


def _check_peer(
    permissions: Permissions,
    requirement: Requirement,
    peer: _SourcePeer,
    allowed: AllowedTraffic,
) -> Coverage:
    match peer:
        case AddressPeer():
            return _check_addresses(requirement, peer, allowed)
        case PrefixListPeer():
            return _check_prefix_list(permissions, requirement, peer, allowed)
        case SecurityGroupPeer():
            return _check_security_group(requirement, peer, allowed)


def _check_addresses(requirement: Requirement, peer: AddressPeer, allowed: AllowedTraffic) -> Coverage:
    if peer.unread is not None:
        # The addresses are an upper bound: what is missing of them is not known.
        return Coverage(requirement, (), (), peer.or_security_groups, allowed.unresolved)
    missing = peer.addresses - allowed.addresses
    return Coverage(requirement, peer.cidrs, missing.cidrs(), peer.or_security_groups, allowed.unresolved)


def _check_nodes(
    permissions: Permissions, requirement: Requirement, peer: NodesPeer, allowed: AllowedTraffic
) -> Coverage:
    """The coverage where the groups of the targets do not let all nodes in, as far as they are known."""
    unread = [peer.unread, *((*allowed.unread, *allowed.unread_references) if peer.target_groups else ())]
    unread += _placeholder_errors(permissions, peer.load_balancer_groups, allowed)
    unread += _nameless_group_errors(permissions, peer.load_balancer_groups)
    # Before a plan is applied, nothing at all that is open lets no node in, whatever its address is.
    is_closed = permissions.estate.is_planned and peer.target_groups and not allowed.addresses
    if not is_closed:
        unread.append(peer.unread_addresses)
    if not peer.load_balancer_groups:
        unread.append(NotReadError("security groups", "the load balancer has none"))
    for error in unread:
        if error is not None:
            raise error
    if peer.unread_addresses is not None:
        return Coverage(requirement, (), (), peer.load_balancer_groups, allowed.unresolved)
    if peer.unresolved is not None:
        cidrs = peer.addresses.cidrs()
        return Coverage(requirement, peer.cidrs, cidrs, peer.load_balancer_groups, (peer.unresolved,))
    missing = peer.addresses - allowed.addresses
    return Coverage(requirement, peer.cidrs, missing.cidrs(), peer.load_balancer_groups, allowed.unresolved)


def _placeholder_errors(
    permissions: Permissions, group_ids: Iterable[str], allowed: AllowedTraffic
) -> list[NotReadError]:
    """Why it is not known that no reference names one of these groups: a plan does not tell which group one is."""
    errors: list[NotReadError] = []
    for group_id in sorted(group_ids) if allowed.references else ():
        if is_placeholder(group_id):
            try:
                permissions.estate.security_group(group_id)
            except NotReadError as error:
                errors.append(error)
    return errors


def _nameless_group_errors(permissions: Permissions, group_ids: Iterable[str]) -> list[NotReadError]:
    """Why it is not known that no reference names one of these groups: the data has no ID in the place of one."""
    return [
        NotReadError("security groups of the load balancer", f"{group_id} is not the ID of one")
        for group_id in sorted(group_ids)
        if not permissions.estate.is_planned and not is_security_group_id(group_id)
    ]


def _check_prefix_list(
    permissions: Permissions, requirement: Requirement, peer: PrefixListPeer, allowed: AllowedTraffic
) -> Coverage:
    required = (peer.prefix_list_id,)
    addresses = prefix_list_addresses(permissions.estate.prefix_list(peer.prefix_list_id), peer.family)
    if not addresses:
        # Its entries are not shared, or there are none: only a reference to the list can cover it.
        return Coverage(requirement, required, required, peer.or_security_groups, allowed.unresolved)
    missing = addresses - allowed.addresses
    if not missing:
        return Coverage(requirement)
    return Coverage(requirement, required, missing.cidrs(), peer.or_security_groups, allowed.unresolved)


def _check_security_group(requirement: Requirement, peer: SecurityGroupPeer, allowed: AllowedTraffic) -> Coverage:
    if peer.group_id in allowed.referenced_group_ids:
        return Coverage(requirement)
    return Coverage(requirement, (peer.group_id,), (), frozenset({peer.group_id}), unresolved=allowed.unresolved)


_SourcePeer = AddressPeer | PrefixListPeer | SecurityGroupPeer


class _SourceCheck(NamedTuple):
    """An accepted source that may concern a requirement, and whether it is open. `unread`: why that is not known."""

    source: str
    peer: _SourcePeer
    is_open: bool
    unread: NotReadError | None = None


def _check_accepted_sources(
    permissions: Permissions, coverage: Coverage, parameters: Parameters, allowed: AllowedTraffic, one_family: bool
) -> tuple[Coverage, list[NotReadError]]:
    """The coverage with the accepted sources considered, and why more of them may be open than is known."""
    requirement = coverage.requirement
    traffic = requirement.traffic
    sources = parameters.accepted_sources_of(traffic.from_port if traffic.protocol == "tcp" else None)
    peers = [source.peer for source in sources if source.peer is not None]
    if len(peers) < len(sources):
        return Coverage(requirement, accepted_sources=AcceptedSources((), 0, traffic.from_port)), []
    checks = [
        check
        for source in peers
        if (check := _check_source(permissions, source, requirement.peer.family, allowed, one_family)) is not None
    ]
    if peers and not checks:
        return coverage._replace(accepted_sources=AcceptedSources((), 0)), []
    met = tuple(check.source for check in checks if check.is_open)
    unread = [check.unread for check in checks if check.unread is not None]
    accepted = AcceptedSources(met, len(checks))
    if parameters.accepted_sources_match is AcceptedSourcesMatch.ANY:
        if met:
            return Coverage(requirement, accepted_sources=accepted), []
        return coverage, unread
    if met and len(met) == len(checks):
        return Coverage(requirement, accepted_sources=accepted), []
    closed = [check for check in checks if not check.is_open and check.unread is None]
    if not closed:
        return coverage, unread
    if not met:
        return coverage, []
    lost = tuple(
        _check_peer(permissions, requirement._replace(peer=peer), peer, allowed)
        for peer in _merge_addresses(requirement.peer.family, closed)
    )
    return coverage._replace(accepted_sources=accepted, lost_sources=lost), []


def _merge_addresses(family: Family, checks: Sequence[_SourceCheck]) -> list[_SourcePeer]:
    """The peers of accepted sources, with all CIDR blocks as one peer."""
    cidrs = tuple(check.source for check in checks if isinstance(check.peer, AddressPeer))
    others: list[_SourcePeer] = [check.peer for check in checks if not isinstance(check.peer, AddressPeer)]
    return [address_peer(family, cidrs), *others] if cidrs else others


def _check_source(
    permissions: Permissions, source: str, family: Family, allowed: AllowedTraffic, one_family: bool
) -> _SourceCheck | None:
    """Whether an accepted source is open; None if it does not concern this address family."""
    match parse_peer(source, family):
        case SecurityGroupPeer(group_id=group_id) as peer:
            return _SourceCheck(source, peer, group_id in allowed.referenced_group_ids)
        case AddressPeer(addresses=addresses) as peer:
            return _SourceCheck(source, peer, addresses.is_covered_by(allowed.addresses))
        case PrefixListPeer() as peer:
            return _check_accepted_prefix_list(permissions, peer, allowed, one_family)
        case _:
            return None


def _check_accepted_prefix_list(
    permissions: Permissions, peer: PrefixListPeer, allowed: AllowedTraffic, one_family: bool
) -> _SourceCheck | None:
    source = peer.prefix_list_id
    referenced = source in allowed.prefix_list_ids
    try:
        prefix_list = permissions.estate.prefix_list(source)
    except NotReadError as error:
        # A reference is enough, unless there are peers of two families and the list may be of the other one.
        is_open = referenced and one_family
        return _SourceCheck(source, peer, is_open, None if is_open else error)
    if prefix_list.family not in (None, peer.family):
        return None
    if referenced and (prefix_list.family is not None or one_family):
        return _SourceCheck(source, peer, is_open=True)
    addresses = prefix_list_addresses(prefix_list, peer.family)
    return _SourceCheck(source, peer, addresses is not None and addresses.is_covered_by(allowed.addresses))


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
    may_have_other_address = peer.ip is None and peer.unknown_address is None
    if target.unread is not None and (allowed.references or only_references or may_have_other_address):
        raise target.unread
    unread = [
        *(permissions.unread if only_references else allowed.unread),
        *allowed.unread_references,
        *(permissions.unknown_rules(requirement.direction) if only_references else ()),
    ]
    if unread:
        raise unread[0]
    if peer.unknown_address is not None and not only_references and _may_be_open(peer, allowed):
        raise peer.unknown_address
    required = peer.possible_cidrs if peer.cidr is None else (peer.cidr,)
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
