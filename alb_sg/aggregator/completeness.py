"""How much of an organization an aggregator tells of: where it collects, what was heard, and what nobody knows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from alb_sg.aggregator.responses import ConfigRuleKey, RecordedEvaluation, RecordedVerdict, VerdictKey
from alb_sg.aws.account_region import AccountRegion
from alb_sg.estate.config_item import ConfigItem
from alb_sg.findings.finding import EvaluationError
from alb_sg.report import phrasing

# How many accounts and regions a sentence names.
MAX_NAMED = 3


@dataclass
class AggregatorSources:
    """`expected`: the accounts and regions that the aggregator collects from. `outdated`: those of them of which it
    does not have the latest. `errors`: those that it could not collect from at all."""

    expected: list[AccountRegion] = field(default_factory=list)
    outdated: list[AccountRegion] = field(default_factory=list)
    errors: list[EvaluationError] = field(default_factory=list)


def read_source_statuses(statuses: Iterable[Mapping[str, Any]], aggregator: str) -> AggregatorSources:
    """The sources in DescribeConfigurationAggregatorSourcesStatus' answer.

    An organization is a source, too: of it the aggregator learns which accounts there are.
    """
    sources = AggregatorSources()
    for one in statuses:
        account = one.get("SourceType") == "ACCOUNT"
        account_region = AccountRegion(str(one.get("SourceId")), str(one.get("AwsRegion")))
        if account:
            sources.expected.append(account_region)
        match one.get("LastUpdateStatus"):
            case "FAILED":
                what = f"AWS Config of {account_region}" if account else "the accounts of the organization"
                why = ": ".join(str(one[name]) for name in ("LastErrorCode", "LastErrorMessage") if one.get(name))
                cause = f"aggregator {aggregator} could not collect it: {why or 'no reason is given'}"
                place = (account_region.account_id, account_region.region) if account else ("", "")
                sources.errors.append(EvaluationError(*place, None, None, what, cause))
            case "OUTDATED" if account:
                sources.outdated.append(account_region)
    return sources


def oldest_evaluations(
    account_regions: Iterable[AccountRegion], evaluations: Mapping[ConfigRuleKey, Mapping[str, RecordedEvaluation]]
) -> dict[AccountRegion, datetime | None]:
    """Accounts and regions, each with the time of its oldest evaluation where that is known."""
    oldest: dict[AccountRegion, datetime] = {}
    for (account_region, _), found in evaluations.items():
        for time in (one.time for one in found.values()):
            if time is not None:
                oldest[account_region] = min(time, oldest.get(account_region, time))
    return {account_region: oldest.get(account_region) for account_region in sorted(account_regions)}


def deployed_rules(
    load_balancers: Iterable[ConfigItem], verdicts: Mapping[VerdictKey, Sequence[RecordedVerdict]]
) -> dict[AccountRegion, frozenset[str]]:
    """The rules with a verdict, in each account and region that has load balancers."""
    rules: dict[AccountRegion, set[str]] = {item.account_region: set() for item in load_balancers}
    for (_, rule), found in verdicts.items():
        rules.setdefault(found[0].account_region, set()).add(rule)
    return {account_region: frozenset(of) for account_region, of in sorted(rules.items())}


def describe_gaps(
    load_balancers: Mapping[str, ConfigItem],
    verdicts: Mapping[VerdictKey, Sequence[RecordedVerdict]],
    rules: Iterable[str],
) -> Iterator[str]:
    """A sentence for each rule without a verdict on some load balancer, for each that is deployed twice somewhere, and
    for load balancers without an item."""
    for rule in rules:
        without = [item.account_region for arn, item in load_balancers.items() if (arn, rule) not in verdicts]
        if without:
            yield (
                f"{rule} has no verdict on {len(without):,} of "
                f"{phrasing.pluralize(len(load_balancers), 'load balancer')} "
                f"({name_some(without)}): not applicable, exempt, or not evaluated, which an aggregator does not "
                "tell apart."
            )
        twice = [found[0].account_region for (_, of), found in verdicts.items() if of == rule and len(found) > 1]
        if twice:
            yield f"{rule} is deployed more than once in {name_some(twice)}: the worse verdict counts."
    unknown = [found[0].account_region for (arn, _), found in verdicts.items() if arn not in load_balancers]
    if unknown:
        yield (
            "AWS Config has verdicts on load balancers of which the aggregator has no item "
            f"({name_some(unknown)}): their "
            "scheme and tags are not known."
        )


def name_some(account_regions: Iterable[AccountRegion]) -> str:
    """The first accounts and regions, each once, and how many more there are."""
    return phrasing.abbreviate([str(account_region) for account_region in sorted(set(account_regions))], MAX_NAMED)
