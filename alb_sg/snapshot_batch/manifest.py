"""What there is to judge: the objects under a prefix, by the account and region that AWS Config's names for them say.

A plan is written once and never changed; with each object it has the ETag, so that every try reads the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from alb_sg.aws.account_region import AccountRegion
from alb_sg.errors import InvalidInputError
from alb_sg.estate.json_files import JSON_SUFFIXES
from alb_sg.findings.loaded_exemptions import LoadedExemptions
from alb_sg.parameters import Parameters, parse_parameters
from alb_sg.recommendations.catalogue import RECOMMENDATIONS, RECOMMENDATIONS_BY_NAME
from alb_sg.recommendations.recommendation import Recommendation
from alb_sg.snapshot_batch.manifest_exemptions import loaded_exemptions_object, parse_loaded_exemptions

# AWS Config developer guide, "Delivering configuration snapshots": 111122223333_Config_eu-west-1_ConfigSnapshot_….
OBJECT_NAME_PATTERN = re.compile(r"([0-9]{12})_Config_([a-z0-9-]+)_Config(?:Snapshot|History)_[^/]+")


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object in S3 as it was when the plan was made."""

    key: str
    etag: str


@dataclass(frozen=True)
class Manifest:
    """`homes`: each account and region with its objects, by key. `strays`: objects whose names do not say whose they
    are. `parameters`: of rules, by rule, as AWS Config would pass them. `exemptions`: in the form of
    `sweep.granted`, as they were when the plan was made; None: none are given."""

    bucket: str
    objects: Mapping[AccountRegion, tuple[StoredObject, ...]]
    unassigned_keys: tuple[str, ...]
    parameters: Mapping[str, Mapping[str, str]]
    exemption_document: Mapping[str, Any] | None = None

    @property
    def rules(self) -> dict[Recommendation, Parameters]:
        """Raises InvalidInputError for parameters that no rule takes."""
        return parse_rules(self.parameters)

    @property
    def loaded_exemptions(self) -> LoadedExemptions | None:
        return None if self.exemption_document is None else parse_loaded_exemptions(self.exemption_document)

    def to_json(self) -> str:
        account_regions = [
            [account_region.account_id, account_region.region, [[one.key, one.etag] for one in objects]]
            for account_region, objects in sorted(self.objects.items())
        ]
        document = {
            "bucket": self.bucket,
            "homes": account_regions,
            "strays": self.unassigned_keys,
            "parameters": self.parameters,
            "exemptions": self.exemption_document,
        }
        return json.dumps(document, ensure_ascii=False, sort_keys=True)


@dataclass(frozen=True, slots=True)
class WorkItem:
    """What one call judges: an account and region, with others in view whose resources its verdicts hang on."""

    account_region: AccountRegion
    others: tuple[AccountRegion, ...] = ()

    def to_object(self) -> dict[str, Any]:
        return {
            "accountId": self.account_region.account_id,
            "region": self.account_region.region,
            "others": [[one.account_id, one.region] for one in self.others],
        }


def parse_item(source: Mapping[str, Any]) -> WorkItem:
    others = tuple(AccountRegion(account_id, region) for account_id, region in source["others"])
    return WorkItem(AccountRegion(source["accountId"], source["region"]), others)


def make_manifest(
    listed: Iterable[Mapping[str, Any]],
    bucket: str,
    contains: str,
    parameters: Mapping[str, Mapping[str, str]],
    exemptions: LoadedExemptions | None = None,
) -> Manifest:
    """The plan for objects as ListObjectsV2 answers them, those alone whose key contains a text.

    Objects that are not JSON are nobody's business, as in a folder that `alb-sg check` reads. Raises InvalidInputError
    where there is nothing to judge, or parameters are none.
    """
    account_regions: dict[AccountRegion, list[StoredObject]] = {}
    strays = []
    parse_rules(parameters)
    for one in listed:
        key = str(one["Key"])
        if not key.endswith(JSON_SUFFIXES) or contains not in key:
            continue
        named = OBJECT_NAME_PATTERN.fullmatch(key.rpartition("/")[2])
        if named is None:
            strays.append(key)
        else:
            account_regions.setdefault(AccountRegion(named[1], named[2]), []).append(
                StoredObject(key, str(one["ETag"]))
            )
    if not account_regions:
        raise InvalidInputError("no snapshot of AWS Config lies here; give another prefix or text", f"s3://{bucket}")
    ordered = {
        account_region: tuple(sorted(found, key=lambda one: one.key))
        for account_region, found in sorted(account_regions.items())
    }
    granted = None if exemptions is None else loaded_exemptions_object(exemptions)
    return Manifest(bucket, ordered, tuple(sorted(strays)), parameters, granted)


def parse_manifest(text: str) -> Manifest:
    source = json.loads(text)
    account_regions = {
        AccountRegion(account_id, region): tuple(StoredObject(key, etag) for key, etag in objects)
        for account_id, region, objects in source["homes"]
    }
    return Manifest(
        source["bucket"], account_regions, tuple(source["strays"]), source["parameters"], source["exemptions"]
    )


def parse_rules(parameters: Mapping[str, Mapping[str, str]]) -> dict[Recommendation, Parameters]:
    """All four rules, each with its parameters. Raises InvalidInputError."""
    unknown = sorted(set(parameters) - set(RECOMMENDATIONS_BY_NAME))
    if unknown:
        raise InvalidInputError(
            f"there is no rule {unknown[0]!r}; known are {', '.join(sorted(RECOMMENDATIONS_BY_NAME))}", "parameters"
        )
    return {rule: parse_parameters(parameters.get(rule.name, {})) for rule in RECOMMENDATIONS}


def result_name(manifest: Manifest, item: WorkItem) -> str:
    """The name of an item's result: the same for every try, another for other objects, versions of them, others in
    view, parameters or exemptions."""
    seen = [
        [one.key, one.etag]
        for account_region in (item.account_region, *item.others)
        for one in manifest.objects[account_region]
    ]
    said = json.dumps([seen, manifest.parameters, manifest.exemption_document], sort_keys=True)
    return (
        f"{item.account_region.account_id}_{item.account_region.region}-"
        f"{hashlib.sha256(said.encode()).hexdigest()[:32]}.jsonl.gz"
    )
