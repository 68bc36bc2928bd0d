"""`dashboard.yaml`: the dashboard on a schedule, in the account and region of the organization's aggregator."""

from __future__ import annotations

from alb_sg.aggregator.requests import IAM_ACTIONS
from alb_sg.deployment.aggregator import AGGREGATOR_NAME
from alb_sg.deployment.athena import athena_resources
from alb_sg.deployment.compliance_events import notification_resources
from alb_sg.deployment.intrinsics import FORMAT_VERSION, Template, arn_of, is_not_empty, ref, sub
from alb_sg.deployment.jobs import (
    ALARM_CONDITIONS,
    ARTEFACT_PARAMETERS,
    EXEMPTIONS_CONDITIONS,
    EXEMPTIONS_PARAMETER,
    bucket_statements,
    exemptions_policies,
    function,
    private_bucket,
)
from alb_sg.functions.dashboard import AGGREGATOR_VARIABLE, BUCKET_ACTIONS, BUCKET_VARIABLE, EXEMPTIONS_VARIABLE

NAME = "alb-sg-dashboard"
# Megabytes and seconds. An aggregator answers five calls a second for the reasons, one for each rule, account and
# region: 900 seconds are the most that Lambda allows, and enough for a thousand accounts and regions.
MEMORY = 2048
TIMEOUT = 900


def dashboard_template() -> Template:
    return {
        "AWSTemplateFormatVersion": FORMAT_VERSION,
        "Description": "alb-sg: the compliance dashboard, for the delegated administrator of AWS Config",
        "Parameters": {
            **ARTEFACT_PARAMETERS,
            "AggregatorName": {
                "Type": "String",
                "Description": "The configuration aggregator of this account and region",
                "Default": AGGREGATOR_NAME,
            },
            "OrganizationId": {
                "Type": "String",
                "Description": "The organization whose accounts may send changes of compliance, such as o-a1b2c3d4e5",
                "AllowedPattern": "^o-[a-z0-9]{10,32}$",
            },
            **EXEMPTIONS_PARAMETER,
            "Schedule": {
                "Type": "String",
                "Description": "When the dashboard is made (UTC)",
                "Default": "cron(0 5 * * ? *)",
            },
            "PageUrl": {
                "Type": "String",
                "Description": "Where people open index.html of the bucket, for links in messages; empty if nowhere",
                "Default": "",
                "AllowedPattern": '^(https://[^"#\\s<>$]+)?$',
            },
            "Athena": {
                "Type": "String",
                "Description": "Whether Athena gets a table of the history and questions to it",
                "AllowedValues": ["yes", "no"],
                "Default": "yes",
            },
        },
        "Conditions": {
            **ALARM_CONDITIONS,
            **EXEMPTIONS_CONDITIONS,
            "HasPageUrl": is_not_empty("PageUrl"),
            "WithAthena": {"Fn::Equals": [ref("Athena"), "yes"]},
        },
        "Resources": {
            **private_bucket(),
            **function(
                NAME,
                "alb_sg.functions.dashboard.lambda_handler",
                description="The compliance dashboard of alb-sg",
                statements=[
                    {"Sid": "ReadAggregator", "Effect": "Allow", "Action": sorted(IAM_ACTIONS), "Resource": "*"},
                    *bucket_statements(BUCKET_ACTIONS, arn_of("Bucket"), sub("${Bucket.Arn}/*")),
                ],
                environment={
                    AGGREGATOR_VARIABLE: ref("AggregatorName"),
                    BUCKET_VARIABLE: ref("Bucket"),
                    EXEMPTIONS_VARIABLE: ref("Exemptions"),
                },
                memory=MEMORY,
                timeout=TIMEOUT,
            ),
            **exemptions_policies(),
            "Schedules": {
                "Type": "AWS::Events::Rule",
                "Properties": {
                    "Description": "Makes the compliance dashboard of alb-sg",
                    "ScheduleExpression": ref("Schedule"),
                    "Targets": [{"Id": "Function", "Arn": arn_of("Function")}],
                },
            },
            "SchedulesInvoke": {
                "Type": "AWS::Lambda::Permission",
                "Properties": {
                    "Action": "lambda:InvokeFunction",
                    "FunctionName": arn_of("Function"),
                    "Principal": "events.amazonaws.com",
                    "SourceArn": arn_of("Schedules"),
                },
            },
            **notification_resources(),
            **athena_resources("WithAthena"),
        },
        "Outputs": {
            "BucketName": {"Description": "Where page, data and history are", "Value": ref("Bucket")},
            "BusArn": {"Description": "CentralBusArn for member-events.yaml", "Value": arn_of("Bus")},
            "TopicArn": {"Description": "Subscribe to this for changes of compliance", "Value": ref("Changes")},
        },
    }
