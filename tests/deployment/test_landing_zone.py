"""The landing-zone options, found on every resource of every template and document that they concern."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any, Literal

import boto3
import cfnlint.api  # type: ignore[import-untyped]  # it ships no types
import pytest
import yaml
from cfnlint.config import ManualArgs  # type: ignore[import-untyped]  # as above
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER  # type: ignore[import-untyped]  # as above
from moto import mock_aws
from ruamel.yaml import YAML

from alb_sg.deployment.__main__ import main
from alb_sg.deployment.deploy_commands import stack_set_remarks
from alb_sg.deployment.landing_zone_template import TAGGED_TYPES, apply_landing_zone
from alb_sg.deployment.rdk_deployment import landing_zone_options, stage_rules
from alb_sg.deployment.template_files import render_hand_written_templates, render_templates
from alb_sg.recommendations.catalogue import RECOMMENDATIONS
from tests.deploy.templates import DEPLOY, template
from tests.deployment.api_model import problems
from tests.deployment.deployments import (
    ARTIFACT,
    CENTRAL,
    MEMBERS,
    ORGANIZATION,
    ROOT,
    RULES,
    SHIPPED,
    WHOLE,
    Resolver,
    of_type,
    settings_of,
    templates_of,
    write,
)

pytestmark = pytest.mark.slow

TAGS = {"CostCenter": "1234", "Data Class": "internal"}
TAG_LIST = [{"Key": key, "Value": value} for key, value in TAGS.items()]
KEYS = {region: f"arn:aws:kms:{region}:999988887777:key/mrk-0a1b2c3d" for region in WHOLE["regions"]}
NETWORKS = {
    region: {
        "subnets": [f"subnet-0000000{number}", f"subnet-1111111{number}"],
        "securityGroups": [f"sg-0000000{number}"],
    }
    for number, region in enumerate(WHOLE["regions"])
}
OPTIONS: dict[str, Any] = {
    "tags": TAGS,
    "permissionsBoundary": "guard/Boundary",
    "rolePath": "/platform/",
    "vpc": NETWORKS,
    "kmsKeys": KEYS,
}
LANDING_ZONE: dict[str, Any] = {**WHOLE, "logRetentionDays": 365, "landingZone": OPTIONS}
RULE_COUNT = sum(rule.deployed_by_default for rule in RECOMMENDATIONS)
FUNCTION, ROLE, QUEUE, LOG = "AWS::Lambda::Function", "AWS::IAM::Role", "AWS::SQS::Queue", "AWS::Logs::LogGroup"


def arn_of_signing(region: str) -> str:
    return f"arn:aws:lambda:{region}:{CENTRAL}:code-signing-config:csc-0123456789abcdefg"


@pytest.fixture
def texts(tmp_path: Path) -> dict[str, str]:
    """Every template: generated, hand-written, and those of organizational units."""
    settings = settings_of(LANDING_ZONE, tmp_path)
    in_units = settings_of(with_units(LANDING_ZONE), tmp_path)
    return {
        **render_templates(in_units, ARTIFACT),
        **render_templates(settings, ARTIFACT),
        **render_hand_written_templates(settings, ROOT),
    }


@pytest.fixture
def templates(texts: dict[str, str]) -> dict[str, dict[str, Any]]:
    return {name: yaml.safe_load(text) for name, text in texts.items()}


def with_units(content: dict[str, Any]) -> dict[str, Any]:
    organization = {"delegatedAdministrator": CENTRAL, "organizationId": "o-a1b2c3d4e5"}
    units = {"organizationalUnits": ["ou-ab12-c3d4e5f6", "r-ab12"], "excludedAccounts": ["089012345678"]}
    return {**content, "organization": {**organization, **units}}


def resources(templates: dict[str, dict[str, Any]], kind: str) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{name}: {logical_id}", properties)
        for name, template in templates.items()
        for logical_id, properties in of_type(template, kind).items()
    ]


def test_everything_that_takes_tags_has_them(templates: dict[str, dict[str, Any]]) -> None:
    """CloudFormation's own schemas say what takes tags."""
    seen = set()
    for name, made in templates.items():
        for logical_id, resource in made["Resources"].items():
            kind = resource["Type"]
            schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema
            if "Tags" not in schema["properties"]:
                continue
            seen.add(kind)
            assert [tag for tag in resource["Properties"]["Tags"] if tag in TAG_LIST] == TAG_LIST, (name, logical_id)
    # With keys of the settings, no template makes one.
    assert seen == TAGGED_TYPES - {"AWS::KMS::Key"}


