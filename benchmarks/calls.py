"""API calls of a sweep for all four rules, counted at the wire over moto: live, and from AWS Config's recordings. And
how well a live sweep keeps to the services' token buckets, in a time that passes only while it waits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import boto3

from alb_sg.live import LiveClients, LiveSource, Selection, client_config, pacing
from benchmarks.account import SECTIONS, Verdicts, build, verdicts
from benchmarks.table import TIMES, Row
from demo.embedded_aws import ACCOUNT_ID, REGION, EmbeddedAws
from demo.limits import Limits, VirtualTime
from demo.recorder import record

SIZE = 500
TARGET_GROUPS = 1.5
# The embedded AWS has no limits; these are the ones that a sweep keeps to.
LIMITS = dict(pacing.LIMITS)

LIVE_LIMIT, CONFIG_LIMIT, TIME_LIMIT, THROTTLED_LIMIT = 2.56, 0.15, 1.1, 0.01
UNIT = "calls a load balancer"
LEAST = f"1 for its listeners, {TARGET_GROUPS:g} for target health, and pages"


@dataclass(frozen=True)
class Sweep:
    """What a sweep took. `seconds` of virtual time; `least` is what the buckets ask of anybody for its calls."""

    requests: Counter[str]
    throttled: float
    seconds: float
    least: float
    verdicts: Verdicts

    @property
    def calls(self) -> int:
        return self.requests.total()

    def detail(self) -> str:
        made = ", ".join(f"{number:,} {name}" for name, number in self.requests.most_common())
        return f"{self.calls:,} calls for {SIZE}: {made}"


def rows() -> Iterator[Row]:
    with EmbeddedAws() as aws:
        expected = build(aws, SIZE, open_egress=True)
        record(aws.config, account_source().raw())
        live, recorded = sweep(), sweep(from_config=True)
    assert live.verdicts == recorded.verdicts == expected
    with EmbeddedAws() as aws:
        expected = build(aws, SIZE, open_egress=False)
        record(aws.config, account_source().raw())
        closed, confirmed = sweep(), sweep(from_config=True)
    assert closed.verdicts == confirmed.verdicts == expected
    yield Row("sweep: calls, live", closed.calls / SIZE, UNIT, LIVE_LIMIT, LEAST, closed.detail())
    yield Row("sweep: calls, live, open egress", live.calls / SIZE, UNIT, LIVE_LIMIT, LEAST, live.detail())
    against = f"the live sweep's {live.calls / SIZE:.2f}"
    yield Row("sweep: calls, --source config", recorded.calls / SIZE, UNIT, CONFIG_LIMIT, against, recorded.detail())
    yield Row(
        "sweep: calls, --source config, every verdict hanging on target health",
        confirmed.calls / SIZE,
        UNIT,
        CONFIG_LIMIT + TARGET_GROUPS,
        f"the live sweep's {closed.calls / SIZE:.2f}",
        confirmed.detail(),
    )
    yield Row(
        "sweep: time that the token buckets are waited for",
        closed.seconds / closed.least,
        TIMES,
        TIME_LIMIT,
        "the least that they allow for these calls",
        f"{closed.seconds:.1f} against {closed.least:.1f} virtual seconds",
    )
    detail = f"{closed.throttled:.2%} of {closed.calls:,}"
    yield Row("sweep: calls throttled", closed.throttled, "of all calls", THROTTLED_LIMIT, "none", detail)


def sweep(*, from_config: bool = False) -> Sweep:
    """All of the account that is embedded now, with the services' buckets in front of it."""
    virtual = VirtualTime()
    with Limits(virtual.clock) as limits:
        source = account_source(pacing.Pace(virtual.clock, virtual.sleep, LIMITS), from_config=from_config)
        loaded = source.load(Selection(everything=True), SECTIONS)
    return Sweep(limits.requests, limits.refused, virtual.clock(), limits.least_seconds(), verdicts(loaded))


def account_source(pace: pacing.Pace = pacing.PACE, *, from_config: bool = False) -> LiveSource:
    """A source with clients of its own: they meet whatever stands in front of AWS when they are made."""
    session = boto3.session.Session(region_name=REGION)
    clients = LiveClients(
        elbv2=session.client("elbv2", config=client_config()),
        ec2=session.client("ec2", config=client_config()),
        config=session.client("config", config=client_config()) if from_config else None,
    )
    return LiveSource(clients, ACCOUNT_ID, REGION, pace=pace)


if __name__ == "__main__":
    for row in rows():
        print(row)
