"""The page's data: all that is shown, as one JSON document. docs/dashboard.md describes it.

Pure: an observation and the runs before it go in, and the same give the same document.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alb_sg.automation.names import document_name
from alb_sg.dashboard import causes, history
from alb_sg.dashboard.changes import Ledger, Point, past_object
from alb_sg.dashboard.detail import detail_object
from alb_sg.dashboard.history import Row, Run, rows_of, run_of, time_text
from alb_sg.dashboard.observation import AccountName, Detail, Observation
from alb_sg.dashboard.ranking import rank, severity_of, status_of
from alb_sg.dashboard.text import encodable
from alb_sg.estate.home import Home
from alb_sg.findings.finding import Finding, JudgementError, Missing
from alb_sg.recommendations.catalogue import (
    BY_NAME,
    HEALTH_CHECK_EGRESS,
    ICMP_PMTUD,
    INSTANCE_EGRESS,
    LISTENER_INGRESS,
)
from alb_sg.report import words
from alb_sg.report.exemptions import ExemptionsReport
from alb_sg.report.json_report import missing_object, verdict_object

VERSION = 1
UNKNOWN = "unknown"
MOST_PEERS = 3
# What a rule is about, whether it is met or not: a title says what holds where it is.
SUBJECTS = {
    LISTENER_INGRESS.name: "Listener ports",
    INSTANCE_EGRESS.name: "Paths to targets",
    HEALTH_CHECK_EGRESS.name: "Health checks",
    ICMP_PMTUD.name: "Path MTU Discovery",
}

Result = Finding | JudgementError


@dataclass(frozen=True)
class Earlier:
    """The runs before this one, oldest first, and how many older ones were left out."""

    runs: Iterable[Run] = ()
    left_out: int = 0


def document(observation: Observation, earlier: Earlier | None = None) -> dict[str, Any]:
    """The document of an observation, compared with earlier runs (None: no history is kept)."""
    run = run_of(observation)
    ledger = Ledger()
    points = [ledger.advance(one) for one in (earlier or Earlier()).runs]
    results: list[Result] = [*observation.results.findings, *observation.results.errors]
    past = _pasts(ledger, run)
    found = {
        "version": VERSION,
        "asOf": time_text(observation.as_of),
        "coverage": _coverage(observation, ledger),
        "rules": [
            _rule(name) for name in sorted(observation.results.rules, key=lambda name: (severity_of(name), name))
        ],
        "causes": {cause.value: text for cause, text in causes.WORDS.items()},
        "accounts": {key: _account(name) for key, name in sorted(observation.accounts.items())},
        "loadBalancers": _load_balancers(observation, results, past),
        "errors": [_error(error) for error in observation.results.errors if _is_general(error)],
        "gone": [_gone(row, time) for row, time in ledger.gone(run)],
        "exemptions": None if observation.exemptions is None else _exemptions(observation.exemptions),
        "lastRun": ledger.last_looked_at(run),
    }
    found["trend"] = None if earlier is None else _trend([*points, ledger.advance(run)], earlier.left_out)
    return found


def write_document(found: Mapping[str, Any]) -> str:
    """As text: a load balancer on each line."""
    text = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
    return encodable(text).replace('{"arn":', '\n{"arn":') + "\n"


# --- coverage


def _coverage(observation: Observation, ledger: Ledger) -> dict[str, Any]:
    coverage = observation.coverage
    expected = set(coverage.expected or ())
    before = {Home(*home) for home in ledger.homes}
    homes = sorted({*expected, *before, *coverage.heard})
    return {
        "expectedKnown": coverage.expected is not None,
        "rulesDeployedKnown": coverage.rules_deployed is not None,
        "rulesExpected": list(coverage.rules_expected),
        "homes": [_home(observation, home, expected) for home in homes],
        "loadBalancers": observation.results.load_balancers,
        "gaps": list(dict.fromkeys([*coverage.gaps, *_unread(observation)])),
    }


def _unread(observation: Observation) -> Iterator[str]:
    """What was not read and concerns more than a verdict, whichever the source."""
    return (f"{error.what}: {error.cause}." for error in observation.results.errors if _is_general(error))


def _home(observation: Observation, home: Home, expected: set[Home]) -> dict[str, Any]:
    coverage = observation.coverage
    heard = home in coverage.heard
    oldest = coverage.heard.get(home)
    deployed = None if coverage.rules_deployed is None else coverage.rules_deployed.get(home, frozenset())
    return {
        "account": home.account_id,
        "region": home.region,
        "heard": heard,
        "expected": home in expected,
        "oldest": None if oldest is None else time_text(oldest),
        "missingRules": [] if deployed is None or not heard else sorted(set(coverage.rules_expected) - deployed),
    }


def _rule(name: str) -> dict[str, Any]:
    known = BY_NAME.get(name)
    return {
        "name": name,
        "subject": SUBJECTS.get(name, name),
        "title": name if known is None else known.title,
        "asks": "" if known is None else known.asks,
        "severity": severity_of(name),
        "document": None if known is None else document_name(name),
    }


def _account(name: AccountName) -> dict[str, str | None]:
    return {"name": name.name, "unit": name.unit}


# --- load balancers


def _pasts(ledger: Ledger, run: Run) -> dict[tuple[str, str], dict[str, Any]]:
    rows: Sequence[Row] = [*rows_of(run, "verdict"), *rows_of(run, "error")]
    return {
        (row["load_balancer"], row["rule"]): past_object(ledger.past(row))
        for row in rows
        if row["load_balancer"] is not None and row["rule"] is not None
    }


def _is_general(error: JudgementError) -> bool:
    """Whether an error is of more than one rule and one load balancer."""
    return error.load_balancer_arn is None or error.rule is None


def _load_balancers(
    observation: Observation, results: Iterable[Result], past: Mapping[tuple[str, str], dict[str, Any]]
) -> list[dict[str, Any]]:
    by_arn: dict[str, list[Result]] = {}
    for result in results:
        if not (isinstance(result, JudgementError) and _is_general(result)):
            by_arn.setdefault(result.load_balancer_arn or "", []).append(result)
    ordered = sorted(by_arn.items(), key=lambda item: (item[1][0].account_id, item[1][0].region, item[0]))
    return [_load_balancer(arn, found, observation.details.get(arn), past) for arn, found in ordered]


def _load_balancer(
    arn: str, results: Sequence[Result], detail: Detail | None, past: Mapping[tuple[str, str], dict[str, Any]]
) -> dict[str, Any]:
    findings = [result for result in results if isinstance(result, Finding)]
    scheme = UNKNOWN if detail is None else detail.load_balancer.scheme
    groups = (one for finding in findings for one in history.security_groups(finding, detail))
    found: dict[str, Any] = {
        "arn": arn,
        "name": findings[0].load_balancer_name if findings else history.name_in(arn),
        "account": results[0].account_id,
        "region": results[0].region,
        "scheme": scheme,
        "securityGroups": list(dict.fromkeys(groups)),
        "tags": None if detail is None or detail.tags is None else dict(sorted(detail.tags.items())),
        "verdicts": [
            {**_verdict(result, scheme, detail), **past.get((arn, result.rule or ""), {})}
            for result in sorted(results, key=lambda result: result.rule or "")
        ],
    }
    drawn = None if detail is None else detail_object(detail)
    return found if drawn is None else found | {"detail": drawn}


def _verdict(result: Result, scheme: str, detail: Detail | None) -> dict[str, Any]:
    """What a rule says; without what is empty, of which there is much."""
    found: dict[str, Any] = {
        "rule": result.rule,
        "status": status_of(result).value,
        "rank": rank(result, scheme),
    }
    if isinstance(result, JudgementError):
        return found | {"annotation": f"{result.what}: {result.cause}"}
    found["annotation"] = result.annotation
    if result.unresolved:
        found["unresolved"] = True
    if result.missing:
        found["missing"] = [{**missing_object(one), "allow": _allow(one)} for one in result.missing]
    codes = history.cause_codes(result, detail)
    if codes:
        found["causes"] = codes
    if result.exempted is not None:
        granted, otherwise = result.exempted.exemption, result.exempted.otherwise
        found["exemption"] = {
            "reason": granted.reason,
            "owner": granted.owner,
            "ticket": granted.ticket,
            "expires": granted.expires.isoformat(),
            "wouldBe": verdict_object(otherwise) if isinstance(otherwise, Finding) else None,
        }
    return found


def _allow(missing: Missing) -> str:
    """The rule that would do, such as `inbound TCP 443 from 0.0.0.0/0`: a reference to a target's group rather than
    addresses, and the recommended peer in full, so that what lacks the same says the same."""
    traffic = words.traffic(missing.protocol, missing.from_port, missing.to_port)
    outbound = missing.direction == "egress"
    peers = missing.or_security_groups if outbound and missing.or_security_groups else missing.required
    names = words.some(peers, MOST_PEERS) if peers else f"{missing.because.label}, whose addresses are not known"
    return f"{words.inbound(missing.direction)} {traffic} {words.toward(missing.direction)} {names}"


def _error(error: JudgementError) -> dict[str, Any]:
    return {
        "account": error.account_id,
        "region": error.region,
        "loadBalancer": error.load_balancer_arn,
        "rule": error.rule,
        "what": error.what,
        "cause": error.cause,
    }


# --- history


def _gone(row: Row, looked_at: str) -> dict[str, Any]:
    return {
        "arn": row["load_balancer"],
        "name": row["name"],
        "account": row["account"],
        "region": row["region"],
        "scheme": row["scheme"] or UNKNOWN,
        "rule": row["rule"],
        "lastSeen": looked_at,
    }


def _trend(points: Iterable[Point], left_out: int) -> dict[str, Any]:
    return {
        "points": [
            {
                "asOf": point.as_of,
                "findings": point.findings,
                "loadBalancers": point.load_balancers,
                "heard": point.heard,
                "carried": point.carried,
            }
            for point in points
        ],
        "leftOut": left_out,
    }


# --- exemptions


def _exemptions(report: ExemptionsReport) -> dict[str, Any]:
    return {
        "source": report.source,
        "date": report.today.isoformat(),
        "days": report.days,
        "entries": [
            {
                "arn": one.exemption.load_balancer_arn,
                "account": one.exemption.home.account_id,
                "region": one.exemption.home.region,
                "name": history.name_in(one.exemption.load_balancer_arn),
                "rule": one.exemption.rule,
                "reason": one.exemption.reason,
                "owner": one.exemption.owner,
                "ticket": one.exemption.ticket,
                "expires": one.exemption.expires.isoformat(),
                "status": one.status.value,
                "use": one.use.value,
                "because": one.because,
            }
            for one in report.reviewed
        ],
        "malformed": [f"{one.place}: {one}" for one in report.malformed],
        "errors": [f"{error.what}: {error.cause}" for error in report.errors],
    }
