"""Events that are repeated, late, out of order and interleaved with changes end with the verdicts of the final state.

They leave nothing behind in the process. `make soak` sends 10,000.
"""

from __future__ import annotations

import gc
import threading
from random import Random

import pytest
from botocore.client import BaseClient

from embedded_aws.account import EmbeddedAws
from tests.soak.events import ChangingAccount, Delivery, handle, recorded

pytestmark = pytest.mark.slow


def live_clients() -> int:
    # A cold start freezes what it has made, which the collector does not list then.
    gc.unfreeze()
    gc.collect()
    return sum(isinstance(found, BaseClient) for found in gc.get_objects())


@pytest.mark.parametrize("seed", [1])
def test_events_end_with_the_verdicts_of_the_final_state(seed: int) -> None:
    random = Random(seed)
    with EmbeddedAws() as aws:
        account = ChangingAccount(aws, random)
        account.judge_anew()
        delivery = Delivery(account, random)
        # New sessions have the handler; the account's own clients, which make the changes, do not.
        with delivery.interleaved():
            delivery.run(200, handle)
        said = recorded(aws)
        assert said == account.judge_anew()
        assert {"COMPLIANT", "NON_COMPLIANT"} <= set(said.values())


def test_invocations_leave_no_clients_and_no_threads() -> None:
    random = Random(3)
    with EmbeddedAws() as aws:
        account = ChangingAccount(aws, random)
        account.judge_anew()
        clients, threads = live_clients(), threading.active_count()
        Delivery(account, random).run(30, handle)
        assert 0 < live_clients() <= clients
        assert threading.active_count() <= threads
