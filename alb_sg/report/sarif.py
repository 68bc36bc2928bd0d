"""Findings as SARIF 2.1.0 (OASIS, Static Analysis Results Interchange Format).

| here | `kind` | `level` |
|---|---|---|
| NON_COMPLIANT | `fail` | `error`, for health checks `warning`, for Path MTU Discovery `note` |
| COMPLIANT | `pass` | `none` |
| NOT_APPLICABLE | `notApplicable` | `none` |
| exempt | `notApplicable` | `none`, with an accepted external `suppression` |
| error | no result: a notification of level `error`, and `executionSuccessful` is false | |

A result is where its load balancer is; its fingerprint is of the load balancer and the rule. There is no time in it.
"""

from __future__ import annotations

import json
from typing import Any, TextIO
from urllib.parse import quote

from alb_sg import __version__
from alb_sg.findings.finding import Compliance, Finding, JudgementError
from alb_sg.recommendations.catalogue import BY_NAME, PAGE, Recommendation
from alb_sg.report import words
from alb_sg.report.identity import PRODUCT, Rank, fingerprint, identity, rank
from alb_sg.report.json_report import missing_object
from alb_sg.report.results import Results

VERSION = "2.1.0"
SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
FINGERPRINT = "loadBalancerAndRule/v1"

KINDS = {
    Compliance.COMPLIANT: "pass",
    Compliance.NON_COMPLIANT: "fail",
    Compliance.NOT_APPLICABLE: "notApplicable",
}
LEVELS = {Rank.HIGH: "error", Rank.MEDIUM: "warning", Rank.LOW: "note"}


def write_sarif(results: Results, stream: TextIO) -> None:
    """One log with one run."""
    rules = sorted(results.rules)
    places = {rule: place for place, rule in enumerate(rules)}
    run = {
        "tool": {
            "driver": {
                "name": PRODUCT,
                "version": __version__,
                "informationUri": PAGE,
                "rules": [_rule(BY_NAME[rule]) for rule in rules],
            }
        },
        "invocations": [
            {
                "executionSuccessful": not results.errors,
                "toolExecutionNotifications": [_notification(error, places) for error in results.errors],
            }
        ],
        "results": [_result(finding, places[finding.rule]) for finding in results.findings],
        "properties": {
            "accountsAndRegions": [{"accountId": account_id, "region": region} for account_id, region in results.homes],
            "summary": results.summary(),
        },
    }
    json.dump({"$schema": SCHEMA, "version": VERSION, "runs": [run]}, stream, ensure_ascii=False, indent=1)
    stream.write("\n")


def _rule(rule: Recommendation) -> dict[str, Any]:
    return {
        "id": rule.name,
        "shortDescription": _message(rule.title),
        "fullDescription": _message(rule.asks),
        "help": _message(f"{rule.asks} Elastic Load Balancing, {rule.page_section}: {rule.quote}."),
        "helpUri": PAGE,
        "defaultConfiguration": {"level": LEVELS[rank(rule.name)]},
    }


def _result(finding: Finding, place: int) -> dict[str, Any]:
    failed = finding.compliance is Compliance.NON_COMPLIANT
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": place,
        "kind": KINDS[finding.compliance],
        "level": LEVELS[rank(finding.rule)] if failed else "none",
        "message": _message(finding.annotation or finding.compliance.value),
        "locations": [_location(finding.load_balancer_arn, finding.load_balancer_name)],
        "partialFingerprints": {FINGERPRINT: fingerprint(identity(finding))},
        "properties": {
            "accountId": finding.account_id,
            "region": finding.region,
            "compliance": finding.compliance.value,
            "unresolved": finding.unresolved,
            "missing": [missing_object(missing) for missing in finding.missing],
        },
    }
    if finding.exempted is not None:
        justification = words.printable(words.exemption(finding.exempted))
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": justification}]
    return result


def _notification(error: JudgementError, places: dict[str, int]) -> dict[str, Any]:
    notification: dict[str, Any] = {
        "level": "error",
        "message": _message(f"{words.what(error)}: {error.cause}"),
        "properties": {"accountId": error.account_id, "region": error.region},
    }
    if error.rule in places:
        notification["associatedRule"] = {"id": error.rule, "index": places[error.rule]}
    if error.load_balancer_arn is not None:
        notification["locations"] = [_location(error.load_balancer_arn, None)]
    return notification


def _location(arn: str, name: str | None) -> dict[str, Any]:
    """A load balancer has no file: its ARN, which is a URI, is the place."""
    logical = {"kind": "resource", "fullyQualifiedName": arn}
    if name is not None:
        logical["name"] = words.printable(name)
    return {
        "physicalLocation": {"artifactLocation": {"uri": quote(arn, safe=":/", errors="replace")}},
        "logicalLocations": [logical],
    }


def _message(text: str) -> dict[str, str]:
    """Plain text as a message: braces are doubled, and nothing in it is a link (SARIF 2.1.0, 3.11.5 and 3.11.6)."""
    plain = words.printable(text).replace("{", "{{").replace("}", "}}")
    return {"text": plain.replace("](", "] (")}
