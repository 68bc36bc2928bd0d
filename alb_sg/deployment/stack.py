"""The stacks with the functions: `stack.yaml` for one account, without rdk, and `central.yaml` for an organization."""

from __future__ import annotations

from alb_sg.config_rule.allowed_accounts import ENVIRONMENT_VARIABLE
from alb_sg.deployment.config_rules import config_rule_properties, remediation_properties, remediation_role
from alb_sg.deployment.intrinsics import Template, arn_of, make_template, ref, text_parameter
from alb_sg.deployment.lambda_resources import (
    HOME_REGION,
    function_resources,
    home_region_condition,
    invoke_permission,
    region_assertion,
)
from alb_sg.deployment.role_policies import ORGANIZATION_PARAMETER, assume_role_statement, evaluation_statements
from alb_sg.deployment.settings import RemediationMode, Settings

# rdklib's parameter for a function that judges with its own role.
USE_OWN_ROLE = {"AssumeRoleMode": "false"}


def central_template(settings: Settings, artifact_key: str) -> Template:
    """The functions for the accounts in `memberAccounts`, or for the whole organization.

    With `memberAccounts`, each account gets its own invocation permission, and the functions know the list. Without
    it, AWS Config in any account may invoke the functions, because Lambda has no organization condition for that
    principal. Their roles let them read within the organization only.
    """
    members = settings.organization.member_accounts
    environment = {ENVIRONMENT_VARIABLE: ",".join(members)} if members else {}
    resources: Template = {}
    for rule in settings.rules:
        resources |= function_resources(
            settings, rule, artifact_key, statements=[assume_role_statement(settings)], environment=environment
        )
        camel = rule.camel_name
        if members:
            resources |= {f"{camel}InvokedFor{member}": invoke_permission(rule, member) for member in members}
        else:
            resources[f"{camel}InvokedForOrganization"] = invoke_permission(rule, None)
    parameters = {
        ORGANIZATION_PARAMETER: text_parameter(
            "Organization in which the functions may assume the evaluation role, such as o-a1b2c3d4e5",
            "^o-[a-z0-9]{10,32}$",
            settings.organization.organization_id,
        )
    }
    return make_template(
        "alb-sg: the functions of the rules, for the delegated administrator of AWS Config",
        resources,
        parameters=None if members else parameters,
        rules=region_assertion(settings),
        conditions=home_region_condition(settings),
    )


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
