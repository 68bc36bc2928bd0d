"""Our own token buckets against the services': nothing refused, nothing waited for that need not be."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.retries import bucket as of_retries
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from alb_sg.live import client_config
from alb_sg.live.pacing import Bucket, Limit, Pace
from demo.limits import Limits, VirtualTime

ACCOUNT, REGION = "123456789012", "eu-central-1"


@pytest.fixture
def virtual() -> VirtualTime:
    return VirtualTime()


@pytest.fixture
def limits(virtual: VirtualTime) -> Iterator[Limits]:
    with mock_aws(), Limits(virtual.clock) as limits:
        yield limits


def client(pace: Pace, service: str = "elbv2", account_id: str = ACCOUNT, **arguments: Any) -> Any:
    made = botocore.session.Session().create_client(
        service, **{"region_name": REGION, "config": client_config(), **arguments}
    )
    pace.keep(made, account_id)
    return made


def test_a_bucket_gives_at_once_what_a_service_takes_and_then_one_in_the_services_rhythm(virtual: VirtualTime) -> None:
    bucket = Bucket(Limit(40, 10, shared=True), virtual.clock, virtual.sleep)
    times = []
    for _ in range(50):
        bucket.take()
        times.append(round(virtual.clock(), 6))
    assert times == [0.0] * 30 + [round(0.1 * (number + 1), 6) for number in range(20)]


def test_a_bucket_that_nobody_takes_from_fills_up_and_no_further(virtual: VirtualTime) -> None:
    bucket = Bucket(Limit(40, 10, shared=True), virtual.clock, virtual.sleep)
    for _ in range(30):
        bucket.take()
    virtual.sleep(3600)
    for _ in range(30):
        bucket.take()
    assert virtual.clock() == 3600
    bucket.take()
    assert virtual.clock() > 3600


@given(st.lists(st.floats(0, 5), max_size=40), st.integers(1, 20), st.integers(0, 60))
def test_a_service_that_fills_its_bucket_once_a_second_refuses_nothing(
    pauses: list[float], refill: int, more: int
) -> None:
    """Whenever calls are made: the service's bucket, filled at the end of every second, holds one for each."""
    virtual = VirtualTime()
    size = 2 * refill + more
    bucket = Bucket(Limit(size, refill, shared=True), virtual.clock, virtual.sleep)
    left, filled = size, 0
    for pause in [*pauses, *[0.0] * 60]:
        virtual.sleep(pause)
        bucket.take()
        # A call that is due with the second is made after it: no clock is exact to the last bit.
        second = int(virtual.clock() + 1e-6)
        left, filled = min(size, left + (second - filled) * refill), second
        assert left > 0
        left -= 1


def test_threads_wait_in_line(virtual: VirtualTime) -> None:
    bucket = Bucket(Limit(20, 10, shared=True), virtual.clock, virtual.sleep)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: bucket.take(), range(110)))
    assert virtual.clock() == pytest.approx(10)


def test_all_that_reads_in_elastic_load_balancing_shares_a_bucket(limits: Limits, virtual: VirtualTime) -> None:
    elbv2 = client(Pace(virtual.clock, virtual.sleep))
    for _ in range(30):
        elbv2.describe_load_balancers()
        elbv2.describe_target_groups()
    assert virtual.clock() == pytest.approx(3)
    assert limits.refused == 0


@pytest.mark.slow
def test_every_action_of_ec2_has_its_own(limits: Limits, virtual: VirtualTime) -> None:
    ec2 = client(Pace(virtual.clock, virtual.sleep), "ec2")
    for _ in range(80):
        ec2.describe_vpcs(MaxResults=5)
        ec2.describe_subnets(MaxResults=5)
    assert virtual.clock() == 0
    ec2.describe_vpcs(MaxResults=5)
    assert virtual.clock() > 0
    assert limits.refused == 0


def test_accounts_and_regions_have_their_own(virtual: VirtualTime) -> None:
    pace = Pace(virtual.clock, virtual.sleep)
    with mock_aws():
        for account_id in (ACCOUNT, "210987654321"):
            for region in (REGION, "us-east-1"):
                elbv2 = client(pace, account_id=account_id, region_name=region)
                for _ in range(30):
                    elbv2.describe_load_balancers()
    assert virtual.clock() == 0


def test_clients_of_an_account_share_theirs_and_keep_it_once(limits: Limits, virtual: VirtualTime) -> None:
    pace = Pace(virtual.clock, virtual.sleep)
    first, second = client(pace), client(pace)
    pace.keep(first, ACCOUNT)
    for _ in range(30):
        first.describe_load_balancers()
        second.describe_load_balancers()
    assert virtual.clock() == pytest.approx(3)
    assert limits.requests == {"DescribeLoadBalancers": 60}


def test_what_changes_something_does_not_wait(virtual: VirtualTime) -> None:
    with mock_aws():
        ec2 = client(Pace(virtual.clock, virtual.sleep, {"ec2": Limit(2, 1, shared=True)}), "ec2")
        for number in range(5):
            ec2.create_vpc(CidrBlock=f"10.{number}.0.0/16")
        assert virtual.clock() == 0
        ec2.describe_vpcs()
        ec2.describe_vpcs()
        assert virtual.clock() == 1


def test_what_answers_on_this_machine_has_no_bucket(virtual: VirtualTime) -> None:
    pace = Pace(virtual.clock, virtual.sleep, {"elbv2": Limit(2, 1, shared=True)})
    with mock_aws(), Limits(virtual.clock, {"elastic-load-balancing-v2": (0, 0, True)}):
        elbv2 = client(pace, endpoint_url="http://127.0.0.1:1", config=Config(retries={"total_max_attempts": 1}))
        for _ in range(5):
            with pytest.raises(ClientError, match="Throttling"):
                elbv2.describe_load_balancers()
    assert virtual.clock() == 0


@pytest.fixture
def botocore_in_virtual_time(virtual: VirtualTime, monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore's retries and the bucket that they slow down with: no second passes on this machine, and no chance."""

    class Condition(threading.Condition):
        def wait(self, timeout: float | None = None) -> bool:
            assert timeout is not None
            # Shorter waits may be too short for a number of seconds to change.
            virtual.sleep(max(timeout, 0.001))
            return False

    monkeypatch.setattr("time.sleep", virtual.sleep)
    monkeypatch.setattr(of_retries.Clock, "current_time", lambda _: virtual.clock())
    monkeypatch.setattr(of_retries, "threading", SimpleNamespace(Lock=threading.Lock, Condition=Condition))
    random.seed(0)


@pytest.mark.usefixtures("botocore_in_virtual_time")
def test_where_somebody_else_takes_half_retries_are_few_and_all_is_answered(
    virtual: VirtualTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service has half of what it should: adaptive retries slow down, and go through the bucket too. Those that do
    not slow down would be refused twice as often."""
    taken = []
    take = Bucket.take

    def counted(self: Bucket) -> None:
        taken.append(self)
        take(self)

    monkeypatch.setattr(Bucket, "take", counted)
    pace = Pace(virtual.clock, virtual.sleep, {"elbv2": Limit(40, 20, shared=True)})
    with mock_aws(), Limits(virtual.clock, {"elastic-load-balancing-v2": (10, 10, True)}) as limits:
        elbv2 = client(pace)
        for _ in range(100):
            assert elbv2.describe_load_balancers()["LoadBalancers"] == []
    assert limits.requests.total() == 100 + limits.throttled.total() == len(taken)
    assert 0 < limits.throttled.total() <= 10
