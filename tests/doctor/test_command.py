"""`alb-sg doctor` as a user runs it."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from alb_sg.aws.account_region import AccountRegion
from alb_sg.command_line.sources import live
from alb_sg.doctor.reader import ACCOUNT_ACTIONS, ORGANIZATION_ACTIONS
from tests.builders import ACCOUNT, REGION, RULES
from tests.command_line.calling import Command
from tests.doctor.answers import Answers, Failure, evaluation_status, healthy, verdict
from tests.doctor.test_account import checked

PAGE = Path(__file__).parents[2] / "docs" / "doctor.md"


@pytest.fixture
def command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(tmp_path, capsys)


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Answers:
    found = healthy()
    # The command reads the clock.
    now = datetime.now(UTC)
    found["config", "DescribeConfigRuleEvaluationStatus"] = {
        "ConfigRulesEvaluationStatus": [evaluation_status(rule, LastSuccessfulInvocationTime=now) for rule in RULES]
    }
    found["config", "GetComplianceDetailsByConfigRule"] = {"EvaluationResults": [verdict(now)]}
    monkeypatch.setattr(live, "open_regions", lambda *_: [(AccountRegion(ACCOUNT, REGION), found.make_client)])
    return found


def test_problems_set_the_exit_code_and_come_with_advice(answers: Answers, command: Command) -> None:
    answers["config", "DescribeConfigRules"] = {"ConfigRules": []}
    answer = command("doctor")
    assert answer.code == 1
    assert "PROBLEM   111122223333 us-east-1: no rule of alb-sg is deployed\n" in answer.out
    assert "to do: deploy the rules or the conformance pack\n" in answer.out
    assert "rules  A rule that is not deployed judges nothing.\n" in answer.out
    assert re.search(r"\n\d+ results: 1 problem, 0 not read, 0 notices\.\n$", answer.out)


def test_unread_data_sets_the_exit_code(answers: Answers, command: Command) -> None:
    answers["config", "DescribeConfigRuleEvaluationStatus"] = Failure("AccessDeniedException", "not allowed")
    answer = command("doctor", "--format", "json")
    assert answer.code == 1
    assert answer.json["summary"] == {"problem": 0, "unread": 1, "notice": 0, "ok": len(answer.json["results"]) - 1}
    unread = [result for result in answer.json["results"] if result["status"] == "unread"]
    assert unread[0] == {
        "check": "last evaluation",
        "place": f"{ACCOUNT} {REGION}",
        "status": "unread",
        "found": "not read: DescribeConfigRuleEvaluationStatus: AccessDeniedException: not allowed",
        "why": "A rule that fails keeps its old verdicts, which may be wrong by now.",
        "action": "repeat it, or allow the call to these credentials; docs/doctor.md has the policy",
    }


def test_json_escapes_what_a_terminal_would_obey(answers: Answers, command: Command) -> None:
    answers["config", "DescribeConfigRuleEvaluationStatus"] = Failure("AccessDeniedException", "not \u202eallowed")
    answer = command("doctor", "--format", "json")
    assert "AccessDeniedException: not \\u202eallowed" in answer.out
    assert any(result["found"].endswith("not \u202eallowed") for result in answer.json["results"])


def test_a_working_deployment_ends_with_0(answers: Answers, command: Command) -> None:
    assert answers.calls == []
    answer = command("doctor")
    assert (answer.code, answer.err) == (0, "")
    assert re.search(r"\n\d+ results: 0 problems, 0 not read, 0 notices\.\n$", answer.out)


def test_a_notice_alone_ends_with_0(answers: Answers, command: Command) -> None:
    recorder = {
        "name": "default",
        "recordingGroup": {"allSupported": True},
        "recordingMode": {"recordingFrequency": "DAILY"},
    }
    answers["config", "DescribeConfigurationRecorders"] = {"ConfigurationRecorders": [recorder]}
    answer = command("doctor", "--format", "json")
    assert answer.code == 0
    assert answer.json["summary"] | {"ok": 0} == {"problem": 0, "unread": 0, "notice": 1, "ok": 0}


def test_options_that_do_not_go_together_are_refused(command: Command) -> None:
    assert "add --aggregator NAME" in command.refused("doctor", "--stack-set", "roles")
    regions = ("--region", "us-east-1", "--region", "eu-west-1")
    assert "--region once" in command.refused("doctor", "--aggregator", "alb-sg", *regions)


def policies(text: str) -> list[Any]:
    return [json.loads(block) for block in re.findall(r"```json\n(.*?)```", text, re.DOTALL)]


def test_the_page_has_the_policies_that_the_checks_need() -> None:
    account, organization = policies(PAGE.read_text(encoding="utf-8"))
    for policy, actions in ((account, ACCOUNT_ACTIONS), (organization, ORGANIZATION_ACTIONS)):
        [statement] = policy["Statement"]
        assert statement["Effect"] == "Allow"
        assert statement["Action"] == sorted(actions)


def test_the_page_names_every_check() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert [result.check for result in checked(healthy()) if f"| {result.check} |" not in page] == []
