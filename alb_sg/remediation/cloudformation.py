"""The rules to add as a CloudFormation template, whose resources a reader copies into their own."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator

from alb_sg.parameters import PREFIX_LIST_ID, SECURITY_GROUP_ID
from alb_sg.permissions.allowed_traffic import Direction
from alb_sg.remediation.api_calls import group_description, rule_description
from alb_sg.remediation.plan import PeerKind
from alb_sg.remediation.snippets import Snippet

# For a group without outbound rules, CloudFormation keeps EC2's default rule, which allows everything. This rule
# allows no real traffic (the CDK uses it too).
NO_EGRESS: tuple[tuple[str, str | int], ...] = (
    ("IpProtocol", "icmp"),
    ("FromPort", 252),
    ("ToPort", 86),
    ("CidrIp", "255.255.255.255/32"),
    ("Description", "lets nothing out"),
)
# The properties that name a rule's peer, inbound and outbound.
PEER_PROPERTIES = {
    PeerKind.IPV4: ("CidrIp", "CidrIp"),
    PeerKind.IPV6: ("CidrIpv6", "CidrIpv6"),
    PeerKind.PREFIX_LIST: ("SourcePrefixListId", "DestinationPrefixListId"),
    PeerKind.SECURITY_GROUP: ("SourceSecurityGroupId", "DestinationSecurityGroupId"),
}


def render_cloudformation(snippets: Iterable[Snippet]) -> str:
    """A template in YAML; an empty text if there is nothing to add."""
    lines = [line for snippet in snippets for line in _resources(snippet)]
    if not lines:
        return ""
    head = ['AWSTemplateFormatVersion: "2010-09-09"', "Resources:"]
    return "\n".join((*head, *lines)) + "\n"


def _resources(snippet: Snippet) -> Iterator[str]:
    prefix = "AlbSg" + "".join(part.capitalize() for part in snippet.name.split("_"))
    yield from (f"  # {comment}" for comment in snippet.comments)
    if snippet.group_name is not None:
        yield f"  {prefix}Group:"
        yield "    Type: AWS::EC2::SecurityGroup"
        yield "    Properties:"
        yield f"      GroupName: {_yaml_string(snippet.group_name)}"
        yield f"      GroupDescription: {_yaml_string(group_description(snippet.load_balancer))}"
        yield f"      VpcId: {_identifier(snippet.load_balancer.vpc_id, snippet)}"
        yield "      SecurityGroupEgress:"
        for index, (key, value) in enumerate(NO_EGRESS):
            yield f"        {'- ' if index == 0 else '  '}{key}: {_yaml_string(value)}"
    for number, addition in enumerate(snippet.additions, 1):
        name = "Ingress" if addition.direction is Direction.INGRESS else "Egress"
        group = (
            f"!GetAtt {prefix}Group.GroupId" if addition.group_id is None else _identifier(addition.group_id, snippet)
        )
        yield f"  {prefix}{name}{number}:"
        yield f"    Type: AWS::EC2::SecurityGroup{name}"
        place = None if addition.group_id is None else snippet.document.places.get(addition.group_id)
        if place is not None and place.condition is not None:
            # Without it, the rule would name a group that is not created.
            yield f"    Condition: {_yaml_string(place.condition)}"
        yield "    Properties:"
        yield f"      GroupId: {group}"
        yield f"      IpProtocol: {_yaml_string(addition.permission.protocol)}"
        yield f"      FromPort: {addition.permission.from_port}"
        yield f"      ToPort: {addition.permission.to_port}"
        inbound, outbound = PEER_PROPERTIES[addition.peer_kind]
        is_identifier = addition.peer_kind in (PeerKind.SECURITY_GROUP, PeerKind.PREFIX_LIST)
        peer = _identifier(addition.peer, snippet) if is_identifier else _yaml_string(addition.peer)
        yield f"      {inbound if name == 'Ingress' else outbound}: {peer}"
        yield f"      Description: {_yaml_string(rule_description(addition))}"


def _identifier(identifier: str, snippet: Snippet) -> str:
    """A VPC, security group or prefix list: its identifier, or a reference if a template describes it."""
    name = snippet.document.name_of(identifier)
    if name.startswith("vpc-") or SECURITY_GROUP_ID.fullmatch(name) or PREFIX_LIST_ID.fullmatch(name):
        return _yaml_string(name)
    # The address of a planned resource ends with its logical ID, after the names of its stacks.
    return f"!Ref {re.split('[./]', name)[-1]}"


def _yaml_string(value: str | int) -> str:
    # JSON is a subset of YAML.
    return json.dumps(value)