def test_no_type_takes_tags_that_the_options_do_not_know(templates: dict[str, dict[str, Any]]) -> None:
    kinds = {resource["Type"] for template in templates.values() for resource in template["Resources"].values()}
    for kind in kinds - TAGGED_TYPES:
        assert "Tags" not in PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema["properties"], kind


def test_documents_get_the_tags_of_created_resources(templates: dict[str, dict[str, Any]]) -> None:
    text = "CostCenter=1234,Data Class=internal"
    found = resources(templates, "AWS::Config::RemediationConfiguration")
    # In both packs and both stacks: a remediation for each rule in the packs, for two rules in the stacks.
    assert len(found) == 2 * RULE_COUNT + 2 * 2
    for _, properties in found:
        assert properties["Parameters"]["Tags"] == {"StaticValue": {"Values": [text]}}
    for _, properties in resources(templates, "AWS::SSM::Document"):
        if properties["Name"] != "AlbSg-Undo":
            assert properties["Content"]["parameters"]["Tags"]["default"] == text
            for step in properties["Content"]["mainSteps"]:
                if step["action"] == "aws:executeScript":
                    assert step["inputs"]["InputPayload"]["Tags"] == "{{ Tags }}"


def test_the_remediation_role_may_use_these_tag_keys_alone(templates: dict[str, dict[str, Any]]) -> None:
    for name in ("member.yaml", "stack.yaml"):
        [policy] = [
            policy
            for policy in of_type(templates[name], ROLE)["RemediationRole"]["Policies"]
            if policy["PolicyName"] == "remediation"
        ]
        [tagging] = [one for one in policy["PolicyDocument"]["Statement"] if one["Sid"] == "TagWhatIsCreated"]
        keys = tagging["Condition"]["ForAllValues:StringEquals"]["aws:TagKeys"]
        assert keys[-2:] == list(TAGS)
        assert "alb-sg:execution" in keys


def test_rdk_gets_the_settings_it_knows(tmp_path: Path) -> None:
    settings = settings_of(LANDING_ZONE, tmp_path)
    folder = stage_rules(settings, RULES, tmp_path / "rules", "us-east-1")
    for rule in settings.rules:
        assert json.loads((folder / rule.name / "parameters.json").read_text(encoding="utf-8"))["Tags"] == TAG_LIST
    assert landing_zone_options(settings, MEMBERS[0], "us-east-1") == [
        *("--boundary-policy-arn", f"arn:aws:iam::{MEMBERS[0]}:policy/guard/Boundary"),
        *("--lambda-subnets", "subnet-00000001,subnet-11111111"),
        *("--lambda-security-groups", "sg-00000001"),
    ]
    assert landing_zone_options(settings_of(SHIPPED, tmp_path), MEMBERS[0], "us-east-1") == []


