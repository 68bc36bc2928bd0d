"""The templates as stacks, and `deploy-stack`, on a simulated account.

moto makes roles, log groups, queues, functions and their permissions. It knows neither alarms nor AWS Config's rules
and packs in CloudFormation, and leaves a function's tags and dead-letter queue out; those are asserted
from the rendered files in test_templates.py, and the pack is put through the API here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from botocore.stub import Stubber
from moto import mock_aws
from moto.cloudformation.models import cloudformation_backends

from alb_sg.deployment import stack_deployment
from alb_sg.deployment.__main__ import main
from alb_sg.deployment.artifact import function_artifact
from alb_sg.deployment.stack_deployment import first_failed_resource
from alb_sg.deployment.template_files import render_templates
from alb_sg.remediation.document_names import DOCUMENTS
from embedded_aws.account import ACCOUNT_ID, REGION
from embedded_aws.faults import Faults
from tests.deployment.deployments import (
    ARTIFACT,
    ORGANIZATION,
    ORGANIZATION_ID,
    RULES,
    SHIPPED,
    WHOLE,
    of_type,
    settings_of,
    write,
)

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:Tried to parse AWS:UserWarning")]

BUCKET = f"alb-sg-{ACCOUNT_ID}-{REGION}"
FUNCTIONS = [
    "alb-sg-health-check-egress",
    "alb-sg-icmp-pmtud",
    "alb-sg-instance-egress",
    "alb-sg-listener-ingress",
    "alb-sg-target-ingress",
]


@pytest.fixture
def aws() -> Iterator[Faults]:
    with mock_aws(), Faults() as faults:
        # A default session of another test's would keep that test's handlers.
        boto3.DEFAULT_SESSION = None
        yield faults
    boto3.DEFAULT_SESSION = None


def client(service: str, region: str = REGION) -> Any:
    return boto3.client(service, region_name=region)  # type: ignore[call-overload]  # the service is not a literal


def make_bucket(region: str = REGION, name: str | None = None) -> str:
    name = name or f"alb-sg-{ACCOUNT_ID}-{region}"
    request = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    client("s3", region).create_bucket(Bucket=name, **request)
    return name


def functions(region: str = REGION) -> list[str]:
    return sorted(found["FunctionName"] for found in client("lambda", region).list_functions()["Functions"])


def give_the_functions_their_tags(owner: str, region: str = REGION) -> None:
    """What CloudFormation does, and moto does not."""
    for found in client("lambda", region).list_functions()["Functions"]:
        client("lambda", region).tag_resource(Resource=found["FunctionArn"], Tags={"alb-sg:owner": owner})


class Deployment:
    """`deploy-stack` with some settings, and what it said."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys

    def __call__(self, content: object = SHIPPED, *arguments: str, command: str = "deploy-stack") -> tuple[int, str]:
        path = write(content, self.folder)
        status = main([command, "--rules", str(RULES), "--config", str(path), *arguments])
        said = self.capsys.readouterr()
        return status, said.err if status else said.out


@pytest.fixture
def deploy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Deployment:
    return Deployment(tmp_path, capsys)


def test_organization_stacks_are_made(aws: Faults, tmp_path: Path) -> None:
    artifact = function_artifact(RULES)
    texts = render_templates(settings_of(ORGANIZATION, tmp_path), artifact)
    client("s3").put_object(Bucket=make_bucket(), Key=artifact.key, Body=artifact.content)
    cloudformation = client("cloudformation")
    for name in ("central", "member", "documents", "organization-conformance-pack"):
        cloudformation.create_stack(
            StackName=name, TemplateBody=texts[f"{name}.yaml"], Capabilities=["CAPABILITY_NAMED_IAM"]
        )
        assert cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE"
    assert functions() == FUNCTIONS
    queues = {url.rpartition("/")[2] for url in client("sqs").list_queues()["QueueUrls"]}
    assert queues == {f"{name}-failed" for name in FUNCTIONS}
    groups = client("logs").describe_log_groups()["logGroups"]
    assert {group["logGroupName"]: group["retentionInDays"] for group in groups} == {
        f"/aws/lambda/{name}": 90 for name in FUNCTIONS
    }
    iam = client("iam")
    assert {*FUNCTIONS, "alb-sg-evaluation"} == {role["RoleName"] for role in iam.list_roles()["Roles"]}
    for name in FUNCTIONS:
        configuration = client("lambda").get_function(FunctionName=name)["Configuration"]
        assert configuration["Role"] == f"arn:aws:iam::{ACCOUNT_ID}:role/{name}"
        assert configuration["CodeSha256"]
        policy = json.loads(client("lambda").get_policy(FunctionName=name)["Policy"])
        assert [said["Principal"] for said in policy["Statement"]] == [{"Service": "config.amazonaws.com"}]
        # moto keeps the document as Python's text of it.
        document = str(iam.get_role_policy(RoleName=name, PolicyName="rule")["PolicyDocument"])
        assert f"{{'aws:ResourceOrgID': '{ORGANIZATION_ID}'}}" in document


