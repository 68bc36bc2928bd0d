"""Our token buckets against the services': no call is throttled, and none waits longer than necessary."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.retries import bucket as retries_bucket
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from alb_sg.aws.clients import make_client
from alb_sg.aws.rate_limits import RateLimit, RateLimiter, TokenBucket
from embedded_aws.throttling import ThrottledServices, VirtualTime

ACCOUNT, REGION = "123456789012", "eu-central-1"


@pytest.fixture
def virtual() -> VirtualTime:
    return VirtualTime()


@pytest.fixture
def limits(virtual: VirtualTime) -> Iterator[ThrottledServices]:
    with mock_aws(), ThrottledServices(virtual.clock) as limits:
        yield limits


def client(pace: RateLimiter, service: str = "elbv2", account_id: str = ACCOUNT, **arguments: Any) -> Any:
    made = make_client(service, **{"region": REGION, **arguments})
    pace.limit_client(made, account_id)
    return made


def test_a_bucket_allows_a_burst_and_then_calls_at_the_refill_rate(virtual: VirtualTime) -> None:
    bucket = TokenBucket(RateLimit(40, 10, shared=True), virtual.clock, virtual.sleep)
    times = []
    for _ in range(50):
        bucket.take_token()
        times.append(round(virtual.clock(), 6))
    assert times == [0.0] * 30 + [round(0.1 * (number + 1), 6) for number in range(20)]


def test_an_unused_bucket_fills_up_to_its_size(virtual: VirtualTime) -> None:
    bucket = TokenBucket(RateLimit(40, 10, shared=True), virtual.clock, virtual.sleep)
    for _ in range(30):
        bucket.take_token()
    virtual.sleep(3600)
    for _ in range(30):
        bucket.take_token()
    assert virtual.clock() == 3600
    bucket.take_token()
    assert virtual.clock() > 3600


@pytest.mark.slow
@given(st.lists(st.floats(0, 5), max_size=40), st.integers(1, 20), st.integers(0, 60))
def test_a_service_that_refills_its_bucket_once_a_second_throttles_no_call(
    pauses: list[float], refill: int, more: int
) -> None:
    """The service's bucket, refilled at the end of every second, never runs empty, whenever calls are made."""
    virtual = VirtualTime()
    size = 2 * refill + more
    bucket = TokenBucket(RateLimit(size, refill, shared=True), virtual.clock, virtual.sleep)
    left, filled = size, 0
    for pause in [*pauses, *[0.0] * 60]:
        virtual.sleep(pause)
        bucket.take_token()
        # A call that is due on the second comes after it: no clock is exact to the last bit.
        second = int(virtual.clock() + 1e-6)
        left, filled = min(size, left + (second - filled) * refill), second
        assert left > 0
        left -= 1


def test_threads_queue_up(virtual: VirtualTime) -> None:
    bucket = TokenBucket(RateLimit(20, 10, shared=True), virtual.clock, virtual.sleep)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: bucket.take_token(), range(110)))
    assert virtual.clock() == pytest.approx(10)


def test_all_read_actions_of_elastic_load_balancing_share_a_bucket(
    limits: ThrottledServices, virtual: VirtualTime
) -> None:
    elbv2 = client(RateLimiter(virtual.clock, virtual.sleep))
    for _ in range(30):
        elbv2.describe_load_balancers()
        elbv2.describe_target_groups()
    assert virtual.clock() == pytest.approx(3)
    assert limits.throttled_share == 0


@pytest.mark.slow
def test_every_action_of_ec2_has_its_own_bucket(limits: ThrottledServices, virtual: VirtualTime) -> None:
    ec2 = client(RateLimiter(virtual.clock, virtual.sleep), "ec2")
    for _ in range(80):
        ec2.describe_vpcs(MaxResults=5)
        ec2.describe_subnets(MaxResults=5)
    assert virtual.clock() == 0
    ec2.describe_vpcs(MaxResults=5)
    assert virtual.clock() > 0
    assert limits.throttled_share == 0


