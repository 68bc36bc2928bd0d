"""The CloudFormation Hook over a region with 500 load balancers. Its time passes with its calls: each takes 0.1 s and
waits for the services' token buckets."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from time import process_time
from typing import Any
from unittest.mock import patch

from alb_sg.functions import hook
from benchmarks.table import Row
from tests.builders import ACCOUNT, REGION, Shape
from tests.functions.hook_events import event, payload
from tests.functions.large_region import INBOUND, NO_EGRESS, NO_INGRESS, SIZE, LimitedRegion, change, large_region, rule

# What CloudFormation waits for, without the pauses between invocations, in which the buckets fill.
MAX_SECONDS = hook.MAX_INVOCATIONS * hook.SECONDS_TO_ANSWER
IDS = {"Changed": "sg-1"}
MORE_INGRESS = change({INBOUND: [rule(443)]}, {INBOUND: [rule(443), rule(80)]})
# Each change, with the load balancers that it breaks.
CHANGES: Sequence[tuple[str, Shape, Sequence[str]]] = (
    ("lose what lets clients in", NO_INGRESS, ["web-499"]),
    ("lose what lets them reach targets", NO_EGRESS, ["web-499"]),
    ("let more in", MORE_INGRESS, []),
)


def rows() -> Iterator[Row]:
    for name, entry, broken in CHANGES:
        region = large_region(lost=broken)
        begin = process_time()
        answer = _answer(region, entry)
        used = process_time() - begin
        failed = [one["annotationName"] for one in answer["annotations"] if one["status"] == "FAILED"]
        assert {name.split()[-1] for name in failed} == set(broken), answer
        assert "no time" not in answer["message"], answer
        yield Row(
            f"Hook: {SIZE} load balancers {name}",
            region.time.clock(),
            "s",
            MAX_SECONDS,
            "the seconds of three invocations",
            f"virtual; {sum(region.counts().values()):,} calls, {used:.2g} s of the processor",
        )


def _answer(region: LimitedRegion, entry: Shape) -> dict[str, Any]:
    """All invocations are one piece of time here."""
    with (
        patch.dict(os.environ, {hook.RULES_VARIABLE: "", "AWS_DEFAULT_REGION": REGION}),
        patch.multiple(
            hook,
            SECONDS_TO_ANSWER=MAX_SECONDS,
            MAX_INVOCATIONS=1,
            monotonic=region.time.clock,
            fetch_payload=lambda _: payload({}, [entry]),
            physical_ids=lambda *_: IDS,
            LiveSource=lambda *_: region.source(),
        ),
    ):
        return hook.lambda_handler(event(awsAccountId=ACCOUNT), None)
