"""An aggregator for each test."""

from __future__ import annotations

import pytest

from alb_sg.aws import calls
from tests.aggregator.recordings import Recording


@pytest.fixture
def recording(monkeypatch: pytest.MonkeyPatch) -> Recording:
    """A stubbed aggregator that is asked one thing at a time, so that answers come in a known order."""
    monkeypatch.setattr(calls, "WORKERS", 1)
    return Recording()