def test_the_pack_is_put_into_an_organization(aws: Faults, tmp_path: Path) -> None:
    pack = render_templates(settings_of(WHOLE, tmp_path), ARTIFACT)["conformance-pack.yaml"]
    bucket = make_bucket(name="awsconfigconforms-alb-sg")
    client("s3").put_object(Bucket=bucket, Key="conformance-pack.yaml", Body=pack.encode())
    config = client("config")
    config.put_organization_conformance_pack(
        OrganizationConformancePackName="alb-sg",
        TemplateS3Uri=f"s3://{bucket}/conformance-pack.yaml",
        DeliveryS3Bucket=bucket,
        ConformancePackInputParameters=[{"ParameterName": "CentralAccountId", "ParameterValue": ACCOUNT_ID}],
        ExcludedAccounts=WHOLE["organization"]["excludedAccounts"],
    )
    [found] = config.describe_organization_conformance_packs(OrganizationConformancePackNames=["alb-sg"])[
        "OrganizationConformancePacks"
    ]
    assert found["OrganizationConformancePackName"] == "alb-sg"
    assert found["ExcludedAccounts"] == ["444455556666"]


def test_one_account_and_then_an_update(aws: Faults, deploy: Deployment) -> None:
    make_bucket()
    status, said = deploy()
    key = function_artifact(RULES).key
    assert (status, said) == (0, f"us-east-1: uploaded s3://{BUCKET}/{key}\nus-east-1: stack alb-sg created\n")
    assert functions() == FUNCTIONS
    for name in FUNCTIONS:
        configuration = client("lambda").get_function(FunctionName=name)["Configuration"]
        assert configuration["Environment"]["Variables"] == {"ALB_SG_ACCOUNTS": ACCOUNT_ID}
        assert configuration["Runtime"] == "python3.13"
    give_the_functions_their_tags("alb-sg")
    status, said = deploy({**SHIPPED, "logRetentionDays": 30})
    assert (status, said) == (
        0,
        f"us-east-1: already there: s3://{BUCKET}/{key}\nus-east-1: stack alb-sg updated\n",
    )


SIGNING = "arn:aws:lambda:us-east-1:111122223333:code-signing-config:csc-0123456789abcdefg"


def test_no_stack_changes_until_the_signed_copy_is_there(aws: Faults, deploy: Deployment) -> None:
    make_bucket()
    content = {**SHIPPED, "landingZone": {"codeSigning": {"us-east-1": SIGNING}}}
    artifact = function_artifact(RULES)
    status, said = deploy(content)
    assert status != 0
    assert f"s3://{BUCKET}/signed/{artifact.key} is missing; sign s3://{BUCKET}/{artifact.key}" in said
    assert client("cloudformation").describe_stacks()["Stacks"] == []
    client("s3").put_object(Bucket=BUCKET, Key=f"signed/{artifact.key}", Body=artifact.content)
    assert deploy(content)[0] == 0
    body = client("cloudformation").get_template(StackName="alb-sg")["TemplateBody"]
    template = body if isinstance(body, dict) else yaml.safe_load(body)
    for function in of_type(template, "AWS::Lambda::Function").values():
        assert function["Code"]["S3Key"] == f"signed/{artifact.key}"
        assert function["CodeSigningConfigArn"] == {
            "Fn::FindInMap": ["LandingZone", {"Ref": "AWS::Region"}, "CodeSigningConfigArn"]
        }
    assert template["Mappings"]["LandingZone"]["us-east-1"]["CodeSigningConfigArn"] == SIGNING


def test_a_template_that_is_too_long_for_a_call_comes_from_the_bucket(
    aws: Faults, deploy: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stack_deployment, "MAX_TEMPLATE_BYTES", 10_000)
    make_bucket()
    assert deploy()[0] == 0
    assert functions() == FUNCTIONS
    [template] = [
        found["Key"]
        for found in client("s3").list_objects_v2(Bucket=BUCKET)["Contents"]
        if found["Key"].endswith(".yaml")
    ]
    assert re.fullmatch("alb-sg/alb-sg-[0-9a-f]{16}.yaml", template)
    body = client("s3").get_object(Bucket=BUCKET, Key=template)["Body"].read()
    assert client("cloudformation").get_template(StackName="alb-sg")["TemplateBody"] == body.decode()


