"""Stage 1: the load balancers, and the target groups that lead to them."""

from __future__ import annotations

from alb_sg.estate.sections import Section
from alb_sg.live.load_context import LoadContext, RequestsByKey
from alb_sg.live.partial_estate import LOAD_BALANCER_NOT_FOUND
from alb_sg.live.requests import ELB_NAMES

# DescribeLoadBalancers fails with one of these if one of several names is wrong, and returns none of the others.
NAME_ERROR_CODES = frozenset({LOAD_BALANCER_NOT_FOUND, "ValidationError"})


def find_load_balancers(context: LoadContext) -> None:
    """Reads load balancers and target groups, and the registrations that the selection follows."""
    all_load_balancers: RequestsByKey = {(Section.LOAD_BALANCERS, ()): context.requests.load_balancers()}
    by_name = {} if context.is_from_config(Section.LOAD_BALANCERS) else _requests_by_name(context)
    requests = dict(all_load_balancers if by_name is None else by_name)
    if context.needs_target_groups and not context.is_from_config(Section.TARGET_GROUPS):
        requests[Section.TARGET_GROUPS, ()] = context.requests.target_groups()
    responses = context.calls.send_all(requests)
    if any(responses[key].error_code in NAME_ERROR_CODES for key in by_name or ()):
        for key in by_name or ():
            del responses[key]
        # If only one load balancer is named, its absence is the whole answer.
        if len(context.selection.load_balancers) > 1:
            responses |= context.calls.send_all(all_load_balancers)
    context.add_responses(responses)
    health_requests: RequestsByKey = {}
    for group in context.selection.followed_alb_target_groups(context.partial_estate.target_groups.values()):
        health_requests |= context.target_health_requests(group)
    context.read(health_requests)


def followed_target_groups(context: LoadContext) -> frozenset[str]:
    """The ARNs of the target groups whose registrations the selection follows."""
    groups = context.selection.followed_alb_target_groups(context.partial_estate.target_groups.values())
    return frozenset(group.arn for group in groups)


def _requests_by_name(context: LoadContext) -> RequestsByKey | None:
    """Calls that read the named load balancers alone; None if all have to be listed, such as to find the Network
    Load Balancers in front of them."""
    if not context.selection.only_named or context.needs_section(Section.ALB_REGISTRATIONS):
        return None
    names = context.selection.load_balancers
    arns = frozenset(name for name in names if name.startswith("arn:"))
    if len(names) > ELB_NAMES:
        return None
    return {
        (Section.LOAD_BALANCERS, tuple(sorted(values))): context.requests.load_balancers_by(parameter, values)
        for parameter, values in (("LoadBalancerArns", arns), ("Names", names - arns))
        if values
    }
