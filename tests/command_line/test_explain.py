"""`alb-sg explain`: every recommended row with what meets it, what is missing, or why it could not be judged."""

from __future__ import annotations

import pytest

from tests.builders import (
    ACCOUNT,
    ANYWHERE,
    EGRESS,
    HEALTH,
    ICMP,
    INGRESS,
    TARGETS,
    Saved,
    all_traffic,
    behind,
    estate,
    group,
    icmp,
    instance,
    interface,
    listener,
    load_balancer,
    load_balancer_arn,
    network_load_balancer,
    prefix_list,
    reference,
    target,
    target_group,
    tcp,
)
from tests.command_line.calling import Command, closed, in_order


def ingress_of(*permissions: object, **fields: object) -> Saved:
    return estate(listener(443), group("sg-1", ingress=permissions), **fields)  # type: ignore[arg-type]  # shapes


@pytest.mark.parametrize(
    ("saved", "lines"),
    [
        pytest.param(
            ingress_of(tcp(443, ANYWHERE)),
            [
                "ok       inbound TCP 443 from 0.0.0.0/0, HTTPS:443",
                "sg-1 inbound TCP 443 from 0.0.0.0/0: covers 0.0.0.0/0",
            ],
            id="one rule",
        ),
        pytest.param(
            ingress_of(tcp((1, 1023), "0.0.0.0/1"), all_traffic("128.0.0.0/1")),
            [
                "sg-1 inbound TCP 1-1023 from 0.0.0.0/1: covers 0.0.0.0/1",
                "sg-1 inbound all traffic from 128.0.0.0/1: covers 128.0.0.0/1",
            ],
            id="two rules together, each listed",
        ),
        pytest.param(
            estate(
                listener(443),
                group("sg-1", ingress=[tcp(None, "pl-all")]),
                prefix_list("pl-all", "0.0.0.0/1", "128.0.0.0/1"),
            ),
            ["sg-1 inbound all TCP from pl-all: covers 0.0.0.0/0"],
            id="a prefix list that adds up",
        ),
        pytest.param(
            estate(
                listener(443),
                load_balancer("web"),
                network_load_balancer("front", groups=["sg-front"]),
                behind(443, nlb="front"),
                group("sg-1", ingress=[tcp(443, "sg-front")]),
                group("sg-front"),
            ),
            [
                "behind Network Load Balancer front (internet-facing; sg-front) to port 443 by target group to-web",
                "ok       inbound TCP 443 from 0.0.0.0/0 (clients of front), HTTPS:443",
                "ok       inbound TCP 443 from 10.0.0.0/16 (health checks and PrivateLink of front), HTTPS:443",
                "sg-1 inbound TCP 443 from sg-front: sg-front is a security group of front",
            ],
            id="a Network Load Balancer's group",
        ),
        pytest.param(
            estate(
                load_balancer("web"),
                listener(443, forward=["web"]),
                target_group("web", type="instance", targets=["i-1", "i-2"], health_check_port="8080"),
                instance("i-1", "10.0.1.5"),
                instance("i-2", "10.0.1.6"),
                group("sg-1", egress=[tcp(80, "sg-app"), all_traffic("10.0.1.0/29")]),
                group("sg-app"),
            ),
            [
                "ok       outbound TCP 80 to 2 targets: i-1 (10.0.1.5), i-2 (10.0.1.6), target group web",
                "sg-1 outbound TCP 80 to sg-app: i-1, i-2 carry sg-app",
                "ok       outbound TCP 8080 to 2 targets: i-1 (10.0.1.5), i-2 (10.0.1.6), target group web",
                "sg-1 outbound all traffic to 10.0.1.0/29: covers all 2 of them",
            ],
            id="targets of one group in one row",
        ),
        pytest.param(
            estate(
                target_group("web", type="instance", targets=["i-1"]),
                listener(443, forward=["web"]),
                instance("i-1", "10.0.1.5", groups=[]),
                group("sg-1", egress=[all_traffic("10.0.0.0/8")]),
            ),
            ["sg-1 outbound all traffic to 10.0.0.0/8: covers 10.0.1.5 (i-1)"],
            id="an address and whose it is",
        ),
        pytest.param(
            estate(
                listener(443, forward=["web"]),
                target_group("web", type="instance", targets=["i-gone"]),
                group("sg-1", egress=[tcp(None, "0.0.0.0/1", "128.0.0.0/1")]),
            ),
            [
                "ok       outbound TCP 80 to i-gone, target group web",
                "sg-1 outbound all TCP to 0.0.0.0/1: covers 0.0.0.0/1, whatever the addresses",
                "sg-1 outbound all TCP to 128.0.0.0/1: covers 128.0.0.0/1, whatever the addresses",
            ],
            id="a target that was not looked up, behind open egress",
        ),
    ],
)
def test_a_row_names_the_rule_that_meets_it(command: Command, saved: Saved, lines: list[str]) -> None:
    shown = [line.strip() for line in command.on(saved, "explain", "web").out.splitlines()]
    assert [line for line in lines if line not in shown] == []


