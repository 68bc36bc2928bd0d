"""How hundreds of thousands of small objects, as files of configuration items hold, are made without undue cost."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar, cast

N = TypeVar("N", bound=tuple[Any, ...])


def tuple_maker(named: type[N]) -> Callable[[tuple[Any, ...]], N]:
    """What makes a named tuple of a tuple with all of its values, without counting them."""
    return cast("Callable[[tuple[Any, ...]], N]", partial(tuple.__new__, named))


# Objects made between two looks for cycles, where what is made is mostly gone soon and has none.
MANY = 100_000


@contextmanager
def seldom_collecting() -> Iterator[None]:
    """Cycles are looked for, but not after every few hundred objects."""
    thresholds = gc.get_threshold()
    gc.set_threshold(MANY)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)


@contextmanager
def without_collector() -> Iterator[None]:
    """No looking for cycles among objects that have none, of which each would be looked at again and again."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
