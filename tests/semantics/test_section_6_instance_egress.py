"""Semantics §6: ALB_SG_INSTANCE_EGRESS."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from alb_sg.errors import InvalidInputError
from alb_sg.estate import from_api
from tests.builders import (
    ANYWHERE,
    ANYWHERE_IPV6,
    EGRESS,
    HEALTH,
    TARGETS,
    Shape,
    all_traffic,
    estate,
    group,
    instance,
    interface,
    listener,
    load_balancer,
    load_balancer_arn,
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
    reaching,
    table,
)

ASSOCIATED = "Every target group associated with the load balancer (default actions, rules and weight 0 alike)."
OWN_PORT = "The target's own port: the port given at registration, else the group's."


def _sends(
    name: str,
    why: str,
    expected: str,
    egress: list[Shape],
    *parts: Shape,
    lacks: tuple[Lacks, ...] | None = None,
    says: tuple[str, ...] = (),
    parameters: dict[str, str] | None = None,
    unresolved: bool | None = False,
) -> Case:
    saved = estate(*parts, group("sg-1", egress=egress))
    return Case(
        name,
        why,
        saved,
        expected,
        rule=EGRESS,
        lacks=lacks,
        says=says,
        parameters=parameters or {},
        unresolved=unresolved,
    )


def _lacks(address: str, port: int = 80, groups: tuple[str, ...] = ()) -> tuple[Lacks, ...]:
    bits = 128 if ":" in address else 32
    return (Lacks(port, (f"{address}/{bits}",), (f"{address}/{bits}",), groups),)


@table(
    _sends(
        "a target group of a default action alone",
        ASSOCIATED,
        NON_COMPLIANT,
        [],
        listener(443, forward=["app"]),
        target_group("app", targets=["10.0.1.5"], load_balancers=[]),
        lacks=_lacks("10.0.1.5"),
        says=("app", "TCP:80", "10.0.1.5", "sg-1"),
    ),
    _sends(
        "a target group of rules alone",
        ASSOCIATED,
        NON_COMPLIANT,
        [],
        listener(443, redirect=True),
        target_group("app", targets=["10.0.1.5"]),
        lacks=_lacks("10.0.1.5"),
    ),
    _sends(
        "each of several target groups",
        ASSOCIATED,
        NON_COMPLIANT,
        [tcp(80, ANYWHERE)],
        target_group("app", port=80, targets=["10.0.1.5"]),
        target_group("api", port=8080, targets=["10.0.1.5"]),
        lacks=_lacks("10.0.1.5", 8080),
        says=("api",),
    ),
    _sends(
        "target groups of others",
        "Associated with *the* load balancer.",
        COMPLIANT,
        [tcp(80, ANYWHERE)],
        load_balancer(),
        load_balancer("other"),
        target_group("web", targets=["10.0.1.5"]),
        target_group("others", port=81, targets=["10.0.1.6"], load_balancers=["other"]),
    ),
    _sends(
        "a target group of nobody's",
        "Associated with the load balancer.",
        NOT_APPLICABLE,
        [],
        target_group("spare", targets=["10.0.1.5"], load_balancers=[]),
    ),
    _sends(
        "every target of a group",
        "TCP to *every* registered target.",
        NON_COMPLIANT,
        [tcp(80, "10.0.1.0/29")],
        target_group(targets=["10.0.1.5", "10.0.1.6", "10.0.1.9"]),
        lacks=_lacks("10.0.1.9"),
    ),
    _sends(
        "an override port open",
        OWN_PORT,
        COMPLIANT,
        [tcp(8080, ANYWHERE)],
        target_group(port=80, targets=[target("10.0.1.5", 8080)]),
    ),
    _sends(
        "an override port closed",
        OWN_PORT,
        NON_COMPLIANT,
        [tcp(80, ANYWHERE)],
        target_group(port=80, targets=[target("10.0.1.5", 8080)]),
        lacks=_lacks("10.0.1.5", 8080),
    ),
    _sends(
        "one target on two ports",
        OWN_PORT,
        NON_COMPLIANT,
        [tcp(8080, ANYWHERE)],
        target_group(port=80, targets=[target("10.0.1.5", 8080), target("10.0.1.5", 8081)]),
        lacks=_lacks("10.0.1.5", 8081),
    ),
    _sends(
        "the health check port is another rule's matter",
        OWN_PORT,
        COMPLIANT,
        [tcp(80, ANYWHERE)],
        target_group(port=80, health_check_port="8081", targets=["10.0.1.5"]),
    ),
    _sends(
        "health checks disabled do not matter",
        "TCP to every registered target.",
        NON_COMPLIANT,
        [],
        target_group(health_checks=False, targets=["10.0.1.5"]),
    ),
)
def test_target_groups_and_ports(case: Case) -> None:
    check(case)


def test_a_weight_of_zero_counts() -> None:
    """ "Default actions, listener rules and weight 0 alike." """
    weighted = listener(443, forward=["app", "old"])
    weighted["DefaultActions"][0]["ForwardConfig"]["TargetGroups"][1]["Weight"] = 0
    saved = estate(
        weighted,
        target_group("app", targets=["10.0.1.5"], load_balancers=[]),
        target_group("old", targets=["10.0.1.6"], load_balancers=[]),
        group("sg-1", egress=[tcp(80, "10.0.1.5/32")]),
    )
    check(Case("weight 0", ASSOCIATED, saved, NON_COMPLIANT, rule=EGRESS, lacks=_lacks("10.0.1.6")))


def test_a_default_action_of_one_target_group() -> None:
    """A forward action may name its one target group itself (Action, TargetGroupArn)."""
    plain = listener(443, forward=["app"])
    plain["DefaultActions"] = [
        {"Type": "authenticate-oidc", "Order": 1},
        {
            "Type": "forward",
            "Order": 2,
            "TargetGroupArn": plain["DefaultActions"][0]["ForwardConfig"]["TargetGroups"][0]["TargetGroupArn"],
        },
    ]
    saved = estate(plain, target_group("app", targets=["10.0.1.5"], load_balancers=[]), group("sg-1"))
    check(Case("plain", ASSOCIATED, saved, NON_COMPLIANT, rule=EGRESS, lacks=_lacks("10.0.1.5")))


PRIMARY = "The primary private IP of the primary network interface, with the groups of that interface only."
ITS_IPV6 = "IPv6 groups: its IPv6 address."
ON_INSTANCE = target_group(type="instance", targets=["i-1"])
ON_INSTANCE_IPV6 = target_group(type="instance", targets=["i-1"], ip_address_type="ipv6")
TWO_INTERFACES = instance("i-1", "10.0.1.5", groups=["sg-app"], second_interface=("10.0.2.5", ["sg-second"]))


@table(
    _sends("its primary address", PRIMARY, COMPLIANT, [tcp(80, "10.0.1.5/32")], ON_INSTANCE, TWO_INTERFACES),
    _sends("its primary interface's group", PRIMARY, COMPLIANT, [tcp(80, "sg-app")], ON_INSTANCE, TWO_INTERFACES),
    _sends(
        "its second interface's address",
        PRIMARY,
        NON_COMPLIANT,
        [tcp(80, "10.0.2.5/32")],
        ON_INSTANCE,
        TWO_INTERFACES,
        lacks=_lacks("10.0.1.5", groups=("sg-app",)),
    ),
    _sends(
        "a group on its second interface only",
        PRIMARY,
        NON_COMPLIANT,
        [tcp(80, "sg-second")],
        ON_INSTANCE,
        TWO_INTERFACES,
        lacks=_lacks("10.0.1.5", groups=("sg-app",)),
    ),
    _sends(
        "known by its network interfaces",
        PRIMARY,
        COMPLIANT,
        [tcp(80, "sg-app")],
        ON_INSTANCE,
        interface("10.0.2.5", groups=["sg-second"], instance="i-1", device_index=1),
        interface("10.0.1.5", groups=["sg-app"], instance="i-1"),
    ),
    _sends(
        "known by its network interfaces, a group on the second",
        PRIMARY,
        NON_COMPLIANT,
        [tcp(80, "sg-second", "10.0.2.5/32")],
        ON_INSTANCE,
        interface("10.0.2.5", groups=["sg-second"], instance="i-1", device_index=1),
        interface("10.0.1.5", groups=["sg-app"], instance="i-1"),
        lacks=_lacks("10.0.1.5", groups=("sg-app",)),
    ),
    _sends(
        "its IPv6 address",
        ITS_IPV6,
        COMPLIANT,
        [tcp(80, "2001:db8::5/128")],
        ON_INSTANCE_IPV6,
        instance("i-1", "10.0.1.5", ipv6=["2001:db8::5"]),
    ),
    _sends(
        "its IPv6 address, open to IPv4 alone",
        "The family is the target group's, not the load balancer's.",
        NON_COMPLIANT,
        [all_traffic(ANYWHERE)],
        load_balancer(ip_address_type="ipv4"),
        ON_INSTANCE_IPV6,
        instance("i-1", "10.0.1.5", ipv6=["2001:db8::5"]),
        lacks=_lacks("2001:db8::5", groups=("sg-app",)),
    ),
    _sends(
        "its IPv4 address, open to IPv6 alone",
        "The family is the target group's, not the load balancer's.",
        NON_COMPLIANT,
        [all_traffic(ANYWHERE_IPV6)],
        load_balancer(ip_address_type="dualstack"),
        ON_INSTANCE,
        instance("i-1", "10.0.1.5", ipv6=["2001:db8::5"]),
        lacks=_lacks("10.0.1.5", groups=("sg-app",)),
    ),
    _sends(
        "targets that share their groups and lack the same port",
        "The finding is exact, however many targets there are.",
        NON_COMPLIANT,
        [tcp(80, "10.0.1.4/32")],
        target_group(type="instance", targets=["i-1", "i-2", "i-3"]),
        instance("i-1", "10.0.1.4"),
        instance("i-2", "10.0.1.6"),
        instance("i-3", "10.0.1.7"),
        lacks=(Lacks(80, ("10.0.1.6/31",), ("10.0.1.6/31",), ("sg-app",)),),
    ),
)
def test_instance_targets(case: Case) -> None:
    check(case)


def test_the_primary_address_wherever_it_is_listed() -> None:
    """ "The *primary* private IP of the primary network interface", also where it is not listed first."""
    primary = interface("10.0.1.5", secondary=["10.0.1.99"], instance="i-1")
    primary["PrivateIpAddresses"].reverse()
    for cidr, expected in (("10.0.1.5/32", COMPLIANT), ("10.0.1.99/32", NON_COMPLIANT)):
        check(_sends(cidr, PRIMARY, expected, [tcp(80, cidr)], ON_INSTANCE, primary))


FIRST_CARD = "Primary is device index 0 of network card 0: every further card has a device 0 of its own."


def _with_cards(*cards: int | None, own: str | None = "10.0.1.5") -> Shape:
    """An instance with one interface a network card, each with device index 0; the last one has its own address."""
    made = instance("i-1", "10.0.1.5")
    [described] = made["NetworkInterfaces"]
    made["NetworkInterfaces"] = [
        {
            **described,
            "NetworkInterfaceId": f"eni-{number}",
            "PrivateIpAddress": "10.0.1.5" if number == len(cards) - 1 else f"10.0.3.{number}",
            "Groups": [{"GroupId": "sg-app" if number == len(cards) - 1 else "sg-efa"}],
            "Attachment": {"DeviceIndex": 0} | ({} if card is None else {"NetworkCardIndex": card}),
        }
        for number, card in enumerate(cards)
    ]
    return made | ({"PrivateIpAddress": own} if own is not None else {})


@table(
    _sends(
        "the first card listed last, its group open",
        FIRST_CARD,
        COMPLIANT,
        [tcp(80, "sg-app")],
        ON_INSTANCE,
        _with_cards(2, 1, 0),
    ),
    _sends(
        "the first card listed last, another card's group open",
        FIRST_CARD,
        NON_COMPLIANT,
        [tcp(80, "sg-efa")],
        ON_INSTANCE,
        _with_cards(2, 1, 0),
    ),
    _sends("a card that is absent", "Absent: 0.", COMPLIANT, [tcp(80, "sg-app")], ON_INSTANCE, _with_cards(1, None)),
    _sends(
        "cards that the source leaves out",
        "The instance's own address tells its primary interface from the others.",
        COMPLIANT,
        [tcp(80, "sg-app")],
        ON_INSTANCE,
        _with_cards(None, None),
    ),
    _sends(
        "known by its network interfaces, the second card first",
        FIRST_CARD,
        COMPLIANT,
        [tcp(80, "sg-app")],
        ON_INSTANCE,
        interface("10.0.0.2", groups=["sg-efa"], instance="i-1", network_card=1),
        interface("10.0.1.5", groups=["sg-app"], instance="i-1"),
    ),
    _sends(
        "known by its network interfaces, without their cards",
        "Two interfaces claim to be the primary one, and nothing tells them apart: the instance is unread.",
        ERROR,
        [tcp(80, "sg-app")],
        ON_INSTANCE,
        interface("10.0.0.2", groups=["sg-efa"], instance="i-1"),
        interface("10.0.1.5", groups=["sg-app"], instance="i-1"),
        says=("i-1",),
    ),
)
def test_the_primary_interface_of_several_network_cards(case: Case) -> None:
    check(case)


@pytest.mark.parametrize("made", [_with_cards(0, own="10.0.9.9"), _with_cards(0, 0, own=None)])
def test_an_instance_that_contradicts_itself_is_not_read(made: Shape) -> None:
    """Its own address and its primary interface's differ, or nothing tells the primary interface."""
    if "NetworkInterfaces" in made and len(made["NetworkInterfaces"]) > 1:
        del made["PrivateIpAddress"]
    with pytest.raises(InvalidInputError):
        from_api.instance(made)