def test_several_regions_the_first_one_with_the_roles(aws: Faults, deploy: Deployment) -> None:
    for region in WHOLE["regions"]:
        make_bucket(region)
    status, said = deploy(WHOLE)
    assert status == 0
    stacks = [line for line in said.splitlines() if line.endswith("created")]
    assert stacks == [
        f"{region}: stack {name} created" for region in WHOLE["regions"] for name in ("alb-sg-documents", "alb-sg")
    ]
    assert said.startswith("me-central-1: changes of AWS::ElasticLoadBalancingV2::TargetGroup trigger no rule; ")
    assert [functions(region) for region in WHOLE["regions"]] == [FUNCTIONS] * 3


REMEDIED = {**SHIPPED, "rules": {"ALB_SG_ICMP_PMTUD": {"remediation": {"mode": "manual"}}}}


def test_documents_and_role_come_with_remediation(aws: Faults, deploy: Deployment) -> None:
    make_bucket()
    status, said = deploy(REMEDIED)
    assert status == 0
    assert [line for line in said.splitlines() if "stack" in line] == [
        "us-east-1: stack alb-sg-documents created",
        "us-east-1: stack alb-sg created",
    ]
    ssm = client("ssm")
    for name in DOCUMENTS:
        content = yaml.safe_load(ssm.get_document(Name=name)["Content"])
        assert content["files"]["alb-sg.zip"]["checksums"] == {"sha256": function_artifact(RULES).sha256}
    assert "alb-sg-remediation" in {role["RoleName"] for role in client("iam").list_roles()["Roles"]}
    # CloudFormation hands a stack's tags on: they must not tell of another owner than the documents' own do.
    for name in ("alb-sg-documents", "alb-sg"):
        [stack] = client("cloudformation").describe_stacks(StackName=name)["Stacks"]
        assert stack["Tags"] == [{"Key": "alb-sg:owner", "Value": "alb-sg"}]


def test_without_remediation_there_is_neither_document_nor_role(aws: Faults, deploy: Deployment) -> None:
    make_bucket()
    assert deploy()[0] == 0
    assert client("ssm").list_documents(Filters=[{"Key": "Owner", "Values": ["Self"]}])["DocumentIdentifiers"] == []
    assert "alb-sg-remediation" not in {role["RoleName"] for role in client("iam").list_roles()["Roles"]}


@pytest.mark.parametrize(
    ("tags", "whose"),
    [([], "is not one of alb-sg's"), ([{"Key": "alb-sg:owner", "Value": "other-team"}], "belongs to 'other-team'")],
)
def test_a_document_of_another_owner(aws: Faults, deploy: Deployment, tags: list[dict[str, str]], whose: str) -> None:
    make_bucket()
    content = json.dumps({"schemaVersion": "0.3", "mainSteps": []})
    client("ssm").create_document(Name="AlbSg-Undo", DocumentType="Automation", Content=content, Tags=tags)
    said = refused(aws, deploy, REMEDIED)
    assert said == (
        f"document AlbSg-Undo exists in us-east-1 and {whose} (its tag alb-sg:owner); remove it, or turn remediation "
        "off\n"
    )


def test_another_bucket_may_be_named(aws: Faults, deploy: Deployment) -> None:
    make_bucket(name="some-other-bucket")
    status, said = deploy(SHIPPED, "--bucket", "some-other-bucket")
    assert status == 0
    assert "s3://some-other-bucket/" in said


def test_upload_says_where_central_yaml_will_look(aws: Faults, deploy: Deployment) -> None:
    make_bucket()
    status, said = deploy(command="upload")
    key = function_artifact(RULES).key
    assert (status, said) == (0, f"us-east-1: s3://{BUCKET}/{key}\n")
    assert client("s3").head_object(Bucket=BUCKET, Key=key)["ContentType"] == "application/zip"


CHANGES = ("PutObject", "CreateStack", "UpdateStack", "PublishLayerVersion")


def refused(aws: Faults, deploy: Deployment, content: object = SHIPPED, *, command: str = "deploy-stack") -> str:
    aws.calls.clear()
    status, said = deploy(content, command=command)
    assert status == 1
    assert said.count("\n") == 1
    assert [call for call in aws.calls if call in CHANGES] == []
    return said


@pytest.mark.parametrize("command", ["deploy-stack", "upload"])
def test_a_bucket_that_is_not_there(aws: Faults, deploy: Deployment, command: str) -> None:
    said = refused(aws, deploy, command=command)
    assert said == (
        f"bucket {BUCKET} does not exist; create it in us-east-1, or name another one (artefactBucket, --bucket)\n"
    )


