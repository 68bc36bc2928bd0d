"""Templates in JSON and YAML: values, short forms, lines of resources, and what is no template."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from alb_sg.errors import InvalidInputError
from alb_sg.estate.planned.resources import Location
from alb_sg.estate.planned.template_documents import parse_template
from tests.estate.planned.templates import load_balancer, read, resource

YAML = """\
AWSTemplateFormatVersion: "2010-09-09"
Conditions:
  C: !Not [!Equals [!Ref P, ""]]
Resources:
  Web:
    Type: AWS::ElasticLoadBalancingV2::LoadBalancer
    Properties:
      Scheme: !If [C, internal, !Ref "AWS::NoValue"]
      Name: !Sub "${P}-web"
      SecurityGroups: [!GetAtt Group.GroupId]

  # A comment
  Group: {Type: "AWS::EC2::SecurityGroup"}
"""


def test_short_forms_are_their_long_forms() -> None:
    found = parse_template(YAML.encode())
    assert found.value["Conditions"] == {"C": {"Fn::Not": [{"Fn::Equals": [{"Ref": "P"}, ""]}]}}
    assert found.value["Resources"]["Web"]["Properties"] == {
        "Scheme": {"Fn::If": ["C", "internal", {"Ref": "AWS::NoValue"}]},
        "Name": {"Fn::Sub": "${P}-web"},
        "SecurityGroups": [{"Fn::GetAtt": ["Group", "GroupId"]}],
    }
    assert found.lines == {"Web": 5, "Group": 13}


def test_lines_of_json_resources() -> None:
    value = {
        "Outputs": {"Web": {"Value": 'a "quoted" { brace'}},
        "Resources": {"Web": {"Type": "A"}, "Group": {"Type": "B"}},
    }
    found = parse_template(json.dumps(value, indent=2).encode())
    lines = json.dumps(value, indent=2).splitlines()
    assert found.value == value
    assert {name: lines[line - 1].strip() for name, line in found.lines.items()} == {
        "Web": '"Web": {',
        "Group": '"Group": {',
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("80", 80),
        ("-1", -1),
        ("0.5", 0.5),
        # Zeros at the beginning belong to account ids; a number in octal is nobody's port.
        ("012345678901", "012345678901"),
        ("1_000", "1_000"),
        ("true", True),
        ("False", False),
        # CloudFormation compares text: both sides of a comparison are written the same way.
        ("yes", "yes"),
        ("2010-09-09", "2010-09-09"),
        ("1:30", "1:30"),
        ("~", None),
        ("", None),
        ("'80'", "80"),
        ("!!str 80", "80"),
    ],
)
def test_a_scalar_of_yaml(text: str, value: Any) -> None:
    found = parse_template(f"Resources: {{}}\nMetadata:\n  Value: {text}\n".encode())
    assert found.value["Metadata"]["Value"] == value


def test_json_and_yaml_of_one_template_are_one_value() -> None:
    value = {"Resources": {"Web": load_balancer(Scheme={"Fn::If": ["C", "internal", {"Ref": "AWS::NoValue"}]})}}
    as_yaml = """\
Resources:
  Web:
    Type: "AWS::ElasticLoadBalancingV2::LoadBalancer"
    Properties:
      Scheme: !If [C, internal, !Ref AWS::NoValue]
"""
    assert parse_template(as_yaml.encode()).value == parse_template(json.dumps(value).encode()).value == value


@pytest.mark.parametrize(
    "text",
    [
        '{"Resources": {"Old": {}},\n"Resources": {"Web": {"Type": "old"},\n"Web": {"Type": "a", "Type": "b"}}}',
        "Resources: {Old: {}}\nResources:\n  Web: {Type: old}\n  Web: {Type: a, Type: b}",
    ],
    ids=["JSON", "YAML"],
)
def test_the_last_of_a_key_that_is_given_twice_counts(text: str) -> None:
    """CloudFormation deploys such templates, and public ones have a Tags or Description too many."""
    document = parse_template(text.encode())
    assert document.value == {"Resources": {"Web": {"Type": "b"}}}
    assert document.lines == {"Web": text.count("\n") + 1}


def test_the_line_of_a_resource_between_two_of_one_name() -> None:
    found = parse_template(b'{"Resources": {"Web": {},\n"Group": {},\n"Web": {}}}')
    assert found.lines == {"Web": 3, "Group": 2}


def test_a_template_in_utf_16_is_read() -> None:
    """PowerShell's redirection writes it."""
    assert parse_template(YAML.encode("utf-16")).lines["Web"] == 5


def test_a_resource_has_its_file_and_line(tmp_path: Path) -> None:
    template = YAML.replace("AWSTemplate", "Parameters: {P: {Type: String, MinLength: 1}}\nAWSTemplate")
    [scenario] = read(tmp_path, template)
    assert resource(scenario, "Web").location == Location(str(tmp_path / "template.json"), 6)


WRONG: dict[str, tuple[str, str]] = {
    "nothing": ("", "the file is empty; a CloudFormation template was expected"),
    "a list": ("- a", "not a CloudFormation template: an object with Resources was expected"),
    "no resources": ("Description: a", "not a CloudFormation template: it has no Resources"),
    "a Terraform plan": ('{"resource_changes": []}', "read a Terraform plan with --terraform-plan"),
    "a saved estate": ('{"LoadBalancers": []}', "read a saved estate with --estate"),
    "a CDK manifest": ('{"version": "36.0.0", "artifacts": {}}', "give the folder of this CDK manifest, not the file"),
    "broken JSON": ('{"Resources": {', "not JSON: Expecting property name enclosed in double quotes at line 1"),
    "broken YAML": ("Resources:\n  a: [", "not YAML: did not find expected node content"),
    "a tab in YAML": ("Resources:\n\ta: b", "not YAML: found character that cannot start any token at line 2"),
    "a merge": ("Resources: {}\nMetadata:\n  <<: {}", "line 3 merges a mapping (<<), which CloudFormation refuses"),
    "no text": ("\x00", "not YAML: control characters are not allowed"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_file_that_is_no_template_gets_one_sentence(name: str) -> None:
    text, sentence = WRONG[name]
    with pytest.raises(InvalidInputError) as raised:
        parse_template(text.encode())
    assert sentence in str(raised.value)


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"not UTF-8 text \(byte 1\); save it as UTF-8"):
        parse_template(b"\xc3(")


def test_json_needs_no_yaml_reader() -> None:
    """The base package has none: YAML templates are an extra."""
    code = (
        "import sys; sys.modules['yaml'] = None\n"
        "from alb_sg.errors import InvalidInputError\n"
        "from alb_sg.estate.planned.template_documents import parse_template\n"
        "parse_template(b'{\"Resources\": {}}')\n"
        "try: parse_template(b'Resources: {}')\n"
        "except InvalidInputError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.startswith("this template is YAML, and PyYAML is not installed; install `alb-sg[templates]`")


def test_aliases_that_repeat_one_another_are_refused() -> None:
    """Ten aliases of ten aliases, nine times over: a file of 500 bytes."""
    levels = [f"A{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]\n" for level in range(1, 9)]
    text = "Resources: {}\nA0: &a0 [" + ", ".join("x" * 10) + "]\n" + "".join(levels)
    with pytest.raises(
        InvalidInputError, match=r"with what its aliases \(\*\) repeat, it has more than 1000000 values"
    ):
        parse_template(text.encode())
    few = "Resources: {A: &a {Type: 'AWS::SNS::Topic'}, B: *a}"
    assert parse_template(few.encode()).value["Resources"]["B"] == {"Type": "AWS::SNS::Topic"}
