"""TCP to the registered targets of a load balancer, which two recommendations ask for on different ports
(semantics §6, §7)."""

from __future__ import annotations

from collections.abc import Callable

from alb_sg.estate.model import TargetGroup
from alb_sg.recommendations.requirement import Ask, Demand, NotApplicable, new_demand
from alb_sg.recommendations.subject import SKIPPED_STATES, Subject

__all__ = ["SKIPPED_STATES", "target_demand"]


def target_demand(
    subject: Subject,
    port_of: Callable[[TargetGroup], int | None],
    leave_out: Callable[[TargetGroup], str | None],
) -> Demand:
    """TCP to every target on the port for its group; None: the target's own.

    `leave_out` says why a whole target group needs nothing (None: it does need). Raises NotApplicable with
    those reasons where nothing is left, Unread.
    """
    groups = subject.target_groups()
    if not groups:
        raise NotApplicable("no target group: its listeners only redirect, answer themselves or are not there")
    reasons: dict[str, None] = {}
    asks: list[Ask] = []
    for group in groups:
        reason = "only Lambda functions" if group.target_type == "lambda" else leave_out(group)
        if reason is not None:
            reasons[reason] = None
        elif found := subject.reaching(group, port_of(group)):
            asks += found
        else:
            registered = subject.estate.targets_of(group)
            reasons["only targets that are draining or unused" if registered else "no registered target"] = None
    if not asks:
        raise NotApplicable("; ".join(reasons))
    return new_demand((tuple(asks), ()))
