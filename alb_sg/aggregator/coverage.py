"""How much of an organization an aggregator tells of: where it collects, what was heard, and what nobody knows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from alb_sg.aggregator.recorded import Evaluation, Key, RuleAt, Verdict
from alb_sg.estate.config_item import ConfigItem
from alb_sg.estate.home import Home
from alb_sg.findings.finding import JudgementError
from alb_sg.report import words

# How many accounts and regions a sentence names.
MOST_NAMED = 3


@dataclass
class Sources:
    """`expected`: the accounts and regions that the aggregator collects from. `outdated`: those of them of which it
    does not have the latest. `errors`: those that it could not collect from at all."""

    expected: list[Home] = field(default_factory=list)
    outdated: list[Home] = field(default_factory=list)
    errors: list[JudgementError] = field(default_factory=list)


def read_sources(statuses: Iterable[Mapping[str, Any]], aggregator: str) -> Sources:
    """The sources in DescribeConfigurationAggregatorSourcesStatus' answer.

    An organization is a source, too: of it the aggregator learns which accounts there are.
    """
    sources = Sources()
    for one in statuses:
        account = one.get("SourceType") == "ACCOUNT"
        home = Home(str(one.get("SourceId")), str(one.get("AwsRegion")))
        if account:
            sources.expected.append(home)
        match one.get("LastUpdateStatus"):
            case "FAILED":
                what = f"AWS Config of {home}" if account else "the accounts of the organization"
                why = ": ".join(str(one[name]) for name in ("LastErrorCode", "LastErrorMessage") if one.get(name))
                cause = f"aggregator {aggregator} could not collect it: {why or 'no reason is given'}"
                place = (home.account_id, home.region) if account else ("", "")
                sources.errors.append(JudgementError(*place, None, None, what, cause))
            case "OUTDATED" if account:
                sources.outdated.append(home)
    return sources


def heard(homes: Iterable[Home], evaluations: Mapping[RuleAt, Mapping[str, Evaluation]]) -> dict[Home, datetime | None]:
    """Accounts and regions, each with the time of its oldest evaluation where that is known."""
    oldest: dict[Home, datetime] = {}
    for (home, _), found in evaluations.items():
        for time in (one.time for one in found.values()):
            if time is not None:
                oldest[home] = min(time, oldest.get(home, time))
    return {home: oldest.get(home) for home in sorted(homes)}


def deployed(
    load_balancers: Iterable[ConfigItem], verdicts: Mapping[Key, Sequence[Verdict]]
) -> dict[Home, frozenset[str]]:
    """The rules with a verdict, in each account and region that has load balancers."""
    rules: dict[Home, set[str]] = {item.home: set() for item in load_balancers}
    for (_, rule), found in verdicts.items():
        rules.setdefault(found[0].home, set()).add(rule)
    return {home: frozenset(of) for home, of in sorted(rules.items())}


def gaps(
    load_balancers: Mapping[str, ConfigItem], verdicts: Mapping[Key, Sequence[Verdict]], rules: Iterable[str]
) -> Iterator[str]:
    """A sentence for each rule without a verdict on some load balancer, for each that is deployed twice somewhere, and
    for load balancers without an item."""
    for rule in rules:
        without = [item.home for arn, item in load_balancers.items() if (arn, rule) not in verdicts]
        if without:
            yield (
                f"{rule} has no verdict on {len(without):,} of {words.counted(len(load_balancers), 'load balancer')} "
                f"({some(without)}): not applicable, exempt, or not evaluated, which an aggregator does not tell apart."
            )
        twice = [found[0].home for (_, of), found in verdicts.items() if of == rule and len(found) > 1]
        if twice:
            yield f"{rule} is deployed more than once in {some(twice)}: the worse verdict counts."
    unknown = [found[0].home for (arn, _), found in verdicts.items() if arn not in load_balancers]
    if unknown:
        yield (
            f"AWS Config has verdicts on load balancers of which the aggregator has no item ({some(unknown)}): their "
            "scheme and tags are not known."
        )


def some(homes: Iterable[Home]) -> str:
    """The first accounts and regions, each once, and how many more there are."""
    return words.some([str(home) for home in sorted(set(homes))], MOST_NAMED)
