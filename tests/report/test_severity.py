"""One severity of a rule, wherever it is shown; `rdk-config.json` overrides it everywhere."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.builders import HEALTH, ICMP, INGRESS
from tests.command_line.calling import Command, closed
from tests.report.formats import AS_OF

OWN = {INGRESS: "HIGH", HEALTH: "MEDIUM", ICMP: "LOW"}
GIVEN = {INGRESS: "LOW", HEALTH: "HIGH", ICMP: "CRITICAL"}
SECURITY_SEVERITIES = {"CRITICAL": "9.5", "HIGH": "8.0", "MEDIUM": "5.5", "LOW": "3.0"}


@pytest.fixture
def command(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.chdir(tmp_path)
    return Command(tmp_path, capsys)


def _settings(severities: dict[str, Any]) -> Any:
    return {"ruleSets": ["alb-sg"], "rules": {rule: {"severity": text} for rule, text in severities.items()}}


def _shown(command: Command, *options: str) -> dict[str, dict[str, str]]:
    """The severity of each rule by surface."""

    def answer(name: str) -> str:
        return command.on(closed(), "check", "--format", name, "--as-of", AS_OF.isoformat(), *options).out

    text = {rule: severity for severity, rule in re.findall(r"NON_COMPLIANT  (\w+) .*  (ALB_SG_\w+)  ", answer("text"))}
    [run] = json.loads(answer("sarif"))["runs"]
    sarif = {rule["id"]: rule["properties"]["security-severity"] for rule in run["tool"]["driver"]["rules"]}
    names = {number: name for name, number in SECURITY_SEVERITIES.items()}
    asff = {
        one["GeneratorId"].removeprefix("alb-sg/"): one["FindingProviderFields"]["Severity"]["Label"]
        for one in json.loads(answer("asff"))["Findings"]
    }
    events = [json.loads(line) for line in answer("ocsf").splitlines()]
    page = command.folder / "page.html"
    command.on(closed(), "dashboard", "--output", str(page), "--as-of", AS_OF.isoformat(), *options)
    rules = json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))["rules"]
    rows = re.findall(
        r'non-compliant</span><span class="aside">(\w+)</span>.*?<td class="text">', page.read_text("utf-8")
    )
    assert sorted(rows) == sorted(rule["severityLabel"] for rule in rules)
    surfaces = {
        "text": text,
        "sarif": {rule: names[number] for rule, number in sarif.items()},
        "asff": asff,
        "ocsf": {event["compliance"]["control"]: event["severity"].upper() for event in events},
        "page": {rule["name"]: rule["severityLabel"] for rule in rules},
    }
    return {surface: {rule: html.unescape(of[rule]) for rule in OWN} for surface, of in surfaces.items()}


def test_every_surface_shows_the_rules_own(command: Command) -> None:
    assert set(map(str, _shown(command).values())) == {str(OWN)}


def test_the_settings_override_it_everywhere(command: Command) -> None:
    path = command.file(_settings(GIVEN), "ours.json")
    assert set(map(str, _shown(command, "--settings", path).values())) == {str(GIVEN)}
    # The next call in this process starts from the rules' own.
    assert set(map(str, _shown(command).values())) == {str(OWN)}


def test_settings_of_the_current_folder_count_by_themselves(command: Command) -> None:
    command.file(_settings(GIVEN), "rdk-config.json")
    assert set(map(str, _shown(command).values())) == {str(GIVEN)}


def test_the_worst_comes_first_by_the_overridden_severity(command: Command) -> None:
    path = command.file(_settings(GIVEN), "ours.json")
    out = command.on(closed(), "check", "--settings", path).out
    assert out.index(ICMP) < out.index(HEALTH) < out.index(INGRESS)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            _settings({ICMP: "high"}),
            f"ours.json.rules.{ICMP}.severity: 'high' is not one of CRITICAL, HIGH",
        ),
        ([], "ours.json: is not an object"),
        ({"rules": []}, "ours.json.rules: is not an object"),
    ],
)
def test_settings_that_cannot_be_read_are_refused(command: Command, content: Any, said: str) -> None:
    path = command.file(content, "ours.json")
    assert said in command.refused("check", "--estate", command.file(closed()), "--settings", path)


def test_missing_settings_are_refused(command: Command) -> None:
    said = command.refused("check", "--estate", command.file(closed()), "--settings", "nowhere.json")
    assert "nowhere.json: cannot be read" in said
