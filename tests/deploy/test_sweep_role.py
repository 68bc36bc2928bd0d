"""The sweep's function under the role that its template gives it, with moto's IAM enforcement on."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatch
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.core.authorization import enable_iam_authentication

from alb_sg.functions import snapshot_batch
from alb_sg.functions.snapshot_batch import (
    EXEMPTIONS_VARIABLE,
    MAX_CONCURRENCY_VARIABLE,
    RESULTS_BUCKET_ACTIONS,
    RESULTS_BUCKET_VARIABLE,
    lambda_handler,
)
from tests.deploy import lake
from tests.deploy.templates import statements, template
from tests.functions.test_dashboard import as_role

pytestmark = pytest.mark.slow

SOURCE, RESULTS = "snapshots", "results"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv(RESULTS_BUCKET_VARIABLE, RESULTS)
    monkeypatch.setenv(MAX_CONCURRENCY_VARIABLE, "1")
    monkeypatch.setenv(EXEMPTIONS_VARIABLE, "")
    with mock_aws():
        client = boto3.client("s3")
        for bucket in (SOURCE, RESULTS):
            client.create_bucket(Bucket=bucket)
        key = min(lake.objects())
        client.put_object(Bucket=SOURCE, Key=key, Body=lake.objects()[key])
        yield client


def sweep() -> dict[str, Any]:
    run = {"run": "run-1", "time": "2027-01-31T05:00:00.000Z"}
    lambda_handler({"step": "plan", "source": {"bucket": SOURCE}, "parameters": {}, **run}, None)
    of = lake.account_region(0)
    item = {"accountId": of.account_id, "region": of.region, "others": []}
    lambda_handler({"step": "judge", "item": item, **run}, None)
    lambda_handler({"step": "connect", "round": 0, **run}, None)
    return lambda_handler({"step": "merge", "round": 1, **run}, None)


def test_the_role_is_enough_and_every_right_is_needed(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert lake.account_region(0).account_id in min(lake.objects())
    granted = [action for one in statements("sweep.yaml", "FunctionRole") for action in one["Action"]]
    whole = as_role("whole", granted)
    lacking = [
        as_role(f"without-{action.partition(':')[2]}", [one for one in granted if one != action])
        for action in RESULTS_BUCKET_ACTIONS
    ]
    with enable_iam_authentication():
        monkeypatch.setattr(snapshot_batch, "make_client", lambda *_, **__: whole)
        assert sweep()["loadBalancers"] == 2
        for client in lacking:
            monkeypatch.setattr(snapshot_batch, "make_client", lambda *_, client=client, **__: client)
            with pytest.raises(client.exceptions.ClientError, match="AccessDenied"):
                sweep()


def test_the_state_machine_may_read_the_items_that_the_function_writes(s3: Any) -> None:
    policy = template("sweep.yaml")["Resources"]["SweepPolicy"]["Properties"]["PolicyDocument"]
    [reading] = [one["Resource"]["Fn::Sub"] for one in policy["Statement"] if one["Action"] == ["s3:GetObject"]]
    run = {"run": "run-1", "time": "2027-01-31T05:00:00.000Z"}
    planned = lambda_handler({"step": "plan", "source": {"bucket": SOURCE}, "parameters": {}, **run}, None)
    assert fnmatch(f"${{Bucket.Arn}}/{planned['key']}", reading)
