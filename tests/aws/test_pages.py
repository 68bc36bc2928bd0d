"""All pages of a call: what is no answer of the API is an error that names the call."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from io import BytesIO
from itertools import cycle, islice
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.exceptions import ReadTimeoutError
from botocore.loaders import Loader
from botocore.parsers import ResponseParserError

from alb_sg.aws import pages
from alb_sg.aws.calls import ApiRequest
from alb_sg.aws.client_errors import AWS_ERRORS, error_text
from alb_sg.aws.clients import make_client
from alb_sg.aws.pages import UnexpectedAnswerError, name_call, read_items

REGION = "us-east-1"
# Every paginated call of the project: service, method, list, and the parameters that it cannot do without.
CALLS: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    ("elbv2", "describe_load_balancers", "LoadBalancers", {}),
    ("elbv2", "describe_listeners", "Listeners", {"LoadBalancerArn": "arn"}),
    ("elbv2", "describe_target_groups", "TargetGroups", {}),
    ("ec2", "describe_security_groups", "SecurityGroups", {}),
    ("ec2", "describe_security_group_rules", "SecurityGroupRules", {}),
    ("ssm", "get_parameters_by_path", "Parameters", {"Path": "/alb-sg/executions/fix-1"}),
    ("ec2", "describe_vpcs", "Vpcs", {}),
    ("ec2", "describe_subnets", "Subnets", {}),
    ("ec2", "describe_instances", "Reservations", {}),
    ("ec2", "describe_network_interfaces", "NetworkInterfaces", {}),
    ("ec2", "describe_managed_prefix_lists", "PrefixLists", {}),
    ("ec2", "get_managed_prefix_list_entries", "Entries", {"PrefixListId": "pl-1"}),
    ("config", "select_resource_config", "Results", {"Expression": "SELECT arn"}),
    (
        "config",
        "select_aggregate_resource_config",
        "Results",
        {"Expression": "SELECT arn", "ConfigurationAggregatorName": "org"},
    ),
    ("config", "get_compliance_details_by_config_rule", "EvaluationResults", {"ConfigRuleName": "rule"}),
    (
        "config",
        "get_aggregate_compliance_details_by_config_rule",
        "AggregateEvaluationResults",
        {
            "ConfigurationAggregatorName": "org",
            "ConfigRuleName": "rule",
            "AccountId": "123456789012",
            "AwsRegion": REGION,
        },
    ),
    (
        "config",
        "describe_configuration_aggregator_sources_status",
        "AggregatedSourceStatusList",
        {"ConfigurationAggregatorName": "org"},
    ),
    ("organizations", "list_roots", "Roots", {}),
    ("organizations", "list_accounts", "Accounts", {}),
    ("organizations", "list_accounts_for_parent", "Accounts", {"ParentId": "r-1a2b"}),
    ("organizations", "list_organizational_units_for_parent", "OrganizationalUnits", {"ParentId": "r-1a2b"}),
    ("lambda", "list_layer_versions", "LayerVersions", {"LayerName": "alb-sg"}),
    ("cloudformation", "describe_stack_events", "StackEvents", {"StackName": "alb-sg"}),
    ("s3", "list_objects_v2", "Contents", {"Bucket": "bucket"}),
)
LOADER = Loader()
PAGINATED = pytest.mark.parametrize(("service", "operation", "member", "parameters"), CALLS, ids=[c[1] for c in CALLS])


class _Http:
    status_code = 200


@cache
def shared_client(service: str) -> Any:
    return make_client(service, REGION, aws_access_key_id="A", aws_secret_access_key="B")


def client_that_answers(service: str, answers: Iterator[Any]) -> Any:
    """The service's client, which from now on gives these answers in turn, without a network."""
    client = shared_client(service)

    def answer(**_: Any) -> tuple[Any, Any]:
        given = next(answers)
        if isinstance(given, Exception):
            raise given
        return _Http(), given

    client.meta.events.unregister("before-call.*", unique_id="answer")
    client.meta.events.register("before-call.*", answer, unique_id="answer")
    return client


def token_member(service: str, operation: str) -> str:
    name = shared_client(service).meta.method_to_api_mapping[operation]
    return str(LOADER.load_service_model(service, "paginators-1")["pagination"][name]["output_token"])


@pytest.mark.slow
@PAGINATED
@pytest.mark.parametrize("period", [1, 2, 3])
def test_tokens_that_repeat_end_with_an_error_that_names_the_call(
    service: str, operation: str, member: str, parameters: dict[str, Any], period: int
) -> None:
    tokens = cycle(["A", "B", "C"][:period])
    token = token_member(service, operation)
    client = client_that_answers(service, ({member: [], token: next(tokens), "IsTruncated": True} for _ in cycle([0])))
    with pytest.raises(AWS_ERRORS) as caught:
        list(islice(read_items(client, operation, parameters, member), 1_000))
    assert error_text(caught.value, client.meta.method_to_api_mapping[operation]).startswith(
        f"{client.meta.method_to_api_mapping[operation]}: "
    )
    assert "token" in str(caught.value)


@PAGINATED
def test_every_page_counts_once(service: str, operation: str, member: str, parameters: dict[str, Any]) -> None:
    token = token_member(service, operation)
    # Queries of AWS Config answer with texts, everything else with objects.
    first, second = ("1", "2") if member == "Results" else ({"Key": "1"}, {"Key": "2"})
    page = {member: [first], token: "next", "IsTruncated": True}
    client = client_that_answers(service, iter([page, {member: [second]}]))
    assert list(read_items(client, operation, parameters, member)) == [first, second]


