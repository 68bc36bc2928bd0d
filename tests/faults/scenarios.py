"""What the fault suite runs: the project's programs, each on an account whose verdicts are known."""

from __future__ import annotations

import contextlib
import io
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
from moto.s3.models import s3_backends

from alb_sg.aggregator.observe import observe
from alb_sg.aggregator.requests import AggregatorClients
from alb_sg.aws import calls
from alb_sg.aws.clients import make_client
from alb_sg.command_line.main import main
from alb_sg.config_rule import evaluations
from alb_sg.errors import unexpected_error_text
from alb_sg.findings.finding import Compliance
from alb_sg.functions import dashboard
from alb_sg.observations.ranking import VerdictStatus
from embedded_aws.account import ACCOUNT_ID, REGION, EmbeddedAws, icmp, tcp
from embedded_aws.config_recorder import record_estate
from tests.aggregator.recordings import (
    ACCOUNT_REGION,
    AGGREGATOR,
    AS_OF,
    Recording,
    counted,
    evaluation,
    load_balancer,
    verdicts,
)
from tests.builders import ICMP, INGRESS, RULES
from tests.faults.injector import Injector
from tests.rules import rule_module

# By load balancer and rule.
Verdicts = Mapping[tuple[str, str], str]


@dataclass(frozen=True)
class Outcome:
    """What a run gave: verdicts, whether it says that something is missing, and all that it says."""

    verdicts: Verdicts
    failed: bool
    text: str


@dataclass
class Scenario:
    """A program to run. An aggregator's recorded answers serve one call after another."""

    name: str
    run: Callable[[], Outcome]


@contextmanager
def opened_account() -> Iterator[tuple[EmbeddedAws, Injector]]:
    """An account of four load balancers: one in order, one closed, one internal behind a Network Load Balancer, and one
    that is deleted and has a recorded verdict. AWS Config has recorded it."""
    pauses = patch.object(evaluations, "RETRY_PAUSES", (0, 0))
    with pauses, Injector() as injector, EmbeddedAws() as aws:
        _build(aws)
        injector.inject(None)
        yield aws, injector


def _build(aws: EmbeddedAws) -> None:
    vpc = aws.vpc("10.0.0.0/16", second_cidr="10.1.0.0/16")
    subnets = aws.subnets(vpc)
    app = aws.security_group(vpc, "app")
    targets = aws.target_group("app", vpc, 8080, [(aws.instance(subnets[0], app), None)], health_check_port="8081")
    peers = aws.prefix_list("everyone", "0.0.0.0/1", "128.0.0.0/1")
    in_order = aws.security_group(
        vpc,
        "in-order",
        ingress=[tcp(443, peers), icmp(3, 4, "0.0.0.0/0")],
        egress=[tcp(8080, app, to_port=8081)],
    )
    closed = aws.security_group(vpc, "closed", egress=[])
    internal = aws.security_group(vpc, "internal", ingress=[tcp(443, "10.0.0.0/15")], egress=[tcp(8080, app)])
    good = aws.load_balancer("good", subnets, [in_order])
    bad = aws.load_balancer("bad", subnets, [closed])
    inner = aws.load_balancer("inner", subnets, [internal], scheme="internal")
    for found in (good, bad, inner):
        aws.listener(found, 443, targets)
    gone = aws.load_balancer("gone", subnets, [closed])
    aws.listener(gone, 443, targets)
    for rule in RULES:
        rule_module(rule).lambda_handler(aws.scheduled_event(rule), None)
    aws.delete_load_balancer(gone)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "estate.json")
        assert main(["export", "--output", str(path)]) == 0
        record_estate(aws.config, json.loads(path.read_text(encoding="utf-8")))


def handlers(aws: EmbeddedAws) -> Iterator[Scenario]:
    """Each rule's handler: a scheduled run, live and from recordings, and a change of a security group."""
    groups = aws.ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["in-order"]}])
    group_id = groups["SecurityGroups"][0]["GroupId"]
    for rule in RULES:
        events: dict[str, Callable[[], dict[str, Any]]] = {
            "scheduled": lambda rule=rule: aws.scheduled_event(rule),  # type: ignore[misc]  # mypy infers no default
            "recordings": lambda rule=rule: aws.scheduled_event(rule, {"Source": "config"}),  # type: ignore[misc]  # as above
            "change": lambda rule=rule: aws.change_event(rule, "AWS::EC2::SecurityGroup", group_id),  # type: ignore[misc]  # as above
        }
        for kind, event in events.items():
            yield Scenario(f"handler {rule} {kind}", lambda rule=rule, event=event: _handle(aws, rule, event()))  # type: ignore[misc]  # as above


