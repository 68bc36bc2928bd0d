"""Inbound: every listener port from every client (semantics §5).

Behind a Network Load Balancer, a listener's clients are that load balancer's and its VPC, and those of an
internet-facing load balancer besides: they reach it both ways.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from alb_sg.estate.estate import Estate
from alb_sg.estate.model import Listener, LoadBalancer, require_known
from alb_sg.estate.resource_types import LISTENER_TYPE, PEER_TRIGGER_TYPES, TARGET_GROUP_TYPE
from alb_sg.estate.sections import Section
from alb_sg.parameters import ACCEPTED_SOURCES, ACCEPTED_SOURCES_MATCH, COMMON_PARAMETERS, TAG_KEY, Parameters
from alb_sg.permissions.allowed_traffic import Direction, Traffic
from alb_sg.recommendations.clients import CLIENT_SECTIONS, client_peers
from alb_sg.recommendations.forwarded_clients import forwarded_clients, vpc_peer
from alb_sg.recommendations.fronting_load_balancers import FrontingLoadBalancer, fronting_load_balancers
from alb_sg.recommendations.load_balancer_context import LoadBalancerContext
from alb_sg.recommendations.plain_load_balancer import NotPlain, PlainLoadBalancer, PlainlyMet
from alb_sg.recommendations.recommendation import Recommendation, Severity
from alb_sg.recommendations.requirement import (
    NotApplicable,
    Peer,
    RequirementGroup,
    RequirementSet,
)


class _ClientPeer(NamedTuple):
    peer: Peer
    allows_accepted_sources: bool


def requirements(context: LoadBalancerContext, parameters: Parameters) -> RequirementSet:
    """TCP on each listener's port from each client. Raises NotApplicable, NotReadError."""
    estate, load_balancer = context.estate, context.load_balancer
    listeners = estate.listeners_of(load_balancer)
    if not listeners:
        raise NotApplicable("the load balancer has no listener")
    fronts = fronting_load_balancers(estate, load_balancer)
    if fronts:
        return _requirements_behind(fronts, listeners, context, parameters)
    clients = client_peers(estate, load_balancer, parameters)
    return RequirementSet(
        tuple(_requirement_group(listener, clients, allows_accepted_sources=True) for listener in listeners)
    )


def _requirement_group(
    listener: Listener, peers: tuple[Peer, ...], *, allows_accepted_sources: bool
) -> RequirementGroup:
    return RequirementGroup(
        Direction.INGRESS, Traffic.tcp(listener.known_port), peers, listener, allows_accepted_sources
    )


def _requirements_behind(
    fronts: Sequence[FrontingLoadBalancer],
    listeners: Sequence[Listener],
    context: LoadBalancerContext,
    parameters: Parameters,
) -> RequirementSet:
    """The requirements of a load balancer that Network Load Balancers forward to, on some of its ports.

    Health checks come first: without them, no client is served.
    """
    estate, load_balancer = context.estate, context.load_balancer
    scheme = require_known(load_balancer.scheme, f"load balancer {load_balancer.name}")
    is_internet_facing = scheme == "internet-facing"
    groups: list[RequirementGroup] = []
    direct_clients: tuple[Peer, ...] = ()
    without_clients: NotApplicable | None = None
    for listener in listeners:
        forwarding = [front for front in fronts if front.port == listener.known_port]
        clients = [
            _ClientPeer(vpc_peer(estate, front), allows_accepted_sources=False)
            for front in fronts
            if listener.known_port in (front.port, front.health_check_port)
        ]
        if not forwarding or is_internet_facing:
            try:
                direct_clients = direct_clients or client_peers(estate, load_balancer, parameters)
                clients += [_ClientPeer(peer, allows_accepted_sources=True) for peer in direct_clients]
            except NotApplicable as error:
                without_clients = error
        clients += [
            _ClientPeer(peer, allows_accepted_sources=True)
            for front in forwarding
            for peer in forwarded_clients(estate, front)
        ]
        for allows_accepted_sources, alike in groupby(
            dict.fromkeys(clients), key=attrgetter("allows_accepted_sources")
        ):
            peers = tuple(client.peer for client in alike)
            groups.append(_requirement_group(listener, peers, allows_accepted_sources=allows_accepted_sources))
    if not groups and without_clients is not None:
        raise without_clients
    return RequirementSet(tuple(groups), _unanswered_health_checks(fronts, listeners))


def _unanswered_health_checks(fronts: Iterable[FrontingLoadBalancer], listeners: Iterable[Listener]) -> tuple[str, ...]:
    """Health checks on a port without a listener require nothing, but the finding reports them."""
    ports = {listener.known_port for listener in listeners}
    remarks = [
        f"no listener answers the health checks of {front.load_balancer.name} "
        f"(target group {front.target_group.name}) on port {front.health_check_port}"
        for front in fronts
        if front.health_check_port not in ports
    ]
    return tuple(dict.fromkeys(remarks))


def plainly_met(load_balancer: PlainLoadBalancer, parameters: Parameters) -> PlainlyMet:
    """As `requirements`, at a glance. Raises NotPlain, NotReadError."""
    estate, listeners = load_balancer.estate, load_balancer.estate.listeners_of(load_balancer.load_balancer)
    if parameters.tag_key is not None or estate.alb_registrations_of(load_balancer.load_balancer):
        raise NotPlain
    clients = load_balancer.clients()
    return load_balancer.clients_are_let_in(
        [(Traffic.tcp(listener.known_port), of_family) for listener in listeners for of_family in clients]
    )


def _client_traffic(estate: Estate, load_balancer: LoadBalancer) -> list[Traffic]:
    return [
        Traffic.tcp(listener.port)
        for listener in (estate.listeners or {}).get(load_balancer.arn, ())
        if isinstance(listener.port, int)
    ]


RECOMMENDATION = Recommendation(
    name="ALB_SG_LISTENER_INGRESS",
    title="Listener ports are open to clients",
    subject="Listener ports",
    requirement_text="Inbound TCP on every listener's port from every client address: 0.0.0.0/0 (and ::/0) for an "
    "internet-facing load balancer, the VPC's CIDR blocks for an internal one, and the clients and VPC CIDR "
    "blocks of each Network Load Balancer in front.",
    quote="Allow all inbound traffic on the load balancer listener port",
    page_section="Recommended rules",
    severity=Severity.HIGH,
    direction=Direction.INGRESS,
    parameters=(ACCEPTED_SOURCES, ACCEPTED_SOURCES_MATCH, TAG_KEY, *COMMON_PARAMETERS),
    estate_sections=CLIENT_SECTIONS | {Section.LISTENERS, Section.TARGET_GROUPS, Section.ALB_REGISTRATIONS},
    # Each may change the allowed traffic, its peers, or its ports.
    trigger_types=(LISTENER_TYPE, TARGET_GROUP_TYPE, *PEER_TRIGGER_TYPES),
    display_order=1,
    requirements=requirements,
    plainly_met=plainly_met,
    client_traffic=_client_traffic,
)
