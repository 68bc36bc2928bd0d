"""`replay`: hands the events of the failed-event queues to their functions again.

A replayed event is judged from live state, as every event is. An event leaves its queue only after the function has
processed it without an error.
"""

from __future__ import annotations

import json
from typing import Any

import boto3
from botocore.config import Config

from alb_sg.deployment.lambda_resources import TIMEOUT
from alb_sg.deployment.preflight import DeploymentError, PrintLine
from alb_sg.deployment.role_policies import queue_name
from alb_sg.deployment.settings import DeployedRule, Settings
from alb_sg.findings.phrasing import pluralize

# Seconds. An invocation lasts as long as the function's timeout at most. Until then nobody else may receive the event,
# and an event that fails again stays invisible so long, so that a replay meets it once.
VISIBILITY_TIMEOUT = 2 * TIMEOUT
READ_TIMEOUT = TIMEOUT + 30


def replay(settings: Settings, print_line: PrintLine, *, dry_run: bool = False) -> None:
    """Replays the events of every rule in every region, or only counts them. Raises DeploymentError if an event failed
    again: it stays in its queue."""
    failed: list[str] = []
    for region in settings.regions:
        for rule in settings.rules:
            failed += _replay_rule(settings, rule, region, print_line, dry_run=dry_run)
    if failed:
        raise DeploymentError(
            f"{pluralize(len(failed), 'event')} left in the queues after failing again; the functions' logs say why. "
            f"First: {failed[0]}"
        )


def _replay_rule(
    settings: Settings, rule: DeployedRule, region: str, print_line: PrintLine, *, dry_run: bool
) -> list[str]:
    """The errors of the events that failed again."""
    sqs: Any = boto3.client("sqs", region_name=region)
    name, function = queue_name(settings, rule), settings.function_name(rule)
    try:
        url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    except sqs.exceptions.QueueDoesNotExist as error:
        raise DeploymentError(
            f"queue {name} does not exist in {region}; run replay with the settings and in the account of the functions"
        ) from error
    if dry_run:
        attribute = "ApproximateNumberOfMessages"
        waiting = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[attribute])["Attributes"][attribute]
        print_line(f"{region}: {name} holds {pluralize(int(waiting), 'event')}")
        return []
    # A second attempt of the client after a timeout would run the function twice.
    client: Any = boto3.client(
        "lambda", region_name=region, config=Config(read_timeout=READ_TIMEOUT, retries={"total_max_attempts": 1})
    )
    done = 0
    failed: list[str] = []
    while messages := _receive(sqs, url):
        for message in messages:
            problem = _invoke(client, function, message["Body"])
            if problem is None:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                done += 1
            else:
                failed.append(f"{region}: {function}: {problem}")
    print_line(f"{region}: {name}: {pluralize(done, 'event')} replayed, {len(failed)} failed again")
    return failed


def _receive(sqs: Any, url: str) -> list[dict[str, Any]]:
    """The next event, or none. One at a time: the others stay visible to somebody else's replay."""
    answer = sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=1, VisibilityTimeout=VISIBILITY_TIMEOUT, WaitTimeSeconds=1
    )
    messages: list[dict[str, Any]] = answer.get("Messages", [])
    return messages


def _invoke(client: Any, function: str, event: str) -> str | None:
    """The function's error, or None. The call waits for the function, which an asynchronous one would not."""
    answer = client.invoke(FunctionName=function, InvocationType="RequestResponse", Payload=event.encode())
    if "FunctionError" not in answer:
        return None
    payload: str = answer["Payload"].read().decode()
    try:
        return str(json.loads(payload)["errorMessage"])
    except (ValueError, KeyError, TypeError):
        return payload
