"""The rendered files: valid to cfn-lint and to AWS's own models, within limits, and wired to one another."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import cfnlint.api  # type: ignore[import-untyped]  # it ships no types
import pytest
import yaml
from cfnlint.config import ManualArgs  # type: ignore[import-untyped]  # as above

from alb_sg.config_rule.iam_actions import evaluation_actions
from alb_sg.deployment.conformance_pack import MAX_PARAMETERS, MAX_TEMPLATE_BYTES
from alb_sg.deployment.settings_schema import schema
from alb_sg.deployment.template_files import deployment_remarks, render_templates
from alb_sg.parameters import PARAMETERS, RDKLIB_PARAMETERS, parse_parameters
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME
from alb_sg.remediation.document_names import DOCUMENTS, RECOMMENDATION_BY_DOCUMENT, document_name
from alb_sg.ssm_documents.actions import document_actions
from tests.deployment.api_model import problems
from tests.deployment.deployments import (
    ARTIFACT,
    CENTRAL,
    MEMBERS,
    ORGANIZATION,
    ORGANIZATION_ID,
    ROOT,
    SHIPPED,
    VARIANTS,
    WHOLE,
    Resolver,
    of_type,
    settings_of,
    templates_of,
)
from tests.rules import DEPLOYED_RULE_NAMES, RULE_NAMES

pytestmark = pytest.mark.slow

FILES = {
    "central.yaml",
    "conformance-pack.yaml",
    "documents.yaml",
    "member.yaml",
    "organization-conformance-pack.yaml",
    "stack.yaml",
}
REGIONAL = {f"{name}.me-central-1.yaml" for name in ("conformance-pack", "organization-conformance-pack", "stack")}
CONFIG_RULE = "AWS::Config::ConfigRule"
EVENT_INVOKE = "AWS::Lambda::EventInvokeConfig"
FUNCTION = "AWS::Lambda::Function"
ROLE = "AWS::IAM::Role"
REMEDIATION = "AWS::Config::RemediationConfiguration"
DOCUMENT = "AWS::SSM::Document"
MEMBER = MEMBERS[0]
RULE_CAMELS = tuple(document_name(name).removeprefix("AlbSg-") for name in DEPLOYED_RULE_NAMES)
RULE_PARAMETERS = {fact.name for fact in PARAMETERS}


@pytest.fixture(params=VARIANTS)
def variant(request: pytest.FixtureRequest) -> dict[str, Any]:
    content: dict[str, Any] = VARIANTS[request.param]
    return content


@pytest.fixture
def templates(variant: dict[str, Any], tmp_path: Path) -> dict[str, dict[str, Any]]:
    return templates_of(variant, tmp_path)


def pack_resolver(pack: dict[str, Any], **parameters: str) -> Resolver:
    return Resolver(pack, account=MEMBER, region="eu-central-1", **{"CentralAccountId": CENTRAL, **parameters})


@pytest.mark.slow
def test_cfn_lint_finds_nothing(variant: dict[str, Any], tmp_path: Path) -> None:
    regions = settings_of(variant, tmp_path).regions
    for name, text in render_templates(settings_of(variant, tmp_path), ARTIFACT).items():
        found = cfnlint.api.lint(text, config=ManualArgs(regions=list(regions), ignore_checks=[]))
        assert [str(match) for match in found] == [], name
        assert "cfn-lint" not in text
        assert "cfn_nag" not in text


def test_files_are_the_same_each_time_and_say_where_they_come_from(variant: dict[str, Any], tmp_path: Path) -> None:
    first, second = (render_templates(settings_of(variant, tmp_path), ARTIFACT) for _ in range(2))
    assert first == second
    assert set(first) == (FILES | REGIONAL if variant is WHOLE else FILES)
    for text in first.values():
        assert text.startswith(
            "# Made from rdk-config.json and rules/*/parameters.json by `python -m alb_sg.deployment"
        )


def test_limits_of_aws(variant: dict[str, Any], tmp_path: Path) -> None:
    for name, text in render_templates(settings_of(variant, tmp_path), ARTIFACT).items():
        # CloudFormation takes as much in a call as AWS Config does of a conformance pack. The documents and the
        # stack of many regions are more: they go through the bucket, with the command that `make pack` prints
        # (test_sizes.py), or as deploy-stack uploads them.
        assert name.startswith(("documents", "stack")) or len(text.encode()) <= MAX_TEMPLATE_BYTES == 51_200, name
    for template in templates_of(variant, tmp_path).values():
        assert len(template["Resources"]) <= 500
        assert len(template.get("Parameters", {})) <= MAX_PARAMETERS == 60


def test_as_many_accounts_as_may_be_listed_fit(tmp_path: Path) -> None:
    members = [f"{number:012}" for number in range(1, 51)]
    content = {**ORGANIZATION, "organization": {"delegatedAdministrator": CENTRAL, "memberAccounts": members}}
    central = templates_of(content, tmp_path)["central.yaml"]
    assert len(central["Resources"]) <= 500
    policy = sum(
        len(
            json.dumps(
                {
                    # CloudFormation's own statement ids: stack, logical id, twelve characters.
                    "Sid": f"{'alb-sg-organization'}-{logical_id}-0123456789AB",
                    "Effect": "Allow",
                    "Principal": {"Service": "config.amazonaws.com"},
                    "Action": "lambda:InvokeFunction",
                    "Resource": f"arn:aws:lambda:ap-southeast-2:{CENTRAL}:function:alb-sg-health-check-egress",
                    "Condition": {"StringEquals": {"AWS:SourceAccount": properties["SourceAccount"]}},
                }
            )
        )
        for logical_id, properties in of_type(central, "AWS::Lambda::Permission").items()
        if logical_id.startswith("HealthCheckEgress")
    )
    assert policy <= 20 * 1024


def all_rules(templates: dict[str, dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    found = []
    for name, template in templates.items():
        if name.startswith(("conformance-pack", "stack")):
            resolve = pack_resolver(template)
            found += [(name, resolve(properties)) for properties in of_type(template, CONFIG_RULE).values()]
    return found


def test_every_rule_is_valid_for_the_api(templates: dict[str, dict[str, Any]]) -> None:
    rules = all_rules(templates)
    assert {name: 0 for name, _ in rules}.keys() >= {"conformance-pack.yaml", "stack.yaml"}
    for name, properties in rules:
        parameters = json.dumps(properties["InputParameters"])
        request = {"ConfigRule": {**properties, "InputParameters": parameters}}
        assert problems("PutConfigRule", request) == [], name
        assert len(parameters) <= 1024
        parse_parameters(properties["InputParameters"])


def test_every_rule_has_three_triggers(templates: dict[str, dict[str, Any]]) -> None:
    for _, properties in all_rules(templates):
        details = {detail["MessageType"]: detail for detail in properties["Source"]["SourceDetails"]}
        assert set(details) == {
            "ConfigurationItemChangeNotification",
            "OversizedConfigurationItemChangeNotification",
            "ScheduledNotification",
        }
        assert details["ScheduledNotification"]["MaximumExecutionFrequency"].endswith(("Hours", "Hour"))
        assert "MaximumExecutionFrequency" not in details["ConfigurationItemChangeNotification"]


def test_a_type_is_left_out_in_its_region_alone(tmp_path: Path) -> None:
    templates = templates_of(WHOLE, tmp_path)
    left_out = "AWS::ElasticLoadBalancingV2::TargetGroup"
    for name, properties in all_rules(templates):
        types = properties["Scope"]["ComplianceResourceTypes"]
        expected = set(RECOMMENDATIONS_BY_NAME[properties["ConfigRuleName"]].trigger_types)
        assert set(types) == (expected - {left_out} if "me-central-1" in name else expected)
    said = [remark for remark in deployment_remarks(settings_of(WHOLE, tmp_path)) if remark.startswith("me-central-1")]
    [remark] = said
    assert remark.startswith(f"me-central-1: changes of {left_out} trigger no rule; the periodic run covers them")


def test_descriptions_fit_with_the_longest_severity() -> None:
    for name in RULE_NAMES:
        # rdk allows one character less than AWS Config.
        assert len(f"[CRITICAL] {RECOMMENDATIONS_BY_NAME[name].requirement_text}") <= 255


def test_every_parameter_of_a_rule_is_one_of_the_pack(templates: dict[str, dict[str, Any]]) -> None:
    pack = templates["conformance-pack.yaml"]
    expected = {
        f"{''.join(part.capitalize() for part in name.removeprefix('ALB_SG_').split('_'))}{fact.name}"
        for name in DEPLOYED_RULE_NAMES
        for fact in RECOMMENDATIONS_BY_NAME[name].parameters
        if fact.name not in RDKLIB_PARAMETERS
    }
    modes = {f"{camel}Remediation" for camel in RULE_CAMELS}
    assert set(pack["Parameters"]) == expected | modes | {"CentralAccountId", "EvaluationRoleName"}


def test_empty_parameters_are_not_given_and_others_are(tmp_path: Path) -> None:
    pack = templates_of(SHIPPED, tmp_path)["conformance-pack.yaml"]
    rules = of_type(pack, CONFIG_RULE)
    role = {"ExecutionRoleName": "alb-sg-evaluation"}
    empty = pack_resolver(pack)
    base = {**role, "AcceptedSourcesMatch": "any"}
    assert empty(rules["ListenerIngressRule"]["InputParameters"]) == base
    assert empty(rules["InstanceEgressRule"]["InputParameters"]) == {**role, "TargetMatch": "effective"}
    given = {"AcceptedSources": "203.0.113.0/24", "TagKey": "clients", "Exemptions": "ssm:exemptions"}
    full = pack_resolver(pack, **{f"ListenerIngress{name}": value for name, value in given.items()})
    assert full(rules["ListenerIngressRule"]["InputParameters"]) == {**base, **given}
    # They are that rule's and no other's.
    assert full(rules["IcmpPmtudRule"]["InputParameters"]) == base


def test_overrides_are_the_defaults(tmp_path: Path) -> None:
    pack = templates_of(WHOLE, tmp_path)["conformance-pack.yaml"]
    parameters = pack_resolver(pack)(of_type(pack, CONFIG_RULE)["InstanceEgressRule"]["InputParameters"])
    assert parameters == {
        "ExecutionRoleName": "alb-sg-evaluation",
        "TargetMatch": "security-group",
        "Exemptions": "ssm:/alb-sg/exemptions",
    }
    for name, said in pack["Parameters"].items():
        assert len(said.get("Default", "")) <= said.get("MaxLength", 4096), name


def test_parameters_as_long_as_the_pack_takes_them_fit_a_rule(templates: dict[str, dict[str, Any]]) -> None:
    pack = templates["conformance-pack.yaml"]
    longest = {
        name: "x" * said["MaxLength"]
        for name, said in pack["Parameters"].items()
        if "MaxLength" in said and "AllowedValues" not in said
    }
    longest |= {name: "security-group" for name, said in pack["Parameters"].items() if "AllowedValues" in said}
    resolve = pack_resolver(pack, **longest)
    for properties in of_type(pack, CONFIG_RULE).values():
        assert len(json.dumps(resolve(properties["InputParameters"]))) <= 1024


def test_rules_of_the_pack_name_functions_of_the_central_stack(templates: dict[str, dict[str, Any]]) -> None:
    central = templates["central.yaml"]
    functions = {found["FunctionName"]: found for found in of_type(central, FUNCTION).values()}
    for name, template in templates.items():
        if name.startswith("conformance-pack"):
            rules = of_type(template, CONFIG_RULE)
            assert len(rules) == len(DEPLOYED_RULE_NAMES)
            for properties in map(pack_resolver(template), rules.values()):
                arn = properties["Source"]["SourceIdentifier"]
                assert arn.startswith(f"arn:aws:lambda:eu-central-1:{CENTRAL}:function:")
                handler = functions[arn.rpartition(":")[2]]["Handler"]
                assert handler == f"{properties['ConfigRuleName']}.lambda_handler"


def remediations(template: dict[str, Any], **parameters: str) -> dict[str, dict[str, Any]]:
    """The remediation configurations that are made of a template, by the rule's name."""
    resolve = pack_resolver(template, **parameters)
    made = {}
    for resource in template["Resources"].values():
        if resource["Type"] == REMEDIATION:
            condition = resource.get("Condition")
            if condition is None or resolve.holds(template["Conditions"][condition]):
                properties = resolve(resource["Properties"])
                made[properties["ConfigRuleName"]] = properties
    return made


