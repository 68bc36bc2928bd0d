"""Semantics §11: ALB_SG_TARGET_INGRESS."""

from __future__ import annotations

from typing import Any

import pytest

from tests.builders import (
    ANYWHERE,
    ANYWHERE_IPV6,
    TARGETS,
    Shape,
    all_traffic,
    build,
    estate,
    group,
    instance,
    interface,
    judge,
    listener,
    load_balancer,
    prefix_list,
    reference,
    subnet,
    target,
    target_group,
    tcp,
    udp,
    vpc,
)
from tests.semantics.cases import COMPLIANT, ERROR, NON_COMPLIANT, NOT_APPLICABLE, Case, Lacks, check, table

ANY_GROUP = "Covered by a reference to any one of the load balancer's groups."
WHOLE_BLOCKS = "Or by addresses that hold the whole block of every enabled subnet."
UNITED = "Permissions: the groups of the target's interface, united."
PORTS = "On its own port, its health check port where checks are enabled, and its control port."
PRIMARY = "The groups of the primary interface only: device index 0 of network card 0 (§6)."
HOLDS = "The groups of the interface that holds the address in the target group's VPC (§6)."
OUTSIDE = "An `ip` target outside of its group's VPC without a visible interface has no groups to judge."
UNSEEN = "One inside it whose interface is not seen: `unresolved`."
UNREAD = "A group of the target that was not read: an error, unless what was read covers."
NO_BLOCK = "A subnet without a block of that family: unread."
NOBODY = "No target that could be asked for: NOT_APPLICABLE, saying why."
BLOCKS = ("10.0.1.0/24", "10.0.2.0/24")
PEERED = reference("sg-far", peering="pcx-1", vpc="vpc-2", status="active", account="444455556666")


def _lets_in(
    name: str,
    why: str,
    expected: str,
    ingress: list[Shape],
    *parts: Shape,
    lacks: tuple[Lacks, ...] | None = None,
    unresolved: bool | None = False,
    **fields: Any,
) -> Case:
    """One target, 10.0.1.5:80, whose interface carries sg-app with these inbound rules."""
    parts = (
        group("sg-app", ingress=ingress),
        *([] if any("NetworkInterfaceId" in part for part in parts) else [interface("10.0.1.5")]),
        *([] if any("TargetGroupName" in part for part in parts) else [target_group(targets=["10.0.1.5"])]),
        *parts,
    )
    parts = (*parts, *([] if any(part.get("GroupId") == "sg-1" for part in parts) else [group("sg-1")]))
    return _case(name, why, expected, *parts, lacks=lacks, unresolved=unresolved, **fields)


def _case(
    name: str,
    why: str,
    expected: str,
    *parts: Shape,
    uncollected: tuple[str, ...] = (),
    lacks: tuple[Lacks, ...] | None = None,
    unresolved: bool | None = False,
    says: tuple[str, ...] = (),
    silent: tuple[str, ...] = (),
) -> Case:
    saved = estate(*parts, uncollected=uncollected)
    return Case(name, why, saved, expected, rule=TARGETS, lacks=lacks, unresolved=unresolved, says=says, silent=silent)


def _lacks(
    port: int = 80,
    peers: tuple[str, ...] = BLOCKS,
    groups: tuple[str, ...] = ("sg-app",),
    required: tuple[str, ...] = BLOCKS,
    references: tuple[str, ...] = ("sg-1",),
) -> Lacks:
    return Lacks(port, required, peers, references, groups)


TWO_GROUPS = load_balancer(groups=["sg-1", "sg-2"])


