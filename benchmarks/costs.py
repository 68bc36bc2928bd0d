"""What the deployed rules cost: evaluations, invocations and calls of each kind of event, of the daily run and of a
first evaluation, counted on the embedded AWS; and months worked out from them.

    python -m benchmarks.costs docs/deployment.md

rewrites the part of the page between the two markers. Prices and assumptions are the inputs at the head of this module.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from alb_sg.deployment.alarms import alarms
from alb_sg.deployment.lambda_resources import MEMORY
from alb_sg.deployment.rule_definition import read_rule_definitions
from alb_sg.deployment.settings import read_settings
from alb_sg.estate.resource_types import (
    LISTENER_TYPE,
    LOAD_BALANCER_TYPE,
    SECURITY_GROUP_TYPE,
    TARGET_GROUP_TYPE,
    VPC_TYPE,
)
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME
from alb_sg.recommendations.recommendation import Recommendation
from demo.__main__ import load_handler
from embedded_aws.account import EmbeddedAws, tcp

START, END = "<!-- costs: begin -->\n", "<!-- costs: end -->\n"

# List prices in dollars in us-east-1 on this date, of one account and region and month.
PRICES_OF = "2026-11-29"
# Up to so many evaluations, at so much each.
EVALUATION_TIERS = ((100_000, 0.001), (500_000, 0.0008), (sys.maxsize, 0.0005))
REQUEST, GB_SECOND, ALARM = 0.20 / 1_000_000, 0.0000166667, 0.10

# Assumed seconds of an invocation: so many, and so many for each call.
SECONDS, SECONDS_PER_CALL = 0.5, 0.1
DAYS = 30
# Recorded changes of the target groups of a load balancer whose targets are pods, a day.
CHURN = 40

ROOT = Path(__file__).parents[1]
SETTINGS = read_settings(ROOT / "rdk-config.json", read_rule_definitions(ROOT / "rules"))
RULES = tuple(RECOMMENDATIONS_BY_NAME[rule.name] for rule in SETTINGS.rules)
# Not counted as calls: the role is assumed and the verdicts are given in every case.
EXCLUDED_CALLS = frozenset({"AssumeRole", "PutEvaluations"})
# Load balancers that are measured where the number grows with them.
SIZE = 10
REGISTRATION = "a target group, such as a registration"
CHANGES = {
    "a security group": SECURITY_GROUP_TYPE,
    "a load balancer": LOAD_BALANCER_TYPE,
    "a listener": LISTENER_TYPE,
    REGISTRATION: TARGET_GROUP_TYPE,
    "a VPC": VPC_TYPE,
}


@dataclass(frozen=True)
class Count:
    """What events took: invocations of functions, evaluations that AWS Config charges for, and calls."""

    invocations: int = 0
    evaluations: int = 0
    calls: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(
            self.invocations + other.invocations,
            self.evaluations + other.evaluations,
            self.calls + other.calls,
        )

    def times(self, number: float) -> Count:
        return Count(*(round(value * number) for value in (self.invocations, self.evaluations, self.calls)))


@dataclass(frozen=True)
class Measured:
    """Events by what changed, for one load balancer; the daily run and the first evaluation of SIZE load balancers."""

    events: dict[str, Count]
    daily: Count
    first: Count


@dataclass(frozen=True)
class Resource:
    type: str
    id: str


def measure() -> Measured:
    with EmbeddedAws() as aws, redirect_stdout(StringIO()):
        [one] = _load_balancers(aws, 1)
        events = {name: _changes(aws, [Resource(kind, one[kind])]) for name, kind in CHANGES.items()}
    with EmbeddedAws() as aws, redirect_stdout(StringIO()):
        made = _load_balancers(aws, SIZE)
        resources = dict.fromkeys(Resource(kind, name) for parts in made for kind, name in parts.items())
        daily = _sum(_invoke(aws, rule, aws.scheduled_event(rule.name)) for rule in RULES)
        first = _changes(aws, resources)
    return Measured(events, daily, first)


def _load_balancers(aws: EmbeddedAws, size: int) -> list[dict[str, str]]:
    """Load balancers with one listener, one target group of addresses and one security group each, as those of pods."""
    vpc = aws.vpc()
    subnets = aws.subnets(vpc)
    app = aws.security_group(vpc, "app")
    made = []
    for number in range(size):
        group = aws.security_group(vpc, f"lb-{number}", ingress=[tcp(80, "0.0.0.0/0")], egress=[tcp(8080, app)])
        balancer = aws.load_balancer(f"web-{number}", subnets, [group])
        address = aws.network_interface(subnets[0], app)
        targets = aws.target_group(f"web-{number}", vpc, 8080, [(address, None)], target_type="ip")
        listener = aws.listener(balancer, 80, targets)
        made.append(
            {
                VPC_TYPE: vpc,
                SECURITY_GROUP_TYPE: group,
                LOAD_BALANCER_TYPE: balancer,
                LISTENER_TYPE: listener,
                TARGET_GROUP_TYPE: targets,
            }
        )
    return made


def _changes(aws: EmbeddedAws, resources: Iterable[Resource]) -> Count:
    """A change of each resource, for every rule that listens to its type."""
    return _sum(
        _invoke(aws, rule, aws.change_event(rule.name, resource.type, resource.id))
        for resource in resources
        for rule in RULES
        if resource.type in rule.trigger_types
    )


def _invoke(aws: EmbeddedAws, rule: Recommendation, event: dict[str, Any]) -> Count:
    aws.faults.calls.clear()
    before = len(aws.config.accepted_evaluations)
    load_handler(rule.name)(event, None)
    calls = [call for call in aws.faults.calls if call not in EXCLUDED_CALLS]
    return Count(1, len(aws.config.accepted_evaluations) - before, len(calls))


def _sum(counts: Iterable[Count]) -> Count:
    return sum(counts, Count())


def dollars(count: Count) -> tuple[float, float]:
    """What AWS Config and what Lambda ask for a month's count, in one account and region."""
    config, below = 0.0, 0
    for limit, price in EVALUATION_TIERS:
        config += max(0, min(count.evaluations, limit) - below) * price
        below = limit
    seconds = count.invocations * SECONDS + count.calls * SECONDS_PER_CALL
    return config, seconds * MEMORY / 1024 * GB_SECOND + count.invocations * REQUEST


