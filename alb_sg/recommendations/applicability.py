"""Who is judged at all (semantics §3)."""

from __future__ import annotations

from alb_sg.estate.cidr import Family
from alb_sg.estate.model import LoadBalancer
from alb_sg.recommendations.requirement import NotApplicable

APPLICABLE_STATES = frozenset({"active", "active_impaired"})

# LoadBalancer.IpAddressType in the Elastic Load Balancing API.
CLIENT_FAMILIES = {
    "ipv4": (Family.IPV4,),
    "dualstack": (Family.IPV4, Family.IPV6),
    "dualstack-without-public-ipv4": (Family.IPV6,),
}


def require_applicable(load_balancer: LoadBalancer) -> None:
    """Raises NotApplicable for what is no Application Load Balancer in service."""
    if load_balancer.type != "application":
        raise NotApplicable(f"a {load_balancer.type} load balancer, not an Application Load Balancer")
    if load_balancer.state not in APPLICABLE_STATES:
        raise NotApplicable(f"the load balancer is {load_balancer.state}")
