"""Semantics §12: ALB_SG_UNUSED_INGRESS."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from alb_sg.estate.estate import ReadFailure
from alb_sg.estate.sections import Section
from alb_sg.findings.finding import Finding
from alb_sg.findings.judge import judge_all
from alb_sg.parameters import Parameters
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME
from tests.builders import (
    ANYWHERE,
    ANYWHERE_IPV6,
    UNUSED,
    Saved,
    Shape,
    all_traffic,
    build,
    estate,
    group,
    icmp,
    icmpv6,
    interface,
    judge,
    listener,
    load_balancer,
    load_balancer_arn,
    network_load_balancer,
    node,
    permission,
    reference,
    target_group,
    tcp,
    udp,
)
from tests.semantics.cases import COMPLIANT, ERROR, NON_COMPLIANT, NOT_APPLICABLE

USED = "Used: the ports of all listeners of all load balancers that carry the group."
RANGES = "Unused: of every inbound permission with a peer, TCP ports that are not used, as exact ranges."
WHOLE = "UDP and every other protocol whole, `-1` too."
ICMP_NEVER = "ICMP and ICMPv6 are never unused."
STATEFUL = "A rule for ephemeral return ports is unused, and the text says that groups are stateful."
ONLY_LOAD_BALANCERS = "Judged are those of its groups that nothing but load balancers carries."
READ_WHOLE = "Who carries a group must have been read whole: else an error."
SHARED = "Interfaces whose requester is not Elastic Load Balancing: the group is shared, a remark, not judged."
ALL_SHARED = "All groups shared: NOT_APPLICABLE."
PROVED = "What was read proves that nothing is unused, whatever else there is (§2)."

# Group, protocol, first and last port, peers.
Opening = tuple[str, str, int | None, int | None, tuple[str, ...]]


@dataclass(frozen=True)
class UnusedCase:
    """`unused`: every entry of a finding. `says`: texts in the annotation or the error."""

    name: str
    why: str
    estate: Saved
    expected: str
    unused: tuple[Opening, ...] = ()
    says: tuple[str, ...] = ()


def lets_in(*ingress: Shape, parts: tuple[Shape, ...] = ()) -> Saved:
    """A load balancer listening on 443 that alone carries its one group, with these inbound rules."""
    return estate(listener(443), group("sg-1", ingress=ingress), node(), *parts)


def table(*cases: UnusedCase) -> pytest.MarkDecorator:
    names = [case.name for case in cases]
    assert len(set(names)) == len(names), "every case has a name of its own"
    return pytest.mark.parametrize("case", cases, ids=names)


def check(case: UnusedCase) -> None:
    result = judge(case.estate, UNUSED)
    if not isinstance(result, Finding):
        assert case.expected == ERROR, f"{result} — {case.why}"
        said = f"{result.what}: {result.cause}"
    else:
        said = result.annotation
        assert result.compliance.value == case.expected, f"{said} — {case.why}"
        assert 0 < len(said) <= 256
        found = [(one.security_group, *one[1:4], one.peers) for one in result.unused]
        assert found == list(case.unused), case.why
        assert result.missing == ()
    for text in case.says:
        assert text in said, case.why


def tcp_unused(first: int, last: int, *peers: str, group: str = "sg-1") -> Opening:
    return group, "tcp", first, last, peers


@table(
    UnusedCase("no rule", RANGES, lets_in(), COMPLIANT, says=("nothing unused in sg-1",)),
    UnusedCase("the listener's port", USED, lets_in(tcp(443, ANYWHERE)), COMPLIANT),
    UnusedCase("the listener's port over IPv6", USED, lets_in(tcp(443, ANYWHERE_IPV6)), COMPLIANT),
    UnusedCase(
        "the listener's port from somebody else",
        "A port is used for every peer: §5 judges whether it is the right one.",
        lets_in(tcp(443, "sg-app", "pl-1", "10.0.0.0/8")),
        COMPLIANT,
    ),
    UnusedCase(
        "another port",
        RANGES,
        lets_in(tcp(443, ANYWHERE), tcp(80, ANYWHERE)),
        NON_COMPLIANT,
        (tcp_unused(80, 80, ANYWHERE),),
        ("TCP 80 open to 0.0.0.0/0 in sg-1, used by no listener",),
    ),
    UnusedCase(
        "all ports",
        "A range is unused in part: exactly that part.",
        lets_in(tcp((0, 65535), ANYWHERE)),
        NON_COMPLIANT,
        (tcp_unused(0, 442, ANYWHERE), tcp_unused(444, 65535, ANYWHERE)),
    ),
    UnusedCase(
        "no ports",
        "TCP with no ports is all of them (§4).",
        lets_in(tcp(None, ANYWHERE_IPV6)),
        NON_COMPLIANT,
        (tcp_unused(0, 442, ANYWHERE_IPV6), tcp_unused(444, 65535, ANYWHERE_IPV6)),
    ),
    UnusedCase(
        "a range that ends at the used port",
        "No empty range stands beside the exact ones.",
        lets_in(tcp((440, 443), ANYWHERE)),
        NON_COMPLIANT,
        (tcp_unused(440, 442, ANYWHERE),),
    ),
    UnusedCase(
        "a range that begins at the used port",
        "No empty range stands beside the exact ones.",
        lets_in(tcp((443, 445), ANYWHERE)),
        NON_COMPLIANT,
        (tcp_unused(444, 445, ANYWHERE),),
    ),
    UnusedCase(
        "a protocol number",
        "6 means tcp (§4).",
        lets_in(permission("6", 22, 22, "10.0.0.0/8")),
        NON_COMPLIANT,
        (tcp_unused(22, 22, "10.0.0.0/8"),),
    ),
    UnusedCase(
        "every kind of peer",
        "Of every inbound permission with a peer: addresses of both families, prefix lists and references.",
        lets_in(tcp(22, "10.0.0.0/8", "2001:db8::/56", "pl-1", "sg-app")),
        NON_COMPLIANT,
        (tcp_unused(22, 22, "10.0.0.0/8", "2001:db8::/56", "pl-1", "sg-app"),),
    ),
    UnusedCase("no peer", "A permission without a peer lets nothing in.", lets_in(tcp(22)), COMPLIANT),
    UnusedCase(
        "a stale reference",
        "It is a permission with a peer, and comes to life again with its peering.",
        lets_in(tcp(22, reference("sg-peer", peering="pcx-1", vpc="vpc-9", status="deleted"))),
        NON_COMPLIANT,
        (tcp_unused(22, 22, "sg-peer"),),
    ),
    UnusedCase(
        "a reference over a peering",
        "A permission with a peer: who it is does not make a port used.",
        lets_in(tcp(22, reference("sg-peer", peering="pcx-1", vpc="vpc-9", status="active", account="444455556666"))),
        NON_COMPLIANT,
        (tcp_unused(22, 22, "sg-peer"),),
    ),
    UnusedCase(
        "a reference to itself",
        "A default group's rule: nodes of load balancers that share it do not connect to one another.",
        lets_in(tcp(443, ANYWHERE), all_traffic("sg-1")),
        NON_COMPLIANT,
        (("sg-1", "-1", None, None, ("sg-1",)),),
    ),
    UnusedCase(
        "a reference to itself on the listener's port",
        "A port is used for every peer.",
        lets_in(tcp(443, "sg-1")),
        COMPLIANT,
    ),
    UnusedCase(
        "a prefix list alone",
        "Nothing hangs on its entries, so it need not be read.",
        lets_in(tcp((443, 444), "pl-1")),
        NON_COMPLIANT,
        (tcp_unused(444, 444, "pl-1"),),
    ),
    UnusedCase(
        "IPv6 rules beside IPv4 ones",
        "Each rule by itself.",
        lets_in(tcp(443, ANYWHERE), tcp((443, 444), ANYWHERE_IPV6)),
        NON_COMPLIANT,
        (tcp_unused(444, 444, ANYWHERE_IPV6),),
    ),
    UnusedCase(
        "the port of targets and health checks",
        "The load balancer's own group lets clients in: what it sends to targets needs no inbound rule.",
        lets_in(tcp(443, ANYWHERE), tcp(8081, "sg-app"), parts=(target_group(port=8081, health_check_port="8081"),)),
        NON_COMPLIANT,
        (tcp_unused(8081, 8081, "sg-app"),),
    ),
    UnusedCase(
        "UDP",
        WHOLE,
        lets_in(udp(443, ANYWHERE)),
        NON_COMPLIANT,
        (("sg-1", "udp", 443, 443, (ANYWHERE,)),),
    ),
    UnusedCase(
        "all UDP",
        WHOLE,
        lets_in(udp(None, ANYWHERE)),
        NON_COMPLIANT,
        (("sg-1", "udp", 0, 65535, (ANYWHERE,)),),
    ),
    UnusedCase(
        "another protocol",
        WHOLE,
        lets_in(permission("50", None, None, ANYWHERE)),
        NON_COMPLIANT,
        (("sg-1", "50", None, None, (ANYWHERE,)),),
        ("protocol 50 open to",),
    ),
    UnusedCase(
        "all traffic",
        WHOLE,
        lets_in(all_traffic(ANYWHERE)),
        NON_COMPLIANT,
        (("sg-1", "-1", None, None, (ANYWHERE,)),),
        ("of which only TCP 443 and ICMP are used",),
    ),
    UnusedCase("ICMP", ICMP_NEVER, lets_in(icmp(-1, -1, ANYWHERE), icmp(8, 0, ANYWHERE)), COMPLIANT),
    UnusedCase("ICMPv6", ICMP_NEVER, lets_in(icmpv6(None, None, ANYWHERE_IPV6)), COMPLIANT),
    UnusedCase(
        "CDK's placeholder",
        "ICMP 252 to 86 must never crash (§4), and ICMP is never unused.",
        lets_in(icmp(252, 86, "255.255.255.255/32")),
        COMPLIANT,
    ),
    UnusedCase(
        "ephemeral ports",
        STATEFUL,
        lets_in(tcp((1024, 65535), ANYWHERE)),
        NON_COMPLIANT,
        (tcp_unused(1024, 65535, ANYWHERE),),
        ("security groups are stateful: responses need no rule",),
    ),
    UnusedCase(
        "ephemeral UDP ports of Linux",
        STATEFUL,
        lets_in(udp((32768, 60999), "10.0.0.0/8")),
        NON_COMPLIANT,
        (("sg-1", "udp", 32768, 60999, ("10.0.0.0/8",)),),
        ("stateful",),
    ),
    UnusedCase(
        "outbound rules",
        "Only inbound permissions are judged.",
        estate(listener(443), group("sg-1", egress=[all_traffic(ANYWHERE)]), node()),
        COMPLIANT,
    ),
    UnusedCase(
        "no listener",
        "Without a listener no port is used.",
        estate(group("sg-1", ingress=[tcp(443, ANYWHERE), all_traffic("10.0.0.0/8")]), node()),
        NON_COMPLIANT,
        (tcp_unused(443, 443, ANYWHERE), ("sg-1", "-1", None, None, ("10.0.0.0/8",))),
    ),
    UnusedCase(
        "consecutive listener ports",
        "What is left between used ports is exact.",
        estate(listener(80), listener(81), listener(83), group("sg-1", ingress=[tcp((79, 84), ANYWHERE)]), node()),
        NON_COMPLIANT,
        (tcp_unused(79, 79, ANYWHERE), tcp_unused(82, 82, ANYWHERE), tcp_unused(84, 84, ANYWHERE)),
    ),
    UnusedCase(
        "the test listener of a blue/green deployment",
        "A listener is a listener, whatever group it forwards to.",
        estate(
            listener(443, forward=["blue"]),
            listener(9443, forward=["green"]),
            target_group("blue"),
            target_group("green", load_balancers=[]),
            group("sg-1", ingress=[tcp(443, ANYWHERE), tcp(9443, "10.0.0.0/8")]),
            node(),
        ),
        COMPLIANT,
    ),
    UnusedCase(
        "the port of a test listener that is not there between deployments",
        "No listener, no use; an exemption for the port says otherwise.",
        lets_in(tcp(443, ANYWHERE), tcp(9443, "10.0.0.0/8")),
        NON_COMPLIANT,
        (tcp_unused(9443, 9443, "10.0.0.0/8"),),
    ),
    UnusedCase(
        "a redirect",
        "A listener is a listener, whatever it answers.",
        estate(listener(80, redirect=True), group("sg-1", ingress=[tcp(80, ANYWHERE)]), node()),
        COMPLIANT,
    ),
)
def test_an_opening_without_a_listener_is_unused(case: UnusedCase) -> None:
    check(case)


OTHER_ALB = load_balancer("other")
OTHER_NODE = node("10.0.0.11", of="other")
NLB = network_load_balancer(groups=["sg-1"])
NLB_NODE = node("10.0.0.12", of="nlb", type="network")
NLB_ARN = load_balancer_arn("nlb", "network")
CLASSIC_NODE = {**node("10.0.0.13"), "Description": "ELB classic"}


@table(
    UnusedCase(
        "another load balancer's listener",
        USED,
        lets_in(tcp(8443, ANYWHERE), parts=(load_balancer(), OTHER_ALB, OTHER_NODE, listener(8443, of="other"))),
        COMPLIANT,
    ),
    UnusedCase(
        "a listener of a load balancer with other groups",
        "It does not carry the group.",
        lets_in(
            tcp(8443, ANYWHERE),
            parts=(load_balancer(), load_balancer("other", groups=["sg-2"]), listener(8443, of="other")),
        ),
        NON_COMPLIANT,
        (tcp_unused(8443, 8443, ANYWHERE),),
    ),
    UnusedCase(
        "a Network Load Balancer's listener",
        "All load balancers, of every type.",
        lets_in(tcp(8883, ANYWHERE), parts=(NLB, NLB_NODE, listener(8883, "TLS", of=NLB_ARN))),
        COMPLIANT,
    ),
    UnusedCase(
        "a Network Load Balancer's UDP listener",
        "A port is used by the protocol of its listener, so that removing what is unused breaks nobody.",
        lets_in(udp((53, 54), ANYWHERE), parts=(NLB, NLB_NODE, listener(53, "TCP_UDP", of=NLB_ARN))),
        NON_COMPLIANT,
        (("sg-1", "udp", 54, 54, (ANYWHERE,)),),
    ),
    UnusedCase(
        "a Network Load Balancer's TCP listener and UDP",
        WHOLE,
        lets_in(udp(53, ANYWHERE), parts=(NLB, NLB_NODE, listener(53, "TCP", of=NLB_ARN))),
        NON_COMPLIANT,
        (("sg-1", "udp", 53, 53, (ANYWHERE,)),),
    ),
    UnusedCase(
        "a listener whose port is not known",
        "More ports may be used.",
        {
            **lets_in(tcp(22, ANYWHERE), parts=(NLB, NLB_NODE)),
            "Listeners": [{**listener(443), "Port": "many"}],
        },
        ERROR,
        says=("Port of listener",),
    ),
    UnusedCase(
        "a Classic Load Balancer",
        "All load balancers that carry the group: one whose listeners are not read leaves it open what is used.",
        lets_in(tcp(8080, ANYWHERE), parts=(CLASSIC_NODE,)),
        ERROR,
        says=("ELB classic", "Classic Load Balancers are not read"),
    ),
    UnusedCase(
        "a Classic Load Balancer, and nothing is unused without it",
        PROVED,
        lets_in(tcp(443, ANYWHERE), parts=(CLASSIC_NODE,)),
        COMPLIANT,
    ),
    UnusedCase(
        "an interface of a load balancer that is not in the data",
        "Its listeners are not known.",
        lets_in(tcp(8080, ANYWHERE), parts=(OTHER_NODE,)),
        ERROR,
        says=("app/other/", "not among the load balancers"),
    ),
    UnusedCase(
        "an interface that still carries the group of its load balancer",
        "The interface carries it, whatever the load balancer's record says.",
        lets_in(
            tcp(8443, ANYWHERE),
            parts=(load_balancer(), load_balancer("other", groups=["sg-2"]), OTHER_NODE, listener(8443, of="other")),
        ),
        COMPLIANT,
    ),
)
def test_who_uses_a_port(case: UnusedCase) -> None:
    check(case)


TASK = interface("10.0.1.5", groups=["sg-1"])


def with_unreadable_groups(saved: Saved) -> Saved:
    """The estate whose last interface has no list of its groups."""
    saved["NetworkInterfaces"][-1]["Groups"] = "sg-1"
    return saved


TWO_GROUPS = load_balancer(groups=["sg-1", "sg-2"])
SG_2 = group("sg-2", ingress=[tcp(22, ANYWHERE)])


@table(
    UnusedCase(
        "shared with a task",
        ALL_SHARED,
        lets_in(tcp(22, ANYWHERE), parts=(TASK,)),
        NOT_APPLICABLE,
        says=("sg-1 is shared with network interface eni-",),
    ),
    UnusedCase(
        "an interface that somebody describes as a load balancer's",
        "The requester tells, and not the description, which anybody can write.",
        lets_in(tcp(22, ANYWHERE), parts=({**TASK, "Description": node()["Description"]},)),
        NOT_APPLICABLE,
    ),
    UnusedCase(
        "one of two groups is shared",
        SHARED,
        lets_in(tcp(22, ANYWHERE), parts=(TWO_GROUPS, SG_2, TASK)),
        NON_COMPLIANT,
        (tcp_unused(22, 22, ANYWHERE, group="sg-2"),),
        ("sg-1 is shared with network interface",),
    ),
    UnusedCase(
        "two groups",
        "Each group's rules are unused by themselves: no other group makes up for them.",
        lets_in(tcp(22, ANYWHERE), parts=(TWO_GROUPS, SG_2)),
        NON_COMPLIANT,
        (tcp_unused(22, 22, ANYWHERE), tcp_unused(22, 22, ANYWHERE, group="sg-2")),
    ),
    UnusedCase(
        "a shared group that was not read",
        "Only what a verdict hangs on must be read (§2).",
        estate(listener(443), TASK | {"Groups": [{"GroupId": "sg-1"}]}, uncollected=["SecurityGroups"]),
        NOT_APPLICABLE,
    ),
    UnusedCase(
        "interfaces were not collected",
        READ_WHOLE,
        estate(listener(443), group("sg-1"), uncollected=["NetworkInterfaces"]),
        ERROR,
        says=("network interfaces that carry sg-1", "NetworkInterfaces", "was not collected"),
    ),
    UnusedCase(
        "an interface whose groups cannot be read",
        "It may carry the group.",
        with_unreadable_groups(lets_in(parts=(interface("10.0.1.9"),))),
        ERROR,
        says=("Groups", "eni-"),
    ),
    UnusedCase(
        "a group of another account",
        "The interfaces of its owner are not seen.",
        {**lets_in(), "SecurityGroups": [group("sg-1") | {"OwnerId": "999999999999"}]},
        ERROR,
        says=("account 999999999999 owns it",),
    ),
    UnusedCase(
        "a group that is not in the data",
        "A group of the load balancer that is not in the data is never a verdict (§2).",
        estate(listener(443), load_balancer(groups=["sg-lost"]), node(groups=["sg-other"])),
        ERROR,
        says=("security group sg-lost",),
    ),
    UnusedCase(
        "a rule that cannot be read",
        "What it lets in is not known.",
        lets_in(permission("tcp", 443, None, ANYWHERE)),
        ERROR,
        says=("tcp needs both FromPort and ToPort",),
    ),
    UnusedCase(
        "no group",
        "A load balancer with no groups at all is never a verdict (§2).",
        estate(listener(443), load_balancer(groups=[])),
        ERROR,
        says=("the load balancer has none",),
    ),
    UnusedCase(
        "listeners were not collected",
        "Which ports are used is not known.",
        estate(group("sg-1", ingress=[tcp(443, ANYWHERE)]), node(), uncollected=["Listeners"]),
        ERROR,
        says=("listeners of web",),
    ),
    UnusedCase(
        "provisioning",
        "Not judged by §3.",
        estate(listener(443), load_balancer(state="provisioning"), group("sg-1", ingress=[tcp(22, ANYWHERE)])),
        NOT_APPLICABLE,
        says=("the load balancer is provisioning",),
    ),
)
def test_the_rule_judges_application_load_balancers(case: UnusedCase) -> None:
    check(case)


def test_an_interface_whose_addresses_are_not_known_carries_what_it_says() -> None:
    """Only what hangs on the field that is not known: who carries a group does not."""
    other = interface("10.0.1.9", groups=["sg-app"]) | {"PrivateIpAddresses": "10.0.1.9"}
    found = judge(estate(listener(443), other, group(ingress=[tcp(443, ANYWHERE)])), UNUSED)
    assert isinstance(found, Finding)
    assert found.compliance.value == COMPLIANT
    sharing = other | {"Groups": [{"GroupId": "sg-1"}]}
    found = judge(estate(listener(443), sharing, group(ingress=[tcp(443, ANYWHERE)])), UNUSED)
    assert isinstance(found, Finding)
    assert found.compliance.value == NOT_APPLICABLE


def test_a_load_balancer_uses_its_ports_before_its_nodes_are_listed() -> None:
    """The ports of all listeners of all load balancers that carry the group, by their own record."""
    saved = estate(
        load_balancer(),
        load_balancer("other"),
        listener(443),
        listener(8080, of="other"),
        group(ingress=[tcp(443, ANYWHERE), tcp(8080, ANYWHERE)]),
    )
    found = judge(saved, UNUSED)
    assert isinstance(found, Finding)
    assert found.compliance.value == COMPLIANT


def test_a_network_load_balancer_is_not_applicable() -> None:
    saved = estate(NLB, NLB_NODE, group("sg-1", ingress=[tcp(22, ANYWHERE)]))
    result = judge(saved, UNUSED, "nlb")
    assert isinstance(result, Finding)
    assert result.compliance.value == NOT_APPLICABLE


def test_unlisted_load_balancers_make_unused_ingress_an_error() -> None:
    failures = (ReadFailure(Section.LOAD_BALANCERS, None, "DescribeLoadBalancers: Throttling"),)
    for ingress, expected in (([tcp(22, ANYWHERE)], "Throttling"), ([tcp(443, ANYWHERE)], COMPLIANT)):
        found = replace(build(lets_in(*ingress)), failures=failures)
        rules = {RECOMMENDATIONS_BY_NAME[UNUSED]: Parameters()}
        findings, errors = judge_all(found, found.load_balancers.values(), rules)
        said = [finding.compliance.value for finding in findings] + [error.cause for error in errors]
        assert len(said) == 1
        assert expected in said[0]
