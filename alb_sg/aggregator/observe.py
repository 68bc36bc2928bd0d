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

from alb_sg.aggregator.coverage import Sources, deployed, gaps, heard, read_sources, some
from alb_sg.aggregator.findings import findings_of
from alb_sg.aggregator.organization import read_accounts
from alb_sg.aggregator.recorded import (
    Evaluation,
    Key,
    RuleAt,
    Verdict,
    evaluation,
    home_in,
    load_balancer_in,
    read_rows,
    verdicts_in,
)
from alb_sg.aggregator.requests import AggregatorClients, OrganizationRequests, Requests
from alb_sg.dashboard.observation import AccountName, Coverage, Detail, Observation
from alb_sg.errors import UnusableInput
from alb_sg.estate.config_item import ConfigItem
from alb_sg.estate.home import Home
from alb_sg.estate.model import LoadBalancer
from alb_sg.findings.finding import JudgementError
from alb_sg.live.calls import Answer, Calls, Progress
from alb_sg.report.results import Results

# The region of items that belong to none, such as roles.
GLOBAL = "global"
NO_SUCH_AGGREGATOR = "NoSuchConfigurationAggregatorException"


@dataclass(frozen=True)
class _Read:
    """What the first step's answers say. `load_balancers` by ARN."""

    verdicts: Mapping[Key, Sequence[Verdict]]
    load_balancers: Mapping[str, ConfigItem]
    recorded: Collection[Home]
    expected: Sequence[Home] | None
    errors: Sequence[JudgementError]
    gaps: Sequence[str]

    @property
    def homes(self) -> set[Home]:
        """The accounts and regions that anything was heard from."""
        of_verdicts = {one.home for found in self.verdicts.values() for one in found}
        return {*self.recorded, *of_verdicts, *(item.home for item in self.load_balancers.values())}


def observe(
    clients: AggregatorClients,
    aggregator: str,
    rules: Iterable[str],
    as_of: datetime,
    progress: Progress | None = None,
) -> Observation:
    """What AWS Config has recorded of load balancers, by the names of the rules asked for.

    What could not be read is an error in the results, or a sentence among the coverage's gaps where no verdict hangs on
    it. Raises UnusableInput where there is no such aggregator.
    """
    chosen = sorted(set(rules))
    ask = Requests(clients, aggregator)
    with Calls(progress) as calls:
        read = _first_step(calls, ask, aggregator, chosen)
        accounts, nameless = _accounts(calls, clients)
        evaluations, unexplained = _evaluations(calls, ask, read.verdicts)
    findings, undecided = findings_of(read.verdicts, evaluations)
    results = Results(
        homes=[(home.account_id, home.region) for home in sorted(read.homes)],
        load_balancers=len({*read.load_balancers, *(arn for arn, _ in read.verdicts)}),
        rules=chosen,
        findings=sorted(findings, key=lambda finding: finding.sort_key),
        errors=sorted([*read.errors, *undecided], key=lambda error: error.sort_key),
    )
    return Observation(
        as_of=as_of,
        results=results,
        coverage=Coverage(
            expected=None if read.expected is None else tuple(sorted(set(read.expected))),
            heard=heard(read.homes, evaluations),
            rules_expected=tuple(chosen),
            rules_deployed=deployed(read.load_balancers.values(), read.verdicts),
            gaps=(*read.gaps, *nameless, *unexplained, *gaps(read.load_balancers, read.verdicts, chosen)),
        ),
        accounts=accounts,
        details={
            arn: Detail(item.resource, item.tags)
            for arn, item in sorted(read.load_balancers.items())
            if isinstance(item.resource, LoadBalancer)
        },
    )


# --- the first step


def _first_step(calls: Calls, ask: Requests, aggregator: str, rules: Collection[str]) -> _Read:
    answers = calls.answers(
        {
            "verdicts": ask.verdicts(),
            "load balancers": ask.load_balancers(),
            "recorded": ask.recorded(),
            "sources": ask.sources(),
        }
    )
    if any(answer.code == NO_SUCH_AGGREGATOR for answer in answers.values()):
        raise UnusableInput(
            f"there is no aggregator {aggregator!r} in this account and region; give the name and --region of one"
        )
    verdicts, wrong_verdicts = read_rows(answers["verdicts"].items, verdicts_in)
    items, wrong_items = read_rows(answers["load balancers"].items, load_balancer_in)
    recorded, wrong_homes = read_rows(answers["recorded"].items, home_in)
    sources = read_sources(answers["sources"].items, aggregator)
    errors = [
        *_errors(f"verdicts in aggregator {aggregator}", answers["verdicts"], wrong_verdicts),
        *_errors(f"load balancers in aggregator {aggregator}", answers["load balancers"], wrong_items),
        *sources.errors,
    ]
    failed = [one for one in (answers["recorded"].failure, *wrong_homes) if one is not None]
    by_key: dict[Key, list[Verdict]] = defaultdict(list)
    for one in (one for found in verdicts for one in found):
        if one.rule in rules:
            by_key[one.load_balancer_arn, one.rule].append(one)
    return _Read(
        verdicts=by_key,
        load_balancers={item.id: item for item in items if _is_application(item)},
        recorded={home for home in recorded if home.region != GLOBAL},
        expected=None if answers["sources"].failure is not None else sources.expected or None,
        errors=errors,
        gaps=[
            *_unknown_sources(answers["sources"].failure, sources, aggregator),
            *(f"Accounts and regions without load balancers are not known: {one}." for one in failed[:1]),
        ],
    )


def _errors(what: str, answer: Answer, wrong: Iterable[str]) -> Iterator[JudgementError]:
    """A query that failed, or rows of it that cannot be read, may be about any account and region."""
    for cause in (answer.failure, *wrong):
        if cause is not None:
            yield JudgementError("", "", None, None, what, cause)


def _unknown_sources(failure: str | None, sources: Sources, aggregator: str) -> Iterator[str]:
    if failure is not None:
        yield f"Which accounts and regions are expected is not known: {failure}."
    elif not sources.expected:
        yield f"Which accounts and regions are expected is not known: aggregator {aggregator} names none."
    if sources.outdated:
        yield f"The aggregator does not have the latest of {some(sources.outdated)}."


def _is_application(item: ConfigItem) -> bool:
    return isinstance(item.resource, LoadBalancer) and item.resource.type == "application"


# --- the second


def _accounts(calls: Calls, clients: AggregatorClients) -> tuple[dict[str, AccountName], list[str]]:
    if clients.organizations is None:
        return {}, []
    accounts, failure = read_accounts(calls, OrganizationRequests(clients.organizations))
    if failure is None:
        return accounts, []
    return accounts, [f"Not every account's name and organizational unit is known: {failure}."]


# --- the third


def _evaluations(
    calls: Calls, ask: Requests, verdicts: Mapping[Key, Sequence[Verdict]]
) -> tuple[dict[RuleAt, dict[str, Evaluation]], list[str]]:
    """What each Config rule says of each resource, and of which that is not known."""
    asked = sorted({(one.home, one.config_rule_name) for found in verdicts.values() for one in found})
    answers = calls.answers({key: ask.evaluations(*key) for key in asked})
    found = {key: dict(map(evaluation, answer.items)) for key, answer in answers.items()}
    failed = [(home, answer.failure) for (home, _), answer in answers.items() if answer.failure is not None]
    if not failed:
        return found, []
    homes = some({home for home, _ in failed})
    return found, [f"Reasons, and when rules last ran, are not known of all in {homes}: {failed[0][1]}."]
