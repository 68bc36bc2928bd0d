"""Calls that one change event of a security group takes, counted at the wire, and how many of them wait for others:
each rule's handler on the embedded AWS."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from alb_sg.aws.calls import CallPool
from alb_sg.estate.resource_types import SECURITY_GROUP_TYPE
from alb_sg.recommendations.catalogue import DEFAULT_RECOMMENDATIONS
from benchmarks.table import Row
from demo.__main__ import load_handler
from embedded_aws.account import EmbeddedAws, tcp

# The role is assumed and the verdicts are given, whatever is read for them.
EXCLUDED_CALLS = ("AssumeRole", "PutEvaluations")
MAX_CALLS, MAX_ROUND_TRIPS, MANY_LOAD_BALANCERS, TARGET_GROUPS_PER_LOAD_BALANCER = 8, 3, 50, 1.5


@dataclass(frozen=True)
class EventMeasurement:
    """What an event took of a rule: calls, and rounds of calls of which each needs the answers of the one before."""

    rule: str
    calls: int
    round_trips: int


def rows() -> Iterator[Row]:
    for size, limit in (
        (1, float(MAX_CALLS)),
        (MANY_LOAD_BALANCERS, MAX_CALLS + MANY_LOAD_BALANCERS * (1 + TARGET_GROUPS_PER_LOAD_BALANCER)),
    ):
        with EmbeddedAws() as aws:
            group = build_load_balancers(aws, size)
            events = [measure_event(aws, rule.name, group, size) for rule in DEFAULT_RECOMMENDATIONS]
        most = max(events, key=lambda one: one.calls)
        deepest = max(events, key=lambda one: one.round_trips)
        name = "a load balancer" if size == 1 else f"{size} load balancers"
        each = ", ".join(f"{one.calls} {one.rule}" for one in events)
        asked = f"AssumeRole and PutEvaluations apart, of {len(events)} rules"
        yield Row(f"event: security group on {name}, calls", most.calls, "calls", limit, asked, each)
        yield Row(
            f"event: security group on {name}, round trips",
            deepest.round_trips,
            "in a row",
            MAX_ROUND_TRIPS,
            asked,
            ", ".join(f"{one.round_trips} {one.rule}" for one in events),
        )


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


def measure_event(aws: EmbeddedAws, rule: str, group: str, size: int) -> EventMeasurement:
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
    # Each load balancer, and the security group itself.
    assert len(judged) == size + 1
    calls = [call for call in aws.faults.calls if call not in EXCLUDED_CALLS]
    return EventMeasurement(rule, len(calls), rounds)


if __name__ == "__main__":
    for row in rows():
        print(row)
