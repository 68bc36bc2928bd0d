"""The keys and the order of what loaders read, and the indexes that an estate's lookups use."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from operator import attrgetter

from alb_sg.errors import NotReadError
from alb_sg.estate.cidr import Family, Range, parse_cidr
from alb_sg.estate.model import Listener, NetworkInterface, Target, TargetGroup, UnknownValue, sortable_port

_ID = attrgetter("id")


def listeners_by_load_balancer(
    load_balancer_arns: Iterable[str], listeners: Iterable[Listener]
) -> dict[str, tuple[Listener, ...]]:
    """The listeners of each load balancer by port. A load balancer without listeners has an empty entry."""
    grouped: dict[str, list[Listener]] = {arn: [] for arn in load_balancer_arns}
    for listener in listeners:
        grouped.setdefault(listener.load_balancer_arn, []).append(listener)
    return {
        arn: tuple(group) if len(group) < 2 else tuple(sorted(group, key=_port_and_arn))
        for arn, group in grouped.items()
    }


def _port_and_arn(listener: Listener) -> tuple[int, str]:
    return sortable_port(listener.port), listener.arn


def ordered_targets(targets: Iterable[Target]) -> tuple[Target, ...]:
    """Targets by ID, port and state."""
    ordered = sorted(targets, key=_ID)
    if len(set(map(_ID, ordered))) < len(ordered):
        ordered.sort(key=_sort_key)
    return tuple(ordered)


def _sort_key(target: Target) -> tuple[str, int, str]:
    return target.id, sortable_port(target.port), str(target.state or "")


def target_groups_by_load_balancer(groups: Iterable[TargetGroup]) -> Mapping[str, list[TargetGroup]]:
    """Target groups by the ARNs of the load balancers that use them."""
    index: dict[str, list[TargetGroup]] = {}
    for group in groups:
        for arn in group.load_balancer_arns or ():
            if arn in index:
                index[arn].append(group)
            else:
                index[arn] = [group]
    return index


def target_groups_of_unknown_load_balancer(groups: Iterable[TargetGroup]) -> Mapping[str, list[TargetGroup]]:
    """The target groups whose load balancers were not recorded, by VPC."""
    index: dict[str, list[TargetGroup]] = {}
    for group in groups:
        if group.load_balancer_arns is None:
            index.setdefault(group.vpc_id, []).append(group)
    return index


def primary_interface_by_instance(interfaces: Iterable[NetworkInterface]) -> Mapping[str, NetworkInterface]:
    """The primary interface of each instance.

    An instance for which several interfaces claim to be it is left out: their source does not tell the network cards.
    """
    primary: dict[str, NetworkInterface] = {}
    ambiguous: set[str] = set()
    for interface in interfaces:
        if interface.instance_id is not None and interface.is_primary:
            if interface.instance_id in primary:
                ambiguous.add(interface.instance_id)
            primary[interface.instance_id] = interface
    return {instance_id: interface for instance_id, interface in primary.items() if instance_id not in ambiguous}


class InterfaceIndex:
    """Network interfaces by VPC and address."""

    def __init__(self, interfaces: Iterable[NetworkInterface]) -> None:
        self._by_address: dict[tuple[str, Family, int], NetworkInterface] = {}
        self._by_prefix: dict[tuple[str, Family], list[tuple[Range, NetworkInterface]]] = {}
        # By VPC; "" for an interface whose VPC is not known.
        self._unknown: dict[str, NetworkInterface] = {}
        for interface in sorted(interfaces, key=_ID):
            if interface.unknown is not None or not interface.vpc_id:
                self._unknown.setdefault(interface.vpc_id, interface)
            for address in (*interface.ipv4_addresses, *interface.ipv6_addresses):
                family, (number, _) = parse_cidr(address)
                self._by_address[interface.vpc_id, family, number] = interface
            for prefix in interface.prefixes:
                family, block = parse_cidr(prefix)
                self._by_prefix.setdefault((interface.vpc_id, family), []).append((block, interface))
        for blocks in self._by_prefix.values():
            blocks.sort(key=lambda entry: entry[0])

    def unknown_error(self, vpc_id: str) -> NotReadError | None:
        """The error where a VPC has an interface whose addresses or groups are not known: an address that no other
        interface holds may be its own."""
        interface = self._unknown.get(vpc_id) or self._unknown.get("")
        if interface is None:
            return None
        return (interface.unknown or UnknownValue("VpcId", "no text")).error(f"network interface {interface.id}")

    def find(self, vpc_id: str, family: Family, address: int) -> NetworkInterface | None:
        """The interface that has the address, or a delegated prefix that contains it."""
        interface = self._by_address.get((vpc_id, family, address))
        if interface is not None:
            return interface
        blocks = self._by_prefix.get((vpc_id, family), [])
        index = bisect_right(blocks, address, key=lambda entry: entry[0][0]) - 1
        return blocks[index][1] if index >= 0 and blocks[index][0][1] >= address else None
