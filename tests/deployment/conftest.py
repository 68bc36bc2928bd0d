"""A simulated AWS behind a server within this machine, for programs that run in processes of their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
from moto.server import ThreadedMotoServer

from tests.tools import HANGING


@pytest.fixture
def server() -> Iterator[str]:
    """The server's address. It shares its state with what else is simulated in this process, and begins with none."""
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    address = f"http://127.0.0.1:{port}"
    requests.post(f"{address}/moto-api/reset", timeout=HANGING).raise_for_status()
    yield address
    server.stop()
