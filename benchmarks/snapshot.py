"""From gzipped ConfigSnapshots to the verdicts of the default rules, against reading the same files and no more.

`ALB_SG_BENCH_LARGE=1` adds a snapshot of 100,000 load balancers, which takes some minutes to make and some to judge.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.snapshot_files import expected_verdicts, snapshot_file
from benchmarks.table import RATIO_UNIT, Row

SIZES = (1_000, 10_000, 100_000)
LARGE_SIZE = 100_000
# How often each is run; of the times the least is taken, because whatever else the machine does only ever adds.
RUNS = {1_000: 10, 10_000: 10, LARGE_SIZE: 3}
FILE_COUNT, LOAD_BALANCERS_PER_FILE = 16, 2_000
COMPARISON = "unpacking and decoding the same fields (benchmarks/floor.py)"
OURS, FLOOR, FAST_FLOOR = "alb-sg check", "floor", "floor with isal"
CHECK_COMMAND = (sys.executable, "-c", "from alb_sg.command_line.entry_point import run; run()", "check")
NON_COMPLIANT_EXIT_CODE = 1


@dataclass(frozen=True)
class ProcessMeasurement:
    """What a process took: seconds of the processor, of the clock, and MiB of memory at its peak."""

    processor: float
    clock: float
    memory: float


def rows() -> Iterator[Row]:
    least: dict[int, float] = {}
    for size in SIZES:
        if size == LARGE_SIZE and os.environ.get("ALB_SG_BENCH_LARGE") != "1":
            continue
        runs = _measure_in_turn(size)
        took = {name: min(run.processor for run in some) for name, some in runs.items()}
        least[size] = took[OURS]
        for name, limit, against in ((FLOOR, 1.7, COMPARISON), (FAST_FLOOR, None, "the same, unpacking with isal")):
            yield Row(
                f"snapshot to verdicts: {size:,} load balancers{'' if name == FLOOR else ', ' + name}",
                took[OURS] / took[name],
                RATIO_UNIT,
                None if size < 10_000 else limit,
                against,
                f"{took[OURS] / size * 1e6:.0f} against {took[name] / size * 1e6:.0f} µs of the processor a load "
                "balancer, start included",
            )
        mine, its = (min(run.memory for run in runs[name]) for name in (OURS, FLOOR))
        yield Row(
            f"snapshot to verdicts: {size:,} load balancers, peak memory",
            mine / its,
            RATIO_UNIT,
            None if size < 10_000 else 1.4,
            COMPARISON,
            f"{mine:.0f} against {its:.0f} MiB",
        )
    smallest, largest = min(least), max(least)
    yield Row(
        f"snapshot to verdicts: growth from {smallest:,} to {largest:,}",
        math.log(least[largest] / least[smallest]) / math.log(largest / smallest),
        "",
        1.05,
        "1 is in proportion",
        f"exponent; {least[smallest]:.2f} s to {least[largest]:.2f} s of the processor",
    )
    yield from _many_file_rows()


def _measure_in_turn(size: int) -> dict[str, list[ProcessMeasurement]]:
    """Runs of the command and of the floors over one snapshot, one after the other."""
    path = str(snapshot_file(size))
    runs: dict[str, list[ProcessMeasurement]] = {OURS: [], FLOOR: [], FAST_FLOOR: []}
    for _ in range(RUNS[size]):
        with tempfile.NamedTemporaryFile() as out:
            runs[OURS].append(_measure_check([path], 1, out.name))
            _assert_verdicts(out.name, size)
        for name, gunzip in ((FLOOR, "gzip"), (FAST_FLOOR, "isal")):
            with tempfile.NamedTemporaryFile() as out:
                runs[name].append(
                    measure_process([sys.executable, "-m", "benchmarks.floor", gunzip, path], out.name, 0)
                )
                counts = json.loads(Path(out.name).read_bytes())
                assert counts["AWS::ElasticLoadBalancingV2::LoadBalancer"] == size, counts
                assert counts["AWS::EC2::Instance"] == 2 * size, counts
    return runs


def _many_file_rows() -> Iterator[Row]:
    paths = [str(snapshot_file(LOAD_BALANCERS_PER_FILE, account)) for account in range(FILE_COUNT)]
    alone, together, single = [], [], []
    for _ in range(4):
        with tempfile.NamedTemporaryFile() as one, tempfile.NamedTemporaryFile() as two:
            alone.append(_measure_check(paths, 1, one.name))
            together.append(_measure_check(paths, 2, two.name))
            _assert_verdicts(one.name, LOAD_BALANCERS_PER_FILE, FILE_COUNT)
            assert Path(one.name).read_bytes() == Path(two.name).read_bytes()
        with tempfile.NamedTemporaryFile() as out:
            single.append(_measure_check(paths[:1], 1, out.name))
    one_core, two_cores = (min(run.clock for run in some) for some in (alone, together))
    yield Row(
        f"snapshot to verdicts: {FILE_COUNT} files of {LOAD_BALANCERS_PER_FILE:,}, two processes",
        two_cores / one_core,
        RATIO_UNIT,
        0.6,
        "one process",
        f"{two_cores:.2f} against {one_core:.2f} s by the clock",
    )
    all_files, largest = (min(run.memory for run in some) for some in (alone, single))
    yield Row(
        f"snapshot to verdicts: {FILE_COUNT} files of {LOAD_BALANCERS_PER_FILE:,}, peak memory",
        all_files / largest,
        RATIO_UNIT,
        1.1,
        "one such file",
        f"{all_files:.0f} against {largest:.0f} MiB",
    )


def _measure_check(paths: Sequence[str], jobs: int, out: str) -> ProcessMeasurement:
    items = [word for path in paths for word in ("--config-items", path)]
    return measure_process(
        [*CHECK_COMMAND, *items, "--format", "jsonl", "--jobs", str(jobs)], out, NON_COMPLIANT_EXIT_CODE
    )


def measure_process(command: Sequence[str], out: str, code: int) -> ProcessMeasurement:
    """What a command took, with its output in the file `out`. It must end with this code."""
    runner = Path(__file__).with_name("measure_process.py")
    # Compiled once, as wherever a command is used more than once.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [sys.executable, "-S", runner, out, *command], stdout=subprocess.PIPE, check=True, env=environment
    )
    used = json.loads(done.stdout)
    assert used.pop("code") == code, f"{command} did not end as expected"
    return ProcessMeasurement(**used)


def _assert_verdicts(out: str, size: int, times: int = 1) -> None:
    with Path(out).open("rb") as lines:
        found = Counter((finding["rule"], finding["compliance"]) for finding in map(json.loads, lines))
    assert found == {key: times * count for key, count in expected_verdicts(size).items()}, found


if __name__ == "__main__":
    from benchmarks.table import markdown_table

    print(markdown_table(rows()))
