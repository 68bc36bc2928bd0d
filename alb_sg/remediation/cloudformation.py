"""Rules to add as a CloudFormation template, to take the resources of it over into one's own."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from alb_sg.estate.cidr import Family, parse_cidr
from alb_sg.permissions.allowed_traffic import Direction
from alb_sg.remediation.api_calls import group_description, rule_description
from alb_sg.remediation.plan import Addition
from alb_sg.remediation.snippets import Snippet

# Without an outbound rule CloudFormation leaves the one to everywhere; this one lets nothing out (CDK has it too).
NO_EGRESS: tuple[tuple[str, str | int], ...] = (
    ("IpProtocol", "icmp"),
    ("FromPort", 252),
    ("ToPort", 86),
    ("CidrIp", "255.255.255.255/32"),
    ("Description", "lets nothing out"),
)


def render_cloudformation(snippets: Iterable[Snippet]) -> str:
    """A template in YAML; empty text where there is nothing to add."""
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
        yield f"      VpcId: {_yaml_string(snippet.load_balancer.vpc_id)}"
        yield "      SecurityGroupEgress:"
        for index, (key, value) in enumerate(NO_EGRESS):
            yield f"        {'- ' if index == 0 else '  '}{key}: {_yaml_string(value)}"
    for number, addition in enumerate(snippet.additions, 1):
        name = "Ingress" if addition.direction is Direction.INGRESS else "Egress"
        group = f"!GetAtt {prefix}Group.GroupId" if addition.group_id is None else _yaml_string(addition.group_id)
        yield f"  {prefix}{name}{number}:"
        yield f"    Type: AWS::EC2::SecurityGroup{name}"
        yield "    Properties:"
        yield f"      GroupId: {group}"
        yield f"      IpProtocol: {_yaml_string(addition.permission.protocol)}"
        yield f"      FromPort: {addition.permission.from_port}"
        yield f"      ToPort: {addition.permission.to_port}"
        yield f"      {_peer_property(addition)}: {_yaml_string(addition.peer)}"
        yield f"      Description: {_yaml_string(rule_description(addition))}"


def _peer_property(addition: Addition) -> str:
    side = "Source" if addition.direction is Direction.INGRESS else "Destination"
    if addition.permission.references:
        return f"{side}SecurityGroupId"
    if addition.permission.prefix_list_ids:
        return f"{side}PrefixListId"
    return "CidrIp" if parse_cidr(addition.peer)[0] is Family.IPV4 else "CidrIpv6"


def _yaml_string(value: str | int) -> str:
    # A JSON text is one of YAML.
    return json.dumps(value)
