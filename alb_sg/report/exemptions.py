"""Reviewed exemptions for people and programs. The text begins with those that need attention.

As JSON: {"version": 1, "source", "date", "days", "exemptions": [{"accountId", "region", "loadBalancerArn", "rule",
"reason", "owner", "ticket", "expires", "ports", "status": "inForce|expiring|expired", "use": "used|unused|unknown",
"because"}],
"malformed": [{"place", "loadBalancerArn": … or null, "rule": … or null, "cause"}], "errors": as `check` has them,
"summary": {"inForce", "expiring", "expired", "unused", "unknown", "malformed", "errors"}}

Each exemption has one status; `expiring` ones are in force as well. `unused` and `unknown` count exemptions of every
status.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from alb_sg.aws.arns import load_balancer_name
from alb_sg.findings.exemption_review import ExemptionStatus, ExemptionUse, ReviewedExemption
from alb_sg.observations.exemptions_report import ExemptionsReport
from alb_sg.report import phrasing
from alb_sg.report.json_report import JSON_VERSION, error_object, exemption_fields
from alb_sg.report.style import Style


def exemptions_document(report: ExemptionsReport) -> dict[str, Any]:
    return {
        "version": JSON_VERSION,
        "source": report.document_name,
        "date": report.today.isoformat(),
        "days": report.expiring_days,
        "exemptions": [_exemption_object(reviewed) for reviewed in report.reviewed],
        "malformed": [
            {
                "place": malformed.place,
                "loadBalancerArn": malformed.load_balancer_arn,
                "rule": malformed.rule,
                "cause": malformed.message,
            }
            for malformed in report.malformed
        ],
        "errors": [error_object(error) for error in report.errors],
        "summary": report.summary(),
    }


def _exemption_object(reviewed: ReviewedExemption) -> dict[str, Any]:
    exemption = reviewed.exemption
    return {
        "accountId": exemption.account_region.account_id,
        "region": exemption.account_region.region,
        "loadBalancerArn": exemption.load_balancer_arn,
        "rule": exemption.rule,
        **exemption_fields(exemption),
        "ports": list(exemption.ports),
        "status": reviewed.status.value,
        "use": reviewed.use.value,
        "because": reviewed.reason,
    }


def exemptions_lines(report: ExemptionsReport, style: Style) -> Iterator[str]:
    for error in report.errors:
        yield f"{style.warning('ERROR')}  {phrasing.printable(phrasing.describe_error(error))}"
    if report.errors:
        yield ""
    if report.malformed:
        yield style.bad("MALFORMED: hides nothing")
        for malformed in report.malformed:
            yield f"  {malformed.place}  {phrasing.printable(str(malformed))}"
        yield ""
    for title, group in _groups(report, style):
        if group:
            yield title
            for reviewed in group:
                yield from _exemption_lines(reviewed, report.today, style)
            yield ""
    yield _summary_line(report)


def _groups(report: ExemptionsReport, style: Style) -> Iterator[tuple[str, list[ReviewedExemption]]]:
    by_status: dict[ExemptionStatus, list[ReviewedExemption]] = {status: [] for status in ExemptionStatus}
    for reviewed in report.reviewed:
        by_status[reviewed.status].append(reviewed)
    in_force = by_status[ExemptionStatus.IN_FORCE]
    yield style.bad("EXPIRED: hides nothing"), by_status[ExemptionStatus.EXPIRED]
    days = phrasing.pluralize(report.expiring_days, "day")
    yield style.warning(f"EXPIRING within {days}"), by_status[ExemptionStatus.EXPIRING]
    unused = [reviewed for reviewed in in_force if reviewed.use is ExemptionUse.UNUSED]
    yield style.warning("UNUSED: in force, and there is nothing to hide"), unused
    yield "IN FORCE", [reviewed for reviewed in in_force if reviewed.use is not ExemptionUse.UNUSED]


def _exemption_lines(reviewed: ReviewedExemption, today: date, style: Style) -> Iterator[str]:
    exemption = reviewed.exemption
    name = load_balancer_name(exemption.load_balancer_arn)
    ports = f" port {', '.join(map(str, exemption.ports))}" if exemption.ports else ""
    yield (
        f"  {style.bold(name)}  {exemption.account_region}  {exemption.rule}{ports}  "
        f"{_describe_expiry(exemption.expires, today)}  "
        f"{phrasing.printable(f'{exemption.owner} ({exemption.ticket})')}"
    )
    yield f"      {phrasing.printable(exemption.reason)}"
    use = "" if reviewed.use is ExemptionUse.USED else f"{reviewed.use.value}: "
    yield f"      {use}{phrasing.printable(reviewed.reason)}"
    yield f"      {style.dim(exemption.load_balancer_arn)}"


def _describe_expiry(expires: date, today: date) -> str:
    days = (expires - today).days
    if days == 0:
        return f"ends today ({expires})"
    if days < 0:
        return f"expired {expires}, {phrasing.pluralize(-days, 'day')} ago"
    return f"until {expires}, {phrasing.pluralize(days, 'day')} left"


def _summary_line(report: ExemptionsReport) -> str:
    counts = report.summary()
    in_force = counts["inForce"] + counts["expiring"]
    parts = [
        f"{in_force:,} in force",
        f"{counts['expiring']:,} of them expiring",
        f"{counts['expired']:,} expired",
        f"{counts['unused']:,} unused",
    ]
    if counts["unknown"]:
        parts.append(f"{counts['unknown']:,} not looked at or not judged")
    if counts["malformed"]:
        parts.append(f"{counts['malformed']:,} malformed")
    total = len(report.reviewed) + len(report.malformed)
    return (
        f"{phrasing.printable(report.document_name)} on {report.today}: "
        f"{phrasing.pluralize(total, 'exemption')}: {', '.join(parts)}."
    )
