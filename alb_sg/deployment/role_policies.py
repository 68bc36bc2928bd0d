"""The roles' policies: only the actions that rules and documents declare, on the narrowest resources."""

from __future__ import annotations

from collections.abc import Iterable

from alb_sg.config_rule.iam_actions import evaluation_actions
from alb_sg.deployment.intrinsics import Template, allow, own_arn, ref, sub
from alb_sg.deployment.settings import DeployedRule, Settings
from alb_sg.exemptions.aws_document import READ_ACTIONS
from alb_sg.exemptions.location import AwsLocation, S3Object
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME
from alb_sg.remediation.api_calls import EXECUTION_TAG, LOAD_BALANCER_TAG, TAG_KEYS
from alb_sg.remediation.document_names import UNDO_DOCUMENT, document_name
from alb_sg.remediation.execution_record import RECORD_PATH
from alb_sg.ssm_documents.actions import REEVALUATION_ACTION, document_actions

ORGANIZATION_PARAMETER = "OrganizationId"


def function_statements(settings: Settings, rule: DeployedRule) -> list[Template]:
    """The permissions of a function in every region to write its log, queue failed events and read its exemptions.

    The template creates the log group. A group that Lambda creates would keep its logs for ever.
    """
    name = settings.function_name(rule)
    log, queue = f"log-group:/aws/lambda/{name}:*", queue_name(settings, rule)
    statements = [
        allow("WriteOwnLog", ["logs:CreateLogStream", "logs:PutLogEvents"], _regional_arns(settings, "logs", log)),
        allow("LeaveFailedEvents", ["sqs:SendMessage"], _regional_arns(settings, "sqs", queue)),
    ]
    if rule.exemptions is not None:
        statements.append(_read_exemptions("ReadExemptions", settings, rule.exemptions))
    return statements


def evaluation_statements(rules: Iterable[DeployedRule]) -> list[Template]:
    """The permissions to read the evaluated account and report verdicts. IAM narrows none of these actions to a
    resource, except the reading of old verdicts, and a conformance pack gives its rules names of its own."""
    actions = sorted(
        {action for rule in rules for action in evaluation_actions(RECOMMENDATIONS_BY_NAME[rule.name], rule.source)}
    )
    return [allow("Evaluate", actions, "*")]


