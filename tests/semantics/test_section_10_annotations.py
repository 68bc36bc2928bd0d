"""Semantics §10: annotations. That none is longer than 256 characters is checked in every case of every table too."""

from __future__ import annotations

import pytest

from alb_sg.findings.finding import Finding
from tests.builders import (
    ANYWHERE,
    EGRESS,
    HEALTH,
    ICMP,
    INGRESS,
    TARGETS,
    Saved,
    Shape,
    all_traffic,
    behind,
    estate,
    group,
    icmp,
    interface,
    judge,
    listener,
    load_balancer,
    network_load_balancer,
    prefix_list,
    reference,
    subnet,
    target_group,
    tcp,
    udp,
    vpc,
)

LIMIT = 256
# Names as long as AWS allows: 32 characters of a load balancer's and a target group's, 17 hexadecimal digits of an id.
LONG = "a" * 31
LONG_GROUPS = [f"sg-{digit * 17}" for digit in "01234"]
LONG_BLOCKS = [f"2001:db8:{block}aaa:bb00::/56" for block in "123"]
LONG_ADDRESSES = [f"2001:db8:ffff:ffff:ffff:ffff:ffff:fff{digit}/128" for digit in "024"]


def _says(saved: Saved, rule: str = INGRESS, **parameters: str) -> str:
    result = judge(saved, rule, **parameters)
    assert isinstance(result, Finding), result
    assert len(result.annotation) <= LIMIT
    return result.annotation


def test_the_shape() -> None:
    """`HTTPS:443 not open to 0.0.0.0/0 in sg-0a1b (open to 10.0.0.0/8); HTTP:80 likewise; +1 more`."""
    saved = estate(
        load_balancer(groups=["sg-0a1b"]),
        listener(443, suffix="1"),
        listener(80, suffix="2"),
        listener(8443, "HTTPS", suffix="3"),
        group("sg-0a1b", ingress=[tcp(443, "10.0.0.0/8"), tcp(80, "10.0.0.0/8")]),
    )
    expected = "HTTPS:443 not open to 0.0.0.0/0 in sg-0a1b (open to 10.0.0.0/8); HTTP:80 likewise; +1 more"
    assert _says(saved) == expected


def test_one_missing_thing_is_the_whole_text() -> None:
    saved = estate(listener(443), group("sg-1", ingress=[tcp(443, "10.0.0.0/8")]))
    assert _says(saved) == "HTTPS:443 not open to 0.0.0.0/0 in sg-1 (open to 10.0.0.0/8)"


@pytest.mark.parametrize(
    ("ingress", "expected"),
    [
        # What is missing is 10.0.0.0/15 in the fewest blocks, and that is no part of it: it is all.
        ((), "HTTPS:443 not open to 10.0.0.0/16, 10.1.0.0/16 (VPC) in sg-1"),
        (
            ("10.0.0.0/16",),
            "HTTPS:443 not open to 10.1.0.0/16 of 10.0.0.0/16, 10.1.0.0/16 (VPC) in sg-1 (open to 10.0.0.0/16)",
        ),
    ],
)
def test_blocks_that_adjoin_are_missing_whole_or_in_part(ingress: tuple[str, ...], expected: str) -> None:
    rules = [tcp(443, *ingress)] if ingress else []
    saved = estate(
        load_balancer(scheme="internal"),
        vpc("10.0.0.0/16", "10.1.0.0/16"),
        listener(443),
        group("sg-1", ingress=rules),
    )
    assert _says(saved) == expected


def test_subnets_that_adjoin_are_missing_whole() -> None:
    saved = estate(
        listener(443, forward=["web"]),
        subnet("10.0.0.0/24", id="subnet-a"),
        subnet("10.0.1.0/24", id="subnet-b"),
        target_group(targets=["10.0.1.5"]),
        interface("10.0.1.5"),
        group("sg-1"),
    )
    assert _says(saved, TARGETS) == (
        "target group web TCP:80 not open to sg-1 or 10.0.0.0/24, 10.0.1.0/24 (its subnets) in sg-app of 10.0.1.5"
    )


