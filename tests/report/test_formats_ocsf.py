"""OCSF against the schema of its version, and what it says."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import jsonschema
import pytest
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

from alb_sg.findings.finding import Compliance
from alb_sg.observations.earlier_results import EarlierResults
from alb_sg.observations.ranking import VerdictStatus
from alb_sg.observations.results import Results
from alb_sg.report.ocsf import CLASS_UID, OCSF_VERSION
from tests.builders import INGRESS
from tests.report.formats import (
    ADVICE,
    AS_OF,
    CASES,
    COMPLIANT,
    EMOJI,
    EVERYTHING,
    EXEMPT,
    HEALTH_CHECK,
    HOSTILE_EVERYWHERE,
    NON_COMPLIANT,
    NOT_APPLICABLE,
    PMTUD,
    error,
    finding,
    results,
    written,
)


@cache
def validator() -> Any:
    schemas = OcsfJsonSchemaEmbedded(get_ocsf_schema(version=OCSF_VERSION))
    name = schemas.lookup_class_name_from_uid(class_uid=CLASS_UID)
    assert name == "compliance_finding"
    return jsonschema.Draft202012Validator(schemas.get_class_schema(class_name=name, profiles=["cloud"]))


def events_of(found: Results, **options: Any) -> list[Any]:
    events = [json.loads(line) for line in written(found, "ocsf", **options).splitlines()]
    for event in events:
        validator().validate(event)
        assert event["type_uid"] == event["class_uid"] * 100 + event["activity_id"]
    return events


@pytest.mark.parametrize("case", CASES)
def test_it_is_valid(case: str) -> None:
    events_of(CASES[case])


def test_verdicts() -> None:
    said = {}
    for event in events_of(EVERYTHING):
        name = event["resources"][0]["uid"].split("/")[-2] if "resources" in event else event["message"][:10]
        said[name] = (event["compliance"]["status_id"], event["severity_id"], event["status_id"])
    assert said == {
        "fine": (1, 1, 1),
        "closed": (3, 4, 1),
        "sick": (3, 3, 1),
        "mute": (3, 2, 1),
        "doubtful": (3, 4, 1),
        "idle": (99, 1, 1),
        "special": (99, 1, 3),
        "hidden": (99, 1, 3),
        "broken": (0, 0, 1),
        "listeners ": (0, 0, 1),
        "exemptions": (0, 0, 1),
    }


def test_an_error_has_the_identity_of_the_verdict_before_it() -> None:
    before, after = events_of(results(finding("web"))), events_of(results(error("web")))
    assert before[0]["finding_info"]["uid"] == after[0]["finding_info"]["uid"]


def test_activities_follow_the_status_before() -> None:
    failed, passed = VerdictStatus.NON_COMPLIANT, VerdictStatus.COMPLIANT
    before = {
        "closed": failed,
        "sick": passed,
        "fine": failed,
        "idle": VerdictStatus.ERROR,
        "special": failed,
        "always-fine": passed,
    }
    found = results(NON_COMPLIANT, HEALTH_CHECK, PMTUD, COMPLIANT, NOT_APPLICABLE, EXEMPT, finding("always-fine"))
    earlier = EarlierResults(
        {
            (one.load_balancer_arn, one.rule): before[one.load_balancer_name]
            for one in found.findings
            if one.load_balancer_name in before
        },
        gone=[finding("gone", INGRESS, Compliance.NOT_APPLICABLE)],
    )
    said = {
        event["resources"][0]["name"]: (event["activity_name"], event["status"])
        for event in events_of(found, earlier=earlier)
    }
    assert said == {
        "closed": ("Update", "New"),
        # It passed, and fails anew.
        "sick": ("Create", "New"),
        "mute": ("Create", "New"),
        "fine": ("Close", "Resolved"),
        "idle": ("Close", "Resolved"),
        "special": ("Close", "Suppressed"),
        "always-fine": ("Update", "New"),
        "gone": ("Close", "Deleted"),
    }


def test_without_earlier_runs_everything_is_created() -> None:
    assert {event["activity_name"] for event in events_of(EVERYTHING)} == {"Create"}


def test_the_time_is_in_milliseconds() -> None:
    (event,) = events_of(results(finding()))
    assert event["time"] == AS_OF.timestamp() * 1000


def test_findings_carry_missing() -> None:
    (event,) = [one for one in events_of(EVERYTHING) if one.get("unmapped", {}).get("missing")]
    assert [one["fromPort"] for one in event["unmapped"]["missing"]] == [443, 80]
    assert event["remediation"]["desc"] == "; ".join(ADVICE)
    assert event["unmapped"]["advice"] == list(ADVICE)


def test_hostile_text_is_printable() -> None:
    for event in events_of(HOSTILE_EVERYWHERE):
        assert EMOJI in event["message"]
        assert event["message"].isprintable()
