"""The files for Landing Zone Accelerator and for Customizations for Control Tower.

Their shapes are those of the tools' own sources: `ICustomRuleConfigType` of the Accelerator, and
`manifest-v2.schema.yaml` of the Customizations. Neither tool runs here.
"""

from __future__ import annotations

import io
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from alb_sg.config_rule.iam_actions import evaluation_actions
from alb_sg.deployment.__main__ import main
from alb_sg.deployment.control_tower import control_tower_files
from alb_sg.deployment.landing_zone_accelerator import FOLDER, accelerator_files
from alb_sg.deployment.template_files import render_templates
from alb_sg.parameters import Source
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME
from tests.deployment.deployments import ARTIFACT, CENTRAL, ORGANIZATION, RULES, SHIPPED, WHOLE, settings_of, write

TEXT = {"type": "string", "minLength": 1}
RULE_SHAPE: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name", "type", "customRule"],
    "properties": {
        "name": TEXT,
        "type": {"const": "Custom"},
        "description": TEXT,
        "inputParameters": {"type": "object", "additionalProperties": TEXT},
        "tags": {"type": "array"},
        "customRule": {
            "type": "object",
            "additionalProperties": False,
            "required": ["lambda", "maximumExecutionFrequency", "triggeringResources"],
            "properties": {
                "lambda": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["sourceFilePath", "handler", "runtime", "rolePolicyFile"],
                    "properties": {
                        **dict.fromkeys(("sourceFilePath", "handler", "runtime", "rolePolicyFile"), TEXT),
                        "timeout": {"type": "integer", "maximum": 900},
                    },
                },
                "periodic": {"type": "boolean"},
                "maximumExecutionFrequency": TEXT,
                "configurationChanges": {"type": "boolean"},
                "triggeringResources": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["lookupType", "lookupKey", "lookupValue"],
                    "properties": {
                        "lookupType": {"enum": ["ResourceId", "Tag", "ResourceTypes"]},
                        "lookupKey": TEXT,
                        "lookupValue": {"type": "array", "items": TEXT},
                    },
                },
            },
        },
    },
}
MANIFEST_RESOURCE = {"name", "resource_file", "deploy_method", "deployment_targets", "regions"}


@pytest.mark.parametrize("content", [SHIPPED, WHOLE], ids=["shipped", "whole"])
def test_the_accelerator_gets_every_rule_with_its_policy(content: dict[str, Any], tmp_path: Path) -> None:
    settings = settings_of(content, tmp_path)
    files = {name.removeprefix(f"{FOLDER}/"): text for name, text in accelerator_files(settings, ARTIFACT).items()}
    [rule_set] = yaml.safe_load(files["security-config.yaml"])["awsConfig"]["ruleSets"]
    assert [rule["name"] for rule in rule_set["rules"]] == [rule.name for rule in settings.rules]
    for said, rule in zip(rule_set["rules"], settings.rules, strict=True):
        assert [error.message for error in Draft202012Validator(RULE_SHAPE).iter_errors(said)] == []
        function = said["customRule"]["lambda"]
        assert function["sourceFilePath"].endswith(f"/{ARTIFACT.name}")
        assert said["inputParameters"]["AssumeRoleMode"] == "false"
        assert said["customRule"]["triggeringResources"]["lookupValue"] == list(settings.resource_types(rule, None))
        policy = json.loads(files[function["rolePolicyFile"]])
        granted = {action for one in policy["Statement"] for action in one["Action"]}
        assert set(evaluation_actions(RECOMMENDATIONS_BY_NAME[rule.name], Source.LIVE)) <= granted
        assert "__" not in files[function["rolePolicyFile"]]
        # The documents would refuse a rule whose function has a name that they do not know.
        assert "remediation" not in said


@pytest.mark.parametrize("content", [ORGANIZATION, WHOLE], ids=["organization", "whole"])
def test_the_manifest_deploys_every_template_in_order(content: dict[str, Any], tmp_path: Path) -> None:
    settings = settings_of(content, tmp_path)
    [text] = control_tower_files(settings).values()
    manifest = yaml.safe_load(text)
    # The format's own version, which is a date and not a text.
    assert (manifest["region"], manifest["version"]) == (settings.home_region, date(2021, 3, 15))
    files = [resource["resource_file"].removeprefix("templates/") for resource in manifest["resources"]]
    documents = ["documents.yaml"] if settings.has_remediation else []
    packs = ["organization-conformance-pack.yaml"]
    packs += [f"organization-conformance-pack.{region}.yaml" for region in settings.excluded_types]
    assert files == ["member.yaml", "central.yaml", *documents, *packs]
    assert set(files) <= set(render_templates(settings, ARTIFACT))
    for resource in manifest["resources"]:
        assert set(resource) == MANIFEST_RESOURCE
        assert resource["deploy_method"] == "stack_set"
    by_file = dict(zip(files, manifest["resources"], strict=True))
    assert by_file["central.yaml"]["deployment_targets"] == {"accounts": [CENTRAL]}
    assert by_file["central.yaml"]["regions"][0] == settings.home_region
    assert by_file["member.yaml"]["regions"] == [settings.home_region]
    regions = [region for name, resource in by_file.items() if "pack" in name for region in resource["regions"]]
    assert sorted(regions) == sorted(settings.regions)


def test_an_account_with_a_leading_zero_stays_a_text(tmp_path: Path) -> None:
    content = {**ORGANIZATION, "organization": {"delegatedAdministrator": "089012345678"}}
    reader = YAML(typ="safe", pure=True)
    reader.version = (1, 2)
    [text] = control_tower_files(settings_of(content, tmp_path)).values()
    accounts = reader.load(io.StringIO(text))["resources"][1]["deployment_targets"]["accounts"]
    assert accounts == ["089012345678"]


@pytest.mark.slow
def test_pack_writes_them_and_no_manifest_without_an_organization(tmp_path: Path) -> None:
    for content, written in ((SHIPPED, False), (ORGANIZATION, True)):
        folder = tmp_path / str(written)
        arguments = ["--rules", str(RULES), "--config", str(write(content, tmp_path)), "--output", str(folder)]
        assert main(["pack", *arguments]) == 0
        assert (folder / FOLDER / "security-config.yaml").is_file()
        assert (folder / "control-tower" / "manifest.yaml").is_file() is written
