"""Findings as JUnit's XML, as Jenkins, GitLab and GitHub's actions read it (the Jenkins xUnit plugin's junit-10.xsd).

A suite for each account and region, a test case for each load balancer and rule:

| here | test case |
|---|---|
| COMPLIANT | passed |
| NON_COMPLIANT | `failure` with the annotation as its message; its text has what is missing or unused, and the fix |
| NOT_APPLICABLE, exempt | `skipped` of type NOT_APPLICABLE or EXEMPT |
| error | `error`; those without an account are in the suite `alb-sg` |

The document holds no time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TextIO
from xml.etree import ElementTree as ET

from alb_sg.aws.arns import load_balancer_name
from alb_sg.findings.finding import Compliance, EvaluationError, Finding, Result
from alb_sg.observations.results import Results
from alb_sg.report import phrasing
from alb_sg.report.identity import PRODUCT

AccountRegionKey = tuple[str, str]
NO_ACCOUNT_REGION: AccountRegionKey = ("", "")
# Of a missing permission; the other blocks are counted.
MAX_PEERS = 4


def write_junit(results: Results, stream: TextIO) -> None:
    """One document. A suite without a test case is an account and region without load balancers."""
    suites: dict[AccountRegionKey, list[Result]] = {
        (account_id, region): [] for account_id, region in results.account_regions
    }
    every: list[Result] = [*results.findings, *results.errors]
    for result in every:
        suites.setdefault((result.account_id, result.region), []).append(result)
    totals = {"tests": len(every), "failures": results.count(Compliance.NON_COMPLIANT), "errors": len(results.errors)}
    root = ET.Element("testsuites", {"name": PRODUCT, **_numbers_as_text(totals)})
    for account_region, suite_results in sorted(suites.items()):
        root.append(_suite_element(account_region, suite_results, results.advice_on))
    ET.indent(root, " ")
    stream.write('<?xml version="1.0" encoding="UTF-8"?>\n')
    stream.write(ET.tostring(root, encoding="unicode"))
    stream.write("\n")


def _suite_element(
    account_region: AccountRegionKey, suite_results: Sequence[Result], advice: Callable[[Finding], Sequence[str]]
) -> ET.Element:
    cases = [_case_element(result, advice) for result in suite_results]
    counts = {kind: sum(case.find(kind) is not None for case in cases) for kind in ("failure", "error", "skipped")}
    suite = ET.Element(
        "testsuite",
        {
            "name": PRODUCT if account_region == NO_ACCOUNT_REGION else _xml_text(" ".join(account_region)),
            **_numbers_as_text(
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


def _case_element(result: Result, advice: Callable[[Finding], Sequence[str]]) -> ET.Element:
    if isinstance(result, EvaluationError):
        name = None if result.load_balancer_arn is None else load_balancer_name(result.load_balancer_arn)
        case = _make_case(result, name, result.rule or result.what)
        _add_result_element(case, "error", "ERROR", f"{result.what}: {result.cause}", result.load_balancer_arn or "")
        return case
    case = _make_case(result, result.load_balancer_name, result.rule)
    arn = result.load_balancer_arn
    if result.compliance is Compliance.COMPLIANT:
        ET.SubElement(case, "system-out").text = f"{_xml_text(result.annotation)}\n{_xml_text(arn)}"
    elif result.compliance is Compliance.NON_COMPLIANT:
        lines = [f"not open: {phrasing.describe_missing(missing, MAX_PEERS)}" for missing in result.missing]
        lines += [f"unused: {phrasing.describe_unused(entry, MAX_PEERS)}" for entry in result.unused]
        lines += [f"fix: {sentence}" for sentence in advice(result)]
        _add_result_element(case, "failure", phrasing.verdict_label(result), result.annotation, *lines, arn)
    else:
        exemption = result.applied_exemption
        message = result.annotation if exemption is None else phrasing.describe_exemption(exemption)
        _add_result_element(case, "skipped", phrasing.verdict_label(result), message, arn)
    return case


def _make_case(result: Result, load_balancer: str | None, name: str) -> ET.Element:
    """Readers group cases by `classname`, which they split at full stops. Regions and names have none."""
    parts = [part for part in (result.account_id, result.region, load_balancer) if part]
    return ET.Element("testcase", {"classname": _xml_text(".".join(parts) or PRODUCT), "name": _xml_text(name)})


def _add_result_element(case: ET.Element, kind: str, type_name: str, message: str, *lines: str) -> None:
    element = ET.SubElement(case, kind, {"type": type_name, "message": _xml_text(message)})
    element.text = "\n".join(_xml_text(line) for line in lines if line)


def _xml_text(text: str) -> str:
    """The printable text: XML 1.0 cannot hold most control characters."""
    return phrasing.printable(text)


def _numbers_as_text(numbers: dict[str, int]) -> dict[str, str]:
    return {name: str(number) for name, number in numbers.items()}