def static_of(properties: dict[str, Any]) -> dict[str, str]:
    return {
        name: value["StaticValue"]["Values"][0]
        for name, value in properties["Parameters"].items()
        if "StaticValue" in value
    }


def test_remediation_is_off_by_default(tmp_path: Path) -> None:
    pack = templates_of(SHIPPED, tmp_path)["conformance-pack.yaml"]
    assert len(of_type(pack, REMEDIATION)) == len(DEPLOYED_RULE_NAMES)
    assert remediations(pack) == {}
    assert of_type(templates_of(SHIPPED, tmp_path)["stack.yaml"], REMEDIATION) == {}
    modes = {"ListenerIngressRemediation": "manual", "IcmpPmtudRemediation": "automatic"}
    found = remediations(pack, **modes)
    assert {name: properties["Automatic"] for name, properties in found.items()} == {
        "ALB_SG_LISTENER_INGRESS": False,
        "ALB_SG_ICMP_PMTUD": True,
    }
    whole = templates_of(WHOLE, tmp_path)
    for name in ("conformance-pack.yaml", "stack.yaml"):
        found = remediations(whole[name])
        assert {name: properties["Automatic"] for name, properties in found.items()} == {
            "ALB_SG_LISTENER_INGRESS": True,
            "ALB_SG_ICMP_PMTUD": False,
        }