@table(
    _lets_in(
        "a reference to its group", ANY_GROUP, COMPLIANT, [tcp(80, "sg-1")], says=("1 requirement met in sg-app",)
    ),
    _lets_in("a reference to the second of two groups", ANY_GROUP, COMPLIANT, [tcp(80, "sg-2")], TWO_GROUPS),
    _lets_in("a reference to the first of two groups", ANY_GROUP, COMPLIANT, [tcp(80, "sg-1")], TWO_GROUPS),
    _lets_in(
        "nothing",
        "A new group lets nothing in by default.",
        NON_COMPLIANT,
        [],
        lacks=(_lacks(),),
        says=("target group web TCP:80", "sg-1", "10.0.1.0/24, 10.0.2.0/24", "in sg-app of 10.0.1.5"),
    ),
    _lets_in(
        "alternatives are all of its groups",
        ANY_GROUP,
        NON_COMPLIANT,
        [],
        TWO_GROUPS,
        lacks=(_lacks(references=("sg-1", "sg-2")),),
    ),
    _lets_in(
        "a reference to another group",
        ANY_GROUP,
        NON_COMPLIANT,
        [tcp(80, "sg-other")],
        lacks=(_lacks(),),
        says=("open to sg-other",),
    ),
    _lets_in("its own group, which the load balancer does not carry", ANY_GROUP, NON_COMPLIANT, [tcp(80, "sg-app")]),
    _lets_in("everybody", WHOLE_BLOCKS, COMPLIANT, [tcp(80, ANYWHERE)]),
    _lets_in("the VPC", WHOLE_BLOCKS, COMPLIANT, [tcp(80, "10.0.0.0/16")]),
    _lets_in("each subnet", WHOLE_BLOCKS, COMPLIANT, [tcp(80, "10.0.1.0/24", "10.0.2.0/24")]),
    _lets_in(
        "a subnet in four parts",
        WHOLE_BLOCKS,
        COMPLIANT,
        [tcp(80, "10.0.1.0/25", "10.0.1.128/26"), tcp((1, 90), "10.0.1.192/26"), all_traffic("10.0.2.0/24")],
    ),
    _lets_in(
        "subnets tiled by blocks of several groups",
        UNITED,
        COMPLIANT,
        [tcp(80, "10.0.1.0/24")],
        interface("10.0.1.5", groups=["sg-app", "sg-more"]),
        group("sg-more", ingress=[tcp(80, "10.0.2.0/24")]),
    ),
    _lets_in(
        "a reference in the other group",
        UNITED,
        COMPLIANT,
        [],
        interface("10.0.1.5", groups=["sg-app", "sg-more"]),
        group("sg-more", ingress=[tcp(80, "sg-1")]),
    ),
    _lets_in(
        "two of three subnets",
        "Of *every* enabled subnet: any node may be the one that is shut out.",
        NON_COMPLIANT,
        [tcp(80, *BLOCKS)],
        load_balancer(subnets=["subnet-a", "subnet-b", "subnet-c"]),
        subnet("10.0.3.0/24", id="subnet-c"),
        lacks=(_lacks(peers=("10.0.3.0/24",), required=(*BLOCKS, "10.0.3.0/24")),),
        says=("10.0.3.0/24 of 10.0.1.0/24",),
        silent=("change",),
    ),
    _lets_in(
        "today's addresses of its nodes",
        "The addresses of today's nodes alone do not: they change, and the text says so.",
        NON_COMPLIANT,
        [tcp(80, "10.0.1.17/32", "10.0.2.9/32")],
        says=("open to 10.0.1.17/32, 10.0.2.9/32", "addresses of nodes change"),
    ),
    _lets_in(
        "half a subnet",
        WHOLE_BLOCKS,
        NON_COMPLIANT,
        [tcp(80, "10.0.1.0/25", "10.0.2.0/24")],
        lacks=(_lacks(peers=("10.0.1.128/25",)),),
    ),
    _lets_in(
        "its subnets alone count",
        "Any of the *enabled* subnets.",
        COMPLIANT,
        [tcp(80, "10.0.1.0/24")],
        load_balancer(subnets=["subnet-a"]),
    ),
    _lets_in("all protocols", "Protocol `-1` is every protocol and port.", COMPLIANT, [all_traffic("sg-1")]),
    _lets_in("UDP", "Inbound TCP.", NON_COMPLIANT, [udp(80, "sg-1")], lacks=(_lacks(),)),
    _lets_in("another port", "On its own port.", NON_COMPLIANT, [tcp(8080, "sg-1")], lacks=(_lacks(),)),
    _lets_in(
        "ephemeral ports",
        "Groups are stateful: the port that the load balancer connects to counts, not the one it connects from.",
        NON_COMPLIANT,
        [tcp((1024, 65535), "sg-1")],
        lacks=(_lacks(),),
    ),
    _lets_in(
        "a prefix list of the subnets",
        "A prefix list is its entries.",
        COMPLIANT,
        [tcp(80, "pl-1")],
        prefix_list("pl-1", *BLOCKS),
    ),
    _lets_in(
        "a prefix list of one subnet",
        "A prefix list is its entries.",
        NON_COMPLIANT,
        [tcp(80, "pl-1")],
        prefix_list("pl-1", BLOCKS[0]),
        lacks=(_lacks(peers=(BLOCKS[1],)),),
    ),
    _lets_in(
        "a prefix list whose entries are refused",
        "Could not be resolved: covers nothing (§2).",
        NON_COMPLIANT,
        [tcp(80, "pl-1")],
        prefix_list("pl-1", "10.0.0.0/16", refused=True),
        unresolved=True,
    ),
    _lets_in(
        "a prefix list that was not collected", "Counts as unread (§2).", ERROR, [tcp(80, "pl-1")], says=("pl-1",)
    ),
    _lets_in("a prefix list that was not collected, and a reference", UNREAD, COMPLIANT, [tcp(80, "pl-1", "sg-1")]),
)
def test_security_group_rules_let_the_nodes_in(case: Case) -> None:
    check(case)


