"""What is in requirements/ is what pyproject.toml asks for, in one version everywhere, with the hashes of its files."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "requirements"
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS: dict[str, list[str]] = PROJECT["project"]["optional-dependencies"]
GROUPS: dict[str, list[str]] = PROJECT["dependency-groups"]
# alb-sg is installed beside these; the other environments are other projects' own.
OF_ALB_SG = {"demo": ("demo",), "deploy": ("deploy",), "dev": ("dev", "demo", "deploy"), "rdk": ("demo",)}
# What is never in the demo's environment: hundreds of megabytes that only tests need.
OF_TESTS_ALONE = {"aws-cdk-lib", "cdklabs-cdk-ssm-documents", "cfn-lint", "duckdb", "jsii", "mypy", "playwright"}


@cache
def locked(name: str) -> tuple[tuple[Requirement, tuple[str, ...]], ...]:
    """Each requirement with its hashes; a line that is anything else is an error."""
    text = (FOLDER / f"{name}.txt").read_text(encoding="utf-8").replace("\\\n", "")
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    found = []
    for line in lines:
        said, *hashes = line.split("--hash=")
        found.append((Requirement(said), tuple(one.strip() for one in hashes)))
    return tuple(found)


def versions(name: str) -> set[str]:
    """Such as `moto==5.2.5`, whatever the condition."""
    return {f"{canonicalize_name(requirement.name)}{requirement.specifier}" for requirement, _ in locked(name)}


def names(name: str) -> set[str]:
    return {canonicalize_name(requirement.name) for requirement, _ in locked(name)}


def asked(name: str) -> Iterator[Requirement]:
    """What pyproject.toml asks for in an environment."""
    texts = [*GROUPS.get(name, ())]
    if name in OF_ALB_SG:
        texts += [*PROJECT["project"]["dependencies"], *GROUPS["build"]]
        texts += [text for extra in OF_ALB_SG[name] for text in EXTRAS[extra]]
    yield from (found for found in map(Requirement, texts) if found.name != "alb-sg")


@pytest.fixture(params=sorted(path.stem for path in FOLDER.iterdir()))
def lock(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


def test_every_version_is_exact_and_every_file_is_known_by_its_hash(lock: str) -> None:
    assert locked(lock)
    for requirement, hashes in locked(lock):
        assert requirement.url is None
        assert [one.operator for one in requirement.specifier] == ["=="], requirement
        assert hashes, requirement
        assert [one for one in hashes if not one.startswith("sha256:")] == []


def test_locks_satisfy_pyproject(lock: str) -> None:
    found: dict[str, set[str]] = {}
    for requirement, _ in locked(lock):
        [version] = requirement.specifier
        found.setdefault(canonicalize_name(requirement.name), set()).add(version.version)
    wanted = list(asked(lock))
    assert wanted
    for one in wanted:
        assert found.get(canonicalize_name(one.name)), f"run make lock: {one} is not in {lock}.txt"
        assert all(one.specifier.contains(version) for version in found[canonicalize_name(one.name)]), one


def test_environments_of_alb_sg_have_the_same_versions() -> None:
    assert versions("demo") <= versions("dev")
    assert versions("deploy") <= versions("dev")
    assert {text for text in versions("rdk") if not text.startswith("rdk==")} <= versions("dev")


def test_the_demo_needs_little() -> None:
    assert names("demo") & OF_TESTS_ALONE == set()
    assert names("dev") > OF_TESTS_ALONE
    assert names("deploy") & (OF_TESTS_ALONE | {"moto"}) == set()


def test_the_wheel_is_built_by_the_locked_setuptools() -> None:
    assert PROJECT["build-system"]["requires"] == GROUPS["build"]