def _handle(aws: EmbeddedAws, rule: str, event: dict[str, Any]) -> Outcome:
    known = len(aws.config.accepted_evaluations)
    said = io.StringIO()
    failure = ""
    with contextlib.redirect_stdout(said):
        try:
            rule_module(rule).lambda_handler(event, None)
        except Exception as error:  # noqa: BLE001 (Lambda reports any)
            failure = unexpected_error_text(error)
            assert said.getvalue(), f"no log line for {failure}"
    accepted = aws.config.accepted_evaluations[known:]
    return Outcome(
        {(one.resource_id, one.rule_name): one.compliance_type for one in accepted},
        bool(failure),
        said.getvalue() + failure,
    )


def commands() -> Iterator[Scenario]:
    """`check` and `explain` of the live account, and from recordings."""
    for arguments in (["check"], ["check", "--source", "config"], ["check", "--rule", "unused_ingress"]):
        yield Scenario(" ".join(arguments), lambda arguments=arguments: _check(arguments))  # type: ignore[misc]  # as above


def _check(arguments: list[str]) -> Outcome:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([*arguments, "--format", "json"])
    shown = json.loads(out.getvalue()) if out.getvalue() else {"findings": [], "errors": []}
    found = {(one["loadBalancerArn"], one["rule"]): one["compliance"] for one in shown["findings"]}
    assert code in {0, 1, 2, 3}, err.getvalue()
    assert code != 1 or Compliance.NON_COMPLIANT.value in found.values()
    return Outcome(found, code in {2, 3}, json.dumps(shown["errors"]) + err.getvalue())


def aggregator() -> Iterator[Scenario]:
    yield Scenario("aggregator", lambda: _observe(_recording()))


def _recording() -> Recording:
    recording = Recording()
    recording.first_step(
        [
            [verdicts("web", {INGRESS: "NON_COMPLIANT", ICMP: "COMPLIANT"})],
            [verdicts("api", {INGRESS: "COMPLIANT"})],
        ],
        [[load_balancer("web")], [load_balancer("api", scheme="internal")]],
        [counted(ACCOUNT_REGION)],
    )
    for rule in (ICMP, INGRESS):
        recording.evaluations(
            rule,
            [
                evaluation("web", "NON_COMPLIANT" if rule == INGRESS else "COMPLIANT", "said", rule=rule),
                *([evaluation("api", "COMPLIANT", "said", rule=rule)] if rule == INGRESS else []),
            ],
        )
    return recording


def _observe(recording: Recording) -> Outcome:
    with patch.object(calls, "WORKERS", 1):
        try:
            results = observe(AggregatorClients(recording.config, None), AGGREGATOR, [INGRESS, ICMP], AS_OF).results
        except Exception as error:  # noqa: BLE001 (the command reports any)
            return Outcome({}, True, unexpected_error_text(error))
    return Outcome(
        {(one.load_balancer_arn, one.rule): one.compliance.value for one in results.findings},
        bool(results.errors),
        " ".join(f"{error.what}: {error.cause}" for error in results.errors),
    )


def dashboard_function() -> Iterator[Scenario]:
    """The dashboard's function, with its bucket in the embedded account. Its data file holds the verdicts."""
    s3 = boto3.client("s3", REGION)
    s3.create_bucket(Bucket=BUCKET)
    # The run of the day before, with which each run compares itself.
    _publish("2027-01-30T08:00:00Z")
    yield Scenario("dashboard function", _publish)


def _publish(time: str = "2027-01-31T08:00:00Z") -> Outcome:
    recording = _recording()
    s3 = make_client("s3")
    bucket = s3_backends[ACCOUNT_ID]["aws"].buckets[BUCKET]
    for key in [key for key in bucket.keys if not key.startswith("history/2027-01-30")]:
        del bucket.keys[key]
    clients = {"config": recording.config, "organizations": recording.organizations, "s3": s3}
    variables = {
        dashboard.BUCKET_VARIABLE: BUCKET,
        dashboard.AGGREGATOR_VARIABLE: AGGREGATOR,
        dashboard.EXEMPTIONS_VARIABLE: "",
    }
    failure = ""
    with (
        patch.dict(os.environ, variables),
        patch.object(calls, "WORKERS", 1),
        patch.object(dashboard, "make_client", lambda service, **_: clients[service]),
    ):
        try:
            dashboard.lambda_handler({"time": time}, None)
        except Exception as error:  # noqa: BLE001 (Lambda reports any)
            failure = unexpected_error_text(error)
    if "index.json" not in bucket.keys:
        return Outcome({}, True, failure)
    page = json.loads(bucket.keys["index.json"].value)
    found = {
        (one["arn"], verdict["rule"]): verdict["status"]
        for one in page["loadBalancers"]
        for verdict in one["verdicts"]
        if verdict["status"] != VerdictStatus.ERROR.value
    }
    # The page shows an error in place of a verdict; the function fails only where more is missing.
    shows_error = any(
        verdict["status"] == VerdictStatus.ERROR.value for one in page["loadBalancers"] for verdict in one["verdicts"]
    )
    return Outcome(found, bool(failure) or shows_error, json.dumps(page) + failure)


BUCKET = "dashboard"
