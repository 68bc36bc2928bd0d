"""The manifest of a batch: the objects to judge, by the account and region in the names that AWS Config gives them.

A manifest is written once and never changed. It records the ETag of each object, so that every attempt reads the same
bytes. It also holds the exemptions, read once, so that every call applies the same ones:

    {"source", "date": "YYYY-MM-DD", "document": {"version": 1, "exemptions": […]}, "errors": [[what, cause], …]}

`document` has the valid entries in the form of an exemption document; `errors` names what could not be read.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from alb_sg.aws.account_region import AccountRegion
from alb_sg.errors import InvalidInputError
from alb_sg.estate.json_files import JSON_SUFFIXES
from alb_sg.exemptions.document import VERSION, parse_exemptions
from alb_sg.findings.finding import EvaluationError
from alb_sg.findings.loaded_exemptions import LoadedExemptions
from alb_sg.parameters import Parameters, parse_parameters
from alb_sg.recommendations.catalogue import RECOMMENDATIONS, RECOMMENDATIONS_BY_NAME
from alb_sg.recommendations.recommendation import Recommendation
from alb_sg.snapshot_batch.work_items import WorkItem

# AWS Config developer guide, "Delivering configuration snapshots": 111122223333_Config_eu-west-1_ConfigSnapshot_….
OBJECT_NAME_PATTERN = re.compile(r"([0-9]{12})_Config_([a-z0-9-]+)_Config(?:Snapshot|History)_[^/]+")


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object in S3 at the time of the manifest."""

    key: str
    etag: str


@dataclass(frozen=True)
class Manifest:
    """`objects` are those of each account and region, by key; the names of `unassigned_keys` do not tell it.
    `parameters` are those of each rule, as AWS Config passes them. `exemption_document` is None without exemptions."""

    bucket: str
    objects: Mapping[AccountRegion, tuple[StoredObject, ...]]
    unassigned_keys: tuple[str, ...]
    parameters: Mapping[str, Mapping[str, str]]
    exemption_document: Mapping[str, Any] | None = None

    def address(self, key: str) -> str:
        return f"s3://{self.bucket}/{key}"

    @property
    def rules(self) -> dict[Recommendation, Parameters]:
        """Raises InvalidInputError for parameters that a rule does not take."""
        return parse_rules(self.parameters)

    @property
    def loaded_exemptions(self) -> LoadedExemptions | None:
        return None if self.exemption_document is None else _parse_exemption_document(self.exemption_document)

    def to_json(self) -> str:
        account_regions = [
            [*account_region, [[stored.key, stored.etag] for stored in objects]]
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


def make_manifest(
    listed: Iterable[Mapping[str, Any]],
    bucket: str,
    contains: str,
    parameters: Mapping[str, Mapping[str, str]],
    exemptions: LoadedExemptions | None = None,
) -> Manifest:
    """The manifest for the objects of ListObjectsV2 whose key contains a text.

    Objects that are not JSON are ignored, as in a folder that `alb-sg check` reads. Raises InvalidInputError where no
    object is left, or for invalid parameters.
    """
    objects: dict[AccountRegion, list[StoredObject]] = {}
    unassigned_keys = []
    parse_rules(parameters)
    for entry in listed:
        key = str(entry["Key"])
        if not key.endswith(JSON_SUFFIXES) or contains not in key:
            continue
        name = OBJECT_NAME_PATTERN.fullmatch(key.rpartition("/")[2])
        if name is None:
            unassigned_keys.append(key)
        else:
            objects.setdefault(AccountRegion(name[1], name[2]), []).append(StoredObject(key, str(entry["ETag"])))
    if not objects:
        raise InvalidInputError("there is no snapshot of AWS Config; give another prefix or text", f"s3://{bucket}")
    ordered = {
        account_region: tuple(sorted(stored, key=lambda one: one.key))
        for account_region, stored in sorted(objects.items())
    }
    exemption_document = None if exemptions is None else _exemption_document(exemptions)
    return Manifest(bucket, ordered, tuple(sorted(unassigned_keys)), parameters, exemption_document)


def parse_manifest(text: str) -> Manifest:
    document = json.loads(text)
    objects = {
        AccountRegion(account_id, region): tuple(StoredObject(key, etag) for key, etag in stored)
        for account_id, region, stored in document["homes"]
    }
    return Manifest(
        document["bucket"], objects, tuple(document["strays"]), document["parameters"], document["exemptions"]
    )


def parse_rules(parameters: Mapping[str, Mapping[str, str]]) -> dict[Recommendation, Parameters]:
    """The rules that are deployed by default and those that have parameters, an empty object suffices, each with its
    parameters. Raises InvalidInputError."""
    unknown = sorted(set(parameters) - set(RECOMMENDATIONS_BY_NAME))
    if unknown:
        raise InvalidInputError(
            f"there is no rule {unknown[0]!r}; the rules are {', '.join(sorted(RECOMMENDATIONS_BY_NAME))}", "parameters"
        )
    return {
        rule: parse_parameters(parameters.get(rule.name, {}))
        for rule in RECOMMENDATIONS
        if rule.deployed_by_default or rule.name in parameters
    }


def result_name(manifest: Manifest, item: WorkItem) -> str:
    """The name of an item's result. It depends on the objects, their versions, parameters and exemptions alone, so all
    attempts write the same object."""
    objects = [
        [stored.key, stored.etag]
        for account_region in (item.account_region, *item.others)
        for stored in manifest.objects[account_region]
    ]
    inputs = json.dumps([objects, manifest.parameters, manifest.exemption_document], sort_keys=True)
    digest = hashlib.sha256(inputs.encode()).hexdigest()[:32]
    return f"{item.account_region.account_id}_{item.account_region.region}-{digest}.jsonl.gz"


def _exemption_document(loaded: LoadedExemptions) -> dict[str, Any]:
    entries = [
        {
            "loadBalancer": entry.load_balancer_arn,
            "rule": entry.rule,
            "reason": entry.reason,
            "owner": entry.owner,
            "ticket": entry.ticket,
            "expires": entry.expires.isoformat(),
            **({"ports": list(entry.ports)} if entry.ports else {}),
        }
        for entry in loaded.exemptions.entries
    ]
    return {
        "source": loaded.exemptions.document_name,
        "date": loaded.today.isoformat(),
        "document": {"version": VERSION, "exemptions": entries},
        "errors": [[error.what, error.cause] for error in loaded.errors],
    }


def _parse_exemption_document(document: Mapping[str, Any]) -> LoadedExemptions:
    return LoadedExemptions(
        parse_exemptions(json.dumps(document["document"]), document["source"], RECOMMENDATIONS_BY_NAME),
        date.fromisoformat(document["date"]),
        [EvaluationError("", "", None, None, what, cause) for what, cause in document["errors"]],
    )
