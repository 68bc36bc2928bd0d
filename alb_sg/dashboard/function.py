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

from alb_sg.aggregator.exempted import exempted
from alb_sg.aggregator.observe import observe
from alb_sg.aggregator.requests import AggregatorClients
from alb_sg.dashboard.data import Earlier, document, write_document
from alb_sg.dashboard.history import FILE_NAME, Run, file_name, read_run, run_of, write_run
from alb_sg.dashboard.observation import Observation
from alb_sg.dashboard.page import page
from alb_sg.errors import Unread, UnusableInput
from alb_sg.exemptions.aws import read_exemptions
from alb_sg.exemptions.exemption import Exemptions
from alb_sg.exemptions.given import Given, given_by
from alb_sg.exemptions.location import parse_location
from alb_sg.live.calls import client_config
from alb_sg.recommendations.catalogue import BY_NAME

# The function's environment. `EXEMPTIONS`: where in AWS they are kept; empty: there are none.
AGGREGATOR = "ALB_SG_AGGREGATOR"
BUCKET = "ALB_SG_BUCKET"
EXEMPTIONS = "ALB_SG_EXEMPTIONS"

PAGE, DATA, HISTORY = "index.html", "index.json", "history/"
# As many earlier runs are compared with: each takes its time to read.
MOST_RUNS = 60
# What the function's role needs besides `aggregator.requests.ACTIONS`, on its own bucket alone.
BUCKET_ACTIONS = ("s3:GetObject", "s3:ListBucket", "s3:PutObject")


def lambda_handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """Writes the page for the time of an event of EventBridge, and says what is on it.

    What could not be read stands on the page; where that is more than single verdicts, Unread is raised after the page
    is written, so that somebody is told.
    """
    aggregator, bucket, source = os.environ[AGGREGATOR], os.environ[BUCKET], os.environ[EXEMPTIONS]
    as_of = _time(event)
    clients = AggregatorClients(config=_client("config"), organizations=_client("organizations"))
    observation = observe(clients, aggregator, sorted(BY_NAME), as_of)
    if source:
        observation = exempted(observation, _given(source, as_of.date()))
    publish(observation, _client("s3"), bucket)
    unread = [error for error in observation.results.errors if not error.account_id]
    if unread:
        raise Unread(unread[0].what, unread[0].cause)
    return {
        "page": f"s3://{bucket}/{PAGE}",
        "findings": len(observation.results.findings),
        "errors": len(observation.results.errors),
    }


def publish(observation: Observation, s3: Any, bucket: str) -> None:
    """The run into the bucket's history, and data and page that compare it with earlier ones; the page comes last."""
    names = list(_earlier(s3, bucket, file_name(observation.as_of)))
    latest = names[-MOST_RUNS:]
    found = document(observation, Earlier((_run(s3, bucket, name) for name in latest), len(names) - len(latest)))
    text = write_document(found)
    for key, content, kind in (
        (HISTORY + file_name(observation.as_of), packed(run_of(observation)), "application/gzip"),
        (DATA, text.encode(), "application/json"),
        (PAGE, page(found, text).encode(), "text/html; charset=utf-8"),
    ):
        s3.put_object(Bucket=bucket, Key=key, Body=content, ContentType=kind, CacheControl="no-cache")


def _client(service: str) -> Any:
    return boto3.client(service, config=client_config())  # type: ignore[call-overload]  # not a literal


def _given(source: str, today: date) -> Given:
    """Raises UnusableInput for what is no location in AWS."""
    location = parse_location(source)

    def read() -> Exemptions:
        try:
            return read_exemptions(location, _client)
        except UnusableInput as error:
            # A page on which nobody is exempt, and which says why, is more use than none.
            raise Unread(f"exemptions in {location}", error.message) from error

    return given_by(read, source, today)


def packed(run: Run) -> bytes:
    """A run as the file of it: without a name and a time in it, the same run gives the same bytes."""
    buffer = io.BytesIO()
    with (
        gzip.GzipFile("", "wb", fileobj=buffer, mtime=0) as zipped,
        io.TextIOWrapper(zipped, encoding="utf-8", errors="backslashreplace", newline="\n") as stream,
    ):
        write_run(run, stream)
    return buffer.getvalue()


def _earlier(s3: Any, bucket: str, before: str) -> Iterator[str]:
    """The names of earlier runs, oldest first: S3 lists keys in their order, and a run's name is its time."""
    for answer in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=HISTORY):
        for one in answer.get("Contents", ()):
            name = str(one["Key"]).removeprefix(HISTORY)
            if FILE_NAME.fullmatch(name) and name < before:
                yield name


def _run(s3: Any, bucket: str, name: str) -> Run:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        with s3.get_object(Bucket=bucket, Key=HISTORY + name)["Body"] as body:
            path.write_bytes(body.read())
        return read_run(path)


def _time(event: Mapping[str, Any]) -> datetime:
    """When a schedule was due. Raises UnusableInput."""
    try:
        time = datetime.fromisoformat(str(event["time"]))
    except (KeyError, ValueError) as error:
        raise UnusableInput("no time such as 2027-01-31T06:00:00Z; invoke the function through its schedule") from error
    return time.astimezone(UTC).replace(microsecond=0)