@pytest.mark.slow
def test_every_account_and_region_has_its_own_buckets(virtual: VirtualTime) -> None:
    pace = RateLimiter(virtual.clock, virtual.sleep)
    with mock_aws():
        for account_id in (ACCOUNT, "210987654321"):
            for region in (REGION, "us-east-1"):
                elbv2 = client(pace, account_id=account_id, region=region)
                for _ in range(30):
                    elbv2.describe_load_balancers()
    assert virtual.clock() == 0


def test_clients_of_an_account_share_buckets_and_are_limited_once(
    limits: ThrottledServices, virtual: VirtualTime
) -> None:
    pace = RateLimiter(virtual.clock, virtual.sleep)
    first, second = client(pace), client(pace)
    pace.limit_client(first, ACCOUNT)
    for _ in range(30):
        first.describe_load_balancers()
        second.describe_load_balancers()
    assert virtual.clock() == pytest.approx(3)
    assert limits.requests == {"DescribeLoadBalancers": 60}


def test_calls_that_change_something_do_not_wait(virtual: VirtualTime) -> None:
    with mock_aws():
        ec2 = client(RateLimiter(virtual.clock, virtual.sleep, {"ec2": RateLimit(2, 1, shared=True)}), "ec2")
        for number in range(5):
            ec2.create_vpc(CidrBlock=f"10.{number}.0.0/16")
        assert virtual.clock() == 0
        ec2.describe_vpcs()
        ec2.describe_vpcs()
        assert virtual.clock() == 1


def test_a_server_on_this_machine_has_no_bucket(virtual: VirtualTime) -> None:
    pace = RateLimiter(virtual.clock, virtual.sleep, {"elbv2": RateLimit(2, 1, shared=True)})
    with mock_aws(), ThrottledServices(virtual.clock, {"elastic-load-balancing-v2": (0, 0, True)}):
        elbv2 = client(pace, endpoint_url="http://127.0.0.1:1", config=Config(retries={"total_max_attempts": 1}))
        for _ in range(5):
            with pytest.raises(ClientError, match="Throttling"):
                elbv2.describe_load_balancers()
    assert virtual.clock() == 0


@pytest.fixture
def botocore_in_virtual_time(virtual: VirtualTime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs botocore's retries and their token bucket in virtual time, with fixed random delays."""

    class Condition(threading.Condition):
        def wait(self, timeout: float | None = None) -> bool:
            assert timeout is not None
            # A shorter wait may be too short to change a number of seconds.
            virtual.sleep(max(timeout, 0.001))
            return False

    monkeypatch.setattr("time.sleep", virtual.sleep)
    monkeypatch.setattr(retries_bucket.Clock, "current_time", lambda _: virtual.clock())
    monkeypatch.setattr(retries_bucket, "threading", SimpleNamespace(Lock=threading.Lock, Condition=Condition))
    random.seed(0)


@pytest.mark.usefixtures("botocore_in_virtual_time")
def test_with_another_caller_retries_are_few_and_every_call_succeeds(
    virtual: VirtualTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another caller uses half of the service's bucket: adaptive retries slow down and take tokens as well. Retries
    that did not slow down would be throttled twice as often."""
    taken = []
    take_token = TokenBucket.take_token

    def counted(self: TokenBucket) -> None:
        taken.append(self)
        take_token(self)

    monkeypatch.setattr(TokenBucket, "take_token", counted)
    pace = RateLimiter(virtual.clock, virtual.sleep, {"elbv2": RateLimit(40, 20, shared=True)})
    with mock_aws(), ThrottledServices(virtual.clock, {"elastic-load-balancing-v2": (10, 10, True)}) as limits:
        elbv2 = client(pace)
        for _ in range(100):
            assert elbv2.describe_load_balancers()["LoadBalancers"] == []
    assert limits.requests.total() == 100 + limits.throttled.total() == len(taken)
    assert 0 < limits.throttled.total() <= 10
