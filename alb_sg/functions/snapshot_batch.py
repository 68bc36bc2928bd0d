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

from alb_sg.aws.account_region import AccountRegion
from alb_sg.errors import InvalidInputError
from alb_sg.exemptions.aws_document import read_exemptions
from alb_sg.exemptions.location import parse_location
from alb_sg.findings.loaded_exemptions import LoadedExemptions, load_exemptions
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME
from alb_sg.snapshot_batch.cross_account import ResourceKey, items_to_judge_again
from alb_sg.snapshot_batch.judging import ItemResult, judge_item, object_fetcher, parse_result
from alb_sg.snapshot_batch.manifest import Manifest, WorkItem, make_manifest, parse_item, parse_manifest, result_name
from alb_sg.snapshot_batch.merging import merge

# The function's environment. A template of CloudFormation can put no number into the states themselves. `EXEMPTIONS`:
# where in AWS they are kept; empty: there are none.
EXEMPTIONS_VARIABLE = "ALB_SG_EXEMPTIONS"
RESULTS_BUCKET_VARIABLE = "ALB_SG_RESULTS_BUCKET"
MAX_CONCURRENCY_VARIABLE = "ALB_SG_MAX_CONCURRENCY"
# What the function's role needs: the first two on the snapshots' bucket, all on the results'.
SNAPSHOT_BUCKET_ACTIONS = ("s3:GetObject", "s3:ListBucket")
RESULTS_BUCKET_ACTIONS = ("s3:GetObject", "s3:ListBucket", "s3:PutObject")


def lambda_handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """Raises InvalidInputError for what another try would not change, and botocore's errors for what it may."""
    run = BatchRun(_make_client("s3"), event["run"])
    match event["step"]:
        case "plan":
            exemptions = _load_exemptions(os.environ[EXEMPTIONS_VARIABLE], event["time"])
            return run.plan(event["source"], event.get("parameters") or {}, exemptions)
        case "judge":
            return run.judge(parse_item(event["item"]))
        case "connect":
            return run.connect(event["round"])
        case "merge":
            return run.merge(event["round"])
    raise InvalidInputError(f"there is no step {event['step']!r}", "step")


def _make_client(service: str) -> Any:
    config = Config(retries={"mode": "standard", "max_attempts": 5})
    return boto3.client(service, config=config)  # type: ignore[call-overload]  # not a literal


def _load_exemptions(source: str, time: str) -> LoadedExemptions | None:
    """The exemptions of a source on the day (UTC) of a time. Raises InvalidInputError."""
    if not source:
        return None
    location = parse_location(source)
    today = datetime.fromisoformat(time).astimezone(UTC).date()
    return load_exemptions(lambda: read_exemptions(location, _make_client, RECOMMENDATIONS_BY_NAME), source, today)


class BatchRun:
    """A run in the results' bucket."""

    def __init__(self, s3: Any, name: str) -> None:
        self._s3 = s3
        self._name = name
        self._bucket = os.environ[RESULTS_BUCKET_VARIABLE]

    def plan(
        self,
        source: Mapping[str, str],
        parameters: Mapping[str, Mapping[str, str]],
        exemptions: LoadedExemptions | None,
    ) -> dict[str, Any]:
        bucket = source["bucket"]
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=source.get("prefix", ""))
        listed = (one for page in pages for one in page.get("Contents", ()))
        plan = make_manifest(listed, bucket, source.get("contains", ""), parameters, exemptions)
        self._put("plan.json", plan.to_json().encode())
        return self._write_items(0, [WorkItem(account_region) for account_region in plan.objects])

    def judge(self, item: WorkItem) -> dict[str, Any]:
        plan = self._read_manifest()
        part = judge_item(plan, item, object_fetcher(self._s3, plan.bucket))
        name = f"parts/{result_name(plan, item)}"
        self._put(name, part.to_bytes())
        return {"part": name}

    def connect(self, round_number: int) -> dict[str, Any]:
        """Who has to be judged again, after a round."""
        plan, items = self._read_manifest(), self._latest_items(round_number)
        asked = {item.account_region: part.misses for item, part in self._read_results(plan, items)}
        wanted = frozenset().union(*asked.values())
        holders: dict[ResourceKey, list[AccountRegion]] = {}
        for item, part in self._read_results(plan, items):
            for token in part.available_keys & wanted:
                holders.setdefault(token, []).append(item.account_region)
        return self._write_items(round_number + 1, items_to_judge_again(items, asked, holders))

    def merge(self, round_number: int) -> dict[str, Any]:
        plan, items = self._read_manifest(), self._latest_items(round_number)
        merged = merge(plan, items, lambda item: self._read_result(plan, item))
        self._put("findings.jsonl", "".join((*merged.findings, *merged.exemptions, *merged.errors)).encode())
        summary = {
            "accountsAndRegions": len(plan.objects),
            "loadBalancers": merged.load_balancers,
            "findings": len(merged.findings),
            "errors": len(merged.errors),
            "results": f"s3://{self._bucket}/{self._name}/findings.jsonl",
        }
        self._put("summary.json", json.dumps(summary, indent=2).encode())
        return summary

    # --- what lies in the bucket

    def _write_items(self, round_number: int, items: list[WorkItem]) -> dict[str, Any]:
        name = _items_name(round_number)
        self._put(name, json.dumps([item.to_object() for item in items]).encode())
        return {
            "round": round_number,
            "key": f"{self._name}/{name}",
            "items": len(items),
            "maxConcurrency": int(os.environ[MAX_CONCURRENCY_VARIABLE]),
        }

    def _latest_items(self, round_number: int) -> list[WorkItem]:
        """Every account and region as it was last to be judged."""
        latest: dict[AccountRegion, WorkItem] = {}
        for number in range(round_number + 1):
            for source in json.loads(self._get(_items_name(number))):
                item = parse_item(source)
                latest[item.account_region] = item
        return list(latest.values())

    def _read_manifest(self) -> Manifest:
        return parse_manifest(self._get("plan.json").decode())

    def _read_results(self, manifest: Manifest, items: list[WorkItem]) -> Iterator[tuple[WorkItem, ItemResult]]:
        for item in items:
            part = self._read_result(manifest, item)
            if part is not None:
                yield item, part

    def _read_result(self, manifest: Manifest, item: WorkItem) -> ItemResult | None:
        """The result of an item; None where it has none."""
        try:
            return parse_result(self._get(f"parts/{result_name(manifest, item)}"))
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
