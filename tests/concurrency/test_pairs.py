"""Fixes and undos of one load balancer that meet at a call: see `pairs` for what must hold.

`make concurrency` tries random ones.
"""

from __future__ import annotations

import pytest

from tests.concurrency.pairs import PAIRS, Meeting, problem_of, random_meetings

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("shared", [False, True], ids=["own group", "new group"])
@pytest.mark.parametrize("pair", sorted(PAIRS))
def test_two_that_meet(pair: str, shared: bool) -> None:
    """Each goes on in the middle of the other, early and late."""
    meetings = [Meeting(pair, shared, first, second) for first, second in ((5, 8), (14, 10))]
    assert [problem for meeting in meetings if (problem := problem_of(meeting)) is not None] == []


def test_two_and_a_person() -> None:
    meetings = random_meetings(10, 20270131)
    assert [problem for meeting in meetings if (problem := problem_of(meeting)) is not None] == []