ON = {f"{camel}Remediation": "automatic" for camel in RULE_CAMELS}


def test_a_remediation_names_its_rule_an_existing_document_and_an_existing_role(
    templates: dict[str, dict[str, Any]],
) -> None:
    documents = {said["Name"]: said["Content"] for said in of_type(templates["documents.yaml"], DOCUMENT).values()}
    roles = {
        "conformance-pack.yaml": of_type(templates["member.yaml"], ROLE),
        "stack.yaml": of_type(templates["stack.yaml"], ROLE),
    }
    for file, of_template in roles.items():
        found = remediations(templates[file], **ON)
        names = {f"arn:aws:iam::{MEMBER}:role/{role['RoleName']}" for role in of_template.values()}
        for rule, properties in found.items():
            assert problems("PutRemediationConfigurations", {"RemediationConfigurations": [properties]}) == []
            document = documents[properties["TargetId"]]
            # It is the document of that rule, and it is given all that it needs and nothing that it does not know.
            assert document["mainSteps"][0]["inputs"]["InputPayload"]["Rule"] == rule
            declared = document["parameters"]
            assert set(properties["Parameters"]) <= set(declared)
            required = {parameter for parameter, said in declared.items() if "default" not in said}
            assert required <= set(properties["Parameters"])
            assert properties["Parameters"]["LoadBalancerArn"] == {"ResourceValue": {"Value": "RESOURCE_ID"}}
            values = static_of(properties)
            assert values["AutomationAssumeRole"] in names
            assert values["DryRun"] == "false"
            # The name that the rule has got, which makes CloudFormation make the rule first.
            logical_id = values.pop("ConfigRuleName").strip("<>")
            assert templates[file]["Resources"][logical_id]["Properties"]["ConfigRuleName"] == rule
            for parameter, value in values.items():
                assert re.fullmatch(declared[parameter]["allowedPattern"], value), parameter
    assert set(remediations(templates["conformance-pack.yaml"], **ON)) == set(DEPLOYED_RULE_NAMES)