@pytest.mark.parametrize(
    ("saved", "lines"),
    [
        pytest.param(
            ingress_of(tcp(443, "0.0.0.0/1", "10.0.0.0/8")),
            [
                "missing  inbound TCP 443 from 0.0.0.0/0, HTTPS:443",
                "not open to 128.0.0.0/1 of 0.0.0.0/0",
                "already: sg-1 inbound TCP 443 from 0.0.0.0/1: covers 0.0.0.0/1",
                "let through instead: sg-1 inbound TCP 443 from 10.0.0.0/8",
            ],
            id="a part of it",
        ),
        pytest.param(
            ingress_of(tcp(80, ANYWHERE)),
            [
                "no rule of its security groups lets this through at all",
                "TCP 80 is open to it",
                "fix      allow inbound TCP 443 from 0.0.0.0/0 in sg-1",
            ],
            id="nothing on this port",
        ),
        pytest.param(
            closed(),
            [
                "missing  outbound TCP 80 to 10.0.1.5, target group web",
                "not open to sg-app, 10.0.1.5",
                "fix      allow outbound TCP 80 to sg-app for target group web in sg-1",
            ],
            id="an address or a group",
        ),
        pytest.param(
            estate(
                listener(443, forward=["web"]),
                target_group("web", targets=["10.0.1.5"]),
                interface("10.0.1.5"),
                group("sg-1", egress=[tcp(80, reference("sg-old", peering="pcx-1", vpc="vpc-2", status="deleted"))]),
            ),
            ["without effect: sg-1 outbound TCP 80 to sg-old (stale: its peering is deleted)"],
            id="a stale reference",
        ),
        pytest.param(
            estate(
                listener(443), group("sg-1", ingress=[tcp(443, "pl-1")]), prefix_list("pl-1", "1.0.0.0/8", refused=True)
            ),
            [
                "unresolved: prefix list pl-1 (its owner does not share the entries)",
                "without effect: sg-1 inbound TCP 443 from pl-1 (its owner does not share the entries)",
            ],
            id="refused entries",
        ),
        pytest.param(
            estate(
                listener(443, forward=["web"]),
                target_group("web", type="instance", targets=["i-gone"]),
                group("sg-1", egress=[tcp(80, "10.0.0.0/8")]),
            ),
            [
                "unread   outbound TCP 80 to i-gone, target group web",
                f"not judged: instance i-gone: not among the Instances collected of {ACCOUNT} us-east-1",
                "let through instead: sg-1 outbound TCP 80 to 10.0.0.0/8",
            ],
            id="a target that was not read",
        ),
        pytest.param(
            estate(listener(443), uncollected=["SecurityGroups"]),
            [
                "security groups: sg-1 (not read)",
                f"not read: security group sg-1: SecurityGroups of {ACCOUNT} us-east-1 was not collected",
                "unread   inbound TCP 443 from 0.0.0.0/0, HTTPS:443",
            ],
            id="groups that were not read",
        ),
    ],
)
def test_missing_or_not_judged(command: Command, saved: Saved, lines: list[str]) -> None:
    shown = [line.strip() for line in command.on(saved, "explain", "web").out.splitlines()]
    assert [line for line in lines if line not in shown] == []


