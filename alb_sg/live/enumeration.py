"""Stage 1: which load balancers there are, and what leads to them."""

from __future__ import annotations

from alb_sg.live.load_context import LoadContext, RequestsByKey
from alb_sg.live.partial_estate import LOAD_BALANCER_NOT_FOUND
from alb_sg.live.requests import ELB_NAMES

# What DescribeLoadBalancers answers where one of several names is wrong: of the others it then says nothing.
NAME_ERROR_CODES = frozenset({LOAD_BALANCER_NOT_FOUND, "ValidationError"})


def find_load_balancers(context: LoadContext) -> None:
    """Reads load balancers and target groups, and the registrations that the selection follows."""
    everything: RequestsByKey = {("LoadBalancers", ()): context.requests.load_balancers()}
    named = {} if context.is_from_config("LoadBalancers") else _requests_by_name(context)
    wanted = dict(everything if named is None else named)
    if context.needs_target_groups and not context.is_from_config("TargetGroups"):
        wanted["TargetGroups", ()] = context.requests.target_groups()
    answers = context.calls.send_all(wanted)
    if any(answers[key].error_code in NAME_ERROR_CODES for key in named or ()):
        for key in named or ():
            del answers[key]
        # Of a single one that does not exist nothing more is to be said.
        if len(context.selection.load_balancers) > 1:
            answers |= context.calls.send_all(everything)
    context.add_responses(answers)
    health: RequestsByKey = {}
    for group in context.selection.followed_alb_target_groups(context.partial_estate.target_groups.values()):
        health |= context.target_health_requests(group)
    context.read(health)


def followed_target_groups(context: LoadContext) -> frozenset[str]:
    """The target groups whose registrations the selection follows."""
    groups = context.selection.followed_alb_target_groups(context.partial_estate.target_groups.values())
    return frozenset(group.arn for group in groups)


def _requests_by_name(context: LoadContext) -> RequestsByKey | None:
    """Calls that read just the load balancers that are named; None where all have to be listed.

    They have to be where Network Load Balancers may stand in front.
    """
    if not context.selection.only_named or context.needs_section("AlbRegistrations"):
        return None
    names = context.selection.load_balancers
    arns = frozenset(name for name in names if name.startswith("arn:"))
    if len(names) > ELB_NAMES:
        return None
    return {
        ("LoadBalancers", tuple(sorted(values))): context.requests.load_balancers_by(parameter, values)
        for parameter, values in (("LoadBalancerArns", arns), ("Names", names - arns))
        if values
    }
