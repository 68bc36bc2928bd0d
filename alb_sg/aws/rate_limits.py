"""Calls at the rate of the services' own token buckets: as fast as they allow, without throttling.

If other callers in the account use up the buckets, botocore's adaptive retries slow our calls down as well.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from botocore.client import BaseClient


class RateLimit(NamedTuple):
    """A service's token bucket for calls that read, per account and region. It holds `size` calls and gains `refill`
    calls a second. `shared`: one bucket for all of the service's actions, not one per action."""

    size: int
    refill: int
    shared: bool


# By botocore's service name. Elastic Load Balancing user guide, "Request throttling for the Elastic Load
# Balancing API"; Amazon EC2 developer guide, "Request throttling". AWS Config publishes none.
RATE_LIMITS = {
    "elbv2": RateLimit(40, 10, shared=True),
    "ec2": RateLimit(100, 20, shared=False),
    "config": RateLimit(10, 5, shared=False),
}
READ_OPERATION_PREFIXES = ("Describe", "Get", "Select")
# A server on this machine is no AWS service and has no token bucket.
LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})

Clock = Callable[[], float]
Sleep = Callable[[float], None]


class TokenBucket:
    """Hands out calls: first as many at once as the service takes, then at its refill rate.

    The bucket holds one second's refill less than the service's, which refills once a second: calls arrive unevenly.
    """

    def __init__(self, limit: RateLimit, clock: Clock, sleep: Sleep) -> None:
        self._refill_rate = limit.refill
        self._capacity = self._tokens = float(limit.size - limit.refill)
        self._clock = clock
        self._sleep = sleep
        self._refilled_at = clock()
        self._lock = threading.Lock()

    def take_token(self) -> None:
        """Waits until the next call is due. Threads queue up on the lock, so only one of them waits for the bucket."""
        with self._lock:
            self._add_refill()
            if self._tokens < 1:
                self._sleep((1 - self._tokens) / self._refill_rate)
                self._add_refill()
            self._tokens -= 1

    def _add_refill(self) -> None:
        now = self._clock()
        self._tokens = min(self._capacity, self._tokens + (now - self._refilled_at) * self._refill_rate)
        self._refilled_at = now


class RateLimiter:
    """The token buckets of all accounts and regions."""

    def __init__(
        self, clock: Clock = time.monotonic, sleep: Sleep = time.sleep, limits: Mapping[str, RateLimit] = RATE_LIMITS
    ) -> None:
        self._limits = limits
        self._clock = clock
        self._sleep = sleep
        self._buckets: dict[tuple[str, ...], TokenBucket] = {}
        self._lock = threading.Lock()

    def limit_client(self, client: BaseClient, account_id: str) -> None:
        """Makes a client wait for a token before each request, retries included. Limiting a client twice has no further
        effect."""
        model = client.meta.service_model
        service, region = model.service_name, client.meta.region_name
        limit = self._limits.get(service)
        if limit is None or urlsplit(client.meta.endpoint_url).hostname in LOCAL_HOSTS:
            return

        def wait(event_name: str, **_: Any) -> None:
            operation = event_name.rpartition(".")[2]
            if operation.startswith(READ_OPERATION_PREFIXES):
                self._bucket(limit, (account_id, region, service, "" if limit.shared else operation)).take_token()

        client.meta.events.register_first(
            f"before-send.{model.service_id.hyphenize()}", wait, unique_id=f"alb-sg-rate-limit-{account_id}"
        )

    def _bucket(self, limit: RateLimit, key: tuple[str, ...]) -> TokenBucket:
        with self._lock:
            if key not in self._buckets:
                self._buckets[key] = TokenBucket(limit, self._clock, self._sleep)
            return self._buckets[key]


# AWS limits the account, not the caller: all sources in this process and all invocations of a function share buckets.
RATE_LIMITER = RateLimiter()
