"""API calls: all items of a call, several calls at once, and the reason for a failure."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeVar

from botocore.client import BaseClient

from alb_sg.aws.client_errors import AWS_ERRORS, error_code, error_text
from alb_sg.aws.clients import WORKERS
from alb_sg.aws.pages import check_list, read_pages
from alb_sg.errors import InvalidInputError

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")

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

    def read_all(self, read: Callable[[Any], T]) -> tuple[list[T], str | None]:
        """All items as `read` makes them, and None; or none, and why the call failed or an item is not the API's."""
        failure = self.failure
        if failure is None:
            try:
                return [read(item) for item in self.items], None
            except InvalidInputError as error:
                failure = f"{self.operation}: {error}"
        return [], failure


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
        pages = read_pages(self.client, self.operation, self.parameters, self.result_key, self.page_size)
        try:
            for page in pages:
                items.extend(self._items(page, operation))
        except AWS_ERRORS as error:
            failure = error_text(error, operation)
            code = error_code(error) or None
        return ApiResponse(operation, items, failure, code)

    def _items(self, page: Mapping[str, Any], operation: str) -> list[Any]:
        items: list[Any] = page[self.result_key]
        if self.nested_key is None:
            return items
        for item in items:
            check_list(item, self.nested_key, operation)
        return [nested for item in items for nested in item[self.nested_key]]


class CallPool:
    """Makes independent calls at the same time. Reports progress from the caller's thread.

    The threads are daemons, and an error in the block does not wait for them: an interrupt ends the process at once,
    and not after the timeouts and retries of the calls that are under way.
    """

    def __init__(self, progress: Progress | None = None) -> None:
        self._progress = progress
        # Each task has its key, and the queue for its answer.
        self._tasks: SimpleQueue[tuple[Any, ApiRequest, SimpleQueue[Any]] | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._done = 0
        self._total = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        while kind is not None:
            try:
                self._tasks.get_nowait()
            except Empty:
                break
        for _ in self._threads:
            self._tasks.put(None)
        for thread in self._threads if kind is None else ():
            thread.join()

    def send_all(self, requests: Mapping[K, ApiRequest]) -> dict[K, ApiResponse]:
        """The response to each request, under the same key and in the same order."""
        self._total += len(requests)
        answers: SimpleQueue[tuple[K, ApiResponse | BaseException]] = SimpleQueue()

        for key, request in requests.items():
            self._tasks.put((key, request, answers))
        for _ in range(min(len(requests), WORKERS) - len(self._threads)):
            self._start_thread()
        responses: dict[K, ApiResponse] = {}
        for _ in requests:
            key, response = answers.get()
            if isinstance(response, BaseException):
                raise response
            responses[key] = response
            self._done += 1
            if self._progress is not None:
                self._progress(self._done, self._total)
        return {key: responses[key] for key in requests}

    def _start_thread(self) -> None:
        thread = threading.Thread(target=self._work, name=f"alb-sg_{len(self._threads)}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            key, request, answers = task
            try:
                answers.put((key, request.send()))
            except BaseException as error:  # noqa: BLE001 (the caller's thread raises it)
                answers.put((key, error))
