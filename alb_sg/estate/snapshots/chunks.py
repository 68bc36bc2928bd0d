"""The configuration items of a snapshot or history in chunks, so that only a part of the file is in memory.

The package does not ship to Lambda beyond `files` and `speed`: Lambda has no msgspec.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TypeVar

import msgspec

from alb_sg.errors import InvalidInputError
from alb_sg.estate.config_documents import ITEM_LIST_KEYS, UNPROCESSED_KEYS
from alb_sg.estate.json_files import parse_json
from alb_sg.estate.snapshots.schemas import NeedsGeneralReader

T = TypeVar("T")

# Bytes read at a time: the objects decoded from them fit in a processor's cache.
READ_SIZE = 128 * 1024
# `configurationItems` must begin within this many bytes.
MAX_HEAD_SIZE = 64 * 1024
# Candidates for the end of an item that are tried before more of the file is read.
MAX_CUT_ATTEMPTS = 4
# Most white space between two items.
MAX_SEPARATOR_SIZE = 128

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# `[ \t\r\n]` is JSON's white space. `\s` matches more.
ITEM_LIST_START = re.compile(rb'"configurationItems"[ \t\r\n]*:[ \t\r\n]*\[[ \t\r\n]*')
FIRST_KEY = re.compile(rb'\{[ \t\r\n]*"[^"\\]*"')
SEPARATOR_AT_END = re.compile(rb"\}([ \t\r\n]*,[ \t\r\n]*)\Z")


def read_chunks(read: Callable[[int], bytes], read_list: Callable[[bytes], T]) -> Iterator[T]:
    """What `read_list` returns for lists of the elements of `configurationItems`, in order. `read` returns up to that
    many bytes of the file.

    `read_list` must raise msgspec.DecodeError for text that is not exactly one JSON list. It is then called again with
    other text.

    Raises NeedsGeneralReader for any other document and for text that is not JSON, possibly after some chunks.
    """
    blocks = iter(lambda: read(READ_SIZE), b"")
    head, unsplit = _split_head(blocks)
    first_key = FIRST_KEY.match(unsplit)
    if first_key is None:
        raise NeedsGeneralReader
    # Where no split succeeds, the next attempt waits for twice the data, which keeps the time linear.
    next_attempt_size = 0
    for block in blocks:
        unsplit += block
        if len(unsplit) < next_attempt_size:
            continue
        split = _split_complete_elements(unsplit, first_key[0], read_list)
        if split is None:
            next_attempt_size = 2 * len(unsplit)
            continue
        chunk, unsplit = split
        next_attempt_size = 0
        yield chunk
    chunk, tail = _split_tail(unsplit, read_list)
    _require_only_an_item_list(head, tail)
    yield chunk


def _split_head(blocks: Iterator[bytes]) -> tuple[bytes, bytes]:
    """The text before the elements, and the bytes of the elements that were read with it."""
    text = b""
    for block in blocks:
        text += block
        start = ITEM_LIST_START.search(text, 0, MAX_HEAD_SIZE)
        if start is not None and start.end() < len(text):
            return text[: start.start()].removeprefix(BYTE_ORDER_MARK), text[start.end() :]
        if len(text) > MAX_HEAD_SIZE:
            break
    raise NeedsGeneralReader


def _split_complete_elements(
    unsplit: bytes, first_key: bytes, read_list: Callable[[bytes], T]
) -> tuple[T, bytes] | None:
    """The complete elements and the remaining bytes; None where no boundary is found.

    A candidate is text that begins as the elements do. The bytes before it, closed with a bracket, parse as a list only
    if the candidate really begins an element: anywhere else the parser is inside a text, a list or an object.
    """
    position = len(unsplit)
    for _ in range(MAX_CUT_ATTEMPTS):
        position = unsplit.rfind(first_key, 1, position)
        if position < 0:
            return None
        between = SEPARATOR_AT_END.search(unsplit[max(0, position - MAX_SEPARATOR_SIZE) : position])
        if between is not None:
            chunk = _read_list(unsplit[: position - len(between[1])], read_list)
            if chunk is not None:
                return chunk, unsplit[position:]
    return None


def _split_tail(unsplit: bytes, read_list: Callable[[bytes], T]) -> tuple[T, bytes]:
    """The last elements, and the text after their list. Raises NeedsGeneralReader."""
    position = len(unsplit)
    for _ in range(MAX_CUT_ATTEMPTS):
        position = unsplit.rfind(b"]", 0, position)
        if position < 0:
            break
        chunk = _read_list(unsplit[:position], read_list)
        if chunk is not None:
            return chunk, unsplit[position + 1 :]
    raise NeedsGeneralReader


def _read_list(elements: bytes, read_list: Callable[[bytes], T]) -> T | None:
    """What `read_list` returns for the text of some elements; None for any other text. Raises NeedsGeneralReader for
    invalid UTF-8."""
    if not elements.isascii():
        try:
            elements.decode()
        except UnicodeDecodeError as error:
            raise NeedsGeneralReader from error
    try:
        return read_list(b"[%b]" % elements)
    except msgspec.DecodeError:
        return None
    except RecursionError as error:
        raise NeedsGeneralReader from error


def _require_only_an_item_list(head: bytes, tail: bytes) -> None:
    """Raises NeedsGeneralReader unless head and tail form an object with this one list of items."""
    try:
        document = parse_json(f'{head.decode()}"configurationItems":[]{tail.decode()}')
    except (InvalidInputError, UnicodeDecodeError, RecursionError) as error:
        raise NeedsGeneralReader from error
    others = {*ITEM_LIST_KEYS, *UNPROCESSED_KEYS} - {"configurationItems"}
    if (
        not isinstance(document, dict)
        or document.get("configurationItems") != []
        or not others.isdisjoint(document)
        or b'"configurationItems"' in head + tail
    ):
        raise NeedsGeneralReader
