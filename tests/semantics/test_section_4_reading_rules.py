"""Semantics §4: what a security group rule lets through, in all its spellings."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from alb_sg.findings.judge import judge_all
from alb_sg.parameters import Parameters
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME
from tests.builders import (
    ANYWHERE,
    ANYWHERE_IPV6,
    EGRESS,
    ICMP,
    INGRESS,
    Shape,
    all_traffic,
    build,
    estate,
    group,
    icmp,
    icmpv6,
    interface,
    listener,
    load_balancer,
    permission,
    prefix_list,
    reference,
    target_group,
    tcp,
    udp,
    vpc,
)
from tests.semantics.cases import (
    COMPLIANT,
    ERROR,
    NON_COMPLIANT,
    Case,
    Lacks,
    check,
    open_to,
    reaches,
    reaching,
    table,
)


def _opens(name: str, why: str, expected: str, *ingress: Shape) -> Case:
    return Case(name, why, open_to(*ingress), expected)


EVERYTHING = "Protocol `-1` is every protocol and port."
NUMBERS = "`6`, `17`, `1`, `58` and any letter case mean tcp, udp, icmp, icmpv6."
OTHER_NUMBERS = "Any other protocol number never covers anything here, whatever ports it carries."
ALL_PORTS = "`tcp` with no ports (or null) covers all ports."


@table(
    _opens("all traffic", EVERYTHING, COMPLIANT, all_traffic(ANYWHERE)),
    _opens("all traffic with ports", EVERYTHING, COMPLIANT, permission("-1", 80, 80, ANYWHERE)),
    _opens("all traffic with ports of -1", EVERYTHING, COMPLIANT, permission("-1", -1, -1, ANYWHERE)),
    _opens("6", NUMBERS, COMPLIANT, permission("6", 443, 443, ANYWHERE)),
    _opens("TCP", NUMBERS, COMPLIANT, permission("TCP", 443, 443, ANYWHERE)),
    _opens("Tcp", NUMBERS, COMPLIANT, permission("Tcp", 443, 443, ANYWHERE)),
    _opens("6 on another port", NUMBERS, NON_COMPLIANT, permission("6", 80, 80, ANYWHERE)),
    _opens("17", NUMBERS, NON_COMPLIANT, permission("17", 443, 443, ANYWHERE)),
    _opens("udp", NUMBERS, NON_COMPLIANT, udp(443, ANYWHERE)),
    _opens("UDP without ports", NUMBERS, NON_COMPLIANT, permission("UDP", None, None, ANYWHERE)),
    _opens("icmp with a type like the port", NUMBERS, NON_COMPLIANT, icmp(443, 443, ANYWHERE)),
    _opens("47", OTHER_NUMBERS, NON_COMPLIANT, permission("47", None, None, ANYWHERE)),
    _opens("47 with ports", OTHER_NUMBERS, NON_COMPLIANT, permission("47", 443, 443, ANYWHERE)),
    _opens("47 with all ports", OTHER_NUMBERS, NON_COMPLIANT, permission("47", 0, 65535, ANYWHERE)),
    _opens("0, which is not -1", OTHER_NUMBERS, NON_COMPLIANT, permission("0", None, None, ANYWHERE)),
    _opens("132 on all ports", OTHER_NUMBERS, NON_COMPLIANT, permission("132", -1, -1, ANYWHERE)),
    _opens("tcp without ports", ALL_PORTS, COMPLIANT, tcp(None, ANYWHERE)),
    _opens("tcp on all ports", "A port inside a range.", COMPLIANT, tcp((0, 65535), ANYWHERE)),
    _opens("a port inside a range", "A port inside a range.", COMPLIANT, tcp((400, 500), ANYWHERE)),
    _opens("a range from the port", "Both ends belong to a range.", COMPLIANT, tcp((443, 500), ANYWHERE)),
    _opens("a range to the port", "Both ends belong to a range.", COMPLIANT, tcp((80, 443), ANYWHERE)),
    _opens("a range below the port", "A port outside a range.", NON_COMPLIANT, tcp((80, 442), ANYWHERE)),
    _opens("a range above the port", "A port outside a range.", NON_COMPLIANT, tcp((444, 65535), ANYWHERE)),
    Case("1 for ICMP", NUMBERS, estate(group(ingress=[permission("1", 3, 4, ANYWHERE)])), COMPLIANT, rule=ICMP),
    Case("ICMP", NUMBERS, estate(group(ingress=[permission("ICMP", 3, 4, ANYWHERE)])), COMPLIANT, rule=ICMP),
    Case(
        "58 and ICMPv6",
        NUMBERS,
        estate(
            load_balancer(ip_address_type="dualstack-without-public-ipv4"),
            group(ingress=[permission("58", 2, 0, "::/1"), permission("ICMPv6", 2, 0, "8000::/1")]),
        ),
        COMPLIANT,
        rule=ICMP,
    ),
    Case(
        "another protocol number for ICMP",
        OTHER_NUMBERS,
        estate(group(ingress=[permission("47", 3, 4, ANYWHERE)])),
        NON_COMPLIANT,
        rule=ICMP,
    ),
)
def test_protocols_and_ports(case: Case) -> None:
    check(case)


@pytest.mark.parametrize("null", ["absent", "null"])
def test_ports_that_are_null_are_absent(null: str) -> None:
    """ "`tcp` with no ports (or null) covers all ports." """
    rule: Shape = {"IpProtocol": "tcp", "IpRanges": [{"CidrIp": ANYWHERE}]}
    if null == "null":
        rule |= {"FromPort": None, "ToPort": None, "Ipv6Ranges": None, "PrefixListIds": None, "UserIdGroupPairs": None}
    check(_opens(null, ALL_PORTS, COMPLIANT, rule))


@pytest.mark.parametrize("present", ["FromPort", "ToPort"])
@pytest.mark.parametrize("other", [{}, {"FromPort": None}])
def test_tcp_with_one_port_is_malformed(present: str, other: Shape) -> None:
    """ "With one of the two it is malformed": an error with its place, unless the rest proves cover."""
    rule = {"IpProtocol": "tcp", "IpRanges": [{"CidrIp": ANYWHERE}]} | other | {present: 443}
    check(Case("alone", "Malformed.", open_to(rule), ERROR, says=("IpPermissions[0]", "sg-1", "FromPort and ToPort")))
    check(Case("beside a rule that suffices", "The rest proves cover.", open_to(rule, tcp(443, ANYWHERE)), COMPLIANT))
    check(Case("outbound", "It says nothing of inbound.", estate(listener(443), group(egress=[rule])), NON_COMPLIANT))


def _icmp(name: str, why: str, expected: str, *ingress: Shape) -> Case:
    return Case(name, why, estate(group(ingress=ingress)), expected, rule=ICMP)


def _icmpv6(name: str, why: str, expected: str, *ingress: Shape) -> Case:
    saved = estate(load_balancer(ip_address_type="dualstack-without-public-ipv4"), group(ingress=ingress))
    return Case(name, why, saved, expected, rule=ICMP)


TYPE_AND_CODE = "ICMP: `FromPort` is the type and `ToPort` the code, `-1` is any."
NEVER_A_RANGE = "Never a range."
NO_PORTS = "`icmp` without ports covers nothing."
LEGAL = "`FromPort` > `ToPort` is legal in ICMP rules and must never crash or cover."
FOUR_ONLY = "An `icmp` rule only concerns IPv4 peers."
SIX_ONLY = "An `icmpv6` rule only concerns IPv6 peers."


@table(
    _icmp("(3,4)", TYPE_AND_CODE, COMPLIANT, icmp(3, 4, ANYWHERE)),
    _icmp("(3,-1)", TYPE_AND_CODE, COMPLIANT, icmp(3, -1, ANYWHERE)),
    _icmp("(-1,-1)", TYPE_AND_CODE, COMPLIANT, icmp(-1, -1, ANYWHERE)),
    _icmp("(8,0)", "Echo (8) does not.", NON_COMPLIANT, icmp(8, 0, ANYWHERE)),
    _icmp("(8,-1)", "Echo (8) does not.", NON_COMPLIANT, icmp(8, -1, ANYWHERE)),
    _icmp("(2,3)", "(2,3) is not Path MTU Discovery.", NON_COMPLIANT, icmp(2, 3, ANYWHERE)),
    _icmp("(0,255)", '(0,255) is not "all types".', NON_COMPLIANT, icmp(0, 255, ANYWHERE)),
    _icmp("(3,3)", NEVER_A_RANGE, NON_COMPLIANT, icmp(3, 3, ANYWHERE)),
    _icmp("(3,5)", NEVER_A_RANGE, NON_COMPLIANT, icmp(3, 5, ANYWHERE)),
    _icmp("(0,-1)", TYPE_AND_CODE, NON_COMPLIANT, icmp(0, -1, ANYWHERE)),
    _icmp("(4,3)", LEGAL, NON_COMPLIANT, icmp(4, 3, ANYWHERE)),
    _icmp("without ports", NO_PORTS, NON_COMPLIANT, icmp(None, None, ANYWHERE)),
    _icmp("a type without a code", NO_PORTS, NON_COMPLIANT, icmp(3, None, ANYWHERE)),
    _icmp("CDK's placeholder", LEGAL, NON_COMPLIANT, icmp(252, 86, "255.255.255.255/32")),
    _icmp("252→86 from everywhere", LEGAL, NON_COMPLIANT, icmp(252, 86, ANYWHERE)),
    _icmp("tcp on port 3", "Protocol.", NON_COMPLIANT, tcp((3, 4), ANYWHERE)),
    _icmp("all traffic", EVERYTHING, COMPLIANT, all_traffic(ANYWHERE)),
    _icmp("icmpv6 with IPv4 peers", SIX_ONLY, NON_COMPLIANT, icmpv6(3, 4, ANYWHERE)),
    _icmp("two wildcards that add up", "United.", COMPLIANT, icmp(3, -1, "0.0.0.0/1"), icmp(-1, -1, "128.0.0.0/1")),
    _icmpv6("(2,0)", TYPE_AND_CODE, COMPLIANT, icmpv6(2, 0, ANYWHERE_IPV6)),
    _icmpv6("(2,-1)", TYPE_AND_CODE, COMPLIANT, icmpv6(2, -1, ANYWHERE_IPV6)),
    _icmpv6("v6 (-1,-1)", TYPE_AND_CODE, COMPLIANT, icmpv6(-1, -1, ANYWHERE_IPV6)),
    _icmpv6("icmpv6 without ports", "`icmpv6` with no ports is all types.", COMPLIANT, icmpv6(None, None, "::/0")),
    _icmpv6("(3,4) of icmpv6", TYPE_AND_CODE, NON_COMPLIANT, icmpv6(3, 4, ANYWHERE_IPV6)),
    _icmpv6("(128,0)", TYPE_AND_CODE, NON_COMPLIANT, icmpv6(128, 0, ANYWHERE_IPV6)),
    _icmpv6("(0,2)", TYPE_AND_CODE, NON_COMPLIANT, icmpv6(0, 2, ANYWHERE_IPV6)),
    _icmpv6("(1,3), no range", NEVER_A_RANGE, NON_COMPLIANT, icmpv6(1, 3, ANYWHERE_IPV6)),
    _icmpv6("icmp with IPv6 peers", FOUR_ONLY, NON_COMPLIANT, icmp(2, 0, ANYWHERE_IPV6)),
    _icmpv6("all types of icmp with IPv6 peers", FOUR_ONLY, NON_COMPLIANT, icmp(-1, -1, ANYWHERE_IPV6)),
    _icmpv6("all traffic of IPv6", EVERYTHING, COMPLIANT, all_traffic(ANYWHERE_IPV6)),
)
def test_icmp(case: Case) -> None:
    check(case)


def test_the_no_egress_placeholder_neither_crashes_nor_covers() -> None:
    """ "CDK's \"no egress\" placeholder is icmp 252→86 to `255.255.255.255/32`." """
    placeholder = icmp(252, 86, "255.255.255.255/32")
    check(Case("egress", LEGAL, reaching(placeholder), NON_COMPLIANT, rule=EGRESS))
    check(Case("ingress", LEGAL, open_to(placeholder), NON_COMPLIANT))


LENIENT = "CIDRs are read leniently (host bits dropped)."
FAMILIES = "IPv4 never covers IPv6 or the reverse."
ENTRIES = "A prefix list is its entries; one address family each."
DUALSTACK = load_balancer(ip_address_type="dualstack")


@table(
    _opens("host bits", LENIENT, COMPLIANT, tcp(443, "10.1.2.3/1", "128.0.0.1/1")),
    Case(
        "host bits of IPv6",
        LENIENT,
        estate(DUALSTACK, listener(443), group(ingress=[tcp(443, ANYWHERE, "2001:db8::1/0")])),
        COMPLIANT,
    ),
    Case(
        "host bits in a VPC's rule",
        LENIENT,
        estate(load_balancer(scheme="internal"), listener(443), group(ingress=[tcp(443, "10.0.77.7/16")])),
        COMPLIANT,
    ),
    Case("host bits outbound", LENIENT, reaching(tcp(80, "10.0.1.200/24")), COMPLIANT, rule=EGRESS),
    _opens("IPv6 for IPv4", FAMILIES, NON_COMPLIANT, all_traffic(ANYWHERE_IPV6)),
    _opens("IPv4-mapped IPv6", FAMILIES, NON_COMPLIANT, tcp(443, "::ffff:0:0/96")),
    Case(
        "IPv4 for IPv6",
        FAMILIES,
        estate(
            load_balancer(ip_address_type="dualstack-without-public-ipv4"),
            listener(443),
            group(ingress=[all_traffic(ANYWHERE)]),
        ),
        NON_COMPLIANT,
    ),
    Case(
        "CloudFront's prefix list alone",
        ENTRIES,
        estate(
            listener(443),
            group(ingress=[tcp(443, "pl-3b927c52")]),
            prefix_list("pl-3b927c52", "13.32.0.0/15", "52.46.0.0/18", "130.176.0.0/16"),
        ),
        NON_COMPLIANT,
        unresolved=False,
    ),
    Case(
        "a prefix list that adds up",
        ENTRIES,
        estate(
            listener(443),
            group(ingress=[tcp(443, "pl-1")]),
            prefix_list("pl-1", "0.0.0.0/1", "128.0.0.0/2", "192.0.0.0/2"),
        ),
        COMPLIANT,
    ),
    Case(
        "a prefix list that adds up with a rule's block",
        ENTRIES,
        estate(
            listener(443),
            group(ingress=[tcp(443, "pl-1"), tcp(443, "128.0.0.0/1")]),
            prefix_list("pl-1", "0.0.0.0/2", "64.0.0.0/2"),
        ),
        COMPLIANT,
    ),
    Case(
        "a prefix list on another port",
        ENTRIES,
        estate(listener(443), group(ingress=[tcp(80, "pl-1")]), prefix_list("pl-1", ANYWHERE)),
        NON_COMPLIANT,
    ),
    Case(
        "an empty prefix list",
        ENTRIES,
        estate(listener(443), group(ingress=[tcp(443, "pl-1")]), prefix_list("pl-1")),
        NON_COMPLIANT,
        unresolved=False,
    ),
    Case(
        "an IPv6 prefix list for IPv4",
        ENTRIES,
        estate(listener(443), group(ingress=[tcp(443, "pl-1")]), prefix_list("pl-1", ANYWHERE_IPV6)),
        NON_COMPLIANT,
    ),
    Case(
        "a prefix list of each family",
        ENTRIES,
        estate(
            DUALSTACK,
            listener(443),
            group(ingress=[tcp(443, "pl-1", "pl-2")]),
            prefix_list("pl-1", ANYWHERE),
            prefix_list("pl-2", ANYWHERE_IPV6),
        ),
        COMPLIANT,
    ),
    reaches(
        "an outbound prefix list",
        ENTRIES,
        COMPLIANT,
        tcp(80, "pl-1"),
        parts=(prefix_list("pl-1", "10.0.1.0/29"),),
    ),
    reaches(
        "an outbound prefix list that lacks the target",
        ENTRIES,
        NON_COMPLIANT,
        tcp(80, "pl-1"),
        parts=(prefix_list("pl-1", "10.0.1.0/30"),),
    ),
)
def test_addresses(case: Case) -> None:
    check(case)


CARRIES = "A security group reference covers an endpoint whose network interface carries that group."
NEVER_A_SET = "It never covers an address set."
STALE = "A stale reference covers nothing: `PeeringStatus` present and not `active`, or the group deleted."
NO_OWNER = "A peering reference without `UserId` is stale: EC2 leaves it out once the other VPC's group is gone."
OVER_PEERING = "An outbound reference reaches over VPC peering, not over a transit gateway."
PEER = (vpc("10.0.0.0/16"), vpc("10.9.0.0/16", id="vpc-9"), interface("10.9.1.5", groups=["sg-peer"], vpc="vpc-9"))


_OWNERLESS = reference("sg-app", account=None)


def _peered(name: str, why: str, expected: str, peer: Shape) -> Case:
    saved = estate(target_group(targets=["10.9.1.5"]), *PEER, group("sg-1", egress=[tcp(80, peer)]))
    return Case(name, why, saved, expected, rule=EGRESS)


@table(
    reaches("the target's group", CARRIES, COMPLIANT, tcp(80, "sg-app")),
    reaches("the target's group, all traffic", CARRIES, COMPLIANT, all_traffic("sg-app")),
    reaches("the target's group on another port", CARRIES, NON_COMPLIANT, tcp(81, "sg-app")),
    reaches("another group", CARRIES, NON_COMPLIANT, tcp(80, "sg-other"), parts=(group("sg-other"),)),
    reaches("the load balancer's own group", CARRIES, NON_COMPLIANT, tcp(80, "sg-1")),
    Case(
        "one of the target's two groups",
        CARRIES,
        estate(
            target_group(targets=["10.0.1.5"]),
            interface("10.0.1.5", groups=["sg-base", "sg-app"]),
            group("sg-1", egress=[tcp(80, "sg-app")]),
        ),
        COMPLIANT,
        rule=EGRESS,
    ),
    Case(
        "an internal load balancer open only to its clients' groups",
        'An internal load balancer open only to its clients\' groups does not meet "VPC CIDR".',
        estate(
            load_balancer(scheme="internal"),
            listener(443),
            group("sg-clients"),
            group("sg-1", ingress=[all_traffic("sg-clients", "sg-1")]),
        ),
        NON_COMPLIANT,
        lacks=(Lacks(443, ("10.0.0.0/16",), ("10.0.0.0/16",)),),
    ),
    Case(
        "an internet-facing one open only to groups",
        NEVER_A_SET,
        estate(listener(443), group("sg-clients"), group("sg-1", ingress=[all_traffic("sg-clients")])),
        NON_COMPLIANT,
    ),
    reaches(
        "a deleted peering",
        STALE,
        NON_COMPLIANT,
        tcp(80, reference("sg-app", peering="pcx-1", vpc="vpc-1", status="deleted")),
    ),
    reaches("a status and no peering", STALE, NON_COMPLIANT, tcp(80, reference("sg-app", status="deleted"))),
    reaches("a status of active", STALE, COMPLIANT, tcp(80, reference("sg-app", status="active"))),
    _peered(
        "an active peering",
        OVER_PEERING,
        COMPLIANT,
        reference("sg-peer", peering="pcx-1", vpc="vpc-9", status="active"),
    ),
    _peered("a peering that tells no status", STALE, COMPLIANT, reference("sg-peer", peering="pcx-1", vpc="vpc-9")),
    *(
        _peered(
            f"a peering that is {status}",
            STALE,
            NON_COMPLIANT,
            reference("sg-peer", peering="pcx-1", vpc="vpc-9", status=status),
        )
        for status in ("deleted", "rejected", "expired", "failed", "provisioning", "pending-acceptance")
    ),
    _peered(
        "a peering without the group's owner",
        NO_OWNER,
        NON_COMPLIANT,
        reference("sg-peer", peering="pcx-1", vpc="vpc-9", status="active", account=None),
    ),
    reaches("no owner and no peering", "Only peering references lose it.", COMPLIANT, tcp(80, _OWNERLESS)),
    _peered("a transit gateway", OVER_PEERING, NON_COMPLIANT, reference("sg-peer", vpc="vpc-9")),
    _peered("a reference without any of it", OVER_PEERING, NON_COMPLIANT, reference("sg-peer")),
    _peered(
        "a peering, another group",
        CARRIES,
        NON_COMPLIANT,
        reference("sg-1", peering="pcx-1", vpc="vpc-9", status="active"),
    ),
)
def test_references(case: Case) -> None:
    check(case)


@pytest.mark.parametrize(("account", "expected"), [("444455556666", COMPLIANT), (None, NON_COMPLIANT)])
def test_a_stale_reference_is_no_accepted_source(account: str | None, expected: str) -> None:
    """ "A stale reference covers nothing", also where the parameter `AcceptedSources` names its group."""
    peer = reference("sg-peer", peering="pcx-1", vpc="vpc-9", status="active", account=account)
    saved = open_to(tcp(443, peer))
    check(Case("accepted", NO_OWNER, saved, expected, parameters={"AcceptedSources": "sg-peer"}))


@pytest.mark.parametrize(
    "peer",
    [
        reference("sg-gone", peering="pcx-1", vpc="vpc-9", status="active", account=None),
        reference("sg-gone", peering="pcx-1", vpc="vpc-9", status="deleted"),
    ],
)
def test_the_annotation_names_a_stale_reference(peer: Shape) -> None:
    says = ("the reference to sg-gone is stale",)
    check(Case("egress", STALE, reaching(tcp(80, peer)), NON_COMPLIANT, rule=EGRESS, says=says))
    check(Case("ingress", STALE, open_to(tcp(443, peer, "10.0.0.0/8")), NON_COMPLIANT, says=says))


def test_a_reference_to_a_deleted_group_covers_nothing() -> None:
    """A stale reference: "the group deleted". The interface was read before the group went."""
    found = build(reaching(tcp(80, "sg-app")))
    (load_balancer_,) = (one for one in found.load_balancers.values() if one.name == "web")
    for deleted, expected in ((frozenset(), COMPLIANT), (frozenset({"sg-app"}), NON_COMPLIANT)):
        (verdict,), _ = judge_all(
            replace(found, deleted_security_groups=deleted),
            [load_balancer_],
            {RECOMMENDATIONS_BY_NAME[EGRESS]: Parameters()},
        )
        assert verdict.compliance.value == expected


SPELLED: dict[str, Shape] = {
    "IpRanges of objects": {"IpRanges": [{"CidrIp": ANYWHERE, "Description": "everybody"}]},
    "IpRanges of texts": {"IpRanges": [ANYWHERE]},
    "Ipv4Ranges": {"Ipv4Ranges": [{"CidrIp": ANYWHERE}]},
    "Ipv4Ranges beside IpRanges": {"IpRanges": [ANYWHERE], "Ipv4Ranges": [{"CidrIp": ANYWHERE}]},
    "IpRanges null": {"IpRanges": None, "Ipv4Ranges": [{"CidrIp": ANYWHERE}], "Ipv6Ranges": None},
    "float ports": {"FromPort": 443.0, "ToPort": 443.0, "IpRanges": [ANYWHERE]},
    "text ports": {"FromPort": "443", "ToPort": "443", "IpRanges": [ANYWHERE]},
    "protocol as a number": {"IpProtocol": 6, "IpRanges": [ANYWHERE]},
    "protocol as a float": {"IpProtocol": 6.0, "IpRanges": [ANYWHERE]},
    "protocol -1 as a number": {"IpProtocol": -1, "FromPort": None, "ToPort": None, "IpRanges": [ANYWHERE]},
    "empty lists": {"IpRanges": [ANYWHERE], "Ipv6Ranges": [], "PrefixListIds": [], "UserIdGroupPairs": []},
}


@pytest.mark.parametrize("spelling", SPELLED)
def test_several_spellings_read_the_same(spelling: str) -> None:
    """ "Configuration items say the same in several spellings … All must read the same." """
    rule = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443} | SPELLED[spelling]
    check(_opens(spelling, "All must read the same.", COMPLIANT, rule))


@pytest.mark.parametrize("groups", [["sg-1"], [{"Value": "sg-1"}], [{"GroupId": "sg-1"}]])
def test_security_groups_as_texts_or_objects(groups: Any) -> None:
    """ "`securityGroups` as strings or `{value}`." """
    saved = open_to(tcp(443, ANYWHERE))
    saved["LoadBalancers"][0]["SecurityGroups"] = groups
    check(Case("groups", "All must read the same.", saved, COMPLIANT))


@pytest.mark.parametrize(
    ("rule", "place"),
    [
        (tcp(443, "10.0.0.0/33"), "IpRanges[0].CidrIp"),
        (tcp(443, "10.0.0"), "IpRanges[0].CidrIp"),
        (tcp(443, "10.0.0.0\x00/8"), "IpRanges[0].CidrIp"),
        ({"IpProtocol": "tcp", "IpRanges": [{"CidrIp": ["10.0.0.0/8"]}]}, "IpRanges[0].CidrIp"),
        ({"IpProtocol": "tcp", "IpRanges": [{"CidrIp": {}}]}, "IpRanges[0].CidrIp"),
        ({"IpProtocol": "tcp", "IpRanges": [{"CidrIp": 10}]}, "IpRanges[0].CidrIp"),
        ({"IpProtocol": "tcp", "IpRanges": {"CidrIp": ANYWHERE}}, "IpRanges"),
        ({"IpProtocol": "tcp", "FromPort": 70000, "ToPort": 70000}, "FromPort"),
        ({"IpProtocol": "tcp", "FromPort": 443.5, "ToPort": 443.5}, "FromPort"),
        ({"IpProtocol": "tcp", "FromPort": True, "ToPort": True}, "FromPort"),
        ({"FromPort": 443, "ToPort": 443}, "IpProtocol"),
    ],
)
def test_a_malformed_rule_is_an_error_with_its_place(rule: Shape, place: str) -> None:
    check(
        Case(
            place, "A malformed rule may let through anything.", open_to(rule), ERROR, says=("IpPermissions[0]", place)
        )
    )


def test_all_of_it_outbound_too() -> None:
    """What a rule lets through does not depend on the direction it stands in."""
    for name, expected, rule in (
        ("6", COMPLIANT, permission("6", 80, 80, "10.0.1.0/24")),
        ("udp", NON_COMPLIANT, udp(80, "10.0.1.0/24")),
        ("47", NON_COMPLIANT, permission("47", 80, 80, "10.0.1.0/24")),
        ("no ports", COMPLIANT, tcp(None, "10.0.1.0/24")),
        ("a range", COMPLIANT, tcp((1, 80), "10.0.1.0/24")),
    ):
        check(Case(name, "§4", reaching(rule), expected, rule=EGRESS))
    inbound = estate(group(ingress=[all_traffic(ANYWHERE)]), target_group(targets=["10.0.1.5"]))
    check(Case("inbound for outbound", "Direction.", inbound, NON_COMPLIANT, rule=EGRESS))
    outbound = estate(group(egress=[all_traffic(ANYWHERE)]), listener(443))
    check(Case("outbound for inbound", "Direction.", outbound, NON_COMPLIANT, rule=INGRESS))
