"""Findings as OCSF events, a Compliance Finding (class 2003) on each line (Open Cybersecurity Schema Framework 1.8.0).

| here | compliance.status_id | severity_id | status_id |
|---|---|---|---|
| COMPLIANT | 1 Pass | 1 Informational | 1 New |
| NON_COMPLIANT | 3 Fail | 4 High; health checks 3 Medium, Path MTU Discovery 2 Low | 1 New |
| NOT_APPLICABLE | 99 Other | 1 Informational | 1 New |
| exempt | 99 Other | 1 Informational | 3 Suppressed |
| error | 0 Unknown | 0 Unknown | 1 New |

`finding_info.uid` is the same for the same load balancer and rule, whatever is said of them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TextIO

from alb_sg import __version__
from alb_sg.estate.model import LOAD_BALANCER_TYPE
from alb_sg.findings.finding import Compliance, Finding, JudgementError
from alb_sg.recommendations.catalogue import BY_NAME, PAGE
from alb_sg.report import words
from alb_sg.report.identity import PRODUCT, Rank, identity, partition, rank, title
from alb_sg.report.json_report import missing_object
from alb_sg.report.results import Results

Result = Finding | JudgementError

VERSION = "1.8.0"
CLASS, CATEGORY, CREATE = 2003, 2, 1
AWS_ACCOUNT = 10

Id = tuple[int, str]
UNKNOWN: Id = (0, "Unknown")
INFORMATIONAL: Id = (1, "Informational")
SEVERITIES: dict[Rank, Id] = {Rank.HIGH: (4, "High"), Rank.MEDIUM: (3, "Medium"), Rank.LOW: (2, "Low")}
NEW: Id = (1, "New")
SUPPRESSED: Id = (3, "Suppressed")


@dataclass(frozen=True, slots=True)
class _Status:
    compliance: Id
    severity: Id
    finding: Id = NEW


def write_ocsf(results: Results, stream: TextIO, as_of: datetime) -> None:
    """An event on each line, findings before errors. `as_of`: when the results were found out."""
    time = round(as_of.timestamp() * 1000)
    every: list[Result] = [*results.findings, *results.errors]
    stream.writelines(json.dumps(_event(result, time), ensure_ascii=False) + "\n" for result in every)


def _event(result: Result, time: int) -> dict[str, Any]:
    status, said = _status(result), words.printable(_said(result))
    compliance_id, compliance = status.compliance
    severity_id, severity = status.severity
    status_id, finding_status = status.finding
    known = BY_NAME.get(result.rule or "")
    event: dict[str, Any] = {
        "category_uid": CATEGORY,
        "category_name": "Findings",
        "class_uid": CLASS,
        "class_name": "Compliance Finding",
        "activity_id": CREATE,
        "activity_name": "Create",
        "type_uid": CLASS * 100 + CREATE,
        "type_name": "Compliance Finding: Create",
        "time": time,
        "severity_id": severity_id,
        "severity": severity,
        "status_id": status_id,
        "status": finding_status,
        "message": said,
        "metadata": {
            "version": VERSION,
            "profiles": ["cloud"],
            "product": {"name": PRODUCT, "uid": PRODUCT, "vendor_name": PRODUCT, "version": __version__},
        },
        "cloud": _cloud(result),
        "finding_info": {"uid": identity(result), "title": title(result), "desc": said, "product_uid": PRODUCT},
        "compliance": {
            **({} if known is None else {"control": known.name, "desc": known.asks, "requirements": [known.quote]}),
            "standards": [PAGE],
            "status_id": compliance_id,
            "status": compliance,
            "status_code": words.verdict(result),
            "status_details": [said],
        },
    }
    if known is not None:
        event["remediation"] = {"desc": words.printable(_remedy(result, known.asks)), "references": [PAGE]}
    if result.load_balancer_arn is not None:
        event["resources"] = [_resource(result, result.load_balancer_arn)]
    if isinstance(result, Finding):
        missing = [missing_object(missing) for missing in result.missing]
        event["unmapped"] = {"unresolved": result.unresolved, "missing": missing}
    return event


def _status(result: Result) -> _Status:
    if isinstance(result, JudgementError):
        return _Status(UNKNOWN, UNKNOWN)
    if result.exempted is not None:
        return _Status((99, "Exempt"), INFORMATIONAL, SUPPRESSED)
    match result.compliance:
        case Compliance.COMPLIANT:
            return _Status((1, "Pass"), INFORMATIONAL)
        case Compliance.NON_COMPLIANT:
            return _Status((3, "Fail"), SEVERITIES[rank(result.rule)])
        case Compliance.NOT_APPLICABLE:
            return _Status((99, "Not applicable"), INFORMATIONAL)


def _said(result: Result) -> str:
    if isinstance(result, JudgementError):
        return f"{words.what(result)}: {result.cause}"
    return result.annotation if result.exempted is None else f"exempt {words.exemption(result.exempted)}"


def _remedy(result: Result, asks: str) -> str:
    if isinstance(result, Finding) and result.missing:
        return "; ".join(f"Allow {words.missing(missing)}" for missing in result.missing)
    return asks


def _cloud(result: Result) -> dict[str, Any]:
    """Whose load balancer it is; an error may be of no account at all."""
    cloud: dict[str, Any] = {"provider": "AWS", "cloud_partition": partition(result)}
    if result.account_id:
        cloud["account"] = {"uid": result.account_id, "type_id": AWS_ACCOUNT, "type": "AWS Account"}
    if result.region:
        cloud["region"] = result.region
    return cloud


def _resource(result: Result, arn: str) -> dict[str, str]:
    name = {"name": words.printable(result.load_balancer_name)} if isinstance(result, Finding) else {}
    return {
        "uid": arn,
        **name,
        "type": LOAD_BALANCER_TYPE,
        "region": result.region,
        "cloud_partition": partition(result),
    }
