"""The four recommendations, each with the facts that its Config rule, page and role are made from."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from alb_sg.parameters import Parameters
from alb_sg.recommendations import health_check_egress, icmp_pmtud, instance_egress, listener_ingress
from alb_sg.recommendations.load_balancer_context import LoadBalancerContext
from alb_sg.recommendations.requirement import RequirementSet

USER_GUIDE_URL = (
    "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-update-security-groups.html"
)


class Recommendation(NamedTuple):
    """One recommendation and the Config rule of the same name.

    `sections` are the estate's sections that a verdict may hang on: what a live source has to read.
    """

    name: str
    title: str
    requirement_text: str
    quote: str
    page_section: str
    requirements: Callable[[LoadBalancerContext, Parameters], RequirementSet]
    estate_sections: frozenset[str]


_INGRESS_SECTIONS = frozenset({"SecurityGroups", "Vpcs", "ManagedPrefixLists", "Tags"})
_EGRESS_SECTIONS = frozenset(
    {
        "Listeners",
        "TargetGroups",
        "TargetHealthDescriptions",
        "SecurityGroups",
        "Vpcs",
        "Instances",
        "NetworkInterfaces",
        "ManagedPrefixLists",
    }
)

LISTENER_INGRESS = Recommendation(
    name="ALB_SG_LISTENER_INGRESS",
    title="Listener ports are open to clients",
    requirement_text="Inbound TCP on every listener's port from every client address: 0.0.0.0/0 (and ::/0) for an "
    "internet-facing load balancer, the VPC's CIDR blocks for an internal one, and the clients and VPC CIDR "
    "blocks of each Network Load Balancer in front.",
    quote="Allow all inbound traffic on the load balancer listener port",
    page_section="Recommended rules",
    requirements=listener_ingress.requirements,
    estate_sections=_INGRESS_SECTIONS | {"Listeners", "TargetGroups", "AlbRegistrations"},
)
INSTANCE_EGRESS = Recommendation(
    name="ALB_SG_INSTANCE_EGRESS",
    title="Targets can be reached on their ports",
    requirement_text="Outbound TCP to every registered target on the port it was registered with.",
    quote="Allow outbound traffic to instances on the instance listener port",
    page_section="Recommended rules",
    requirements=instance_egress.requirements,
    estate_sections=_EGRESS_SECTIONS,
)
HEALTH_CHECK_EGRESS = Recommendation(
    name="ALB_SG_HEALTH_CHECK_EGRESS",
    title="Targets can be reached on their health check ports",
    requirement_text="Outbound TCP to every registered target on its target group's health check port.",
    quote="Allow outbound traffic to instances on the health check port",
    page_section="Recommended rules",
    requirements=health_check_egress.requirements,
    estate_sections=_EGRESS_SECTIONS,
)
ICMP_PMTUD = Recommendation(
    name="ALB_SG_ICMP_PMTUD",
    title="Path MTU Discovery works",
    requirement_text="Inbound ICMP type 3 code 4 from IPv4 clients and ICMPv6 type 2 code 0 from IPv6 clients, so that "
    "routers on the way can say that a packet is too big.",
    quote="We also recommend that you allow inbound ICMP traffic to support Path MTU Discovery",
    page_section="Recommended rules",
    requirements=icmp_pmtud.requirements,
    estate_sections=_INGRESS_SECTIONS,
)

RECOMMENDATIONS = (HEALTH_CHECK_EGRESS, ICMP_PMTUD, INSTANCE_EGRESS, LISTENER_INGRESS)
RECOMMENDATIONS_BY_NAME = {recommendation.name: recommendation for recommendation in RECOMMENDATIONS}
