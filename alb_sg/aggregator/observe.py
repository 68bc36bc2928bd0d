"""Everything that an aggregator tells of an organization's load balancers.

In this order, calls of one step at the same time:

1. all verdicts on load balancers, all load balancers, all accounts and regions with anything recorded, and where the
   aggregator collects;
2. the organization's units and accounts, level by level;
3. for each Config rule, account and region with a verdict: annotations, and when the rule last ran.

An aggregator keeps no NOT_APPLICABLE, and exemptions are NOT_APPLICABLE. A load balancer without a verdict may be not
applicable, exempt, or not evaluated at all: nobody can tell, so that is a gap and nothing is said of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from alb_sg.aggregator.completeness import (
    AggregatorSources,
    deployed_rules,
    describe_gaps,
    name_some,
    oldest_evaluations,
    read_source_statuses,
)
from alb_sg.aggregator.organization import read_account_names
from alb_sg.aggregator.recorded_findings import findings_from_verdicts
from alb_sg.aggregator.requests import AggregatorClients, AggregatorRequests, OrganizationRequests
from alb_sg.aggregator.responses import (
    ConfigRuleKey,
    RecordedEvaluation,
    RecordedVerdict,
    VerdictKey,
    read_account_region,
    read_evaluation,
    read_load_balancer,
    read_rows,
    read_verdicts,
)
from alb_sg.aws.account_region import AccountRegion
from alb_sg.aws.calls import ApiResponse, CallPool, Progress
from alb_sg.errors import InvalidInputError
from alb_sg.estate.config_item import ConfigItem
from alb_sg.estate.model import LoadBalancer
from alb_sg.findings.finding import EvaluationError
from alb_sg.observations.observation import AccountName, Completeness, LoadBalancerDetail, Observation
from alb_sg.observations.results import Results

# The region of items that belong to none, such as roles.
GLOBAL_REGION = "global"
NO_SUCH_AGGREGATOR = "NoSuchConfigurationAggregatorException"


@dataclass(frozen=True)
class _FirstStep:
    """What the first step's answers say. `load_balancers` by ARN."""

    verdicts: Mapping[VerdictKey, Sequence[RecordedVerdict]]
    load_balancers: Mapping[str, ConfigItem]
    recorded_account_regions: Collection[AccountRegion]
    expected: Sequence[AccountRegion] | None
    errors: Sequence[EvaluationError]
    gaps: Sequence[str]

    @property
    def account_regions(self) -> set[AccountRegion]:
        """The accounts and regions that anything was heard from."""
        of_verdicts = {one.account_region for found in self.verdicts.values() for one in found}
        return {
            *self.recorded_account_regions,
            *of_verdicts,
            *(item.account_region for item in self.load_balancers.values()),
        }


def observe(
    clients: AggregatorClients,
    aggregator: str,
    rules: Iterable[str],
    as_of: datetime,
    progress: Progress | None = None,
) -> Observation:
    """What AWS Config has recorded of load balancers, by the names of the rules asked for.

    What could not be read is an error in the results, or a sentence among the coverage's gaps where no verdict hangs on
    it. Raises InvalidInputError where there is no such aggregator.
    """
    chosen = sorted(set(rules))
    ask = AggregatorRequests(clients, aggregator)
    with CallPool(progress) as calls:
        read = _read_first_step(calls, ask, aggregator, chosen)
        accounts, nameless = _read_account_names(calls, clients)
        evaluations, unexplained = _read_evaluations(calls, ask, read.verdicts)
    findings, undecided = findings_from_verdicts(read.verdicts, evaluations)
    results = Results(
        account_regions=[
            (account_region.account_id, account_region.region) for account_region in sorted(read.account_regions)
        ],
        load_balancer_count=len({*read.load_balancers, *(arn for arn, _ in read.verdicts)}),
        rule_names=chosen,
        findings=sorted(findings, key=lambda finding: finding.sort_key),
        errors=sorted([*read.errors, *undecided], key=lambda error: error.sort_key),
    )
    return Observation(
        as_of=as_of,
        results=results,
        completeness=Completeness(
            expected=None if read.expected is None else tuple(sorted(set(read.expected))),
            observed=oldest_evaluations(read.account_regions, evaluations),
            rules_expected=tuple(chosen),
            rules_deployed=deployed_rules(read.load_balancers.values(), read.verdicts),
            gaps=(*read.gaps, *nameless, *unexplained, *describe_gaps(read.load_balancers, read.verdicts, chosen)),
        ),
        accounts=accounts,
        details={
            arn: LoadBalancerDetail(item.resource, item.tags)
            for arn, item in sorted(read.load_balancers.items())
            if isinstance(item.resource, LoadBalancer)
        },
    )


