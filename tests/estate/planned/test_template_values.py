"""Intrinsic functions, pseudo parameters and conditions of CloudFormation templates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from alb_sg.errors import InvalidInputError
from alb_sg.estate.planned.cloudformation import read_templates
from alb_sg.estate.planned.resources import ResourceReference, UnknownPlannedValue
from alb_sg.estate.planned.template_stacks import GivenValues, TemplateFile
from alb_sg.estate.planned.values import PlannedValues
from tests.estate.planned.templates import SECURITY_GROUP, load_balancer, only_value, read, resource, values, write

VPC = {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}}
GROUP = {"Type": SECURITY_GROUP, "Properties": {"VpcId": {"Ref": "Vpc"}}}
TEMPLATE: dict[str, Any] = {
    "Parameters": {
        "Given": {"Type": "String"},
        "Zones": {"Type": "CommaDelimitedList"},
        "Open": {"Type": "String"},
        "Network": {"Type": "AWS::EC2::VPC::Id"},
        "Image": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/images/web"},
        "Password": {"Type": "String", "NoEcho": "true"},
    },
    "Mappings": {"Sizes": {"small": {"Ports": ["80", "81"]}, "large": {"Ports": ["90"]}}},
    "Resources": {"Vpc": VPC, "Group": GROUP},
}
GIVEN = {"Given": "web", "Zones": "a, b", "AWS::Region": "eu-west-1"}


def unknown(origin: str, remedy: str = "") -> UnknownPlannedValue:
    return UnknownPlannedValue(origin, remedy)


OPEN = unknown("parameter Open", "give --template-parameter Open=…")

CASES: dict[str, tuple[Any, Any]] = {
    "text": ("internal", "internal"),
    "Ref of a given parameter": ({"Ref": "Given"}, "web"),
    "Ref of a list, whose elements lose their spaces": ({"Ref": "Zones"}, ["a", "b"]),
    "Ref of an open parameter": ({"Ref": "Open"}, OPEN),
    "Ref of an SSM parameter, whose value is a name": (
        {"Ref": "Image"},
        unknown("parameter Image (an SSM parameter, read at deployment)"),
    ),
    "Ref of a resource": ({"Ref": "Group"}, ResourceReference("Group")),
    "Ref of the region": ({"Ref": "AWS::Region"}, "eu-west-1"),
    "Ref of the partition, which the region decides": ({"Ref": "AWS::Partition"}, "aws"),
    "Ref of the stack's id": ({"Ref": "AWS::StackId"}, unknown("AWS::StackId")),
    "Ref of no value": ({"Ref": "AWS::NoValue"}, None),
    "GetAtt of the identifier": ({"Fn::GetAtt": ["Group", "GroupId"]}, ResourceReference("Group")),
    "GetAtt as text": ({"Fn::GetAtt": "Group.GroupId"}, ResourceReference("Group")),
    "GetAtt of a literal in the template": ({"Fn::GetAtt": ["Vpc", "CidrBlock"]}, "10.0.0.0/16"),
    "GetAtt of a reference in the template": ({"Fn::GetAtt": ["Group", "VpcId"]}, ResourceReference("Vpc")),
    "GetAtt of what deployment decides": (
        {"Fn::GetAtt": ["Vpc", "Ipv6CidrBlocks"]},
        ResourceReference("Vpc", "Ipv6CidrBlocks"),
    ),
    "Sub": ({"Fn::Sub": "${Given}-${AWS::Region}"}, "web-eu-west-1"),
    "Sub with values": ({"Fn::Sub": ["${Name}.${Given}", {"Name": {"Ref": "Given"}}]}, "web.web"),
    "Sub with an escaped name": ({"Fn::Sub": "${!Given}"}, "${Given}"),
    "Sub of an attribute": ({"Fn::Sub": "${Vpc.CidrBlock}"}, "10.0.0.0/16"),
    "Sub of nothing but a resource": ({"Fn::Sub": "${Group}"}, ResourceReference("Group")),
    "Sub with a part that is not known": ({"Fn::Sub": "${Open}/16"}, OPEN),
    "Join": ({"Fn::Join": ["-", ["a", {"Ref": "Given"}, 3]]}, "a-web-3"),
    "Join of one reference": ({"Fn::Join": ["", [{"Ref": "Group"}]]}, ResourceReference("Group")),
    "Join with a part that is not known": (
        {"Fn::Join": ["/", [{"Ref": "Group"}, "x"]]},
        unknown("identifier of Group, known after deployment"),
    ),
    "Select": ({"Fn::Select": ["1", {"Ref": "Zones"}]}, "b"),
    "Select of an unknown one of equal elements": ({"Fn::Select": [{"Ref": "Open"}, ["a", "a"]]}, "a"),
    "Select of an unknown element of an unknown list": (
        {"Fn::Select": [{"Ref": "Open"}, {"Fn::GetAZs": ""}]},
        unknown("the element that is chosen by parameter Open", "give --template-parameter Open=…"),
    ),
    "Select from what is not known": (
        {"Fn::Select": [0, {"Fn::GetAZs": ""}]},
        unknown("element 0 of the Availability Zones of the region"),
    ),
    "Split": ({"Fn::Select": [1, {"Fn::Split": ["-", "a-b"]}]}, "b"),
    "Split of a joined list of identifiers": (
        {"Fn::Select": [1, {"Fn::Split": [",", {"Fn::Join": [",", [{"Ref": "Vpc"}, {"Ref": "Group"}]]}]}]},
        ResourceReference("Group"),
    ),
    "Split of a list as the CDK passes it between stacks": (
        {"Fn::Split": ["||", {"Fn::Join": ["||", [{"Ref": "Vpc"}, {"Ref": "Group"}]]}]},
        [ResourceReference("Vpc"), ResourceReference("Group")],
    ),
    "Split of a joined list of parameters, which may hold the delimiter": (
        {"Fn::Select": [1, {"Fn::Split": [",", {"Fn::Join": [",", [{"Ref": "Open"}, "b"]]}]}]},
        unknown("element 1 of parameter Open", "give --template-parameter Open=…"),
    ),
    "Split of a joined list of identifiers in parameters": (
        {"Fn::Select": [1, {"Fn::Split": [",", {"Fn::Join": [",", [{"Ref": "Network"}, "b"]]}]}]},
        "b",
    ),
    "FindInMap": ({"Fn::FindInMap": ["Sizes", "large", "Ports"]}, ["90"]),
    "FindInMap with a default": (
        {"Fn::FindInMap": ["Sizes", "medium", "Ports", {"DefaultValue": "85"}]},
        "85",
    ),
    "Cidr": ({"Fn::Select": [2, {"Fn::Cidr": [{"Fn::GetAtt": ["Vpc", "CidrBlock"]}, 3, 8]}]}, "10.0.2.0/24"),
    "Cidr of a block that is not known": (
        {"Fn::Select": [0, {"Fn::Cidr": [{"Ref": "Open"}, 3, 8]}]},
        unknown("element 0 of a part of parameter Open", "give --template-parameter Open=…"),
    ),
    "Base64": ({"Fn::Base64": "web"}, "d2Vi"),
    "Length": ({"Fn::Length": {"Ref": "Zones"}}, 2),
    "ToJsonString": ({"Fn::ToJsonString": {"a": [1]}}, '{"a":[1]}'),
    "import": (
        {"Fn::ImportValue": "network-vpc"},
        unknown("import network-vpc", "give the template that exports it with another --template"),
    ),
    "dynamic reference": ("{{resolve:ssm:/web/cidr:1}}", unknown("ssm value /web/cidr, read at deployment")),
    "a NoEcho parameter that is not given": ({"Ref": "Password"}, unknown("parameter Password, which is NoEcho")),
}


@pytest.mark.parametrize("name", CASES)
def test_an_expression_has_its_value(name: str, tmp_path: Path) -> None:
    expression, expected = CASES[name]
    assert only_value(tmp_path, expression, GIVEN, **TEMPLATE) == expected


def test_a_value_of_a_noecho_parameter_decides_conditions_and_is_not_shown(tmp_path: Path) -> None:
    template = {
        "Parameters": {"Key": {"Type": "String", "NoEcho": True}},
        "Conditions": {"HasKey": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Key"}, ""]}]}},
        "Resources": {
            "Web": load_balancer(Scheme={"Fn::If": ["HasKey", "internal", "internet-facing"]}, Name={"Ref": "Key"})
        },
    }
    [scenario] = read(tmp_path, template, {"Key": "s3cr3t"})
    assert resource(scenario, "Web").properties["Scheme"] == "internal"
    assert "s3cr3t" not in repr(scenario)


def test_allowed_values_are_one_scenario_each(tmp_path: Path) -> None:
    parameters = {"Scheme": {"Type": "String", "AllowedValues": ["internal", "internet-facing"], "Default": "internal"}}
    assert values(tmp_path, {"Ref": "Scheme"}, Parameters=parameters) == {
        ("parameter Scheme is internal",): "internal",
        ("parameter Scheme is internet-facing",): "internet-facing",
    }


def test_a_default_is_taken_only_if_the_caller_says_so(tmp_path: Path) -> None:
    template = {
        "Parameters": {"Scheme": {"Type": "String", "Default": "internal"}},
        "Resources": {"Web": load_balancer(Scheme={"Ref": "Scheme"})},
    }
    [scenario] = read(tmp_path, template)
    assert resource(scenario, "Web").properties["Scheme"] == unknown(
        "parameter Scheme", "give --template-parameter Scheme=…, or take defaults with --template-defaults"
    )
    [scenario] = read(tmp_path, template, take_defaults=True)
    assert resource(scenario, "Web").properties["Scheme"] == "internal"


def test_a_parameter_that_a_condition_compares_is_that_value_or_another(tmp_path: Path) -> None:
    found = values(
        tmp_path,
        {"Fn::If": ["IsGiven", {"Ref": "Name"}, "none"]},
        Parameters={"Name": {"Type": "String"}},
        Conditions={"IsGiven": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Name"}, ""]}]}},
    )
    assert found == {("parameter Name is ''",): "none", ("parameter Name is not ''",): "parameter Name"}


def test_a_value_that_the_parameter_cannot_have_is_no_choice(tmp_path: Path) -> None:
    condition = {"IsEmpty": {"Fn::Equals": [{"Ref": "Name"}, ""]}}
    for constraint in ({"MinLength": 1}, {"AllowedPattern": "[a-z]+"}):
        parameters = {"Name": {"Type": "String", **constraint}}
        found = values(tmp_path, {"Fn::If": ["IsEmpty", "a", "b"]}, Parameters=parameters, Conditions=condition)
        assert found == {(): "b"}


def test_two_conditions_on_one_parameter_agree(tmp_path: Path) -> None:
    """An environment is not test and production at once."""
    found = values(
        tmp_path,
        {"Fn::If": ["IsTest", "test", {"Fn::If": ["IsProduction", "production", "other"]}]},
        Parameters={"Stage": {"Type": "String"}},
        Conditions={
            "IsTest": {"Fn::Equals": [{"Ref": "Stage"}, "test"]},
            "IsProduction": {
                "Fn::And": [{"Fn::Not": [{"Condition": "IsTest"}]}, {"Fn::Equals": ["prod", {"Ref": "Stage"}]}]
            },
        },
    )
    assert found == {
        ("parameter Stage is test",): "test",
        ("parameter Stage is not test", "parameter Stage is prod"): "production",
        ("parameter Stage is not test", "parameter Stage is not prod"): "other",
    }


def test_a_condition_on_an_unknown_value_has_both_outcomes(tmp_path: Path) -> None:
    found = values(
        tmp_path,
        {"Fn::If": ["Same", "same", "different"]},
        Parameters={"One": {"Type": "String"}, "Other": {"Type": "String"}},
        Conditions={"Same": {"Fn::Equals": [{"Ref": "One"}, {"Ref": "Other"}]}},
    )
    assert found == {("One = Other holds",): "same", ("One = Other does not hold",): "different"}


def test_an_operand_that_decides_spares_the_choice_of_the_others(tmp_path: Path) -> None:
    found = values(
        tmp_path,
        {"Fn::If": ["Either", "yes", "no"]},
        Parameters={"Open": {"Type": "String"}},
        Conditions={"Either": {"Fn::Or": [{"Fn::Equals": [{"Ref": "Open"}, "x"]}, {"Fn::Equals": ["a", "a"]}]}},
    )
    assert found == {(): "yes"}


def test_a_map_with_a_key_that_is_not_known_gives_one_of_its_values(tmp_path: Path) -> None:
    """In a region that the map lacks, the deployment fails."""
    found = values(
        tmp_path,
        {"Fn::FindInMap": ["Regions", {"Ref": "AWS::Region"}, "Scheme"]},
        Mappings={
            "Regions": {
                "eu-west-1": {"Scheme": "internal"},
                "us-east-1": {"Scheme": "internal"},
                "us-west-2": {"Scheme": "internet-facing"},
            }
        },
    )
    label = "FindInMap(Regions, AWS::Region, Scheme)"
    assert found == {(f"{label} is internal",): "internal", (f"{label} is internet-facing",): "internet-facing"}


def test_an_element_whose_number_is_not_known_is_one_of_them(tmp_path: Path) -> None:
    """With a number that the list does not have, the deployment fails."""
    found = values(
        tmp_path,
        {"Fn::Select": [{"Ref": "Number"}, ["internal", "internet-facing", "internal"]]},
        Parameters={"Number": {"Type": "Number"}},
    )
    label = "the element that is chosen by Number"
    assert found == {(f"{label} is element 0",): "internal", (f"{label} is element 1",): "internet-facing"}


@pytest.mark.parametrize(
    ("section", "expression"),
    [("Mappings", {"Fn::FindInMap": ["Sizes", "a", "b"]}), ("Conditions", {"Fn::If": ["Wide", "a", "b"]})],
)
def test_what_a_macro_may_add_to_a_section_is_not_called_missing(section: str, expression: Any, tmp_path: Path) -> None:
    included = {"Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": "s3://bucket/key"}}}
    with pytest.raises(InvalidInputError, match="Fn::Transform runs the macro 'AWS::Include'"):
        only_value(tmp_path, expression, None, **{section: included})


def test_properties_that_depend_on_a_condition_are_one_way_each(tmp_path: Path) -> None:
    """CloudFormation takes Fn::If in place of all properties, also one inside another."""
    template = {
        "Parameters": {"Stage": {"Type": "String", "AllowedValues": ["test", "live"]}},
        "Conditions": {"IsTest": {"Fn::Equals": [{"Ref": "Stage"}, "test"]}, "Never": {"Fn::Equals": ["a", "b"]}},
        "Resources": {
            "Web": {
                "Type": "AWS::ElasticLoadBalancingV2::LoadBalancer",
                "Properties": {
                    "Fn::If": [
                        "IsTest",
                        {"Scheme": "internal", "IpAddressType": "ipv4"},
                        {"Fn::If": ["Never", {"Ref": "AWS::NoValue"}, {"IpAddressType": "dualstack"}]},
                    ]
                },
            }
        },
    }
    found = {one.assumptions: resource(one, "Web").properties for one in read(tmp_path, template)}
    assert found == {
        ("parameter Stage is test",): {"Scheme": "internal", "IpAddressType": "ipv4"},
        ("parameter Stage is live",): {"IpAddressType": "dualstack"},
    }


def test_properties_that_both_values_of_a_condition_have_ask_for_no_choice(tmp_path: Path) -> None:
    template = {
        "Parameters": {"Stage": {"Type": "String", "AllowedValues": ["test", "live"]}},
        "Conditions": {"IsTest": {"Fn::Equals": [{"Ref": "Stage"}, "test"]}},
        "Resources": {
            "Web": {
                "Type": "AWS::ElasticLoadBalancingV2::LoadBalancer",
                "Properties": {"Fn::If": ["IsTest", {"Scheme": "internal", "Name": "test"}, {"Scheme": "internal"}]},
            }
        },
    }
    [scenario] = read(tmp_path, template)
    assert resource(scenario, "Web").properties["Scheme"] == "internal"


def test_a_reference_inside_conditional_properties_joins_resources(tmp_path: Path) -> None:
    """The load balancer depends on what its conditional properties name."""
    properties = {"SecurityGroups": [{"Ref": "Group"}]}
    template = {
        "Conditions": {"Always": {"Fn::Equals": ["a", "a"]}},
        "Resources": {
            "Web": {
                "Type": "AWS::ElasticLoadBalancingV2::LoadBalancer",
                "Properties": {"Fn::If": ["Always", properties, {"Ref": "AWS::NoValue"}]},
            },
            "Group": {"Type": SECURITY_GROUP, "Properties": {}},
        },
    }
    [scenario] = read(tmp_path, template)
    assert resource(scenario, "Web").properties == {"SecurityGroups": [ResourceReference("Group")]}
    assert resource(scenario, "Group").address == "Group"


def rules_of(assertion: Any, condition: Any = None) -> dict[str, Any]:
    rule = {"Assertions": [{"Assert": assertion, "AssertDescription": "the scheme fits the stage"}]}
    return {"Rules": {"Known": rule if condition is None else {"RuleCondition": condition, **rule}}}


SCHEMES = {"Scheme": {"Type": "String", "AllowedValues": ["internal", "internet-facing"]}, "Open": {"Type": "String"}}
IS_INTERNAL = {"Fn::Contains": [["internal", "private"], {"Ref": "Scheme"}]}
RULES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "an assertion that refuses a value": (rules_of(IS_INTERNAL), ["internal"]),
    "a condition that does not hold": (
        rules_of(IS_INTERNAL, {"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]}),
        ["internal", "internet-facing"],
    ),
    "a condition that may not hold": (
        rules_of(IS_INTERNAL, {"Fn::Equals": [{"Ref": "Open"}, "x"]}),
        ["internal", "internet-facing"],
    ),
    "an assertion on a value that is not known": (
        rules_of({"Fn::And": [{"Fn::Equals": [{"Ref": "Open"}, "x"]}, {"Fn::Not": [{"Fn::Not": [IS_INTERNAL]}]}]}),
        ["internal"],
    ),
    "an alternative that is not known": (
        rules_of({"Fn::Or": [IS_INTERNAL, {"Fn::Equals": [{"Ref": "Open"}, "x"]}]}),
        ["internal", "internet-facing"],
    ),
    "an attribute of an account's resource": (
        rules_of({"Fn::EachMemberEquals": [{"Fn::ValueOfAll": ["AWS::EC2::VPC::Id", "Tags.Name"]}, "x"]}),
        ["internal", "internet-facing"],
    ),
    "members that are not all allowed": (
        rules_of({"Fn::EachMemberIn": [["internal", {"Ref": "Scheme"}], ["internal"]]}),
        ["internal"],
    ),
    "members that are not all equal": (
        rules_of({"Fn::EachMemberEquals": [[{"Ref": "Scheme"}, "internal"], "internal"]}),
        ["internal"],
    ),
}


@pytest.mark.parametrize("name", RULES)
def test_values_that_a_rule_refuses_are_no_way_of_deploying(name: str, tmp_path: Path) -> None:
    rules, expected = RULES[name]
    template = {"Parameters": SCHEMES, "Resources": {"Web": load_balancer(Scheme={"Ref": "Scheme"})}, **rules}
    scenarios = read(tmp_path, template, {"AWS::Region": "eu-west-1"})
    assert [resource(one, "Web").properties["Scheme"] for one in scenarios] == expected


def test_a_given_value_that_a_rule_refuses_is_an_error(tmp_path: Path) -> None:
    resources = {"Web": load_balancer(Scheme={"Ref": "Scheme"})}
    template = {"Parameters": SCHEMES, "Resources": resources, **rules_of(IS_INTERNAL)}
    with pytest.raises(InvalidInputError) as raised:
        read(tmp_path, template, {"Scheme": "internet-facing"})
    sentence = "template.json: Rules.Known: 'the scheme fits the stage' does not hold for these values of parameters"
    assert sentence in str(raised.value)


def test_a_choice_that_cannot_be_deployed_is_no_scenario(tmp_path: Path) -> None:
    found = values(
        tmp_path,
        {"Fn::FindInMap": ["Sizes", {"Ref": "Size"}, "Scheme"]},
        Parameters={"Size": {"Type": "String", "AllowedValues": ["small", "large"]}},
        Mappings={"Sizes": {"small": {"Scheme": "internal"}}},
    )
    assert found == {("parameter Size is small",): "internal"}


def test_values_that_decide_no_verdict_are_not_enumerated(tmp_path: Path) -> None:
    template = {
        "Parameters": {"Size": {"Type": "String", "AllowedValues": ["small", "large"]}},
        "Conditions": {"IsSmall": {"Fn::Equals": [{"Ref": "Size"}, "small"]}},
        "Resources": {
            "Web": load_balancer(Name={"Fn::If": ["IsSmall", "s", "l"]}),
            "Topic": {"Type": "AWS::SNS::Topic", "Condition": "IsSmall"},
        },
    }
    [scenario] = read(tmp_path, template)
    assert resource(scenario, "Web").properties["Name"] == unknown("parameter Size")


def test_a_resource_whose_condition_does_not_hold_is_not_created(tmp_path: Path) -> None:
    template = {
        "Conditions": {"Never": {"Fn::Equals": ["a", "b"]}},
        "Resources": {
            "Web": load_balancer(SecurityGroups=[{"Ref": "Group"}]),
            "Group": {**GROUP, "Condition": "Never", "Properties": {}},
        },
    }
    [scenario] = read(tmp_path, template)
    assert [one.address for one in scenario.resources] == ["Web"]
    assert resource(scenario, "Web").properties["SecurityGroups"] == [
        unknown("identifier of Group, which is not created because condition Never does not hold")
    ]


def test_load_balancers_that_share_nothing_are_enumerated_apart(tmp_path: Path) -> None:
    """Two load balancers with five conditions each have 64 scenarios, not 1,024."""
    names = [f"P{index}" for index in range(10)]
    template = {
        "Parameters": {name: {"Type": "String"} for name in names},
        "Conditions": {name: {"Fn::Equals": [{"Ref": name}, "yes"]} for name in names},
        "Resources": {
            web: load_balancer(
                SecurityGroups=[{"Fn::If": [name, f"sg-{name}", {"Ref": "AWS::NoValue"}]} for name in own]
            )
            for web, own in (("One", names[:5]), ("Other", names[5:]))
        },
    }
    scenarios = read(tmp_path, template)
    assert len(scenarios) == 64
    assert {(scenario.load_balancers or frozenset()) for scenario in scenarios} == {
        frozenset({"One"}),
        frozenset({"Other"}),
    }


def test_more_ways_than_the_cap_leave_only_that_load_balancer_unjudged(tmp_path: Path) -> None:
    names = [f"P{index}" for index in range(9)]
    template = {
        "Parameters": {name: {"Type": "String"} for name in names},
        "Conditions": {name: {"Fn::Equals": [{"Ref": name}, "yes"]} for name in names},
        "Resources": {
            "Many": load_balancer(
                SecurityGroups=[{"Fn::If": [name, f"sg-{name}", {"Ref": "AWS::NoValue"}]} for name in names]
            ),
            "Plain": load_balancer(Scheme="internal"),
        },
    }
    many, plain = read(tmp_path, template)
    kind = resource(many, "Many").properties["Type"]
    assert isinstance(kind, UnknownPlannedValue)
    assert kind.origin == "which of more than 256 ways of deploying Many"
    assert kind.remedy.startswith("give values with --template-parameter for some of parameter P0, parameter P1")
    assert resource(plain, "Plain").properties == {"Scheme": "internal"}
    with pytest.raises(InvalidInputError, match="can be deployed in more than 256 ways that matter"):
        read_templates([TemplateFile(write(tmp_path, template))], over_estate=True)


WRONG: dict[str, tuple[Any, str]] = {
    "a name that is not there": (
        {"Ref": "Nothing"},
        "Scheme.Ref: the template has no parameter and no resource 'Nothing'; define it, or correct the name",
    ),
    "a resource that is not there": ({"Fn::GetAtt": ["Nothing", "Arn"]}, "the template has no resource 'Nothing'"),
    "a condition that is not there": ({"Fn::If": ["Nothing", 1, 2]}, "the template has no condition 'Nothing'"),
    "a function that is not there": ({"Fn::Reverse": "a"}, "Fn::Reverse is no function that this command knows"),
    "a macro": ({"Fn::Transform": {"Name": "AWS::Include"}}, "Fn::Transform runs the macro 'AWS::Include'"),
    "an element that is not there": ({"Fn::Select": [2, ["a"]]}, "Fn::Select takes element 2 of a list of 1"),
    "a key that is not there": ({"Fn::FindInMap": ["Sizes", "x", "y"]}, "Mappings has no map 'Sizes'"),
    "a block that cannot be divided": (
        {"Fn::Cidr": ["10.0.0.0/30", 3, 8]},
        "10.0.0.0/30 has no 3 blocks with 8 host bits (Fn::Cidr)",
    ),
    "more blocks than there are": (
        {"Fn::Cidr": ["10.0.0.0/23", 3, 8]},
        "10.0.0.0/23 has no 3 blocks with 8 host bits (Fn::Cidr)",
    ),
    "more blocks than CloudFormation makes": (
        {"Fn::Cidr": ["10.0.0.0/8", 257, 8]},
        "Fn::Cidr makes 1 to 256 blocks, not '257'",
    ),
    "a count that is no number": ({"Fn::Cidr": ["10.0.0.0/16", "-1", 8]}, "Fn::Cidr makes 1 to 256 blocks, not '-1'"),
    "host bits that are no number": (
        {"Fn::Cidr": ["10.0.0.0/16", 1, "x"]},
        "the number of host bits of Fn::Cidr is no number: 'x'",
    ),
    "a block that is none": ({"Fn::Cidr": ["10.0.0", 1, 8]}, "Fn::Cidr takes a block, not '10.0.0'"),
    "a function beside another key": (
        {"Fn::If": ["One", 1, 2], "Name": "a"},
        "Fn::If stands beside other keys; it must be the only key of its object",
    ),
    "conditions in a circle": (
        {"Fn::If": ["One", 1, 2]},
        "circular references: condition One → condition Other → condition One; remove one of them",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_an_error_is_one_sentence_with_its_place(name: str, tmp_path: Path) -> None:
    expression, sentence = WRONG[name]
    conditions = {"One": {"Condition": "Other"}, "Other": {"Fn::Not": [{"Condition": "One"}]}}
    with pytest.raises(InvalidInputError) as raised:
        only_value(tmp_path, expression, Conditions=conditions)
    assert sentence in str(raised.value)
    assert "template.json: Resources.Web.Properties.Scheme" in str(raised.value)


def test_a_given_value_that_is_not_allowed_is_refused(tmp_path: Path) -> None:
    template = {
        "Parameters": {"Scheme": {"Type": "String", "AllowedValues": ["internal"]}},
        "Resources": {"Web": load_balancer(Scheme={"Ref": "Scheme"})},
    }
    with pytest.raises(InvalidInputError, match=r"'public' is not allowed for parameter Scheme; .* allows internal"):
        read(tmp_path, template, {"Scheme": "public"})


def test_a_given_parameter_that_no_template_has_is_refused(tmp_path: Path) -> None:
    template = {"Parameters": {"Scheme": {"Type": "String"}}, "Resources": {"Web": load_balancer()}}
    with pytest.raises(InvalidInputError, match=r"no template parameter has the name 'Schema'.* it has Scheme"):
        read_templates([TemplateFile(write(tmp_path, template))], GivenValues({"Schema": "internal"}))


def test_a_region_that_a_condition_supposes_is_not_the_region_of_the_stack(tmp_path: Path) -> None:
    template = {
        "Conditions": {"IsVirginia": {"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]}},
        "Resources": {"Web": load_balancer(Scheme={"Fn::If": ["IsVirginia", {"Ref": "AWS::Region"}, "elsewhere"]})},
    }
    supposed, other = read(tmp_path, template)
    assert supposed.assumptions == ("AWS::Region is us-east-1",)
    assert [resource(one, "Web").properties["Scheme"] for one in (supposed, other)] == ["us-east-1", "elsewhere"]
    assert [resource(one, "Web").region for one in (supposed, other)] == [None, None]


def test_deployment_decides_an_attribute_of_a_custom_resource() -> None:
    """The document has the resource, but no resource of its type is read."""
    assert PlannedValues([]).resolve(ResourceReference("Lookup", "Cidr")) == unknown("known after apply: Lookup.Cidr")


@pytest.mark.parametrize(
    ("left", "right"),
    [
        # The same element of two lists, the entries of two maps, and two ways of joining a list.
        ({"Fn::Select": [{"Ref": "Index"}, {"Ref": "One"}]}, {"Fn::Select": [{"Ref": "Index"}, {"Ref": "Two"}]}),
        (
            {"Fn::FindInMap": ["M", {"Ref": "Index"}, "x", {"DefaultValue": "1"}]},
            {"Fn::FindInMap": ["N", {"Ref": "Index"}, "x", {"DefaultValue": "1"}]},
        ),
        ({"Fn::Join": ["-", {"Ref": "One"}]}, {"Fn::Join": ["+", {"Ref": "One"}]}),
    ],
)
def test_unknown_values_in_the_same_words_may_differ(left: Any, right: Any, tmp_path: Path) -> None:
    """Neither are they equal, nor do they equal a third value together."""
    template = {
        "Parameters": {
            "Index": {"Type": "String"},
            "One": {"Type": "CommaDelimitedList"},
            "Two": {"Type": "CommaDelimitedList"},
        },
        "Mappings": {"M": {"a": {"x": "1"}}, "N": {"a": {"x": "2"}}},
        "Conditions": {
            "Same": {"Fn::Equals": [left, right]},
            "Left": {"Fn::Equals": [left, "1"]},
            "Right": {"Fn::Equals": [right, "1"]},
        },
    }
    assert set(values(tmp_path, {"Fn::If": ["Same", "yes", "no"]}, **template).values()) == {"yes", "no"}
    both = {"Fn::Sub": ["${L}${R}", {side[0]: {"Fn::If": [side, "1", "0"]} for side in ("Left", "Right")}]}
    assert set(values(tmp_path, both, **template).values()) == {"11", "10", "01", "00"}
