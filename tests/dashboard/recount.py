"""The page's numbers counted anew from its data, plainly and by other means than the page."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Document = Mapping[str, Any]
Pair = tuple[Mapping[str, Any], Mapping[str, Any]]
# Whether a verdict counts, by its facts and those of its load balancer together.
Keep = Callable[[Mapping[str, Any]], bool]
# Without what these require, requests do not arrive.
INTERRUPTING = ("ALB_SG_LISTENER_INGRESS", "ALB_SG_INSTANCE_EGRESS", "ALB_SG_TARGET_INGRESS")


def everything(_: Mapping[str, Any]) -> bool:
    return True


def pairs(document: Document, keep: Keep = everything) -> list[Pair]:
    """Every load balancer with each of its verdicts that is kept."""
    return [
        (one, verdict) for one in document["loadBalancers"] for verdict in one["verdicts"] if keep({**one, **verdict})
    ]


def unit_of(document: Document, one: Mapping[str, Any]) -> str | None:
    unit = document["accounts"].get(one["account"], {}).get("unit")
    return None if unit is None else str(unit)


def count_compliance(document: Document, keep: Keep = everything, rule: str | None = None) -> dict[str, int]:
    """Of load balancers with a verdict that is kept, with all their verdicts, or those of one rule."""
    statuses: dict[str, list[str]] = defaultdict(list)
    schemes = {}
    kept = {one["arn"] for one, _ in pairs(document, keep)}
    for one, verdict in pairs(document):
        if one["arn"] in kept and rule in (None, verdict["rule"]):
            statuses[one["arn"]].append(verdict["status"])
            schemes[one["arn"]] = one["scheme"]
    asked = len(document["rules"]) if rule is None else 1
    bad = {arn for arn, found in statuses.items() if "nonCompliant" in found}
    unread = {arn for arn, found in statuses.items() if "error" in found or len(found) != asked} - bad
    exempt = {arn for arn, found in statuses.items() if "exempt" in found} - bad - unread
    fine = {arn for arn, found in statuses.items() if "compliant" in found} - bad - unread - exempt
    facing = {arn for arn in bad if schemes[arn] == "internet-facing"}
    closed = {
        one["arn"]
        for one, verdict in pairs(document)
        if verdict["status"] == "nonCompliant" and rule in (None, verdict["rule"]) and verdict["rule"] in INTERRUPTING
    }
    return {
        "judged": len(bad | exempt | fine),
        "nonCompliant": len(bad),
        "internetFacing": len(facing),
        "unreachable": len(facing & closed),
        "notJudged": len(unread),
        "exempt": len(exempt),
        "compliant": len(fine),
        "notApplicable": len(set(statuses) - bad - unread - exempt - fine),
    }


def change(document: Document) -> int:
    """Without first looks: load balancers that are NON_COMPLIANT less those that were; what could not be judged is what
    it was."""
    now = {
        one["arn"]
        for one, verdict in pairs(document)
        if (verdict["status"] == "nonCompliant" and verdict.get("change") != "firstLook")
        or (verdict["status"] == "error" and verdict["was"] == "nonCompliant")
    }
    before = {one["arn"] for one, verdict in pairs(document) if verdict["was"] == "nonCompliant"}
    return len(now) - len(before | {one["arn"] for one in document["gone"]})


def to_do(found: Iterable[Pair]) -> list[Pair]:
    """The findings in the order in which they are to be listed."""
    wanted = [pair for pair in found if pair[1]["status"] in ("nonCompliant", "error")]
    severity = {"ALB_SG_HEALTH_CHECK_EGRESS": 1, "ALB_SG_ICMP_PMTUD": 2}
    return sorted(
        wanted,
        key=lambda pair: (
            pair[1]["status"] == "error",
            severity.get(pair[1]["rule"], 0),
            pair[0]["scheme"] != "internet-facing",
            pair[1].get("unresolved", False),
            -(pair[0]["targets"] or 0),
            pair[0]["account"],
            pair[0]["region"],
            pair[0]["arn"],
            pair[1]["rule"],
        ),
    )


def matrix(document: Document, key: Callable[[Mapping[str, Any]], str]) -> dict[tuple[str, str], Counter[str]]:
    found: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for one, verdict in pairs(document):
        found[key(one), verdict["rule"]][verdict["status"]] += 1
    return found


def kinds(document: Document, keep: Keep = everything) -> dict[str, tuple[int, int]]:
    """Findings and load balancers of each kind of cause, by its words."""
    found: dict[str, list[str]] = defaultdict(list)
    for one, verdict in pairs(document, keep):
        for code in verdict.get("causes", ()):
            found[document["causes"].get(code, code[:1].upper() + code[1:])].append(one["arn"])
    return {words: (len(arns), len(set(arns))) for words, arns in found.items()}


def groups(document: Document, keep: Keep = everything) -> dict[str, tuple[int, int]]:
    """Findings and load balancers of each security group."""
    found: dict[str, list[str]] = defaultdict(list)
    for one, verdict in pairs(document, keep):
        if verdict["status"] == "nonCompliant":
            for group in one["securityGroups"]:
                found[group].append(one["arn"])
    return {group: (len(arns), len(set(arns))) for group, arns in found.items()}


def changes(document: Document, keep: Keep = everything) -> Counter[str]:
    found = Counter(verdict["change"] for _, verdict in pairs(document, keep) if "change" in verdict)
    found["gone"] = len(document["gone"])
    return found


def exemptions(document: Document) -> dict[str, int]:
    entries = document["exemptions"]["entries"]
    return {
        "In force": sum(one["status"] != "expired" for one in entries),
        "In force, ending within 30 days": sum(one["status"] == "expiring" for one in entries),
        "Expired, without effect": sum(one["status"] == "expired" for one in entries),
        "Unused": sum(one["use"] == "unused" and one["status"] != "expired" for one in entries),
    }
