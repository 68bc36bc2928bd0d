"""Nested stacks, exports and imports, CDK output, transforms, and the defaults of CloudFormation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from alb_sg.errors import InvalidInputError
from alb_sg.estate.planned.cdk_output import read_cdk_output
from alb_sg.estate.planned.cloudformation import read_templates
from alb_sg.estate.planned.resources import PlannedResource, ResourceReference, Scenario, UnknownPlannedValue
from alb_sg.estate.planned.template_stacks import GivenValues, TemplateFile
from tests.estate.planned.templates import (
    LISTENER,
    NESTED_STACK,
    SECURITY_GROUP,
    TARGET_GROUP,
    load_balancer,
    read,
    resource,
    write,
)

GROUP: dict[str, Any] = {"Type": SECURITY_GROUP, "Properties": {"VpcId": {"Ref": "Vpc"}}}
VPC = {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}}


def nested(url: Any, **parameters: Any) -> dict[str, Any]:
    return {"Type": NESTED_STACK, "Properties": {"TemplateURL": url, "Parameters": parameters}}


def of_type(scenario: Scenario, resource_type: str) -> list[PlannedResource]:
    return [one for one in scenario.resources if one.type == resource_type]


def test_a_nested_stack_uses_its_parents_values_and_returns_outputs(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "Parameters": {"Vpc": {"Type": "String"}, "Port": {"Type": "String", "Default": "8080"}},
            "Resources": {
                "Group": {
                    **GROUP,
                    "Properties": {"VpcId": {"Ref": "Vpc"}, "SecurityGroupIngress": {"FromPort": {"Ref": "Port"}}},
                }
            },
            "Outputs": {"GroupId": {"Value": {"Fn::GetAtt": ["Group", "GroupId"]}}},
        },
        "groups.json",
    )
    template = {
        "Resources": {
            "Vpc": VPC,
            "Groups": nested("groups.json", Vpc={"Ref": "Vpc"}),
            "Web": load_balancer(SecurityGroups=[{"Fn::GetAtt": ["Groups", "Outputs.GroupId"]}]),
        }
    }
    [scenario] = read(tmp_path, template)
    assert resource(scenario, "Web").properties["SecurityGroups"] == [ResourceReference("Groups.Group")]
    group = resource(scenario, "Groups.Group")
    assert group.properties["VpcId"] == ResourceReference("Vpc")
    # A default of a nested stack is what is deployed, unless the parent passes something else.
    assert group.properties["SecurityGroupIngress"] == [{"FromPort": 8080}]
    assert group.location is not None
    assert group.location.file == str(tmp_path / "groups.json")


def test_a_list_that_is_joined_for_a_nested_stack_is_a_list_there(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "Parameters": {"Groups": {"Type": "List<AWS::EC2::SecurityGroup::Id>"}},
            "Resources": {"Web": load_balancer(SecurityGroups={"Ref": "Groups"})},
        },
        "web.json",
    )
    passed = {"Fn::Join": [",", [{"Ref": "One"}, {"Ref": "Other"}]]}
    [scenario] = read(
        tmp_path, {"Resources": {"One": GROUP, "Other": GROUP, "Vpc": VPC, "Nested": nested("web.json", Groups=passed)}}
    )
    web = resource(scenario, "Nested.Web")
    assert web.properties["SecurityGroups"] == [ResourceReference("One"), ResourceReference("Other")]
    assert scenario.load_balancers == frozenset({"Nested.Web"})
    # What the nested load balancer depends on stands in its parent.
    assert {one.address for one in scenario.resources} == {"Nested.Web", "One", "Other", "Vpc"}


def test_a_condition_of_a_nested_stack_asks_for_the_parameter_of_its_parent(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "Parameters": {"Public": {"Type": "String"}},
            "Conditions": {"IsPublic": {"Fn::Equals": [{"Ref": "Public"}, "yes"]}},
            "Resources": {"Web": load_balancer(Scheme={"Fn::If": ["IsPublic", "internet-facing", "internal"]})},
        },
        "web.json",
    )
    template = {
        "Parameters": {"Public": {"Type": "String"}},
        "Resources": {"One": nested("web.json", Public={"Ref": "Public"}), "Other": nested("web.json", Public="yes")},
    }
    scenarios = read(tmp_path, template)
    assert [
        (scenario.assumptions, one.address, one.properties["Scheme"])
        for scenario in scenarios
        for one in scenario.resources
    ] == [
        (("parameter Public is yes",), "One.Web", "internet-facing"),
        (("parameter Public is not yes",), "One.Web", "internal"),
        ((), "Other.Web", "internet-facing"),
    ]


def test_a_cdk_asset_is_a_nested_template(tmp_path: Path) -> None:
    write(tmp_path, {"Resources": {"Web": load_balancer()}}, "inner.nested.template.json")
    asset = {
        **nested({"Fn::Sub": "https://s3.${AWS::URLSuffix}/x"}),
        "Metadata": {"aws:asset:path": "inner.nested.template.json"},
    }
    [scenario] = read(tmp_path, {"Resources": {"Inner": asset}})
    assert [one.address for one in scenario.resources] == ["Inner.Web"]


def test_an_absent_nested_stack_may_change_what_it_receives(tmp_path: Path) -> None:
    template = {
        "Resources": {
            "Vpc": VPC,
            "Group": GROUP,
            "Web": load_balancer(SecurityGroups=[{"Ref": "Group"}]),
            "Targets": {"Type": TARGET_GROUP, "Properties": {"Port": "80"}},
            "Listener": {
                "Type": LISTENER,
                "Properties": {
                    "LoadBalancerArn": {"Ref": "Web"},
                    "DefaultActions": [{"Type": "forward", "TargetGroupArn": {"Ref": "Targets"}}],
                },
            },
            "Rules": nested(
                "https://bucket.s3.amazonaws.com/rules.yaml", Group={"Ref": "Group"}, Listener={"Ref": "Listener"}
            ),
            "Service": nested("https://bucket.s3.amazonaws.com/service.yaml", TargetGroup={"Ref": "Targets"}),
            "Logs": nested("https://bucket.s3.amazonaws.com/logs.yaml", Retention="7"),
        }
    }
    [scenario] = read(tmp_path, template)
    unknown = UnknownPlannedValue(
        "what nested stack Rules does, whose template is no local file",
        "give its template with --nested-template Rules=F",
    )
    [ingress] = of_type(scenario, "AWS::EC2::SecurityGroupIngress")
    assert ingress.properties == {"GroupId": ResourceReference("Group"), "IpProtocol": "-1", "CidrIp": unknown}
    assert [one.properties["GroupId"] for one in of_type(scenario, "AWS::EC2::SecurityGroupEgress")] == [
        ResourceReference("Group")
    ]
    [rule] = of_type(scenario, "AWS::ElasticLoadBalancingV2::ListenerRule")
    assert rule.properties == {"ListenerArn": ResourceReference("Listener"), "Actions": unknown}
    [service] = of_type(scenario, "AWS::ECS::Service")
    assert service.properties["LoadBalancers"] == [{"TargetGroupArn": ResourceReference("Targets")}]


def test_a_nested_stack_that_is_not_here_may_have_load_balancers(tmp_path: Path) -> None:
    template = {
        "Conditions": {"Never": {"Fn::Equals": ["a", "b"]}},
        "Resources": {
            "Web": nested("https://bucket.s3.amazonaws.com/web.yaml"),
            "Old": {**nested("https://bucket.s3.amazonaws.com/old.yaml"), "Condition": "Never"},
        },
    }
    [scenario] = read(tmp_path, template)
    assert [one.origin for one in scenario.unread] == [
        "load balancers of nested stack Web, whose template is no local file"
    ]
    inner = write(tmp_path, {"Resources": {"Web": load_balancer()}}, "elsewhere.json")
    files = [TemplateFile(str(tmp_path / "template.json"))]
    [scenario] = read_templates(files, GivenValues(nested_templates={"Web": inner}))
    assert [one.address for one in scenario.resources] == ["Web.Web"]
    assert scenario.unread == ()


WRONG_NESTING: dict[str, tuple[Any, str]] = {
    "a template that is not there": (nested("missing.json"), "missing.json, is not there; add it, or correct the path"),
    "a parameter that is not passed": (
        nested("inner.json"),
        "parameter Inner.Needed has no default, and the parent stack passes no value; pass one",
    ),
    "a parameter that is not declared": (nested("inner.json", Needed="a", Other="b"), "has no parameter 'Other'"),
    "a template that nests itself": (nested("template.json"), "nests itself; remove the circle"),
}


@pytest.mark.parametrize("name", WRONG_NESTING)
def test_a_wrong_nested_stack_is_one_sentence(name: str, tmp_path: Path) -> None:
    stack, sentence = WRONG_NESTING[name]
    inner = {
        "Parameters": {"Needed": {"Type": "String"}},
        "Resources": {"Web": load_balancer(Scheme={"Ref": "Needed"})},
    }
    write(tmp_path, inner, "inner.json")
    with pytest.raises(InvalidInputError) as raised:
        read(tmp_path, {"Resources": {"Inner": stack}})
    assert sentence in str(raised.value)


def test_an_output_that_a_nested_stack_lacks_is_refused(tmp_path: Path) -> None:
    write(tmp_path, {"Resources": {}}, "inner.json")
    web = load_balancer(Scheme={"Fn::GetAtt": ["Inner", "Outputs.Scheme"]})
    with pytest.raises(InvalidInputError, match=r"inner.json has no output 'Scheme'; define it below Outputs"):
        read(tmp_path, {"Resources": {"Inner": nested("inner.json"), "Web": web}})


def test_an_export_of_one_template_is_an_import_of_another(tmp_path: Path) -> None:
    network = {
        "Resources": {"Vpc": VPC, "Group": GROUP},
        "Outputs": {"Group": {"Value": {"Ref": "Group"}, "Export": {"Name": {"Fn::Sub": "${AWS::StackName}-group"}}}},
    }
    other = TemplateFile(write(tmp_path, network, "network.json"), stack_name="net")
    template = {"Resources": {"Web": load_balancer(SecurityGroups=[{"Fn::ImportValue": "net-group"}])}}
    [scenario] = read(tmp_path, template, others=[other], stack_name="web")
    assert {one.address for one in scenario.resources} == {"web/Web", "net/Group", "net/Vpc"}
    assert resource(scenario, "web/Web").properties["SecurityGroups"] == [ResourceReference("net/Group")]


def test_without_stack_names_an_address_begins_with_the_file(tmp_path: Path) -> None:
    other = TemplateFile(write(tmp_path, {"Resources": {"Web": load_balancer()}}, "other.yaml"))
    scenarios = read(tmp_path, {"Resources": {"Web": load_balancer()}}, others=[other])
    assert [one.address for scenario in scenarios for one in scenario.resources] == ["template/Web", "other/Web"]


def test_one_export_of_two_templates_is_refused(tmp_path: Path) -> None:
    network = {"Resources": {}, "Outputs": {"A": {"Value": "sg-1", "Export": {"Name": "group"}}}}
    files = [TemplateFile(write(tmp_path, network, name)) for name in ("a.json", "b.json")]
    web = {"Resources": {"Web": load_balancer(SecurityGroups=[{"Fn::ImportValue": "group"}])}}
    with pytest.raises(InvalidInputError, match=r"a.json and .*b.json both export 'group'; rename one"):
        read(tmp_path, web, others=files)


def test_a_value_that_a_nested_stack_refuses_is_no_way_of_deploying(tmp_path: Path) -> None:
    """The parent allows more than its nested stack, as long as another value remains."""
    child = {
        "Parameters": {"Scheme": {"Type": "String", "AllowedValues": ["internal"]}},
        "Resources": {"Web": load_balancer(Scheme={"Ref": "Scheme"})},
    }
    write(tmp_path, child, "child.json")
    template = {
        "Parameters": {"Scheme": {"Type": "String", "AllowedValues": ["internal", "internet-facing"]}},
        "Resources": {"Nested": nested("child.json", Scheme={"Ref": "Scheme"})},
    }
    [scenario] = read(tmp_path, template)
    assert resource(scenario, "Nested.Web").properties["Scheme"] == "internal"
    with pytest.raises(InvalidInputError, match=r"'internet-facing' is not allowed for parameter Nested\.Scheme"):
        read(tmp_path, template, {"Scheme": "internet-facing"})


def test_a_load_balancer_that_no_value_can_make_is_an_error(tmp_path: Path) -> None:
    """Elsewhere the stack has no load balancer, which says nothing about this one."""
    child = {
        "Parameters": {"Scheme": {"Type": "String", "AllowedValues": ["internal"]}},
        "Resources": {"Web": load_balancer(Scheme={"Ref": "Scheme"})},
    }
    write(tmp_path, child, "child.json")
    template = {
        "Conditions": {"IsKnown": {"Fn::Equals": [{"Ref": "AWS::Region"}, "eu-west-1"]}},
        "Resources": {"Nested": {**nested("child.json", Scheme="public"), "Condition": "IsKnown"}},
    }
    with pytest.raises(InvalidInputError, match=r"'public' is not allowed for parameter Nested\.Scheme"):
        read(tmp_path, template)


def test_nested_stacks_that_decide_nothing_ask_for_no_choice(tmp_path: Path) -> None:
    """With eight conditions of other nested stacks, there would be 256 ways of deploying one load balancer."""
    names = [f"P{index}" for index in range(9)]
    write(tmp_path, {"Resources": {"Web": load_balancer(Scheme="internal")}}, "web.json")
    write(tmp_path, {"Resources": {"Group": {"Type": SECURITY_GROUP, "Properties": {}}}}, "alarms.json")
    template = {
        "Parameters": {name: {"Type": "String"} for name in names},
        "Conditions": {name: {"Fn::Equals": [{"Ref": name}, "yes"]} for name in names},
        "Resources": {
            "Nested": nested("web.json"),
            **{f"Alarms{name}": {**nested("alarms.json"), "Condition": name} for name in names},
        },
    }
    [scenario] = read(tmp_path, template)
    assert [one.address for one in scenario.resources] == ["Nested.Web"]


NETWORK = {
    "Conditions": {"Never": {"Fn::Equals": ["a", "b"]}},
    "Resources": {"Vpc": VPC, "Group": GROUP},
    "Outputs": {
        "GroupId": {"Value": {"Fn::GetAtt": ["Group", "GroupId"]}},
        "Nothing": {"Value": "a", "Condition": "Never"},
    },
}


def stack_output(name: Any = "network", output: str = "GroupId", **others: Any) -> dict[str, Any]:
    return {"Fn::GetStackOutput": {"StackName": name, "OutputName": output, **others}}


def web_with(tmp_path: Path, expression: dict[str, Any], *regions: str | None, template: Any = None) -> list[Any]:
    """The security groups of a load balancer in eu-west-1, beside stacks `network` in these regions."""
    others = [
        TemplateFile(write(tmp_path, NETWORK, f"{index}.json"), "network", "111122223333", region)
        for index, region in enumerate(regions)
    ]
    path = write(tmp_path, template or {"Resources": {"Web": load_balancer(SecurityGroups=[expression])}})
    web = TemplateFile(path, "web", "111122223333", "eu-west-1")
    scenarios = read_templates([web, *others])
    [found] = [one for scenario in scenarios for one in scenario.resources if one.address == "web/Web"]
    groups = found.properties["SecurityGroups"]
    assert isinstance(groups, list)
    return groups


def test_an_output_of_another_stack_needs_no_export(tmp_path: Path) -> None:
    assert web_with(tmp_path, stack_output(), "eu-west-1") == [ResourceReference("network/Group")]


def test_an_output_is_that_of_the_stack_in_the_region_that_is_meant(tmp_path: Path) -> None:
    """Without a region, it is the stack's own; a stack whose region nobody tells may be meant."""
    first, second = (ResourceReference(f"{tmp_path}/{index}.json/Group") for index in range(2))
    assert web_with(tmp_path, stack_output(), "us-east-1", "eu-west-1") == [second]
    assert web_with(tmp_path, stack_output(Region="us-east-1"), "us-east-1", "eu-west-1") == [first]
    assert web_with(tmp_path, stack_output(Region={"Ref": "AWS::Region"}), None) == [ResourceReference("network/Group")]