@pytest.mark.filterwarnings("ignore:Tried to parse AWS:UserWarning")
def test_the_stack_itself_has_the_tags(tmp_path: Path) -> None:
    """CloudFormation hands a stack's tags on to what it creates on behalf of a resource."""
    content = {**SHIPPED, "landingZone": {"tags": TAGS}}
    with mock_aws(config={"lambda": {"use_docker": False}}):
        boto3.DEFAULT_SESSION = None
        boto3.client("s3", "us-east-1").create_bucket(Bucket="alb-sg-123456789012-us-east-1")
        assert main(["deploy-stack", "--rules", str(RULES), "--config", str(write(content, tmp_path))]) == 0
        [stack] = boto3.client("cloudformation", "us-east-1").describe_stacks(StackName="alb-sg")["Stacks"]
        [role] = [one for one in boto3.client("iam").list_roles()["Roles"] if one["RoleName"] == "alb-sg-icmp-pmtud"]
        tags = boto3.client("iam").list_role_tags(RoleName=role["RoleName"])["Tags"]
    boto3.DEFAULT_SESSION = None
    assert [tag for tag in stack["Tags"] if tag in TAG_LIST] == TAG_LIST
    assert [tag for tag in tags if tag in TAG_LIST] == TAG_LIST


def test_every_role_has_boundary_and_path(templates: dict[str, dict[str, Any]]) -> None:
    found = resources(templates, ROLE)
    assert {name.split(":")[0] for name, _ in found} == {
        *("aggregator.yaml", "central.yaml", "dashboard.yaml", "hook.yaml", "member-events.yaml", "member.yaml"),
        *("stack.yaml", "stack.me-central-1.yaml", "sweep.yaml"),
    }
    for name, properties in found:
        assert properties["Path"] == "/platform/", name
        boundary = {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:policy/guard/Boundary"}
        assert properties["PermissionsBoundary"] == boundary, name


def test_a_boundary_of_aws_is_named_by_its_arn(tmp_path: Path) -> None:
    arn = "arn:aws:iam::aws:policy/PowerUserAccess"
    content = {**WHOLE, "landingZone": {"permissionsBoundary": arn}}
    role = of_type(templates_of(content, tmp_path)["member.yaml"], ROLE)["EvaluationRole"]
    assert role["PermissionsBoundary"] == arn
    assert "Path" not in role


def test_every_arn_of_a_role_has_its_path(texts: dict[str, str], templates: dict[str, dict[str, Any]]) -> None:
    for name, text in texts.items():
        # The documents' own pattern takes a role of any path.
        arns = text.replace(":role/[A-Za-z", "")
        assert arns.count(":role/") == arns.count(":role/platform/"), name
    member, central = templates["member.yaml"], templates["central.yaml"]
    resolve = Resolver(member, account=MEMBERS[0], region="eu-central-1", CentralAccountId=CENTRAL)
    trust = resolve(of_type(member, ROLE)["EvaluationRole"])["AssumeRolePolicyDocument"]["Statement"][0]
    assert (
        f"arn:aws:iam::{CENTRAL}:role/platform/alb-sg-icmp-pmtud" in trust["Condition"]["ArnEquals"]["aws:PrincipalArn"]
    )
    function = Resolver(central, account=CENTRAL, region="us-east-1")(of_type(central, FUNCTION)["IcmpPmtudFunction"])
    assert function["Role"] == f"arn:aws:iam::{CENTRAL}:role/platform/alb-sg-icmp-pmtud"
    pack = templates["conformance-pack.yaml"]
    # The functions put it behind `arn:aws:iam::…:role/`.
    assert pack["Parameters"]["EvaluationRoleName"]["Default"] == "platform/alb-sg-evaluation"
    assert len("platform/alb-sg-evaluation") <= pack["Parameters"]["EvaluationRoleName"]["MaxLength"]


def test_every_function_is_in_the_network_of_its_region(templates: dict[str, dict[str, Any]]) -> None:
    found = resources(templates, FUNCTION)
    assert {name.split(":")[0] for name, _ in found} == {
        *("central.yaml", "dashboard.yaml", "hook.yaml", "stack.yaml", "stack.me-central-1.yaml", "sweep.yaml")
    }
    for name, properties in found:
        mapping = templates[name.split(":")[0]]["Mappings"]
        for option, key in (("SubnetIds", "subnets"), ("SecurityGroupIds", "securityGroups")):
            [table, region, entry] = properties["VpcConfig"][option]["Fn::FindInMap"]
            assert region == {"Ref": "AWS::Region"}
            assert {region: said[entry] for region, said in mapping[table].items()} == {
                region: network[key] for region, network in NETWORKS.items()
            }, name


def test_every_function_may_have_interfaces_and_use_the_keys(templates: dict[str, dict[str, Any]]) -> None:
    for name, properties in resources(templates, ROLE):
        services = {
            statement["Principal"].get("Service") for statement in properties["AssumeRolePolicyDocument"]["Statement"]
        }
        added = [policy for policy in properties.get("Policies", ()) if policy["PolicyName"] == "landing-zone"]
        granted = {one["Sid"]: one for policy in added for one in policy["PolicyDocument"]["Statement"]}
        if "lambda.amazonaws.com" in services:
            assert set(granted) == {"ManageNetworkInterfaces", "UseKeys"}, name
            assert "ec2:CreateNetworkInterface" in granted["ManageNetworkInterfaces"]["Action"]
        elif "states.amazonaws.com" in services:
            assert set(granted) == {"UseKeys"}, name
        else:
            assert granted == {}, name
        if "UseKeys" in granted:
            assert granted["UseKeys"]["Resource"] == sorted(KEYS.values())
            assert granted["UseKeys"]["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]


def test_every_function_runs_the_signed_copy(tmp_path: Path) -> None:
    signing = {region: arn_of_signing(region) for region in KEYS}
    settings = settings_of({**WHOLE, "landingZone": {"codeSigning": signing}}, tmp_path)
    texts = {**render_templates(settings, ARTIFACT), **render_hand_written_templates(settings, ROOT)}
    found = resources({name: yaml.safe_load(text) for name, text in texts.items()}, FUNCTION)
    assert len(found) > 8
    for _, properties in found:
        assert properties["CodeSigningConfigArn"]["Fn::FindInMap"][2] == "CodeSigningConfigArn"
        assert properties["Code"]["S3Key"] in (
            f"signed/{ARTIFACT.key}",
            {"Fn::Join": ["", ["signed/", {"Ref": "ArtefactKey"}]]},
        )


@pytest.mark.parametrize(
    ("kind", "property_name"), [(LOG, "KmsKeyId"), (QUEUE, "KmsMasterKeyId"), ("AWS::SNS::Topic", "KmsMasterKeyId")]
)
def test_everything_that_keeps_data_has_the_key_of_its_region(
    kind: str, property_name: str, templates: dict[str, dict[str, Any]]
) -> None:
    found = resources(templates, kind)
    assert found
    for name, properties in found:
        made = templates[name.split(":")[0]]
        [table, _, entry] = properties[property_name]["Fn::FindInMap"]
        assert {region: said[entry] for region, said in made["Mappings"][table].items()} == KEYS, name
        # SQS takes one kind of encryption.
        assert "SqsManagedSseEnabled" not in properties, name


def test_the_keys_replace_a_key_that_a_template_makes(templates: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    """A key of its own would cost money and encrypt nothing; an organization may deny kms:CreateKey."""
    settings = settings_of({**WHOLE, "landingZone": {"tags": TAGS}}, tmp_path)
    without = yaml.safe_load(render_hand_written_templates(settings, ROOT)["dashboard.yaml"])
    [(_, own)] = of_type(without, "AWS::KMS::Key").items()
    assert own["Tags"] == TAG_LIST
    assert resources(templates, "AWS::KMS::Key") == []
    assert "ChangesKey" not in json.dumps(templates)


def test_buckets_have_the_key(templates: dict[str, dict[str, Any]]) -> None:
    found = resources(templates, "AWS::S3::Bucket")
    assert {name for name, _ in found} == {"dashboard.yaml: Bucket", "sweep.yaml: Bucket"}
    for _, properties in found:
        [rule] = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
        assert rule["ServerSideEncryptionByDefault"]["KMSMasterKeyID"]["Fn::FindInMap"][2] == "KmsKeyArn"


def test_every_log_is_kept_as_long(templates: dict[str, dict[str, Any]]) -> None:
    found = resources(templates, LOG)
    # Of the functions in central.yaml and both stacks, the dashboard's, the Hook's and the sweep's.
    assert len(found) == 3 * RULE_COUNT + 3
    assert {properties["RetentionInDays"] for _, properties in found} == {365}


def test_cfn_lint_finds_nothing(texts: dict[str, str]) -> None:
    for name, text in texts.items():
        found = cfnlint.api.lint(text, config=ManualArgs(regions=list(WHOLE["regions"]), ignore_checks=[]))
        assert [str(match) for match in found] == [], name


def test_both_yaml_versions_read_the_same(texts: dict[str, str]) -> None:
    reader = YAML(typ="safe", pure=True)
    reader.version = (1, 2)
    for name, text in texts.items():
        assert reader.load(io.StringIO(text)) == yaml.safe_load(text), name


@pytest.mark.filterwarnings("ignore:Tried to parse AWS:UserWarning")
def test_moto_makes_the_functions_with_roles_network_and_keys(templates: dict[str, dict[str, Any]]) -> None:
    made = templates["stack.yaml"]
    made["Resources"] = {
        name: resource
        for name, resource in made["Resources"].items()
        if not resource["Type"].startswith(("AWS::Config::", "AWS::CloudWatch::"))
    }
    with mock_aws(config={"lambda": {"use_docker": False}}):
        region: Literal["eu-central-1"] = "eu-central-1"
        s3 = boto3.client("s3", region)
        bucket = f"alb-sg-123456789012-{region}"
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})
        s3.put_object(Bucket=bucket, Key=ARTIFACT.key, Body=b"zip")
        cloudformation = boto3.client("cloudformation", region)
        cloudformation.create_stack(
            StackName="made", TemplateBody=json.dumps(made), Capabilities=["CAPABILITY_NAMED_IAM"]
        )
        [function] = [
            found
            for found in boto3.client("lambda", region).list_functions()["Functions"]
            if found["FunctionName"] == "alb-sg-icmp-pmtud"
        ]
        role = boto3.client("iam").get_role(RoleName="alb-sg-icmp-pmtud")["Role"]
        sqs = boto3.client("sqs", region)
        url = sqs.get_queue_url(QueueName="alb-sg-icmp-pmtud-failed")["QueueUrl"]
        key = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["KmsMasterKeyId"])["Attributes"]
    assert function["VpcConfig"]["SubnetIds"] == NETWORKS[region]["subnets"]
    assert role["Path"] == "/platform/"
    assert role["Arn"] == function["Role"] == "arn:aws:iam::123456789012:role/platform/alb-sg-icmp-pmtud"
    assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == "arn:aws:iam::123456789012:policy/guard/Boundary"
    assert key == {"KmsMasterKeyId": KEYS[region]}


