"""The AWS Config rules, their remediation, and the role that the remediation documents run as."""

from __future__ import annotations

from collections.abc import Mapping

from alb_sg.deployment.intrinsics import Template, own_arn, ref, role
from alb_sg.deployment.role_policies import remediation_statements
from alb_sg.deployment.settings import DeployedRule, Settings
from alb_sg.remediation.document_names import document_name
from alb_sg.remediation.fix_request import FixPolicy
from alb_sg.ssm_documents import document_parameters as document
from alb_sg.ssm_documents.document_limits import DocumentLimits


def config_rule_properties(
    settings: Settings,
    rule: DeployedRule,
    region: str | None,
    *,
    function_arn: object,
    parameters: Mapping[str, object],
) -> Template:
    """The properties of AWS::Config::ConfigRule in `region` (None: every region without `regionalScope`)."""
    triggers: list[Template] = [
        {"MessageType": "ConfigurationItemChangeNotification"},
        {"MessageType": "OversizedConfigurationItemChangeNotification"},
        {"MessageType": "ScheduledNotification", "MaximumExecutionFrequency": rule.frequency},
    ]
    details = [{"EventSource": "aws.config", **trigger} for trigger in triggers]
    return {
        "ConfigRuleName": rule.name,
        "Description": rule.description,
        "InputParameters": dict(parameters),
        "Scope": {"ComplianceResourceTypes": list(settings.resource_types(rule, region))},
        "Source": {"Owner": "CUSTOM_LAMBDA", "SourceIdentifier": function_arn, "SourceDetails": details},
    }


def remediation_properties(settings: Settings, rule: DeployedRule, *, automatic: object) -> Template:
    """The properties of AWS::Config::RemediationConfiguration. The document reads the rule's own parameters from AWS
    Config, so that it judges as the rule does.

    `ConfigRuleName` is the rule's name in its template: within a conformance pack, AWS Config finds the pack's rule by
    it. The rule's `Ref` returns the name that the pack has given it.
    """
    remediation = rule.remediation
    role_arn = own_arn("iam", settings.role_resource(settings.names.remediation_role), "")
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
            document.ASSUME_ROLE.name: static_value(role_arn),
            document.LOAD_BALANCER.name: {"ResourceValue": {"Value": "RESOURCE_ID"}},
            document.DRY_RUN.name: static_value("false"),
            **{
                parameter.name: static_value(parameter.default)
                for parameter in document.policy_parameters(document_limits(settings, rule))
                # AWS Config refuses an empty value.
                if parameter.default
            },
            document.config_rule_name_parameter(rule.name).name: static_value(ref(f"{rule.camel_name}Rule")),
        },
    }


def document_limits(settings: Settings, rule: DeployedRule) -> DocumentLimits:
    """What the deployment fixes for a rule's document."""
    remediation = rule.remediation
    policy = FixPolicy(
        remediation.shared_group,
        remediation.managed_group,
        remediation.rules_per_group,
        tags=settings.landing_zone.tags,
    )
    return DocumentLimits(settings.function_name(rule), policy, remediation.approvers, settings.max_exemption_days)


def static_value(value: object) -> Template:
    return {"StaticValue": {"Values": [value]}}


def remediation_role(settings: Settings) -> Template:
    """The role that the documents run as. Only Systems Manager may assume it, for an execution in this account."""
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "ssm.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {
            "StringEquals": {"aws:SourceAccount": ref("AWS::AccountId")},
            "ArnLike": {"aws:SourceArn": own_arn("ssm", "automation-execution/*")},
        },
    }
    return role(
        settings.names.remediation_role,
        "Lets the remediation documents of alb-sg read and change this account",
        trust,
        "remediation",
        remediation_statements(settings),
    )