def test_a_bucket_that_is_missing_in_the_last_region_alone(aws: Faults, deploy: Deployment) -> None:
    for region in WHOLE["regions"][:-1]:
        make_bucket(region)
    assert f"bucket alb-sg-{ACCOUNT_ID}-me-central-1 does not exist" in refused(aws, deploy, WHOLE)
    assert [functions(region) for region in WHOLE["regions"]] == [[]] * 3


def test_a_bucket_of_another_account(aws: Faults, deploy: Deployment) -> None:
    make_bucket()
    aws.fail("HeadBucket", "403")
    assert f"account {ACCOUNT_ID} does not own bucket {BUCKET}, or may not read it" in refused(aws, deploy)


def test_a_bucket_in_another_region(aws: Faults, deploy: Deployment) -> None:
    make_bucket("eu-central-1", BUCKET)
    assert (
        f"bucket {BUCKET} is in eu-central-1, but Lambda in us-east-1 reads code only from a bucket in us-east-1"
        in refused(aws, deploy)
    )


@pytest.mark.parametrize(
    ("tags", "whose"),
    [({}, "is not one of alb-sg's"), ({"alb-sg:owner": "other-team"}, "belongs to 'other-team'")],
)
def test_a_function_of_another_owner(aws: Faults, deploy: Deployment, tags: dict[str, str], whose: str) -> None:
    role = client("iam").create_role(RoleName="theirs", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    client("s3").put_object(Bucket=make_bucket(), Key="theirs.zip", Body=function_artifact(RULES).content)
    code = {"S3Bucket": BUCKET, "S3Key": "theirs.zip"}
    client("lambda").create_function(
        FunctionName="alb-sg-icmp-pmtud", Runtime="python3.13", Role=role, Handler="x.y", Code=code, Tags=tags
    )
    said = refused(aws, deploy)
    assert said == (
        f"function alb-sg-icmp-pmtud exists in us-east-1 and {whose} (its tag alb-sg:owner); choose another "
        "names.functionPrefix, or remove it\n"
    )
    assert functions() == ["alb-sg-icmp-pmtud"]


def test_a_stack_of_somebody_elses(aws: Faults, deploy: Deployment) -> None:
    make_bucket()
    template = {"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}
    client("cloudformation").create_stack(StackName="alb-sg", TemplateBody=json.dumps(template))
    assert "stack alb-sg exists in us-east-1 and is not one of alb-sg's" in refused(aws, deploy)


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        ("ROLLBACK_COMPLETE", "failed on creation and is empty; delete it first"),
        ("UPDATE_IN_PROGRESS", "is UPDATE_IN_PROGRESS; wait until it finishes, or repair the stack"),
    ],
)
def test_a_stack_that_cannot_be_updated(aws: Faults, deploy: Deployment, state: str, sentence: str) -> None:
    make_bucket()
    assert deploy()[0] == 0
    give_the_functions_their_tags("alb-sg")
    [stack] = cloudformation_backends[ACCOUNT_ID][REGION].stacks.values()
    stack.status = state
    assert sentence in refused(aws, deploy)


def test_aws_refusals_keep_their_words(aws: Faults, deploy: Deployment) -> None:
    make_bucket()
    aws.fail("GetFunction", "AccessDeniedException")
    assert "(AccessDeniedException) when calling the GetFunction operation" in refused(aws, deploy)


def test_the_first_failure_is_named_rather_than_cancelled_work() -> None:
    stack = {"StackId": "id", "EventId": "1", "StackName": "alb-sg", "Timestamp": 0}
    whole = {**stack, "LogicalResourceId": "alb-sg", "ResourceType": "AWS::CloudFormation::Stack"}

    def failed(name: str, reason: str) -> dict[str, Any]:
        return {**stack, "LogicalResourceId": name, "ResourceStatus": "CREATE_FAILED", "ResourceStatusReason": reason}

    events = [
        {**whole, "ResourceStatus": "ROLLBACK_COMPLETE"},
        failed("IcmpPmtudRule", "Resource creation cancelled"),
        failed("ListenerIngressRole", "alb-sg-listener-ingress already exists"),
        {**whole, "ResourceStatus": "CREATE_IN_PROGRESS"},
        # Of an operation before.
        failed("InstanceEgressRole", "long ago"),
    ]
    for event in events:
        event.setdefault("ResourceType", "AWS::IAM::Role")
    cloudformation = client("cloudformation")
    with Stubber(cloudformation) as stub:
        stub.add_response("describe_stack_events", {"StackEvents": events}, {"StackName": "alb-sg"})
        assert first_failed_resource(cloudformation, "alb-sg") == (
            "ListenerIngressRole: alb-sg-listener-ingress already exists"
        )