def test_a_name_that_is_too_long_to_be_said_twice_is_not_cut() -> None:
    """An IPv6 target whose interface is not seen: it is named once, and that it is unresolved is said all the same."""
    groups = [group(one, vpc="vpc-00000000000000000") for one in LONG_GROUPS]
    saved = estate(
        load_balancer(
            groups=LONG_GROUPS, ip_address_type="dualstack", vpc="vpc-00000000000000000", subnets=["subnet-a"]
        ),
        vpc("10.0.0.0/16", "2001:db8:aaaa:bb00::/56", id="vpc-00000000000000000"),
        subnet("10.0.1.0/24", "2001:db8:aaaa:bb01::/64", id="subnet-a", vpc="vpc-00000000000000000"),
        listener(443),
        target_group(
            LONG,
            targets=[f"2001:db8:aaaa:bb00:1111:2222:3333:444{digit}" for digit in range(3)],
            port=65535,
            ip_address_type="ipv6",
            vpc="vpc-00000000000000000",
        ),
        *groups,
    )
    assert _says(saved, TARGETS) == (
        f"target group {LONG} TCP:65535 not open to {LONG_GROUPS[0]}, {LONG_GROUPS[1]} +3 or 2001:db8:aaaa:bb01::/64 "
        "(its subnets) at 2001:db8:aaaa:bb00:1111:2222:3333:4440, as far as is known; +2 more; unresolved"
    )


def test_nothing_open_explains_nothing() -> None:
    assert _says(estate(listener(443), group("sg-1"))) == "HTTPS:443 not open to 0.0.0.0/0 in sg-1"


@pytest.mark.parametrize(
    ("rule", "parts"),
    [
        (EGRESS, ("target group web", "TCP:80", "10.0.1.5", "sg-app", "sg-1", "10.9.0.0/16")),
        (HEALTH, ("target group web", "TCP:8081", "10.0.1.5", "sg-app", "sg-1")),
        (ICMP, ("ICMP type 3 code 4", "0.0.0.0/0", "sg-1")),
        (INGRESS, ("HTTPS:443", "0.0.0.0/0", "sg-1")),
    ],
)
def test_actionable_alone(rule: str, parts: tuple[str, ...]) -> None:
    """ "Listener or target group, protocol and port, the peer that is missing, the groups looked at, and what is open
    instead where that explains it."""
    saved = estate(
        listener(443),
        group("sg-1", egress=[tcp(80, "10.9.0.0/16")]),
        target_group("web", targets=["10.0.1.5"], health_check_port="8081"),
        interface("10.0.1.5", groups=["sg-app"]),
    )
    said = _says(saved, rule)
    assert [part for part in parts if part not in said] == []


def _egress(*rules: Shape, address_type: str = "ipv4", target: str = "10.0.1.5") -> Saved:
    return estate(
        group("sg-1", egress=rules),
        target_group("web", port=8080, ip_address_type=address_type, targets=[target]),
        interface("10.0.1.5", ipv6=["2001:db8::5"], groups=["sg-app"]),
    )


def _ingress(*rules: Shape, **fields: str) -> Saved:
    return estate(load_balancer(**fields), listener(80), group("sg-1", ingress=rules))  # type: ignore[arg-type]  # texts


