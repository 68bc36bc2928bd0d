"""The usual items in a file of configuration items, read while it is unpacked."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

import msgspec
from isal import igzip

from alb_sg.errors import UnusableInput
from alb_sg.estate.cidr import NotACidr
from alb_sg.estate.config_documents import items_in
from alb_sg.estate.config_item import ConfigItem, ItemFields, read_item
from alb_sg.estate.files import decoded, is_packed, unreadable
from alb_sg.estate.item_blocks import item_blocks
from alb_sg.estate.typed_item import Irregular, TypedReader, forget_texts

__all__ = ["Irregular", "usual_items"]


def usual_items(path: str, content: bytes | None = None) -> Iterator[tuple[int, Sequence[ItemFields | None]]]:
    """The elements of a file's `configurationItems`, some at a time, after the number of the first: items, and None for
    what no verdict needs. `content`: the file's, where it cannot be read again.

    Raises Irregular for every other file, and UnusableInput for an item that is wrong: then the whole file is to be
    read by those who can tell what it is, and what is wrong with it first.
    """
    first = 0
    typed = TypedReader().item
    with _unpacked(path, content) as stream:
        for block in item_blocks(stream.read):
            forget_texts()
            found: list[ItemFields | None] = []
            beginning = first
            for number, element in enumerate(block.elements, beginning):
                try:
                    found.append(typed(element))
                except (Irregular, UnusableInput, NotACidr, msgspec.ValidationError):
                    inner = list(_thoroughly(block.element(number - beginning)))
                    if len(inner) < 2:
                        found += inner or [None]
                    else:
                        # Several in one element: all have its number.
                        yield first, found
                        yield from [(number, [one]) for one in inner]
                        first, found = number + 1, []
            yield first, found
            first += len(found)
    forget_texts(0)


def _thoroughly(element: bytes) -> Iterator[ConfigItem]:
    """The items in an element of the list; it may be a text or a list that holds some."""
    for _, source in items_in(decoded(element.decode())):
        item = read_item(source)
        if item is not None:
            yield item


@contextmanager
def _unpacked(path: str, content: bytes | None) -> Iterator[BinaryIO]:
    """What is in a file, as it is read. Damaged gzip data is raised as Irregular."""
    try:
        with io.BytesIO(content) if content is not None else Path(path).open("rb") as stream:
            packed = is_packed(path, stream.read(2))
            stream.seek(0)
            if packed:
                with cast("Any", igzip).IGzipFile(fileobj=stream, mode="rb") as unpacked:
                    yield unpacked
            else:
                yield cast("BinaryIO", stream)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise Irregular from error
    except OSError as error:
        raise unreadable(error) from error