def test_rows_without_requirements_have_a_reason(command: Command) -> None:
    saved = estate(
        load_balancer("web"),
        listener(80, redirect=True),
        listener(443, forward=["web"]),
        target_group(
            "web", targets=[target("10.0.1.5", state="draining"), target("10.0.1.6", 81, state="unused"), "10.0.1.7"]
        ),
        target_group("fn", type="lambda"),
        target_group("none"),
        target_group("unchecked", targets=["10.0.1.7"], health_checks=False),
        interface("10.0.1.7"),
        group("sg-1"),
        group("sg-app"),
    )
    out = command.on(saved, "explain", "web").out
    common = [
        "HTTP:80: its default action forwards to no target group (it redirects or answers itself)",
        "target group fn: Lambda functions, which are not reached through security groups",
        "target group none: no registered target",
        "target group web: 10.0.1.5 draining: no traffic is sent there",
        "target group web: 10.0.1.6:81 unused: no traffic is sent there",
    ]
    assert [note for note in common if out.count(f"note     {note}\n") != 3] == []
    assert out.count("note     target group unchecked: its health checks are disabled\n") == 1
    assert "authenticate" not in out


def test_the_header_describes_the_load_balancer(command: Command) -> None:
    out = command.on(in_order(), "explain", "web").out
    assert "  application, internet-facing, ipv4, active\n" in out
    assert "  VPC vpc-1: 10.0.0.0/16\n" in out
    assert "  security groups: sg-1 (name-of-sg-1)\n" in out
    assert "  listeners: HTTPS:443\n" in out


def test_rules_come_in_the_order_of_the_page(command: Command) -> None:
    out = command.on(in_order(), "explain", "web").out
    places = [out.index(rule) for rule in (INGRESS, EGRESS, HEALTH, ICMP)]
    assert places == sorted(places)


def test_an_accepted_source_is_named_with_its_rule(command: Command) -> None:
    saved = ingress_of(tcp(443, "pl-edge"))
    saved["ManagedPrefixLists"] = {"pl-edge": {"AddressFamily": "IPv4", "Entries": [{"Cidr": "192.0.2.0/24"}]}}
    answer = command.on(saved, "explain", "web", "--rule", INGRESS, "--parameter", "AcceptedSources=pl-edge")
    assert answer.code == 0
    assert "accepted source pl-edge stands in for 0.0.0.0/0" in answer.out
    assert "sg-1 inbound TCP 443 from pl-edge: names it" in answer.out


def test_the_rules_of_all_accepted_sources_that_are_open_are_shown(command: Command) -> None:
    """Not those of the first alone: the load balancer is open through each of them. Text shows six rules, JSON all."""
    sources = ["pl-edge", "sg-proxy", *(f"198.51.100.{number * 16}/28" for number in range(12))]
    # One rule covers the last two.
    saved = ingress_of(tcp(443, *sources[:-2], "198.51.100.160/27"), tcp(443, "10.0.0.0/8"))
    saved["ManagedPrefixLists"] = {"pl-edge": {"AddressFamily": "IPv4", "Entries": [{"Cidr": "192.0.2.0/24"}]}}
    arguments = ("--rule", INGRESS, "--parameter", f"AcceptedSources={','.join([*sources, '203.0.113.0/24'])}")
    lines = [line.strip() for line in command.on(saved, "explain", "web", *arguments).out.splitlines()]
    start = lines.index("ok       inbound TCP 443 from 0.0.0.0/0, HTTPS:443")
    assert lines[start + 1 :] == [
        f"14 of 15 accepted sources stand in for 0.0.0.0/0: {', '.join(sources[:4])} and 10 more",
        "sg-1 inbound TCP 443 from pl-edge: names it",
        "sg-1 inbound TCP 443 from sg-proxy: names it",
        *(f"sg-1 inbound TCP 443 from {source}: covers {source}" for source in sources[2:6]),
        "and 7 rules more",
    ]
    [row] = command.on(saved, "explain", "web", *arguments, "--format", "json").json["rules"][0]["rows"]
    assert [part["peer"] for part in row["evidence"]] == [*sources[:-2], "198.51.100.160/27"]
    assert row["evidence"][-1]["covers"] == sources[-2:]


@pytest.mark.parametrize("lost", [1, 3])
def test_every_lost_accepted_source_is_listed(command: Command, lost: int) -> None:
    """How many of them, and which: not the first one alone."""
    sources = ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "sg-proxy"]
    saved = ingress_of(tcp(443, *sources[lost:]))
    arguments = ("--rule", INGRESS, "--parameter", f"AcceptedSources={','.join(sources)}")
    answer = command.on(saved, "explain", "web", *arguments, "--parameter", "AcceptedSourcesMatch=all")
    assert f"not open to {lost} of 4 accepted sources: {', '.join(sources[:lost])}\n" in answer.out
    row = command.on(
        saved, "explain", "web", *arguments, "--parameter", "AcceptedSourcesMatch=all", "--format", "json"
    ).json["rules"][0]["rows"][0]
    assert row["lostSources"] == sources[:lost]
    assert row["acceptedSources"] == {"met": sources[lost:], "total": 4}


