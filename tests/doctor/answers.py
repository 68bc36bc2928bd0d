"""A working deployment in AWS's own shapes. Every answer is checked against botocore's model of the API."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from botocore.validate import ParamValidator

from alb_sg import __version__
from alb_sg.doctor.functions import VERSION_TAG
from tests.builders import ACCOUNT, REGION, RULES
from tests.clients import make_client

NOW = datetime(2027, 1, 31, 8, 0, tzinfo=UTC)
RAN = NOW - timedelta(hours=3)
CENTRAL = "222233334444"
ROLE = "alb-sg-evaluation"
ARN = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:loadbalancer/app/web/50dc6c495c0c9188"

Shape = dict[str, Any]
# An answer, what makes one from the parameters of the call, or a failure.
Given = Any


@dataclass(frozen=True)
class Failure:
    code: str
    message: str = "no"


@dataclass
class Answers:
    """Clients whose calls are answered from `given`, by service and operation. `calls` are the calls that were made."""

    given: dict[tuple[str, str], Given]

    def __post_init__(self) -> None:
        self.calls: list[tuple[str, str]] = []
        self.parameters: dict[str, Any] = {}

    def __getitem__(self, key: tuple[str, str]) -> Any:
        return self.given[key]

    def __setitem__(self, key: tuple[str, str], answer: Given) -> None:
        self.given[key] = answer

    def make_client(self, service: str) -> Any:
        client = make_client(service)
        client.meta.events.register("provide-client-params.*", self._note)
        client.meta.events.register("before-call.*", lambda model, **_: self._answer(service, model))
        return client

    def _note(self, params: Any, model: Any, **_: Any) -> None:
        self.parameters[model.name] = params

    def _answer(self, service: str, model: Any) -> Any:
        self.calls.append((service, model.name))
        given = self.given[service, model.name]
        if isinstance(given, Callable):  # type: ignore[arg-type]
            given = given(self.parameters[model.name])
        if isinstance(given, Failure):
            error = {"Code": given.code, "Message": given.message}
            return SimpleNamespace(status_code=400), {"Error": error, "ResponseMetadata": {}}
        answer = copy.deepcopy(given)
        report = ParamValidator().validate(answer, model.output_shape)
        assert not report.has_errors(), report.generate_report()
        return SimpleNamespace(status_code=200), answer


def function_arn(name: str, account: str = ACCOUNT) -> str:
    return f"arn:aws:lambda:{REGION}:{account}:function:{name}"


def function_name(rule: str) -> str:
    return f"alb-sg-{rule.removeprefix('ALB_SG_').lower().replace('_', '-')}"


def config_rule(rule: str, account: str = ACCOUNT, **parameters: str) -> Shape:
    return {
        "ConfigRuleName": f"{rule}-conformance-pack-szsm1uv0w",
        "ConfigRuleState": "ACTIVE",
        "InputParameters": json.dumps(parameters),
        "Source": {
            "Owner": "CUSTOM_LAMBDA",
            "SourceIdentifier": function_arn(function_name(rule), account),
            "SourceDetails": [
                {"MessageType": "ConfigurationItemChangeNotification"},
                {"MessageType": "ScheduledNotification", "MaximumExecutionFrequency": "TwentyFour_Hours"},
            ],
        },
    }


def evaluation_status(rule: str, **changed: Any) -> Shape:
    return {
        "ConfigRuleName": f"{rule}-conformance-pack-szsm1uv0w",
        "LastSuccessfulInvocationTime": RAN,
        "LastSuccessfulEvaluationTime": RAN,
        "FirstEvaluationStarted": True,
        **changed,
    }


def verdict(time: datetime = RAN) -> Shape:
    qualifier = {
        "ConfigRuleName": "a rule",
        "ResourceType": "AWS::ElasticLoadBalancingV2::LoadBalancer",
        "ResourceId": ARN,
    }
    return {
        "EvaluationResultIdentifier": {"EvaluationResultQualifier": qualifier, "OrderingTimestamp": time},
        "ComplianceType": "COMPLIANT",
        "ConfigRuleInvokedTime": time,
        "ResultRecordedTime": time,
    }


def configuration(rule: str, **changed: Any) -> Shape:
    name = function_name(rule)
    return {
        "FunctionName": name,
        "FunctionArn": function_arn(name),
        "Handler": f"{rule}.lambda_handler",
        "Runtime": "python3.13",
        "Role": f"arn:aws:iam::{ACCOUNT}:role/{name}",
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "LastModified": "2027-01-02T03:04:05.000+0000",
        "CodeSha256": "same",
        "DeadLetterConfig": {"TargetArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}-failed"},
        **changed,
    }


def function(rule: str, **changed: Any) -> Shape:
    return {"Configuration": configuration(rule), "Tags": {VERSION_TAG: __version__}, **changed}


def rule_of(name: str) -> str:
    return next(rule for rule in RULES if function_name(rule) == name)


def alarm(rule: str, metric: str, *, queue: bool = False, **changed: Any) -> Shape:
    name = function_name(rule)
    dimension = {"Name": "QueueName", "Value": f"{name}-failed"} if queue else {"Name": "FunctionName", "Value": name}
    return {
        "AlarmName": f"{name}-{metric}",
        "MetricName": metric,
        "Dimensions": [dimension],
        "StateValue": "OK",
        "AlarmActions": [f"arn:aws:sns:{REGION}:{ACCOUNT}:platform"],
        **changed,
    }


def alarms(rule: str) -> list[Shape]:
    metrics = ("Errors", "Throttles", "AsyncEventsDropped", "Invocations")
    return [alarm(rule, metric) for metric in metrics] + [alarm(rule, "ApproximateNumberOfMessagesVisible", queue=True)]


def permission(*accounts: str, principal: str = "config.amazonaws.com") -> Shape:
    statements = [
        {
            "Effect": "Allow",
            "Principal": {"Service": principal},
            "Action": "lambda:InvokeFunction",
            "Condition": {"StringEquals": {"AWS:SourceAccount": account}},
        }
        for account in accounts
    ]
    return {"Policy": json.dumps({"Version": "2012-10-17", "Statement": statements})}


def healthy() -> Answers:
    """An account and region with all rules, their functions, and nothing wrong."""
    return Answers(
        {
            ("config", "DescribeConfigurationRecorders"): {
                "ConfigurationRecorders": [{"name": "default", "recordingGroup": {"allSupported": True}}]
            },
            ("config", "DescribeConfigurationRecorderStatus"): {
                "ConfigurationRecordersStatus": [{"name": "default", "recording": True, "lastStatus": "Success"}]
            },
            ("config", "DescribeDeliveryChannelStatus"): {
                "DeliveryChannelsStatus": [{"name": "default", "configHistoryDeliveryInfo": {"lastStatus": "Success"}}]
            },
            ("config", "DescribeConfigRules"): {"ConfigRules": [config_rule(rule) for rule in RULES]},
            ("config", "DescribeConfigRuleEvaluationStatus"): {
                "ConfigRulesEvaluationStatus": [evaluation_status(rule) for rule in RULES]
            },
            ("config", "GetComplianceDetailsByConfigRule"): {"EvaluationResults": [verdict()]},
            ("lambda", "ListFunctions"): {
                "Functions": [
                    *(configuration(rule) for rule in RULES),
                    {"FunctionName": "other", "Handler": "index.handler"},
                ]
            },
            ("lambda", "GetFunction"): lambda call: function(rule_of(call["FunctionName"])),
            ("lambda", "GetPolicy"): permission(ACCOUNT),
            ("lambda", "GetFunctionEventInvokeConfig"): Failure("ResourceNotFoundException"),
            ("lambda", "GetAccountSettings"): {
                "AccountLimit": {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 900}
            },
            ("cloudwatch", "DescribeAlarms"): {"MetricAlarms": [found for rule in RULES for found in alarms(rule)]},
            ("sqs", "GetQueueUrl"): {"QueueUrl": "https://sqs.us-east-1.amazonaws.com/1/q"},
            ("sqs", "GetQueueAttributes"): {"Attributes": {"ApproximateNumberOfMessages": "0"}},
            ("iam", "GetRole"): {
                "Role": {
                    "Path": "/",
                    "RoleName": ROLE,
                    "RoleId": "AROAAAAAAAAAAAAAAAAAA",
                    "Arn": f"arn:aws:iam::{ACCOUNT}:role/{ROLE}",
                    "CreateDate": RAN,
                    "AssumeRolePolicyDocument": trust(CENTRAL),
                }
            },
        }
    )


def trust(account: str) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
        "Action": "sts:AssumeRole",
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def member() -> Answers:
    """A member account: its functions are in the central account."""
    answers = healthy()
    answers["config", "DescribeConfigRules"] = {
        "ConfigRules": [config_rule(rule, CENTRAL, ExecutionRoleName=ROLE) for rule in RULES]
    }
    answers["lambda", "ListFunctions"] = {"Functions": []}
    return answers
