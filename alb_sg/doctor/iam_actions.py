"""The IAM actions that the checks need; all of them only read."""

from __future__ import annotations

from alb_sg.aggregator import requests

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
