"""The counts at the top of the page and its worst findings, from the page's data.

They stand in the markup, for readers without JavaScript. The page's script counts the same again for each filter
(assets/counts.js). Neither can take the other's place: the markup has no filters, and the data has no count for each
of them. Tests hold both against a third, plain count (tests/dashboard/recount.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from alb_sg.dashboard.changes import VerdictChange
from alb_sg.observations.ranking import INTERNET_FACING, VerdictStatus

PageData = Mapping[str, Any]

NON_COMPLIANT, ERROR = VerdictStatus.NON_COMPLIANT.value, VerdictStatus.ERROR.value
EXEMPT, COMPLIANT = VerdictStatus.EXEMPT.value, VerdictStatus.COMPLIANT.value
NOT_APPLICABLE = VerdictStatus.NOT_APPLICABLE.value


@dataclass(frozen=True, slots=True)
class ComplianceCounts:
    """Numbers of load balancers.

    `non_compliant` have a NON_COMPLIANT verdict; `internet_facing` and `unknown_scheme` count among those.
    `not_judged` have an error, `exempt` an exemption. `compliant` have a verdict of every rule, one of them COMPLIANT
    and the others COMPLIANT or NOT_APPLICABLE. `change` is the number of NON_COMPLIANT ones less that of earlier runs,
    where both were judged; None without an earlier run.
    """

    total: int
    non_compliant: int
    internet_facing: int
    unknown_scheme: int
    not_judged: int
    exempt: int
    compliant: int
    change: int | None


def count_compliance(page_data: PageData) -> ComplianceCounts:
    judged = [
        (load_balancer, {verdict["status"] for verdict in load_balancer["verdicts"]})
        for load_balancer in page_data["loadBalancers"]
    ]
    non_compliant = [load_balancer for load_balancer, statuses in judged if NON_COMPLIANT in statuses]
    return ComplianceCounts(
        total=len(judged),
        non_compliant=len(non_compliant),
        internet_facing=sum(load_balancer["scheme"] == INTERNET_FACING for load_balancer in non_compliant),
        unknown_scheme=sum(load_balancer["scheme"] == "unknown" for load_balancer in non_compliant),
        not_judged=sum(ERROR in statuses for _, statuses in judged),
        exempt=sum(EXEMPT in statuses for _, statuses in judged),
        compliant=sum(
            COMPLIANT in statuses
            and statuses <= {COMPLIANT, NOT_APPLICABLE}
            and len(load_balancer["verdicts"]) == len(page_data["rules"])
            for load_balancer, statuses in judged
        ),
        change=None if page_data["lastRun"] is None else _non_compliant_change(page_data),
    )


def count_without_verdict(page_data: PageData) -> int:
    """The number of load balancers that no rule has a result of, not even an error."""
    expected: int = page_data["coverage"]["loadBalancers"]
    return max(expected - len(page_data["loadBalancers"]), 0)


def is_compliance_known(page_data: PageData) -> bool:
    """Whether any load balancer has a verdict, or everything was read and there is none.

    Otherwise a count of zero would say that nothing is non-compliant.
    """
    if page_data["loadBalancers"]:
        return any(verdict["status"] != ERROR for found in page_data["loadBalancers"] for verdict in found["verdicts"])
    read = any(account_region["heard"] for account_region in page_data["coverage"]["homes"])
    return read and not count_without_verdict(page_data) and not page_data["errors"]


def worst_findings(page_data: PageData, limit: int) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """The worst findings, each a load balancer with a verdict."""
    return sorted(_open_findings(page_data), key=lambda pair: pair[1]["rank"])[:limit]


def count_open_findings(page_data: PageData) -> int:
    return sum(1 for _ in _open_findings(page_data))


def _open_findings(page_data: PageData) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """The verdicts that need work: NON_COMPLIANT, or not judged."""
    for load_balancer in page_data["loadBalancers"]:
        for verdict in load_balancer["verdicts"]:
            if verdict["status"] in (NON_COMPLIANT, ERROR):
                yield load_balancer, verdict


def _non_compliant_change(page_data: PageData) -> int:
    before = {gone["arn"] for gone in page_data["gone"]}
    now = set()
    for load_balancer in page_data["loadBalancers"]:
        for verdict in load_balancer["verdicts"]:
            was_non_compliant = verdict.get("was") == NON_COMPLIANT
            if was_non_compliant:
                before.add(load_balancer["arn"])
            # A verdict that could not be judged keeps its last status.
            unchanged = verdict["status"] == ERROR and was_non_compliant
            first_seen = verdict.get("change") == VerdictChange.FIRST_SEEN.value
            if unchanged or (verdict["status"] == NON_COMPLIANT and not first_seen):
                now.add(load_balancer["arn"])
    return len(now) - len(before)