CONTROL = "And on the group's `TargetControlPort` where it has one (target optimizer)."
OPTIMIZED = target_group(targets=["10.0.1.5"], control_port=3000)


@table(
    _sends(
        "a control port, closed",
        CONTROL,
        NON_COMPLIANT,
        [tcp(80, "sg-app")],
        OPTIMIZED,
        interface("10.0.1.5"),
        lacks=(Lacks(3000, ("10.0.1.5/32",), ("10.0.1.5/32",), ("sg-app",)),),
        says=("TCP:3000",),
    ),
    _sends(
        "a control port, open",
        CONTROL,
        COMPLIANT,
        [tcp(80, "sg-app"), tcp(3000, "sg-app")],
        OPTIMIZED,
        interface("10.0.1.5"),
        says=("2 requirements",),
    ),
    _sends(
        "the control port alone",
        "It is a requirement besides the target's own port.",
        NON_COMPLIANT,
        [tcp(3000, "sg-app")],
        OPTIMIZED,
        interface("10.0.1.5"),
        lacks=(Lacks(80, ("10.0.1.5/32",), ("10.0.1.5/32",), ("sg-app",)),),
    ),
    _sends(
        "a control port and no target",
        "No requirement at all (no targets).",
        NOT_APPLICABLE,
        [],
        target_group(targets=[], control_port=3000),
    ),
)
def test_the_control_port(case: Case) -> None:
    check(case)


