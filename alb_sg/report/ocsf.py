"""Findings as OCSF events, a Compliance Finding (class 2003) on each line (Open Cybersecurity Schema Framework 1.8.0).

| here | compliance.status_id | severity_id | status_id |
|---|---|---|---|
| COMPLIANT | 1 Pass | 1 Informational | 1 New |
| NON_COMPLIANT | 3 Fail | the rule's: 5 Critical, 4 High, 3 Medium, 2 Low | 1 New |
| NOT_APPLICABLE | 99 Other | 1 Informational | 1 New |
| exempt | 99 Other | 1 Informational | 3 Suppressed |
| error | 0 Unknown | 0 Unknown | 1 New |

`finding_info.uid` is the same for all results of a load balancer and rule.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TextIO

from alb_sg import __version__
from alb_sg.estate.resource_types import LOAD_BALANCER_TYPE
from alb_sg.findings.finding import Compliance, EvaluationError, Finding, Result
from alb_sg.observations.results import Results
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME, USER_GUIDE_URL, rule_severity
from alb_sg.recommendations.recommendation import Severity
from alb_sg.report import phrasing
from alb_sg.report.identity import PRODUCT, identity, partition, result_title
from alb_sg.report.json_report import missing_object, unused_field

OCSF_VERSION = "1.8.0"
CLASS_UID, CATEGORY_UID, CREATE_ACTIVITY_ID = 2003, 2, 1
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
NEW: EnumValue = (1, "New")
SUPPRESSED: EnumValue = (3, "Suppressed")


@dataclass(frozen=True, slots=True)
class _EventStatus:
    compliance: EnumValue
    severity: EnumValue
    finding: EnumValue = NEW


def write_ocsf(results: Results, stream: TextIO, as_of: datetime) -> None:
    """An event on each line, findings before errors. `as_of` is the time that the results describe."""
    time = round(as_of.timestamp() * 1000)
    every: list[Result] = [*results.findings, *results.errors]
    stream.writelines(json.dumps(_event_object(result, time, results), ensure_ascii=False) + "\n" for result in every)


def _event_object(result: Result, time: int, results: Results) -> dict[str, Any]:
    status, description = _event_status(result), phrasing.printable(phrasing.describe_result(result))
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
        "activity_id": CREATE_ACTIVITY_ID,
        "activity_name": "Create",
        "type_uid": CLASS_UID * 100 + CREATE_ACTIVITY_ID,
        "type_name": "Compliance Finding: Create",
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
