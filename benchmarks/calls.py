"""API calls of a sweep for the rules that are deployed by default, counted at the wire over moto: live, and from AWS
Config's recordings. And how well a live sweep keeps to the services' token buckets, in a time that passes only while it
waits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from alb_sg.aws import rate_limits
from alb_sg.aws.clients import make_client
from alb_sg.estate.sections import Section
from alb_sg.live import LiveClients, LiveSource, Selection
from alb_sg.recommendations.catalogue import DEFAULT_RECOMMENDATIONS
from benchmarks.account import ESTATE_SECTIONS, OWN_SIDE_SECTIONS, VerdictCounts, build_account, count_verdicts
from benchmarks.table import RATIO_UNIT, Row
from embedded_aws.account import ACCOUNT_ID, REGION, EmbeddedAws
from embedded_aws.config_recorder import record_estate
from embedded_aws.throttling import ThrottledServices, VirtualTime

SIZE = 500
TARGET_GROUPS_PER_LOAD_BALANCER = 1.5
# The embedded AWS has no limits; these are the ones that a sweep keeps to.
CLIENT_RATE_LIMITS = dict(rate_limits.RATE_LIMITS)

LIVE_LIMIT, ADDED_LIMIT, CONFIG_LIMIT, TIME_LIMIT, THROTTLED_LIMIT = 2.56, 0.1, 0.15, 1.1, 0.01
UNIT = "calls a load balancer"
MINIMUM_CALLS = f"1 for its listeners, {TARGET_GROUPS_PER_LOAD_BALANCER:g} for target health, and pages"


@dataclass(frozen=True)
class AccountRead:
    """What a sweep took. `seconds` of virtual time; `least` is what the buckets ask of anybody for its calls."""

    requests: Counter[str]
    throttled_share: float
    seconds: float
    minimum_seconds: float
    verdicts: VerdictCounts

    @property
    def calls(self) -> int:
        return self.requests.total()

    def detail(self) -> str:
        return f"{self.calls:,} calls for {SIZE}: {_describe(self.requests)}"


def _describe(requests: Counter[str]) -> str:
    return ", ".join(f"{number:,} {name}" for name, number in requests.most_common())


def rows() -> Iterator[Row]:
    with EmbeddedAws() as aws:
        expected = build_account(aws, SIZE, open_to_targets=True)
        record_estate(aws.config, live_source().export())
        live, recorded = read_account(), read_account(from_config=True)
        own_side = read_account(OWN_SIDE_SECTIONS)
    assert live.verdicts == recorded.verdicts == expected
    with EmbeddedAws() as aws:
        expected = build_account(aws, SIZE, open_to_targets=False)
        record_estate(aws.config, live_source().export())
        closed, confirmed = read_account(), read_account(from_config=True)
    assert closed.verdicts == confirmed.verdicts == expected
    yield Row("sweep: calls, live", closed.calls / SIZE, UNIT, LIVE_LIMIT, MINIMUM_CALLS, closed.detail())
    yield Row("sweep: calls, live, open both ways", live.calls / SIZE, UNIT, LIVE_LIMIT, MINIMUM_CALLS, live.detail())
    yield Row(
        "sweep: calls, live, added by ALB_SG_TARGET_INGRESS",
        (live.calls - own_side.calls) / SIZE,
        UNIT,
        ADDED_LIMIT,
        f"the {own_side.calls / SIZE:.2f} of the other rules",
        f"{live.calls:,} against {own_side.calls:,} calls: {_describe(live.requests - own_side.requests)}",
    )
    against = f"the live sweep's {live.calls / SIZE:.2f}"
    yield Row("sweep: calls, --source config", recorded.calls / SIZE, UNIT, CONFIG_LIMIT, against, recorded.detail())
    yield Row(
        "sweep: calls, --source config, every verdict hanging on target health",
        confirmed.calls / SIZE,
        UNIT,
        CONFIG_LIMIT + TARGET_GROUPS_PER_LOAD_BALANCER,
        f"the live sweep's {closed.calls / SIZE:.2f}",
        confirmed.detail(),
    )
    yield Row(
        "sweep: time that the token buckets are waited for",
        closed.seconds / closed.minimum_seconds,
        RATIO_UNIT,
        TIME_LIMIT,
        "the least that they allow for these calls",
        f"{closed.seconds:.1f} against {closed.minimum_seconds:.1f} virtual seconds",
    )
    detail = f"{closed.throttled_share:.2%} of {closed.calls:,}"
    yield Row("sweep: calls throttled", closed.throttled_share, "of all calls", THROTTLED_LIMIT, "none", detail)


def read_account(sections: frozenset[str] = ESTATE_SECTIONS, *, from_config: bool = False) -> AccountRead:
    """All of the account that is embedded now, with the services' buckets in front of it."""
    virtual = VirtualTime()
    with ThrottledServices(virtual.clock) as limits:
        source = live_source(
            rate_limits.RateLimiter(virtual.clock, virtual.sleep, CLIENT_RATE_LIMITS), from_config=from_config
        )
        loaded = source.load(Selection(everything=True), sections)
    rules = [rule for rule in DEFAULT_RECOMMENDATIONS if rule.estate_sections - {Section.TAGS} <= sections]
    return AccountRead(
        limits.requests,
        limits.throttled_share,
        virtual.clock(),
        limits.minimum_seconds(),
        count_verdicts(loaded, rules),
    )


def live_source(
    rate_limiter: rate_limits.RateLimiter = rate_limits.RATE_LIMITER, *, from_config: bool = False
) -> LiveSource:
    """A source with clients of its own: they meet whatever stands in front of AWS when they are made."""
    clients = LiveClients(
        elbv2=make_client("elbv2", REGION),
        ec2=make_client("ec2", REGION),
        config=make_client("config", REGION) if from_config else None,
    )
    return LiveSource(clients, ACCOUNT_ID, REGION, rate_limiter=rate_limiter)


if __name__ == "__main__":
    for row in rows():
        print(row)
