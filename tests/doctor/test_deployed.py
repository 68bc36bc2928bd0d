"""The doctor knows the functions, permissions, alarms and queues that the deployment's own templates make."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from alb_sg.aws.account_region import AccountRegion
from alb_sg.doctor.account import check_functions
from alb_sg.doctor.check import CheckStatus
from alb_sg.doctor.reader import Reader
from tests.deployment.deployments import CENTRAL, MEMBERS, WHOLE, of_type, templates_of
from tests.doctor.answers import Answers, healthy

REGION = "us-east-1"


def made_by(template: dict[str, Any]) -> Answers:
    """An account in which CloudFormation has made the template."""
    functions = {found["FunctionName"]: found for found in of_type(template, "AWS::Lambda::Function").values()}
    logical_ids = {key: found["FunctionName"] for key, found in of_type(template, "AWS::Lambda::Function").items()}
    permissions = of_type(template, "AWS::Lambda::Permission").values()

    def function(call: dict[str, Any]) -> Any:
        name = call["FunctionName"]
        made = functions[name]
        return {
            "Configuration": {
                "FunctionName": name,
                "Handler": made["Handler"],
                "Role": f"arn:aws:iam::{CENTRAL}:role/{name}",
                "CodeSha256": str(made["Code"]["S3Key"]),
                "DeadLetterConfig": {"TargetArn": f"arn:aws:sqs:{REGION}:{CENTRAL}:{name}-failed"},
            },
            "Tags": {tag["Key"]: tag["Value"] for tag in made["Tags"]},
        }

    def policy(call: dict[str, Any]) -> Any:
        statements = [
            {
                "Effect": "Allow",
                "Principal": {"Service": made["Principal"]},
                "Action": made["Action"],
                "Condition": {"StringEquals": {"AWS:SourceAccount": made["SourceAccount"]}},
            }
            for made in permissions
            if logical_ids[made["FunctionName"]["Fn::GetAtt"][0]] == call["FunctionName"]
        ]
        return {"Policy": json.dumps({"Version": "2012-10-17", "Statement": statements})}

    def dimension(value: Any) -> str:
        return logical_ids[value["Ref"]] if isinstance(value, dict) else str(value)

    alarms = [
        {
            "AlarmName": made["AlarmName"],
            "MetricName": made["MetricName"],
            "Dimensions": [{"Name": one["Name"], "Value": dimension(one["Value"])} for one in made["Dimensions"]],
            "StateValue": "OK",
            "AlarmActions": [f"arn:aws:sns:{REGION}:{CENTRAL}:platform-security" for _ in made["AlarmActions"]],
        }
        for made in of_type(template, "AWS::CloudWatch::Alarm").values()
    ]
    answers = healthy()
    answers["lambda", "ListFunctions"] = {
        "Functions": [{"FunctionName": name, "Handler": made["Handler"]} for name, made in functions.items()]
    }
    answers["lambda", "GetFunction"] = function
    answers["lambda", "GetPolicy"] = policy
    answers["cloudwatch", "DescribeAlarms"] = {"MetricAlarms": alarms}
    return answers


@pytest.fixture
def answers(tmp_path: Path) -> Answers:
    return made_by(templates_of(WHOLE, tmp_path)["central.yaml"])


@pytest.mark.slow
def test_the_functions_of_the_templates_pass(answers: Answers) -> None:
    functions, results = check_functions(Reader(answers.make_client), AccountRegion(CENTRAL, REGION), [], MEMBERS)
    assert len(functions) == len(answers["lambda", "ListFunctions"]["Functions"])
    assert [result for result in results if result.status is not CheckStatus.OK] == []
    assert all(function.version is not None for function in functions)


@pytest.mark.slow
def test_an_account_that_the_templates_leave_out_is_found(answers: Answers) -> None:
    _, results = check_functions(Reader(answers.make_client), AccountRegion(CENTRAL, REGION), [], ["444455556666"])
    problems = [result for result in results if result.status is not CheckStatus.OK]
    assert {result.check for result in problems} == {"permission to invoke"}
