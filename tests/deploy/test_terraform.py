"""The Terraform modules: parsed, held against the provider's schema, and side by side with the templates.

Terraform itself runs nowhere here. What it would create is in terraform.json, which the modules translate.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hcl2
import pytest
import yaml

from alb_sg.deployment.template_files import render_templates
from alb_sg.deployment.terraform import terraform_file
from tests.deploy.templates import DEPLOY
from tests.deploy.terraform_provider import Block, provider_block
from tests.deployment.deployments import ARTIFACT, CENTRAL, ORGANIZATION, SHIPPED, Resolver, settings_of

pytestmark = pytest.mark.slow

MODULES = DEPLOY / "terraform"
FILES = sorted(MODULES.rglob("*.tf"))
# Blocks and arguments of the language itself.
LANGUAGE = frozenset({"for_each", "count", "depends_on", "lifecycle", "provider", "dynamic"})

# The Terraform type of each CloudFormation type in stack.yaml and central.yaml, and where it is.
SIDE_BY_SIDE = {
    "AWS::CloudWatch::Alarm": ("functions", "aws_cloudwatch_metric_alarm"),
    "AWS::Config::ConfigRule": ("account", "aws_config_config_rule"),
    "AWS::Config::RemediationConfiguration": ("account", "aws_config_remediation_configuration"),
    "AWS::IAM::Role": ("functions", "aws_iam_role"),
    "AWS::Lambda::EventInvokeConfig": ("functions", "aws_lambda_function_event_invoke_config"),
    "AWS::Lambda::Function": ("functions", "aws_lambda_function"),
    "AWS::Lambda::Permission": ("functions", "aws_lambda_permission"),
    "AWS::Logs::LogGroup": ("functions", "aws_cloudwatch_log_group"),
    "AWS::SQS::Queue": ("functions", "aws_sqs_queue"),
    "AWS::SSM::Document": ("account", "aws_ssm_document"),
}
# Read by another resource, or what Terraform always does.
ELSEWHERE = {
    ("AWS::IAM::Role", "Policies"): "aws_iam_role_policy",
    ("AWS::SSM::Document", "UpdateMethod"): None,
}
EVERYTHING: dict[str, Any] = {
    **ORGANIZATION,
    "regions": ["eu-central-1", "us-east-1"],
    "alarmTopic": "platform-security",
    "reservedConcurrency": 5,
    "maximumEventAgeSeconds": 3600,
    "rules": {
        "ALB_SG_ICMP_PMTUD": {"remediation": {"mode": "automatic"}},
        "ALB_SG_LISTENER_INGRESS": {"parameters": {"AcceptedSources": "10.0.0.0/8"}},
    },
    "landingZone": {
        "tags": {"CostCenter": "1234"},
        "permissionsBoundary": "Boundary",
        "rolePath": "/platform/",
        "vpc": {
            region: {"subnets": ["subnet-0a1b2c3d"], "securityGroups": ["sg-0a1b2c3d"]}
            for region in ("eu-central-1", "us-east-1")
        },
        "kmsKeys": {
            region: f"arn:aws:kms:{region}:{CENTRAL}:key/mrk-0a1b2c3d" for region in ("eu-central-1", "us-east-1")
        },
    },
}


def parsed(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = hcl2.loads(path.read_text(encoding="utf-8"))
    return found


def unquoted(block: dict[str, Any]) -> dict[str, Any]:
    """Without the parser's own keys and quotes."""
    return {name.strip('"'): said for name, said in block.items() if not name.startswith("__")}


def blocks(kind: str) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """Module, type, name and body of every block of a kind."""
    for path in FILES:
        for block in parsed(path).get(kind, []):
            for resource, named in unquoted(block).items():
                for name, body in unquoted(named).items():
                    yield path.parent.name, resource, name, unquoted(body)


