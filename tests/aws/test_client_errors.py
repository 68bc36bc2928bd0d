"""Failed calls as text and as error codes."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from alb_sg.aws.client_errors import error_code, error_message, error_text

OPERATION = "DescribeTargetHealth"
REFUSED = ClientError({"Error": {"Code": "Throttling", "Message": "Rate exceeded"}}, OPERATION)
UNREACHABLE = EndpointConnectionError(endpoint_url="https://ec2")
NO_CONNECTION = 'Could not connect to the endpoint URL: "https://ec2"'


@pytest.mark.parametrize(
    ("error", "code", "message", "text"),
    [
        (REFUSED, "Throttling", "Rate exceeded", f"{OPERATION}: Throttling: Rate exceeded"),
        # Some proxies answer without any of the API's members.
        (ClientError({}, OPERATION), "", "", f"{OPERATION}: : "),
        (UNREACHABLE, "", NO_CONNECTION, NO_CONNECTION),
    ],
)
def test_parts_of_an_error(error: Exception, code: str, message: str, text: str) -> None:
    assert (error_code(error), error_message(error), error_text(error)) == (code, message, text)


def test_the_operation_is_named_once() -> None:
    assert error_text(REFUSED, OPERATION) == f"{OPERATION}: Throttling: Rate exceeded"
    assert error_text(UNREACHABLE, OPERATION) == f"{OPERATION}: {NO_CONNECTION}"
