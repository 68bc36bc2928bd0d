"""API calls: all pages of a call, several calls at once, and the reason for a failure."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeVar

from botocore.client import BaseClient

from alb_sg.aws.client_errors import AWS_ERRORS, error_code, error_text
from alb_sg.aws.clients import WORKERS

K = TypeVar("K", bound=Hashable)

# Receives the number of finished calls, and of all calls known so far.
Progress = Callable[[int, int], None]


class ApiResponse(NamedTuple):
    """The result of a call: the items of all pages, up to a page that failed.

    `failure` is the reason, such as `DescribeTargetHealth: ThrottlingException: Rate exceeded`. `error_code` is the
    API's, None if the API did not answer.
    """

    operation: str
    items: list[Any]
    failure: str | None = None
    error_code: str | None = None


@dataclass(frozen=True)
class ApiRequest:
    """One call. `operation` names the client's method, `result_key` the member of each page that holds the items.
    `nested_key` names the member that holds the items in turn (DescribeInstances nests them in reservations)."""

    client: BaseClient
    operation: str
    result_key: str
    parameters: Mapping[str, Any]
    page_size: int | None = None
    nested_key: str | None = None

    def send(self) -> ApiResponse:
        """Makes the call. A failed call is a response as well; AWS's errors are never raised."""
        operation = self.client.meta.method_to_api_mapping[self.operation]
        items: list[Any] = []
        failure = code = None
        try:
            for page in self._pages():
                items.extend(page.get(self.result_key) or ())
        except AWS_ERRORS as error:
            failure = error_text(error, operation)
            code = error_code(error) or None
        if self.nested_key is not None:
            items = [nested for item in items for nested in item.get(self.nested_key) or ()]
        return ApiResponse(operation, items, failure, code)

    def _pages(self) -> Any:
        if not self.client.can_paginate(self.operation):
            return [getattr(self.client, self.operation)(**self.parameters)]
        size = {} if self.page_size is None else {"PageSize": self.page_size}
        return self.client.get_paginator(self.operation).paginate(**self.parameters, PaginationConfig=size)


class CallPool:
    """Makes independent calls at the same time. Reports progress from the caller's thread."""

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
        # Queued calls would delay an interrupted caller.
        self._pool.shutdown(cancel_futures=kind is not None)

    def send_all(self, requests: Mapping[K, ApiRequest]) -> dict[K, ApiResponse]:
        """The response to each request, under the same key and in the same order."""
        self._total += len(requests)
        futures = {self._pool.submit(request.send): key for key, request in requests.items()}
        responses = {}
        for future in as_completed(futures):
            responses[futures[future]] = future.result()
            self._done += 1
            if self._progress is not None:
                self._progress(self._done, self._total)
        return {key: responses[key] for key in requests}
