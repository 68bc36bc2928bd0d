"""docs/licenses.md names every distribution that is shipped or installed, with a licence that permits its use."""

from __future__ import annotations

import re
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
# Licences without conditions on what uses the distribution.
PERMISSIVE = {"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "MIT", "PSF-2.0"}
# How distributions name a licence that state no SPDX expression.
OTHER_NAMES = {
    "Apache 2.0": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "Dual License": "Apache-2.0 OR BSD-3-Clause",
    "PSFL": "PSF-2.0",
}


def listed() -> dict[str, str]:
    text = (ROOT / "docs" / "licenses.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([a-z0-9-]+) \| ([^|]+) \|$", text.split("|---|---|")[1], re.MULTILINE)
    return {name: licence.strip() for name, licence in rows}


def locked() -> set[str]:
    text = (ROOT / "requirements" / "deploy.txt").read_text(encoding="utf-8")
    return {canonicalize_name(name) for name in re.findall(r"^([A-Za-z0-9._-]+)==", text, re.MULTILINE)}


def stated(found: Distribution) -> str:
    """The licence in a distribution's metadata, as SPDX names it."""
    metadata = found.metadata
    name = str(metadata["License-Expression"] or metadata["License"]).splitlines()[0]
    return OTHER_NAMES.get(name, name)


def test_every_distribution_is_listed_and_no_other() -> None:
    assert len(locked()) > 20
    assert set(listed()) == locked()


def test_every_licence_is_permissive() -> None:
    for name, licence in listed().items():
        assert set(licence.split(" OR ")) <= PERMISSIVE, name


@pytest.mark.parametrize("name", sorted(listed()))
def test_the_list_says_what_the_distribution_says(name: str) -> None:
    try:
        found = distribution(name)
    except PackageNotFoundError:
        # Locked for another platform or an older Python.
        assert (
            "; " in re.findall(rf"^{name}==(.*)$", (ROOT / "requirements" / "deploy.txt").read_text(), re.MULTILINE)[0]
        )
        return
    assert stated(found) == listed()[name]
