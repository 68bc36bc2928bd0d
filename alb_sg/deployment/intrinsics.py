"""Building blocks of a template: CloudFormation's intrinsic functions, policies, roles, and a template's text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from alb_sg.ssm_documents.yaml_text import to_yaml

Template = dict[str, Any]

FORMAT_VERSION = "2010-09-09"
POLICY_VERSION = "2012-10-17"

MADE_BY = (
    "# Made from rdk-config.json and rules/*/parameters.json by `python -m alb_sg.deployment pack`; do not edit.\n"
)


def sub(text: str) -> Template:
    return {"Fn::Sub": text}


def ref(name: str) -> Template:
    return {"Ref": name}


def arn_of(logical_id: str) -> Template:
    return {"Fn::GetAtt": [logical_id, "Arn"]}


def fn_if(condition: str, then: Any, otherwise: Any) -> Template:
    return {"Fn::If": [condition, then, otherwise]}


def own_arn(service: str, resource: str, region: str = "*") -> Template:
    """The ARN of a resource of the stack's account, in every region unless one is named."""
    return sub(f"arn:${{AWS::Partition}}:{service}:{region}:${{AWS::AccountId}}:{resource}")


def tag_list(tags: Mapping[str, str]) -> list[Template]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def text_parameter(description: str, pattern: str, default: str | None) -> Template:
    """A parameter of a template; required if the default is None."""
    parameter = {"Type": "String", "Description": description, "AllowedPattern": pattern}
    return parameter if default is None else {**parameter, "Default": default}


def allow(sid: str, actions: Iterable[str], resources: object, condition: Template | None = None) -> Template:
    """A statement that allows actions on resources, under a condition if there is one."""
    statement = {"Sid": sid, "Effect": "Allow", "Action": list(actions), "Resource": resources}
    return {**statement, "Condition": condition} if condition else statement


def policy_document(statements: Iterable[Template]) -> Template:
    return {"Version": POLICY_VERSION, "Statement": list(statements)}


def role(name: str, description: str, trust: Template, policy_name: str, statements: Iterable[Template]) -> Template:
    """A role with one inline policy. `trust` is the statement that says who may assume it."""
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "RoleName": name,
            "Description": description,
            "AssumeRolePolicyDocument": policy_document([trust]),
            "Policies": [{"PolicyName": policy_name, "PolicyDocument": policy_document(statements)}],
        },
    }


def make_template(
    description: str,
    resources: Template,
    *,
    parameters: Template | None = None,
    rules: Template | None = None,
    conditions: Template | None = None,
) -> Template:
    """A template without the sections that are empty."""
    sections = {"Parameters": parameters, "Rules": rules, "Conditions": conditions}
    return {
        "AWSTemplateFormatVersion": FORMAT_VERSION,
        "Description": description,
        **{name: section for name, section in sections.items() if section},
        "Resources": resources,
    }


def template_text(template: Mapping[str, Any]) -> str:
    return MADE_BY + to_yaml(template)
