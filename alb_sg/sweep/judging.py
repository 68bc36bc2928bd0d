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

from alb_sg.errors import UnusableInput
from alb_sg.estate.estate import Estate
from alb_sg.estate.home import Home
from alb_sg.exemptions.application import apply
from alb_sg.findings.finding import JudgementError
from alb_sg.findings.judge import judge_all
from alb_sg.report.json_report import write_json_lines
from alb_sg.report.results import Results
from alb_sg.sweep.crossing import Token, held, in_view
from alb_sg.sweep.plan import Item, Plan, Stored
from alb_sg.sweep.reading import read_estates

# Answers to GetObject that another try would get again.
FINAL = frozenset({"AccessDenied", "InvalidObjectState", "NoSuchKey", "PreconditionFailed"})
CHANGED = "PreconditionFailed"

# Writes an object of the plan's bucket into a file. Raises UnusableInput where it never can be.
Fetch = Callable[[Stored, Path], None]


@dataclass(frozen=True)
class Part:
    """The result for one item. `lines`: findings, exemptions, errors as `alb-sg check --format jsonl` prints them."""

    load_balancers: int
    asked: frozenset[Token]
    held: frozenset[Token]
    lines: tuple[str, ...]

    def content(self) -> bytes:
        """Gzipped: a line about the item, then the lines."""
        about = {"loadBalancers": self.load_balancers, "asked": sorted(self.asked), "held": sorted(self.held)}
        text = "".join((json.dumps(about) + "\n", *self.lines))
        return gzip.compress(text.encode(), mtime=0)


def read_part(content: bytes) -> Part:
    about, *lines = _split(gzip.decompress(content).decode())
    said = json.loads(about)
    asked, kept = (frozenset((section, key) for section, key in said[name]) for name in ("asked", "held"))
    return Part(said["loadBalancers"], asked, kept, tuple(lines))


def judge_item(plan: Plan, item: Item, fetch: Fetch) -> Part:
    """The part of an item. What cannot be used of its objects is an error that names it, and no verdict stands."""
    try:
        estate = _estate(plan, item.home, fetch)
        others = [found for home in item.others if (found := _other(plan, home, fetch)) is not None]
    except UnusableInput as error:
        failed = unusable(item.home, error.place, error.message)
        return Part(0, frozenset(), frozenset(), tuple(_lines(Results([], 0, [], [], [failed]))))
    if estate is None:
        return Part(0, frozenset(), frozenset(), ())
    seeing, watched = in_view(estate, others)
    load_balancers = sorted(estate.load_balancers.values(), key=lambda one: one.arn)
    findings, errors = judge_all(seeing, load_balancers, plan.rules)
    errors += _enumeration_errors(estate)
    given = plan.given
    if given is not None:
        findings, errors = apply(given.exemptions, findings, errors, given.today)
    errors.sort(key=lambda error: error.sort_key)
    findings.sort(key=lambda finding: finding.sort_key)
    names = sorted(rule.name for rule in plan.rules)
    home = (item.home.account_id, item.home.region)
    results = Results([home], len(load_balancers), names, findings, errors, plan.exemptions is not None)
    return Part(len(load_balancers), frozenset(watched.asked), frozenset(held(estate)), tuple(_lines(results)))


def unusable(home: Home, what: str, cause: str) -> JudgementError:
    return JudgementError(home.account_id, home.region, None, None, what, cause)


def fetch_from(s3: Any, bucket: str) -> Fetch:
    """Fetches with a client of S3, the version that the plan names. What may pass by itself is raised as it is, for
    another try."""

    def fetch(stored: Stored, path: Path) -> None:
        try:
            answer = s3.get_object(Bucket=bucket, Key=stored.key, IfMatch=stored.etag)
        except ClientError as error:
            said = error.response.get("Error", {})
            code = CHANGED if said.get("Code") == "412" else said.get("Code", "")
            if code not in FINAL:
                raise
            cause = "the object was changed during the sweep; start another" if code == CHANGED else said["Message"]
            raise UnusableInput(f"{code}: {cause}") from error
        with answer["Body"] as body, path.open("wb") as file:
            shutil.copyfileobj(body, file)

    return fetch


def _other(plan: Plan, home: Home, fetch: Fetch) -> Estate | None:
    """An estate to be seen; None where it cannot be used: its own item says so."""
    try:
        return _estate(plan, home, fetch)
    except UnusableInput:
        return None


def _estate(plan: Plan, home: Home, fetch: Fetch) -> Estate | None:
    """The estate in a home's objects; None where they hold nothing that the rules read. Raises UnusableInput."""
    with tempfile.TemporaryDirectory() as folder:
        paths = {}
        for number, stored in enumerate(plan.homes[home]):
            # Numbered, so that they are read in the order of their keys, whatever those are.
            path = Path(folder, f"{number:08d}{'.json.gz' if stored.key.endswith('.gz') else '.json'}")
            paths[str(path)] = f"s3://{plan.bucket}/{stored.key}"
            try:
                fetch(stored, path)
            except UnusableInput as error:
                raise UnusableInput(error.message, paths[str(path)]) from error
        try:
            estates = read_estates(paths)
        except UnusableInput as error:
            raise _renamed(error, paths) from error
    names = ", ".join(paths.values())
    for estate in estates:
        if Home(estate.account_id, estate.region) != home:
            raise UnusableInput(f"holds items of {estate.account_id} {estate.region}, and is named for {home}", names)
    return estates[0] if estates else None


def _renamed(error: UnusableInput, paths: Mapping[str, str]) -> UnusableInput:
    """With the objects' own names in place of the files'."""
    message, place = error.message, error.place
    for path, name in paths.items():
        message, place = message.replace(path, name), place.replace(path, name)
    return UnusableInput(message, place)


def _enumeration_errors(estate: Estate) -> Iterator[JudgementError]:
    for failure in estate.failures:
        if failure.section == "LoadBalancers":
            where = f"{estate.account_id} {estate.region}"
            what = f"{failure.section} of {where}" if failure.key is None else f"load balancer {failure.key}"
            yield JudgementError(estate.account_id, estate.region, failure.key, None, what, failure.cause)


def _lines(results: Results) -> list[str]:
    stream = io.StringIO()
    write_json_lines(results, stream)
    return _split(stream.getvalue())


def _split(text: str) -> list[str]:
    """Lines of JSON with their ends: other characters at which Python would split stand within texts."""
    return [f"{line}\n" for line in text.split("\n") if line]
