"""`deploy-stack`: the rules in one account, as one CloudFormation stack in each region."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import ClientError, WaiterError

from alb_sg.deployment.account import (
    NotDeployed,
    account_id,
    check_bucket,
    check_documents,
    check_functions,
    upload,
)
from alb_sg.deployment.artefact import Artefact
from alb_sg.deployment.conformance_pack import TEMPLATE_LIMIT
from alb_sg.deployment.documents import documents_template
from alb_sg.deployment.functions import OWNER_TAG
from alb_sg.deployment.intrinsics import template_text
from alb_sg.deployment.settings import Settings
from alb_sg.deployment.stack import stack_template

Say = Callable[[str], None]

# Stacks in these can be updated; in others CloudFormation refuses, in words that do not say what to do.
UPDATABLE = frozenset(
    {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE", "IMPORT_ROLLBACK_COMPLETE"}
)


def deploy_stack(settings: Settings, artefact: Artefact, say: Say) -> None:
    """Creates or updates the stack in every region, the home region first; before it, where remediation is asked for,
    one with the documents.

    Everything that can be known beforehand is asked in every region before anything is changed in one. Raises
    NotDeployed; what CloudFormation refuses it has rolled back.
    """
    account = account_id()
    documents = f"{settings.stack_name}-documents"
    for region in settings.regions:
        check_bucket(settings.bucket(account, region), account, region)
        check_functions(settings, region)
        _check_stack(settings.stack_name, settings, region)
        if settings.remedied:
            check_documents(settings, region)
            _check_stack(documents, settings, region)
    for region in settings.regions:
        bucket = settings.bucket(account, region)
        new = upload(bucket, artefact.key, artefact.content, account, region)
        say(f"{region}: {'uploaded' if new else 'already there:'} s3://{bucket}/{artefact.key}")
    for region in settings.regions:
        target = _Target(settings, account, region)
        if settings.remedied:
            template = documents_template(settings, artefact)
            of_account = dict.fromkeys(template.get("Parameters", {}), account)
            done = _create_or_update(documents, template_text(template), target, of_account)
            say(f"{region}: stack {documents} {done}")
        text = template_text(stack_template(settings, artefact.key, region))
        done = _create_or_update(settings.stack_name, text, target)
        say(f"{region}: stack {settings.stack_name} {done}")


def _check_stack(name: str, settings: Settings, region: str) -> None:
    stack = find_stack(boto3.client("cloudformation", region_name=region), name)
    if stack is None:
        return
    status = stack["StackStatus"]
    if status == "ROLLBACK_COMPLETE":
        raise NotDeployed(f"stack {name} in {region} failed when it was created; delete it first, nothing is in it")
    if status not in UPDATABLE:
        raise NotDeployed(f"stack {name} in {region} is {status}; wait until that has ended, or repair it")
    owner = {tag["Key"]: tag["Value"] for tag in stack.get("Tags", [])}.get(OWNER_TAG)
    if owner != settings.stack_name:
        raise NotDeployed(
            f"stack {name} exists in {region} and is not one of alb-sg's (its tag {OWNER_TAG}); choose another "
            "stackName"
        )


def find_stack(client: Any, name: str) -> dict[str, Any] | None:
    """A stack that is there; None where there is none of this name."""
    try:
        found: list[dict[str, Any]] = client.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError" and "does not exist" in str(error):
            return None
        raise
    return found[0]


@dataclass(frozen=True, slots=True)
class _Target:
    settings: Settings
    account: str
    region: str


def _template(name: str, text: str, target: _Target) -> dict[str, str]:
    """A template as CloudFormation takes it: as text, or from the artefact's bucket where it is too long for that."""
    content = text.encode()
    if len(content) <= TEMPLATE_LIMIT:
        return {"TemplateBody": text}
    bucket = target.settings.bucket(target.account, target.region)
    key = f"alb-sg/{name}-{hashlib.sha256(content).hexdigest()[:16]}.yaml"
    upload(bucket, key, content, target.account, target.region, content_type="application/yaml")
    endpoint = boto3.client("s3", region_name=target.region).meta.endpoint_url
    return {"TemplateURL": f"{endpoint}/{bucket}/{key}"}


def _create_or_update(name: str, template: str, target: _Target, parameters: Mapping[str, str] | None = None) -> str:
    """What was done. Raises NotDeployed with the resource that failed first, after CloudFormation has rolled back."""
    region = target.region
    client: Any = boto3.client("cloudformation", region_name=region)
    request = {
        "StackName": name,
        **_template(name, template, target),
        "Capabilities": ["CAPABILITY_NAMED_IAM"],
        # CloudFormation gives it to resources too, which have the same tag of their own.
        "Tags": [{"Key": OWNER_TAG, "Value": target.settings.stack_name}],
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
        reason = first_failure(client, name)
        raise NotDeployed(f"stack {name} in {region} was rolled back: {reason}") from error
    return f"{kind}d"


def first_failure(client: Any, name: str) -> str:
    """The latest operation's first failed resource; what failed after it was only cancelled."""
    events = client.describe_stack_events(StackName=name)["StackEvents"]
    failed: list[str] = []
    for event in events:
        if event["ResourceStatus"].endswith("_FAILED"):
            failed.append(f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', 'no reason given')}")
        started = event["ResourceStatus"] in {"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"}
        if started and event["ResourceType"] == "AWS::CloudFormation::Stack":
            break
    return failed[-1] if failed else "CloudFormation's events name no resource"
