"""Outbound: every target on its own port (semantics §6).

"Allow outbound traffic to instances on the instance listener port."
"""

from __future__ import annotations

from alb_sg.estate.estate import Estate
from alb_sg.estate.model import LoadBalancer, TargetGroup
from alb_sg.parameters import Parameters
from alb_sg.recommendations.requirement import Demand
from alb_sg.recommendations.targets import own_port, target_demand


def demand(estate: Estate, load_balancer: LoadBalancer, parameters: Parameters) -> Demand:
    """TCP to each registered target. Raises NotApplicable, Unread."""
    return target_demand(estate, load_balancer, own_port, leave_out=_left_out)


def _left_out(_: TargetGroup) -> str | None:
    return None
