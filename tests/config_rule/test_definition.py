"""The rules: every one is complete, and its module, folder, handler and page agree with it."""

from __future__ import annotations

import inspect
import json

import pytest

from alb_sg.config_rule import AlbSgRule
from alb_sg.config_rule.affected import affected_load_balancers
from alb_sg.config_rule.notification import ChangedItem
from alb_sg.errors import InvalidInputError
from alb_sg.estate.resource_types import (
    LISTENER_TYPE,
    LOAD_BALANCER_TYPE,
    PREFIX_LIST_TYPE,
    SECURITY_GROUP_TYPE,
    SECURITY_GROUP_VPC_ASSOCIATION_TYPE,
    TARGET_GROUP_TYPE,
    VPC_TYPE,
)
from alb_sg.estate.sections import Section
from alb_sg.live import Selection
from alb_sg.parameters import PARAMETERS, parse_parameters
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
    module = inspect.getmodule(rule.find_unused or rule.requirements)
    assert module is not None
    assert module.__name__ == f"alb_sg.recommendations.{rule.module_name}"
    assert module.RECOMMENDATION is rule


@pytest.mark.parametrize("rule", RECOMMENDATIONS, ids=RECOMMENDATIONS_BY_NAME)
def test_changes_of_every_trigger_type_lead_to_load_balancers(rule: Recommendation) -> None:
    none = parse_parameters({})
    for resource_type in rule.trigger_types:
        assert affected_load_balancers(changed_item(resource_type), rule, none) != Selection()
    for resource_type in ("AWS::S3::Bucket", "AWS::EC2::Instance"):
        with pytest.raises(InvalidInputError, match="does not handle the resource type"):
            affected_load_balancers(changed_item(resource_type), rule, none)


# The types whose items hold what a section of the estate holds. Registered instances and interfaces are many and change
# by the minute: those are left to the periodic run.
TRIGGER_TYPES_BY_SECTION = {
    Section.LOAD_BALANCERS: {LOAD_BALANCER_TYPE},
    Section.TAGS: {LOAD_BALANCER_TYPE},
    Section.LISTENERS: {LISTENER_TYPE},
    Section.TARGET_GROUPS: {TARGET_GROUP_TYPE},
    Section.TARGET_HEALTH_DESCRIPTIONS: {TARGET_GROUP_TYPE},
    Section.ALB_REGISTRATIONS: {TARGET_GROUP_TYPE},
    Section.SECURITY_GROUPS: {SECURITY_GROUP_TYPE, SECURITY_GROUP_VPC_ASSOCIATION_TYPE},
    Section.VPCS: {VPC_TYPE},
    Section.MANAGED_PREFIX_LISTS: {PREFIX_LIST_TYPE},
}


@pytest.mark.parametrize("rule", RECOMMENDATIONS, ids=RECOMMENDATIONS_BY_NAME)
def test_a_rule_listens_only_to_types_it_reads(rule: Recommendation) -> None:
    read = {Section.LOAD_BALANCERS, *rule.estate_sections} & TRIGGER_TYPES_BY_SECTION.keys()
    assert set(rule.trigger_types) == set().union(*(TRIGGER_TYPES_BY_SECTION[section] for section in read))
    assert len(set(rule.trigger_types)) == len(rule.trigger_types)


def test_a_network_load_balancer_concerns_only_the_rules_whose_verdict_it_can_change() -> None:
    network = "arn:aws:elasticloadbalancing:us-east-1:123456789012:{}/net/edge/50dc6c495c0c9188"
    items = [
        ChangedItem(LOAD_BALANCER_TYPE, network.format("loadbalancer"), "", exists=True, load_balancer_type="network"),
        ChangedItem(LISTENER_TYPE, f"{network.format('listener')}/f2f7dc8efc522ab2", "", exists=True),
    ]
    concerned = {
        rule.name
        for rule in RECOMMENDATIONS
        for item in items
        if affected_load_balancers(item, rule, parse_parameters({})) != Selection()
    }
    # Its clients reach the load balancers behind it, and its listeners use the ports of groups that it shares.
    assert concerned == {"ALB_SG_LISTENER_INGRESS", "ALB_SG_UNUSED_INGRESS"}


@pytest.mark.parametrize("parameters", [{"AcceptedSources": "10.0.0.0/8, pl-0a1b2c3d"}, {"TagKey": "clients"}])
def test_a_prefix_list_that_parameters_or_tags_may_name_concerns_every_load_balancer(
    parameters: dict[str, str],
) -> None:
    rule = RECOMMENDATIONS_BY_NAME["ALB_SG_ICMP_PMTUD"]
    item = ChangedItem(PREFIX_LIST_TYPE, "pl-0a1b2c3d", "", exists=True)
    assert affected_load_balancers(item, rule, parse_parameters(parameters)).everything
    assert affected_load_balancers(item, rule, parse_parameters({})) == Selection(
        prefix_lists=frozenset({"pl-0a1b2c3d"})
    )


@pytest.mark.parametrize(
    ("resource_id", "texts"),
    [
        pytest.param("sg-0123456789abcdef0|vpc-1", (), id="group and VPC, as in CloudFormation"),
        pytest.param("sgassoc-1", ("vpc-1", "sg-0123456789abcdef0"), id="an id of its own"),
    ],
)
def test_a_groups_association_with_a_vpc_concerns_its_carriers(resource_id: str, texts: tuple[str, ...]) -> None:
    item = ChangedItem(SECURITY_GROUP_VPC_ASSOCIATION_TYPE, resource_id, "", exists=True, texts=texts)
    selection = affected_load_balancers(item, RECOMMENDATIONS[0], parse_parameters({}))
    assert selection == Selection(security_groups=frozenset({"sg-0123456789abcdef0"}))


def changed_item(resource_type: str) -> ChangedItem:
    arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:{}/app/web/50dc6c495c0c9188"
    resource_id = {
        LISTENER_TYPE: f"{arn.format('listener')}/f2f7dc8efc522ab2",
        SECURITY_GROUP_VPC_ASSOCIATION_TYPE: "sg-1|vpc-1",
    }.get(resource_type, arn.format("loadbalancer"))
    return ChangedItem(resource_type, resource_id, "2026-01-01T00:00:00Z", exists=True)


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
    parameters = json.loads((RULES_FOLDER / rule.name / "parameters.json").read_text(encoding="utf-8"))["Parameters"]
    # rdk needs texts that hold JSON, commas without spaces, and empty defaults.
    assert json.loads(parameters["InputParameters"]) == {}
    assert set(json.loads(parameters["OptionalParameters"]).values()) == {""}
    assert " " not in parameters["SourceEvents"]
    assert len(parameters["Description"]) <= 256
