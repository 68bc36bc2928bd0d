"""The counts at the top of the page and its worst findings, from the page's data.

They stand in the markup, for readers without JavaScript. The page's script counts the same again for each filter
(assets/counts.js). Neither can take the other's place: the markup has no filters, and the data has no count for each
of them. Tests hold both against a third, plain count (tests/dashboard/recount.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
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
    """Numbers of load balancers. Each counts once: as non-compliant, not judged, exempt, compliant or not applicable.

    `judged` are the non-compliant, exempt and compliant ones. `not_judged` lack the verdict of a rule, and no rule
    found them non-compliant. `not_applicable` have no rule that applies, such as Network Load Balancers.
    `internet_facing` and `unknown_scheme` count among the non-compliant ones, `unreachable` among the internet-facing
    ones: they lack a rule without which requests do not arrive. `change` is the number of NON_COMPLIANT ones less that
    of earlier runs, where both were judged; None without an earlier run.
    """

    judged: int
    non_compliant: int
    internet_facing: int
    unreachable: int
    unknown_scheme: int
    not_judged: int
    exempt: int
    compliant: int
    not_applicable: int
    change: int | None
    first_seen: int

    @property
    def compliant_percent(self) -> int | None:
        """Rounded down, so that 100 means all; None where nothing was judged."""
        return 100 * self.compliant // self.judged if self.judged else None


def load_balancer_status(load_balancer: Mapping[str, Any], rule_count: int) -> str:
    """The status that a load balancer counts as. One without a verdict of each rule is not compliant."""
    statuses = {verdict["status"] for verdict in load_balancer["verdicts"]}
    if NON_COMPLIANT in statuses:
        return NON_COMPLIANT
    if ERROR in statuses or len(load_balancer["verdicts"]) < rule_count:
        return ERROR
    return next(status for status in (EXEMPT, COMPLIANT, NOT_APPLICABLE) if status in statuses)


def count_compliance(page_data: PageData) -> ComplianceCounts:
    load_balancers = page_data["loadBalancers"]
    rule_count = len(page_data["rules"])
    statuses = [load_balancer_status(load_balancer, rule_count) for load_balancer in load_balancers]
    counts = Counter(statuses)
    interrupting = {rule["name"] for rule in page_data["rules"] if rule["interruptsRequests"]}
    non_compliant = [
        load_balancer for load_balancer, status in zip(load_balancers, statuses, strict=True) if status == NON_COMPLIANT
    ]
    internet_facing = [load_balancer for load_balancer in non_compliant if load_balancer["scheme"] == INTERNET_FACING]
    change, first_seen = (None, 0) if page_data["lastRun"] is None else _non_compliant_change(page_data)
    return ComplianceCounts(
        judged=counts[NON_COMPLIANT] + counts[EXEMPT] + counts[COMPLIANT],
        non_compliant=len(non_compliant),
        internet_facing=len(internet_facing),
        unreachable=sum(_is_interrupted(load_balancer, interrupting) for load_balancer in internet_facing),
        unknown_scheme=sum(load_balancer["scheme"] == "unknown" for load_balancer in non_compliant),
        not_judged=counts[ERROR],
        exempt=counts[EXEMPT],
        compliant=counts[COMPLIANT],
        not_applicable=counts[NOT_APPLICABLE],
        change=change,
        first_seen=first_seen,
    )


def _is_interrupted(load_balancer: Mapping[str, Any], interrupting: set[str]) -> bool:
    return any(
        verdict["status"] == NON_COMPLIANT and verdict["rule"] in interrupting for verdict in load_balancer["verdicts"]
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


def open_findings(page_data: PageData) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """The verdicts that need work, NON_COMPLIANT or not judged, each with its load balancer: the worst first, by rank,
    then those with most targets."""
    found = [
        (load_balancer, verdict)
        for load_balancer in page_data["loadBalancers"]
        for verdict in load_balancer["verdicts"]
        if verdict["status"] in (NON_COMPLIANT, ERROR)
    ]
    return sorted(found, key=lambda pair: (pair[1]["rank"], -(pair[0]["targets"] or 0)))


def _non_compliant_change(page_data: PageData) -> tuple[int, int]:
    """The change since earlier runs, and how many are non-compliant in verdicts alone that are first seen."""
    before = {gone["arn"] for gone in page_data["gone"]}
    now, all_now = set(), set()
    for load_balancer in page_data["loadBalancers"]:
        for verdict in load_balancer["verdicts"]:
            was_non_compliant = verdict.get("was") == NON_COMPLIANT
            if was_non_compliant:
                before.add(load_balancer["arn"])
            # A verdict that could not be judged keeps its last status.
            unchanged = verdict["status"] == ERROR and was_non_compliant
            if verdict["status"] == NON_COMPLIANT:
                all_now.add(load_balancer["arn"])
            first_seen = verdict.get("change") == VerdictChange.FIRST_SEEN.value
            if unchanged or (verdict["status"] == NON_COMPLIANT and not first_seen):
                now.add(load_balancer["arn"])
    return len(now) - len(before), len(all_now - now)
