"""The rendered files: valid to cfn-lint and to AWS's own models, within limits, and wired to one another."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cfnlint.api  # type: ignore[import-untyped]  # it ships no types
import pytest
from cfnlint.config import ManualArgs  # type: ignore[import-untyped]  # as above

from alb_sg.config_rule.actions import evaluation_actions
from alb_sg.deployment.conformance_pack import PARAMETERS_LIMIT, TEMPLATE_LIMIT
from alb_sg.deployment.pack import remarks, rendered
from alb_sg.parameters import PARAMETERS, RDKLIB_PARAMETERS, parse_parameters
from alb_sg.recommendations.catalogue import BY_NAME
from tests.deployment.api_model import problems
from tests.deployment.deployments import (
    CENTRAL,
    KEY,
    MEMBERS,
    ORGANIZATION,
    ORGANIZATION_ID,
    SHIPPED,
    VARIANTS,
    WHOLE,
    Resolver,
    of_type,
    settings_of,
    templates_of,
)
from tests.rules import RULE_NAMES

FILES = {
    "aggregator.yaml",
    "central.yaml",
    "conformance-pack.yaml",
    "member.yaml",
    "organization-conformance-pack.yaml",
    "stack.yaml",
}
REGIONAL = {f"{name}.me-central-1.yaml" for name in ("conformance-pack", "organization-conformance-pack", "stack")}
CONFIG_RULE = "AWS::Config::ConfigRule"
FUNCTION = "AWS::Lambda::Function"
ROLE = "AWS::IAM::Role"
MEMBER = MEMBERS[0]


@pytest.fixture(params=VARIANTS)
def variant(request: pytest.FixtureRequest) -> dict[str, Any]:
    content: dict[str, Any] = VARIANTS[request.param]
    return content


@pytest.fixture
def templates(variant: dict[str, Any], tmp_path: Path) -> dict[str, dict[str, Any]]:
    return templates_of(variant, tmp_path)


def pack_resolver(pack: dict[str, Any], **parameters: str) -> Resolver:
    return Resolver(pack, account=MEMBER, region="eu-central-1", **{"CentralAccountId": CENTRAL, **parameters})


# --- as files


@pytest.mark.slow
def test_cfn_lint_finds_nothing(variant: dict[str, Any], tmp_path: Path) -> None:
    regions = settings_of(variant, tmp_path).regions
    for name, text in rendered(settings_of(variant, tmp_path), KEY).items():
        found = cfnlint.api.lint(text, config=ManualArgs(regions=list(regions), ignore_checks=[]))
        assert [str(match) for match in found] == [], name
        assert "cfn-lint" not in text
        assert "cfn_nag" not in text


def test_files_are_the_same_each_time_and_say_where_they_come_from(variant: dict[str, Any], tmp_path: Path) -> None:
    first, second = (rendered(settings_of(variant, tmp_path), KEY) for _ in range(2))
    assert first == second
    assert set(first) == (FILES | REGIONAL if variant is WHOLE else FILES)
    for text in first.values():
        assert text.startswith(
            "# Made from rdk-config.json and rules/*/parameters.json by `python -m alb_sg.deployment"
        )


def test_limits_of_aws(variant: dict[str, Any], tmp_path: Path) -> None:
    for name, text in rendered(settings_of(variant, tmp_path), KEY).items():
        # CloudFormation takes as much in a call as AWS Config does of a conformance pack.
        assert len(text.encode()) <= TEMPLATE_LIMIT == 51_200, name
    for template in templates_of(variant, tmp_path).values():
        assert len(template["Resources"]) <= 500
        assert len(template.get("Parameters", {})) <= PARAMETERS_LIMIT == 60


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


# --- rules


def all_rules(templates: dict[str, dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    found = []
    for name, template in templates.items():
        if name.startswith(("conformance-pack", "stack")):
            resolve = pack_resolver(template)
            found += [(name, resolve(properties)) for properties in of_type(template, CONFIG_RULE).values()]
    return found


def test_every_rule_is_what_the_api_takes(templates: dict[str, dict[str, Any]]) -> None:
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
        assert (left_out in types) is ("me-central-1" not in name)
        assert len(types) == (3 if "me-central-1" in name else 4)
    said = [remark for remark in remarks(settings_of(WHOLE, tmp_path)) if remark.startswith("me-central-1")]
    [remark] = said
    assert remark.startswith(f"me-central-1: changes of {left_out} trigger nothing there; the periodic run covers them")


def test_descriptions_fit_with_the_longest_severity() -> None:
    for name in RULE_NAMES:
        # rdk allows one character less than AWS Config.
        assert len(f"[CRITICAL] {BY_NAME[name].asks}") <= 255


# --- the pack's parameters


def test_every_parameter_of_a_rule_is_one_of_the_pack(templates: dict[str, dict[str, Any]]) -> None:
    pack = templates["conformance-pack.yaml"]
    expected = {
        f"{''.join(part.capitalize() for part in name.removeprefix('ALB_SG_').split('_'))}{fact.name}"
        for fact in PARAMETERS
        for name in fact.rules
        if fact.name not in RDKLIB_PARAMETERS
    }
    assert set(pack["Parameters"]) == expected | {"CentralAccountId", "EvaluationRoleName"}


def test_empty_parameters_are_not_given_and_others_are(tmp_path: Path) -> None:
    pack = templates_of(SHIPPED, tmp_path)["conformance-pack.yaml"]
    rules = of_type(pack, CONFIG_RULE)
    role = {"ExecutionRoleName": "alb-sg-evaluation"}
    empty = pack_resolver(pack)
    assert empty(rules["ListenerIngressRule"]["InputParameters"]) == role
    assert empty(rules["InstanceEgressRule"]["InputParameters"]) == {**role, "TargetMatch": "effective"}
    given = {"AcceptedSources": "203.0.113.0/24", "TagKey": "clients", "Exemptions": "ssm:exemptions"}
    full = pack_resolver(pack, **{f"ListenerIngress{name}": value for name, value in given.items()})
    assert full(rules["ListenerIngressRule"]["InputParameters"]) == {**role, **given}
    # They are that rule's and no other's.
    assert full(rules["IcmpPmtudRule"]["InputParameters"]) == role


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


# --- wiring


def test_rules_of_the_pack_name_functions_of_the_central_stack(templates: dict[str, dict[str, Any]]) -> None:
    central = templates["central.yaml"]
    functions = {found["FunctionName"]: found for found in of_type(central, FUNCTION).values()}
    for name, template in templates.items():
        if name.startswith("conformance-pack"):
            rules = of_type(template, CONFIG_RULE)
            assert len(rules) == len(RULE_NAMES)
            for properties in map(pack_resolver(template), rules.values()):
                arn = properties["Source"]["SourceIdentifier"]
                assert arn.startswith(f"arn:aws:lambda:eu-central-1:{CENTRAL}:function:")
                handler = functions[arn.rpartition(":")[2]]["Handler"]
                assert handler == f"{properties['ConfigRuleName']}.lambda_handler"


def test_a_remediation_names_its_rule_its_document_and_the_role_of_the_member(tmp_path: Path) -> None:
    templates = templates_of(WHOLE, tmp_path)
    pack = templates["conformance-pack.yaml"]
    found = of_type(pack, "AWS::Config::RemediationConfiguration")
    assert set(found) == {"ListenerIngressRemediation"}
    properties = pack_resolver(pack)(found["ListenerIngressRemediation"])
    assert problems("PutRemediationConfigurations", {"RemediationConfigurations": [properties]}) == []
    assert properties["ConfigRuleName"] == "ALB_SG_LISTENER_INGRESS"
    assert properties["TargetId"] == "AlbSgOpenListener"
    role = properties["Parameters"]["AutomationAssumeRole"]["StaticValue"]["Values"]
    assert role == [f"arn:aws:iam::{MEMBER}:role/alb-sg-remediation"]
    for name in ("shipped", "organization"):
        others = templates_of(VARIANTS[name], tmp_path)["conformance-pack.yaml"]
        assert of_type(others, "AWS::Config::RemediationConfiguration") == {}


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
            assert statements["WriteOwnLog"]["Resource"] == [
                f"arn:aws:logs:{region}:{CENTRAL}:log-group:/aws/lambda/{own}:*" for region in regions
            ]
            assert statements["LeaveFailedEvents"]["Resource"] == [
                f"arn:aws:sqs:{region}:{CENTRAL}:{own}-failed" for region in regions
            ]
            rule = function["Handler"].partition(".")[0]
            rest = set(statements) - {"WriteOwnLog", "LeaveFailedEvents", "ReadExemptions"}
            if name == "central.yaml":
                assert rest == {"BecomeEvaluationRole"}
            else:
                assert rest == {"Evaluate"}
                assert statements["Evaluate"]["Action"] == list(evaluation_actions(BY_NAME[rule]))
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
    assert reading("InstanceEgress")["Resource"] == [
        f"arn:aws:ssm:{region}:{CENTRAL}:parameter/alb-sg/exemptions" for region in WHOLE["regions"]
    ]


def test_a_function_has_its_log_its_queue_and_its_alarm(templates: dict[str, dict[str, Any]]) -> None:
    for name in ("central.yaml", "stack.yaml"):
        template = templates[name]
        for logical_id, function in of_type(template, FUNCTION).items():
            camel = logical_id.removesuffix("Function")
            log = of_type(template, "AWS::Logs::LogGroup")[f"{camel}Log"]
            assert log == {"LogGroupName": f"/aws/lambda/{function['FunctionName']}", "RetentionInDays": 90}
            assert function["DeadLetterConfig"] == {"TargetArn": {"Fn::GetAtt": [f"{camel}Failed", "Arn"]}}
            assert of_type(template, "AWS::SQS::Queue")[f"{camel}Failed"]["SqsManagedSseEnabled"] is True
            alarm = of_type(template, "AWS::CloudWatch::Alarm")[f"{camel}Alarm"]
            assert (alarm["Namespace"], alarm["MetricName"], alarm["Threshold"]) == ("AWS/Lambda", "Errors", 1)
            assert alarm["Dimensions"] == [{"Name": "FunctionName", "Value": {"Ref": logical_id}}]
            # rdklib's credentials last 900 seconds.
            assert function["Timeout"] < 900


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
    assert [said["SourceAccount"] for said in of_type(stack, "AWS::Lambda::Permission").values()] == [own_account] * 4
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


def test_the_evaluation_role_may_do_what_the_rules_declare(templates: dict[str, dict[str, Any]]) -> None:
    [role] = of_type(templates["member.yaml"], ROLE).values()
    [policy] = role["Policies"]
    [statement] = policy["PolicyDocument"]["Statement"]
    assert set(statement["Action"]) == {
        action for recommendation in BY_NAME.values() for action in evaluation_actions(recommendation)
    }
    reading = {action for action in statement["Action"] if action.split(":")[1].startswith(("Describe", "Get"))}
    assert set(statement["Action"]) - reading == {"config:PutEvaluations"}
