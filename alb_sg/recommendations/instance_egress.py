"""Outbound: every registered target on its own port (semantics §6).

"Allow outbound traffic to instances on the instance listener port."
"""

from __future__ import annotations

from alb_sg.estate.model import TargetGroup
from alb_sg.parameters import Parameters
from alb_sg.recommendations.load_balancer_context import LoadBalancerContext
from alb_sg.recommendations.requirement import RequirementSet
from alb_sg.recommendations.target_requirements import target_requirement_set


def requirements(context: LoadBalancerContext, parameters: Parameters) -> RequirementSet:
    """TCP to each registered target. Raises NotApplicable, NotReadError."""
    return target_requirement_set(context, _own_port, _reason_to_skip)


def _own_port(_: TargetGroup) -> None:
    return None


def _reason_to_skip(_: TargetGroup) -> str | None:
    return None
