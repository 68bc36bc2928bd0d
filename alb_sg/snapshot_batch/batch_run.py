"""The steps of a run and its objects in the results' bucket.

Under `<run>/`: `plan.json` (the manifest), `items-<round>.json`, `parts/` (the results of items), and at the end
`findings.jsonl` and `summary.json`. What a step writes depends on its input alone, so a step may run again at any time,
even while another attempt is running.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from alb_sg.aws.account_region import AccountRegion
from alb_sg.aws.pages import read_items
from alb_sg.estate.other_accounts import ResourceKey
from alb_sg.findings.finding import EvaluationError
from alb_sg.findings.loaded_exemptions import LoadedExemptions
from alb_sg.snapshot_batch.judging import (
    ItemResult,
    account_region_error,
    error_lines,
    judge_item,
    object_fetcher,
    parse_result,
)
from alb_sg.snapshot_batch.manifest import Manifest, make_manifest, parse_manifest, result_name
from alb_sg.snapshot_batch.work_items import WorkItem, items_to_judge_again, parse_item

NO_RESULT = "it was not judged after all attempts; the function's log has the cause"
UNASSIGNED = "its name does not tell an account and region"


class BatchRun:
    """A run in the results' bucket."""

    def __init__(self, s3: Any, name: str, bucket: str, max_concurrency: int) -> None:
        self._s3 = s3
        self._name = name
        self._bucket = bucket
        self._max_concurrency = max_concurrency

    def plan(
        self,
        source: Mapping[str, str],
        parameters: Mapping[str, Mapping[str, str]],
        exemptions: LoadedExemptions | None,
    ) -> dict[str, Any]:
        bucket = source["bucket"]
        prefix = {"Bucket": bucket, "Prefix": source.get("prefix", "")}
        listed = read_items(self._s3, "list_objects_v2", prefix, "Contents", count_key="KeyCount")
        manifest = make_manifest(listed, bucket, source.get("contains", ""), parameters, exemptions)
        self._put("plan.json", manifest.to_json().encode())
        return self._write_items(0, [WorkItem(account_region) for account_region in manifest.objects])

    def judge(self, item: WorkItem) -> dict[str, Any]:
        manifest = self._read_manifest()
        result = judge_item(manifest, item, object_fetcher(self._s3, manifest.bucket))
        name = f"parts/{result_name(manifest, item)}"
        self._put(name, result.to_bytes())
        return {"part": name}

    def connect(self, round_number: int) -> dict[str, Any]:
        """Write the items to judge again after a round."""
        manifest, items = self._read_manifest(), self._latest_items(round_number)
        misses = {item.account_region: result.misses for item, result in self._read_results(manifest, items)}
        all_misses = frozenset().union(*misses.values())
        holders: dict[ResourceKey, list[AccountRegion]] = {}
        for item, result in self._read_results(manifest, items):
            for key in result.available_keys & all_misses:
                holders.setdefault(key, []).append(item.account_region)
        return self._write_items(round_number + 1, items_to_judge_again(items, misses, holders))

    def merge(self, round_number: int) -> dict[str, Any]:
        """Write all results, in the order of one run: every finding, every exemption, every error.

        An object without a result, or without an account and region, is an error that names it.
        """
        manifest, items = self._read_manifest(), self._latest_items(round_number)
        unread = [
            EvaluationError("", "", None, None, manifest.address(key), UNASSIGNED) for key in manifest.unassigned_keys
        ]
        if manifest.loaded_exemptions is not None:
            unread += manifest.loaded_exemptions.errors
        load_balancers = 0
        findings: list[str] = []
        exemptions: list[str] = []
        errors = error_lines(sorted(unread, key=lambda error: error.sort_key))
        for item in sorted(items, key=lambda one: one.account_region):
            result = self._read_result(manifest, item)
            if result is None:
                keys = [stored.key for stored in manifest.objects[item.account_region]]
                errors += error_lines(
                    account_region_error(item.account_region, manifest.address(key), NO_RESULT) for key in keys
                )
                continue
            load_balancers += result.load_balancers
            for line in result.lines:
                entry = json.loads(line)
                (errors if "error" in entry else exemptions if "exemption" in entry else findings).append(line)
        self._put("findings.jsonl", "".join((*findings, *exemptions, *errors)).encode())
        summary = {
            "accountsAndRegions": len(manifest.objects),
            "loadBalancers": load_balancers,
            "findings": len(findings),
            "errors": len(errors),
            "results": f"s3://{self._bucket}/{self._name}/findings.jsonl",
        }
        self._put("summary.json", json.dumps(summary, indent=2).encode())
        return summary

    def _write_items(self, round_number: int, items: list[WorkItem]) -> dict[str, Any]:
        name = _items_name(round_number)
        self._put(name, json.dumps([item.to_object() for item in items]).encode())
        return {
            "round": round_number,
            "key": f"{self._name}/{name}",
            "items": len(items),
            "maxConcurrency": self._max_concurrency,
        }

    def _latest_items(self, round_number: int) -> list[WorkItem]:
        """The latest item of every account and region."""
        latest: dict[AccountRegion, WorkItem] = {}
        for number in range(round_number + 1):
            for document in json.loads(self._get(_items_name(number))):
                item = parse_item(document)
                latest[item.account_region] = item
        return list(latest.values())

    def _read_manifest(self) -> Manifest:
        return parse_manifest(self._get("plan.json").decode())

    def _read_results(self, manifest: Manifest, items: list[WorkItem]) -> Iterator[tuple[WorkItem, ItemResult]]:
        for item in items:
            result = self._read_result(manifest, item)
            if result is not None:
                yield item, result

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
