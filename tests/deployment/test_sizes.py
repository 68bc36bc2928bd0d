"""Templates and policies as large as they get: 1, 23 and 50 member accounts, one region and 34."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import boto3
import pytest

from alb_sg.deployment.conformance_pack import MAX_TEMPLATE_BYTES
from alb_sg.deployment.deploy_commands import size_remarks, unneeded_remarks
from alb_sg.deployment.template_files import render_templates
from tests.deployment.deployments import ARTIFACT, CENTRAL, SHIPPED, WHOLE, Resolver, of_type, settings_of, templates_of

ONE = ["us-east-1"]
# All that botocore knows of the largest partition, and as long names as there are for the rest.
ALL = [*boto3.Session().get_available_regions("lambda"), *(f"ap-southeast-{number}" for number in range(20, 60))][:34]
ROLE = "AWS::IAM::Role"


def content_of(accounts: int, regions: list[str]) -> dict[str, Any]:
    members = [f"{89_012_345_678 + number:012}" for number in range(accounts)]
    organization = {"delegatedAdministrator": CENTRAL, "memberAccounts": members}
    return {**WHOLE, "regions": regions, "regionalScope": {}, "organization": organization}


def remarks_of(content: dict[str, Any], folder: Path) -> dict[str, str]:
    """The remarks by the file that they are about."""
    settings = settings_of(content, folder)
    found = size_remarks(settings, render_templates(settings, ARTIFACT), Path("dist"))
    return {remark.partition(" ")[0]: remark for remark in found}


@pytest.mark.slow
@pytest.mark.parametrize(("accounts", "regions"), [(1, ONE), (23, ONE), (50, ONE), (50, ALL)])
def test_too_large_templates_are_reported_and_fit_a_bucket(accounts: int, regions: list[str], tmp_path: Path) -> None:
    content = content_of(accounts, regions)
    files = render_templates(settings_of(content, tmp_path), ARTIFACT)
    sizes = {name: len(text.encode()) for name, text in files.items()}
    remarks = remarks_of(content, tmp_path)
    # `deploy-stack` takes stack.yaml from the bucket itself.
    assert set(remarks) == {name for name, size in sizes.items() if size > MAX_TEMPLATE_BYTES} - {"stack.yaml"}
    assert ("central.yaml" in remarks) is (accounts >= 23)
    # CloudFormation: a template from S3.
    assert max(sizes.values()) <= 1_000_000
    # AWS Config takes no more of the pack, wherever it is.
    assert sizes["conformance-pack.yaml"] <= MAX_TEMPLATE_BYTES
    for name, remark in remarks.items():
        assert remark.startswith(f"{name} has {sizes[name]:,} bytes, but CloudFormation accepts 51,200 in a request")


@pytest.mark.slow
@pytest.mark.parametrize(("accounts", "regions"), [(50, ONE), (50, ALL)])
def test_policies_and_stacks_stay_within_the_limits(accounts: int, regions: list[str], tmp_path: Path) -> None:
    for name, template in templates_of(content_of(accounts, regions), tmp_path).items():
        resolve = Resolver(template, account=CENTRAL, region=regions[0], CentralAccountId=CENTRAL)
        assert len(template["Resources"]) <= 500
        for logical_id, role in of_type(template, ROLE).items():
            policies = [policy["PolicyDocument"] for policy in resolve(role)["Policies"]]
            # IAM: characters of all inline policies of a role, white space aside.
            assert sum(len(json.dumps(policy, separators=(",", ":"))) for policy in policies) <= 10_240, logical_id
        for function in of_type(template, "AWS::Lambda::Function").values():
            # Lambda: bytes of all environment variables.
            assert len(json.dumps(function.get("Environment", {}))) <= 4_096, name


@pytest.mark.slow
def test_the_command_for_a_large_stack_names_the_bucket_of_its_region(tmp_path: Path) -> None:
    remark = remarks_of(content_of(23, ["eu-central-1"]), tmp_path)["central.yaml"]
    assert shlex.split(remark.partition("bucket: ")[2]) == [
        *("aws", "cloudformation", "deploy", "--region", "eu-central-1", "--stack-name", "alb-sg-central"),
        *("--template-file", "dist/central.yaml", "--capabilities", "CAPABILITY_NAMED_IAM"),
        *("--s3-bucket", f"alb-sg-{CENTRAL}-eu-central-1", "--s3-prefix", "alb-sg"),
    ]
    tagged = {**content_of(23, ["eu-central-1"]), "landingZone": {"tags": {"CostCenter": "1234", "Data Class": "a: b"}}}
    with_tags = remarks_of(tagged, tmp_path)["central.yaml"]
    assert shlex.split(with_tags)[-3:] == ["--tags", "CostCenter=1234", "Data Class=a: b"]
    several = remarks_of(content_of(23, ["eu-central-1", "us-east-1"]), tmp_path)["central.yaml"]
    assert "here for the first region, then likewise in every other one: aws" in several


def test_the_command_for_large_documents_uploads_them_for_a_stack_set(tmp_path: Path) -> None:
    settings = settings_of(content_of(1, ALL), tmp_path)
    files = {"documents.yaml": "x" * 51_201, "member.yaml": "x" * 51_200}
    [remark] = size_remarks(settings, files, Path("dist"))
    said, command = remark.split("first (replace UNIT by an organizational unit or the root): ")
    assert said.endswith("in a request; upload it ")
    bucket = f"alb-sg-{CENTRAL}-{ALL[0]}"
    upload, create, deploy = (shlex.split(part) for part in command.split(" && "))
    assert upload == shlex.split(f"aws s3 cp --region {ALL[0]} dist/documents.yaml s3://{bucket}/alb-sg/documents.yaml")
    assert create[:3] == ["aws", "cloudformation", "create-stack-set"]
    assert create[-2:] == ["--template-url", f"https://{bucket}.s3.{ALL[0]}.amazonaws.com/alb-sg/documents.yaml"]
    assert deploy[:3] == ["aws", "cloudformation", "create-stack-instances"]
    assert deploy[deploy.index("--regions") + 1 : deploy.index("--deployment-targets")] == ALL
    assert json.loads(deploy[-1]) == {"OrganizationalUnitIds": ["UNIT"]}


@pytest.mark.slow
@pytest.mark.parametrize("units", [["ou-ab12-c3d4e5f6"], None])
def test_documents_that_nobody_needs_are_said_to_be(tmp_path: Path, units: list[str] | None) -> None:
    """Also where StackSets deploy the pack: its parameters turn remediation on later."""
    organization = {"delegatedAdministrator": CENTRAL, "organizationId": "o-a1b2c3d4e5"}
    content = {**SHIPPED, "organization": {**organization, **({"organizationalUnits": units} if units else {})}}
    settings = settings_of(content, tmp_path)
    files = render_templates(settings, ARTIFACT)
    assert list(size_remarks(settings, files, Path("dist"))) == []
    [remark] = unneeded_remarks(settings, files, Path("dist"))
    assert remark.startswith("documents.yaml: not needed, because no rule has remediation. Deploy it before ")
    assert ("replace UNIT" in remark) is (units is None)
    _, create, deploy = (shlex.split(part) for part in remark.split(": ", 2)[2].split(" && "))
    assert create[:3] == ["aws", "cloudformation", "create-stack-set"]
    assert json.loads(deploy[-1]) == {"OrganizationalUnitIds": units or ["UNIT"]}


@pytest.mark.slow
def test_a_stack_set_gets_the_account_that_the_settings_do_not_name(tmp_path: Path) -> None:
    """Without a value, CloudFormation refuses the template's parameter."""
    settings = settings_of(SHIPPED, tmp_path)
    files = render_templates(settings, ARTIFACT)
    [remark] = unneeded_remarks(settings, files, Path("dist"))
    assert "(replace ACCOUNT by the account of the functions, UNIT by an organizational unit or the root)" in remark
    assert " --parameters ParameterKey=CentralAccountId,ParameterValue=ACCOUNT --template-url " in remark
