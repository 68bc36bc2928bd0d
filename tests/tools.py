"""Tools that tests need beside Python: missing, they skip a test on a user's machine and fail it in CI. And how long a
test waits for one."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

# Seconds after which what is waited for hangs. No test depends on how fast the machine is.
HANGING = 900

NODE_MODULES = Path(__file__).parent / "node" / "node_modules"


def node() -> str:
    """Node.js's own path."""
    return shutil.which("node") or _missing("Node.js", "install it")


def node_module(path: str) -> Path:
    """A file of what `make setup-node` installs, by its path such as `axe-core/axe.min.js`."""
    found = NODE_MODULES / path
    return found if found.exists() else Path(_missing(path, "run make setup-node"))


def browser() -> str:
    """Chromium's path."""
    return (
        shutil.which("chromium")
        or shutil.which("google-chrome")
        or _missing("Chromium", "run make setup-browser as root, or install it")
    )


def rdk() -> str:
    """rdk 1.0.0's command, in an environment of its own."""
    return os.environ.get("ALB_SG_RDK") or _missing(
        "rdk 1.0.0", "`make test` sets it up and names it in ALB_SG_RDK; what needs it was NOT run"
    )


def scanner(name: str) -> str:
    """A scanner's own path."""
    folder = os.environ.get("ALB_SG_SCANNERS") or _missing(
        "the scanners", "`make test` sets them up and names them in ALB_SG_SCANNERS; what needs them was NOT run"
    )
    return str(Path(folder) / name)


def _missing(what: str, how: str) -> str:
    said = f"{what} is missing; {how}"
    if os.environ.get("CI") == "true":
        pytest.fail(said)
    pytest.skip(said)
