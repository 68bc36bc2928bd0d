"""TCP to the registered targets of a load balancer, shared by the rules that require it on different ports
(semantics §6, §7)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from alb_sg.errors import NotReadError
from alb_sg.estate.estate import Estate
from alb_sg.estate.model import Listener, LoadBalancer, TargetGroup, sortable_port
from alb_sg.estate.sections import Section
from alb_sg.recommendations.load_balancer_context import STATES_WITHOUT_TRAFFIC, LoadBalancerContext
from alb_sg.recommendations.requirement import NotApplicable, RequirementGroup, RequirementSet

# What a verdict on paths to targets may depend on.
TARGET_SECTIONS = frozenset(
    {
        Section.LISTENERS,
        Section.TARGET_GROUPS,
        Section.TARGET_HEALTH_DESCRIPTIONS,
        Section.SECURITY_GROUPS,
        Section.VPCS,
        Section.INSTANCES,
        Section.NETWORK_INTERFACES,
        Section.MANAGED_PREFIX_LISTS,
    }
)
AUTHENTICATION_CAVEAT = (
    "Listener actions that authenticate (OIDC, Cognito, JWT validation) need outbound access besides this, which no "
    "rule judges."
)


def target_requirement_set(
    context: LoadBalancerContext,
    ports_of: Callable[[TargetGroup], Iterable[int | None]],
    reason_to_skip: Callable[[TargetGroup], str | None] = lambda _: None,
) -> RequirementSet:
    """What `target_requirement_groups` returns, as a requirement set. Raises as it does."""
    return RequirementSet(tuple(target_requirement_groups(context, ports_of, reason_to_skip)))


def target_requirement_groups(
    context: LoadBalancerContext,
    ports_of: Callable[[TargetGroup], Iterable[int | None]],
    reason_to_skip: Callable[[TargetGroup], str | None] = lambda _: None,
) -> list[RequirementGroup]:
    """TCP to every target on the ports for its group (None: the target's own port).

    `reason_to_skip` says why a whole target group requires nothing (None: it does require something). Raises
    NotApplicable with all reasons where no requirement is left, and NotReadError.
    """
    groups = context.target_groups()
    if not groups:
        raise NotApplicable("no target group: its listeners only redirect, answer themselves or are not there")
    reasons: dict[str, None] = {}
    requirement_groups: list[RequirementGroup] = []
    for group in groups:
        reason = "only Lambda functions" if group.target_type == "lambda" else reason_to_skip(group)
        if reason is not None:
            reasons[reason] = None
            continue
        count = len(requirement_groups)
        for port in ports_of(group):
            requirement_groups += context.target_requirements(group, port)
        if len(requirement_groups) == count:
            registered = context.estate.targets_of(group)
            reasons["only targets that are draining or unused" if registered else "no registered target"] = None
    if not requirement_groups:
        raise NotApplicable("; ".join(reasons))
    return requirement_groups


def target_notes(
    estate: Estate, load_balancer: LoadBalancer, skip_note: Callable[[TargetGroup], str | None] = lambda _: None
) -> Iterator[str]:
    """What requires no path to a target, and why. `skip_note` says why a whole target group does not."""
    try:
        for listener in listeners_by_port(estate, load_balancer):
            if not listener.known_target_group_arns and not listener.possible_target_group_arns:
                yield (
                    f"{listener.protocol}:{listener.port}: its default action forwards to no target group "
                    "(it redirects or answers itself)"
                )
        groups = estate.target_groups_of(load_balancer)
    except NotReadError as error:
        yield f"what needs nothing is not known: {error}"
        return
    for group in groups:
        for note in _group_notes(estate, group, skip_note(group)):
            yield f"target group {group.name}: {note}"


def listeners_by_port(estate: Estate, load_balancer: LoadBalancer) -> tuple[Listener, ...]:
    """Raises NotReadError."""
    return tuple(
        sorted(estate.listeners_of(load_balancer), key=lambda listener: (sortable_port(listener.port), listener.arn))
    )


def _group_notes(estate: Estate, group: TargetGroup, skip_note: str | None) -> Iterator[str]:
    if group.target_type == "lambda":
        yield "Lambda functions, which are not reached through security groups"
        return
    if skip_note is not None:
        yield skip_note
        return
    try:
        targets = estate.targets_of(group)
    except NotReadError as error:
        yield f"its targets are not known: {error.cause}"
        return
    if not targets:
        yield "no registered target"
    for state in sorted(STATES_WITHOUT_TRAFFIC):
        skipped = [
            target.id if target.port is None else f"{target.id}:{target.port}"
            for target in targets
            if target.state == state
        ]
        if skipped:
            yield f"{', '.join(skipped)} {state}: no traffic is sent there"
