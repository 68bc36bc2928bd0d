"""`stack.yaml`: functions, roles and rules for one account, without rdk."""

from __future__ import annotations

from alb_sg.config_rule.allowed_accounts import ENVIRONMENT_VARIABLE
from alb_sg.deployment.config_rules import config_rule_properties, remediation_properties, remediation_role
from alb_sg.deployment.intrinsics import Template, arn_of, make_template, ref
from alb_sg.deployment.lambda_resources import (
    HOME_REGION,
    function_resources,
    home_region_condition,
    invoke_permission,
    region_assertion,
)
from alb_sg.deployment.role_policies import evaluation_statements
from alb_sg.deployment.settings import RemediationMode, Settings

# rdklib's parameter for a function that judges with its own role.
USE_OWN_ROLE = {"AssumeRoleMode": "false"}


def stack_template(settings: Settings, artifact_key: str, region: str | None = None) -> Template:
    """The stack of `region` (None: every region without `regionalScope`). Each function reads with its own role, which
    has the permissions that its rule declares. Remediation uses the documents of `documents.yaml`."""
    resources: Template = {}
    for rule in settings.rules:
        camel = rule.camel_name
        resources |= function_resources(
            settings,
            rule,
            artifact_key,
            statements=evaluation_statements([rule]),
            environment={ENVIRONMENT_VARIABLE: ref("AWS::AccountId")},
        )
        resources[f"{camel}Invoked"] = invoke_permission(rule, ref("AWS::AccountId"))
        resources[f"{camel}Rule"] = {
            "Type": "AWS::Config::ConfigRule",
            "DependsOn": f"{camel}Invoked",
            "Properties": config_rule_properties(
                settings,
                rule,
                region,
                function_arn=arn_of(f"{camel}Function"),
                parameters={**rule.parameters, **USE_OWN_ROLE},
            ),
        }
        if rule.has_remediation:
            resources[f"{camel}RemediationConfiguration"] = {
                "Type": "AWS::Config::RemediationConfiguration",
                "Properties": remediation_properties(
                    settings,
                    rule,
                    automatic=rule.remediation.mode is RemediationMode.AUTOMATIC,
                ),
            }
    if settings.has_remediation:
        role = remediation_role(settings)
        resources["RemediationRole"] = role if len(settings.regions) == 1 else {"Condition": HOME_REGION, **role}
    return make_template(
        "alb-sg: the rules and their functions for one account",
        resources,
        rules=region_assertion(settings),
        conditions=home_region_condition(settings),
    )
