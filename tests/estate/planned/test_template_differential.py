"""What AWS's own `cloudformation-validate` and `cfn-lint` make of the same templates, beside what this package does.

`cloudformation-validate` takes defaults and does not evaluate conditions: what it says of a value has to include ours.
Where the two differ, the case says who is right and why.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cloudformation_validate as validate
import pytest
from cloudformation_validate import ResolvedValue

from alb_sg.estate.planned.cloudformation import read_templates
from alb_sg.estate.planned.resources import ResourceReference, UnknownPlannedValue
from alb_sg.estate.planned.template_parameters import plain_text
from alb_sg.estate.planned.template_stacks import GivenValues, TemplateFile
from alb_sg.estate.planned.template_types import DECIDING_KEYS, DECIDING_PROPERTIES
from tests.samples.test_shared_templates import FOLDER

# Every function, on properties that verdicts depend on.
TEMPLATE = """\
Parameters:
  Scheme: {Type: String, AllowedValues: [internal, internet-facing], Default: internal}
  Port: {Type: Number, Default: 8080}
  Cidrs: {Type: CommaDelimitedList, Default: "10.0.0.0/8,192.168.0.0/16"}
  Network: {Type: "AWS::EC2::VPC::Id"}
  Image: {Type: "AWS::SSM::Parameter::Value<String>", Default: /images/web}
  Extra: {Type: String, Default: ""}
Mappings:
  Stages: {test: {Port: "81"}, production: {Port: "80"}}
Conditions:
  IsPublic: !Equals [!Ref Scheme, internet-facing]
  HasExtra: !Not [!Equals [!Ref Extra, ""]]
  Both: !And [!Condition IsPublic, !Condition HasExtra]
Resources:
  Vpc: {Type: "AWS::EC2::VPC", Properties: {CidrBlock: 10.0.0.0/16}}
  Subnet:
    Type: AWS::EC2::Subnet
    Properties:
      VpcId: !Ref Vpc
      CidrBlock: !Select [1, !Cidr [!GetAtt Vpc.CidrBlock, 4, 8]]
  Group:
    Type: AWS::EC2::SecurityGroup
    Properties:
      VpcId: !Ref Vpc
      SecurityGroupIngress:
        - {IpProtocol: tcp, FromPort: !FindInMap [Stages, test, Port], ToPort: "81", CidrIp: !Select [0, !Ref Cidrs]}
        - {IpProtocol: tcp, FromPort: 80, ToPort: 80, CidrIp: !Select [1, !Split [",", !Join [",", !Ref Cidrs]]]}
        - {IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: !Sub "10.${Port}.0.0/16"}
        - {IpProtocol: tcp, FromPort: 22, ToPort: 22, CidrIp: !GetAtt Vpc.CidrBlock}
        - !If [HasExtra, {IpProtocol: "-1", CidrIp: !Ref Extra}, !Ref "AWS::NoValue"]
        - {IpProtocol: tcp, FromPort: 25, ToPort: 25, CidrIp: !ImportValue office}
  Existing:
    Type: AWS::EC2::SecurityGroup
    Properties: {VpcId: !Ref Network}
  Web:
    Type: AWS::ElasticLoadBalancingV2::LoadBalancer
    Properties:
      Scheme: !Ref Scheme
      IpAddressType: !If [Both, dualstack, ipv4]
      SecurityGroups: [!GetAtt Group.GroupId, !Ref Existing]
      Subnets: [!Ref Subnet]
  Listener:
    Type: AWS::ElasticLoadBalancingV2::Listener
    Properties:
      LoadBalancerArn: !Ref Web
      Port: !Ref Port
      Protocol: HTTP
      DefaultActions: [{Type: forward, TargetGroupArn: !Ref Targets}]
  Targets:
    Type: AWS::ElasticLoadBalancingV2::TargetGroup
    Properties:
      TargetType: ip
      Port: !Ref Port
      HealthCheckPort: !Ref Image
      VpcId: !GetAtt Group.VpcId
      Targets: [{Id: 10.0.1.5, Port: "8080"}]
