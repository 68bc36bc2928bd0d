"""Inbound: the ICMP messages of Path MTU Discovery (semantics §8).

"We also recommend that you allow inbound ICMP traffic to support Path MTU Discovery."
"""

from __future__ import annotations

from alb_sg.estate.cidr import Family
from alb_sg.parameters import Parameters
from alb_sg.permissions.allowed_traffic import FRAGMENTATION_NEEDED, INGRESS, PACKET_TOO_BIG
from alb_sg.recommendations.clients import client_peers
from alb_sg.recommendations.load_balancer_context import LoadBalancerContext
from alb_sg.recommendations.requirement import RequirementSet, new_requirement_group, new_requirement_set

# What tells a sender that its packets are too big.
ICMP_MESSAGES = {Family.IPV4: FRAGMENTATION_NEEDED, Family.IPV6: PACKET_TOO_BIG}


def requirements(context: LoadBalancerContext, parameters: Parameters) -> RequirementSet:
    """ "Fragmentation needed" from IPv4 clients, "packet too big" from IPv6 ones. Raises NotApplicable,
    NotReadError."""
    load_balancer = context.load_balancer
    asks = [
        new_requirement_group((INGRESS, ICMP_MESSAGES[peer.family], (peer,), load_balancer, True))
        for peer in client_peers(context.estate, load_balancer, parameters, include_security_groups=False)
    ]
    return new_requirement_set((tuple(asks), ()))