def test_an_output_of_a_stack_that_is_not_given_is_unknown(tmp_path: Path) -> None:
    unknown = UnknownPlannedValue(
        "output GroupId of stack network", "give its template with another --template network=F"
    )
    other_account = "arn:aws:iam::222233334444:role/reader"
    assert web_with(tmp_path, stack_output(), "us-east-1") == [unknown]
    assert web_with(tmp_path, stack_output(RoleArn=other_account), "eu-west-1") == [unknown]
    template = {
        "Parameters": {"Name": {"Type": "String"}},
        "Resources": {"Web": load_balancer(SecurityGroups=[stack_output({"Ref": "Name"})])},
    }
    [group] = web_with(tmp_path, {}, "eu-west-1", template=template)
    assert group == UnknownPlannedValue(
        "an output of a stack that depends on parameter web/Name", "give --template-parameter Name=…"
    )


@pytest.mark.parametrize(
    ("output", "sentence"),
    [("Absent", "0.json has no output 'Absent'"), ("Nothing", "0.json does not make the output 'Nothing'")],
)
def test_an_output_that_is_not_there_is_an_error(output: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError) as raised:
        web_with(tmp_path, stack_output(output=output), "eu-west-1")
    assert sentence in str(raised.value)


def cdk_output(folder: Path, artifacts: dict[str, Any]) -> str:
    folder.mkdir(exist_ok=True)
    write(folder, {"version": "36.0.0", "artifacts": artifacts}, "manifest.json")
    return str(folder)


