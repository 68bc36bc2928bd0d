"""The sweep over fifty files: the same findings as one `alb-sg check`, none twice, none lost, whatever crashes."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from alb_sg.command_line.main import main
from alb_sg.errors import InvalidInputError
from alb_sg.functions import snapshot_batch
from alb_sg.functions.snapshot_batch import lambda_handler
from alb_sg.snapshot_batch.batch_run import BatchRun
from tests.builders import ICMP, load_balancer_arn
from tests.deploy import lake
from tests.exemptions.entries import document, entry

pytestmark = pytest.mark.slow

SOURCE, RESULTS, RUN = "snapshots", "results", "run-1"
# As Step Functions writes it.
TIME = "2027-01-31T23:59:59.999Z"

Event = dict[str, Any]
Handler = Callable[[Event], dict[str, Any]]


class Crash(Exception):
    """What Step Functions sees of a function that was killed."""


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv(snapshot_batch.RESULTS_BUCKET_VARIABLE, RESULTS)
    monkeypatch.setenv(snapshot_batch.MAX_CONCURRENCY_VARIABLE, "50")
    monkeypatch.setenv(snapshot_batch.EXEMPTIONS_VARIABLE, "")
    with mock_aws():
        client = boto3.client("s3")
        for bucket in (SOURCE, RESULTS):
            client.create_bucket(Bucket=bucket)
        yield client


def put(s3: Any, stored: dict[str, bytes]) -> None:
    for key, content in stored.items():
        s3.put_object(Bucket=SOURCE, Key=key, Body=content)


def handle(event: Event) -> dict[str, Any]:
    """As through Lambda, which hands on JSON alone."""
    answer: dict[str, Any] = json.loads(json.dumps(lambda_handler(json.loads(json.dumps(event)), None)))
    return answer


def sweep(s3: Any, call: Handler = handle, *, between: Callable[[], None] = lambda: None) -> dict[str, Any]:
    """The steps of the state machine one after the other; an item that is given up is given up."""
    source = {"bucket": SOURCE, "prefix": lake.PREFIX}
    state = call({"step": "plan", "run": RUN, "time": TIME, "source": source, "parameters": {}})
    rounds = 0
    while True:
        between()
        rounds += 1
        for item in json.loads(s3.get_object(Bucket=RESULTS, Key=state["key"])["Body"].read()):
            try:
                call({"step": "judge", "run": RUN, "item": item})
            except Crash:
                continue
        state = call({"step": "connect", "run": RUN, "round": state["round"]})
        if state["items"] == 0:
            return {**call({"step": "merge", "run": RUN, "round": state["round"]}), "rounds": rounds}


def result(s3: Any) -> str:
    text: str = s3.get_object(Bucket=RESULTS, Key=f"{RUN}/findings.jsonl")["Body"].read().decode()
    return text


@pytest.fixture(scope="module")
def one_run(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What `alb-sg check` says of the fifty files."""
    folder = tmp_path_factory.mktemp("lake")
    assert len(list(lake.write(lake.objects(), folder))) == lake.FILES == 50
    output = folder.with_suffix(".jsonl")
    main(["check", "--config-items", str(folder), "--format", "jsonl", "--output", str(output)])
    return output.read_text(encoding="utf-8")


def test_the_lake_has_verdicts_that_hang_on_other_accounts(one_run: str, s3: Any, tmp_path: Path) -> None:
    """Else the sweep's equality with one run would be cheap: judged apart, files give other results."""
    apart = []
    for path in lake.write(lake.objects(), tmp_path):
        output = tmp_path / "one.jsonl"
        main(["check", "--config-items", str(path.parent), "--format", "jsonl", "--output", str(output)])
        apart += output.read_text(encoding="utf-8").splitlines()
    assert len(one_run.splitlines()) >= 4 * 2 * lake.ACCOUNT_REGIONS
    assert len(set(one_run.splitlines()) - set(apart)) > 20


def test_the_same_bytes_as_one_run(s3: Any, one_run: str) -> None:
    put(s3, lake.objects())
    summary = sweep(s3)
    assert result(s3) == one_run
    assert summary["rounds"] == 3
    assert summary["findings"] + summary["errors"] == len(one_run.splitlines())
    assert (summary["accountsAndRegions"], summary["loadBalancers"]) == (lake.ACCOUNT_REGIONS, 2 * lake.ACCOUNT_REGIONS)


@pytest.mark.parametrize("seed", range(3))
def test_crashes_and_retries_change_nothing(s3: Any, one_run: str, seed: int) -> None:
    """Calls are killed before their work, in it, and after it was written; what had ended is called again."""
    chance = random.Random(seed)  # noqa: S311 (no secret)
    seen: list[Event] = []
    crashes = 0

    def tried(event: Event) -> dict[str, Any]:
        nonlocal crashes
        for _ in range(6):
            fate = chance.random()
            if fate < 0.2:
                crashes += 1
                continue
            with pytest.MonkeyPatch.context() as patched:
                if fate < 0.4:
                    patched.setattr(BatchRun, "_put", crash)
                try:
                    answer = handle(event)
                except Crash:
                    crashes += 1
                    continue
            if fate < 0.6:
                crashes += 1
                continue
            if seen and fate > 0.9:
                # A call that was taken for lost, and ends late.
                handle(chance.choice(seen))
            seen.append(event)
            return answer
        return handle(event)

    put(s3, lake.objects())
    sweep(s3, tried)
    assert crashes > 40
    assert result(s3) == one_run
    assert len(set(result(s3).splitlines())) == len(result(s3).splitlines())


def crash(*_: object) -> None:
    raise Crash


