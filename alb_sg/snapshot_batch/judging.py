"""Judges one account and region: fetches its objects, reads them as files of configuration items, and writes lines.

Only one object is in memory at a time. The same objects give the same bytes, however often and whenever it runs.
"""

from __future__ import annotations

import gzip
import io
import json
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from alb_sg.aws.account_region import AccountRegion
from alb_sg.aws.client_errors import error_code, error_message
from alb_sg.errors import InvalidInputError
from alb_sg.estate.estate import Estate
from alb_sg.estate.other_accounts import (
    SECTIONS_BY_ID,
    InterfaceAddress,
    ResourceKey,
    evaluate_with_others,
    resource_ids,
)
from alb_sg.estate.sections import Section
from alb_sg.estate.snapshots.files import read_config_items
from alb_sg.findings.exemption_application import apply_exemptions
from alb_sg.findings.finding import EvaluationError, enumeration_error
from alb_sg.findings.judge import judge_all
from alb_sg.observations.results import Results
from alb_sg.report.json_report import write_error_lines, write_json_lines
from alb_sg.snapshot_batch.manifest import Manifest, StoredObject
from alb_sg.snapshot_batch.work_items import WorkItem

# Errors of GetObject that another attempt would get again.
PERMANENT_ERROR_CODES = frozenset({"AccessDenied", "InvalidObjectState", "NoSuchKey", "PreconditionFailed"})
OBJECT_CHANGED_CODE = "PreconditionFailed"

# Writes an object of the manifest's bucket into a file. Raises InvalidInputError for a permanent error.
ObjectFetcher = Callable[[StoredObject, Path], None]


@dataclass(frozen=True)
class ItemResult:
    """The result of a work item. `lines`: findings, exemptions and errors as `alb-sg check --format jsonl` prints them.

    Its keys name VPCs in place of interfaces: every address of an account would be too many.
    """

    load_balancers: int
    misses: frozenset[ResourceKey]
    available_keys: frozenset[ResourceKey]
    lines: tuple[str, ...]

    def to_bytes(self) -> bytes:
        """Gzipped: a line about the item, then the lines."""
        about = {
            "loadBalancers": self.load_balancers,
            "asked": sorted(self.misses),
            "held": sorted(self.available_keys),
        }
        text = "".join((json.dumps(about) + "\n", *self.lines))
        return gzip.compress(text.encode(), mtime=0)


def parse_result(content: bytes) -> ItemResult:
    first, *lines = _split_lines(gzip.decompress(content).decode())
    about = json.loads(first)
    misses, available_keys = (
        frozenset((Section(section), key) for section, key in about[name]) for name in ("asked", "held")
    )
    return ItemResult(about["loadBalancers"], misses, available_keys, tuple(lines))


def judge_item(manifest: Manifest, item: WorkItem, fetch: ObjectFetcher) -> ItemResult:
    """The result of a work item. For an invalid object it is an error that names the object, without verdicts."""
    try:
        estate = _read_estate(manifest, item.account_region, fetch)
    except InvalidInputError as error:
        failed = account_region_error(item.account_region, error.place, error.message)
        return ItemResult(0, frozenset(), frozenset(), tuple(error_lines([failed])))
    if estate is None:
        return ItemResult(0, frozenset(), frozenset(), ())
    load_balancers = sorted(estate.load_balancers.values(), key=lambda one: one.arn)
    visible = [estate]
    for other in item.others:
        # The other item's own result reports an invalid object.
        with suppress(InvalidInputError):
            seen = _read_estate(manifest, other, fetch)
            if seen is not None:
                visible.append(seen)
    # In the order of one run over all estates.
    visible.sort(key=lambda one: one.account_region)
    exemptions = manifest.loaded_exemptions
    port_exemptions = {} if exemptions is None else exemptions.of_ports
    (findings, errors), misses = evaluate_with_others(
        estate, visible, lambda linked: judge_all(linked, load_balancers, manifest.rules, port_exemptions)
    )
    errors += _enumeration_errors(estate)
    if exemptions is not None:
        findings, errors = apply_exemptions(exemptions.exemptions, findings, errors, exemptions.today)
    errors.sort(key=lambda error: error.sort_key)
    findings.sort(key=lambda finding: finding.sort_key)
    results = Results(
        [item.account_region],
        len(load_balancers),
        sorted(rule.name for rule in manifest.rules),
        findings,
        errors,
        exemptions is not None,
    )
    stream = io.StringIO()
    write_json_lines(results, stream)
    return ItemResult(
        len(load_balancers),
        frozenset(map(_without_address, misses)),
        frozenset(_available_keys(estate)),
        tuple(_split_lines(stream.getvalue())),
    )