STALE = reference("sg-1", peering="pcx-1", vpc="vpc-1", status="deleted")
DELETED = reference("sg-1", peering="pcx-1", vpc="vpc-1", status="active", account=None)


@table(
    _lets_in(
        "a stale reference",
        "A stale reference covers nothing, and what is said names it (§4).",
        NON_COMPLIANT,
        [tcp(80, STALE)],
        says=("the reference to sg-1 is stale",),
    ),
    _lets_in(
        "a peering reference to a group that is gone",
        "A peering reference without `UserId` is stale (§4).",
        NON_COMPLIANT,
        [tcp(80, DELETED)],
        says=("stale",),
    ),
    _lets_in(
        "a reference from another VPC",
        "A reference over an active peering to one of the load balancer's groups is a reference to it.",
        COMPLIANT,
        [tcp(80, reference("sg-1", peering="pcx-1", vpc="vpc-1", status="active"))],
    ),
    _lets_in(
        "a reference over a transit gateway",
        "Inbound references work over a transit gateway: one names the VPC and no peering.",
        COMPLIANT,
        [tcp(80, reference("sg-1", vpc="vpc-1"))],
    ),
    _lets_in(
        "a group of a shared VPC's owner",
        "A group's own VPC and account may differ from its load balancer's (§4).",
        COMPLIANT,
        [tcp(80, reference("sg-1", account="444455556666"))],
    ),
    _lets_in(
        "the load balancer's own group with a self-reference",
        "The target carries the group and so do the nodes.",
        COMPLIANT,
        [],
        interface("10.0.1.5", groups=["sg-1"]),
        group("sg-1", ingress=[all_traffic("sg-1")]),
        says=("met in sg-1",),
    ),
    _lets_in(
        "the load balancer's own group without one",
        "Carrying the same group opens nothing.",
        NON_COMPLIANT,
        [],
        interface("10.0.1.5", groups=["sg-1"]),
        group("sg-1", ingress=[tcp(443, ANYWHERE)]),
        lacks=(_lacks(groups=("sg-1",)),),
    ),
    _lets_in(
        "a group that others carry too",
        "Who else carries the target's group is no part of the verdict.",
        NON_COMPLIANT,
        [],
        interface("10.0.1.5"),
        interface("10.0.1.99"),
        lacks=(_lacks(),),
    ),
)
def test_references(case: Case) -> None:
    check(case)


CHECKED = target_group(health_check_port="8081", targets=["10.0.1.5"])