def test_a_document_takes_the_rules_parameters_from_aws_config_alone(templates: dict[str, dict[str, Any]]) -> None:
    """What a starter passes cannot be what the rule does not have. The function tells the document its rule."""
    found = [
        *remediations(templates["conformance-pack.yaml"], **ON).values(),
        *of_type(templates["stack.yaml"], REMEDIATION).values(),
    ]
    assert all(RULE_PARAMETERS.isdisjoint(properties["Parameters"]) for properties in found)
    functions = {said["FunctionName"] for said in of_type(templates["central.yaml"], FUNCTION).values()}
    for properties in of_type(templates["documents.yaml"], DOCUMENT).values():
        assert RULE_PARAMETERS.isdisjoint(properties["Content"]["parameters"])
        limits = properties["Content"]["mainSteps"][0]["inputs"]["InputPayload"].get("Limits")
        if limits is not None and document_rule(properties["Name"]) in deployed_rules(templates):
            assert json.loads(limits)["Function"] in functions


def document_rule(name: str) -> str:
    return RECOMMENDATION_BY_DOCUMENT[name].name


def deployed_rules(templates: dict[str, dict[str, Any]]) -> set[str]:
    return {said["ConfigRuleName"] for said in of_type(templates["stack.yaml"], CONFIG_RULE).values()}


def test_a_tag_key_and_automatic_remediation_exclude_each_other_in_the_pack(tmp_path: Path) -> None:
    pack = templates_of(SHIPPED, tmp_path)["conformance-pack.yaml"]
    mode = {"ListenerIngressRemediation": "automatic"}
    by_itself = {
        tag: remediations(pack, **mode, ListenerIngressTagKey=tag)["ALB_SG_LISTENER_INGRESS"]["Automatic"]
        for tag in ("", "clients")
    }
    assert by_itself == {"": True, "clients": False}


def test_approvers_and_the_longest_exemption_reach_documents_and_functions(tmp_path: Path) -> None:
    remediation = {"mode": "automatic", "approvers": ["alice", "arn:aws:iam::111122223333:role/on-call"]}
    content = {**SHIPPED, "maxExemptionDays": 90, "rules": {"ALB_SG_ICMP_PMTUD": {"remediation": remediation}}}
    found = templates_of(content, tmp_path)
    documents = {said["Name"]: said["Content"] for said in of_type(found["documents.yaml"], DOCUMENT).values()}
    for step in ("Plan", "Apply", "Verify"):
        [payload] = [
            one["inputs"]["InputPayload"] for one in documents["AlbSg-IcmpPmtud"]["mainSteps"] if one["name"] == step
        ]
        limits = json.loads(payload["Limits"])
        assert (limits["Approvers"], limits["MaxExemptionDays"]) == (remediation["approvers"], 90)
    for function in of_type(found["stack.yaml"], FUNCTION).values():
        assert function["Environment"]["Variables"]["ALB_SG_MAX_EXEMPTION_DAYS"] == "90"


def test_settings_of_a_remediation_reach_it(tmp_path: Path) -> None:
    found = remediations(templates_of(WHOLE, tmp_path)["conformance-pack.yaml"])
    listener, icmp = found["ALB_SG_LISTENER_INGRESS"], found["ALB_SG_ICMP_PMTUD"]
    assert (listener["MaximumAutomaticAttempts"], icmp["MaximumAutomaticAttempts"]) == (5, 3)
    assert listener["RetryAttemptSeconds"] == 900
    assert listener["ExecutionControls"] == {
        "SsmControls": {"ConcurrentExecutionRatePercentage": 10, "ErrorPercentage": 10}
    }
    assert static_of(listener)["SharedGroup"] == "refuse"
    assert (static_of(icmp)["ManagedGroup"], static_of(icmp)["RulesPerGroup"]) == ("allow", "100")


def test_documents_ship_with_the_checksum_of_the_artifact_and_are_else_those_checked_in(
    templates: dict[str, dict[str, Any]],
) -> None:
    template = templates["documents.yaml"]
    resolve = Resolver(template, account=MEMBER, region="us-east-1", CentralAccountId=CENTRAL)
    found = [resolve(properties) for properties in of_type(template, DOCUMENT).values()]
    assert {properties["Name"] for properties in found} == set(DOCUMENTS)
    for properties in found:
        checked_in = yaml.safe_load((ROOT / "remediation" / f"{properties['Name']}.yaml").read_text(encoding="utf-8"))
        files = {"alb-sg.zip": {"checksums": {"sha256": ARTIFACT.sha256}}}
        content = properties["Content"]
        # The limits of this deployment are within it, and nothing else differs.
        assert {key: content[key] for key in content if key not in ("parameters", "mainSteps")} == {
            **{key: checked_in[key] for key in checked_in if key not in ("parameters", "mainSteps")},
            "files": files,
        }
        assert [step["name"] for step in content["mainSteps"]] == [step["name"] for step in checked_in["mainSteps"]]
        [attachment] = properties["Attachments"]
        # Where `upload` and `deploy-stack` put it.
        assert attachment == {
            "Key": "S3FileUrl",
            "Name": "alb-sg.zip",
            "Values": [f"s3://alb-sg-{CENTRAL}-us-east-1/{ARTIFACT.key}"],
        }
        # CloudFormation's own, and an object that it hands on as text.
        request = {key: value for key, value in properties.items() if key != "UpdateMethod"}
        request["Content"] = json.dumps(content)
        assert problems("CreateDocument", request, service="ssm") == []
        assert properties["UpdateMethod"] == "NewVersion"
        assert properties["Tags"] == [{"Key": "alb-sg:owner", "Value": "alb-sg"}]