def check(body: dict[str, Any], schema: Block, place: str) -> None:
    """Every argument and block is in the schema, and everything required is there, at any depth."""
    given = dict(body)
    for dynamic in given.pop("dynamic", []):
        for name, said in unquoted(dynamic).items():
            given.setdefault(name, []).extend(said["content"])
    names = {name for name in given if name not in LANGUAGE}
    assert names <= schema.arguments, f"{place}: {names - schema.arguments}"
    assert schema.required <= names, f"{place}: {schema.required - names}"
    for name in names & set(schema.blocks):
        # A block, and not an argument with a value of the same name.
        assert isinstance(given[name], list), f"{place}.{name}"
        for nested in given[name]:
            check(unquoted(nested), schema.blocks[name], f"{place}.{name}")


def test_every_file_parses() -> None:
    assert len(FILES) == 10
    for path in FILES:
        assert parsed(path), path


@pytest.mark.parametrize("kind", ["resource", "data"])
def test_every_type_and_argument_is_in_the_providers_schema(kind: str) -> None:
    found = list(blocks(kind))
    assert found
    for module, resource, name, body in found:
        check(body, provider_block(resource, data=kind == "data"), f"{module}: {resource}.{name}")


def test_the_schema_refuses_unknown_settings() -> None:
    """Else the test above could not fail."""
    schema = provider_block("aws_sqs_queue")
    wrong: list[dict[str, Any]] = [{"names": "x"}, {"redrive": [{}]}]
    for body in wrong:
        with pytest.raises(AssertionError):
            check(body, schema, "aws_sqs_queue")
    with pytest.raises(AssertionError, match="role"):
        check({"policy": "{}"}, provider_block("aws_iam_role_policy"), "aws_iam_role_policy")
    with pytest.raises(KeyError):
        provider_block("aws_queue")


def test_references_name_existing_resources() -> None:
    """Variables, locals, resources, data sources and modules, each in its own module."""
    for folder in {path.parent for path in FILES}:
        paths = [path for path in FILES if path.parent == folder]
        files = [parsed(path) for path in paths]
        text = "\n".join(re.sub(r"#.*", "", path.read_text(encoding="utf-8")) for path in paths)
        declared = {f"var.{unquote}" for file in files for one in file.get("variable", []) for unquote in unquoted(one)}
        declared |= {f"local.{name}" for file in files for one in file.get("locals", []) for name in unquoted(one)}
        declared |= {f"module.{name}" for file in files for one in file.get("module", []) for name in unquoted(one)}
        for kind, prefix in (("resource", ""), ("data", "data.")):
            declared |= {
                f"{prefix}{resource}.{name}" for module, resource, name, _ in blocks(kind) if module == folder.name
            }
        used = set(re.findall(r"\b(?:var|local|module)\.[a-z_]+|\b(?:data\.)?aws_[a-z_]+\.[a-z_]+", text))
        assert {name for name in used if name not in declared} == set(), folder.name
        assert {name for name in declared if name.startswith(("var.", "local."))} <= used, folder.name


def test_a_module_gives_another_every_variable() -> None:
    for folder in (MODULES / "account", MODULES / "organization"):
        [module] = parsed(folder / "main.tf")["module"]
        body = unquoted(unquoted(module)["functions"])
        assert body["source"].strip('"') == "../functions"
        asked = {name for one in parsed(MODULES / "functions" / "variables.tf")["variable"] for name in unquoted(one)}
        assert set(body) - {"source"} - LANGUAGE == asked


@pytest.fixture(params=[SHIPPED, EVERYTHING], ids=["shipped", "everything"])
def content(request: pytest.FixtureRequest) -> dict[str, Any]:
    found: dict[str, Any] = request.param
    return found