@pytest.mark.parametrize(
    ("saved", "rule", "expected"),
    [
        pytest.param(
            _ingress(tcp(443, ANYWHERE)),
            INGRESS,
            "HTTP:80 not open to 0.0.0.0/0 in sg-1 (443 is)",
            id="the listener was added, and its port forgotten",
        ),
        pytest.param(
            _ingress(tcp(443, ANYWHERE), tcp((8000, 8010), "0.0.0.0/1", "128.0.0.0/1"), tcp(22, "10.0.0.0/8")),
            INGRESS,
            "HTTP:80 not open to 0.0.0.0/0 in sg-1 (443, 8000-8010 are)",
            id="of other ports, those that are open to all of the peer, by one rule or several",
        ),
        pytest.param(
            _ingress(tcp(80, "10.0.0.0/8"), tcp(443, ANYWHERE)),
            INGRESS,
            "HTTP:80 not open to 0.0.0.0/0 in sg-1 (open to 10.0.0.0/8)",
            id="what is open on the port itself explains more than another port",
        ),
        pytest.param(
            _egress(tcp((32768, 65535), "sg-app")),
            EGRESS,
            "target group web TCP:8080 not open to 10.0.1.5 or sg-app in sg-1 (32768-65535 is)",
            id="the ephemeral range of another port mapping",
        ),
        pytest.param(
            _egress(tcp(443, "10.0.0.0/16")),
            EGRESS,
            "target group web TCP:8080 not open to 10.0.1.5 or sg-app in sg-1 (443 is)",
            id="egress on the listener's port instead of the target's",
        ),
        pytest.param(
            _egress(all_traffic(ANYWHERE), address_type="ipv6", target="2001:db8::5"),
            EGRESS,
            "target group web TCP:8080 not open to 2001:db8::5 or sg-app in sg-1 (open to 0.0.0.0/0)",
            id="the default egress of IPv4 for an IPv6 target",
        ),
        pytest.param(
            _ingress(tcp(80, ANYWHERE), ip_address_type="dualstack-without-public-ipv4"),
            INGRESS,
            "HTTP:80 not open to ::/0 in sg-1 (open to 0.0.0.0/0; this load balancer has no public IPv4)",
            id="no public IPv4",
        ),
        pytest.param(
            _ingress(tcp(80, ANYWHERE), ip_address_type="dualstack"),
            INGRESS,
            "HTTP:80 not open to ::/0 in sg-1 (open to 0.0.0.0/0)",
            id="dualstack: the other family alone",
        ),
        pytest.param(
            _ingress(icmp(3, 4, ANYWHERE), ip_address_type="dualstack"),
            ICMP,
            "ICMPv6 type 2 code 0 not open to ::/0 in sg-1 (open to 0.0.0.0/0)",
            id="Path MTU Discovery of the other family",
        ),
        pytest.param(
            _ingress(icmp(8, -1, ANYWHERE)),
            ICMP,
            "ICMP type 3 code 4 not open to 0.0.0.0/0 in sg-1 (type 8 is)",
            id="echo alone",
        ),
        pytest.param(
            estate(
                listener(80),
                group("sg-1", ingress=[tcp(80, "pl-1", "pl-6", "10.0.0.0/8", "sg-1")]),
                prefix_list("pl-1", "120.52.22.96/27", "205.251.249.0/24"),
                prefix_list("pl-6", "2600:9000::/28"),
            ),
            INGRESS,
            "HTTP:80 not open to 0.0.0.0/0 in sg-1 (open to 10.0.0.0/8, pl-1, sg-1)",
            id="a prefix list by its id, which says more than its entries",
        ),
        pytest.param(
            estate(
                listener(80),
                group("sg-1", ingress=[tcp(80, "pl-1", "10.0.0.0/8")]),
                prefix_list("pl-1", "10.1.0.0/16"),
            ),
            INGRESS,
            "HTTP:80 not open to 0.0.0.0/0 in sg-1 (open to 10.0.0.0/8)",
            id="no prefix list that opens nothing more",
        ),
        pytest.param(
            _egress(tcp(8080, reference("sg-old", peering="pcx-1", vpc="vpc-2", status="deleted"))),
            EGRESS,
            "target group web TCP:8080 not open to 10.0.1.5 or sg-app in sg-1 (the reference to sg-old is stale)",
            id="a stale reference",
        ),
        pytest.param(
            _egress(tcp((0, 0), ANYWHERE)),
            EGRESS,
            "target group web TCP:8080 not open to 10.0.1.5 or sg-app in sg-1 (port 0 alone is)",
            id="0 to 0, which is every port for protocol -1 alone",
        ),
        pytest.param(
            estate(listener(80), group("sg-1", ingress=[all_traffic("sg-1")]) | {"GroupName": "default"}),
            INGRESS,
            "HTTP:80 not open to 0.0.0.0/0 in sg-1 (open to sg-1; sg-1 is the VPC's default group)",
            id="the group that a load balancer gets when none is named",
        ),
    ],
)
def test_the_annotation_has_the_near_miss(saved: Saved, rule: str, expected: str) -> None:
    """ "The near miss is said where there is one." """
    assert _says(saved, rule) == expected


