"""`conformance-pack.yaml`, for one account or an organization, and the stack that puts it into an organization."""

from __future__ import annotations

from alb_sg.deployment.config_rules import config_rule_properties
from alb_sg.deployment.intrinsics import FORMAT_VERSION, Template, either, given, nothing, ref, sub
from alb_sg.deployment.member import CENTRAL_PARAMETER, central_parameter
from alb_sg.deployment.settings import PARAMETER_LENGTHS, DeployedRule, Settings
from alb_sg.parameters import PARAMETERS, RDKLIB_PARAMETERS, TargetMatch

PACK_NAME = "alb-sg"
ROLE_PARAMETER = "EvaluationRoleName"

# AWS Config: the template's bytes, and its parameters.
TEMPLATE_LIMIT = 51_200
PARAMETERS_LIMIT = 60

# IAM: characters of a role's name.
ROLE_LENGTH = 64
CHOICES = {"TargetMatch": [choice.value for choice in TargetMatch]}

_FACTS = {fact.name: fact for fact in PARAMETERS}


def conformance_pack_template(settings: Settings, region: str | None = None) -> Template:
    """Every rule, its parameters as the pack's, for a region (None: for all where no type is left out)."""
    parameters: Template = {
        CENTRAL_PARAMETER: central_parameter(settings),
        ROLE_PARAMETER: {
            "Type": "String",
            "Description": "The role in this account that the functions read with",
            "Default": settings.names.evaluation_role,
            "MinLength": 1,
            "MaxLength": ROLE_LENGTH,
        },
    }
    conditions: Template = {}
    resources: Template = {}
    for rule in settings.rules:
        names = [name for name in rule.definition.parameters if name not in RDKLIB_PARAMETERS]
        inputs: Template = {"ExecutionRoleName": ref(ROLE_PARAMETER)}
        for name in names:
            logical = f"{rule.definition.camel}{name}"
            parameters[logical] = _parameter(rule, name)
            if name in CHOICES:
                inputs[name] = ref(logical)
            else:
                conditions[f"{logical}Given"] = given(logical)
                inputs[name] = either(f"{logical}Given", ref(logical), nothing())
        resources |= _rule_resources(settings, rule, region, inputs)
    return {
        "AWSTemplateFormatVersion": FORMAT_VERSION,
        "Description": "alb-sg: security groups of Application Load Balancers, as Elastic Load Balancing recommends",
        "Parameters": parameters,
        **({"Conditions": conditions} if conditions else {}),
        "Resources": resources,
    }


def organization_template(settings: Settings, pack: str) -> Template:
    """A stack of the delegated administrator that puts the pack, given as text, into the whole organization."""
    properties: Template = {
        "OrganizationConformancePackName": PACK_NAME,
        "TemplateBody": pack,
        "ConformancePackInputParameters": [
            {"ParameterName": CENTRAL_PARAMETER, "ParameterValue": ref("AWS::AccountId")}
        ],
    }
    if settings.organization.excluded_accounts:
        properties["ExcludedAccounts"] = list(settings.organization.excluded_accounts)
    if settings.organization.delivery_bucket is not None:
        properties["DeliveryS3Bucket"] = settings.organization.delivery_bucket
    return {
        "AWSTemplateFormatVersion": FORMAT_VERSION,
        "Description": "alb-sg: the conformance pack for every account of the organization, in this region",
        "Resources": {"Pack": {"Type": "AWS::Config::OrganizationConformancePack", "Properties": properties}},
    }


def _parameter(rule: DeployedRule, name: str) -> Template:
    fact = _FACTS[name]
    parameter: Template = {
        "Type": "String",
        "Description": f"{rule.name}: {fact.meaning}",
        "Default": rule.parameters.get(name, fact.default),
        "MaxLength": PARAMETER_LENGTHS[name],
    }
    if name in CHOICES:
        parameter["AllowedValues"] = CHOICES[name]
    return parameter


def _rule_resources(settings: Settings, rule: DeployedRule, region: str | None, inputs: Template) -> Template:
    camel = rule.definition.camel
    name = settings.function_name(rule)
    function = f"arn:${{AWS::Partition}}:lambda:${{AWS::Region}}:${{{CENTRAL_PARAMETER}}}:function:{name}"
    properties = config_rule_properties(settings, rule, region, function_arn=sub(function), parameters=inputs)
    resources: Template = {f"{camel}Rule": {"Type": "AWS::Config::ConfigRule", "Properties": properties}}
    if rule.remediation_document is not None:
        role = f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role/{settings.names.remediation_role}"
        resources[f"{camel}Remediation"] = {
            "Type": "AWS::Config::RemediationConfiguration",
            "DependsOn": f"{camel}Rule",
            "Properties": {
                "ConfigRuleName": rule.name,
                "TargetType": "SSM_DOCUMENT",
                "TargetId": rule.remediation_document,
                "Automatic": True,
                "MaximumAutomaticAttempts": 3,
                "RetryAttemptSeconds": 300,
                "Parameters": {
                    "AutomationAssumeRole": {"StaticValue": {"Values": [sub(role)]}},
                    "LoadBalancerArn": {"ResourceValue": {"Value": "RESOURCE_ID"}},
                },
            },
        }
    return resources
