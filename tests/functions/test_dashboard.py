"""The dashboard's function: the same bytes as the command, again and again, and nothing that its role may not do."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.core.authorization import enable_iam_authentication

from alb_sg.aws import calls
from alb_sg.command_line.commands.dashboard import write_dashboard
from alb_sg.command_line.main import main
from alb_sg.command_line.sources import live
from alb_sg.dashboard.bucket import BUCKET_ACTIONS, PAGE_KEY, publish
from alb_sg.errors import InvalidInputError, NotReadError
from alb_sg.functions import dashboard
from alb_sg.functions.dashboard import lambda_handler
from tests.aggregator.recordings import AGGREGATOR, AS_OF, Failure, Recording, arn, evaluation, load_balancer, verdicts
from tests.builders import INGRESS
from tests.dashboard.organization import organization
from tests.deploy.templates import statements
from tests.exemptions.entries import document as exemptions_document
from tests.exemptions.entries import entry

pytestmark = pytest.mark.slow

BUCKET = "dashboard"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv(dashboard.BUCKET_VARIABLE, BUCKET)
    monkeypatch.setenv(dashboard.AGGREGATOR_VARIABLE, AGGREGATOR)
    monkeypatch.setenv(dashboard.EXEMPTIONS_VARIABLE, "")
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket=BUCKET)
        yield client


def stored(s3: Any) -> dict[str, bytes]:
    return {
        one["Key"]: s3.get_object(Bucket=BUCKET, Key=one["Key"])["Body"].read()
        for one in s3.list_objects_v2(Bucket=BUCKET).get("Contents", ())
    }


def test_the_same_bytes_as_the_command(s3: Any, tmp_path: Path) -> None:
    """Three days, each twice, as a schedule does whose first try failed late."""
    made = organization(24, runs=0).observation
    for day in range(3):
        observation = replace(made, as_of=made.as_of + timedelta(days=day))
        write_dashboard(observation, str(tmp_path / "index.html"), str(tmp_path / "history"))
        publish(observation, s3, BUCKET)
        publish(observation, s3, BUCKET)
    files = {str(path.relative_to(tmp_path)): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert len(files) == 5
    assert stored(s3) == files


def test_types_let_a_browser_open_the_page(s3: Any) -> None:
    publish(organization(4, runs=0).observation, s3, BUCKET)
    page = s3.head_object(Bucket=BUCKET, Key=PAGE_KEY)
    assert (page["ContentType"], page["CacheControl"]) == ("text/html; charset=utf-8", "no-cache")


@pytest.fixture
def asked(s3: Any, monkeypatch: pytest.MonkeyPatch) -> Recording:
    """A recorded aggregator in place of the function's clients, asked one thing at a time."""
    monkeypatch.setattr(calls, "WORKERS", 1)
    recording = Recording()
    clients = {"config": recording.config, "organizations": recording.organizations, "s3": s3}
    monkeypatch.setattr(dashboard, "make_client", lambda service, **_: clients[service])
    return recording


def log_lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_the_page_of_an_aggregator(asked: Recording, s3: Any, capsys: pytest.CaptureFixture[str]) -> None:
    asked.first_step([verdicts("web", {INGRESS: "NON_COMPLIANT"})], [load_balancer("web")])
    asked.organization("list_roots", Failure("AccessDeniedException"))
    asked.organization("list_accounts", Failure("AccessDeniedException"))
    asked.evaluations(INGRESS, [evaluation("web", annotation="HTTPS:443 is not open")])
    answer = lambda_handler({"time": "2027-01-31T08:00:00Z"}, None)
    assert answer == {"page": f"s3://{BUCKET}/index.html", "findings": 1, "errors": 0}
    assert log_lines(capsys) == [{"level": "INFO", "function": "dashboard", **answer}]
    found = stored(s3)
    assert set(found) == {"index.html", "index.json", "history/2027-01-31T080000Z.jsonl.gz"}
    assert json.loads(found["index.json"])["asOf"] == AS_OF.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert b"HTTPS:443 is not open" in found["index.html"]


