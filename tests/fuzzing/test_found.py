"""Inputs that ended with an unexpected error once: each is refused in a sentence that names the place."""

from __future__ import annotations

import copy
import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from alb_sg.aws.account_region import AccountRegion
from alb_sg.command_line.accounts.resume_folder import DESCRIPTION_FILE, open_resume_folder
from alb_sg.command_line.accounts.stored_results import merge_stored
from alb_sg.errors import InvalidInputError
from alb_sg.estate.planned import resource_types as types
from alb_sg.estate.planned.change_set import read_change_set
from alb_sg.estate.planned.cloudformation import read_templates
from alb_sg.estate.planned.resources import UnknownPlannedValue
from alb_sg.estate.planned.template_stacks import GivenValues, TemplateFile
from alb_sg.estate.planned.terraform import read_terraform_scenario
from alb_sg.functions.hook import read_request
from tests.functions.hook_events import event
from tests.fuzzing.test_fuzzing_inputs import PLAN, QUESTION, STORED, TEMPLATE

ACCOUNT_REGION = AccountRegion("111122223333", "eu-west-1")
NOW = datetime(2027, 1, 31, 8, tzinfo=UTC)


def changed(document: Any, path: str, value: Any) -> Any:
    """A document with another value at a path such as `Resources/Web`."""
    document = copy.deepcopy(document)
    *outer, key = [int(step) if step.isdecimal() else step for step in path.split("/")]
    holder = document
    for step in outer:
        holder = holder[step]
    holder[key] = value
    return document


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        ("Conditions", 7, "Conditions: an object was expected"),
        ("Mappings", 7, "Mappings: an object was expected"),
        ("Mappings/Ports", "text", "Mappings.Ports must have two levels of keys"),
        ("Mappings/Ports/us-east-1", 7, "Mappings.Ports must have two levels of keys"),
        ("Resources/Web/Properties/SecurityGroups", [{"Fn::GetAtt": 7}], "Fn::GetAtt takes a resource and one"),
        ("Resources/Web/Properties/SecurityGroups", [{"Fn::GetAtt": {"a": 1}}], "Fn::GetAtt takes a resource and one"),
        ("Resources/Web/Properties/SecurityGroups", [{"Fn::GetAtt": ["WebGroup", True]}], "the name of an attribute"),
        (
            "Resources/Web/Properties/SecurityGroups",
            {"Fn::Select": ["9" * 5000, ["a"]]},
            "of Fn::Select is no element's number",
        ),
    ],
)
def test_a_wrong_template(path: str, value: Any, sentence: str, tmp_path: Path) -> None:
    file = tmp_path / "template.json"
    file.write_text(json.dumps(changed(TEMPLATE, path, value)), encoding="utf-8")
    with pytest.raises(InvalidInputError, match=sentence):
        read_templates([TemplateFile(str(file), "web")], GivenValues(take_defaults=True))


def test_a_number_of_thousands_of_digits_in_yaml(tmp_path: Path) -> None:
    file = tmp_path / "template.yaml"
    file.write_text(f"Resources:\n  Web: {{Type: AWS::EC2::VPC, Properties: {{Port: {'9' * 5000}}}}}\n")
    with pytest.raises(InvalidInputError, match="line 2 has a number of 5000 digits"):
        read_templates([TemplateFile(str(file), "web")])


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        ("resource_changes/0/module_address", 7, r"resource_changes\[0\]\.module_address: text was expected"),
        ("format_version", "9" * 5000, "is newer than this version of alb-sg reads"),
    ],
)
def test_a_wrong_plan(path: str, value: Any, sentence: str, tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(changed(PLAN, path, value)), encoding="utf-8")
    with pytest.raises(InvalidInputError, match=sentence):
        read_terraform_scenario(str(file))


def test_a_rule_of_terraform_without_a_readable_direction_may_be_of_each(tmp_path: Path) -> None:
    """Terraform refuses such a rule, so that no plan shows what becomes of it."""
    index = next(
        number for number, one in enumerate(PLAN["resource_changes"]) if one["type"] == "aws_security_group_rule"
    )
    file = tmp_path / "plan.json"
    document = changed(PLAN, f"resource_changes/{index}/change/after/type", {"a": 1})
    file.write_text(json.dumps(document), encoding="utf-8")
    rules = [
        one for one in read_terraform_scenario(str(file)).resources if one.address == "aws_security_group_rule.more"
    ]
    assert {one.type for one in rules} == {types.SECURITY_GROUP_INGRESS, types.SECURITY_GROUP_EGRESS}
    assert all(isinstance(one.properties["GroupId"], UnknownPlannedValue) for one in rules)


def test_a_change_set_with_text_that_is_none() -> None:
    with pytest.raises(InvalidInputError, match="not UTF-8 text"):
        read_change_set('{"Resources": {"\ud800": {}}}', [], {}, ACCOUNT_REGION)


def test_a_context_of_a_hook_that_is_no_object() -> None:
    assert read_request(event(requestContext="text")).invocation == 1


@pytest.mark.parametrize(
    ("path", "value"),
    [("findings", False), ("findings/0", [1]), ("errors/0", ["a"]), ("facts", "text"), ("loadBalancers", "1")],
)
def test_a_damaged_result_of_a_walk(path: str, value: Any) -> None:
    with pytest.raises(InvalidInputError, match="the saved result of 111122223333 eu-west-1 is damaged"):
        merge_stored([(ACCOUNT_REGION, changed(STORED, path, value))], (), {})


@pytest.mark.parametrize(
    "content",
    [
        # A time without a zone compares with none.
        {"savedAt": "2027-01-31T07:00:00", "result": STORED},
        {"savedAt": "2027-01-31T07:00:00+00:00", "result": []},
        {"savedAt": "2027-01-31T07:00:00+00:00"},
    ],
)
def test_a_damaged_file_of_a_walk_is_read_again(content: Any, tmp_path: Path) -> None:
    (tmp_path / DESCRIPTION_FILE).write_text(json.dumps(QUESTION), encoding="utf-8")
    saved = tmp_path / "111122223333-eu-west-1.json.gz"
    saved.write_bytes(gzip.compress(json.dumps(content).encode()))
    with open_resume_folder(str(tmp_path), QUESTION, NOW) as state:
        assert not state.saved_at
    assert not saved.exists()
