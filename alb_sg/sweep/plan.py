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

from alb_sg.errors import UnusableInput
from alb_sg.estate.files import JSON_ENDINGS
from alb_sg.estate.home import Home
from alb_sg.exemptions.given import Given
from alb_sg.parameters import Parameters, parse_parameters
from alb_sg.recommendations.catalogue import BY_NAME, RECOMMENDATIONS, Recommendation
from alb_sg.sweep.granted import given_object, given_of

# AWS Config developer guide, "Delivering configuration snapshots": 111122223333_Config_eu-west-1_ConfigSnapshot_….
OBJECT_NAME = re.compile(r"([0-9]{12})_Config_([a-z0-9-]+)_Config(?:Snapshot|History)_[^/]+")


@dataclass(frozen=True, slots=True)
class Stored:
    """An object in S3 as it was when the plan was made."""

    key: str
    etag: str


@dataclass(frozen=True)
class Plan:
    """`homes`: each account and region with its objects, by key. `strays`: objects whose names do not say whose they
    are. `parameters`: of rules, by rule, as AWS Config would pass them. `exemptions`: in the form of
    `sweep.granted`, as they were when the plan was made; None: none are given."""

    bucket: str
    homes: Mapping[Home, tuple[Stored, ...]]
    strays: tuple[str, ...]
    parameters: Mapping[str, Mapping[str, str]]
    exemptions: Mapping[str, Any] | None = None

    @property
    def rules(self) -> dict[Recommendation, Parameters]:
        """Raises UnusableInput for parameters that no rule takes."""
        return rules_of(self.parameters)

    @property
    def given(self) -> Given | None:
        return None if self.exemptions is None else given_of(self.exemptions)

    def text(self) -> str:
        homes = [
            [home.account_id, home.region, [[one.key, one.etag] for one in objects]]
            for home, objects in sorted(self.homes.items())
        ]
        document = {
            "bucket": self.bucket,
            "homes": homes,
            "strays": self.strays,
            "parameters": self.parameters,
            "exemptions": self.exemptions,
        }
        return json.dumps(document, ensure_ascii=False, sort_keys=True)


@dataclass(frozen=True, slots=True)
class Item:
    """What one call judges: an account and region, with others in view whose resources its verdicts hang on."""

    home: Home
    others: tuple[Home, ...] = ()

    def object(self) -> dict[str, Any]:
        return {
            "accountId": self.home.account_id,
            "region": self.home.region,
            "others": [[one.account_id, one.region] for one in self.others],
        }


def item_of(source: Mapping[str, Any]) -> Item:
    others = tuple(Home(account_id, region) for account_id, region in source["others"])
    return Item(Home(source["accountId"], source["region"]), others)


def make_plan(
    listed: Iterable[Mapping[str, Any]],
    bucket: str,
    contains: str,
    parameters: Mapping[str, Mapping[str, str]],
    exemptions: Given | None = None,
) -> Plan:
    """The plan for objects as ListObjectsV2 answers them, those alone whose key contains a text.

    Objects that are not JSON are nobody's business, as in a folder that `alb-sg check` reads. Raises UnusableInput
    where there is nothing to judge, or parameters are none.
    """
    homes: dict[Home, list[Stored]] = {}
    strays = []
    rules_of(parameters)
    for one in listed:
        key = str(one["Key"])
        if not key.endswith(JSON_ENDINGS) or contains not in key:
            continue
        named = OBJECT_NAME.fullmatch(key.rpartition("/")[2])
        if named is None:
            strays.append(key)
        else:
            homes.setdefault(Home(named[1], named[2]), []).append(Stored(key, str(one["ETag"])))
    if not homes:
        raise UnusableInput("no snapshot of AWS Config lies here; give another prefix or text", f"s3://{bucket}")
    ordered = {home: tuple(sorted(found, key=lambda one: one.key)) for home, found in sorted(homes.items())}
    granted = None if exemptions is None else given_object(exemptions)
    return Plan(bucket, ordered, tuple(sorted(strays)), parameters, granted)


def read_plan(text: str) -> Plan:
    source = json.loads(text)
    homes = {
        Home(account_id, region): tuple(Stored(key, etag) for key, etag in objects)
        for account_id, region, objects in source["homes"]
    }
    return Plan(source["bucket"], homes, tuple(source["strays"]), source["parameters"], source["exemptions"])


def rules_of(parameters: Mapping[str, Mapping[str, str]]) -> dict[Recommendation, Parameters]:
    """All four rules, each with its parameters. Raises UnusableInput."""
    unknown = sorted(set(parameters) - set(BY_NAME))
    if unknown:
        raise UnusableInput(f"there is no rule {unknown[0]!r}; known are {', '.join(sorted(BY_NAME))}", "parameters")
    return {rule: parse_parameters(parameters.get(rule.name, {})) for rule in RECOMMENDATIONS}


def part_name(plan: Plan, item: Item) -> str:
    """The name of an item's result: the same for every try, another for other objects, versions of them, others in
    view, parameters or exemptions."""
    seen = [[one.key, one.etag] for home in (item.home, *item.others) for one in plan.homes[home]]
    said = json.dumps([seen, plan.parameters, plan.exemptions], sort_keys=True)
    return f"{item.home.account_id}_{item.home.region}-{hashlib.sha256(said.encode()).hexdigest()[:32]}.jsonl.gz"