def test_other_ports_are_no_near_miss_where_they_are_open_to_others() -> None:
    assert _says(_ingress(tcp(443, "10.0.0.0/8"), udp(80, ANYWHERE))) == "HTTP:80 not open to 0.0.0.0/0 in sg-1"


def test_a_near_miss_gives_way_before_the_groups_do() -> None:
    groups = [group(id_, ingress=[tcp(443, ANYWHERE)]) | {"GroupName": "default"} for id_ in LONG_GROUPS]
    saved = estate(load_balancer(groups=LONG_GROUPS), *(listener(port) for port in range(8001, 8051)), *groups)
    said = _says(saved)
    assert "not open to 0.0.0.0/0 in sg-00000000000000000, sg-11111111111111111 +3 (443 is" in said


def test_every_group_is_looked_at() -> None:
    saved = estate(load_balancer(groups=["sg-1", "sg-2"]), listener(443), group("sg-1"), group("sg-2"))
    assert "in sg-1, sg-2" in _says(saved)


def test_the_rest_is_counted() -> None:
    """50 listeners: the first in full, some likewise, and together they are all of them."""
    saved = estate(*(listener(port) for port in range(8001, 8051)), group("sg-1", ingress=[tcp(1, ANYWHERE)]))
    said = _says(saved)
    assert said.startswith("HTTP:8001 not open to 0.0.0.0/0 in sg-1")
    counted = int(said.rsplit("+", 1)[1].removesuffix(" more"))
    assert 1 + said.count("likewise") + counted == 50


def test_many_targets_are_counted() -> None:
    targets = [f"10.0.{third}.{fourth}" for third in range(4) for fourth in range(1, 26)]
    saved = estate(group("sg-1"), target_group("web", targets=targets))
    assert _says(saved, EGRESS).endswith("; +99 more")


