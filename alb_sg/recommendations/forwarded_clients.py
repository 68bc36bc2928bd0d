"""The clients that reach an Application Load Balancer through a Network Load Balancer (semantics §5)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from alb_sg.errors import NotReadError
from alb_sg.estate.cidr import Family
from alb_sg.estate.estate import Estate
from alb_sg.estate.model import Permission, require_known
from alb_sg.permissions.addresses import AddressSet
from alb_sg.permissions.allowed_traffic import Direction, Permissions, Traffic, prefix_list_addresses
from alb_sg.recommendations.clients import vpc_cidrs
from alb_sg.recommendations.fronting_load_balancers import FrontingLoadBalancer
from alb_sg.recommendations.requirement import AddressPeer, Peer, PrefixListPeer, address_peer

# A Network Load Balancer reaches an Application Load Balancer over IPv4, whatever the address type of either.
_FAMILY = Family.IPV4


def vpc_peer(estate: Estate, front: FrontingLoadBalancer) -> AddressPeer:
    """The VPC of a Network Load Balancer, from which health checks and PrivateLink clients come. Raises
    NotReadError."""
    return address_peer(
        _FAMILY,
        vpc_cidrs(estate, front.load_balancer.vpc_id, _FAMILY),
        frozenset(front.load_balancer.security_groups),
        f"health checks and PrivateLink of {front.load_balancer.name}",
    )


def forwarded_clients(estate: Estate, front: FrontingLoadBalancer) -> tuple[Peer, ...]:
    """The client addresses that a Network Load Balancer preserves, except those of its VPC.

    They are what its own security groups let in on its listeners that forward to the target group. Without groups, or
    where those listeners were not collected, its scheme decides. Raises NotReadError where the VPC was not read.
    """
    if not front.load_balancer.security_groups:
        return _clients_by_scheme(front)
    unread_listeners = _unread_listeners(estate, front)
    if unread_listeners is not None:
        return (_unknown_clients(front, unread_listeners),)
    ports = _forwarding_ports(estate, front)
    if not ports:
        return _clients_by_scheme(front)
    permissions = Permissions(estate, front.load_balancer.security_groups)
    rules = [
        rule.permission for port in ports for rule in permissions.matching_rules(Direction.INGRESS, Traffic.tcp(port))
    ]
    unread = [*permissions.unread, *permissions.unknown_rules(Direction.INGRESS)]
    return _clients_from_rules(estate, front, rules, unread)


def _forwarding_ports(estate: Estate, front: FrontingLoadBalancer) -> list[int]:
    """The ports of the listeners that forward to the target group; none where they are not known."""
    listeners = (estate.listeners or {}).get(front.load_balancer.arn, ())
    return [listener.known_port for listener in listeners if front.target_group.arn in listener.target_group_arns]


def _unread_listeners(estate: Estate, front: FrontingLoadBalancer) -> NotReadError | None:
    """Why more of its listeners may forward to the target group than are known: the call failed, or their actions could
    not be read."""
    failure = estate.listeners_failure(front.load_balancer)
    if failure is not None:
        return failure
    for listener in (estate.listeners or {}).get(front.load_balancer.arn, ()):
        if listener.unknown_actions is not None:
            return listener.unknown_actions.error(f"listener {listener.arn}")
    return None


def _unknown_clients(front: FrontingLoadBalancer, unread: NotReadError) -> AddressPeer:
    """Unknown clients: they are covered if all addresses are let in, or the Network Load Balancer itself."""
    return replace(_addresses_peer(front, AddressSet.everything(_FAMILY)), unread=unread)


def _clients_by_scheme(front: FrontingLoadBalancer) -> tuple[Peer, ...]:
    scheme = require_known(front.load_balancer.scheme, f"load balancer {front.load_balancer.name}")
    if scheme != "internet-facing":
        return ()
    return (_addresses_peer(front, AddressSet.everything(_FAMILY)),)


def _clients_from_rules(
    estate: Estate, front: FrontingLoadBalancer, rules: Iterable[Permission], unread: list[NotReadError]
) -> tuple[Peer, ...]:
    """The clients that some rules of a Network Load Balancer's groups let in.

    References need no peer: the addresses of a group's members are those of the VPC, which is required anyway.
    """
    rules = list(rules)
    unread = [
        *unread,
        *(
            rule.unknown_addresses.error(f"security groups of {front.load_balancer.name}")
            for rule in rules
            if rule.unknown_addresses is not None
        ),
    ]
    addresses = AddressSet.from_cidrs(_FAMILY, (cidr for rule in rules for cidr in rule.cidrs))
    prefix_lists = {
        prefix_list_id: _entries(estate, prefix_list_id)
        for prefix_list_id in sorted({one for rule in rules for one in rule.prefix_list_ids})
    }
    known_entries = [entries for entries in prefix_lists.values() if entries is not None]
    if AddressSet.union(_FAMILY, [addresses, *known_entries]).is_everything:
        return _clients_by_scheme(front)
    if unread:
        return (_unknown_clients(front, unread[0]),)
    of_vpc = vpc_peer(estate, front).addresses
    peers: list[Peer] = [] if addresses <= of_vpc else [_addresses_peer(front, addresses)]
    covered = addresses | of_vpc
    groups = frozenset(front.load_balancer.security_groups)
    peers += [
        PrefixListPeer(_FAMILY, prefix_list_id, groups)
        for prefix_list_id, entries in prefix_lists.items()
        if entries is None or not entries <= covered
    ]
    return tuple(peers)


def _entries(estate: Estate, prefix_list_id: str) -> AddressSet | None:
    """The IPv4 entries of a prefix list; None where they are not known."""
    try:
        prefix_list = estate.prefix_list(prefix_list_id)
    except NotReadError:
        return None
    if prefix_list.family not in (None, _FAMILY):
        return AddressSet(_FAMILY, ())
    return prefix_list_addresses(prefix_list, _FAMILY)


def _addresses_peer(front: FrontingLoadBalancer, addresses: AddressSet) -> AddressPeer:
    return address_peer(
        _FAMILY,
        addresses.cidrs(),
        frozenset(front.load_balancer.security_groups),
        f"clients of {front.load_balancer.name}",
    )
