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

from alb_sg.errors import InvalidInputError
from alb_sg.estate.cidr import InvalidCidrError
from alb_sg.estate.config_documents import find_config_items
from alb_sg.estate.config_item import ConfigItem, ItemFields, read_item
from alb_sg.estate.json_files import is_gzipped, parse_if_text, unreadable_file_error
from alb_sg.estate.snapshots.chunks import read_chunks
from alb_sg.estate.snapshots.schemas import FastItemReader, NeedsGeneralReader, clear_interned_texts

__all__ = ["NeedsGeneralReader", "fast_items"]


def fast_items(path: str, content: bytes | None = None) -> Iterator[tuple[int, Sequence[ItemFields | None]]]:
    """The elements of a file's `configurationItems`, some at a time, after the number of the first: items, and None for
    what no verdict needs. `content`: the file's, where it cannot be read again.

    Raises NeedsGeneralReader for every other file, and InvalidInputError for an item that is wrong: then the whole
    file is to be read by those who can tell what it is, and what is wrong with it first.
    """
    first = 0
    typed = FastItemReader().read
    with _open_decompressed(path, content) as stream:
        for block in read_chunks(stream.read):
            clear_interned_texts()
            found: list[ItemFields | None] = []
            beginning = first
            for number, element in enumerate(block.elements, beginning):
                try:
                    found.append(typed(element))
                except (NeedsGeneralReader, InvalidInputError, InvalidCidrError, msgspec.ValidationError):
                    inner = list(_read_with_general_reader(block.raw_element(number - beginning)))
                    if len(inner) < 2:
                        found += inner or [None]
                    else:
                        # Several in one element: all have its number.
                        yield first, found
                        yield from [(number, [one]) for one in inner]
                        first, found = number + 1, []
            yield first, found
            first += len(found)
    clear_interned_texts(0)


def _read_with_general_reader(element: bytes) -> Iterator[ConfigItem]:
    """The items in an element of the list; it may be a text or a list that holds some."""
    for _, source in find_config_items(parse_if_text(element.decode())):
        item = read_item(source)
        if item is not None:
            yield item


@contextmanager
def _open_decompressed(path: str, content: bytes | None) -> Iterator[BinaryIO]:
    """What is in a file, as it is read. Damaged gzip data is raised as NeedsGeneralReader."""
    try:
        with io.BytesIO(content) if content is not None else Path(path).open("rb") as stream:
            packed = is_gzipped(path, stream.read(2))
            stream.seek(0)
            if packed:
                with cast("Any", igzip).IGzipFile(fileobj=stream, mode="rb") as unpacked:
                    yield unpacked
            else:
                yield cast("BinaryIO", stream)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise NeedsGeneralReader from error
    except OSError as error:
        raise unreadable_file_error(error) from error