"""
DEFAULTS = "a default that takes effect where the template writes nothing"

# Where they differ from us: resource and property, who is right, and why.
DIFFERENCES: dict[str, dict[tuple[str, str], str]] = {
    "of this module": {
        ("Subnet", "CidrBlock"): "ours: the VPC's block stands in the template, so that Fn::Cidr can be computed",
        ("Group", "SecurityGroupIngress"): "ours: Fn::GetAtt Vpc.CidrBlock is the block that the template gives it",
        ("Targets", "VpcId"): "ours: Fn::GetAtt Group.VpcId is the VPC that the template gives it",
        ("Targets", "HealthCheckPort"): "ours: the default of an SSM parameter is its name, and not its value",
    },
}


def differences(path: str) -> Iterator[tuple[str, str]]:
    """The resources and properties of which the two say something else, with every default taken."""
    theirs = validate.TemplateModel(path).resources()
    for scenario in read_templates([TemplateFile(path)], GivenValues(take_defaults=True)):
        for one in scenario.resources:
            for name, value in one.properties.items():
                if (
                    one.address in theirs
                    and name in theirs[one.address].properties
                    and name in DECIDING_PROPERTIES[one.type]
                ):
                    keys = DECIDING_KEYS.get((one.type, name))
                    if not agree(value, theirs[one.address].properties[name], keys):
                        yield one.address, name


def agree(ours: Any, theirs: Any, keys: frozenset[str] | None = None) -> bool:
    """Whether what they say of a value includes what we say."""
    if isinstance(theirs, ResolvedValue.ENUM_VALUE):
        return any(agree(ours, one, keys) for one in theirs.variants)
    if isinstance(theirs, ResolvedValue.CONDITIONAL):
        return agree(ours, theirs.if_true, keys) or agree(ours, theirs.if_false, keys)
    if isinstance(theirs, (ResolvedValue.DYNAMIC, ResolvedValue.TYPED_DYNAMIC)):
        return isinstance(ours, UnknownPlannedValue)
    if isinstance(theirs, ResolvedValue.REFERENCE):
        return isinstance(ours, (ResourceReference, UnknownPlannedValue)) and (
            isinstance(ours, UnknownPlannedValue) or ours.address == theirs.target
        )
    if isinstance(theirs, ResolvedValue.LIST_VALUE):
        found = ours if isinstance(ours, list) else [ours]
        return all(any(agree(one, other, keys) for other in theirs.items) for one in found)
    if isinstance(theirs, ResolvedValue.MAP):
        entries = {entry.key: entry.value for entry in theirs.entries}
        return isinstance(ours, dict) and all(
            name in entries and agree(one, entries[name]) for name, one in ours.items()
        )
    return _agree_concrete(ours, _plain(theirs.value), keys)


def _agree_concrete(ours: Any, theirs: Any, keys: frozenset[str] | None) -> bool:
    if isinstance(ours, list):
        others = theirs if isinstance(theirs, list) else [theirs]
        return len(ours) == len(others) and all(
            _agree_concrete(one, other, keys) for one, other in zip(ours, others, strict=True)
        )
    if isinstance(ours, dict):
        return isinstance(theirs, dict) and all(
            name in theirs and _agree_concrete(one, theirs[name], None) for name, one in ours.items()
        )
    if isinstance(ours, (UnknownPlannedValue, ResourceReference)) or isinstance(theirs, (list, dict)):
        return False
    return plain_text(ours) == plain_text(theirs)


def _plain(value: Any) -> Any:
    """A JSON value of theirs in Python's types."""
    if hasattr(value, "items"):
        return [_plain(one) for one in value.items]
    if hasattr(value, "entries"):
        return {name: _plain(one) for name, one in value.entries.items()}
    return getattr(value, "value", None)


def _template(folder: Path, name: str) -> str:
    if name == "of this module":
        path = folder / "template.yaml"
        path.write_text(TEMPLATE, encoding="utf-8")
        return str(path)
    assert FOLDER is not None
    [path] = (FOLDER / name).glob("template.*")
    return str(path)


