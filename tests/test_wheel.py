"""The wheel: all of the package is in it, and in an environment of its own it does what the checkout does.

The dependencies come from the package index or pip's cache, as requirements/deploy.txt locks them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from alb_sg.deployment.release import build_wheel
from tests.command_line.calling import Answer, closed
from tests.rules import RULE_NAMES

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
# What `[deploy]` adds to what every command needs.
OF_DEPLOY = ("jsonschema", "pyyaml")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As a release has it."""
    return build_wheel(ROOT, tmp_path_factory.mktemp("dist"))


@pytest.fixture
def python(wheel: Path, tmp_path: Path) -> Path:
    """Python in a new environment, with the wheel, `[deploy]`, and nothing else."""
    folder = tmp_path / "environment"
    _run([sys.executable, "-m", "venv", str(folder)], tmp_path)
    found = folder / "bin" / "python"
    _pip(found, "install", "--require-hashes", "--requirement", str(ROOT / "requirements" / "deploy.txt"))
    # Without an index, all that the wheel asks for must be there.
    _pip(found, "install", "--no-index", f"{wheel}[deploy]")
    return found


def test_every_file_of_the_package_is_in_the_wheel(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    files = (path for path in (ROOT / "alb_sg").rglob("*") if path.is_file() and path.suffix != ".pyc")
    assert packed == {path.relative_to(ROOT).as_posix() for path in files}


def test_it_answers_in_an_environment_of_its_own_as_the_checkout_does(python: Path, tmp_path: Path) -> None:
    """Deployment with `[deploy]`, and then the commands without it."""
    both = Both(python, tmp_path)
    configured = ("--rules", str(ROOT / "rules"), "--config", str(ROOT / "rdk-config.json"))
    assert both.run("-m", "alb_sg.deployment", "pack", *configured, "--output", "dist").code == 0

    _pip(python, "uninstall", "--yes", *OF_DEPLOY)
    _pip(python, "check")
    rules = _answer([str(python.with_name("alb-sg")), "rules"], tmp_path)
    assert (rules.code, rules.err) == (0, "")
    assert [name for name in RULE_NAMES if name not in rules.out] == []
    estate = tmp_path / "estate.json"
    estate.write_text(json.dumps(closed()), encoding="utf-8")
    assert "NON_COMPLIANT" in both.run("-m", "alb_sg", "check", "--estate", str(estate)).out
    page = ("--as-of", "2027-01-31T12:00:00Z", "--output", "page.html")
    assert both.run("-m", "alb_sg", "dashboard", "--estate", str(estate), *page).code == 1

    written = both.written()
    assert {"dist/central.yaml", "page.html", "page.json"} <= set(written)


@dataclass(frozen=True)
class Both:
    """The installed wheel and the checkout, which do the same, each in a folder of its own."""

    installed: Path
    folder: Path

    def run(self, *arguments: str) -> Answer:
        """What both answer."""
        installed = _answer([str(self.installed), *arguments], self._folder("installed"))
        checkout = _answer([sys.executable, *arguments], self._folder("checkout"), PYTHONPATH=str(ROOT))
        assert installed == checkout
        assert installed.err == ""
        return installed

    def written(self) -> dict[str, bytes]:
        """What both wrote."""
        installed, checkout = (
            {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
            for folder in (self._folder("installed"), self._folder("checkout"))
        )
        assert installed == checkout
        return installed

    def _folder(self, name: str) -> Path:
        found = self.folder / name
        found.mkdir(exist_ok=True)
        return found


def _pip(python: Path, *arguments: str) -> None:
    _run([str(python), "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments], python.parent)


def _run(command: list[str], folder: Path) -> None:
    answer = _answer(command, folder)
    assert answer.code == 0, f"{' '.join(command)}\n{answer.out}{answer.err}"


def _answer(command: list[str], folder: Path, **more: str) -> Answer:
    """What a program says that is started in a folder and finds no module through the caller's environment."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | more
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 (our own)
    return Answer(done.returncode, done.stdout, done.stderr)
