"""`make demo` from end to end."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from demo.__main__ import RULES
from tests.tools import HANGING


@pytest.mark.slow
def test_the_demo_shows_verdicts_an_explanation_and_the_page(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "demo", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=HANGING)  # noqa: S603 (our own)
    for rule in RULES:
        assert f"\n  {rule}: " in done.stdout
    assert "no-https is COMPLIANT" in done.stdout
    assert "alb-sg explain no-health" in done.stdout
    assert done.stdout.endswith(f"The dashboard of this account: {tmp_path / 'dashboard.html'}\n")
    page = (tmp_path / "dashboard.html").read_text(encoding="utf-8")
    assert "no-health" in page
