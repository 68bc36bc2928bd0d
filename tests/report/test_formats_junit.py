"""JUnit against the schema of Jenkins' xUnit plugin and the rules of Ant's, and what it says."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import xmlschema

from alb_sg.observations.results import Results
from tests.builders import ACCOUNT, INGRESS, REGION, load_balancer_arn
from tests.report.formats import CASES, EMOJI, EVERYTHING, HOSTILE_EVERYWHERE, NOTHING, written

SCHEMA = xmlschema.XMLSchema(Path(__file__).parent / "schemas" / "junit-10.xsd")


# Ant's schema by element: required attributes, optional ones, and the children as a pattern of their names.
_ANT_CASES = "(testcase )*"
ANT_RULES = {
    "testsuites": ("", "", "(testsuite )*"),
    "testsuite": (
        "name package id hostname timestamp time tests failures errors",
        "skipped",
        f"properties {_ANT_CASES}system-out system-err ",
    ),
    "properties": ("", "", "(property )*"),
    "property": ("name value", "", ""),
    "testcase": ("name classname time", "", "(skipped |error |failure )?"),
    "failure": ("type", "message", ""),
    "error": ("type", "message", ""),
    "skipped": ("", "message", ""),
    "system-out": ("", "", ""),
    "system-err": ("", "", ""),
}
ANT_VALUES = {
    "timestamp": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d",
    "time": r"\d+(\.\d+)?",
    **dict.fromkeys(("id", "tests", "failures", "errors", "skipped"), r"\d+"),
    **dict.fromkeys(("name", "hostname"), r"(?s).+"),
}


def ant_problems(root: ET.Element) -> list[str]:
    """What Ant's schema refuses."""
    problems = []
    for element in root.iter():
        required, optional, children = ANT_RULES[element.tag]
        names = set(element.attrib)
        if not set(required.split()) <= names <= {*required.split(), *optional.split()}:
            problems.append(f"{element.tag}: attributes {sorted(names)}")
        if not re.fullmatch(children, "".join(f"{child.tag} " for child in element)):
            problems.append(f"{element.tag}: children {[child.tag for child in element]}")
        problems += [
            f"{element.tag}/@{name}: {value}"
            for name, value in element.attrib.items()
            if name in ANT_VALUES and not re.fullmatch(ANT_VALUES[name], value)
        ]
    ids = [suite.get("id") for suite in root]
    return [*problems, *([] if ids == [str(number) for number in range(len(ids))] else [f"ids {ids}"])]


def document(found: Results) -> ET.Element:
    text = written(found, "junit")
    SCHEMA.validate(text)
    root = ET.fromstring(text)  # noqa: S314 (written here)
    assert ant_problems(root) == []
    return root


@pytest.mark.parametrize("case", CASES)
def test_it_is_valid(case: str) -> None:
    document(CASES[case])


def test_verdicts() -> None:
    said = {}
    for case in document(EVERYTHING).iter("testcase"):
        kinds = [(child.tag, child.get("type") or child.attrib["message"].split(":")[0]) for child in case]
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


def test_the_text_lists_everything_missing() -> None:
    (failure,) = [one for one in document(EVERYTHING).iter("failure") if one.text and "10.0.0.0/8" in one.text]
    assert failure.text is not None
    assert failure.text.splitlines()[:2] == [
        "not open: inbound TCP 443 from 0.0.0.0/0",
        "not open: inbound TCP 80 from 10.0.0.0/8, 192.168.0.0/16",
    ]


def test_the_annotation_of_a_passed_case_is_in_the_output_of_its_suite() -> None:
    """Ant's schema gives a case no output of its own."""
    outputs = {suite.get("name"): suite.findtext("system-out") for suite in document(EVERYTHING)}
    passed = f"fine {INGRESS}: {INGRESS} of fine ({load_balancer_arn('fine')})"
    assert outputs == {"alb-sg": "", f"{ACCOUNT} {REGION}": passed, "444455556666 eu-west-1": ""}


def test_the_time_is_in_utc_and_without_a_zone() -> None:
    assert {suite.get("timestamp") for suite in document(EVERYTHING)} == {"2027-01-31T08:00:00"}


def test_counts_are_those_of_the_cases() -> None:
    root = document(EVERYTHING)
    totals = [sum(int(suite.attrib[name]) for suite in root) for name in ("tests", "failures", "errors")]
    assert totals == [11, 4, 3]
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
    texts += [suite.findtext("system-out") or "" for suite in root]
    texts += [child.get("message", "") for case in root.iter("testcase") for child in case]
    assert any("<img src=x onerror=alert(1)>" in text for text in texts)
    assert any(EMOJI in text for text in texts)
    lines = [line for text in texts for line in text.splitlines()]
    assert all(character.isprintable() for line in lines for character in line)
    # None of it became an element, which Ant's rules would not know.
    assert {element.tag for element in root.iter()} <= set(ANT_RULES)
