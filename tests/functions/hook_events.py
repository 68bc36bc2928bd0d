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


def new_load_balancer(
    vpc_id: str,
    subnet_ids: Sequence[str],
    ingress_port: int,
    *,
    cidr: str = "0.0.0.0/0",
    scheme: str = "internet-facing",
) -> dict[str, Any]:
    """The payload of a change set that makes a load balancer, which listens on 443, with its own group. Identifiers are
    not known before they are created."""
    rule = {"IpProtocol": "tcp", "FromPort": ingress_port, "ToPort": ingress_port, "CidrIp": cidr}
    group = {"VpcId": vpc_id, "GroupDescription": "lb"}
    shop = {"Scheme": scheme, "Subnets": list(subnet_ids)}
    https = {"Port": 443, "Protocol": "HTTPS", "DefaultActions": [{"Type": "fixed-response"}]}
    resources = {
        "Group": {"Type": GROUP, "Properties": group},
        "Rule": {"Type": INGRESS, "Properties": {**rule, "GroupId": {"Fn::GetAtt": ["Group", "GroupId"]}}},
        "Shop": {"Type": LOAD_BALANCER, "Properties": {**shop, "SecurityGroups": [{"Ref": "Group"}]}},
        "Https": {"Type": LISTENER, "Properties": {**https, "LoadBalancerArn": {"Ref": "Shop"}}},
    }
    return payload(
        resources,
        [
            changed("Group", GROUP, after=group),
            changed("Rule", INGRESS, after={**rule, "GroupId": UNKNOWN}),
            changed("Shop", LOAD_BALANCER, after={**shop, "SecurityGroups": [UNKNOWN]}),
            changed("Https", LISTENER, after={**https, "LoadBalancerArn": UNKNOWN}),
        ],
    )


def _as_text(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _as_text(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_as_text(one) for one in value]
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)
