"""Outbound: every target on the port of its health check (semantics §7).

"Allow outbound traffic to instances on the health check port."
"""

from __future__ import annotations

from alb_sg.estate.model import TargetGroup
from alb_sg.parameters import Parameters
from alb_sg.recommendations.requirement import Demand
from alb_sg.recommendations.subject import Subject
from alb_sg.recommendations.targets import target_demand


def demand(subject: Subject, parameters: Parameters) -> Demand:
    """TCP to each registered target on its group's health check port. Raises NotApplicable, Unread."""
    return target_demand(subject, _health_check_port, _left_out)


def _health_check_port(group: TargetGroup) -> int | None:
    return group.health_check_port


def _left_out(group: TargetGroup) -> str | None:
    return None if group.health_checks_enabled else "only target groups whose health checks are disabled"
