"""Semantics §8: ALB_SG_ICMP_PMTUD. Which rules cover a type and a code is §4's table."""

from __future__ import annotations

from dataclasses import replace

from tests.builders import (
    ANYWHERE,
    ANYWHERE_IPV6,
    ICMP,
    Shape,
    all_traffic,
    behind,
    estate,
    group,
    icmp,
    icmpv6,
    listener,
    load_balancer,
    network_load_balancer,
    vpc,
)
from tests.semantics.cases import COMPLIANT, ERROR, NON_COMPLIANT, Case, Lacks, check, table

VPC, VPC_IPV6 = "10.0.0.0/16", "2001:db8::/56"
IPV4 = "Inbound ICMP type 3 code 4 where clients use IPv4."
IPV6 = "Inbound ICMPv6 type 2 code 0 where they use IPv6."
FROM = "From: internet-facing, `0.0.0.0/0` and `::/0`; internal, the VPC's associated CIDRs."
WILDCARD = "A wildcard code or type, or protocol `-1`, covers it; echo (8) does not."
INTERNAL = load_balancer(scheme="internal")
INTERNAL_DUALSTACK = load_balancer(scheme="internal", ip_address_type="dualstack")
DUALSTACK = load_balancer(ip_address_type="dualstack")


def _icmp(
    name: str, why: str, expected: str, ingress: list[Shape], *parts: Shape, lacks: tuple[Lacks, ...] | None = None
) -> Case:
    return Case(name, why, estate(*parts, group(ingress=ingress)), expected, lacks=lacks)


@table(
    _icmp("no rule", IPV4, NON_COMPLIANT, [], lacks=(Lacks((3, 4), (ANYWHERE,), (ANYWHERE,)),)),
    _icmp("open", IPV4, COMPLIANT, [icmp(3, 4, ANYWHERE)]),
    _icmp("no listener", "Applies even to a load balancer with no listener.", COMPLIANT, [icmp(3, 4, ANYWHERE)]),
    _icmp("a listener changes nothing", IPV4, NON_COMPLIANT, [], listener(443)),
    _icmp("a wildcard code", WILDCARD, COMPLIANT, [icmp(3, -1, ANYWHERE)]),
    _icmp("a wildcard type", WILDCARD, COMPLIANT, [icmp(-1, -1, ANYWHERE)]),
    _icmp("protocol -1", WILDCARD, COMPLIANT, [all_traffic(ANYWHERE)]),
    _icmp("echo", WILDCARD, NON_COMPLIANT, [icmp(8, -1, ANYWHERE)]),
    _icmp(
        "internet-facing, open to the VPC",
        "Any router on the way may send it.",
        NON_COMPLIANT,
        [icmp(3, 4, "0.0.0.0/1")],
        lacks=(Lacks((3, 4), (ANYWHERE,), ("128.0.0.0/1",)),),
    ),
    _icmp(
        "dualstack without a rule",
        IPV6,
        NON_COMPLIANT,
        [],
        DUALSTACK,
        lacks=(Lacks((3, 4), (ANYWHERE,), (ANYWHERE,)), Lacks((2, 0), (ANYWHERE_IPV6,), (ANYWHERE_IPV6,))),
    ),
    _icmp(
        "dualstack with ICMP alone",
        IPV6,
        NON_COMPLIANT,
        [icmp(-1, -1, ANYWHERE, ANYWHERE_IPV6)],
        DUALSTACK,
        lacks=(Lacks((2, 0), (ANYWHERE_IPV6,), (ANYWHERE_IPV6,)),),
    ),
    _icmp("dualstack", IPV6, COMPLIANT, [icmp(3, 4, ANYWHERE), icmpv6(2, 0, ANYWHERE_IPV6)], DUALSTACK),
    _icmp("dualstack, all traffic of both", WILDCARD, COMPLIANT, [all_traffic(ANYWHERE, ANYWHERE_IPV6)], DUALSTACK),
    _icmp("internal, the VPC", FROM, COMPLIANT, [icmp(3, 4, VPC)], INTERNAL),
    _icmp(
        "internal, half of the VPC",
        FROM,
        NON_COMPLIANT,
        [icmp(3, 4, "10.0.0.0/17")],
        INTERNAL,
        lacks=(Lacks((3, 4), (VPC,), ("10.0.128.0/17",)),),
    ),
    _icmp(
        "internal, a second block",
        FROM,
        NON_COMPLIANT,
        [icmp(3, 4, VPC)],
        INTERNAL,
        vpc(VPC, "100.64.0.0/16"),
        lacks=(Lacks((3, 4), (VPC, "100.64.0.0/16"), ("100.64.0.0/16",)),),
    ),
    _icmp(
        "internal, a disassociated block",
        FROM,
        COMPLIANT,
        [icmp(3, 4, VPC)],
        INTERNAL,
        vpc(VPC, disassociated=["100.64.0.0/16"]),
    ),
    _icmp(
        "internal dualstack, its IPv6 block",
        FROM,
        NON_COMPLIANT,
        [icmp(3, 4, VPC)],
        INTERNAL_DUALSTACK,
        vpc(VPC, VPC_IPV6),
        lacks=(Lacks((2, 0), (VPC_IPV6,), (VPC_IPV6,)),),
    ),
    _icmp(
        "internal dualstack, open",
        FROM,
        COMPLIANT,
        [icmp(3, 4, VPC), icmpv6(2, 0, VPC_IPV6)],
        INTERNAL_DUALSTACK,
        vpc(VPC, VPC_IPV6),
    ),
    _icmp(
        "behind a Network Load Balancer",
        "By the load balancer's own scheme: an NLB in front changes listeners, not ICMP.",
        NON_COMPLIANT,
        [icmp(3, 4, VPC)],
        load_balancer(),
        listener(443),
        network_load_balancer(scheme="internal"),
        behind(443),
        lacks=(Lacks((3, 4), (ANYWHERE,), None),),
    ),
    _icmp(
        "internal, a reference",
        "A reference never covers an address set.",
        NON_COMPLIANT,
        [icmp(3, 4, "sg-1")],
        INTERNAL,
    ),
    Case("a group not in the data", "An error that names it.", estate(), ERROR, says=("sg-1",)),
)
def test_path_mtu_discovery(case: Case) -> None:
    check(replace(case, rule=ICMP))
