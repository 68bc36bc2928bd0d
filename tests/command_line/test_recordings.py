"""`--source config` and `--aggregator` over an embedded AWS with a recorder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from alb_sg.estate.resource_types import VPC_TYPE
from alb_sg.live import LiveClients, LiveSource
from embedded_aws.account import ACCOUNT_ID, REGION, EmbeddedAws, tcp
from embedded_aws.config_recorder import ALL_TYPES, record_estate
from tests.command_line.calling import Command, without_advice

NAME = "organization"
STATUS = {"SourceId": ACCOUNT_ID, "SourceType": "ACCOUNT", "AwsRegion": REGION, "LastUpdateStatus": "SUCCEEDED"}


@pytest.fixture
def aws() -> Iterator[EmbeddedAws]:
    with EmbeddedAws() as aws:
        vpc = aws.vpc()
        subnets = aws.subnets(vpc)
        group = aws.security_group(vpc, "lb", ingress=[tcp(80, "0.0.0.0/0")], egress=[])
        web = aws.load_balancer("web", subnets, [group])
        instance = aws.instance(subnets[0], aws.security_group(vpc, "app"))
        aws.listener(web, 80, aws.target_group("web", vpc, 8080, [(instance, None)]))
        yield aws


def saved(aws: EmbeddedAws) -> dict[str, Any]:
    return LiveSource(LiveClients(elbv2=aws.elbv2, ec2=aws.ec2), ACCOUNT_ID, REGION).export()


def test_the_source_config_agrees_with_live_state(command: Command, aws: EmbeddedAws) -> None:
    record_estate(aws.config, saved(aws))
    live = command("check", "--format", "json")
    aws.faults.calls.clear()
    recorded = command("check", "--format", "json", "--source", "config")
    assert recorded.json["findings"] == live.json["findings"]
    assert recorded.code == live.code == 1
    assert not {"DescribeLoadBalancers", "DescribeListeners", "DescribeSecurityGroups"} & set(aws.faults.calls)
    aws.faults.calls.clear()
    command("check", "--source", "live")
    assert "SelectResourceConfig" not in aws.faults.calls


def test_explain_shows_the_recorded_load_balancer(command: Command, aws: EmbeddedAws) -> None:
    record_estate(aws.config, saved(aws))
    live = command("explain", "web", "--format", "json")
    recorded = command("explain", "web", "--format", "json", "--source", "config")
    assert recorded.code == live.code == 1
    assert recorded.json["rules"] == live.json["rules"]


def test_an_aggregator_gives_the_findings_of_all_its_accounts(command: Command, aws: EmbeddedAws) -> None:
    here = saved(aws)
    record_estate(aws.config, here)
    there = json.loads(json.dumps(here, default=str).replace(ACCOUNT_ID, "210987654321").replace(REGION, "eu-west-1"))
    record_estate(aws.config, there)
    aws.config.add_aggregator(NAME, [STATUS, STATUS | {"SourceId": "210987654321", "AwsRegion": "eu-west-1"}])
    aws.faults.calls.clear()
    answer = command("check", "--format", "json", "--aggregator", NAME)
    assert (answer.code, answer.err) == (1, "")
    assert set(aws.faults.calls) == {
        "DescribeConfigurationAggregatorSourcesStatus",
        "GetCallerIdentity",
        "SelectAggregateResourceConfig",
    }
    live = without_advice(command("check", "--format", "json").json["findings"])
    found = without_advice(answer.json["findings"])
    assert [one for one in found if one["accountId"] == ACCOUNT_ID] == live
    assert len(found) == 2 * len(live)
    assert command("explain", found[0]["loadBalancerArn"], "--aggregator", NAME).code == 1


def test_the_dashboard_judges_an_aggregators_items_with_pictures_and_fixes(
    command: Command, aws: EmbeddedAws, tmp_path: Path
) -> None:
    record_estate(aws.config, saved(aws))
    aws.config.add_aggregator(NAME, [STATUS])
    output = tmp_path / "org.html"
    answer = command("dashboard", "--aggregator", NAME, "--verdicts", "own", "--output", str(output))
    assert answer.code == 1
    data = json.loads(output.with_suffix(".json").read_text(encoding="utf-8"))
    assert data["audit"]["verdicts"] == "judged"
    (web,) = data["loadBalancers"]
    assert web["detail"]["rows"] != []
    assert web["detail"]["fix"]["advice"] != []
    assert "recorded them" not in output.read_text(encoding="utf-8").partition("<script")[0]


def test_missing_aggregator_data_is_reported(command: Command, aws: EmbeddedAws) -> None:
    record_estate(aws.config, saved(aws), ALL_TYPES - {VPC_TYPE, "AWS::ElasticLoadBalancingV2::TargetGroup"})
    refused = STATUS | {"SourceId": "210987654321", "LastUpdateStatus": "FAILED", "LastErrorMessage": "not authorized"}
    silent = STATUS | {"SourceId": "222222222222"}
    aws.config.add_aggregator(NAME, [STATUS, refused, silent])
    answer = command("check", "--format", "json", "--aggregator", NAME)
    assert answer.code == 3
    assert answer.err.startswith(f"alb-sg: aggregator {NAME} has no load balancer of 222222222222 {REGION}: ")
    assert answer.err.count("\n") == 1
    said = {error["what"]: error["cause"] for error in answer.json["errors"]}
    assert said[f"load balancers of 210987654321 {REGION}"].endswith("FAILED, never updated: not authorized")
    assert f"aggregator {NAME} has no item of AWS::ElasticLoadBalancingV2::TargetGroup of {ACCOUNT_ID} {REGION}" in set(
        said.values()
    )


def test_an_organization_without_load_balancers(command: Command, aws: EmbeddedAws) -> None:
    aws.config.add_aggregator(NAME, [STATUS])
    answer = command("check", "--aggregator", NAME)
    assert (answer.code, answer.out) == (0, f"No load balancer found in {ACCOUNT_ID} {REGION}.\n")
    assert "not recorded there" in answer.err
    aws.config.add_aggregator(NAME, [])
    answer = command("check", "--aggregator", NAME)
    assert answer.code == 3
    assert "names no account and region" in answer.out


def test_an_aggregator_that_may_not_be_asked_is_an_error(command: Command, aws: EmbeddedAws) -> None:
    aws.config.add_aggregator(NAME, [STATUS])
    aws.faults.fail("SelectAggregateResourceConfig", "AccessDeniedException")
    answer = command("check", "--format", "json", "--aggregator", NAME)
    assert answer.code == 3
    (error,) = answer.json["errors"]
    assert error["what"] == f"aggregator {NAME}"
    assert error["cause"].startswith("SelectAggregateResourceConfig: AccessDeniedException")


@pytest.mark.usefixtures("aws")
def test_conflicting_options_are_refused(command: Command) -> None:
    for options in (["--source", "config"], ["--aggregator", NAME]):
        assert "--source and --aggregator" in command.refused("check", "--estate", "e.json", *options)
    assert "omit --source" in command.refused("check", "--aggregator", NAME, "--source", "live")
    two = ["--region", "us-east-1", "--region", "us-west-2"]
    assert "--region once" in command.refused("check", "--aggregator", NAME, *two)
    assert f"no aggregator '{NAME}'" in command.refused("check", "--aggregator", NAME)
    assert "--source" in command.refused("check", "--parameter", "Source=config")
    assert "unrecognized arguments: --aggregator" in command.refused("fix", "web", "--aggregator", NAME)
