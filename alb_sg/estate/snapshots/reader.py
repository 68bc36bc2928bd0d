"""Reads a file of configuration items while it is decompressed."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from isal import igzip, igzip_lib

from alb_sg.estate.config_documents import find_config_items
from alb_sg.estate.config_item import ConfigItem, read_item
from alb_sg.estate.json_files import is_gzipped, parse_if_text, unreadable_file_error
from alb_sg.estate.snapshots.chunks import read_chunks
from alb_sg.estate.snapshots.schemas import FastItemReader, NeedsGeneralReader, clear_interned_texts

__all__ = ["NeedsGeneralReader", "fast_items"]

# isal's stubs take the class for an instance.
_ISAL_ERROR = cast("type[Exception]", igzip_lib.error)


def fast_items(path: str, content: bytes | None = None) -> Iterator[tuple[int, Sequence[ConfigItem | None]]]:
    """The elements of a file's `configurationItems`, some at a time, each time with the index of the first one. An
    element is None where no rule reads its type. `content` replaces the file where it cannot be read twice.

    Raises NeedsGeneralReader for every other document and InvalidInputError for an invalid item. The caller must then
    read the whole file with the general reader, which words the errors.
    """
    first = 0
    reader = FastItemReader(_read_unusual)
    with _open_decompressed(path, content) as stream:
        for elements in read_chunks(stream.read, reader.read_list):
            clear_interned_texts()
            if list in map(type, elements):
                for index, element in enumerate(elements, first):
                    # All items of one element share its index.
                    yield from [(index, [item]) for item in (element if isinstance(element, list) else [element])]
            else:
                yield first, cast("list[ConfigItem | None]", elements)
            first += len(elements)
    clear_interned_texts(0)


def _read_unusual(element: bytes) -> ConfigItem | list[ConfigItem] | None:
    """What is in an element of the list, which may also be JSON text or a list."""
    found = list(_read_with_general_reader(element))
    return found if len(found) > 1 else next(iter(found), None)


def _read_with_general_reader(element: bytes) -> Iterator[ConfigItem]:
    for _, record in find_config_items(parse_if_text(element.decode())):
        item = read_item(record)
        if item is not None:
            yield item


@contextmanager
def _open_decompressed(path: str, content: bytes | None) -> Iterator[BinaryIO]:
    """A file as a stream of JSON. Raises NeedsGeneralReader for damaged gzip data."""
    try:
        with io.BytesIO(content) if content is not None else Path(path).open("rb") as stream:
            gzipped = is_gzipped(path, stream.read(2))
            stream.seek(0)
            if gzipped:
                # isal decompresses in a fifth of the time of Python's own gzip.
                with cast("Any", igzip).IGzipFile(fileobj=stream, mode="rb") as decompressed:
                    yield decompressed
            else:
                yield cast("BinaryIO", stream)
    except (EOFError, gzip.BadGzipFile, zlib.error, _ISAL_ERROR) as error:
        raise NeedsGeneralReader from error
    except OSError as error:
        raise unreadable_file_error(error) from error
