"""Exemptions for people and programs: what wants attention first.

As JSON: {"version": 1, "source", "date", "days", "exemptions": [{"accountId", "region", "loadBalancerArn", "rule",
"reason", "owner", "ticket", "expires", "status": "inForce|expiring|expired", "use": "used|unused|unknown", "because"}],
"malformed": [{"place", "loadBalancerArn": … or null, "rule": … or null, "cause"}], "errors": as `check` has them,
"summary": {"inForce", "expiring", "expired", "unused", "unknown", "malformed", "errors"}}

Each exemption has one status; `expiring` ones are in force, too. `unused` and `unknown` count in every status.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TextIO

from alb_sg.exemptions.exemption import MalformedExemption
from alb_sg.exemptions.review import Reviewed, Status, Use
from alb_sg.findings.finding import JudgementError
from alb_sg.report import words
from alb_sg.report.json_report import VERSION, error_object
from alb_sg.report.style import Style


@dataclass(frozen=True)
class ExemptionsReport:
    """The exemptions of a source on a day, those ending within `days` counted as expiring."""

    source: str
    today: date
    days: int
    reviewed: Sequence[Reviewed]
    malformed: Sequence[MalformedExemption]
    errors: Sequence[JudgementError]

    def summary(self) -> dict[str, int]:
        statuses = Counter(one.status for one in self.reviewed)
        uses = Counter(one.use for one in self.reviewed)
        return {
            **{status.value: statuses[status] for status in Status},
            **{use.value: uses[use] for use in (Use.UNUSED, Use.UNKNOWN)},
            "malformed": len(self.malformed),
            "errors": len(self.errors),
        }


def write_exemptions_json(report: ExemptionsReport, stream: TextIO) -> None:
    document = {
        "version": VERSION,
        "source": report.source,
        "date": report.today.isoformat(),
        "days": report.days,
        "exemptions": [_reviewed(one) for one in report.reviewed],
        "malformed": [
            {
                "place": one.place,
                "loadBalancerArn": one.load_balancer_arn,
                "rule": one.rule,
                "cause": one.message,
            }
            for one in report.malformed
        ],
        "errors": [error_object(error) for error in report.errors],
        "summary": report.summary(),
    }
    stream.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")


def _reviewed(one: Reviewed) -> dict[str, Any]:
    exemption = one.exemption
    return {
        "accountId": exemption.home.account_id,
        "region": exemption.home.region,
        "loadBalancerArn": exemption.load_balancer_arn,
        "rule": exemption.rule,
        "reason": exemption.reason,
        "owner": exemption.owner,
        "ticket": exemption.ticket,
        "expires": exemption.expires.isoformat(),
        "status": one.status.value,
        "use": one.use.value,
        "because": one.because,
    }


def write_exemptions(report: ExemptionsReport, stream: TextIO, style: Style) -> None:
    stream.writelines(line + "\n" for line in _lines(report, style))


def _lines(report: ExemptionsReport, style: Style) -> Iterator[str]:
    for error in report.errors:
        yield f"{style.doubtful('ERROR')}  {words.printable(f'{words.what(error)}: {error.cause}')}"
    if report.errors:
        yield ""
    if report.malformed:
        yield style.bad("MALFORMED: hides nothing")
        for malformed in report.malformed:
            yield f"  {malformed.place}  {words.printable(str(malformed))}"
        yield ""
    groups = (
        (style.bad("EXPIRED: hides nothing"), [one for one in report.reviewed if one.status is Status.EXPIRED]),
        (
            style.doubtful(f"EXPIRING within {words.counted(report.days, 'day')}"),
            [one for one in report.reviewed if one.status is Status.EXPIRING],
        ),
        (
            style.doubtful("UNUSED: in force, and there is nothing to hide"),
            [one for one in report.reviewed if one.status is Status.IN_FORCE and one.use is Use.UNUSED],
        ),
        ("IN FORCE", [one for one in report.reviewed if one.status is Status.IN_FORCE and one.use is not Use.UNUSED]),
    )
    for title, reviewed in groups:
        if reviewed:
            yield title
            for one in reviewed:
                yield from _exemption(one, report.today, style)
            yield ""
    yield _summary(report)


def _exemption(one: Reviewed, today: date, style: Style) -> Iterator[str]:
    exemption = one.exemption
    name = exemption.load_balancer_arn.split("/")[-2]
    yield (
        f"  {style.bold(name)}  {exemption.home}  {exemption.rule}  {_expiry(exemption.expires, today)}  "
        f"{words.printable(f'{exemption.owner} ({exemption.ticket})')}"
    )
    yield f"      {words.printable(exemption.reason)}"
    use = "" if one.use is Use.USED else f"{one.use.value}: "
    yield f"      {use}{words.printable(one.because)}"
    yield f"      {style.dim(exemption.load_balancer_arn)}"


def _expiry(expires: date, today: date) -> str:
    left = (expires - today).days
    if left == 0:
        return f"ends today ({expires})"
    if left < 0:
        return f"expired {expires}, {words.counted(-left, 'day')} ago"
    return f"until {expires}, {words.counted(left, 'day')} left"


def _summary(report: ExemptionsReport) -> str:
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
        f"{words.printable(report.source)} on {report.today}: {words.counted(total, 'exemption')}: {', '.join(parts)}."
    )
