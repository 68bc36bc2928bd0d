"""Calls to AWS: all pages of one, several at a time, and why one failed."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeVar

from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

K = TypeVar("K", bound=Hashable)

# Calls under way at once, and connections per client: enough to hide latency, few enough for the API's rate limits.
WORKERS = 10

Progress = Callable[[int, int], None]


def client_config() -> Config:
    """How every client of the live source is made: adaptive retries, and timeouts that let a Lambda function
    say which call hung."""
    return Config(
        retries={"mode": "adaptive", "max_attempts": 8},
        connect_timeout=5,
        read_timeout=30,
        max_pool_connections=WORKERS,
    )


@dataclass(frozen=True)
class LiveClients:
    """The boto3 clients of one account and region, made with `client_config`. Where there is one of `config`, its
    recordings are read before the other services are asked."""

    elbv2: BaseClient
    ec2: BaseClient
    config: BaseClient | None = None

    @property
    def all(self) -> tuple[BaseClient, ...]:
        return tuple(client for client in (self.elbv2, self.ec2, self.config) if client is not None)


class ApiResponse(NamedTuple):
    """What a call returned: the items of all pages, up to one that failed.

    `failure` says why, such as `DescribeTargetHealth: ThrottlingException: Rate exceeded`; `code` is the API's
    error code where the API answered at all.
    """

    operation: str
    items: list[Any]
    failure: str | None = None
    error_code: str | None = None


@dataclass(frozen=True)
class ApiRequest:
    """One call. `operation` is the client's method, `result` the member of each page that holds its items;
    `inside` is the member of an item that holds what is meant (DescribeInstances' reservations)."""

    client: BaseClient
    operation: str
    result_key: str
    parameters: Mapping[str, Any]
    page_size: int | None = None
    nested_key: str | None = None

    def send(self) -> ApiResponse:
        """Makes the call. A call that fails is answered too, never raised."""
        operation = self.client.meta.method_to_api_mapping[self.operation]
        items: list[Any] = []
        failure = code = None
        try:
            for page in self._pages():
                items.extend(page.get(self.result_key) or ())
        except ClientError as error:
            said = error.response.get("Error", {})
            code = said.get("Code", "")
            failure = f"{operation}: {code}: {said.get('Message', '')}"
        except (BotoCoreError, ResponseParserError) as error:
            # No answer at all (no route, a timeout, no credentials), or one that is not the API's.
            failure = f"{operation}: {error}"
        if self.nested_key is not None:
            items = [found for item in items for found in item.get(self.nested_key) or ()]
        return ApiResponse(operation, items, failure, code)

    def _pages(self) -> Any:
        if not self.client.can_paginate(self.operation):
            return [getattr(self.client, self.operation)(**self.parameters)]
        size = {} if self.page_size is None else {"PageSize": self.page_size}
        return self.client.get_paginator(self.operation).paginate(**self.parameters, PaginationConfig=size)


class CallPool:
    """Makes calls that do not depend on one another at the same time, and reports progress from the thread that
    asked: `progress(done, total)`, in calls known so far."""

    def __init__(self, progress: Progress | None = None) -> None:
        self._progress = progress
        self._pool = ThreadPoolExecutor(max_workers=WORKERS, thread_name_prefix="alb-sg")
        self._done = 0
        self._total = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # Where the caller was interrupted, calls that are still queued would keep it waiting.
        self._pool.shutdown(cancel_futures=kind is not None)

    def send_all(self, requests: Mapping[K, ApiRequest]) -> dict[K, ApiResponse]:
        """The answer to each request, under the same key and in the same order."""
        self._total += len(requests)
        futures = {self._pool.submit(request.send): key for key, request in requests.items()}
        answered = {}
        for future in as_completed(futures):
            answered[futures[future]] = future.result()
            self._done += 1
            if self._progress is not None:
                self._progress(self._done, self._total)
        return {key: answered[key] for key in requests}
