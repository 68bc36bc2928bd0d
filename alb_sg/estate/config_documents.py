"""The configuration items in a JSON document, whichever of AWS Config's answers and files it is.

What is taken apart here: a ConfigSnapshot or ConfigHistory file, the answers of GetResourceConfigHistory,
BatchGetResourceConfig, BatchGetAggregateResourceConfig, SelectResourceConfig and SelectAggregateResourceConfig,
a notification or the event that carries it, one item, and a list of any of these.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from alb_sg.errors import UnusableInput
from alb_sg.estate.files import decoded, joined
from alb_sg.estate.from_api import Shape, items, shape

LISTS = ("configurationItems", "baseConfigurationItems", "BaseConfigurationItems", "Results")
UNANSWERED = ("unprocessedResourceKeys", "UnprocessedResourceIdentifiers")
# What only an item has, so that one which lacks another of these is told what it lacks.
OF_AN_ITEM = ("resourceType", "configuration", "configurationItemStatus")


def items_in(document: Any, place: str = "") -> Iterator[tuple[str, Shape]]:
    """Every configuration item and its place in the document. Raises UnusableInput where there is none to find."""
    if isinstance(document, list):
        for index, element in enumerate(document):
            yield from items_in(_decoded(element, f"{place}[{index}]"), f"{place}[{index}]")
        return
    try:
        source = shape(document)
    except UnusableInput as error:
        raise error.inside(place) from error
    for key in LISTS:
        if key in source:
            _refuse_unanswered(source, place)
            yield from items_in(_list(source[key], joined(place, key)), joined(place, key))
            return
    if "invokingEvent" in source:
        within = joined(place, "invokingEvent")
        yield from items_in(_decoded(source["invokingEvent"], within), within)
    elif source.get("configurationItem") is not None:
        yield from items_in(source["configurationItem"], joined(place, "configurationItem"))
    elif any(key in source for key in OF_AN_ITEM):
        yield place, source
    else:
        raise UnusableInput(_what_it_is_not(source), place)


def _what_it_is_not(source: Shape) -> str:
    message_type = source.get("messageType")
    if isinstance(message_type, str):
        return f"{message_type} carries no configuration item; give a change notification or a ConfigSnapshot file"
    return "neither a configuration item nor a ConfigSnapshot, ConfigHistory, query result or event that holds some"


def _list(value: Any, place: str) -> list[Any]:
    try:
        return items(value)
    except UnusableInput as error:
        raise error.inside(place) from error


def _decoded(value: Any, place: str) -> Any:
    try:
        return decoded(value)
    except UnusableInput as error:
        raise error.inside(place) from error


def _refuse_unanswered(source: Shape, place: str) -> None:
    """A batch that leaves resources out would read as if they did not exist."""
    for key in UNANSWERED:
        if source.get(key):
            raise UnusableInput(
                "some resources were not answered; ask for them again and remove this key", joined(place, key)
            )
