"""A lake of snapshots as AWS Config delivers them: fifty files of many accounts and regions, some of whose verdicts
hang on what others hold.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from alb_sg.aws.account_region import AccountRegion
from tests.estate.example import ACCOUNT, REGION, config_items, saved

REGIONS = ("eu-west-1", "us-east-1")
ACCOUNT_REGIONS = 49
FILES = ACCOUNT_REGIONS + 1
# Ids of the example that are to be each account's own.
OWN_IDS = ("vpc-1", "sg-web", "sg-admin", "sg-app", "pl-1", "eni-1", "eni-2", "i-1", "i-2")
PREFIX = "AWSLogs"

Items = dict[AccountRegion, list[dict[str, Any]]]


def account_region(number: int) -> AccountRegion:
    return AccountRegion(f"{111122220000 + number:012d}", REGIONS[number % len(REGIONS)])


def own(text: str, number: int) -> str:
    """A text of the example, for the account and region of a number."""
    text = text.replace(ACCOUNT, account_region(number).account_id).replace(REGION, account_region(number).region)
    for name in OWN_IDS:
        text = text.replace(f'"{name}"', f'"{name}-{number:02d}"')
    return text


def items() -> Items:
    """The example's items for each account and region. Every third uses another account's prefix list. Every second of
    those has a VPC and groups that a third account shares, so that its references are found in two steps."""
    text = json.dumps(config_items(saved()))
    found: Items = {account_region(number): json.loads(own(text, number)) for number in range(ACCOUNT_REGIONS)}
    for number in range(0, ACCOUNT_REGIONS - 2, 3):
        _move(found, number, number + 2, ("AWS::EC2::PrefixList",))
        if number % 2 == 0:
            _move(found, number, number + 1, ("AWS::EC2::SecurityGroup", "AWS::EC2::VPC"))
    return found


def _move(found: Items, giver: int, taker: int, types: tuple[str, ...]) -> None:
    moved = [item for item in found[account_region(giver)] if item["resourceType"] in types]
    found[account_region(giver)] = [item for item in found[account_region(giver)] if item not in moved]
    for item in moved:
        item["awsAccountId"], item["awsRegion"] = account_region(taker).account_id, account_region(taker).region
    found[account_region(taker)] += moved


def objects() -> dict[str, bytes]:
    """Every object by key; the last account's recording comes in two."""
    stored = {}
    for number, (of, found) in enumerate(sorted(items().items())):
        parts = [found[::2], found[1::2]] if number == ACCOUNT_REGIONS - 1 else [found]
        for part, content in enumerate(parts):
            stored[_key(of, part)] = packed(content)
    assert len(stored) == FILES
    return stored


def packed(found: list[dict[str, Any]]) -> bytes:
    document = {"fileVersion": "1.0", "configSnapshotId": "made-for-a-test", "configurationItems": found}
    return gzip.compress(json.dumps(document).encode(), mtime=0)


def _key(of: AccountRegion, part: int) -> str:
    folder = f"{PREFIX}/{of.account_id}/Config/{of.region}/2027/1/31/ConfigSnapshot"
    name = f"{of.account_id}_Config_{of.region}_ConfigSnapshot_20270131T0{part}0000Z_0a1b2c3d.json.gz"
    return f"{folder}/{name}"


def write(stored: Mapping[str, bytes], folder: Path) -> Iterator[Path]:
    for key, content in stored.items():
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        yield path
