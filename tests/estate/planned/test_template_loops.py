"""`Fn::ForEach`: what a template is once its loops are unrolled, and what cfn-lint makes of the same ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from alb_sg.errors import InvalidInputError
from alb_sg.estate.planned.cloudformation import read_templates
from alb_sg.estate.planned.template_documents import parse_template
from alb_sg.estate.planned.template_loops import unroll_loops
from alb_sg.estate.planned.template_parameters import read_declared_parameters
from alb_sg.estate.planned.template_stacks import GivenValues, TemplateFile

TRANSFORM = "AWS::LanguageExtensions"
GROUP = "AWS::EC2::SecurityGroup"
RULE = "AWS::EC2::SecurityGroupIngress"

# A load balancer for each name, with a rule for each port.
TEMPLATE = """\
Transform: AWS::LanguageExtensions
Parameters:
  Names: {Type: CommaDelimitedList, Default: "Blog,Shop"}
Mappings:
  Ports: {public: {Open: ["80", "443"]}}
Conditions:
  Fn::ForEach::Enabled:
    - Name
    - !Ref Names
    - ${Name}IsPublic: !Equals [!Ref Name, Shop]
Resources:
  Vpc: {Type: "AWS::EC2::VPC", Properties: {CidrBlock: 10.0.0.0/16}}
  Subnet: {Type: "AWS::EC2::Subnet", Properties: {VpcId: !Ref Vpc, CidrBlock: 10.0.1.0/24}}
  Fn::ForEach::Balancers:
    - Name
    - !Ref Names
    - Group${Name}:
        Type: AWS::EC2::SecurityGroup
        Properties: {GroupDescription: !Sub "of ${Name}", VpcId: !Ref Vpc}
      ${Name}:
        Type: AWS::ElasticLoadBalancingV2::LoadBalancer
        Properties:
          Scheme: !If ["${Name}IsPublic", internet-facing, internal]
          SecurityGroups: [!GetAtt "Group${Name}.GroupId"]
          Subnets: [!Ref Subnet]
      Fn::ForEach::Rules:
        - Port
        - !FindInMap [Ports, public, Open]
        - Rule${Name}${Port}:
            Type: AWS::EC2::SecurityGroupIngress
            Properties:
              GroupId: !Ref
                Fn::Sub: Group${Name}
              IpProtocol: tcp
              FromPort: !Ref Port
              ToPort: !Ref Port
              CidrIp: 10.0.0.0/8
