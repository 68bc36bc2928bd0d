"""Outbound: every target on the port of its health check (semantics §7).

"Allow outbound traffic to instances on the health check port."
"""

from __future__ import annotations

from alb_sg.estate.model import TargetGroup
from alb_sg.parameters import Parameters
from alb_sg.recommendations.load_balancer_context import LoadBalancerContext
from alb_sg.recommendations.requirement import RequirementSet
from alb_sg.recommendations.target_requirements import target_requirement_set


def requirements(context: LoadBalancerContext, parameters: Parameters) -> RequirementSet:
    """TCP to each registered target on its group's health check port. Raises NotApplicable, NotReadError."""
    return target_requirement_set(context, _health_check_port, _reason_to_skip)


def _health_check_port(group: TargetGroup) -> int | None:
    return group.health_check_port


def _reason_to_skip(group: TargetGroup) -> str | None:
    return None if group.health_checks_enabled else "only target groups whose health checks are disabled"
