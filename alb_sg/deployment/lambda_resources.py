"""A rule's function with its role, log group, failed-event queue, alarms and permissions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from alb_sg import __version__
from alb_sg.deployment.alarms import alarms
from alb_sg.deployment.intrinsics import Template, arn_of, fn_if, own_arn, ref, role, sub, tag_list
from alb_sg.deployment.role_policies import function_statements, queue_name
from alb_sg.deployment.settings import DeployedRule, Settings
from alb_sg.doctor.functions import VERSION_TAG
from alb_sg.exemptions.aws_document import MAX_DAYS_VARIABLE

# Megabytes and seconds. More memory brings more processor time: with 512 MB a cold start takes about a second. rdklib
# assumes the evaluation role for 900 seconds, so a function must end earlier.
MEMORY = 512
TIMEOUT = 300
# Seconds: the longest that SQS keeps a message, so that a weekend loses nothing.
QUEUE_RETENTION = 1_209_600

OWNER_TAG = "alb-sg:owner"
HOME_REGION = "HomeRegion"


def home_region_condition(settings: Settings) -> Template:
    """The condition of the home region, whose stack creates the roles: a role serves all regions. Empty for one
    region."""
    if len(settings.regions) == 1:
        return {}
    return {HOME_REGION: {"Fn::Equals": [ref("AWS::Region"), settings.home_region]}}


def region_assertion(settings: Settings) -> Template:
    """The assertion that makes CloudFormation refuse the stack in a region that the settings do not name."""
    return {
        "ConfiguredRegion": {
            "Assertions": [
                {
                    "Assert": {"Fn::Contains": [list(settings.regions), ref("AWS::Region")]},
                    "AssertDescription": f"rdk-config.json deploys only to {', '.join(settings.regions)}",
                }
            ]
        }
    }


def function_resources(
    settings: Settings,
    rule: DeployedRule,
    artifact_key: str,
    *,
    statements: Sequence[Template],
    environment: Mapping[str, object],
) -> Template:
    """A function's resources, without its invocation permissions. `statements` are its role's, in addition to those for
    its log, queue and exemptions."""
    name, camel = settings.function_name(rule), rule.camel_name
    own_role = role(
        name,
        f"Permissions of the function of {rule.name}",
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"},
        "rule",
        [*function_statements(settings, rule), *statements],
    )
    if len(settings.regions) > 1:
        own_role = {"Condition": HOME_REGION, **own_role}
    function: Template = {
        "Type": "AWS::Lambda::Function",
        "DependsOn": f"{camel}Log",
        "Properties": {
            "FunctionName": name,
            "Description": f"AWS Config rule {rule.name}",
            "Runtime": rule.definition.runtime,
            "Handler": f"{rule.name}.lambda_handler",
            "Code": {"S3Bucket": _artifact_bucket(settings), "S3Key": artifact_key},
            "Role": _role_arn(settings, rule),
            "MemorySize": MEMORY,
            "Timeout": TIMEOUT,
            "DeadLetterConfig": {"TargetArn": arn_of(f"{camel}Failed")},
            "Tags": tag_list({OWNER_TAG: settings.stack_name, VERSION_TAG: __version__}),
        },
    }
    variables = dict(environment)
    if settings.max_exemption_days is not None:
        variables[MAX_DAYS_VARIABLE] = str(settings.max_exemption_days)
    if variables:
        function["Properties"]["Environment"] = {"Variables": variables}
    if settings.reserved_concurrency is not None:
        function["Properties"]["ReservedConcurrentExecutions"] = settings.reserved_concurrency
    return {
        f"{camel}Role": own_role,
        f"{camel}Log": {
            "Type": "AWS::Logs::LogGroup",
            "Properties": {"LogGroupName": f"/aws/lambda/{name}", "RetentionInDays": settings.log_retention_days},
        },
        f"{camel}Failed": {
            "Type": "AWS::SQS::Queue",
            "Properties": {
                "QueueName": queue_name(settings, rule),
                "MessageRetentionPeriod": QUEUE_RETENTION,
                "SqsManagedSseEnabled": True,
            },
        },
        f"{camel}Function": function,
        **_event_age(settings, rule),
        **alarms(settings, rule),
    }


def invoke_permission(rule: DeployedRule, source_account: object | None) -> Template:
    """The permission of AWS Config to invoke the function for `source_account`. None allows every account: Lambda has
    no narrower condition for an organization."""
    properties: Template = {
        "Action": "lambda:InvokeFunction",
        "FunctionName": arn_of(f"{rule.camel_name}Function"),
        "Principal": "config.amazonaws.com",
    }
    if source_account is not None:
        properties["SourceAccount"] = source_account
    return {"Type": "AWS::Lambda::Permission", "Properties": properties}


def _event_age(settings: Settings, rule: DeployedRule) -> Template:
    """How long Lambda tries an event, where the settings say so. Lambda's own limit is six hours."""
    if settings.maximum_event_age_seconds is None:
        return {}
    camel = rule.camel_name
    properties = {
        "FunctionName": ref(f"{camel}Function"),
        "Qualifier": "$LATEST",
        "MaximumEventAgeInSeconds": settings.maximum_event_age_seconds,
    }
    return {f"{camel}EventAge": {"Type": "AWS::Lambda::EventInvokeConfig", "Properties": properties}}


def _artifact_bucket(settings: Settings) -> object:
    name = settings.artifact_bucket_name("${AWS::AccountId}", "${AWS::Region}")
    return sub(name) if "$" in name else name


def _role_arn(settings: Settings, rule: DeployedRule) -> Template:
    made_here = arn_of(f"{rule.camel_name}Role")
    if len(settings.regions) == 1:
        return made_here
    return fn_if(HOME_REGION, made_here, own_arn("iam", settings.role_resource(settings.function_name(rule)), ""))
