"""Clients whose calls a test answers."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import botocore.handlers
import botocore.session

from alb_sg.aws import clients
from tests.builders import REGION


def make_client(service: str) -> Any:
    """A client of its own, with the session of all such clients: making a session takes longer than most tests."""
    return clients.make_client(service, REGION, session=_session(*botocore.handlers.BUILTIN_HANDLERS))


@lru_cache(maxsize=2)
def _session(*_handlers: object) -> botocore.session.Session:
    """A session has the handlers that botocore had when it was made. A test that injects faults adds some."""
    return clients.open_session()