def test_health_checks_do_not_use_the_control_port() -> None:
    saved = reaching(tcp(80, "10.0.1.5/32"))
    saved["TargetGroups"][0]["TargetControlPort"] = 3000
    check(Case("health", "§7 names the health check port alone.", saved, COMPLIANT, rule=HEALTH))
    check(Case("egress", CONTROL, saved, NON_COMPLIANT, rule=EGRESS))


@pytest.mark.parametrize(("first", "second"), [("10.0.1.5", "10.0.2.5"), ("10.0.2.5", "10.0.1.5")])
def test_the_primary_interface_whichever_id_comes_first(first: str, second: str) -> None:
    """ "The *primary* network interface": the one of device index 0, not the first or the last that is read."""
    parts = (
        ON_INSTANCE,
        interface(first, groups=["sg-app"], instance="i-1"),
        interface(second, groups=["sg-second"], instance="i-1", device_index=1),
    )
    check(_sends("first", PRIMARY, COMPLIANT, [tcp(80, f"{first}/32")], *parts))
    check(_sends("second", PRIMARY, NON_COMPLIANT, [tcp(80, f"{second}/32", "sg-second")], *parts))


HOLDS = "The groups of the interface that holds it in the target group's VPC; primary, secondary, IPv6 or in a prefix."
OUTSIDE = "An address outside carries the groups of the visible interface in the VPC that an active peering names."
ON_PREMISES = "No such reference (on premises): no groups."
ITS_FAMILY = "The family is the target group's, not the load balancer's."
PEER_VPC = vpc("10.9.0.0/16", id="vpc-9")
OWN_VPC = vpc("10.0.0.0/16")
PEERED = reference("sg-peer", peering="pcx-1", vpc="vpc-9", status="active")
SAME_ADDRESS = (
    interface("10.0.1.5", groups=["sg-app"]),
    interface("10.0.1.5", groups=["sg-elsewhere"], vpc="vpc-2"),
    OWN_VPC,
    vpc("10.0.0.0/16", id="vpc-2"),
)


