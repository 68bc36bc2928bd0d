"""The AWS Config rules: triggered by changes, by oversized changes, and periodically."""

from __future__ import annotations

from collections.abc import Mapping

from alb_sg.deployment.intrinsics import Template
from alb_sg.deployment.settings import DeployedRule, Settings


def config_rule_properties(
    settings: Settings,
    rule: DeployedRule,
    region: str | None,
    *,
    function_arn: object,
    parameters: Mapping[str, object],
) -> Template:
    """The properties of AWS::Config::ConfigRule in `region` (None: every region without `regionalScope`)."""
    details: list[Template] = [
        {"EventSource": "aws.config", "MessageType": message}
        for message in ("ConfigurationItemChangeNotification", "OversizedConfigurationItemChangeNotification")
    ]
    details.append(
        {
            "EventSource": "aws.config",
            "MessageType": "ScheduledNotification",
            "MaximumExecutionFrequency": rule.frequency,
        }
    )
    return {
        "ConfigRuleName": rule.name,
        "Description": rule.description,
        "InputParameters": dict(parameters),
        "Scope": {"ComplianceResourceTypes": list(settings.resource_types(rule, region))},
        "Source": {"Owner": "CUSTOM_LAMBDA", "SourceIdentifier": function_arn, "SourceDetails": details},
    }
