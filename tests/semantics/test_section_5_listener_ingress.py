"""Semantics §5: ALB_SG_LISTENER_INGRESS."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alb_sg.estate.estate import ReadFailure
from alb_sg.estate.sections import Section
from alb_sg.findings.judge import judge_all
from alb_sg.parameters import Parameters
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME
from tests.builders import (
    ANYWHERE,
    ANYWHERE_IPV6,
    INGRESS,
    Saved,
    Shape,
    all_traffic,
    behind,
    build,
    estate,
    group,
    listener,
    load_balancer,
    load_balancer_arn,
    network_load_balancer,
    prefix_list,
    reference,
    target,
    target_group,
    tcp,
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
    table,
)

VPC = "10.0.0.0/16"
VPC_IPV6 = "2001:db8::/56"
EACH_PORT = "TCP, each listener's port (redirect and fixed-response listeners too)."
ASSOCIATED = "Internal: every *associated* CIDR block of the load balancer's VPC, IPv6 too where it is dualstack."


def _internal(
    name: str,
    why: str,
    expected: str,
    of_vpc: Shape,
    *cidrs: str,
    address_type: str = "ipv4",
    lacks: tuple[Lacks, ...] | None = None,
) -> Case:
    saved = estate(
        load_balancer(scheme="internal", ip_address_type=address_type),
        listener(443),
        group(ingress=[tcp(443, *cidrs)]),
        of_vpc,
    )
    return Case(name, why, saved, expected, lacks=lacks)


@table(
    Case(
        "two listeners, both open",
        EACH_PORT,
        estate(listener(443), listener(8443), group(ingress=[tcp(443, ANYWHERE), tcp(8443, ANYWHERE)])),
        COMPLIANT,
    ),
    Case(
        "a redirect listener closed",
        EACH_PORT,
        estate(listener(443), listener(80, redirect=True), group(ingress=[tcp(443, ANYWHERE)])),
        NON_COMPLIANT,
        says=("HTTP:80",),
        lacks=(Lacks(80, (ANYWHERE,), (ANYWHERE,)),),
    ),
    Case(
        "a fixed-response listener closed",
        EACH_PORT,
        estate(listener(443, redirect=True), listener(8080), group(ingress=[tcp(443, ANYWHERE)])),
        NON_COMPLIANT,
        lacks=(Lacks(8080, (ANYWHERE,), (ANYWHERE,)),),
    ),
    Case(
        "a forwarding listener closed",
        EACH_PORT,
        estate(listener(80, forward=["web"]), target_group("web"), group(ingress=[tcp(443, ANYWHERE)])),
        NON_COMPLIANT,
    ),
    Case(
        "listeners of other load balancers",
        "Each listener's port of this load balancer.",
        estate(
            load_balancer(),
            load_balancer("other"),
            listener(80, of="other"),
            listener(443),
            group(ingress=[tcp(443, ANYWHERE)]),
        ),
        COMPLIANT,
    ),
    Case("no listener", "No listener: NOT_APPLICABLE.", estate(group()), NOT_APPLICABLE, says=("listener",)),
    Case("internet-facing, open to the VPC", "`0.0.0.0/0` for IPv4 clients.", open_to(tcp(443, VPC)), NON_COMPLIANT),
    Case(
        "internet-facing, open to private addresses", "`0.0.0.0/0`.", open_to(all_traffic("10.0.0.0/8")), NON_COMPLIANT
    ),
    _internal("internal, open to the VPC", ASSOCIATED, COMPLIANT, vpc(VPC), VPC),
    _internal("internal, open to more", ASSOCIATED, COMPLIANT, vpc(VPC), "10.0.0.0/8"),
    _internal("internal, open to everybody", ASSOCIATED, COMPLIANT, vpc(VPC), ANYWHERE),
    _internal(
        "internal, open to one subnet",
        ASSOCIATED,
        NON_COMPLIANT,
        vpc(VPC),
        "10.0.0.0/17",
        lacks=(Lacks(443, (VPC,), ("10.0.128.0/17",)),),
    ),
    _internal("a second block, both open", ASSOCIATED, COMPLIANT, vpc(VPC, "100.64.0.0/16"), VPC, "100.64.0.0/10"),
    _internal(
        "a second block closed",
        ASSOCIATED,
        NON_COMPLIANT,
        vpc(VPC, "100.64.0.0/16"),
        VPC,
        lacks=(Lacks(443, (VPC, "100.64.0.0/16"), ("100.64.0.0/16",)),),
    ),
    _internal("a disassociated block", ASSOCIATED, COMPLIANT, vpc(VPC, disassociated=["100.64.0.0/16"]), VPC),
    _internal("dualstack", ASSOCIATED, COMPLIANT, vpc(VPC, VPC_IPV6), VPC, VPC_IPV6, address_type="dualstack"),
    _internal(
        "dualstack, its IPv6 block closed",
        ASSOCIATED,
        NON_COMPLIANT,
        vpc(VPC, VPC_IPV6),
        VPC,
        address_type="dualstack",
        lacks=(Lacks(443, (VPC_IPV6,), (VPC_IPV6,)),),
    ),
    _internal(
        "dualstack, one of two IPv6 blocks closed",
        ASSOCIATED,
        NON_COMPLIANT,
        vpc(VPC, VPC_IPV6, "2001:db8:1::/56"),
        VPC,
        VPC_IPV6,
        address_type="dualstack",
        lacks=(Lacks(443, (VPC_IPV6, "2001:db8:1::/56"), ("2001:db8:1::/56",)),),
    ),
    _internal("ipv4 in a VPC with an IPv6 block", ASSOCIATED, COMPLIANT, vpc(VPC, VPC_IPV6), VPC),
    _internal(
        "dualstack, a disassociated IPv6 block",
        ASSOCIATED,
        COMPLIANT,
        vpc(VPC, disassociated=[VPC_IPV6]),
        VPC,
        address_type="dualstack",
    ),
    _internal("another VPC's block", ASSOCIATED, NON_COMPLIANT, vpc(VPC), "10.1.0.0/16"),
)
def test_clients(case: Case) -> None:
    check(case)


@pytest.mark.parametrize("state", ["associating", "disassociating", "disassociated", "failing", "failed"])
def test_only_associated_blocks_count(state: str) -> None:
    saved = estate(
        load_balancer(scheme="internal"),
        listener(443),
        group(ingress=[tcp(443, VPC)]),
        vpc(VPC, disassociated=["10.9.0.0/16"]),
    )
    saved["Vpcs"][0]["CidrBlockAssociationSet"][1]["CidrBlockState"]["State"] = state
    check(Case(state, ASSOCIATED, saved, COMPLIANT))


@pytest.mark.parametrize("association_set", ["absent", "null", "empty"])
def test_a_vpc_without_association_sets(association_set: str) -> None:
    """§6: "A VPC without association sets: its `CidrBlock`." """
    saved = estate(load_balancer(scheme="internal"), listener(443), group(ingress=[tcp(443, "10.0.0.0/17")]))
    found = saved["Vpcs"][0]
    for name in ("CidrBlockAssociationSet", "Ipv6CidrBlockAssociationSet"):
        if association_set == "absent":
            del found[name]
        else:
            found[name] = None if association_set == "null" else []
    lacks = (Lacks(443, (VPC,), ("10.0.128.0/17",)),)
    check(Case(association_set, "Its CidrBlock.", saved, NON_COMPLIANT, lacks=lacks))


INSTEAD = "A listener whose port is the port of a target group of type `alb`: instead, the NLB's clients and the VPC."
BESIDE = "An internet-facing one keeps its own row beside them, because clients reach it both ways."
INTERNET_NLB = "Internet-facing NLB: `0.0.0.0/0`."
INTERNAL_NLB = "Internal NLB: the VPC CIDRs."
MEETS_BOTH = "An inbound reference to one of that NLB's own security groups meets both."
EACH_NLB = "Each NLB must be covered."
IPV4_ONLY = "IPv4 only, since an NLB reaches an ALB over IPv4."
HEALTH_CHECKS = "The listener that answers that group's health checks on another port additionally needs the VPC CIDRs."
NO_ANSWER = "A health check port that no listener of the ALB answers is said in the finding, and is no requirement."
NLB_GROUP = ("sg-nlb",)


def _fronted(*ingress: str | Shape, alb: str = "internal", nlb: str = "internal") -> Saved:
    """A load balancer of one scheme, listening on 443, behind a Network Load Balancer of another with sg-nlb."""
    rules = [tcp(443, peer) for peer in ingress]
    return estate(
        load_balancer(scheme=alb),
        listener(443),
        group(ingress=rules),
        network_load_balancer(scheme=nlb, groups=NLB_GROUP),
        behind(443),
    )


def _two_fronts(*ingress: str) -> Saved:
    return estate(
        load_balancer(scheme="internal"),
        listener(443),
        group(ingress=[tcp(443, *ingress)]),
        network_load_balancer("nlb", groups=["sg-nlb"], scheme="internal"),
        network_load_balancer("other", groups=["sg-other"]),
        behind(443, nlb="nlb"),
        behind(443, name="to-web-too", nlb="other"),
    )


def _lacks_vpc(port: int = 443) -> Lacks:
    return Lacks(port, (VPC,), (VPC,), NLB_GROUP)


def _lacks_everywhere() -> Lacks:
    return Lacks(443, (ANYWHERE,), (ANYWHERE,), NLB_GROUP)


@table(
    *(
        Case(f"internal before {alb}, the VPC", INTERNAL_NLB, _fronted(VPC, alb=alb), COMPLIANT)
        for alb in ("internal",)
    ),
    Case("internal before internal, closed", INTERNAL_NLB, _fronted(), NON_COMPLIANT, lacks=(_lacks_vpc(),)),
    Case(
        "internal before internet-facing, the VPC",
        BESIDE,
        _fronted(VPC, alb="internet-facing"),
        NON_COMPLIANT,
        lacks=(Lacks(443, (ANYWHERE,), None),),
    ),
    Case(
        "internal before internet-facing, closed",
        BESIDE + " What is missing for health checks is said first.",
        _fronted(alb="internet-facing"),
        NON_COMPLIANT,
        says=("HTTPS:443 not open to sg-nlb or 10.0.0.0/16 (health checks and PrivateLink of nlb)",),
        lacks=(_lacks_vpc(), Lacks(443, (ANYWHERE,), (ANYWHERE,))),
    ),
    *(
        Case(
            f"internet-facing before {alb}, open",
            INTERNET_NLB,
            _fronted(ANYWHERE, alb=alb, nlb="internet-facing"),
            COMPLIANT,
        )
        for alb in ("internal", "internet-facing")
    ),
    *(
        Case(
            f"internet-facing before {alb}, the VPC",
            INTERNET_NLB,
            _fronted(VPC, alb=alb, nlb="internet-facing"),
            NON_COMPLIANT,
            says=(ANYWHERE, "sg-nlb"),
            lacks=(
                Lacks(
                    443,
                    (ANYWHERE,),
                    (
                        "0.0.0.0/5",
                        "8.0.0.0/7",
                        "10.1.0.0/16",
                        "10.2.0.0/15",
                        "10.4.0.0/14",
                        "10.8.0.0/13",
                        "10.16.0.0/12",
                        "10.32.0.0/11",
                        "10.64.0.0/10",
                        "10.128.0.0/9",
                        "11.0.0.0/8",
                        "12.0.0.0/6",
                        "16.0.0.0/4",
                        "32.0.0.0/3",
                        "64.0.0.0/2",
                        "128.0.0.0/1",
                    ),
                    NLB_GROUP,
                ),
            ),
        )
        for alb in ("internal",)
    ),
    *(
        Case(
            f"internet-facing before {alb}, closed",
            "Its client addresses *and* the VPC CIDRs.",
            _fronted(alb=alb, nlb="internet-facing"),
            NON_COMPLIANT,
            lacks=(_lacks_everywhere(), _lacks_vpc()),
        )
        for alb in ("internal",)
    ),
    Case(
        "internet-facing before internet-facing, the VPC",
        BESIDE,
        _fronted(VPC, alb="internet-facing", nlb="internet-facing"),
        NON_COMPLIANT,
        lacks=(Lacks(443, (ANYWHERE,), None), Lacks(443, (ANYWHERE,), None, NLB_GROUP)),
    ),
    *(
        Case(f"{nlb} before internal, the NLB's group", MEETS_BOTH, _fronted("sg-nlb", nlb=nlb), COMPLIANT)
        for nlb in ("internal", "internet-facing")
    ),
    *(
        Case(
            f"{nlb} before internet-facing, the NLB's group",
            BESIDE,
            _fronted("sg-nlb", alb="internet-facing", nlb=nlb),
            NON_COMPLIANT,
            lacks=(Lacks(443, (ANYWHERE,), (ANYWHERE,)),),
        )
        for nlb in ("internal", "internet-facing")
    ),
    *(
        Case(
            f"{nlb} before internet-facing, the NLB's group accepted",
            "`AcceptedSources` say otherwise.",
            _fronted("sg-nlb", alb="internet-facing", nlb=nlb),
            COMPLIANT,
            parameters={"AcceptedSources": "sg-nlb"},
        )
        for nlb in ("internal", "internet-facing")
    ),
    Case(
        "a stale reference to the NLB's group",
        "A stale reference covers nothing.",
        _fronted(reference("sg-nlb", peering="pcx-1", vpc="vpc-1", status="deleted")),
        NON_COMPLIANT,
    ),
    Case("a group of nobody's", MEETS_BOTH, _fronted("sg-1"), NON_COMPLIANT),
    Case(
        "an NLB without groups",
        "Of that NLB's *own* security groups.",
        estate(
            load_balancer(scheme="internal"),
            listener(443),
            group(ingress=[tcp(443, "sg-1")]),
            network_load_balancer(scheme="internal"),
            behind(443),
        ),
        NON_COMPLIANT,
        lacks=(Lacks(443, (VPC,), (VPC,)),),
    ),
    Case(
        "one of the NLB's two groups",
        "A reference to *one* of that NLB's own security groups.",
        estate(
            load_balancer(scheme="internal"),
            listener(443),
            group(ingress=[tcp(443, "sg-b")]),
            network_load_balancer(groups=["sg-a", "sg-b"]),
            behind(443),
        ),
        COMPLIANT,
    ),
    Case(
        "two NLBs, one group allowed",
        EACH_NLB,
        _two_fronts("sg-nlb"),
        NON_COMPLIANT,
        lacks=(Lacks(443, (ANYWHERE,), (ANYWHERE,), ("sg-other",)), Lacks(443, (VPC,), (VPC,), ("sg-other",))),
    ),
    Case("two NLBs, both groups allowed", EACH_NLB, _two_fronts("sg-nlb", "sg-other"), COMPLIANT),
    Case("two NLBs, a group and everybody", EACH_NLB, _two_fronts("sg-nlb", ANYWHERE), COMPLIANT),
    Case("two NLBs, everybody", EACH_NLB, _two_fronts(ANYWHERE), COMPLIANT),
    Case(
        "dualstack, the IPv4 clients",
        IPV4_ONLY,
        estate(
            load_balancer(ip_address_type="dualstack"),
            listener(443),
            group(ingress=[tcp(443, ANYWHERE, ANYWHERE_IPV6)]),
            network_load_balancer(ip_address_type="dualstack"),
            behind(443),
            vpc(VPC, VPC_IPV6),
        ),
        COMPLIANT,
    ),
    Case(
        "without public IPv4, the IPv6 clients",
        IPV4_ONLY,
        estate(
            load_balancer(ip_address_type="dualstack-without-public-ipv4"),
            listener(443),
            group(ingress=[tcp(443, ANYWHERE_IPV6)]),
            network_load_balancer(scheme="internal"),
            behind(443),
        ),
        NON_COMPLIANT,
        lacks=(Lacks(443, (VPC,), (VPC,)),),
    ),
    Case(
        "every associated block of the VPC",
        INTERNAL_NLB,
        estate(
            load_balancer(scheme="internal"),
            listener(443),
            group(ingress=[tcp(443, VPC)]),
            network_load_balancer(scheme="internal"),
            behind(443),
            vpc(VPC, "100.64.0.0/16", disassociated=["100.65.0.0/16"]),
        ),
        NON_COMPLIANT,
        lacks=(Lacks(443, (VPC, "100.64.0.0/16"), ("100.64.0.0/16",)),),
    ),
    Case(
        "a listener on another port keeps its own clients",
        "A listener *whose port is* the port of the target group.",
        estate(
            load_balancer(),
            listener(443),
            listener(80),
            group(ingress=[tcp(443, ANYWHERE), tcp(80, VPC)]),
            network_load_balancer(scheme="internal"),
            behind(443),
        ),
        NON_COMPLIANT,
        lacks=(Lacks(80, (ANYWHERE,), None),),
    ),
    Case(
        "a listener without clients beside one behind an NLB",
        "No requirement → NOT_APPLICABLE, of the load balancer: the other listener has one.",
        estate(
            load_balancer(scheme="internal", ip_address_type="dualstack-without-public-ipv4"),
            listener(443),
            listener(80),
            group(),
            network_load_balancer(scheme="internal"),
            behind(443),
        ),
        NON_COMPLIANT,
        lacks=(Lacks(443, (VPC,), (VPC,)),),
    ),
    Case(
        "clients over IPv6 alone in a VPC without an IPv6 block",
        "Every associated CIDR block of the VPC: there is none, so no requirement.",
        estate(
            load_balancer(scheme="internal", ip_address_type="dualstack-without-public-ipv4"),
            listener(80),
            group(ingress=[tcp(80, ANYWHERE)]),
        ),
        NOT_APPLICABLE,
        says=("vpc-1",),
    ),
    Case(
        "an internal NLB in front, no block of the VPC recorded",
        "Every requirement must be known: an empty VPC CIDR is not met by nothing.",
        estate(
            load_balancer(scheme="internal"),
            listener(443),
            group(),
            network_load_balancer(scheme="internal"),
            behind(443),
            vpc(disassociated=["10.9.0.0/16"]),
        ),
        ERROR,
        says=("vpc-1",),
    ),
    Case(
        "a target group of type alb that no NLB uses",
        "For each Network Load Balancer *in front*.",
        estate(
            load_balancer(),
            listener(443),
            group(ingress=[tcp(443, VPC)]),
            target_group("to-web", type="alb", port=443, load_balancers=[], targets=[load_balancer_arn("web")]),
        ),
        NON_COMPLIANT,
        lacks=(Lacks(443, (ANYWHERE,), None),),
    ),
    Case(
        "a target group of type alb with another load balancer in it",
        "In which *this* load balancer is registered.",
        estate(
            load_balancer(),
            load_balancer("other"),
            listener(443),
            group(ingress=[tcp(443, VPC)]),
            network_load_balancer(scheme="internal"),
            behind(443, alb="other"),
        ),
        NON_COMPLIANT,
        lacks=(Lacks(443, (ANYWHERE,), None),),
    ),
    Case(
        "a target group of another type with the same port",
        "A target group of type `alb`.",
        estate(
            listener(443),
            group(ingress=[tcp(443, VPC)]),
            network_load_balancer(scheme="internal"),
            target_group("web", port=443, targets=["10.0.1.5"], load_balancers=[load_balancer_arn("nlb", "network")]),
        ),
        NON_COMPLIANT,
        lacks=(Lacks(443, (ANYWHERE,), None),),
    ),
    Case(
        "registrations of the target group of type alb not read",
        "Every requirement must be known.",
        estate(
            load_balancer(scheme="internal"),
            listener(443),
            group(ingress=[tcp(443, VPC)]),
            network_load_balancer(),
            target_group("to-web", type="alb", port=443, targets=None),
        ),
        ERROR,
        says=("to-web",),
    ),
    Case(
        "the NLB in front not in the data",
        "Every requirement must be known.",
        estate(load_balancer(scheme="internal"), listener(443), group(ingress=[tcp(443, VPC)]), behind(443)),
        ERROR,
        says=("/net/nlb/",),
    ),
)
def test_behind_a_network_load_balancer(case: Case) -> None:
    check(case)


NLB = load_balancer_arn("nlb", "network")


def test_a_load_balancer_whose_deregistration_has_begun_is_not_behind_the_other() -> None:
    """Its own row holds again: no new connection comes through the Network Load Balancer."""
    for state, expected in (("draining", COMPLIANT), ("healthy", NON_COMPLIANT), ("unused", NON_COMPLIANT)):
        front = behind(443) | {"TargetHealthDescriptions": [target(load_balancer_arn(), 443, state)]}
        saved = estate(
            load_balancer(scheme="internal"),
            listener(443),
            group(ingress=[tcp(443, VPC)]),
            network_load_balancer(),
            front,
        )
        check(Case(state, "As §6 has it of any target.", saved, expected))


def _listening_front(*ingress: str | Shape) -> Saved:
    """An internal load balancer behind an internal NLB with a listener, whose group lets in 10.0.0.0/8."""
    return estate(
        load_balancer(scheme="internal"),
        listener(443),
        group(ingress=[tcp(443, *ingress)]),
        network_load_balancer(scheme="internal", groups=NLB_GROUP),
        behind(443),
        listener(443, "TCP", of=NLB, forward=["to-web"]),
        group("sg-nlb", ingress=[tcp(443, "10.0.0.0/8")]),
    )


@pytest.mark.parametrize(
    ("ingress", "expected"),
    [(VPC, ERROR), ("10.0.0.0/8", ERROR), (ANYWHERE, COMPLIANT), ("sg-nlb", COMPLIANT)],
)
def test_listeners_of_a_network_load_balancer_that_could_not_be_read(ingress: str, expected: str) -> None:
    """A failed call is no verdict: more clients may be let in than those of the VPC."""
    saved = _listening_front(ingress)
    cause = "DescribeListeners: Throttling: Rate exceeded"
    found = build(saved)
    without = {arn: of for arn, of in (found.listeners or {}).items() if arn != NLB}
    failed = replace(found, listeners=without, failures=(ReadFailure(Section.LISTENERS, NLB, cause),))
    unreadable = _listening_front(ingress)
    unreadable["Listeners"][1]["DefaultActions"] = ["forward"]
    for estate_read, said in ((failed, cause), (build(unreadable), "an object was expected, not text")):
        web = [one for one in estate_read.load_balancers.values() if one.name == "web"]
        findings, errors = judge_all(estate_read, web, {RECOMMENDATIONS_BY_NAME[INGRESS]: Parameters()})
        assert [one.compliance.value for one in findings] == ([] if expected == ERROR else [expected])
        assert [one.cause for one in errors] == ([said] if expected == ERROR else [])


def test_listeners_of_a_network_load_balancer_that_were_read() -> None:
    """The estates above, all of them read."""
    check(Case("the VPC alone", "What its groups let in.", _listening_front(VPC), NON_COMPLIANT))
    check(Case("all of its clients", "What its groups let in.", _listening_front("10.0.0.0/8"), COMPLIANT))


def _health_checked(check_port: str, *ingress: Shape, ports: tuple[int, ...] = (443, 8080)) -> Saved:
    """An internet-facing load balancer with two listeners, the first behind an internal NLB with sg-nlb whose health
    checks use a port of their own."""
    return estate(
        load_balancer(),
        *(listener(port) for port in ports),
        group(ingress=ingress),
        network_load_balancer(scheme="internal", groups=NLB_GROUP),
        behind(443, health_check_port=check_port),
    )


@table(
    Case(
        "the health check listener keeps its own clients",
        "Keeps its own clients.",
        _health_checked("8080", tcp(443, ANYWHERE), tcp(8080, VPC)),
        NON_COMPLIANT,
        lacks=(Lacks(8080, (ANYWHERE,), None),),
    ),
    Case(
        "the health check listener open to its clients, who are everybody",
        HEALTH_CHECKS,
        _health_checked("8080", tcp(443, ANYWHERE), tcp(8080, ANYWHERE)),
        COMPLIANT,
    ),
    Case(
        "the health check listener closed",
        HEALTH_CHECKS,
        _health_checked("8080", tcp(443, ANYWHERE)),
        NON_COMPLIANT,
        lacks=(Lacks(8080, (ANYWHERE,), (ANYWHERE,)), _lacks_vpc(8080)),
    ),
    Case(
        "the health check listener open to the NLB's group",
        "Or a reference to that NLB's group; its own clients are still everybody.",
        _health_checked("8080", tcp(443, ANYWHERE), tcp(8080, "sg-nlb")),
        NON_COMPLIANT,
        lacks=(Lacks(8080, (ANYWHERE,), (ANYWHERE,)),),
    ),
    Case(
        "the health checks from the NLB's group, the clients accepted",
        HEALTH_CHECKS,
        _health_checked("8080", tcp(443, ANYWHERE), tcp(8080, "sg-nlb", "198.51.100.0/24")),
        COMPLIANT,
        parameters={"AcceptedSources": "198.51.100.0/24"},
    ),
    Case(
        "traffic-port is the listener's own",
        HEALTH_CHECKS,
        _health_checked("traffic-port", tcp(443, ANYWHERE), tcp(8080, ANYWHERE)),
        COMPLIANT,
        silent=("health check",),
    ),
    Case(
        "a health check port that no listener answers",
        NO_ANSWER,
        _health_checked("8081", tcp(443, ANYWHERE), tcp(8080, ANYWHERE)),
        COMPLIANT,
        says=("8081", "nlb"),
    ),
    Case(
        "a health check port that no listener answers, not compliant either",
        NO_ANSWER,
        _health_checked("8081", tcp(8080, ANYWHERE)),
        NON_COMPLIANT,
        says=("8081", "nlb"),
        lacks=(_lacks_vpc(), Lacks(443, (ANYWHERE,), (ANYWHERE,))),
    ),
    Case(
        "an internal load balancer's health check listener",
        "Its own clients are the VPC, and so are the health checks.",
        estate(
            load_balancer(scheme="internal"),
            listener(443),
            listener(8080),
            group(ingress=[tcp(443, ANYWHERE), tcp(8080, "10.0.0.0/17")]),
            network_load_balancer(groups=NLB_GROUP),
            behind(443, health_check_port="8080"),
        ),
        NON_COMPLIANT,
        lacks=(
            Lacks(8080, (VPC,), ("10.0.128.0/17",)),
            Lacks(8080, (VPC,), ("10.0.128.0/17",), NLB_GROUP),
        ),
    ),
)
def test_health_checks_of_the_network_load_balancer(case: Case) -> None:
    check(case)


def test_the_annotation_lists_every_missing_health_check_port() -> None:
    """ "Said in the finding": with several, none is passed over in silence."""
    saved = estate(
        load_balancer(scheme="internal"),
        listener(443),
        group(ingress=[tcp(443, ANYWHERE)]),
        *(network_load_balancer(name, groups=[]) for name in ("nlb-a", "nlb-b")),
        behind(443, name="via-a", nlb="nlb-a", health_check_port="8081"),
        behind(443, name="via-b", nlb="nlb-b", health_check_port="8082"),
    )
    check(Case("two", NO_ANSWER, saved, COMPLIANT, says=("8081", "8082")))


def test_the_port_of_the_registration_counts() -> None:
    """The port at which the load balancer is registered is the one that the NLB sends to, the group's otherwise."""
    at_registration = target_group("to-web", type="alb", port=80, targets=[target(load_balancer_arn("web"), 443)])
    by_group = target_group("to-web", type="alb", port=443, targets=[target(load_balancer_arn("web"))])
    for group_of_alb in (at_registration, by_group):
        saved = estate(
            load_balancer(scheme="internal"),
            listener(443),
            group(ingress=[tcp(443, "sg-nlb")]),
            network_load_balancer(groups=NLB_GROUP),
            group_of_alb,
        )
        check(Case("port", INSTEAD, saved, COMPLIANT))