@PAGINATED
@pytest.mark.parametrize("item", [None, 7, ["list"]])
def test_an_item_that_is_not_the_apis_is_an_error_that_names_the_call(
    service: str, operation: str, member: str, parameters: dict[str, Any], item: object
) -> None:
    """botocore passes a null in a list of JSON."""
    client = client_that_answers(service, iter([{member: [item]}]))
    name = client.meta.method_to_api_mapping[operation]
    with pytest.raises(UnexpectedAnswerError, match=rf"^{name}: {member} holds \w+, which is no item$"):
        list(read_items(client, operation, parameters, member))


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ReadTimeoutError(endpoint_url="https://aws"), 'GetObject: Read timeout on endpoint URL: "https://aws"'),
        (ResponseParserError("no XML"), "GetObject: the answer is not the API's (ResponseParserError('no XML'))"),
        (KeyError("Body"), "GetObject: the answer is not the API's (KeyError('Body'))"),
    ],
)
def test_an_error_without_the_call_gets_its_name(error: Exception, said: str) -> None:
    with pytest.raises(AWS_ERRORS) as caught, name_call("GetObject"):
        raise error
    assert error_text(caught.value) == said


@PAGINATED
@pytest.mark.parametrize("at", [0, 1])
def test_a_page_without_its_list_is_an_error(
    service: str, operation: str, member: str, parameters: dict[str, Any], at: int
) -> None:
    token = token_member(service, operation)
    first = {member: [], token: "next", "IsTruncated": True}
    client = client_that_answers(service, iter([first, {}][1 - at :]))
    name = client.meta.method_to_api_mapping[operation]
    with pytest.raises(UnexpectedAnswerError, match=f"^{name}: the answer has no list {member}$"):
        list(read_items(client, operation, parameters, member))


def test_s3_leaves_an_empty_list_out_and_says_that_it_counted_none() -> None:
    def read(page: dict[str, Any]) -> list[Any]:
        client = client_that_answers("s3", iter([page]))
        return list(read_items(client, "list_objects_v2", {"Bucket": "b"}, "Contents", count_key="KeyCount"))

    assert read({"KeyCount": 0}) == []
    unsaid: tuple[dict[str, Any], ...] = ({}, {"KeyCount": 3})
    for page in unsaid:
        with pytest.raises(UnexpectedAnswerError, match="ListObjectsV2: the answer has no list Contents"):
            read(page)


@pytest.mark.parametrize(
    "failure",
    [
        # botocore's parsers raise these for a JSON body that is a list, a text, or has a text in place of a number.
        AttributeError("'list' object has no attribute 'get'"),
        TypeError("string indices must be integers"),
        ValueError("Invalid isoformat string"),
    ],
)
def test_a_body_that_botocore_cannot_read_is_an_error_that_names_the_call(failure: Exception) -> None:
    client = client_that_answers("elbv2", iter([failure]))
    with pytest.raises(UnexpectedAnswerError, match=r"^DescribeLoadBalancers: the answer is not the API's"):
        list(read_items(client, "describe_load_balancers", {}, "LoadBalancers"))


BODIES = {
    "a proxy's page": b"<html><head><title>Sign in</title></head><body><p>Sign in</p></body></html>",
    "a page that is no XML": b"<!doctype html><p>Sign in<br>",
    "nothing": b"",
    "another object": b"{}",
    "a list": b"[]",
    "a text": b'"Sign in"',
    "a list of another shape": b'{"Results": 1, "ConfigurationRecorders": 1}',
}


@pytest.mark.parametrize("body", BODIES.values(), ids=list(BODIES))
@pytest.mark.parametrize(
    ("service", "operation", "member", "parameters"),
    [
        ("elbv2", "describe_load_balancers", "LoadBalancers", {}),
        ("elbv2", "describe_target_health", "TargetHealthDescriptions", {"TargetGroupArn": "arn"}),
        ("ec2", "describe_network_interfaces", "NetworkInterfaces", {}),
        ("config", "select_resource_config", "Results", {"Expression": "SELECT arn"}),
        ("config", "describe_configuration_recorders", "ConfigurationRecorders", {}),
        ("s3", "list_objects_v2", "Contents", {"Bucket": "bucket"}),
    ],
)
def test_a_body_with_status_200_that_is_not_the_apis_is_a_failed_call(
    service: str, operation: str, member: str, parameters: dict[str, Any], body: bytes
) -> None:
    client = make_client(
        service, REGION, aws_access_key_id="A", aws_secret_access_key="B", config=Config(retries={"max_attempts": 0})
    )

    def answer(request: Any, **_: Any) -> AWSResponse:
        return AWSResponse(request.url, 200, HTTPHeaders(), RawBody(body))

    client.meta.events.register("before-send.*", answer)
    response = ApiRequest(client, operation, member, parameters).send()
    assert response.items == []
    assert response.failure is not None
    assert response.failure.startswith(f"{client.meta.method_to_api_mapping[operation]}: ")


class RawBody(BytesIO):
    """A body as botocore reads it."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        while part := self.read(1024):
            yield part


def test_botocore_errors_keep_their_type() -> None:
    client = client_that_answers("elbv2", iter([ResponseParserError("no XML")]))
    with pytest.raises(ResponseParserError, match="no XML"):
        list(read_items(client, "describe_load_balancers", {}, "LoadBalancers"))


@PAGINATED
def test_the_token_of_every_call_is_looked_for(
    service: str, operation: str, member: str, parameters: dict[str, Any]
) -> None:
    del member, parameters
    assert token_member(service, operation) in pages.TOKEN_MEMBERS
