"""The configuration items in a JSON document, whichever of AWS Config's answers and files it is.

What is taken apart here: a ConfigSnapshot or ConfigHistory file, the answers of GetResourceConfigHistory,
BatchGetResourceConfig, BatchGetAggregateResourceConfig, SelectResourceConfig and SelectAggregateResourceConfig,
a notification or the event that carries it, one item, and a list of any of these.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from alb_sg.errors import InvalidInputError
from alb_sg.estate.from_api import Shape, list_or_empty, require_object
from alb_sg.estate.json_files import join_place, parse_if_text

ITEM_LIST_KEYS = ("configurationItems", "baseConfigurationItems", "BaseConfigurationItems", "Results")
UNPROCESSED_KEYS = ("unprocessedResourceKeys", "UnprocessedResourceIdentifiers")
# What only an item has, so that one which lacks another of these is told what it lacks.
ITEM_KEYS = ("resourceType", "configuration", "configurationItemStatus")


def find_config_items(document: Any, place: str = "") -> Iterator[tuple[str, Shape]]:
    """Every configuration item and its place in the document. Raises InvalidInputError where there is none to find."""
    if isinstance(document, list):
        for index, element in enumerate(document):
            yield from find_config_items(_parse_at(element, f"{place}[{index}]"), f"{place}[{index}]")
        return
    try:
        source = require_object(document)
    except InvalidInputError as error:
        raise error.inside(place) from error
    for key in ITEM_LIST_KEYS:
        if key in source:
            _refuse_unprocessed(source, place)
            yield from find_config_items(_list_at(source[key], join_place(place, key)), join_place(place, key))
            return
    if "invokingEvent" in source:
        within = join_place(place, "invokingEvent")
        yield from find_config_items(_parse_at(source["invokingEvent"], within), within)
    elif source.get("configurationItem") is not None:
        yield from find_config_items(source["configurationItem"], join_place(place, "configurationItem"))
    elif any(key in source for key in ITEM_KEYS):
        yield place, source
    else:
        raise InvalidInputError(_no_items_message(source), place)


def _no_items_message(source: Shape) -> str:
    message_type = source.get("messageType")
    if isinstance(message_type, str):
        return f"{message_type} carries no configuration item; give a change notification or a ConfigSnapshot file"
    return "neither a configuration item nor a ConfigSnapshot, ConfigHistory, query result or event that holds some"


def _list_at(value: Any, place: str) -> list[Any]:
    try:
        return list_or_empty(value)
    except InvalidInputError as error:
        raise error.inside(place) from error


def _parse_at(value: Any, place: str) -> Any:
    try:
        return parse_if_text(value)
    except InvalidInputError as error:
        raise error.inside(place) from error


def _refuse_unprocessed(source: Shape, place: str) -> None:
    """A batch that leaves resources out would read as if they did not exist."""
    for key in UNPROCESSED_KEYS:
        if source.get(key):
            raise InvalidInputError(
                "some resources were not answered; ask for them again and remove this key", join_place(place, key)
            )
