"""Remediation as AWS Config and IAM have it: which document mends a rule's findings, and the role that it runs as."""

from __future__ import annotations

from collections.abc import Mapping

from alb_sg.automation import parameters as document
from alb_sg.automation.names import document_name
from alb_sg.deployment.intrinsics import Template, ref, role, sub
from alb_sg.deployment.permissions_of_roles import remediation_statements
from alb_sg.deployment.settings import DeployedRule, Settings


def remediation_properties(
    settings: Settings, rule: DeployedRule, *, automatic: object, parameters: Mapping[str, object]
) -> Template:
    """The properties of AWS::Config::RemediationConfiguration. `parameters` are the rule's own, each a `static` value
    or nothing: the document has to judge with the same.

    The name of the rule is what its template calls it; AWS Config finds the one of its own conformance pack by it.
    Which name that has got there is told by its `Ref`.
    """
    remediation = rule.remediation
    role_arn = sub(f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role/{settings.names.remediation_role}")
    return {
        "ConfigRuleName": rule.name,
        "TargetType": "SSM_DOCUMENT",
        "TargetId": document_name(rule.name),
        "Automatic": automatic,
        "MaximumAutomaticAttempts": remediation.attempts,
        "RetryAttemptSeconds": remediation.retry_seconds,
        "ExecutionControls": {
            "SsmControls": {
                "ConcurrentExecutionRatePercentage": remediation.concurrent_percentage,
                "ErrorPercentage": remediation.error_percentage,
            }
        },
        "Parameters": {
            document.ASSUME_ROLE.name: static(role_arn),
            document.LOAD_BALANCER.name: {"ResourceValue": {"Value": "RESOURCE_ID"}},
            document.DRY_RUN.name: static("false"),
            document.SHARED_GROUP.name: static(remediation.shared_group.value),
            document.MANAGED_GROUP.name: static(remediation.managed_group.value),
            document.RULES.name: static(str(remediation.rules_per_group)),
            document.config_rule_name(rule.name).name: static(ref(f"{rule.definition.camel}Rule")),
            **parameters,
        },
    }


def static(value: object) -> Template:
    return {"StaticValue": {"Values": [value]}}


def remediation_role(settings: Settings) -> Template:
    """The role that documents run as. Systems Manager alone assumes it, for an execution of this account."""
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "ssm.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {
            "StringEquals": {"aws:SourceAccount": ref("AWS::AccountId")},
            "ArnLike": {
                "aws:SourceArn": sub("arn:${AWS::Partition}:ssm:*:${AWS::AccountId}:automation-execution/*"),
            },
        },
    }
    return role(
        settings.names.remediation_role,
        "What the documents of alb-sg read and change in this account",
        trust,
        "remediation",
        remediation_statements(settings),
    )
