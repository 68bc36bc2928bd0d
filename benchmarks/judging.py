"""Judging alone, with the estate in memory: what a load balancer costs, and that no account makes it cost out of
proportion."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import log
from time import process_time

from alb_sg.estate.snapshots.speed import rare_garbage_collection
from alb_sg.findings.judge import judge_all
from alb_sg.parameters import Parameters
from alb_sg.recommendations.catalogue import DEFAULT_RECOMMENDATIONS, RECOMMENDATIONS
from alb_sg.recommendations.recommendation import Recommendation
from benchmarks.generated_estates import EXTREME_ESTATES, TARGETS, UNUSED, GeneratedEstate, ordinary_estate
from benchmarks.table import RATIO_UNIT, Row

# Microseconds for the four rules on the load balancer's own groups, for one load balancer of an ordinary account; how
# much all six take in comparison; the exponent that time grows with.
GUIDE_MICROSECONDS, MAX_RATIO_OF_SIX, MAX_EXPONENT = 60.0, 1.5, 1.15
FOUR = tuple(rule for rule in RECOMMENDATIONS if rule.name not in (TARGETS, UNUSED))
SIZES = (1_000, 10_000)
RUNS = 7


def rows() -> Iterator[Row]:
    yield from _ordinary_rows()
    for name, (make, size) in EXTREME_ESTATES.items():
        few, many = _shortest_times((make(size), DEFAULT_RECOMMENDATIONS), (make(4 * size), DEFAULT_RECOMMENDATIONS))
        yield Row(
            f"judging: growth with {name}",
            log(many / few, 4),
            "exponent",
            MAX_EXPONENT,
            f"a quarter of {4 * size:,}",
            f"{few * 1e3:.3g} ms for {size:,}, {many * 1e3:.3g} ms for {4 * size:,}",
        )


def _ordinary_rows() -> Iterator[Row]:
    for size in SIZES:
        made = ordinary_estate(size)
        four, default, six = _shortest_times((made, FOUR), (made, DEFAULT_RECOMMENDATIONS), (made, RECOMMENDATIONS))
        for rules, seconds, limit in ((FOUR, four, GUIDE_MICROSECONDS), (DEFAULT_RECOMMENDATIONS, default, None)):
            lacking = sum(
                number
                for (name, verdict), number in made.verdicts.items()
                if verdict.value == "NON_COMPLIANT" and any(rule.name == name for rule in rules)
            )
            yield Row(
                f"judging: {'four' if rules is FOUR else 'the default'} rules on each of {size:,} load balancers",
                seconds / size * 1e6,
                "µs",
                limit,
                "a guide" if limit else "",
                f"{seconds:.3g} s, {lacking} of {len(rules) * size:,} verdicts are NON_COMPLIANT as planted",
            )
        yield Row(
            f"judging: all six rules on each of {size:,} load balancers",
            six / four,
            RATIO_UNIT,
            MAX_RATIO_OF_SIX,
            "the four rules on the load balancer's own groups",
            f"{six / size * 1e6:.3g} against {four / size * 1e6:.3g} µs",
        )


def _shortest_times(*cases: tuple[GeneratedEstate, Sequence[Recommendation]]) -> list[float]:
    """The shortest of the times for each, in seconds of the processor, of runs taken in turn. What is in memory already
    is left out of the search for cycles, and that is seldom made, as `alb-sg check` does it."""
    gc.collect()
    gc.freeze()
    try:
        with rare_garbage_collection():
            runs = [[_measure_seconds(made, rules) for made, rules in cases] for _ in range(RUNS)]
    finally:
        gc.unfreeze()
    return [min(times) for times in zip(*runs, strict=True)]


def _measure_seconds(generated: GeneratedEstate, recommendations: Sequence[Recommendation]) -> float:
    """Seconds to judge an estate without anything known of it from the run before."""
    estate = replace(generated.estate)
    rules = dict.fromkeys(recommendations, Parameters())
    start = process_time()
    findings, errors = judge_all(estate, estate.load_balancers.values(), rules)
    seconds = process_time() - start
    assert not errors, errors[:3]
    names = {rule.name for rule in recommendations}
    counted = Counter((finding.rule, finding.compliance) for finding in findings)
    expected = {key: number for key, number in generated.verdicts.items() if key[0] in names}
    # Open and unused parts are not planted.
    counted = Counter({key: number for key, number in counted.items() if key[0] != UNUSED})
    assert counted == expected, (counted, expected)
    return seconds
