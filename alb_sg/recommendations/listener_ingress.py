"""Inbound: every listener port from every client (semantics §5).

"Allow all inbound traffic on the load balancer listener port", from the VPC CIDR for an internal load balancer,
and from clients and the VPC CIDR where it is the target of a Network Load Balancer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from alb_sg.errors import NotReadError
from alb_sg.estate.cidr import Family
from alb_sg.estate.estate import Estate
from alb_sg.estate.model import Listener, LoadBalancer, TargetGroup
from alb_sg.parameters import Parameters
from alb_sg.permissions.allowed_traffic import INGRESS, Traffic
from alb_sg.recommendations.clients import client_peers, vpc_cidrs
from alb_sg.recommendations.load_balancer_context import LoadBalancerContext
from alb_sg.recommendations.requirement import (
    NotApplicable,
    Peer,
    RequirementGroup,
    RequirementSet,
    address_peer,
    new_requirement_group,
    new_requirement_set,
)

# A peer, and whether an accepted source may stand in for it.
_ClientPeer = tuple[Peer, bool]


class FrontingLoadBalancer(NamedTuple):
    """A Network Load Balancer that sends to a port of an Application Load Balancer through a target group of
    type `alb`, and the port that the group's health checks use."""

    load_balancer: LoadBalancer
    target_group: TargetGroup
    port: int
    health_check_port: int


def requirements(context: LoadBalancerContext, parameters: Parameters) -> RequirementSet:
    """TCP on each listener's port from each client. Raises NotApplicable, NotReadError."""
    estate, load_balancer = context.estate, context.load_balancer
    listeners = estate.listeners_of(load_balancer)
    if not listeners:
        raise NotApplicable("the load balancer has no listener")
    fronts = _fronting_load_balancers(estate, load_balancer)
    if fronts:
        return _requirements_behind(fronts, listeners, context, parameters)
    clients = client_peers(estate, load_balancer, parameters)
    return new_requirement_set(
        (tuple([_requirement_group(listener, clients, allows_accepted_sources=True) for listener in listeners]), ())
    )


def _requirement_group(
    listener: Listener, peers: tuple[Peer, ...], *, allows_accepted_sources: bool
) -> RequirementGroup:
    return new_requirement_group((INGRESS, Traffic.tcp(listener.port), peers, listener, allows_accepted_sources))


def _requirements_behind(
    nlbs: list[FrontingLoadBalancer],
    listeners: Sequence[Listener],
    context: LoadBalancerContext,
    parameters: Parameters,
) -> RequirementSet:
    """What is asked of a load balancer that Network Load Balancers send to, on some of its ports."""
    estate = context.estate
    sending = _group_by_port(nlbs, lambda front: front.port)
    checking = _group_by_port(nlbs, lambda front: front.health_check_port)
    asks: list[RequirementGroup] = []
    clients: tuple[Peer, ...] = ()
    without_clients: NotApplicable | None = None
    for listener in listeners:
        asked: list[_ClientPeer] = []
        if listener.port in sending:
            asked += [one for front in sending[listener.port] for one in _peers_of(estate, front)]
        else:
            try:
                clients = clients or client_peers(estate, context.load_balancer, parameters)
                asked += [(peer, True) for peer in clients]
            except NotApplicable as nobody:
                without_clients = nobody
        asked += [
            (_vpc_peer(estate, front), False)
            for front in checking.get(listener.port, ())
            if front.port != listener.port
        ]
        asks += [
            _requirement_group(listener, tuple([peer for peer, _ in alike]), allows_accepted_sources=replaceable)
            for replaceable, alike in groupby(dict.fromkeys(asked), key=itemgetter(1))
        ]
    if not asks and without_clients is not None:
        raise without_clients
    return RequirementSet(tuple(asks), _unanswered_health_checks(nlbs, listeners))


def _unanswered_health_checks(nlbs: Iterable[FrontingLoadBalancer], listeners: Iterable[Listener]) -> tuple[str, ...]:
    """Health checks on a port without a listener: no requirement, but said."""
    ports = {listener.port for listener in listeners}
    remarks = [
        f"no listener answers the health checks of {front.load_balancer.name} "
        f"(target group {front.target_group.name}) on port {front.health_check_port}"
        for front in nlbs
        if front.health_check_port not in ports
    ]
    return tuple(dict.fromkeys(remarks))


def _peers_of(estate: Estate, nlb: FrontingLoadBalancer) -> list[_ClientPeer]:
    """The two rows of the page's third table: clients, and the VPC CIDR for PrivateLink and health checks."""
    from_vpc = (_vpc_peer(estate, nlb), False)
    if nlb.load_balancer.scheme != "internet-facing":
        return [from_vpc]
    everywhere = address_peer(
        Family.IPV4,
        (Family.IPV4.any_address_cidr,),
        frozenset(nlb.load_balancer.security_groups),
        f"clients of {nlb.load_balancer.name}",
    )
    return [(everywhere, True), from_vpc]


def _vpc_peer(estate: Estate, nlb: FrontingLoadBalancer) -> Peer:
    # An NLB reaches an ALB over IPv4, whatever address type either has.
    return address_peer(
        Family.IPV4,
        vpc_cidrs(estate, nlb.load_balancer.vpc_id, Family.IPV4),
        frozenset(nlb.load_balancer.security_groups),
        f"the VPC, for {nlb.load_balancer.name}",
    )


def _group_by_port(
    nlbs: Iterable[FrontingLoadBalancer], port_of: Callable[[FrontingLoadBalancer], int]
) -> Mapping[int, list[FrontingLoadBalancer]]:
    found: dict[int, list[FrontingLoadBalancer]] = {}
    for front in nlbs:
        found.setdefault(port_of(front), []).append(front)
    return found


def _fronting_load_balancers(estate: Estate, load_balancer: LoadBalancer) -> list[FrontingLoadBalancer]:
    fronts = []
    for group, target in estate.alb_registrations_of(load_balancer):
        port = target.port if target.port is not None else group.port
        if port is None:
            raise NotReadError(f"port of target group {group.name}", "it was not recorded")
        for arn in group.load_balancer_arns or ():
            front = estate.load_balancers.get(arn)
            if front is None:
                raise NotReadError(f"Network Load Balancer {arn}", "it is not among the LoadBalancers collected")
            check_port = group.health_check_port
            fronts.append(FrontingLoadBalancer(front, group, port, port if check_port is None else check_port))
    return sorted(fronts, key=lambda front: (front.load_balancer.arn, front.target_group.arn))
