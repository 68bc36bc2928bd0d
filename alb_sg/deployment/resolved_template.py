"""A template's resources as another tool makes them: without CloudFormation's functions, for one region.

Names are fixed in the settings, so every ARN is known beforehand. The account and the partition are placeholders in the
text, which the other tool replaces.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from alb_sg.deployment.intrinsics import Template

ACCOUNT = "__ACCOUNT__"
PARTITION = "__PARTITION__"

# The properties that name a resource.
NAME_PROPERTIES = {
    "AWS::Config::ConfigRule": "ConfigRuleName",
    "AWS::IAM::Role": "RoleName",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::SQS::Queue": "QueueName",
}


def resolve_template(template: Mapping[str, Any], region: str, parameters: Mapping[str, str]) -> Template:
    """The resources that exist in the region: their type and properties by logical id.

    Raises KeyError for a parameter without a value.
    """
    return _Resolver(template, region, parameters).resources()


class _Resolver:
    def __init__(self, template: Mapping[str, Any], region: str, parameters: Mapping[str, str]) -> None:
        self._template = template
        self._region = region
        defaults = {name: one["Default"] for name, one in template.get("Parameters", {}).items() if "Default" in one}
        self._values = {
            "AWS::AccountId": ACCOUNT,
            "AWS::Partition": PARTITION,
            "AWS::Region": region,
            **defaults,
            **parameters,
        }

    def resources(self) -> Template:
        return {
            name: {"Type": resource["Type"], "Properties": self._resolve(resource.get("Properties", {}))}
            for name, resource in self._template["Resources"].items()
            if "Condition" not in resource or self._holds(resource["Condition"])
        }

    def _resolve(self, value: Any) -> Any:
        match value:
            case {"Ref": name} if len(value) == 1:
                return self._reference(name)
            case {"Fn::Sub": text} if len(value) == 1:
                return re.sub(r"\$\{([^}]+)\}", lambda found: str(self._reference(found[1])), text)
            case {"Fn::GetAtt": [name, "Arn"]} if len(value) == 1:
                return self._arn(name)
            case {"Fn::If": [condition, then, otherwise]} if len(value) == 1:
                return self._resolve(then if self._holds(condition) else otherwise)
            case {"Fn::FindInMap": [mapping, key, entry]} if len(value) == 1:
                return self._template["Mappings"][mapping][self._resolve(key)][entry]
            case dict():
                return dict(self._members(value))
            case list():
                return [self._resolve(member) for member in value]
        return value

    def _members(self, value: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        for name, member in value.items():
            if member != {"Ref": "AWS::NoValue"}:
                yield name, self._resolve(member)

    def _reference(self, name: str) -> Any:
        if name in self._template["Resources"]:
            return self._name(name)
        return self._values[name]

    def _holds(self, condition: str) -> bool:
        match self._template["Conditions"][condition]:
            case {"Fn::Equals": [one, other]}:
                return bool(self._resolve(one) == self._resolve(other))
            case {"Fn::Not": [{"Fn::Equals": [one, other]}]}:
                return bool(self._resolve(one) != self._resolve(other))
        raise ValueError(f"{condition} is a condition that no template has")

    def _name(self, logical_id: str) -> str:
        resource = self._template["Resources"][logical_id]
        return str(self._resolve(resource["Properties"][NAME_PROPERTIES[resource["Type"]]]))

    def _arn(self, logical_id: str) -> str:
        resource = self._template["Resources"][logical_id]
        name = self._name(logical_id)
        match resource["Type"]:
            case "AWS::IAM::Role":
                return f"arn:{PARTITION}:iam::{ACCOUNT}:role{resource['Properties'].get('Path', '/')}{name}"
            case "AWS::Lambda::Function":
                return f"arn:{PARTITION}:lambda:{self._region}:{ACCOUNT}:function:{name}"
            case "AWS::SQS::Queue":
                return f"arn:{PARTITION}:sqs:{self._region}:{ACCOUNT}:{name}"
        raise ValueError(f"{resource['Type']} has no ARN that is known beforehand")
