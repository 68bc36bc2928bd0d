"""Failed calls to AWS as text and as error codes."""

from __future__ import annotations

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from alb_sg.aws.pages import NamedCallError

# A call that AWS refused, one that it did not answer, and one whose answer is not the API's.
AWS_ERRORS = (ClientError, BotoCoreError, ResponseParserError)


def error_code(error: Exception) -> str:
    """The API's error code, such as `AccessDenied`; "" if the API did not answer."""
    return _member(error, "Code")


def error_message(error: Exception) -> str:
    """The API's own message; the exception's text if the API did not answer."""
    return _member(error, "Message") if isinstance(error, ClientError) else str(error)


def error_text(error: Exception, operation: str = "") -> str:
    """A failed call, such as `DescribeTargetHealth: ThrottlingException: Rate exceeded`.

    Pass `operation` where the API may not have answered: such an error does not name the operation.
    """
    if isinstance(error, ClientError):
        return f"{error.operation_name}: {error_code(error)}: {error_message(error)}"
    if isinstance(error, NamedCallError):
        return str(error)
    return f"{operation}: {error}" if operation else str(error)


def _member(error: Exception, name: str) -> str:
    return str(error.response.get("Error", {}).get(name, "")) if isinstance(error, ClientError) else ""