def test_every_resource_of_the_templates_with_the_same_properties(content: dict[str, Any], tmp_path: Path) -> None:
    """CloudFormation's functions worked out a second time, by the tests' own resolver."""
    settings = settings_of(content, tmp_path)
    deployment = json.loads(terraform_file(settings, ARTIFACT))
    files = {name: yaml.safe_load(text) for name, text in render_templates(settings, ARTIFACT).items()}
    for part, names in (("account", ["stack.yaml"]), ("functions", ["central.yaml"])):
        if part == "account" and settings.has_remediation:
            names.append("documents.yaml")
        assert list(deployment[part]) == list(settings.regions)
        for region, resources in deployment[part].items():
            expected: dict[str, Any] = {}
            for name in names:
                made = files[name]
                resolve = Resolver(made, account=CENTRAL, region=region, CentralAccountId=CENTRAL)
                expected |= {
                    logical_id: resource["Type"]
                    for logical_id, resource in made["Resources"].items()
                    if "Condition" not in resource or resolve.holds(made["Conditions"][resource["Condition"]])
                }
            assert {logical_id: said["Type"] for logical_id, said in resources.items()} == expected
            text = json.dumps({name: said for name, said in resources.items() if "Document" not in said["Type"]})
            assert not re.search(r'"Fn::|"Ref"|\$\{', text)
    # A function's own properties, as CloudFormation would have them.
    stack = files["stack.yaml"]
    function = stack["Resources"]["IcmpPmtudFunction"]["Properties"]
    region = settings.home_region
    stated = json.dumps(deployment["account"][region]["IcmpPmtudFunction"]["Properties"])
    stated = stated.replace("__ACCOUNT__", CENTRAL).replace("__PARTITION__", "aws")
    resolved = Resolver({**stack, "Conditions": stack.get("Conditions", {})}, account=CENTRAL, region=region)(function)
    ours = json.loads(stated)
    for name in ("FunctionName", "Handler", "Runtime", "Code", "MemorySize", "Timeout", "Environment", "Tags"):
        assert ours[name] == resolved[name], name


def test_every_property_becomes_an_argument(tmp_path: Path) -> None:
    deployment = json.loads(terraform_file(settings_of(EVERYTHING, tmp_path), ARTIFACT))
    bodies = {(module, kind): json.dumps(body) for module, kind, _, body in blocks("resource")}
    found: dict[str, set[str]] = {}
    for part in ("account", "functions"):
        for resources in deployment[part].values():
            for resource in resources.values():
                found.setdefault(resource["Type"], set()).update(resource["Properties"])
    assert set(found) == set(SIDE_BY_SIDE)
    for kind, properties in found.items():
        module, terraform_type = SIDE_BY_SIDE[kind]
        for name in properties:
            read_by = ELSEWHERE.get((kind, name), terraform_type)
            if read_by is not None:
                assert f"Properties.{name}" in bodies[module, read_by], (kind, name)


def test_the_organization_has_the_files_that_the_module_reads(tmp_path: Path) -> None:
    text = (MODULES / "organization" / "main.tf").read_text(encoding="utf-8")
    wanted = set(re.findall(r'"\$\{var\.dist\}/([a-z.-]+)"', text))
    assert wanted == {"terraform.json", "member.yaml", "documents.yaml", "conformance-pack.yaml"}
    files = render_templates(settings_of(ORGANIZATION, tmp_path), ARTIFACT)
    assert wanted - {"terraform.json"} <= set(files)
    # The parameters that the module gives are those that the templates ask for without a default.
    for name in ("member.yaml", "documents.yaml", "conformance-pack.yaml"):
        assert "CentralAccountId" in yaml.safe_load(files[name])["Parameters"], name


def test_stack_sets_have_the_tags_of_the_settings(tmp_path: Path) -> None:
    """An organization may deny stacks without them. The command of `pack` gives the same ones."""
    deployment = json.loads(terraform_file(settings_of(EVERYTHING, tmp_path), ARTIFACT))
    assert deployment["tags"] == EVERYTHING["landingZone"]["tags"]
    text = (MODULES / "organization" / "main.tf").read_text(encoding="utf-8")
    assert "merge(local.deployment.tags, var.tags)" in text
    found = [body for module, kind, _, body in blocks("resource") if kind == "aws_cloudformation_stack_set"]
    assert len(found) == 2
    assert {body["tags"] for body in found} == {"${local.tags}"}
