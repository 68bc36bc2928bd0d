"""Which load balancers are judged at all (semantics §3)."""

from __future__ import annotations

from alb_sg.estate.model import LoadBalancer, require_known
from alb_sg.recommendations.requirement import NotApplicable

APPLICABLE_STATES = frozenset({"active", "active_impaired"})


def is_applicable(load_balancer: LoadBalancer) -> bool:
    """Whether this is an Application Load Balancer in service."""
    return load_balancer.type == "application" and load_balancer.state in APPLICABLE_STATES


def require_applicable(load_balancer: LoadBalancer) -> None:
    """Raises NotApplicable unless this is an Application Load Balancer in service, and NotReadError where its type or
    state is not known."""
    if is_applicable(load_balancer):
        return
    require_known(load_balancer.type, f"load balancer {load_balancer.name}")
    if load_balancer.type != "application":
        raise NotApplicable(f"a {load_balancer.type} load balancer, not an Application Load Balancer")
    require_known(load_balancer.state, f"load balancer {load_balancer.name}")
    raise NotApplicable(f"the load balancer is {load_balancer.state}")
