"""CloudFormation's own functions, as far as the templates use them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Template = dict[str, Any]

FORMAT_VERSION = "2010-09-09"
POLICY_VERSION = "2012-10-17"


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
    """The condition that a parameter is not empty."""
    return {"Fn::Not": [{"Fn::Equals": [ref(parameter), ""]}]}


def policy_document(statements: Iterable[Template]) -> Template:
    return {"Version": POLICY_VERSION, "Statement": list(statements)}