@table(
    _lets_in(
        "an override port",
        PORTS,
        NON_COMPLIANT,
        [tcp(80, "sg-1")],
        target_group(targets=[target("10.0.1.5", 8080)]),
        lacks=(_lacks(8080),),
    ),
    _lets_in(
        "the health check port apart",
        PORTS,
        NON_COMPLIANT,
        [tcp(80, "sg-1")],
        CHECKED,
        lacks=(_lacks(8081),),
        says=("TCP:8081",),
    ),
    _lets_in("both ports", PORTS, COMPLIANT, [tcp(80, "sg-1"), tcp(8081, "sg-1")], CHECKED, says=("2 requirements",)),
    _lets_in("neither port", PORTS, NON_COMPLIANT, [], CHECKED, lacks=(_lacks(80), _lacks(8081))),
    _lets_in(
        "health checks disabled",
        "Where checks are enabled.",
        COMPLIANT,
        [tcp(80, "sg-1")],
        target_group(health_check_port="8081", health_checks=False, targets=["10.0.1.5"]),
    ),
    _lets_in(
        "the health check port spelt out",
        "The same port is asked for once.",
        COMPLIANT,
        [tcp(80, "sg-1")],
        target_group(health_check_port="80", targets=["10.0.1.5"]),
        says=("1 requirement met",),
    ),
    _lets_in(
        "the control port",
        PORTS,
        NON_COMPLIANT,
        [tcp(80, "sg-1")],
        target_group(control_port=3000, targets=["10.0.1.5"]),
        lacks=(_lacks(3000),),
    ),
    _lets_in(
        "the control port open",
        PORTS,
        COMPLIANT,
        [tcp(80, "sg-1"), tcp(3000, *BLOCKS)],
        target_group(control_port=3000, targets=["10.0.1.5"]),
    ),
    _lets_in(
        "two registrations of a target",
        "Each port given at registration; the health check port once.",
        NON_COMPLIANT,
        [tcp(8001, "sg-1")],
        target_group(health_check_port="8081", targets=[target("10.0.1.5", 8001), target("10.0.1.5", 8002)]),
        lacks=(_lacks(8002), _lacks(8081)),
    ),
    _lets_in(
        "a blue group behind a test listener",
        "Every target group associated with the load balancer, in any listener, rule or at weight 0 (§6).",
        NON_COMPLIANT,
        [tcp(80, "sg-1")],
        listener(443, forward=["web"]),
        listener(9443, forward=["green"]),
        target_group("web", targets=["10.0.1.5"]),
        target_group("green", port=81, targets=["10.0.1.5"], load_balancers=[]),
        lacks=(_lacks(81),),
        says=("green",),
    ),
    _lets_in(
        "two targets, one group closed",
        "Every target; those with one group are one missing permission.",
        NON_COMPLIANT,
        [tcp(80, "sg-1")],
        target_group(targets=["10.0.1.5", "10.0.1.6", "10.0.1.7"]),
        interface("10.0.1.5"),
        interface("10.0.1.6", groups=["sg-new"]),
        interface("10.0.1.7", groups=["sg-new"]),
        lacks=(_lacks(groups=("sg-new",)),),
        says=("in sg-new of 10.0.1.6, 10.0.1.7",),
    ),
    _lets_in(
        "unhealthy",
        "Do not skip unhealthy ones: the security group may be why (§6).",
        NON_COMPLIANT,
        [],
        target_group(targets=[target("10.0.1.5", state="unhealthy")]),
        lacks=(_lacks(),),
    ),
    _lets_in(
        "unhealthy while draining",
        "`unhealthy.draining` is judged (§6).",
        NON_COMPLIANT,
        [],
        target_group(targets=[target("10.0.1.5", state="unhealthy.draining")]),
    ),
    _lets_in(
        "draining",
        "Skip `draining` targets (§6).",
        NOT_APPLICABLE,
        [],
        target_group(targets=[target("10.0.1.5", state="draining")]),
        says=("draining",),
    ),
    _lets_in(
        "unused",
        "Skip `unused` ones (§6).",
        NOT_APPLICABLE,
        [],
        target_group(targets=[target("10.0.1.5", state="unused")]),
    ),
    _lets_in("Lambda", NOBODY, NOT_APPLICABLE, [], target_group(type="lambda"), says=("Lambda",)),
    _lets_in(
        "only redirects",
        NOBODY,
        NOT_APPLICABLE,
        [],
        listener(443, redirect=True),
        target_group("spare", load_balancers=[]),
    ),
    _lets_in("nobody registered", NOBODY, NOT_APPLICABLE, [], target_group(), says=("no registered target",)),
    _lets_in("a network load balancer in provisioning", "§3.", NOT_APPLICABLE, [], load_balancer(state="provisioning")),
)
def test_targets_and_ports(case: Case) -> None:
    check(case)


