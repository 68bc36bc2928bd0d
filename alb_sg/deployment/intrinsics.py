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


def no_value() -> Template:
    return ref("AWS::NoValue")


def is_not_empty(parameter: str) -> Template:
    """The condition that the parameter is not empty."""
    return {"Fn::Not": [{"Fn::Equals": [ref(parameter), ""]}]}


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


def template_text(template: Mapping[str, Any]) -> str:
    return MADE_BY + to_yaml(template)
