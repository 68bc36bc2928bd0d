"""The configuration items of a snapshot or history, a block at a time, while their file is read.

For files alone: msgspec, which this and `typed_item` stand on, is no part of what runs in Lambda.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from alb_sg.errors import InvalidInputError
from alb_sg.estate.config_documents import ITEM_LIST_KEYS, UNPROCESSED_KEYS
from alb_sg.estate.json_files import parse_json
from alb_sg.estate.snapshots.schemas import ConfigItemSchema, NeedsGeneralReader

Raw = msgspec.Raw

# Bytes at a time: what is decoded of so many stays in a processor's own cache.
READ_SIZE = 256 * 1024
# A file of items has its list begin within so many bytes.
MAX_HEAD_SIZE = 64 * 1024
# How many places that look like an item's end are tried before more of the file is read.
MAX_CUT_ATTEMPTS = 4
# Around an item's end, white space takes no more than this.
MAX_SEPARATOR_SIZE = 128

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
ITEM_LIST_START = re.compile(rb'"configurationItems"\s*:\s*\[\s*')
FIRST_KEY = re.compile(rb'\{\s*"[^"\\]*"')
ITEM_SEPARATOR = re.compile(rb"\}(\s*,\s*)\Z")

_decode_items = msgspec.json.Decoder(list[ConfigItemSchema]).decode
decode_item = msgspec.json.Decoder(ConfigItemSchema).decode
_decode_raw_items = msgspec.json.Decoder(list[Raw]).decode


class Chunk(NamedTuple):
    """Consecutive elements of `configurationItems`: each opened, or None where it is no usual item."""

    list_json: bytes
    elements: Sequence[ConfigItemSchema | None]

    def raw_element(self, index: int) -> bytes:
        """An element as it stands in the file."""
        return bytes(_decode_raw_items(self.list_json)[index])


def read_chunks(read: Callable[[int], bytes]) -> Iterator[Chunk]:
    """The elements of `configurationItems`, in order. `read` gives so many bytes of the file, or what is left of it.

    Raises NeedsGeneralReader for every other document and for one that is no JSON, then perhaps after some blocks.
    """
    chunks = iter(lambda: read(READ_SIZE), b"")
    head, rest = _split_head(chunks)
    first_key = FIRST_KEY.match(rest)
    if first_key is None:
        raise NeedsGeneralReader
    # What could not be cut is tried again when there is twice as much: files are read in linear time.
    patience = 0
    for chunk in chunks:
        rest += chunk
        if len(rest) < patience:
            continue
        cut = _split_complete_items(rest, first_key[0])
        if cut is None:
            patience = 2 * len(rest)
            continue
        block, rest = cut
        patience = 0
        yield block
    block, tail = _split_tail(rest)
    _require_only_an_item_list(head, tail)
    yield block


def _split_head(chunks: Iterator[bytes]) -> tuple[bytes, bytes]:
    """What stands before the elements, and what of them has been read."""
    rest = b""
    for chunk in chunks:
        rest += chunk
        found = ITEM_LIST_START.search(rest, 0, MAX_HEAD_SIZE)
        if found is not None and found.end() < len(rest):
            return rest[: found.start()].removeprefix(BYTE_ORDER_MARK), rest[found.end() :]
        if len(rest) > MAX_HEAD_SIZE:
            break
    raise NeedsGeneralReader


def _split_complete_items(unsplit: bytes, first_key: bytes) -> tuple[Chunk, bytes] | None:
    """The whole elements in `rest`, but for the last, and what is left; None where their end is not found.

    What begins as an element begins is a list once closed before it only where that is an element's beginning: anywhere
    else a parser still is within a text or an inner list or object. So that it parses proves the cut.
    """
    position = len(unsplit)
    for _ in range(MAX_CUT_ATTEMPTS):
        position = unsplit.rfind(first_key, 1, position)
        if position < 0:
            return None
        between = ITEM_SEPARATOR.search(unsplit[max(0, position - MAX_SEPARATOR_SIZE) : position])
        if between is not None:
            block = _decode_chunk(b"[%b]" % unsplit[: position - len(between[1])])
            if block is not None:
                return block, unsplit[position:]
    return None


def _split_tail(unsplit: bytes) -> tuple[Chunk, bytes]:
    """The last elements, and what stands behind their list. Raises NeedsGeneralReader."""
    position = len(unsplit)
    for _ in range(MAX_CUT_ATTEMPTS):
        position = unsplit.rfind(b"]", 0, position)
        if position < 0:
            break
        block = _decode_chunk(b"[%b]" % unsplit[:position])
        if block is not None:
            return block, unsplit[position + 1 :]
    raise NeedsGeneralReader


def _decode_chunk(list_json: bytes) -> Chunk | None:
    """The elements of a list; None where the text is none. Raises NeedsGeneralReader where it is not UTF-8."""
    if not list_json.isascii():
        try:
            list_json.decode()
        except UnicodeDecodeError as error:
            raise NeedsGeneralReader from error
    try:
        return Chunk(list_json, _decode_items(list_json))
    except msgspec.ValidationError:
        pass
    except msgspec.DecodeError:
        return None
    except RecursionError as error:
        raise NeedsGeneralReader from error
    try:
        return Chunk(list_json, [_decode_item_or_none(raw) for raw in _decode_raw_items(list_json)])
    except msgspec.DecodeError:
        return None


def _decode_item_or_none(raw: Raw) -> ConfigItemSchema | None:
    try:
        return decode_item(raw)
    except msgspec.ValidationError:
        return None


def _require_only_an_item_list(head: bytes, tail: bytes) -> None:
    """Raises NeedsGeneralReader unless head and tail are those of an object whose list of items was read."""
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