def test_a_weight_of_zero_counts() -> None:
    """ "Default actions, listener rules and weight 0 alike" (§6)."""
    weighted = listener(443, forward=["web", "old"])
    weighted["DefaultActions"][0]["ForwardConfig"]["TargetGroups"][1]["Weight"] = 0
    saved = estate(
        weighted,
        target_group("web", targets=["10.0.1.5"]),
        target_group("old", port=81, targets=["10.0.1.5"], load_balancers=[]),
        interface("10.0.1.5"),
        group("sg-1"),
        group("sg-app", ingress=[tcp(80, "sg-1")]),
    )
    check(Case("weight 0", PORTS, saved, NON_COMPLIANT, rule=TARGETS, lacks=(_lacks(81),)))


INSTANCES = target_group(type="instance", targets=["i-1"])


def _of_instance(name: str, why: str, expected: str, ingress: list[Shape], *parts: Shape, **fields: Any) -> Case:
    parts = (INSTANCES, group("sg-app", ingress=ingress), group("sg-1"), *parts)
    return _case(name, why, expected, *parts, **fields)


@table(
    _of_instance("an instance", HOLDS, COMPLIANT, [tcp(80, "sg-1")], instance("i-1", "10.0.1.5")),
    _of_instance(
        "an instance that is closed",
        HOLDS,
        NON_COMPLIANT,
        [],
        instance("i-1", "10.0.1.5"),
        lacks=(_lacks(),),
        says=("of i-1",),
    ),
    _of_instance(
        "a second interface that is open",
        PRIMARY,
        NON_COMPLIANT,
        [],
        instance("i-1", "10.0.1.5", second_interface=("10.0.1.6", ["sg-open"])),
        group("sg-open", ingress=[tcp(80, "sg-1")]),
        lacks=(_lacks(),),
    ),
    _of_instance(
        "the interface of a second card that is open",
        PRIMARY,
        NON_COMPLIANT,
        [],
        interface("10.0.1.5", instance="i-1"),
        interface("10.0.1.6", instance="i-1", network_card=1, groups=["sg-open"]),
        group("sg-open", ingress=[tcp(80, "sg-1")]),
        uncollected=("Instances",),
        lacks=(_lacks(),),
    ),
    _of_instance(
        "a second interface and a second card that are open",
        PRIMARY,
        NON_COMPLIANT,
        [],
        interface("10.0.1.5", instance="i-1"),
        interface("10.0.1.6", instance="i-1", device_index=1, groups=["sg-open"]),
        interface("10.0.1.7", instance="i-1", network_card=1, groups=["sg-open"]),
        group("sg-open", ingress=[tcp(80, "sg-1")]),
        uncollected=("Instances",),
        lacks=(_lacks(),),
    ),
    _of_instance(
        "an instance that is not in the data", "Counts as unread (§2).", ERROR, [tcp(80, "sg-1")], says=("i-1",)
    ),
    _of_instance(
        "an instance without an IPv6 address",
        "Its groups are known, which is all that the requirement hangs on.",
        COMPLIANT,
        [tcp(80, "sg-1")],
        target_group("six", type="instance", targets=["i-1"], ip_address_type="ipv6"),
        instance("i-1", "10.0.1.5"),
    ),
    _lets_in("a secondary address", HOLDS, COMPLIANT, [tcp(80, "sg-1")], interface("10.0.1.4", secondary=["10.0.1.5"])),
    _lets_in(
        "a secondary address of a closed interface",
        HOLDS,
        NON_COMPLIANT,
        [],
        interface("10.0.1.4", secondary=["10.0.1.5"]),
        lacks=(_lacks(),),
    ),
    _lets_in(
        "a delegated prefix that is open",
        HOLDS,
        COMPLIANT,
        [tcp(80, "sg-1")],
        interface("10.0.1.4", prefixes=["10.0.1.0/28"]),
    ),
    _lets_in(
        "a delegated prefix",
        HOLDS,
        NON_COMPLIANT,
        [],
        interface("10.0.1.4", prefixes=["10.0.1.0/28"]),
        lacks=(_lacks(),),
    ),
    _lets_in(
        "a pod's branch interface",
        "The interface that holds the address, not the node's: a pod with a security group has one of its own.",
        NON_COMPLIANT,
        [],
        interface("10.0.1.4", groups=["sg-node"], instance="i-node"),
        interface("10.0.1.5", groups=["sg-app"]),
        group("sg-node", ingress=[all_traffic(ANYWHERE)]),
        lacks=(_lacks(),),
    ),
    _lets_in(
        "an interface that is not seen",
        UNSEEN,
        NON_COMPLIANT,
        [tcp(80, "sg-1")],
        interface("10.0.1.6"),
        unresolved=True,
        lacks=(_lacks(groups=()),),
        says=("unresolved", "10.0.1.5"),
    ),
    _lets_in(
        "an interface that is not seen beside one that is closed",
        "Not `unresolved`: more stands between the load balancer and COMPLIANT (§2). What is certain is said first.",
        NON_COMPLIANT,
        [],
        target_group("web", targets=["10.0.1.4", "10.0.1.5"]),
        interface("10.0.1.5"),
        lacks=(_lacks(), _lacks(groups=())),
        says=("in sg-app of 10.0.1.5", "+1 more"),
        silent=("as far as is known",),
    ),
    _lets_in(
        "interfaces that were not collected",
        UNREAD,
        ERROR,
        [tcp(80, "sg-1")],
        uncollected=("NetworkInterfaces",),
        says=("NetworkInterfaces",),
    ),
    _lets_in(
        "the same address in another VPC",
        "In the target group's VPC.",
        NON_COMPLIANT,
        [],
        interface("10.0.1.5", vpc="vpc-2", groups=["sg-open"]),
        interface("10.0.1.5"),
        group("sg-open", vpc="vpc-2", ingress=[all_traffic(ANYWHERE)]),
        lacks=(_lacks(),),
    ),
    _lets_in(
        "an address on premises",
        OUTSIDE,
        NOT_APPLICABLE,
        [],
        target_group(targets=["192.168.1.9"]),
        says=("192.168.1.9 not judged", "outside the VPC"),
    ),
    _lets_in(
        "an address on premises beside one that is open",
        "No requirement, and a remark.",
        COMPLIANT,
        [tcp(80, "sg-1")],
        target_group(targets=["10.0.1.5", "192.168.1.9"]),
        says=("1 requirement met in sg-app; 192.168.1.9 not judged",),
    ),
    _lets_in(
        "an address on premises beside one that is closed",
        "No requirement, and a remark.",
        NON_COMPLIANT,
        [],
        target_group(targets=["10.0.1.5", "192.168.1.9"]),
        lacks=(_lacks(),),
        says=("192.168.1.9 not judged",),
    ),
    _lets_in(
        "an interface without groups",
        "Nothing filters what reaches it: no groups to judge.",
        NOT_APPLICABLE,
        [],
        interface("10.0.1.5", groups=[]),
        says=("10.0.1.5 not judged", "no security group"),
    ),
)
def test_whose_groups_are_judged(case: Case) -> None:
    check(case)


