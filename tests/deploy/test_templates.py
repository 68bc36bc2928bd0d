"""The templates in deploy/: clean to cfn-lint, closed to others, in agreement with the code and with one another."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.events.models import EventPattern

from alb_sg.aggregator.requests import IAM_ACTIONS
from alb_sg.dashboard.bucket import BUCKET_ACTIONS
from alb_sg.deployment.artifact import FUNCTION_MODULES
from alb_sg.deployment.rule_definition import read_rule_definitions
from alb_sg.errors import InvalidInputError
from alb_sg.estate.resource_types import LOAD_BALANCER_TYPE
from alb_sg.exemptions.aws_document import READ_ACTIONS
from alb_sg.exemptions.location import parse_location
from alb_sg.findings.annotation import without_escapes
from alb_sg.functions import dashboard, hook
from alb_sg.functions import snapshot_batch as sweep
from alb_sg.functions.snapshot_batch import RESULTS_BUCKET_ACTIONS, SNAPSHOT_BUCKET_ACTIONS
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME
from tests.builders import RULES, load_balancer_arn
from tests.deploy.templates import DEPLOY, statements, template
from tests.deployment.deployments import RULES as RULES_FOLDER
from tests.deployment.deployments import of_type

TEMPLATES = ("aggregator.yaml", "dashboard.yaml", "hook.yaml", "member-events.yaml", "sweep.yaml")
FUNCTION = "AWS::Lambda::Function"
ROLE = "AWS::IAM::Role"
FUNCTIONS = {"dashboard.yaml": dashboard, "hook.yaml": hook, "sweep.yaml": sweep}
GIVEN = {
    "aggregator.yaml": {},
    "dashboard.yaml": {"OrganizationId": "o-a1b2c3d4e5"},
    "hook.yaml": {},
    "member-events.yaml": {"CentralBusArn": "arn:aws:events:us-east-1:111122223333:event-bus/alb-sg"},
    "sweep.yaml": {"SourceBucket": "snapshots"},
}
# These are there where the parameter `Exemptions` is given.
EXEMPTIONS_POLICIES = {"ReadExemptionsInS3", "ReadExemptionsInSsm"}
# What moto's CloudFormation does not know; it is asserted as data.
UNKNOWN_TO_MOTO = (
    "AWS::Athena::",
    "AWS::CloudFormation::LambdaHook",
    "AWS::CloudWatch::Alarm",
    "AWS::Config::",
    "AWS::Events::EventBusPolicy",
    "AWS::Glue::",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueuePolicy",
)


def test_every_template_is_tested() -> None:
    assert {path.name for path in DEPLOY.glob("*.yaml")} == set(TEMPLATES)


@pytest.mark.slow
@pytest.mark.parametrize("name", TEMPLATES)
def test_cfn_lint_finds_nothing(name: str) -> None:
    from cfnlint.api import lint  # type: ignore[import-untyped]  # noqa: PLC0415 (slow to import)
    from cfnlint.config import ManualArgs  # type: ignore[import-untyped]  # noqa: PLC0415 (slow to import)

    text = (DEPLOY / name).read_text(encoding="utf-8")
    found = lint(text, config=ManualArgs(regions=["eu-central-1", "us-east-1"], ignore_checks=[]))
    assert [str(match) for match in found] == []
    assert "cfn-lint" not in text
    # CloudFormation refuses it, wherever it stands.
    assert "null" not in text


@pytest.mark.slow
@pytest.mark.parametrize("name", TEMPLATES)
def test_moto_makes_the_stack(name: str) -> None:
    made = template(name)
    made["Resources"] = {
        logical_id: resource
        for logical_id, resource in made["Resources"].items()
        if not resource["Type"].startswith(UNKNOWN_TO_MOTO)
    }
    for resource in made["Resources"].values():
        if resource["Type"] == "AWS::StepFunctions::StateMachine":
            resource["Properties"]["DefinitionString"] = json.dumps(resource["Properties"].pop("Definition"))
    if name == "dashboard.yaml":
        # moto takes a bus's name alone, and makes an object of a reference to one.
        for rule in ("OpenedRule", "ClosedRule"):
            made["Resources"][rule]["Properties"]["EventBusName"] = "alb-sg"
            made["Resources"][rule]["DependsOn"] = "Bus"
    with mock_aws(config={"lambda": {"use_docker": False}}):
        s3 = boto3.client("s3", "us-east-1")
        s3.create_bucket(Bucket="artifacts")
        s3.put_object(Bucket="artifacts", Key="alb-sg/alb-sg-1.zip", Body=b"zip")
        artifact = {"ArtefactBucket": "artifacts", "ArtefactKey": "alb-sg/alb-sg-1.zip"}
        given = {**GIVEN[name], **(artifact if name in FUNCTIONS else {})}
        cloudformation = boto3.client("cloudformation", "us-east-1")
        cloudformation.create_stack(
            StackName="made",
            TemplateBody=json.dumps(made),
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()],
            Capabilities=["CAPABILITY_IAM"],
        )
        [stack] = cloudformation.describe_stacks(StackName="made")["Stacks"]
        assert stack["StackStatus"] == "CREATE_COMPLETE"
        there = cloudformation.describe_stack_resources(StackName="made")["StackResources"]
        # Of what is not made for a condition moto tells, but no name.
        assert {one["LogicalResourceId"] for one in there if "LogicalResourceId" in one} == set(
            made["Resources"]
        ) - EXEMPTIONS_POLICIES


@pytest.mark.slow
@pytest.mark.parametrize("name", ["dashboard.yaml", "hook.yaml", "sweep.yaml"])
@pytest.mark.parametrize(
    ("source", "allowed"),
    [
        ("", []),
        ("s3://governance/alb-sg/exemptions.json", [("s3:GetObject", "s3:::governance/alb-sg/exemptions.json")]),
        ("ssm:/alb-sg/exemptions", [("ssm:GetParameter", "ssm:eu-west-1:123456789012:parameter/alb-sg/exemptions")]),
        ("ssm:exemptions", [("ssm:GetParameter", "ssm:eu-west-1:123456789012:parameter/exemptions")]),
    ],
)
def test_exemptions_are_read_where_they_are_kept_and_nowhere_else(
    name: str, source: str, allowed: list[tuple[str, str]]
) -> None:
    """As CloudFormation would resolve it: moto's, with the role and these policies alone."""
    made = template(name)
    pattern = made["Parameters"]["Exemptions"]["AllowedPattern"]
    assert re.fullmatch(pattern, source)
    if source:
        assert [action for action, _ in allowed] == [READ_ACTIONS[type(parse_location(source))]]
    resources = {one: made["Resources"][one] for one in ("FunctionRole", *sorted(EXEMPTIONS_POLICIES))}
    resources["FunctionRole"]["Properties"]["Policies"] = []
    conditions = {one: made["Conditions"][one] for one in ("ExemptionsInS3", "ExemptionsInSsm")}
    text = json.dumps(
        {"Parameters": {"Exemptions": {"Type": "String"}}, "Conditions": conditions, "Resources": resources}
    )
    with mock_aws():
        boto3.client("cloudformation", "eu-west-1").create_stack(
            StackName="made",
            TemplateBody=text,
            Parameters=[{"ParameterKey": "Exemptions", "ParameterValue": source}],
            Capabilities=["CAPABILITY_IAM"],
        )
        iam = boto3.client("iam", "eu-west-1")
        [role] = iam.list_roles()["Roles"]
        documents: list[Any] = [
            iam.get_role_policy(RoleName=role["RoleName"], PolicyName=policy)["PolicyDocument"]
            for policy in iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]
        ]
    found = [(action, one["Resource"]) for each in documents for one in each["Statement"] for action in one["Action"]]
    assert found == [(action, f"arn:aws:{resource}") for action, resource in allowed]


