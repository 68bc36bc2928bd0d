"""Inbound: the ICMP messages of Path MTU Discovery (semantics §8).

"We also recommend that you allow inbound ICMP traffic to support Path MTU Discovery."
"""

from __future__ import annotations

from alb_sg.estate.cidr import Family
from alb_sg.parameters import Parameters
from alb_sg.permissions.permissions import FRAGMENTATION_NEEDED, PACKET_TOO_BIG, Direction
from alb_sg.recommendations.clients import client_peers
from alb_sg.recommendations.judged import must_be_judged
from alb_sg.recommendations.requirement import Ask, Because, Demand
from alb_sg.recommendations.subject import Subject


def demand(subject: Subject, parameters: Parameters) -> Demand:
    """ "Fragmentation needed" from IPv4 clients, "packet too big" from IPv6 ones. Raises NotApplicable, Unread."""
    load_balancer = subject.load_balancer
    must_be_judged(load_balancer)
    because = Because("loadBalancer", load_balancer.arn, "Path MTU Discovery")
    return Demand(
        tuple(
            [
                Ask(
                    Direction.INGRESS,
                    FRAGMENTATION_NEEDED if peer.family is Family.IPV4 else PACKET_TOO_BIG,
                    (peer,),
                    because,
                    replaceable=True,
                )
                for peer in client_peers(subject.estate, load_balancer, parameters, groups_count=False)
            ]
        )
    )