@table(
    _sends(
        "a primary address",
        HOLDS,
        COMPLIANT,
        [tcp(80, "sg-app")],
        target_group(targets=["10.0.1.5"]),
        interface("10.0.1.5"),
    ),
    _sends(
        "a secondary address",
        HOLDS,
        COMPLIANT,
        [tcp(80, "sg-app")],
        target_group(targets=["10.0.1.77"]),
        interface("10.0.1.5", secondary=["10.0.1.77"]),
    ),
    _sends(
        "an address in a delegated prefix",
        HOLDS,
        COMPLIANT,
        [tcp(80, "sg-app")],
        target_group(targets=["10.0.1.37"]),
        interface("10.0.1.5", prefixes=["10.0.1.16/28", "10.0.1.32/28"]),
    ),
    _sends(
        "an address beside a delegated prefix",
        HOLDS,
        NON_COMPLIANT,
        [tcp(80, "sg-app")],
        target_group(targets=["10.0.1.48"]),
        interface("10.0.1.5", prefixes=["10.0.1.32/28"]),
        unresolved=True,
    ),
    _sends(
        "an IPv6 address",
        HOLDS,
        COMPLIANT,
        [tcp(80, "sg-app")],
        target_group(targets=["2001:db8:0:0::5"], ip_address_type="ipv6"),
        interface("10.0.1.5", ipv6=["2001:db8::5"]),
        vpc("10.0.0.0/16", "2001:db8::/56"),
    ),
    _sends(
        "an IPv6 address in a delegated prefix",
        HOLDS,
        COMPLIANT,
        [tcp(80, "sg-app")],
        target_group(targets=["2001:db8::1:5"], ip_address_type="ipv6"),
        interface("10.0.1.5", prefixes=["2001:db8::1:0/112"]),
        vpc("10.0.0.0/16", "2001:db8::/56"),
    ),
    _sends(
        "a container's interface, not its instance's",
        "The interface that holds it.",
        NON_COMPLIANT,
        [tcp(80, "sg-node")],
        target_group(targets=["10.0.1.5"]),
        interface("10.0.1.5", groups=["sg-task"], instance="i-1", device_index=2),
        interface("10.0.1.4", groups=["sg-node"], instance="i-1"),
        lacks=_lacks("10.0.1.5", groups=("sg-task",)),
    ),
    _sends(
        "the same address in another VPC",
        "*In the target group's VPC*.",
        NON_COMPLIANT,
        [tcp(80, "sg-elsewhere")],
        target_group(targets=["10.0.1.5"]),
        *SAME_ADDRESS,
        lacks=_lacks("10.0.1.5", groups=("sg-app",)),
    ),
    _sends(
        "the same address in another VPC, the right group",
        "*In the target group's VPC*.",
        COMPLIANT,
        [tcp(80, "sg-app")],
        target_group(targets=["10.0.1.5"]),
        *SAME_ADDRESS,
    ),
    _sends(
        "the address in another VPC alone",
        "*In the target group's VPC*: there no interface holds it.",
        NON_COMPLIANT,
        [tcp(80, "sg-elsewhere")],
        target_group(targets=["10.0.1.5"]),
        *SAME_ADDRESS[1:],
        unresolved=True,
    ),
    _sends(
        "on premises, a block",
        ON_PREMISES,
        COMPLIANT,
        [tcp(80, "192.168.0.0/16")],
        target_group(targets=["192.168.1.1"]),
    ),
    _sends(
        "on premises, a prefix list",
        "A CIDR, a prefix list, all traffic.",
        COMPLIANT,
        [tcp(80, "pl-1")],
        target_group(targets=["192.168.1.1"]),
        prefix_list("pl-1", "192.168.0.0/16"),
    ),
    _sends(
        "on premises, a reference",
        ON_PREMISES,
        NON_COMPLIANT,
        [tcp(80, "sg-1", "10.0.0.0/8")],
        target_group(targets=["192.168.1.1"]),
        lacks=_lacks("192.168.1.1"),
    ),
    _sends(
        "peered, its interface visible",
        OUTSIDE,
        COMPLIANT,
        [tcp(80, PEERED)],
        target_group(targets=["10.9.1.5"]),
        OWN_VPC,
        PEER_VPC,
        interface("10.9.1.5", groups=["sg-peer"], vpc="vpc-9"),
    ),
    _sends(
        "its interface visible, a reference over a transit gateway",
        "An outbound reference reaches over VPC peering, not over a transit gateway.",
        NON_COMPLIANT,
        [tcp(80, reference("sg-peer", vpc="vpc-9", account="444455556666"))],
        target_group(targets=["10.9.1.5"]),
        OWN_VPC,
        PEER_VPC,
        interface("10.9.1.5", groups=["sg-peer"], vpc="vpc-9"),
        lacks=_lacks("10.9.1.5"),
    ),
    _sends(
        "peered, its interface visible with another group",
        OUTSIDE,
        NON_COMPLIANT,
        [tcp(80, PEERED)],
        target_group(targets=["10.9.1.5"]),
        OWN_VPC,
        PEER_VPC,
        group("sg-peer", vpc="vpc-9"),
        interface("10.9.1.5", groups=["sg-other"], vpc="vpc-9"),
        lacks=_lacks("10.9.1.5", groups=("sg-other",)),
    ),
    _sends(
        "peered, its interface not visible",
        "Not visible: unresolved.",
        NON_COMPLIANT,
        [tcp(80, PEERED)],
        target_group(targets=["10.9.1.5"]),
        OWN_VPC,
        PEER_VPC,
        group("sg-peer", vpc="vpc-9"),
        unresolved=True,
        says=("sg-peer",),
    ),
    _sends(
        "peered, its interface not visible, a block",
        "What was read proves cover.",
        COMPLIANT,
        [tcp(80, PEERED, "10.9.0.0/16")],
        target_group(targets=["10.9.1.5"]),
        group("sg-peer", vpc="vpc-9"),
    ),
    _sends(
        "over a transit gateway, its interface visible",
        "No such reference: no groups.",
        NON_COMPLIANT,
        [tcp(80, reference("sg-peer", vpc="vpc-9"))],
        target_group(targets=["10.9.1.5"]),
        OWN_VPC,
        PEER_VPC,
        interface("10.9.1.5", groups=["sg-peer"], vpc="vpc-9"),
        lacks=_lacks("10.9.1.5"),
    ),
    _sends(
        "a peering reference on another port",
        OUTSIDE,
        NON_COMPLIANT,
        [tcp(81, PEERED)],
        target_group(targets=["10.9.1.5"]),
        OWN_VPC,
        PEER_VPC,
        interface("10.9.1.5", groups=["sg-peer"], vpc="vpc-9"),
    ),
    _sends(
        "an address in a block no longer associated is outside",
        "An address outside that VPC's blocks.",
        NON_COMPLIANT,
        [tcp(80, "sg-1")],
        target_group(targets=["100.64.0.5"]),
        vpc("10.0.0.0/16", disassociated=["100.64.0.0/16"]),
        unresolved=False,
    ),
    _sends(
        "an IPv6 target group under an IPv4-only rule",
        ITS_FAMILY,
        NON_COMPLIANT,
        [all_traffic(ANYWHERE)],
        target_group(targets=["2001:db8::5"], ip_address_type="ipv6"),
        interface("10.0.1.5", ipv6=["2001:db8::5"]),
        vpc("10.0.0.0/16", "2001:db8::/56"),
        lacks=_lacks("2001:db8::5", groups=("sg-app",)),
    ),
    _sends(
        "an IPv4 target group under an IPv6-only rule",
        ITS_FAMILY,
        NON_COMPLIANT,
        [all_traffic(ANYWHERE_IPV6)],
        load_balancer(ip_address_type="dualstack"),
        target_group(targets=["10.0.1.5"]),
        lacks=_lacks("10.0.1.5"),
    ),
    _sends(
        "a target group that tells no family",
        "Absent is IPv4, as everywhere.",
        COMPLIANT,
        [tcp(80, "sg-app")],
        target_group(targets=["10.0.1.5"], ip_address_type=None),
        interface("10.0.1.5"),
    ),
)
def test_ip_targets(case: Case) -> None:
    check(case)


