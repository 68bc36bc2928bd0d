"""Clients whose calls a test answers."""

from __future__ import annotations

from functools import cache
from typing import Any

from alb_sg.aws import clients
from tests.builders import REGION


def make_client(service: str) -> Any:
    """A client of its own, with the session of all such clients: making a session takes longer than most tests."""
    return clients.make_client(service, REGION, session=_session())


_session = cache(clients.open_session)