def remediation_statements(settings: Settings) -> list[Template]:
    """The permissions of the remediation documents and the undo document, each as narrow as IAM allows.

    The documents create rules and groups only with the execution's tag, and delete only groups that have it. IAM
    checks a revocation against the group alone (Service Authorization Reference, Amazon EC2), so no tag can narrow it:
    the record of the execution does, which only this role may write.
    """
    documents = (UNDO_DOCUMENT, *(document_name(rule.name) for rule in settings.fixable_rules))
    actions = {action for name in documents for action in document_actions(name)}
    group, rule = (own_arn("ec2", f"{kind}/*") for kind in ("security-group", "security-group-rule"))
    # Another account may own the VPC and share its subnets. The new group belongs to this account.
    vpc = sub("arn:${AWS::Partition}:ec2:*:*:vpc/*")
    load_balancer = own_arn("elasticloadbalancing", "loadbalancer/app/*")
    of_this_account = {"StringEquals": {"aws:ResourceAccount": ref("AWS::AccountId")}}
    tagged_request = {"Null": {f"aws:RequestTag/{EXECUTION_TAG}": "false"}}
    adding, revoking = ("ec2:AuthorizeSecurityGroup", "ec2:RevokeSecurityGroup")
    created_by = sorted(
        action.removeprefix("ec2:") for action in actions if action.startswith((adding, "ec2:CreateSecurityGroup"))
    )
    narrowed: list[tuple[str, str, list[Template], Template]] = [
        ("AddRules", adding, [group], {}),
        ("AddTaggedRulesOnly", adding, [rule], tagged_request),
        ("CreateTaggedGroup", "ec2:CreateSecurityGroup", [group], tagged_request),
        ("CreateGroupInVpc", "ec2:CreateSecurityGroup", [vpc], {}),
        (
            "TagWhatIsCreated",
            "ec2:CreateTags",
            [group, rule],
            {
                "StringEquals": {"ec2:CreateAction": created_by},
                "ForAllValues:StringEquals": {"aws:TagKeys": [*TAG_KEYS, *settings.landing_zone.tags]},
                **tagged_request,
            },
        ),
        (
            "DeleteOwnGroup",
            "ec2:DeleteSecurityGroup",
            [group],
            {
                "Null": {f"aws:ResourceTag/{EXECUTION_TAG}": "false"},
                "ArnLike": {f"aws:ResourceTag/{LOAD_BALANCER_TAG}": load_balancer},
                **of_this_account,
            },
        ),
        ("RevokeRules", revoking, [group], of_this_account),
        (
            "SetGroups",
            "elasticloadbalancing:SetSecurityGroups",
            [load_balancer],
            # A load balancer keeps at least one group, and another account's groups are nobody's business here.
            {"Null": {"elasticloadbalancing:SecurityGroup": "false"}, **of_this_account},
        ),
        ("KeepRecords", "ssm:", [own_arn("ssm", f"parameter{RECORD_PATH}/*")], {}),
        ("EvaluateAgain", REEVALUATION_ACTION, [own_arn("config", "config-rule/*")], {}),
    ]
    reading = sorted(action for action in actions if not action.startswith(tuple(start for _, start, _, _ in narrowed)))
    statements: list[Template] = [
        # One list of regions for all statements: a list in each would exceed IAM's limit for inline policies.
        {
            "Sid": "OnlyInTheseRegions",
            "Effect": "Deny",
            # Exemptions may be kept in another region's Systems Manager.
            "Action": sorted({f"{action.partition(':')[0]}:*" for action in actions if not action.startswith("ssm:")}),
            "Resource": "*",
            "Condition": {"StringNotEquals": {"aws:RequestedRegion": list(settings.regions)}},
        },
        allow("Read", reading, "*"),
        *(
            allow(sid, sorted(action for action in actions if action.startswith(start)), resources, condition)
            for sid, start, resources, condition in narrowed
        ),
    ]
    # They change no exempt load balancer.
    locations = {str(rule.exemptions): rule.exemptions for rule in settings.rules if rule.exemptions is not None}
    for number, (_, location) in enumerate(sorted(locations.items()), 1):
        statements.append(_read_exemptions(f"ReadExemptions{number}", settings, location))
    return statements


def assume_role_statement(settings: Settings) -> Template:
    """The permission of a function to assume the evaluation role in the accounts that it serves, and in no others."""
    role = settings.role_resource(settings.names.evaluation_role)
    members = settings.organization.member_accounts
    resources = [sub(f"arn:${{AWS::Partition}}:iam::{member}:{role}") for member in members or ("*",)]
    in_organization = {"StringEquals": {"aws:ResourceOrgID": ref(ORGANIZATION_PARAMETER)}}
    return allow("BecomeEvaluationRole", ["sts:AssumeRole"], resources, None if members else in_organization)


def queue_name(settings: Settings, rule: DeployedRule) -> str:
    return f"{settings.function_name(rule)}-failed"


def _read_exemptions(sid: str, settings: Settings, location: AwsLocation) -> Template:
    """On the S3 object, or on the parameter in every region: a function reads the one in its own region."""
    if isinstance(location, S3Object):
        resources = [sub(f"arn:${{AWS::Partition}}:s3:::{location.bucket}/{location.key}")]
    else:
        resources = _regional_arns(settings, "ssm", f"parameter/{location.name.removeprefix('/')}")
    return allow(sid, [READ_ACTIONS[type(location)]], resources)


def _regional_arns(settings: Settings, service: str, resource: str) -> list[Template]:
    """A resource of this account in every region of the settings.

    An ARN for each of many regions would exceed the 10,240 characters that IAM allows for a role's inline policies.
    """
    return [own_arn(service, resource, settings.home_region if len(settings.regions) == 1 else "*")]
