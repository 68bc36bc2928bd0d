"""A release: everything that a version ships, with checksums that hold and an SBOM that is valid."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

import alb_sg
from alb_sg.deployment.__main__ import main
from alb_sg.deployment.release import released_on
from alb_sg.errors import InvalidInputError
from tests.deployment.deployments import ROOT, RULES

VERSION = alb_sg.__version__
ZIP, LAYER = f"alb-sg-{VERSION}.zip", f"alb-sg-layer-{VERSION}.zip"
WHEEL, SBOM = f"alb_sg-{VERSION}-py3-none-any.whl", f"alb-sg-{VERSION}.cdx.json"


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("one"))


def make(folder: Path) -> Path:
    arguments = ["--rules", str(RULES), "--config", str(ROOT / "rdk-config.json"), "--output", str(folder)]
    assert main(["release", *arguments]) == 0
    return folder / VERSION


@pytest.mark.slow
def test_everything_that_a_version_ships(release: Path) -> None:
    names = {path.relative_to(release).as_posix() for path in release.rglob("*") if path.is_file()}
    assert {ZIP, LAYER, WHEEL, SBOM, "SHA256SUMS", "terraform.json", "terraform/account/main.tf"} <= names
    assert {"central.yaml", "member.yaml", "documents.yaml", "stack.yaml", "dashboard.yaml", "sweep.yaml"} <= names
    assert "remediation/AlbSg-Undo.yaml" in names


@pytest.mark.slow
def test_every_file_has_its_checksum(release: Path) -> None:
    lines = (release / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    said = {name: digest for digest, name in (line.split("  ") for line in lines)}
    files = {path.relative_to(release).as_posix(): path for path in release.rglob("*") if path.is_file()}
    assert said == {
        name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items() if name != "SHA256SUMS"
    }


@pytest.mark.slow
def test_a_second_release_is_the_same_and_leaves_nothing_of_the_first(release: Path, tmp_path: Path) -> None:
    left = tmp_path / VERSION / "alb-sg-old.zip"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"from an earlier try")
    # A wheel records the modes of files, which depend on the user's umask.
    before = os.umask(0o077)
    try:
        again = make(tmp_path)
    finally:
        os.umask(before)
    assert not left.exists()
    assert (again / "SHA256SUMS").read_text(encoding="utf-8") == (release / "SHA256SUMS").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def bom(release: Path) -> dict[str, Any]:
    text = (release / SBOM).read_text(encoding="utf-8")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    found: dict[str, Any] = json.loads(text)
    return found


@pytest.mark.slow
def test_the_sbom_names_files_and_their_contents(release: Path, bom: dict[str, Any]) -> None:
    assert bom["metadata"]["component"]["version"] == VERSION
    components = {component["name"]: component for component in bom["components"]}
    for name in (ZIP, LAYER, WHEEL):
        [digest] = components[name]["hashes"]
        assert digest["content"] == hashlib.sha256((release / name).read_bytes()).hexdigest()
    names = {component["bom-ref"]: component["name"] for component in bom["components"]}
    inside = {
        one["ref"]: {names[ref] for ref in one.get("dependsOn", [])}
        for one in bom["dependencies"]
        if one["ref"] in names
    }
    assert inside[ZIP] == inside[LAYER] == {"rdklib", "botocore", "pyyaml"}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    required = {re.split(r"[^A-Za-z0-9_.-]", text)[0] for text in project["dependencies"]}
    assert inside[WHEEL] == required
    # What boto3 requires in turn is there too, and nothing of the tests.
    assert {"s3transfer", "jmespath", "urllib3"} <= set(components)
    assert not {"pytest", "moto", "cfn-lint"} & set(components)
    assert all(component["purl"].startswith("pkg:pypi/") for component in components.values() if "purl" in component)


@pytest.mark.slow
@pytest.mark.parametrize("command", ["build", "pack", "release"])
def test_a_folder_that_cannot_be_written_is_named(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    occupied = tmp_path / "dist"
    occupied.write_text("a file", encoding="utf-8")
    assert main([command, "--rules", str(RULES), "--output", str(occupied)]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"{occupied}")
    assert re.search(r"exists|[Nn]ot a directory", said)
    assert said.endswith("; the output is incomplete\n")


@pytest.mark.parametrize("command", ["upload", "deploy-stack", "replay"])
def test_absent_credentials_are_said_with_what_to_do(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/nonexistent")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    assert main([command, "--rules", str(RULES), "--config", str(ROOT / "rdk-config.json")]) == 1
    assert capsys.readouterr().err == (
        "no usable AWS credentials (Unable to locate credentials); sign in, or name a profile in AWS_PROFILE\n"
    )


def test_the_version_is_defined_once() -> None:
    """`pyproject.toml` takes it from the package; the change log's first heading is about it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "version" in project["project"]["dynamic"]
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "alb_sg.__version__"}
    released_on(ROOT)
    files = [*(ROOT / "alb_sg").rglob("*.py"), *ROOT.glob("*.toml"), ROOT / "Makefile", *(ROOT / "deploy").rglob("*.*")]
    assert [str(path) for path in files if path.is_file() and f'"{VERSION}"' in path.read_text(encoding="utf-8")] == [
        str(ROOT / "alb_sg" / "__init__.py")
    ]


def test_the_date_of_a_release(tmp_path: Path) -> None:
    (tmp_path / "CHANGELOG.md").write_text(f"# Changes\n\n## {VERSION} (2027-01-31)\n", encoding="utf-8")
    assert released_on(tmp_path) == datetime(2027, 1, 31, tzinfo=UTC)
    (tmp_path / "CHANGELOG.md").write_text(f"# Changes\n\n## {VERSION} (unreleased)\n", encoding="utf-8")
    assert released_on(tmp_path) is None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("# Changes\n", "its first heading is about no version, but alb_sg/__init__.py says"),
        ("## 99.0.0 (unreleased)\n", "its first heading is about 99.0.0, but alb_sg/__init__.py says"),
        (f"## {VERSION} (soon)\n", "'soon' is neither unreleased nor a date such as 2027-01-31"),
        (None, "cannot be read: No such file or directory; run release in a checkout"),
    ],
)
def test_a_change_log_that_is_about_something_else(text: str | None, sentence: str, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "CHANGELOG.md").write_text(text, encoding="utf-8")
    with pytest.raises(InvalidInputError, match=re.escape(sentence)):
        released_on(tmp_path)


def test_changes_stand_under_their_kind() -> None:
    """Added, Changed and Fixed, in this order, since the kinds were introduced."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    [_, newest, *_] = re.split(r"^## ", text, flags=re.MULTILINE)
    kinds = re.findall(r"^### (.+)$", newest, re.MULTILINE)
    assert kinds == [kind for kind in ("Added", "Changed", "Fixed") if kind in kinds]
    entries = newest.split("### ", 1)
    assert len(entries) == 2
    assert "\n- " not in entries[0]
