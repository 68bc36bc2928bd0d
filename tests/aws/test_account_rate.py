"""Hundreds of load balancers read from moto, with the services' token buckets in front of it."""

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


def test_reading_an_account_is_as_fast_as_the_buckets_allow_and_makes_each_call_once() -> None:
    with EmbeddedAws() as aws:
        expected = build_account(aws, SIZE, open_to_targets=False)
        aws.faults.bodies.clear()
        account = calls.read_account()
        assert max(Counter(aws.faults.bodies).values()) == 1
    assert account.verdicts == expected
    assert account.calls <= SIZE * (1 + TARGET_GROUPS) + PAGES
    assert account.minimum_seconds > 40
    assert account.seconds <= 1.1 * account.minimum_seconds
    assert account.throttled_share == 0


def test_recorded_data_takes_only_pages() -> None:
    with EmbeddedAws() as aws:
        expected = build_account(aws, SIZE, open_to_targets=True)
        record_estate(aws.config, calls.live_source().export())
        account = calls.read_account(from_config=True)
    assert account.verdicts == expected
    # Every load balancer may send everywhere, and every instance lets all of them in, whichever is registered.
    assert account.requests["DescribeTargetHealth"] == 0
    assert account.calls <= 0.15 * SIZE
    assert account.throttled_share == 0
    assert account.seconds <= 1.1 * account.minimum_seconds + 1


def test_a_function_keeps_to_the_same_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    limited = []
    monkeypatch.setattr(
        RateLimiter,
        "limit_client",
        lambda _, client, account_id: limited.append((client.meta.service_model.service_name, account_id)),
    )
    with Shop() as shop:
        shop.build()
        shop.run(LISTENER_RULE, shop.scheduled_event(LISTENER_RULE))
    assert limited == [("elbv2", ACCOUNT_ID), ("ec2", ACCOUNT_ID)]