CDK_STACK = {
    "type": "aws:cloudformation:stack",
    "environment": "aws://111122223333/eu-west-1",
    "properties": {"templateFile": "Web.template.json"},
}


def test_a_nested_stack_of_the_cdk_is_found_among_the_assets(tmp_path: Path) -> None:
    """The template names its file only if the app asks for metadata of assets."""
    write(tmp_path, {"Resources": {"Web": load_balancer()}}, "inner.nested.template.json")
    url = {"Fn::Join": ["", ["https://s3.eu-west-1.", {"Ref": "AWS::URLSuffix"}, "/assets/0a1b.json"]]}
    write(tmp_path, {"Resources": {"Inner": nested(url)}}, "Web.template.json")
    asset = {
        "source": {"path": "inner.nested.template.json", "packaging": "file"},
        "destinations": {"here": {"bucketName": "assets", "objectKey": "0a1b.json"}},
    }
    write(tmp_path, {"version": "55.0.0", "files": {"0a1b": asset}}, "Web.assets.json")
    manifest = {"type": "cdk:asset-manifest", "properties": {"file": "Web.assets.json"}}
    folder = cdk_output(tmp_path, {"Web.assets": manifest, "Web": CDK_STACK})
    [scenario] = read_templates(read_cdk_output(folder))
    assert [one.address for one in scenario.resources] == ["Inner.Web"]
    assert scenario.unread == ()


