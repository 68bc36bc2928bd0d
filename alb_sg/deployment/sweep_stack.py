"""`sweep.yaml`: `alb-sg check` over a lake of snapshots, as a Distributed Map of Step Functions."""

from __future__ import annotations

from alb_sg.deployment.intrinsics import FORMAT_VERSION, Template, arn_of, policy_document, ref, sub
from alb_sg.deployment.jobs import (
    ALARM_CONDITIONS,
    ARTEFACT_PARAMETERS,
    EXEMPTIONS_CONDITIONS,
    EXEMPTIONS_PARAMETER,
    alarm,
    bucket_statements,
    exemptions_policies,
    function,
    private_bucket,
    service_role,
)
from alb_sg.functions.snapshot_batch import (
    EXEMPTIONS_VARIABLE,
    MAX_CONCURRENCY_VARIABLE,
    RESULTS_BUCKET_ACTIONS,
    RESULTS_BUCKET_VARIABLE,
    SNAPSHOT_BUCKET_ACTIONS,
)

NAME = "alb-sg-sweep"
TIMEOUT = 900
# Seconds; a run with all tries of its slowest item.
RUN_TIMEOUT = 86_400
RESULTS_KEPT_DAYS = 90


def sweep_template() -> Template:
    state_machine = sub(f"arn:${{AWS::Partition}}:states:${{AWS::Region}}:${{AWS::AccountId}}:stateMachine:{NAME}")
    executions = sub(f"arn:${{AWS::Partition}}:states:${{AWS::Region}}:${{AWS::AccountId}}:execution:{NAME}*:*")
    return {
        "AWSTemplateFormatVersion": FORMAT_VERSION,
        "Description": "alb-sg: judges the snapshots of AWS Config in a bucket",
        "Parameters": {
            **ARTEFACT_PARAMETERS,
            "SourceBucket": {"Type": "String", "Description": "The bucket that AWS Config delivers snapshots to"},
            **EXEMPTIONS_PARAMETER,
            "MaxConcurrency": {
                "Type": "Number",
                "Description": "How many accounts and regions are judged at the same time",
                "Default": 50,
                "MinValue": 1,
                "MaxValue": 1000,
            },
            "Memory": {
                "Type": "Number",
                "Description": "Megabytes for the largest account and region (docs/sweep.md)",
                "Default": 3008,
                "MinValue": 512,
                "MaxValue": 10240,
            },
            "Storage": {
                "Type": "Number",
                "Description": "Megabytes for the snapshots, as they are stored, of an account and region",
                "Default": 2048,
                "MinValue": 512,
                "MaxValue": 10240,
            },
        },
        "Conditions": {**ALARM_CONDITIONS, **EXEMPTIONS_CONDITIONS},
        "Resources": {
            **private_bucket([{"Id": "Results", "Status": "Enabled", "ExpirationInDays": RESULTS_KEPT_DAYS}]),
            **function(
                NAME,
                "alb_sg.functions.snapshot_batch.lambda_handler",
                description="Judges the snapshots of alb-sg's sweep, step by step",
                statements=[
                    *bucket_statements(
                        SNAPSHOT_BUCKET_ACTIONS,
                        sub("arn:${AWS::Partition}:s3:::${SourceBucket}"),
                        sub("arn:${AWS::Partition}:s3:::${SourceBucket}/*"),
                    ),
                    *bucket_statements(RESULTS_BUCKET_ACTIONS, arn_of("Bucket"), sub("${Bucket.Arn}/*")),
                ],
                environment={
                    EXEMPTIONS_VARIABLE: ref("Exemptions"),
                    RESULTS_BUCKET_VARIABLE: ref("Bucket"),
                    MAX_CONCURRENCY_VARIABLE: ref("MaxConcurrency"),
                },
                memory=ref("Memory"),
                timeout=TIMEOUT,
                storage=ref("Storage"),
            ),
            **exemptions_policies(),
            "SweepRole": service_role("states.amazonaws.com", "What the state machine of the sweep may do", []),
            "SweepPolicy": {
                "Type": "AWS::IAM::Policy",
                "Properties": {
                    "PolicyName": "sweep",
                    "Roles": [ref("SweepRole")],
                    "PolicyDocument": policy_document(
                        [
                            {"Effect": "Allow", "Action": ["lambda:InvokeFunction"], "Resource": arn_of("Function")},
                            {"Effect": "Allow", "Action": ["states:StartExecution"], "Resource": state_machine},
                            {
                                "Effect": "Allow",
                                "Action": [
                                    "states:DescribeExecution",
                                    "states:RedriveExecution",
                                    "states:StopExecution",
                                ],
                                "Resource": executions,
                            },
                            {
                                "Effect": "Allow",
                                "Action": ["s3:GetObject"],
                                "Resource": sub("${Bucket.Arn}/*/items-*.json"),
                            },
                            {
                                "Effect": "Allow",
                                "Action": [
                                    "s3:AbortMultipartUpload",
                                    "s3:GetObject",
                                    "s3:ListMultipartUploadParts",
                                    "s3:PutObject",
                                ],
                                "Resource": sub("${Bucket.Arn}/*/map/*"),
                            },
                        ]
                    ),
                },
            },
            "Sweep": {
                "Type": "AWS::StepFunctions::StateMachine",
                "DependsOn": "SweepPolicy",
                "Properties": {
                    "StateMachineName": NAME,
                    "StateMachineType": "STANDARD",
                    "RoleArn": arn_of("SweepRole"),
                    "Definition": definition(),
                    "DefinitionSubstitutions": {
                        "FunctionArn": arn_of("Function"),
                        "GetObject": sub("arn:${AWS::Partition}:states:::s3:getObject"),
                        "Invoke": sub("arn:${AWS::Partition}:states:::lambda:invoke"),
                        "PutObject": sub("arn:${AWS::Partition}:states:::s3:putObject"),
                        "ResultsBucket": ref("Bucket"),
                    },
                },
            },
            "SweepAlarm": alarm(
                f"{NAME}-incomplete",
                "A sweep has not judged everything; summary.json and findings.jsonl of the run name what is missing",
                "AWS/States",
                "ExecutionsFailed",
                {"StateMachineArn": ref("Sweep")},
            ),
        },
        "Outputs": {
            "StateMachineArn": {"Description": "Start an execution of this", "Value": ref("Sweep")},
            "BucketName": {"Description": "Where results are, by the execution's name", "Value": ref("Bucket")},
        },
    }


