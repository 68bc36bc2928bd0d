"""The IAM policies of every template, with CloudFormation's functions replaced as far as a policy checker needs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

PSEUDO_PARAMETERS = {
    "AWS::Partition": "aws",
    "AWS::AccountId": "111122223333",
    "AWS::Region": "us-east-1",
    "AWS::URLSuffix": "amazonaws.com",
}
# The ARN of a resource, by its type.
ARNS = {
    "AWS::Config::ConfigurationAggregator": "arn:aws:config:us-east-1:111122223333:config-aggregator/sample",
    "AWS::Events::EventBus": "arn:aws:events:us-east-1:111122223333:event-bus/sample",
    "AWS::IAM::Role": "arn:aws:iam::111122223333:role/sample",
    "AWS::KMS::Key": "arn:aws:kms:us-east-1:111122223333:key/sample",
    "AWS::Lambda::Function": "arn:aws:lambda:us-east-1:111122223333:function:sample",
    "AWS::Logs::LogGroup": "arn:aws:logs:us-east-1:111122223333:log-group:sample:*",
    "AWS::S3::Bucket": "arn:aws:s3:::sample",
    "AWS::SNS::Topic": "arn:aws:sns:us-east-1:111122223333:sample",
    "AWS::SQS::Queue": "arn:aws:sqs:us-east-1:111122223333:sample",
    "AWS::StepFunctions::StateMachine": "arn:aws:states:us-east-1:111122223333:stateMachine:sample",
}
# Types whose `Ref` is their ARN.
REFERRED_BY_ARN = {"AWS::SNS::Topic", "AWS::StepFunctions::StateMachine"}
# The one parameter in a policy that is an ARN.
EVENT_BUS_PARAMETER = "CentralBusArn"
NAME = "sample"
# The templates split the locations of exemptions to drop `s3://` or `ssm:`.
LOCATION = "sample/sample"
PLACEHOLDER = re.compile(r"\$\{([^}!]+)\}")
POLICY_TYPES = {"AWS::IAM::ManagedPolicy", "AWS::IAM::Policy", "AWS::IAM::RolePolicy"}


def policies(template: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each identity policy with the logical id that it belongs to."""
    resources = template.get("Resources", {})
    samples = Samples({logical_id: resource["Type"] for logical_id, resource in resources.items()})
    for logical_id, resource in resources.items():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::IAM::Role":
            for number, inline in enumerate(properties.get("Policies", ())):
                # A policy that a condition leaves out is checked too.
                inline = inline.get("Fn::If", [None, inline])[1]
                yield f"{logical_id}.{number}", samples.resolve(inline["PolicyDocument"])
        elif resource["Type"] in POLICY_TYPES:
            yield logical_id, samples.resolve(properties["PolicyDocument"])


class Samples:
    """Replaces functions in a template with resources of these types: conditions by their first branch, the rest by
    samples."""

    def __init__(self, types: Mapping[str, str]) -> None:
        self._types = types

    def resolve(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self.resolve(one) for one in value]
        if not isinstance(value, dict):
            return value
        name, argument = next(iter(value.items()), ("", None))
        if name == "Ref" or name.startswith("Fn::"):
            return self._call(name, argument)
        return {name: self.resolve(one) for name, one in value.items()}

    def _call(self, name: str, argument: Any) -> Any:
        match name, argument:
            case "Ref", of:
                return self._reference(of)
            case "Fn::GetAtt", [of, attribute]:
                return self._attribute(of, attribute)
            case "Fn::Sub", [text, own]:
                return self._substitute(text, {name: self.resolve(one) for name, one in own.items()})
            case "Fn::Sub", text:
                return self._substitute(text, {})
            case "Fn::If", [_, then, _]:
                return self.resolve(then)
            case "Fn::Join", [separator, parts]:
                return separator.join(self.resolve(parts))
            case "Fn::Split", _:
                return [LOCATION]
        raise AssertionError(f"a function that the templates did not have: {name}")

    def _reference(self, name: str) -> str:
        if name == EVENT_BUS_PARAMETER:
            return ARNS["AWS::Events::EventBus"]
        if (kind := self._types.get(name)) in REFERRED_BY_ARN:
            return ARNS[kind]
        return PSEUDO_PARAMETERS.get(name, NAME)

    def _attribute(self, name: str, attribute: str) -> str:
        is_arn = attribute == "Arn" or attribute.endswith("Arn")
        return ARNS[self._types[name]] if is_arn else NAME

    def _substitute(self, text: str, own: Mapping[str, str]) -> str:
        def sample(found: re.Match[str]) -> str:
            name, _, attribute = found[1].partition(".")
            return own.get(found[1]) or (self._attribute(name, attribute) if attribute else self._reference(name))

        return PLACEHOLDER.sub(sample, text)