def months(measured: Measured) -> dict[str, Count]:
    """Worked examples. The daily run and the first evaluation grow with the load balancers."""
    churn = measured.events[REGISTRATION].times(50 * CHURN * DAYS)
    return {
        f"50 load balancers whose pods change {CHURN} times a day": churn + _daily(measured, 50).times(DAYS),
        "1,000 quiet load balancers": _daily(measured, 1_000).times(DAYS),
        "the first evaluation of 100 load balancers, once": measured.first.times(100 / SIZE) + _daily(measured, 100),
    }


def _daily(measured: Measured, size: int) -> Count:
    daily = measured.daily
    return Count(daily.invocations, round(daily.evaluations * size / SIZE), round(daily.calls * size / SIZE))


def page_part(measured: Measured) -> str:
    """The text between the markers."""
    alarm_count = sum(len(alarms(SETTINGS, rule)) for rule in SETTINGS.rules)
    evaluated = ", ".join(
        f"{'above' if limit == sys.maxsize else f'up to {limit:,}'} ${price:g}" for limit, price in EVALUATION_TIERS
    )
    rows = [
        *((f"a change of {name}", count) for name, count in measured.events.items()),
        (f"the daily run of {SIZE} load balancers", measured.daily),
        (f"the first evaluation of {SIZE} load balancers", measured.first),
    ]
    return "\n".join(
        [
            f"`python -m benchmarks.costs` counts this for the {len(RULES)} rules of the shipped `rdk-config.json`.",
            "Each load balancer has one listener, one target group of addresses and a security group of its own.",
            "",
            "| | invocations | evaluations | calls |",
            "|---|---|---|---|",
            *(f"| {name} | {count.invocations:,} | {count.evaluations:,} | {count.calls:,} |" for name, count in rows),
            "",
            "A first evaluation is that of a new rule: AWS Config sends every resource that the rule listens to.",
            "",
            "| a month in one account and region | invocations | evaluations | AWS Config | Lambda |",
            "|---|---|---|---|---|",
            *(_month_row(name, count) for name, count in months(measured).items()),
            "",
            f"List prices of {PRICES_OF} in us-east-1: evaluations {evaluated};",
            f"Lambda ${GB_SECOND:.10f} a GB-second and ${REQUEST * 1_000_000:.2f} a million requests. Assumed are",
            f"{SECONDS:g} seconds an invocation and {SECONDS_PER_CALL:g} for each call, at {MEMORY} MB.",
            f"The functions' {alarm_count} alarms cost ${alarm_count * ALARM:.2f} a month and region.",
            "",
        ]
    )


def _month_row(name: str, count: Count) -> str:
    config, function = dollars(count)
    return f"| {name} | {count.invocations:,} | {count.evaluations:,} | ${config:,.2f} | ${function:,.2f} |"


def with_part(text: str, part: str) -> str:
    """A page's text with this between its markers."""
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    if not rest or END not in rest:
        raise ValueError(f"the page has not both markers, {START.strip()} and {END.strip()}")
    return f"{before}{START}{part}{END}{after}"


def main(arguments: Sequence[str]) -> None:
    page = Path(arguments[0])
    page.write_text(with_part(page.read_text(encoding="utf-8"), page_part(measure())), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
