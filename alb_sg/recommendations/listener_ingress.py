"""Inbound: every listener port from every client (semantics §5).

"Allow all inbound traffic on the load balancer listener port", from the VPC CIDR for an internal load balancer,
and from clients and the VPC CIDR where it is the target of a Network Load Balancer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from alb_sg.errors import Unread
from alb_sg.estate.cidr import Family
from alb_sg.estate.estate import Estate
from alb_sg.estate.model import Listener, LoadBalancer, TargetGroup
from alb_sg.parameters import Parameters
from alb_sg.permissions.permissions import INGRESS, Traffic
from alb_sg.recommendations.clients import client_peers, vpc_cidrs
from alb_sg.recommendations.requirement import (
    Ask,
    Demand,
    NotApplicable,
    Peer,
    address_peer,
    new_ask,
    new_demand,
)
from alb_sg.recommendations.subject import Subject

# A peer, and whether an accepted source may stand in for it.
_Asked = tuple[Peer, bool]


class Front(NamedTuple):
    """A Network Load Balancer that sends to a port of an Application Load Balancer through a target group of
    type `alb`, and the port that the group's health checks use."""

    load_balancer: LoadBalancer
    target_group: TargetGroup
    port: int
    health_check_port: int


def demand(subject: Subject, parameters: Parameters) -> Demand:
    """TCP on each listener's port from each client. Raises NotApplicable, Unread."""
    estate, load_balancer = subject.estate, subject.load_balancer
    listeners = estate.listeners_of(load_balancer)
    if not listeners:
        raise NotApplicable("the load balancer has no listener")
    fronts = _fronts(estate, load_balancer)
    if fronts:
        return _behind(fronts, listeners, subject, parameters)
    clients = client_peers(estate, load_balancer, parameters)
    return new_demand((tuple([_ask(listener, clients, replaceable=True) for listener in listeners]), ()))


def _ask(listener: Listener, peers: tuple[Peer, ...], *, replaceable: bool) -> Ask:
    return new_ask((INGRESS, Traffic.tcp(listener.port), peers, listener, replaceable))


def _behind(fronts: list[Front], listeners: Sequence[Listener], subject: Subject, parameters: Parameters) -> Demand:
    """What is asked of a load balancer that Network Load Balancers send to, on some of its ports."""
    estate = subject.estate
    sending = _by_port(fronts, lambda front: front.port)
    checking = _by_port(fronts, lambda front: front.health_check_port)
    asks: list[Ask] = []
    clients: tuple[Peer, ...] = ()
    without_clients: NotApplicable | None = None
    for listener in listeners:
        asked: list[_Asked] = []
        if listener.port in sending:
            asked += [one for front in sending[listener.port] for one in _of_front(estate, front)]
        else:
            try:
                clients = clients or client_peers(estate, subject.load_balancer, parameters)
                asked += [(peer, True) for peer in clients]
            except NotApplicable as nobody:
                without_clients = nobody
        asked += [
            (_vpc_peer(estate, front), False)
            for front in checking.get(listener.port, ())
            if front.port != listener.port
        ]
        asks += [
            _ask(listener, tuple([peer for peer, _ in alike]), replaceable=replaceable)
            for replaceable, alike in groupby(dict.fromkeys(asked), key=itemgetter(1))
        ]
    if not asks and without_clients is not None:
        raise without_clients
    return Demand(tuple(asks), _unanswered(fronts, listeners))


def _unanswered(fronts: Iterable[Front], listeners: Iterable[Listener]) -> tuple[str, ...]:
    """Health checks on a port without a listener: no requirement, but said."""
    ports = {listener.port for listener in listeners}
    remarks = [
        f"no listener answers the health checks of {front.load_balancer.name} "
        f"(target group {front.target_group.name}) on port {front.health_check_port}"
        for front in fronts
        if front.health_check_port not in ports
    ]
    return tuple(dict.fromkeys(remarks))


def _of_front(estate: Estate, front: Front) -> list[_Asked]:
    """The two rows of the page's third table: clients, and the VPC CIDR for PrivateLink and health checks."""
    from_vpc = (_vpc_peer(estate, front), False)
    if front.load_balancer.scheme != "internet-facing":
        return [from_vpc]
    everywhere = address_peer(
        Family.IPV4,
        (Family.IPV4.everywhere,),
        frozenset(front.load_balancer.security_groups),
        f"clients of {front.load_balancer.name}",
    )
    return [(everywhere, True), from_vpc]


def _vpc_peer(estate: Estate, front: Front) -> Peer:
    # An NLB reaches an ALB over IPv4, whatever address type either has.
    return address_peer(
        Family.IPV4,
        vpc_cidrs(estate, front.load_balancer.vpc_id, Family.IPV4),
        frozenset(front.load_balancer.security_groups),
        f"the VPC, for {front.load_balancer.name}",
    )


def _by_port(fronts: Iterable[Front], port_of: Callable[[Front], int]) -> Mapping[int, list[Front]]:
    found: dict[int, list[Front]] = {}
    for front in fronts:
        found.setdefault(port_of(front), []).append(front)
    return found


def _fronts(estate: Estate, load_balancer: LoadBalancer) -> list[Front]:
    fronts = []
    for group, target in estate.network_load_balancers_before(load_balancer):
        port = target.port if target.port is not None else group.port
        if port is None:
            raise Unread(f"port of target group {group.name}", "it was not recorded")
        for arn in group.load_balancer_arns or ():
            front = estate.load_balancers.get(arn)
            if front is None:
                raise Unread(f"Network Load Balancer {arn}", "it is not among the LoadBalancers collected")
            check_port = group.health_check_port
            fronts.append(Front(front, group, port, port if check_port is None else check_port))
    return sorted(fronts, key=lambda front: (front.load_balancer.arn, front.target_group.arn))
