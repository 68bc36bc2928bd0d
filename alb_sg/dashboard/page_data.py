"""The page's data: everything that the page shows, as one JSON document (docs/dashboard.md describes it).

The same observation and earlier runs give the same document.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alb_sg.aws.account_region import AccountRegion
from alb_sg.aws.arns import load_balancer_name
from alb_sg.dashboard import history
from alb_sg.dashboard.audit import Provenance, audit_object
from alb_sg.dashboard.changes import VerdictHistory
from alb_sg.dashboard.history import Row, Run, format_time, make_run, replace_lone_surrogates, select_rows
from alb_sg.dashboard.load_balancer_detail import detail_object
from alb_sg.exemptions.exemption import VerdictKey
from alb_sg.findings import causes
from alb_sg.findings.finding import EvaluationError, Finding, Missing, Result
from alb_sg.observations.exemptions_report import ExemptionsReport
from alb_sg.observations.observation import LoadBalancerDetail, Observation
from alb_sg.observations.ranking import rank, verdict_status
from alb_sg.permissions.allowed_traffic import Direction
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME, rule_severity
from alb_sg.recommendations.recommendation import Severity
from alb_sg.remediation.document_names import document_name
from alb_sg.report import phrasing
from alb_sg.report.json_report import exemption_fields, missing_object, verdict_object

VERSION = 1
UNKNOWN_SCHEME = "unknown"
MAX_PEERS = 3


@dataclass(frozen=True)
class EarlierRuns:
    """The runs before this one, oldest first, and how many older runs were left out."""

    runs: Iterable[Run] = ()
    omitted: int = 0


@dataclass(frozen=True)
class AccessPortal:
    """The AWS access portal through which console links lead, and the permission set that they take."""

    url: str
    role: str


def build_page_data(
    observation: Observation,
    earlier_runs: EarlierRuns | None = None,
    fixes: Mapping[str, Mapping[str, Any]] | None = None,
    provenance: Provenance | None = None,
    access_portal: AccessPortal | None = None,
) -> dict[str, Any]:
    """The document of an observation, compared with earlier runs (None: no history is kept).

    `fixes`: those to show, by load balancer ARN (`fixes.fix_objects`). `provenance`: what the observation was made from
    and how.
    """
    run = make_run(observation)
    verdict_history = VerdictHistory()
    for earlier in (earlier_runs or EarlierRuns()).runs:
        verdict_history.add_run(earlier)
    previous = _previous_verdicts(verdict_history, run)
    page_data = {
        "version": VERSION,
        "asOf": format_time(observation.as_of),
        "coverage": _coverage_object(observation, verdict_history),
        "rules": [
            _rule_object(name)
            for name in sorted(observation.results.rule_names, key=lambda name: (rule_severity(name), name))
        ],
        "causes": {cause.value: text for cause, text in causes.CAUSE_DESCRIPTIONS.items()},
        "accounts": {
            key: {"name": account.name, "unit": account.unit} for key, account in sorted(observation.accounts.items())
        },
        "loadBalancers": _load_balancer_objects(observation, previous, fixes or {}),
        "errors": [_error_object(error) for error in observation.errors_of_load_balancers if _is_general(error)],
        "gone": [_disappeared_object(row, time) for row, time in verdict_history.disappeared(run)],
        "ownerTags": list(observation.owner_tags),
        "accessPortal": None if access_portal is None else {"url": access_portal.url, "role": access_portal.role},
        # A page of one owner, account or unit says here of which; see `split_page_data`.
        "part": None,
        "audit": audit_object(provenance or Provenance()),
        "exemptions": None if observation.exemptions is None else _exemptions_object(observation.exemptions),
        "lastRun": verdict_history.last_run_time(run),
    }
    # Adding this run changes what the history knows, so it comes last.
    verdict_history.add_run(run)
    page_data["trend"] = None if earlier_runs is None else verdict_history.trend(earlier_runs.omitted)
    return page_data


def page_data_text(page_data: Mapping[str, Any]) -> str:
    """The document as JSON text, with each load balancer on its own line."""
    text = json.dumps(page_data, ensure_ascii=False, separators=(",", ":"))
    return replace_lone_surrogates(text).replace('{"arn":', '\n{"arn":') + "\n"


def _coverage_object(observation: Observation, verdict_history: VerdictHistory) -> dict[str, Any]:
    completeness = observation.completeness
    expected = set(completeness.expected or ())
    earlier = {AccountRegion(*account_region) for account_region in verdict_history.accounts_and_regions}
    account_regions = sorted({*expected, *earlier, *completeness.observed})
    return {
        "expectedKnown": completeness.expected is not None,
        "rulesDeployedKnown": completeness.rules_deployed is not None,
        "rulesExpected": list(completeness.rules_expected),
        "homes": [_account_region_object(observation, account_region, expected) for account_region in account_regions],
        "loadBalancers": observation.results.load_balancer_count,
        "gaps": list(dict.fromkeys([*completeness.gaps, *_general_errors(observation)])),
    }


def _general_errors(observation: Observation) -> Iterator[str]:
    """The errors that concern more than one verdict, as sentences: one for the same error in several accounts."""
    places: dict[str, list[AccountRegion]] = {}
    for error in observation.errors_of_load_balancers:
        if _is_general(error):
            named = places.setdefault(f"{error.what}: {error.cause}", [])
            if error.account_id:
                named.append(AccountRegion(error.account_id, error.region))
    return (f"{text}{_name_places(sorted(set(named)))}." for text, named in places.items())


def _name_places(places: Sequence[AccountRegion]) -> str:
    if not places:
        return ""
    more = len(places) - MAX_PEERS
    return f" (in {', '.join(map(str, places[:MAX_PEERS]))}{f' and {more:,} more' if more > 0 else ''})"


def _account_region_object(
    observation: Observation, account_region: AccountRegion, expected: set[AccountRegion]
) -> dict[str, Any]:
    completeness = observation.completeness
    observed = account_region in completeness.observed
    oldest = completeness.observed.get(account_region)
    missing_rules: list[str] = []
    if completeness.rules_deployed is not None and observed:
        deployed = completeness.rules_deployed.get(account_region, frozenset())
        missing_rules = sorted(set(completeness.rules_expected) - deployed)
    return {
        "account": account_region.account_id,
        "region": account_region.region,
        "heard": observed,
        "expected": account_region in expected,
        "oldest": None if oldest is None else format_time(oldest),
        "missingRules": missing_rules,
    }


def _rule_object(name: str) -> dict[str, Any]:
    known = RECOMMENDATIONS_BY_NAME.get(name)
    return {
        "name": name,
        "subject": name if known is None else known.subject,
        "title": name if known is None else known.title,
        "asks": "" if known is None else known.requirement_text,
        "severity": rule_severity(name).value,
        "severityLabel": rule_severity(name).name,
        # By its own severity: another one in rdk-config.json does not change what the rule is about.
        "interruptsRequests": known is not None and known.severity is Severity.HIGH,
        "document": document_name(name) if known is not None and known.is_fixable else None,
    }


def _previous_verdicts(verdict_history: VerdictHistory, run: Run) -> dict[VerdictKey, dict[str, Any]]:
    rows: Sequence[Row] = [*select_rows(run, "verdict"), *select_rows(run, "error")]
    return {
        (row["load_balancer"], row["rule"]): verdict_history.previous_verdict(row)
        for row in rows
        if row["load_balancer"] is not None and row["rule"] is not None
    }


def _is_general(error: EvaluationError) -> bool:
    """Whether an error concerns more than one rule or more than one load balancer."""
    return error.load_balancer_arn is None or error.rule is None


def _load_balancer_objects(
    observation: Observation,
    previous: Mapping[VerdictKey, dict[str, Any]],
    fixes: Mapping[str, Mapping[str, Any]],
) -> list[dict[str, Any]]:
    by_arn: dict[str, list[Result]] = {}
    for result in observation.results.all:
        if not (isinstance(result, EvaluationError) and _is_general(result)):
            by_arn.setdefault(result.load_balancer_arn or "", []).append(result)
    ordered = sorted(by_arn.items(), key=lambda item: (item[1][0].account_id, item[1][0].region, item[0]))
    return [
        _load_balancer_object(arn, of_load_balancer, observation, previous, fixes.get(arn))
        for arn, of_load_balancer in ordered
    ]


def _load_balancer_object(
    arn: str,
    results: Sequence[Result],
    observation: Observation,
    previous: Mapping[VerdictKey, dict[str, Any]],
    fix: Mapping[str, Any] | None,
) -> dict[str, Any]:
    detail = observation.details.get(arn)
    findings = [result for result in results if isinstance(result, Finding)]
    scheme = UNKNOWN_SCHEME if detail is None else str(detail.load_balancer.scheme)
    own = (finding for finding in findings if not history.is_about_targets(finding))
    group_ids = (group_id for finding in own for group_id in history.finding_groups(finding, detail))
    fields: dict[str, Any] = {
        "arn": arn,
        "name": findings[0].load_balancer_name if findings else load_balancer_name(arn),
        "account": results[0].account_id,
        "region": results[0].region,
        "scheme": scheme,
        "securityGroups": list(dict.fromkeys(group_ids)),
        "tags": None if detail is None or detail.tags is None else dict(sorted(detail.tags.items())),
        "owner": observation.owner_of(arn),
        "targets": None if detail is None else detail.target_count,
        "verdicts": [
            {**_verdict_object(result, scheme, detail), **previous.get((arn, result.rule or ""), {})}
            for result in sorted(results, key=lambda result: result.rule or "")
        ],
    }
    detail_fields = None if detail is None else detail_object(detail, fix)
    return fields if detail_fields is None else fields | {"detail": detail_fields}


def _verdict_object(result: Result, scheme: str, detail: LoadBalancerDetail | None) -> dict[str, Any]:
    """The result of a rule, without empty fields: a page may have 100,000 verdicts."""
    fields: dict[str, Any] = {
        "rule": result.rule,
        "status": verdict_status(result).value,
        "rank": rank(result, scheme),
    }
    if isinstance(result, EvaluationError):
        # The cause in words is its kind: what one refused call left unread is one problem, in all accounts.
        cause = result.cause.replace(f"{result.account_id} {result.region}", "the account and region")
        return fields | {"annotation": f"{result.what}: {result.cause}", "causes": [cause]}
    fields["annotation"] = result.annotation
    if result.unresolved:
        fields["unresolved"] = True
    if result.missing:
        fields["missing"] = [
            {**missing_object(entry), "recommended": _recommended_rule(entry)} for entry in result.missing
        ]
    if history.is_about_targets(result):
        fields["groups"] = list(result.security_groups)
    if result.unused:
        fields["unused"] = [phrasing.describe_unused(entry, MAX_PEERS) for entry in result.unused]
    codes = history.cause_codes(result, detail)
    if codes:
        fields["causes"] = codes
    if result.applied_exemption is not None:
        exemption, result_without = result.applied_exemption
        fields["exemption"] = {
            **exemption_fields(exemption),
            "wouldBe": verdict_object(result_without) if isinstance(result_without, Finding) else None,
        }
    return fields


def _recommended_rule(missing: Missing) -> str:
    """The recommended security group rule that is missing, such as `inbound TCP 443 from 0.0.0.0/0`.

    It refers to a group of the target, or of the load balancer, rather than to addresses, and has the recommended peer
    in full: the page counts equal texts, and findings that lack the same must have the same text.
    """
    traffic = phrasing.describe_traffic(missing.protocol, missing.from_port, missing.to_port)
    by_group = missing.direction != Direction.INGRESS
    peers = missing.or_security_groups if by_group and missing.or_security_groups else missing.required
    peer_text = (
        phrasing.abbreviate(peers, MAX_PEERS) if peers else f"{missing.origin.label}, whose addresses are not known"
    )
    # The rule goes into a group that stands beside it: whose inbound rule it is needs no word.
    word = "outbound" if missing.direction == Direction.EGRESS else "inbound"
    return f"{word} {traffic} {phrasing.direction_preposition(missing.direction)} {peer_text}"


def _error_object(error: EvaluationError) -> dict[str, Any]:
    return {
        "account": error.account_id,
        "region": error.region,
        "loadBalancer": error.load_balancer_arn,
        "rule": error.rule,
        "what": error.what,
        "cause": error.cause,
    }


def _disappeared_object(row: Row, last_seen: str) -> dict[str, Any]:
    return {
        "arn": row["load_balancer"],
        "name": row["name"],
        "account": row["account"],
        "region": row["region"],
        "scheme": row["scheme"] or UNKNOWN_SCHEME,
        "rule": row["rule"],
        "owner": row.get("owner"),
        "lastSeen": last_seen,
    }


def _exemptions_object(report: ExemptionsReport) -> dict[str, Any]:
    return {
        "source": report.document_name,
        "date": report.today.isoformat(),
        "days": report.expiring_days,
        "entries": [
            {
                "arn": reviewed.exemption.load_balancer_arn,
                "account": reviewed.exemption.account_region.account_id,
                "region": reviewed.exemption.account_region.region,
                "name": load_balancer_name(reviewed.exemption.load_balancer_arn),
                "rule": reviewed.exemption.rule,
                **exemption_fields(reviewed.exemption),
                "status": reviewed.status.value,
                "use": reviewed.use.value,
                "because": reviewed.reason,
            }
            for reviewed in report.reviewed
        ],
        "malformed": [f"{entry.place}: {entry}" for entry in report.malformed],
        "errors": [f"{error.what}: {error.cause}" for error in report.errors],
    }
