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


@pytest.mark.parametrize("person_at", [25, 26, 27])
def test_a_group_that_is_attached_around_the_write_of_the_list_stays(person_at: int) -> None:
    """The first fix reads the load balancer's groups at its call 25, and writes them at 26."""
    assert problem_of(Meeting("fix and fix", True, 60, 60, "attaches a group", person_at)) is None


def test_two_and_a_person() -> None:
    meetings = random_meetings(10, 20270131)
    assert [problem for meeting in meetings if (problem := problem_of(meeting)) is not None] == []
