"""TCP to the registered targets of a load balancer, which two recommendations ask for on different ports
(semantics §6, §7)."""

from __future__ import annotations

from collections.abc import Callable

from alb_sg.estate.model import TargetGroup
from alb_sg.recommendations.load_balancer_context import STATES_WITHOUT_TRAFFIC, LoadBalancerContext
from alb_sg.recommendations.requirement import NotApplicable, RequirementGroup, RequirementSet, new_requirement_set

__all__ = ["STATES_WITHOUT_TRAFFIC", "target_requirement_set"]


def target_requirement_set(
    context: LoadBalancerContext,
    port_of: Callable[[TargetGroup], int | None],
    reason_to_skip: Callable[[TargetGroup], str | None],
) -> RequirementSet:
    """TCP to every target on the port for its group; None: the target's own.

    `leave_out` says why a whole target group needs nothing (None: it does need). Raises NotApplicable with
    those reasons where nothing is left, NotReadError.
    """
    groups = context.target_groups()
    if not groups:
        raise NotApplicable("no target group: its listeners only redirect, answer themselves or are not there")
    reasons: dict[str, None] = {}
    asks: list[RequirementGroup] = []
    for group in groups:
        reason = "only Lambda functions" if group.target_type == "lambda" else reason_to_skip(group)
        if reason is not None:
            reasons[reason] = None
        elif found := context.target_requirements(group, port_of(group)):
            asks += found
        else:
            registered = context.estate.targets_of(group)
            reasons["only targets that are draining or unused" if registered else "no registered target"] = None
    if not asks:
        raise NotApplicable("; ".join(reasons))
    return new_requirement_set((tuple(asks), ()))
