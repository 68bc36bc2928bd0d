"""`replay`: events of the failed-event queues go to their functions again, and none is lost."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from alb_sg.deployment.__main__ import main
from tests.deployment.deployments import RULES, SHIPPED, settings_of, write
from tests.rules import DEPLOYED_RULE_NAMES

FUNCTION = "alb-sg-icmp-pmtud"


class Functions:
    """Lambda in moto's place: it notes invocations and fails those that a test names."""

    def __init__(self) -> None:
        self.invoked: list[tuple[str, str]] = []
        self.fail = ""

    def invoke(self, *, FunctionName: str, InvocationType: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 (AWS's)
        assert InvocationType == "RequestResponse"
        self.invoked.append((FunctionName, Payload.decode()))
        if self.fail and self.fail in Payload.decode():
            body = json.dumps({"errorMessage": "2 of 3 verdicts are missing", "errorType": "IncompleteEvaluationError"})
            return {"StatusCode": 200, "FunctionError": "Unhandled", "Payload": io.BytesIO(body.encode())}
        return {"StatusCode": 200, "Payload": io.BytesIO(b"null")}


@pytest.fixture
def functions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Functions]:
    """Queues of every function, and those functions."""
    found, real = Functions(), boto3.client
    monkeypatch.setattr(boto3, "client", lambda name, **options: found if name == "lambda" else real(name, **options))
    with mock_aws():
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
        settings = settings_of(SHIPPED, tmp_path)
        for rule in settings.rules:
            real("sqs", region_name="us-east-1").create_queue(QueueName=f"{settings.function_name(rule)}-failed")
        yield found
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)


def sqs() -> Any:
    return boto3.client("sqs", region_name="us-east-1")


def queue(function: str = FUNCTION) -> str:
    url: str = sqs().get_queue_url(QueueName=f"{function}-failed")["QueueUrl"]
    return url


def left(function: str = FUNCTION) -> int:
    """Events in the queue, those included that a receiver has at present."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = sqs().get_queue_attributes(QueueUrl=queue(function), AttributeNames=names)["Attributes"]
    return sum(int(found[name]) for name in names)


def put(*events: str, function: str = FUNCTION) -> None:
    for event in events:
        sqs().send_message(QueueUrl=queue(function), MessageBody=event)


def replay(folder: Path, *arguments: str) -> int:
    return main(["replay", "--rules", str(RULES), "--config", str(write(SHIPPED, folder)), *arguments])


@pytest.mark.slow
def test_events_go_to_the_function_of_their_queue(
    functions: Functions, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put('{"n": 1}', '{"n": 2}')
    put('{"n": 3}', function="alb-sg-listener-ingress")
    assert replay(tmp_path) == 0
    assert sorted(functions.invoked) == [
        (FUNCTION, '{"n": 1}'),
        (FUNCTION, '{"n": 2}'),
        ("alb-sg-listener-ingress", '{"n": 3}'),
    ]
    assert (left(), left("alb-sg-listener-ingress")) == (0, 0)
    said = capsys.readouterr().out.splitlines()
    assert f"us-east-1: {FUNCTION}-failed: 2 events replayed, 0 failed again" in said
    assert len(said) == len(DEPLOYED_RULE_NAMES)


@pytest.mark.slow
def test_an_event_that_fails_again_stays_and_is_tried_once(
    functions: Functions, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put('{"n": 1}', '{"n": 2}', '{"n": 3}')
    functions.fail = '"n": 2'
    assert replay(tmp_path) == 1
    assert len(functions.invoked) == 3
    assert left() == 1
    said = capsys.readouterr()
    assert f"us-east-1: {FUNCTION}-failed: 2 events replayed, 1 failed again" in said.out
    assert said.err == (
        "1 event left in the queues after failing again; the functions' logs say why. First: "
        f"us-east-1: {FUNCTION}: 2 of 3 verdicts are missing\n"
    )


def test_a_dry_run_counts_and_changes_nothing(
    functions: Functions, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put('{"n": 1}')
    assert replay(tmp_path, "--dry-run") == 0
    assert functions.invoked == []
    assert left() == 1
    assert f"us-east-1: {FUNCTION}-failed holds 1 event\n" in capsys.readouterr().out


def test_a_queue_that_is_not_there(functions: Functions, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sqs().delete_queue(QueueUrl=queue("alb-sg-health-check-egress"))
    assert replay(tmp_path) == 1
    assert capsys.readouterr().err == (
        "queue alb-sg-health-check-egress-failed does not exist in us-east-1; run replay with the settings and in the "
        "account of the functions\n"
    )
