"""The stand-in for AWS Config, seen as its users see it: through boto3 clients and rdklib."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from moto import mock_aws
from rdklib.clientfactory import ClientFactory
from rdklib.evaluation import (
    ComplianceType,
)
from rdklib.evaluation import (
    Evaluation as RdkEvaluation,
)
from rdklib.util.evaluations import (
    process_periodic_evaluations_list,
)
from rdklib.util.external import process_evaluations

from embedded_aws.config_stand_in import ConfigStandIn

pytestmark = pytest.mark.slow

RULE = "ALB_SG_ICMP_PMTUD"
ACCOUNT = "123456789012"
MEMBER = "111122223333"
REGION = "us-east-1"
GROUP = "AWS::EC2::SecurityGroup"
BALANCER = "AWS::ElasticLoadBalancingV2::LoadBalancer"
NOON = datetime(2025, 1, 1, 12, tzinfo=UTC)
LATER = datetime(2025, 1, 1, 13, tzinfo=UTC)


@pytest.fixture
def config(monkeypatch: pytest.MonkeyPatch) -> Iterator[ConfigStandIn]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, REGION)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.delenv("MOTO_ACCOUNT_ID", raising=False)
    monkeypatch.setenv("AWS_RETRY_MODE", "standard")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "3")
    monkeypatch.setattr("time.sleep", lambda _: None)
    with mock_aws(), ConfigStandIn() as stand_in:
        yield stand_in


@pytest.fixture
def client(config: ConfigStandIn) -> Any:
    return boto3.client("config")


def evaluation(resource_id: str = "sg-1", compliance: str = "NON_COMPLIANT", **changes: Any) -> Any:
    return {
        "ComplianceResourceType": GROUP,
        "ComplianceResourceId": resource_id,
        "ComplianceType": compliance,
        "OrderingTimestamp": NOON,
    } | changes


def item(resource_id: str = "sg-1", resource_type: str = GROUP, **changes: Any) -> dict[str, Any]:
    return {
        "accountId": ACCOUNT,
        "awsRegion": REGION,
        "resourceType": resource_type,
        "resourceId": resource_id,
        "arn": f"arn:aws:ec2:{REGION}:{ACCOUNT}:{resource_id}",
        "configurationItemCaptureTime": "2025-01-01T12:00:00.771Z",
        "configuration": {"groupId": resource_id},
        "supplementaryConfiguration": {"Notes": {"owner": "web"}},
        "relationships": [
            {
                "resourceType": "AWS::EC2::VPC",
                "resourceId": "vpc-1",
                "relationshipName": "Is contained in Vpc",
            }
        ],
        "tags": {"team": "web"},
    } | changes


def code_of(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


# PutEvaluations


def test_an_evaluation_with_an_issued_token_is_recorded(config: ConfigStandIn, client: Any) -> None:
    token = config.issue_token(RULE, ACCOUNT)
    answer = client.put_evaluations(Evaluations=[evaluation(Annotation="closed")], ResultToken=token)
    assert answer["FailedEvaluations"] == []
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert answer["ResponseMetadata"]["RequestId"]
    [recorded] = config.accepted_evaluations
    assert config.evaluations(RULE) == {"sg-1": recorded}
    assert (recorded.rule_name, recorded.caller.account_id, recorded.caller.region) == (RULE, ACCOUNT, REGION)
    assert (recorded.resource_type, recorded.resource_id) == (GROUP, "sg-1")
    assert (recorded.compliance_type, recorded.annotation) == ("NON_COMPLIANT", "closed")
    assert recorded.ordering_timestamp == NOON


def test_an_unknown_token_is_refused_with_the_modelled_exception(config: ConfigStandIn, client: Any) -> None:
    with pytest.raises(client.exceptions.InvalidResultTokenException):
        client.put_evaluations(Evaluations=[evaluation()], ResultToken="made up")
    with pytest.raises(client.exceptions.InvalidResultTokenException):
        client.put_evaluations(Evaluations=[evaluation()], ResultToken="TESTMODE")
    assert config.accepted_evaluations == []


def test_a_token_of_another_account_is_refused(config: ConfigStandIn, client: Any) -> None:
    token = config.issue_token(RULE, MEMBER)
    with pytest.raises(client.exceptions.InvalidResultTokenException, match=MEMBER):
        client.put_evaluations(Evaluations=[evaluation()], ResultToken=token)


@pytest.mark.parametrize("issued", [True, False])
def test_test_mode_validates_and_records_nothing(config: ConfigStandIn, client: Any, issued: bool) -> None:
    token = config.issue_token(RULE, ACCOUNT) if issued else "TESTMODE"
    client.put_evaluations(Evaluations=[evaluation()], ResultToken=token, TestMode=True)
    with pytest.raises(ClientError) as error:
        client.put_evaluations(Evaluations=[evaluation()] * 101, ResultToken=token, TestMode=True)
    assert code_of(error) == "ValidationException"
    assert config.accepted_evaluations == []
    assert len(config.calls) == 2


@pytest.mark.parametrize(
    ("evaluations", "place"),
    [
        ([evaluation()] * 101, "'evaluations'"),
        ([evaluation(), evaluation(Annotation="a" * 257)], "'evaluations.2.member.annotation'"),
        ([evaluation(ComplianceResourceId="a" * 769)], "'evaluations.1.member.complianceResourceId'"),
        ([evaluation(compliance="MAYBE")], "'evaluations.1.member.complianceType'"),
    ],
)
def test_the_limits_and_enumerations_of_the_api_hold(
    config: ConfigStandIn, client: Any, evaluations: list[dict[str, Any]], place: str
) -> None:
    token = config.issue_token(RULE, ACCOUNT)
    with pytest.raises(ClientError, match=place) as error:
        client.put_evaluations(Evaluations=evaluations, ResultToken=token)
    assert code_of(error) == "ValidationException"
    assert config.accepted_evaluations == []


def test_the_largest_allowed_request_is_accepted(config: ConfigStandIn, client: Any) -> None:
    evaluations = [evaluation(f"sg-{number}", Annotation="a" * 256) for number in range(100)]
    client.put_evaluations(Evaluations=evaluations, ResultToken=config.issue_token(RULE, ACCOUNT))
    assert len(config.evaluations(RULE)) == 100


def test_requests_are_checked_even_when_the_client_does_not(config: ConfigStandIn) -> None:
    unchecked: Any = boto3.client("config", config=Config(parameter_validation=False))
    with pytest.raises(ClientError, match="Missing required parameter in Evaluations") as error:
        unchecked.put_evaluations(Evaluations=[{"ComplianceResourceId": "sg-1"}], ResultToken="any")
    assert code_of(error) == "ValidationException"


def test_insufficient_data_cannot_be_put(config: ConfigStandIn, client: Any) -> None:
    token = config.issue_token(RULE, ACCOUNT)
    with pytest.raises(client.exceptions.InvalidParameterValueException):
        client.put_evaluations(Evaluations=[evaluation(compliance="INSUFFICIENT_DATA")], ResultToken=token)


def test_an_older_evaluation_does_not_replace_a_newer_one(config: ConfigStandIn, client: Any) -> None:
    token = config.issue_token(RULE, ACCOUNT)
    newer = evaluation(compliance="COMPLIANT", OrderingTimestamp=LATER)
    client.put_evaluations(Evaluations=[newer], ResultToken=token)
    client.put_evaluations(Evaluations=[evaluation()], ResultToken=token)
    assert config.evaluations(RULE)["sg-1"].compliance_type == "COMPLIANT"
    client.put_evaluations(Evaluations=[evaluation(OrderingTimestamp=LATER)], ResultToken=token)
    assert config.evaluations(RULE)["sg-1"].compliance_type == "NON_COMPLIANT"
    assert len(config.accepted_evaluations) == 3


def test_not_applicable_removes_a_result_for_good(config: ConfigStandIn, client: Any) -> None:
    token = config.issue_token(RULE, ACCOUNT)
    for sent in (
        evaluation(),
        evaluation(compliance="NOT_APPLICABLE", OrderingTimestamp=LATER),
        evaluation(),
    ):
        client.put_evaluations(Evaluations=[sent], ResultToken=token)
    assert config.evaluations(RULE) == {}
    for types in ([], ["NOT_APPLICABLE"]):
        answer = details(client, ComplianceTypes=types)
        assert answer["EvaluationResults"] == []


def test_chosen_evaluations_can_be_rejected(config: ConfigStandIn, client: Any) -> None:
    token = config.issue_token(RULE, ACCOUNT)
    both = [evaluation("sg-1", Annotation="closed"), evaluation("sg-2")]
    config.reject_evaluations(resource_ids=["sg-1"])
    config.reject_evaluations()
    first = client.put_evaluations(Evaluations=both, ResultToken=token)["FailedEvaluations"]
    assert first == [both[0]]
    assert list(config.evaluations(RULE)) == ["sg-2"]
    second = client.put_evaluations(Evaluations=both, ResultToken=token)["FailedEvaluations"]
    assert second == both
    assert client.put_evaluations(Evaluations=both, ResultToken=token)["FailedEvaluations"] == []
    assert sorted(config.evaluations(RULE)) == ["sg-1", "sg-2"]


# GetComplianceDetailsByConfigRule


def details(client: Any, **options: Any) -> Any:
    return client.get_compliance_details_by_config_rule(ConfigRuleName=RULE, **options)


def test_details_are_paged_and_shaped_as_in_the_api(config: ConfigStandIn, client: Any) -> None:
    token = config.issue_token(RULE, ACCOUNT)
    sent = [evaluation(f"sg-{number}", Annotation="closed") for number in range(12)]
    client.put_evaluations(Evaluations=sent, ResultToken=token)
    first = details(client, NextToken="")
    assert len(first["EvaluationResults"]) == 10
    second = details(client, NextToken=first["NextToken"])
    assert len(second["EvaluationResults"]) == 2
    assert "NextToken" not in second
    detail = first["EvaluationResults"][0]
    identifier = detail["EvaluationResultIdentifier"]
    assert identifier["EvaluationResultQualifier"] == {
        "ConfigRuleName": RULE,
        "ResourceType": GROUP,
        "ResourceId": "sg-0",
        "EvaluationMode": "DETECTIVE",
    }
    assert identifier["OrderingTimestamp"] == NOON
    assert (detail["ComplianceType"], detail["Annotation"]) == ("NON_COMPLIANT", "closed")
    assert detail["ConfigRuleInvokedTime"] <= detail["ResultRecordedTime"]
    paginator = client.get_paginator("get_compliance_details_by_config_rule")
    pages = list(paginator.paginate(ConfigRuleName=RULE, Limit=5))
    assert [len(page["EvaluationResults"]) for page in pages] == [5, 5, 2]


def test_details_are_filtered_by_compliance(config: ConfigStandIn, client: Any) -> None:
    token = config.issue_token(RULE, ACCOUNT)
    client.put_evaluations(
        Evaluations=[evaluation("sg-1"), evaluation("sg-2", compliance="COMPLIANT")], ResultToken=token
    )
    [only] = details(client, ComplianceTypes=["COMPLIANT"])["EvaluationResults"]
    assert only["EvaluationResultIdentifier"]["EvaluationResultQualifier"]["ResourceId"] == "sg-2"
    with pytest.raises(client.exceptions.InvalidParameterValueException):
        details(client, ComplianceTypes=["INSUFFICIENT_DATA"])


def test_bad_requests_for_details_are_refused(config: ConfigStandIn, client: Any) -> None:
    with pytest.raises(client.exceptions.NoSuchConfigRuleException):
        details(client)
    token = config.issue_token(RULE, ACCOUNT)
    with pytest.raises(client.exceptions.InvalidNextTokenException):
        details(client, NextToken="made up")
    with pytest.raises(ClientError, match="less than or equal to 100"):
        details(client, Limit=101)
    client.put_evaluations(Evaluations=[evaluation("sg-1"), evaluation("sg-2")], ResultToken=token)
    page = details(client, Limit=1)
    with pytest.raises(client.exceptions.InvalidNextTokenException):
        details(client, ComplianceTypes=["COMPLIANT"], NextToken=page["NextToken"])


def test_accounts_and_regions_are_kept_apart(config: ConfigStandIn, client: Any) -> None:
    factory = ClientFactory(f"arn:aws:iam::{MEMBER}:role/config", region=REGION)
    member_client = factory.build_client("config")
    other_region = boto3.client("config", region_name="eu-west-1")
    for account, user, resource in (
        (ACCOUNT, client, "sg-1"),
        (MEMBER, member_client, "sg-2"),
        (ACCOUNT, other_region, "sg-3"),
    ):
        token = config.issue_token(RULE, account)
        user.put_evaluations(Evaluations=[evaluation(resource)], ResultToken=token)
        [shown] = details(user)["EvaluationResults"]
        assert shown["EvaluationResultIdentifier"]["EvaluationResultQualifier"]["ResourceId"] == resource
    assert sorted(config.evaluations(RULE)) == ["sg-1", "sg-2", "sg-3"]
    assert list(config.evaluations(RULE, account_id=MEMBER)) == ["sg-2"]
    assert list(config.evaluations(RULE, region="eu-west-1")) == ["sg-3"]


# GetResourceConfigHistory


def history(client: Any, **changes: Any) -> Any:
    return client.get_resource_config_history(**({"resourceType": GROUP, "resourceId": "sg-1"} | changes))


def test_history_is_newest_first_and_gives_parts_as_json_text(config: ConfigStandIn, client: Any) -> None:
    config.add_item(item())
    config.add_item(
        item(
            configurationItemCaptureTime="2025-01-01T13:00:00Z",
            configurationItemStatus="ResourceDeleted",
            configuration=None,
        )
    )
    deleted, existing = history(client)["configurationItems"]
    assert deleted["configurationItemStatus"] == "ResourceDeleted"
    assert "configuration" not in deleted
    assert existing["configurationItemStatus"] == "OK"
    assert json.loads(existing["configuration"]) == {"groupId": "sg-1"}
    assert json.loads(existing["supplementaryConfiguration"]["Notes"]) == {"owner": "web"}
    assert existing["configurationItemCaptureTime"] == NOON.replace(microsecond=771000)
    assert existing["relationships"] == item()["relationships"]
    assert existing["tags"] == {"team": "web"}
    assert history(client, limit=1)["configurationItems"] == [deleted]
    assert history(client, chronologicalOrder="Forward")["configurationItems"] == [existing, deleted]


def test_history_can_be_paged_and_limited_in_time(config: ConfigStandIn, client: Any) -> None:
    for hour in range(5):
        config.add_item(item(configurationItemCaptureTime=f"2025-01-01T1{hour}:00:00.500Z"))
    paginator = client.get_paginator("get_resource_config_history")
    pages = list(paginator.paginate(resourceType=GROUP, resourceId="sg-1", PaginationConfig={"PageSize": 2}))
    hours = [
        [entry["configurationItemCaptureTime"].astimezone(UTC).hour for entry in page["configurationItems"]]
        for page in pages
    ]
    assert hours == [[14, 13], [12, 11], [10]]
    [at_noon] = history(client, laterTime=NOON.replace(microsecond=500000), limit=1)["configurationItems"]
    assert at_noon["configurationItemCaptureTime"] == NOON.replace(microsecond=500000)
    [one] = history(client, earlierTime=NOON, laterTime=NOON)["configurationItems"]
    assert one == at_noon
    with pytest.raises(client.exceptions.InvalidTimeRangeException):
        history(client, earlierTime=LATER, laterTime=NOON)


def test_bad_requests_for_history_are_refused(config: ConfigStandIn, client: Any) -> None:
    with pytest.raises(client.exceptions.ResourceNotDiscoveredException):
        history(client)
    config.add_item(item(awsRegion="eu-west-1"))
    with pytest.raises(client.exceptions.ResourceNotDiscoveredException):
        history(client)
    with pytest.raises(client.exceptions.InvalidLimitException):
        history(client, limit=101)
    with pytest.raises(ClientError, match="enumeration"):
        history(client, resourceType="AWS::EC2::Nothing")


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"accountId": ""}, "lacks accountId"),
        ({"ARN": "arn:aws:ec2"}, "Unknown parameter"),
        ({"resourceType": "AWS::EC2::Nothing"}, "enumeration ResourceType"),
        ({"configurationItemStatus": "Fine"}, "enumeration ConfigurationItemStatus"),
        ({"relationships": [{"resourceId": "vpc-1", "name": "Is contained in Vpc"}]}, "Unknown parameter"),
        ({"tags": {"team": 1}}, "Invalid type"),
    ],
)
def test_an_impossible_item_is_not_added(config: ConfigStandIn, wrong: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        config.add_item(item(**wrong))


# SelectResourceConfig


def select(client: Any, expression: str, **changes: Any) -> list[dict[str, Any]]:
    answer = client.select_resource_config(Expression=expression, **changes)
    return [json.loads(result) for result in answer["Results"]]


def test_select_returns_whole_fields_as_nested_json(config: ConfigStandIn, client: Any) -> None:
    config.add_item(item())
    config.add_item(item("alb-1", BALANCER))
    fields = [
        "resourceId", "arn", "configuration", "supplementaryConfiguration", "relationships", "tags",
        "accountId", "awsRegion", "resourceType", "configurationItemStatus",
    ]  # fmt: skip
    expression = f"SELECT {', '.join(fields)} WHERE resourceType = '{GROUP}'"
    answer = client.select_resource_config(Expression=expression)
    assert answer["QueryInfo"]["SelectFields"] == [{"Name": field} for field in fields]
    assert [json.loads(result) for result in answer["Results"]] == [
        {
            "resourceId": "sg-1",
            "arn": item()["arn"],
            "configuration": {"groupId": "sg-1"},
            "supplementaryConfiguration": {"Notes": {"owner": "web"}},
            "relationships": [{"resourceType": "AWS::EC2::VPC", "resourceId": "vpc-1"}],
            "tags": [{"tag": "team=web", "key": "team", "value": "web"}],
            "accountId": ACCOUNT,
            "awsRegion": REGION,
            "resourceType": GROUP,
            "configurationItemStatus": "OK",
        }
    ]


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ("resourceType IN ('AWS::EC2::SecurityGroup','AWS::EC2::VPC')", ["sg-1"]),
        (f"resourceType in ('{GROUP}', '{BALANCER}')", ["sg-1", "alb-1"]),
        ("relationships.resourceId = 'vpc-2'", ["alb-1"]),
        (f"resourceType = '{BALANCER}' and configuration.securityGroups = 'sg-2'", ["alb-1"]),
        (f"resourceType = '{BALANCER}' AND configuration.securityGroups = 'sg-3'", []),
        ("configuration.ipPermissions.fromPort = 443", ["sg-1"]),
        ("configuration.ipPermissions.fromPort IN (80, 22)", []),
        ("configuration.enabled = 1", []),
        ("tags.tag = 'team=it''s AND b = ''c'''", ["alb-1"]),
        ("tags.key='team'\n  AND tags.value='web'", ["sg-1"]),
        ("resourceName = 'nothing has this'", []),
    ],
)
def test_select_conditions(config: ConfigStandIn, client: Any, conditions: str, expected: list[str]) -> None:
    permissions = [{"fromPort": 80.5}, {"fromPort": 443, "ipRanges": ["10.0.0.0/8"]}]
    config.add_item(item(configuration={"ipPermissions": permissions, "enabled": True}))
    config.add_item(
        item(
            "alb-1",
            BALANCER,
            configuration={"securityGroups": ["sg-1", "sg-2"]},
            relationships=[{"resourceType": "AWS::EC2::VPC", "resourceId": "vpc-2"}],
            tags={"team": "it's AND b = 'c'"},
        )
    )
    found = select(client, f"SELECT resourceId WHERE {conditions}")
    assert sorted(each["resourceId"] for each in found) == sorted(expected)


def test_select_keeps_the_nesting_of_dotted_fields(config: ConfigStandIn, client: Any) -> None:
    permissions = [{"fromPort": 80, "toPort": 81, "ipProtocol": "tcp"}, {"ipProtocol": "-1"}]
    config.add_item(item(configuration={"groupId": "sg-1", "vpcId": "vpc-1", "ipPermissions": permissions}))
    fields = (
        "resourceName, configuration.vpcId, configuration.ipPermissions.fromPort, "
        "configuration.ipPermissions.ipProtocol, configuration.vpcId.none"
    )
    assert select(client, f"SELECT {fields}") == [
        {
            "configuration": {
                "vpcId": "vpc-1",
                "ipPermissions": [{"fromPort": 80, "ipProtocol": "tcp"}, {"ipProtocol": "-1"}],
            }
        }
    ]
    assert select(client, "SELECT configuration.vpcId, configuration") == [
        {"configuration": {"groupId": "sg-1", "vpcId": "vpc-1", "ipPermissions": permissions}}
    ]


def test_select_sees_the_current_state_of_this_account_and_region(config: ConfigStandIn, client: Any) -> None:
    config.add_item(item("sg-1", configurationItemCaptureTime="2025-01-01T14:00:00Z", tags={"age": "new"}))
    config.add_item(item("sg-1", configurationItemCaptureTime="2025-01-01T13:00:00Z"))
    config.add_item(item("sg-2"))
    config.add_item(item("sg-2", configurationItemStatus="ResourceDeleted", configuration=None))
    config.add_item(item("sg-3", configurationItemStatus="ResourceNotRecorded"))
    config.add_item(item("sg-4", accountId=MEMBER))
    config.add_item(item("sg-5", awsRegion="eu-west-1"))
    found = select(client, "SELECT resourceId, tags.tag")
    assert found == [{"resourceId": "sg-1", "tags": [{"tag": "age=new"}]}]


def test_select_is_paged(config: ConfigStandIn, client: Any) -> None:
    for number in range(30):
        config.add_item(item(f"sg-{number}"))
    expression = "SELECT resourceId"
    first = client.select_resource_config(Expression=expression)
    second = client.select_resource_config(Expression=expression, NextToken=first["NextToken"])
    assert (len(first["Results"]), len(second["Results"])) == (25, 5)
    assert len(set(first["Results"] + second["Results"])) == 30
    assert len(select(client, expression, Limit=100)) == 30
    with pytest.raises(client.exceptions.InvalidLimitException):
        client.select_resource_config(Expression=expression, Limit=101)
    with pytest.raises(client.exceptions.InvalidNextTokenException):
        client.select_resource_config(Expression="SELECT arn", NextToken=first["NextToken"])


@pytest.mark.parametrize(
    "expression",
    [
        "resourceId",
        "SELECT *",
        "SELECT COUNT(*)",
        "SELECT DISTINCT resourceId",
        "SELECT resourceId FROM items",
        "SELECT resourceId WHERE",
        "SELECT resourceId WHERE resourceType LIKE 'AWS::EC2::%'",
        "SELECT resourceId WHERE resourceType = 'a' OR resourceType = 'b'",
        "SELECT resourceId WHERE NOT resourceType = 'a'",
        "SELECT resourceId WHERE resourceType IN ()",
        'SELECT resourceId WHERE resourceType = "a"',
        "SELECT resourceId WHERE resourceType = 'a",
        "SELECT resourceId WHERE resourceType = 'a' ORDER BY resourceId",
        "SELECT resourceId WHERE configuration.fromPort > 1",
        "SELECT resourceId WHERE configuration.encrypted = true",
        "SELECT resourceId WHERE configuration.ipPermissions.ipRanges = '10.0.0.1'",
        "SELECT groupId",
        "SELECT resourceId WHERE groupId = 'sg-1'",
    ],
)
def test_a_query_not_understood_is_refused(config: ConfigStandIn, client: Any, expression: str) -> None:
    with pytest.raises(client.exceptions.InvalidExpressionException):
        client.select_resource_config(Expression=expression)


# StartConfigRulesEvaluation, and what moto answers


def test_an_evaluation_can_be_started_of_a_rule_that_moto_knows(config: ConfigStandIn, client: Any) -> None:
    with pytest.raises(client.exceptions.NoSuchConfigRuleException):
        client.start_config_rules_evaluation(ConfigRuleNames=[RULE])
    client.put_config_rule(
        ConfigRule={
            "ConfigRuleName": RULE,
            "Source": {"Owner": "AWS", "SourceIdentifier": "INCOMING_SSH_DISABLED"},
        }
    )
    [rule] = client.describe_config_rules(ConfigRuleNames=[RULE])["ConfigRules"]
    assert rule["ConfigRuleName"] == RULE
    assert client.start_config_rules_evaluation(ConfigRuleNames=[RULE])["ResponseMetadata"]
    assert details(client)["EvaluationResults"] == []
    operations = [call.operation for call in config.calls]
    assert operations == [
        "StartConfigRulesEvaluation",
        "PutConfigRule",
        "DescribeConfigRules",
        "StartConfigRulesEvaluation",
        "GetComplianceDetailsByConfigRule",
    ]
    assert config.calls[3].params == {"ConfigRuleNames": [RULE]}
    with pytest.raises(ClientError, match="less than or equal to 25"):
        client.start_config_rules_evaluation(ConfigRuleNames=[RULE] * 26)
    with pytest.raises(client.exceptions.InvalidParameterValueException):
        client.start_config_rules_evaluation()


# Asked-for failures, retries, threads, and the time a stand-in is open


def test_throttling_is_retried_by_botocore(config: ConfigStandIn, client: Any) -> None:
    config.fail("PutEvaluations", "ThrottlingException", times=2)
    token = config.issue_token(RULE, ACCOUNT)
    answer = client.put_evaluations(Evaluations=[evaluation()], ResultToken=token)
    assert answer["ResponseMetadata"]["RetryAttempts"] == 2
    assert [call.operation for call in config.calls] == ["PutEvaluations"] * 3
    assert len(config.accepted_evaluations) == 1


@pytest.mark.parametrize(
    ("code", "status", "attempts"),
    [("ThrottlingException", 400, 3), ("InternalFailure", 500, 3), ("AccessDeniedException", 400, 1)],
)
def test_a_failure_that_lasts_reaches_the_caller(
    config: ConfigStandIn, client: Any, code: str, status: int, attempts: int
) -> None:
    config.fail("PutEvaluations", code, times=attempts, message="not now", status=status)
    token = config.issue_token(RULE, ACCOUNT)
    with pytest.raises(ClientError, match="not now") as error:
        client.put_evaluations(Evaluations=[evaluation()], ResultToken=token)
    assert code_of(error) == code
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert len(config.calls) == attempts
    client.put_evaluations(Evaluations=[evaluation()], ResultToken=token)


def test_a_call_that_moto_answers_can_fail_too(config: ConfigStandIn, client: Any) -> None:
    config.fail("DescribeConfigRules", "NoSuchConfigRuleException")
    with pytest.raises(client.exceptions.NoSuchConfigRuleException):
        client.describe_config_rules()
    assert client.describe_config_rules()["ConfigRules"] == []
    with pytest.raises(ValueError, match="has no operation PutEvaluation"):
        config.fail("PutEvaluation", "ThrottlingException")


def test_several_threads_may_call_at_once(config: ConfigStandIn, client: Any) -> None:
    def put(number: int) -> None:
        token = config.issue_token(RULE, ACCOUNT)
        client.put_evaluations(Evaluations=[evaluation(f"sg-{number}")], ResultToken=token)
        details(client, Limit=100)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(put, range(64)))
    assert len(config.evaluations(RULE)) == len(config.accepted_evaluations) == 64
    assert len(config.calls) == 128


def test_a_client_talks_to_the_stand_in_that_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        client = boto3.client("config", region_name=REGION)
        for _ in range(2):
            with ConfigStandIn() as config:
                token = config.issue_token(RULE, ACCOUNT)
                client.put_evaluations(Evaluations=[evaluation()], ResultToken=token)
                assert len(config.accepted_evaluations) == 1
                with pytest.raises(RuntimeError), ConfigStandIn():
                    pass
        with pytest.raises(NotImplementedError):  # moto's own answer
            client.put_evaluations(Evaluations=[evaluation()], ResultToken="any")


# rdklib


def test_rdklib_puts_evaluations_in_batches(config: ConfigStandIn) -> None:
    token = config.issue_token(RULE, MEMBER)
    factory = ClientFactory(f"arn:aws:iam::{MEMBER}:role/config")
    sent = [evaluation(f"sg-{number}") for number in range(250)]
    assert process_evaluations({"resultToken": token}, factory, sent) == sent
    assert [len(call.params["Evaluations"]) for call in config.calls] == [100, 100, 50]
    assert len(config.evaluations(RULE, account_id=MEMBER)) == 250
    assert process_evaluations({"resultToken": token}, factory, []) == []
    process_evaluations({"resultToken": "TESTMODE"}, factory, sent)
    assert len(config.accepted_evaluations) == 250


def test_rdklib_replaces_the_results_of_a_periodic_rule(config: ConfigStandIn) -> None:
    factory = ClientFactory(None, region=REGION, assume_role_mode=False)
    rule = SimpleNamespace(delete_old_evaluations_on_scheduled_notification=True)

    def run(hour: int, *resource_ids: str) -> None:
        event = {
            "configRuleName": RULE,
            "resultToken": config.issue_token(RULE, ACCOUNT),
            "invokingEvent": json.dumps({"notificationCreationTime": f"2025-01-01T{hour}:00:00.000Z"}),
        }
        found = [RdkEvaluation(ComplianceType.NON_COMPLIANT, each, GROUP, "closed") for each in resource_ids]
        process_periodic_evaluations_list(event, factory, found, rule)

    many = [f"sg-{number}" for number in range(150)]
    run(10, *many)
    assert sorted(config.evaluations(RULE)) == sorted(many)
    run(11, "sg-0", "sg-new")
    assert sorted(config.evaluations(RULE)) == ["sg-0", "sg-new"]
    gone = [each for each in config.accepted_evaluations if each.compliance_type == "NOT_APPLICABLE"]
    assert len(gone) == 149