# Groups of another account, which no one here sees.
NAMELESS = reference("sg-far", peering="pcx-2", status="active", account="999999999999")
PEERED_AWAY = reference("sg-peer", peering="pcx-1", vpc="vpc-9", status="active", account="999999999999")
OTHER_PEERED = reference("sg-other", peering="pcx-3", vpc="vpc-8", status="active", account="999999999999")
HELD_IN_PEER = (interface("10.9.1.5", groups=["sg-peer"], vpc="vpc-9"), OWN_VPC, PEER_VPC)


def _peered(name: str, why: str, expected: str, egress: Sequence[str | Shape], *parts: Shape, **fields: Any) -> Case:
    return _sends(name, why, expected, [tcp(80, *egress)], target_group(targets=["10.9.1.5"]), *parts, **fields)


@table(
    _peered(
        "a reference that names no VPC, alone",
        "Not visible: unresolved, and the reference is named.",
        NON_COMPLIANT,
        [NAMELESS],
        *HELD_IN_PEER,
        unresolved=True,
        says=("sg-far over pcx-2 (its VPC is not named)",),
    ),
    _peered(
        "a reference that names no VPC, before the one that holds",
        "Every active peering reference is looked at.",
        COMPLIANT,
        [NAMELESS, PEERED],
        *HELD_IN_PEER,
    ),
    _peered(
        "a peered VPC that does not have the address, before the one that does",
        "In the VPC that holds the address.",
        COMPLIANT,
        [OTHER_PEERED, PEERED],
        *HELD_IN_PEER,
        vpc("10.8.0.0/16", id="vpc-8"),
    ),
    _peered(
        "a peered VPC that does not have the address, alone",
        "It cannot be held there: nothing is unresolved.",
        NON_COMPLIANT,
        [OTHER_PEERED],
        *HELD_IN_PEER,
        vpc("10.8.0.0/16", id="vpc-8"),
        lacks=_lacks("10.9.1.5"),
        unresolved=False,
    ),
    _peered(
        "a peered VPC that was not read, its interface seen",
        "The VPC is another account's; the interface was shared.",
        COMPLIANT,
        [PEERED],
        OWN_VPC,
        interface("10.9.1.5", groups=["sg-peer"], vpc="vpc-9"),
    ),
    _peered(
        "a peered VPC that was not read, its interface not seen",
        "Not visible: unresolved, and where is named.",
        NON_COMPLIANT,
        [PEERED_AWAY],
        OWN_VPC,
        unresolved=True,
        says=("sg-peer over pcx-1 (its members in vpc-9 are not visible)",),
    ),
    _peered(
        "two peered VPCs with the same addresses, both seen",
        "Either may be the one that is routed to: one of the groups is enough.",
        COMPLIANT,
        [PEERED, OTHER_PEERED],
        *HELD_IN_PEER,
        vpc("10.9.0.0/16", id="vpc-8"),
        interface("10.9.1.5", groups=["sg-elsewhere"], vpc="vpc-8"),
    ),
    _peered(
        "a reference of an address in the target group's own VPC",
        "Inside it, the interface of that VPC decides.",
        NON_COMPLIANT,
        [PEERED],
        vpc("10.9.0.0/16"),
        interface("10.9.1.5", groups=["sg-peer"], vpc="vpc-9"),
        PEER_VPC,
        unresolved=True,
    ),
)
def test_targets_over_peering(case: Case) -> None:
    check(case)


