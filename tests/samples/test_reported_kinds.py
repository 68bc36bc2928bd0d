"""Kinds of situations that people report, rebuilt in a few lines: the verdicts of all rules, and the words that help.

A case stands for many reports of its kind. Verdicts are in the order of `LETTERS`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from alb_sg.findings.finding import Finding
from tests.builders import (
    ANYWHERE,
    ANYWHERE_IPV6,
    EGRESS,
    HEALTH,
    ICMP,
    INGRESS,
    TARGETS,
    UNUSED,
    Saved,
    Shape,
    all_traffic,
    behind,
    estate,
    group,
    icmp,
    instance,
    interface,
    judge,
    listener,
    load_balancer,
    network_load_balancer,
    node,
    prefix_list,
    reference,
    subnet,
    target,
    target_group,
    tcp,
    udp,
    vpc,
)
from tests.command_line.calling import Command

LETTERS = {"I": INGRESS, "E": EGRESS, "H": HEALTH, "P": ICMP, "T": TARGETS, "U": UNUSED}
# C, N, A and E (error), in the order of LETTERS.
CODES = {"COMPLIANT": "C", "NON_COMPLIANT": "N", "NOT_APPLICABLE": "A"}

OPEN = all_traffic(ANYWHERE)
CONTROLLER = {"elbv2.k8s.aws/cluster": "prod", "ingress.k8s.aws/resource": "ManagedLBSecurityGroup"}
BACKEND = {"elbv2.k8s.aws/cluster": "prod", "elbv2.k8s.aws/resource": "backend-sg"}
NODES = {"kubernetes.io/cluster/prod": "owned"}


def tagged(found: Shape, tags: dict[str, str]) -> Shape:
    return {**found, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


def named(found: Shape, name: str) -> Shape:
    return {**found, "GroupName": name}


def typed(found: Shape, interface_type: str) -> Shape:
    return {**found, "InterfaceType": interface_type}


def public(*parts: Shape, **fields: object) -> Saved:
    """An internet-facing load balancer on 443 with one address as its target, unless the parts have their own."""
    return _with_target(load_balancer(**fields), parts)  # type: ignore[arg-type]  # the builder's own fields


def internal(*parts: Shape, **fields: object) -> Saved:
    return _with_target(load_balancer(scheme="internal", **fields), parts)  # type: ignore[arg-type]  # as above


def _with_target(balancer: Shape, parts: tuple[Shape, ...]) -> Saved:
    own = [] if any("TargetType" in part for part in parts) else [target_group(targets=["10.0.1.5"])]
    held = any("NetworkInterfaceId" in part or "InstanceId" in part for part in parts)
    interfaces = [] if own == [] or held else [interface("10.0.1.5", groups=["sg-2"])]
    listeners = [] if any("ListenerArn" in part for part in parts) else [listener(443, forward=["web"])]
    return estate(balancer, *listeners, *own, *interfaces, *parts)


def reached(*ingress: Shape, egress: Shape = OPEN) -> tuple[Shape, Shape]:
    """The load balancer's group with these inbound rules, and the targets' group, which lets it in on port 80."""
    return group("sg-1", ingress=ingress, egress=[egress]), group("sg-2", ingress=[tcp(80, "sg-1")])


@dataclass(frozen=True)
class Kind:
    """`says`: texts of the annotations and errors; `explains`: texts of `alb-sg explain`."""

    name: str
    why: str
    estate: Saved
    verdicts: str
    says: tuple[str, ...] = ()
    explains: tuple[str, ...] = ()
    parameters: dict[str, str] = field(default_factory=dict)


TARGETS_CLOSED = [
    Kind(
        "two groups with the cluster's tag",
        "The controller edits neither, because it cannot tell which is meant. Nothing lets the backend group in.",
        public(
            target_group(targets=[target("10.0.1.5", 8080)]),
            interface("10.0.1.5", groups=["sg-3", "sg-4"]),
            tagged(group("sg-1", ingress=[tcp(443, ANYWHERE)], egress=[OPEN]), CONTROLLER),
            tagged(group("sg-2", egress=[OPEN]), BACKEND),
            tagged(group("sg-3", ingress=[all_traffic("sg-3")]), NODES),
            tagged(group("sg-4", ingress=[all_traffic("sg-4")]), {**NODES, "aws:eks:cluster-name": "prod"}),
            groups=["sg-1", "sg-2"],
        ),
        "CCCNNC",
        ("TCP:8080 not open to sg-1, sg-2 or 10.0.1.0/24, 10.0.2.0/24 (its subnets) in sg-3, sg-4 of 10.0.1.5",),
        (
            "refuses this (managed): sg-3 is managed by Kubernetes cluster prod",
            "it would take inbound TCP 8080 from sg-2",
        ),
    ),
    Kind(
        "a group was taken off the load balancer",
        "To close it to all but the edge, the other group went, and the targets still let that one in.",
        public(
            group("sg-1", ingress=[tcp(443, "pl-edge")], egress=[OPEN]),
            group("sg-old"),
            group("sg-2", ingress=[tcp(80, "sg-old")]),
            prefix_list("pl-edge", "192.0.2.0/24"),
        ),
        "CCCNNC",
        ("in sg-2 of 10.0.1.5 (open to sg-old)",),
        ("let through instead: sg-2 inbound TCP 80 from sg-old, which the load balancer does not carry",),
        {"AcceptedSources": "pl-edge"},
    ),
    Kind(
        "a node port beside the range",
        "The controller's rule spans the ports that it knew when it wrote it.",
        public(
            target_group(type="instance", targets=[target("i-1", 30100), target("i-1", 32112), target("i-2", 32112)]),
            instance("i-1", "10.0.1.5", groups=["sg-3"]),
            instance("i-2", "10.0.2.5", groups=["sg-3"]),
            tagged(group("sg-1", ingress=[tcp(443, ANYWHERE)], egress=[OPEN]), CONTROLLER),
            tagged(group("sg-2", egress=[OPEN]), BACKEND),
            tagged(group("sg-3", ingress=[tcp((30090, 32050), "sg-2")]), NODES),
            groups=["sg-1", "sg-2"],
        ),
        "CCCNNC",
        ("TCP:32112 not open to sg-1, sg-2", "in sg-3 of i-1, i-2 (30090-32050 is)"),
    ),
    Kind(
        "a target group for port 1",
        "Ports of the registrations count. The rule has the target group's own.",
        public(
            target_group(targets=[target("10.0.1.5", 3000)], port=1),
            interface("10.0.1.5", groups=["sg-2"]),
            group("sg-1", ingress=[tcp(443, ANYWHERE)], egress=[OPEN]),
            group("sg-2", ingress=[tcp(1, "sg-1")]),
        ),
        "CCCNNC",
        ("TCP:3000 not open to sg-1", "(1 is)"),
    ),
    Kind(
        "container instances without any inbound rule",
        "Host ports are chosen by Amazon ECS: rules for today's do not last.",
        public(
            target_group(type="instance", targets=[target("i-1", 32768), target("i-2", 49153)]),
            instance("i-1", "10.0.1.5", groups=["sg-2"]),
            instance("i-2", "10.0.1.6", groups=["sg-2"]),
            group("sg-1", ingress=[tcp(443, ANYWHERE)], egress=[tcp((32768, 65535), "sg-2")]),
            group("sg-2"),
        ),
        "CCCNNC",
        ("TCP:32768 not open to sg-1",),
        ("closed ports (32768, 49153) are ephemeral: if Amazon ECS chooses the host ports",),
    ),
    Kind(
        "pods of two nodes with different interface groups",
        "Custom networking puts pods on interfaces of their own, in a second block of the VPC.",
        public(
            vpc("10.0.0.0/16", "100.64.0.0/16"),
            target_group(targets=[target("100.64.1.7", 8080), target("100.64.1.9", 8080, "unhealthy")]),
            interface("100.64.1.2", groups=["sg-2"], secondary=["100.64.1.7"], instance="i-1", device_index=1),
            interface("100.64.1.3", groups=["sg-3"], secondary=["100.64.1.9"], instance="i-2", device_index=1),
            group("sg-1", ingress=[tcp(443, ANYWHERE)], egress=[OPEN]),
            group("sg-2", ingress=[tcp((0, 65535), "sg-1")]),
            tagged(group("sg-3", ingress=[all_traffic("sg-3")]), {"aws:eks:cluster-name": "prod"}),
        ),
        "CCCNNC",
        ("in sg-3 of 100.64.1.9 (open to sg-3)",),
        ("sg-3 is managed by an AWS service (tag aws:eks:cluster-name=prod)",),
    ),
    Kind(
        "a zone was added",
        "The targets' group has the subnet of the first zone alone.",
        public(
            group("sg-1", ingress=[tcp(443, ANYWHERE)], egress=[OPEN]), group("sg-2", ingress=[tcp(80, "10.0.1.0/24")])
        ),
        "CCCNNC",
        ("not open to sg-1 or 10.0.2.0/24 of 10.0.1.0/24, 10.0.2.0/24 (its subnets)",),
    ),
    Kind(
        "a list of the load balancer's subnets lost one",
        "As the same blocks would, and the list is named.",
        public(
            group("sg-1", ingress=[tcp(443, ANYWHERE)], egress=[OPEN]),
            group("sg-2", ingress=[tcp(80, "pl-nodes")]),
            prefix_list("pl-nodes", "10.0.1.0/24"),
        ),
        "CCCNNC",
        ("10.0.2.0/24 of 10.0.1.0/24, 10.0.2.0/24 (its subnets) in sg-2 of 10.0.1.5 (open to pl-nodes)",),
    ),
    Kind(
        "subnets that adjoin",
        "All of two adjacent blocks is missing, and not a part of them.",
        public(
            subnet("10.0.0.0/24", id="subnet-a"),
            subnet("10.0.1.0/24", id="subnet-b"),
            group("sg-1", ingress=[tcp(443, ANYWHERE)], egress=[OPEN]),
            group("sg-2"),
        ),
        "CCCNNC",
        ("not open to sg-1 or 10.0.0.0/24, 10.0.1.0/24 (its subnets) in sg-2",),
    ),
    Kind(
        "the peering was made anew",
        "The targets' group in the other VPC refers to the load balancer's over the old connection.",
        public(
            vpc("10.0.0.0/16"),
            vpc("10.9.0.0/16", id="vpc-2"),
            target_group(targets=["10.9.1.5"]),
            interface("10.9.1.5", groups=["sg-2"], vpc="vpc-2"),
            group(
                "sg-1",
                ingress=[tcp(443, ANYWHERE)],
                egress=[tcp(80, reference("sg-2", peering="pcx-2", vpc="vpc-2", status="active"))],
            ),
            group(
                "sg-2",
                vpc="vpc-2",
                ingress=[tcp(80, reference("sg-1", peering="pcx-1", vpc="vpc-1", status="deleted"))],
            ),
        ),
        "CCCNNC",
        ("(the reference to sg-1 is stale)",),
        ("sg-2, which is not a group of vpc-1; add it by hand",),
    ),
    Kind(
        "a participant's target in a shared VPC",
        "Its interface is another account's, which DescribeNetworkInterfaces does not show.",
        public(
            {**vpc("10.0.0.0/16"), "OwnerId": "999988887777"},
            target_group(targets=["10.0.1.200"]),
            group("sg-1", ingress=[tcp(443, ANYWHERE)], egress=[OPEN]),
        ),
        "CCCNNC",
        ("at 10.0.1.200, as far as is known; unresolved: no network interface in vpc-1 is seen to hold 10.0.1.200",),
        ("1 target (10.0.1.200) healthy, although ALB_SG_TARGET_INGRESS is unresolved",),
    ),
]

TARGETS_OF_OTHER_KINDS = [
    Kind(
        "the interface of a VPC endpoint",
        "Health checks go to port 80, and its group knows HTTPS alone.",
        internal(
            target_group(targets=["10.0.1.60"], port=443, health_check_port="80"),
            typed(interface("10.0.1.60", groups=["sg-3"]), "vpc_endpoint"),
            group("sg-1", ingress=[tcp(443, "10.0.0.0/16")], egress=[OPEN]),
            group("sg-3", ingress=[tcp(443, "10.0.0.0/16")]),
        ),
        "CCCNNC",
        ("TCP:80 not open to sg-1 or 10.0.1.0/24, 10.0.2.0/24 (its subnets) in sg-3 of 10.0.1.60 (443 is)",),
    ),
    Kind(
        "the nodes of a Network Load Balancer",
        "Its group is one like any other target's.",
        public(
            network_load_balancer(groups=["sg-nlb"], scheme="internal"),
            target_group(targets=["10.0.1.50"]),
            node("10.0.1.50", of="nlb", groups=["sg-nlb"], type="network"),
            group("sg-1", ingress=[tcp(443, ANYWHERE)], egress=[tcp(80, "sg-nlb")]),
            group("sg-nlb", ingress=[tcp(80, "10.50.0.0/16")]),
        ),
        "CCCNNC",
        ("in sg-nlb of 10.0.1.50 (open to 10.50.0.0/16)",),
    ),
    Kind(
        "the nodes of a Network Load Balancer without groups",
        "Nothing there can refuse the load balancer.",
        public(
            network_load_balancer(scheme="internal"),
            target_group(targets=["10.0.1.50"]),
            node("10.0.1.50", of="nlb", groups=[], type="network"),
            group("sg-1", ingress=[tcp(443, ANYWHERE)], egress=[tcp(80, "10.0.0.0/16")]),
        ),
        "CCCNAC",
        ("10.0.1.50 not judged: its network interface has no security group",),
    ),
    Kind(
        "the nodes of another Application Load Balancer",
        "Their group lets this one in.",
        public(
            load_balancer("inner", scheme="internal", groups=["sg-3"]),
            listener(443, forward=["web"]),
            listener(80, of="inner"),
            target_group(targets=["10.0.1.70", "10.0.2.70"]),
            *(node(f"10.0.{zone}.70", of="inner", groups=["sg-3"]) for zone in (1, 2)),
            group("sg-1", ingress=[tcp(443, ANYWHERE)], egress=[OPEN]),
            group("sg-3", ingress=[tcp(80, "sg-1")]),
        ),
        "CCCNCC",
    ),
    Kind(
        "a subnet in the VPC's second block",
        "The targets' group lets in the first block.",
        public(
            vpc("10.0.0.0/16", "100.64.0.0/16"),
            subnet("100.64.9.0/24", id="subnet-c"),
            group("sg-1", ingress=[tcp(443, ANYWHERE)], egress=[OPEN]),
            group("sg-2", ingress=[tcp(80, "10.0.0.0/16")]),
            subnets=["subnet-a", "subnet-b", "subnet-c"],
        ),
        "CCCNNC",
        ("not open to sg-1 or 100.64.9.0/24 of 10.0.1.0/24, 10.0.2.0/24, 100.64.9.0/24 (its subnets)",),
    ),
]

BOTH_SIDES = [
    Kind(
        "a health check port of its own",
        "The tool that made the groups opened the traffic port alone, on both sides.",
        public(
            target_group(targets=[target("10.0.1.5", 8822)], health_check_port="8821"),
            interface("10.0.1.5", groups=["sg-2"]),
            group("sg-1", ingress=[tcp(443, ANYWHERE)], egress=[tcp(8822, "sg-2")]),
            group("sg-2", ingress=[tcp(8822, "sg-1")]),
        ),
        "CCNNNC",
        (
            "TCP:8821 not open to 10.0.1.5 or sg-2 in sg-1 (8822 is)",
            "TCP:8821 not open to sg-1 or 10.0.1.0/24, 10.0.2.0/24 (its subnets) in sg-2 of 10.0.1.5 (8822 is)",
        ),
    ),
    Kind(
        "registered on the port of a proxy beside the container",
        "Both groups have the container's port.",
        public(
            target_group(targets=[target("10.0.1.5", 15000, "unhealthy")], port=8080),
            interface("10.0.1.5", groups=["sg-2"]),
            group("sg-1", ingress=[tcp(443, ANYWHERE)], egress=[tcp(8080, "sg-2")]),
            group("sg-2", ingress=[tcp(8080, "sg-1")]),
        ),
        "CNNNNC",
        ("TCP:15000 not open to 10.0.1.5 or sg-2 in sg-1 (8080 is)",),
    ),
    Kind(
        "a pod with a branch interface",
        "It has the pod's group, and both sides know the node's.",
        public(
            target_group(targets=[target("10.0.1.77", 8080)]),
            interface("10.0.1.5", groups=["sg-2"], instance="i-1"),
            typed(interface("10.0.1.77", groups=["sg-3"]), "branch"),
            group("sg-1", ingress=[tcp(443, ANYWHERE)], egress=[tcp((1025, 65535), "sg-2")]),
            group("sg-2", ingress=[tcp((1025, 65535), "sg-1")]),
            group("sg-3", ingress=[tcp(8080, "sg-2")]),
        ),
        "CNNNNC",
        ("not open to 10.0.1.77 or sg-3 in sg-1 (open to sg-2)", "in sg-3 of 10.0.1.77 (open to sg-2)"),
        ("allow outbound TCP 8080 to sg-3 for target group web in sg-1", "allow inbound TCP 8080 from sg-1 in sg-3"),
    ),
    Kind(
        "one instance of another launch template",
        "One target of three is shut out on both sides.",
        public(
            target_group(type="instance", targets=["i-1", "i-2", target("i-3", state="unhealthy")]),
            *(instance(f"i-{one}", f"10.0.1.{one}", groups=["sg-2"]) for one in (1, 2)),
            instance("i-3", "10.0.1.3", groups=["sg-3"]),
            *reached(tcp(443, ANYWHERE), egress=tcp(80, "sg-2")),
            group("sg-3"),
        ),
        "CNNNNC",
        ("not open to i-3 (10.0.1.3/32) or sg-3 in sg-1 (open to sg-2)", "in sg-3 of i-3"),
    ),
    Kind(
        "0 to 0 of TCP, where every port was meant",
        "Only for protocol -1 is it every port.",
        public(
            group("sg-1", ingress=[tcp(443, ANYWHERE)], egress=[tcp((0, 0), ANYWHERE)]),
            group("sg-2", ingress=[tcp((0, 0), "sg-1")]),
        ),
        "CNNNNC",
        ("TCP:80 not open to 10.0.1.5 or sg-2 in sg-1 (port 0 alone is)",),
        ("TCP 0 is open to it, which is port 0 alone and not all ports",),
    ),
    Kind(
        "the green target group at weight 0",
        "Its port is another one. A deployment sends to it without a change of any group.",
        public(
            listener(443, forward=["blue", "green"]),
            target_group("blue", targets=["10.0.1.5"]),
            target_group("green", targets=[target("10.0.1.6", 8081, "unhealthy")]),
            *(interface(f"10.0.1.{one}", groups=["sg-2"]) for one in (5, 6)),
            *reached(tcp(443, ANYWHERE), egress=tcp(80, "sg-2")),
        ),
        "CNNNNC",
        ("target group green TCP:8081 not open to 10.0.1.6 or sg-2 in sg-1 (80 is)",),
    ),
    Kind(
        "pods of an IPv6 cluster",
        "Default outbound rules are for IPv4, and so is the pods' group. An address is in a delegated prefix.",
        public(
            vpc("10.0.0.0/16", "2001:db8:1::/56"),
            subnet("10.0.1.0/24", "2001:db8:1:1::/64", id="subnet-a"),
            subnet("10.0.2.0/24", "2001:db8:1:2::/64", id="subnet-b"),
            target_group(targets=["2001:db8:1:1:5::9"], ip_address_type="ipv6"),
            interface("10.0.1.5", groups=["sg-2"], prefixes=["2001:db8:1:1:5::/80"]),
            group("sg-1", ingress=[tcp(443, ANYWHERE, ANYWHERE_IPV6)], egress=[OPEN]),
            group("sg-2", ingress=[tcp(80, "10.0.0.0/16")]),
            ip_address_type="dualstack",
        ),
        "CNNNNC",
        (
            "not open to 2001:db8:1:1:5::9 or sg-2 in sg-1 (open to 0.0.0.0/0)",
            "not open to sg-1 or 2001:db8:1:1::/64, 2001:db8:1:2::/64 (its subnets) in sg-2",
        ),
        ("open to 0.0.0.0/0, which is IPv4",),
    ),
    Kind(
        "an instance that the service hides",
        "Whatever manages it, the data does not hold it: no verdict on the way to it, and one on all else.",
        public(
            target_group(type="instance", targets=[target("i-1", 31000)]),
            group("sg-1", ingress=[tcp(443, ANYWHERE)], egress=[tcp((30000, 32767), "sg-2")]),
            group("sg-2", ingress=[tcp((30000, 32767), "sg-1")]),
        ),
        "CEENEC",
        ("instance i-1: not among the Instances collected of 111122223333 us-east-1",),
    ),
]

OUTBOUND = [
    Kind(
        "no outbound rule but a placeholder",
        "A load balancer that a tool made for targets of its own, and a target that was attached by hand.",
        public(*reached(tcp(443, ANYWHERE), egress=icmp(252, 86, "255.255.255.255/32"))),
        "CNNNCC",
        ("TCP:80 not open to 10.0.1.5 or sg-2 in sg-1",),
        ("no rule of its security groups lets this through at all",),
    ),
    Kind(
        "outbound to the VPC's first block",
        "The pods are in its second one.",
        public(
            vpc("10.0.0.0/16", "100.64.0.0/16"),
            target_group(targets=["100.64.1.9"]),
            interface("100.64.1.9", groups=["sg-2"]),
            *reached(tcp(443, ANYWHERE), egress=all_traffic("10.0.0.0/16")),
        ),
        "CNNNCC",
        ("TCP:80 not open to 100.64.1.9 or sg-2 in sg-1 (open to 10.0.0.0/16)",),
    ),
    Kind(
        "targets on premises",
        "Outbound to the VPC alone. Whether they let the load balancer in, no security group tells.",
        internal(
            target_group(targets=["192.168.10.7", "192.168.10.8"]),
            group("sg-1", ingress=[tcp(443, "10.0.0.0/8")], egress=[all_traffic("10.0.0.0/16")]),
        ),
        "CNNNAC",
        (
            "TCP:80 not open to 192.168.10.7 in sg-1 (open to 10.0.0.0/16); +1 more",
            "192.168.10.8 not judged: outside the VPC",
        ),
    ),
    Kind(
        "targets beyond a transit gateway",
        "No reference reaches there, so that nothing tells whose interface answers at that address.",
        public(
            vpc("10.0.0.0/16"),
            vpc("10.50.0.0/16", id="vpc-2"),
            target_group(targets=["10.50.1.9"]),
            interface("10.50.1.9", groups=["sg-2"], vpc="vpc-2"),
            group("sg-1", ingress=[tcp(443, ANYWHERE)], egress=[tcp(80, "10.50.0.0/16")]),
            group("sg-2", vpc="vpc-2"),
        ),
        "CCCNAC",
        ("10.50.1.9 not judged: outside the VPC, and not seen in a VPC that an outbound peering reference names",),
    ),
    Kind(
        "references over a peering on both sides",
        "Nothing is wrong.",
        public(
            vpc("10.0.0.0/16"),
            vpc("10.9.0.0/16", id="vpc-2"),
            target_group(targets=["10.9.1.5"]),
            interface("10.9.1.5", groups=["sg-2"], vpc="vpc-2"),
            group(
                "sg-1",
                ingress=[tcp(443, ANYWHERE)],
                egress=[tcp(80, reference("sg-2", peering="pcx-1", vpc="vpc-2", status="active"))],
            ),
            group(
                "sg-2",
                vpc="vpc-2",
                ingress=[tcp(80, reference("sg-1", peering="pcx-1", vpc="vpc-1", status="active"))],
            ),
        ),
        "CCCNCC",
    ),
    Kind(
        "no target is ready, and the controller took its rule away",
        "A target that drains gets no traffic.",
        public(
            target_group(targets=[target("10.0.1.5", 8983, "draining")]),
            interface("10.0.1.5", groups=["sg-2"]),
            group("sg-1", ingress=[tcp(443, ANYWHERE)], egress=[OPEN]),
            tagged(group("sg-2"), NODES),
        ),
        "CAANAC",
        ("only targets that are draining or unused",),
    ),
    Kind(
        "a Lambda function and a redirect",
        "There is nothing to reach, and the redirect's port is closed.",
        public(
            listener(443, forward=["web"]),
            listener(80, redirect=True),
            target_group(type="lambda", targets=["arn:aws:lambda:us-east-1:111122223333:function:web"]),
            group("sg-1", ingress=[tcp(443, ANYWHERE)]),
        ),
        "NAANAC",
        ("HTTP:80 not open to 0.0.0.0/0 in sg-1 (443 is)", "only Lambda functions"),
    ),
]

CLIENTS = [
    Kind(
        "the controller's own group without a rule",
        "Targets are healthy, and no client gets through.",
        internal(
            tagged(group("sg-1", egress=[OPEN]), CONTROLLER),
            group("sg-2", ingress=[tcp(80, "sg-1")]),
        ),
        "NCCNCC",
        ("HTTPS:443 not open to 10.0.0.0/16 (VPC) in sg-1",),
        ("sg-1 is managed by the Kubernetes load balancer controller of cluster prod",),
    ),
    Kind(
        "open to the group of the environment's services",
        "A reference is no address of the VPC. Who means it accepts the group.",
        internal(*reached(tcp(443, "sg-2"))),
        "NCCNCC",
        ("HTTPS:443 not open to 10.0.0.0/16 (VPC) in sg-1 (open to sg-2)",),
    ),
    Kind(
        "the group of the environment's services, accepted",
        "As before.",
        internal(*reached(tcp(443, "sg-2"))),
        "CCCNCC",
        ("HTTPS:443 open to accepted source sg-2",),
        ("sg-1 inbound TCP 443 from sg-2: names it",),
        {"AcceptedSources": "sg-2"},
    ),
    Kind(
        "open to clients on premises, and not to the VPC",
        "Nobody of the VPC gets through.",
        internal(*reached(tcp(443, "172.16.0.0/12"))),
        "NCCNCC",
        ("HTTPS:443 not open to 10.0.0.0/16 (VPC) in sg-1 (open to 172.16.0.0/12)",),
    ),
    Kind(
        "open to half of the VPC",
        "The other half is missing.",
        internal(*reached(tcp(443, "10.0.0.0/17", "172.31.0.0/16"))),
        "NCCNCC",
        ("HTTPS:443 not open to 10.0.128.0/17 of 10.0.0.0/16 (VPC) in sg-1",),
    ),
    Kind(
        "internal and dual-stack, without the VPC's IPv6 block",
        "10.0.0.0/8 is IPv4.",
        internal(
            vpc("10.0.0.0/16", "2001:db8:2::/56"),
            *reached(tcp(443, "10.0.0.0/8"), icmp(-1, -1, "10.0.0.0/8")),
            ip_address_type="dualstack",
        ),
        "NCCNCC",
        (
            "HTTPS:443 not open to 2001:db8:2::/56 (VPC) in sg-1 (open to 10.0.0.0/8)",
            "ICMPv6 type 2 code 0 not open to 2001:db8:2::/56 (VPC) in sg-1 (open to 10.0.0.0/8)",
        ),
    ),
    Kind(
        "the VPC's default group",
        "The load balancer was made without a group.",
        internal(
            named(group("sg-1", ingress=[all_traffic("sg-1")], egress=[OPEN]), "default"),
            group("sg-2", ingress=[tcp(80, "10.0.0.0/16")]),
        ),
        "NCCNCN",
        ("(open to sg-1; sg-1 is the VPC's default group)",),
    ),
    Kind(
        "open to the group of an API Gateway VPC link",
        "Its interfaces are in the VPC. Who means it accepts the group, and the remark says who is there.",
        internal(
            interface("10.0.1.5", groups=["sg-2"]),
            typed(interface("10.0.1.9", groups=["sg-3"]), "api_gateway_managed"),
            *reached(tcp(443, "sg-3")),
            group("sg-3"),
        ),
        "NCCNCC",
        ("HTTPS:443 not open to 10.0.0.0/16 (VPC) in sg-1 (open to sg-3)",),
        ("API Gateway is present in vpc-1",),
    ),
    Kind(
        "open to the group of CloudFront's VPC origins, accepted",
        "Port 80 is closed on purpose.",
        internal(
            listener(443, forward=["web"]),
            listener(80, redirect=True),
            named(group("sg-3"), "CloudFront-VPCOrigins-Service-SG"),
            *reached(tcp(443, "sg-3")),
        ),
        "CCCNCC",
        ("HTTP:80 may be closed (none@80); HTTPS:443 open to accepted source sg-3",),
        ("CloudFront (VPC origins) is present in vpc-1 (sg-3)",),
        {"AcceptedSources": "sg-3,none@80"},
    ),
    Kind(
        "open to a list of VPC Lattice",
        "It stands under its id, which says more than its entries.",
        internal(*reached(tcp(443, "pl-lattice")), prefix_list("pl-lattice", "169.254.171.0/24")),
        "NCCNCC",
        ("HTTPS:443 not open to 10.0.0.0/16 (VPC) in sg-1 (open to pl-lattice)",),
    ),
    Kind(
        "accepted clients of a peered VPC whose group is gone",
        "A stale reference lets nobody in, as an accepted source either.",
        internal(*reached(tcp(443, reference("sg-9", peering="pcx-1", vpc="vpc-7", status="active", account=None)))),
        "NCCNCC",
        ("HTTPS:443 not open to 10.0.0.0/16 (VPC) in sg-1 (the reference to sg-9 is stale)",),
        ("stale: its group was deleted in the other VPC",),
        {"AcceptedSources": "sg-9"},
    ),
    Kind(
        "one of the edge's two lists",
        "IPv6 clients of the edge are shut out. The list of IPv4 does not concern them.",
        public(
            *reached(tcp(443, "pl-edge4")),
            prefix_list("pl-edge4", "192.0.2.0/24"),
            prefix_list("pl-edge6", "2001:db8::/48"),
            ip_address_type="dualstack",
        ),
        "NCCNCC",
        ("HTTPS:443 not open to ::/0 in sg-1 (open to pl-edge4)",),
        ("accepted source pl-edge6 is not open either",),
        {"AcceptedSources": "pl-edge4,pl-edge6"},
    ),
    Kind(
        "the edge's list on one of two ports",
        "With the list on both ports the group would be full, so one was left out.",
        public(
            listener(443, forward=["web"]),
            listener(80, redirect=True),
            *reached(tcp(443, "pl-edge")),
            {**prefix_list("pl-edge", "192.0.2.0/24"), "MaxEntries": 55},
        ),
        "NCCNCC",
        ("HTTP:80 not open to 0.0.0.0/0 in sg-1",),
        ("accepted source pl-edge is not open either",),
        {"AcceptedSources": "pl-edge"},
    ),
    Kind(
        "a test listener for the office",
        "It is a listener like the others, until an exemption or `none@8080` says otherwise.",
        public(
            listener(443, forward=["web"]), listener(8080), *reached(tcp(443, ANYWHERE), tcp(8080, "203.0.113.0/24"))
        ),
        "NCCNCC",
        ("HTTP:8080 not open to 0.0.0.0/0 in sg-1 (open to 203.0.113.0/24)",),
    ),
    Kind(
        "a group of another account",
        "No fix changes it, and who else carries it is not known.",
        public({**group("sg-1", egress=[OPEN]), "OwnerId": "999988887777"}, group("sg-2", ingress=[tcp(80, "sg-1")])),
        "NCCNCE",
        ("HTTPS:443 not open to 0.0.0.0/0 in sg-1", "account 999988887777 owns it, and others may carry it"),
        ("refuses this (otherOwner): sg-1 is of account 999988887777",),
    ),
    Kind(
        "a group of Firewall Manager",
        "Its policy takes a rule away again.",
        public(named(group("sg-1", egress=[OPEN]), "FMManagedSecurityGroup0f3c-sg-0a1b"), reached()[1]),
        "NCCNCC",
        ("HTTPS:443 not open to 0.0.0.0/0 in sg-1",),
        ("refuses this (managed): sg-1 is managed by AWS Firewall Manager",),
    ),
]

NETWORK_LOAD_BALANCERS = [
    Kind(
        "a Network Load Balancer without groups, its subnets let in",
        "By its scheme its clients are everybody, and PrivateLink's come from the whole VPC.",
        internal(
            network_load_balancer(),
            behind(443),
            target_group(targets=["10.0.1.5"]),
            interface("10.0.1.5", groups=["sg-2"]),
            *reached(tcp(443, "198.51.100.0/24", "10.0.1.0/24", "10.0.2.0/24")),
        ),
        "NCCNCC",
        ("HTTPS:443 not open to 10.0.0.0/16 (health checks and PrivateLink of nlb) in sg-1",),
        ("refuses this (opensInternal): HTTPS:443 would be open to 0.0.0.0/0, and web is internal",),
    ),
    Kind(
        "its health checks go to the redirect's port",
        "Its group is let in on the other port alone.",
        internal(
            network_load_balancer(groups=["sg-nlb"]),
            behind(443, health_check_port="80"),
            listener(443, forward=["web"]),
            listener(80, redirect=True),
            target_group(targets=["10.0.1.5"]),
            interface("10.0.1.5", groups=["sg-2"]),
            *reached(tcp(443, "sg-nlb")),
            group("sg-nlb", ingress=[tcp(443, ANYWHERE)], egress=[OPEN]),
        ),
        "NCCNCC",
        ("HTTP:80 not open to sg-nlb or 10.0.0.0/16 (health checks and PrivateLink of nlb) in sg-1 (443 is)",),
    ),
    Kind(
        "PrivateLink alone",
        "The Network Load Balancer's group lets nobody in, and clients of the endpoint service come all the same.",
        internal(
            network_load_balancer(groups=["sg-nlb"], scheme="internal"),
            behind(443),
            target_group(targets=["10.0.1.5"]),
            interface("10.0.1.5", groups=["sg-2"]),
            *reached(tcp(443, "sg-nlb")),
            group("sg-nlb"),
        ),
        "CCCNCC",
    ),
]

PATH_MTU_DISCOVERY = [
    Kind(
        "echo requests alone",
        "A ping gets an answer, and large responses stall.",
        public(*reached(tcp(443, ANYWHERE), icmp(8, -1, ANYWHERE))),
        "CCCNCC",
        ("ICMP type 3 code 4 not open to 0.0.0.0/0 in sg-1 (type 8 is)",),
    ),
    Kind(
        "the right type with another code",
        "Code 0 is net unreachable.",
        public(*reached(tcp(443, ANYWHERE), icmp(3, 0, ANYWHERE))),
        "CCCNCC",
        ("ICMP type 3 code 4 not open to 0.0.0.0/0 in sg-1 (type 3 code 0 is)",),
    ),
    Kind(
        "all of ICMP for IPv4, on a dual-stack load balancer",
        "IPv6 has a protocol of its own.",
        public(*reached(tcp(443, ANYWHERE, ANYWHERE_IPV6), icmp(-1, -1, ANYWHERE)), ip_address_type="dualstack"),
        "CCCNCC",
        ("ICMPv6 type 2 code 0 not open to ::/0 in sg-1 (open to 0.0.0.0/0)",),
    ),
]

OPENINGS = [
    Kind(
        "UDP for HTTP/3",
        "An Application Load Balancer listens on TCP alone.",
        public(*reached(tcp(443, ANYWHERE), udp(443, ANYWHERE), icmp(3, 4, ANYWHERE))),
        "CCCCCN",
        ("UDP 443 open to 0.0.0.0/0 in sg-1, used by no listener",),
    ),
    Kind(
        "a range from one port to another, where two were meant",
        "All between them is open too.",
        public(
            listener(443, forward=["web"]),
            listener(80, redirect=True),
            *reached(tcp((80, 443), ANYWHERE)),
        ),
        "CCCNCN",
        ("TCP 81-442 open to 0.0.0.0/0 in sg-1, used by no listener",),
    ),
    Kind(
        "a second group of an environment with a shared load balancer",
        "Any of the load balancer's groups may meet a rule. Port 443 has no listener.",
        public(
            listener(80, forward=["web"]),
            target_group(type="instance", targets=["i-1"]),
            instance("i-1", "10.0.1.5", groups=["sg-3"]),
            group("sg-1", ingress=[tcp(80, ANYWHERE), tcp(443, ANYWHERE)], egress=[OPEN]),
            group("sg-2", egress=[OPEN]),
            group("sg-3", ingress=[tcp(80, "sg-2")]),
            groups=["sg-1", "sg-2"],
        ),
        "CCCNCN",
        ("TCP 443 open to 0.0.0.0/0 in sg-1, used by no listener",),
    ),
    Kind(
        "a group of two load balancers",
        "The other one listens on 8443, and neither on 80.",
        public(
            load_balancer("api"),
            listener(443, forward=["web"]),
            listener(8443, "HTTPS", of="api"),
            *reached(tcp(443, ANYWHERE), tcp(8443, ANYWHERE), tcp(80, ANYWHERE)),
        ),
        "CCCNCN",
        ("TCP 80 open to 0.0.0.0/0 in sg-1, used by no listener",),
    ),
    Kind(
        "everybody, on an internal load balancer",
        "More than the VPC, which is enough.",
        internal(node(), interface("10.0.1.5", groups=["sg-2"]), *reached(tcp(443, ANYWHERE))),
        "CCCNCC",
    ),
]

KINDS = [
    *TARGETS_CLOSED,
    *TARGETS_OF_OTHER_KINDS,
    *BOTH_SIDES,
    *OUTBOUND,
    *CLIENTS,
    *NETWORK_LOAD_BALANCERS,
    *PATH_MTU_DISCOVERY,
    *OPENINGS,
]


@pytest.fixture
def command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(tmp_path, capsys)


def _parameters(kind: Kind, rule: str) -> dict[str, str]:
    return kind.parameters if rule in (INGRESS, ICMP) else {}


@pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])
def test_a_kind_is_judged_and_told(command: Command, kind: Kind) -> None:
    results = {letter: judge(kind.estate, rule, **_parameters(kind, rule)) for letter, rule in LETTERS.items()}
    codes = {
        letter: CODES[result.compliance.value] if isinstance(result, Finding) else "E"
        for letter, result in results.items()
    }
    assert codes == dict(zip(LETTERS, kind.verdicts, strict=True)), kind.why
    said = "\n".join(
        one.annotation if isinstance(one, Finding) else f"{one.what}: {one.cause}" for one in results.values()
    )
    assert [text for text in kind.says if text not in said] == [], said
    given = [word for name, value in kind.parameters.items() for word in ("--parameter", f"{name}={value}")]
    shown = command.on(kind.estate, "explain", "web", *given).out
    assert [text for text in kind.explains if text not in shown] == [], shown


def test_every_kind_has_a_name_of_its_own() -> None:
    assert len({kind.name for kind in KINDS}) == len(KINDS)