def test_without_options_the_templates_stay_as_they_are(tmp_path: Path) -> None:
    settings = settings_of(SHIPPED, tmp_path)
    for path in DEPLOY.glob("*.yaml"):
        assert apply_landing_zone(settings, template(path.name)) == template(path.name)
        assert yaml.safe_load(render_hand_written_templates(settings, ROOT)[path.name]) == template(path.name)


def test_pack_removes_the_templates_of_earlier_settings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Terraform's module takes the pack of a region, where there is a file of one."""
    dist = tmp_path / "dist"

    def pack(content: dict[str, Any]) -> str:
        path = write(content, tmp_path)
        assert main(["pack", "--rules", str(RULES), "--config", str(path), "--output", str(dist)]) == 0
        return capsys.readouterr().out

    pack(WHOLE)
    own = dist / "notes.yaml"
    own.write_text("of: somebody else\n", encoding="utf-8")
    assert (dist / "conformance-pack.me-central-1.yaml").exists()
    said = pack({**with_units(WHOLE), "regionalScope": {}})
    assert not list(dist.glob("*.me-central-1.yaml"))
    assert not (dist / "organization-conformance-pack.yaml").exists()
    assert f"removed {dist / 'organization-conformance-pack.yaml'}, which is of earlier settings" in said
    assert own.exists()
    assert {"central.yaml", "dashboard.yaml", "conformance-pack.yaml"} <= {path.name for path in dist.iterdir()}


