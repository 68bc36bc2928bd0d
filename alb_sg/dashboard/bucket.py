"""The page, its data and the history of runs in an S3 bucket.

`index.html`, `index.json` and `history/` have the same bytes as the files that `alb-sg dashboard` writes for the same
observation with `--history history` and `--output index.html`.
"""

from __future__ import annotations

import gzip
import io
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from alb_sg.aws.pages import name_call, read_items
from alb_sg.dashboard.audit import Provenance
from alb_sg.dashboard.history import (
    FILE_NAME_PATTERN,
    MAX_COMPARED_RUNS,
    Run,
    make_run,
    read_run,
    run_file_name,
    write_run,
)
from alb_sg.dashboard.page import render_page
from alb_sg.dashboard.page_data import EarlierRuns, build_page_data, page_data_text
from alb_sg.observations.observation import Observation

PAGE_KEY, DATA_KEY, HISTORY_PREFIX = "index.html", "index.json", "history/"
# What `publish` calls on the bucket.
BUCKET_ACTIONS = ("s3:GetObject", "s3:ListBucket", "s3:PutObject")


def publish(observation: Observation, s3: Any, bucket: str, provenance: Provenance | None = None) -> None:
    """Writes the run, the data that compares it with earlier runs, and the page, in that order."""
    run_name = run_file_name(observation.as_of)
    names = list(_earlier_run_names(s3, bucket, run_name))
    compared = names[-MAX_COMPARED_RUNS:]
    runs = (_read_stored_run(s3, bucket, name) for name in compared)
    page_data = build_page_data(observation, EarlierRuns(runs, len(names) - len(compared)), provenance=provenance)
    text = page_data_text(page_data)
    for key, content, content_type in (
        (HISTORY_PREFIX + run_name, run_file_content(make_run(observation)), "application/gzip"),
        (DATA_KEY, text.encode(), "application/json"),
        (PAGE_KEY, render_page(page_data, text).encode(), "text/html; charset=utf-8"),
    ):
        with name_call("PutObject"):
            s3.put_object(Bucket=bucket, Key=key, Body=content, ContentType=content_type, CacheControl="no-cache")


def run_file_content(run: Run) -> bytes:
    """The content of a run's file, gzipped without a name and a time, so that the same run gives the same bytes."""
    buffer = io.BytesIO()
    with (
        gzip.GzipFile("", "wb", fileobj=buffer, mtime=0) as zipped,
        io.TextIOWrapper(zipped, encoding="utf-8", errors="backslashreplace", newline="\n") as stream,
    ):
        write_run(run, stream)
    return buffer.getvalue()


def _earlier_run_names(s3: Any, bucket: str, before: str) -> Iterator[str]:
    """The names of earlier runs, oldest first. S3 lists keys in order, and a run's name is its time."""
    parameters = {"Bucket": bucket, "Prefix": HISTORY_PREFIX}
    with name_call("ListObjectsV2"):
        listed = read_items(s3, "list_objects_v2", parameters, "Contents", count_key="KeyCount")
        keys = [str(stored["Key"]) for stored in listed]
    for key in keys:
        name = key.removeprefix(HISTORY_PREFIX)
        if FILE_NAME_PATTERN.fullmatch(name) and name < before:
            yield name


def _read_stored_run(s3: Any, bucket: str, name: str) -> Run:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        with name_call("GetObject"), s3.get_object(Bucket=bucket, Key=HISTORY_PREFIX + name)["Body"] as body:
            path.write_bytes(body.read())
        return read_run(path)
