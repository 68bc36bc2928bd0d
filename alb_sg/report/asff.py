"""Findings in the AWS Security Finding Format, for Security Hub's BatchImportFindings.

Each line is one request, `{"Findings": […]}`: at most 100 findings, of one account and region, because the default
product takes findings from the account and in the region that they are of.

| here | Compliance.Status | severity | record |
|---|---|---|---|
| COMPLIANT | PASSED | INFORMATIONAL | ACTIVE |
| NON_COMPLIANT | FAILED | HIGH; health checks MEDIUM, Path MTU Discovery LOW | ACTIVE |
| NOT_APPLICABLE | NOT_AVAILABLE, reason CONFIG_RETURNS_NOT_APPLICABLE | INFORMATIONAL | ARCHIVED |
| exempt | NOT_AVAILABLE, reason ALB_SG_EXEMPT | LOW: it wants no action | ACTIVE |
| error | NOT_AVAILABLE, reason ALB_SG_NOT_JUDGED | as NON_COMPLIANT | ACTIVE |

Security Hub updates what has the same `Id`, which is the load balancer's ARN and the rule: an error takes the place of
the verdict before it. Sources: API reference of Security Hub, AwsSecurityFinding and BatchImportFindings.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, TextIO

from alb_sg.estate.home import ACCOUNT_ID
from alb_sg.findings.finding import Compliance, Finding, JudgementError
from alb_sg.recommendations.catalogue import BY_NAME, PAGE
from alb_sg.report import words
from alb_sg.report.identity import PRODUCT, identity, partition, rank, title
from alb_sg.report.results import Results

Result = Finding | JudgementError

SCHEMA_VERSION = "2018-10-08"
FINDING_TYPE = "Software and Configuration Checks/AWS Security Best Practices/Network Reachability"

# BatchImportFindings: findings in a call. AwsSecurityFinding: characters of a title, a description, a
# recommendation and the value of a product field.
MOST_FINDINGS = 100
TITLE, DESCRIPTION, RECOMMENDATION, FIELD = 256, 1024, 512, 2048


@dataclass(frozen=True, slots=True)
class _Status:
    compliance: str
    severity: str
    record: str = "ACTIVE"
    reason: str | None = None


def write_asff(results: Results, stream: TextIO, as_of: datetime) -> Sequence[JudgementError]:
    """A request on each line, in the order of account and region. Returns the errors that no account has: a finding
    must name one. `as_of`: when the results were found out."""
    every: list[Result] = [*results.findings, *results.errors]
    placed = sorted(
        (result for result in every if _has_place(result)), key=lambda result: (*_home(result), _id(result))
    )
    time = as_of.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    for _, found in groupby(placed, key=_home):
        for batch in _batches(found):
            request = {"Findings": [_finding(result, time) for result in batch]}
            stream.write(json.dumps(request, ensure_ascii=False) + "\n")
    return [error for error in results.errors if not _has_place(error)]


def _has_place(result: Result) -> bool:
    return bool(ACCOUNT_ID.fullmatch(result.account_id) and result.region)


def _home(result: Result) -> tuple[str, str]:
    return result.account_id, result.region


def _id(result: Result) -> str:
    return identity(result)


def _batches(results: Iterable[Result]) -> Iterator[list[Result]]:
    every = list(results)
    for start in range(0, len(every), MOST_FINDINGS):
        yield every[start : start + MOST_FINDINGS]


def _finding(result: Result, time: str) -> dict[str, Any]:
    status, said = _status(result), _said(result)
    compliance: dict[str, Any] = {"Status": status.compliance}
    if status.reason is not None:
        reason = {"ReasonCode": status.reason, "Description": _fit(said, DESCRIPTION)}
        compliance["StatusReasons"] = [reason]
    of = partition(result)
    return {
        "SchemaVersion": SCHEMA_VERSION,
        "Id": identity(result),
        "ProductArn": f"arn:{of}:securityhub:{result.region}:{result.account_id}:product/{result.account_id}/default",
        "ProductName": PRODUCT,
        "GeneratorId": f"{PRODUCT}/{result.rule}" if result.rule else PRODUCT,
        "AwsAccountId": result.account_id,
        "CreatedAt": time,
        "UpdatedAt": time,
        "Title": _fit(title(result), TITLE),
        "Description": _fit(said, DESCRIPTION),
        "FindingProviderFields": {
            "Severity": {"Label": status.severity, "Original": words.verdict(result)},
            "Types": [FINDING_TYPE],
        },
        "Remediation": {"Recommendation": {"Text": _fit(_recommendation(result), RECOMMENDATION), "Url": PAGE}},
        "ProductFields": {name: _fit(value, FIELD) for name, value in _fields(result).items()},
        "Resources": [_resource(result, of)],
        "Compliance": compliance,
        "RecordState": status.record,
    }


def _status(result: Result) -> _Status:
    rank_name = rank(result.rule).name
    if isinstance(result, JudgementError):
        return _Status("NOT_AVAILABLE", rank_name, reason="ALB_SG_NOT_JUDGED")
    if result.exempted is not None:
        return _Status("NOT_AVAILABLE", "LOW", reason="ALB_SG_EXEMPT")
    match result.compliance:
        case Compliance.COMPLIANT:
            return _Status("PASSED", "INFORMATIONAL")
        case Compliance.NON_COMPLIANT:
            return _Status("FAILED", rank_name)
        case Compliance.NOT_APPLICABLE:
            return _Status("NOT_AVAILABLE", "INFORMATIONAL", "ARCHIVED", "CONFIG_RETURNS_NOT_APPLICABLE")


def _said(result: Result) -> str:
    if isinstance(result, JudgementError):
        return f"{words.what(result)}: {result.cause}"
    if result.exempted is not None:
        return f"exempt {words.exemption(result.exempted)}"
    return result.annotation or result.compliance.value


def _recommendation(result: Result) -> str:
    if isinstance(result, Finding) and result.missing:
        return _some([f"Allow {words.missing(missing)}" for missing in result.missing], RECOMMENDATION)
    known = BY_NAME.get(result.rule or "")
    return "Let whoever judges read what is named." if known is None else known.asks


def _fields(result: Result) -> dict[str, str]:
    """What has no field of its own. A value must not be empty."""
    fields = {f"{PRODUCT}/verdict": words.verdict(result)}
    if isinstance(result, Finding):
        fields[f"{PRODUCT}/loadBalancerName"] = result.load_balancer_name
        if result.missing:
            fields[f"{PRODUCT}/missing"] = _some([words.missing(missing) for missing in result.missing], FIELD)
    return fields


def _resource(result: Result, of: str) -> dict[str, str]:
    """The load balancer; the account where an error is of all of them."""
    what = (
        {"Type": "AwsAccount", "Id": f"AWS::::Account:{result.account_id}"}
        if result.load_balancer_arn is None
        else {"Type": "AwsElbv2LoadBalancer", "Id": result.load_balancer_arn}
    )
    return {**what, "Partition": of, "Region": result.region}


def _some(sentences: Sequence[str], limit: int) -> str:
    """As many sentences as there is room for, and how many more there are."""
    for kept in range(len(sentences), 0, -1):
        left_out = len(sentences) - kept
        text = "; ".join([*sentences[:kept], *([f"+{left_out} more"] if left_out else [])])
        if len(text) <= limit:
            return text
    return sentences[0]


def _fit(text: str, limit: int) -> str:
    """The text within so many characters, cut after a word."""
    plain = words.printable(text)
    return plain if len(plain) <= limit else f"{plain[: limit - 1].rsplit(' ', 1)[0]}…"
