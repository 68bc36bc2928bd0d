"""Documents of the right form, changed in a few places to anything."""

from __future__ import annotations

import copy
import gzip
import json
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

# What people, tools and attackers put where something else belongs.
ODD_TEXTS = (
    "",
    " ",
    "\x00",
    "\u202e\u2066",
    "\x1b[2J\x9b",
    "\ud800",
    "a\nb\r\u2028c",
    "-1",
    "65536",
    "9" * 5000,
    "1e400",
    "0x10",
    "0.0.0.0/33",
    "::/129",
    "1.2.3.4/-1",
    "01.02.03.04/8",
    "::ffff:1.2.3.4/0",
    "sg-",
    "pl-",
    "arn:aws:elasticloadbalancing:::loadbalancer/app//",
    "arn:",
    "{",
    "[]",
    "<script>",
    "=1+1",
    "${jndi:x}",
    "active",
    "x" * 3000,
)
ODD_COLLECTIONS: tuple[Any, ...] = ([], {}, [[]], [None], {"": {}})
ODD_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([0, -1, 65536, 2**63, 10**4000, -(10**4000), 0.5, 1e308, float("1e16"), *ODD_COLLECTIONS]),
    st.sampled_from(ODD_TEXTS),
    st.integers(),
    st.text(max_size=8),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=4),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
        max_leaves=6,
    ),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of each value inside a document."""
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from places(inner, (*path, key))


@st.composite
def mutated(draw: st.DrawFn, document: Any) -> Any:
    """A document with one to three values replaced, removed, repeated, or swapped for another of its own values."""
    document = copy.deepcopy(document)
    for _ in range(draw(st.integers(1, 3))):
        found_places = list(places(document))
        if not found_places:
            return draw(ODD_VALUES)
        *outer, key = draw(st.sampled_from(found_places))
        holder = document
        for step in outer:
            holder = holder[step]
        match draw(st.sampled_from(["replace", "remove", "repeat", "swap"])):
            case "replace":
                # Every draw gives the same list: a later change would put it into itself.
                holder[key] = copy.deepcopy(draw(ODD_VALUES))
            case "remove":
                del holder[key]
            case "repeat" if isinstance(holder, list):
                holder.append(copy.deepcopy(holder[key]))
            case _:
                *other, other_key = draw(st.sampled_from(found_places))
                found = document
                try:
                    for step in (*other, other_key):
                        found = found[step]
                except (KeyError, IndexError, TypeError):
                    continue
                holder[key] = copy.deepcopy(found)
    return document


@st.composite
def damaged(draw: st.DrawFn, content: bytes) -> bytes:
    """Bytes with some replaced, removed or added."""
    changed = bytearray(content)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, max(0, len(changed) - 1)))
        match draw(st.sampled_from(["flip", "cut", "insert", "drop"])):
            case "flip" if changed:
                changed[place] ^= 1 << draw(st.integers(0, 7))
            case "cut":
                del changed[place:]
            case "drop":
                del changed[place : place + draw(st.integers(1, 64))]
            case _:
                changed[place:place] = draw(st.binary(min_size=1, max_size=8))
    return bytes(changed)


def file_contents(document: Any) -> st.SearchStrategy[bytes]:
    """A document as the bytes of a file: changed in its values or in its bytes, gzipped or not."""
    text = json.dumps(document).encode()
    return st.one_of(
        mutated(document).map(lambda changed: to_json(changed).encode()),
        mutated(document).map(lambda changed: gzip.compress(to_json(changed).encode(), 1, mtime=0)),
        damaged(text),
        damaged(gzip.compress(text, 1, mtime=0)),
    )


def to_json(value: Any) -> str:
    """JSON text, also of numbers that Python refuses to print."""
    try:
        return json.dumps(value)
    except ValueError:
        return json.dumps(value, default=str) if not _has_huge_number(value) else '{"huge": ' + "9" * 5000 + "}"


def _has_huge_number(value: Any) -> bool:
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return (isinstance(value, int) and abs(value) > 10**4000 - 1) or any(map(_has_huge_number, items))
