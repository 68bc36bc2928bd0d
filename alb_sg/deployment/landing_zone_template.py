"""Applies the landing-zone options to a template, generated or hand-written.

Every template goes through `apply_landing_zone` before it is written or deployed. So no module that makes resources
needs to know the options, except for the path in a role's ARN (`Settings.role_resource`).
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from typing import Any

from alb_sg.deployment.intrinsics import Template, allow, own_arn, policy_document, ref, tag_list
from alb_sg.deployment.landing_zone import ROOT_PATH, SIGNED_PREFIX, LandingZone, signed_key
from alb_sg.deployment.settings import Settings

# The types of the templates that take tags in CloudFormation. AWS::Config::ConfigRule takes none.
TAGGED_TYPES = frozenset(
    {
        "AWS::CloudWatch::Alarm",
        "AWS::Config::ConfigurationAggregator",
        "AWS::Config::ConformancePack",
        "AWS::Config::OrganizationConformancePack",
        "AWS::Events::EventBus",
        "AWS::Events::Rule",
        "AWS::IAM::Role",
        "AWS::KMS::Key",
        "AWS::Lambda::Function",
        "AWS::Logs::LogGroup",
        "AWS::S3::Bucket",
        "AWS::SNS::Topic",
        "AWS::SQS::Queue",
        "AWS::SSM::Document",
        "AWS::StepFunctions::StateMachine",
    }
)
# The property that takes a KMS key.
KEY_PROPERTIES = {
    "AWS::Logs::LogGroup": "KmsKeyId",
    "AWS::SNS::Topic": "KmsMasterKeyId",
    "AWS::SQS::Queue": "KmsMasterKeyId",
}
MAPPING = "LandingZone"
KEY, SUBNETS, SECURITY_GROUPS = "KmsKeyArn", "SubnetIds", "SecurityGroupIds"
CODE_SIGNING = "CodeSigningConfigArn"
POLICY_NAME = "landing-zone"
# Services whose roles write to queues and buckets of the templates.
KEY_USERS = frozenset({"lambda.amazonaws.com", "states.amazonaws.com"})
# "Connecting Lambda functions to a VPC" (Lambda developer guide): what the execution role needs.
NETWORK_ACTIONS = (
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
)


def apply_landing_zone(settings: Settings, template: Mapping[str, Any]) -> Template:
    """A copy of the template with the options on every resource that they concern."""
    zone = settings.landing_zone
    changed: Template = copy.deepcopy(dict(template))
    if zone.kms_keys:
        # A template's own key encrypts what the customer managed key encrypts now.
        changed["Resources"] = {
            name: resource for name, resource in changed["Resources"].items() if resource["Type"] != "AWS::KMS::Key"
        }
    for resource in changed["Resources"].values():
        properties = resource.setdefault("Properties", {})
        kind = resource["Type"]
        if kind in TAGGED_TYPES and zone.tags:
            properties["Tags"] = [*properties.get("Tags", ()), *tag_list(zone.tags)]
        if kind == "AWS::IAM::Role":
            _change_role(zone, properties)
        if kind == "AWS::Logs::LogGroup":
            properties["RetentionInDays"] = settings.log_retention_days
        if kind == "AWS::Lambda::Function" and zone.networks:
            properties["VpcConfig"] = {SUBNETS: _of_region(SUBNETS), SECURITY_GROUPS: _of_region(SECURITY_GROUPS)}
        if kind == "AWS::Lambda::Function" and zone.code_signing:
            properties[CODE_SIGNING] = _of_region(CODE_SIGNING)
            properties["Code"]["S3Key"] = _signed(properties["Code"]["S3Key"])
        if zone.kms_keys:
            _encrypt(kind, properties)
    if json.dumps(_of_region("")["Fn::FindInMap"][:1])[:-1] in json.dumps(changed["Resources"]):
        changed["Mappings"] = {**changed.get("Mappings", {}), MAPPING: _mapping(settings)}
    return changed


def _change_role(zone: LandingZone, properties: Template) -> None:
    if zone.role_path != ROOT_PATH:
        properties["Path"] = zone.role_path
    if zone.permissions_boundary is not None:
        name = zone.permissions_boundary
        is_arn = name.startswith("arn:")
        properties["PermissionsBoundary"] = name if is_arn else own_arn("iam", f"policy/{name}", "")
    statements = list(_service_statements(zone, properties["AssumeRolePolicyDocument"]))
    if statements:
        policy = {"PolicyName": POLICY_NAME, "PolicyDocument": policy_document(statements)}
        properties["Policies"] = [*properties.get("Policies", ()), policy]


def _service_statements(zone: LandingZone, trust: Mapping[str, Any]) -> list[Template]:
    """What functions and state machines need in addition, by the service that the role trusts."""
    services = {statement["Principal"].get("Service") for statement in trust["Statement"]}
    statements: list[Template] = []
    if "lambda.amazonaws.com" in services and zone.networks:
        # Lambda creates the interfaces. IAM cannot narrow all of these actions to a subnet.
        statements.append(allow("ManageNetworkInterfaces", NETWORK_ACTIONS, "*"))
    if services & KEY_USERS and zone.kms_keys:
        statements.append(allow("UseKeys", ["kms:Decrypt", "kms:GenerateDataKey"], sorted(set(zone.kms_keys.values()))))
    return statements


def _encrypt(kind: str, properties: Template) -> None:
    if kind in KEY_PROPERTIES:
        properties[KEY_PROPERTIES[kind]] = _of_region(KEY)
        # SQS refuses both kinds of encryption together.
        properties.pop("SqsManagedSseEnabled", None)
    elif kind == "AWS::S3::Bucket":
        by_default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": _of_region(KEY)}
        rule = {"ServerSideEncryptionByDefault": by_default, "BucketKeyEnabled": True}
        properties["BucketEncryption"] = {"ServerSideEncryptionConfiguration": [rule]}


def _of_region(name: str) -> Template:
    return {"Fn::FindInMap": [MAPPING, ref("AWS::Region"), name]}


def _signed(key: object) -> object:
    """The key of the signed copy; a hand-written template has the artifact's key as a parameter."""
    return signed_key(key) if isinstance(key, str) else {"Fn::Join": ["", [SIGNED_PREFIX, key]]}


def _mapping(settings: Settings) -> Template:
    zone = settings.landing_zone
    mapping: Template = {region: {} for region in settings.regions}
    for region, values in mapping.items():
        if zone.kms_keys:
            values[KEY] = zone.kms_keys[region]
        if zone.code_signing:
            values[CODE_SIGNING] = zone.code_signing[region]
        if zone.networks:
            values[SUBNETS] = list(zone.networks[region].subnets)
            values[SECURITY_GROUPS] = list(zone.networks[region].security_groups)
    return mapping
