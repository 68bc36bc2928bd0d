"""The page's data: all that is shown, as one JSON document. docs/dashboard.md describes it.

Pure: an observation and the runs before it go in, and the same give the same document.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alb_sg.aws.account_region import AccountRegion
from alb_sg.dashboard import history
from alb_sg.dashboard.changes import TrendPoint, VerdictHistory, previous_verdict_object
from alb_sg.dashboard.history import Row, Run, format_time, make_run, select_rows
from alb_sg.dashboard.load_balancer_detail import detail_object
from alb_sg.dashboard.text import replace_lone_surrogates
from alb_sg.findings import causes
from alb_sg.findings.finding import EvaluationError, Finding, Missing
from alb_sg.observations.observation import AccountName, LoadBalancerDetail, Observation
from alb_sg.observations.ranking import rank, verdict_status
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME, rule_severity
from alb_sg.remediation.document_names import document_name
from alb_sg.report import phrasing
from alb_sg.report.exemptions import ExemptionsReport
from alb_sg.report.json_report import missing_object, verdict_object

VERSION = 1
UNKNOWN_SCHEME = "unknown"
MAX_PEERS = 3

Result = Finding | EvaluationError


@dataclass(frozen=True)
class EarlierRuns:
    """The runs before this one, oldest first, and how many older ones were left out."""

    runs: Iterable[Run] = ()
    omitted: int = 0


def build_page_data(observation: Observation, earlier_runs: EarlierRuns | None = None) -> dict[str, Any]:
    """The document of an observation, compared with earlier runs (None: no history is kept)."""
    run = make_run(observation)
    ledger = VerdictHistory()
    points = [ledger.add_run(one) for one in (earlier_runs or EarlierRuns()).runs]
    results: list[Result] = [*observation.results.findings, *observation.results.errors]
    past = _previous_verdicts(ledger, run)
    found = {
        "version": VERSION,
        "asOf": format_time(observation.as_of),
        "coverage": _coverage_object(observation, ledger),
        "rules": [
            _rule_object(name)
            for name in sorted(observation.results.rule_names, key=lambda name: (rule_severity(name), name))
        ],
        "causes": {cause.value: text for cause, text in causes.CAUSE_DESCRIPTIONS.items()},
        "accounts": {key: _account_object(name) for key, name in sorted(observation.accounts.items())},
        "loadBalancers": _load_balancer_objects(observation, results, past),
        "errors": [_error_object(error) for error in observation.results.errors if _is_general(error)],
        "gone": [_disappeared_object(row, time) for row, time in ledger.disappeared(run)],
        "exemptions": None if observation.exemptions is None else _exemptions_object(observation.exemptions),
        "lastRun": ledger.last_run_time(run),
    }
    found["trend"] = (
        None if earlier_runs is None else _trend_object([*points, ledger.add_run(run)], earlier_runs.omitted)
    )
    return found


def page_data_text(page_data: Mapping[str, Any]) -> str:
    """As text: a load balancer on each line."""
    text = json.dumps(page_data, ensure_ascii=False, separators=(",", ":"))
    return replace_lone_surrogates(text).replace('{"arn":', '\n{"arn":') + "\n"


# --- coverage


def _coverage_object(observation: Observation, ledger: VerdictHistory) -> dict[str, Any]:
    coverage = observation.completeness
    expected = set(coverage.expected or ())
    before = {AccountRegion(*account_region) for account_region in ledger.accounts_and_regions}
    account_regions = sorted({*expected, *before, *coverage.observed})
    return {
        "expectedKnown": coverage.expected is not None,
        "rulesDeployedKnown": coverage.rules_deployed is not None,
        "rulesExpected": list(coverage.rules_expected),
        "homes": [_account_region_object(observation, account_region, expected) for account_region in account_regions],
        "loadBalancers": observation.results.load_balancer_count,
        "gaps": list(dict.fromkeys([*coverage.gaps, *_general_errors(observation)])),
    }


def _general_errors(observation: Observation) -> Iterator[str]:
    """What was not read and concerns more than a verdict, whichever the source."""
    return (f"{error.what}: {error.cause}." for error in observation.results.errors if _is_general(error))


def _account_region_object(
    observation: Observation, account_region: AccountRegion, expected: set[AccountRegion]
) -> dict[str, Any]:
    coverage = observation.completeness
    heard = account_region in coverage.observed
    oldest = coverage.observed.get(account_region)
    deployed = None if coverage.rules_deployed is None else coverage.rules_deployed.get(account_region, frozenset())
    return {
        "account": account_region.account_id,
        "region": account_region.region,
        "heard": heard,
        "expected": account_region in expected,
        "oldest": None if oldest is None else format_time(oldest),
        "missingRules": [] if deployed is None or not heard else sorted(set(coverage.rules_expected) - deployed),
    }


def _rule_object(name: str) -> dict[str, Any]:
    known = RECOMMENDATIONS_BY_NAME.get(name)
    return {
        "name": name,
        "subject": name if known is None else known.subject,
        "title": name if known is None else known.title,
        "asks": "" if known is None else known.requirement_text,
        "severity": rule_severity(name).value,
        "document": None if known is None else document_name(name),
    }


def _account_object(name: AccountName) -> dict[str, str | None]:
    return {"name": name.name, "unit": name.unit}


# --- load balancers


def _previous_verdicts(ledger: VerdictHistory, run: Run) -> dict[tuple[str, str], dict[str, Any]]:
    rows: Sequence[Row] = [*select_rows(run, "verdict"), *select_rows(run, "error")]
    return {
        (row["load_balancer"], row["rule"]): previous_verdict_object(ledger.previous_verdict(row))
        for row in rows
        if row["load_balancer"] is not None and row["rule"] is not None
    }


def _is_general(error: EvaluationError) -> bool:
    """Whether an error is of more than one rule and one load balancer."""
    return error.load_balancer_arn is None or error.rule is None


def _load_balancer_objects(
    observation: Observation, results: Iterable[Result], past: Mapping[tuple[str, str], dict[str, Any]]
) -> list[dict[str, Any]]:
    by_arn: dict[str, list[Result]] = {}
    for result in results:
        if not (isinstance(result, EvaluationError) and _is_general(result)):
            by_arn.setdefault(result.load_balancer_arn or "", []).append(result)
    ordered = sorted(by_arn.items(), key=lambda item: (item[1][0].account_id, item[1][0].region, item[0]))
    return [_load_balancer_object(arn, found, observation.details.get(arn), past) for arn, found in ordered]


def _load_balancer_object(
    arn: str,
    results: Sequence[Result],
    detail: LoadBalancerDetail | None,
    past: Mapping[tuple[str, str], dict[str, Any]],
) -> dict[str, Any]:
    findings = [result for result in results if isinstance(result, Finding)]
    scheme = UNKNOWN_SCHEME if detail is None else detail.load_balancer.scheme
    groups = (one for finding in findings for one in history.finding_groups(finding, detail))
    found: dict[str, Any] = {
        "arn": arn,
        "name": findings[0].load_balancer_name if findings else history.load_balancer_name(arn),
        "account": results[0].account_id,
        "region": results[0].region,
        "scheme": scheme,
        "securityGroups": list(dict.fromkeys(groups)),
        "tags": None if detail is None or detail.tags is None else dict(sorted(detail.tags.items())),
        "verdicts": [
            {**_verdict_object(result, scheme, detail), **past.get((arn, result.rule or ""), {})}
            for result in sorted(results, key=lambda result: result.rule or "")
        ],
    }
    drawn = None if detail is None else detail_object(detail)
    return found if drawn is None else found | {"detail": drawn}


def _verdict_object(result: Result, scheme: str, detail: LoadBalancerDetail | None) -> dict[str, Any]:
    """What a rule says; without what is empty, of which there is much."""
    found: dict[str, Any] = {
        "rule": result.rule,
        "status": verdict_status(result).value,
        "rank": rank(result, scheme),
    }
    if isinstance(result, EvaluationError):
        return found | {"annotation": f"{result.what}: {result.cause}"}
    found["annotation"] = result.annotation
    if result.unresolved:
        found["unresolved"] = True
    if result.missing:
        found["missing"] = [{**missing_object(one), "allow": _rule_to_allow(one)} for one in result.missing]
    codes = history.cause_codes(result, detail)
    if codes:
        found["causes"] = codes
    if result.applied_exemption is not None:
        granted, otherwise = result.applied_exemption.exemption, result.applied_exemption.result_without
        found["exemption"] = {
            "reason": granted.reason,
            "owner": granted.owner,
            "ticket": granted.ticket,
            "expires": granted.expires.isoformat(),
            "wouldBe": verdict_object(otherwise) if isinstance(otherwise, Finding) else None,
        }
    return found


def _rule_to_allow(missing: Missing) -> str:
    """The rule that would do, such as `inbound TCP 443 from 0.0.0.0/0`: a reference to a target's group rather than
    addresses, and the recommended peer in full, so that what lacks the same says the same."""
    traffic = phrasing.describe_traffic(missing.protocol, missing.from_port, missing.to_port)
    outbound = missing.direction == "egress"
    peers = missing.or_security_groups if outbound and missing.or_security_groups else missing.required
    names = phrasing.abbreviate(peers, MAX_PEERS) if peers else f"{missing.origin.label}, whose addresses are not known"
    return (
        f"{phrasing.direction_word(missing.direction)} {traffic} "
        f"{phrasing.direction_preposition(missing.direction)} {names}"
    )


def _error_object(error: EvaluationError) -> dict[str, Any]:
    return {
        "account": error.account_id,
        "region": error.region,
        "loadBalancer": error.load_balancer_arn,
        "rule": error.rule,
        "what": error.what,
        "cause": error.cause,
    }


# --- history


def _disappeared_object(row: Row, looked_at: str) -> dict[str, Any]:
    return {
        "arn": row["load_balancer"],
        "name": row["name"],
        "account": row["account"],
        "region": row["region"],
        "scheme": row["scheme"] or UNKNOWN_SCHEME,
        "rule": row["rule"],
        "lastSeen": looked_at,
    }


def _trend_object(points: Iterable[TrendPoint], left_out: int) -> dict[str, Any]:
    return {
        "points": [
            {
                "asOf": point.as_of,
                "findings": point.findings,
                "loadBalancers": point.load_balancers,
                "heard": point.observed,
                "carried": point.carried_over,
            }
            for point in points
        ],
        "leftOut": left_out,
    }


# --- exemptions


def _exemptions_object(report: ExemptionsReport) -> dict[str, Any]:
    return {
        "source": report.document_name,
        "date": report.today.isoformat(),
        "days": report.expiring_days,
        "entries": [
            {
                "arn": one.exemption.load_balancer_arn,
                "account": one.exemption.account_region.account_id,
                "region": one.exemption.account_region.region,
                "name": history.load_balancer_name(one.exemption.load_balancer_arn),
                "rule": one.exemption.rule,
                "reason": one.exemption.reason,
                "owner": one.exemption.owner,
                "ticket": one.exemption.ticket,
                "expires": one.exemption.expires.isoformat(),
                "status": one.status.value,
                "use": one.use.value,
                "because": one.reason,
            }
            for one in report.reviewed
        ],
        "malformed": [f"{one.place}: {one}" for one in report.malformed],
        "errors": [f"{error.what}: {error.cause}" for error in report.errors],
    }
