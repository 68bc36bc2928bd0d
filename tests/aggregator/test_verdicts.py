"""`alb-sg verdicts`, and the aggregator as the dashboard's source."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from alb_sg.command_line.exemption_options import load_given_exemptions
from alb_sg.command_line.main import build_parser
from alb_sg.command_line.sources import live
from alb_sg.command_line.sources.aggregator_evaluations import read_observation
from alb_sg.findings.exemption_review import ExemptionStatus, ExemptionUse
from alb_sg.report.formats import FORMATS
from tests.aggregator.recordings import (
    ACCOUNT_REGION,
    AS_OF,
    EVALUATED,
    OTHER,
    Failure,
    Recording,
    arn,
    config_rule,
    counted,
    evaluation,
    load_balancer,
    source,
    verdicts,
)
from tests.builders import ICMP, INGRESS
from tests.command_line.calling import Command

VERDICTS = ("verdicts", "--aggregator", "alb-sg", "--rule", INGRESS)


@pytest.fixture
def command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(tmp_path, capsys)


@pytest.fixture(autouse=True)
def _aggregator(recording: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command's clients are the recording's."""
    monkeypatch.setattr(live, "open_aggregator_client", lambda *_: recording.config)
    monkeypatch.setattr(live, "open_client", lambda *_: recording.organizations)


def record(recording: Recording) -> None:
    recording.first_step(
        [verdicts("web", {INGRESS: "NON_COMPLIANT"})],
        [load_balancer("web"), load_balancer("api")],
        [counted(ACCOUNT_REGION)],
        [source(ACCOUNT_REGION), source(OTHER)],
    )
    recording.evaluations(INGRESS, [evaluation("web", annotation="HTTPS:443 not open")])


@pytest.mark.parametrize("format_name", FORMATS)
def test_every_format(recording: Recording, command: Command, format_name: str) -> None:
    record(recording)
    answer = command(*VERDICTS, "--format", format_name)
    assert answer.code == 1
    assert "HTTPS:443 not open" in answer.out.replace("&#58;", ":")


@pytest.mark.parametrize(
    ("options", "units", "is_printed"),
    [
        (("--account", ACCOUNT_REGION.account_id), None, True),
        (("--account", OTHER.account_id), None, False),
        (("--name", "w*"), None, True),
        (("--name", "api"), None, False),
        (("--severity", "high"), None, True),
        (("--severity", "low"), None, False),
        (("--unit", "Production"), "Production/Shops", True),
        (("--unit", "Sandbox"), "Production/Shops", False),
    ],
)
def test_narrowing_prints_the_verdicts_that_fit(
    recording: Recording, command: Command, options: tuple[str, ...], units: str | None, *, is_printed: bool
) -> None:
    record(recording)
    if units is not None:
        accounts = {"Accounts": [{"Id": ACCOUNT_REGION.account_id, "Unit": units}]}
        options = (*options, "--accounts", command.file(accounts, "accounts.json"))
    answer = command(*VERDICTS, "--format", "json", *options)
    assert [one["loadBalancerName"] for one in answer.json["findings"]] == ["web"] * is_printed
    assert answer.code == int(is_printed)


def test_verdicts_of_an_account_without_a_known_unit_are_an_error(recording: Recording, command: Command) -> None:
    record(recording)
    accounts = command.file({"Accounts": [{"Id": OTHER.account_id, "Unit": "Sandbox"}]}, "accounts.json")
    answer = command(*VERDICTS, "--format", "json", "--accounts", accounts, "--unit", "Sandbox")
    assert ([error["what"] for error in answer.json["errors"]], answer.json["findings"], answer.code) == (
        [f"unit of account {ACCOUNT_REGION.account_id}"],
        [],
        3,
    )


def test_regions_without_data_are_reported(recording: Recording, command: Command) -> None:
    record(recording)
    said = command(*VERDICTS).err.splitlines()
    assert (
        said[0]
        == f"alb-sg: The aggregator collects from 2 accounts and regions, and has nothing of 1 of them: {OTHER}."
    )
    assert said[1].startswith(f"alb-sg: {INGRESS} has no verdict on 1 of 2 load balancers ({ACCOUNT_REGION}): ")


def test_a_rule_without_verdicts_is_reported(recording: Recording, command: Command) -> None:
    recording.first_step([verdicts("web", {ICMP: "COMPLIANT"})], [load_balancer("web")], [counted(ACCOUNT_REGION)])
    answer = command(*VERDICTS)
    assert answer.code == 0
    assert answer.out == "1 load balancer: 1 without a verdict.\n"
    assert f"{ACCOUNT_REGION} has load balancers and no verdict of {INGRESS}." in answer.err


def test_a_deployed_rule_without_any_verdict_is_an_error(recording: Recording, command: Command) -> None:
    recording.first_step(
        load_balancers=[load_balancer("web")],
        recorded=[counted(ACCOUNT_REGION)],
        config_rules=[config_rule(INGRESS, "INSUFFICIENT_DATA")],
    )
    recording.evaluations(INGRESS, [])
    answer = command(*VERDICTS)
    assert answer.code == 3
    assert f"{INGRESS} has no verdict on any load balancer of {ACCOUNT_REGION}" in " ".join(answer.out.split())


