"""Findings as JUnit's XML, valid to both of its common schemas: that of Jenkins' xUnit plugin (`junit-10.xsd`), which
GitLab, Azure DevOps and most others follow, and that of Ant's JUnit task (Windy Road's `JUnit.xsd`), which is stricter.

A suite for each account and region, a test case for each load balancer and rule:

| here | test case |
|---|---|
| COMPLIANT | passed; the suite's `system-out` has the annotation |
| NON_COMPLIANT | `failure` with the annotation as its message; its text has the missing or unused parts, and the fix |
| NOT_APPLICABLE, exempt | `skipped`, whose message begins with NOT_APPLICABLE or EXEMPT |
| error | `error`; those without an account are in the suite `alb-sg` |

A suite's timestamp is the time that the results describe. Nothing takes time: every `time` is 0. Text is printable: XML
1.0 cannot hold most control characters.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TextIO
from xml.etree import ElementTree as ET

from alb_sg.findings.finding import Compliance, EvaluationError, Finding, Result
from alb_sg.observations.results import Results
from alb_sg.report import phrasing
from alb_sg.report.formats import FormatOptions
from alb_sg.report.identity import PRODUCT
from alb_sg.report.phrasing import printable

AccountRegionKey = tuple[str, str]
NO_ACCOUNT_REGION: AccountRegionKey = ("", "")
# Ant's schema: "'localhost' should be used if the hostname cannot be determined".
UNKNOWN_HOST = "localhost"
NO_TIME = "0"
# Of a missing permission; the other blocks are counted.
MAX_PEERS = 4


def write_junit(results: Results, stream: TextIO, options: FormatOptions) -> None:
    """One document. A suite without a test case is an account and region without load balancers."""
    suites: dict[AccountRegionKey, list[Result]] = {
        (account_id, region): [] for account_id, region in results.account_regions
    }
    for result in results.all:
        suites.setdefault((result.account_id, result.region), []).append(result)
    # Ant's schema allows no attribute here, such as totals.
    root = ET.Element("testsuites")
    for number, (account_region, suite_results) in enumerate(sorted(suites.items())):
        root.append(_suite_element(number, account_region, suite_results, options.as_of, results.advice_on))
    ET.indent(root, " ")
    stream.write('<?xml version="1.0" encoding="UTF-8"?>\n')
    stream.write(ET.tostring(root, encoding="unicode"))
    stream.write("\n")


def _suite_element(
    number: int,
    account_region: AccountRegionKey,
    suite_results: Sequence[Result],
    as_of: datetime,
    advice: Callable[[Finding], Sequence[str]],
) -> ET.Element:
    cases = [_case_element(result, advice) for result in suite_results]
    counts = {kind: sum(case.find(kind) is not None for case in cases) for kind in ("failure", "error", "skipped")}
    suite = ET.Element(
        "testsuite",
        {
            "name": PRODUCT if account_region == NO_ACCOUNT_REGION else printable(" ".join(account_region)),
            "package": PRODUCT,
            "id": str(number),
            "hostname": UNKNOWN_HOST,
            # Ant's schema allows no time zone.
            "timestamp": as_of.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
            "time": NO_TIME,
            "tests": str(len(cases)),
            "failures": str(counts["failure"]),
            "errors": str(counts["error"]),
            "skipped": str(counts["skipped"]),
        },
    )
    ET.SubElement(suite, "properties")
    suite.extend(cases)
    ET.SubElement(suite, "system-out").text = "\n".join(_passed_lines(suite_results))
    ET.SubElement(suite, "system-err")
    return suite


def _passed_lines(results: Sequence[Result]) -> list[str]:
    """What reads of a passed case: Ant's schema gives a case no output of its own."""
    return [
        printable(f"{result.load_balancer_name} {result.rule}: {result.annotation} ({result.load_balancer_arn})")
        for result in results
        if isinstance(result, Finding) and result.compliance is Compliance.COMPLIANT
    ]


def _case_element(result: Result, advice: Callable[[Finding], Sequence[str]]) -> ET.Element:
    if isinstance(result, EvaluationError):
        case = _make_case(result, result.rule or result.what)
        _add_result_element(case, "error", "ERROR", f"{result.what}: {result.cause}", result.load_balancer_arn or "")
        return case
    case = _make_case(result, result.rule)
    arn = result.load_balancer_arn
    if result.compliance is Compliance.NON_COMPLIANT:
        lines = [f"not open: {phrasing.describe_missing(missing, MAX_PEERS)}" for missing in result.missing]
        lines += [f"unused: {phrasing.describe_unused(entry, MAX_PEERS)}" for entry in result.unused]
        lines += [f"fix: {sentence}" for sentence in advice(result)]
        _add_result_element(case, "failure", phrasing.verdict_label(result), result.annotation, *lines, arn)
    elif result.compliance is Compliance.NOT_APPLICABLE:
        exemption = result.applied_exemption
        message = result.annotation if exemption is None else phrasing.describe_exemption(exemption)
        # Ant's schema gives this element no type.
        _add_result_element(case, "skipped", None, f"{phrasing.verdict_label(result)}: {message}", arn)
    return case


def _make_case(result: Result, name: str) -> ET.Element:
    """Readers group cases by `classname`, which they split at full stops. Regions and names have none."""
    parts = [part for part in (result.account_id, result.region, result.load_balancer_name) if part]
    return ET.Element(
        "testcase",
        {
            "classname": printable(".".join(parts) or PRODUCT),
            "name": printable(name),
            "time": NO_TIME,
        },
    )


def _add_result_element(case: ET.Element, kind: str, type_name: str | None, message: str, *lines: str) -> None:
    attributes = {} if type_name is None else {"type": type_name}
    element = ET.SubElement(case, kind, {**attributes, "message": printable(message)})
    element.text = "\n".join(printable(line) for line in lines if line)
