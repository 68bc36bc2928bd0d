"""A sweep of hundreds of load balancers over moto, with the services' token buckets in front of it."""

from __future__ import annotations

from collections import Counter

import pytest

from alb_sg.aws.rate_limits import RateLimiter
from benchmarks import calls
from benchmarks.account import build_account
from embedded_aws.account import ACCOUNT_ID, EmbeddedAws
from embedded_aws.config_recorder import record_estate
from tests.config_rule.test_handlers import LISTENER_RULE, Shop

pytestmark = pytest.mark.slow

SIZE, TARGET_GROUPS, PAGES = 200, 1.5, 8


def test_a_sweep_is_as_fast_as_the_buckets_allow_and_makes_each_call_once() -> None:
    with EmbeddedAws() as aws:
        expected = build_account(aws, SIZE, open_egress=False)
        aws.faults.bodies.clear()
        swept = calls.read_account()
        assert max(Counter(aws.faults.bodies).values()) == 1
    assert swept.verdicts == expected
    assert swept.calls <= SIZE * (1 + TARGET_GROUPS) + PAGES
    assert swept.minimum_seconds > 40
    assert swept.seconds <= 1.1 * swept.minimum_seconds
    assert swept.throttled_share == 0


def test_from_what_was_recorded_it_takes_pages_alone() -> None:
    with EmbeddedAws() as aws:
        expected = build_account(aws, SIZE, open_egress=True)
        record_estate(aws.config, calls.live_source().export())
        swept = calls.read_account(from_config=True)
    assert swept.verdicts == expected
    assert swept.calls <= 0.15 * SIZE
    assert swept.throttled_share == 0
    assert swept.seconds <= 1.1 * swept.minimum_seconds + 1


def test_a_function_keeps_to_the_same_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = []
    monkeypatch.setattr(
        RateLimiter,
        "keep",
        lambda _, client, account_id: kept.append((client.meta.service_model.service_name, account_id)),
    )
    with Shop() as shop:
        shop.build()
        shop.run(LISTENER_RULE, shop.scheduled_event(LISTENER_RULE))
    assert kept == [("elbv2", ACCOUNT_ID), ("ec2", ACCOUNT_ID)]
