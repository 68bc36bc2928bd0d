"""What makes a function's cold start short: time and memory that importing takes and nothing needs."""

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
    """Stands for a module until something of it is asked for."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(importlib.import_module(self.__name__), name)


@contextmanager
def fast_imports() -> Iterator[None]:
    """For the imports of a handler.

    rdklib imports boto3 for clients that it does not make here: ours are botocore's, and boto3 on top of it costs a
    fifth of the start and 3 MiB. It is put off until rdklib uses it; whoever else imports it gets it at once. And
    nothing of what importing makes is garbage, so none is looked for, neither meanwhile nor in it later.
    """
    collects = gc.isenabled()
    gc.disable()
    deferred = None if BOTO3 in sys.modules else sys.modules.setdefault(BOTO3, _DeferredModule(BOTO3))
    try:
        yield
    finally:
        if deferred is not None and sys.modules.get(BOTO3) is deferred:
            del sys.modules[BOTO3]
        if collects:
            gc.freeze()
            gc.enable()
