"""Public plans and templates in `shared/samples/iac` beside the repository, which is no part of it.

ALB_SG_SAMPLES names another folder, or is `absent` where there is none. The tests are then skipped. Elsewhere a missing
folder is an error if CI is `true`: nobody reads there that tests were skipped.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

VARIABLE = "ALB_SG_SAMPLES"
ABSENT = "absent"


class NoSamplesError(Exception):
    """The samples are not there. `is_accepted`: the environment says so, or it is no CI."""

    def __init__(self, message: str, *, is_accepted: bool) -> None:
        super().__init__(message)
        self.is_accepted = is_accepted


def find_samples(environment: Mapping[str, str], test_file: Path) -> Path:
    """The folder with the samples of every language: that of the environment, or the one beside the repository, also
    for a work tree further down. Raises NoSamplesError."""
    given = environment.get(VARIABLE, "")
    if given == ABSENT:
        raise NoSamplesError(f"{VARIABLE} is {ABSENT}: no public plan or template is tested", is_accepted=True)
    for folder in [Path(given)] if given else _folders_beside(test_file):
        if folder.is_dir():
            return folder
    where = given or "shared/samples/iac beside the repository"
    raise NoSamplesError(
        f"{where} is no folder: no public plan or template is tested; name the folder with {VARIABLE}=PATH, or say "
        f"that there is none with {VARIABLE}={ABSENT}",
        is_accepted=not given and environment.get("CI") != "true",
    )


def _folders_beside(test_file: Path) -> Iterator[Path]:
    for parent in test_file.resolve().parents[2:5]:
        yield parent.parent / "shared" / "samples" / "iac"


def shared_samples(language: str) -> Path | None:
    """The folder of a language; None where the samples are absent."""
    try:
        return find_samples(os.environ, Path(__file__)) / language
    except NoSamplesError:
        return None


def require_shared_samples() -> None:
    """Skips the test without samples where that is accepted, and fails it elsewhere."""
    try:
        find_samples(os.environ, Path(__file__))
    except NoSamplesError as error:
        if error.is_accepted:
            pytest.skip(str(error))
        pytest.fail(str(error))