def _peered(name: str, why: str, expected: str, egress: list[Shape], *parts: Shape, **fields: Any) -> Case:
    """One target, 10.9.0.5, which an interface in vpc-2 holds that carries sg-far."""
    return _case(
        name,
        why,
        expected,
        target_group(targets=["10.9.0.5"]),
        group("sg-1", egress=egress),
        vpc("10.0.0.0/16"),
        vpc("10.9.0.0/16", id="vpc-2"),
        interface("10.9.0.5", vpc="vpc-2", groups=["sg-far"]),
        *parts,
        **fields,
    )


OVER_PEERING = reference("sg-1", peering="pcx-1", vpc="vpc-1", status="active")


@table(
    _peered(
        "a peered VPC's target that is open",
        "§6: the visible interface in the VPC that an active peering names.",
        COMPLIANT,
        [tcp(80, PEERED)],
        group("sg-far", vpc="vpc-2", ingress=[tcp(80, OVER_PEERING)]),
    ),
    _peered(
        "a peered VPC's target that is closed",
        "As above.",
        NON_COMPLIANT,
        [tcp(80, PEERED)],
        lacks=(_lacks(groups=("sg-far",)),),
    ),
    _peered(
        "an address of two peered VPCs",
        "Routes decide which of the two interfaces is reached: could not be resolved (§2).",
        NON_COMPLIANT,
        [tcp(80, PEERED, reference("sg-c", peering="pcx-2", vpc="vpc-3", status="active"))],
        interface("10.9.0.5", vpc="vpc-3", groups=["sg-c"]),
        group("sg-c", vpc="vpc-3", ingress=[tcp(80, OVER_PEERING)]),
        unresolved=True,
        lacks=(_lacks(groups=()),),
        says=("unresolved", "10.9.0.5"),
    ),
    _peered("a VPC that no reference names", OUTSIDE, NOT_APPLICABLE, [tcp(80, ANYWHERE)], says=("outside the VPC",)),
    _peered(
        "a VPC that only an inbound reference names",
        "Inbound rules are about clients: to remove one that is unused changes no other verdict (§12).",
        NOT_APPLICABLE,
        [tcp(80, ANYWHERE)],
        group("sg-1", ingress=[tcp(22, PEERED)], egress=[all_traffic(ANYWHERE)]),
        says=("outside the VPC",),
    ),
    _peered(
        "a VPC that only a stale reference names",
        OUTSIDE,
        NOT_APPLICABLE,
        [tcp(80, {**PEERED, "PeeringStatus": "deleted"})],
    ),
)
def test_targets_beyond_a_peering(case: Case) -> None:
    check(case)


