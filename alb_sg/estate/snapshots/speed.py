"""How hundreds of thousands of small objects, as files of configuration items hold, are made without undue cost."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar, cast

N = TypeVar("N", bound=tuple[Any, ...])


def tuple_constructor(named_tuple_type: type[N]) -> Callable[[tuple[Any, ...]], N]:
    """What makes a named tuple of a tuple with all of its values, without counting them."""
    return cast("Callable[[tuple[Any, ...]], N]", partial(tuple.__new__, named_tuple_type))


# Objects made between two looks for cycles, where what is made is mostly gone soon and has none.
COLLECTION_THRESHOLD = 100_000


@contextmanager
def rare_garbage_collection() -> Iterator[None]:
    """Cycles are looked for, but not after every few hundred objects."""
    thresholds = gc.get_threshold()
    gc.set_threshold(COLLECTION_THRESHOLD)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    """No looking for cycles among objects that have none, of which each would be looked at again and again."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
