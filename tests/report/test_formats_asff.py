"""ASFF against Security Hub's own model and the limits that its API reference adds, and what it says."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from alb_sg.findings.finding import Compliance
from alb_sg.observations.earlier_results import EarlierResults
from alb_sg.observations.ranking import VerdictStatus
from alb_sg.observations.results import Results
from tests.builders import ACCOUNT, ICMP, INGRESS, REGION, load_balancer_arn
from tests.deployment.api_model import problems
from tests.report.formats import (
    CASES,
    COMPLIANT,
    EMOJI,
    EVERYTHING,
    EXEMPT,
    HOSTILE_EVERYWHERE,
    NON_COMPLIANT,
    NOT_APPLICABLE,
    NOTHING,
    UNENUMERATED,
    error,
    finding,
    missing,
    results,
    written,
)

# AwsSecurityFinding and BatchImportFindings, API reference: what the model does not say.
CHARACTERS = {"Id": 512, "ProductArn": 2048, "GeneratorId": 512, "Title": 256, "Description": 1024, "ProductName": 128}
BYTES_OF_FINDING = 240_000
NAMESPACES = {
    "Software and Configuration Checks",
    "TTPs",
    "Effects",
    "Unusual Behaviors",
    "Sensitive Data Identifications",
}


def requests_of(found: Results, **options: Any) -> list[Any]:
    requests = [json.loads(line) for line in written(found, "asff", **{"every_verdict": True, **options}).splitlines()]
    for request in requests:
        assert problems("BatchImportFindings", request, service="securityhub") == []
        assert len({(one["AwsAccountId"], one["ProductArn"]) for one in request["Findings"]}) == 1
        for one in request["Findings"]:
            within_limits(one)
    return requests


def within_limits(one: Any) -> None:
    assert all(1 <= len(one[name]) <= most for name, most in CHARACTERS.items())
    assert len(json.dumps(one)) <= BYTES_OF_FINDING
    assert 1 <= len(one["Resources"]) <= 32
    assert one["ProductArn"].split(":")[3:5] == [one["Resources"][0]["Region"], one["AwsAccountId"]]
    assert len(one["ProductFields"]) <= 50
    assert all(1 <= len(name) <= 128 and 1 <= len(value) <= 2048 for name, value in one["ProductFields"].items())
    assert 1 <= len(one["Remediation"]["Recommendation"]["Text"]) <= 512
    assert all(name.split("/")[0] in NAMESPACES for name in one["FindingProviderFields"]["Types"])
    assert all(name.count("/") == 2 for name in one["FindingProviderFields"]["Types"])


def findings_of(found: Results, **options: Any) -> list[Any]:
    return [one for request in requests_of(found, **options) for one in request["Findings"]]


@pytest.mark.parametrize("case", CASES)
def test_it_is_valid(case: str) -> None:
    requests_of(CASES[case])


def test_nothing_is_no_request() -> None:
    assert requests_of(NOTHING) == []


def test_verdicts() -> None:
    said = {
        one["Resources"][0]["Id"].split("/")[-2] if "/" in one["Resources"][0]["Id"] else one["Resources"][0]["Id"]: (
            one["Compliance"]["Status"],
            one["FindingProviderFields"]["Severity"]["Label"],
            one["RecordState"],
            *(reason["ReasonCode"] for reason in one["Compliance"].get("StatusReasons", ())),
        )
        for one in findings_of(EVERYTHING)
    }
    assert said == {
        "fine": ("PASSED", "INFORMATIONAL", "ACTIVE"),
        "closed": ("FAILED", "HIGH", "ACTIVE"),
        "sick": ("FAILED", "MEDIUM", "ACTIVE"),
        "mute": ("FAILED", "LOW", "ACTIVE"),
        "doubtful": ("FAILED", "HIGH", "ACTIVE"),
        "idle": ("NOT_AVAILABLE", "INFORMATIONAL", "ARCHIVED", "CONFIG_RETURNS_NOT_APPLICABLE"),
        "special": ("NOT_AVAILABLE", "LOW", "ACTIVE", "ALB_SG_EXEMPT"),
        "hidden": ("NOT_AVAILABLE", "LOW", "ACTIVE", "ALB_SG_EXEMPT"),
        "broken": ("NOT_AVAILABLE", "HIGH", "ACTIVE", "ALB_SG_NOT_JUDGED"),
        f"AWS::::Account:{ACCOUNT}": ("NOT_AVAILABLE", "HIGH", "ACTIVE", "ALB_SG_NOT_JUDGED"),
    }


def test_failures_and_errors_alone_are_findings_unless_all_are_asked_for() -> None:
    reported = findings_of(EVERYTHING, every_verdict=False)
    assert sorted(one["ProductFields"]["alb-sg/verdict"] for one in reported) == [
        "ERROR",
        "ERROR",
        "NON_COMPLIANT",
        "NON_COMPLIANT",
        "NON_COMPLIANT",
        "NON_COMPLIANT (unresolved)",
    ]


def test_a_fixed_finding_is_archived() -> None:
    failed = {
        (one.load_balancer_arn, one.rule): VerdictStatus.NON_COMPLIANT for one in (COMPLIANT, NOT_APPLICABLE, EXEMPT)
    }
    could_not_be_judged = finding("dark", ICMP)
    earlier = EarlierResults(
        {**failed, (could_not_be_judged.load_balancer_arn, ICMP): VerdictStatus.ERROR},
        gone=[finding("gone", INGRESS, Compliance.NOT_APPLICABLE)],
    )
    # Passed before and now: Security Hub has no finding that could be closed.
    found = results(COMPLIANT, NOT_APPLICABLE, EXEMPT, could_not_be_judged, NON_COMPLIANT, finding("always-fine"))
    said = {
        one["Resources"][0]["Id"].split("/")[-2]: (one["RecordState"], one["Compliance"]["Status"])
        for one in findings_of(found, every_verdict=False, earlier=earlier)
    }
    assert said == {
        "closed": ("ACTIVE", "FAILED"),
        "fine": ("ARCHIVED", "PASSED"),
        "idle": ("ARCHIVED", "NOT_AVAILABLE"),
        "special": ("ARCHIVED", "NOT_AVAILABLE"),
        "dark": ("ARCHIVED", "PASSED"),
        "gone": ("ARCHIVED", "NOT_AVAILABLE"),
    }


def test_an_error_takes_the_place_of_the_verdict_before_it() -> None:
    before, after = findings_of(results(finding("web"))), findings_of(results(error("web")))
    assert before[0]["Id"] == after[0]["Id"]


def test_ids_are_one_of_each() -> None:
    ids = [one["Id"] for one in findings_of(EVERYTHING)]
    assert len(ids) == len(set(ids)) == 10


def test_a_request_is_of_a_hundred_of_one_account_and_region() -> None:
    here = [finding(f"web-{number}") for number in range(101)]
    there = [one._replace(region="eu-west-1") for one in here[:3]]
    requests = requests_of(results(*here, *there))
    assert [(len(one["Findings"]), one["Findings"][0]["ProductArn"].split(":")[3]) for one in requests] == [
        (3, "eu-west-1"),
        (100, REGION),
        (1, REGION),
    ]


def test_the_partition_is_the_load_balancers() -> None:
    arn = f"arn:aws-us-gov:elasticloadbalancing:{REGION}:{ACCOUNT}:loadbalancer/app/web/1"
    (one,) = findings_of(results(finding()._replace(load_balancer_arn=arn)))
    assert one["ProductArn"] == f"arn:aws-us-gov:securityhub:{REGION}:{ACCOUNT}:product/{ACCOUNT}/default"
    assert one["Resources"][0]["Partition"] == "aws-us-gov"


@pytest.mark.parametrize(
    ("region", "partition"), [("us-gov-west-1", "aws-us-gov"), ("cn-north-1", "aws-cn"), ("eu-west-1", "aws")]
)
def test_the_partition_of_an_account_is_its_regions(region: str, partition: str) -> None:
    (one,) = findings_of(results(UNENUMERATED._replace(region=region)))
    assert one["ProductArn"].startswith(f"arn:{partition}:securityhub:{region}:")


def test_omitted_text_is_counted() -> None:
    lacking = tuple(missing(port, *(f"10.{n}.0.0/16" for n in range(40))) for port in range(1, 40))
    found = results(finding(rule=INGRESS, compliance=Compliance.NON_COMPLIANT, missing=lacking))
    sentences = [f"allow inbound TCP {port} from 0.0.0.0/0 in sg-0123456789abcdef0" for port in range(1, 40)]
    (one,) = findings_of(replace(found, advice={(load_balancer_arn("web"), INGRESS): sentences}))
    assert "more" in one["ProductFields"]["alb-sg/missing"]
    text = one["Remediation"]["Recommendation"]["Text"]
    assert text.startswith(f"{sentences[0]}; {sentences[1]}; ")
    assert "more" in text


def test_hostile_text_stays_within_limits_and_printable() -> None:
    long = results(error("web", INGRESS, "x " * 5000), finding("other", annotation="y" * 3000))
    findings_of(long)
    texts = [one["Description"] for one in findings_of(HOSTILE_EVERYWHERE)]
    assert all(EMOJI in text and text.isprintable() for text in texts)
