"""All pages of a call, checked: each page is the API's, holds its list, and has a token that no page had before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

# Where the APIs that this project calls put the token of the next page.
TOKEN_MEMBERS = ("NextToken", "nextToken", "NextMarker", "NextContinuationToken")


class NamedCallError(BotoCoreError):
    """A call that AWS did not answer. Its text names the call, which botocore's own errors do not.

    A kind of BotoCoreError, so that code that handles failed calls handles it.
    """

    fmt = "{operation}: {cause}"

    def __init__(self, operation: str, cause: str) -> None:
        super().__init__(operation=operation, cause=cause)


class UnexpectedAnswerError(NamedCallError):
    """An answer that is not the API's: no object, without its list, or with a page token of an earlier page."""


@contextmanager
def name_call(operation: str) -> Iterator[None]:
    """Gives the errors of a call, and of reading its answer, the name of the call."""
    try:
        yield
    except (ClientError, NamedCallError):
        raise
    except ResponseParserError as error:
        raise _unexpected_answer(operation, error) from error
    except BotoCoreError as error:
        raise NamedCallError(operation, str(error)) from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _unexpected_answer(operation, error) from error


def _unexpected_answer(operation: str, error: Exception) -> UnexpectedAnswerError:
    return UnexpectedAnswerError(operation, f"the answer is not the API's ({error!r})")


def read_pages(
    client: Any,
    operation: str,
    parameters: Mapping[str, Any],
    result_key: str,
    page_size: int | None = None,
    *,
    count_key: str | None = None,
) -> Iterator[Mapping[str, Any]]:
    """The pages of a call of the client's method `operation`. Each holds a list under `result_key`.

    `count_key`: the member that is 0 where S3 leaves an empty list out. Raises UnexpectedAnswerError, and
    what a client raises.
    """
    name = client.meta.method_to_api_mapping[operation]
    tokens: set[str] = set()
    pages = _answers(client, operation, parameters, page_size)
    while True:
        try:
            page = next(pages, None)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            if isinstance(error, ClientError | BotoCoreError | ResponseParserError):
                raise
            # botocore's parsers raise these for a body of another shape, such as a list in place of an object.
            raise _unexpected_answer(name, error) from error
        if page is None:
            return
        check_list(page, result_key, name, count_key=count_key)
        _check_items(client, name, result_key, page)
        token = next((str(page[member]) for member in TOKEN_MEMBERS if page.get(member)), None)
        if token is not None and token in tokens:
            raise UnexpectedAnswerError(name, "two pages have the same token, so the pages would never end")
        if token is not None:
            tokens.add(token)
        yield page


def read_items(
    client: Any,
    operation: str,
    parameters: Mapping[str, Any],
    result_key: str,
    page_size: int | None = None,
    *,
    count_key: str | None = None,
) -> Iterator[Any]:
    """The items of all pages. Parameters and errors as in `read_pages`."""
    pages = read_pages(client, operation, parameters, result_key, page_size, count_key=count_key)
    for page in pages:
        yield from page.get(result_key) or ()


def check_list(page: Any, result_key: str, operation: str, *, count_key: str | None = None) -> None:
    """Raises UnexpectedAnswerError for an answer without its list: it says nothing, not that there is nothing."""
    if not isinstance(page, Mapping):
        raise UnexpectedAnswerError(operation, f"the answer is {type(page).__name__}, not an object")
    found = page.get(result_key)
    if found is None and count_key is not None and page.get(count_key) == 0:
        return
    if not isinstance(found, list):
        raise UnexpectedAnswerError(operation, f"the answer has no list {result_key}")


def _check_items(client: Any, operation: str, result_key: str, page: Mapping[str, Any]) -> None:
    """Raises UnexpectedAnswerError for an item of another type than the API's. botocore lets null pass, for example."""
    item_shape = client.meta.service_model.operation_model(operation).output_shape.members[result_key].member
    expected = Mapping if item_shape.type_name == "structure" else str
    for item in page.get(result_key) or ():
        if not isinstance(item, expected):
            raise UnexpectedAnswerError(operation, f"{result_key} holds {type(item).__name__}, which is no item")


def _answers(client: Any, operation: str, parameters: Mapping[str, Any], page_size: int | None) -> Iterator[Any]:
    if not client.can_paginate(operation):
        yield getattr(client, operation)(**parameters)
        return
    size = {} if page_size is None else {"PageSize": page_size}
    yield from client.get_paginator(operation).paginate(**parameters, PaginationConfig=size)