OWN_GROUPS = "What the NLB's own groups let in on those of its listeners that forward to that target group."
BY_SCHEME = "Where it has no groups or those listeners are not known: by scheme."
EVERYBODY = "An internal NLB whose groups let everybody in: the VPC CIDRs."
OFFICE = "203.0.113.0/24"
OTHER_VPC = "10.8.0.0/16"


def _guarded(
    nlb_ingress: list[Shape],
    *ingress: Shape,
    nlb: str = "internet-facing",
    listens_on: tuple[tuple[int, str], ...] = ((443, "to-web"),),
    parts: tuple[Shape, ...] = (),
) -> Saved:
    """An internal load balancer on 443 behind a Network Load Balancer whose group sg-nlb has these inbound rules and
    whose listeners forward to these target groups."""
    of = load_balancer_arn("nlb", "network")
    return estate(
        load_balancer(scheme="internal"),
        listener(443),
        group(ingress=ingress),
        group("sg-nlb", ingress=nlb_ingress),
        network_load_balancer(scheme=nlb, groups=NLB_GROUP),
        *(listener(port, "TCP", of=of, forward=[name]) for port, name in listens_on),
        behind(443),
        *parts,
    )


@table(
    Case(
        "the addresses that the NLB lets in",
        OWN_GROUPS,
        _guarded([tcp(443, OFFICE)], tcp(443, OFFICE, VPC)),
        COMPLIANT,
    ),
    Case(
        "everybody, of whom the NLB lets in an office",
        "Open to more than the clients.",
        _guarded([tcp(443, OFFICE)], tcp(443, ANYWHERE)),
        COMPLIANT,
    ),
    Case(
        "the VPC alone",
        OWN_GROUPS,
        _guarded([tcp(443, OFFICE)], tcp(443, VPC)),
        NON_COMPLIANT,
        says=(f"HTTPS:443 not open to sg-nlb or {OFFICE} (clients of nlb) in sg-1",),
        lacks=(Lacks(443, (OFFICE,), (OFFICE,), NLB_GROUP),),
    ),
    Case(
        "the NLB carries the groups of the load balancer (lbc-4126)",
        "The controller gives the NLB the same groups: clients are met, health checks are not.",
        estate(
            load_balancer(scheme="internal", groups=["sg-1", "sg-2"]),
            listener(443),
            group("sg-1", ingress=[tcp(443, OFFICE)]),
            group("sg-2"),
            network_load_balancer(groups=["sg-1", "sg-2"]),
            listener(443, "TCP", of=load_balancer_arn("nlb", "network"), forward=["to-web"]),
            behind(443),
        ),
        NON_COMPLIANT,
        says=("not open to sg-1, sg-2 or 10.0.0.0/16 (health checks and PrivateLink of nlb)",),
        silent=(ANYWHERE,),
        lacks=(Lacks(443, (VPC,), (VPC,), ("sg-1", "sg-2")),),
    ),
    Case(
        "the NLB's clients are in another VPC (nlb-internal-clients-of-other-vpc)",
        "Its groups let in 10.0.0.0/8; the VPC alone refuses the rest of it.",
        _guarded([tcp(443, "10.0.0.0/8")], tcp(443, VPC), nlb="internal"),
        NON_COMPLIANT,
        says=("sg-nlb or 10.0.0.0/8",),
        lacks=(Lacks(443, ("10.0.0.0/8",), None, NLB_GROUP),),
    ),
    Case(
        "the same, open to the NLB's group",
        MEETS_BOTH,
        _guarded([tcp(443, "10.0.0.0/8")], tcp(443, "sg-nlb"), nlb="internal"),
        COMPLIANT,
    ),
    Case(
        "an internal NLB whose group lets everybody in",
        EVERYBODY,
        _guarded([tcp(443, ANYWHERE)], tcp(443, VPC), nlb="internal"),
        COMPLIANT,
    ),
    Case(
        "an internal NLB whose group lets everybody in by halves",
        EVERYBODY,
        _guarded([tcp(443, "0.0.0.0/1"), all_traffic("128.0.0.0/1")], tcp(443, VPC), nlb="internal"),
        COMPLIANT,
    ),
    Case(
        "an internet-facing NLB whose group lets everybody in",
        OWN_GROUPS,
        _guarded([tcp(443, ANYWHERE)], tcp(443, VPC)),
        NON_COMPLIANT,
        lacks=(Lacks(443, (ANYWHERE,), None, NLB_GROUP),),
    ),
    Case(
        "the NLB listens on another port than the load balancer",
        "On *those of its listeners* that forward: what is let in on 443 does not matter.",
        _guarded(
            [tcp(80, OFFICE), tcp(443, OTHER_VPC)],
            tcp(443, OFFICE, VPC),
            listens_on=((80, "to-web"), (443, "elsewhere")),
        ),
        COMPLIANT,
    ),
    Case(
        "two of the NLB's listeners forward",
        "Those of its listeners: the clients of both.",
        _guarded(
            [tcp(80, OFFICE), tcp(443, OTHER_VPC)], tcp(443, OFFICE, VPC), listens_on=((80, "to-web"), (443, "to-web"))
        ),
        NON_COMPLIANT,
        lacks=(Lacks(443, (OTHER_VPC, OFFICE), (OTHER_VPC,), NLB_GROUP),),
    ),
    Case(
        "no listener of the NLB is known to forward",
        BY_SCHEME,
        _guarded([tcp(443, OFFICE)], tcp(443, OFFICE, VPC), listens_on=((443, "elsewhere"),)),
        NON_COMPLIANT,
        lacks=(Lacks(443, (ANYWHERE,), None, NLB_GROUP),),
    ),
    Case(
        "the NLB lets in a group alone",
        "A reference is an address of the VPC, which is asked for anyway.",
        _guarded([tcp(443, "sg-1")], tcp(443, VPC)),
        COMPLIANT,
    ),
    Case("the NLB lets in nobody", OWN_GROUPS, _guarded([], tcp(443, VPC)), COMPLIANT),
    Case(
        "the NLB lets in IPv6 clients",
        IPV4_ONLY,
        _guarded([tcp(443, ANYWHERE_IPV6, OFFICE)], tcp(443, VPC, OFFICE)),
        COMPLIANT,
    ),
    Case(
        "the NLB lets in a part of the VPC",
        "The VPC is asked for anyway, so that part is not said a second time.",
        _guarded([tcp(443, "10.0.1.0/24")]),
        NON_COMPLIANT,
        lacks=(_lacks_vpc(),),
    ),
    Case(
        "the NLB lets in a prefix list, its reference",
        "CIDRs and prefix lists.",
        _guarded([tcp(443, "pl-1")], tcp(443, "pl-1", VPC), parts=(prefix_list("pl-1", OFFICE),)),
        COMPLIANT,
    ),
    Case(
        "the NLB lets in a prefix list, its entries",
        "CIDRs and prefix lists.",
        _guarded([tcp(443, "pl-1")], tcp(443, OFFICE, VPC), parts=(prefix_list("pl-1", OFFICE),)),
        COMPLIANT,
    ),
    Case(
        "the NLB lets in a prefix list, closed",
        "CIDRs and prefix lists.",
        _guarded([tcp(443, "pl-1")], tcp(443, VPC), parts=(prefix_list("pl-1", OFFICE),)),
        NON_COMPLIANT,
        says=("sg-nlb or pl-1",),
        lacks=(Lacks(443, ("pl-1",), (OFFICE,), NLB_GROUP),),
    ),
    Case(
        "the NLB lets in a prefix list that is refused, by a reference to the NLB's group",
        "The reference meets both, for all clients.",
        _guarded([tcp(443, "pl-1")], tcp(443, "sg-nlb"), parts=(prefix_list("pl-1", refused=True),)),
        COMPLIANT,
    ),
    Case(
        "the NLB lets in a prefix list that was not read",
        "Every requirement must be known.",
        _guarded([tcp(443, "pl-1")], tcp(443, VPC)),
        ERROR,
        says=("pl-1",),
    ),
)
def test_clients_by_the_groups_of_the_network_load_balancer(case: Case) -> None:
    check(case)


@pytest.mark.parametrize(
    ("ingress", "expected"), [(ANYWHERE, COMPLIANT), ("sg-nlb", COMPLIANT), (OFFICE, ERROR), (VPC, ERROR)]
)
def test_a_group_of_the_network_load_balancer_that_was_not_read(ingress: str, expected: str) -> None:
    """Whom it lets in is not known: only what covers every client covers them."""
    saved = _guarded([], tcp(443, ingress))
    saved["SecurityGroups"] = [one for one in saved["SecurityGroups"] if one["GroupId"] != "sg-nlb"]
    says = ("sg-nlb",) if expected == ERROR else ()
    check(Case("unread", "Every requirement must be known.", saved, expected, says=says))


def test_listeners_of_the_network_load_balancer_that_were_not_collected() -> None:
    """By scheme, and never an error."""
    saved = _guarded([tcp(443, OFFICE)], tcp(443, OFFICE, VPC))
    of_alb = load_balancer_arn("web")
    saved["Listeners"] = [one for one in saved["Listeners"] if one["LoadBalancerArn"] == of_alb]
    check(Case("nlb", BY_SCHEME, saved, NON_COMPLIANT, says=(ANYWHERE,)))
