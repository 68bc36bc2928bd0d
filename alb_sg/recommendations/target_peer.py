"""A registered target as a peer: its address, and the security groups of the interface that holds it (semantics §6)."""

from __future__ import annotations

from collections.abc import Iterable

from alb_sg.errors import NotReadError
from alb_sg.estate.cidr import Family, InvalidCidrError, parse_cidr
from alb_sg.estate.estate import Estate
from alb_sg.estate.model import SecurityGroup, TargetGroup
from alb_sg.recommendations.requirement import TargetPeer


def target_peer(estate: Estate, group: TargetGroup, target_id: str) -> TargetPeer:
    """The peer of a target. Unknown facts about it are part of the peer and not raised.

    Raises NotReadError where the address family of the target group is not known.
    """
    family = group.known_family
    if group.target_type == "instance" or _has_unknown_address(estate, target_id):
        return _instance_peer(estate, group, family, target_id)
    try:
        of_family, (address, last) = parse_cidr(target_id)
    except InvalidCidrError:
        of_family, address, last = family, 0, 1
    if address != last or of_family is not family:
        no_address = NotReadError(f"target {target_id} of {group.name}", f"its id is not an {family.label} address")
        return TargetPeer(family, target_id, None, unread=no_address)
    unread: NotReadError | None = None
    try:
        interface = estate.interface_at(group.vpc_id, family, address)
        if interface is not None:
            return TargetPeer(family, target_id, target_id, frozenset(interface.groups))
    except NotReadError as error:
        unread = error
    try:
        is_outside_vpc = not estate.vpc_contains(group.vpc_id, family, address)
    except NotReadError as error:
        return TargetPeer(family, target_id, target_id, unread=unread or error)
    if is_outside_vpc:
        return TargetPeer(family, target_id, target_id, is_outside_vpc=True)
    if unread is not None:
        return TargetPeer(family, target_id, target_id, unread=unread)
    unresolved = f"no network interface in {group.vpc_id} is seen to hold {target_id}"
    return TargetPeer(family, target_id, target_id, unresolved=unresolved)


def _instance_peer(estate: Estate, group: TargetGroup, family: Family, target_id: str) -> TargetPeer:
    try:
        instance = estate.instance(target_id)
    except NotReadError as error:
        return TargetPeer(family, target_id, None, unread=error)
    groups = frozenset(instance.groups)
    unread = None if instance.unknown_groups is None else instance.unknown_groups.error(f"target {target_id}")
    if instance.unknown_address is not None:
        return TargetPeer(
            family,
            target_id,
            None,
            groups,
            unread,
            unknown_address=instance.unknown_address.error(f"target {target_id}"),
            possible_cidrs=tuple(cidr for cidr in instance.possible_cidrs if parse_cidr(cidr)[0] is family),
        )
    address = instance.ipv4_address if family is Family.IPV4 else instance.ipv6_address
    if address is None:
        unresolved = f"{target_id} has no {family.label} address"
        return TargetPeer(family, target_id, None, groups, unread, unresolved=unresolved)
    if not groups and unread is None:
        # Every interface of an instance has a group.
        unread = NotReadError(f"security groups of {target_id}", "none was recorded")
    return TargetPeer(family, target_id, address, groups, unread)


def _has_unknown_address(estate: Estate, target_id: str) -> bool:
    """Whether the target is a placeholder for a planned resource's future members, such as an ECS service's tasks."""
    instance = (estate.instances or {}).get(target_id)
    return instance is not None and instance.unknown_address is not None


def peered_vpcs(security_groups: Iterable[SecurityGroup]) -> frozenset[str]:
    """The VPCs that active peering references of some security groups' outbound rules name: an address outside a target
    group's VPC may be held there. Inbound rules are about clients, and say nothing about targets."""
    return frozenset(
        reference.vpc_id
        for group in security_groups
        for permission in group.egress
        for reference in permission.references
        if reference.peering_connection_id is not None and reference.vpc_id is not None and not reference.is_stale
    )
