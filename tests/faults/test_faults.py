"""Every call fails once, and a seeded sample of runs fails anywhere: a run is judged as without the fault, or an error
names the call.

`make faults` makes 2,000 random runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

import pytest

from tests.faults import scenarios
from tests.faults.campaign import Campaign
from tests.faults.fixing import opened_shop
from tests.faults.runs import random_runs
from tests.faults.scenarios import Scenario

pytestmark = pytest.mark.slow

SEED = 20270131
FIXES = 24


@pytest.mark.parametrize("find", [scenarios.commands, scenarios.aggregator, scenarios.dashboard_function])
def test_every_call_may_fail(find: Callable[[], Iterator[Scenario]]) -> None:
    with scenarios.opened_account() as (_, injector):
        for scenario in find():
            assert Campaign(scenario, injector).fail_each_operation(Random(SEED)) == []


def test_every_call_of_a_handler_may_fail() -> None:
    with scenarios.opened_account() as (aws, injector):
        for scenario in scenarios.handlers(aws):
            assert Campaign(scenario, injector).fail_each_operation(Random(SEED)) == []


@pytest.mark.parametrize("shared", [False, True], ids=["own group", "new group"])
def test_a_fix_is_done_or_taken_back(shared: bool) -> None:
    with opened_shop(shared=shared) as campaign:
        runs = Random(SEED).sample(list(campaign.faults()), FIXES)
        problems = [campaign.run(fault, undoes=undoes) for fault, undoes in runs]
    assert [problem for problem in problems if problem is not None] == []


def test_random_runs() -> None:
    assert [problem for problem in random_runs(20, SEED) if problem is not None] == []
