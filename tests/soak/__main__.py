"""`python -m tests.soak [EVENTS] [SEED]`: events through the handlers in one process.

Memory, clients and threads must stay flat.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path
from random import Random

from embedded_aws.account import EmbeddedAws
from tests.soak.events import ChangingAccount, Delivery, handle, recorded
from tests.soak.quick_clients import quick_clients
from tests.soak.test_events import live_clients

# Growth of the resident set from the tenth of the way to the end, in MiB.
MAX_GROWTH = 16


def resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def main(events: int = 10_000, seed: int = 1) -> int:
    random = Random(seed)
    start = time.monotonic()
    figures: list[tuple[float, int, int]] = []
    with EmbeddedAws() as aws, quick_clients():
        account = ChangingAccount(aws, random)
        account.judge_anew()
        delivery = Delivery(account, random)
        share = max(1, events // 10)
        for _ in range(10):
            delivery.run(delivery.sent + share, handle)
            said = recorded(aws)
            aws.forget_calls()
            figures.append((resident_mib(), live_clients(), threading.active_count()))
            memory, clients, threads = figures[-1]
            sys.stdout.write(
                f"{delivery.sent:,} events, {time.monotonic() - start:.0f} s: {memory:.0f} MiB, {clients} clients, "
                f"{threads} threads\n"
            )
            sys.stdout.flush()
        right = said == account.judge_anew()
    growth = figures[-1][0] - figures[0][0]
    flat = growth <= MAX_GROWTH and figures[-1][1:] == figures[0][1:]
    sys.stdout.write(
        f"memory grew by {growth:.1f} MiB; verdicts are {'' if right else 'NOT '}those of the final state\n"
    )
    return 0 if flat and right else 1


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
