"""Outbound: every registered target on its own port (semantics §6).

"Allow outbound traffic to instances on the instance listener port."
"""

from __future__ import annotations

from alb_sg.estate.model import TargetGroup
from alb_sg.parameters import Parameters
from alb_sg.recommendations.requirement import Demand
from alb_sg.recommendations.subject import Subject
from alb_sg.recommendations.targets import target_demand


def demand(subject: Subject, parameters: Parameters) -> Demand:
    """TCP to each registered target. Raises NotApplicable, Unread."""
    return target_demand(subject, _own_port, _left_out)


def _own_port(_: TargetGroup) -> None:
    return None


def _left_out(_: TargetGroup) -> str | None:
    return None
