"""An observation of an organization, from what AWS Config has recorded of its load balancers.

The calls are made in three steps, those of a step at the same time:

1. all verdicts on load balancers, all load balancers, all accounts and regions with anything recorded, and the
   aggregator's sources;
2. the organization's units and accounts, level by level;
3. for each Config rule, account and region with a verdict: annotations, and when the rule last ran.

An aggregator keeps no NOT_APPLICABLE, and exempt load balancers are NOT_APPLICABLE. A load balancer without a verdict
may be not applicable, exempt, or not evaluated at all. That is a gap, never a verdict.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from alb_sg.aggregator.completeness import (
    deployed_rules,
    name_account_regions,
    oldest_evaluations,
    source_gaps,
    verdict_gaps,
)
from alb_sg.aggregator.organization import read_account_names
from alb_sg.aggregator.recorded_findings import findings_from_verdicts
from alb_sg.aggregator.requests import AggregatorClients, AggregatorRequests, OrganizationRequests
from alb_sg.aggregator.responses import (
    ConfigRule,
    RecordedEvaluation,
    UnreadableRow,
    read_evaluation,
    read_load_balancer,
    read_rows,
    read_verdicts,
)
from alb_sg.aggregator.sources import OUTDATED, SUCCEEDED, AggregatorSources, read_sources, refuse_unknown_aggregator
from alb_sg.aws.account_region import AccountRegion, account_region_in
from alb_sg.aws.calls import ApiResponse, CallPool, Progress
from alb_sg.estate.config_item import ConfigItem
from alb_sg.estate.model import LoadBalancer
from alb_sg.exemptions.exemption import VerdictKey
from alb_sg.findings.finding import EvaluationError
from alb_sg.observations.account_name import AccountName
from alb_sg.observations.observation import Completeness, LoadBalancerDetail, Observation
from alb_sg.observations.results import LoadBalancerFacts, Results
from alb_sg.recommendations.catalogue import DEFAULT_RECOMMENDATIONS, RECOMMENDATIONS_BY_NAME

# The region of items that belong to none, such as roles.
GLOBAL_REGION = "global"


@dataclass(frozen=True)
class _Inventory:
    """The results of the first step; `load_balancers` by ARN."""

    verdicts: Mapping[VerdictKey, Sequence[RecordedEvaluation]]
    load_balancers: Mapping[str, ConfigItem]
    recorded_account_regions: Collection[AccountRegion]
    sources: AggregatorSources
    errors: Sequence[EvaluationError]
    gaps: Sequence[str]

    @property
    def account_regions(self) -> list[AccountRegion]:
        """The accounts and regions that anything is recorded of."""
        verdicts = (verdict for deployments in self.verdicts.values() for verdict in deployments)
        return sorted(
            {
                *self.recorded_account_regions,
                *(verdict.account_region for verdict in verdicts),
                *(item.account_region for item in self.load_balancers.values()),
            }
        )

    @property
    def expected_account_regions(self) -> tuple[AccountRegion, ...] | None:
        if self.sources.unknown_cause is not None:
            return None
        return tuple(sorted(set(self.sources.account_regions))) or None


def observe(
    clients: AggregatorClients,
    aggregator: str,
    rules: Iterable[str] | None,
    as_of: datetime,
    progress: Progress | None = None,
) -> Observation:
    """What AWS Config has recorded of load balancers for the named rules; None: for every rule that is deployed by
    default, and every other one with a verdict.

    What could not be read is an error in the results; where no verdict depends on it, it is a gap. Raises
    InvalidInputError where there is no such aggregator.
    """
    rule_names = sorted(RECOMMENDATIONS_BY_NAME if rules is None else set(rules))
    requests = AggregatorRequests(clients, aggregator)
    with CallPool(progress) as calls:
        inventory = _read_inventory(calls, requests, aggregator, rule_names)
        accounts, name_gaps = _read_account_names(calls, clients)
        evaluations, evaluation_gaps = _read_evaluations(calls, requests, inventory.verdicts)
    if rules is None:
        rule_names = _deployed_rules(inventory.verdicts)
    findings, undecided = findings_from_verdicts(inventory.verdicts, evaluations)
    details = {
        arn: LoadBalancerDetail(item.resource, item.tags)
        for arn, item in sorted(inventory.load_balancers.items())
        if isinstance(item.resource, LoadBalancer)
    }
    results = Results(
        account_regions=inventory.account_regions,
        load_balancer_count=len({*inventory.load_balancers, *(arn for arn, _ in inventory.verdicts)}),
        rule_names=rule_names,
        findings=sorted(findings, key=lambda finding: finding.sort_key),
        errors=sorted([*inventory.errors, *undecided], key=lambda error: error.sort_key),
        facts={
            arn: LoadBalancerFacts(str(detail.load_balancer.scheme), detail.tags) for arn, detail in details.items()
        },
        accounts=accounts,
    )
    return Observation(
        as_of=as_of,
        results=results,
        completeness=Completeness(
            expected=inventory.expected_account_regions,
            observed=oldest_evaluations(inventory.account_regions, evaluations),
            rules_expected=tuple(rule_names),
            rules_deployed=deployed_rules(inventory.load_balancers.values(), inventory.verdicts),
            gaps=(
                *inventory.gaps,
                *name_gaps,
                *evaluation_gaps,
                *verdict_gaps(inventory.load_balancers, inventory.verdicts, rule_names),
            ),
        ),
        accounts=accounts,
        details=details,
    )


def _deployed_rules(verdicts: Iterable[VerdictKey]) -> list[str]:
    """The rules that are deployed by default, and the others that have a verdict."""
    return sorted({*(rule.name for rule in DEFAULT_RECOMMENDATIONS), *(rule for _, rule in verdicts)})


# --- the first step


def _read_inventory(
    calls: CallPool, requests: AggregatorRequests, aggregator: str, rules: Collection[str]
) -> _Inventory:
    responses = calls.send_all(
        {
            "verdicts": requests.verdicts(),
            "load balancers": requests.load_balancers(),
            "recorded": requests.recorded_account_regions(),
            "sources": requests.source_statuses(),
        }
    )
    refuse_unknown_aggregator(responses.values(), aggregator, requests.region)
    verdicts, unreadable_verdicts = read_rows(responses["verdicts"], read_verdicts)
    items, unreadable_items = read_rows(responses["load balancers"], read_load_balancer)
    recorded, unreadable_recorded = read_rows(responses["recorded"], account_region_in)
    sources = read_sources(responses["sources"], aggregator)
    return _Inventory(
        verdicts=_by_load_balancer_and_rule(verdicts.values(), rules),
        load_balancers={item.id: item for item in items.values() if _is_application_load_balancer(item)},
        recorded_account_regions={
            account_region for account_region in recorded.values() if account_region.region != GLOBAL_REGION
        },
        sources=sources,
        errors=[
            *_query_errors(f"verdicts in aggregator {aggregator}", responses["verdicts"], unreadable_verdicts),
            *_query_errors(f"load balancers in aggregator {aggregator}", responses["load balancers"], unreadable_items),
            # An outdated source still has data: that is a gap.
            *(source.as_error() for source in sources.sources if source.status not in (SUCCEEDED, OUTDATED)),
        ],
        gaps=[
            *source_gaps(sources),
            *_recorded_gaps(responses["recorded"], unreadable_recorded),
        ],
    )


def _by_load_balancer_and_rule(
    rows: Iterable[Sequence[RecordedEvaluation]], rules: Collection[str]
) -> dict[VerdictKey, list[RecordedEvaluation]]:
    by_key: dict[VerdictKey, list[RecordedEvaluation]] = defaultdict(list)
    for verdicts in rows:
        for verdict in verdicts:
            if verdict.config_rule.rule in rules:
                by_key[verdict.load_balancer_arn, verdict.config_rule.rule].append(verdict)
    return by_key


def _query_errors(what: str, response: ApiResponse, unreadable: Iterable[UnreadableRow]) -> Iterator[EvaluationError]:
    """Errors of a query. Neither a failure nor an unreadable row is about one account and region for certain."""
    for cause in (response.failure, *(row.cause for row in unreadable)):
        if cause is not None:
            yield EvaluationError("", "", None, None, what, cause)


def _recorded_gaps(response: ApiResponse, unreadable: Sequence[UnreadableRow]) -> Iterator[str]:
    cause = response.failure or next((row.cause for row in unreadable), None)
    if cause is not None:
        yield f"Accounts and regions without load balancers are not known: {cause}."


def _is_application_load_balancer(item: ConfigItem) -> bool:
    return isinstance(item.resource, LoadBalancer) and item.resource.may_be_application


# --- the second


def _read_account_names(calls: CallPool, clients: AggregatorClients) -> tuple[dict[str, AccountName], list[str]]:
    if clients.organizations is None:
        return {}, []
    accounts, failure = read_account_names(calls, OrganizationRequests(clients.organizations))
    if failure is None:
        return accounts, []
    return accounts, [f"Not every account's name and organizational unit is known: {failure}."]


# --- the third


def _read_evaluations(
    calls: CallPool, requests: AggregatorRequests, verdicts: Mapping[VerdictKey, Sequence[RecordedEvaluation]]
) -> tuple[dict[ConfigRule, dict[str, RecordedEvaluation]], list[str]]:
    """The evaluations of each Config rule by load balancer ARN, and a gap where they could not be read."""
    config_rules = sorted({verdict.config_rule for deployments in verdicts.values() for verdict in deployments})
    responses = calls.send_all({config_rule: requests.evaluations(config_rule) for config_rule in config_rules})
    evaluations: dict[ConfigRule, dict[str, RecordedEvaluation]] = {}
    failures: list[tuple[AccountRegion, str]] = []
    for config_rule, response in responses.items():
        results = [read_evaluation(result, config_rule) for result in response.items]
        evaluations[config_rule] = {evaluation.load_balancer_arn: evaluation for evaluation in results}
        if response.failure is not None:
            failures.append((config_rule.account_region, response.failure))
    if not failures:
        return evaluations, []
    account_regions = name_account_regions(account_region for account_region, _ in failures)
    gap = f"Reasons, and when rules last ran, are not known of all in {account_regions}: {failures[0][1]}."
    return evaluations, [gap]