def test_an_item_without_a_result_is_an_error_that_names_it(s3: Any, one_run: str) -> None:
    lost = lake.account_region(7)

    def call(event: Event) -> dict[str, Any]:
        if event["step"] == "judge" and event["item"]["accountId"] == lost.account_id:
            raise Crash
        return handle(event)

    put(s3, lake.objects())
    summary = sweep(s3, call)
    lines = [json.loads(line) for line in result(s3).splitlines()]
    assert not [line for line in lines if line.get("accountId") == lost.account_id]
    [error] = [line["error"] for line in lines if "error" in line and "not judged" in line["error"]["cause"]]
    assert error["what"].endswith("/111122220007_Config_us-east-1_ConfigSnapshot_20270131T000000Z_0a1b2c3d.json.gz")
    assert summary["errors"] >= 1


def test_objects_that_cannot_be_used(s3: Any) -> None:
    """Each is an error with its name, and the others are judged."""
    stored = lake.objects()
    keys = sorted(stored)
    stored[keys[0]] = b"\x1f\x8b damaged"
    stored[keys[1]] = stored[keys[2]]
    stored[f"{lake.PREFIX}/somebody.json"] = b"[]"
    stored[f"{lake.PREFIX}/111122223333/Config/ConfigWritabilityCheckFile"] = b""
    put(s3, stored)
    sweep(s3)
    errors = [json.loads(line)["error"] for line in result(s3).splitlines() if '"error"' in line[:10]]
    said = {error["what"].partition(" of ")[0]: error["cause"] for error in errors}
    assert "not gzip data, or damaged" in said[f"s3://{SOURCE}/{keys[0]}"]
    assert "and is named for" in said[f"s3://{SOURCE}/{keys[1]}"]
    assert said[f"s3://{SOURCE}/{lake.PREFIX}/somebody.json"] == "its name does not tell an account and region"


def test_an_object_that_changes_meanwhile(s3: Any) -> None:
    stored = lake.objects()
    put(s3, stored)
    key = min(stored)
    sweep(s3, between=lambda: put(s3, {key: lake.packed([])}))
    [error] = [json.loads(line)["error"] for line in result(s3).splitlines() if key in line]
    assert error["cause"] == "PreconditionFailed: the object was changed during the sweep; start another"


def test_nothing_to_judge_and_unknown_parameters(s3: Any) -> None:
    with pytest.raises(InvalidInputError, match="there is no snapshot of AWS Config"):
        sweep(s3)
    put(s3, dict(list(lake.objects().items())[:1]))
    other: dict[str, dict[str, str]] = {"ALB_SG_OTHER": {}}
    with pytest.raises(InvalidInputError, match="there is no rule 'ALB_SG_OTHER'"):
        handle({"step": "plan", "run": RUN, "time": TIME, "source": {"bucket": SOURCE}, "parameters": other})


@pytest.fixture
def place(s3: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where the sweep and the command look for exemptions; nothing is there yet."""
    s3.create_bucket(Bucket="governance")
    monkeypatch.setenv(snapshot_batch.EXEMPTIONS_VARIABLE, "s3://governance/exemptions.json")
    return "s3://governance/exemptions.json"


def exempt(s3: Any, *entries: dict[str, Any]) -> None:
    s3.put_object(Bucket="governance", Key="exemptions.json", Body=json.dumps(document(*entries)))


def checked(folder: Path, place: str) -> str:
    """What `alb-sg check` says of the fifty files with exemptions, on the day of `TIME`."""
    list(lake.write(lake.objects(), folder / "lake"))
    output = folder / "found.jsonl"
    given = ("--exemptions", place, "--date", "2027-01-31")
    main(["check", "--config-items", str(folder / "lake"), *given, "--format", "jsonl", "--output", str(output)])
    return output.read_text(encoding="utf-8")


def test_exemptions_as_from_one_run(s3: Any, one_run: str, place: str, tmp_path: Path) -> None:
    """In force to the end of its day, expired, of nobody, malformed. What is changed after the plan is not seen."""
    lines = [json.loads(line) for line in one_run.splitlines()]
    judged = [line for line in lines if line.get("compliance") == "NON_COMPLIANT"]
    ends = ("2027-01-31", "2027-01-30", "2027-12-31")
    entries = [
        entry(loadBalancer=line["loadBalancerArn"], rule=line["rule"], expires=ends[number % 3])
        for number, line in enumerate(judged[:30])
    ]
    entries += [entry(loadBalancer=line["loadBalancerArn"], rule=ICMP) for line in lines[-8:] if "error" not in line]
    entries = list({(one["loadBalancer"], one["rule"]): one for one in entries}.values())
    exempt(s3, *entries, entry(owner=None), entry(loadBalancer=load_balancer_arn("gone")))
    expected = checked(tmp_path, place)
    assert expected.count('{"exemption": ') >= 20
    assert expected.count("exemption expired 2027-01-30") == 10
    assert expected.count("'owner'") + expected.count(".owner") >= 1

    put(s3, lake.objects())
    summary = sweep(s3, between=lambda: exempt(s3))
    assert result(s3) == expected
    assert summary["errors"] == expected.count('{"error": ')


def test_unreadable_exemptions_exempt_nothing(s3: Any, one_run: str, place: str, tmp_path: Path) -> None:
    put(s3, lake.objects())
    sweep(s3)
    assert result(s3) == checked(tmp_path, place)
    [error] = set(result(s3).splitlines()) - set(one_run.splitlines())
    assert "NoSuchKey" in error


def test_exemptions_that_are_none_start_no_sweep(s3: Any, place: str) -> None:
    put(s3, lake.objects())
    s3.put_object(Bucket="governance", Key="exemptions.json", Body=b"[]")
    with pytest.raises(InvalidInputError, match=place):
        sweep(s3)