def test_a_family_that_no_accepted_source_concerns(command: Command) -> None:
    """The row of IPv6 says why the sources, all of IPv4, do not stand in for its clients."""
    saved = estate(
        load_balancer(ip_address_type="dualstack"), listener(443), group("sg-1", ingress=[tcp(443, "192.0.2.0/24")])
    )
    arguments = ("--rule", INGRESS, "--parameter", "AcceptedSources=192.0.2.0/24,198.51.100.0/24")
    out = command.on(saved, "explain", "web", *arguments, "--parameter", "AcceptedSourcesMatch=all").out
    _, of_ipv6 = out.split("inbound TCP 443 from ::/0, HTTPS:443\n")
    assert "no accepted source is IPv6\n" in of_ipv6
    assert "stand in" not in of_ipv6


@pytest.mark.parametrize(
    ("given", "sentence", "closed"),
    [
        ("pl-6,pl-4", "accepted source pl-6 is not open either", ["pl-6"]),
        (
            "pl-6,2001:db8::/32,pl-4@443,192.0.2.0/24@80",
            None,
            [],
        ),
        (
            "pl-6,2001:db8::/32,192.0.2.0/24",
            "none of 2 accepted sources is open either: pl-6, 2001:db8::/32",
            ["pl-6", "2001:db8::/32"],
        ),
    ],
)
def test_accepted_sources_that_would_do_are_named(
    command: Command, given: str, sentence: str | None, closed: list[str]
) -> None:
    """Who opens IPv6 to everybody, as is recommended, may have meant the edge's other list. Sources of another family
    or port are none."""
    saved = estate(load_balancer(ip_address_type="dualstack"), listener(443), group("sg-1", ingress=[tcp(443, "pl-4")]))
    saved["ManagedPrefixLists"] = {
        "pl-4": {"AddressFamily": "IPv4", "Entries": [{"Cidr": "192.0.2.0/24"}]},
        "pl-6": {"AddressFamily": "IPv6", "Entries": [{"Cidr": "2001:db8:1::/48"}]},
    }
    arguments = ("--rule", INGRESS, "--parameter", f"AcceptedSources={given}")
    _, of_ipv6 = command.on(saved, "explain", "web", *arguments).out.split("inbound TCP 443 from ::/0, HTTPS:443\n")
    shown = [line.strip() for line in of_ipv6.splitlines()]
    assert [line for line in shown if "not open either" in line or "is open either" in line] == (
        [sentence] if sentence else []
    )
    rows = command.on(saved, "explain", "web", *arguments, "--format", "json").json["rules"][0]["rows"]
    assert [row["closedSources"] for row in rows] == [[], closed]


def test_a_group_that_targets_let_in_and_the_load_balancer_lost_is_told(command: Command) -> None:
    """A group was taken off the load balancer, and the targets' group still refers to it."""
    saved = estate(
        listener(443, forward=["web"]),
        target_group(targets=["10.0.1.5"]),
        interface("10.0.1.5"),
        group("sg-1"),
        group("sg-app", ingress=[tcp(80, "sg-old")]),
        group("sg-old"),
    )
    out = command.on(saved, "explain", "web", "--rule", "target_ingress").out
    assert "let through instead: sg-app inbound TCP 80 from sg-old, which the load balancer does not carry\n" in out


def test_near_misses_are_sentences_of_their_own(command: Command) -> None:
    saved = estate(
        load_balancer("web", ip_address_type="dualstack-without-public-ipv4"),
        listener(443),
        group("sg-1", ingress=[tcp(443, ANYWHERE), tcp(80, "::/0")]) | {"GroupName": "default"},
    )
    shown = [line.strip() for line in command.on(saved, "explain", "web", "--rule", INGRESS).out.splitlines()]
    expected = [
        "open to 0.0.0.0/0, which is IPv4; this load balancer has no public IPv4",
        "TCP 80 is open to it",
        "sg-1 is the VPC's default group",
    ]
    assert [line for line in expected if line not in shown] == []


