"""The dashboard in Lambda: page, data and history of an organization into a bucket, as `alb-sg dashboard` writes them.

In the bucket: `index.html`, `index.json` and `history/`, with the same bytes as from `alb-sg dashboard` with
`--aggregator`, `--exemptions`, `--history history` and `--output index.html` of the same time. The time is that of the
event, so that another try at the same event writes the same objects.
"""

from __future__ import annotations

import gzip
import io
import os
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import boto3

from alb_sg.aggregator.exemptions import apply_exemptions
from alb_sg.aggregator.observe import observe
from alb_sg.aggregator.requests import AggregatorClients
from alb_sg.aws.calls import client_config
from alb_sg.dashboard.history import FILE_NAME_PATTERN, Run, make_run, read_run, run_file_name, write_run
from alb_sg.dashboard.page import render_page
from alb_sg.dashboard.page_data import EarlierRuns, build_page_data, page_data_text
from alb_sg.errors import InvalidInputError, NotReadError
from alb_sg.exemptions.aws_document import read_exemptions
from alb_sg.exemptions.exemption import Exemptions
from alb_sg.exemptions.location import parse_location
from alb_sg.findings.loaded_exemptions import LoadedExemptions, load_exemptions
from alb_sg.observations.observation import Observation
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME

# The function's environment. `EXEMPTIONS`: where in AWS they are kept; empty: there are none.
AGGREGATOR_VARIABLE = "ALB_SG_AGGREGATOR"
BUCKET_VARIABLE = "ALB_SG_BUCKET"
EXEMPTIONS_VARIABLE = "ALB_SG_EXEMPTIONS"

PAGE_KEY, DATA_KEY, HISTORY_PREFIX = "index.html", "index.json", "history/"
# As many earlier runs are compared with: each takes its time to read.
MAX_EARLIER_RUNS = 60
# What the function's role needs besides `aggregator.requests.ACTIONS`, on its own bucket alone.
BUCKET_ACTIONS = ("s3:GetObject", "s3:ListBucket", "s3:PutObject")


def lambda_handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """Writes the page for the time of an event of EventBridge, and says what is on it.

    What could not be read stands on the page; where that is more than single verdicts, NotReadError is raised after
    the page is written, so that somebody is told.
    """
    aggregator, bucket, source = (
        os.environ[AGGREGATOR_VARIABLE],
        os.environ[BUCKET_VARIABLE],
        os.environ[EXEMPTIONS_VARIABLE],
    )
    as_of = _event_time(event)
    clients = AggregatorClients(config=_make_client("config"), organizations=_make_client("organizations"))
    observation = observe(clients, aggregator, sorted(RECOMMENDATIONS_BY_NAME), as_of)
    if source:
        observation = apply_exemptions(observation, _load_exemptions(source, as_of.date()))
    publish(observation, _make_client("s3"), bucket)
    unread = [error for error in observation.results.errors if not error.account_id]
    if unread:
        raise NotReadError(unread[0].what, unread[0].cause)
    return {
        "page": f"s3://{bucket}/{PAGE_KEY}",
        "findings": len(observation.results.findings),
        "errors": len(observation.results.errors),
    }


def publish(observation: Observation, s3: Any, bucket: str) -> None:
    """The run into the bucket's history, and data and page that compare it with earlier ones; the page comes last."""
    names = list(_earlier_run_names(s3, bucket, run_file_name(observation.as_of)))
    latest = names[-MAX_EARLIER_RUNS:]
    found = build_page_data(
        observation, EarlierRuns((_read_stored_run(s3, bucket, name) for name in latest), len(names) - len(latest))
    )
    text = page_data_text(found)
    for key, content, kind in (
        (
            HISTORY_PREFIX + run_file_name(observation.as_of),
            run_file_content(make_run(observation)),
            "application/gzip",
        ),
        (DATA_KEY, text.encode(), "application/json"),
        (PAGE_KEY, render_page(found, text).encode(), "text/html; charset=utf-8"),
    ):
        s3.put_object(Bucket=bucket, Key=key, Body=content, ContentType=kind, CacheControl="no-cache")


def _make_client(service: str) -> Any:
    return boto3.client(service, config=client_config())  # type: ignore[call-overload]  # not a literal


def _load_exemptions(source: str, today: date) -> LoadedExemptions:
    """Raises InvalidInputError for what is no location in AWS."""
    location = parse_location(source)

    def read() -> Exemptions:
        try:
            return read_exemptions(location, _make_client, RECOMMENDATIONS_BY_NAME)
        except InvalidInputError as error:
            # A page on which nobody is exempt, and which says why, is more use than none.
            raise NotReadError(f"exemptions in {location}", error.message) from error

    return load_exemptions(read, source, today)


def run_file_content(run: Run) -> bytes:
    """A run as the file of it: without a name and a time in it, the same run gives the same bytes."""
    buffer = io.BytesIO()
    with (
        gzip.GzipFile("", "wb", fileobj=buffer, mtime=0) as zipped,
        io.TextIOWrapper(zipped, encoding="utf-8", errors="backslashreplace", newline="\n") as stream,
    ):
        write_run(run, stream)
    return buffer.getvalue()


def _earlier_run_names(s3: Any, bucket: str, before: str) -> Iterator[str]:
    """The names of earlier runs, oldest first: S3 lists keys in their order, and a run's name is its time."""
    for answer in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=HISTORY_PREFIX):
        for one in answer.get("Contents", ()):
            name = str(one["Key"]).removeprefix(HISTORY_PREFIX)
            if FILE_NAME_PATTERN.fullmatch(name) and name < before:
                yield name


def _read_stored_run(s3: Any, bucket: str, name: str) -> Run:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        with s3.get_object(Bucket=bucket, Key=HISTORY_PREFIX + name)["Body"] as body:
            path.write_bytes(body.read())
        return read_run(path)


def _event_time(event: Mapping[str, Any]) -> datetime:
    """When a schedule was due. Raises InvalidInputError."""
    try:
        time = datetime.fromisoformat(str(event["time"]))
    except (KeyError, ValueError) as error:
        raise InvalidInputError(
            "no time such as 2027-01-31T06:00:00Z; invoke the function through its schedule"
        ) from error
    return time.astimezone(UTC).replace(microsecond=0)
