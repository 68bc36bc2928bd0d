"""A template's resources as another tool makes them: without CloudFormation's functions, for one region.

Names are fixed in the settings, so every ARN is known beforehand. The account and the partition are placeholders in the
text, which the other tool replaces.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
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
    defaults = {name: one["Default"] for name, one in template.get("Parameters", {}).items() if "Default" in one}
    pseudo = {"AWS::AccountId": ACCOUNT, "AWS::Partition": PARTITION, "AWS::Region": region}
    resolver = _Resolver(template, {**pseudo, **defaults, **parameters})
    return {
        name: {"Type": resource["Type"], "Properties": resolver.resolve(resource.get("Properties", {}))}
        for name, resource in template["Resources"].items()
        if "Condition" not in resource or resolver.holds(resource["Condition"])
    }


@dataclass(frozen=True, slots=True)
class _Resolver:
    """A template and the values of its parameters, pseudo parameters included."""

    template: Mapping[str, Any]
    values: Mapping[str, str]

    def resolve(self, value: Any) -> Any:
        match value:
            case {"Ref": name} if len(value) == 1:
                return self._reference(name)
            case {"Fn::Sub": text} if len(value) == 1:
                return re.sub(r"\$\{([^}]+)\}", lambda found: str(self._reference(found[1])), text)
            case {"Fn::GetAtt": [name, "Arn"]} if len(value) == 1:
                return self._arn(name)
            case {"Fn::If": [condition, then, otherwise]} if len(value) == 1:
                return self.resolve(then if self.holds(condition) else otherwise)
            case {"Fn::FindInMap": [mapping, key, entry]} if len(value) == 1:
                return self.template["Mappings"][mapping][self.resolve(key)][entry]
            case dict():
                members = ((name, member) for name, member in value.items() if member != {"Ref": "AWS::NoValue"})
                return {name: self.resolve(member) for name, member in members}
            case list():
                return [self.resolve(member) for member in value]
        return value

    def _reference(self, name: str) -> Any:
        return self._name(name) if name in self.template["Resources"] else self.values[name]

    def holds(self, condition: str) -> bool:
        match self.template["Conditions"][condition]:
            case {"Fn::Equals": [one, other]}:
                return bool(self.resolve(one) == self.resolve(other))
            case {"Fn::Not": [{"Fn::Equals": [one, other]}]}:
                return bool(self.resolve(one) != self.resolve(other))
        raise ValueError(f"{condition} is a condition that no template has")

    def _name(self, logical_id: str) -> str:
        resource = self.template["Resources"][logical_id]
        return str(self.resolve(resource["Properties"][NAME_PROPERTIES[resource["Type"]]]))

    def _arn(self, logical_id: str) -> str:
        resource = self.template["Resources"][logical_id]
        name = self._name(logical_id)
        match resource["Type"]:
            case "AWS::IAM::Role":
                return f"arn:{PARTITION}:iam::{ACCOUNT}:role{resource['Properties'].get('Path', '/')}{name}"
            case "AWS::Lambda::Function":
                return f"arn:{PARTITION}:lambda:{self.values['AWS::Region']}:{ACCOUNT}:function:{name}"
            case "AWS::SQS::Queue":
                return f"arn:{PARTITION}:sqs:{self.values['AWS::Region']}:{ACCOUNT}:{name}"
        raise ValueError(f"{resource['Type']} has no ARN that is known beforehand")
