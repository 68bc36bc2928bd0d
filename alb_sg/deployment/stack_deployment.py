"""`deploy-stack`: deploys the rules to one account as a CloudFormation stack in each region."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.exceptions import ClientError, WaiterError

from alb_sg.aws.pages import read_items
from alb_sg.deployment.artifact import Artifact
from alb_sg.deployment.conformance_pack import MAX_TEMPLATE_BYTES
from alb_sg.deployment.documents import documents_template
from alb_sg.deployment.intrinsics import tag_list, template_text
from alb_sg.deployment.lambda_resources import OWNER_TAG
from alb_sg.deployment.landing_zone_template import apply_landing_zone
from alb_sg.deployment.preflight import (
    ArtifactBucket,
    DeploymentError,
    PrintLine,
    artifact_buckets,
    check_documents,
    check_functions,
    require_owner,
)
from alb_sg.deployment.settings import Settings
from alb_sg.deployment.stack import stack_template

# The states in which CloudFormation updates a stack. In others its error does not say what to do.
UPDATABLE_STATUSES = frozenset(
    {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE", "IMPORT_ROLLBACK_COMPLETE"}
)


def deploy_stack(settings: Settings, artifact: Artifact, print_line: PrintLine) -> None:
    """Creates or updates the stack in every region, the home region first. With remediation, a stack with the documents
    comes before it.

    Checks every region before it changes any stack. Raises DeploymentError if a check fails, or if CloudFormation has
    rolled a stack back.
    """
    buckets = artifact_buckets(settings)
    documents = f"{settings.stack_name}-documents"
    for bucket in buckets:
        bucket.check()
        check_functions(settings, bucket.region)
        _check_stack(settings.stack_name, settings, bucket.region)
        if settings.has_remediation:
            check_documents(settings, bucket.region)
            _check_stack(documents, settings, bucket.region)
    for bucket in buckets:
        new = bucket.upload(artifact.key, artifact.content)
        print_line(f"{bucket.region}: {'uploaded' if new else 'already there:'} s3://{bucket.name}/{artifact.key}")
    if settings.landing_zone.code_signing:
        for bucket in buckets:
            bucket.check_signed(artifact.key)
    for bucket in buckets:
        region = bucket.region
        if settings.has_remediation:
            template = apply_landing_zone(settings, documents_template(settings, artifact))
            of_account = dict.fromkeys(template.get("Parameters", {}), bucket.account)
            done = _create_or_update(documents, template_text(template), settings, bucket, of_account)
            print_line(f"{region}: stack {documents} {done}")
        text = template_text(apply_landing_zone(settings, stack_template(settings, artifact.key, region)))
        done = _create_or_update(settings.stack_name, text, settings, bucket)
        print_line(f"{region}: stack {settings.stack_name} {done}")


def _check_stack(name: str, settings: Settings, region: str) -> None:
    stack = find_stack(boto3.client("cloudformation", region_name=region), name)
    if stack is None:
        return
    status = stack["StackStatus"]
    if status == "ROLLBACK_COMPLETE":
        raise DeploymentError(f"stack {name} in {region} failed on creation and is empty; delete it first")
    if status not in UPDATABLE_STATUSES:
        raise DeploymentError(f"stack {name} in {region} is {status}; wait until it finishes, or repair the stack")
    owner = {tag["Key"]: tag["Value"] for tag in stack.get("Tags", [])}.get(OWNER_TAG)
    require_owner(settings, owner, f"stack {name}", region, "choose another stackName")


def find_stack(client: Any, name: str) -> dict[str, Any] | None:
    """The stack of this name, or None."""
    try:
        found: list[dict[str, Any]] = client.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError" and "does not exist" in str(error):
            return None
        raise
    return found[0]


def _template_arguments(name: str, text: str, bucket: ArtifactBucket) -> dict[str, str]:
    """The request's template: its text, or its address in the artifact's bucket if it is too large for a request."""
    content = text.encode()
    if len(content) <= MAX_TEMPLATE_BYTES:
        return {"TemplateBody": text}
    key = f"alb-sg/{name}-{hashlib.sha256(content).hexdigest()[:16]}.yaml"
    bucket.upload(key, content, content_type="application/yaml")
    endpoint = boto3.client("s3", region_name=bucket.region).meta.endpoint_url
    return {"TemplateURL": f"{endpoint}/{bucket.name}/{key}"}


def _create_or_update(
    name: str, template: str, settings: Settings, bucket: ArtifactBucket, parameters: Mapping[str, str] | None = None
) -> str:
    """Returns what happened to the stack, such as "created". If CloudFormation rolls back, raises DeploymentError with
    the resource that failed first."""
    region = bucket.region
    client: Any = boto3.client("cloudformation", region_name=region)
    request = {
        "StackName": name,
        **_template_arguments(name, template, bucket),
        "Capabilities": ["CAPABILITY_NAMED_IAM"],
        # CloudFormation copies it to resources that do not have the tag themselves.
        "Tags": tag_list({OWNER_TAG: settings.stack_name, **settings.landing_zone.tags}),
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in (parameters or {}).items()],
    }
    existing = find_stack(client, name)
    try:
        if existing is None:
            client.create_stack(**request)
        else:
            client.update_stack(**request)
    except ClientError as error:
        if "No updates are to be performed" in str(error):
            return "is up to date"
        raise
    kind = "create" if existing is None else "update"
    try:
        client.get_waiter(f"stack_{kind}_complete").wait(StackName=name, WaiterConfig={"Delay": 5, "MaxAttempts": 240})
    except WaiterError as error:
        reason = first_failed_resource(client, name)
        raise DeploymentError(f"stack {name} in {region} was rolled back: {reason}") from error
    return f"{kind}d"


def first_failed_resource(client: Any, name: str) -> str:
    """The first resource that failed in the latest operation. CloudFormation only cancelled the others."""
    events = read_items(client, "describe_stack_events", {"StackName": name}, "StackEvents")
    failed: list[str] = []
    for event in events:
        if event["ResourceStatus"].endswith("_FAILED"):
            failed.append(f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', 'no reason given')}")
        started = event["ResourceStatus"] in {"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"}
        if started and event["ResourceType"] == "AWS::CloudFormation::Stack":
            break
    return failed[-1] if failed else "CloudFormation's events name no resource"
