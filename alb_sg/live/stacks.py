"""CloudFormation stacks of an account and region, as templates that update them need to know them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from alb_sg.aws.client_errors import AWS_ERRORS, error_code, error_text
from alb_sg.aws.pages import read_items
from alb_sg.errors import NotReadError
from alb_sg.estate.planned.deployed_stack import DeployedResource, DeployedStack, deployed_resources
from alb_sg.estate.planned.resource_types import NESTED_STACK

STACK_ACTIONS = ("cloudformation:DescribeStacks", "cloudformation:ListStackResources")
# A stack whose first change set has not been executed, and one that is deleted.
_WITHOUT_RESOURCES = ("REVIEW_IN_PROGRESS", "DELETE_COMPLETE")
# What CloudFormation shows of a NoEcho parameter.
_HIDDEN = "****"


def read_stack(client: Any, name: str, template: bytes | None = None) -> DeployedStack | None:
    """A stack by its name or ARN, with its nested stacks; None if it does not exist or has no resources yet.

    `template` is the deployed template if the caller knows it, and then nested stacks are left out.
    Raises NotReadError.
    """
    described = _describe(client, name)
    if described is None or described.get("StackStatus") in _WITHOUT_RESOURCES:
        return None
    identifier = described.get("StackId") or name
    resources = read_stack_resources(client, identifier)
    nested = {}
    if template is None:
        for logical_id, one in resources.items():
            if one.type == NESTED_STACK:
                found = read_stack(client, one.physical_id)
                if found is not None:
                    nested[logical_id] = found
    return DeployedStack(
        described["StackName"],
        resources,
        _template(client, identifier) if template is None else template,
        _parameters(described),
        nested,
    )


def read_stack_resources(client: Any, name: str) -> dict[str, DeployedResource]:
    """The resources of a stack by logical ID. Raises NotReadError."""
    try:
        found = read_items(client, "list_stack_resources", {"StackName": name}, "StackResourceSummaries")
        return deployed_resources(list(found))
    except AWS_ERRORS as error:
        raise NotReadError(f"resources of stack {name}", error_text(error, "ListStackResources")) from error


def _describe(client: Any, name: str) -> Mapping[str, Any] | None:
    try:
        found: Mapping[str, Any] = client.describe_stacks(StackName=name)["Stacks"][0]
    except AWS_ERRORS as error:
        if error_code(error) == "ValidationError" and "does not exist" in str(error):
            return None
        raise NotReadError(f"stack {name}", error_text(error, "DescribeStacks")) from error
    return found


def _parameters(described: Mapping[str, Any]) -> dict[str, str]:
    return {
        one["ParameterKey"]: one["ParameterValue"]
        for one in described.get("Parameters") or ()
        if one.get("ParameterValue") is not None and one["ParameterValue"] != _HIDDEN
    }


def _template(client: Any, name: str) -> bytes:
    """The template after its transforms, as it was deployed."""
    try:
        body = client.get_template(StackName=name, TemplateStage="Processed")["TemplateBody"]
    except AWS_ERRORS as error:
        raise NotReadError(f"template of stack {name}", error_text(error, "GetTemplate")) from error
    # botocore decodes templates in JSON.
    return (body if isinstance(body, str) else json.dumps(body)).encode()
