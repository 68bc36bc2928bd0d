"""Faster imports, which shorten a function's cold start."""

from __future__ import annotations

import gc
import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

BOTO3 = "boto3"


class _DeferredModule(ModuleType):
    """Imports the module of its name when an attribute is first read."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(importlib.import_module(self.__name__), name)


@contextmanager
def fast_imports() -> Iterator[None]:
    """A context for the imports of a handler. It has two effects, each measured on a cold start with its first event.

    It defers boto3: rdklib imports it, but our clients come from botocore. That saves 13 % of the processor time (239
    instead of 274 ms) and 3 MiB. Other importers of boto3 get it at once.

    It disables the garbage collector, because imports create no garbage, and then exempts the imported objects from
    later collections. That saves 7 % of the processor time (221 instead of 239 ms) and costs 0.3 MiB.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    deferred = None if BOTO3 in sys.modules else sys.modules.setdefault(BOTO3, _DeferredModule(BOTO3))
    try:
        yield
    finally:
        if deferred is not None and sys.modules.get(BOTO3) is deferred:
            del sys.modules[BOTO3]
        if was_enabled:
            gc.freeze()
            gc.enable()
