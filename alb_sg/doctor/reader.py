"""The calls of the checks: each gives an answer or the reason why there is none, and never raises an error of AWS.

The IAM actions that they need only read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from alb_sg.aggregator import requests
from alb_sg.aws.calls import ApiRequest, ApiResponse
from alb_sg.aws.client_errors import AWS_ERRORS, error_code, error_text

ACCOUNT_ACTIONS = (
    "cloudwatch:DescribeAlarms",
    "config:DescribeConfigRuleEvaluationStatus",
    "config:DescribeConfigRules",
    "config:DescribeConfigurationRecorderStatus",
    "config:DescribeConfigurationRecorders",
    "config:DescribeDeliveryChannelStatus",
    "config:GetComplianceDetailsByConfigRule",
    "iam:GetRole",
    "lambda:GetAccountSettings",
    "lambda:GetFunction",
    "lambda:GetFunctionEventInvokeConfig",
    "lambda:GetPolicy",
    "lambda:ListFunctions",
    "sqs:GetQueueAttributes",
    "sqs:GetQueueUrl",
)
ORGANIZATION_ACTIONS = (
    *(action for action in requests.IAM_ACTIONS if action.startswith("config:")),
    "cloudformation:ListStackInstances",
    "cloudformation:ListStackSets",
    "iam:SimulatePrincipalPolicy",
    "organizations:DescribeOrganization",
    "organizations:ListAWSServiceAccessForOrganization",
    "organizations:ListAccounts",
    "organizations:ListDelegatedAdministrators",
)

# Makes the client of a service in the region that is checked.
ClientFactory = Callable[[str], Any]


class Answer(NamedTuple):
    """The answer to a call that gives no list. `failure` and `error_code` are as in ApiResponse."""

    content: Mapping[str, Any]
    failure: str | None = None
    error_code: str | None = None


class Reader:
    """Makes the calls with one client for each service."""

    def __init__(self, make_client: ClientFactory) -> None:
        self._make_client = make_client
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = self._make_client(service)
        return self._clients[service]

    def list(self, service: str, operation: str, result_key: str, **parameters: Any) -> ApiResponse:
        """All items of a call. `operation` is the client's method."""
        return ApiRequest(self.client(service), operation, result_key, parameters).send()

    def get(self, service: str, operation: str, **parameters: Any) -> Answer:
        client = self.client(service)
        try:
            return Answer(getattr(client, operation)(**parameters))
        except AWS_ERRORS as error:
            failure = error_text(error, client.meta.method_to_api_mapping[operation])
            return Answer({}, failure, error_code(error) or None)


def policy_statements(document: object) -> list[Any]:
    """The statements of a policy, which is an object or its JSON. None where it is neither."""
    try:
        content = json.loads(document) if isinstance(document, str) else document
    except ValueError:
        return []
    statements = content.get("Statement") if isinstance(content, Mapping) else None
    return [statements] if isinstance(statements, Mapping) else list(statements or ())


def texts(value: object) -> list[str]:
    """The texts of a member of a policy that holds one or a list of them."""
    if isinstance(value, str):
        return [value]
    return [str(element) for element in value] if isinstance(value, list) else []