def _without_address(key: ResourceKey) -> ResourceKey:
    section, name = key
    return section, name.vpc_id if isinstance(name, InterfaceAddress) else name


def _available_keys(estate: Estate) -> Iterator[ResourceKey]:
    """The keys that an estate can look up for others."""
    yield from resource_ids(estate, SECTIONS_BY_ID)
    for vpc_id in {interface.vpc_id for interface in (estate.network_interfaces or {}).values()}:
        yield Section.NETWORK_INTERFACES, vpc_id


def account_region_error(account_region: AccountRegion, what: str, cause: str) -> EvaluationError:
    return EvaluationError(account_region.account_id, account_region.region, None, None, what, cause)


def object_fetcher(s3: Any, bucket: str) -> ObjectFetcher:
    """A fetcher of the versions in the manifest. Temporary errors of botocore pass through, for another attempt."""

    def fetch(stored: StoredObject, path: Path) -> None:
        try:
            response = s3.get_object(Bucket=bucket, Key=stored.key, IfMatch=stored.etag)
        except ClientError as error:
            code = OBJECT_CHANGED_CODE if error_code(error) == "412" else error_code(error)
            if code not in PERMANENT_ERROR_CODES:
                raise
            cause = (
                "the object was changed during the sweep; start another"
                if code == OBJECT_CHANGED_CODE
                else error_message(error)
            )
            raise InvalidInputError(f"{code}: {cause}") from error
        with response["Body"] as body, path.open("wb") as file:
            shutil.copyfileobj(body, file)

    return fetch


def _read_estate(manifest: Manifest, account_region: AccountRegion, fetch: ObjectFetcher) -> Estate | None:
    """The estate of an account and region; None without items that the rules read. Raises InvalidInputError."""
    with tempfile.TemporaryDirectory() as folder:
        names = {}
        for number, stored in enumerate(manifest.objects[account_region]):
            # Numbered, so that files are read in the order of the keys.
            path = Path(folder, f"{number:08d}{'.json.gz' if stored.key.endswith('.gz') else '.json'}")
            names[str(path)] = manifest.address(stored.key)
            try:
                fetch(stored, path)
            except InvalidInputError as error:
                raise InvalidInputError(error.message, names[str(path)]) from error
        try:
            estates = read_config_items(names, fast=False)
        except InvalidInputError as error:
            raise _with_object_names(error, names) from error
    for estate in estates:
        if estate.account_region != account_region:
            raise InvalidInputError(
                f"holds items of {estate.account_region}, and is named for {account_region}", ", ".join(names.values())
            )
    return estates[0] if estates else None


def _with_object_names(error: InvalidInputError, names: Mapping[str, str]) -> InvalidInputError:
    """The error with the names of objects in place of the paths of files."""
    message, place = error.message, error.place
    for path, name in names.items():
        message, place = message.replace(path, name), place.replace(path, name)
    return InvalidInputError(message, place)


def _enumeration_errors(estate: Estate) -> Iterator[EvaluationError]:
    for failure in estate.failures:
        if failure.section == "LoadBalancers":
            yield enumeration_error(estate, failure)


def error_lines(errors: Iterable[EvaluationError]) -> list[str]:
    """Errors as `alb-sg check --format jsonl` prints them."""
    stream = io.StringIO()
    write_error_lines(errors, stream)
    return _split_lines(stream.getvalue())


def _split_lines(text: str) -> list[str]:
    """Lines with their ends. `splitlines` would also split at other characters, which JSON text may contain."""
    return [f"{line}\n" for line in text.split("\n") if line]