def definition() -> Template:
    """The states. `${…}` are put in by CloudFormation.

    Whatever happens to a call it is made again, for every step may be: out of memory, out of time, killed. What fails
    in the end for one account and region does not stop the others; `merge` finds no result for it, and says so.
    """
    return {
        "Comment": "alb-sg check over the snapshots of AWS Config, an account and region at a time",
        "TimeoutSeconds": RUN_TIMEOUT,
        "StartAt": "Plan",
        "States": {
            "Plan": _task(
                {
                    "step": "plan",
                    "run.$": "$$.Execution.Name",
                    "time.$": "$$.Execution.StartTime",
                    "source.$": "$.source",
                    "parameters.$": "$.parameters",
                },
                "Judge",
            ),
            "Judge": {
                "Type": "Map",
                "Label": "Judge",
                "MaxConcurrencyPath": "$.maxConcurrency",
                "ItemReader": {
                    "Resource": "${GetObject}",
                    "ReaderConfig": {"InputType": "JSON"},
                    "Parameters": {"Bucket": "${ResultsBucket}", "Key.$": "$.key"},
                },
                "ItemSelector": {"step": "judge", "run.$": "$$.Execution.Name", "item.$": "$$.Map.Item.Value"},
                "ItemProcessor": {
                    "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                    "StartAt": "JudgeOne",
                    "States": {
                        "JudgeOne": {
                            **_invoke("$"),
                            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "GivenUp"}],
                            "End": True,
                        },
                        "GivenUp": {"Type": "Pass", "Comment": "merge names what has no result", "End": True},
                    },
                },
                "ResultWriter": {
                    "Resource": "${PutObject}",
                    "Parameters": {
                        "Bucket": "${ResultsBucket}",
                        "Prefix.$": "States.Format('{}/map', $$.Execution.Name)",
                    },
                },
                "ResultPath": "$.written",
                "Next": "Connect",
            },
            "Connect": _task(
                {"step": "connect", "run.$": "$$.Execution.Name", "round.$": "$.round"}, "AnyToJudgeAgain"
            ),
            "AnyToJudgeAgain": {
                "Type": "Choice",
                "Choices": [{"Variable": "$.items", "NumericGreaterThan": 0, "Next": "Judge"}],
                "Default": "Merge",
            },
            "Merge": _task({"step": "merge", "run.$": "$$.Execution.Name", "round.$": "$.round"}, "AnyErrors"),
            "AnyErrors": {
                "Type": "Choice",
                "Choices": [{"Variable": "$.errors", "NumericGreaterThan": 0, "Next": "Incomplete"}],
                "Default": "Complete",
            },
            "Incomplete": {
                "Type": "Fail",
                "Error": "Incomplete",
                "CausePath": "States.Format('{} things could not be judged; {} names them', $.errors, $.results)",
            },
            "Complete": {"Type": "Succeed"},
        },
    }


def _task(event: Template, following: str) -> Template:
    return {**_invoke(event), "Next": following}


def _invoke(event: object) -> Template:
    payload = {"Payload.$": event} if isinstance(event, str) else {"Payload": event}
    return {
        "Type": "Task",
        "Resource": "${Invoke}",
        "TimeoutSeconds": TIMEOUT + 60,
        "Parameters": {"FunctionName": "${FunctionArn}", **payload},
        "OutputPath": "$.Payload",
        "Retry": [
            # Another try would say the same.
            {"ErrorEquals": ["InvalidInputError"], "MaxAttempts": 0},
            {
                "ErrorEquals": ["States.ALL"],
                "IntervalSeconds": 2,
                "MaxAttempts": 5,
                "BackoffRate": 2,
                "MaxDelaySeconds": 60,
                "JitterStrategy": "FULL",
            },
        ],
    }
