"""`deploy`: the rules through rdk 1.0.0, on a simulated AWS behind a server of its own.

moto makes what rdk's stacks have but AWS Config's rules, which it does not know, and leaves a function's layers out;
what rdk asks for is read from its stacks' parameters.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from alb_sg.deployment.__main__ import main
from alb_sg.deployment.artifact import layer_artifact
from alb_sg.deployment.rdk_deployment import stage_rules
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME
from embedded_aws.account import ACCOUNT_ID, REGION
from tests import tools
from tests.deployment.deployments import RULES, SHIPPED, WHOLE, settings_of, write
from tests.rules import DEPLOYED_RULE_NAMES, RULE_NAMES

pytestmark = pytest.mark.slow

BUCKET = f"alb-sg-{ACCOUNT_ID}-{REGION}"


def test_settings_go_into_rdks_own_files(tmp_path: Path) -> None:
    staged = stage_rules(settings_of(WHOLE, tmp_path), RULES, tmp_path / "rules", "me-central-1")
    by_default = [name for name in RULE_NAMES if RECOMMENDATIONS_BY_NAME[name].deployed_by_default]
    assert sorted(path.name for path in staged.iterdir()) == by_default
    content = json.loads((staged / "ALB_SG_INSTANCE_EGRESS" / "parameters.json").read_text(encoding="utf-8"))
    said = content["Parameters"]
    assert {name: value for name, value in json.loads(said["OptionalParameters"]).items() if value} == {
        "TargetMatch": "security-group",
        "Exemptions": "ssm:/alb-sg/exemptions",
        "AssumeRoleMode": "false",
    }
    assert said["Description"].startswith("[CRITICAL] Outbound TCP")
    assert said["SourcePeriodic"] == "Six_Hours"
    assert "TargetGroup" not in said["SourceEvents"]
    original = json.loads((RULES / "ALB_SG_INSTANCE_EGRESS" / "parameters.json").read_text(encoding="utf-8"))
    changed = {"OptionalParameters", "Description", "SourcePeriodic", "SourceEvents"}
    assert {name for name, value in original["Parameters"].items() if said[name] != value} == changed


def test_rdk_that_is_not_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALB_SG_RDK", str(tmp_path / "rdk"))
    assert main(["deploy", "--rules", str(RULES), "--config", str(write(SHIPPED, tmp_path))]) == 1
    assert (
        capsys.readouterr().err
        == "the command rdk was not found; run `make setup-rdk`, or set ALB_SG_RDK to its path\n"
    )


LANDING_ZONE: dict[str, Any] = {
    **SHIPPED,
    # Without tags: rdk puts them on the rule as well, and moto makes no rule in CloudFormation.
    "landingZone": {
        "permissionsBoundary": "Boundary",
        "vpc": {REGION: {"subnets": ["subnet-0a1b2c3d", "subnet-1a2b3c4d"], "securityGroups": ["sg-0a1b2c3d"]}},
    },
}


@pytest.fixture
def fake_rdk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An rdk that leaves a mark where it is run."""
    mark = tmp_path / "run"
    command = tmp_path / "rdk"
    command.write_text(f"#!/bin/sh\ntouch {mark}\n", encoding="utf-8")
    command.chmod(0o755)
    monkeypatch.setenv("ALB_SG_RDK", str(command))
    with mock_aws():
        boto3.DEFAULT_SESSION = None
        boto3.client("s3", REGION).create_bucket(Bucket=BUCKET)
        yield mark
    boto3.DEFAULT_SESSION = None


def test_unsupported_rdk_settings_are_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], fake_rdk: Path
) -> None:
    """It is said before the command fails here, at the stacks that the fake rdk does not make."""
    options = {"rolePath": "/platform/"}
    content = {**SHIPPED, "landingZone": options, "reservedConcurrency": 5}
    assert main(["deploy", "--rules", str(RULES), "--config", str(write(content, tmp_path))]) == 1
    assert fake_rdk.exists()
    said = capsys.readouterr().out.splitlines()
    assert said[:2] == [
        "rdk cannot set reservedConcurrency or maximumEventAgeSeconds; deploy-stack can",
        "rdk cannot set landingZone.kmsKeys, landingZone.codeSigning or landingZone.rolePath; deploy-stack can",
    ]


def refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], mark: Path) -> str:
    assert main(["deploy", "--rules", str(RULES), "--config", str(write(SHIPPED, tmp_path))]) == 1
    assert not mark.exists()
    assert boto3.client("lambda", REGION).list_layers()["Layers"] == []
    return capsys.readouterr().err


def test_a_stack_of_another_owner_is_not_written_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], fake_rdk: Path
) -> None:
    template = json.dumps({"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}})
    boto3.client("cloudformation", REGION).create_stack(StackName="ALBSGICMPPMTUD", TemplateBody=template)
    assert refused(tmp_path, capsys, fake_rdk) == (
        "stack ALBSGICMPPMTUD exists in us-east-1 and is not what rdk makes for ALB_SG_ICMP_PMTUD; remove it, or use "
        "deploy-stack\n"
    )


def test_a_function_of_another_owner_is_not_written_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], fake_rdk: Path
) -> None:
    role = boto3.client("iam").create_role(RoleName="theirs", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    boto3.client("lambda", REGION).create_function(
        FunctionName="RDK-Rule-Function-ALBSGICMPPMTUD",
        Runtime="python3.13",
        Role=role,
        Handler="x.y",
        Code={"ZipFile": layer_artifact(RULES).content},
    )
    assert refused(tmp_path, capsys, fake_rdk) == (
        "function RDK-Rule-Function-ALBSGICMPPMTUD exists in us-east-1 without rdk's stack ALBSGICMPPMTUD; remove it "
        "first\n"
    )


@pytest.fixture
def rdk() -> None:
    tools.rdk()


@pytest.mark.slow
@pytest.mark.usefixtures("rdk")
@pytest.mark.filterwarnings("ignore:Tried to parse AWS:UserWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_rdk_deploys_every_rule_with_the_layer(
    tmp_path: Path, server: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", server)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    boto3.client("s3", REGION).create_bucket(Bucket=BUCKET)
    arguments = ["deploy", "--rules", str(RULES), "--config", str(write(LANDING_ZONE, tmp_path))]
    assert main(arguments) == 0, capfd.readouterr()
    layers = boto3.client("lambda", REGION)
    [version] = layers.list_layer_versions(LayerName="alb-sg")["LayerVersions"]
    cloudformation: Any = boto3.client("cloudformation", REGION)
    for rule in DEPLOYED_RULE_NAMES:
        [stack] = cloudformation.describe_stacks(StackName=rule.replace("_", ""))["Stacks"]
        said = {parameter["ParameterKey"]: parameter["ParameterValue"] for parameter in stack["Parameters"]}
        # Ours and no other: rdk would add AWS's own layer of rdklib, from another account.
        assert said["Layers"] == version["LayerVersionArn"]
        assert json.loads(said["SourceInputParameters"]) == {"AssumeRoleMode": "false"}
        assert said["SourcePeriodic"] == "TwentyFour_Hours"
        assert said["SourceHandler"] == f"{rule}.lambda_handler"
        # The landing-zone options that rdk knows.
        assert said["BoundaryPolicyArn"] == f"arn:aws:iam::{ACCOUNT_ID}:policy/Boundary"
        assert (said["SubnetIds"], said["SecurityGroupIds"]) == ("subnet-0a1b2c3d,subnet-1a2b3c4d", "sg-0a1b2c3d")
        assert layers.get_function(FunctionName=said["RuleLambdaName"])["Configuration"]["Timeout"] == 300
    # Again: the same content is the same version of the layer.
    assert main(arguments) == 0, capfd.readouterr()
    assert len(layers.list_layer_versions(LayerName="alb-sg")["LayerVersions"]) == 1
