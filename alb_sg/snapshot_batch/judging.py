"""One account and region judged: its objects fetched, read as any file is, and what comes of it as one result.

Only one object is in memory at a time, and of it the fields that verdicts hang on. Nothing here hangs on when or how
often it runs: the same objects give the same bytes.
"""

from __future__ import annotations

import gzip
import io
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from alb_sg.aws.account_region import AccountRegion
from alb_sg.aws.client_errors import error_code, error_message
from alb_sg.errors import InvalidInputError
from alb_sg.estate.estate import Estate
from alb_sg.findings.exemption_application import apply_exemptions
from alb_sg.findings.finding import EvaluationError
from alb_sg.findings.judge import judge_all
from alb_sg.observations.results import Results
from alb_sg.report.json_report import write_json_lines
from alb_sg.snapshot_batch.cross_account import ResourceKey, available_keys, with_other_estates
from alb_sg.snapshot_batch.manifest import Manifest, StoredObject, WorkItem
from alb_sg.snapshot_batch.reading import read_estates

# Answers to GetObject that another try would get again.
PERMANENT_ERROR_CODES = frozenset({"AccessDenied", "InvalidObjectState", "NoSuchKey", "PreconditionFailed"})
OBJECT_CHANGED_CODE = "PreconditionFailed"

# Writes an object of the plan's bucket into a file. Raises InvalidInputError where it never can be.
ObjectFetcher = Callable[[StoredObject, Path], None]


@dataclass(frozen=True)
class ItemResult:
    """The result for one item. `lines`: findings, exemptions, errors as `alb-sg check --format jsonl` prints them."""

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
    about, *lines = _split_lines(gzip.decompress(content).decode())
    said = json.loads(about)
    asked, kept = (frozenset((section, key) for section, key in said[name]) for name in ("asked", "held"))
    return ItemResult(said["loadBalancers"], asked, kept, tuple(lines))


def judge_item(manifest: Manifest, item: WorkItem, fetch: ObjectFetcher) -> ItemResult:
    """The part of an item. What cannot be used of its objects is an error that names it, and no verdict stands."""
    try:
        estate = _read_estate(manifest, item.account_region, fetch)
        others = [
            found
            for account_region in item.others
            if (found := _read_other_estate(manifest, account_region, fetch)) is not None
        ]
    except InvalidInputError as error:
        failed = account_region_error(item.account_region, error.place, error.message)
        return ItemResult(0, frozenset(), frozenset(), tuple(_json_lines(Results([], 0, [], [], [failed]))))
    if estate is None:
        return ItemResult(0, frozenset(), frozenset(), ())
    seeing, watched = with_other_estates(estate, others)
    load_balancers = sorted(estate.load_balancers.values(), key=lambda one: one.arn)
    findings, errors = judge_all(seeing, load_balancers, manifest.rules)
    errors += _enumeration_errors(estate)
    given = manifest.loaded_exemptions
    if given is not None:
        findings, errors = apply_exemptions(given.exemptions, findings, errors, given.today)
    errors.sort(key=lambda error: error.sort_key)
    findings.sort(key=lambda finding: finding.sort_key)
    names = sorted(rule.name for rule in manifest.rules)
    account_region = (item.account_region.account_id, item.account_region.region)
    results = Results(
        [account_region], len(load_balancers), names, findings, errors, manifest.exemption_document is not None
    )
    return ItemResult(
        len(load_balancers), frozenset(watched.misses), frozenset(available_keys(estate)), tuple(_json_lines(results))
    )


def account_region_error(account_region: AccountRegion, what: str, cause: str) -> EvaluationError:
    return EvaluationError(account_region.account_id, account_region.region, None, None, what, cause)


def object_fetcher(s3: Any, bucket: str) -> ObjectFetcher:
    """Fetches with a client of S3, the version that the plan names. What may pass by itself is raised as it is, for
    another try."""

    def fetch(stored: StoredObject, path: Path) -> None:
        try:
            answer = s3.get_object(Bucket=bucket, Key=stored.key, IfMatch=stored.etag)
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
        with answer["Body"] as body, path.open("wb") as file:
            shutil.copyfileobj(body, file)

    return fetch


def _read_other_estate(manifest: Manifest, account_region: AccountRegion, fetch: ObjectFetcher) -> Estate | None:
    """An estate to be seen; None where it cannot be used: its own item says so."""
    try:
        return _read_estate(manifest, account_region, fetch)
    except InvalidInputError:
        return None


def _read_estate(manifest: Manifest, account_region: AccountRegion, fetch: ObjectFetcher) -> Estate | None:
    """The estate in a home's objects; None where they hold nothing that the rules read. Raises InvalidInputError."""
    with tempfile.TemporaryDirectory() as folder:
        paths = {}
        for number, stored in enumerate(manifest.objects[account_region]):
            # Numbered, so that they are read in the order of their keys, whatever those are.
            path = Path(folder, f"{number:08d}{'.json.gz' if stored.key.endswith('.gz') else '.json'}")
            paths[str(path)] = f"s3://{manifest.bucket}/{stored.key}"
            try:
                fetch(stored, path)
            except InvalidInputError as error:
                raise InvalidInputError(error.message, paths[str(path)]) from error
        try:
            estates = read_estates(paths)
        except InvalidInputError as error:
            raise _with_object_names(error, paths) from error
    names = ", ".join(paths.values())
    for estate in estates:
        if AccountRegion(estate.account_id, estate.region) != account_region:
            raise InvalidInputError(
                f"holds items of {estate.account_id} {estate.region}, and is named for {account_region}", names
            )
    return estates[0] if estates else None


def _with_object_names(error: InvalidInputError, paths: Mapping[str, str]) -> InvalidInputError:
    """With the objects' own names in place of the files'."""
    message, place = error.message, error.place
    for path, name in paths.items():
        message, place = message.replace(path, name), place.replace(path, name)
    return InvalidInputError(message, place)


def _enumeration_errors(estate: Estate) -> Iterator[EvaluationError]:
    for failure in estate.failures:
        if failure.section == "LoadBalancers":
            where = f"{estate.account_id} {estate.region}"
            what = f"{failure.section} of {where}" if failure.key is None else f"load balancer {failure.key}"
            yield EvaluationError(estate.account_id, estate.region, failure.key, None, what, failure.cause)


def _json_lines(results: Results) -> list[str]:
    stream = io.StringIO()
    write_json_lines(results, stream)
    return _split_lines(stream.getvalue())


def _split_lines(text: str) -> list[str]:
    """Lines of JSON with their ends: other characters at which Python would split stand within texts."""
    return [f"{line}\n" for line in text.split("\n") if line]