@pytest.mark.parametrize("assets", [[], {"files": []}, {"files": {"a": "b"}}, {"files": {"a": {"source": "b"}}}])
def test_a_list_of_assets_that_names_none_is_no_crash(assets: Any, tmp_path: Path) -> None:
    url = {"Fn::Sub": "https://s3.${AWS::URLSuffix}/assets/0a1b.json"}
    write(tmp_path, {"Resources": {"Inner": nested(url)}}, "Web.template.json")
    write(tmp_path, json.dumps(assets), "Web.assets.json")
    folder = cdk_output(tmp_path, {"Web.assets": {"type": "cdk:asset-manifest"}, "Web": CDK_STACK})
    [scenario] = read_templates(read_cdk_output(folder))
    assert [one.origin for one in scenario.unread] == [
        "load balancers of nested stack Inner, whose template is no local file"
    ]


@pytest.mark.parametrize(
    ("provider", "is_refused"),
    # The blocks of a VPC decide verdicts; the names of zones do not.
    [("vpc-provider", True), ("ssm", True), ("availability-zones", False), ("ami", False)],
)
def test_placeholders_of_the_cdk_are_no_values(provider: str, is_refused: bool, tmp_path: Path) -> None:
    """Without credentials, `Vpc.fromLookup` is a VPC that does not exist, and so are its blocks."""
    write(tmp_path, {"Resources": {}}, "Web.template.json")
    missing = [{"key": f"{provider}:account=111122223333", "provider": provider, "props": {}}]
    write(tmp_path, {"version": "55.0.0", "artifacts": {"Web": CDK_STACK}, "missing": missing}, "manifest.json")
    if not is_refused:
        assert len(read_cdk_output(str(tmp_path))) == 1
        return
    with pytest.raises(InvalidInputError, match=f"the CDK did not look up {provider}:account=111122223333"):
        read_cdk_output(str(tmp_path))