"""


def unrolled(template: dict[str, Any] | str, **values: str) -> Any:
    text = template if isinstance(template, str) else json.dumps({"Transform": TRANSFORM, **template})
    document = parse_template(text.encode()).value
    return unroll_loops(document, read_declared_parameters(document), values)[0]


def test_a_load_balancer_for_each_name_is_judged_as_if_it_were_written_out(tmp_path: Path) -> None:
    path = tmp_path / "template.yaml"
    path.write_text(TEMPLATE, encoding="utf-8")
    [scenario] = read_templates([TemplateFile(str(path))], GivenValues({"Names": "Shop"}), over_estate=True)
    resources = {one.address: one for one in scenario.resources}
    assert set(resources) == {"Vpc", "Subnet", "GroupShop", "Shop", "RuleShop80", "RuleShop443"}
    assert resources["Shop"].properties["Scheme"] == "internet-facing"
    assert resources["RuleShop443"].properties["FromPort"] == 443
    # Where the template repeats it.
    location = resources["Shop"].location
    assert location is not None
    assert location.line == TEMPLATE[: TEMPLATE.index("Fn::ForEach::Balancers")].count("\n") + 1


@pytest.mark.parametrize(
    ("why", "resources", "expected"),
    [
        (
            "a list that is written out",
            {"Fn::ForEach::A": ["X", ["1", "2"], {"G${X}": {"Type": GROUP}}]},
            {"G1": {"Type": GROUP}, "G2": {"Type": GROUP}},
        ),
        (
            "what is not alphanumeric is left out of keys, and stays in values",
            {
                "Fn::ForEach::A": [
                    "X",
                    ["10.0.0.0/8"],
                    {"G&{X}": {"Type": RULE, "Properties": {"CidrIp": {"Ref": "X"}}}},
                ]
            },
            {"G100008": {"Type": RULE, "Properties": {"CidrIp": "10.0.0.0/8"}}},
        ),
        (
            "what is no identifier of a loop stays",
            {"Fn::ForEach::A": ["X", ["1"], {"G${X}": {"Type": GROUP, "P": {"Fn::Sub": "${X}-${Other}-${!X}"}}}]},
            {"G1": {"Type": GROUP, "P": {"Fn::Sub": "1-${Other}-${!X}"}}},
        ),
        (
            "properties of a resource",
            {"G": {"Type": GROUP, "Properties": {"Fn::ForEach::A": ["X", ["a"], {"P${X}": {"Ref": "X"}}]}}},
            {"G": {"Type": GROUP, "Properties": {"Pa": "a"}}},
        ),
        (
            "an empty list",
            {"Fn::ForEach::A": ["X", [], {"G${X}": {"Type": GROUP}}], "Kept": {"Type": GROUP}},
            {"Kept": {"Type": GROUP}},
        ),
    ],
)
def test_loops_are_unrolled(why: str, resources: dict[str, Any], expected: dict[str, Any]) -> None:
    assert unrolled({"Resources": resources})["Resources"] == expected, why


@pytest.mark.parametrize(
    ("resources", "said"),
    [
        ({"Fn::ForEach::A": ["X", ["1"]]}, "a loop is a list of an identifier, a collection and an object"),
        ({"Fn::ForEach::A": ["X", "1", {"G${X}": {}}]}, "the collection is no list"),
        ({"Fn::ForEach::A": ["X", ["1", "2"], {"G": {}}]}, "its name has to contain ${X}"),
        ({"Fn::ForEach::A": ["X", ["1"], {"G${X}": {}}], "G1": {}}, "G1 is there twice"),
        ({"Fn::ForEach::A": ["X", ["a-b"], {"G${X}": {}}]}, "Ga-b is no logical ID; write &{X}"),
        ({"Fn::ForEach::A": ["X", {"Ref": "Names"}, {"G${X}": {}}]}, "parameter Names, whose value is not known"),
        ({"Fn::ForEach::A": ["X", {"Fn::GetAZs": ""}, {"G${X}": {}}]}, "the collection is Fn::GetAZs"),
        ({"Fn::ForEach::A": ["X", {"Fn::FindInMap": ["M", "a", "b"]}, {"G${X}": {}}]}, "Mappings has no entry M.a.b"),
        ({"Fn::ForEach::A": ["Names", ["1"], {"G${Names}": {}}]}, "the identifier Names is taken"),
        ({"Fn::ForEach::A": ["X", [str(n) for n in range(501)], {"G${X}": {}}]}, "more than 500"),
    ],
)
def test_loops_that_cannot_be_unrolled_are_refused(resources: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        unrolled({"Parameters": {"Names": {"Type": "CommaDelimitedList"}}, "Resources": resources})
    assert said in str(refused.value)
    assert "Fn::ForEach::A" in str(refused.value) or "Resources" in str(refused.value)


@pytest.mark.slow
def test_cfn_lint_unrolls_loops_to_the_same(tmp_path: Path) -> None:
    """cfn-lint leaves identifiers alone in texts that are neither keys nor in Fn::Sub; the reference says that all
    instances are replaced. So this template writes none."""
    from cfnlint.decode import decode  # type: ignore[import-untyped]  # noqa: PLC0415 (slow to import)
    from cfnlint.template import Template  # type: ignore[import-untyped]  # noqa: PLC0415 (slow to import)
    from cfnlint.template.transforms._language_extensions import language_extension  # type: ignore[import-untyped]  # noqa: PLC0415 (slow to import)

    in_function = "\n            - Fn::GetAtt: [!Sub 'Group${Name}', GroupId]"
    text = TEMPLATE.replace('[!GetAtt "Group${Name}.GroupId"]', in_function)
    text = text.replace('!If ["${Name}IsPublic", internet-facing, internal]', "internal")
    path = tmp_path / "template.yaml"
    path.write_text(text, encoding="utf-8")
    template, problems = decode(str(path))
    assert not problems
    matches, theirs = language_extension(Template(str(path), template, ["us-east-1"]))
    assert not matches
    ours = unrolled(text, Names="Blog,Shop")
    for section in ("Conditions", "Resources"):
        assert json.loads(json.dumps(theirs[section])) == ours[section]
