"""botocore's clients in half of the time, for runs that make ten thousands of them.

An invocation makes a session and four clients, which takes most of its time. What botocore computes from names and
service models alone is kept here; sessions, clients and their handlers are still made anew for each invocation.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import Any
from unittest.mock import patch

from botocore import hooks
from botocore.client import ClientCreator
from botocore.hooks import EventAliaser


@contextmanager
def quick_clients() -> Iterator[None]:
    aliases: dict[str, str] = {}
    methods: dict[str, dict[str, Any]] = {}
    make_aliaser, make_methods, accepts_kwargs = (
        EventAliaser.__init__,
        ClientCreator._create_methods,  # type: ignore[attr-defined]  # noqa: SLF001 (botocore has no public way to share what it computes)
        hooks.accepts_kwargs,
    )
    # A handler is a bound method, of which each session has its own: they share the function.
    function_accepts = cache(accepts_kwargs)

    def init(self: Any, *arguments: Any, **named: Any) -> None:
        make_aliaser(self, *arguments, **named)
        self._alias_name_cache = aliases

    def create_methods(self: Any, service_model: Any) -> dict[str, Any]:
        name = service_model.service_name
        if name not in methods:
            methods[name] = make_methods(self, service_model)
        return dict(methods[name])

    with ExitStack() as stack:
        stack.enter_context(patch.object(EventAliaser, "__init__", init))
        stack.enter_context(patch.object(ClientCreator, "_create_methods", create_methods))
        stack.enter_context(
            patch.object(
                hooks, "accepts_kwargs", lambda handler: function_accepts(getattr(handler, "__func__", handler))
            )
        )
        yield