def test_stacks_of_a_cdk_output(tmp_path: Path) -> None:
    inner = tmp_path / "assembly-Stage"
    cdk_output(
        inner,
        {
            "StageWeb": {
                "type": "aws:cloudformation:stack",
                "environment": "aws://unknown-account/unknown-region",
                "properties": {"templateFile": "StageWeb.template.json", "stackName": "Stage-Web"},
            }
        },
    )
    write(inner, {"Resources": {}}, "StageWeb.template.json")
    write(tmp_path, {"Resources": {}}, "Web.template.json")
    folder = cdk_output(
        tmp_path,
        {
            "Web": {
                "type": "aws:cloudformation:stack",
                "environment": "aws://111122223333/eu-west-1",
                "properties": {"templateFile": "Web.template.json"},
            },
            "assembly-Stage": {"type": "cdk:cloud-assembly", "properties": {"directoryName": "assembly-Stage"}},
            "Tree": {"type": "cdk:tree", "properties": {"file": "tree.json"}},
        },
    )
    assert read_cdk_output(folder) == [
        TemplateFile(str(tmp_path / "Web.template.json"), "Web", "111122223333", "eu-west-1"),
        TemplateFile(str(inner / "StageWeb.template.json"), "Stage-Web"),
    ]


@pytest.mark.parametrize(
    ("artifacts", "sentence"),
    [
        (None, "this folder has no manifest.json"),
        ({}, "the manifest lists no CloudFormation stack"),
        (
            {"Web": {"type": "aws:cloudformation:stack", "properties": {"templateFile": "no.json"}}},
            "no.json is not there",
        ),
    ],
)
def test_a_wrong_cdk_output_is_one_sentence(artifacts: dict[str, Any] | None, sentence: str, tmp_path: Path) -> None:
    folder = str(tmp_path) if artifacts is None else cdk_output(tmp_path, artifacts)
    with pytest.raises(InvalidInputError, match=sentence):
        read_cdk_output(folder)