# --- the first step


def _read_first_step(
    calls: CallPool, requests: AggregatorRequests, aggregator: str, rules: Collection[str]
) -> _FirstStep:
    answers = calls.send_all(
        {
            "verdicts": requests.verdicts(),
            "load balancers": requests.load_balancers(),
            "recorded": requests.recorded_account_regions(),
            "sources": requests.source_statuses(),
        }
    )
    if any(answer.error_code == NO_SUCH_AGGREGATOR for answer in answers.values()):
        raise InvalidInputError(
            f"there is no aggregator {aggregator!r} in this account and region; give the name and --region of one"
        )
    verdicts, wrong_verdicts = read_rows(answers["verdicts"].items, read_verdicts)
    items, wrong_items = read_rows(answers["load balancers"].items, read_load_balancer)
    recorded, wrong_homes = read_rows(answers["recorded"].items, read_account_region)
    sources = read_source_statuses(answers["sources"].items, aggregator)
    errors = [
        *_query_errors(f"verdicts in aggregator {aggregator}", answers["verdicts"], wrong_verdicts),
        *_query_errors(f"load balancers in aggregator {aggregator}", answers["load balancers"], wrong_items),
        *sources.errors,
    ]
    failed = [one for one in (answers["recorded"].failure, *wrong_homes) if one is not None]
    by_key: dict[VerdictKey, list[RecordedVerdict]] = defaultdict(list)
    for one in (one for found in verdicts for one in found):
        if one.rule in rules:
            by_key[one.load_balancer_arn, one.rule].append(one)
    return _FirstStep(
        verdicts=by_key,
        load_balancers={item.id: item for item in items if _is_application(item)},
        recorded_account_regions={
            account_region for account_region in recorded if account_region.region != GLOBAL_REGION
        },
        expected=None if answers["sources"].failure is not None else sources.expected or None,
        errors=errors,
        gaps=[
            *_source_gaps(answers["sources"].failure, sources, aggregator),
            *(f"Accounts and regions without load balancers are not known: {one}." for one in failed[:1]),
        ],
    )


def _query_errors(what: str, answer: ApiResponse, wrong: Iterable[str]) -> Iterator[EvaluationError]:
    """A query that failed, or rows of it that cannot be read, may be about any account and region."""
    for cause in (answer.failure, *wrong):
        if cause is not None:
            yield EvaluationError("", "", None, None, what, cause)


def _source_gaps(failure: str | None, sources: AggregatorSources, aggregator: str) -> Iterator[str]:
    if failure is not None:
        yield f"Which accounts and regions are expected is not known: {failure}."
    elif not sources.expected:
        yield f"Which accounts and regions are expected is not known: aggregator {aggregator} names none."
    if sources.outdated:
        yield f"The aggregator does not have the latest of {name_some(sources.outdated)}."


def _is_application(item: ConfigItem) -> bool:
    return isinstance(item.resource, LoadBalancer) and item.resource.type == "application"


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
    calls: CallPool, requests: AggregatorRequests, verdicts: Mapping[VerdictKey, Sequence[RecordedVerdict]]
) -> tuple[dict[ConfigRuleKey, dict[str, RecordedEvaluation]], list[str]]:
    """What each Config rule says of each resource, and of which that is not known."""
    asked = sorted({(one.account_region, one.config_rule_name) for found in verdicts.values() for one in found})
    answers = calls.send_all({key: requests.evaluations(*key) for key in asked})
    found = {key: dict(map(read_evaluation, answer.items)) for key, answer in answers.items()}
    failed = [
        (account_region, answer.failure)
        for (account_region, _), answer in answers.items()
        if answer.failure is not None
    ]
    if not failed:
        return found, []
    account_regions = name_some({account_region for account_region, _ in failed})
    return found, [f"Reasons, and when rules last ran, are not known of all in {account_regions}: {failed[0][1]}."]
