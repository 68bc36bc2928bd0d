"""Calls that fail on demand, and a log of all calls, for every client made while it is active."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import botocore.handlers
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders


@dataclass(slots=True)
class Fault:
    """An operation that fails with an error code: `left` times (None: always), where `when` says so of the
    serialised request body."""

    operation: str
    code: str
    remaining: int | None
    when: Callable[[str], bool]


class Faults:
    """A context in which chosen API operations answer with an error, without a retry and without a delay.

    Built into new sessions through botocore's list of handlers, as moto does it: enter it before making clients.
    `calls` logs the operations, `bodies` and `headers` the operations with their serialised requests.
    """

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.bodies: list[tuple[str, str]] = []
        self.headers: list[tuple[str, str]] = []
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        botocore.handlers.BUILTIN_HANDLERS.append(("before-call", self._before_call))
        return self

    def __exit__(self, *_: object) -> None:
        botocore.handlers.BUILTIN_HANDLERS.remove(("before-call", self._before_call))

    def fail(
        self,
        operation: str,
        code: str = "ThrottlingException",
        *,
        times: int | None = None,
        when: Callable[[str], bool] = lambda _: True,
    ) -> None:
        """Let an operation such as `DescribeListeners` fail; `when` sees the request as text."""
        self._faults.append(Fault(operation, code, times, when))

    def clear(self) -> None:
        """Let everything succeed again."""
        self._faults.clear()

    def forget(self) -> None:
        """Empties the logs."""
        with self._lock:
            self.calls.clear()
            self.bodies.clear()
            self.headers.clear()

    def _before_call(self, model: Any, params: Mapping[str, Any], **_: Any) -> tuple[AWSResponse, Any] | None:
        with self._lock:
            body = str(params.get("body"))
            self.calls.append(model.name)
            self.bodies.append((model.name, body))
            self.headers.append((model.name, str(params.get("headers"))))
            for fault in self._faults:
                if fault.operation == model.name and fault.remaining != 0 and fault.when(body):
                    if fault.remaining is not None:
                        fault.remaining -= 1
                    error = {"Error": {"Code": fault.code, "Message": "asked to fail"}, "ResponseMetadata": {}}
                    return AWSResponse("", 400, HTTPHeaders(), None), error
        return None