@pytest.mark.parametrize(
    "source", ["exemptions.json", "s3://governance/*", "s3://governance/", "ssm:/a/*", "s3://b/${a}"]
)
def test_an_invalid_place_is_refused(source: str) -> None:
    for name in ("dashboard.yaml", "sweep.yaml"):
        assert not re.fullmatch(template(name)["Parameters"]["Exemptions"]["AllowedPattern"], source)


@pytest.mark.parametrize("name", ["dashboard.yaml", "sweep.yaml"])
def test_buckets_are_private_encrypted_versioned_and_over_tls_alone(name: str) -> None:
    [bucket] = of_type(template(name), "AWS::S3::Bucket").values()
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert bucket["BucketEncryption"]
    assert any("NoncurrentVersionExpiration" in rule for rule in bucket["LifecycleConfiguration"]["Rules"])
    [guard] = of_type(template(name), "AWS::S3::BucketPolicy").values()
    [statement] = guard["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


OWN_LOG = {"logs:CreateLogStream", "logs:PutLogEvents"}
OWN = {*OWN_LOG, "sqs:SendMessage"}


@pytest.mark.parametrize(
    ("name", "declared"),
    [
        ("dashboard.yaml", {*IAM_ACTIONS, *BUCKET_ACTIONS, *OWN}),
        ("hook.yaml", {*hook.HOOK_ACTIONS, *OWN_LOG}),
        ("sweep.yaml", {*SNAPSHOT_BUCKET_ACTIONS, *RESULTS_BUCKET_ACTIONS, *OWN}),
    ],
)
def test_functions_have_exactly_the_declared_permissions(name: str, declared: set[str]) -> None:
    found = statements(name, "FunctionRole")
    assert {action for one in found for action in one["Action"]} == declared


def test_only_reading_the_aggregator_and_the_account_is_allowed_on_every_resource() -> None:
    everywhere = []
    for name in TEMPLATES:
        made = template(name)
        inline = [policy for role in of_type(made, ROLE).values() for policy in role.get("Policies", ())]
        for policy in (*inline, *of_type(made, "AWS::IAM::Policy").values()):
            everywhere += [one for one in policy["PolicyDocument"]["Statement"] if one["Resource"] == "*"]
    of_aggregator, of_account = everywhere
    assert set(of_aggregator["Action"]) == set(IAM_ACTIONS)
    assert set(of_account["Action"]) == {one for one in hook.HOOK_ACTIONS if not one.startswith("cloudformation:")}


def test_the_hook_warns_until_somebody_wants_more_and_cloudformation_alone_invokes_it() -> None:
    made = template("hook.yaml")
    [found] = of_type(made, "AWS::CloudFormation::LambdaHook").values()
    assert found["FailureMode"] == {"Ref": "FailureMode"}
    assert made["Parameters"]["FailureMode"]["Default"] == "WARN"
    [trust] = made["Resources"]["HookRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "hooks.cloudformation.amazonaws.com"}
    [invoke] = made["Resources"]["HookPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert invoke["Action"] == ["lambda:InvokeFunction"]
    assert invoke["Resource"] == {"Fn::GetAtt": ["Function", "Arn"]}


def test_the_sweep_writes_nothing_into_the_snapshots() -> None:
    for one in statements("sweep.yaml", "FunctionRole"):
        if "SourceBucket" in json.dumps(one["Resource"]):
            assert set(one["Action"]) <= {"s3:GetObject", "s3:ListBucket"}


def watched_queues(made: dict[str, Any]) -> str:
    return json.dumps(list(of_type(made, "AWS::CloudWatch::Alarm").values()))


def test_nothing_fails_silently() -> None:
    for name in TEMPLATES:
        made = template(name)
        for logical_id, function in of_type(made, FUNCTION).items():
            if name != "hook.yaml":
                # CloudFormation waits for the Hook's answer and says if there is none.
                assert function["DeadLetterConfig"] == {"TargetArn": {"Fn::GetAtt": ["FunctionFailed", "Arn"]}}
            watched = json.dumps(list(of_type(made, "AWS::CloudWatch::Alarm").values()))
            assert json.dumps({"Ref": logical_id}) in watched
        # The sweep's function is invoked by its state machine alone, which waits for it and has an alarm of its own.
        for logical_id in set(of_type(made, "AWS::SQS::Queue")) - (
            {"FunctionFailed"} if name == "sweep.yaml" else set()
        ):
            assert json.dumps({"Fn::GetAtt": [logical_id, "QueueName"]}) in watched_queues(made), logical_id
        for log in of_type(made, "AWS::Logs::LogGroup").values():
            assert log["RetentionInDays"] == 90
        for rule in of_type(made, "AWS::Events::Rule").values():
            if "EventPattern" in rule:
                assert all("DeadLetterConfig" in target for target in rule["Targets"])


def function_of(name: str) -> dict[str, Any]:
    [found] = of_type(template(name), FUNCTION).values()
    return found


def test_handlers_are_in_the_artifact_and_there_is_a_template_for_each() -> None:
    modules = []
    for name, code in FUNCTIONS.items():
        module, _, handler = function_of(name)["Handler"].rpartition(".")
        assert import_module(module) is code
        assert callable(getattr(code, handler))
        modules.append(module)
    assert sorted(modules) == sorted(FUNCTION_MODULES)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_environment_has_the_variables_that_the_code_reads(name: str) -> None:
    read = {value for value in vars(FUNCTIONS[name]).values() if str(value).startswith("ALB_SG_")}
    assert set(function_of(name)["Environment"]["Variables"]) == read


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_runtime_is_that_of_the_rules(name: str) -> None:
    """The artifact has modules compiled for one Python."""
    assert {function_of(name)["Runtime"]} == {rule.runtime for rule in read_rule_definitions(RULES_FOLDER)}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_writes_to_its_own_log_group(name: str) -> None:
    group = f"/aws/lambda/{function_of(name)['FunctionName']}"
    [log] = of_type(template(name), "AWS::Logs::LogGroup").values()
    assert log["LogGroupName"] == group
    [writing] = [one for one in statements(name, "FunctionRole") if "logs:PutLogEvents" in one["Action"]]
    assert writing["Resource"]["Fn::Sub"].endswith(f":log-group:{group}:*")


def states(definition: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All states, those within a map too."""
    for state in definition["States"].values():
        yield state
        yield from states(state.get("ItemProcessor", {"States": {}}))


def test_every_step_outlives_the_function_and_gives_up_on_wrong_input_alone() -> None:
    [machine] = of_type(template("sweep.yaml"), "AWS::StepFunctions::StateMachine").values()
    tasks = [state for state in states(machine["Definition"]) if state["Type"] == "Task"]
    assert len(tasks) == 4
    for task in tasks:
        assert task["TimeoutSeconds"] > function_of("sweep.yaml")["Timeout"]
        refused, tried_again = task["Retry"]
        assert (refused["ErrorEquals"], refused["MaxAttempts"]) == ([InvalidInputError.__name__], 0)
        assert tried_again["ErrorEquals"] == ["States.ALL"]
        assert task["Retry"] == tasks[0]["Retry"]


def test_the_state_machine_has_the_permissions_it_needs() -> None:
    made = template("sweep.yaml")
    [machine] = of_type(made, "AWS::StepFunctions::StateMachine").values()
    allowed = {
        action: one["Resource"]
        for one in made["Resources"]["SweepPolicy"]["Properties"]["PolicyDocument"]["Statement"]
        for action in one["Action"]
    }
    called = {
        text.rpartition(":::")[2]
        for said in machine["DefinitionSubstitutions"].values()
        if ":states:::" in (text := said.get("Fn::Sub", ""))
    }
    actions = {"lambda:invoke": "lambda:InvokeFunction", "s3:getObject": "s3:GetObject", "s3:putObject": "s3:PutObject"}
    assert called == set(actions)
    assert set(actions.values()) <= set(allowed)
    assert allowed["lambda:InvokeFunction"] == machine["DefinitionSubstitutions"]["FunctionArn"]
    # A Distributed Map starts executions of its own state machine, named after the map.
    name = machine["StateMachineName"]
    assert allowed["states:StartExecution"]["Fn::Sub"].endswith(f":stateMachine:{name}")
    assert allowed["states:RedriveExecution"]["Fn::Sub"].endswith(f":execution:{name}*:*")


def test_the_dashboard_reads_the_aggregator_that_is_made() -> None:
    [aggregator] = of_type(template("aggregator.yaml"), "AWS::Config::ConfigurationAggregator").values()
    name = template("dashboard.yaml")["Parameters"]["AggregatorName"]["Default"]
    assert aggregator["ConfigurationAggregatorName"] == name
    assert aggregator["OrganizationAggregationSource"] == {
        "AllAwsRegions": True,
        "RoleArn": {"Fn::GetAtt": ["AggregatorRole", "Arn"]},
    }


def test_aws_config_lists_the_accounts_for_this_account_alone() -> None:
    role = of_type(template("aggregator.yaml"), ROLE)["AggregatorRole"]
    [trust] = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_data_is_encrypted_and_each_exception_has_a_reason() -> None:
    """checkov reads the exceptions: with them it finds nothing in these templates."""
    for name in TEMPLATES:
        made = template(name)
        for topic in of_type(made, "AWS::SNS::Topic").values():
            assert topic["KmsMasterKeyId"] == {"Fn::GetAtt": ["ChangesKey", "Arn"]}
        for key in of_type(made, "AWS::KMS::Key").values():
            assert key["EnableKeyRotation"] is True
            [service] = [one for one in key["KeyPolicy"]["Statement"] if "Service" in one["Principal"]]
            assert service["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
        for bucket in of_type(made, "AWS::S3::Bucket").values():
            assert "BucketEncryption" in bucket
            assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
        for queue in of_type(made, "AWS::SQS::Queue").values():
            assert queue["SqsManagedSseEnabled"] is True
        for resource in made["Resources"].values():
            for skipped in resource.get("Metadata", {}).get("checkov", {}).get("skip", []):
                assert len(skipped["comment"]) > 20


def change(**detail: Any) -> dict[str, Any]:
    """An event as AWS Config sends it ("Config Rules Compliance Change")."""
    arn = load_balancer_arn()
    return {
        "version": "0",
        "id": "5b5f3b0e-1c1a-4b4d-9c1e-0123456789ab",
        "detail-type": "Config Rules Compliance Change",
        "source": "aws.config",
        "account": "111122223333",
        "time": "2027-01-31T08:00:00Z",
        "region": "us-east-1",
        "resources": [],
        "detail": {
            "resourceId": arn,
            "awsRegion": "us-east-1",
            "awsAccountId": "111122223333",
            "configRuleName": "ALB_SG_LISTENER_INGRESS-conformance-pack-szsm1uv0w",
            "recordVersion": "1.0",
            "configRuleARN": "arn:aws:config:us-east-1:111122223333:config-rule/config-rule-abc123",
            "messageType": "ComplianceChangeNotification",
            "newEvaluationResult": {
                "complianceType": "NON_COMPLIANT",
                "resultRecordedTime": "2027-01-31T08:00:00Z",
                "configRuleInvokedTime": "2027-01-31T07:59:58Z",
                "annotation": "HTTPS:443 not open to 0.0.0.0/0",
            },
            "oldEvaluationResult": {"complianceType": "COMPLIANT"},
            "notificationCreationTime": "2027-01-31T08:00:01Z",
            "resourceType": "AWS::ElasticLoadBalancingV2::LoadBalancer",
            **detail,
        },
    }


def result(verdict: str) -> dict[str, str]:
    return {"complianceType": verdict, "annotation": "why"}


OPENED, CLOSED = "OpenedRule", "ClosedRule"


def changed(before: str | None, after: str) -> dict[str, Any]:
    return {
        "newEvaluationResult": result(after),
        "oldEvaluationResult": None if before is None else {"complianceType": before},
    }


def event_pattern(name: str, rule: str) -> dict[str, Any]:
    pattern: dict[str, Any] = template(name)["Resources"][rule]["Properties"]["EventPattern"]
    return pattern


@pytest.mark.parametrize(
    ("detail", "rule"),
    [
        *(({"configRuleName": f"OrgConfigRule-{rule}-dbgzf8ba"}, OPENED) for rule in RULES),
        ({"configRuleName": "restricted-ssh"}, None),
        ({"resourceType": "AWS::EC2::SecurityGroup"}, None),
        ({"messageType": "ConfigRulesEvaluationStarted"}, None),
        (changed(None, "NON_COMPLIANT"), OPENED),
        (changed("COMPLIANT", "NON_COMPLIANT"), OPENED),
        (changed("NOT_APPLICABLE", "NON_COMPLIANT"), OPENED),
        (changed("NON_COMPLIANT", "COMPLIANT"), CLOSED),
        # Exempt or deleted: nothing else would close the finding.
        (changed("NON_COMPLIANT", "NOT_APPLICABLE"), CLOSED),
        # Fixed while it was exempt.
        (changed("NOT_APPLICABLE", "COMPLIANT"), CLOSED),
        # Nothing was opened.
        (changed(None, "COMPLIANT"), None),
        (changed(None, "NOT_APPLICABLE"), None),
        (changed("COMPLIANT", "NOT_APPLICABLE"), None),
    ],
)
def test_each_change_opens_or_closes_a_finding_or_is_no_news(detail: dict[str, Any], rule: str | None) -> None:
    # moto has no TestEventPattern, but matches events for its own buses.
    event: Any = change(**detail)

    def matches(name: str, logical_id: str) -> bool:
        return bool(EventPattern.load(json.dumps(event_pattern(name, logical_id))).matches_event(event))

    assert [name for name in (OPENED, CLOSED) if matches("dashboard.yaml", name)] == ([] if rule is None else [rule])
    assert matches("member-events.yaml", "ForwardRule") is (rule is not None)


def complexity(wildcards: list[str]) -> int:
    """The most wildcard patterns, each counted at every place where it may continue, that one text keeps alive at once.

    EventBridge refuses a rule by this measure (`MachineComplexityEvaluator` of aws/event-ruler). Patterns with the same
    start share their states, and each shared state counts every pattern behind it: they multiply.
    """
    patterns = [f'"{wildcard}"' for wildcard in wildcards]
    states = {pattern[:length] for pattern in patterns for length in range(len(pattern) + 1)}
    behind = {state: sum(pattern.startswith(state) for pattern in patterns) for state in states}
    characters = {character for pattern in patterns for character in pattern} - {"*"} | {"another character"}
    start = frozenset({""})
    seen: set[frozenset[str]] = set()
    waiting = [start]
    while waiting:
        present = waiting.pop()
        if present in seen:
            continue
        seen.add(present)
        for character in characters:
            # A wildcard stays where it is for any character, and may stand for none.
            kept = {state for state in present if state.endswith("*")}
            entered = {f"{state}*" for state in present} & states
            onward = {f"{state}{character}" for state in present | entered} & states
            waiting.append(frozenset(kept | entered | onward))
    return max(sum(behind[state] for state in present) for present in seen - {start, frozenset()})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "rule"), [("dashboard.yaml", OPENED), ("dashboard.yaml", CLOSED), ("member-events.yaml", "ForwardRule")]
)
def test_the_pattern_is_no_more_complex_than_one_wildcard(name: str, rule: str) -> None:
    """EventBridge has refused patterns that `event-ruler` scores 12. It scores one wildcard 5, and one for each of four
    rules 22."""
    pattern = event_pattern(name, rule)
    [said] = pattern["detail"]["configRuleName"]
    assert json.dumps(pattern).count("*") == said["wildcard"].count("*") == 2
    assert complexity([said["wildcard"]]) <= complexity(["*a*"])
    one_for_each_rule = [f"*{name}*" for name in RECOMMENDATIONS_BY_NAME]
    assert complexity(one_for_each_rule) > len(one_for_each_rule) * complexity(["*a*"]) - 1
    assert pattern["detail"]["resourceType"] == [LOAD_BALANCER_TYPE]


def test_members_forward_to_the_bus_that_the_dashboard_has() -> None:
    central, member = template("dashboard.yaml"), template("member-events.yaml")
    [bus] = of_type(central, "AWS::Events::EventBus").values()
    assert central["Outputs"]["BusArn"]["Value"] == {"Fn::GetAtt": ["Bus", "Arn"]}
    arn = f"arn:aws:events:eu-central-1:111122223333:event-bus/{bus['Name']}"
    assert re.fullmatch(member["Parameters"]["CentralBusArn"]["AllowedPattern"], arn)
    [forwarding] = statements("member-events.yaml", "ForwardRole")
    [target] = of_type(member, "AWS::Events::Rule")["ForwardRule"]["Targets"]
    assert forwarding["Action"] == ["events:PutEvents"]
    assert forwarding["Resource"] == target["Arn"] == {"Ref": "CentralBusArn"}


def message(rule: str, target_id: str, page_url: str, event: dict[str, Any]) -> Any:
    """What EventBridge makes of an event at worst ("Common Issues with transforming input" in its user guide).

    Texts need quotes in the template, no value is escaped, and nothing stands where the event has no value.
    """
    targets = template("dashboard.yaml")["Resources"][rule]["Properties"]["Targets"]
    [target] = [target for target in targets if target["Id"] == target_id]
    transformer = target["InputTransformer"]
    text, substitutions = transformer["InputTemplate"]["Fn::Sub"]
    _, with_url, without = substitutions["Page"]["Fn::If"]
    assert with_url == {"Ref": "PageUrl"}
    page = page_url or without["Fn::Sub"].replace("${Bucket}", "dashboard")
    text = text.replace("${Page}", page)
    assert "${" not in text
    values = {name: value_at(event, path) for name, path in transformer["InputPathsMap"].items()}
    return json.loads(re.sub("<([a-zA-Z]+)>", lambda name: values[name[1]] or "", text))


def value_at(event: dict[str, Any], path: str) -> Any:
    value: Any = event
    for step in path.removeprefix("$.").split("."):
        value = None if value is None else value.get(step)
    return value


PAGE = "https://dashboard.example.com/index.html"
# What the rules make of a text with quotes, a backslash and a line break.
HOSTILE = without_escapes('exempt until 2027-12-31: "moves" \\ soon\n')


@pytest.mark.parametrize("page_url", [PAGE, ""])
@pytest.mark.parametrize(
    ("rule", "detail", "title"),
    [
        (OPENED, changed("COMPLIANT", "NON_COMPLIANT"), "Non-compliant: ALB_SG_LISTENER_INGRESS"),
        (CLOSED, changed("NON_COMPLIANT", "COMPLIANT"), "Closed, COMPLIANT: ALB_SG_LISTENER_INGRESS"),
        (CLOSED, changed("NON_COMPLIANT", "NOT_APPLICABLE"), "Closed, NOT_APPLICABLE: ALB_SG_LISTENER_INGRESS"),
    ],
)
def test_chat_applications_get_their_own_schema(rule: str, detail: dict[str, Any], title: str, page_url: str) -> None:
    """Amazon Q in chat applications, "Custom notifications": anything else is dropped without a word."""
    event = change(awsAccountId="089012345678", configRuleName="ALB_SG_LISTENER_INGRESS", **detail)
    event["detail"]["newEvaluationResult"]["annotation"] = HOSTILE
    sent = message(rule, "Chat", page_url, event)
    assert (sent["version"], sent["source"]) == ("1.0", "custom")
    assert sent.keys() <= {"version", "source", "id", "content", "metadata"}
    content, metadata = sent["content"], sent["metadata"]
    assert content.keys() <= {"textType", "title", "description", "nextSteps", "keywords"}
    assert metadata.keys() <= {"threadId", "summary", "eventType", "relatedResources", "additionalContext"}
    assert content["textType"] == "client-markdown"
    assert content["title"] == f"{title}, account 089012345678, us-east-1"
    assert content["description"] == f"{detail['newEvaluationResult']['complianceType']}: {HOSTILE}"
    assert content["nextSteps"][1] == (f"Dashboard: {page_url or 's3://dashboard/index.html'}#lb={load_balancer_arn()}")
    assert metadata["additionalContext"] == {"account": "089012345678", "region": "us-east-1"}
    assert metadata["relatedResources"] == [load_balancer_arn()]


@pytest.mark.parametrize(("rule", "verdict"), [(OPENED, "NON_COMPLIANT"), (CLOSED, "NOT_APPLICABLE")])
def test_a_change_without_an_annotation_makes_a_message(rule: str, verdict: str) -> None:
    """Amazon Q in chat applications requires a description."""
    event = change(**changed("NON_COMPLIANT", verdict))
    del event["detail"]["newEvaluationResult"]["annotation"]
    assert message(rule, "Chat", PAGE, event)["content"]["description"] == f"{verdict}: "
    assert message(rule, "Json", PAGE, event)["annotation"] == ""


def test_a_closing_message_goes_to_the_thread_of_the_opening_one() -> None:
    opened = message(OPENED, "Chat", PAGE, change(**changed(None, "NON_COMPLIANT")))
    closed = message(CLOSED, "Chat", PAGE, change(**changed("NON_COMPLIANT", "NOT_APPLICABLE")))
    assert opened["metadata"]["threadId"] == closed["metadata"]["threadId"]
    assert opened["metadata"]["eventType"] != closed["metadata"]["eventType"]


@pytest.mark.parametrize("before", [None, "COMPLIANT"])
def test_others_get_plain_json(before: str | None) -> None:
    event = change(awsAccountId="089012345678", **changed(before, "NON_COMPLIANT"))
    event["detail"]["newEvaluationResult"]["annotation"] = HOSTILE
    rule_name = event["detail"]["configRuleName"]
    assert message(OPENED, "Json", PAGE, event) == {
        "event": "opened",
        "finding": f"{load_balancer_arn()} {rule_name}",
        "account": "089012345678",
        "region": "us-east-1",
        "loadBalancer": load_balancer_arn(),
        "rule": rule_name,
        "compliance": "NON_COMPLIANT",
        "previousCompliance": before or "",
        "annotation": HOSTILE,
        "time": "2027-01-31T08:00:01Z",
        "page": f"{PAGE}#lb={load_balancer_arn()}",
    }
    closing = change(**changed("NON_COMPLIANT", "NOT_APPLICABLE"))
    closed = message(CLOSED, "Json", PAGE, closing)
    assert (closed["event"], closed["finding"]) == ("closed", f"{load_balancer_arn()} {rule_name}")


@pytest.mark.parametrize("topic", ["Changes", "ChangesJson"])
def test_both_rules_may_publish_to_both_topics(topic: str) -> None:
    made = template("dashboard.yaml")["Resources"]
    [statement] = made[f"{topic}Policy"]["Properties"]["PolicyDocument"]["Statement"]
    rules = [{"Fn::GetAtt": [rule, "Arn"]} for rule in (OPENED, CLOSED)]
    assert statement["Condition"]["ArnEquals"]["aws:SourceArn"] == rules
    for rule in (OPENED, CLOSED):
        arns = [target["Arn"] for target in made[rule]["Properties"]["Targets"]]
        assert {"Ref": topic} in arns
        assert statement["Resource"] == {"Ref": topic}


def test_the_bus_takes_events_of_the_organization_alone() -> None:
    [guard] = of_type(template("dashboard.yaml"), "AWS::Events::EventBusPolicy").values()
    assert guard["Statement"]["Condition"] == {"StringEquals": {"aws:PrincipalOrgID": {"Ref": "OrganizationId"}}}
    assert guard["Statement"]["Action"] == "events:PutEvents"