SIX = target_group(type="ip", ip_address_type="ipv6", targets=["2001:db8:0:1::5"])
DUAL_SUBNETS = (
    subnet("10.0.1.0/24", "2001:db8:0:1::/64", id="subnet-a"),
    subnet("10.0.2.0/24", "2001:db8:0:2::/64", id="subnet-b"),
)
DUAL_VPC = vpc("10.0.0.0/16", "2001:db8::/56")
BLOCKS_6 = ("2001:db8:0:1::/64", "2001:db8:0:2::/64")


def _six(name: str, why: str, expected: str, ingress: list[Shape], *parts: Shape, **fields: Any) -> Case:
    subnets = [] if any("SubnetId" in part for part in parts) else DUAL_SUBNETS
    held = interface("10.0.1.5", ipv6=["2001:db8:0:1::5"])
    return _lets_in(name, why, expected, ingress, SIX, held, DUAL_VPC, *subnets, *parts, **fields)


@table(
    _six("each subnet's IPv6 block", "Addresses of the target group's family.", COMPLIANT, [tcp(80, *BLOCKS_6)]),
    _six(
        "IPv4 rules alone",
        "IPv4 never covers IPv6 (§4).",
        NON_COMPLIANT,
        [tcp(80, ANYWHERE)],
        lacks=(_lacks(peers=BLOCKS_6, required=BLOCKS_6),),
    ),
    _six(
        "IPv6 rules for an IPv4 target group",
        "IPv6 never covers IPv4 (§4).",
        NON_COMPLIANT,
        [tcp(80, ANYWHERE_IPV6)],
        target_group("four", targets=["10.0.1.5"]),
        lacks=(_lacks(),),
    ),
    _six("a reference", "A reference covers nodes of either family.", COMPLIANT, [tcp(80, "sg-1")]),
    _six("every IPv6 address", WHOLE_BLOCKS, COMPLIANT, [tcp(80, ANYWHERE_IPV6)]),
    _six(
        "a subnet without an IPv6 block",
        NO_BLOCK,
        ERROR,
        [tcp(80, *BLOCKS_6)],
        DUAL_SUBNETS[0],
        subnet("10.0.2.0/24", id="subnet-b"),
        says=("subnet-b",),
    ),
    _six(
        "a subnet without an IPv6 block, and a reference",
        "COMPLIANT where what was read proves cover (§2).",
        COMPLIANT,
        [tcp(80, "sg-1")],
        DUAL_SUBNETS[0],
        subnet("10.0.2.0/24", id="subnet-b"),
    ),
)
def test_ipv6_target_groups(case: Case) -> None:
    check(case)