def test_interfaces_that_were_not_read_decide_about_a_peered_target() -> None:
    """ "A registered instance … that a collected section does not hold counts as unread": so does a whole section."""
    parts = (target_group(targets=["10.9.1.5"]), OWN_VPC, PEER_VPC)
    saved = estate(*parts, group("sg-1", egress=[tcp(80, PEERED_AWAY)]), uncollected=["NetworkInterfaces"])
    check(Case("reference", "Unread is no verdict.", saved, ERROR, rule=EGRESS))
    saved["SecurityGroups"][0]["IpPermissionsEgress"] = [tcp(80, PEERED_AWAY, "10.9.0.0/16")]
    check(Case("block", "What was read proves cover.", saved, COMPLIANT, rule=EGRESS))


def test_a_vpc_without_association_sets_has_its_one_block() -> None:
    """ "A VPC without association sets: its `CidrBlock`": inside it a target's interface is looked for."""
    saved = estate(target_group(targets=["10.0.1.5"]), group("sg-1", egress=[tcp(80, "sg-1")]))
    del saved["Vpcs"][0]["CidrBlockAssociationSet"], saved["Vpcs"][0]["Ipv6CidrBlockAssociationSet"]
    check(Case("inside", "Its CidrBlock.", saved, NON_COMPLIANT, rule=EGRESS, unresolved=True))


@pytest.mark.parametrize(
    ("address", "family"), [("2001:db8::6", "ipv6"), ("100.64.0.6", "ipv4")], ids=["IPv6", "a second block"]
)
def test_an_interface_seen_to_hold_the_address_in_the_vpc_decides(address: str, family: str) -> None:
    """ "The groups of the interface that holds it in the target group's VPC": that is known, also where only the VPC's
    `CidrBlock` was recorded, which has neither its IPv6 blocks nor its later ones."""
    saved = estate(
        target_group(targets=[address], ip_address_type=family),
        interface("10.0.1.6", secondary=["100.64.0.6"], ipv6=["2001:db8::6"]),
        group("sg-1", egress=[tcp(80, "sg-app")]),
    )
    del saved["Vpcs"][0]["CidrBlockAssociationSet"], saved["Vpcs"][0]["Ipv6CidrBlockAssociationSet"]
    check(Case("reference", HOLDS, saved, COMPLIANT, rule=EGRESS))
    saved["SecurityGroups"][0]["IpPermissionsEgress"] = [all_traffic(ANYWHERE, ANYWHERE_IPV6)]
    check(Case("literally", LITERALLY, saved, NON_COMPLIANT, rule=EGRESS, parameters=LITERAL))


UNRECORDED = "What could not be read is never a verdict: an error that names it."


@table(
    *(
        _sends(
            f"an ip target that is {name}",
            "A value that the code does not know: an error that names field and value.",
            ERROR,
            [tcp(80, "10.0.0.0/16")],
            target_group(targets=[id_]),
            says=(f"target {id_} of web", "its id is not an IPv4 address"),
        )
        for name, id_ in {
            "a name": "shop.example.com",
            "a block": "10.0.1.0/24",
            "of the other family": "2001:db8::5",
            "an instance": "i-0123456789abcdef0",
        }.items()
    ),
    _sends(
        "an ip target that is a name, and all of it is open",
        "With open egress no target needs to be looked up.",
        COMPLIANT,
        [all_traffic(ANYWHERE)],
        target_group(targets=["shop.example.com"]),
    ),
)
def test_ip_targets_without_an_address(case: Case) -> None:
    check(case)


@table(
    _sends(
        "neither port was recorded",
        UNRECORDED,
        ERROR,
        [tcp(80, "10.0.0.0/16")],
        target_group(port=None, targets=["10.0.1.5"]),
        says=("port of target group web", "it was not recorded"),
    ),
    _sends(
        "neither port was recorded, and all of TCP is open",
        "Every requirement must be known.",
        ERROR,
        [all_traffic(ANYWHERE)],
        target_group(port=None, targets=["10.0.1.5"]),
        says=("port of target group web",),
    ),
    _sends(
        "the port given at registration, where the group's was not recorded",
        OWN_PORT,
        COMPLIANT,
        [tcp(8080, "10.0.0.0/16")],
        target_group(port=None, targets=[target("10.0.1.5", 8080)]),
    ),
    _sends(
        "one of two ports was not recorded",
        UNRECORDED,
        ERROR,
        [tcp(8080, "10.0.0.0/16")],
        target_group(port=None, targets=[target("10.0.1.5", 8080), "10.0.1.6"]),
        says=("port of target group web",),
    ),
    _sends(
        "a port that was not recorded of a target that receives nothing",
        "Only what a verdict hangs on must be read.",
        COMPLIANT,
        [tcp(8080, "10.0.0.0/16")],
        target_group(port=None, targets=[target("10.0.1.5", 8080), target("10.0.1.6", state="draining")]),
    ),
    _sends(
        "a group that sends nothing needs no port",
        "No targets: NOT_APPLICABLE, saying which.",
        NOT_APPLICABLE,
        [],
        target_group(port=None, targets=[]),
        says=("no registered target",),
    ),
)
def test_ports_that_were_not_recorded(case: Case) -> None:
    check(case)


