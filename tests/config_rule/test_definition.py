"""The rules: every one is complete, and its module, folder, handler and page agree with it."""

from __future__ import annotations

import inspect
import json

import pytest

from alb_sg.config_rule import AlbSgRule
from alb_sg.config_rule.affected import affected_load_balancers
from alb_sg.config_rule.notification import ChangedItem
from alb_sg.config_rule.rdk_files import rdk_files
from alb_sg.errors import InvalidInputError
from alb_sg.estate.model import LISTENER_TYPE
from alb_sg.live import Selection
from alb_sg.parameters import PARAMETERS
from alb_sg.recommendations.catalogue import (
    DISPLAY_ORDER,
    RECOMMENDATIONS,
    RECOMMENDATIONS_BY_NAME,
    rule_severity,
)
from alb_sg.recommendations.recommendation import Recommendation, Severity
from tests.rules import RULE_NAMES, RULES_FOLDER, rule_module


def test_every_recommendation_is_a_rule() -> None:
    assert sorted(RULE_NAMES) == list(RECOMMENDATIONS_BY_NAME)


def test_every_rule_has_a_place_of_its_own_where_rules_are_listed() -> None:
    assert sorted(rule.display_order for rule in DISPLAY_ORDER) == list(range(1, len(RECOMMENDATIONS) + 1))


def test_an_unknown_rule_is_as_severe_as_any() -> None:
    assert rule_severity("ALB_SG_ICMP_PMTUD") is Severity.LOW
    assert rule_severity("ALB_SG_REMOVED") is Severity.HIGH
    assert rule_severity(None) is Severity.HIGH


@pytest.mark.parametrize("rule", RECOMMENDATIONS, ids=RECOMMENDATIONS_BY_NAME)
def test_rule_and_module_have_one_name(rule: Recommendation) -> None:
    module = inspect.getmodule(rule.requirements)
    assert module is not None
    assert module.__name__ == f"alb_sg.recommendations.{rule.module_name}"
    assert module.RECOMMENDATION is rule


@pytest.mark.parametrize("rule", RECOMMENDATIONS, ids=RECOMMENDATIONS_BY_NAME)
def test_changes_of_every_trigger_type_lead_to_load_balancers(rule: Recommendation) -> None:
    for resource_type in rule.trigger_types:
        assert affected_load_balancers(changed_item(resource_type)) != Selection()
    with pytest.raises(InvalidInputError, match="does not concern this rule"):
        affected_load_balancers(changed_item("AWS::S3::Bucket"))


def changed_item(resource_type: str) -> ChangedItem:
    arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:{}/app/web/50dc6c495c0c9188"
    resource_id = {LISTENER_TYPE: f"{arn.format('listener')}/f2f7dc8efc522ab2"}.get(
        resource_type, arn.format("loadbalancer")
    )
    return ChangedItem(resource_type, resource_id, "2026-01-01T00:00:00Z", "OK", None, left_scope=False)


@pytest.mark.parametrize("name", RULE_NAMES)
def test_folder_module_class_page_and_config_rule_have_one_name(name: str) -> None:
    rule_class = getattr(rule_module(name), name)
    assert issubclass(rule_class, AlbSgRule)
    assert rule_class.recommendation.name == name
    page = (RULES_FOLDER / name / "README.md").read_text(encoding="utf-8")
    assert page.startswith(f"# {name}\n")
    assert (RULES_FOLDER / name / f"{name}_test.py").exists()


@pytest.mark.parametrize("name", RULE_NAMES)
def test_page_names_every_parameter_and_the_section_it_comes_from(name: str) -> None:
    rule = RECOMMENDATIONS_BY_NAME[name]
    page = (RULES_FOLDER / name / "README.md").read_text(encoding="utf-8")
    assert {fact.name for fact in PARAMETERS if f"`{fact.name}`" in page} == set(rule.parameter_names)
    assert " ".join(rule.quote.split()) in " ".join(page.split())
    assert rule.page_section in page


@pytest.mark.parametrize("rule", RECOMMENDATIONS, ids=RECOMMENDATIONS_BY_NAME)
def test_rdk_can_read_the_definition(rule: Recommendation) -> None:
    parameters = json.loads(rdk_files(rule)["parameters.json"])["Parameters"]
    # rdk needs texts that hold JSON, commas without spaces, and empty defaults.
    assert json.loads(parameters["InputParameters"]) == {}
    assert set(json.loads(parameters["OptionalParameters"]).values()) == {""}
    assert " " not in parameters["SourceEvents"]
    assert len(parameters["Description"]) <= 256
