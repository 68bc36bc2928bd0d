"""Findings in the AWS Security Finding Format, for Security Hub's BatchImportFindings.

Each line is one request, `{"Findings": […]}`, with at most 100 findings of one account and region: the default product
takes findings only in their own account and region.

| here | Compliance.Status | severity | record |
|---|---|---|---|
| COMPLIANT | PASSED | INFORMATIONAL | ACTIVE |
| NON_COMPLIANT | FAILED | the rule's | ACTIVE |
| NOT_APPLICABLE | NOT_AVAILABLE, reason CONFIG_RETURNS_NOT_APPLICABLE | INFORMATIONAL | ARCHIVED |
| exempt | NOT_AVAILABLE, reason ALB_SG_EXEMPT | LOW: it wants no action | ACTIVE |
| error | NOT_AVAILABLE, reason ALB_SG_NOT_JUDGED | as NON_COMPLIANT | ACTIVE |
| failed in an earlier run, and not any more | by the new verdict | by the new verdict | ARCHIVED |

By default, these are NON_COMPLIANT results, errors, and those that close what earlier runs reported: Security Hub
charges for each finding that it takes in. It updates the finding with the same `Id`, which is the load balancer's ARN
and the rule: an error replaces an earlier verdict, and a finding that is fixed or gone is archived. Sources: API
reference of Security Hub, AwsSecurityFinding and BatchImportFindings.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from itertools import groupby
from typing import Any, TextIO

from alb_sg.aws.account_region import ACCOUNT_ID
from alb_sg.findings.finding import Compliance, EvaluationError, Finding, Result
from alb_sg.observations.earlier_results import is_failing
from alb_sg.observations.results import Results
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME, USER_GUIDE_URL, rule_severity
from alb_sg.report import phrasing
from alb_sg.report.formats import FormatOptions
from alb_sg.report.identity import PRODUCT, identity, partition, result_title

SCHEMA_VERSION = "2018-10-08"
FINDING_TYPE = "Software and Configuration Checks/AWS Security Best Practices/Network Reachability"
ACTIVE, ARCHIVED = "ACTIVE", "ARCHIVED"

# BatchImportFindings: findings in a call. AwsSecurityFinding: characters of a title, a description, a
# recommendation and the value of a product field.
MAX_FINDINGS_PER_REQUEST = 100
MAX_TITLE_LENGTH, MAX_DESCRIPTION_LENGTH, MAX_RECOMMENDATION_LENGTH, MAX_FIELD_LENGTH = 256, 1024, 512, 2048


@dataclass(frozen=True, slots=True)
class _FindingStatus:
    compliance: str
    severity: str
    record_state: str = ACTIVE
    reason: str | None = None


def write_asff(results: Results, stream: TextIO, options: FormatOptions) -> Sequence[EvaluationError]:
    """A request on each line, in the order of account and region.

    Returns the errors without an account, which a finding must name.
    """
    earlier = options.earlier
    every = results.all
    if not options.every_verdict:
        every = [result for result in every if is_failing(result) or earlier.is_closed_by(result)]
    every += earlier.gone
    reported = sorted(
        (result for result in every if _has_account_and_region(result)),
        key=lambda result: (*_account_region(result), identity(result)),
    )
    time = options.as_of.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    for _, group in groupby(reported, key=_account_region):
        findings = [_finding_object(one, time, results, is_closed=earlier.is_closed_by(one)) for one in group]
        for start in range(0, len(findings), MAX_FINDINGS_PER_REQUEST):
            request = {"Findings": findings[start : start + MAX_FINDINGS_PER_REQUEST]}
            stream.write(json.dumps(request, ensure_ascii=False) + "\n")
    return [error for error in results.errors if not _has_account_and_region(error)]


def _has_account_and_region(result: Result) -> bool:
    return bool(ACCOUNT_ID.fullmatch(result.account_id) and result.region)


def _account_region(result: Result) -> tuple[str, str]:
    return result.account_id, result.region


def _finding_object(result: Result, time: str, results: Results, *, is_closed: bool) -> dict[str, Any]:
    status, description = _finding_status(result), phrasing.describe_result(result)
    compliance: dict[str, Any] = {"Status": status.compliance}
    if status.reason is not None:
        reason = {"ReasonCode": status.reason, "Description": _truncate(description, MAX_DESCRIPTION_LENGTH)}
        compliance["StatusReasons"] = [reason]
    partition_name = partition(result)
    known = RECOMMENDATIONS_BY_NAME.get(result.rule or "")
    return {
        "SchemaVersion": SCHEMA_VERSION,
        "Id": identity(result),
        "ProductArn": f"arn:{partition_name}:securityhub:{result.region}:{result.account_id}:"
        f"product/{result.account_id}/default",
        "ProductName": PRODUCT,
        "GeneratorId": f"{PRODUCT}/{result.rule}" if result.rule else PRODUCT,
        "AwsAccountId": result.account_id,
        "CreatedAt": time,
        "UpdatedAt": time,
        "Title": _truncate(result_title(result), MAX_TITLE_LENGTH),
        "Description": _truncate(description, MAX_DESCRIPTION_LENGTH),
        "FindingProviderFields": {
            "Severity": {"Label": status.severity, "Original": phrasing.verdict_label(result)},
            "Types": [FINDING_TYPE],
        },
        "Remediation": {
            "Recommendation": {
                "Text": _truncate(_recommendation_text(result, results), MAX_RECOMMENDATION_LENGTH),
                "Url": USER_GUIDE_URL if known is None else known.page_url,
            }
        },
        "ProductFields": {name: _truncate(value, MAX_FIELD_LENGTH) for name, value in _product_fields(result).items()},
        "Resources": [_resource_object(result, partition_name)],
        "Compliance": compliance,
        "RecordState": ARCHIVED if is_closed else status.record_state,
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
            return _FindingStatus("NOT_AVAILABLE", "INFORMATIONAL", ARCHIVED, "CONFIG_RETURNS_NOT_APPLICABLE")


def _recommendation_text(result: Result, results: Results) -> str:
    advice = results.advice_on(result) if isinstance(result, Finding) else ()
    if advice:
        return _join_within_limit(advice, MAX_RECOMMENDATION_LENGTH)
    known = RECOMMENDATIONS_BY_NAME.get(result.rule or "")
    return "Allow the role that judges to read the named data." if known is None else known.requirement_text


def _product_fields(result: Result) -> dict[str, str]:
    """Facts without a field of their own in the format. A value must not be empty."""
    fields = {f"{PRODUCT}/verdict": phrasing.verdict_label(result)}
    if isinstance(result, Finding):
        fields[f"{PRODUCT}/loadBalancerName"] = result.load_balancer_name
        if result.missing:
            fields[f"{PRODUCT}/missing"] = _join_within_limit(
                [phrasing.describe_missing(missing) for missing in result.missing], MAX_FIELD_LENGTH
            )
        if result.unused:
            fields[f"{PRODUCT}/unused"] = _join_within_limit(
                [phrasing.describe_unused(entry) for entry in result.unused], MAX_FIELD_LENGTH
            )
    return fields


def _resource_object(result: Result, partition_name: str) -> dict[str, str]:
    """The load balancer, or the account if an error concerns all of its load balancers."""
    resource = (
        {"Type": "AwsAccount", "Id": f"AWS::::Account:{result.account_id}"}
        if result.load_balancer_arn is None
        else {"Type": "AwsElbv2LoadBalancer", "Id": result.load_balancer_arn}
    )
    return {**resource, "Partition": partition_name, "Region": result.region}


def _join_within_limit(sentences: Sequence[str], limit: int) -> str:
    """As many sentences as the limit allows, and the number of the others."""
    for count in range(len(sentences), 0, -1):
        omitted = len(sentences) - count
        text = "; ".join([*sentences[:count], *([f"+{omitted} more"] if omitted else [])])
        if len(text) <= limit:
            return text
    return sentences[0]


def _truncate(text: str, limit: int) -> str:
    """The printable text within the limit, cut after a word."""
    plain = phrasing.printable(text)
    return plain if len(plain) <= limit else f"{plain[: limit - 1].rsplit(' ', 1)[0]}…"
