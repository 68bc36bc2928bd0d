"""Finds the configuration items in a JSON document of AWS Config.

The document is a ConfigSnapshot or ConfigHistory file, a response of GetResourceConfigHistory, BatchGetResourceConfig,
BatchGetAggregateResourceConfig, SelectResourceConfig or SelectAggregateResourceConfig, a notification or the event that
carries it, one item, or a list of any of these. EventBridge and SNS wrap notifications.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from alb_sg.errors import InvalidInputError, error_context
from alb_sg.estate.field_readers import Shape, list_or_empty, require_object
from alb_sg.estate.json_files import join_place, parse_if_text

QUERY_RESULTS_KEY = "Results"
ITEM_LIST_KEYS = ("configurationItems", "baseConfigurationItems", "BaseConfigurationItems", QUERY_RESULTS_KEY)
UNPROCESSED_KEYS = ("unprocessedResourceKeys", "UnprocessedResourceIdentifiers")
# Fields that only an item has. An object with one of them is read as an item, whose reader names the missing fields.
ITEM_KEYS = ("resourceType", "configuration", "configurationItemStatus")


# The keys under which EventBridge (`detail`), SNS (`Message`), SQS (`Messages`, `Body`), and the events of functions
# that these call (`Records`, `Sns`, `body`) carry a message. Text is JSON.
WRAPPER_KEYS = ("detail", "Message", "Sns", "Records", "Messages", "Body", "body")
NEXT_PAGE_KEYS = ("NextToken", "NextMarker")
# `messageType` of the notifications that carry no item (AWS Config developer guide, "Notifications that AWS Config
# sends to an Amazon SNS topic").
MESSAGES_WITHOUT_ITEM = frozenset(
    {
        "ComplianceChangeNotification",
        "ConfigRulesEvaluationStarted",
        "ConfigurationHistoryDeliveryCompleted",
        "ConfigurationSnapshotDeliveryCompleted",
        "ConfigurationSnapshotDeliveryFailed",
        "ConfigurationSnapshotDeliveryStarted",
    }
)


def is_message_without_item(document: Any) -> bool:
    """Whether a document is a notification of AWS Config, wrapped or not, that reports no resource."""
    while isinstance(document, dict):
        if "messageType" in document:
            return document["messageType"] in MESSAGES_WITHOUT_ITEM
        try:
            document = parse_if_text(next((document[key] for key in WRAPPER_KEYS if key in document), None))
        except InvalidInputError:
            return False
        if isinstance(document, list) and len(document) == 1:
            document = document[0]
    return False


def without_messages(document: Any) -> tuple[Any, int]:
    """The document without the notifications that report no resource, among those of a list or of a queue, and their
    number."""
    if isinstance(document, list):
        kept = [one for one in document if not is_message_without_item(_parsed_or_same(one))]
        return kept, len(document) - len(kept)
    key = next(
        (key for key in WRAPPER_KEYS if isinstance(document, dict) and isinstance(document.get(key), list)), None
    )
    if key is None:
        return document, 0
    kept, skipped = without_messages(document[key])
    return {**document, key: kept}, skipped


def _parsed_or_same(value: Any) -> Any:
    try:
        return parse_if_text(value)
    except InvalidInputError:
        return value


def find_config_items(document: Any, place: str = "") -> Iterator[tuple[str, Shape]]:
    """Every configuration item and its place in the document. Raises InvalidInputError where there is none."""
    if isinstance(document, list):
        for index, element in enumerate(document):
            yield from find_config_items(_parse_at(element, f"{place}[{index}]"), f"{place}[{index}]")
        return
    try:
        fields = require_object(document)
    except InvalidInputError as error:
        raise error.inside(place) from error
    for key in ITEM_LIST_KEYS:
        if key in fields:
            _refuse_incomplete(fields, key, place)
            yield from find_config_items(_list_at(fields[key], join_place(place, key)), join_place(place, key))
            return
    wrappers = [key for key in WRAPPER_KEYS if isinstance(fields.get(key), dict | str | list)]
    if wrappers or "invokingEvent" in fields:
        key = "invokingEvent" if "invokingEvent" in fields else wrappers[0]
        within = join_place(place, key)
        yield from find_config_items(_parse_at(fields[key], within), within)
    elif fields.get("configurationItem") is not None:
        yield from find_config_items(fields["configurationItem"], join_place(place, "configurationItem"))
    elif any(key in fields for key in ITEM_KEYS):
        yield place, fields
    else:
        raise InvalidInputError(_no_items_message(fields), place)


def _no_items_message(fields: Shape) -> str:
    if "AccountId" in fields or "LoadBalancers" in fields:
        return "this is a saved estate, not AWS Config items; give it with --estate"
    message_type = fields.get("messageType")
    if isinstance(message_type, str):
        return f"{message_type} carries no configuration item; use a change notification or a ConfigSnapshot file"
    return "neither a configuration item nor a ConfigSnapshot, ConfigHistory, query result or event with items"


def _list_at(value: Any, place: str) -> list[Any]:
    """The list; null in its place does not say that there is no item."""
    if value is None:
        raise InvalidInputError("a list was expected, not null", place)
    with error_context(place):
        return list_or_empty(value)


def _parse_at(value: Any, place: str) -> Any:
    try:
        return parse_if_text(value)
    except InvalidInputError as error:
        raise error.inside(place) from error


def refuse_further_pages(response: Shape, place: str) -> None:
    """Raises InvalidInputError for a response with further pages: their resources would read as nonexistent."""
    for key in NEXT_PAGE_KEYS:
        if response.get(key):
            raise InvalidInputError(
                "the response has further pages; collect all of them and remove this key", join_place(place, key)
            )


def _refuse_incomplete(fields: Shape, list_key: str, place: str) -> None:
    """Raises InvalidInputError for an incomplete response: the omitted resources would read as nonexistent."""
    for key in UNPROCESSED_KEYS:
        if fields.get(key):
            raise InvalidInputError(
                "some resources were not returned; request them again and remove this key", join_place(place, key)
            )
    if list_key == QUERY_RESULTS_KEY:
        # The further pages of a history are older.
        refuse_further_pages(fields, place)
