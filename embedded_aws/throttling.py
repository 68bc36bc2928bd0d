"""The token buckets of AWS's services in front of simulated ones, and a count of every request that reaches them."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Self

import botocore.handlers
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from moto.core.botocore_stubber import MockRawResponse

# By the service as botocore's events name it: calls that the bucket holds, calls that it gains every second (all at
# once, when the second is over), whether all of the service's reading actions share it, and the answer when it is
# empty.
SERVICE_BUCKETS: Mapping[str, Bucket] = {
    "elastic-load-balancing-v2": (40, 10, True),
    "ec2": (100, 20, False),
    "config-service": (10, 5, False),
}
Bucket = tuple[int, int, bool]
READ_OPERATION_PREFIXES = ("Describe", "Get", "Select")
ELB_ERROR = "<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>"
EC2_ERROR = (
    "<Response><Errors><Error><Code>RequestLimitExceeded</Code><Message>Slow down</Message></Error></Errors></Response>"
)
CONFIG_ERROR = '{"__type": "ThrottlingException", "message": "Rate exceeded"}'
THROTTLING_RESPONSES = {
    "elastic-load-balancing-v2": (400, ELB_ERROR),
    "ec2": (503, EC2_ERROR),
    "config-service": (400, CONFIG_ERROR),
}


class VirtualTime:
    """Seconds that pass only while somebody sleeps."""

    def __init__(self) -> None:
        self._now = 0.0
        self._lock = threading.Lock()

    def clock(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self._now += seconds


class ThrottledServices:
    """A context in which clients made within it meet those buckets. `clock` tells seconds; `buckets` may be changed.

    `requests` counts what reached each operation, retries and refusals included, `throttled` the refusals.
    """

    def __init__(self, clock: Callable[[], float], buckets: Mapping[str, Bucket] = SERVICE_BUCKETS) -> None:
        self.requests: Counter[str] = Counter()
        self.throttled: Counter[str] = Counter()
        self._clock = clock
        self._buckets = buckets
        self._request_counts: Counter[tuple[str, str]] = Counter()
        self._tokens: dict[tuple[str, str], tuple[int, int]] = {}
        self._started = clock()
        self._lock = threading.Lock()
        self._handlers = [(f"before-send.{service}", self._before_send) for service in buckets]

    def __enter__(self) -> Self:
        # Before those of the simulated services, of which the first to answer counts.
        botocore.handlers.BUILTIN_HANDLERS[:0] = self._handlers
        return self

    def __exit__(self, *_: object) -> None:
        for handler in self._handlers:
            botocore.handlers.BUILTIN_HANDLERS.remove(handler)

    @property
    def throttled_share(self) -> float:
        """The share of all requests that was throttled."""
        return self.throttled.total() / max(self.requests.total(), 1)

    def minimum_seconds(self) -> float:
        """How long the buckets make anybody take for these requests."""
        return max(
            (self._request_counts[key] - size) / refill
            for key in self._request_counts
            for size, refill, _ in (self._buckets[key[0]],)
        )

    def _before_send(self, request: Any, event_name: str, **_: Any) -> AWSResponse | None:
        service, operation = event_name.split(".")[1:]
        with self._lock:
            self.requests[operation] += 1
            if not operation.startswith(READ_OPERATION_PREFIXES) or self._take_token(service, operation):
                return None
            self.throttled[operation] += 1
        status, body = THROTTLING_RESPONSES[service]
        # A raw response that moto makes is one that botocore reads.
        return AWSResponse(request.url, status, HTTPHeaders(), MockRawResponse(body))

    def _take_token(self, service: str, operation: str) -> bool:
        size, refill, shared = self._buckets[service]
        key = (service, "" if shared else operation)
        self._request_counts[key] += 1
        second = int(self._clock() - self._started)
        left, filled = self._tokens.get(key, (size, second))
        left = min(size, left + (second - filled) * refill)
        self._tokens[key] = (max(left - 1, 0), second)
        return left > 0