def test_account_and_region_of_a_stack_are_those_of_its_resources(tmp_path: Path) -> None:
    path = write(
        tmp_path, {"Resources": {"Web": load_balancer(Scheme={"Fn::Sub": "${AWS::Region} ${AWS::AccountId}"})}}
    )
    [scenario] = read_templates([TemplateFile(path, "web", "111122223333", "eu-west-1")])
    web = resource(scenario, "Web")
    assert (web.account_id, web.region, web.properties["Scheme"]) == (
        "111122223333",
        "eu-west-1",
        "eu-west-1 111122223333",
    )


def test_serverless_resources_are_expanded(tmp_path: Path) -> None:
    """`Ref` of what the transform makes resolves; the load balancer stays as it is."""
    template = {
        "Transform": "AWS::Serverless-2016-10-31",
        "Parameters": {"Scheme": {"Type": "String", "Default": "internal"}},
        "Resources": {
            "Function": {
                "Type": "AWS::Serverless::Function",
                "Properties": {"CodeUri": "src/", "Handler": "app.handler", "Runtime": "python3.13"},
            },
            "Web": load_balancer(Scheme={"Ref": "Scheme"}, Name={"Fn::GetAtt": ["FunctionRole", "Arn"]}),
        },
    }
    [scenario] = read(tmp_path, template)
    web = resource(scenario, "Web")
    assert isinstance(web.properties["Scheme"], UnknownPlannedValue)
    assert web.properties["Name"] == ResourceReference("FunctionRole", "Arn")
    assert web.location is not None
    assert web.location.line is not None


def test_serverless_applications_are_nested_stacks(tmp_path: Path) -> None:
    """The translator would have AWS make the template of an application in the Serverless Application Repository, and
    a check calls nothing that creates."""
    web = load_balancer(Scheme={"Ref": "Scheme"})
    write(tmp_path, {"Parameters": {"Scheme": {"Type": "String"}}, "Resources": {"Web": web}}, "child.json")
    in_repository = {"ApplicationId": "arn:aws:serverlessrepo:us-east-1:111122223333:applications/a"}
    template = {
        "Transform": "AWS::Serverless-2016-10-31",
        "Resources": {
            "Local": {
                "Type": "AWS::Serverless::Application",
                "Properties": {"Location": "child.json", "Parameters": {"Scheme": "internal"}},
            },
            "Remote": {
                "Type": "AWS::Serverless::Application",
                "Properties": {"Location": {**in_repository, "SemanticVersion": "1.0.0"}},
            },
        },
    }
    [scenario] = read(tmp_path, template)
    assert resource(scenario, "Local.Web").properties["Scheme"] == "internal"
    [unread] = scenario.unread
    assert unread.origin == "load balancers of nested stack Remote, whose template is no local file"


