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

Security Hub updates what has the same `EnumValue`, which is the load balancer's ARN and the rule: an error takes the
place of the verdict before it. Sources: API reference of Security Hub, AwsSecurityFinding and BatchImportFindings.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, TextIO

from alb_sg.aws.account_region import ACCOUNT_ID
from alb_sg.findings.finding import Compliance, EvaluationError, Finding
from alb_sg.observations.results import Results
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME, USER_GUIDE_URL, rule_severity
from alb_sg.report import phrasing
from alb_sg.report.identity import PRODUCT, identity, partition, result_title

Result = Finding | EvaluationError

SCHEMA_VERSION = "2018-10-08"
FINDING_TYPE = "Software and Configuration Checks/AWS Security Best Practices/Network Reachability"

# BatchImportFindings: findings in a call. AwsSecurityFinding: characters of a title, a description, a
# recommendation and the value of a product field.
MAX_FINDINGS_PER_REQUEST = 100
MAX_TITLE_LENGTH, MAX_DESCRIPTION_LENGTH, MAX_RECOMMENDATION_LENGTH, MAX_FIELD_LENGTH = 256, 1024, 512, 2048


@dataclass(frozen=True, slots=True)
class _FindingStatus:
    compliance: str
    severity: str
    record_state: str = "ACTIVE"
    reason: str | None = None


def write_asff(results: Results, stream: TextIO, as_of: datetime) -> Sequence[EvaluationError]:
    """A request on each line, in the order of account and region. Returns the errors that no account has: a finding
    must name one. `as_of`: when the results were found out."""
    every: list[Result] = [*results.findings, *results.errors]
    placed = sorted(
        (result for result in every if _has_account_and_region(result)),
        key=lambda result: (*_account_region(result), _id(result)),
    )
    time = as_of.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    for _, found in groupby(placed, key=_account_region):
        for batch in _batches(found):
            request = {"Findings": [_finding_object(result, time) for result in batch]}
            stream.write(json.dumps(request, ensure_ascii=False) + "\n")
    return [error for error in results.errors if not _has_account_and_region(error)]


def _has_account_and_region(result: Result) -> bool:
    return bool(ACCOUNT_ID.fullmatch(result.account_id) and result.region)


def _account_region(result: Result) -> tuple[str, str]:
    return result.account_id, result.region


def _id(result: Result) -> str:
    return identity(result)


def _batches(results: Iterable[Result]) -> Iterator[list[Result]]:
    every = list(results)
    for start in range(0, len(every), MAX_FINDINGS_PER_REQUEST):
        yield every[start : start + MAX_FINDINGS_PER_REQUEST]


def _finding_object(result: Result, time: str) -> dict[str, Any]:
    status, said = _finding_status(result), _description(result)
    compliance: dict[str, Any] = {"Status": status.compliance}
    if status.reason is not None:
        reason = {"ReasonCode": status.reason, "Description": _truncate(said, MAX_DESCRIPTION_LENGTH)}
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
        "Title": _truncate(result_title(result), MAX_TITLE_LENGTH),
        "Description": _truncate(said, MAX_DESCRIPTION_LENGTH),
        "FindingProviderFields": {
            "Severity": {"Label": status.severity, "Original": phrasing.verdict_label(result)},
            "Types": [FINDING_TYPE],
        },
        "Remediation": {
            "Recommendation": {
                "Text": _truncate(_recommendation_text(result), MAX_RECOMMENDATION_LENGTH),
                "Url": USER_GUIDE_URL,
            }
        },
        "ProductFields": {name: _truncate(value, MAX_FIELD_LENGTH) for name, value in _product_fields(result).items()},
        "Resources": [_resource_object(result, of)],
        "Compliance": compliance,
        "RecordState": status.record_state,
    }


def _finding_status(result: Result) -> _FindingStatus:
    severity = rule_severity(result.rule).name
    if isinstance(result, EvaluationError):
        return _FindingStatus("NOT_AVAILABLE", severity, reason="ALB_SG_NOT_JUDGED")
    if result.applied_exemption is not None:
        return _FindingStatus("NOT_AVAILABLE", "LOW", reason="ALB_SG_EXEMPT")
    match result.compliance:
        case Compliance.COMPLIANT:
            return _FindingStatus("PASSED", "INFORMATIONAL")
        case Compliance.NON_COMPLIANT:
            return _FindingStatus("FAILED", severity)
        case Compliance.NOT_APPLICABLE:
            return _FindingStatus("NOT_AVAILABLE", "INFORMATIONAL", "ARCHIVED", "CONFIG_RETURNS_NOT_APPLICABLE")


def _description(result: Result) -> str:
    if isinstance(result, EvaluationError):
        return f"{phrasing.error_subject(result)}: {result.cause}"
    if result.applied_exemption is not None:
        return f"exempt {phrasing.describe_exemption(result.applied_exemption)}"
    return result.annotation or result.compliance.value


def _recommendation_text(result: Result) -> str:
    if isinstance(result, Finding) and result.missing:
        return _join_within_limit(
            [f"Allow {phrasing.describe_missing(missing)}" for missing in result.missing], MAX_RECOMMENDATION_LENGTH
        )
    known = RECOMMENDATIONS_BY_NAME.get(result.rule or "")
    return "Let whoever judges read what is named." if known is None else known.requirement_text


def _product_fields(result: Result) -> dict[str, str]:
    """What has no field of its own. A value must not be empty."""
    fields = {f"{PRODUCT}/verdict": phrasing.verdict_label(result)}
    if isinstance(result, Finding):
        fields[f"{PRODUCT}/loadBalancerName"] = result.load_balancer_name
        if result.missing:
            fields[f"{PRODUCT}/missing"] = _join_within_limit(
                [phrasing.describe_missing(missing) for missing in result.missing], MAX_FIELD_LENGTH
            )
    return fields


def _resource_object(result: Result, partition_name: str) -> dict[str, str]:
    """The load balancer; the account where an error is of all of them."""
    what = (
        {"Type": "AwsAccount", "Id": f"AWS::::Account:{result.account_id}"}
        if result.load_balancer_arn is None
        else {"Type": "AwsElbv2LoadBalancer", "Id": result.load_balancer_arn}
    )
    return {**what, "Partition": partition_name, "Region": result.region}


def _join_within_limit(sentences: Sequence[str], limit: int) -> str:
    """As many sentences as there is room for, and how many more there are."""
    for kept in range(len(sentences), 0, -1):
        left_out = len(sentences) - kept
        text = "; ".join([*sentences[:kept], *([f"+{left_out} more"] if left_out else [])])
        if len(text) <= limit:
            return text
    return sentences[0]


def _truncate(text: str, limit: int) -> str:
    """The text within so many characters, cut after a word."""
    plain = phrasing.printable(text)
    return plain if len(plain) <= limit else f"{plain[: limit - 1].rsplit(' ', 1)[0]}…"
