"""The numbers on top of the page, from its data: what the page's own script counts anew for every filter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from alb_sg.dashboard.changes import Change
from alb_sg.dashboard.ranking import INTERNET_FACING, Status

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Standing:
    """Load balancers: with a NON_COMPLIANT verdict, facing the internet among those (or of unknown scheme), with
    something not judged, exempt from something, and with all in order: every rule has a verdict, and none asks for
    more. `change`: those NON_COMPLIANT now less those before, as far as both were looked at; None without an earlier
    run.
    """

    total: int
    non_compliant: int
    facing: int
    unknown_scheme: int
    not_judged: int
    exempt: int
    in_order: int
    change: int | None


def standing(document: Document) -> Standing:
    found = [(one, {verdict["status"] for verdict in one["verdicts"]}) for one in document["loadBalancers"]]
    bad = [one for one, statuses in found if Status.NON_COMPLIANT.value in statuses]
    return Standing(
        total=len(found),
        non_compliant=len(bad),
        facing=sum(one["scheme"] == INTERNET_FACING for one in bad),
        unknown_scheme=sum(one["scheme"] == "unknown" for one in bad),
        not_judged=_having(Status.ERROR, found),
        exempt=_having(Status.EXEMPT, found),
        in_order=sum(
            Status.COMPLIANT.value in statuses
            and statuses <= {Status.COMPLIANT.value, Status.NOT_APPLICABLE.value}
            and len(one["verdicts"]) == len(document["rules"])
            for one, statuses in found
        ),
        change=None if document["lastRun"] is None else _change(document),
    )


def worst(document: Document, most: int) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """The worst findings, each a load balancer with a verdict."""
    return sorted(_to_do(document), key=lambda pair: pair[1]["rank"])[:most]


def count_to_do(document: Document) -> int:
    return sum(1 for _ in _to_do(document))


def _to_do(document: Document) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """What wants something done: NON_COMPLIANT, or not judged."""
    for one in document["loadBalancers"]:
        for verdict in one["verdicts"]:
            if verdict["status"] in (Status.NON_COMPLIANT.value, Status.ERROR.value):
                yield one, verdict


def _having(status: Status, found: Iterable[tuple[Any, set[str]]]) -> int:
    return sum(status.value in statuses for _, statuses in found)


def _change(document: Document) -> int:
    before = {one["arn"] for one in document["gone"]}
    now = set()
    for one in document["loadBalancers"]:
        for verdict in one["verdicts"]:
            was_bad = verdict.get("was") == Status.NON_COMPLIANT.value
            if was_bad:
                before.add(one["arn"])
            first_look = verdict.get("change") == Change.FIRST_LOOK.value
            # What could not be judged is what it was.
            unknown = verdict["status"] == Status.ERROR.value and was_bad
            if unknown or (verdict["status"] == Status.NON_COMPLIANT.value and not first_look):
                now.add(one["arn"])
    return len(now) - len(before)