def test_pack_writes_the_hand_written_templates_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--rules", str(RULES), "--config", str(write(LANDING_ZONE, tmp_path)), "--output", str(tmp_path)]
    assert main(["pack", *arguments]) == 0
    said = capsys.readouterr().out
    for path in DEPLOY.glob("*.yaml"):
        assert str(tmp_path / path.name) in said
        written = (tmp_path / path.name).read_text(encoding="utf-8")
        assert written.startswith(f"# Made from rdk-config.json and deploy/{path.name} by `python -m")
        assert "/platform/" in written


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("tags", {"aws:x": "1"}, "landingZone.tags: the tag key 'aws:x' is reserved; choose another one than Name,"),
        ("tags", {"Name": "1"}, "landingZone.tags: the tag key 'Name' is reserved"),
        # A comma would end the tag in the text that a document takes.
        ("tags", {"Team": "a,b"}, "landingZone.tags: the tag 'b' is not KEY=VALUE with at most 128 and 256 letters,"),
        ("tags", {"Team": "x" * 252}, "have 257 characters as Team=xxx"),
        (
            "tags",
            {f"Key{number}": "" for number in range(41)},
            "landingZone.tags: 41 tags are more than the 40 allowed",
        ),
        (
            "rolePath",
            "platform",
            'landingZone.rolePath: "platform" is not allowed here. Path of every role, which begins',
        ),
        ("rolePath", f"/{'x' * 60}/", "have 78 characters, but AWS Config's parameters leave 64; shorten one of them"),
        ("permissionsBoundary", "arn:aws:iam::1:policy/x", "landingZone.permissionsBoundary: "),
        (
            "vpc",
            {"us-east-1": NETWORKS["us-east-1"]},
            "landingZone.vpc: has nothing for eu-central-1, me-central-1; name every region of regions, or none",
        ),
        (
            "kmsKeys",
            {**KEYS, "eu-west-3": KEYS["us-east-1"].replace("us-east-1", "eu-west-3")},
            "landingZone.kmsKeys: eu-west-3 is not in regions: eu-central-1, us-east-1, me-central-1; add it there",
        ),
        (
            "kmsKeys",
            {**KEYS, "us-east-1": KEYS["eu-central-1"]},
            "landingZone.kmsKeys.us-east-1: arn:aws:kms:eu-central-1:999988887777:key/mrk-0a1b2c3d is a key in",
        ),
        (
            "codeSigning",
            {region: arn_of_signing("us-east-1") for region in KEYS},
            "landingZone.codeSigning.eu-central-1: arn:aws:lambda:us-east-1:111122223333:code-signing-config:csc-",
        ),
        (
            "kmsKeys",
            {"us-east-1": "alias/alb-sg"},
            'landingZone.kmsKeys.us-east-1: "alias/alb-sg" is not allowed here.',
        ),
        (
            "boundary",
            "x",
            'landingZone: unknown key "boundary"; known are codeSigning, kmsKeys, permissionsBoundary, rolePath,',
        ),
    ],
)
def test_a_mistake_is_one_sentence_that_says_where_and_what(
    option: str, value: object, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = {**WHOLE, "landingZone": {**OPTIONS, option: value}}
    arguments = ["--rules", str(RULES), "--config", str(write(content, tmp_path)), "--output", str(tmp_path / "dist")]
    assert main(["pack", *arguments]) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert not (tmp_path / "dist").exists()


def test_units_get_the_pack_through_a_stack_set(tmp_path: Path) -> None:
    settings = settings_of(with_units(LANDING_ZONE), tmp_path)
    files = {name: yaml.safe_load(text) for name, text in render_templates(settings, ARTIFACT).items()}
    assert not [name for name in files if name.startswith("organization-")]
    assert {"stack-set-conformance-pack.yaml", "stack-set-conformance-pack.me-central-1.yaml"} <= set(files)
    made = files["stack-set-conformance-pack.yaml"]
    [pack] = of_type(made, "AWS::Config::ConformancePack").values()
    request = Resolver(made, account=MEMBERS[0], region="eu-central-1")(pack)
    assert problems("PutConformancePack", request) == []
    assert request["ConformancePackInputParameters"] == [
        {"ParameterName": "CentralAccountId", "ParameterValue": CENTRAL}
    ]
    assert yaml.safe_load(pack["TemplateBody"]) == files["conformance-pack.yaml"]


def test_the_commands_for_units(tmp_path: Path) -> None:
    settings = settings_of(with_units(WHOLE), tmp_path)
    remarks = list(stack_set_remarks(settings, render_templates(settings, ARTIFACT), Path("dist/0.2.0")))
    assert "--call-as DELEGATED_ADMIN" in remarks[0]
    # No StackSet deploys the functions.
    assert "in this order, and central.yaml before the pack, which needs its functions" in remarks[0]
    commands = remarks[1:]
    targets = (
        """--deployment-targets '{"OrganizationalUnitIds": ["ou-ab12-c3d4e5f6", "r-ab12"], "Accounts": """
        """["089012345678"], "AccountFilterType": "DIFFERENCE"}'"""
    )
    assert [command.count(targets) for command in commands] == [1, 1, 1, 1]
    names = [command.split("--stack-set-name ")[1].split()[0] for command in commands]
    regions = [command.split("--regions ")[1].split(" --")[0] for command in commands]
    # Roles are global. Documents come before the pack, which refers to them.
    assert list(zip(names, regions, strict=True)) == [
        ("alb-sg-member", "eu-central-1"),
        ("alb-sg-documents", "eu-central-1 us-east-1 me-central-1"),
        ("alb-sg-stack-set-conformance-pack", "eu-central-1 us-east-1"),
        ("alb-sg-stack-set-conformance-pack-me-central-1", "me-central-1"),
    ]
    assert [name for name, command in zip(names, commands, strict=True) if "CAPABILITY_NAMED_IAM" in command] == names[
        :1
    ]
    # CloudFormation refuses the documents in a request: they go through the bucket.
    bucket = f"alb-sg-{CENTRAL}-eu-central-1"
    upload = f"aws s3 cp --region eu-central-1 dist/0.2.0/documents.yaml s3://{bucket}/alb-sg/documents.yaml && "
    assert [name for name, command in zip(names, commands, strict=True) if command.startswith(upload)] == names[1:2]
    address = f"--template-url https://{bucket}.s3.eu-central-1.amazonaws.com/alb-sg/documents.yaml"
    assert [command.count(address) for command in commands] == [0, 1, 0, 0]
    files = ["member.yaml", "stack-set-conformance-pack.yaml", "stack-set-conformance-pack.me-central-1.yaml"]
    assert [command.split("file://")[1].split()[0] for command in commands if "file://" in command] == [
        f"dist/0.2.0/{name}" for name in files
    ]


def test_units_and_listed_accounts_contradict_each_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    organization = {
        "delegatedAdministrator": CENTRAL,
        "memberAccounts": ["089012345678"],
        "organizationalUnits": ["r-ab12"],
    }
    path = write({**ORGANIZATION, "organization": organization}, tmp_path)
    assert main(["pack", "--rules", str(RULES), "--config", str(path), "--output", str(tmp_path / "dist")]) == 2
    assert (
        "organization: has both organizationalUnits and memberAccounts; name the accounts, or"
        in capsys.readouterr().err
    )
