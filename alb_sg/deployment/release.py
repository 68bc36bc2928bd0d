"""`release`: everything that a version ships, in one folder, with checksums and an SBOM.

The same tree, environment and Python (3.x) give the same bytes.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import alb_sg
from alb_sg.deployment.preflight import DeploymentError
from alb_sg.errors import InvalidInputError

CHANGELOG = "CHANGELOG.md"
CHECKSUMS = "SHA256SUMS"
# The first heading of a version, such as `## 0.2.0 (2027-01-31)`.
VERSION_HEADING = re.compile(r"^## (?P<version>\S+) \((?P<date>[^)]+)\)$", re.MULTILINE)
UNRELEASED = "unreleased"
# What the wheel is built from.
SOURCES = ("LICENSE", "README.md", "pyproject.toml")
# 1980-01-01, the earliest time that zip can represent.
EPOCH = 315_532_800
FILE_MODE, FOLDER_MODE, UMASK = 0o644, 0o755, 0o022


def released_on(checkout: Path) -> datetime | None:
    """The date of this version in the change log; None if it is not released yet.

    Raises InvalidInputError if the change log is about another version, or its date is not one.
    """
    path = checkout / CHANGELOG
    try:
        found = VERSION_HEADING.search(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidInputError(f"cannot be read: {error.strerror}; run release in a checkout", str(path)) from error
    if found is None or found["version"] != alb_sg.__version__:
        about = "no version" if found is None else found["version"]
        raise InvalidInputError(
            f"its first heading is about {about}, but alb_sg/__init__.py says {alb_sg.__version__}; correct one",
            str(path),
        )
    if found["date"] == UNRELEASED:
        return None
    try:
        return datetime.fromisoformat(found["date"]).replace(tzinfo=UTC)
    except ValueError as error:
        raise InvalidInputError(
            f"{found['date']!r} is neither {UNRELEASED} nor a date such as 2027-01-31", str(path)
        ) from error


def empty_folder(folder: Path) -> None:
    """Removes what an earlier release of the version left."""
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)


def build_wheel(checkout: Path, folder: Path) -> Path:
    """Builds the wheel into the folder, from a copy: an earlier build in the checkout would end up in it."""
    with tempfile.TemporaryDirectory() as source:
        shutil.copytree(checkout / "alb_sg", Path(source) / "alb_sg", ignore=shutil.ignore_patterns("__pycache__"))
        for name in SOURCES:
            shutil.copy(checkout / name, source)
        # The wheel records them. The checkout has those of its user's umask.
        for path in Path(source).rglob("*"):
            path.chmod(FOLDER_MODE if path.is_dir() else FILE_MODE)
        command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps"]
        done = subprocess.run(  # noqa: S603 (pip of this environment)
            [*command, "--no-build-isolation", "--wheel-dir", str(folder), source],
            env={**os.environ, "SOURCE_DATE_EPOCH": str(EPOCH)},
            umask=UMASK,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode != 0:
        raise DeploymentError(f"pip could not build the wheel; run `make setup`. {done.stderr.strip()}")
    return next(folder.glob("*.whl"))


def write_checksums(folder: Path) -> Path:
    """Writes the sha256 of every file in the folder, in the format of `sha256sum --check`."""
    path = folder / CHECKSUMS
    files = sorted(file for file in folder.rglob("*") if file.is_file() and file != path)
    path.write_text(
        "".join(f"{sha256_of(file)}  {file.relative_to(folder).as_posix()}\n" for file in files), encoding="utf-8"
    )
    return path


def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
