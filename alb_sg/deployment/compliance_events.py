"""Changes of compliance on their way from the accounts where they happen to people.

AWS Config emits `Config Rules Compliance Change` in the account and region of the evaluation, an aggregator's account
does not get them. So each account and region has a rule that forwards them to a bus in the central account
(`member-events.yaml`), and there a rule makes messages of them (part of `dashboard.yaml`).
"""

from __future__ import annotations

from alb_sg.deployment.intrinsics import (
    FORMAT_VERSION,
    Template,
    arn_of,
    fn_if,
    is_not_empty,
    policy_document,
    ref,
    sub,
)
from alb_sg.deployment.jobs import alarm, queue, queue_policy, service_role
from alb_sg.estate.model import LOAD_BALANCER_TYPE
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME

# What a message takes from the event.
PATHS = {
    "account": "$.detail.awsAccountId",
    "loadBalancer": "$.detail.resourceId",
    "region": "$.detail.awsRegion",
    "rule": "$.detail.configRuleName",
    "verdict": "$.detail.newEvaluationResult.complianceType",
    "why": "$.detail.newEvaluationResult.annotation",
}


def pattern() -> Template:
    """What became NON_COMPLIANT, and what was and has become COMPLIANT; a first COMPLIANT is no news."""
    return {
        "source": ["aws.config"],
        "detail-type": ["Config Rules Compliance Change"],
        "detail": {
            "messageType": ["ComplianceChangeNotification"],
            "resourceType": [LOAD_BALANCER_TYPE],
            # Conformance packs and organizations put words of their own around a rule's name.
            "configRuleName": [{"wildcard": f"*{name}*"} for name in sorted(RECOMMENDATIONS_BY_NAME)],
            "$or": [
                {"newEvaluationResult": {"complianceType": ["NON_COMPLIANT"]}},
                {
                    "newEvaluationResult": {"complianceType": ["COMPLIANT"]},
                    "oldEvaluationResult": {"complianceType": ["NON_COMPLIANT"]},
                },
            ],
        },
    }


def _message(link: str) -> str:
    """Lines as EventBridge wants them for a text: each in quotes."""
    lines = (
        "<rule> is <verdict> for <loadBalancer> (account <account>, <region>).",
        "<why>",
        link,
    )
    return "\n".join(f'"{line}"' for line in lines)


def notification_resources() -> Template:
    """The bus that the organization's accounts send to, and the topic with a message for each change."""
    return {
        "Bus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": "alb-sg"}},
        "BusPolicy": {
            "Type": "AWS::Events::EventBusPolicy",
            "Properties": {
                "EventBusName": ref("Bus"),
                "StatementId": "OrganizationSends",
                "Statement": {
                    "Effect": "Allow",
                    "Principal": "*",
                    "Action": "events:PutEvents",
                    "Resource": arn_of("Bus"),
                    "Condition": {"StringEquals": {"aws:PrincipalOrgID": ref("OrganizationId")}},
                },
            },
        },
        "Changes": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": "Load balancers' security groups"}},
        "ChangesPolicy": {
            "Type": "AWS::SNS::TopicPolicy",
            "Properties": {
                "Topics": [ref("Changes")],
                "PolicyDocument": policy_document(
                    [
                        {
                            "Effect": "Allow",
                            "Principal": {"Service": "events.amazonaws.com"},
                            "Action": "sns:Publish",
                            "Resource": ref("Changes"),
                            "Condition": {"ArnEquals": {"aws:SourceArn": arn_of("ChangesRule")}},
                        }
                    ]
                ),
            },
        },
        "ChangesRule": {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "Description": "A message for each change of compliance in the organization",
                "EventBusName": ref("Bus"),
                "EventPattern": pattern(),
                "Targets": [
                    {
                        "Id": "Topic",
                        "Arn": ref("Changes"),
                        "DeadLetterConfig": {"Arn": arn_of("ChangesFailed")},
                        "InputTransformer": {
                            "InputPathsMap": PATHS,
                            "InputTemplate": fn_if(
                                "HasPageUrl",
                                sub(_message("${PageUrl}#lb=<loadBalancer>")),
                                sub(_message("The dashboard: s3://${Bucket}/index.html#lb=<loadBalancer>")),
                            ),
                        },
                    }
                ],
            },
        },
        "ChangesFailed": queue(),
        "ChangesFailedPolicy": queue_policy("ChangesFailed", "ChangesRule"),
        "ChangesAlarm": alarm(
            "alb-sg-changes-failed",
            "A change of compliance could not be told to the topic; it lies in the queue",
            "AWS/SQS",
            "ApproximateNumberOfMessagesVisible",
            {"QueueName": {"Fn::GetAtt": ["ChangesFailed", "QueueName"]}},
        ),
    }


def member_events_template() -> Template:
    """`member-events.yaml`, for every account and region that is judged."""
    return {
        "AWSTemplateFormatVersion": FORMAT_VERSION,
        "Description": "alb-sg: forwards changes of compliance to the central account",
        "Parameters": {
            "CentralBusArn": {
                "Type": "String",
                "Description": "The bus that the stack of dashboard.yaml has made (its output BusArn)",
                "AllowedPattern": "^arn:[^:]+:events:[a-z0-9-]+:[0-9]{12}:event-bus/.+$",
            },
            "AlarmTopicArn": {
                "Type": "String",
                "Description": "Topic of SNS in this account and region that is told of failures; empty for none",
                "Default": "",
            },
        },
        "Conditions": {"HasAlarmTopic": is_not_empty("AlarmTopicArn")},
        "Resources": {
            "ForwardRole": service_role(
                "events.amazonaws.com",
                "Lets EventBridge put events on the central bus",
                [{"Effect": "Allow", "Action": ["events:PutEvents"], "Resource": ref("CentralBusArn")}],
            ),
            "ForwardRule": {
                "Type": "AWS::Events::Rule",
                "Properties": {
                    "Description": "Changes of compliance of the rules of alb-sg, to the central account",
                    "EventPattern": pattern(),
                    "Targets": [
                        {
                            "Id": "CentralBus",
                            "Arn": ref("CentralBusArn"),
                            "RoleArn": arn_of("ForwardRole"),
                            "DeadLetterConfig": {"Arn": arn_of("ForwardFailed")},
                        }
                    ],
                },
            },
            "ForwardFailed": queue(),
            "ForwardFailedPolicy": queue_policy("ForwardFailed", "ForwardRule"),
            "ForwardAlarm": alarm(
                "alb-sg-forward-failed",
                "A change of compliance could not be sent to the central account; it lies in the queue",
                "AWS/SQS",
                "ApproximateNumberOfMessagesVisible",
                {"QueueName": {"Fn::GetAtt": ["ForwardFailed", "QueueName"]}},
            ),
        },
    }
