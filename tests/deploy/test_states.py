"""The sweep's definition: AWS's own linter of states finds nothing, and moto's interpreter runs it to the same end.

moto runs the iterations of a map one after the other, keeps no `ResultFiles`, and draws no jitter; retries, catching,
reading items, choices and the loop are as they are.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from alb_sg.functions import snapshot_batch
from alb_sg.recommendations.catalogue import DEFAULT_RECOMMENDATIONS
from tests.deploy import lake
from tests.deploy.lambda_stand_in import LambdaStandIn
from tests.deploy.templates import template
from tests.exemptions.entries import document
from tests.tools import HANGING, node, node_module

ROOT = Path(__file__).parents[2]
TEMPLATE = template("sweep.yaml")
LINT = ROOT / "tests" / "node" / "lint-states.js"
SOURCE, RESULTS, EXEMPTIONS = "snapshots", "results", "ssm:/alb-sg/exemptions"
ARN = "arn:aws:lambda:us-east-1:123456789012:function:alb-sg-sweep"


def definition(**changes: str) -> str:
    """The definition as CloudFormation hands it to Step Functions."""
    properties = TEMPLATE["Resources"]["Sweep"]["Properties"]
    values = {
        "FunctionArn": ARN,
        "GetObject": "arn:aws:states:::s3:getObject",
        "Invoke": "arn:aws:states:::lambda:invoke",
        "PutObject": "arn:aws:states:::s3:putObject",
        "ResultsBucket": RESULTS,
    }
    assert set(properties["DefinitionSubstitutions"]) == set(values)
    text = json.dumps(properties["Definition"])
    for name, value in {**values, **changes}.items():
        text = text.replace(f"${{{name}}}", value)
    assert "${" not in text
    return text


def lint(text: str) -> list[str]:
    service = node_module("amazon-states-language-service")
    command = [node(), str(LINT), str(service)]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)  # noqa: S603 (our own script)
    return [found["message"] for found in json.loads(done.stdout)]


def test_the_linter_finds_nothing() -> None:
    assert lint(definition()) == []


def test_the_linter_would_find_something() -> None:
    broken = json.loads(definition())
    broken["States"]["Judge"]["Next"] = "Nowhere"
    del broken["States"]["Merge"]["Resource"]
    assert len(lint(json.dumps(broken))) >= 2


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv(snapshot_batch.RESULTS_BUCKET_VARIABLE, RESULTS)
    monkeypatch.setenv(snapshot_batch.MAX_CONCURRENCY_VARIABLE, "4")
    monkeypatch.setenv(snapshot_batch.EXEMPTIONS_VARIABLE, EXEMPTIONS)
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
        s3 = boto3.client("s3")
        for bucket in (SOURCE, RESULTS):
            s3.create_bucket(Bucket=bucket)
        # Without a decision in it; that it counts is the sweep's own test.
        boto3.client("ssm").put_parameter(Name="/alb-sg/exemptions", Value=json.dumps(document()), Type="String")
        yield s3


def execute(text: str, **state: Any) -> dict[str, Any]:
    states = boto3.client("stepfunctions")
    machine = states.create_state_machine(name="sweep", definition=text, roleArn="arn:aws:iam::123456789012:role/sweep")
    given = {"source": {"bucket": SOURCE, "prefix": lake.PREFIX}, "parameters": {}, **state}
    started = states.start_execution(stateMachineArn=machine["stateMachineArn"], name="run", input=json.dumps(given))
    deadline = time.monotonic() + HANGING
    while time.monotonic() < deadline:
        found: dict[str, Any] = dict(states.describe_execution(executionArn=started["executionArn"]))
        if found["status"] != "RUNNING":
            return found
        time.sleep(0.2)
    raise AssertionError("the execution does not end")


def few(number: int) -> dict[str, bytes]:
    """The first objects of the lake, with all that those accounts need of one another."""
    return dict(sorted(lake.objects().items())[:number])


@pytest.mark.slow
def test_the_interpreter_runs_it_through_crashes(aws: Any) -> None:
    """Every third call dies at first, one after it has written; the findings are those of the steps by themselves."""
    for key, content in few(6).items():
        aws.put_object(Bucket=SOURCE, Key=key, Body=content)
    deaths = 0

    def handler(event: Any, context: None) -> Any:
        nonlocal deaths
        if len(stand_in.calls) % 3 == 0:
            deaths += 1
            if deaths % 2:
                snapshot_batch.lambda_handler(event, context)
            raise MemoryError
        return snapshot_batch.lambda_handler(event, context)

    text = (
        definition()
        .replace('"IntervalSeconds": 2', '"IntervalSeconds": 1')
        .replace('"BackoffRate": 2', '"BackoffRate": 1')
    )
    with LambdaStandIn(handler) as stand_in:
        ended = execute(text)
    assert deaths >= 4
    found = aws.get_object(Bucket=RESULTS, Key="run/findings.jsonl")["Body"].read().decode()
    again = aws.get_object(Bucket=RESULTS, Key="run/summary.json")["Body"].read()
    assert json.loads(again)["accountsAndRegions"] == 6
    plan = json.loads(aws.get_object(Bucket=RESULTS, Key="run/plan.json")["Body"].read())
    assert (plan["exemptions"]["source"], plan["exemptions"]["errors"]) == (EXEMPTIONS, [])
    assert len(found.splitlines()) == 6 * 2 * len(DEFAULT_RECOMMENDATIONS)
    assert len(set(found.splitlines())) == 6 * 2 * len(DEFAULT_RECOMMENDATIONS)
    rounds = [event["round"] for event in stand_in.calls if event["step"] == "connect"]
    assert sorted(set(rounds)) == [0, 1, 2]
    assert ended["status"] == ("FAILED" if '{"error"' in found else "SUCCEEDED"), ended


@pytest.mark.slow
def test_an_item_that_always_fails_fails_the_execution_and_is_named(aws: Any) -> None:
    stored = few(2)
    for key, content in stored.items():
        aws.put_object(Bucket=SOURCE, Key=key, Body=content)

    def handler(event: Any, context: None) -> Any:
        if event["step"] == "judge" and event["item"]["accountId"] == lake.account_region(1).account_id:
            raise MemoryError
        return snapshot_batch.lambda_handler(event, context)

    text = (
        definition()
        .replace('"MaxAttempts": 5', '"MaxAttempts": 1')
        .replace('"IntervalSeconds": 2', '"IntervalSeconds": 1')
    )
    with LambdaStandIn(handler):
        ended = execute(text)
    assert ended["status"] == "FAILED"
    found = aws.get_object(Bucket=RESULTS, Key="run/findings.jsonl")["Body"].read().decode()
    assert max(stored) in found
    assert "it was not judged after all attempts" in found


@pytest.mark.slow
def test_nothing_to_judge_fails_at_once(aws: Any) -> None:
    with LambdaStandIn(snapshot_batch.lambda_handler) as stand_in:
        ended = execute(definition())
    assert (ended["status"], ended["error"]) == ("FAILED", "InvalidInputError")
    assert len(stand_in.calls) == 1
