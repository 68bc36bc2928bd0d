"""The sweep's function under the role that is generated for it, with moto's IAM enforcement on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.core.authorization import enable_iam_authentication

from alb_sg.sweep.function import EXEMPTIONS, MAX_CONCURRENCY, RESULT_ACTIONS, RESULTS_BUCKET, lambda_handler
from tests.deploy import lake
from tests.deploy.test_checked_in import statements
from tests.deploy.test_dashboard_function import as_role

pytestmark = pytest.mark.slow

SOURCE, RESULTS = "snapshots", "results"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv(RESULTS_BUCKET, RESULTS)
    monkeypatch.setenv(MAX_CONCURRENCY, "1")
    monkeypatch.setenv(EXEMPTIONS, "")
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
    of = lake.home(0)
    item = {"accountId": of.account_id, "region": of.region, "others": []}
    lambda_handler({"step": "judge", "item": item, **run}, None)
    lambda_handler({"step": "connect", "round": 0, **run}, None)
    return lambda_handler({"step": "merge", "round": 1, **run}, None)


def test_the_role_is_enough_and_every_right_is_needed(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert lake.home(0).account_id in min(lake.objects())
    granted = [action for one in statements("sweep.yaml", "FunctionRole") for action in one["Action"]]
    whole = as_role("whole", granted)
    lacking = [
        as_role(f"without-{action.partition(':')[2]}", [one for one in granted if one != action])
        for action in RESULT_ACTIONS
    ]
    with enable_iam_authentication():
        monkeypatch.setattr(boto3, "client", lambda *_, **__: whole)
        assert sweep()["loadBalancers"] == 2
        for client in lacking:
            monkeypatch.setattr(boto3, "client", lambda *_, client=client, **__: client)
            with pytest.raises(client.exceptions.ClientError, match="AccessDenied"):
                sweep()
