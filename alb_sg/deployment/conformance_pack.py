"""`conformance-pack.yaml`, and the stack that deploys it to an organization."""

from __future__ import annotations

from collections.abc import Sequence

from alb_sg.deployment.config_rules import config_rule_properties, remediation_properties
from alb_sg.deployment.intrinsics import Template, fn_if, make_template, ref, sub
from alb_sg.deployment.member import CENTRAL_PARAMETER, central_parameter
from alb_sg.deployment.settings import (
    MAX_PARAMETER_LENGTHS,
    MAX_ROLE_NAME_LENGTH,
    DeployedRule,
    RemediationMode,
    Settings,
)
from alb_sg.parameters import PARAMETERS, RDKLIB_PARAMETERS, TAG_KEY
from alb_sg.remediation.document_names import document_name

ROLE_PARAMETER = "EvaluationRoleName"

# AWS Config's limits: bytes of a pack's template, and its parameters. CloudFormation accepts as many bytes in a call.
MAX_TEMPLATE_BYTES = 51_200
MAX_PARAMETERS = 60

CHOICES = {definition.name: list(definition.choices) for definition in PARAMETERS if definition.choices}

_FACTS = {fact.name: fact for fact in PARAMETERS}


def conformance_pack_template(settings: Settings, region: str | None = None) -> Template:
    """The pack with every rule, and the rules' parameters as its own, for `region` (None: every region without
    `regionalScope`)."""
    parameters: Template = {
        CENTRAL_PARAMETER: central_parameter(settings),
        ROLE_PARAMETER: {
            "Type": "String",
            "Description": "Role in this account that the functions assume to read, with its path",
            "Default": settings.role_resource(settings.names.evaluation_role).removeprefix("role/"),
            "MinLength": 1,
            "MaxLength": MAX_ROLE_NAME_LENGTH,
        },
    }
    conditions: Template = {}
    resources: Template = {}
    for rule in settings.rules:
        camel = rule.camel_name
        names = [name for name in rule.definition.parameters if name not in RDKLIB_PARAMETERS]
        inputs: Template = {"ExecutionRoleName": ref(ROLE_PARAMETER)}
        for name in names:
            logical = f"{camel}{name}"
            parameters[logical] = _parameter(rule, name)
            if name in CHOICES:
                inputs[name] = ref(logical)
            else:
                conditions[f"{logical}Given"] = {"Fn::Not": [{"Fn::Equals": [ref(logical), ""]}]}
                inputs[name] = fn_if(f"{logical}Given", ref(logical), ref("AWS::NoValue"))
        function = f"function:{settings.function_name(rule)}"
        function_arn = sub(f"arn:${{AWS::Partition}}:lambda:${{AWS::Region}}:${{{CENTRAL_PARAMETER}}}:{function}")
        resources[f"{camel}Rule"] = {
            "Type": "AWS::Config::ConfigRule",
            "Properties": config_rule_properties(settings, rule, region, function_arn=function_arn, parameters=inputs),
        }
        if not rule.definition.recommendation.is_fixable:
            continue
        mode = f"{camel}Remediation"
        parameters[mode] = _mode_parameter(rule)
        conditions[f"{camel}Remedied"] = {"Fn::Not": [{"Fn::Equals": [ref(mode), RemediationMode.OFF.value]}]}
        by_itself: Template = {"Fn::Equals": [ref(mode), RemediationMode.AUTOMATIC.value]}
        if TAG_KEY.name in names:
            # Otherwise everybody who may tag a load balancer would decide whom AWS Config opens it to.
            by_itself = {"Fn::And": [by_itself, {"Fn::Equals": [ref(f"{camel}{TAG_KEY.name}"), ""]}]}
        conditions[f"{camel}RemediedByItself"] = by_itself
        resources[f"{camel}RemediationConfiguration"] = {
            "Type": "AWS::Config::RemediationConfiguration",
            "Condition": f"{camel}Remedied",
            "Properties": remediation_properties(
                settings, rule, automatic=fn_if(f"{camel}RemediedByItself", True, False)
            ),
        }
    return make_template(
        "alb-sg: security groups of Application Load Balancers, as Elastic Load Balancing recommends",
        resources,
        parameters=parameters,
        conditions=conditions,
    )


def organization_pack_template(settings: Settings, pack: str) -> Template:
    """The stack of the delegated administrator that deploys `pack`, a template's text, to the organization."""
    return make_template(
        "alb-sg: the conformance pack for every account of the organization, in this region",
        _pack(
            settings,
            "OrganizationConformancePack",
            pack,
            ref("AWS::AccountId"),
            settings.organization.excluded_accounts,
        ),
    )


def stack_set_pack_template(settings: Settings, pack: str) -> Template:
    """The stack of one account with `pack`, a template's text: a StackSet deploys it to organizational units, which
    AWS Config's own organization pack cannot name."""
    return make_template(
        "alb-sg: the conformance pack of one account and region, for a StackSet",
        _pack(settings, "ConformancePack", pack, ref(CENTRAL_PARAMETER)),
        parameters={CENTRAL_PARAMETER: central_parameter(settings)},
    )


def _pack(
    settings: Settings, kind: str, text: str, central: Template, excluded_accounts: Sequence[str] = ()
) -> Template:
    """The resource of a pack, whose functions are in the account `central`."""
    properties: Template = {
        f"{kind}Name": settings.stack_name,
        "TemplateBody": text,
        "ConformancePackInputParameters": [{"ParameterName": CENTRAL_PARAMETER, "ParameterValue": central}],
    }
    if excluded_accounts:
        properties["ExcludedAccounts"] = list(excluded_accounts)
    if settings.organization.delivery_bucket is not None:
        properties["DeliveryS3Bucket"] = settings.organization.delivery_bucket
    return {"Pack": {"Type": f"AWS::Config::{kind}", "Properties": properties}}


def _parameter(rule: DeployedRule, name: str) -> Template:
    fact = _FACTS[name]
    parameter: Template = {
        "Type": "String",
        "Description": f"{rule.name}: {fact.meaning}",
        "Default": rule.parameters.get(name, fact.default),
        "MaxLength": MAX_PARAMETER_LENGTHS[name],
    }
    if name in CHOICES:
        parameter["AllowedValues"] = CHOICES[name]
    return parameter


def _mode_parameter(rule: DeployedRule) -> Template:
    return {
        "Type": "String",
        "Description": (
            f"{rule.name}: who runs {document_name(rule.name)} for a finding: nobody (off), a person (manual) or "
            "AWS Config (automatic)"
        ),
        "Default": rule.remediation.mode.value,
        "AllowedValues": [mode.value for mode in RemediationMode],
    }