TEMPLATES = ["of this module", *(sorted(one.name for one in FOLDER.iterdir()) if FOLDER is not None else ())]


@pytest.mark.parametrize("name", TEMPLATES)
def test_cloudformation_validate_says_the_same_but_where_it_is_explained(name: str, tmp_path: Path) -> None:
    assert set(differences(_template(tmp_path, name))) == set(DIFFERENCES.get(name, {}))


@pytest.mark.parametrize("name", TEMPLATES)
def test_cloudformation_validate_finds_a_resource_in_the_same_line(name: str, tmp_path: Path) -> None:
    path = _template(tmp_path, name)
    model = validate.TemplateModel(path)
    theirs = model.resources().keys()
    lines = {
        one.address: one.location.line
        for scenario in read_templates([TemplateFile(path)])
        for one in scenario.resources
        if one.address in theirs and one.location is not None
    }
    for address, line in lines.items():
        span = model.source_location(f"Resources/{address}")
        assert span is not None
        assert line == span.start_line


# Conditions on the same parameters, so that not every combination is possible. Each is a parameter section, conditions,
# and the combinations that the two disagree on, with who is right.
PARAMETERS = {
    "Stage": {"Type": "String", "AllowedValues": ["test", "staging", "production"], "Default": "test"},
    "Region": {"Type": "String"},
    "Certificate": {"Type": "String", "Default": ""},
    "Public": {"Type": "String", "AllowedValues": ["yes", "no"], "Default": "no"},
}
CONDITIONS: dict[str, Any] = {
    "IsTest": {"Fn::Equals": [{"Ref": "Stage"}, "test"]},
    "IsProduction": {"Fn::Equals": ["production", {"Ref": "Stage"}]},
    "IsIreland": {"Fn::Equals": [{"Ref": "Region"}, "eu-west-1"]},
    "IsFrankfurt": {"Fn::Equals": [{"Ref": "Region"}, "eu-central-1"]},
    "HasCertificate": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Certificate"}, ""]}]},
    "IsPublic": {"Fn::Equals": [{"Ref": "Public"}, "yes"]},
    "IsOpen": {"Fn::And": [{"Condition": "IsPublic"}, {"Condition": "HasCertificate"}]},
    "IsEither": {"Fn::Or": [{"Condition": "IsTest"}, {"Condition": "IsIreland"}]},
}


@pytest.mark.slow
@pytest.mark.parametrize(
    "names",
    [
        ("IsTest", "IsProduction"),
        ("IsIreland", "IsFrankfurt"),
        ("IsOpen", "IsPublic", "HasCertificate"),
        ("IsEither", "IsTest", "IsProduction", "IsIreland", "IsFrankfurt"),
    ],
)
def test_cfn_lint_has_the_same_combinations_of_conditions(names: tuple[str, ...], tmp_path: Path) -> None:
    from cfnlint.template import Template  # type: ignore[import-untyped]  # noqa: PLC0415 (slow to import)

    groups = [{"Fn::If": [name, f"sg-{name}", {"Ref": "AWS::NoValue"}]} for name in names]
    web = {"Type": "AWS::ElasticLoadBalancingV2::LoadBalancer", "Properties": {"SecurityGroups": groups}}
    template = {"Parameters": PARAMETERS, "Conditions": CONDITIONS, "Resources": {"Web": web}}
    path = tmp_path / "template.json"
    path.write_text(json.dumps(template), encoding="utf-8")
    ours = {
        frozenset(str(group).removeprefix("sg-") for group in one.properties.get("SecurityGroups", []))  # type: ignore[attr-defined]
        for scenario in read_templates([TemplateFile(str(path))])
        for one in scenario.resources
    }
    scenarios = Template(str(path), template).conditions.build_scenarios({name: {True, False} for name in names})
    theirs = {frozenset(name for name, holds in scenario.items() if holds) for scenario in scenarios}
    assert ours == theirs
