"""Faults of AWS at one call: before it is sent, and in what it answers.

`Injector` works at botocore's own events, for every client that is made while it is active, whether AWS or an
embedded AWS answers the call. A fault is chosen by the operation and by how often the operation was called before. What
no client can detect is not among the faults: an answer of the right shape that silently lacks an item.
"""

from __future__ import annotations

import copy
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import botocore.handlers
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    ReadTimeoutError,
    ResponseStreamingError,
)
from botocore.parsers import ResponseParserError

URL = "https://aws.example"
# As specific as a Stubber's: botocore asks the most specific handlers first.
BEFORE_CALL = "before-call.*.*"
Shape = dict[str, Any]

ERROR_CODES = (
    "ThrottlingException",
    "AccessDenied",
    "InternalFailure",
    "ServiceUnavailable",
    "ExpiredToken",
    "RequestLimitExceeded",
)
# What botocore raises where no answer comes, or one that is not the API's.
EXCEPTIONS: Mapping[str, Callable[[], Exception]] = {
    "connect timeout": lambda: ConnectTimeoutError(endpoint_url=URL),
    "read timeout": lambda: ReadTimeoutError(endpoint_url=URL),
    "no connection": lambda: EndpointConnectionError(endpoint_url=URL),
    "connection closed": lambda: ConnectionClosedError(endpoint_url=URL),
    "HTTP client error": lambda: HTTPClientError(error="broken"),
    "cut off": lambda: ResponseStreamingError(error="cut off"),
    "no XML": lambda: ResponseParserError("Unable to parse response"),
    "not the API's": lambda: AttributeError("'list' object has no attribute 'get'"),
    "malformed number": lambda: ValueError("invalid literal for int() with base 10: 'x'"),
}
TOKENS = ("NextToken", "nextToken", "NextMarker", "NextContinuationToken")
# Members that page a request, by their place in the answer.
_ANSWERS: Mapping[str, Callable[[Shape], None]] = {
    "without its lists": lambda answer: _replace_lists(answer, None),
    "text in place of lists": lambda answer: _replace_lists(answer, "text"),
    "text in place of items": lambda answer: _replace_items(answer, "text"),
    "null in place of items": lambda answer: _replace_items(answer, None),
    "items without members": lambda answer: _replace_items(answer, {}),
    "numbers in place of members": lambda answer: _replace_members(answer, 7),
    "null in place of members": lambda answer: _replace_members(answer, None),
    "objects in place of members": lambda answer: _replace_members(answer, {"unknown": True}),
    "nothing": lambda answer: answer.clear(),
}
# botocore reads every other protocol by the types of the API's model, and passes what JSON holds.
ONLY_JSON = frozenset(
    {
        "text in place of lists",
        "text in place of items",
        "null in place of items",
        "null in place of members",
        "numbers in place of members",
        "objects in place of members",
    }
)
KINDS = (*ERROR_CODES, *EXCEPTIONS, *_ANSWERS, "one token again", "two tokens in turn", "answer lost")


@dataclass(frozen=True)
class Fault:
    """`kind` is one of KINDS. `count`: the operation's first calls that pass; the next has the fault, and with
    `persists` all after it."""

    operation: str
    count: int
    kind: str
    persists: bool = False


class Injector:
    """A context with at most one fault. `calls` counts the operations that were called, `hits` those with the fault."""

    def __init__(self, fault: Fault | None = None) -> None:
        self.fault = fault
        self.calls: Counter[str] = Counter()
        self.hits = 0
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        # First, because the first answer counts; botocore copies its list into each new session.
        botocore.handlers.BUILTIN_HANDLERS.insert(0, (BEFORE_CALL, self._before_call))
        botocore.handlers.BUILTIN_HANDLERS.append(("after-call", self._after_call))
        return self

    def __exit__(self, *_: object) -> None:
        botocore.handlers.BUILTIN_HANDLERS.remove((BEFORE_CALL, self._before_call))
        botocore.handlers.BUILTIN_HANDLERS.remove(("after-call", self._after_call))

    def inject(self, fault: Fault | None) -> None:
        """Counts anew, with another fault."""
        with self._lock:
            self.fault, self.hits = fault, 0
            self.calls.clear()

    def _before_call(self, model: Any, context: Shape, **_: Any) -> tuple[AWSResponse, Shape] | None:
        with self._lock:
            number = self.calls[model.name]
            self.calls[model.name] += 1
            fault = self.fault
            if fault is None or fault.operation != model.name:
                return None
            if number != fault.count and not (fault.persists and number > fault.count):
                return None
            self.hits += 1
            hit = self.hits
        if fault.kind in ERROR_CODES:
            error = {"Error": {"Code": fault.kind, "Message": "injected"}, "ResponseMetadata": {}}
            return AWSResponse(URL, 400, HTTPHeaders(), None), error
        if fault.kind in EXCEPTIONS:
            make_error = EXCEPTIONS[fault.kind]
            raise make_error()
        context["fault"] = (fault.kind, hit)
        return None

    @staticmethod
    def _after_call(model: Any, parsed: Shape, context: Shape, **_: Any) -> None:
        kind, hit = context.pop("fault", (None, 0))
        if kind is None:
            return
        if kind == "answer lost":
            raise ReadTimeoutError(endpoint_url=URL)
        if kind in ONLY_JSON and model.service_model.metadata["protocol"] != "json":
            return
        metadata = parsed.pop("ResponseMetadata", {})
        if kind in _ANSWERS:
            # The answer may be the server's own state.
            answer = copy.deepcopy(parsed)
            parsed.clear()
            _ANSWERS[kind](answer)
            parsed.update(answer)
        else:
            shape = model.output_shape
            for token in TOKENS:
                if shape is not None and token in shape.members:
                    parsed[token] = "again" if kind == "one token again" else f"token-{hit % 2}"
        parsed["ResponseMetadata"] = metadata


def _replace_lists(answer: Shape, value: Any) -> None:
    for name in [name for name, found in answer.items() if isinstance(found, list)]:
        if value is None:
            del answer[name]
        else:
            answer[name] = value


def _replace_items(answer: Shape, value: Any) -> None:
    for name, found in answer.items():
        if isinstance(found, list):
            answer[name] = [value for _ in found]


def _replace_members(answer: Shape, value: Any) -> None:
    for found in answer.values():
        for item in found if isinstance(found, list) else ():
            if isinstance(item, dict):
                item.update(dict.fromkeys(item, value))
