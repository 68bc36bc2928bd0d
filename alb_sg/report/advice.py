"""What `alb-sg fix` would do about a finding, in words. No other text of a report says what to allow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from alb_sg.exemptions.exemption import VerdictKey
from alb_sg.findings.phrasing import pluralize
from alb_sg.permissions.allowed_traffic import Direction
from alb_sg.remediation.plan import Addition, Plan, Refusal, RefusalReason
from alb_sg.report import phrasing

# Sentences by load balancer ARN and rule.
Advice = Mapping[VerdictKey, Sequence[str]]

# A finding may need a rule for each of thousands of targets; `alb-sg fix` lists all.
MAX_RULES = 6
MAX_ORIGINS = 2


def plan_advice(plan: Plan) -> dict[VerdictKey, tuple[str, ...]]:
    """The advice on each finding that a plan fixes or refuses, by load balancer ARN and rule."""
    rules = dict.fromkeys((*plan.rule_names, *(refusal.rule for refusal in plan.refusals)))
    return {(plan.load_balancer.arn, rule): tuple(_advice(plan, rule)) for rule in rules}


def describe_addition(addition: Addition) -> str:
    """A rule to add without its group, such as `outbound TCP 80 to sg-app for target group web`."""
    rule = phrasing.describe_rule(addition.direction, addition.permission, phrasing.address_or_cidr(addition.peer))
    origins = phrasing.abbreviate(addition.origins, MAX_ORIGINS)
    # Inbound, the port tells the listener.
    purpose = f" for {origins}" if addition.direction is Direction.EGRESS else ""
    return f"{rule}{purpose}"


def _advice(plan: Plan, rule: str) -> Iterator[str]:
    additions = [addition for addition in plan.additions if rule in addition.rule_names]
    new_group = plan.new_group
    for addition in additions[:MAX_RULES]:
        group = addition.group_id or f"a new security group {'' if new_group is None else new_group.name}".rstrip()
        yield f"allow {describe_addition(addition)} in {group}"
    yield from _omitted(additions, plan)
    yield from dict.fromkeys(addition.also_opens_sentence for addition in additions if addition.also_opens)
    if new_group is not None and any(addition.group_id is None for addition in additions):
        yield f"its present groups stay unchanged: {new_group.reason}"
    for refusal in plan.refusals:
        if refusal.rule == rule:
            yield from _refusal_advice(plan, refusal)


def _refusal_advice(plan: Plan, refusal: Refusal) -> Iterator[str]:
    shown = refusal.additions[:MAX_RULES]
    if refusal.reason is RefusalReason.NOT_READ and shown:
        groups = plan.load_balancer.security_groups
        place = groups[0] if len(groups) == 1 else f"one of {', '.join(groups)}"
        for addition in shown:
            # The reason once, for all of them.
            cause = f" ({refusal.text})" if addition is shown[-1] else ""
            yield f"allow {describe_addition(addition)} in {place}, if it is neither shared nor managed{cause}"
        yield from _omitted(refusal.additions, plan)
        return
    yield f"alb-sg fix refuses this ({refusal.reason.value}): {refusal.text}"
    for addition in shown:
        place = "" if addition.group_id is None else f" in {addition.group_id}"
        yield f"it would take {describe_addition(addition)}{place}"
    yield from _omitted(refusal.additions, plan)


def _omitted(additions: Sequence[Addition], plan: Plan) -> Iterator[str]:
    omitted = len(additions) - MAX_RULES
    if omitted > 0:
        yield f"and {pluralize(omitted, 'rule')} more: alb-sg fix {plan.load_balancer.name}"
