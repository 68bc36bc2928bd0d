"""Random runs of every program with a fault, from a seed."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from tests.faults import scenarios
from tests.faults.campaign import Campaign
from tests.faults.fixing import opened_shop


def random_runs(count: int, seed: int) -> Iterator[str | None]:
    """What is wrong with each of `count` runs; None for a run in which nothing is. A third of them are fixes."""
    random = Random(seed)
    fixes = count // 3
    with scenarios.opened_account() as (aws, injector):
        found = [
            *scenarios.handlers(aws),
            *scenarios.commands(),
            *scenarios.aggregator(),
            *scenarios.dashboard_function(),
        ]
        campaigns: dict[str, Campaign] = {}
        for _ in range(count - fixes):
            scenario = random.choice(found)
            if scenario.name not in campaigns:
                campaigns[scenario.name] = Campaign(scenario, injector)
            campaign = campaigns[scenario.name]
            yield campaign.run(campaign.random_fault(random))
    for shared, share in ((False, fixes // 2), (True, fixes - fixes // 2)):
        with opened_shop(shared=shared) as fixing:
            for _ in range(share):
                fault, undoes = fixing.random_fault(random)
                yield fixing.run(fault, undoes=undoes)
