"""The dashboard's function on served clients, in milliseconds: what it publishes, logs, and fails for."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from alb_sg.aws import calls
from alb_sg.errors import InvalidInputError, NotReadError
from alb_sg.functions import dashboard
from alb_sg.functions.dashboard import lambda_handler
from tests.aggregator.recordings import AGGREGATOR, Failure, Recording, arn, evaluation, load_balancer, verdicts
from tests.builders import ACCOUNT, INGRESS
from tests.exemptions.entries import document, entry
from tests.functions.served_objects import ServedObjects

BUCKET, EXEMPTIONS = "dashboard", "s3://governance/exemptions.json"
OWNER = "444455556666"
CONTEXT = SimpleNamespace(invoked_function_arn=f"arn:aws:lambda:us-east-1:{OWNER}:function:alb-sg-dashboard")
EVENT = {"time": "2027-01-31T08:00:00.123456Z"}


class Served:
    """The function's clients: a recorded aggregator, and objects."""

    def __init__(self) -> None:
        self.objects = ServedObjects()
        self.recording = Recording()

    def make_client(self, service: str) -> Any:
        asked = {"config": self.recording.config, "organizations": self.recording.organizations}
        return asked[service] if service in asked else self.objects.client(service)

    def data(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.objects.objects[BUCKET, "index.json"])
        return found


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Served:
    monkeypatch.setattr(calls, "WORKERS", 1)
    monkeypatch.setenv(dashboard.BUCKET_VARIABLE, BUCKET)
    monkeypatch.setenv(dashboard.AGGREGATOR_VARIABLE, AGGREGATOR)
    monkeypatch.setenv(dashboard.EXEMPTIONS_VARIABLE, "")
    found = Served()
    monkeypatch.setattr(dashboard, "make_client", found.make_client)
    return found


def observed(recording: Recording, found: Any = None) -> None:
    """One load balancer with one result, in an account without an organization."""
    recording.first_step([verdicts("web", {INGRESS: "NON_COMPLIANT"})], [load_balancer("web")])
    recording.organization("list_roots", Failure("AccessDeniedException"))
    recording.organization("list_accounts", Failure("AccessDeniedException"))
    recording.evaluations(INGRESS, found or [evaluation("web", annotation="HTTPS:443 is not open")])


def sources(served: Served) -> list[tuple[str, str]]:
    return [(one["kind"], one["name"]) for one in served.data()["audit"]["sources"]]


def statuses(served: Served) -> list[str]:
    """Those of the verdicts of the only load balancer."""
    [load_balancer_] = served.data()["loadBalancers"]
    return [one["status"] for one in load_balancer_["verdicts"]]


