"""Calls that one change event of a security group takes, counted at the wire, and how many of them wait for others:
each rule's handler on the embedded AWS."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from alb_sg.aws.calls import CallPool
from alb_sg.estate.resource_types import SECURITY_GROUP_TYPE
from alb_sg.live.target_carriers import MAX_FOLLOWED_TARGET_GROUPS
from alb_sg.recommendations.catalogue import DEFAULT_RECOMMENDATIONS
from benchmarks.table import Row
from demo.__main__ import load_handler
from embedded_aws.account import EmbeddedAws, tcp

# The role is assumed and the verdicts are given, whatever is read for them.
EXCLUDED_CALLS = ("AssumeRole", "PutEvaluations")
# Calls for one load balancer, and round trips. The targets' side also reads who carries the changed group, and in the
# end the targets' own groups and the subnets.
OWN_SIDE_LIMITS, TARGET_LIMITS = (8, 3), (11, 5)
MANY_LOAD_BALANCERS, TARGET_GROUPS_PER_LOAD_BALANCER = 50, 1.5
TARGET_RULE = "ALB_SG_TARGET_INGRESS"
TARGET_GROUPS_OF_EACH = 10
# By the number of target groups in the VPC.
FOLLOWED_LIMITS = {10: 20, 100: 110, 1000: 8}


@dataclass(frozen=True)
class EventMeasurement:
    """What an event took of a rule: calls, and rounds of calls of which each needs the answers of the one before."""

    rule: str
    calls: int
    round_trips: int


def rows() -> Iterator[Row]:
    for size in (1, MANY_LOAD_BALANCERS):
        with EmbeddedAws() as aws:
            group = build_load_balancers(aws, size)
            events = [measure_event(aws, rule.name, group, size) for rule in DEFAULT_RECOMMENDATIONS]
        name = "a load balancer" if size == 1 else f"{size} load balancers"
        of_targets = [event for event in events if event.rule == TARGET_RULE]
        own_side = [event for event in events if event.rule != TARGET_RULE]
        for title, measured, (max_calls, max_round_trips) in (
            (f"security group on {name}", own_side, OWN_SIDE_LIMITS),
            (f"security group on {name}, {TARGET_RULE}", of_targets, TARGET_LIMITS),
        ):
            more = 0.0 if size == 1 else size * (1 + TARGET_GROUPS_PER_LOAD_BALANCER)
            yield _row(f"event: {title}, calls", [(one.calls, one.rule) for one in measured], "calls", max_calls + more)
            trips = [(one.round_trips, one.rule) for one in measured]
            yield _row(f"event: {title}, round trips", trips, "in a row", max_round_trips)
    for size, limit in FOLLOWED_LIMITS.items():
        with EmbeddedAws() as aws:
            event = measure_event_of_targets(aws, size)
        yield Row(
            f"event: a target's security group, {size:,} target groups in its VPC, calls",
            event.calls,
            "calls",
            limit,
            "AssumeRole and PutEvaluations apart",
            f"{event.round_trips} in a row" if size <= MAX_FOLLOWED_TARGET_GROUPS else "left to the daily run",
        )


def _row(name: str, figures: Sequence[tuple[int, str]], unit: str, limit: float) -> Row:
    each = ", ".join(f"{number} {rule}" for number, rule in figures)
    asked = f"AssumeRole and PutEvaluations apart, of {len(figures)} rule{'s' * (len(figures) > 1)}"
    return Row(name, max(figures)[0], unit, limit, asked, each)


def build_load_balancers(aws: EmbeddedAws, size: int) -> str:
    """Internal load balancers that share a security group, which lets out to an instance's group; one and a half
    target groups each, or two where it is one alone. Returns the security group."""
    vpc = aws.vpc()
    subnets = aws.subnets(vpc)
    app = aws.security_group(vpc, "app")
    instance = aws.instance(subnets[0], app)
    group = aws.security_group(vpc, "lb", ingress=[tcp(80, "10.0.0.0/16")], egress=[tcp(8080, app)])
    for number in range(size):
        balancer = aws.load_balancer(f"web-{number}", subnets, [group], scheme="internal")
        for index in range(2 - number % 2):
            target_group = aws.target_group(f"web-{number}-{index}", vpc, 8080, [(instance, None)])
            aws.listener(balancer, 80 + index, target_group)
    return group


def measure_event_of_targets(aws: EmbeddedAws, size: int) -> EventMeasurement:
    """A change of the security group that a single target carries. There are `size` target groups in its VPC, ten of
    each load balancer."""
    vpc = aws.vpc()
    subnets = aws.subnets(vpc)
    group, own = aws.security_group(vpc, "app"), aws.security_group(vpc, "lb")
    found, other = (aws.network_interface(subnets[0], one) for one in (group, aws.security_group(vpc, "other")))
    for number in range(size // TARGET_GROUPS_OF_EACH):
        balancer = aws.load_balancer(f"web-{number}", subnets, [own], scheme="internal")
        for index in range(TARGET_GROUPS_OF_EACH):
            address = other if number or index else found
            target_group = aws.target_group(f"web-{number}-{index}", vpc, 8080, [(address, None)], target_type="ip")
            aws.listener(balancer, 80 + index, target_group)
    is_followed = size <= MAX_FOLLOWED_TARGET_GROUPS
    return measure_event(aws, TARGET_RULE, group, load_balancers=1 if is_followed else 0)


def measure_event(aws: EmbeddedAws, rule: str, group: str, load_balancers: int) -> EventMeasurement:
    rounds = 0
    answers = CallPool.send_all

    def counted(self: CallPool, requests: Mapping[Any, Any]) -> Any:
        nonlocal rounds
        rounds += bool(requests)
        return answers(self, requests)

    change = aws.change_event(rule, SECURITY_GROUP_TYPE, group)
    aws.faults.calls.clear()
    with patch.object(CallPool, "send_all", counted):
        judged = load_handler(rule)(change, None)
    # AWS Config charges for each: there is none for the security group itself.
    assert len(judged) == load_balancers
    calls = [call for call in aws.faults.calls if call not in EXCLUDED_CALLS]
    return EventMeasurement(rule, len(calls), rounds)


if __name__ == "__main__":
    for row in rows():
        print(row)