def remediation_role(template: dict[str, Any]) -> dict[str, Any]:
    resolve = Resolver(template, account=MEMBER, region="eu-central-1", CentralAccountId=CENTRAL)
    found: dict[str, Any] = resolve(of_type(template, ROLE)["RemediationRole"])
    return found


def test_the_remediation_role_is_made_on_request(tmp_path: Path) -> None:
    for content, asked in ((SHIPPED, False), (WHOLE, True)):
        templates = templates_of(content, tmp_path)
        member = templates["member.yaml"]
        assert member["Resources"]["RemediationRole"]["Condition"] == "Remedied"
        assert pack_resolver(member).holds(member["Conditions"]["Remedied"]) is asked
        assert pack_resolver(member, MakeRemediationRole="yes").holds(member["Conditions"]["Remedied"])
        assert ("RemediationRole" in templates["stack.yaml"]["Resources"]) is asked


def test_only_systems_manager_becomes_the_remediation_role(templates: dict[str, dict[str, Any]]) -> None:
    """As data, and so is what follows: moto judges neither trust nor a policy's resources and conditions."""
    [trust] = remediation_role(templates["member.yaml"])["AssumeRolePolicyDocument"]["Statement"]
    assert trust == {
        "Effect": "Allow",
        "Principal": {"Service": "ssm.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {
            "StringEquals": {"aws:SourceAccount": MEMBER},
            "ArnLike": {"aws:SourceArn": f"arn:aws:ssm:*:{MEMBER}:automation-execution/*"},
        },
    }


EC2 = f"arn:aws:ec2:*:{MEMBER}"
LOAD_BALANCERS = f"arn:aws:elasticloadbalancing:*:{MEMBER}:loadbalancer/app/*"
OF_THIS_ACCOUNT = {"StringEquals": {"aws:ResourceAccount": MEMBER}}
EXECUTION_IN_REQUEST = {"Null": {"aws:RequestTag/alb-sg:execution": "false"}}
ADDING = ["ec2:AuthorizeSecurityGroupEgress", "ec2:AuthorizeSecurityGroupIngress"]
NARROWED: dict[str, tuple[list[str], list[str], dict[str, Any]]] = {
    "AddRules": (ADDING, [f"{EC2}:security-group/*"], {}),
    "AddTaggedRulesOnly": (ADDING, [f"{EC2}:security-group-rule/*"], EXECUTION_IN_REQUEST),
    "CreateTaggedGroup": (["ec2:CreateSecurityGroup"], [f"{EC2}:security-group/*"], EXECUTION_IN_REQUEST),
    "CreateGroupInVpc": (["ec2:CreateSecurityGroup"], ["arn:aws:ec2:*:*:vpc/*"], {}),
    "TagWhatIsCreated": (
        ["ec2:CreateTags"],
        [f"{EC2}:security-group/*", f"{EC2}:security-group-rule/*"],
        {
            **EXECUTION_IN_REQUEST,
            "StringEquals": {
                "ec2:CreateAction": [
                    "AuthorizeSecurityGroupEgress",
                    "AuthorizeSecurityGroupIngress",
                    "CreateSecurityGroup",
                ]
            },
            "ForAllValues:StringEquals": {
                "aws:TagKeys": [
                    "Name",
                    "alb-sg:execution",
                    "alb-sg:recommendation",
                    "alb-sg:load-balancer",
                ]
            },
        },
    ),
    "DeleteOwnGroup": (
        ["ec2:DeleteSecurityGroup"],
        [f"{EC2}:security-group/*"],
        {
            "Null": {"aws:ResourceTag/alb-sg:execution": "false"},
            "ArnLike": {"aws:ResourceTag/alb-sg:load-balancer": LOAD_BALANCERS},
            **OF_THIS_ACCOUNT,
        },
    ),
    "RevokeRules": (
        ["ec2:RevokeSecurityGroupEgress", "ec2:RevokeSecurityGroupIngress"],
        [f"{EC2}:security-group/*"],
        OF_THIS_ACCOUNT,
    ),
    "SetGroups": (
        ["elasticloadbalancing:SetSecurityGroups"],
        [LOAD_BALANCERS],
        {"Null": {"elasticloadbalancing:SecurityGroup": "false"}, **OF_THIS_ACCOUNT},
    ),
    "KeepRecords": (
        ["ssm:AddTagsToResource", "ssm:DeleteParameters", "ssm:GetParametersByPath", "ssm:PutParameter"],
        [f"arn:aws:ssm:*:{MEMBER}:parameter/alb-sg/executions/*"],
        {},
    ),
    "EvaluateAgain": (["config:StartConfigRulesEvaluation"], [f"arn:aws:config:*:{MEMBER}:config-rule/*"], {}),
}


