"""Inbound: the ICMP messages of Path MTU Discovery (semantics §8).

"We also recommend that you allow inbound ICMP traffic to support Path MTU Discovery."
"""

from __future__ import annotations

from alb_sg.estate.cidr import Family
from alb_sg.parameters import Parameters
from alb_sg.permissions.permissions import FRAGMENTATION_NEEDED, INGRESS, PACKET_TOO_BIG
from alb_sg.recommendations.clients import client_peers
from alb_sg.recommendations.requirement import Demand, new_ask, new_demand
from alb_sg.recommendations.subject import Subject

# What tells a sender that its packets are too big.
MESSAGES = {Family.IPV4: FRAGMENTATION_NEEDED, Family.IPV6: PACKET_TOO_BIG}


def demand(subject: Subject, parameters: Parameters) -> Demand:
    """ "Fragmentation needed" from IPv4 clients, "packet too big" from IPv6 ones. Raises NotApplicable, Unread."""
    load_balancer = subject.load_balancer
    asks = [
        new_ask((INGRESS, MESSAGES[peer.family], (peer,), load_balancer, True))
        for peer in client_peers(subject.estate, load_balancer, parameters, groups_count=False)
    ]
    return new_demand((tuple(asks), ()))
