"""An observation of an organization, from what AWS Config has recorded of its load balancers.

The calls are made in three steps, those of a step at the same time:

1. all Config rules, all verdicts that AWS Config records as resources, all load balancers, all accounts and regions
   with anything recorded, and the aggregator's sources;
2. the organization's units and accounts, level by level;
3. for each deployed rule, account and region: its results with their annotations, and when it last ran.

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
    oldest_evaluations,
    source_gaps,
    verdict_gaps,
)
from alb_sg.aggregator.organization import read_account_names
from alb_sg.aggregator.recorded_verdicts import (
    findings_from_verdicts,
    merge_verdicts,
    read_rule_evaluations,
    silent_rules,
)
from alb_sg.aggregator.requests import AggregatorClients, AggregatorRequests
from alb_sg.aggregator.responses import (
    ConfigRule,
    RecordedEvaluation,
    UnreadableRow,
    read_config_rule,
    read_load_balancer,
    read_rows,
    read_verdicts,
)
from alb_sg.aggregator.sources import OUTDATED, SUCCEEDED, AggregatorSources, read_sources, refuse_unknown_aggregator
from alb_sg.aws.account_region import AccountRegion, account_region_in
from alb_sg.aws.calls import ApiResponse, CallPool, Progress
from alb_sg.estate.config_item import ConfigItem
from alb_sg.estate.model import LoadBalancer
from alb_sg.estate.resource_types import LOAD_BALANCER_TYPE
from alb_sg.findings.finding import EvaluationError
from alb_sg.observations.observation import Completeness, LoadBalancerDetail, Observation
from alb_sg.observations.results import LoadBalancerFacts, Results
from alb_sg.recommendations.catalogue import DEFAULT_RECOMMENDATIONS, RECOMMENDATIONS_BY_NAME

# The region of items that belong to none, such as roles.
GLOBAL_REGION = "global"


@dataclass(frozen=True)
class _Inventory:
    """The results of the first step.

    `config_rules` are the deployments of the selected rules, each with its compliance type, and `rows` their verdicts
    that are recorded as resources. `load_balancers` are by ARN.
    """

    config_rules: Mapping[ConfigRule, str]
    rows: Sequence[RecordedEvaluation]
    load_balancers: Mapping[str, ConfigItem]
    recorded_account_regions: Collection[AccountRegion]
    sources: AggregatorSources
    errors: Sequence[EvaluationError]
    gaps: Sequence[str]

    @property
    def account_regions(self) -> list[AccountRegion]:
        """The accounts and regions that anything is recorded of."""
        return sorted(
            {
                *self.recorded_account_regions,
                *(config_rule.account_region for config_rule in self.config_rules),
                *(row.account_region for row in self.rows),
                *(item.account_region for item in self.load_balancers.values()),
            }
        )

    @property
    def load_balancers_by_account_region(self) -> dict[AccountRegion, list[str]]:
        arns: dict[AccountRegion, list[str]] = defaultdict(list)
        for arn, item in self.load_balancers.items():
            arns[item.account_region].append(arn)
        return arns

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
    default, and every other one that is deployed somewhere.

    What could not be read is an error in the results; where no verdict depends on it, it is a gap. Raises
    InvalidInputError where there is no such aggregator.
    """
    rule_names = sorted(RECOMMENDATIONS_BY_NAME if rules is None else set(rules))
    requests = AggregatorRequests(clients.config, aggregator)
    with CallPool(progress) as calls:
        inventory = _read_inventory(calls, requests, aggregator, rule_names)
        accounts, name_gaps = (
            ({}, []) if clients.organizations is None else read_account_names(calls, clients.organizations)
        )
        config_rules = sorted({*inventory.config_rules, *(row.config_rule for row in inventory.rows)})
        responses = calls.send_all({config_rule: requests.evaluations(config_rule) for config_rule in config_rules})
    evaluations = {
        config_rule: read_rule_evaluations(config_rule, response) for config_rule, response in responses.items()
    }
    recorded = merge_verdicts(inventory.rows, evaluations)
    if rules is None:
        by_default = (rule.name for rule in DEFAULT_RECOMMENDATIONS)
        rule_names = sorted({*by_default, *(deployed.rule for deployed in evaluations)})
    findings, undecided = findings_from_verdicts(recorded.verdicts)
    silent = silent_rules(inventory.config_rules, inventory.load_balancers_by_account_region, recorded)
    details = {
        arn: LoadBalancerDetail(item.resource, item.tags)
        for arn, item in sorted(inventory.load_balancers.items())
        if isinstance(item.resource, LoadBalancer)
    }
    results = Results(
        account_regions=inventory.account_regions,
        load_balancer_count=len({*inventory.load_balancers, *(arn for arn, _ in recorded.verdicts)}),
        rule_names=rule_names,
        findings=sorted(findings, key=lambda finding: finding.sort_key),
        errors=sorted([*inventory.errors, *recorded.errors, *undecided, *silent], key=lambda error: error.sort_key),
        facts={
            arn: LoadBalancerFacts(
                detail.load_balancer.scheme if isinstance(detail.load_balancer.scheme, str) else None, detail.tags
            )
            for arn, detail in details.items()
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
            rules_deployed=deployed_rules(inventory.load_balancers.values(), recorded.verdicts),
            gaps=(
                *inventory.gaps,
                *name_gaps,
                *verdict_gaps(inventory.load_balancers, recorded.verdicts, rule_names),
            ),
        ),
        accounts=accounts,
        details=details,
    )


def _read_inventory(
    calls: CallPool, requests: AggregatorRequests, aggregator: str, rules: Collection[str]
) -> _Inventory:
    responses = calls.send_all(
        {
            "config rules": requests.config_rules(),
            "verdicts": requests.verdicts(),
            "load balancers": requests.items(LOAD_BALANCER_TYPE),
            "recorded": requests.recorded_account_regions(),
            "sources": requests.source_statuses(),
        }
    )
    refuse_unknown_aggregator(responses.values(), aggregator, requests.region)
    config_rules, unreadable_config_rules = read_rows(responses["config rules"], read_config_rule)
    rows, unreadable_rows = read_rows(responses["verdicts"], read_verdicts)
    items, unreadable_items = read_rows(responses["load balancers"], read_load_balancer)
    recorded, unreadable_recorded = read_rows(responses["recorded"], account_region_in)
    sources = read_sources(responses["sources"], aggregator)
    return _Inventory(
        config_rules=dict(found for found in config_rules.values() if found is not None and found[0].rule in rules),
        rows=[row for verdicts in rows.values() for row in verdicts if row.config_rule.rule in rules],
        load_balancers={item.id: item for item in items.values() if _is_application_load_balancer(item)},
        recorded_account_regions={
            account_region for account_region in recorded.values() if account_region.region != GLOBAL_REGION
        },
        sources=sources,
        errors=[
            *_query_errors(
                f"Config rules in aggregator {aggregator}", responses["config rules"], unreadable_config_rules
            ),
            *_query_errors(f"verdicts in aggregator {aggregator}", responses["verdicts"], unreadable_rows),
            *_query_errors(f"load balancers in aggregator {aggregator}", responses["load balancers"], unreadable_items),
            # An outdated source still has data: that is a gap.
            *(source.as_error() for source in sources.sources if source.status not in (SUCCEEDED, OUTDATED)),
        ],
        gaps=[
            *source_gaps(sources),
            *_recorded_gaps(responses["recorded"], unreadable_recorded),
        ],
    )


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
