"""The registered targets of a load balancer as endpoints: address, and the groups of the interface that holds it
(semantics §6)."""

from __future__ import annotations

from collections.abc import Callable

from alb_sg.errors import Unread
from alb_sg.estate.cidr import Family, NotACidr, parse_cidr
from alb_sg.estate.estate import Estate
from alb_sg.estate.model import LoadBalancer, Target, TargetGroup
from alb_sg.permissions.permissions import Direction, Traffic
from alb_sg.recommendations.judged import must_be_judged
from alb_sg.recommendations.requirement import (
    Because,
    Demand,
    EndpointPeer,
    NotApplicable,
    Requirement,
)

# TargetHealth.State in the Elastic Load Balancing API: no traffic is sent to these, whatever the groups say.
SKIPPED_STATES = frozenset({"draining", "unused"})

# The port to be open for one target of one group.
PortOf = Callable[[TargetGroup, Target], int]


def own_port(group: TargetGroup, target: Target) -> int:
    """The port given at registration, else the target group's."""
    port = target.port if target.port is not None else group.port
    if port is None:
        raise Unread(f"port of target group {group.name}", "it was not recorded")
    return port


def target_demand(
    estate: Estate,
    load_balancer: LoadBalancer,
    port_of: PortOf,
    leave_out: Callable[[TargetGroup], str | None],
) -> Demand:
    """TCP to every target on its port.

    `leave_out` says why a whole target group needs nothing (None: it does need). Raises NotApplicable with
    those reasons where nothing is left, Unread.
    """
    must_be_judged(load_balancer)
    groups = estate.target_groups_of(load_balancer)
    if not groups:
        raise NotApplicable("no target group: its listeners only redirect, answer themselves or are not there")
    reasons: dict[str, None] = {}
    requirements: list[Requirement] = []
    for group in groups:
        reason = "only Lambda functions" if group.target_type == "lambda" else leave_out(group)
        if reason is not None:
            reasons[reason] = None
            continue
        targets = estate.targets_of(group)
        judged = [target for target in targets if target.state not in SKIPPED_STATES]
        if not judged:
            reasons["only targets that are draining or unused" if targets else "no registered target"] = None
        because = Because("targetGroup", group.arn, f"target group {group.name}")
        for target in judged:
            traffic = Traffic.tcp(port_of(group, target))
            requirements.append(Requirement(Direction.EGRESS, traffic, endpoint(estate, group, target), because))
    if not requirements:
        raise NotApplicable("; ".join(reasons))
    return Demand(tuple(requirements))


def endpoint(estate: Estate, group: TargetGroup, target: Target) -> EndpointPeer:
    """A target as far as it can be known; what cannot be is inside the answer, never raised."""
    if group.target_type == "instance":
        return _instance_endpoint(estate, group, target)
    try:
        family, (address, last) = parse_cidr(target.id)
    except NotACidr:
        family, address, last = group.family, 0, 1
    if address != last:
        nowhere = Unread(f"target {target.id} of {group.name}", "its id is not an address")
        return EndpointPeer(group.family, target.id, None, None, unread=nowhere)
    required = f"{target.id}/{family.value}"
    unread: Unread | None = None
    try:
        interface = estate.interface_at(group.vpc_id, family, address)
        if interface is not None:
            return EndpointPeer(family, target.id, address, required, frozenset(interface.groups))
    except Unread as hidden:
        unread = hidden
    try:
        outside = not estate.vpc_holds(group.vpc_id, family, address)
    except Unread as hidden:
        return EndpointPeer(family, target.id, address, required, unread=unread or hidden)
    if outside:
        return EndpointPeer(family, target.id, address, required, outside=True)
    if unread is not None:
        return EndpointPeer(family, target.id, address, required, unread=unread)
    unresolved = f"no network interface in {group.vpc_id} is seen to hold {target.id}"
    return EndpointPeer(family, target.id, address, required, unresolved=unresolved)


def _instance_endpoint(estate: Estate, group: TargetGroup, target: Target) -> EndpointPeer:
    try:
        instance = estate.instance(target.id)
    except Unread as error:
        return EndpointPeer(group.family, target.id, None, None, unread=error)
    address = instance.ipv4_address if group.family is Family.IPV4 else instance.ipv6_address
    if address is None:
        return EndpointPeer(
            group.family,
            target.id,
            None,
            None,
            frozenset(instance.groups),
            unresolved=f"{target.id} has no {group.family.label} address",
        )
    family, (number, _) = parse_cidr(address)
    return EndpointPeer(family, target.id, number, f"{address}/{family.value}", frozenset(instance.groups))
