"""The batch's function on served objects, in milliseconds: each step, its log, and what it refuses."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from alb_sg.errors import InvalidInputError
from alb_sg.functions import snapshot_batch
from alb_sg.functions.snapshot_batch import lambda_handler
from alb_sg.recommendations.catalogue import DEFAULT_RECOMMENDATIONS
from tests.builders import ICMP
from tests.deploy import lake
from tests.exemptions.entries import document, entry
from tests.functions.served_objects import ServedObjects

SOURCE, RESULTS, EXEMPTIONS = "snapshots", "results", "s3://governance/exemptions.json"
OWNER = "444455556666"
CONTEXT = SimpleNamespace(invoked_function_arn=f"arn:aws:lambda:us-east-1:{OWNER}:function:alb-sg-batch")
TIME = "2027-01-31T23:30:00-02:00"
FEW = dict(sorted(lake.objects().items())[:3])


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> ServedObjects:
    monkeypatch.setenv(snapshot_batch.RESULTS_BUCKET_VARIABLE, RESULTS)
    monkeypatch.setenv(snapshot_batch.MAX_CONCURRENCY_VARIABLE, "4")
    monkeypatch.setenv(snapshot_batch.EXEMPTIONS_VARIABLE, "")
    found = ServedObjects()
    monkeypatch.setattr(snapshot_batch, "make_client", found.client)
    found.objects |= {(SOURCE, key): content for key, content in FEW.items()}
    return found


def plan(**changes: Any) -> dict[str, Any]:
    event = {"step": "plan", "run": "run", "source": {"bucket": SOURCE, "prefix": lake.PREFIX}, "time": TIME}
    return lambda_handler({**event, **changes}, CONTEXT)


def planned(served: ServedObjects) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(served.objects[RESULTS, "run/plan.json"])
    return found


def test_a_run_ends_with_its_findings(served: ServedObjects, capsys: pytest.CaptureFixture[str]) -> None:
    step, number = plan(parameters={}), 0
    assert step == {"round": 0, "key": "run/items-0.json", "items": 3, "maxConcurrency": 4}
    while step["items"]:
        for item in json.loads(served.objects[RESULTS, step["key"]]):
            part = lambda_handler({"step": "judge", "run": "run", "item": item}, CONTEXT)
            assert (RESULTS, f"run/{part['part']}") in served.objects
        step = lambda_handler({"step": "connect", "run": "run", "round": number}, CONTEXT)
        number += 1
        assert step["round"] == number
    summary = lambda_handler({"step": "merge", "run": "run", "round": number}, CONTEXT)
    # A load balancer of two is behind the other, or has no part of its own.
    assert summary["accountsAndRegions"] == 3
    assert summary["results"] == f"s3://{RESULTS}/run/findings.jsonl"
    lines = served.objects[RESULTS, "run/findings.jsonl"].decode().splitlines()
    assert len(lines) == summary["findings"] + summary["errors"] == 3 * 2 * len(DEFAULT_RECOMMENDATIONS)
    logged = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert logged[0] == {"level": "INFO", "function": "snapshot_batch", "run": "run", "step": "plan"}
    assert [line["step"] for line in logged if line["step"] != "judge"] == ["plan", *["connect"] * number, "merge"]


def test_the_parameters_of_a_run(served: ServedObjects) -> None:
    plan(parameters={ICMP: {"AcceptedSources": "10.0.0.0/8"}})
    assert planned(served)["parameters"] == {ICMP: {"AcceptedSources": "10.0.0.0/8"}}
    plan()
    assert ICMP not in planned(served)["parameters"] or planned(served)["parameters"][ICMP] == {}


def test_only_what_the_source_names_is_judged(served: ServedObjects) -> None:
    first = min(FEW)
    assert plan(source={"bucket": SOURCE, "prefix": first})["items"] == 1
    assert plan(source={"bucket": SOURCE, "contains": first.rsplit("/", 1)[1]})["items"] == 1


def test_exemptions_count_on_the_day_of_the_run_in_utc(served: ServedObjects, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(snapshot_batch.EXEMPTIONS_VARIABLE, EXEMPTIONS)
    content = json.dumps(document(entry(rule=ICMP, expires="2027-02-01")))
    served.objects["governance", "exemptions.json"] = content.encode()
    plan()
    found = planned(served)["exemptions"]
    # 23:30 in a zone two hours behind is 01:30 of the next day.
    assert (found["source"], found["date"], found["errors"]) == (EXEMPTIONS, "2027-02-01", [])
    # The bucket must be of the function's own account: somebody else may have taken the name of a deleted one.
    assert served.calls[0][1]["ExpectedBucketOwner"] == OWNER


def test_a_run_without_exemptions(served: ServedObjects) -> None:
    plan()
    assert planned(served)["exemptions"] is None


def test_exemptions_that_last_too_long_are_told(served: ServedObjects, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(snapshot_batch.EXEMPTIONS_VARIABLE, "ssm:/alb-sg/exemptions")
    monkeypatch.setenv("ALB_SG_MAX_EXEMPTION_DAYS", "30")
    served.parameters["/alb-sg/exemptions"] = json.dumps(document(entry(rule=ICMP, expires="2027-12-31")))
    plan()
    assert "30 days ahead" in json.dumps(planned(served)["exemptions"])


def test_exemptions_that_cannot_be_read_are_an_error_of_the_run(
    served: ServedObjects, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(snapshot_batch.EXEMPTIONS_VARIABLE, EXEMPTIONS)
    plan()
    [[what, cause]] = planned(served)["exemptions"]["errors"]
    assert what == f"exemptions in {EXEMPTIONS}"
    assert "NoSuchKey" in cause


def test_a_step_that_is_none_is_refused_and_logged(served: ServedObjects, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InvalidInputError, match="there is no step 'dance'"):
        lambda_handler({"step": "dance", "run": "run"}, CONTEXT)
    [line] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert line.pop("cause").endswith("there is no step 'dance'")
    assert line == {
        "level": "ERROR",
        "function": "snapshot_batch",
        "run": "run",
        "step": "dance",
        "what": "this invocation",
    }


def test_an_error_of_s3_passes_so_that_another_attempt_may_succeed(served: ServedObjects) -> None:
    with pytest.raises(ClientError, match="NoSuchKey"):
        lambda_handler({"step": "connect", "run": "never", "round": 0}, CONTEXT)
