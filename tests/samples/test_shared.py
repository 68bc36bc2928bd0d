"""Where the public samples are looked for, and when their absence is an error."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.samples.shared import NoSamplesError, find_samples

ROOT = Path(__file__).parents[2]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone with nothing beside it."""
    folder = tmp_path / "projects" / "team" / "clone"
    (folder / "tests" / "samples").mkdir(parents=True)
    return folder


def file_of_tests(clone: Path) -> Path:
    return clone / "tests" / "samples" / "shared.py"


@pytest.mark.parametrize("level", [1, 2, 3])
def test_samples_beside_the_repository(clone: Path, level: int) -> None:
    """Beside a clone, or beside the repository of a work tree."""
    folder = clone.parents[level - 1] / "shared" / "samples" / "iac"
    folder.mkdir(parents=True)
    assert find_samples({"CI": "true"}, file_of_tests(clone)) == folder


@pytest.mark.parametrize(("environment", "is_accepted"), [({}, True), ({"CI": "false"}, True), ({"CI": "true"}, False)])
def test_samples_that_are_not_there(clone: Path, environment: dict[str, str], is_accepted: bool) -> None:
    with pytest.raises(NoSamplesError, match="ALB_SG_SAMPLES=absent") as refused:
        find_samples(environment, file_of_tests(clone))
    assert refused.value.is_accepted is is_accepted


def test_samples_that_somebody_says_are_absent(clone: Path) -> None:
    (clone.parent / "shared" / "samples" / "iac").mkdir(parents=True)
    with pytest.raises(NoSamplesError, match="no public plan or template is tested") as refused:
        find_samples({"CI": "true", "ALB_SG_SAMPLES": "absent"}, file_of_tests(clone))
    assert refused.value.is_accepted


def test_samples_in_another_folder(clone: Path, tmp_path: Path) -> None:
    assert find_samples({"ALB_SG_SAMPLES": str(tmp_path)}, file_of_tests(clone)) == tmp_path
    # A folder that somebody names has to be there.
    with pytest.raises(NoSamplesError, match="nowhere is no folder") as refused:
        find_samples({"ALB_SG_SAMPLES": str(tmp_path / "nowhere")}, file_of_tests(clone))
    assert not refused.value.is_accepted


def run_in_ci(clone: Path, **environment: str) -> tuple[str, list[str]]:
    """What `.ci/run` prints, and the value of ALB_SG_SAMPLES for each target that it makes."""
    (clone / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", clone / ".ci" / "run")
    made, tools = clone / "made.txt", clone / "tools"
    tools.mkdir()
    (tools / "make").write_text(f'#!/bin/sh\necho "$1 ${{ALB_SG_SAMPLES-unset}}" >> {made}\n')
    (tools / "make").chmod(0o755)
    given = {name: value for name, value in os.environ.items() if name != "ALB_SG_SAMPLES"}
    path = f"{tools}{os.pathsep}{given['PATH']}"
    done = subprocess.run(  # noqa: S603 (the script of this checkout)
        ["bash", str(clone / ".ci" / "run")],  # noqa: S607 (the shell of the machine)
        env={**given, **environment, "PATH": path},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout, made.read_text().splitlines()


def test_a_run_in_ci_without_samples_says_so(clone: Path) -> None:
    said, made = run_in_ci(clone)
    assert said == "shared/samples/iac is not beside this clone: the tests on public plans and templates are skipped.\n"
    assert made == ["setup-browser absent", "test absent"]


def test_a_run_in_ci_with_samples(clone: Path) -> None:
    (clone.parent / "shared" / "samples" / "iac").mkdir(parents=True)
    assert run_in_ci(clone) == ("", ["setup-browser unset", "test unset"])


def test_a_run_in_ci_with_samples_elsewhere(clone: Path, tmp_path: Path) -> None:
    assert run_in_ci(clone, ALB_SG_SAMPLES=str(tmp_path)) == ("", [f"setup-browser {tmp_path}", f"test {tmp_path}"])
