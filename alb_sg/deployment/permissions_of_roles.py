"""What the roles may do: nothing that the rules do not declare, on nothing that is not theirs."""

from __future__ import annotations

from collections.abc import Iterable

from alb_sg.config_rule.actions import evaluation_actions
from alb_sg.deployment.intrinsics import Template, ref, sub
from alb_sg.deployment.settings import DeployedRule, Settings
from alb_sg.exemptions.aws import PERMISSIONS
from alb_sg.exemptions.location import AwsLocation, S3Object
from alb_sg.recommendations.catalogue import BY_NAME

ORGANIZATION_PARAMETER = "OrganizationId"


def own_statements(settings: Settings, rule: DeployedRule) -> list[Template]:
    """What a function does for itself in every region: write its log, leave failed events, read its exemptions.

    The log group is the template's: a function that could make one would make it without retention.
    """
    name = settings.function_name(rule)
    statements: list[Template] = [
        {
            "Sid": "WriteOwnLog",
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": _in_every_region(settings, "logs", f"log-group:/aws/lambda/{name}:*"),
        },
        {
            "Sid": "LeaveFailedEvents",
            "Effect": "Allow",
            "Action": ["sqs:SendMessage"],
            "Resource": _in_every_region(settings, "sqs", queue_name(settings, rule)),
        },
    ]
    location = rule.exemptions
    if location is not None:
        statements.append(
            {
                "Sid": "ReadExemptions",
                "Effect": "Allow",
                "Action": [PERMISSIONS[type(location)]],
                "Resource": _exemptions(settings, location),
            }
        )
    return statements


def evaluation_statements(rules: Iterable[DeployedRule]) -> list[Template]:
    """What the rules read and report in the account that they judge. None of it can be narrowed to a resource, but
    the verdicts read to clear those that no longer apply; a conformance pack gives its rules names of its own."""
    actions = sorted({action for rule in rules for action in evaluation_actions(BY_NAME[rule.name])})
    return [{"Sid": "Evaluate", "Effect": "Allow", "Action": actions, "Resource": "*"}]


def assume_statement(settings: Settings) -> Template:
    """That a function may become the evaluation role of the accounts that it serves, and of no other."""
    role = settings.names.evaluation_role
    statement: Template = {"Sid": "BecomeEvaluationRole", "Effect": "Allow", "Action": ["sts:AssumeRole"]}
    members = settings.organization.member_accounts
    if members:
        return statement | {
            "Resource": [sub(f"arn:${{AWS::Partition}}:iam::{member}:role/{role}") for member in members]
        }
    return statement | {
        "Resource": [sub(f"arn:${{AWS::Partition}}:iam::*:role/{role}")],
        "Condition": {"StringEquals": {"aws:ResourceOrgID": ref(ORGANIZATION_PARAMETER)}},
    }


def queue_name(settings: Settings, rule: DeployedRule) -> str:
    return f"{settings.function_name(rule)}-failed"


def _exemptions(settings: Settings, location: AwsLocation) -> list[Template]:
    """The object, or the parameter of this name in each region: a function asks in its own."""
    if isinstance(location, S3Object):
        return [sub(f"arn:${{AWS::Partition}}:s3:::{location.bucket}/{location.key}")]
    return _in_every_region(settings, "ssm", f"parameter/{location.name.removeprefix('/')}")


def _in_every_region(settings: Settings, service: str, resource: str) -> list[Template]:
    return [
        sub(f"arn:${{AWS::Partition}}:{service}:{region}:${{AWS::AccountId}}:{resource}") for region in settings.regions
    ]
