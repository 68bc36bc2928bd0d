"""Which resources of a deployment each load balancer depends on.

A large template has many conditions, and few of them matter for one load balancer. So the ways of deploying it are
enumerated for each load balancer apart, with the resources that may decide its verdicts.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from alb_sg.estate.field_readers import texts_in
from alb_sg.estate.planned import resource_types as types
from alb_sg.estate.planned.template_properties import keep_deciding_keys
from alb_sg.estate.planned.template_references import names_in
from alb_sg.estate.planned.template_stacks import Deployment, Stack
from alb_sg.estate.planned.template_types import DECIDING_PROPERTIES

# The properties through which a resource changes or uses the one that it names. A load balancer that depends on the
# named resource depends on this one, too. Which instances carry a group is not among them: no template says it of all.
ACTING_PROPERTIES: Mapping[str, frozenset[str]] = {
    name: frozenset(properties)
    for name, properties in {
        types.LOAD_BALANCER: ("SecurityGroups",),
        types.LISTENER: ("LoadBalancerArn", "DefaultActions"),
        types.LISTENER_RULE: ("ListenerArn", "Actions"),
        types.TARGET_GROUP: ("Targets",),
        types.SECURITY_GROUP_INGRESS: ("GroupId", "GroupName"),
        types.SECURITY_GROUP_EGRESS: ("GroupId",),
        types.VPC_CIDR_BLOCK: ("VpcId",),
        types.SUBNET_CIDR_BLOCK: ("SubnetId",),
        types.SECURITY_GROUP_VPC_ASSOCIATION: ("GroupId",),
        # A target may be the address of an interface.
        types.NETWORK_INTERFACE: ("PrivateIpAddress", "PrivateIpAddresses", "Ipv6Addresses"),
        types.INSTANCE: ("PrivateIpAddress",),
        types.NETWORK_INTERFACE_ATTACHMENT: ("InstanceId", "NetworkInterfaceId"),
        types.AUTO_SCALING_GROUP: ("TargetGroupARNs", "TrafficSources"),
        types.ECS_SERVICE: ("LoadBalancers",),
        types.ECS_TASK_SET: ("LoadBalancers",),
        types.SPOT_FLEET: ("SpotFleetRequestConfigData",),
        types.NESTED_STACK: ("Parameters",),
    }.items()
}
IMPORT = "Fn::ImportValue"
GET_STACK_OUTPUT = "Fn::GetStackOutput"
ADDRESS = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3}){3}|[0-9a-fA-F]*:[0-9a-fA-F:]*")
# The peers of a rule have to be there, and nothing that happens to them decides.
PEER_PROPERTIES: Mapping[str, frozenset[str]] = {
    types.SECURITY_GROUP_INGRESS: frozenset({"SourceSecurityGroupId", "SourceSecurityGroupName"}),
    types.SECURITY_GROUP_EGRESS: frozenset({"DestinationSecurityGroupId"}),
    types.SECURITY_GROUP: frozenset({"SecurityGroupIngress", "SecurityGroupEgress"}),
}


class DependencyGraph:
    """The resources of a deployment by what they name, in any way of deploying it. A node is the address of a resource,
    or the name of a parameter, an import or an identifier."""

    def __init__(self, deployment: Deployment) -> None:
        self._named: dict[str, set[str]] = {}
        self._peers: dict[str, set[str]] = {}
        self._acting: dict[str, set[str]] = {}
        self._types: dict[str, str] = {}
        # Rules apply to none of these, whatever else the template says of them.
        self._not_judged: set[str] = set()
        self.roots = deployment.roots
        self.stacks = list(_all_stacks(deployment))
        for stack in self.stacks:
            for logical_id, resource in stack.resources.items():
                if resource["Type"] in DECIDING_PROPERTIES or resource["Type"] == types.NESTED_STACK:
                    self._add(stack, logical_id, resource)

    @property
    def load_balancers(self) -> list[str]:
        return [address for address, kind in self._types.items() if kind == types.LOAD_BALANCER]

    @property
    def listeners_elsewhere(self) -> list[str]:
        """The listeners that name no load balancer of the deployment, and the rules that name no listener of it."""
        owners = {types.LISTENER: types.LOAD_BALANCER, types.LISTENER_RULE: types.LISTENER}
        return [
            address
            for address, kind in self._types.items()
            if kind in owners and all(self._types.get(node) != owners[kind] for node in self._named[address])
        ]

    def view(self, load_balancer: str) -> frozenset[str]:
        """The addresses of the resources that may decide the verdicts of a load balancer."""
        if load_balancer in self._not_judged:
            return frozenset({load_balancer})
        found: set[str] = set()
        pending = [load_balancer]
        peers: set[str] = set()
        while pending:
            node = pending.pop()
            if node in found:
                continue
            found.add(node)
            pending.extend(self._named.get(node, ()))
            pending.extend(self._acting.get(node, ()))
            peers |= self._peers.get(node, set())
        return frozenset(found | peers)

    def _add(self, stack: Stack, logical_id: str, resource: Mapping[str, Any]) -> None:
        address, kind = stack.address_of(logical_id), resource["Type"]
        if kind == types.NESTED_STACK and stack.child(logical_id) is not None:
            return
        self._types[address] = kind
        if kind == types.LOAD_BALANCER and resource["Properties"].get("Type") in ("gateway", "network"):
            self._not_judged.add(address)
        named, peers = self._named.setdefault(address, set()), self._peers.setdefault(address, set())
        for name, expression in resource["Properties"].items():
            if kind != types.NESTED_STACK and name not in DECIDING_PROPERTIES[kind]:
                continue
            nodes = set(_nodes(stack, keep_deciding_keys(kind, name, expression)))
            if name in PEER_PROPERTIES.get(kind, ()):
                peers |= nodes
                continue
            named |= nodes
            if name in ACTING_PROPERTIES.get(kind, ()):
                for node in nodes:
                    self._acting.setdefault(node, set()).add(address)


def _all_stacks(deployment: Deployment) -> Iterator[Stack]:
    """Every stack, whether or not the condition of a nested one holds."""
    pending = deque(deployment.roots)
    while pending:
        stack = pending.popleft()
        yield stack
        pending.extend(child for _, child in stack.children())


def _nodes(stack: Stack, expression: Any) -> Iterator[str]:
    """What an expression names, through parameters and outputs of nested stacks."""
    for name in names_in(expression, with_conditional=True):
        if name in stack.resources:
            child = stack.child(name) if stack.resources[name]["Type"] == types.NESTED_STACK else None
            if child is None:
                yield stack.address_of(name)
            else:
                for output in child.outputs.values():
                    yield from _nodes(child, output.get("Value"))
        elif stack.is_nested and name in stack.template.parameters:
            yield from _passed_nodes(stack, name)
        elif name in stack.template.parameters:
            yield f"parameter {name}"
            yield from (
                f"identifier {one}" for one in _identifiers(stack.deployment.given_text(stack, name).split(","))
            )
    for identifier in _identifiers(expression):
        yield f"identifier {identifier}"
    if IMPORT in (functions := set(_import_functions(expression))):
        others = (other for other in _all_stacks(stack.deployment) if other.address != stack.address)
        yield from _output_nodes(others, only_exported=True)
    if GET_STACK_OUTPUT in functions:
        yield from _output_nodes(stack.deployment.roots)


def _passed_nodes(stack: Stack, name: str) -> Iterator[str]:
    if stack.parent is not None and name in stack.passed:
        yield from _nodes(stack.parent, stack.passed[name])


def _output_nodes(stacks: Iterable[Stack], *, only_exported: bool = False) -> Iterator[str]:
    """What the outputs of stacks name. Which of them is taken is not looked at."""
    for stack in stacks:
        for output in stack.outputs.values():
            if ("Export" in output or not only_exported) and not any(_import_functions(output)):
                yield from _nodes(stack, output.get("Value"))


def _identifiers(expression: Any) -> Iterator[str]:
    for text in texts_in(expression):
        if text.startswith(("sg-", "arn:", "i-", "eni-", "lt-")) or ADDRESS.fullmatch(text):
            yield text


def _import_functions(expression: Any) -> Iterator[str]:
    """The functions in an expression that take a value from another stack."""
    if isinstance(expression, dict):
        yield from expression.keys() & {IMPORT, GET_STACK_OUTPUT}
    if isinstance(expression, list | dict):
        for one in expression.values() if isinstance(expression, dict) else expression:
            yield from _import_functions(one)