def test_unread_data_is_on_the_page_and_reported(asked: Recording, s3: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """An invocation that fails rings the alarm; the page is there and says so."""
    asked.first_step(Failure("AccessDeniedException", "not you"), [load_balancer("web")])  # type: ignore[arg-type]  # pages
    asked.organization("list_roots", Failure("AccessDeniedException"))
    asked.organization("list_accounts", Failure("AccessDeniedException"))
    with pytest.raises(NotReadError, match="verdicts in aggregator alb-sg"):
        lambda_handler({"time": "2027-01-31T08:00:00Z"}, None)
    assert b"AccessDenied" in stored(s3)["index.html"]
    error, published, failure = log_lines(capsys)
    assert (error["level"], error["what"]) == ("ERROR", "verdicts in aggregator alb-sg")
    assert (published["level"], published["errors"]) == ("INFO", 1)
    assert (failure["level"], failure["what"]) == ("ERROR", "this invocation")


GOVERNANCE, KEY = "governance", "exemptions.json"


def exempting(s3: Any, monkeypatch: pytest.MonkeyPatch, *entries: dict[str, Any]) -> None:
    s3.create_bucket(Bucket=GOVERNANCE)
    s3.put_object(Bucket=GOVERNANCE, Key=KEY, Body=json.dumps(exemptions_document(*entries)))
    monkeypatch.setenv(dashboard.EXEMPTIONS_VARIABLE, f"s3://{GOVERNANCE}/{KEY}")


def record(recording: Recording) -> None:
    recording.first_step([verdicts("web", {INGRESS: "NON_COMPLIANT"})], [load_balancer("web")])
    recording.organization("list_roots", Failure("AccessDeniedException"))
    recording.organization("list_accounts", Failure("AccessDeniedException"))
    recording.evaluations(INGRESS, [evaluation("web", annotation="HTTPS:443 is not open")])


@pytest.mark.parametrize("expires", ["2027-01-31", "2027-01-30"])
def test_exemptions_as_from_the_command(
    asked: Recording, s3: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, expires: str
) -> None:
    """On the day of the event, through which the first still counts; the same bytes, but for the command's options."""
    exempting(s3, monkeypatch, entry(loadBalancer=arn("web"), rule=INGRESS, expires=expires))
    record(asked)
    assert lambda_handler({"time": "2027-01-31T23:59:59Z"}, None)["errors"] == 0
    found = stored(s3)
    document = json.loads(found["index.json"])
    assert [one["expires"] for one in document["exemptions"]["entries"]] == [expires]
    assert document["exemptions"]["date"] == "2027-01-31"

    record(asked)
    monkeypatch.setattr(live, "open_aggregator_client", lambda *_: asked.config)
    monkeypatch.setattr(live, "open_client", lambda *given: {"organizations": asked.organizations, "s3": s3}[given[-1]])
    output = ("--history", str(tmp_path / "history"), "--output", str(tmp_path / "index.html"))
    source = ("--aggregator", AGGREGATOR, "--exemptions", f"s3://{GOVERNANCE}/{KEY}")
    code = main(["dashboard", *source, "--as-of", "2027-01-31T23:59:59Z", *output])
    assert code == (0 if expires == "2027-01-31" else 1)
    written = {str(path.relative_to(tmp_path)): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    of_command = json.loads(written.pop("index.json"))
    assert [one["option"] for one in of_command["audit"].pop("configuration")] == ["--aggregator", "--exemptions"]
    assert document["audit"].pop("configuration") == []
    assert document == of_command
    del found["index.json"]
    assert _without_data(found) == _without_data(written)


def _without_data(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Files without the data in their pages, which differs by the options."""
    return {name: re.sub(rb'(<script[^>]* id="data">)[^<]+', rb"\1", content) for name, content in files.items()}


@pytest.mark.parametrize("content", [None, b"[]"])
def test_unreadable_exemptions_exempt_nothing_and_are_reported(
    asked: Recording, s3: Any, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    """Neither an object that is not there nor one that is no document of exemptions costs the page."""
    exempting(s3, monkeypatch)
    s3.delete_object(Bucket=GOVERNANCE, Key=KEY)
    if content is not None:
        s3.put_object(Bucket=GOVERNANCE, Key=KEY, Body=content)
    record(asked)
    with pytest.raises(NotReadError, match=r"exemptions in s3://governance/exemptions\.json: .*; no exemption applies"):
        lambda_handler({"time": "2027-01-31T08:00:00Z"}, None)
    found = stored(s3)
    assert b"HTTPS:443 is not open" in found["index.html"]
    assert b"no exemption applies" in found["index.html"]
    [error] = json.loads(found["index.json"])["exemptions"]["errors"]
    assert error.startswith(f"exemptions in s3://{GOVERNANCE}/{KEY}: ")


@pytest.mark.parametrize("event", [{}, {"time": "yesterday"}])
def test_an_event_without_a_time(event: dict[str, str], s3: Any) -> None:
    with pytest.raises(InvalidInputError, match="invoke the function through its schedule"):
        lambda_handler(event, None)


def as_role(name: str, granted: list[str]) -> Any:
    """A client of S3 with the credentials of a role that may do these things. moto judges actions alone."""
    iam = boto3.client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))["Role"]["Arn"]
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": granted, "Resource": "*"}]}
    iam.put_role_policy(RoleName=name, PolicyName="job", PolicyDocument=json.dumps(document))
    given = boto3.client("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
    return boto3.client(
        "s3",
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )


def test_the_role_is_enough_and_every_right_is_needed(s3: Any) -> None:
    observation = organization(4, runs=0).observation
    later = replace(observation, as_of=observation.as_of + timedelta(days=1))
    publish(observation, s3, BUCKET)
    granted = [action for one in statements("dashboard.yaml", "FunctionRole") for action in one["Action"]]
    whole = as_role("whole", granted)
    lacking = {
        action: as_role(f"without-{action.partition(':')[2]}", [one for one in granted if one != action])
        for action in BUCKET_ACTIONS
    }
    with enable_iam_authentication():
        publish(later, whole, BUCKET)
        for client in lacking.values():
            with pytest.raises(client.exceptions.ClientError, match="AccessDenied"):
                publish(later, client, BUCKET)
