"""The numbers on top of the page, from its data: what the page's own script counts anew for every filter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from alb_sg.dashboard.changes import VerdictChange
from alb_sg.observations.ranking import INTERNET_FACING, VerdictStatus

PageData = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ComplianceCounts:
    """Load balancers: with a NON_COMPLIANT verdict, facing the internet among those (or of unknown scheme), with
    something not judged, exempt from something, and with all in order: every rule has a verdict, and none asks for
    more. `change`: those NON_COMPLIANT now less those before, as far as both were looked at; None without an earlier
    run.
    """

    total: int
    non_compliant: int
    internet_facing: int
    unknown_scheme: int
    not_judged: int
    exempt: int
    compliant: int
    change: int | None


def count_compliance(document: PageData) -> ComplianceCounts:
    found = [(one, {verdict["status"] for verdict in one["verdicts"]}) for one in document["loadBalancers"]]
    bad = [one for one, statuses in found if VerdictStatus.NON_COMPLIANT.value in statuses]
    return ComplianceCounts(
        total=len(found),
        non_compliant=len(bad),
        internet_facing=sum(one["scheme"] == INTERNET_FACING for one in bad),
        unknown_scheme=sum(one["scheme"] == "unknown" for one in bad),
        not_judged=_count_with_status(VerdictStatus.ERROR, found),
        exempt=_count_with_status(VerdictStatus.EXEMPT, found),
        compliant=sum(
            VerdictStatus.COMPLIANT.value in statuses
            and statuses <= {VerdictStatus.COMPLIANT.value, VerdictStatus.NOT_APPLICABLE.value}
            and len(one["verdicts"]) == len(document["rules"])
            for one, statuses in found
        ),
        change=None if document["lastRun"] is None else _non_compliant_change(document),
    )


def worst_findings(document: PageData, limit: int) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """The worst findings, each a load balancer with a verdict."""
    return sorted(_open_findings(document), key=lambda pair: pair[1]["rank"])[:limit]


def count_open_findings(document: PageData) -> int:
    return sum(1 for _ in _open_findings(document))


def _open_findings(document: PageData) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """What wants something done: NON_COMPLIANT, or not judged."""
    for one in document["loadBalancers"]:
        for verdict in one["verdicts"]:
            if verdict["status"] in (VerdictStatus.NON_COMPLIANT.value, VerdictStatus.ERROR.value):
                yield one, verdict


def _count_with_status(status: VerdictStatus, found: Iterable[tuple[Any, set[str]]]) -> int:
    return sum(status.value in statuses for _, statuses in found)


def _non_compliant_change(document: PageData) -> int:
    before = {one["arn"] for one in document["gone"]}
    now = set()
    for one in document["loadBalancers"]:
        for verdict in one["verdicts"]:
            was_bad = verdict.get("was") == VerdictStatus.NON_COMPLIANT.value
            if was_bad:
                before.add(one["arn"])
            first_look = verdict.get("change") == VerdictChange.FIRST_SEEN.value
            # What could not be judged is what it was.
            unknown = verdict["status"] == VerdictStatus.ERROR.value and was_bad
            if unknown or (verdict["status"] == VerdictStatus.NON_COMPLIANT.value and not first_look):
                now.add(one["arn"])
    return len(now) - len(before)
