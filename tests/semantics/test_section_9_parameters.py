"""Semantics §9: `AcceptedSources`, `TagKey`, and how parameters are read. `TargetMatch` is in §6's tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from alb_sg.errors import InvalidInputError
from alb_sg.parameters import AcceptedSource, AcceptedSourcesMatch, TargetMatch, parse_parameters
from tests.builders import (
    ANYWHERE,
    ANYWHERE_IPV6,
    ICMP,
    INGRESS,
    Saved,
    Shape,
    behind,
    estate,
    group,
    icmp,
    icmpv6,
    listener,
    load_balancer,
    network_load_balancer,
    prefix_list,
    reference,
    tcp,
)
from tests.semantics.cases import (
    COMPLIANT,
    ERROR,
    NON_COMPLIANT,
    NOT_APPLICABLE,
    Case,
    Lacks,
    check,
    table,
)

VPC = "10.0.0.0/16"
CLOUDFRONT = prefix_list("pl-3b927c52", "13.32.0.0/15", "52.46.0.0/18")
WHOLLY = "A CIDR counts if wholly open."
LIST = "`pl-` if referenced or every entry open."
GROUP = "`sg-` if referenced."
PER_FAMILY = "`AcceptedSources` works per requirement and family."
WHICH = "COMPLIANT, and the annotation says which."
NOT_FOR_HEALTH_CHECKS = "Never replaces what an NLB's health checks need."
DUALSTACK = load_balancer(ip_address_type="dualstack")


def _accepts(
    name: str,
    why: str,
    expected: str,
    sources: str,
    ingress: list[Shape],
    *parts: Shape,
    rule: str = INGRESS,
    says: tuple[str, ...] = (),
    silent: tuple[str, ...] = (),
    lacks: tuple[Lacks, ...] | None = None,
    unresolved: bool | None = False,
) -> Case:
    return Case(
        name,
        why,
        estate(listener(443), *parts, group("sg-1", ingress=ingress)),
        expected,
        rule=rule,
        parameters={"AcceptedSources": sources},
        says=says,
        silent=silent,
        lacks=lacks,
        unresolved=unresolved,
    )


@table(
    _accepts("a block", WHICH, COMPLIANT, "10.0.0.0/8", [tcp(443, "10.0.0.0/8")], says=("HTTPS:443", "10.0.0.0/8")),
    _accepts("a block within what is open", WHOLLY, COMPLIANT, "10.1.0.0/16", [tcp(443, "10.0.0.0/8")]),
    _accepts("a block that adds up", WHOLLY, COMPLIANT, "10.0.0.0/8", [tcp(443, "10.0.0.0/9", "10.128.0.0/9")]),
    _accepts(
        "a block partly open",
        WHOLLY,
        NON_COMPLIANT,
        "128.0.0.0/1",
        [tcp(443, "128.0.0.0/2")],
        lacks=(Lacks(443, (ANYWHERE,), ("0.0.0.0/1", "192.0.0.0/2")),),
    ),
    _accepts("a block on another port", "A listener port.", NON_COMPLIANT, "10.0.0.0/8", [tcp(80, "10.0.0.0/8")]),
    _accepts("one address of the block", WHOLLY, NON_COMPLIANT, "10.0.0.0/8", [tcp(443, "10.0.0.1/32")]),
    _accepts("a block with host bits", "Read leniently.", COMPLIANT, "10.1.2.3/8", [tcp(443, "10.0.0.0/8")]),
    _accepts("nothing open", "Open to at least one of these.", NON_COMPLIANT, "10.0.0.0/8", []),
    _accepts("the second of two", "At least one.", COMPLIANT, "10.0.0.0/8, 11.0.0.0/8", [tcp(443, "11.0.0.0/8")]),
    _accepts(
        "not needed",
        "That is not open to the recommended peer, but …",
        COMPLIANT,
        "10.0.0.0/8",
        [tcp(443, ANYWHERE)],
        silent=("accepted",),
    ),
    _accepts(
        "CloudFront", LIST, COMPLIANT, "pl-3b927c52", [tcp(443, "pl-3b927c52")], CLOUDFRONT, says=("pl-3b927c52",)
    ),
    _accepts(
        "CloudFront and no data",
        "Only what a verdict hangs on must be read.",
        COMPLIANT,
        "pl-3b927c52",
        [tcp(443, "pl-3b927c52")],
    ),
    _accepts("every entry open", LIST, COMPLIANT, "pl-3b927c52", [tcp(443, "13.32.0.0/15", "52.0.0.0/8")], CLOUDFRONT),
    _accepts("one entry open", LIST, NON_COMPLIANT, "pl-3b927c52", [tcp(443, "13.32.0.0/15")], CLOUDFRONT),
    _accepts("a list on another port", LIST, NON_COMPLIANT, "pl-3b927c52", [tcp(80, "pl-3b927c52")], CLOUDFRONT),
    _accepts(
        "another list referenced",
        LIST,
        NON_COMPLIANT,
        "pl-1",
        [tcp(443, "pl-2")],
        prefix_list("pl-1", "10.0.0.0/8"),
        prefix_list("pl-2", "11.0.0.0/8"),
    ),
    _accepts(
        "another list with the same entries",
        LIST,
        COMPLIANT,
        "pl-1",
        [tcp(443, "pl-2")],
        prefix_list("pl-1", "10.0.0.0/8"),
        prefix_list("pl-2", "10.0.0.0/8"),
    ),
    _accepts(
        "a refused list referenced", LIST, COMPLIANT, "pl-1", [tcp(443, "pl-1")], prefix_list("pl-1", refused=True)
    ),
    _accepts(
        "a refused list not referenced",
        LIST,
        NON_COMPLIANT,
        "pl-1",
        [tcp(443, "10.0.0.0/8")],
        prefix_list("pl-1", refused=True),
        unresolved=None,
    ),
    _accepts("an empty list not referenced", "Open to at least one.", NON_COMPLIANT, "pl-1", [], prefix_list("pl-1")),
    _accepts(
        "an empty list referenced",
        "Nothing empty is covered (§2): the reference lets nobody in.",
        NON_COMPLIANT,
        "pl-1",
        [tcp(443, "pl-1")],
        prefix_list("pl-1"),
        says=("HTTPS:443 not open to 0.0.0.0/0 in sg-1 (no entries in pl-1)",),
        lacks=(Lacks(443, (ANYWHERE,), (ANYWHERE,)),),
    ),
    _accepts(
        "an empty list referenced, and a block",
        "At least one.",
        COMPLIANT,
        "pl-1,10.0.0.0/8",
        [tcp(443, "pl-1", "10.0.0.0/8")],
        prefix_list("pl-1"),
        says=("HTTPS:443 open to 1 of 2 accepted sources (10.0.0.0/8)",),
    ),
    _accepts(
        "ICMP from an empty list",
        "Nothing empty is covered (§2).",
        NON_COMPLIANT,
        "pl-1",
        [icmp(3, 4, "pl-1")],
        prefix_list("pl-1"),
        rule=ICMP,
    ),
    _accepts(
        "a list not in the data, not referenced",
        "NON_COMPLIANT only where everything that could cover was read.",
        ERROR,
        "pl-1",
        [tcp(443, "10.0.0.0/8")],
        says=("pl-1",),
    ),
    _accepts("a group", GROUP, COMPLIANT, "sg-cdn", [tcp(443, "sg-cdn")], group("sg-cdn"), says=("sg-cdn",)),
    _accepts("a group on another port", GROUP, NON_COMPLIANT, "sg-cdn", [tcp(80, "sg-cdn")], group("sg-cdn")),
    _accepts("another group", GROUP, NON_COMPLIANT, "sg-cdn", [tcp(443, "sg-1")], group("sg-cdn")),
    _accepts(
        "a stale reference to the group",
        "A stale reference covers nothing.",
        NON_COMPLIANT,
        "sg-cdn",
        [tcp(443, reference("sg-cdn", peering="pcx-1", vpc="vpc-9", status="deleted"))],
        group("sg-cdn"),
    ),
    _accepts(
        "a group deleted behind a peering",
        "A stale reference covers nothing; over a peering one can outlive its group.",
        NON_COMPLIANT,
        "sg-cdn",
        [tcp(443, reference("sg-cdn", peering="pcx-1", vpc="vpc-9", status="active"))],
    ),
    _accepts(
        "a group of the VPC that is not in the data",
        "EC2 deletes no group that is referenced in its VPC: the group was left out of the data.",
        COMPLIANT,
        "sg-cdn",
        [tcp(443, "sg-cdn")],
    ),
    _accepts(
        "per requirement",
        PER_FAMILY,
        NON_COMPLIANT,
        "10.0.0.0/8",
        [tcp(443, "10.0.0.0/8"), tcp(80, "10.0.0.0/9")],
        listener(80),
        says=("HTTP:80",),
        lacks=(Lacks(80, (ANYWHERE,), None),),
    ),
    _accepts(
        "per requirement, another for each",
        PER_FAMILY,
        COMPLIANT,
        "10.0.0.0/8,11.0.0.0/8",
        [tcp(443, "10.0.0.0/8"), tcp(80, "11.0.0.0/8")],
        listener(80),
        says=("HTTPS:443", "10.0.0.0/8", "HTTP:80", "11.0.0.0/8"),
    ),
    _accepts(
        "a block for one family of two",
        PER_FAMILY,
        NON_COMPLIANT,
        "10.0.0.0/8",
        [tcp(443, "10.0.0.0/8")],
        DUALSTACK,
        lacks=(Lacks(443, (ANYWHERE_IPV6,), (ANYWHERE_IPV6,)),),
    ),
    _accepts(
        "a block for each family",
        PER_FAMILY,
        COMPLIANT,
        "10.0.0.0/8,2001:db8::/32",
        [tcp(443, "10.0.0.0/8", "2001:db8::/32")],
        DUALSTACK,
        says=("10.0.0.0/8", "2001:db8::/32"),
    ),
    _accepts(
        "a list for one family of two",
        PER_FAMILY,
        NON_COMPLIANT,
        "pl-3b927c52",
        [tcp(443, "pl-3b927c52")],
        DUALSTACK,
        CLOUDFRONT,
        lacks=(Lacks(443, (ANYWHERE_IPV6,), (ANYWHERE_IPV6,)),),
    ),
    _accepts(
        "a list for one family, the other open",
        PER_FAMILY,
        COMPLIANT,
        "pl-3b927c52",
        [tcp(443, "pl-3b927c52", ANYWHERE_IPV6)],
        DUALSTACK,
        CLOUDFRONT,
    ),
    _accepts(
        "a list of unknown family, referenced, for two families",
        "It may be of the other family: never a false COMPLIANT.",
        ERROR,
        "pl-1",
        [tcp(443, "pl-1", ANYWHERE)],
        DUALSTACK,
    ),
    _accepts("a group for both families", GROUP, COMPLIANT, "sg-cdn", [tcp(443, "sg-cdn")], DUALSTACK, group("sg-cdn")),
    _accepts(
        "ICMP from a block",
        "A listener port or ICMP.",
        COMPLIANT,
        "10.0.0.0/8",
        [icmp(3, 4, "10.0.0.0/8")],
        rule=ICMP,
        says=("10.0.0.0/8",),
    ),
    _accepts(
        "ICMP from a list",
        "A listener port or ICMP.",
        COMPLIANT,
        "pl-3b927c52",
        [icmp(3, 4, "pl-3b927c52")],
        CLOUDFRONT,
        rule=ICMP,
    ),
    _accepts(
        "ICMP, the port open instead", PER_FAMILY, NON_COMPLIANT, "10.0.0.0/8", [tcp(443, "10.0.0.0/8")], rule=ICMP
    ),
    _accepts(
        "ICMP per family",
        PER_FAMILY,
        NON_COMPLIANT,
        "10.0.0.0/8",
        [icmp(3, 4, "10.0.0.0/8"), icmpv6(2, 0, "2001:db8::/32")],
        DUALSTACK,
        rule=ICMP,
        lacks=(Lacks((2, 0), (ANYWHERE_IPV6,), None),),
    ),
    _accepts(
        "the clients of an internal load balancer",
        "The recommended peer is then the VPC.",
        COMPLIANT,
        "10.0.7.0/24",
        [tcp(443, "10.0.7.0/24")],
        load_balancer(scheme="internal"),
    ),
    _accepts(
        "the clients of an NLB, its health checks not",
        NOT_FOR_HEALTH_CHECKS,
        NON_COMPLIANT,
        "198.51.100.0/24",
        [tcp(443, "198.51.100.0/24")],
        load_balancer(scheme="internal"),
        network_load_balancer(groups=["sg-nlb"]),
        behind(443),
        lacks=(Lacks(443, (VPC,), (VPC,), ("sg-nlb",)),),
    ),
    _accepts(
        "the clients of an NLB and its health checks",
        NOT_FOR_HEALTH_CHECKS,
        COMPLIANT,
        "198.51.100.0/24",
        [tcp(443, "198.51.100.0/24", VPC)],
        load_balancer(scheme="internal"),
        network_load_balancer(groups=["sg-nlb"]),
        behind(443),
        says=("198.51.100.0/24",),
    ),
    _accepts(
        "the clients of an internal NLB are where its health checks come from",
        NOT_FOR_HEALTH_CHECKS,
        NON_COMPLIANT,
        "198.51.100.0/24",
        [tcp(443, "198.51.100.0/24")],
        network_load_balancer(scheme="internal"),
        behind(443),
        lacks=(Lacks(443, (VPC,), (VPC,)),),
    ),
    _accepts(
        "health checks on another port",
        NOT_FOR_HEALTH_CHECKS,
        NON_COMPLIANT,
        "198.51.100.0/24",
        [tcp(443, ANYWHERE), tcp(8080, "198.51.100.0/24")],
        listener(8080),
        network_load_balancer(scheme="internal"),
        behind(443, health_check_port="8080"),
        lacks=(Lacks(8080, (VPC,), (VPC,)),),
    ),
)
def test_accepted_sources(case: Case) -> None:
    check(case)


# The ranges of a content delivery network, as its page lists them (expense-261).
FIFTEEN = (
    "173.245.48.0/20,103.21.244.0/22,103.22.200.0/22,103.31.4.0/22,141.101.64.0/18,108.162.192.0/18,190.93.240.0/20,"
    "188.114.96.0/20,197.234.240.0/22,198.41.128.0/17,162.158.0.0/15,104.16.0.0/13,104.24.0.0/14,172.64.0.0/13,"
    "131.0.72.0/22"
)
RANGES = tuple(FIFTEEN.split(","))
ALL_MATCH = {"AcceptedSourcesMatch": "all"}
EVERY_ONE = "`all`: every one of `AcceptedSources` that concerns the port and family must be let in."
THAT_PORT = "`SOURCE@PORT` concerns that listener port alone."
OTHER_PORTS = "One without a port concerns every port that none names."
ON_PURPOSE = "`none@80`: port 80 is closed on purpose."
HOW_MANY = "The annotation says how many of them are met, not only the first."


def _ports(name: str, why: str, expected: str, sources: str, *ingress: Shape, **fields: Any) -> Case:
    """An internet-facing load balancer on 80 and 443 with these inbound rules."""
    more = {"AcceptedSources": sources, **fields.pop("parameters", {})}
    parts = fields.pop("parts", ())
    return Case(
        name,
        why,
        estate(listener(80), listener(443), group(ingress=ingress), *parts),
        expected,
        parameters=more,
        **fields,
    )


@table(
    _ports(
        "all fifteen open",
        HOW_MANY,
        COMPLIANT,
        FIFTEEN,
        tcp((80, 443), *RANGES),
        parameters=ALL_MATCH,
        says=("HTTP:80, HTTPS:443 open to 15 of 15 accepted sources",),
    ),
    _ports(
        "all fifteen open, one would do",
        HOW_MANY,
        COMPLIANT,
        FIFTEEN,
        tcp((80, 443), *RANGES),
        says=("HTTP:80, HTTPS:443 open to 15 of 15 accepted sources",),
    ),
    _ports(
        "one range left, one would do (expense-261)",
        "`any` is the default: at least one; but the annotation says that it is one of fifteen.",
        COMPLIANT,
        FIFTEEN,
        tcp((80, 443), RANGES[0]),
        says=("open to 1 of 15 accepted sources (173.245.48.0/20)",),
    ),
    _ports(
        "one range left (expense-261)",
        EVERY_ONE,
        NON_COMPLIANT,
        FIFTEEN,
        tcp((80, 443), RANGES[0]),
        parameters=ALL_MATCH,
        says=("not open to accepted sources 103.21.244.0/22", "open to 1 of 15 accepted sources"),
    ),
    _ports(
        "one range lost",
        EVERY_ONE,
        NON_COMPLIANT,
        FIFTEEN,
        tcp((80, 443), *RANGES[:6], *RANGES[7:]),
        parameters=ALL_MATCH,
        says=(
            "HTTP:80 not open to accepted source 190.93.240.0/20 in sg-1 (open to 14 of 15 accepted sources)",
            "HTTPS:443 likewise",
        ),
        lacks=(
            Lacks(80, ("190.93.240.0/20",), ("190.93.240.0/20",)),
            Lacks(443, ("190.93.240.0/20",), ("190.93.240.0/20",)),
        ),
    ),
    _ports(
        "a half of one range lost",
        "A CIDR counts if wholly open.",
        NON_COMPLIANT,
        "10.0.0.0/8,203.0.113.0/24",
        tcp((80, 443), "10.0.0.0/8", "203.0.113.0/25"),
        parameters=ALL_MATCH,
        lacks=tuple(Lacks(port, ("203.0.113.0/24",), ("203.0.113.128/25",)) for port in (80, 443)),
    ),
    _ports(
        "none of them open",
        "What is missing is the recommended peer: nothing says that only they are meant.",
        NON_COMPLIANT,
        "10.0.0.0/8,203.0.113.0/24",
        parameters=ALL_MATCH,
        lacks=tuple(Lacks(port, (ANYWHERE,), (ANYWHERE,)) for port in (80, 443)),
    ),
    _ports(
        "a list, a group and a block lost",
        EVERY_ONE,
        NON_COMPLIANT,
        "10.0.0.0/8,pl-1,sg-app,203.0.113.0/24",
        tcp((80, 443), "10.0.0.0/8"),
        parameters=ALL_MATCH,
        parts=(prefix_list("pl-1", "192.0.2.0/24"),),
        says=("pl-1", "open to 1 of 4"),
        lacks=tuple(
            lost
            for port in (80, 443)
            for lost in (
                Lacks(port, ("203.0.113.0/24",), ("203.0.113.0/24",)),
                Lacks(port, ("pl-1",), ("192.0.2.0/24",)),
                Lacks(port, ("sg-app",), (), ("sg-app",)),
            )
        ),
    ),
    _ports(
        "all, and an empty list that is referenced",
        "Nothing empty is covered (§2): its entries were lost, not the reference.",
        NON_COMPLIANT,
        "10.0.0.0/8,pl-1",
        tcp((80, 443), "10.0.0.0/8", "pl-1"),
        parameters=ALL_MATCH,
        parts=(prefix_list("pl-1"),),
        says=(
            "HTTP:80 not open to accepted source pl-1 in sg-1 (open to 1 of 2 accepted sources; no entries in pl-1)",
            "HTTPS:443 likewise",
        ),
        lacks=tuple(Lacks(port, ("pl-1",), ("pl-1",)) for port in (80, 443)),
    ),
    _ports(
        "all, and a list that was not read",
        "A list that was not read may be open.",
        ERROR,
        "10.0.0.0/8,pl-lost",
        tcp((80, 443), "10.0.0.0/8"),
        parameters=ALL_MATCH,
        says=("pl-lost",),
    ),
    _ports(
        "all, one lost and a list that was not read",
        "Every one must be let in: whatever the list is, one of them is not.",
        NON_COMPLIANT,
        "10.0.0.0/8,203.0.113.0/24,pl-lost",
        tcp((80, 443), "10.0.0.0/8"),
        parameters=ALL_MATCH,
    ),
    _ports(
        "all, of another family",
        "No IPv6 source concerns IPv4, and nothing empty is covered.",
        NON_COMPLIANT,
        "2001:db8::/32",
        tcp((80, 443), "2001:db8::/32"),
        parameters=ALL_MATCH,
    ),
    _ports(
        "a port closed on purpose (flip-473)",
        ON_PURPOSE,
        COMPLIANT,
        "none@80",
        tcp(443, ANYWHERE),
        says=("HTTP:80 may be closed (none@80)",),
    ),
    _ports(
        "another port closed on purpose",
        ON_PURPOSE,
        NON_COMPLIANT,
        "none@443",
        tcp(443, ANYWHERE),
        says=("HTTP:80",),
        lacks=(Lacks(80, (ANYWHERE,), (ANYWHERE,)),),
    ),
    _ports("closed on purpose, and open", ON_PURPOSE, COMPLIANT, "none@80", tcp((80, 443), ANYWHERE), silent=("none",)),
    _ports("a source of the port", THAT_PORT, COMPLIANT, "10.0.0.0/8@443,none@80", tcp(443, "10.0.0.0/8")),
    _ports(
        "a source of another port",
        THAT_PORT,
        NON_COMPLIANT,
        "10.0.0.0/8@443",
        tcp((80, 443), "10.0.0.0/8"),
        lacks=(Lacks(80, (ANYWHERE,), None),),
    ),
    _ports(
        "a source without a port",
        OTHER_PORTS,
        COMPLIANT,
        "10.0.0.0/8,203.0.113.0/24@443",
        tcp(80, "10.0.0.0/8"),
        tcp(443, "203.0.113.0/24"),
    ),
    _ports(
        "a source without a port, of a port that is named",
        OTHER_PORTS,
        NON_COMPLIANT,
        "10.0.0.0/8,203.0.113.0/24@443",
        tcp((80, 443), "10.0.0.0/8"),
        lacks=(Lacks(443, (ANYWHERE,), None),),
    ),
    Case(
        "four listeners, two for the VPC (cosmos-237)",
        THAT_PORT,
        estate(
            *map(listener, (80, 443, 8080, 8443)),
            group(ingress=[tcp(80, ANYWHERE), tcp(443, ANYWHERE), tcp(8080, VPC), tcp(8443, VPC)]),
        ),
        COMPLIANT,
        parameters={"AcceptedSources": f"{VPC}@8080,{VPC}@8443"},
        says=("HTTP:8080, HTTP:8443 open to accepted source 10.0.0.0/16",),
    ),
    Case(
        "four listeners, a public one closed to all but the VPC (cosmos-237)",
        "The sources of 8080 and 8443 do not excuse 443.",
        estate(
            *map(listener, (80, 443, 8080, 8443)),
            group(ingress=[tcp(80, ANYWHERE), tcp(443, VPC), tcp(8080, VPC), tcp(8443, VPC)]),
        ),
        NON_COMPLIANT,
        parameters={"AcceptedSources": f"{VPC}@8080,{VPC}@8443"},
        says=("HTTPS:443",),
        lacks=(Lacks(443, (ANYWHERE,), None),),
    ),
    Case(
        "an internal load balancer that redirects on a closed port (flip-473)",
        "The finding named HTTP:80, which is closed on purpose.",
        estate(
            load_balancer(scheme="internal"), listener(443), listener(80, redirect=True), group(ingress=[tcp(443, VPC)])
        ),
        COMPLIANT,
        parameters={"AcceptedSources": "none@80"},
        says=("HTTP:80 may be closed (none@80)",),
    ),
    Case(
        "an internal load balancer behind an accelerator, open to the VPC (accelerator-vpc-cidr)",
        "The recommended row is met; that its clients are the accelerator's is a remark, no requirement.",
        estate(
            load_balancer(scheme="internal"),
            listener(443),
            listener(80, redirect=True),
            group(ingress=[tcp(443, VPC), tcp(80, VPC)]),
        ),
        COMPLIANT,
    ),
    Case(
        "the health checks of an NLB on a port closed on purpose",
        "Never replaces what an NLB's health checks need.",
        estate(
            load_balancer(scheme="internal"),
            listener(443),
            listener(80),
            group(ingress=[tcp(443, VPC)]),
            network_load_balancer(scheme="internal"),
            behind(443, health_check_port="80"),
        ),
        NON_COMPLIANT,
        parameters={"AcceptedSources": "none@80"},
        lacks=(Lacks(80, (VPC,), (VPC,)),),
    ),
    Case(
        "a source with a port, and ICMP",
        "Concerns that listener port alone: ICMP has none.",
        estate(group(ingress=[icmp(3, 4, "10.0.0.0/8")])),
        NON_COMPLIANT,
        rule=ICMP,
        parameters={"AcceptedSources": "10.0.0.0/8@443"},
    ),
    Case(
        "a source without a port, and ICMP",
        "One without a port concerns every port that none names, and ICMP.",
        estate(group(ingress=[icmp(3, 4, "10.0.0.0/8")])),
        COMPLIANT,
        rule=ICMP,
        parameters={"AcceptedSources": "10.0.0.0/8,none@443", **ALL_MATCH},
    ),
    Case(
        "ICMP from all of them",
        EVERY_ONE,
        estate(group(ingress=[icmp(3, 4, "10.0.0.0/8")])),
        NON_COMPLIANT,
        rule=ICMP,
        parameters={"AcceptedSources": "10.0.0.0/8,203.0.113.0/24", **ALL_MATCH},
        lacks=(Lacks((3, 4), ("203.0.113.0/24",), ("203.0.113.0/24",)),),
    ),
    Case(
        "all, in both families",
        PER_FAMILY,
        estate(DUALSTACK, listener(443), group(ingress=[tcp(443, "10.0.0.0/8", "2001:db8::/32")])),
        COMPLIANT,
        parameters={"AcceptedSources": "10.0.0.0/8,2001:db8::/32", **ALL_MATCH},
    ),
    Case(
        "all, none of them for IPv6",
        "Per family: no source concerns IPv6, so its clients are the recommended ones.",
        estate(DUALSTACK, listener(443), group(ingress=[tcp(443, "10.0.0.0/8", "203.0.113.0/24")])),
        NON_COMPLIANT,
        parameters={"AcceptedSources": "10.0.0.0/8,203.0.113.0/24", **ALL_MATCH},
        says=("HTTPS:443 not open to ::/0 in sg-1 (no accepted source is IPv6; open to",),
        lacks=(Lacks(443, (ANYWHERE_IPV6,), (ANYWHERE_IPV6,)),),
    ),
    Case(
        "all, none of them for IPv6, which is open",
        "Per family: IPv6 is open to the recommended peer.",
        estate(DUALSTACK, listener(443), group(ingress=[tcp(443, "10.0.0.0/8", ANYWHERE_IPV6)])),
        COMPLIANT,
        parameters={"AcceptedSources": "10.0.0.0/8", **ALL_MATCH},
        says=("HTTPS:443 open to accepted source 10.0.0.0/8",),
    ),
    Case(
        "all, one lost, none of them for IPv6",
        "Per family: of IPv4 the lost source is missing, of IPv6 the recommended peer.",
        estate(DUALSTACK, listener(443), group(ingress=[tcp(443, "10.0.0.0/8")])),
        NON_COMPLIANT,
        parameters={"AcceptedSources": "10.0.0.0/8,203.0.113.0/24", **ALL_MATCH},
        lacks=(
            Lacks(443, ("203.0.113.0/24",), ("203.0.113.0/24",)),
            Lacks(443, (ANYWHERE_IPV6,), (ANYWHERE_IPV6,)),
        ),
    ),
)
def test_accepted_sources_by_port_and_match(case: Case) -> None:
    check(case)


def test_a_list_that_tells_no_family_is_of_its_entries_family() -> None:
    """ "A prefix list is its entries; one address family each" (§4): of IPv4 entries it never opens IPv6."""
    saved = estate(
        DUALSTACK, listener(443), group(ingress=[tcp(443, "pl-1", ANYWHERE)]), prefix_list("pl-1", "10.0.0.0/8")
    )
    del saved["ManagedPrefixLists"]["pl-1"]["AddressFamily"]
    lacks = (Lacks(443, (ANYWHERE_IPV6,), (ANYWHERE_IPV6,)),)
    accepted = {"AcceptedSources": "pl-1"}
    check(Case("family", PER_FAMILY, saved, NON_COMPLIANT, parameters=accepted, lacks=lacks))


INSTEAD = "A load balancer's tag of that key gives its client addresses instead."
ALL = "**All** required."
DEFAULT = "An absent tag is the default."
MALFORMED = "A malformed one an error."
OWN_TAG = "`TagKey` reads the ALB's own tag."
NOT_NLB = "It sets the clients of listeners and ICMP, not the NLB rows."
SET: Mapping[str, str] = {"TagKey": "clients"}


def _tagged(
    name: str,
    why: str,
    expected: str,
    tag: str | None,
    ingress: list[Shape],
    *parts: Shape,
    rule: str = INGRESS,
    address_type: str = "ipv4",
    scheme: str = "internet-facing",
    parameters: Mapping[str, str] = SET,
    says: tuple[str, ...] = (),
    lacks: tuple[Lacks, ...] | None = None,
) -> Case:
    tags = {"other": "10.0.0.0/8"} | ({} if tag is None else {"clients": tag})
    balancer = load_balancer(tags=tags, ip_address_type=address_type, scheme=scheme)
    saved = estate(balancer, listener(443), *parts, group("sg-1", ingress=ingress))
    return Case(name, why, saved, expected, rule=rule, parameters=parameters, says=says, lacks=lacks)


@table(
    _tagged("a block", INSTEAD, COMPLIANT, "198.51.100.0/24", [tcp(443, "198.51.100.0/24")]),
    _tagged(
        "a block closed",
        INSTEAD,
        NON_COMPLIANT,
        "198.51.100.0/24",
        [tcp(443, "198.51.100.0/25")],
        lacks=(Lacks(443, ("198.51.100.0/24",), ("198.51.100.128/25",)),),
    ),
    _tagged(
        "a block of an internal load balancer",
        INSTEAD,
        NON_COMPLIANT,
        "172.16.0.0/12",
        [tcp(443, VPC)],
        scheme="internal",
        lacks=(Lacks(443, ("172.16.0.0/12",), ("172.16.0.0/12",)),),
    ),
    _tagged("a list referenced", INSTEAD, COMPLIANT, "pl-3b927c52", [tcp(443, "pl-3b927c52")], CLOUDFRONT),
    _tagged(
        "a list's entries", INSTEAD, COMPLIANT, "pl-3b927c52", [tcp(443, "13.32.0.0/15", "52.46.0.0/18")], CLOUDFRONT
    ),
    _tagged(
        "an entry of a list closed",
        INSTEAD,
        NON_COMPLIANT,
        "pl-3b927c52",
        [tcp(443, "13.32.0.0/15")],
        CLOUDFRONT,
        says=("pl-3b927c52",),
        lacks=(Lacks(443, ("pl-3b927c52",), ("52.46.0.0/18",)),),
    ),
    _tagged(
        "an empty list referenced",
        "A requirement's peer is never empty, and nothing empty is covered (§2).",
        NON_COMPLIANT,
        "pl-1",
        [tcp(443, "pl-1")],
        prefix_list("pl-1"),
        says=("HTTPS:443 not open to pl-1 in sg-1 (no entries in pl-1)",),
        lacks=(Lacks(443, ("pl-1",), ("pl-1",)),),
    ),
    _tagged("a group referenced", INSTEAD, COMPLIANT, "sg-cdn", [tcp(443, "sg-cdn")], group("sg-cdn")),
    _tagged(
        "a group not referenced",
        INSTEAD,
        NON_COMPLIANT,
        "sg-cdn",
        [tcp(443, "10.0.0.0/8")],
        group("sg-cdn"),
        says=("sg-cdn",),
        lacks=(Lacks(443, ("sg-cdn",), (), ("sg-cdn",)),),
    ),
    _tagged("internet", INSTEAD, COMPLIANT, "internet", [tcp(443, ANYWHERE)], scheme="internal"),
    _tagged(
        "internet closed",
        INSTEAD,
        NON_COMPLIANT,
        "internet",
        [tcp(443, VPC)],
        scheme="internal",
        lacks=(Lacks(443, (ANYWHERE,), None),),
    ),
    _tagged(
        "internet of a dualstack load balancer",
        INSTEAD,
        NON_COMPLIANT,
        "internet",
        [tcp(443, ANYWHERE)],
        address_type="dualstack",
        lacks=(Lacks(443, (ANYWHERE_IPV6,), (ANYWHERE_IPV6,)),),
    ),
    _tagged("vpc", INSTEAD, COMPLIANT, "vpc", [tcp(443, VPC)]),
    _tagged("vpc closed", INSTEAD, NON_COMPLIANT, "vpc", [], lacks=(Lacks(443, (VPC,), (VPC,)),)),
    _tagged("both words open", ALL, COMPLIANT, "vpc 198.51.100.0/24", [tcp(443, VPC, "198.51.100.0/24")]),
    _tagged(
        "the second word closed",
        ALL,
        NON_COMPLIANT,
        "vpc 198.51.100.0/24",
        [tcp(443, VPC)],
        lacks=(Lacks(443, ("198.51.100.0/24",), ("198.51.100.0/24",)),),
    ),
    _tagged(
        "the first word closed",
        ALL,
        NON_COMPLIANT,
        "vpc 198.51.100.0/24",
        [tcp(443, "198.51.100.0/24")],
        lacks=(Lacks(443, (VPC,), (VPC,)),),
    ),
    _tagged(
        "words of both families",
        ALL,
        NON_COMPLIANT,
        "198.51.100.0/24  2001:db8::/32",
        [tcp(443, "198.51.100.0/24")],
        address_type="dualstack",
        lacks=(Lacks(443, ("2001:db8::/32",), ("2001:db8::/32",)),),
    ),
    _tagged("an absent tag, open", DEFAULT, COMPLIANT, None, [tcp(443, ANYWHERE)]),
    _tagged(
        "an absent tag, closed", DEFAULT, NON_COMPLIANT, None, [tcp(443, VPC)], lacks=(Lacks(443, (ANYWHERE,), None),)
    ),
    _tagged(
        "no TagKey",
        "Off by default: who may tag could otherwise waive the check.",
        NON_COMPLIANT,
        "vpc",
        [tcp(443, VPC)],
        parameters={},
        lacks=(Lacks(443, (ANYWHERE,), None),),
    ),
    _tagged("a malformed word", MALFORMED, ERROR, "vpc everybody", [tcp(443, ANYWHERE)], says=("clients", "everybody")),
    _tagged("a malformed block", MALFORMED, ERROR, "10.0.0.0/33", [tcp(443, ANYWHERE)], says=("10.0.0.0/33",)),
    _tagged("commas between", "Space-separated.", ERROR, "vpc,internet", [tcp(443, ANYWHERE)], says=("vpc,internet",)),
    _tagged("an empty tag", MALFORMED, ERROR, "", [tcp(443, ANYWHERE)], says=("clients",)),
    _tagged("a malformed tag, for ICMP", MALFORMED, ERROR, "everybody", [icmp(3, 4, ANYWHERE)], rule=ICMP),
    _tagged("ICMP from a block", "Listeners and ICMP.", COMPLIANT, "10.0.0.0/8", [icmp(3, 4, "10.0.0.0/8")], rule=ICMP),
    _tagged(
        "ICMP from a block, closed",
        "Listeners and ICMP.",
        NON_COMPLIANT,
        "10.0.0.0/8",
        [],
        rule=ICMP,
        lacks=(Lacks((3, 4), ("10.0.0.0/8",), ("10.0.0.0/8",)),),
    ),
    _tagged(
        "ICMP, a group beside a block",
        "`sg-` is ignored for ICMP.",
        COMPLIANT,
        "sg-cdn 10.0.0.0/8",
        [icmp(3, 4, "10.0.0.0/8")],
        group("sg-cdn"),
        rule=ICMP,
    ),
    _tagged(
        "ICMP from a group does not stand in for the block",
        "`sg-` is ignored for ICMP.",
        NON_COMPLIANT,
        "sg-cdn 10.0.0.0/8",
        [icmp(3, 4, "sg-cdn")],
        group("sg-cdn"),
        rule=ICMP,
        lacks=(Lacks((3, 4), ("10.0.0.0/8",), ("10.0.0.0/8",)),),
    ),
    _tagged(
        "ICMP, IPv6",
        "Listeners and ICMP.",
        NON_COMPLIANT,
        "internet",
        [icmp(3, 4, ANYWHERE)],
        rule=ICMP,
        address_type="dualstack",
        lacks=(Lacks((2, 0), (ANYWHERE_IPV6,), (ANYWHERE_IPV6,)),),
    ),
    _tagged(
        "the NLB rows",
        NOT_NLB,
        NON_COMPLIANT,
        "198.51.100.0/24",
        [tcp(443, "198.51.100.0/24")],
        network_load_balancer(scheme="internal"),
        behind(443),
        lacks=(Lacks(443, (VPC,), (VPC,)),),
    ),
    _tagged(
        "the NLB rows met",
        NOT_NLB + " An internet-facing load balancer keeps its own row, which is the tag's.",
        COMPLIANT,
        "198.51.100.0/24",
        [tcp(443, VPC, "198.51.100.0/24")],
        network_load_balancer(scheme="internal"),
        behind(443),
    ),
    _tagged(
        "a listener that the NLB only checks",
        "Keeps its own clients (§5), those of the tag, and needs the health checks.",
        NON_COMPLIANT,
        "198.51.100.0/24",
        [tcp(443, ANYWHERE), tcp(8080, "198.51.100.0/24")],
        listener(8080),
        network_load_balancer(scheme="internal"),
        behind(443, health_check_port="8080"),
        lacks=(Lacks(8080, (VPC,), (VPC,)),),
    ),
    _tagged(
        "the NLB's tag",
        OWN_TAG,
        NON_COMPLIANT,
        None,
        [tcp(443, VPC)],
        network_load_balancer(tags={"clients": "vpc"}),
        lacks=(Lacks(443, (ANYWHERE,), None),),
    ),
    _tagged(
        "together with AcceptedSources",
        "The tag says what is recommended, AcceptedSources what else will do.",
        COMPLIANT,
        "198.51.100.0/24",
        [tcp(443, "203.0.113.0/24")],
        parameters={"TagKey": "clients", "AcceptedSources": "203.0.113.0/24"},
        says=("203.0.113.0/24",),
    ),
    _tagged(
        "a list not in the data, its reference neither",
        "A prefix list that a collected section does not hold counts as unread.",
        ERROR,
        "pl-lost",
        [tcp(443, "10.0.0.0/8")],
        says=("pl-lost",),
    ),
    Case(
        "tags not collected",
        "What could not be read is never a verdict.",
        estate(listener(443), group(ingress=[tcp(443, ANYWHERE)]), uncollected=["Tags"]),
        ERROR,
        parameters=SET,
        says=("Tags",),
    ),
    Case(
        "no listener, a malformed tag",
        "NOT_APPLICABLE is decided first.",
        estate(load_balancer(tags={"clients": "everybody"})),
        NOT_APPLICABLE,
        parameters=SET,
    ),
)
def test_tag_key(case: Case) -> None:
    check(case)


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ({"AcceptedSource": "10.0.0.0/8"}, ("AcceptedSource",)),
        ({"acceptedsources": "10.0.0.0/8"}, ("acceptedsources",)),
        ({"TagKey": "a", "Unheard": "of"}, ("Unheard",)),
        ({"AcceptedSources": "10.0.0.0/33"}, ("AcceptedSources", "10.0.0.0/33")),
        ({"AcceptedSources": "10.0.0.0/8 11.0.0.0/8"}, ("AcceptedSources",)),
        ({"AcceptedSources": "10.0.0.0/8,,11.0.0.0/8"}, ("AcceptedSources",)),
        ({"AcceptedSources": "10.0.0.0/8,internet"}, ("AcceptedSources", "internet")),
        ({"AcceptedSources": "sg-"}, ("AcceptedSources", "sg-")),
        ({"AcceptedSources": "pl_1"}, ("AcceptedSources", "pl_1")),
        ({"AcceptedSources": "pl-1@https"}, ("AcceptedSources", "pl-1@https", "pl-1@443")),
        ({"AcceptedSources": "pl-1@"}, ("AcceptedSources", "pl-1@")),
        ({"AcceptedSources": "pl-1@0"}, ("AcceptedSources", "pl-1@0")),
        ({"AcceptedSources": "pl-1@65536"}, ("AcceptedSources", "pl-1@65536")),
        ({"AcceptedSources": "pl-1@80@443"}, ("AcceptedSources", "pl-1@80@443")),
        ({"AcceptedSources": "@443"}, ("AcceptedSources",)),
        ({"AcceptedSources": "none"}, ("AcceptedSources", "none@80")),
        ({"AcceptedSources": "none@80,10.0.0.0/8@80"}, ("AcceptedSources", "none@80", "contradicts")),
        ({"AcceptedSourcesMatch": "every"}, ("AcceptedSourcesMatch", "every", "any or all")),
        ({"TargetMatch": "Effective"}, ("TargetMatch", "Effective")),
        ({"TargetMatch": "security group"}, ("TargetMatch", "security group")),
        ({"AssumeRoleMode": "perhaps"}, ("AssumeRoleMode", "perhaps")),
        ({"TagKey": 7}, ("TagKey",)),
        ({"AcceptedSources": ["10.0.0.0/8"]}, ("AcceptedSources",)),
    ],
)
def test_refused_by_name(values: dict[str, object], names: tuple[str, ...]) -> None:
    """ "An unknown parameter or a value that does not parse is refused by name." """
    with pytest.raises(InvalidInputError) as refused:
        parse_parameters(values)
    for name in names:
        assert name in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "name",
    [
        "AcceptedSources",
        "AcceptedSourcesMatch",
        "TagKey",
        "TargetMatch",
        "Exemptions",
        "AssumeRoleMode",
        "ExecutionRoleName",
        "ExecutionRoleRegion",
    ],
)
def test_every_parameter_of_the_table_is_known(name: str) -> None:
    """The table of §9; an empty value is the default."""
    assert parse_parameters({name: ""}) == parse_parameters({})


def test_the_defaults() -> None:
    defaults = parse_parameters({})
    assert defaults.accepted_sources == ()
    assert defaults.tag_key is None
    assert defaults.target_match is TargetMatch.EFFECTIVE


def test_events_left_to_rdklib_change_nothing() -> None:
    """ "rdklib's: accepted, left to rdklib." """
    theirs = {"AssumeRoleMode": "False", "ExecutionRoleName": "audit", "ExecutionRoleRegion": "us-east-1"}
    assert parse_parameters(theirs) == parse_parameters({})


def test_values_as_they_are_used() -> None:
    parsed = parse_parameters(
        {
            "AcceptedSources": " 10.0.0.0/8 , pl-3b927c52@443,sg-0a1b,none@80,10.0.0.0/8 ",
            "AcceptedSourcesMatch": "all",
            "TagKey": "clients",
            "TargetMatch": "security-group",
        }
    )
    assert parsed.accepted_sources == (
        AcceptedSource("10.0.0.0/8"),
        AcceptedSource("pl-3b927c52", 443),
        AcceptedSource("sg-0a1b"),
        AcceptedSource(None, 80),
    )
    assert parsed.accepted_prefix_lists == {"pl-3b927c52"}
    assert parsed.accepted_sources_match is AcceptedSourcesMatch.ALL
    assert parsed.tag_key == "clients"
    assert parsed.target_match is TargetMatch.SECURITY_GROUP


def test_accepted_sources_are_the_parameter_of_each_rule() -> None:
    """One saved estate, judged with and without: the estate is not changed by being judged."""
    saved: Saved = estate(listener(443), group(ingress=[tcp(443, "10.0.0.0/8")]))
    check(Case("without", "Default: none.", saved, NON_COMPLIANT))
    check(Case("with", WHICH, saved, COMPLIANT, parameters={"AcceptedSources": "10.0.0.0/8"}))
    check(Case("without again", "Default: none.", saved, NON_COMPLIANT))
