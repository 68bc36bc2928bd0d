"""A simulated AWS behind a server in this process, which counts the calls.

What it does not simulate it answers with an error, as a region without the service would.
"""

from __future__ import annotations

import logging
import re
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

SIGNED_SERVICE_PATTERN = re.compile(r"Credential=[^/]+/\d+/[^/]*/([^/]+)/")


@dataclass
class CountingApplication:
    """Requests since `clear`, by the service that they are signed for."""

    application: Any
    calls: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        found = SIGNED_SERVICE_PATTERN.search(environ.get("HTTP_AUTHORIZATION", ""))
        with self._lock:
            self.calls[found[1] if found else "unsigned"] += 1
        answer: Iterable[bytes] = self.application(environ, start_response)
        return answer


class _QuietRequestHandler(WSGIRequestHandler):
    def log(self, *_: Any) -> None:
        """Says nothing: a line for each request would be all that is seen."""


@contextmanager
def run_server() -> Iterator[tuple[str, Counter[str]]]:
    """Its address, and the requests by service."""
    counted = CountingApplication(DomainDispatcherApplication(create_backend_app))
    made = make_server("127.0.0.1", 0, counted, threaded=True, request_handler=_QuietRequestHandler)
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    # A traceback for every call that is not simulated; its caller reports the call too.
    logging.disable(logging.ERROR)
    try:
        yield f"http://127.0.0.1:{made.server_port}", counted.calls
    finally:
        logging.disable(logging.NOTSET)
        made.shutdown()
        thread.join()
        made.server_close()
