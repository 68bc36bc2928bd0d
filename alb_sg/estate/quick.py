"""How hundreds of thousands of small objects, as files of configuration items hold, are made without undue cost."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields, make_dataclass
from functools import partial
from typing import Any, ParamSpec, TypeVar, cast

P = ParamSpec("P")
T = TypeVar("T")
N = TypeVar("N", bound=tuple[Any, ...])


def maker(frozen: Callable[P, T]) -> Callable[P, T]:
    """What makes instances of a frozen dataclass with slots as the class itself does, of arguments by position, in a
    third of the time: a frozen class sets each of its fields through `object.__setattr__`.

    They begin as instances of a class of the same slots that is not frozen, which Python lets become the other.
    """
    of_class = cast("type[Any]", frozen)
    names = [field.name for field in fields(of_class)]
    thawed: Any = make_dataclass(f"Thawed{of_class.__name__}", names, slots=True, eq=False)

    def make(*values: Any) -> Any:
        made = thawed(*values)
        made.__class__ = of_class
        return made

    return cast("Callable[P, T]", make)


def tuple_maker(named: type[N]) -> Callable[[tuple[Any, ...]], N]:
    """What makes a named tuple of a tuple with all of its values, without counting them."""
    return cast("Callable[[tuple[Any, ...]], N]", partial(tuple.__new__, named))


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
