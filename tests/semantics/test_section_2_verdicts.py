"""Semantics §2: requirement, permission, verdict; what was not read, and what could not be resolved."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Network

import pytest

from alb_sg.estate.estate import ReadFailure
from alb_sg.estate.sections import Section
from alb_sg.findings.finding import Compliance
from alb_sg.findings.judge import judge_all
from alb_sg.parameters import Parameters
from alb_sg.recommendations.catalogue import DEFAULT_RECOMMENDATIONS, RECOMMENDATIONS_BY_NAME
from tests.builders import (
    ANYWHERE,
    EGRESS,
    HEALTH,
    ICMP,
    INGRESS,
    RULES,
    TARGETS,
    UNUSED,
    Saved,
    all_traffic,
    build,
    estate,
    group,
    icmp,
    instance,
    interface,
    listener,
    load_balancer,
    network_load_balancer,
    prefix_list,
    reference,
    target,
    target_group,
    target_group_arn,
    tcp,
    udp,
    vpc,
)
from tests.semantics.cases import (
    COMPLIANT,
    ERROR,
    NON_COMPLIANT,
    NOT_APPLICABLE,
    Case,
    Lacks,
    check,
    open_to,
    reaching,
    table,
)

ALL_BUT_ONE = [str(block) for block in IPv4Network(ANYWHERE).address_exclude(IPv4Network("203.0.113.7/32"))]
UNITED = "All groups of a load balancer are united: a requirement may be covered by several rules of several groups."
PROVED = "COMPLIANT where what was read proves cover."
EXACT = "NON_COMPLIANT, with exactly what is missing."
ONE_THING = "A requirement is one thing: direction, protocol, port, a peer."


@table(
    Case("open to everybody", PROVED, open_to(tcp(443, ANYWHERE)), COMPLIANT),
    Case("two halves", UNITED, open_to(tcp(443, "0.0.0.0/1", "128.0.0.0/1")), COMPLIANT),
    Case("two halves in two rules", UNITED, open_to(tcp(443, "0.0.0.0/1"), tcp(443, "128.0.0.0/1")), COMPLIANT),
    Case(
        "two halves in two groups",
        UNITED,
        estate(
            load_balancer(groups=["sg-1", "sg-2"]),
            listener(443),
            group("sg-1", ingress=[tcp(443, "0.0.0.0/1")]),
            group("sg-2", ingress=[tcp((400, 500), "128.0.0.0/1")]),
        ),
        COMPLIANT,
    ),
    Case(
        "the other half in a group that the load balancer does not carry",
        "All groups *of a load balancer* are united.",
        estate(
            listener(443),
            group("sg-1", ingress=[tcp(443, "0.0.0.0/1")]),
            group("sg-2", ingress=[tcp(443, "128.0.0.0/1")]),
        ),
        NON_COMPLIANT,
        lacks=(Lacks(443, (ANYWHERE,), ("128.0.0.0/1",)),),
    ),
    Case(
        "all but one address",
        EXACT,
        open_to(tcp(443, *ALL_BUT_ONE)),
        NON_COMPLIANT,
        lacks=(Lacks(443, (ANYWHERE,), ("203.0.113.7/32",)),),
    ),
    Case(
        "the VPC tiled by its subnets",
        "The VPC's subnets may tile the VPC.",
        estate(
            load_balancer(scheme="internal"),
            listener(443),
            group("sg-1", ingress=[tcp(443, "10.0.0.0/17", "10.0.128.0/18", "10.0.192.0/18")]),
        ),
        COMPLIANT,
    ),
    Case(
        "one tile of the VPC missing",
        EXACT,
        estate(
            load_balancer(scheme="internal"),
            listener(443),
            group("sg-1", ingress=[tcp(443, "10.0.0.0/17", "10.0.192.0/18")]),
        ),
        NON_COMPLIANT,
        lacks=(Lacks(443, ("10.0.0.0/16",), ("10.0.128.0/18",)),),
    ),
    Case(
        "no rule at all",
        EXACT,
        open_to(),
        NON_COMPLIANT,
        lacks=(Lacks(443, (ANYWHERE,), (ANYWHERE,)),),
    ),
    Case(
        "the rest in as few blocks as will do",
        "`peers` the part not allowed yet, as few CIDRs as will do.",
        open_to(tcp(443, "64.0.0.0/2", "10.0.0.0/8")),
        NON_COMPLIANT,
        lacks=(
            Lacks(
                443,
                (ANYWHERE,),
                ("0.0.0.0/5", "8.0.0.0/7", "11.0.0.0/8", "12.0.0.0/6", "16.0.0.0/4", "32.0.0.0/3", "128.0.0.0/1"),
            ),
        ),
    ),
    Case(
        "the outbound direction", ONE_THING, estate(listener(443), group(egress=[all_traffic(ANYWHERE)])), NON_COMPLIANT
    ),
    Case("another protocol", ONE_THING, open_to(udp(443, ANYWHERE)), NON_COMPLIANT),
    Case("another port", ONE_THING, open_to(tcp(444, ANYWHERE)), NON_COMPLIANT),
    Case(
        "an endpoint is an address together with groups",
        "One endpoint (an address together with the security groups of its network interface).",
        reaching(tcp(80, "sg-app")),
        COMPLIANT,
        rule=EGRESS,
    ),
    Case(
        "an endpoint lacks its address or a reference",
        EXACT,
        reaching(tcp(80, "10.0.1.4/32")),
        NON_COMPLIANT,
        rule=EGRESS,
        lacks=(Lacks(80, ("10.0.1.5/32",), ("10.0.1.5/32",), ("sg-app",)),),
    ),
    Case("no requirement", "No requirement → NOT_APPLICABLE.", estate(group()), NOT_APPLICABLE),
    Case(
        "one of two requirements",
        "Every requirement covered → COMPLIANT; else NON_COMPLIANT.",
        estate(listener(443), listener(80), group(ingress=[tcp(80, ANYWHERE)])),
        NON_COMPLIANT,
        lacks=(Lacks(443, (ANYWHERE,), (ANYWHERE,)),),
    ),
)
def test_requirements_and_permissions(case: Case) -> None:
    check(case)


UNREAD = "What could not be read is never a verdict: an error that names it."
NA_FIRST = "NOT_APPLICABLE is decided first."
KNOWN = "Every requirement must be known."
COULD_COVER = "NON_COMPLIANT only where everything that could cover was read."
COUNTS_AS_UNREAD = "A registered instance or a prefix list that a collected section does not hold counts as unread."
HANGS_ON = "Only what a verdict hangs on must be read."
OPEN_EGRESS = "With open egress no target needs to be looked up."


@table(
    Case("a group not in the data", UNREAD, estate(listener(443)), ERROR, says=("sg-1",)),
    Case(
        "groups not collected",
        UNREAD,
        estate(listener(443), uncollected=["SecurityGroups"]),
        ERROR,
        says=("sg-1", "SecurityGroups"),
    ),
    Case(
        "no groups at all",
        "A load balancer with no groups at all.",
        estate(load_balancer(groups=[]), listener(443)),
        ERROR,
        says=("security groups",),
    ),
    Case("no groups at all, for ICMP", UNREAD, estate(load_balancer(groups=[])), ERROR, rule=ICMP),
    Case(
        "no groups at all, outbound",
        UNREAD,
        estate(load_balancer(groups=[]), target_group(targets=["10.0.1.5"]), interface("10.0.1.5")),
        ERROR,
        rule=EGRESS,
    ),
    Case(
        "a group not in the data, where the others prove cover",
        PROVED,
        estate(load_balancer(groups=["sg-1", "sg-lost"]), listener(443), group("sg-1", ingress=[tcp(443, ANYWHERE)])),
        COMPLIANT,
    ),
    Case(
        "a group not in the data, where the others do not",
        COULD_COVER,
        estate(
            load_balancer(groups=["sg-1", "sg-lost"]), listener(443), group("sg-1", ingress=[tcp(443, "0.0.0.0/1")])
        ),
        ERROR,
        says=("sg-lost",),
    ),
    Case("no listener, groups unread", NA_FIRST, estate(), NOT_APPLICABLE),
    Case("no target, groups unread", NA_FIRST, estate(listener(443, redirect=True)), NOT_APPLICABLE, rule=EGRESS),
    Case(
        "only Lambda, groups and registrations unread",
        NA_FIRST,
        estate(target_group(type="lambda", targets=None)),
        NOT_APPLICABLE,
        rule=EGRESS,
    ),
    Case("provisioning, nothing read", NA_FIRST, estate(load_balancer(state="provisioning")), NOT_APPLICABLE),
    Case(
        "a Network Load Balancer, nothing read",
        NA_FIRST,
        estate(network_load_balancer(), uncollected=["Listeners", "TargetGroups", "SecurityGroups"]),
        NOT_APPLICABLE,
        of="nlb",
    ),
    Case(
        "listeners not collected",
        KNOWN,
        estate(group(ingress=[all_traffic(ANYWHERE)]), uncollected=["Listeners"]),
        ERROR,
        says=("Listeners",),
    ),
    Case(
        "VPC not collected",
        KNOWN,
        estate(
            load_balancer(scheme="internal"),
            listener(443),
            group(ingress=[tcp(443, "10.0.0.0/8")]),
            uncollected=["Vpcs"],
        ),
        ERROR,
        says=("vpc-1",),
    ),
    Case(
        "VPC not among those collected",
        KNOWN,
        estate(load_balancer(scheme="internal", vpc="vpc-7"), listener(443), group(ingress=[tcp(443, "10.0.0.0/8")])),
        ERROR,
        rule=ICMP,
        says=("vpc-7",),
    ),
    Case(
        "target groups not collected",
        KNOWN,
        estate(group(egress=[all_traffic(ANYWHERE)]), uncollected=["TargetGroups"]),
        ERROR,
        rule=EGRESS,
    ),
    Case(
        "registrations of one target group not read",
        KNOWN,
        estate(
            target_group("web", targets=["10.0.1.5"]),
            target_group("lost", targets=None),
            group(egress=[all_traffic(ANYWHERE)]),
        ),
        ERROR,
        rule=EGRESS,
        says=("lost",),
    ),
    Case(
        "a target group of a listener that is not in the data",
        KNOWN,
        estate(listener(443, forward=["lost"]), group(egress=[all_traffic(ANYWHERE)])),
        ERROR,
        rule=EGRESS,
        says=("lost",),
    ),
    Case(
        "an unread prefix list that could cover",
        COUNTS_AS_UNREAD,
        open_to(tcp(443, "10.0.0.0/8", "pl-lost")),
        ERROR,
        says=("pl-lost",),
    ),
    Case("an unread prefix list on another port", HANGS_ON, open_to(tcp(80, "pl-lost")), NON_COMPLIANT),
    Case("an unread prefix list for another protocol", HANGS_ON, open_to(udp(443, "pl-lost")), NON_COMPLIANT),
    Case(
        "an unread prefix list in the other direction",
        HANGS_ON,
        estate(listener(443), group(egress=[tcp(443, "pl-lost")])),
        NON_COMPLIANT,
    ),
    Case("an unread prefix list beside what proves cover", PROVED, open_to(tcp(443, ANYWHERE, "pl-lost")), COMPLIANT),
    Case(
        "one requirement certainly missing, the other not known to be",
        COULD_COVER,
        estate(listener(80), listener(443), group(ingress=[tcp(80, "pl-lost")])),
        ERROR,
        says=("pl-lost",),
    ),
    Case(
        "an instance not in the data, open egress",
        OPEN_EGRESS,
        estate(target_group(type="instance", targets=["i-lost"]), group(egress=[all_traffic(ANYWHERE)])),
        COMPLIANT,
        rule=EGRESS,
    ),
    Case(
        "an instance not in the data, egress open in two halves",
        "Covered by a permission for its whole address family.",
        estate(
            target_group(type="instance", targets=["i-lost"]),
            group(egress=[tcp(80, "0.0.0.0/1"), tcp((1, 99), "128.0.0.0/1")]),
        ),
        COMPLIANT,
        rule=EGRESS,
    ),
    Case(
        "an instance not in the data, egress open to all addresses but one",
        COUNTS_AS_UNREAD,
        estate(target_group(type="instance", targets=["i-lost"]), group(egress=[tcp(80, *ALL_BUT_ONE)])),
        ERROR,
        rule=EGRESS,
        says=("i-lost",),
    ),
    Case(
        "an instance not in the data, a CIDR block",
        COUNTS_AS_UNREAD,
        estate(target_group(type="instance", targets=["i-lost"]), group(egress=[tcp(80, "10.0.0.0/16")])),
        ERROR,
        rule=EGRESS,
        says=("i-lost",),
    ),
    Case(
        "an instance not in the data, a reference",
        COUNTS_AS_UNREAD,
        estate(target_group(type="instance", targets=["i-lost"]), group("sg-app"), group(egress=[tcp(80, "sg-app")])),
        ERROR,
        rule=EGRESS,
        says=("i-lost",),
    ),
    Case(
        "an instance not in the data, no outbound rule",
        COUNTS_AS_UNREAD,
        estate(target_group(type="instance", targets=["i-lost"]), group()),
        ERROR,
        rule=EGRESS,
    ),
    Case(
        "an instance not in the data, its family closed",
        "Covered by a permission for its whole address *family*.",
        estate(
            target_group(type="instance", ip_address_type="ipv6", targets=["i-lost"]),
            group(egress=[all_traffic(ANYWHERE)]),
        ),
        ERROR,
        rule=EGRESS,
    ),
    Case(
        "an address not known, a group that is",
        "Or by a reference to a group it is known to carry.",
        estate(
            target_group(type="instance", ip_address_type="ipv6", targets=["i-1"]),
            instance("i-1", "10.0.1.5", groups=["sg-app"]),
            group(egress=[tcp(80, "sg-app")]),
        ),
        COMPLIANT,
        rule=EGRESS,
    ),
    Case(
        "nothing collected that open egress does not need",
        OPEN_EGRESS,
        estate(
            listener(443),
            target_group("web", targets=["10.0.1.5"]),
            target_group("app", type="instance", targets=["i-1"]),
            group(egress=[all_traffic(ANYWHERE)]),
            uncollected=["Vpcs", "Instances", "NetworkInterfaces", "ManagedPrefixLists", "Tags", "Subnets"],
        ),
        COMPLIANT,
        rule=EGRESS,
    ),
    Case(
        "nothing collected that clients from everywhere do not need",
        HANGS_ON,
        estate(
            listener(443),
            group(ingress=[tcp(443, ANYWHERE)]),
            uncollected=["Vpcs", "Instances", "NetworkInterfaces", "ManagedPrefixLists", "Tags", "Subnets"],
        ),
        COMPLIANT,
    ),
    Case(
        "an ip target needs no interface where a CIDR covers it",
        HANGS_ON,
        estate(
            target_group(targets=["10.0.1.5"]),
            group(egress=[tcp(80, "10.0.0.0/16")]),
            uncollected=["Vpcs", "NetworkInterfaces"],
        ),
        COMPLIANT,
        rule=EGRESS,
    ),
    Case(
        "an ip target, a reference, interfaces not collected",
        COULD_COVER,
        estate(
            target_group(targets=["10.0.1.5"]),
            group("sg-app"),
            group(egress=[tcp(80, "sg-app")]),
            uncollected=["NetworkInterfaces"],
        ),
        ERROR,
        rule=EGRESS,
        says=("NetworkInterfaces",),
    ),
    Case(
        "an ip target, no reference that could cover it, interfaces not collected",
        HANGS_ON,
        estate(
            target_group(targets=["10.0.1.5"]),
            group(egress=[tcp(80, "10.9.0.0/16"), tcp(81, "sg-1")]),
            uncollected=["NetworkInterfaces"],
        ),
        NON_COMPLIANT,
        rule=EGRESS,
    ),
    Case(
        "an address on premises, a reference in the VPC, interfaces not collected",
        "Only what a verdict hangs on must be read: outside the VPC's blocks, without a peering reference, no groups.",
        estate(
            target_group(targets=["192.168.1.1"]),
            group("sg-app"),
            group(egress=[tcp(80, "sg-app")]),
            uncollected=["NetworkInterfaces"],
        ),
        NON_COMPLIANT,
        rule=EGRESS,
    ),
)
def test_unread_data_gives_no_verdict(case: Case) -> None:
    check(case)


NOT_THE_LIST = "An answer without the list that it is for is not believed: it says nothing, not that there is nothing."
CONCERNS = "A value that is none concerns what hangs on it: an error that names field and value."
NO_PORT = "A port that is no port."


def without(saved: Saved, section: str, index: int, field: str) -> Saved:
    """The estate without one field of one element, as `aws … --query` leaves it out."""
    del saved[section][index][field]
    return saved


def with_value(saved: Saved, section: str, index: int, field: str, value: object) -> Saved:
    saved[section][index][field] = value
    return saved


def without_groups(saved: Saved) -> Saved:
    """The estate whose first instance has no groups on its primary interface."""
    del saved["Instances"][0]["NetworkInterfaces"][0]["Groups"]
    return saved


def on_hosts() -> Saved:
    """A load balancer that sends to the instance i-1 with the group sg-app, by reference, and is let in by one."""
    return estate(
        listener(443, forward=["web"]),
        target_group(type="instance", targets=["i-1"]),
        instance("i-1", "10.0.1.5"),
        group(egress=[tcp(80, "sg-app")]),
        group("sg-app", ingress=[tcp(80, "sg-1")]),
    )


@table(
    Case(
        "a group without the list of its inbound rules",
        NOT_THE_LIST,
        without(open_to(tcp(443, ANYWHERE)), "SecurityGroups", 0, "IpPermissions"),
        ERROR,
        says=("IpPermissions", "sg-1", "missing"),
    ),
    Case(
        "a group without the list of its inbound rules lets nothing unused in, as far as one sees",
        NOT_THE_LIST,
        without(open_to(tcp(443, ANYWHERE)), "SecurityGroups", 0, "IpPermissions"),
        ERROR,
        rule=UNUSED,
        says=("IpPermissions", "sg-1"),
    ),
    Case(
        "a group with null in place of its outbound rules",
        NOT_THE_LIST,
        with_value(reaching(tcp(80, "sg-app")), "SecurityGroups", 0, "IpPermissionsEgress", None),
        ERROR,
        rule=EGRESS,
        says=("IpPermissionsEgress", "sg-1"),
    ),
    Case(
        "what the other direction needs is there",
        HANGS_ON,
        without(open_to(tcp(443, ANYWHERE)), "SecurityGroups", 0, "IpPermissionsEgress"),
        COMPLIANT,
    ),
    Case(
        "an interface without the list of its groups, judged by the target's side",
        NOT_THE_LIST + " The target has groups, and they may let nothing in.",
        without(reaching(tcp(80, "sg-app")), "NetworkInterfaces", 0, "Groups"),
        ERROR,
        rule=TARGETS,
        says=("Groups",),
    ),
    Case(
        "an interface without the list of its groups, reached by reference",
        COULD_COVER,
        without(reaching(tcp(80, "sg-app")), "NetworkInterfaces", 0, "Groups"),
        ERROR,
        rule=EGRESS,
        says=("Groups",),
    ),
    Case(
        "an interface without the list of its groups, reached by address",
        HANGS_ON,
        without(reaching(tcp(80, "10.0.1.5/32")), "NetworkInterfaces", 0, "Groups"),
        COMPLIANT,
        rule=EGRESS,
    ),
    Case(
        "an instance whose groups are not recorded, reached by reference",
        COULD_COVER + " Every interface of an instance has a group.",
        without_groups(on_hosts()),
        ERROR,
        rule=EGRESS,
        says=("security groups of i-1",),
    ),
    Case(
        "an instance whose groups are not recorded, at its own side",
        COULD_COVER,
        without_groups(on_hosts()),
        ERROR,
        rule=TARGETS,
        says=("security groups of i-1",),
    ),
    Case(
        "an instance known from its interface alone, whose address cannot be read",
        UNREAD + " It is not that it has no address.",
        estate(
            listener(443, forward=["web"]),
            target_group(type="instance", targets=["i-1"]),
            interface("10.0.1.5", instance="i-1") | {"PrivateIpAddresses": "10.0.1.5"},
            group(egress=[tcp(80, "10.0.1.0/24")]),
        ),
        ERROR,
        rule=EGRESS,
        says=("PrivateIpAddresses of network interface eni-",),
    ),
    Case(
        "a target group without its VPC",
        CONCERNS + " Which interface holds the address is not known without it.",
        without(reaching(tcp(80, "sg-app")), "TargetGroups", 0, "VpcId"),
        ERROR,
        rule=EGRESS,
        says=("VpcId was not recorded",),
    ),
    Case(
        "something else among the load balancers of a target group",
        "A set with a value that is none is not the smaller set without it: which load balancer it names is not known.",
        with_value(reaching(tcp(81, "sg-app")), "TargetGroups", 0, "LoadBalancerArns", ["web"]),
        ERROR,
        rule=EGRESS,
        says=("LoadBalancerArns",),
    ),
    Case(
        "something else in place of the load balancer's group, at its targets",
        COULD_COVER + " The group that it carries may be the one that the targets let in.",
        with_value(
            estate(
                listener(443, forward=["web"]),
                target_group(targets=["10.0.1.5"]),
                interface("10.0.1.5"),
                group("sg-app", ingress=[tcp(80, "sg-1")]),
            ),
            "LoadBalancers",
            0,
            "SecurityGroups",
            [None],
        ),
        ERROR,
        rule=TARGETS,
        says=("security groups of the load balancer", "None"),
    ),
    *(
        Case(
            f"port 0 in {section} {field}",
            f"{CONCERNS} {NO_PORT}",
            with_value(reaching(tcp((0, 65535), "sg-app")), section, 0, field, 0),
            ERROR,
            rule=rule,
            says=(field, "0"),
        )
        for section, field, rule in (
            ("Listeners", "Port", INGRESS),
            ("TargetGroups", "Port", EGRESS),
            ("TargetGroups", "HealthCheckPort", HEALTH),
            ("TargetGroups", "TargetControlPort", EGRESS),
        )
    ),
    Case(
        "port 0 of a registration",
        f"{CONCERNS} {NO_PORT}",
        estate(
            listener(443, forward=["web"]),
            target_group(targets=[target("10.0.1.5", 0)]),
            interface("10.0.1.5"),
            group(egress=[tcp((0, 65535), "sg-app")]),
        ),
        ERROR,
        rule=EGRESS,
        says=("Port", "0"),
    ),
    Case(
        "a rule from port 0 on",
        "`FromPort` 0 begins the range of all ports.",
        reaching(tcp((0, 65535), "sg-app")),
        COMPLIANT,
        rule=EGRESS,
    ),
)
def test_an_absent_or_malformed_value_gives_no_verdict(case: Case) -> None:
    check(case)


REFUSED = "A prefix list of another account whose entries are refused covers nothing; the finding says so."
STANDS_BETWEEN = "Where only that stands between the load balancer and COMPLIANT, the finding is marked `unresolved`."
ITS_PORTS = "If every unresolved permission covered its whole family *on its ports*."
NO_INTERFACE = "An in-VPC `ip` target whose network interface is not found covers nothing."
NOT_VISIBLE = "A reference over an active peering to a group whose members are not visible covers nothing."
PEERED = reference("sg-peer", peering="pcx-1", vpc="vpc-9", status="active", account="444455556666")


@table(
    Case(
        "entries refused",
        REFUSED,
        estate(listener(443), group(ingress=[tcp(443, "pl-1")]), prefix_list("pl-1", refused=True)),
        NON_COMPLIANT,
        says=("unresolved", "pl-1"),
        unresolved=True,
        lacks=(Lacks(443, (ANYWHERE,), (ANYWHERE,)),),
    ),
    Case(
        "entries refused, covered all the same",
        PROVED,
        estate(listener(443), group(ingress=[tcp(443, "pl-1", ANYWHERE)]), prefix_list("pl-1", refused=True)),
        COMPLIANT,
        silent=("unresolved",),
    ),
    Case(
        "entries refused, another port",
        ITS_PORTS,
        estate(listener(443), group(ingress=[tcp(80, "pl-1")]), prefix_list("pl-1", refused=True)),
        NON_COMPLIANT,
    ),
    Case(
        "entries refused, another family",
        "If every unresolved permission covered its whole *family*.",
        estate(
            load_balancer(ip_address_type="dualstack"),
            listener(443),
            group(ingress=[tcp(443, "pl-1", ANYWHERE)]),
            prefix_list("pl-1", refused=True),
        ),
        NON_COMPLIANT,
        lacks=(Lacks(443, ("::/0",), ("::/0",)),),
    ),
    Case(
        "entries refused, and another port certainly missing",
        STANDS_BETWEEN,
        estate(listener(443), listener(80), group(ingress=[tcp(443, "pl-1")]), prefix_list("pl-1", refused=True)),
        NON_COMPLIANT,
        lacks=(Lacks(443, (ANYWHERE,), (ANYWHERE,)), Lacks(80, (ANYWHERE,), (ANYWHERE,))),
    ),
    Case(
        "entries refused, outbound",
        REFUSED,
        reaching(tcp(80, "pl-1"), parts=(prefix_list("pl-1", refused=True),)),
        NON_COMPLIANT,
        rule=EGRESS,
        says=("pl-1",),
        unresolved=True,
        lacks=(Lacks(80, ("10.0.1.5/32",), ("10.0.1.5/32",), ("sg-app",)),),
    ),
    Case(
        "entries refused, for ICMP",
        REFUSED,
        estate(group(ingress=[icmp(3, 4, "pl-1")]), prefix_list("pl-1", refused=True)),
        NON_COMPLIANT,
        rule=ICMP,
        says=("pl-1",),
        unresolved=True,
    ),
    Case(
        "no interface holds a target in the VPC, a reference",
        NO_INTERFACE,
        estate(target_group(targets=["10.0.1.5"]), group("sg-app"), group(egress=[tcp(80, "sg-app")])),
        NON_COMPLIANT,
        rule=EGRESS,
        says=("unresolved", "10.0.1.5"),
        unresolved=True,
        lacks=(Lacks(80, ("10.0.1.5/32",), ("10.0.1.5/32",)),),
    ),
    Case(
        "no interface holds a target in the VPC, a reference on another port",
        ITS_PORTS,
        estate(target_group(targets=["10.0.1.5"]), group("sg-app"), group(egress=[tcp(81, "sg-app")])),
        NON_COMPLIANT,
        rule=EGRESS,
    ),
    Case(
        "no interface holds a target in the VPC, no reference",
        STANDS_BETWEEN,
        estate(target_group(targets=["10.0.1.5"]), group(egress=[tcp(80, "10.9.0.0/16")])),
        NON_COMPLIANT,
        rule=EGRESS,
    ),
    Case(
        "no interface holds a target in the VPC, a CIDR block covers it",
        PROVED,
        estate(target_group(targets=["10.0.1.5"]), group(egress=[tcp(80, "10.0.1.0/24")])),
        COMPLIANT,
        rule=EGRESS,
    ),
    Case(
        "members of a peered group not visible",
        NOT_VISIBLE,
        estate(target_group(targets=["10.9.1.5"]), group(egress=[tcp(80, PEERED)])),
        NON_COMPLIANT,
        rule=EGRESS,
        says=("unresolved", "sg-peer"),
        unresolved=True,
        lacks=(Lacks(80, ("10.9.1.5/32",), ("10.9.1.5/32",)),),
    ),
    Case(
        "members of a peered group not visible, a target in the VPC beside it",
        STANDS_BETWEEN,
        estate(
            target_group(targets=["10.9.1.5", "10.0.1.5"]),
            interface("10.0.1.5", groups=["sg-app"]),
            group(egress=[tcp(80, PEERED)]),
        ),
        NON_COMPLIANT,
        rule=EGRESS,
    ),
)
def test_an_unresolved_peer_covers_nothing(case: Case) -> None:
    check(case)


def test_every_other_load_balancer_is_still_judged() -> None:
    """An error names what was not read, "every other load balancer still judged"."""
    found = build(
        estate(
            load_balancer("lost", groups=["sg-lost"]),
            load_balancer("bare", groups=[]),
            load_balancer("web"),
            *(listener(443, of=name) for name in ("lost", "bare", "web")),
            group("sg-1", ingress=[all_traffic(ANYWHERE)], egress=[all_traffic(ANYWHERE)]),
            target_group("web", targets=["10.0.1.5"], load_balancers=["web"]),
            interface("10.0.1.5", groups=["sg-1"]),
            target_group("lost", targets=None, load_balancers=["lost"]),
        )
    )
    rules = {recommendation: Parameters() for recommendation in DEFAULT_RECOMMENDATIONS}
    findings, errors = judge_all(found, found.load_balancers.values(), rules)
    verdicts = {(finding.load_balancer_name, finding.rule): finding.compliance for finding in findings}
    assert verdicts == {
        **{("web", rule): Compliance.COMPLIANT for rule in RULES},
        # It has no target group, whatever its groups are.
        **{("bare", rule): Compliance.NOT_APPLICABLE for rule in (EGRESS, HEALTH, TARGETS)},
    }
    assert [(error.rule, error.what) for error in errors if "/lost/" in str(error.load_balancer_arn)] == [
        (HEALTH, "targets of lost"),
        (ICMP, "security group sg-lost"),
        (EGRESS, "targets of lost"),
        (INGRESS, "security group sg-lost"),
        (TARGETS, "targets of lost"),
    ]
    assert {error.rule for error in errors if "/bare/" in str(error.load_balancer_arn)} == {INGRESS, ICMP}


CAUSE = "DescribeSomething: ThrottlingException: Rate exceeded"


@pytest.mark.parametrize(
    ("rule", "section", "key"),
    [
        (INGRESS, "Listeners", None),
        (INGRESS, "SecurityGroups", "sg-1"),
        (INGRESS, "SecurityGroups", None),
        (EGRESS, "TargetGroups", None),
        (EGRESS, "TargetHealthDescriptions", target_group_arn("web")),
        (EGRESS, "Instances", "i-1"),
        (EGRESS, "NetworkInterfaces", None),
    ],
)
def test_a_call_that_failed_is_named_with_its_cause(rule: str, section: str, key: str | None) -> None:
    """ "A throttled or denied call, a page that failed" is "an error that names it"."""
    on_instance = section == "Instances"
    saved = estate(
        listener(443),
        group("sg-app"),
        group("sg-1", egress=[tcp(80, "sg-app")]),
        target_group("web", type="instance" if on_instance else "ip", targets=["i-1" if on_instance else "10.0.1.5"]),
        uncollected=[section],
    )
    found = replace(build(saved), failures=(ReadFailure(Section(section), key, CAUSE),))
    findings, errors = judge_all(found, found.load_balancers.values(), {RECOMMENDATIONS_BY_NAME[rule]: Parameters()})
    assert not findings
    assert [error.cause for error in errors] == [CAUSE]


@pytest.mark.parametrize("section", ["TargetGroups", "NetworkInterfaces", "SecurityGroups"])
def test_a_page_that_failed_is_not_an_empty_one(section: str) -> None:
    """A section of which only some pages came holds less than there is."""
    found = build(
        estate(
            load_balancer(groups=["sg-1", "sg-2"]),
            listener(443),
            group("sg-1", egress=[tcp(80, "sg-app")]),
            group("sg-app"),
            vpc("10.0.0.0/16"),
            target_group("web", targets=["10.0.1.5"]),
            *([] if section == "SecurityGroups" else [group("sg-2")]),
        )
    )
    partly = replace(found, has_all_security_groups=False, failures=(ReadFailure(Section(section), None, CAUSE),))
    findings, errors = judge_all(
        partly, partly.load_balancers.values(), {RECOMMENDATIONS_BY_NAME[EGRESS]: Parameters()}
    )
    assert not findings
    assert [error.cause for error in errors] == [CAUSE]
