"""Whole estates at random, from a small world in which things meet: the same few addresses, ports, groups and prefix
lists stand on both sides, so that rules often cover and often just miss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from tests.builders import (
    Saved,
    Shape,
    behind,
    estate,
    group,
    instance,
    interface,
    listener,
    load_balancer,
    load_balancer_arn,
    network_load_balancer,
    permission,
    prefix_list,
    reference,
    subnet,
    target,
    target_group,
    vpc,
)

IPV4 = (
    "0.0.0.0/0",
    "0.0.0.0/1",
    "128.0.0.0/1",
    "10.0.0.0/8",
    "10.0.0.0/16",
    "10.0.0.0/17",
    "10.0.200.200/17",
    "10.0.1.0/24",
    "10.0.2.0/24",
    "10.0.1.4/31",
    "10.0.1.5/32",
    "10.9.0.0/16",
    "100.64.0.0/16",
    "192.168.0.0/16",
    "203.0.113.7/32",
)
IPV6 = (
    "::/0",
    "::/1",
    "8000::/1",
    "2001:db8::/32",
    "2001:db8::/56",
    "2001:db8::6/128",
    "2001:db8:0:1::/64",
    "2001:db8:0:2::/64",
)
PORTS = (80, 443, 8080)

# What the load balancers may carry, what else there is to refer to, and what is not there.
OWN_GROUPS = ("sg-1", "sg-2")
TARGET_GROUPS = ("sg-app", "sg-db", "sg-peer")
PEERED = reference("sg-peer", peering="pcx-1", vpc="vpc-9", status="active")
PEERS_ELSEWHERE = (
    "sg-app",
    "sg-db",
    "sg-nlb",
    "sg-gone",
    "sg-1",
    reference("sg-app", peering="pcx-0", vpc="vpc-1", status="deleted"),
    PEERED,
    reference("sg-peer", peering="pcx-1", vpc="vpc-9", status="rejected"),
    reference("sg-peer", vpc="vpc-9"),
    reference("sg-away", peering="pcx-2", vpc="vpc-8", status="active", account="444455556666"),
    reference("sg-peer", peering="pcx-1", vpc="vpc-9", status="active", account=None),
)
PREFIX_LISTS = ("pl-4", "pl-6", "pl-refused", "pl-refused6", "pl-lost")

INTERFACES = (
    interface("10.0.1.5", groups=["sg-app"], secondary=["10.0.1.55"]),
    interface("10.0.1.6", groups=["sg-app", "sg-db"], ipv6=["2001:db8::6"], prefixes=["10.0.2.0/28"]),
    interface("10.0.1.8", groups=[]),
    interface("10.0.1.5", groups=["sg-elsewhere"], vpc="vpc-2"),
    interface("10.9.1.5", groups=["sg-peer"], vpc="vpc-9"),
    interface("10.0.1.30", groups=["sg-app"], ipv6=["2001:db8::30"], instance="i-3", secondary=["10.0.1.31"]),
    # The second network card of i-3 has a device 0 of its own.
    interface("10.0.1.32", groups=["sg-db"], ipv6=["2001:db8::32"], instance="i-3", network_card=1),
)
INSTANCES = (
    instance("i-1", "10.0.1.20", groups=["sg-app"], ipv6=["2001:db8::20"]),
    instance("i-2", "10.0.1.21", ipv6=["2001:db8::21"], groups=["sg-db"], second_interface=("10.0.1.22", ["sg-app"])),
)
INSTANCE_IDS = ("i-1", "i-2", "i-3", "i-lost")
ADDRESSES = {
    # Held by interfaces in the VPC, by none, on premises, in a peered VPC whose interfaces are seen or not.
    "ipv4": (
        "10.0.1.5",
        "10.0.1.55",
        "10.0.1.6",
        "10.0.2.7",
        "10.0.1.8",
        "10.0.1.99",
        "192.168.1.1",
        "10.9.1.5",
        "10.9.1.9",
    ),
    "ipv6": ("2001:db8::6", "2001:db8::99", "2001:db8:ffff::1"),
}
STATES = ("healthy", "unhealthy", "unhealthy.draining", "draining", "unused", None)

# Those that a verdict may hang on; most of the time all were collected.
SECTIONS = (
    "Vpcs",
    "Subnets",
    "Instances",
    "NetworkInterfaces",
    "ManagedPrefixLists",
    "TargetGroups",
    "Tags",
    "SecurityGroups",
)
SUBNETS = (
    subnet("10.0.1.0/24", "2001:db8:0:1::/64", id="subnet-a"),
    subnet("10.0.2.0/24", "2001:db8:0:2::/64", id="subnet-b"),
    subnet("10.0.3.0/24", id="subnet-4"),
    subnet("2001:db8:0:3::/64", id="subnet-6"),
)
ZONES = (
    [["subnet-a", "subnet-b"]] * 6
    + [["subnet-a"], ["subnet-a", "subnet-4"], ["subnet-b", "subnet-6"]]
    + [
        ["subnet-a", "subnet-lost"],
        [],
    ]
)


def _some(elements: Sequence[Any], most: int) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.sampled_from(elements), max_size=most)


@st.composite
def peers(draw: st.DrawFn, *, peered: bool = True) -> list[str | Shape]:
    references = [one for one in PEERS_ELSEWHERE if peered or isinstance(one, str) or one.get("VpcId") is None]
    return [
        *draw(_some(IPV4, 2)),
        *draw(_some(IPV6, 1)),
        *draw(_some(references, 1)),
        *draw(st.sampled_from([(), (), (), *((one,) for one in PREFIX_LISTS)])),
    ]


@st.composite
def permissions(draw: st.DrawFn, *, peered: bool = True) -> Shape:
    """Any legal `IpPermission`, often one that matters."""
    protocol, ports = draw(
        st.one_of(
            st.tuples(st.sampled_from(["tcp", "6", "TCP"]), _port_ranges),
            st.tuples(st.just("-1"), st.sampled_from([(None, None), (0, 65535), (80, 80)])),
            st.tuples(st.sampled_from(["icmp", "1", "icmpv6", "58", "ICMPv6"]), _types_and_codes),
            st.tuples(st.sampled_from(["udp", "17", "47", "50"]), _port_ranges),
        )
    )
    return permission(protocol, *ports, *draw(peers(peered=peered)))


_port_ranges = st.sampled_from(
    [(None, None), (0, 65535), (1, 100), (400, 500), (8000, 8999), *((port, port) for port in PORTS)]
)
_types_and_codes = st.sampled_from(
    [(3, 4), (3, -1), (-1, -1), (2, 0), (2, -1), (8, 0), (2, 3), (0, 255), (252, 86), (None, None)]
)


@st.composite
def _groups(draw: st.DrawFn) -> list[Shape]:
    found = []
    for id_ in OWN_GROUPS:
        # Half of them open their every port to somebody, lest nothing ever be compliant.
        ingress = [
            permission(*rule, *draw(peers())) for rule in draw(_some([("-1", None, None), ("tcp", None, None)], 1))
        ]
        egress = [
            permission(*rule, *draw(peers())) for rule in draw(_some([("-1", None, None), ("tcp", None, None)], 1))
        ]
        ingress += draw(st.lists(permissions(), max_size=4))
        egress += draw(st.lists(permissions(), max_size=4))
        found.append(group(id_, ingress=ingress, egress=egress))
    return [*found, draw(_network_load_balancer_group()), *(draw(_target_security_group(id_)) for id_ in TARGET_GROUPS)]


@st.composite
def _target_security_group(draw: st.DrawFn, id_: str) -> Shape:
    """Whom a group of targets lets in: often the load balancers, or their subnets, on some ports or all."""
    rules = draw(
        _some([("-1", None, None), ("tcp", None, None), ("tcp", 1, 9999), *(("tcp", one, one) for one in PORTS)], 3)
    )
    nodes = st.sampled_from([["sg-1"], ["sg-2"], ["sg-1", "sg-2"], ["10.0.1.0/24", "10.0.2.0/24"], ["10.0.0.0/16"]])
    ingress = [permission(*rule, *draw(st.one_of(nodes, nodes, peers()))) for rule in rules]
    return group(id_, ingress=ingress, vpc="vpc-9" if id_ == "sg-peer" else "vpc-1")


@st.composite
def _application_load_balancer(draw: st.DrawFn, name: str) -> list[Shape]:
    groups = draw(st.sampled_from([["sg-1"], ["sg-2"], ["sg-1", "sg-2"]] * 4 + [["sg-1", "sg-lost"], []]))
    tag = draw(st.sampled_from(["vpc", "internet", "10.0.0.0/8", "vpc pl-4", "sg-nlb 10.0.0.0/8", "everybody", None]))
    return [
        load_balancer(
            name,
            scheme=draw(st.sampled_from(["internet-facing", "internal"])),
            ip_address_type=draw(st.sampled_from(["ipv4", "ipv4", None, "dualstack", "dualstack-without-public-ipv4"])),
            groups=groups,
            tags=None if tag is None else {"clients": tag},
            subnets=draw(st.sampled_from(ZONES)),
        ),
        *(
            listener(port, of=name, forward=draw(_some(["ip-a"], 1)))
            for port in draw(st.sampled_from([(443,), (80, 443), (80, 8080), PORTS, PORTS, ()]))
        ),
    ]


@st.composite
def _target_group(draw: st.DrawFn, name: str, *, of_instances: bool = False) -> Shape:
    """`of_instances`: a group of instances that are there, on its own port."""
    kind = draw(st.sampled_from(["ip", "ip", "ip", "instance", "instance", "lambda"])) if name != "ip-a" else "ip"
    kind = "instance" if of_instances else kind
    family = draw(st.sampled_from(["ipv4", "ipv4", "ipv6"]))
    ids = INSTANCE_IDS[:-1] if of_instances else INSTANCE_IDS if kind == "instance" else ADDRESSES[family]
    registered = st.builds(
        target,
        st.sampled_from(ids),
        st.sampled_from([None] if of_instances else [None, None, *PORTS]),
        st.sampled_from([STATES[0], *STATES]),
    )
    targets = (
        []
        if kind == "lambda"
        else draw(st.lists(registered, min_size=draw(st.sampled_from([0, 1, 1, 2, 3])), max_size=4))
    )
    return target_group(
        name,
        type=kind,
        port=draw(st.sampled_from(PORTS)),
        targets=draw(st.sampled_from([targets] * 14 + [None])),
        load_balancers=draw(st.sampled_from([["web"], ["other"], ["web", "other"], ["web", "other"], []])),
        health_check_port=draw(st.sampled_from(["traffic-port", "traffic-port", "80", "8080"])),
        health_checks=draw(st.sampled_from([True, True, True, False])),
        ip_address_type=family,
        control_port=draw(st.sampled_from([None, None, None, *PORTS])) if kind in ("ip", "instance") else None,
    )


@st.composite
def _network_load_balancers(draw: st.DrawFn) -> list[Shape]:
    found: list[Shape] = []
    for name in ("nlb", "nlb-b")[: draw(st.sampled_from([0, 0, 1, 2]))]:
        groups = draw(st.sampled_from([["sg-nlb"], ["sg-nlb"], [], ["sg-nlb", "sg-db"], ["sg-nlb", "sg-unread"]]))
        scheme = draw(st.sampled_from(["internet-facing", "internal"]))
        found.append(network_load_balancer(name, groups=groups, scheme=scheme))
        check_port = draw(st.sampled_from(["traffic-port", "80", "8080", "9999"]))
        port = draw(st.sampled_from(PORTS))
        front = behind(port, name=f"via-{name}", nlb=name, health_check_port=check_port)
        if draw(st.sampled_from([False] * 9 + [True])):
            front["TargetHealthDescriptions"] = [target(load_balancer_arn("web"), port, "draining")]
        found.append(front)
        # None: its listeners are not known; one on another port may forward elsewhere.
        found += [
            listener(
                listens_on,
                "TCP",
                of=load_balancer_arn(name, "network"),
                forward=[draw(st.sampled_from([f"via-{name}", f"via-{name}", "elsewhere"]))],
            )
            for listens_on in draw(st.sampled_from([(), (443,), (443,), (80, 443), (8080,)]))
        ]
    return found


@st.composite
def _network_load_balancer_group(draw: st.DrawFn) -> Shape:
    """Whom the Network Load Balancers let in: nobody, a few, everybody, on some ports or all."""
    rules = draw(_some([("-1", None, None), ("tcp", 443, 443), ("tcp", 80, 80), ("tcp", 1, 9999)], 2))
    return group("sg-nlb", ingress=[permission(*rule, *draw(peers())) for rule in rules])


@st.composite
def estates(draw: st.DrawFn, *, collected: bool = False, of_instances: bool = False) -> Saved:
    """A saved estate; `collected` says that no section is missing as a whole, and `of_instances` that all targets are
    instances that are there."""
    entries4, entries6 = draw(_some(IPV4, 3)), draw(_some(IPV6, 3))
    parts = [
        *draw(_application_load_balancer("web")),
        *draw(_application_load_balancer("other")),
        *draw(_groups()),
        *draw(_network_load_balancers()),
        *(
            draw(_target_group(name, of_instances=of_instances))
            for name in ("ip-a", "tg-b", "tg-c")[: draw(st.integers(1, 3))]
        ),
        *INTERFACES,
        *INSTANCES,
        *SUBNETS,
        prefix_list("pl-4", *entries4),
        {**prefix_list("pl-6", *entries6), "AddressFamily": "IPv6"},
        prefix_list("pl-refused", refused=True),
        prefix_list("pl-refused6", "::/0", refused=True),
        vpc(
            *draw(
                st.sampled_from([("10.0.0.0/16",), ("10.0.0.0/17", "10.0.128.0/17"), ("10.0.0.0/16", "100.64.0.0/16")])
            ),
            *draw(st.sampled_from([(), ("2001:db8::/56",), ("2001:db8::/56", "2001:db8:0:100::/56")])),
            disassociated=["10.5.0.0/16"],
        ),
        vpc("10.0.0.0/16", id="vpc-2"),
        vpc("10.9.0.0/16", id="vpc-9"),
    ]
    if not any("ListenerArn" in part and part["DefaultActions"][0]["Type"] == "forward" for part in parts):
        # A listener that forwards to ip-a needs it; without such a listener it may as well be away.
        parts = [part for part in parts if part.get("TargetGroupName") != "ip-a" or draw(st.booleans())]
    missing = [] if collected else draw(st.sampled_from([[]] * 20 + [[section] for section in SECTIONS]))
    saved = estate(*parts, uncollected=missing)
    if "SecurityGroups" in saved:
        saved["SecurityGroups"] = [one for one in saved["SecurityGroups"] if one["GroupId"] != "sg-unread"]
    return saved


@st.composite
def mostly_open_estates(draw: st.DrawFn) -> Saved:
    """A saved estate in which most groups also have rules that name the recommended peers, port by port or at once."""
    saved = draw(estates(of_instances=draw(st.booleans())))
    ports = st.sampled_from([((None, None),), tuple((port, port) for port in PORTS), ((80, 80), (443, 443))])
    clients = st.sampled_from(
        [("0.0.0.0/0",), ("0.0.0.0/0", "::/0"), ("10.0.0.0/16",), ("10.0.0.0/16", "2001:db8::/56")]
    )
    icmp = [permission("icmp", 3, 4, *draw(clients)), permission("icmpv6", 2, 0, "2001:db8::/56", "::/0")]
    for one in saved.get("SecurityGroups", ()):
        nodes = draw(st.sampled_from([("sg-1", "sg-2"), ("sg-1", "sg-2"), ("sg-1",), ()]))
        targets = draw(st.sampled_from([("sg-app", "sg-db"), ("sg-app", "sg-db"), ("sg-app",), ()]))
        peers_in = draw(clients) if one["GroupId"] in OWN_GROUPS else nodes
        one["IpPermissions"] += [permission("tcp", *both, *peers_in) for both in draw(ports)] + icmp
        one["IpPermissionsEgress"] += [permission("tcp", *both, *targets) for both in draw(ports)]
    return saved


PARAMETERS: st.SearchStrategy[dict[str, str]] = st.sampled_from(
    [
        {},
        {},
        {},
        {"TargetMatch": "security-group"},
        {"AcceptedSources": "10.0.0.0/8"},
        {"AcceptedSources": "pl-4,sg-nlb,2001:db8::/32"},
        {"AcceptedSources": "pl-refused,pl-lost"},
        {"AcceptedSources": "10.0.0.0/8,10.9.0.0/16,2001:db8::/32", "AcceptedSourcesMatch": "all"},
        {"AcceptedSources": "pl-4@443,10.0.1.0/24@443,none@80,10.0.0.0/8"},
        {"AcceptedSources": "pl-4,sg-nlb,10.0.1.0/24@80,sg-app@80", "AcceptedSourcesMatch": "all"},
        {"AcceptedSources": "pl-lost,10.0.0.0/8,pl-refused@80", "AcceptedSourcesMatch": "all"},
        {"TagKey": "clients"},
        {"TagKey": "clients", "AcceptedSources": "10.0.0.0/16"},
    ]
)
