"""Tags that an account demands: on every rule and group that a fix creates, and nothing else changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from alb_sg.errors import InvalidInputError
from alb_sg.remediation.api_calls import EXECUTION_TAG, TAG_KEYS
from alb_sg.remediation.execution import ApplyOutcome
from alb_sg.remediation.fix_request import FixPolicy
from alb_sg.remediation.tags import format_tags, parse_tags
from tests.builders import INGRESS
from tests.command_line.calling import Command, closed
from tests.remediation.account import EXECUTION, Shop, fix_of, shop

TAGS = {"CostCenter": "1234", "Data Class": "a/b:c@d"}


def tags_of(resource: dict[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in resource["Tags"]}


def created_rules(found: Shop) -> list[dict[str, Any]]:
    filters = [{"Name": "tag-key", "Values": [EXECUTION_TAG]}]
    rules: list[dict[str, Any]] = found.aws.ec2.describe_security_group_rules(Filters=filters)["SecurityGroupRules"]
    return rules


def created_groups(found: Shop) -> list[dict[str, Any]]:
    filters = [{"Name": f"tag:{EXECUTION_TAG}", "Values": [EXECUTION]}]
    groups: list[dict[str, Any]] = found.aws.ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
    return groups


@pytest.mark.slow
@pytest.mark.parametrize("shared", [False, True], ids=["present group", "dedicated group"])
def test_everything_that_is_created_has_the_tags(*, shared: bool) -> None:
    with shop() as found:
        if shared:
            found.share()
        before = found.state()
        applied = found.apply(fix_of(policy=FixPolicy(tags=TAGS)))
        assert applied.outcome is ApplyOutcome.APPLIED
        rules, groups = created_rules(found), created_groups(found)
        assert len(rules) == len(applied.added_rules) > 0
        assert len(groups) == int(shared)
        for created in (*rules, *groups):
            tags = tags_of(created)
            assert tags.items() >= TAGS.items()
            # The fix's own tags are there too, or nobody could undo it.
            assert tags[EXECUTION_TAG] == EXECUTION
            assert set(tags) <= {*TAGS, *TAG_KEYS}
        # The record of the execution is created, too: a service control policy may demand tags of every resource.
        parameters = found.account.ssm.get_parameters_by_path(Path="/alb-sg/executions/", Recursive=True)["Parameters"]
        assert len(parameters) == 2
        for parameter in parameters:
            listed = found.account.ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=parameter["Name"])
            assert {tag["Key"]: tag["Value"] for tag in listed["TagList"]} == TAGS
        found.undo()
        assert found.state() == before


@pytest.mark.slow
def test_the_command_tags_and_shows_the_tags_in_its_plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = Command(tmp_path, capsys)
    with shop() as found:
        answer = command(
            "fix", "shop", "--rule", INGRESS, "--apply", "--yes", "--tag", "CostCenter=1", "--tag", "Team=a"
        )
        assert answer.code == 0, answer.err
        [rule] = created_rules(found)
        assert tags_of(rule).items() >= {"CostCenter": "1", "Team": "a"}.items()
    shown = command.on(closed(), "fix", "web", "--tag", "CostCenter=1")
    assert '{"Key": "CostCenter", "Value": "1"}' in shown.out


def test_without_tags_there_are_none_but_the_fixs_own() -> None:
    assert parse_tags("") == {}
    assert FixPolicy().tags == {}


def test_text_and_tags_are_the_same() -> None:
    assert parse_tags(format_tags(TAGS)) == TAGS
    # An empty value is one.
    assert parse_tags("Key=") == {"Key": ""}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("CostCenter", "the tag 'CostCenter' is not KEY=VALUE"),
        ("=1", "the tag '=1' is not KEY=VALUE"),
        ("a=1,,b=2", "the tag '' is not KEY=VALUE"),
        # The value would end up in a document's text, where = separates.
        ("a=b=c", "the tag 'a=b=c' is not KEY=VALUE"),
        (f"{'k' * 129}=1", "is not KEY=VALUE with at most 128 and 256 letters"),
        ("a=1,a=2", "the tag key 'a' appears twice; remove one"),
        ("alb-sg:execution=1", "the tag key 'alb-sg:execution' is reserved"),
        ("AWS:x=1", "the tag key 'AWS:x' is reserved"),
        ("Name=x", "the tag key 'Name' is reserved; choose another one than Name, alb-sg:… and aws:…"),
        (",".join(f"k{number}=" for number in range(41)), "41 tags are more than the 40 allowed"),
    ],
)
def test_an_invalid_tag_is_refused(
    text: str, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InvalidInputError, match="tag"):
        parse_tags(text)
    assert sentence in Command(tmp_path, capsys).refused("fix", "web", "--estate", "e.json", "--tag", text)
