"""Findings as OCSF events, a Compliance Finding (class 2003) on each line (Open Cybersecurity Schema Framework 1.8.0).

| here | compliance.status_id | severity_id | status_id |
|---|---|---|---|
| COMPLIANT | 1 Pass | 1 Informational | 1 New |
| NON_COMPLIANT | 3 Fail | the rule's: 5 Critical, 4 High, 3 Medium, 2 Low | 1 New |
| NOT_APPLICABLE | 99 Other | 1 Informational | 1 New |
| exempt | 99 Other | 1 Informational | 3 Suppressed |
| error | 0 Unknown | 0 Unknown | 1 New |

`finding_info.uid` is the same for all results of a load balancer and rule. The activity compares it
with earlier runs: Create for the first result and for one that fails anew, Close where it failed and does no more
(Resolved) or is gone (Deleted), else Update. Without earlier runs, every activity is Create.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any, TextIO

from alb_sg import __version__
from alb_sg.estate.resource_types import LOAD_BALANCER_TYPE
from alb_sg.findings.finding import Compliance, EvaluationError, Finding, Result
from alb_sg.observations.earlier_results import FAILING, EarlierResults, is_failing
from alb_sg.observations.results import Results
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME, USER_GUIDE_URL, rule_severity
from alb_sg.recommendations.recommendation import Severity
from alb_sg.report import phrasing
from alb_sg.report.formats import FormatOptions
from alb_sg.report.identity import PRODUCT, identity, partition, result_title
from alb_sg.report.json_report import missing_object, unused_field

OCSF_VERSION = "1.8.0"
CLASS_UID, CATEGORY_UID = 2003, 2
AWS_ACCOUNT_TYPE_ID = 10

EnumValue = tuple[int, str]
UNKNOWN: EnumValue = (0, "Unknown")
INFORMATIONAL: EnumValue = (1, "Informational")
SEVERITIES: dict[Severity, EnumValue] = {
    Severity.CRITICAL: (5, "Critical"),
    Severity.HIGH: (4, "High"),
    Severity.MEDIUM: (3, "Medium"),
    Severity.LOW: (2, "Low"),
}
CREATE: EnumValue = (1, "Create")
UPDATE: EnumValue = (2, "Update")
CLOSE: EnumValue = (3, "Close")
NEW: EnumValue = (1, "New")
SUPPRESSED: EnumValue = (3, "Suppressed")
RESOLVED: EnumValue = (4, "Resolved")
DELETED: EnumValue = (6, "Deleted")


@dataclass(frozen=True, slots=True)
class _EventStatus:
    compliance: EnumValue
    severity: EnumValue
    finding: EnumValue = NEW


def write_ocsf(results: Results, stream: TextIO, options: FormatOptions) -> None:
    """An event on each line: findings, errors, and findings that are gone since earlier runs."""
    time = round(options.as_of.timestamp() * 1000)
    events = [(result, _activity(result, options.earlier), _event_status(result)) for result in results.all]
    events += [(finding, CLOSE, replace(_event_status(finding), finding=DELETED)) for finding in options.earlier.gone]
    for result, activity, status in events:
        closed = replace(status, finding=RESOLVED) if activity is CLOSE and status.finding is NEW else status
        event = _event_object(result, time, results, activity, closed)
        stream.write(json.dumps(event, ensure_ascii=False) + "\n")


def _activity(result: Result, earlier: EarlierResults) -> EnumValue:
    status = earlier.status_of(result)
    if earlier.is_closed_by(result):
        return CLOSE
    if status is None or (is_failing(result) and status not in FAILING):
        return CREATE
    return UPDATE


def _event_object(
    result: Result, time: int, results: Results, activity: EnumValue, status: _EventStatus
) -> dict[str, Any]:
    activity_id, activity_name = activity
    description = phrasing.printable(phrasing.describe_result(result))
    compliance_id, compliance = status.compliance
    severity_id, severity = status.severity
    status_id, finding_status = status.finding
    known = RECOMMENDATIONS_BY_NAME.get(result.rule or "")
    advice = list(results.advice_on(result)) if isinstance(result, Finding) else []
    event: dict[str, Any] = {
        "category_uid": CATEGORY_UID,
        "category_name": "Findings",
        "class_uid": CLASS_UID,
        "class_name": "Compliance Finding",
        "activity_id": activity_id,
        "activity_name": activity_name,
        "type_uid": CLASS_UID * 100 + activity_id,
        "type_name": f"Compliance Finding: {activity_name}",
        "time": time,
        "severity_id": severity_id,
        "severity": severity,
        "status_id": status_id,
        "status": finding_status,
        "message": description,
        "metadata": {
            "version": OCSF_VERSION,
            "profiles": ["cloud"],
            "product": {"name": PRODUCT, "uid": PRODUCT, "vendor_name": PRODUCT, "version": __version__},
        },
        "cloud": _cloud_object(result),
        "finding_info": {
            "uid": identity(result),
            "title": result_title(result),
            "desc": description,
            "product_uid": PRODUCT,
        },
        "compliance": {
            **(
                {}
                if known is None
                else {"control": known.name, "desc": known.requirement_text, "requirements": [known.quote]}
            ),
            "standards": [USER_GUIDE_URL],
            "status_id": compliance_id,
            "status": compliance,
            "status_code": phrasing.verdict_label(result),
            "status_details": [description],
        },
    }
    if known is not None:
        event["remediation"] = {
            "desc": phrasing.printable("; ".join(advice) or known.requirement_text),
            "references": [known.page_url],
        }
    if result.load_balancer_arn is not None:
        event["resources"] = [_resource_object(result, result.load_balancer_arn)]
    if isinstance(result, Finding):
        missing = [missing_object(missing) for missing in result.missing]
        event["unmapped"] = {
            "unresolved": result.unresolved,
            "missing": missing,
            **unused_field(result),
            "advice": advice,
        }
    return event


def _event_status(result: Result) -> _EventStatus:
    if isinstance(result, EvaluationError):
        return _EventStatus(UNKNOWN, UNKNOWN)
    if result.applied_exemption is not None:
        return _EventStatus((99, "Exempt"), INFORMATIONAL, SUPPRESSED)
    match result.compliance:
        case Compliance.COMPLIANT:
            return _EventStatus((1, "Pass"), INFORMATIONAL)
        case Compliance.NON_COMPLIANT:
            return _EventStatus((3, "Fail"), SEVERITIES[rule_severity(result.rule)])
        case Compliance.NOT_APPLICABLE:
            return _EventStatus((99, "Not applicable"), INFORMATIONAL)


def _cloud_object(result: Result) -> dict[str, Any]:
    """The account and region of the load balancer. Some errors have neither."""
    cloud: dict[str, Any] = {"provider": "AWS", "cloud_partition": partition(result)}
    if result.account_id:
        cloud["account"] = {"uid": result.account_id, "type_id": AWS_ACCOUNT_TYPE_ID, "type": "AWS Account"}
    if result.region:
        cloud["region"] = result.region
    return cloud


def _resource_object(result: Result, arn: str) -> dict[str, str]:
    name = {"name": phrasing.printable(result.load_balancer_name)} if isinstance(result, Finding) else {}
    return {
        "uid": arn,
        **name,
        "type": LOAD_BALANCER_TYPE,
        "region": result.region,
        "cloud_partition": partition(result),
    }
