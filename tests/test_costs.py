"""What it costs: the page has what is counted, and a month is worked out as AWS charges."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.costs import END, GB_SECOND, REQUEST, START, Count, dollars, measure, page_part, with_part

PAGE = Path(__file__).parents[1] / "docs" / "deployment.md"


@pytest.mark.slow
def test_the_page_lists_everything_it_counts() -> None:
    """If it has not: `python -m benchmarks.costs docs/deployment.md`."""
    text = PAGE.read_text(encoding="utf-8")
    assert with_part(text, page_part(measure())) == text


@pytest.mark.parametrize(
    ("evaluations", "expected"),
    [
        (0, 0),
        (100_000, 100),
        # Each tier's price is for what is in the tier alone.
        (100_001, 100.0008),
        (500_000, 420),
        (600_000, 470),
    ],
)
def test_tiers_of_evaluations(evaluations: int, expected: float) -> None:
    assert dollars(Count(evaluations=evaluations))[0] == pytest.approx(expected)


def test_the_time_and_requests_of_functions() -> None:
    # Ten times 0.5 seconds and 50 calls of 0.1 seconds, at half a gigabyte.
    _, function = dollars(Count(invocations=10, calls=50))
    assert function == pytest.approx(10 * 0.5 * GB_SECOND + 10 * REQUEST)


@pytest.mark.parametrize("text", ["", START, END])
def test_a_page_without_both_markers_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not both markers"):
        with_part(text, "costs\n")
