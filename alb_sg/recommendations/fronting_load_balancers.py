"""Network Load Balancers that forward to an Application Load Balancer (semantics §5)."""

from __future__ import annotations

from typing import NamedTuple

from alb_sg.errors import NotReadError
from alb_sg.estate.estate import Estate
from alb_sg.estate.model import LoadBalancer, TargetGroup, require_known


class FrontingLoadBalancer(NamedTuple):
    """A Network Load Balancer that forwards to a port of an Application Load Balancer through a target group of type
    `alb`, and the port of that group's health checks."""

    load_balancer: LoadBalancer
    target_group: TargetGroup
    port: int
    health_check_port: int


def fronting_load_balancers(estate: Estate, load_balancer: LoadBalancer) -> tuple[FrontingLoadBalancer, ...]:
    """Those in front of a load balancer, by their ARN and target group. Raises NotReadError."""
    registrations = estate.alb_registrations_of(load_balancer)
    if not registrations:
        return ()
    fronts = []
    for group, target in registrations:
        group.state_of(target)
        # A new type of target group may hold load balancers as well.
        require_known(group.target_type, f"target group {group.name}")
        port = group.port_of(target)
        for arn in group.load_balancer_arns or ():
            front = estate.load_balancers.get(arn)
            if front is None:
                raise NotReadError(f"Network Load Balancer {arn}", "it is not among the LoadBalancers collected")
            check_port = port if group.known_health_check_port is None else group.known_health_check_port
            fronts.append(FrontingLoadBalancer(front, group, port, check_port))
    return tuple(sorted(fronts, key=lambda front: (front.load_balancer.arn, front.target_group.arn)))