def test_the_remediation_role_allows_the_declared_actions_narrowly(
    templates: dict[str, dict[str, Any]], variant: dict[str, Any]
) -> None:
    role = remediation_role(templates["member.yaml"])
    [policy] = role["Policies"]
    statements = {said["Sid"]: said for said in policy["PolicyDocument"]["Statement"]}
    regions = {"aws:RequestedRegion": variant["regions"]}
    for sid, (actions, resources, condition) in NARROWED.items():
        assert statements[sid] == {
            "Sid": sid,
            "Effect": "Allow",
            "Action": actions,
            "Resource": resources,
            **({"Condition": condition} if condition else {}),
        }
    denied = statements.pop("OnlyInTheseRegions")
    assert (denied["Effect"], denied["Resource"]) == ("Deny", "*")
    assert denied["Condition"] == {"StringNotEquals": regions}
    # Every service that the documents call, and not that of the exemptions, which may be in another region.
    services = {f"{action.partition(':')[0]}:*" for said in statements.values() for action in said["Action"]}
    assert services - {"s3:*", "ssm:*"} == set(denied["Action"])
    reading = statements["Read"]
    assert reading["Resource"] == "*"
    assert {action.partition(":")[2][:3] for action in reading["Action"]} == {"Des", "Get"}
    exemptions = [said for sid, said in statements.items() if sid.startswith("ReadExemptions")]
    assert set(statements) == {*NARROWED, "Read", *(said["Sid"] for said in exemptions)}
    given = {action for said in statements.values() if said not in exemptions for action in said["Action"]}
    assert given == {action for name in DOCUMENTS for action in document_actions(name)}
    assert [said["Action"] for said in exemptions] == (
        [["s3:GetObject"], ["ssm:GetParameter"]] if variant is WHOLE else []
    )
    # IAM: characters of all inline policies of a role, white space aside.
    assert len(json.dumps(policy["PolicyDocument"], separators=(",", ":"))) <= 10_240
    if "RemediationRole" in templates["stack.yaml"]["Resources"]:
        assert remediation_role(templates["stack.yaml"]) == role


def test_the_organizations_stack_puts_the_pack(templates: dict[str, dict[str, Any]], variant: dict[str, Any]) -> None:
    organization = variant.get("organization", {})
    for name, template in templates.items():
        if not name.startswith("organization-conformance-pack"):
            continue
        properties = Resolver(template, account=CENTRAL, region="eu-central-1")(
            of_type(template, "AWS::Config::OrganizationConformancePack")["Pack"]
        )
        assert problems("PutOrganizationConformancePack", properties) == []
        pack = templates[name.removeprefix("organization-")]
        inputs = {
            said["ParameterName"]: said["ParameterValue"] for said in properties["ConformancePackInputParameters"]
        }
        assert inputs == {"CentralAccountId": CENTRAL}
        assert set(inputs) <= set(pack["Parameters"])
        assert properties.get("ExcludedAccounts", []) == organization.get("excludedAccounts", [])
        assert properties.get("DeliveryS3Bucket", "awsconfigconforms").startswith("awsconfigconforms")


def test_only_functions_become_the_evaluation_role_and_only_of_whom_they_serve(
    templates: dict[str, dict[str, Any]], variant: dict[str, Any]
) -> None:
    """As data: moto judges neither a policy's resources and conditions nor a role's trust across accounts."""
    organization = {"OrganizationId": ORGANIZATION_ID}
    central = templates["central.yaml"]
    resolve = Resolver(central, account=CENTRAL, region="eu-central-1", **organization)
    member = Resolver(templates["member.yaml"], account=MEMBER, region="eu-central-1", CentralAccountId=CENTRAL)
    role = member(of_type(templates["member.yaml"], ROLE)["EvaluationRole"])
    [trust] = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"AWS": f"arn:aws:iam::{CENTRAL}:root"}
    assert trust["Action"] == "sts:AssumeRole"
    callers = {f"arn:aws:iam::{CENTRAL}:role/{found['RoleName']}" for found in of_type(central, ROLE).values()}
    assert trust["Condition"] == {"ArnEquals": {"aws:PrincipalArn": sorted(callers)}}
    for properties in map(resolve, of_type(central, ROLE).values()):
        statements = properties["Policies"][0]["PolicyDocument"]["Statement"]
        [assume] = [statement for statement in statements if statement["Action"] == ["sts:AssumeRole"]]
        if "memberAccounts" in variant.get("organization", {}):
            assert assume["Resource"] == [f"arn:aws:iam::{account}:role/{role['RoleName']}" for account in MEMBERS]
        else:
            assert assume["Resource"] == [f"arn:aws:iam::*:role/{role['RoleName']}"]
            assert assume["Condition"] == {"StringEquals": {"aws:ResourceOrgID": ORGANIZATION_ID}}


