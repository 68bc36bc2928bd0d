"""Findings as JUnit's XML, as Jenkins, GitLab and GitHub's actions read it (the Jenkins xUnit plugin's junit-10.xsd).

A suite for each account and region, a test case for each load balancer and rule:

| here | test case |
|---|---|
| COMPLIANT | passed |
| NON_COMPLIANT | `failure`, the annotation its message and everything missing its text |
| NOT_APPLICABLE, exempt | `skipped`, of the type NOT_APPLICABLE or EXEMPT |
| error | `error`; what is nobody's account is in the suite `alb-sg` |

There is no time in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO
from xml.etree import ElementTree as ET

from alb_sg.findings.finding import Compliance, Finding, JudgementError
from alb_sg.report import words
from alb_sg.report.identity import PRODUCT
from alb_sg.report.results import Results

Result = Finding | JudgementError
Home = tuple[str, str]
NOWHERE: Home = ("", "")


def write_junit(results: Results, stream: TextIO) -> None:
    """One document; a suite without a test case is an account and region without a load balancer."""
    suites: dict[Home, list[Result]] = {(account_id, region): [] for account_id, region in results.homes}
    every: list[Result] = [*results.findings, *results.errors]
    for result in every:
        suites.setdefault((result.account_id, result.region), []).append(result)
    counted = {"tests": len(every), "failures": results.count(Compliance.NON_COMPLIANT), "errors": len(results.errors)}
    root = ET.Element("testsuites", {"name": PRODUCT, **_texts(counted)})
    for home, found in sorted(suites.items()):
        root.append(_suite(home, found))
    ET.indent(root, " ")
    stream.write('<?xml version="1.0" encoding="UTF-8"?>\n')
    stream.write(ET.tostring(root, encoding="unicode"))
    stream.write("\n")


def _suite(home: Home, found: Sequence[Result]) -> ET.Element:
    cases = [_case(result) for result in found]
    counts = {kind: sum(case.find(kind) is not None for case in cases) for kind in ("failure", "error", "skipped")}
    suite = ET.Element(
        "testsuite",
        {
            "name": PRODUCT if home == NOWHERE else _text(" ".join(home)),
            **_texts(
                {
                    "tests": len(cases),
                    "failures": counts["failure"],
                    "errors": counts["error"],
                    "skipped": counts["skipped"],
                }
            ),
        },
    )
    suite.extend(cases)
    return suite


def _case(result: Result) -> ET.Element:
    if isinstance(result, JudgementError):
        name = _name(result.load_balancer_arn)
        case = _named(result, name, result.rule or result.what)
        _said(case, "error", "ERROR", f"{result.what}: {result.cause}", result.load_balancer_arn or "")
        return case
    case = _named(result, result.load_balancer_name, result.rule)
    arn = result.load_balancer_arn
    if result.compliance is Compliance.COMPLIANT:
        ET.SubElement(case, "system-out").text = f"{_text(result.annotation)}\n{_text(arn)}"
    elif result.compliance is Compliance.NON_COMPLIANT:
        lines = [f"not open: {words.missing(missing)}" for missing in result.missing]
        _said(case, "failure", words.verdict(result), result.annotation, *lines, arn)
    else:
        said = result.annotation if result.exempted is None else words.exemption(result.exempted)
        _said(case, "skipped", words.verdict(result), said, arn)
    return case


def _named(result: Result, load_balancer: str | None, name: str) -> ET.Element:
    """Readers group cases by `classname` and split it at full stops; a region and a name hold none."""
    of = [part for part in (result.account_id, result.region, load_balancer) if part]
    return ET.Element("testcase", {"classname": _text(".".join(of) or PRODUCT), "name": _text(name)})


def _said(case: ET.Element, kind: str, type_name: str, message: str, *lines: str) -> None:
    element = ET.SubElement(case, kind, {"type": type_name, "message": _text(message)})
    element.text = "\n".join(_text(line) for line in lines if line)


def _name(arn: str | None) -> str | None:
    return arn.split("/")[-2] if arn is not None and arn.count("/") > 1 else arn


def _text(text: str) -> str:
    """XML 1.0 has no way to write most control characters: what cannot be printed is replaced."""
    return words.printable(text)


def _texts(numbers: dict[str, int]) -> dict[str, str]:
    return {name: str(number) for name, number in numbers.items()}
