"""Options from the environment, a configuration file and the deployment's settings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.builders import ICMP, INGRESS, icmp, tcp
from tests.command_line.calling import Command, closed, in_order

ANYWHERE_INSIDE = "10.0.0.0/8"


@pytest.fixture
def command(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.chdir(tmp_path)
    return Command(tmp_path, capsys)


def rules(command: Command, *arguments: str) -> set[str]:
    return {one["rule"] for one in command.on(closed(), "check", "-f", "json", *arguments).json["findings"]}


def test_a_file_fills_in_missing_options(command: Command, tmp_path: Path) -> None:
    (tmp_path / "alb-sg.toml").write_text(f'rule = ["{ICMP}"]\n[check]\nfail-on = "high"\n')
    assert rules(command) == {ICMP}
    assert command.on(closed(), "check").code == 0
    assert command.on(closed(), "check", "--fail-on", "any").code == 1
    # The command line replaces a list, and does not add to it.
    assert rules(command, "--rule", INGRESS) == {INGRESS}


def test_the_table_of_pyproject_is_read_without_a_file_of_its_own(command: Command, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(f'[tool.alb-sg]\nrule = "{ICMP}"\n')
    assert rules(command) == {ICMP}
    (tmp_path / "alb-sg.toml").write_text(f'rule = "{INGRESS}"\n')
    assert rules(command) == {INGRESS}


def test_the_environment_wins_over_the_file(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "alb-sg.toml").write_text(f'rule = "{ICMP}"\n')
    monkeypatch.setenv("ALB_SG_RULE", f"{INGRESS} {ICMP}")
    assert rules(command) == {INGRESS, ICMP}
    monkeypatch.setenv("ALB_SG_QUIET", "true")
    assert command.on(closed(), "check").out == ""


def test_a_region_of_the_file_is_for_live_accounts(command: Command, tmp_path: Path) -> None:
    (tmp_path / "alb-sg.toml").write_text('region = ["eu-west-1"]\naggregator = "organization"\n')
    assert command.on(in_order(), "check").code == 0


@pytest.mark.slow
@pytest.mark.parametrize("source", [("--aggregator", "organization"), ("--config-items", "absent.json")])
def test_another_source_leaves_out_the_role_of_the_file(
    command: Command, tmp_path: Path, source: tuple[str, ...]
) -> None:
    (tmp_path / "alb-sg.toml").write_text('assume-role = "reader"\nexternal-id = "abc"\n[check]\nresume = "run"\n')
    answer = command("check", *source, "--verbose")
    assert "assume-role" not in answer.err
    assert "--resume" not in answer.err
    assert "--assume-role reader is of every account" in command.refused("check")


def test_verbose_says_where_options_come_from(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "alb-sg.toml").write_text(f'rule = "{ICMP}"\n')
    monkeypatch.setenv("ALB_SG_FAIL_ON", "never")
    answer = command.on(closed(), "check", "-v")
    assert answer.err.splitlines() == [
        "alb-sg: --fail-on=never from ALB_SG_FAIL_ON",
        f"alb-sg: --rule={ICMP} from alb-sg.toml",
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("rule =", "alb-sg.toml: is not TOML"),
        ("# Å", "alb-sg.toml: is not UTF-8 text (byte 3); save it as UTF-8"),
        ('rules = "x"', "did you mean 'rule'?"),
        ('[chek]\nrule = "x"', "there is no command 'chek'; did you mean 'check'?"),
        ('[check]\nformats = "csv"', "alb-sg.toml: [check]: alb-sg check takes no 'formats' from a file; did you mean"),
        ("[check]\nall = 3", "--all is either true or false"),
        ('[check]\nfail-on = ["any", "high"]', "--fail-on takes one value"),
        ("rule = 1.5", "rule is text, a whole number, true or false"),
    ],
)
def test_a_wrong_file_is_refused(command: Command, tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "alb-sg.toml").write_text(content, encoding="latin-1")
    assert said in command.refused("check", "--estate", command.file(closed()))
    assert command("check", "--help").code == 0


def test_no_file_changes_an_account(command: Command, tmp_path: Path) -> None:
    (tmp_path / "alb-sg.toml").write_text("[fix]\napply = true\n")
    assert "alb-sg fix takes no 'apply' from a file" in command.refused("fix", "web")


def test_the_parameters_of_the_deployed_rules_count(command: Command, tmp_path: Path) -> None:
    """A laptop and a function judge alike."""
    saved = in_order()
    saved["SecurityGroups"][0]["IpPermissions"] = [tcp(443, ANYWHERE_INSIDE), icmp(3, 4, ANYWHERE_INSIDE)]

    def failed(*options: str) -> set[str]:
        found = command.on(saved, "check", "-f", "json", *options).json["findings"]
        return {one["rule"] for one in found if one["compliance"] == "NON_COMPLIANT"}

    assert failed() == {INGRESS, ICMP}
    own = {"rules": {INGRESS: {"parameters": {"AcceptedSources": ANYWHERE_INSIDE}}}}
    (tmp_path / "rdk-config.json").write_text(json.dumps(own))
    assert failed() == {ICMP}
    assert failed("--rule", ICMP) == {ICMP}
    # The command line replaces it.
    assert failed("--parameter", f"{INGRESS}:AcceptedSources=192.0.2.0/24") == {INGRESS, ICMP}
    shared = {"parameters": {"AcceptedSources": ANYWHERE_INSIDE, "Exemptions": "s3://bucket/key", "Source": "config"}}
    (tmp_path / "rdk-config.json").write_text(json.dumps(shared))
    assert failed() == set()
    said = command.on(saved, "check", "-v", "--rule", ICMP).err
    assert said == f"alb-sg: --parameter={ICMP}:AcceptedSources={ANYWHERE_INSIDE} from rdk-config.json\n"


def test_an_unknown_rule_is_not_blamed_on_the_settings(command: Command, tmp_path: Path) -> None:
    (tmp_path / "rdk-config.json").write_text(json.dumps({"parameters": {"TagKey": "clients"}}))
    said = command.refused("check", "--estate", "estate.json", "--rule", "icmp")
    assert said.startswith("alb-sg: unknown rule 'icmp'")


def test_json_has_what_applied_and_where_it_comes_from(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "alb-sg.toml").write_text('[check]\nfail-on = "never"\n')
    settings = {
        "parameters": {"TargetMatch": "effective"},
        "rules": {ICMP: {"severity": "HIGH", "parameters": {"AcceptedSources": ANYWHERE_INSIDE}}},
    }
    (tmp_path / "rdk-config.json").write_text(json.dumps(settings))
    monkeypatch.setenv("ALB_SG_RULE", ICMP)
    path = command.file(closed())
    words = ("--estate", path, "--severity", "High", "--output", "findings.json", "--format", "json")
    assert command("check", *words).code == 0
    document = json.loads((tmp_path / "findings.json").read_text())
    assert document["version"] == 1
    assert document["configuration"] == [
        {"option": "--estate", "values": [path], "from": "command line"},
        {"option": "--fail-on", "values": ["never"], "from": "alb-sg.toml"},
        {"option": "--parameter", "values": [f"{ICMP}:AcceptedSources={ANYWHERE_INSIDE}"], "from": "rdk-config.json"},
        {"option": "--rule", "values": [ICMP], "from": "ALB_SG_RULE"},
        {"option": "--severity", "values": ["high"], "from": "command line"},
        {"option": "severity", "values": [f"{ICMP}=HIGH"], "from": "rdk-config.json"},
    ]
    answer = command("check", *words, "--verbose")
    assert f"alb-sg: severity={ICMP}=HIGH from rdk-config.json\n" in answer.err


@pytest.mark.parametrize("words", [("explain", "web"), ("fix", "web"), ("what-if", "web", "--add-listener", "8443")])
def test_other_json_has_it_as_well(command: Command, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]) -> None:
    monkeypatch.setenv("ALB_SG_RULE", INGRESS)
    answer = command(*words, "--estate", command.file(in_order()), "--format", "json")
    assert {"option": "--rule", "values": [INGRESS], "from": "ALB_SG_RULE"} in answer.json["configuration"]


def test_the_audit_of_a_page_has_it(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALB_SG_RULE", INGRESS)
    assert command.on(in_order(), "dashboard", "--output", str(tmp_path / "page.html")).code == 0
    audit = json.loads((tmp_path / "page.json").read_text())["audit"]
    assert {"option": "--rule", "values": [INGRESS], "from": "ALB_SG_RULE"} in audit["configuration"]


def test_no_secret_of_a_template_is_written(command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A parameter with NoEcho holds one."""
    template = tmp_path / "t.json"
    template.write_text('{"Parameters": {"Password": {"Type": "String", "NoEcho": true}}, "Resources": {}}')
    monkeypatch.setenv("ALB_SG_TEMPLATE_PARAMETER", "Password=hunter2")
    answer = command("check", "--template", str(template), "--format", "json", "--verbose")
    assert "hunter2" not in answer.out + answer.err
    assert "alb-sg: --template-parameter=… from ALB_SG_TEMPLATE_PARAMETER\n" in answer.err
