"""JUnit against the schema of Jenkins' xUnit plugin, and what it says."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import xmlschema

from alb_sg.observations.results import Results
from tests.builders import ACCOUNT, REGION
from tests.report.formats import CASES, EMOJI, EVERYTHING, HOSTILE_EVERYWHERE, NOTHING, written

SCHEMA = xmlschema.XMLSchema(Path(__file__).parent / "schemas" / "junit-10.xsd")


def document(found: Results) -> ET.Element:
    text = written(found, "junit")
    SCHEMA.validate(text)
    return ET.fromstring(text)  # noqa: S314 (written here)


@pytest.mark.parametrize("case", CASES)
def test_it_is_valid(case: str) -> None:
    document(CASES[case])


def test_verdicts() -> None:
    said = {}
    for case in document(EVERYTHING).iter("testcase"):
        kinds = [(child.tag, child.get("type")) for child in case if child.tag != "system-out"]
        said[case.attrib["classname"], case.attrib["name"]] = kinds
    account_region = f"{ACCOUNT}.{REGION}"
    assert said == {
        (f"{account_region}.fine", "ALB_SG_LISTENER_INGRESS"): [],
        (f"{account_region}.closed", "ALB_SG_LISTENER_INGRESS"): [("failure", "NON_COMPLIANT")],
        (f"{account_region}.sick", "ALB_SG_HEALTH_CHECK_EGRESS"): [("failure", "NON_COMPLIANT")],
        (f"{account_region}.mute", "ALB_SG_ICMP_PMTUD"): [("failure", "NON_COMPLIANT")],
        (f"{account_region}.doubtful", "ALB_SG_INSTANCE_EGRESS"): [("failure", "NON_COMPLIANT (unresolved)")],
        (f"{account_region}.idle", "ALB_SG_INSTANCE_EGRESS"): [("skipped", "NOT_APPLICABLE")],
        (f"{account_region}.special", "ALB_SG_LISTENER_INGRESS"): [("skipped", "EXEMPT")],
        (f"{account_region}.hidden", "ALB_SG_ICMP_PMTUD"): [("skipped", "EXEMPT")],
        (f"{account_region}.broken", "ALB_SG_INSTANCE_EGRESS"): [("error", "ERROR")],
        (account_region, "listeners of None"): [("error", "ERROR")],
        ("alb-sg", "exemptions[3] in exemptions.json"): [("error", "ERROR")],
    }


def test_everything_missing_is_said() -> None:
    (failure,) = [one for one in document(EVERYTHING).iter("failure") if one.text and "10.0.0.0/8" in one.text]
    assert failure.text is not None
    assert failure.text.splitlines()[:2] == [
        "not open: inbound TCP 443 from 0.0.0.0/0",
        "not open: inbound TCP 80 from 10.0.0.0/8, 192.168.0.0/16",
    ]


def test_counts_are_those_of_the_cases() -> None:
    root = document(EVERYTHING)
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("11", "4", "3")
    for suite in root:
        for counted, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert suite.get(counted) == str(len(suite.findall(f"testcase/{tag}")))
        assert suite.get("tests") == str(len(suite.findall("testcase")))


def test_an_account_and_region_without_load_balancers_is_an_empty_suite() -> None:
    names = {suite.get("name"): suite.get("tests") for suite in document(EVERYTHING)}
    assert names == {"alb-sg": "1", f"{ACCOUNT} {REGION}": "10", "444455556666 eu-west-1": "0"}
    assert len(document(NOTHING)) == 0


def test_hostile_text_is_text() -> None:
    root = document(HOSTILE_EVERYWHERE)
    texts = [text for case in root.iter("testcase") for text in (case.get("name", ""), *case.itertext())]
    texts += [child.get("message", "") for case in root.iter("testcase") for child in case]
    assert any("<img src=x onerror=alert(1)>" in text for text in texts)
    assert any(EMOJI in text for text in texts)
    lines = [line for text in texts for line in text.splitlines()]
    assert all(character.isprintable() for line in lines for character in line)
    assert {element.tag for element in root.iter()} <= {
        "testsuites",
        "testsuite",
        "testcase",
        "failure",
        "error",
        "skipped",
        "system-out",
    }