@pytest.mark.parametrize(
    ("saved", "rule", "first"),
    [
        (
            estate(
                load_balancer(scheme="internal", ip_address_type="dualstack", groups=LONG_GROUPS[:3]),
                listener(65535, "HTTPS"),
                *(group(id_, ingress=[tcp(65535, *LONG_ADDRESSES, "10.0.0.0/8")]) for id_ in LONG_GROUPS),
                vpc("10.0.0.0/16", *LONG_BLOCKS),
            ),
            INGRESS,
            ("HTTPS:65535", *LONG_BLOCKS, *LONG_GROUPS[:3]),
        ),
        (
            estate(
                load_balancer(scheme="internal", groups=LONG_GROUPS[:3]),
                listener(65535, "HTTPS"),
                *(
                    group(id_, ingress=[tcp(65535, "203.0.113.128/32", "203.0.113.130/32", "203.0.113.132/32")])
                    for id_ in LONG_GROUPS[:3]
                ),
                vpc("100.100.100.0/24", "100.100.102.0/24", "100.100.104.0/24"),
                network_load_balancer(LONG, scheme="internal", groups=["sg-aaaaaaaaaaaaaaaaa", "sg-bbbbbbbbbbbbbbbbb"]),
                behind(65535, nlb=LONG),
            ),
            INGRESS,
            ("HTTPS:65535", "100.100.100.0/24", "sg-aaaaaaaaaaaaaaaaa", *LONG_GROUPS[:3]),
        ),
        (
            estate(
                load_balancer(groups=LONG_GROUPS[:3]),
                *(group(id_, egress=[tcp(65535, *LONG_ADDRESSES)]) for id_ in LONG_GROUPS[:3]),
                target_group(
                    LONG, port=65535, ip_address_type="ipv6", targets=["2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"]
                ),
                interface(
                    "10.0.1.5",
                    ipv6=["2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"],
                    groups=[f"sg-{digit * 17}" for digit in "abcde"],
                ),
            ),
            EGRESS,
            (LONG, "TCP:65535", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", *LONG_GROUPS[:3]),
        ),
    ],
    ids=["long VPC blocks", "a long NLB", "a long target"],
)
def test_the_first_missing_thing_in_full(saved: Saved, rule: str, first: tuple[str, ...]) -> None:
    """ "Say the first missing thing in full": what is open instead gives way before the peer and the groups do."""
    said = _says(saved, rule)
    assert "…" not in said
    assert [part for part in first if part not in said] == []


def test_the_annotation_keeps_unresolved_targets() -> None:
    """§2: "the finding is marked `unresolved` and says what"."""
    lists = [f"pl-{digit * 17}" for digit in "0123456789"]
    saved = estate(
        load_balancer(groups=LONG_GROUPS, scheme="internal"),
        *(listener(port) for port in range(65500, 65530)),
        *(
            group(id_, ingress=[tcp(None, *lists, *(f"203.0.113.{2 * host}/32" for host in range(12)))])
            for id_ in LONG_GROUPS
        ),
        *(prefix_list(id_, refused=True) for id_ in lists),
        vpc("100.100.100.0/24", "100.100.102.0/24", "100.100.104.0/24"),
    )
    result = judge(saved, INGRESS)
    assert isinstance(result, Finding)
    assert result.unresolved
    assert len(result.annotation) <= LIMIT
    assert "unresolved" in result.annotation
    assert lists[0] in result.annotation


def test_accepted_sources_of_many_listeners() -> None:
    """The annotation says which source, however many listeners there are."""
    saved = estate(*(listener(port) for port in range(8001, 8051)), group("sg-1", ingress=[tcp(None, "10.0.0.0/8")]))
    assert "10.0.0.0/8" in _says(saved, AcceptedSources="10.0.0.0/8")


def _two_lists(*order: str) -> Saved:
    rules: list[Shape] = [tcp(443, one) for one in order]
    return estate(
        listener(443),
        group("sg-1", ingress=rules),
        prefix_list("pl-1", refused=True),
        prefix_list("pl-2", refused=True),
    )


def test_the_same_estate_in_another_order_gives_the_same_text() -> None:
    """ "Deterministic: the same estate gives the same text." """
    assert _says(_two_lists("pl-1", "pl-2")) == _says(_two_lists("pl-2", "pl-1"))


def test_the_same_error_in_another_order() -> None:
    """What an error names does not hang on the order of rules either."""

    def lacking(*order: str) -> Saved:
        return estate(listener(443), group("sg-1", ingress=[tcp(443, *order)]))

    assert judge(lacking("pl-1", "pl-2"), INGRESS) == judge(lacking("pl-2", "pl-1"), INGRESS)


def test_not_one_text_claims_that_egress_is_complete() -> None:
    """§1: "No text of ours may claim that egress is complete." """
    saved = estate(group("sg-1", egress=[tcp(80, ANYWHERE)]), target_group(targets=["10.0.1.5"]))
    for rule in (EGRESS, HEALTH):
        said = _says(saved, rule).lower()
        assert not any(claim in said for claim in ("complete", "all egress", "all outbound", "everything"))
