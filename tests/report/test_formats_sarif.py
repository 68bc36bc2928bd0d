"""SARIF against its schema, and what it says."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any
from urllib.parse import unquote, urlsplit

import jsonschema
import pytest

from alb_sg.observations.results import FileLocation, Results
from tests.builders import ICMP, load_balancer_arn
from tests.report.formats import (
    CASES,
    COMPLIANT,
    EMOJI,
    EVERYTHING,
    HOSTILE_EVERYWHERE,
    NON_COMPLIANT,
    NOTHING,
    UNREAD,
    finding,
    results,
    written,
)
from tests.tools import node_module


def run_of(found: Results, *, every_verdict: bool = True) -> Any:
    log = json.loads(written(found, "sarif", every_verdict=every_verdict))
    schema = json.loads(node_module("@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json").read_text())
    jsonschema.Draft4Validator(schema, format_checker=jsonschema.FormatChecker()).validate(log)
    assert log["version"] == "2.1.0"
    return log["runs"][0]


@pytest.mark.parametrize("every_verdict", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_it_is_valid(case: str, every_verdict: bool) -> None:
    run_of(CASES[case], every_verdict=every_verdict)


def test_failures_alone_are_results_unless_all_are_asked_for() -> None:
    """GitHub's code scanning makes an alert of every result, whatever its kind."""
    run = run_of(EVERYTHING, every_verdict=False)
    assert {one["kind"] for one in run["results"]} == {"fail"}
    assert len(run["results"]) == 4
    assert len(run["results"]) == run["properties"]["summary"]["compliance"]["NON_COMPLIANT"]
    assert run["properties"]["summary"]["compliance"]["COMPLIANT"] == 1
    assert len(run_of(EVERYTHING)["results"]) == 8


@pytest.mark.parametrize("case", CASES)
def test_it_is_as_code_scanning_takes_it(case: str) -> None:
    """GitHub, "SARIF support for code scanning": relative URIs, a line, a fingerprint, limits of results and tags."""
    run = run_of(CASES[case], every_verdict=False)
    assert len(run["results"]) <= 25_000
    for one in run["results"]:
        (location,) = one["locations"]
        physical = location["physicalLocation"]
        split = urlsplit(physical["artifactLocation"]["uri"])
        assert (split.scheme, split.netloc) == ("", "")
        assert split.path
        assert not split.path.startswith("/")
        assert physical["region"]["startLine"] >= 1
        assert re.fullmatch(r"[0-9a-f]{64}", one["partialFingerprints"]["primaryLocationLineHash"])
        assert one["message"]["text"]
    for rule in run["tool"]["driver"]["rules"]:
        assert len(rule["properties"]["tags"]) <= 20
        assert 0 < float(rule["properties"]["security-severity"]) <= 10
        assert len(rule["shortDescription"]["text"]) <= 1024


def test_verdicts() -> None:
    said = {
        one["locations"][0]["logicalLocations"][0]["name"]: (one["kind"], one["level"])
        for one in run_of(EVERYTHING)["results"]
    }
    assert said == {
        "fine": ("pass", "none"),
        "closed": ("fail", "error"),
        "sick": ("fail", "warning"),
        "mute": ("fail", "note"),
        "doubtful": ("fail", "error"),
        "idle": ("notApplicable", "none"),
        "special": ("notApplicable", "none"),
        "hidden": ("notApplicable", "none"),
    }


def test_an_exemption_is_an_accepted_suppression() -> None:
    suppressed = [one for one in run_of(EVERYTHING)["results"] if "suppressions" in one]
    assert len(suppressed) == 2
    assert "would be NON_COMPLIANT" in suppressed[1]["suppressions"][0]["justification"]
    assert "could not be judged" in suppressed[0]["suppressions"][0]["justification"]
    assert {one["suppressions"][0]["status"] for one in suppressed} == {"accepted"}


def test_an_error_is_no_result_and_no_success() -> None:
    run = run_of(results(COMPLIANT, UNREAD))
    assert len(run["results"]) == 1
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    (notification,) = invocation["toolExecutionNotifications"]
    assert notification["level"] == "error"
    assert "DescribeListeners: AccessDenied" in notification["message"]["text"]
    assert notification["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] == UNREAD.load_balancer_arn
    rules = run["tool"]["driver"]["rules"]
    assert rules[notification["associatedRule"]["index"]]["id"] == UNREAD.rule


def test_without_errors_it_was_successful() -> None:
    assert run_of(NOTHING)["invocations"] == [{"executionSuccessful": True, "toolExecutionNotifications": []}]


def test_a_fingerprint_is_of_load_balancer_and_rule() -> None:
    def fingerprint(**more: Any) -> Any:
        return run_of(results(finding(**more)))["results"][0]["partialFingerprints"]

    assert fingerprint() == fingerprint(annotation="something else")
    assert fingerprint() != fingerprint(rule=ICMP)
    assert fingerprint() != fingerprint(name="other")


def test_rules_are_referred_to_by_their_place() -> None:
    run = run_of(EVERYTHING)
    rules = run["tool"]["driver"]["rules"]
    assert all(rules[one["ruleIndex"]]["id"] == one["ruleId"] for one in run["results"])


def test_a_load_balancer_that_exists_has_its_arn_as_a_relative_uri() -> None:
    """Code scanning refuses a file with URIs of a scheme that it does not know, and results without a line."""
    place = run_of(EVERYTHING)["results"][0]["locations"][0]["physicalLocation"]
    uri = place["artifactLocation"]["uri"]
    assert ":" not in uri
    assert unquote(uri) == load_balancer_arn("closed")
    assert place["region"] == {"startLine": 1}


def test_a_planned_load_balancer_has_its_file_and_line() -> None:
    arn = load_balancer_arn("closed")
    found = replace(results(NON_COMPLIANT), locations={arn: FileLocation("stacks/web one.yaml", 12)})
    [result] = run_of(found)["results"]
    assert result["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "stacks/web%20one.yaml"},
        "region": {"startLine": 12},
    }


def test_a_finding_without_a_line_is_at_the_first_line() -> None:
    """Code scanning takes a path that begins with a slash for none of the repository."""
    found = replace(results(NON_COMPLIANT, UNREAD), document="/plans/plan 1.json")
    run = run_of(found)
    notification = run["invocations"][0]["toolExecutionNotifications"][0]
    for one in (*run["results"], notification):
        assert one["locations"][0]["physicalLocation"] == {
            "artifactLocation": {"uri": "plans/plan%201.json"},
            "region": {"startLine": 1},
        }


def test_a_message_holds_no_link_and_no_placeholder() -> None:
    for one in run_of(HOSTILE_EVERYWHERE)["results"]:
        text = one["message"]["text"]
        assert "](" not in text
        assert "{" not in text.replace("{{", "")
        assert EMOJI in text
        assert all(character.isprintable() for character in text)