LOST = load_balancer(subnets=["subnet-a", "subnet-lost"])


@table(
    _lets_in(
        "subnets not collected",
        "Every requirement must be known (§2).",
        ERROR,
        [tcp(80, *BLOCKS)],
        uncollected=("Subnets",),
        says=("subnet-a", "Subnets"),
    ),
    _lets_in(
        "subnets not collected, and a reference",
        "COMPLIANT where what was read proves cover (§2).",
        COMPLIANT,
        [tcp(80, "sg-1")],
        uncollected=("Subnets",),
    ),
    _lets_in(
        "subnets not collected, and everybody",
        "As above.",
        COMPLIANT,
        [tcp(80, ANYWHERE)],
        uncollected=("Subnets", "Vpcs"),
    ),
    _lets_in(
        "subnets not collected, and the VPC",
        "As above: the VPC's blocks hold those of its subnets.",
        COMPLIANT,
        [tcp(80, "10.0.0.0/16")],
        uncollected=("Subnets",),
    ),
    _lets_in(
        "one subnet not in the data", "Every requirement must be known (§2).", ERROR, [], LOST, says=("subnet-lost",)
    ),
    _lets_in(
        "no zones in the data",
        "Every requirement must be known (§2).",
        ERROR,
        [],
        load_balancer(subnets=[]),
        says=("AvailabilityZones",),
    ),
    _lets_in(
        "no groups of the load balancer",
        "A load balancer with no groups at all is never a verdict (§2).",
        ERROR,
        [],
        load_balancer(groups=[]),
        says=("the load balancer has none",),
    ),
    _lets_in(
        "registrations unread",
        "Every requirement must be known (§2).",
        ERROR,
        [tcp(80, "sg-1")],
        target_group(targets=None),
    ),
)
def test_unread_data_gives_no_verdict(case: Case) -> None:
    check(case)


@pytest.mark.parametrize(("rules", "expected"), [([tcp(80, "sg-1")], COMPLIANT), ([], ERROR)])
def test_a_group_of_the_target_that_was_not_read(rules: list[Shape], expected: str) -> None:
    """An error, unless what was read covers."""
    saved = estate(
        target_group(targets=["10.0.1.5"]),
        group("sg-1"),
        interface("10.0.1.5", groups=["sg-app", "sg-lost"]),
        group("sg-app", ingress=rules),
    )
    saved["SecurityGroups"] = [one for one in saved["SecurityGroups"] if one["GroupId"] != "sg-lost"]
    check(Case("sg-lost", UNREAD, saved, expected, rule=TARGETS, says=("sg-lost",) if expected == ERROR else ()))


def test_a_rule_of_a_target_that_cannot_be_read_may_let_in_anything() -> None:
    saved = estate(
        target_group(targets=["10.0.1.5"]),
        group("sg-1"),
        interface("10.0.1.5"),
        group("sg-app", ingress=[{"IpProtocol": "carrier-pigeon"}]),
    )
    check(
        Case("unknown", "An error that names field and value (§2).", saved, ERROR, rule=TARGETS, says=("IpProtocol",))
    )


def test_zones_of_a_shape_that_is_not_known_concern_this_rule_alone() -> None:
    saved = estate(target_group(targets=["10.0.1.5"]), group("sg-1"), interface("10.0.1.5"))
    saved["LoadBalancers"][0]["AvailabilityZones"] = [{"ZoneName": "us-east-1a"}]
    assert build(saved).load_balancers
    check(
        Case(
            "zones",
            "It concerns what hangs on the field (§2).",
            saved,
            ERROR,
            rule=TARGETS,
            says=("AvailabilityZones",),
        )
    )


def test_the_text_is_the_same_whatever_the_order() -> None:
    parts = [interface(f"10.0.1.{number}", groups=[f"sg-{number}"]) for number in range(5, 15)]
    targets = [f"10.0.1.{number}" for number in range(5, 15)]
    texts = {
        str(judge(estate(target_group(targets=order), group("sg-1"), *reversed(parts)), TARGETS))
        for order in (targets, list(reversed(targets)))
    }
    assert len(texts) == 1
