"""What the templates in deploy/ have in common: a function that is no rule's, with its role, log, queue and alarm, and
a bucket that nobody else reads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from alb_sg.deployment.intrinsics import Template, arn_of, fn_if, is_not_empty, no_value, policy_document, ref, sub
from alb_sg.deployment.lambda_resources import QUEUE_RETENTION
from alb_sg.exemptions.aws_document import READ_ACTIONS
from alb_sg.exemptions.location import S3Object, SsmParameter
from alb_sg.yaml_text import to_yaml

RUNTIME = "python3.13"
LOG_RETENTION_DAYS = 90
# Days.
OLD_VERSIONS = 30
UNFINISHED_UPLOADS = 7

ARTEFACT_PARAMETERS: Template = {
    "ArtefactBucket": {
        "Type": "String",
        "Description": "The bucket of this region that `python -m alb_sg.deployment upload` has put the artefact into",
    },
    "ArtefactKey": {
        "Type": "String",
        "Description": "Its key there, as that command prints it",
        "AllowedPattern": "^alb-sg/alb-sg-.+\\.zip$",
    },
    "AlarmTopicArn": {
        "Type": "String",
        "Description": "Topic of SNS that is told of failures; empty for none",
        "Default": "",
    },
}
ALARM_CONDITIONS: Template = {"HasAlarmTopic": is_not_empty("AlarmTopicArn")}

# As the rules' parameter takes them, but for a key's `*`, `?` and `$`: to IAM these are more than one object.
EXEMPTIONS_PARAMETER: Template = {
    "Exemptions": {
        "Type": "String",
        "Description": "Where exemptions are kept, s3://bucket/key or ssm:/parameter/name; empty for none",
        "Default": "",
        "AllowedPattern": "^(s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/[^*?$]*[^*?$/]|ssm:/?[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*)?$",
    }
}
EXEMPTIONS_CONDITIONS: Template = {
    # What stands before the first colon; there is one after nothing, too.
    condition: {"Fn::Equals": [{"Fn::Select": [0, {"Fn::Split": [":", sub("${Exemptions}:")]}]}, scheme]}
    for condition, scheme in (("ExemptionsInS3", "s3"), ("ExemptionsInSsm", "ssm"))
}

MADE_BY = "# Made by `make generate`; do not edit.\n"


def text_of(template: Template) -> str:
    return MADE_BY + to_yaml(template)


def service_role(service: str, description: str, statements: Sequence[Template]) -> Template:
    """A role of a service, for what is of this account; without statements, others put a policy on it."""
    inline = [{"PolicyName": "job", "PolicyDocument": policy_document(statements)}] if statements else no_value()
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "Description": description,
            "AssumeRolePolicyDocument": policy_document(
                [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": service},
                        "Action": "sts:AssumeRole",
                        "Condition": {"StringEquals": {"aws:SourceAccount": ref("AWS::AccountId")}},
                    }
                    if service != "lambda.amazonaws.com"
                    else {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
                ]
            ),
            "Policies": inline,
        },
    }


def function(
    name: str,
    handler: str,
    *,
    description: str,
    statements: Sequence[Template],
    environment: Mapping[str, object],
    memory: object,
    timeout: int,
    storage: object | None = None,
) -> Template:
    """A function and all that belongs to it, as resources `Function`, `FunctionRole`, `FunctionLog`, `FunctionFailed`
    and `FunctionAlarm`. `storage`: megabytes in /tmp."""
    own = [
        {
            "Sid": "WriteOwnLog",
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": sub(
                f"arn:${{AWS::Partition}}:logs:${{AWS::Region}}:${{AWS::AccountId}}:log-group:/aws/lambda/{name}:*"
            ),
        },
        {
            "Sid": "LeaveFailedEvents",
            "Effect": "Allow",
            "Action": ["sqs:SendMessage"],
            "Resource": arn_of("FunctionFailed"),
        },
    ]
    properties: Template = {
        "FunctionName": name,
        "Description": description,
        "Runtime": RUNTIME,
        "Handler": handler,
        "Code": {"S3Bucket": ref("ArtefactBucket"), "S3Key": ref("ArtefactKey")},
        "Role": arn_of("FunctionRole"),
        "MemorySize": memory,
        "Timeout": timeout,
        "DeadLetterConfig": {"TargetArn": arn_of("FunctionFailed")},
        "Environment": {"Variables": dict(environment)},
    }
    if storage is not None:
        properties["EphemeralStorage"] = {"Size": storage}
    return {
        "FunctionRole": service_role("lambda.amazonaws.com", f"What the function {name} may do", [*own, *statements]),
        "FunctionLog": {
            "Type": "AWS::Logs::LogGroup",
            "Properties": {"LogGroupName": f"/aws/lambda/{name}", "RetentionInDays": LOG_RETENTION_DAYS},
        },
        "FunctionFailed": queue(),
        "Function": {"Type": "AWS::Lambda::Function", "DependsOn": "FunctionLog", "Properties": properties},
        "FunctionAlarm": alarm(
            f"{name}-failed",
            f"{name} did not do all of its work; its log says why",
            "AWS/Lambda",
            "Errors",
            {"FunctionName": ref("Function")},
        ),
    }


def exemptions_policies() -> Template:
    """That the function reads what `Exemptions` names: an object, or a parameter of this account and region."""
    key = _without("s3://", ref("Exemptions"))
    # A parameter's ARN has one slash, whether its name begins with one or not.
    name = _without("ssm:", _without("ssm:/", ref("Exemptions")))
    parameter = "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/${Name}"
    return {
        f"Read{condition}": {
            "Type": "AWS::IAM::Policy",
            "Condition": condition,
            "Properties": {
                "PolicyName": "exemptions",
                "Roles": [ref("FunctionRole")],
                "PolicyDocument": policy_document(
                    [
                        {
                            "Effect": "Allow",
                            "Action": [READ_ACTIONS[kind]],
                            "Resource": {"Fn::Sub": [text, {"Name": named}]},
                        }
                    ]
                ),
            },
        }
        for condition, kind, text, named in (
            ("ExemptionsInS3", S3Object, "arn:${AWS::Partition}:s3:::${Name}", key),
            ("ExemptionsInSsm", SsmParameter, parameter, name),
        )
    }


def _without(part: str, text: Template) -> Template:
    return {"Fn::Join": ["", {"Fn::Split": [part, text]}]}


def queue() -> Template:
    return {
        "Type": "AWS::SQS::Queue",
        "Properties": {"MessageRetentionPeriod": QUEUE_RETENTION, "SqsManagedSseEnabled": True},
    }


def queue_policy(queue_id: str, rule_id: str) -> Template:
    """That EventBridge leaves in a queue what a rule could not deliver."""
    return {
        "Type": "AWS::SQS::QueuePolicy",
        "Properties": {
            "Queues": [ref(queue_id)],
            "PolicyDocument": policy_document(
                [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "events.amazonaws.com"},
                        "Action": "sqs:SendMessage",
                        "Resource": arn_of(queue_id),
                        "Condition": {"ArnEquals": {"aws:SourceArn": arn_of(rule_id)}},
                    }
                ]
            ),
        },
    }


def alarm(name: str, description: str, namespace: str, metric: str, dimensions: Mapping[str, object]) -> Template:
    """An alarm at the first of what a metric counts."""
    return {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {
            "AlarmName": name,
            "AlarmDescription": description,
            "Namespace": namespace,
            "MetricName": metric,
            "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
            "Statistic": "Maximum" if namespace == "AWS/SQS" else "Sum",
            "Period": 300,
            "EvaluationPeriods": 1,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "Threshold": 1,
            "TreatMissingData": "notBreaching",
            "AlarmActions": fn_if("HasAlarmTopic", [ref("AlarmTopicArn")], no_value()),
        },
    }


def private_bucket(lifecycle: Sequence[Template] = ()) -> Template:
    """`TokenBucket`, which stays when the stack goes, and `BucketPolicy`: private, encrypted, versioned, over TLS
    alone."""
    return {
        "Bucket": {
            "Type": "AWS::S3::Bucket",
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            "Properties": {
                "BucketEncryption": {
                    "ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
                },
                "LifecycleConfiguration": {
                    "Rules": [
                        {
                            "Id": "OldVersions",
                            "Status": "Enabled",
                            "NoncurrentVersionExpiration": {"NoncurrentDays": OLD_VERSIONS},
                            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": UNFINISHED_UPLOADS},
                        },
                        *lifecycle,
                    ]
                },
                "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
                "PublicAccessBlockConfiguration": dict.fromkeys(
                    ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True
                ),
                "VersioningConfiguration": {"Status": "Enabled"},
            },
        },
        "BucketPolicy": {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {
                "Bucket": ref("Bucket"),
                "PolicyDocument": policy_document(
                    [
                        {
                            "Sid": "OverTlsAlone",
                            "Effect": "Deny",
                            "Principal": "*",
                            "Action": "s3:*",
                            "Resource": [arn_of("Bucket"), sub("${Bucket.Arn}/*")],
                            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                        }
                    ]
                ),
            },
        },
    }


def bucket_statements(actions: Sequence[str], bucket_arn: object, objects_arn: object) -> list[Template]:
    """What may be done with a bucket and with its objects: listing is a right on the bucket, all others on objects."""
    listing = sorted(action for action in actions if action == "s3:ListBucket")
    others = sorted(set(actions) - set(listing))
    return [
        {"Effect": "Allow", "Action": listing, "Resource": bucket_arn},
        {"Effect": "Allow", "Action": others, "Resource": objects_arn},
    ]
