"""How much of an organization an aggregator covers, and what it leaves unknown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from alb_sg.aggregator.recorded_verdicts import RuleEvaluations
from alb_sg.aggregator.responses import ConfigRule, RecordedEvaluation
from alb_sg.aggregator.sources import OUTDATED, AggregatorSources
from alb_sg.aws.account_region import AccountRegion
from alb_sg.estate.config_item import ConfigItem
from alb_sg.exemptions.exemption import VerdictKey
from alb_sg.findings.phrasing import abbreviate, pluralize

# How many accounts and regions a sentence names.
MAX_NAMED = 3


def oldest_evaluations(
    account_regions: Iterable[AccountRegion], evaluations: Mapping[ConfigRule, RuleEvaluations]
) -> dict[AccountRegion, datetime | None]:
    """The time of the oldest evaluation in each account and region; None where it is unknown."""
    oldest: dict[AccountRegion, datetime] = {}
    for config_rule, found in evaluations.items():
        for evaluation in found.by_arn.values():
            if evaluation.time is not None:
                known = oldest.get(config_rule.account_region, evaluation.time)
                oldest[config_rule.account_region] = min(evaluation.time, known)
    return {account_region: oldest.get(account_region) for account_region in sorted(account_regions)}


def deployed_rules(
    load_balancers: Iterable[ConfigItem], verdicts: Mapping[VerdictKey, Sequence[RecordedEvaluation]]
) -> dict[AccountRegion, frozenset[str]]:
    """The rules with a verdict, in each account and region that has load balancers."""
    rules: dict[AccountRegion, set[str]] = {item.account_region: set() for item in load_balancers}
    for (_, rule), deployments in verdicts.items():
        rules.setdefault(deployments[0].account_region, set()).add(rule)
    return {account_region: frozenset(names) for account_region, names in sorted(rules.items())}


def source_gaps(sources: AggregatorSources) -> Iterator[str]:
    if sources.unknown_cause is not None:
        yield f"Which accounts and regions are expected is not known: {sources.unknown_cause}."
    outdated = [source for source in sources.sources if source.status == OUTDATED]
    if outdated:
        yield f"The aggregator does not have the latest of {name_places(source.name for source in outdated)}."


def verdict_gaps(
    load_balancers: Mapping[str, ConfigItem],
    verdicts: Mapping[VerdictKey, Sequence[RecordedEvaluation]],
    rules: Iterable[str],
) -> Iterator[str]:
    """Load balancers without a verdict or without an item, and rules that are deployed more than once."""
    for rule in rules:
        without = [item.account_region for arn, item in load_balancers.items() if (arn, rule) not in verdicts]
        if without:
            yield (
                f"{rule} has no verdict on {len(without):,} of {pluralize(len(load_balancers), 'load balancer')} "
                f"({name_places(without)}): not applicable, exempt, or not evaluated, which an aggregator "
                "does not tell apart."
            )
        twice = [
            deployments[0].account_region
            for (_, name), deployments in verdicts.items()
            if name == rule and len(deployments) > 1
        ]
        if twice:
            yield f"{rule} is deployed more than once in {name_places(twice)}: the worse verdict counts."
    unknown = [deployments[0].account_region for (arn, _), deployments in verdicts.items() if arn not in load_balancers]
    if unknown:
        yield (
            "AWS Config has verdicts on load balancers of which the aggregator has no item "
            f"({name_places(unknown)}): their scheme and tags are not known."
        )


def name_places(places: Iterable[object]) -> str:
    """The first accounts and regions, each once, and how many more there are."""
    return abbreviate(sorted(set(map(str, places))), MAX_NAMED)
