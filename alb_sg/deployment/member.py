"""`member.yaml`: the roles in every evaluated account, for a StackSet in one region."""

from __future__ import annotations

from alb_sg.deployment.config_rules import remediation_role
from alb_sg.deployment.intrinsics import Template, make_template, ref, role, sub, text_parameter
from alb_sg.deployment.role_policies import evaluation_statements
from alb_sg.deployment.settings import Settings

CENTRAL_PARAMETER = "CentralAccountId"
REMEDIATION_PARAMETER = "MakeRemediationRole"
REMEDIATION_CONDITION = "Remedied"


def central_parameter(settings: Settings) -> Template:
    return text_parameter(
        "Account with the functions: the delegated administrator of AWS Config",
        "^[0-9]{12}$",
        settings.organization.delegated_administrator,
    )


def member_template(settings: Settings) -> Template:
    """The evaluation role, and the remediation role where the settings enable it.

    The evaluation role trusts the functions' roles by name, through a condition. A role named as a principal would
    have to exist first, and IAM would drop it from the trust policy when somebody recreates it.
    """
    central = f"arn:${{AWS::Partition}}:iam::${{{CENTRAL_PARAMETER}}}"
    callers = [sub(f"{central}:{settings.role_resource(settings.function_name(rule))}") for rule in settings.rules]
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": sub(f"{central}:root")},
        "Action": "sts:AssumeRole",
        "Condition": {"ArnEquals": {"aws:PrincipalArn": callers}},
    }
    resources = {
        "EvaluationRole": role(
            settings.names.evaluation_role,
            "Lets the functions of alb-sg read this account and report verdicts",
            trust,
            "evaluation",
            evaluation_statements(settings.rules),
        ),
        "RemediationRole": {"Condition": REMEDIATION_CONDITION, **remediation_role(settings)},
    }
    remediation_parameter = {
        "Type": "String",
        "Description": "Whether to create the role that the remediation documents run as",
        "Default": "yes" if settings.has_remediation else "no",
        "AllowedValues": ["yes", "no"],
    }
    return make_template(
        "alb-sg: the roles of the rules and documents, for every member account (deploy to one region)",
        resources,
        parameters={CENTRAL_PARAMETER: central_parameter(settings), REMEDIATION_PARAMETER: remediation_parameter},
        conditions={REMEDIATION_CONDITION: {"Fn::Equals": [ref(REMEDIATION_PARAMETER), "yes"]}},
    )
