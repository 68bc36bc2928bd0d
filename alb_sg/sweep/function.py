"""What Step Functions calls, step by step: `plan`, `judge` for each account and region, `connect`, `merge`.

All of a run lies in the results' bucket under `<run>/`: `plan.json`, `items-<round>.json`, `parts/`, and at the end
`findings.jsonl` and `summary.json`. Every step writes what hangs on nothing but its input, so it may run again at any
time, also beside itself.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from alb_sg.errors import UnusableInput
from alb_sg.estate.home import Home
from alb_sg.exemptions.aws import read_exemptions
from alb_sg.exemptions.given import Given, given_by
from alb_sg.exemptions.location import parse_location
from alb_sg.sweep.crossing import Token, to_judge_again
from alb_sg.sweep.judging import Part, fetch_from, judge_item, read_part
from alb_sg.sweep.merging import merge
from alb_sg.sweep.plan import Item, Plan, item_of, make_plan, part_name, read_plan

# The function's environment. A template of CloudFormation can put no number into the states themselves. `EXEMPTIONS`:
# where in AWS they are kept; empty: there are none.
EXEMPTIONS = "ALB_SG_EXEMPTIONS"
RESULTS_BUCKET = "ALB_SG_RESULTS_BUCKET"
MAX_CONCURRENCY = "ALB_SG_MAX_CONCURRENCY"
# What the function's role needs: the first two on the snapshots' bucket, all on the results'.
SOURCE_ACTIONS = ("s3:GetObject", "s3:ListBucket")
RESULT_ACTIONS = ("s3:GetObject", "s3:ListBucket", "s3:PutObject")


def lambda_handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """Raises UnusableInput for what another try would not change, and botocore's errors for what it may."""
    run = Run(_client("s3"), event["run"])
    match event["step"]:
        case "plan":
            exemptions = _given(os.environ[EXEMPTIONS], event["time"])
            return run.plan(event["source"], event.get("parameters") or {}, exemptions)
        case "judge":
            return run.judge(item_of(event["item"]))
        case "connect":
            return run.connect(event["round"])
        case "merge":
            return run.merge(event["round"])
    raise UnusableInput(f"there is no step {event['step']!r}", "step")


def _client(service: str) -> Any:
    config = Config(retries={"mode": "standard", "max_attempts": 5})
    return boto3.client(service, config=config)  # type: ignore[call-overload]  # not a literal


def _given(source: str, time: str) -> Given | None:
    """The exemptions of a source on the day (UTC) of a time. Raises UnusableInput."""
    if not source:
        return None
    location = parse_location(source)
    today = datetime.fromisoformat(time).astimezone(UTC).date()
    return given_by(lambda: read_exemptions(location, _client), source, today)


class Run:
    """A run in the results' bucket."""

    def __init__(self, s3: Any, name: str) -> None:
        self._s3 = s3
        self._name = name
        self._bucket = os.environ[RESULTS_BUCKET]

    def plan(
        self, source: Mapping[str, str], parameters: Mapping[str, Mapping[str, str]], exemptions: Given | None
    ) -> dict[str, Any]:
        bucket = source["bucket"]
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=source.get("prefix", ""))
        listed = (one for page in pages for one in page.get("Contents", ()))
        plan = make_plan(listed, bucket, source.get("contains", ""), parameters, exemptions)
        self._put("plan.json", plan.text().encode())
        return self._items(0, [Item(home) for home in plan.homes])

    def judge(self, item: Item) -> dict[str, Any]:
        plan = self._plan()
        part = judge_item(plan, item, fetch_from(self._s3, plan.bucket))
        name = f"parts/{part_name(plan, item)}"
        self._put(name, part.content())
        return {"part": name}

    def connect(self, round_number: int) -> dict[str, Any]:
        """Who has to be judged again, after a round."""
        plan, items = self._plan(), self._items_until(round_number)
        asked = {item.home: part.asked for item, part in self._parts(plan, items)}
        wanted = frozenset().union(*asked.values())
        holders: dict[Token, list[Home]] = {}
        for item, part in self._parts(plan, items):
            for token in part.held & wanted:
                holders.setdefault(token, []).append(item.home)
        return self._items(round_number + 1, to_judge_again(items, asked, holders))

    def merge(self, round_number: int) -> dict[str, Any]:
        plan, items = self._plan(), self._items_until(round_number)
        merged = merge(plan, items, lambda item: self._part(plan, item))
        self._put("findings.jsonl", "".join((*merged.findings, *merged.exemptions, *merged.errors)).encode())
        summary = {
            "accountsAndRegions": len(plan.homes),
            "loadBalancers": merged.load_balancers,
            "findings": len(merged.findings),
            "errors": len(merged.errors),
            "results": f"s3://{self._bucket}/{self._name}/findings.jsonl",
        }
        self._put("summary.json", json.dumps(summary, indent=2).encode())
        return summary

    # --- what lies in the bucket

    def _items(self, round_number: int, items: list[Item]) -> dict[str, Any]:
        name = _items_name(round_number)
        self._put(name, json.dumps([item.object() for item in items]).encode())
        return {
            "round": round_number,
            "key": f"{self._name}/{name}",
            "items": len(items),
            "maxConcurrency": int(os.environ[MAX_CONCURRENCY]),
        }

    def _items_until(self, round_number: int) -> list[Item]:
        """Every account and region as it was last to be judged."""
        latest: dict[Home, Item] = {}
        for number in range(round_number + 1):
            for source in json.loads(self._get(_items_name(number))):
                item = item_of(source)
                latest[item.home] = item
        return list(latest.values())

    def _plan(self) -> Plan:
        return read_plan(self._get("plan.json").decode())

    def _parts(self, plan: Plan, items: list[Item]) -> Iterator[tuple[Item, Part]]:
        for item in items:
            part = self._part(plan, item)
            if part is not None:
                yield item, part

    def _part(self, plan: Plan, item: Item) -> Part | None:
        """The result of an item; None where it has none."""
        try:
            return read_part(self._get(f"parts/{part_name(plan, item)}"))
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") != "NoSuchKey":
                raise
            return None

    def _get(self, name: str) -> bytes:
        with self._s3.get_object(Bucket=self._bucket, Key=f"{self._name}/{name}")["Body"] as body:
            content: bytes = body.read()
        return content

    def _put(self, name: str, content: bytes) -> None:
        self._s3.put_object(Bucket=self._bucket, Key=f"{self._name}/{name}", Body=content)


def _items_name(round_number: int) -> str:
    return f"items-{round_number}.json"
