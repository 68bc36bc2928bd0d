"""Stage 1: which load balancers there are, and what leads to them."""

from __future__ import annotations

from alb_sg.live.reading import LOAD_BALANCER_GONE
from alb_sg.live.requests import ELB_NAMES
from alb_sg.live.run import Run, Wanted

# What DescribeLoadBalancers answers where one of several names is wrong: of the others it then says nothing.
NAME_REFUSED = frozenset({LOAD_BALANCER_GONE, "ValidationError"})


def find(run: Run) -> None:
    """Reads load balancers and target groups, and the registrations that the selection follows."""
    everything: Wanted = {("LoadBalancers", ()): run.ask.load_balancers()}
    named = {} if run.settled("LoadBalancers") else _named(run)
    wanted = dict(everything if named is None else named)
    if run.needs_target_groups and not run.settled("TargetGroups"):
        wanted["TargetGroups", ()] = run.ask.target_groups()
    answers = run.calls.answers(wanted)
    if any(answers[key].code in NAME_REFUSED for key in named or ()):
        for key in named or ():
            del answers[key]
        # Of a single one that does not exist nothing more is to be said.
        if len(run.selection.load_balancers) > 1:
            answers |= run.calls.answers(everything)
    run.take(answers)
    health: Wanted = {}
    for group in run.selection.registration_groups(run.reading.target_groups.values()):
        health |= run.target_health(group)
    run.request(health)


def found_through(run: Run) -> frozenset[str]:
    """The target groups whose registrations the selection follows."""
    groups = run.selection.registration_groups(run.reading.target_groups.values())
    return frozenset(group.arn for group in groups)


def _named(run: Run) -> Wanted | None:
    """Calls that read just the load balancers that are named; None where all have to be listed.

    They have to be where Network Load Balancers may stand in front.
    """
    if not run.selection.only_named or run.asks("AlbRegistrations"):
        return None
    names = run.selection.load_balancers
    arns = frozenset(name for name in names if name.startswith("arn:"))
    if len(names) > ELB_NAMES:
        return None
    return {
        ("LoadBalancers", tuple(sorted(values))): run.ask.load_balancers_by(parameter, values)
        for parameter, values in (("LoadBalancerArns", arns), ("Names", names - arns))
        if values
    }
