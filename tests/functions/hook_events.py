"""Events and payloads of CloudFormation Hooks, in the shapes of the CloudFormation Hooks user guide."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from alb_sg.estate.planned.change_set import MARKER
from embedded_aws.account import ACCOUNT_ID, REGION

STACK = f"arn:aws:cloudformation:{REGION}:{ACCOUNT_ID}:stack/web/1a2b3c4d-5e6f-11f0-9a0b-0affd1e2f3a4"
UNKNOWN = MARKER
LOAD_BALANCER = "AWS::ElasticLoadBalancingV2::LoadBalancer"
LISTENER = "AWS::ElasticLoadBalancingV2::Listener"
GROUP = "AWS::EC2::SecurityGroup"
INGRESS = "AWS::EC2::SecurityGroupIngress"


def event(
    target: str = "CHANGE_SET", url: str = "https://bucket.s3.amazonaws.com/payload", **changes: Any
) -> dict[str, Any]:
    """An event, with the spelling of change sets or that of stacks."""
    spelled = {"stackID": STACK, "clientRequesttoken": "token"}
    if target == "STACK":
        spelled = {"stackId": STACK, "clientRequestToken": "token"}
    return {
        "awsAccountId": ACCOUNT_ID,
        "changeSetId": STACK.replace(":stack/", ":changeSet/"),
        "hookTypeName": "AlbSg::SecurityGroups::Hook",
        "hookTypeVersion": "00000001",
        "hookModel": {"LambdaFunction": "arn:aws:lambda:us-east-1:123456789012:function:alb-sg-hook"},
        "actionInvocationPoint": "CREATE_PRE_PROVISION",
        "requestData": {"targetName": target, "targetType": target, "targetLogicalId": STACK, "payload": url},
        "requestContext": {"invocation": 1, "callbackContext": None},
        **spelled,
        **changes,
    }


def changed(
    logical_id: str,
    kind: str,
    action: str = "CREATE",
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    **attributes: str,
) -> dict[str, Any]:
    """A changed resource, whose contexts are JSON in which every number and boolean is text."""
    found: dict[str, Any] = {"logicalResourceId": logical_id, "resourceType": kind, "action": action, "lineNumber": 3}
    for name, properties in (("beforeContext", before), ("afterContext", after)):
        if properties is not None:
            found[name] = json.dumps({"Properties": _as_text(properties), **attributes})
    return found


def payload(resources: Mapping[str, Any], entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The payload of a change set."""
    return {"template": json.dumps({"Resources": resources}), "changedResources": list(entries)}


def _as_text(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _as_text(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_as_text(one) for one in value]
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)
