"""The configuration items of a snapshot or history, a block at a time, while their file is read.

For files alone: msgspec, which this and `typed_item` stand on, is no part of what runs in Lambda.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from alb_sg.errors import UnusableInput
from alb_sg.estate.config_documents import LISTS, UNANSWERED
from alb_sg.estate.files import parse_json
from alb_sg.estate.typed_item import Envelope, Irregular

Raw = msgspec.Raw

# Bytes at a time: what is decoded of so many stays in a processor's own cache.
CHUNK = 256 * 1024
# A file of items has its list begin within so many bytes.
HEAD = 64 * 1024
# How many places that look like an item's end are tried before more of the file is read.
TRIES = 4
# Around an item's end, white space takes no more than this.
MARGIN = 128

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
BEGINNING = re.compile(rb'"configurationItems"\s*:\s*\[\s*')
FIRST_KEY = re.compile(rb'\{\s*"[^"\\]*"')
BETWEEN = re.compile(rb"\}(\s*,\s*)\Z")

_envelopes = msgspec.json.Decoder(list[Envelope]).decode
envelope = msgspec.json.Decoder(Envelope).decode
_raws = msgspec.json.Decoder(list[Raw]).decode


class Block(NamedTuple):
    """Consecutive elements of `configurationItems`: each opened, or None where it is no usual item."""

    text: bytes
    elements: Sequence[Envelope | None]

    def element(self, number: int) -> bytes:
        """An element as it stands in the file."""
        return bytes(_raws(self.text)[number])


def item_blocks(read: Callable[[int], bytes]) -> Iterator[Block]:
    """The elements of `configurationItems`, in order. `read` gives so many bytes of the file, or what is left of it.

    Raises Irregular for every other document and for one that is no JSON, then perhaps after some blocks.
    """
    chunks = iter(lambda: read(CHUNK), b"")
    head, rest = _beginning(chunks)
    first_key = FIRST_KEY.match(rest)
    if first_key is None:
        raise Irregular
    # What could not be cut is tried again when there is twice as much: files are read in linear time.
    patience = 0
    for chunk in chunks:
        rest += chunk
        if len(rest) < patience:
            continue
        cut = _cut(rest, first_key[0])
        if cut is None:
            patience = 2 * len(rest)
            continue
        block, rest = cut
        patience = 0
        yield block
    block, tail = _last(rest)
    _refuse_other_content(head, tail)
    yield block


def _beginning(chunks: Iterator[bytes]) -> tuple[bytes, bytes]:
    """What stands before the elements, and what of them has been read."""
    rest = b""
    for chunk in chunks:
        rest += chunk
        found = BEGINNING.search(rest, 0, HEAD)
        if found is not None and found.end() < len(rest):
            return rest[: found.start()].removeprefix(BYTE_ORDER_MARK), rest[found.end() :]
        if len(rest) > HEAD:
            break
    raise Irregular


def _cut(rest: bytes, first_key: bytes) -> tuple[Block, bytes] | None:
    """The whole elements in `rest`, but for the last, and what is left; None where their end is not found.

    What begins as an element begins is a list once closed before it only where that is an element's beginning: anywhere
    else a parser still is within a text or an inner list or object. So that it parses proves the cut.
    """
    position = len(rest)
    for _ in range(TRIES):
        position = rest.rfind(first_key, 1, position)
        if position < 0:
            return None
        between = BETWEEN.search(rest[max(0, position - MARGIN) : position])
        if between is not None:
            block = _block(b"[%b]" % rest[: position - len(between[1])])
            if block is not None:
                return block, rest[position:]
    return None


def _last(rest: bytes) -> tuple[Block, bytes]:
    """The last elements, and what stands behind their list. Raises Irregular."""
    position = len(rest)
    for _ in range(TRIES):
        position = rest.rfind(b"]", 0, position)
        if position < 0:
            break
        block = _block(b"[%b]" % rest[:position])
        if block is not None:
            return block, rest[position + 1 :]
    raise Irregular


def _block(text: bytes) -> Block | None:
    """The elements of a list; None where the text is none. Raises Irregular where it is not UTF-8."""
    if not text.isascii():
        try:
            text.decode()
        except UnicodeDecodeError as error:
            raise Irregular from error
    try:
        return Block(text, _envelopes(text))
    except msgspec.ValidationError:
        pass
    except msgspec.DecodeError:
        return None
    except RecursionError as error:
        raise Irregular from error
    try:
        return Block(text, [_opened(raw) for raw in _raws(text)])
    except msgspec.DecodeError:
        return None


def _opened(raw: Raw) -> Envelope | None:
    try:
        return envelope(raw)
    except msgspec.ValidationError:
        return None


def _refuse_other_content(head: bytes, tail: bytes) -> None:
    """Raises Irregular unless head and tail are those of an object whose list of items was read."""
    try:
        document = parse_json(f'{head.decode()}"configurationItems":[]{tail.decode()}')
    except (UnusableInput, UnicodeDecodeError, RecursionError) as error:
        raise Irregular from error
    others = {*LISTS, *UNANSWERED} - {"configurationItems"}
    if (
        not isinstance(document, dict)
        or document.get("configurationItems") != []
        or not others.isdisjoint(document)
        or b'"configurationItems"' in head + tail
    ):
        raise Irregular
