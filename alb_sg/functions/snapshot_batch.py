"""The function that Step Functions calls for each step of a batch: `plan`, `judge`, `connect` and `merge`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from alb_sg.aws.arns import function_account_id
from alb_sg.aws.clients import make_client
from alb_sg.aws.log_lines import log_line, logged_failure
from alb_sg.errors import InvalidInputError
from alb_sg.exemptions.aws_document import MAX_DAYS_VARIABLE, limit_exemptions, parse_max_days, read_exemptions
from alb_sg.exemptions.exemption import Exemptions
from alb_sg.exemptions.location import parse_location
from alb_sg.findings.loaded_exemptions import LoadedExemptions, load_exemptions
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME
from alb_sg.snapshot_batch.batch_run import BatchRun
from alb_sg.snapshot_batch.work_items import parse_item

# Environment variables. The location of the exemptions is empty where there are none. The concurrency is here because a
# CloudFormation template cannot insert a number into the state machine.
EXEMPTIONS_VARIABLE = "ALB_SG_EXEMPTIONS"
RESULTS_BUCKET_VARIABLE = "ALB_SG_RESULTS_BUCKET"
MAX_CONCURRENCY_VARIABLE = "ALB_SG_MAX_CONCURRENCY"
# The actions that the function's role needs on the bucket of snapshots and on the bucket of results.
SNAPSHOT_BUCKET_ACTIONS = ("s3:GetObject", "s3:ListBucket")
RESULTS_BUCKET_ACTIONS = ("s3:GetObject", "s3:ListBucket", "s3:PutObject")


def lambda_handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """Runs one step, and logs it or its error.

    Raises InvalidInputError for permanent errors, and botocore's errors where another attempt may succeed.
    """
    with logged_failure(function="snapshot_batch", run=event.get("run"), step=event.get("step")):
        answer = _run_step(event, context)
    log_line("INFO", function="snapshot_batch", run=event["run"], step=event["step"])
    return answer


def _run_step(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    run = BatchRun(
        make_client("s3"),
        event["run"],
        os.environ[RESULTS_BUCKET_VARIABLE],
        int(os.environ[MAX_CONCURRENCY_VARIABLE]),
    )
    match event["step"]:
        case "plan":
            exemptions = _load_exemptions(os.environ[EXEMPTIONS_VARIABLE], event["time"], function_account_id(context))
            return run.plan(event["source"], event.get("parameters") or {}, exemptions)
        case "judge":
            return run.judge(parse_item(event["item"]))
        case "connect":
            return run.connect(event["round"])
        case "merge":
            return run.merge(event["round"])
    raise InvalidInputError(f"there is no step {event['step']!r}", "step")


def _load_exemptions(location_text: str, time: str, owner: str | None) -> LoadedExemptions | None:
    """The exemptions on the day (UTC) of a time. Raises InvalidInputError."""
    if not location_text:
        return None
    location = parse_location(location_text)
    today = datetime.fromisoformat(time).astimezone(UTC).date()

    def read() -> Exemptions:
        exemptions = read_exemptions(location, make_client, RECOMMENDATIONS_BY_NAME, bucket_owner=owner)
        return limit_exemptions(exemptions, today, parse_max_days(os.environ.get(MAX_DAYS_VARIABLE)))

    return load_exemptions(read, location_text, today)