def test_a_recorder_without_compliance_hides_no_verdict(recording: Recording, command: Command) -> None:
    """The query has only what the rule said before the type was excluded."""
    recording.first_step(
        [verdicts("web", {INGRESS: "COMPLIANT"}, captured=EVALUATED - timedelta(days=90))],
        [load_balancer("web")],
        config_rules=[config_rule(INGRESS, "NON_COMPLIANT")],
    )
    recording.evaluations(INGRESS, [evaluation("web", annotation="HTTPS:443 not open")])
    answer = command(*VERDICTS)
    assert answer.code == 1
    assert "HTTPS:443 not open" in answer.out


def test_a_silent_rule_is_no_error_of_an_exempt_load_balancer(recording: Recording, command: Command) -> None:
    recording.first_step(
        load_balancers=[load_balancer("web")], config_rules=[config_rule(INGRESS, "INSUFFICIENT_DATA")]
    )
    recording.evaluations(INGRESS, [])
    answer = command(*exempting(command, exemption("web")), "--format", "json")
    assert (answer.code, answer.json["errors"]) == (0, [])


@pytest.mark.parametrize("format_name", ["text", "markdown"])
def test_load_balancers_without_a_verdict_are_not_as_recommended_for_all_one_knows(
    recording: Recording, command: Command, format_name: str
) -> None:
    recording.first_step(
        load_balancers=[load_balancer("web"), load_balancer("api")], config_rules=[config_rule(INGRESS)]
    )
    recording.evaluations(INGRESS, [evaluation("web", "COMPLIANT", "1 met")])
    answer = command(*VERDICTS, "--format", format_name)
    expected = {
        "text": "2 load balancers: 0 not as recommended; 1 without a verdict; 1 as recommended.",
        "markdown": "No load balancer is known to be otherwise than recommended",
    }
    assert expected[format_name] in answer.out


@dataclass(frozen=True)
class Shown:
    """The top of the page as it is without JavaScript: the sentence, the numbers by key, and the line of coverage."""

    sentence: str
    numbers: dict[str, str]
    coverage: str


def dashboard(recording: Recording, command: Command) -> Shown:
    recording.organization("list_roots", {"Roots": []})
    path = command.folder / "org.html"
    command("dashboard", "--aggregator", "alb-sg", "--rule", INGRESS, "--output", str(path))
    page = path.read_text(encoding="utf-8")
    sentence, coverage = (
        re.search(pattern, page, re.DOTALL)
        for pattern in ('class="sentence">(.*?)</p>', '<details id="coverage">(.*?)</summary>')
    )
    assert sentence is not None
    assert coverage is not None
    numbers = dict(re.findall('data-number="([a-zA-Z]+)">([^<]*)<', page))
    return Shown(re.sub("<.*?>", "", sentence[1]), numbers, coverage[1])


def test_the_dashboard_claims_nothing_of_load_balancers_without_a_verdict(
    recording: Recording, command: Command
) -> None:
    recording.first_step(
        load_balancers=[load_balancer("web"), load_balancer("api")], recorded=[counted(ACCOUNT_REGION)]
    )
    shown = dashboard(recording, command)
    assert "Without a verdict: 2 more." in shown.sentence
    dash = "\N{EN DASH}"
    unknown = {"percent": dash, "nonCompliant": dash, "internetFacing": dash, "unreachable": dash}
    assert unknown.items() <= shown.numbers.items()
    assert 'class="warning"' in shown.coverage
    assert "1 without all 1 rule" in shown.coverage


def test_the_dashboard_claims_nothing_where_nothing_has_data(recording: Recording, command: Command) -> None:
    recording.first_step()
    shown = dashboard(recording, command)
    assert "Nothing could be read." in shown.sentence
    assert shown.numbers["nonCompliant"] == "\N{EN DASH}"
    assert 'class="warning"' in shown.coverage
    assert "no account and region has data" in shown.coverage


def test_the_dashboard_says_of_how_many_its_numbers_are(recording: Recording, command: Command) -> None:
    recording.first_step(
        load_balancers=[load_balancer("web"), load_balancer("api")], config_rules=[config_rule(INGRESS)]
    )
    recording.evaluations(INGRESS, [evaluation("web", "COMPLIANT", "1 met")])
    shown = dashboard(recording, command)
    assert shown.sentence.startswith("100 % of 1 judged load balancer is compliant")
    assert shown.sentence.endswith("Without a verdict: 1 more.")
    assert shown.numbers["nonCompliant"] == "0"


def test_the_dashboard_counts_load_balancers_of_a_silent_rule_as_not_judged(
    recording: Recording, command: Command
) -> None:
    recording.first_step(
        load_balancers=[load_balancer("web"), load_balancer("api")],
        config_rules=[config_rule(INGRESS, "INSUFFICIENT_DATA")],
    )
    recording.evaluations(INGRESS, [])
    shown = dashboard(recording, command)
    assert shown.numbers["notJudged"] == "2"
    assert shown.numbers["nonCompliant"] == "\N{EN DASH}"
    assert shown.numbers["compliant"] == "0"


