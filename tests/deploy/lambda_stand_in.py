"""Lambda's Invoke answered by a handler in this process, for every client made while it is active.

moto runs functions in containers alone; what calls them here, such as its interpreter of Step Functions, is given what
Lambda would give: JSON, and an error's type and message where the handler raises.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from typing import Any, Self

import boto3
import botocore.handlers
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders


class LambdaStandIn:
    """`calls` are the events of all invocations."""

    def __init__(self, handler: Callable[[Any, None], Any]) -> None:
        self.calls: list[Any] = []
        self._handler = handler

    def __enter__(self) -> Self:
        # The default session has the handlers of when it was made.
        boto3.DEFAULT_SESSION = None
        botocore.handlers.BUILTIN_HANDLERS.append(("before-call.lambda.Invoke", self._invoke))
        return self

    def __exit__(self, *_: object) -> None:
        botocore.handlers.BUILTIN_HANDLERS.remove(("before-call.lambda.Invoke", self._invoke))
        boto3.DEFAULT_SESSION = None

    def _invoke(self, params: Mapping[str, Any], **_: object) -> tuple[AWSResponse, dict[str, Any]]:
        event = json.loads(params["body"])
        self.calls.append(event)
        answer: dict[str, Any] = {"StatusCode": 200, "ExecutedVersion": "$LATEST"}
        try:
            said = self._handler(event, None)
        except Exception as error:  # noqa: BLE001 (whatever a handler raises is the function's error)
            said = {"errorType": type(error).__name__, "errorMessage": str(error)}
            answer["FunctionError"] = "Unhandled"
        answer |= {
            "Payload": io.BytesIO(json.dumps(said).encode()),
            "ResponseMetadata": {"HTTPStatusCode": 200, "HTTPHeaders": {}, "RequestId": "made-here"},
        }
        return AWSResponse("https://lambda", 200, HTTPHeaders(), None), answer