def test_addresses_of_todays_nodes_and_no_complement_of_them(command: Command) -> None:
    """Two addresses are open, and fifteen blocks make up the rest of their subnets."""
    saved = estate(
        listener(443, forward=["web"]),
        target_group(targets=["10.0.1.5"]),
        interface("10.0.1.5"),
        group("sg-1"),
        group("sg-app", ingress=[tcp(80, "10.0.1.10/32", "10.0.2.10/32")]),
    )
    shown = command.on(saved, "explain", "web", "--rule", TARGETS).out
    assert "not open to sg-1, nor to all of 10.0.1.0/24, 10.0.2.0/24\n" in shown
    assert "the addresses of nodes change within their subnets\n" in shown
    assert "10.0.1.0/29" not in shown


def test_only_a_reference_is_evidence_where_targets_are_matched_by_group(command: Command) -> None:
    saved = in_order()
    saved["SecurityGroups"][0]["IpPermissionsEgress"] = [all_traffic("10.0.0.0/8"), tcp(80, "sg-app")]
    shown = command.on(saved, "explain", "web", "--parameter", "TargetMatch=security-group").out
    assert "sg-1 outbound TCP 80 to sg-app: 10.0.1.5 carries sg-app" in shown
    saved["SecurityGroups"][0]["IpPermissionsEgress"] = [all_traffic("10.0.0.0/8")]
    shown = command.on(saved, "explain", "web", "--parameter", "TargetMatch=security-group").out
    assert "already:" not in shown
    assert "let through instead: sg-1 outbound all traffic to 10.0.0.0/8" in shown
    assert "allow outbound TCP 80 to sg-app" in shown


@pytest.mark.parametrize(
    ("saved", "code"),
    [(in_order(), 0), (closed(), 1), (in_order(uncollected=["TargetGroups"]), 3)],
)
def test_exit_code(command: Command, saved: Saved, code: int) -> None:
    assert command.on(saved, "explain", "web").code == code
    assert command.on(saved, "explain", "web", "--format", "json").code == code


def test_a_network_load_balancer_is_not_applicable(command: Command) -> None:
    answer = command.on(in_order(network_load_balancer("front")), "explain", "front")
    assert answer.code == 0
    assert answer.out.count("NOT_APPLICABLE") == 5


def test_a_name_of_several_is_refused_with_their_arns(command: Command) -> None:
    path = command.file([in_order(), in_order(region="eu-west-1")])
    said = command.refused("explain", "web", "--estate", path)
    arn = load_balancer_arn("web")
    assert arn in said
    assert arn.replace("us-east-1", "eu-west-1") in said
    assert command("explain", arn, "--estate", path).code == 0


def test_an_unknown_name_is_refused(command: Command) -> None:
    assert "'wbe'" in command.refused("explain", "wbe", "--estate", command.file(in_order()))


def test_an_empty_match_in_an_incomplete_list_is_an_error(command: Command) -> None:
    answer = command.on(in_order(uncollected=["LoadBalancers"]), "explain", "web")
    assert (answer.code, answer.out) == (3, "")
    assert "LoadBalancers" in answer.err


def test_json_holds_every_requirement_with_its_evidence(command: Command) -> None:
    found = command.on(in_order(), "explain", "web", "--format", "json").json
    assert found["loadBalancer"]["loadBalancerArn"] == load_balancer_arn("web")
    assert found["loadBalancer"]["securityGroups"] == [{"id": "sg-1", "name": "name-of-sg-1"}]
    rules = {rule["rule"]: rule for rule in found["rules"]}
    (row,) = rules[EGRESS]["rows"]
    assert (row["status"], row["targets"], row["required"]) == ("met", ["10.0.1.5"], ["10.0.1.5/32"])
    assert row["evidence"] == [
        {
            "securityGroup": "sg-1",
            "protocol": "tcp",
            "fromPort": 80,
            "toPort": 80,
            "peer": "sg-app",
            "match": "target's security group",
            "covers": [],
        }
    ]
    assert row["missing"] is None


def test_json_lists_missing_as_findings_do(command: Command) -> None:
    saved = ingress_of(tcp(443, "0.0.0.0/1"), icmp(8, 0, ANYWHERE))
    rules = command.on(saved, "explain", "web", "--format", "json").json["rules"]
    checked = command.on(saved, "check", "--format", "json").json["findings"]
    for rule in rules:
        (finding,) = [found for found in checked if found["rule"] == rule["rule"]]
        assert [row["missing"] for row in rule["rows"]] == finding["missing"]