@pytest.mark.parametrize(("rule", "expected"), [(HEALTH, COMPLIANT), (TARGETS, ERROR)])
def test_a_health_check_port_stands_for_itself_where_the_targets_port_was_not_recorded(
    rule: str, expected: str
) -> None:
    """ "`traffic-port` is the target's own port, else the number": the number is known without it."""
    saved = estate(
        target_group(port=None, targets=["10.0.1.5"], health_check_port="9090"),
        group("sg-1", egress=[tcp(9090, "10.0.0.0/16")]),
        interface("10.0.1.5", groups=["sg-app"]),
        group("sg-app", ingress=[tcp(9090, "sg-1")]),
    )
    check(Case("number", UNRECORDED, saved, expected, rule=rule))
    saved["TargetGroups"][0]["HealthCheckPort"] = "traffic-port"
    check(Case("traffic-port", UNRECORDED, saved, ERROR, rule=rule))


SKIPPED = "Skip `draining` targets, and `unused` ones."
STATES = {
    "healthy": NON_COMPLIANT,
    "initial": NON_COMPLIANT,
    "unhealthy": NON_COMPLIANT,
    "unhealthy.draining": NON_COMPLIANT,
    "unavailable": NON_COMPLIANT,
    None: NON_COMPLIANT,
    "draining": NOT_APPLICABLE,
    "unused": NOT_APPLICABLE,
}


@pytest.mark.parametrize("state", STATES)
def test_states_of_targets(state: str | None) -> None:
    """ "Skip `draining` targets, and `unused` ones. Do not skip unhealthy ones: the security group may be why"; "a
    registration without a state counts; `unhealthy.draining` is judged"."""
    saved = estate(target_group(targets=[target("10.0.1.5", state=state)]), group("sg-1"))
    says = () if state is None or STATES[state] == NON_COMPLIANT else (state,)
    check(Case(str(state), SKIPPED, saved, STATES[state], rule=EGRESS, says=says))


NOTHING = "No requirement at all (no targets, only lambda, only redirects): NOT_APPLICABLE, saying which."


@table(
    _sends("no target group", NOTHING, NOT_APPLICABLE, [], listener(443, redirect=True), says=("redirect",)),
    _sends("no targets", NOTHING, NOT_APPLICABLE, [], target_group(targets=[]), says=("target",)),
    _sends(
        "only Lambda",
        "`lambda` targets need nothing.",
        NOT_APPLICABLE,
        [],
        target_group(type="lambda", targets=["arn:aws:lambda:us-east-1:111122223333:function:web"]),
        says=("Lambda",),
    ),
    _sends(
        "Lambda beside a target",
        "`lambda` targets need nothing.",
        COMPLIANT,
        [tcp(80, "10.0.1.5/32")],
        target_group("function", type="lambda", targets=["arn:aws:lambda:us-east-1:111122223333:function:web"]),
        target_group("web", targets=["10.0.1.5"]),
    ),
    _sends(
        "a draining target beside a healthy one",
        SKIPPED,
        COMPLIANT,
        [tcp(80, "10.0.1.5/32")],
        target_group(targets=["10.0.1.5", target("10.0.1.6", state="draining"), target("10.0.1.7", state="unused")]),
    ),
    _sends(
        "a draining instance not in the data",
        "Only what a verdict hangs on must be read.",
        COMPLIANT,
        [tcp(80, "10.0.1.5/32")],
        target_group(type="instance", targets=["i-1", target("i-gone", state="draining")]),
        instance("i-1", "10.0.1.5"),
    ),
)
def test_nothing_to_reach(case: Case) -> None:
    check(case)


EFFECTIVE = "`effective`: a reference to any of its groups, a CIDR, a prefix list, all traffic."
LITERALLY = "`security-group`: only a reference to one of the target's groups counts."
AS_EFFECTIVE = "An endpoint without groups is judged as `effective`."
LITERAL = {"TargetMatch": "security-group"}
WITH_GROUP = (target_group(targets=["10.0.1.5"]), interface("10.0.1.5", groups=["sg-app"]))
LACKS_REFERENCE = (Lacks(80, ("10.0.1.5/32",), (), ("sg-app",)),)


