"""What users of other commands expect: help, suggestions, short options, completion, colors, patterns, names."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from alb_sg.command_line.arguments import HELP_WIDTH
from alb_sg.command_line.main import COMMANDS
from alb_sg.recommendations.catalogue import DISPLAY_ORDER
from tests.builders import ACCOUNT, INGRESS, REGION, estate, load_balancer, load_balancer_arn
from tests.command_line.calling import Command, closed, in_order
from tests.tools import HANGING

OTHER_REGION = "eu-west-1"


def test_without_a_command_there_is_help(command: Command) -> None:
    answer = command()
    assert (answer.code, answer.err) == (0, "")
    assert answer.out == command("--help").out


@pytest.mark.parametrize("columns", ["60", "200"])
@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_help_has_one_width(command: Command, monkeypatch: pytest.MonkeyPatch, name: str, columns: str) -> None:
    """Its examples and tables are laid out for it."""
    words = [name] if name else []
    usual = command(*words, "--help").out
    monkeypatch.setenv("COLUMNS", columns)
    assert command(*words, "--help").out == usual
    assert [line for line in usual.splitlines() if len(line) > HELP_WIDTH] == []


def test_help_is_a_command_too(command: Command) -> None:
    """As with the AWS CLI."""
    assert command("help").out == command("--help").out
    assert command("help", "check").out == command("check", "--help").out
    assert command("-V").out == command("--version").out
    assert "did you mean 'check'?" in command.refused("help", "chekc")


def test_an_option_without_a_command_is_refused_by_its_name(command: Command) -> None:
    assert command.refused("--formt") == "alb-sg: unrecognized arguments: --formt (see alb-sg --help)\n"
    command.refused("--")


def test_it_runs_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "alb_sg", "--version"], capture_output=True, text=True, check=False, timeout=HANGING
    )
    assert (done.returncode, done.stdout.split()[0]) == (0, "alb-sg")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("chekc",), "did you mean 'check'? (see alb-sg --help)"),
        (("check", "--formt", "csv"), "did you mean '--format'? (see alb-sg check --help)"),
        (("check", "--formt=csv"), "did you mean '--format'? (see alb-sg check --help)"),
        # Not every wrong option is near a known one.
        (("explain", "web", "--zzz"), "unrecognized arguments: --zzz (see alb-sg explain --help)"),
        (("check", "--format", "cvs"), "did you mean 'csv'? (see alb-sg check --help)"),
        (("rules", "listener_ingres"), "did you mean 'LISTENER_INGRESS'?"),
        (("check", "--parameter", "AcceptedSource=10.0.0.0/8"), "did you mean 'AcceptedSources'?"),
    ],
)
def test_a_wrong_word_is_refused_with_the_right_one(command: Command, words: tuple[str, ...], said: str) -> None:
    assert command.refused(*words).endswith(f"{said}\n")


def test_a_wrong_load_balancer_is_refused_with_the_right_one(command: Command) -> None:
    path = command.file(closed(load_balancer("storefront")))
    assert command.refused("check", "--load-balancer", "storefrnt", "--estate", path).endswith(
        "did you mean 'storefront'?\n"
    )


def test_options_have_short_forms(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "findings.json"
    assert command.on(closed(), "check", "-f", "json", "-o", str(path)).code == 1
    assert json.loads(path.read_text())["findings"]


def test_rules_as_json(command: Command) -> None:
    document = command("rules", "--format", "json").json
    assert [rule["name"] for rule in document["rules"]] == [rule.name for rule in DISPLAY_ORDER]
    (rule,) = command("rules", INGRESS, "--format", "json").json["rules"]
    assert rule["severity"] == "HIGH"
    assert "AcceptedSources" in [parameter["name"] for parameter in rule["parameters"]]


def test_debug_shows_where_an_error_comes_from(command: Command) -> None:
    answer = command("check", "--estate", "absent.json", "--debug")
    assert answer.code == 2
    assert answer.err.startswith("Traceback (most recent call last):")
    assert answer.err.splitlines()[-1].startswith("alb-sg: absent.json")
    assert "Traceback" not in command("check", "--estate", "absent.json").err


def test_force_color_colors_a_pipe_and_no_color_wins(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[31m" in command.on(closed(), "check").out
    assert "\x1b" not in command.on(closed(), "check", "--format", "json").out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in command.on(closed(), "check").out


@pytest.mark.parametrize("given", ["", "*.json", "**/*.json"])
def test_estates_are_read_from_folders_and_patterns(command: Command, tmp_path: Path, given: str) -> None:
    folder = tmp_path / "estates"
    folder.mkdir()
    for region in (REGION, OTHER_REGION):
        (folder / f"{region}.json").write_text(json.dumps(in_order(region=region)))
    answer = command("check", "--format", "json", "--estate", str(folder / given))
    assert answer.json["summary"]["loadBalancers"] == 2


def test_a_pattern_that_matches_nothing_is_refused(command: Command, tmp_path: Path) -> None:
    pattern = str(tmp_path / "*.json")
    assert command.refused("check", "--estate", pattern) == f"alb-sg: {pattern}: no file matches this pattern\n"


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(command: Command) -> None:
    path = command.file(in_order(), "estate[1].json")
    assert command("check", "--estate", path).code == 0


@pytest.mark.parametrize("words", [("explain", "web"), ("fix", "web")])
def test_a_name_of_several_load_balancers_is_refused(command: Command, words: tuple[str, ...]) -> None:
    here = estate(load_balancer("web", scheme="internal"))
    path = command.file([here, in_order(region=OTHER_REGION)])
    said = command.refused(*words, "--estate", path)
    assert "'web' names 2 load balancers; give the ARN of one" in said
    assert f"{ACCOUNT} {REGION} internal {load_balancer_arn('web')}" in said
    assert f"{ACCOUNT} {OTHER_REGION} internet-facing arn:" in said


def test_the_dashboard_reports_its_files_and_its_failure(command: Command, tmp_path: Path) -> None:
    page = str(tmp_path / "page.html")
    data = str(tmp_path / "page.json")
    runs = str(tmp_path / "runs")
    wrote = f"wrote {page} and {data} with 1 load balancer"
    assert command.on(in_order(), "dashboard", "-o", page).out == f"{wrote}\n"
    answer = command.on(closed(), "dashboard", "-o", page, "--history", runs)
    assert answer.code == 1
    assert answer.out == f"{wrote}, and added the run to {runs}; exit code 1: 1 load balancer not as recommended\n"
    answer = command.on(in_order(uncollected=["TargetGroups"]), "dashboard", "-o", page)
    assert answer.code == 3
    assert answer.out == f"{wrote}; exit code 3: 3 errors, which the page lists\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_takes_its_completion(command: Command, tmp_path: Path, shell: str) -> None:
    answer = command("completion", shell)
    assert answer.code == 0
    assert "alb-sg" in answer.out
    program = shutil.which(shell)
    if program is not None:
        script = tmp_path / "completion"
        script.write_text(answer.out)
        subprocess.run([program, "-n", str(script)], check=True, timeout=HANGING)  # noqa: S603 (found above)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("alb-sg chec", {"check"}),
        ("alb-sg check --exem", {"--exemptions"}),
        ("alb-sg check --format s", {"sarif"}),
        ("alb-sg completion f", {"fish"}),
        ("alb-sg check --rule ALB_SG_H", {"ALB_SG_HEALTH_CHECK_EGRESS"}),
    ],
)
def test_the_command_completes_a_line(tmp_path: Path, line: str, expected: set[str]) -> None:
    answers = tmp_path / "answers"
    environment = {
        **os.environ,
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_IFS": "\n",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(answers),
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
    }
    subprocess.run([sys.executable, "-m", "alb_sg"], env=environment, check=True, timeout=HANGING, capture_output=True)
    assert {word.strip() for word in answers.read_text().splitlines()} == expected