def test_a_function_may_do_nothing_else(templates: dict[str, dict[str, Any]], variant: dict[str, Any]) -> None:
    regions = variant["regions"]
    for name in ("central.yaml", "stack.yaml"):
        template = templates[name]
        resolve = Resolver(template, account=CENTRAL, region="eu-central-1", OrganizationId=ORGANIZATION_ID)
        for logical_id, function in of_type(template, FUNCTION).items():
            camel = logical_id.removesuffix("Function")
            own = function["FunctionName"]
            role = resolve(of_type(template, ROLE)[f"{camel}Role"])
            assert "ManagedPolicyArns" not in role
            statements = {said["Sid"]: said for said in role["Policies"][0]["PolicyDocument"]["Statement"]}
            assert statements["WriteOwnLog"]["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
            # One role serves all regions; an ARN for each of 34 would not fit into IAM's limit.
            region = regions[0] if len(regions) == 1 else "*"
            assert statements["WriteOwnLog"]["Resource"] == [
                f"arn:aws:logs:{region}:{CENTRAL}:log-group:/aws/lambda/{own}:*"
            ]
            assert statements["LeaveFailedEvents"]["Resource"] == [f"arn:aws:sqs:{region}:{CENTRAL}:{own}-failed"]
            rule = function["Handler"].partition(".")[0]
            rest = set(statements) - {"WriteOwnLog", "LeaveFailedEvents", "ReadExemptions"}
            if name == "central.yaml":
                assert rest == {"BecomeEvaluationRole"}
            else:
                assert rest == {"Evaluate"}
                assert statements["Evaluate"]["Action"] == list(evaluation_actions(RECOMMENDATIONS_BY_NAME[rule]))
            assert ("ReadExemptions" in statements) is (variant is WHOLE)


def test_exemptions_are_read_where_they_are_kept_and_nowhere_else(tmp_path: Path) -> None:
    template = templates_of(WHOLE, tmp_path)["central.yaml"]
    resolve = Resolver(template, account=CENTRAL, region="eu-central-1")

    def reading(camel: str) -> Any:
        statements = resolve(of_type(template, ROLE)[f"{camel}Role"])["Policies"][0]["PolicyDocument"]["Statement"]
        return next(statement for statement in statements if statement["Sid"] == "ReadExemptions")

    assert reading("IcmpPmtud")["Action"] == ["s3:GetObject"]
    assert reading("IcmpPmtud")["Resource"] == ["arn:aws:s3:::security-exemptions/alb-sg.json"]
    assert reading("InstanceEgress")["Action"] == ["ssm:GetParameter"]
    assert reading("InstanceEgress")["Resource"] == [f"arn:aws:ssm:*:{CENTRAL}:parameter/alb-sg/exemptions"]


def test_a_function_has_its_log_its_queue_and_its_alarm(templates: dict[str, dict[str, Any]]) -> None:
    for name in ("central.yaml", "stack.yaml"):
        template = templates[name]
        resolve = Resolver(template, account=CENTRAL, region="us-east-1")
        for logical_id, function in of_type(template, FUNCTION).items():
            camel = logical_id.removesuffix("Function")
            log = of_type(template, "AWS::Logs::LogGroup")[f"{camel}Log"]
            assert log == {"LogGroupName": f"/aws/lambda/{function['FunctionName']}", "RetentionInDays": 90}
            assert function["DeadLetterConfig"] == {"TargetArn": {"Fn::GetAtt": [f"{camel}Failed", "Arn"]}}
            assert of_type(template, "AWS::SQS::Queue")[f"{camel}Failed"]["SqsManagedSseEnabled"] is True
            alarm = of_type(template, "AWS::CloudWatch::Alarm")[f"{camel}Alarm"]
            assert (alarm["Namespace"], alarm["MetricName"], alarm["Threshold"]) == ("AWS/Lambda", "Errors", 1)
            assert alarm["Dimensions"] == [{"Name": "FunctionName", "Value": {"Ref": logical_id}}]
            others = {
                suffix: of_type(template, "AWS::CloudWatch::Alarm")[f"{camel}{suffix}Alarm"]
                for suffix in ("Throttles", "Dropped", "Queue", "QueueAge", "Silence")
            }
            assert {said["MetricName"] for said in others.values()} == {
                "Throttles",
                "AsyncEventsDropped",
                "ApproximateNumberOfMessagesVisible",
                "ApproximateAgeOfOldestMessage",
                "Invocations",
            }
            for suffix, said in others.items():
                on_queue = suffix.startswith("Queue")
                queue = of_type(template, "AWS::SQS::Queue")[f"{camel}Failed"]
                assert said["Namespace"] == ("AWS/SQS" if on_queue else "AWS/Lambda")
                assert said["Dimensions"] == (
                    [{"Name": "QueueName", "Value": queue["QueueName"]}] if on_queue else alarm["Dimensions"]
                )
                request = {**said, "Dimensions": [], "AlarmActions": resolve(said.get("AlarmActions", []))}
                assert problems("PutMetricAlarm", request, service="cloudwatch") == []
            assert others["QueueAge"]["Threshold"] < queue["MessageRetentionPeriod"]
            # No value is silence, and is no throttling.
            assert others["Silence"]["TreatMissingData"] == "breaching"
            assert others["Silence"]["ComparisonOperator"] == "LessThanThreshold"
            assert others["Throttles"]["TreatMissingData"] == "notBreaching"
            # rdklib's credentials last 900 seconds.
            assert function["Timeout"] < 900


@pytest.mark.parametrize("frequency", schema()["$defs"]["frequency"]["enum"])
def test_silence_is_two_periods_of_the_rule(frequency: str, tmp_path: Path) -> None:
    hours = {"One": 1, "Three": 3, "Six": 6, "Twelve": 12, "TwentyFour": 24}[frequency.partition("_")[0]]
    template = templates_of({**SHIPPED, "frequency": frequency}, tmp_path)["central.yaml"]
    alarm = of_type(template, "AWS::CloudWatch::Alarm")["IcmpPmtudSilenceAlarm"]
    assert (alarm["Period"], alarm["EvaluationPeriods"]) == (hours * 3600, 2)
    # CloudWatch: a day is the longest period, and periods of an hour or more may cover a week.
    assert alarm["Period"] <= 86_400
    assert alarm["Period"] * alarm["EvaluationPeriods"] <= 604_800


def test_concurrency_and_event_age_are_those_of_the_settings(tmp_path: Path) -> None:
    content = {**SHIPPED, "reservedConcurrency": 5, "maximumEventAgeSeconds": 3600}
    templates = templates_of(content, tmp_path)
    shipped = templates_of(SHIPPED, tmp_path)
    for name in ("central.yaml", "stack.yaml"):
        functions = of_type(templates[name], FUNCTION)
        assert [said["ReservedConcurrentExecutions"] for said in functions.values()] == [5] * len(functions)
        assert sorted(of_type(templates[name], EVENT_INVOKE).values(), key=str) == sorted(
            (
                {"FunctionName": {"Ref": logical_id}, "Qualifier": "$LATEST", "MaximumEventAgeInSeconds": 3600}
                for logical_id in functions
            ),
            key=str,
        )
        # Without them Lambda's own limits apply.
        assert of_type(shipped[name], EVENT_INVOKE) == {}
        assert not any("ReservedConcurrentExecutions" in said for said in of_type(shipped[name], FUNCTION).values())


def test_alarms_have_the_topic_as_receiver(tmp_path: Path) -> None:
    template = templates_of(WHOLE, tmp_path)["central.yaml"]
    resolve = Resolver(template, account=CENTRAL, region="us-east-1")
    for alarm in map(resolve, of_type(template, "AWS::CloudWatch::Alarm").values()):
        assert alarm["AlarmActions"] == [f"arn:aws:sns:us-east-1:{CENTRAL}:platform-security"]


def test_who_may_invoke_and_whom_the_functions_serve(
    templates: dict[str, dict[str, Any]], variant: dict[str, Any]
) -> None:
    central = templates["central.yaml"]
    members = variant.get("organization", {}).get("memberAccounts", [])
    for logical_id, function in of_type(central, FUNCTION).items():
        invoking = [
            said
            for said in of_type(central, "AWS::Lambda::Permission").values()
            if said["FunctionName"] == {"Fn::GetAtt": [logical_id, "Arn"]}
        ]
        assert {said["Principal"] for said in invoking} == {"config.amazonaws.com"}
        assert [said.get("SourceAccount") for said in invoking] == (members or [None])
        served = function.get("Environment", {}).get("Variables", {}).get("ALB_SG_ACCOUNTS")
        assert served == (",".join(members) or None)
    stack = templates["stack.yaml"]
    own_account = {"Ref": "AWS::AccountId"}
    for function in of_type(stack, FUNCTION).values():
        assert function["Environment"]["Variables"] == {"ALB_SG_ACCOUNTS": own_account}
    assert [said["SourceAccount"] for said in of_type(stack, "AWS::Lambda::Permission").values()] == [
        own_account
    ] * len(DEPLOYED_RULE_NAMES)
    for logical_id, resource in stack["Resources"].items():
        if resource["Type"] == CONFIG_RULE:
            # AWS Config asks whether it may invoke the function when the rule is made.
            assert resource["DependsOn"] == logical_id.replace("Rule", "Invoked")


def test_roles_are_made_once_for_all_regions(tmp_path: Path) -> None:
    template = templates_of(WHOLE, tmp_path)["central.yaml"]
    roles = [resource for resource in template["Resources"].values() if resource["Type"] == ROLE]
    assert {role["Condition"] for role in roles} == {"HomeRegion"}
    names = {f"arn:aws:iam::{CENTRAL}:role/{role['Properties']['RoleName']}" for role in roles}
    at_home = Resolver(template, account=CENTRAL, region="eu-central-1")
    abroad = Resolver(template, account=CENTRAL, region="us-east-1")
    functions = of_type(template, FUNCTION)
    assert {at_home(found["Role"]) for found in functions.values()} == {
        f"<{name.removesuffix('Function')}RoleArn>" for name in functions
    }
    assert {abroad(found["Role"]) for found in functions.values()} == names
    assert template["Rules"]["ConfiguredRegion"]["Assertions"][0]["Assert"] == {
        "Fn::Contains": [WHOLE["regions"], {"Ref": "AWS::Region"}]
    }


def test_the_evaluation_role_allows_the_declared_actions(templates: dict[str, dict[str, Any]]) -> None:
    role = of_type(templates["member.yaml"], ROLE)["EvaluationRole"]
    [policy] = role["Policies"]
    [statement] = policy["PolicyDocument"]["Statement"]
    assert set(statement["Action"]) == {
        action for recommendation in RECOMMENDATIONS_BY_NAME.values() for action in evaluation_actions(recommendation)
    }
    reading = {action for action in statement["Action"] if action.split(":")[1].startswith(("Describe", "Get"))}
    assert set(statement["Action"]) - reading == {"config:PutEvaluations"}
