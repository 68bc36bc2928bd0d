"""Ways to create millions of small objects, as files of configuration items hold, with less overhead."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar, cast

N = TypeVar("N", bound=tuple[Any, ...])


def tuple_constructor(named_tuple_type: type[N]) -> Callable[[tuple[Any, ...]], N]:
    """A constructor that takes all values as one tuple, and does not count them."""
    return cast("Callable[[tuple[Any, ...]], N]", partial(tuple.__new__, named_tuple_type))


# New objects between two collections, where most objects live shortly and none is part of a cycle.
COLLECTION_THRESHOLD = 100_000


@contextmanager
def rare_garbage_collection() -> Iterator[None]:
    """Collect garbage after every 100,000 new objects instead of every 700."""
    thresholds = gc.get_threshold()
    gc.set_threshold(COLLECTION_THRESHOLD)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    """Disable the garbage collector: it would traverse every live object again and again, and none is in a cycle."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
