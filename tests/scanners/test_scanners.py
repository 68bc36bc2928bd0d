"""bandit, checkov and parliament report the exceptions in SECURITY.md and nothing else.

cfn-lint has no exceptions: the tests of the templates call it. `make test` names the folder of the scanners in
ALB_SG_SCANNERS.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from alb_sg.deployment.template_files import render_templates
from tests.deploy.templates import DEPLOY, template
from tests.deployment.deployments import ARTIFACT, ROOT, VARIANTS, settings_of, templates_of
from tests.scanners.policies import policies
from tests.tools import HANGING, scanner

pytestmark = pytest.mark.slow

# The programs, not their tests: bandit takes each assertion for a mistake.
SOURCES = ("alb_sg", "demo", "embedded_aws", "rules")
HEADING = "## Exceptions of the scanners"


class Report(NamedTuple):
    """What a scanner reports, and where: a file, a template, or the actions of a policy."""

    check: str
    where: str


@cache
def exceptions() -> dict[str, dict[Report, str]]:
    """The reason of each exception in SECURITY.md, by scanner. One row may name several checks and several places."""
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8").split(HEADING, 1)[1].split("\n## ", 1)[0]
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in text.splitlines() if line[:2] == "| "]
    found: dict[str, dict[Report, str]] = {}
    for tool, checks, places, reason in rows[1:]:
        for check in re.findall(r"`([^`]+)`", checks):
            for place in re.findall(r"`([^`]+)`", places):
                found.setdefault(tool, {})[Report(check, place)] = reason
    return found


def run(name: str, *arguments: str | Path, **environment: str) -> str:
    """A scanner's output. Its exit code only says whether it reports something; an error leaves no report."""
    command = [scanner(name), *map(str, arguments)]
    done = subprocess.run(  # noqa: S603 (the environment of the scanners)
        command, cwd=ROOT, capture_output=True, text=True, timeout=HANGING, check=False, env=os.environ | environment
    )
    assert done.returncode in {0, 1}, done.stderr
    return done.stdout


def test_every_exception_has_a_reason() -> None:
    assert set(exceptions()) == {"bandit", "checkov", "parliament"}
    for reports in exceptions().values():
        for report, reason in reports.items():
            assert len(reason) > 20, report


def test_bandit_reports_the_exceptions_alone() -> None:
    answer = json.loads(run("bandit", "--quiet", "--recursive", "--format", "json", "--ignore-nosec", *SOURCES))
    assert answer["errors"] == []
    assert answer["metrics"]["_totals"]["loc"] > 10_000
    assert {Report(one["test_id"], one["filename"]) for one in answer["results"]} == set(exceptions()["bandit"])


def test_checkov_reports_the_exceptions_alone(tmp_path: Path) -> None:
    """Its exceptions in hand-written templates stand beside the resource, as checkov reads them."""
    for variant, content in VARIANTS.items():
        (tmp_path / variant).mkdir()
        for name, text in render_templates(settings_of(content, tmp_path / variant), ARTIFACT).items():
            (tmp_path / variant / name).write_text(text, encoding="utf-8")
    (tmp_path / "deploy").mkdir()
    for path in DEPLOY.glob("*.yaml"):
        (tmp_path / "deploy" / path.name).write_bytes(path.read_bytes())
    arguments = ("--framework", "cloudformation", "--directory", tmp_path, "--compact", "--quiet", "--output", "json")
    answer: dict[str, Any] = json.loads(run("checkov", *arguments, "--skip-download", LOG_LEVEL="ERROR"))
    assert answer["summary"]["parsing_errors"] == 0
    assert answer["summary"]["passed"] > 500
    reported = {
        Report(one["check_id"], Path(one["file_path"]).name.replace(".me-central-1", ""))
        for one in answer["results"]["failed_checks"]
    }
    assert reported == set(exceptions()["checkov"])


def test_parliament_reports_the_exceptions_alone(tmp_path: Path) -> None:
    """`RESOURCE_STAR` is a wildcard where IAM knows a type of resource for the action."""
    made = {path.name: template(path.name) for path in DEPLOY.glob("*.yaml")}
    for variant, content in VARIANTS.items():
        (settings := tmp_path / "settings").mkdir(exist_ok=True)
        made |= {f"{variant}-{name}": content for name, content in templates_of(content, settings).items()}
    (folder := tmp_path / "policies").mkdir()
    for name, content in made.items():
        for of, document in policies(content):
            (folder / f"{name}.{of}.json").write_text(json.dumps(document), encoding="utf-8")
    assert len(list(folder.iterdir())) > 40
    lines = run("parliament", "--directory", folder, "--json").splitlines()
    found = [json.loads(line) for line in lines]
    reported = {Report(one["issue"], action) for one in found for action in _actions(one)}
    assert sorted(reported) == sorted(exceptions()["parliament"])


def _actions(finding: dict[str, Any]) -> list[str]:
    """The actions that a finding is about; the whole finding where it names none."""
    detail = finding["detail"]
    if isinstance(detail, list) and detail:
        return [one["action"] if isinstance(one, dict) else str(one) for one in detail]
    return [json.dumps(finding)]
