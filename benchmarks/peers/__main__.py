"""`python -m benchmarks.peers ENVIRONMENTS RESULTS`: every tool on the same account, and one more section in RESULTS.

Each tool's first run is measured for calls, all for processor time and memory, of which the smallest count. The tools
take turns, and the account is the same for all of them: nothing that they do changes it.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3

from benchmarks.peers.estate import COPIES, PLANTED, Planted, build
from benchmarks.peers.server import server
from benchmarks.peers.tools import Tool, tools
from demo.embedded_aws import ENVIRONMENT, REGION, EmbeddedAws

HERE = Path(__file__).parent
RUNS = 2
NOTHING = "\N{EN DASH}"


@dataclass
class Result:
    """What a tool took and what it flagged: by planted kind, the load balancers that each policy or check flagged."""

    tool: Tool
    calls: Mapping[str, int]
    processor: float = float("inf")
    peak: float = float("inf")
    flagged: dict[str, dict[str, set[str]]] = field(default_factory=dict)

    def found(self, planted: Planted) -> str:
        """How many of a kind were flagged for their defect; of a sound kind, by whatever looks for a defect."""
        by = self.flagged.get(planted.name, {})
        if not planted.defect:
            wrong = set().union(*(by.get(name, set()) for name in self.tool.about.values()))
            return f"{len(wrong)} of {COPIES} flagged" if wrong else "none flagged"
        about = self.tool.about.get(planted.name)
        return NOTHING if about is None else f"{len(by.get(about, ()))} of {COPIES}"


def main(peers: str, results: str) -> None:
    with tempfile.TemporaryDirectory() as name, patch.dict(os.environ, ENVIRONMENT), server() as (address, calls):
        aws = EmbeddedAws()
        with patch.dict(os.environ, {"AWS_ENDPOINT_URL": address}):
            aws.ec2, aws.elbv2 = boto3.client("ec2", REGION), boto3.client("elbv2", REGION)
            build(aws)
            groups = aws.ec2.describe_security_groups()["SecurityGroups"]
        owners = {group["GroupId"]: group["GroupName"].removesuffix("-b") for group in groups}
        done: dict[str, Result] = {}
        for number in range(RUNS):
            folder = Path(name) / str(number)
            folder.mkdir()
            for tool in tools(Path(peers).resolve(), folder):
                calls.clear()
                measured = _run(tool, address)
                result = done.setdefault(tool.name, Result(tool, dict(calls)))
                result.processor = min(result.processor, measured["processor"])
                result.peak = min(result.peak, measured["peak"] / 1024)
                result.flagged = _flagged(tool, owners)
        section = "\n".join(_section(list(done.values())))
    with Path(results).open("a", encoding="utf-8") as file:
        file.write(f"\n{section}\n")
    print(section)


def _run(tool: Tool, address: str) -> dict[str, Any]:
    home = str(tool.folder)
    environment = {**ENVIRONMENT, "AWS_ENDPOINT_URL": address, "HOME": home, "PATH": os.environ["PATH"]}
    command = [sys.executable, "-I", "-S", str(HERE / "measure.py"), *tool.command()]
    done = subprocess.run(command, env=environment, cwd=home, capture_output=True, text=True, check=True)
    measured: dict[str, Any] = json.loads(done.stdout)
    if measured["code"] not in tool.codes:
        sys.exit(f"{tool.name} ended with {measured['code']}:\n{done.stderr[-3000:]}")
    return measured


def _flagged(tool: Tool, owners: Mapping[str, str]) -> dict[str, dict[str, set[str]]]:
    found: dict[str, dict[str, set[str]]] = {}
    for flag in tool.flags():
        name = owners.get(flag.what, flag.what)
        found.setdefault(name.rpartition("-")[0], {}).setdefault(flag.by, set()).add(name)
    return found


def _section(results: Sequence[Result]) -> Iterator[str]:
    machine = f"{platform.machine()}, {os.cpu_count()} processors, {platform.system()}"
    yield f"### {datetime.now(UTC):%Y-%m-%d}, {machine}"
    yield ""
    yield "; ".join(result.tool.version() for result in results) + f". {len(PLANTED) * COPIES} load balancers."
    yield ""
    rows = [
        ["", *(result.tool.name for result in results)],
        ["---", *("---" for _ in results)],
        ["calls", *(_calls(result.calls) for result in results)],
        ["processor time, s", *(f"{result.processor:.1f}" for result in results)],
        ["peak memory, MiB", *(f"{result.peak:.0f}" for result in results)],
        *([f"{planted.name}: {planted.shows}", *(result.found(planted) for result in results)] for planted in PLANTED),
    ]
    yield from (f"| {' | '.join(row)} |" for row in rows)


def _calls(calls: Mapping[str, int]) -> str:
    services = ", ".join(f"{name} {count}" for name, count in Counter(calls).most_common())
    return f"{sum(calls.values())} ({services})"


if __name__ == "__main__":
    main(*sys.argv[1:])
