"""`central.yaml`: the functions, in the account that administers AWS Config for the organization."""

from __future__ import annotations

from alb_sg.config_rule.admission import VARIABLE
from alb_sg.deployment.functions import conditions, function_resources, permission, region_assertion
from alb_sg.deployment.intrinsics import FORMAT_VERSION, Template
from alb_sg.deployment.permissions_of_roles import ORGANIZATION_PARAMETER, assume_statement
from alb_sg.deployment.settings import Settings


def central_template(settings: Settings, artefact_key: str) -> Template:
    """Functions that serve the accounts of the list, or of the organization.

    With a list, each account has an invocation permission of its own, and the functions are told the list. For an
    organization AWS Config's principal knows no condition: anybody's Config may invoke the functions, and their roles
    let them read within the organization alone.
    """
    members = settings.organization.member_accounts
    environment = {VARIABLE: ",".join(members)} if members else {}
    resources: Template = {}
    for rule in settings.rules:
        resources |= function_resources(
            settings, rule, artefact_key, statements=[assume_statement(settings)], environment=environment
        )
        camel = rule.definition.camel
        if members:
            resources |= {f"{camel}InvokedFor{member}": permission(rule, member) for member in members}
        else:
            resources[f"{camel}InvokedForOrganization"] = permission(rule, None)
    template: Template = {
        "AWSTemplateFormatVersion": FORMAT_VERSION,
        "Description": "alb-sg: the functions of the rules, for the delegated administrator of AWS Config",
    }
    if not members:
        template["Parameters"] = {ORGANIZATION_PARAMETER: _organization_parameter(settings)}
    template["Rules"] = region_assertion(settings)
    if wanted := conditions(settings):
        template["Conditions"] = wanted
    return {**template, "Resources": resources}


def _organization_parameter(settings: Settings) -> Template:
    parameter: Template = {
        "Type": "String",
        "Description": "The organization within which functions may assume the evaluation role, such as o-a1b2c3d4e5",
        "AllowedPattern": "^o-[a-z0-9]{10,32}$",
    }
    if settings.organization.organization_id is not None:
        parameter["Default"] = settings.organization.organization_id
    return parameter
