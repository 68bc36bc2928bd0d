"""Findings as SARIF 2.1.0 (OASIS, Static Analysis Results Interchange Format).

| here | `kind` | `level` |
|---|---|---|
| NON_COMPLIANT | `fail` | by the rule's severity: CRITICAL and HIGH `error`, MEDIUM `warning`, LOW `note` |
| COMPLIANT | `pass` | `none` |
| NOT_APPLICABLE | `notApplicable` | `none` |
| exempt | `notApplicable` | `none`, with an accepted external `suppression` |
| error | no result: a notification of level `error`, and `executionSuccessful` is false | |

By default, failures alone are results: GitHub's code scanning makes an alert of every one. The summary counts all.

The location of a result is the file and line of its load balancer in a template. A plan has no lines: it is the plan's
file at line 1, and so it is with a load balancer that exists and that a plan or template affects. Without a plan or
template there is no file: the load balancer's ARN takes its place, escaped so that it is a relative URI, which code
scanning requires, at line 1. The fingerprint is that of the load balancer and the rule; code scanning reads
only `primaryLocationLineHash`, which it would compute from the file. The log has no time.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, TextIO
from urllib.parse import quote

from alb_sg import __version__
from alb_sg.findings.finding import Compliance, EvaluationError, Finding
from alb_sg.observations.results import FileLocation, Results
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME, USER_GUIDE_URL, rule_severity
from alb_sg.recommendations.recommendation import Recommendation, Severity
from alb_sg.report import phrasing
from alb_sg.report.identity import PRODUCT, fingerprint, identity
from alb_sg.report.json_report import missing_object, unused_field

SARIF_VERSION = "2.1.0"
SCHEMA_URL = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
FINGERPRINT_NAME = "loadBalancerAndRule/v1"
# GitHub tells alerts apart by this one ("SARIF support for code scanning", partialFingerprints).
CODE_SCANNING_FINGERPRINT_NAME = "primaryLocationLineHash"

KIND_BY_COMPLIANCE = {
    Compliance.COMPLIANT: "pass",
    Compliance.NON_COMPLIANT: "fail",
    Compliance.NOT_APPLICABLE: "notApplicable",
}
# GitHub code scanning: above 9.0 is critical, from 7.0 high, from 4.0 medium ("SARIF support for code scanning").
SECURITY_SEVERITIES = {Severity.CRITICAL: "9.5", Severity.HIGH: "8.0", Severity.MEDIUM: "5.5", Severity.LOW: "3.0"}
LEVEL_BY_SEVERITY = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
}


def write_sarif(results: Results, stream: TextIO, *, every_verdict: bool = False) -> None:
    """One log with one run. `every_verdict`: each is a result, and not failures alone."""
    reported = [one for one in results.findings if every_verdict or one.compliance is Compliance.NON_COMPLIANT]
    rules = sorted(results.rule_names)
    rule_indexes = {rule: index for index, rule in enumerate(rules)}
    run = {
        "tool": {
            "driver": {
                "name": PRODUCT,
                "version": __version__,
                "informationUri": USER_GUIDE_URL,
                "rules": [_rule_object(RECOMMENDATIONS_BY_NAME[rule]) for rule in rules],
            }
        },
        "invocations": [
            {
                "executionSuccessful": not results.errors,
                "toolExecutionNotifications": [
                    _notification_object(error, rule_indexes, results) for error in results.errors
                ],
            }
        ],
        "results": [_result_object(one, rule_indexes[one.rule], results.advice_on(one), results) for one in reported],
        "properties": {
            "accountsAndRegions": [
                {"accountId": account_id, "region": region} for account_id, region in results.account_regions
            ],
            "summary": results.summary(),
        },
    }
    json.dump({"$schema": SCHEMA_URL, "version": SARIF_VERSION, "runs": [run]}, stream, ensure_ascii=False, indent=1)
    stream.write("\n")


def _rule_object(rule: Recommendation) -> dict[str, Any]:
    return {
        "id": rule.name,
        "shortDescription": _message_object(rule.title),
        "fullDescription": _message_object(rule.requirement_text),
        "help": _message_object(f"{rule.requirement_text} Elastic Load Balancing, {rule.page_section}: {rule.quote}."),
        "helpUri": rule.page_url,
        "defaultConfiguration": {"level": LEVEL_BY_SEVERITY[rule_severity(rule.name)]},
        # GitHub reads the severity of rules with this tag only.
        "properties": {"security-severity": SECURITY_SEVERITIES[rule_severity(rule.name)], "tags": ["security"]},
    }


def _result_object(finding: Finding, rule_index: int, advice: Sequence[str], results: Results) -> dict[str, Any]:
    failed = finding.compliance is Compliance.NON_COMPLIANT
    fix = f". Fix: {'; '.join(advice)}." if advice else ""
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": rule_index,
        "kind": KIND_BY_COMPLIANCE[finding.compliance],
        "level": LEVEL_BY_SEVERITY[rule_severity(finding.rule)] if failed else "none",
        "message": _message_object(f"{finding.annotation or finding.compliance.value}{fix}"),
        "locations": [_location_object(finding.load_balancer_arn, finding.load_balancer_name, results)],
        "partialFingerprints": dict.fromkeys(
            (FINGERPRINT_NAME, CODE_SCANNING_FINGERPRINT_NAME), fingerprint(identity(finding))
        ),
        "properties": {
            "accountId": finding.account_id,
            "region": finding.region,
            "compliance": finding.compliance.value,
            "unresolved": finding.unresolved,
            "missing": [missing_object(missing) for missing in finding.missing],
            **unused_field(finding),
            "advice": list(advice),
        },
    }
    if finding.applied_exemption is not None:
        justification = phrasing.printable(phrasing.describe_exemption(finding.applied_exemption))
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": justification}]
    return result


def _notification_object(error: EvaluationError, rule_indexes: dict[str, int], results: Results) -> dict[str, Any]:
    notification: dict[str, Any] = {
        "level": "error",
        "message": _message_object(phrasing.describe_error(error)),
        "properties": {"accountId": error.account_id, "region": error.region},
    }
    if error.rule in rule_indexes:
        notification["associatedRule"] = {"id": error.rule, "index": rule_indexes[error.rule]}
    if error.load_balancer_arn is not None:
        notification["locations"] = [_location_object(error.load_balancer_arn, None, results)]
    return notification


def _location_object(arn: str, name: str | None, results: Results) -> dict[str, Any]:
    logical = {"kind": "resource", "fullyQualifiedName": arn}
    if name is not None:
        logical["name"] = phrasing.printable(name)
    location = results.locations.get(arn) or FileLocation(results.document or arn, None)
    return {
        "physicalLocation": {
            # Code scanning takes a relative URI only.
            "artifactLocation": {"uri": quote(location.file.lstrip("/"), safe="/", errors="replace")},
            "region": {"startLine": location.line or 1},
        },
        "logicalLocations": [logical],
    }


def _message_object(text: str) -> dict[str, str]:
    """Plain text as a message, with doubled braces and without links (SARIF 2.1.0, 3.11.5 and 3.11.6)."""
    plain = phrasing.printable(text).replace("{", "{{").replace("}", "}}")
    return {"text": plain.replace("](", "] (")}