@table(
    *(
        _sends(
            f"{kind} under effective",
            EFFECTIVE,
            COMPLIANT,
            [rule],
            *WITH_GROUP,
            prefix_list("pl-1", "10.0.0.0/16"),
            parameters={"TargetMatch": "effective"},
        )
        for kind, rule in (
            ("a reference", tcp(80, "sg-app")),
            ("a CIDR", tcp(80, "10.0.1.5/32")),
            ("a prefix list", tcp(80, "pl-1")),
            ("all traffic", all_traffic(ANYWHERE)),
        )
    ),
    *(
        _sends(
            f"{kind} under security-group",
            LITERALLY,
            NON_COMPLIANT,
            [rule],
            *WITH_GROUP,
            prefix_list("pl-1", "10.0.0.0/16"),
            parameters=LITERAL,
            lacks=LACKS_REFERENCE,
            says=("sg-app",),
        )
        for kind, rule in (
            ("a CIDR", tcp(80, "10.0.1.5/32")),
            ("a prefix list", tcp(80, "pl-1")),
            ("all traffic", all_traffic(ANYWHERE)),
            ("a CIDR and another group", tcp(80, "10.0.1.5/32", "sg-1")),
        )
    ),
    _sends(
        "a reference under security-group", LITERALLY, COMPLIANT, [tcp(80, "sg-app")], *WITH_GROUP, parameters=LITERAL
    ),
    _sends(
        "all traffic to the group",
        LITERALLY,
        COMPLIANT,
        [all_traffic("sg-app")],
        *WITH_GROUP,
        parameters=LITERAL,
    ),
    _sends(
        "one of two groups",
        "One of the target's groups.",
        COMPLIANT,
        [tcp(80, "sg-app")],
        target_group(targets=["10.0.1.5"]),
        interface("10.0.1.5", groups=["sg-base", "sg-app"]),
        parameters=LITERAL,
    ),
    _sends(
        "nothing at all under security-group",
        "A reference would do; the address would not.",
        NON_COMPLIANT,
        [],
        *WITH_GROUP,
        parameters=LITERAL,
        lacks=LACKS_REFERENCE,
    ),
    _sends(
        "on premises under security-group",
        AS_EFFECTIVE,
        COMPLIANT,
        [tcp(80, "192.168.1.1/32")],
        target_group(targets=["192.168.1.1"]),
        parameters=LITERAL,
    ),
    _sends(
        "on premises under security-group, closed",
        AS_EFFECTIVE,
        NON_COMPLIANT,
        [tcp(80, "sg-1")],
        target_group(targets=["192.168.1.1"]),
        parameters=LITERAL,
        lacks=_lacks("192.168.1.1"),
    ),
    _sends(
        "an interface without groups under security-group",
        AS_EFFECTIVE,
        COMPLIANT,
        [tcp(80, "10.0.1.5/32")],
        target_group(targets=["10.0.1.5"]),
        interface("10.0.1.5", groups=[]),
        parameters=LITERAL,
    ),
    _sends(
        "an instance not in the data under security-group",
        "Whether it has groups was not read: an error, also with open egress.",
        ERROR,
        [all_traffic(ANYWHERE)],
        target_group(type="instance", targets=["i-lost"]),
        parameters=LITERAL,
        says=("i-lost",),
    ),
    _sends(
        "a prefix list not in the data under security-group",
        "A prefix list could not cover a target with groups: only what a verdict hangs on must be read.",
        NON_COMPLIANT,
        [tcp(80, "pl-lost")],
        *WITH_GROUP,
        parameters=LITERAL,
        lacks=LACKS_REFERENCE,
    ),
    _sends(
        "a refused prefix list under security-group",
        "A prefix list could not cover a target with groups, whatever is in it.",
        NON_COMPLIANT,
        [tcp(80, "pl-1")],
        *WITH_GROUP,
        prefix_list("pl-1", refused=True),
        parameters=LITERAL,
        unresolved=False,
    ),
    _sends(
        "no interface found under security-group",
        "Not resolved covers nothing; the reference might.",
        NON_COMPLIANT,
        [tcp(80, "sg-1", "10.0.0.0/16")],
        target_group(targets=["10.0.1.5"]),
        parameters=LITERAL,
        unresolved=True,
        says=("10.0.1.5",),
    ),
    _sends(
        "no interface found under security-group, open egress alone",
        "Only that its interface is not found stands between: without groups it would be judged as effective.",
        NON_COMPLIANT,
        [all_traffic(ANYWHERE)],
        target_group(targets=["10.0.1.5"]),
        parameters=LITERAL,
        unresolved=True,
        says=("10.0.1.5",),
    ),
    _sends(
        "peered and visible under security-group",
        LITERALLY,
        COMPLIANT,
        [tcp(80, PEERED)],
        target_group(targets=["10.9.1.5"]),
        OWN_VPC,
        PEER_VPC,
        interface("10.9.1.5", groups=["sg-peer"], vpc="vpc-9"),
        parameters=LITERAL,
    ),
)
def test_target_match(case: Case) -> None:
    check(case)


@pytest.mark.parametrize("section", ["NetworkInterfaces", "Instances"])
def test_unread_groups_are_an_error_where_only_references_count(section: str) -> None:
    kind, id_ = ("instance", "i-1") if section == "Instances" else ("ip", "10.0.1.5")
    saved = estate(
        target_group(type=kind, targets=[id_]),
        group("sg-1", egress=[all_traffic(ANYWHERE)]),
        uncollected=[section],
    )
    check(Case("default", EFFECTIVE, saved, COMPLIANT, rule=EGRESS))
    check(Case("literally", LITERALLY, saved, ERROR, rule=EGRESS, parameters=LITERAL, says=(section,)))


def test_a_load_balancer_of_a_shared_target_group() -> None:
    """Each load balancer that a target group is associated with has the requirement."""
    saved = estate(
        load_balancer("web"),
        load_balancer("open", groups=["sg-2"]),
        target_group(targets=["10.0.1.5"], load_balancers=["web", load_balancer_arn("open")]),
        group("sg-1"),
        group("sg-2", egress=[all_traffic(ANYWHERE)]),
    )
    check(Case("web", ASSOCIATED, saved, NON_COMPLIANT, rule=EGRESS))
    check(Case("open", ASSOCIATED, saved, COMPLIANT, rule=EGRESS, of="open"))
