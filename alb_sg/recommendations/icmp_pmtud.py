"""Inbound: the ICMP messages of Path MTU Discovery (semantics §8)."""

from __future__ import annotations

from alb_sg.estate.cidr import Family
from alb_sg.estate.resource_types import PEER_TRIGGER_TYPES
from alb_sg.parameters import ACCEPTED_SOURCES, ACCEPTED_SOURCES_MATCH, COMMON_PARAMETERS, TAG_KEY, Parameters
from alb_sg.permissions.allowed_traffic import FRAGMENTATION_NEEDED, PACKET_TOO_BIG, Direction
from alb_sg.recommendations.clients import CLIENT_SECTIONS, client_peers
from alb_sg.recommendations.load_balancer_context import LoadBalancerContext
from alb_sg.recommendations.plain_load_balancer import NotPlain, PlainLoadBalancer, PlainlyMet
from alb_sg.recommendations.recommendation import Recommendation, Severity
from alb_sg.recommendations.requirement import Origin, RequirementGroup, RequirementSet

SUBJECT = "Path MTU Discovery"
# The message that tells a sender that its packets are too big.
ICMP_MESSAGES = {Family.IPV4: FRAGMENTATION_NEEDED, Family.IPV6: PACKET_TOO_BIG}


def requirements(context: LoadBalancerContext, parameters: Parameters) -> RequirementSet:
    """ "Fragmentation needed" from IPv4 clients, "packet too big" from IPv6 clients. Raises NotApplicable,
    NotReadError."""
    load_balancer = context.load_balancer
    origin = Origin("loadBalancer", load_balancer.arn, SUBJECT)
    return RequirementSet(
        tuple(
            RequirementGroup(
                Direction.INGRESS, ICMP_MESSAGES[peer.family], (peer,), origin, allows_accepted_sources=True
            )
            for peer in client_peers(context.estate, load_balancer, parameters, include_security_groups=False)
        )
    )


def plainly_met(load_balancer: PlainLoadBalancer, parameters: Parameters) -> PlainlyMet:
    """As `requirements`, at a glance. Raises NotPlain, NotReadError."""
    if parameters.tag_key is not None:
        raise NotPlain
    clients = load_balancer.clients()
    return load_balancer.clients_are_let_in([(ICMP_MESSAGES[of_family.family], of_family) for of_family in clients])


RECOMMENDATION = Recommendation(
    name="ALB_SG_ICMP_PMTUD",
    title="Path MTU Discovery works",
    subject=SUBJECT,
    requirement_text="Inbound ICMP type 3 code 4 from IPv4 clients and ICMPv6 type 2 code 0 from IPv6 clients, so that "
    "routers on the way can say that a packet is too big.",
    quote="We also recommend that you allow inbound ICMP traffic to support Path MTU Discovery",
    page_section="Recommended rules",
    severity=Severity.LOW,
    direction=Direction.INGRESS,
    parameters=(ACCEPTED_SOURCES, ACCEPTED_SOURCES_MATCH, TAG_KEY, *COMMON_PARAMETERS),
    estate_sections=CLIENT_SECTIONS,
    # Listeners and target groups have no part in it.
    trigger_types=PEER_TRIGGER_TYPES,
    display_order=4,
    requirements=requirements,
    plainly_met=plainly_met,
    client_traffic=lambda *_: ICMP_MESSAGES.values(),
)
