"""Judging alone, with the estate in memory: what a load balancer costs, and that no account makes it cost out of
proportion."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from math import log
from time import process_time

from alb_sg.estate.snapshots.speed import rare_garbage_collection
from alb_sg.findings.judge import judge_all
from alb_sg.parameters import Parameters
from alb_sg.recommendations.catalogue import DEFAULT_RECOMMENDATIONS
from benchmarks.generated_estates import EXTREME_ESTATES, GeneratedEstate, ordinary_estate
from benchmarks.table import Row

# Microseconds for all four rules on one load balancer of an ordinary account; the exponent that time grows with.
GUIDE_MICROSECONDS, MAX_EXPONENT = 60.0, 1.15
SIZES = (1_000, 10_000)
RUNS = 7


def rows() -> Iterator[Row]:
    yield from _ordinary_rows()
    for name, (make, size) in EXTREME_ESTATES.items():
        few, many = _shortest_times(make(size), make(4 * size))
        yield Row(
            f"judging: growth with {name}",
            log(many / few, 4),
            "exponent",
            MAX_EXPONENT,
            f"a quarter of {4 * size:,}",
            f"{few * 1e3:.3g} ms for {size:,}, {many * 1e3:.3g} ms for {4 * size:,}",
        )


def _ordinary_rows() -> Iterator[Row]:
    made = [ordinary_estate(size) for size in SIZES]
    for size, found, seconds in zip(SIZES, made, _shortest_times(*made), strict=True):
        lacking = sum(number for (_, verdict), number in found.verdicts.items() if verdict.value == "NON_COMPLIANT")
        yield Row(
            f"judging: four rules on each of {size:,} load balancers",
            seconds / size * 1e6,
            "µs",
            GUIDE_MICROSECONDS,
            "a guide",
            f"{seconds:.3g} s, {lacking} of {4 * size:,} verdicts are NON_COMPLIANT as planted",
        )


def _shortest_times(*made: GeneratedEstate) -> list[float]:
    """The shortest of the times for each, in seconds of the processor, of runs taken in turn. What is in memory already
    is left out of the search for cycles, and that is seldom made, as `alb-sg check` does it."""
    gc.collect()
    gc.freeze()
    try:
        with rare_garbage_collection():
            runs = [[_measure_seconds(one) for one in made] for _ in range(RUNS)]
    finally:
        gc.unfreeze()
    return [min(times) for times in zip(*runs, strict=True)]


def _measure_seconds(generated: GeneratedEstate) -> float:
    """Seconds to judge an estate without anything known of it from the run before."""
    estate = replace(generated.estate)
    rules = dict.fromkeys(DEFAULT_RECOMMENDATIONS, Parameters())
    start = process_time()
    findings, errors = judge_all(estate, estate.load_balancers.values(), rules)
    seconds = process_time() - start
    assert not errors, errors[:3]
    counted = Counter((finding.rule, finding.compliance) for finding in findings)
    assert counted == generated.verdicts, (counted, generated.verdicts)
    return seconds
