"""`python -m benchmarks.other_tools ENVIRONMENTS RESULTS`: every tool on the same account, one section each in RESULTS.

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

from benchmarks.other_tools.account import COPIES, PLANTED_CASES, PlantedCase, build_account
from benchmarks.other_tools.server import run_server
from benchmarks.other_tools.tools import Tool, make_tools
from embedded_aws.account import ENVIRONMENT, REGION, EmbeddedAws

HERE = Path(__file__).parent
RUNS = 2
NO_CHECK = "\N{EN DASH}"


@dataclass
class ToolResult:
    """What a tool took and what it flagged: by planted kind, the load balancers that each policy or check flagged."""

    tool: Tool
    calls: Mapping[str, int]
    processor: float = float("inf")
    peak: float = float("inf")
    flagged: dict[str, dict[str, set[str]]] = field(default_factory=dict)

    def describe_found(self, planted: PlantedCase) -> str:
        """How many of a kind were flagged for their defect; of a sound kind, by whatever looks for a defect."""
        by = self.flagged.get(planted.name, {})
        if not planted.has_defect:
            wrong = set().union(*(by.get(name, set()) for name in self.tool.check_by_case.values()))
            return f"{len(wrong)} of {COPIES} flagged" if wrong else "none flagged"
        about = self.tool.check_by_case.get(planted.name)
        return NO_CHECK if about is None else f"{len(by.get(about, ()))} of {COPIES}"


def main(environments: str, results: str) -> None:
    with tempfile.TemporaryDirectory() as name, patch.dict(os.environ, ENVIRONMENT), run_server() as (address, calls):
        aws = EmbeddedAws()
        with patch.dict(os.environ, {"AWS_ENDPOINT_URL": address}):
            aws.ec2, aws.elbv2 = boto3.client("ec2", REGION), boto3.client("elbv2", REGION)
            build_account(aws)
            groups = aws.ec2.describe_security_groups()["SecurityGroups"]
        owners = {group["GroupId"]: group["GroupName"].removesuffix("-b") for group in groups}
        done: dict[str, ToolResult] = {}
        for number in range(RUNS):
            folder = Path(name) / str(number)
            folder.mkdir()
            for tool in make_tools(Path(environments).resolve(), folder):
                calls.clear()
                measured = _run_tool(tool, address)
                result = done.setdefault(tool.name, ToolResult(tool, dict(calls)))
                result.processor = min(result.processor, measured["processor"])
                result.peak = min(result.peak, measured["peak"] / 1024)
                result.flagged = _flagged_by_case(tool, owners)
        section = "\n".join(_section_lines(list(done.values())))
    with Path(results).open("a", encoding="utf-8") as file:
        file.write(f"\n{section}\n")
    print(section)


def _run_tool(tool: Tool, address: str) -> dict[str, Any]:
    account_region = str(tool.folder)
    environment = {**ENVIRONMENT, "AWS_ENDPOINT_URL": address, "HOME": account_region, "PATH": os.environ["PATH"]}
    command = [sys.executable, "-I", "-S", str(HERE / "measure.py"), *tool.command()]
    done = subprocess.run(command, env=environment, cwd=account_region, capture_output=True, text=True, check=True)
    measured: dict[str, Any] = json.loads(done.stdout)
    if measured["code"] not in tool.expected_exit_codes:
        sys.exit(f"{tool.name} ended with {measured['code']}:\n{done.stderr[-3000:]}")
    return measured


def _flagged_by_case(tool: Tool, owners: Mapping[str, str]) -> dict[str, dict[str, set[str]]]:
    found: dict[str, dict[str, set[str]]] = {}
    for flag in tool.flags():
        name = owners.get(flag.resource, flag.resource)
        found.setdefault(name.rpartition("-")[0], {}).setdefault(flag.check, set()).add(name)
    return found


def _section_lines(results: Sequence[ToolResult]) -> Iterator[str]:
    machine = f"{platform.machine()}, {os.cpu_count()} processors, {platform.system()}"
    yield f"### {datetime.now(UTC):%Y-%m-%d}, {machine}"
    yield ""
    yield "; ".join(result.tool.version() for result in results) + f". {len(PLANTED_CASES) * COPIES} load balancers."
    yield ""
    rows = [
        ["", *(result.tool.name for result in results)],
        ["---", *("---" for _ in results)],
        ["calls", *(_describe_calls(result.calls) for result in results)],
        ["processor time, s", *(f"{result.processor:.1f}" for result in results)],
        ["peak memory, MiB", *(f"{result.peak:.0f}" for result in results)],
        *(
            [f"{planted.name}: {planted.description}", *(result.describe_found(planted) for result in results)]
            for planted in PLANTED_CASES
        ),
    ]
    yield from (f"| {' | '.join(row)} |" for row in rows)


def _describe_calls(calls: Mapping[str, int]) -> str:
    services = ", ".join(f"{name} {count}" for name, count in Counter(calls).most_common())
    return f"{sum(calls.values())} ({services})"


if __name__ == "__main__":
    main(*sys.argv[1:])