def test_a_refused_call_is_an_error(recording: Recording, command: Command) -> None:
    recording.first_step([Failure("AccessDeniedException", "not allowed")])
    answer = command(*VERDICTS, "--format", "json")
    assert answer.code == 3
    assert "AccessDeniedException" in answer.json["errors"][0]["cause"]


def test_there_is_no_such_aggregator(recording: Recording, command: Command) -> None:
    missing = Failure("NoSuchConfigurationAggregatorException", "not there")
    recording.first_step([missing], [missing], missing, missing)
    assert "no aggregator 'alb-sg'" in command.refused(*VERDICTS)


def test_help_tells_the_two_commands_with_an_aggregator_apart(command: Command) -> None:
    answer = command("verdicts", "--help")
    assert "This command judges nothing" in answer.out
    assert "alb-sg check --aggregator NAME" in answer.out


def test_an_aggregator_is_required(command: Command) -> None:
    assert "--aggregator" in command.refused("verdicts")


def exemption(name: str, expires: str = "2027-12-31") -> dict[str, str]:
    said = {"reason": "moves", "owner": "edge", "ticket": "SEC-12", "expires": expires}
    return {"loadBalancer": arn(name), "rule": INGRESS, **said}


def exempting(command: Command, *entries: Any) -> tuple[str, ...]:
    path = command.folder / "exemptions.json"
    path.write_text(json.dumps({"version": 1, "exemptions": list(entries)}), encoding="utf-8")
    return (*VERDICTS, "--exemptions", str(path), "--date", "2027-01-31")


def test_exemptions_count_with_and_without_a_verdict(recording: Recording, command: Command) -> None:
    """AWS Config keeps nothing of a load balancer that its rule has exempted."""
    record(recording)
    answer = command(*exempting(command, exemption("web"), exemption("api"), exemption("gone")), "--format", "json")
    assert (answer.code, answer.json["errors"]) == (0, [])
    assert [(one["loadBalancerName"], one["compliance"]) for one in answer.json["findings"]] == [
        ("api", "NOT_APPLICABLE"),
        ("web", "NOT_APPLICABLE"),
    ]
    assert [one["wouldBe"] and one["wouldBe"]["compliance"] for one in answer.json["exemptions"]] == [
        None,
        "NON_COMPLIANT",
    ]


def test_an_expired_exemption_makes_no_verdict(recording: Recording, command: Command) -> None:
    record(recording)
    answer = command(*exempting(command, exemption("api", "2027-01-30")), "--format", "json")
    assert [one["loadBalancerName"] for one in answer.json["findings"]] == ["web"]
    assert answer.json["errors"] == []


def test_the_dashboard_gets_used_exemptions(recording: Recording, command: Command) -> None:
    record(recording)
    entries = [exemption("web", "2027-02-01"), exemption("api", "2027-01-30"), exemption("gone")]
    arguments = build_parser().parse_args(exempting(command, *entries))

    observation = read_observation(
        arguments, [INGRESS], AS_OF, load_given_exemptions(arguments), with_account_names=False
    )
    report = observation.exemptions
    assert report is not None
    assert report.today == date(2027, 1, 31)
    assert {one.exemption.load_balancer_arn.split("/")[-2]: (one.status, one.use) for one in report.reviewed} == {
        "web": (ExemptionStatus.EXPIRING, ExemptionUse.USED),
        "api": (ExemptionStatus.EXPIRED, ExemptionUse.UNKNOWN),
        "gone": (ExemptionStatus.IN_FORCE, ExemptionUse.UNUSED),
    }


def test_the_dashboard_gets_account_names(recording: Recording) -> None:
    record(recording)
    recording.organization("list_roots", {"Roots": []})
    arguments = build_parser().parse_args(VERDICTS)
    assert read_observation(arguments, [INGRESS], AS_OF).completeness.observed.keys() == {ACCOUNT_REGION}


def test_the_dashboard_shows_an_aggregator(recording: Recording, command: Command) -> None:
    record(recording)
    recording.organization("list_roots", {"Roots": []})
    path = command.folder / "org.html"
    answer = command("dashboard", "--aggregator", "alb-sg", "--rule", INGRESS, "--output", str(path))
    assert (answer.code, answer.err) == (1, "")
    page = path.read_text(encoding="utf-8")
    assert "HTTPS:443 not open" in page
    assert "Verdicts are as AWS Config has recorded them." in page
    data = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    assert data["audit"]["verdicts"] == "recorded"
    assert data["audit"]["sources"] == [{"kind": "AWS Config aggregator", "name": "alb-sg", "sha256": None}]


@pytest.mark.parametrize(
    "option", [("--estate", "estate.json"), ("--config-items", "items"), ("--parameter", f"{INGRESS}:TagKey=clients")]
)
def test_the_dashboard_refuses_options_that_an_aggregator_ignores(command: Command, option: tuple[str, str]) -> None:
    said = command.refused("dashboard", "--aggregator", "alb-sg", *option, "--output", str(command.folder / "org.html"))
    assert option[0] in said
