"""`stack.yaml`: one account without rdk, functions, roles and rules in one stack."""

from __future__ import annotations

from alb_sg.config_rule.admission import VARIABLE
from alb_sg.deployment.config_rules import config_rule_properties
from alb_sg.deployment.functions import HOME_REGION, conditions, function_resources, permission, region_assertion
from alb_sg.deployment.intrinsics import FORMAT_VERSION, Template, arn_of, ref
from alb_sg.deployment.permissions_of_roles import evaluation_statements
from alb_sg.deployment.remediation import remediation_properties, remediation_role, static
from alb_sg.deployment.settings import Mode, Settings
from alb_sg.parameters import OF_READING

# rdklib's: judge with the function's own role.
OWN_ROLE = {"AssumeRoleMode": "false"}


def stack_template(settings: Settings, artefact_key: str, region: str | None = None) -> Template:
    """The stack of a region (None: of all where no type is left out). Each function reads with its own role, which may
    do what its rule declares. Remediation, where it is asked for, names the documents of `documents.yaml`."""
    resources: Template = {}
    for rule in settings.rules:
        camel = rule.definition.camel
        resources |= function_resources(
            settings,
            rule,
            artefact_key,
            statements=evaluation_statements([rule]),
            environment={VARIABLE: ref("AWS::AccountId")},
        )
        resources[f"{camel}Invoked"] = permission(rule, ref("AWS::AccountId"))
        resources[f"{camel}Rule"] = {
            "Type": "AWS::Config::ConfigRule",
            "DependsOn": f"{camel}Invoked",
            "Properties": config_rule_properties(
                settings,
                rule,
                region,
                function_arn=arn_of(f"{camel}Function"),
                parameters={**rule.parameters, **OWN_ROLE},
            ),
        }
        if rule.remedied:
            resources[f"{camel}RemediationConfiguration"] = {
                "Type": "AWS::Config::RemediationConfiguration",
                "Properties": remediation_properties(
                    settings,
                    rule,
                    automatic=rule.remediation.mode is Mode.AUTOMATIC,
                    parameters={
                        name: static(value) for name, value in rule.parameters.items() if name not in OF_READING
                    },
                ),
            }
    if settings.remedied:
        role = remediation_role(settings)
        resources["RemediationRole"] = role if len(settings.regions) == 1 else {"Condition": HOME_REGION, **role}
    return {
        "AWSTemplateFormatVersion": FORMAT_VERSION,
        "Description": "alb-sg: the rules and their functions for one account",
        "Rules": region_assertion(settings),
        **({"Conditions": wanted} if (wanted := conditions(settings)) else {}),
        "Resources": resources,
    }
