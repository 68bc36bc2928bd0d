"""`central.yaml`: the functions, for the delegated administrator of AWS Config."""

from __future__ import annotations

from alb_sg.config_rule.allowed_accounts import ENVIRONMENT_VARIABLE
from alb_sg.deployment.intrinsics import Template, make_template, text_parameter
from alb_sg.deployment.lambda_resources import (
    function_resources,
    home_region_condition,
    invoke_permission,
    region_assertion,
)
from alb_sg.deployment.role_policies import ORGANIZATION_PARAMETER, assume_role_statement
from alb_sg.deployment.settings import Settings


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