def test_the_serverless_transform_logs_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Its warnings about its own feature flags would stand above the results."""
    api = {"Type": "AWS::Serverless::Api", "Properties": {"StageName": "a", "DefinitionBody": {"openapi": "3.0.1"}}}
    read(
        tmp_path,
        {
            "Transform": "AWS::Serverless-2016-10-31",
            "Globals": {"Api": {"OpenApiVersion": "3.0.1"}},
            "Resources": {"Api": api},
        },
    )
    assert caplog.records == []


def include(location: str) -> dict[str, Any]:
    return {"Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": location}}}


def test_a_local_file_that_the_template_includes_is_read(tmp_path: Path) -> None:
    """`aws cloudformation package` puts it into S3: beside other keys, in their place, and in a list."""
    rule = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "0.0.0.0/0"}
    write(tmp_path, "Scheme: internal\n", "scheme.yaml")
    write(tmp_path, {"Group": {"Type": SECURITY_GROUP, "Properties": {"Fn::If": ["Open", {}, {}]}}}, "group.json")
    write(tmp_path, rule, "rule.json")
    template = {
        "Conditions": {"Open": {"Fn::Equals": ["a", "a"]}},
        "Resources": {
            "Web": load_balancer(SecurityGroups=[{"Ref": "Group"}, {"Ref": "Own"}], **include("scheme.yaml")),
            "Own": {"Type": SECURITY_GROUP, "Properties": {"SecurityGroupIngress": [include("./rule.json")]}},
            **include("group.json"),
        },
    }
    [scenario] = read(tmp_path, template)
    assert resource(scenario, "Web").properties["Scheme"] == "internal"
    assert resource(scenario, "Own").properties["SecurityGroupIngress"] == [rule]
    assert resource(scenario, "Group").type == SECURITY_GROUP


def test_a_template_includes_no_file_from_elsewhere(tmp_path: Path) -> None:
    """A pull request must not show the environment of the machine that judges it."""
    (tmp_path / "stacks").mkdir()
    write(tmp_path, "secret", "secret.yaml")
    for location in ("../secret.yaml", str(tmp_path / "secret.yaml"), "/proc/self/environ"):
        path = write(tmp_path / "stacks", {"Resources": {"Web": load_balancer(Name=include(location))}})
        with pytest.raises(InvalidInputError, match="is in neither the template's folder nor the working directory"):
            read_templates([TemplateFile(path)])


def test_a_template_without_files_beside_it_includes_none(tmp_path: Path) -> None:
    """The Hook gets the text of a template, and writes it to a folder of its own."""
    write(tmp_path, "Scheme: internal\n", "scheme.yaml")
    path = write(tmp_path, {"Resources": {"Web": load_balancer(**include("scheme.yaml"))}})
    with pytest.raises(InvalidInputError, match="Fn::Transform makes properties only when CloudFormation processes"):
        read_templates([TemplateFile(path, has_local_parts=False)])


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a macro": (
        {"Transform": ["AWS::LanguageExtensions", "Company::Tags"], "Resources": {}},
        "the transform Company::Tags is a macro, which only CloudFormation can run; give the processed template",
    ),
    "an include": ({"Transform": {"Name": "AWS::Include"}, "Resources": {}}, "the transform AWS::Include is a macro"),
    "an included file in S3": (
        {"Resources": {"Web": load_balancer(), **include("s3://bucket/web.yaml")}},
        "Fn::Transform adds resources, which only CloudFormation can do; give the processed template",
    ),
    "an included file that is not there": (
        {"Resources": {"Web": load_balancer(**include("scheme.yaml"))}},
        "scheme.yaml is not there; add it, or correct the path",
    ),
    "a module": (
        {"Resources": {"Web": {"Type": "Company::Web::Balancer::MODULE"}}},
        "Resources.Web: Company::Web::Balancer::MODULE is a module, which only CloudFormation can expand",
    ),
    "a loop": (
        {"Resources": {"Fn::ForEach::Groups": ["Name", ["a"], {}]}},
        "Fn::ForEach::Groups makes resources only with the transform AWS::LanguageExtensions",
    ),
    "a serverless template that is wrong": (
        {
            "Transform": "AWS::Serverless-2016-10-31",
            "Resources": {"Function": {"Type": "AWS::Serverless::Function", "Properties": {"Handler": "a.b"}}},
        },
        "the transform AWS::Serverless-2016-10-31 refuses the template",
    ),
    "outputs that are a list": (
        {"Resources": {}, "Outputs": [{"Value": "a"}]},
        "Outputs must be an object",
    ),
    "an output that is text": (
        {"Resources": {}, "Outputs": {"GroupId": "sg-1"}},
        "Outputs.GroupId: an output must be an object with a Value",
    ),
    "a resource without a type": (
        {"Resources": {"Web": {}}},
        "Resources.Web: a resource must be an object with a Type",
    ),
    "two groups that refer to each other": (
        {
            "Resources": {
                one: {
                    "Type": SECURITY_GROUP,
                    "Properties": {
                        "SecurityGroupIngress": [{"SourceSecurityGroupId": {"Fn::GetAtt": [other, "GroupId"]}}]
                    },
                }
                for one, other in (("A", "B"), ("B", "A"))
            }
        },
        "circular references between resources: A → B → A; take a security group rule",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_functions_that_only_cloudformation_runs_are_refused_by_name(name: str, tmp_path: Path) -> None:
    template, sentence = REFUSED[name]
    with pytest.raises(InvalidInputError) as raised:
        read(tmp_path, template)
    assert str(raised.value).startswith(f"{tmp_path / 'template.json'}: ")
    assert sentence in str(raised.value)


def test_language_extensions_need_no_cloudformation(tmp_path: Path) -> None:
    template = {
        "Transform": "AWS::LanguageExtensions",
        "Resources": {"Web": load_balancer(Scheme={"Fn::Length": ["a"]})},
    }
    [scenario] = read(tmp_path, template)
    assert resource(scenario, "Web").properties["Scheme"] == 1


EGRESS_RULE = {
    "Type": "AWS::EC2::SecurityGroupEgress",
    "Properties": {
        "GroupId": {"Ref": "Group"},
        "IpProtocol": "tcp",
        "FromPort": 80,
        "ToPort": 80,
        "CidrIp": "10.0.0.0/8",
    },
}
ALL_IPV4 = {"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"}
IPV6_BLOCK = {
    "Type": "AWS::EC2::VPCCidrBlock",
    "Properties": {"VpcId": {"Ref": "Vpc"}, "AmazonProvidedIpv6CidrBlock": "true"},
}


def egress_of_group(folder: Path, group: dict[str, Any] = GROUP, **others: Any) -> Any:
    resources = {"Vpc": VPC, "Group": group, "Web": load_balancer(SecurityGroups=[{"Ref": "Group"}]), **others}
    [scenario] = read(folder, {"Resources": resources})
    return resource(scenario, "Group").properties["SecurityGroupEgress"]


def test_a_group_without_egress_lets_everything_out(tmp_path: Path) -> None:
    assert egress_of_group(tmp_path) == [ALL_IPV4]


def test_a_group_with_egress_lets_that_out(tmp_path: Path) -> None:
    group = {**GROUP, "Properties": {**GROUP["Properties"], "SecurityGroupEgress": {**ALL_IPV4, "FromPort": "80"}}}
    assert egress_of_group(tmp_path, group) == [{**ALL_IPV4, "FromPort": 80}]


def test_whether_a_separate_egress_rule_takes_the_default_away_is_not_known(tmp_path: Path) -> None:
    doubt = UnknownPlannedValue("whether Rule takes the default outbound rule of Group away")
    assert egress_of_group(tmp_path, Rule=EGRESS_RULE) == [{"IpProtocol": "-1", "CidrIp": doubt}]


def test_whether_a_group_lets_ipv6_out_is_not_known_where_its_vpc_may_have_it(tmp_path: Path) -> None:
    """EC2 adds the rule if the VPC has an IPv6 block by then."""
    known, doubtful = egress_of_group(tmp_path, Block=IPV6_BLOCK)
    assert known == ALL_IPV4
    assert doubtful["IpProtocol"] == "-1"
    assert isinstance(doubtful["CidrIpv6"], UnknownPlannedValue)


def test_values_have_the_types_of_the_api(tmp_path: Path) -> None:
    """CloudFormation converts between numbers, booleans, text and single values of lists."""
    group = {
        "Type": SECURITY_GROUP,
        "Properties": {
            "VpcId": {"Ref": "Vpc"},
            "SecurityGroupIngress": {"IpProtocol": -1, "FromPort": "80", "ToPort": 80.0, "CidrIp": "10.0.0.0/8"},
        },
    }
    [scenario] = read(
        tmp_path, {"Resources": {"Vpc": VPC, "Group": group, "Web": load_balancer(SecurityGroups={"Ref": "Group"})}}
    )
    assert resource(scenario, "Web").properties["SecurityGroups"] == [ResourceReference("Group")]
    assert resource(scenario, "Group").properties["SecurityGroupIngress"] == [
        {"IpProtocol": "-1", "FromPort": 80, "ToPort": 80, "CidrIp": "10.0.0.0/8"}
    ]


def test_a_file_is_read_once_for_all_scenarios(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, json.loads(json.dumps({"Resources": {"Web": load_balancer()}})))
    reads: list[Path] = []
    original = Path.read_bytes

    def read_bytes(path: Path) -> bytes:
        reads.append(path)
        return original(path)

    monkeypatch.setattr(Path, "read_bytes", read_bytes)
    read_templates([TemplateFile(path)], GivenValues())
    assert reads == [Path(path)]


def test_a_rule_for_an_imported_group_belongs_to_the_load_balancer_that_carries_it(tmp_path: Path) -> None:
    """One nested stack makes the group, another adds a rule to what it imports."""
    write(
        tmp_path,
        {
            "Resources": {"Group": {"Type": SECURITY_GROUP, "Properties": {}}},
            "Outputs": {"Group": {"Value": {"Ref": "Group"}, "Export": {"Name": "group"}}},
        },
        "groups.json",
    )
    rule = {"GroupId": {"Fn::ImportValue": "group"}, "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}
    write(
        tmp_path,
        {
            "Resources": {
                "Rule": {"Type": "AWS::EC2::SecurityGroupIngress", "Properties": {**rule, "CidrIp": "0.0.0.0/0"}}
            }
        },
        "rules.json",
    )
    web = load_balancer(SecurityGroups=[{"Fn::GetAtt": ["Groups", "Outputs.Group"]}])
    template = {"Resources": {"Groups": nested("groups.json"), "Rules": nested("rules.json"), "Web": web}}
    [scenario] = read(tmp_path, template)
    assert resource(scenario, "Rules.Rule").properties["GroupId"] == ResourceReference("Groups.Group")
