"""The rules folder: one name for everything, and no file that says something else than the recommendations do."""

from __future__ import annotations

import json

import pytest

from alb_sg.config_rule import AlbSgRule
from alb_sg.config_rule.rdk_parameters import parameters_json
from alb_sg.parameters import PARAMETERS
from alb_sg.recommendations.catalogue import RECOMMENDATIONS, RECOMMENDATIONS_BY_NAME
from tests.rules import RULE_NAMES, RULES_FOLDER, rule_module


def test_every_recommendation_is_a_rule() -> None:
    assert sorted(RULE_NAMES) == sorted(RECOMMENDATIONS_BY_NAME)
    assert len(RECOMMENDATIONS) == 4


@pytest.mark.parametrize("name", RULE_NAMES)
def test_folder_module_class_page_and_config_rule_have_one_name(name: str) -> None:
    rule_class = getattr(rule_module(name), name)
    assert issubclass(rule_class, AlbSgRule)
    assert rule_class.recommendation.name == name
    page = (RULES_FOLDER / name / "README.md").read_text(encoding="utf-8")
    assert page.startswith(f"# {name}\n")
    assert (RULES_FOLDER / name / f"{name}_test.py").exists()


@pytest.mark.parametrize("name", RULE_NAMES)
def test_parameters_json_is_what_the_recommendation_says(name: str) -> None:
    text = (RULES_FOLDER / name / "parameters.json").read_text(encoding="utf-8")
    assert text == parameters_json(RECOMMENDATIONS_BY_NAME[name]), "stale: run `make generate`"


@pytest.mark.parametrize("name", RULE_NAMES)
def test_page_names_every_parameter_and_the_section_it_comes_from(name: str) -> None:
    page = (RULES_FOLDER / name / "README.md").read_text(encoding="utf-8")
    for fact in PARAMETERS:
        assert (f"`{fact.name}`" in page) == (name in fact.rules), fact.name
    assert " ".join(RECOMMENDATIONS_BY_NAME[name].quote.split()) in " ".join(page.split())
    assert RECOMMENDATIONS_BY_NAME[name].page_section in page


@pytest.mark.parametrize("name", RULE_NAMES)
def test_rdk_can_read_the_definition(name: str) -> None:
    parameters = json.loads(parameters_json(RECOMMENDATIONS_BY_NAME[name]))["Parameters"]
    # rdk needs texts that hold JSON, commas without spaces, and empty defaults.
    assert json.loads(parameters["InputParameters"]) == {}
    assert set(json.loads(parameters["OptionalParameters"]).values()) == {""}
    assert " " not in parameters["SourceEvents"]
    assert len(parameters["Description"]) <= 256