def log_lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_the_page_of_the_time_of_the_event(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    observed(served.recording)
    answer = lambda_handler(EVENT, CONTEXT)
    assert answer == {"page": f"s3://{BUCKET}/index.html", "findings": 1, "errors": 0}
    assert log_lines(capsys) == [{"level": "INFO", "function": "dashboard", **answer}]
    # Without fractions of a second, so that a retry writes the same objects.
    assert served.objects.keys(BUCKET) == ["history/2027-01-31T080000Z.jsonl.gz", "index.html", "index.json"]
    assert served.data()["asOf"] == "2027-01-31T08:00:00Z"
    assert sources(served) == [("AWS Config aggregator", AGGREGATOR)]
    assert served.data()["audit"]["verdicts"] == "recorded"
    assert served.data()["exemptions"] is None


def test_a_verdict_that_was_not_read_is_logged_and_does_not_fail_the_run(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    """The page says so; an alarm for a single verdict would ring on most days of a large organization."""
    observed(served.recording, Failure("AccessDeniedException", "not you"))
    answer = lambda_handler(EVENT, CONTEXT)
    error, published = log_lines(capsys)
    assert published == {"level": "INFO", "function": "dashboard", **answer}
    assert answer["errors"] == 1
    assert (error["level"], error["accountId"], error["rule"]) == ("ERROR", ACCOUNT, INGRESS)


def test_an_error_stands_on_the_page_and_fails_the_run(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    served.recording.first_step(Failure("AccessDeniedException", "not you"), [load_balancer("web")])  # type: ignore[arg-type]  # pages
    served.recording.organization("list_roots", Failure("AccessDeniedException"))
    served.recording.organization("list_accounts", Failure("AccessDeniedException"))
    with pytest.raises(NotReadError, match="verdicts in aggregator alb-sg"):
        lambda_handler(EVENT, CONTEXT)
    assert b"AccessDenied" in served.objects.objects[BUCKET, "index.html"]
    error, published, failure = log_lines(capsys)
    assert "AccessDeniedException" in error.pop("cause")
    assert error == {
        "level": "ERROR",
        "function": "dashboard",
        "rule": None,
        "accountId": "",
        "region": "",
        "loadBalancerArn": None,
        "what": "verdicts in aggregator alb-sg",
    }
    assert (published["level"], published["errors"]) == ("INFO", 1)
    assert (failure["level"], failure["function"], failure["what"]) == ("ERROR", "dashboard", "this invocation")


@pytest.mark.parametrize(("expires", "status"), [("2027-01-31", "exempt"), ("2027-01-30", "nonCompliant")])
def test_exemptions_count_on_the_day_of_the_event(
    served: Served, monkeypatch: pytest.MonkeyPatch, expires: str, status: str
) -> None:
    monkeypatch.setenv(dashboard.EXEMPTIONS_VARIABLE, EXEMPTIONS)
    content = json.dumps(document(entry(loadBalancer=arn("web"), rule=INGRESS, expires=expires)))
    served.objects.objects["governance", "exemptions.json"] = content.encode()
    observed(served.recording)
    assert lambda_handler(EVENT, CONTEXT)["errors"] == 0
    exemptions = served.data()["exemptions"]
    assert (exemptions["date"], [one["expires"] for one in exemptions["entries"]]) == ("2027-01-31", [expires])
    assert sources(served) == [("AWS Config aggregator", AGGREGATOR), ("exemptions", EXEMPTIONS)]
    # The bucket must be of the function's own account: somebody else may have taken the name of a deleted one.
    [given] = [given for name, given in served.objects.calls if name == "GetObject"]
    assert given["ExpectedBucketOwner"] == OWNER
    assert statuses(served) == [status]


@pytest.mark.slow
@pytest.mark.parametrize("content", [None, "[]"])
def test_exemptions_that_cannot_be_read_exempt_nobody_and_fail_the_run(
    served: Served, monkeypatch: pytest.MonkeyPatch, content: str | None
) -> None:
    monkeypatch.setenv(dashboard.EXEMPTIONS_VARIABLE, EXEMPTIONS)
    if content is not None:
        served.objects.objects["governance", "exemptions.json"] = content.encode()
    observed(served.recording)
    with pytest.raises(NotReadError, match=f"exemptions in {EXEMPTIONS}: .*; no exemption applies"):
        lambda_handler(EVENT, CONTEXT)
    [error] = served.data()["exemptions"]["errors"]
    assert error.startswith(f"exemptions in {EXEMPTIONS}: ")


def test_an_exemption_may_not_last_longer_than_the_deployment_allows(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(dashboard.EXEMPTIONS_VARIABLE, EXEMPTIONS)
    monkeypatch.setenv("ALB_SG_MAX_EXEMPTION_DAYS", "1")
    content = json.dumps(document(entry(loadBalancer=arn("web"), rule=INGRESS, expires="2027-02-02")))
    served.objects.objects["governance", "exemptions.json"] = content.encode()
    observed(served.recording)
    with pytest.raises(NotReadError, match="more than 1 day ahead; the last day allowed is 2027-02-01"):
        lambda_handler(EVENT, CONTEXT)
    assert statuses(served) == ["nonCompliant"]


@pytest.mark.parametrize("location", ["exemptions.json", "s3://"])
def test_a_location_that_is_none_is_refused(served: Served, monkeypatch: pytest.MonkeyPatch, location: str) -> None:
    monkeypatch.setenv(dashboard.EXEMPTIONS_VARIABLE, location)
    observed(served.recording)
    with pytest.raises(InvalidInputError, match="is not s3://bucket/key"):
        lambda_handler(EVENT, CONTEXT)
    assert served.objects.keys(BUCKET) == []


def test_severities_of_the_deployment(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(dashboard.SEVERITIES_VARIABLE, f"{INGRESS}=LOW")
    observed(served.recording)
    lambda_handler(EVENT, CONTEXT)
    [rule] = [one for one in served.data()["rules"] if one["name"] == INGRESS]
    assert rule["severityLabel"] == "LOW"


@pytest.mark.parametrize(
    "event", [{}, {"time": "yesterday"}, {"time": None}, {"time": "0001-01-01T00:00:00+23:59"}, []]
)
def test_an_event_without_a_time_is_refused_and_logged(
    served: Served, event: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InvalidInputError, match="invoke the function through its schedule"):
        lambda_handler(event, CONTEXT)
    [line] = log_lines(capsys)
    assert (line["level"], line["function"], line["what"]) == ("ERROR", "dashboard", "this invocation")
    assert served.objects.calls == []


def test_a_time_of_another_zone_is_one_of_utc(served: Served) -> None:
    observed(served.recording)
    lambda_handler({"time": "2027-02-01T01:00:00+02:00"}, CONTEXT)
    assert served.data()["asOf"] == "2027-01-31T23:00:00Z"
