"""What the Hook reads of an account: the details that a change makes necessary, and no others. How long it takes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from alb_sg.functions import hook
from tests.builders import (
    ACCOUNT,
    ANYWHERE,
    EGRESS,
    ICMP,
    INGRESS,
    TARGETS,
    Shape,
    behind,
    estate,
    group,
    interface,
    listener,
    load_balancer,
    load_balancer_arn,
    network_load_balancer,
    permission,
    prefix_list,
    target_group,
    tcp,
    vpc,
)
from tests.functions.hook_events import LISTENER, UNKNOWN, changed, event, payload
from tests.functions.large_region import (
    ENTIRE,
    FROM_LOAD_BALANCER,
    INBOUND,
    NO_EGRESS,
    NO_INGRESS,
    NO_TARGETS,
    NOTHING,
    OUTBOUND,
    TO_APP,
    LimitedRegion,
    change,
    large_region,
    rule,
)
from tests.live.region import Call, Region

RULES: Mapping[str, Shape] = {INGRESS: {}, ICMP: {}, EGRESS: {}, TARGETS: {}}
IDS = {"Changed": "sg-1", "Other": "sg-2", "App": "sg-app", "List": "pl-1", "Spare": "sg-3"}


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    """The Hook's answer about a change of a region."""

    def asked(
        region: Region, *entries: Shape, rules: Mapping[str, Shape] = RULES, ids: Mapping[str, str] = IDS
    ) -> dict[str, Any]:
        monkeypatch.setenv(hook.RULES_VARIABLE, json.dumps(rules))
        monkeypatch.setattr(hook, "fetch_payload", lambda _: payload({}, entries))
        monkeypatch.setattr(hook, "physical_ids", lambda *_: ids)
        monkeypatch.setattr(hook, "LiveSource", lambda *_: region.source())
        return hook.lambda_handler(event(awsAccountId=ACCOUNT), None)

    return asked


Ask = Callable[..., dict[str, Any]]


def two_load_balancers(*more: Shape) -> Region:
    """`web` and `other`, with a group, a target group and a listener each, which work."""
    return Region(
        estate(
            load_balancer("web", groups=["sg-1", "sg-3", "sg-4"]),
            load_balancer("other", groups=["sg-2"]),
            group("sg-1", ingress=[tcp(443, ENTIRE), tcp(443, ANYWHERE)], egress=[tcp(80, "sg-app")]),
            group("sg-2", ingress=[tcp(443, ANYWHERE)], egress=[tcp(80, "sg-app")]),
            group("sg-3", ingress=[tcp(22, ANYWHERE)]),
            group("sg-4", ingress=[tcp((1, 100), ANYWHERE)]),
            group("sg-app", ingress=[tcp(80, "sg-1", "sg-2")]),
            listener(443, of="web", forward=["web"]),
            listener(443, of="other", forward=["other"]),
            target_group("web", targets=["10.0.1.5"]),
            target_group("other", load_balancers=["other"], targets=["10.0.1.6"]),
            interface("10.0.1.5"),
            interface("10.0.1.6"),
            *more,
        )
    )


def details(region: Region) -> dict[str, list[str]]:
    """The load balancers whose listeners and whose targets were asked for, by name."""
    found: dict[str, list[str]] = {"listeners": [], "targets": []}
    for call in region.calls:
        for operation, parameter, kind in (
            ("DescribeListeners", "LoadBalancerArn", "listeners"),
            ("DescribeTargetHealth", "TargetGroupArn", "targets"),
        ):
            if call.operation == operation:
                found[kind].append(call.parameters[parameter].split("/")[-2])
    return {kind: sorted(names) for kind, names in found.items()}


@pytest.mark.parametrize(
    ("why", "entry", "listeners", "targets"),
    [
        ("more is let in", change({INBOUND: []}, {INBOUND: [rule(80)]}), [], []),
        ("a part of what stays open", change({INBOUND: [rule(443, ENTIRE)]}, {INBOUND: []}), [], []),
        ("what another group of each still lets in", change({INBOUND: [rule(22)]}, {INBOUND: []}, "Spare"), [], []),
        ("less is let in", change({INBOUND: [rule(443)]}, {INBOUND: []}), ["web"], []),
        ("less is let out", change({OUTBOUND: [TO_APP]}, {OUTBOUND: [rule(443)]}), [], ["web"]),
        (
            "an address in place of a reference, which a rule may ask for",
            change({OUTBOUND: [TO_APP]}, {OUTBOUND: [rule(80)]}),
            [],
            ["web"],
        ),
        (
            "less is let in to targets, which may be those of any target group of the VPC",
            change({INBOUND: [FROM_LOAD_BALANCER]}, {INBOUND: []}, "App"),
            [],
            ["other", "web"],
        ),
        (
            "a block of the VPC concerns all load balancers in it",
            changed("Block", "AWS::EC2::VPCCidrBlock", after={"VpcId": "vpc-1", "CidrBlock": "10.1.0.0/16"}),
            ["other", "web"],
            ["other", "web"],
        ),
        (
            "a subnet concerns the paths to targets",
            changed("Block", "AWS::EC2::SubnetCidrBlock", after={"SubnetId": "subnet-a", "Ipv6CidrBlock": UNKNOWN}),
            [],
            ["other", "web"],
        ),
        (
            "a listener concerns its load balancer",
            changed(
                "New",
                LISTENER,
                after={
                    "LoadBalancerArn": load_balancer_arn("other"),
                    "Port": 8443,
                    "Protocol": "HTTPS",
                    "DefaultActions": [{"Type": "fixed-response"}],
                },
            ),
            ["other"],
            ["other"],
        ),
    ],
)
def test_details_are_read_where_a_verdict_can_become_worse(
    why: str, entry: Shape, listeners: Sequence[str], targets: Sequence[str], ask: Ask
) -> None:
    region = two_load_balancers()
    ask(region, entry)
    assert details(region) == {"listeners": listeners, "targets": targets}, why


def written(peer: str, protocol: str = "tcp", ports: tuple[int, int] = (443, 443), direction: str = INBOUND) -> Shape:
    """A rule in a template, and with `ip_permissions` as EC2 has it."""
    side = "Source" if direction == INBOUND else "Destination"
    kinds = {"pl-": f"{side}PrefixListId", "sg-": f"{side}SecurityGroupId"}
    key = kinds.get(peer[:3], "CidrIpv6" if ":" in peer else "CidrIp")
    return {"IpProtocol": protocol, "FromPort": ports[0], "ToPort": ports[1], key: peer}


def ip_permission(one: Shape) -> Shape:
    [peer] = (one[key] for key in one if key not in ("IpProtocol", "FromPort", "ToPort"))
    return permission(one["IpProtocol"], one["FromPort"], one["ToPort"], peer)


@pytest.mark.parametrize(
    ("why", "before", "after", "is_less"),
    [
        ("all traffic", written(ANYWHERE), written(ANYWHERE, "-1", (-1, -1)), False),
        ("another protocol", written(ANYWHERE), written(ANYWHERE, "udp"), True),
        ("more ports", written(ENTIRE), written(ENTIRE, ports=(400, 500)), False),
        ("exactly up to it", written(ENTIRE), written(ENTIRE, ports=(400, 443)), False),
        ("other ports", written(ENTIRE), written(ENTIRE, ports=(444, 500)), True),
        ("fewer ports", written(ENTIRE, ports=(400, 500)), written(ENTIRE), True),
        ("more addresses", written(ENTIRE), written(ANYWHERE), False),
        ("fewer addresses", written(ANYWHERE), written(ENTIRE), True),
        # As numbers, IPv4's are among those of IPv6.
        ("another family", written(ENTIRE), written("::/0"), True),
        ("a type for its addresses", written(ENTIRE, "icmp", (3, 4)), written(ANYWHERE, "icmp", (3, 4)), False),
        ("another type, which is no range", written(ENTIRE, "icmp", (3, 4)), written(ANYWHERE, "icmp", (0, 8)), True),
        ("a list on more ports", written("pl-1"), written("pl-1", ports=(400, 500)), False),
        ("another list", written("pl-1"), written("pl-2", ports=(400, 500)), True),
        ("another reference", written("sg-9"), written("sg-8", ports=(400, 500)), True),
        ("a list in place of addresses", written(ENTIRE), written("pl-1", ports=(400, 500)), True),
        ("a reference in place of addresses", written(ENTIRE), written("sg-9", ports=(400, 500)), True),
        ("addresses in place of a list", written("pl-1"), written(ANYWHERE, ports=(400, 500)), True),
        ("addresses in place of a reference", written("sg-9"), written(ANYWHERE, ports=(400, 500)), True),
    ],
)
def test_a_rule_lets_through_less_where_no_other_one_lets_through_all_of_it(
    why: str, before: Shape, after: Shape, is_less: bool, ask: Ask
) -> None:
    lists = [prefix_list(one, "198.51.100.0/24") for one in ("pl-1", "pl-2")]
    region = Region(
        estate(
            load_balancer("web"),
            listener(443),
            group("sg-1", ingress=[ip_permission(before)]),
            group("sg-8"),
            group("sg-9"),
            *lists,
        )
    )
    ask(region, change({INBOUND: [before]}, {INBOUND: [after]}), rules={INGRESS: {}})
    assert details(region)["listeners"] == (["web"] if is_less else []), why


@pytest.mark.parametrize(
    ("entry", "broken"),
    [
        (change({INBOUND: [rule(443)]}, {INBOUND: []}), f"{INGRESS} web"),
        (change({OUTBOUND: [TO_APP]}, {OUTBOUND: [rule(443)]}), f"{EGRESS} web"),
        (change({INBOUND: [FROM_LOAD_BALANCER]}, {INBOUND: []}, "App"), f"{TARGETS} web"),
    ],
)
def test_each_side_is_judged_from_its_own_details(entry: Shape, broken: str, ask: Ask) -> None:
    answer = ask(two_load_balancers(), entry)
    assert answer["hookStatus"] == "FAILED"
    assert [one["annotationName"] for one in answer["annotations"]] == [broken]


def test_clients_of_a_network_load_balancer_are_those_of_the_load_balancer_behind_it(ask: Ask) -> None:
    """Its group lets everybody in, and the Application Load Balancer's lets in as many as before."""
    region = Region(
        estate(
            load_balancer("web", scheme="internal", groups=["sg-1"]),
            network_load_balancer("nlb", groups=["sg-2"]),
            behind(443),
            listener(443, of="web"),
            listener(443, "TCP", of=load_balancer_arn("nlb", "network"), forward=["to-web"]),
            group("sg-1", ingress=[tcp(443, "10.0.0.0/16", "192.0.2.0/24")]),
            group("sg-2", ingress=[tcp(443, "192.0.2.0/24")]),
        )
    )
    wider = {INBOUND: [rule(443, "192.0.2.0/24"), rule(443)]}
    answer = ask(region, change({INBOUND: [rule(443, "192.0.2.0/24")]}, wider, "Other"), rules={INGRESS: {}})
    assert answer["hookStatus"] == "FAILED", answer
    assert answer["annotations"][0]["annotationName"] == f"{INGRESS} web"


def test_the_load_balancers_that_were_judged_are_counted(ask: Ask) -> None:
    """Those that the change concerns, and new ones."""
    region = two_load_balancers(group("sg-5", ingress=[tcp(80, ENTIRE)]))
    region.saved["NetworkInterfaces"][0]["Groups"].append({"GroupId": "sg-5", "GroupName": "b"})
    region.saved["NetworkInterfaces"][1]["Groups"].append({"GroupId": "sg-5", "GroupName": "b"})
    answer = ask(region, change({INBOUND: [FROM_LOAD_BALANCER]}, {INBOUND: []}, "App"))
    assert answer["annotations"][0]["statusMessage"] == "2 load balancers judged, none newly broken"
    answer = ask(two_load_balancers(), change({INBOUND: [rule(443, ENTIRE)]}, {INBOUND: []}))
    assert answer["annotations"][0]["statusMessage"] == "0 load balancers judged, none newly broken"


def test_entries_of_a_prefix_list_concern_the_groups_that_name_it(ask: Ask) -> None:
    region = two_load_balancers(prefix_list("pl-1", "198.51.100.0/24"))
    region.saved["SecurityGroups"][1]["IpPermissions"].append(tcp(80, "pl-1"))
    before = {"AddressFamily": "IPv4", "MaxEntries": 5, "PrefixListName": "p", "Entries": [{"Cidr": "198.51.100.0/24"}]}
    ask(region, changed("List", "AWS::EC2::PrefixList", "UPDATE", before=before, after={**before, "Entries": []}))
    assert details(region) == {"listeners": ["other"], "targets": []}


def test_tags_are_read_where_a_rule_names_their_key(ask: Ask) -> None:
    less = change({INBOUND: [rule(443)]}, {INBOUND: []})
    for parameters, calls in (({}, 0), ({"TagKey": "clients"}, 1)):
        region = two_load_balancers()
        # One rule that does is enough.
        ask(region, less, rules={INGRESS: parameters, EGRESS: {}})
        assert region.counts().get("DescribeTags", 0) == calls


def test_an_earlier_finding_beside_targets_that_are_not_known_is_not_blocked(ask: Ask) -> None:
    """Before the change, it is judged as after it: by the targets that are known."""
    region = Region(
        estate(
            load_balancer("web"),
            listener(443, forward=["web", "vm"]),
            target_group("web", targets=["10.0.1.5"]),
            target_group("vm", type="instance", targets=["i-404"]),
            interface("10.0.1.5"),
            group("sg-1", egress=[tcp(443, ANYWHERE)]),
        )
    )
    entry = change({OUTBOUND: [rule(443)]}, {OUTBOUND: [rule(443, ENTIRE)]})
    answer = ask(region, entry, rules={EGRESS: {}})
    assert [one["status"] for one in answer["annotations"]] == ["PASSED"], answer


def test_findings_are_told_by_load_balancer_and_rule(ask: Ask) -> None:
    region = two_load_balancers(group("sg-5", ingress=[tcp(443, ANYWHERE)]))
    region.saved["LoadBalancers"][1]["SecurityGroups"] = ["sg-1", "sg-5"]
    answer = ask(region, NOTHING, rules={INGRESS: {}, EGRESS: {}})
    # `other` has lost the way to its targets alone.
    assert [one["annotationName"] for one in answer["annotations"]] == [
        f"{EGRESS} other",
        f"{EGRESS} web",
        f"{INGRESS} web",
    ]


def test_a_new_block_of_the_vpc_in_a_stack_of_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has no load balancer, and breaks one of the account."""
    region = Region(
        estate(
            load_balancer("web", scheme="internal"),
            listener(443),
            group("sg-1", ingress=[tcp(443, "10.0.0.0/16")]),
            vpc("10.0.0.0/16"),
        )
    )
    block = {"Type": "AWS::EC2::VPCCidrBlock", "Properties": {"VpcId": "vpc-1", "CidrBlock": "10.9.0.0/16"}}
    monkeypatch.setenv(hook.RULES_VARIABLE, json.dumps({INGRESS: {}}))
    monkeypatch.setattr(hook, "fetch_payload", lambda _: {"template": json.dumps({"Resources": {"Block": block}})})
    monkeypatch.setattr(hook, "LiveSource", lambda *_: region.source())
    answer = hook.lambda_handler(event("STACK", awsAccountId=ACCOUNT), None)
    assert "HTTPS:443 not open to 10.9.0.0/16" in answer["annotations"][0]["statusMessage"]


@pytest.mark.parametrize(
    ("seconds", "invocations", "unread"),
    [
        # Three seconds are left to judge.
        (7.0, 1, None),
        (7.1, 1, "there was no time to read 2 load balancers, first third"),
        # Another invocation follows.
        (7.1, 3, None),
    ],
)
def test_reading_ends_in_time_to_judge(
    seconds: float, invocations: int, unread: str | None, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first listeners that are read take that long."""
    now = [100.0]

    def wait(call: Call) -> None:
        if call.operation == "DescribeListeners":
            now[0] = 100.0 + seconds

    monkeypatch.setattr(hook, "monotonic", lambda: now[0])
    monkeypatch.setattr(hook, "BATCH", 1)
    monkeypatch.setattr(hook, "SECONDS_TO_ANSWER", 10.0)
    monkeypatch.setattr(hook, "MAX_INVOCATIONS", invocations)
    region = Region(
        two_load_balancers(load_balancer("third", groups=["sg-2"]), listener(443, of="third")).saved, intervene=wait
    )
    block = changed("Block", "AWS::EC2::VPCCidrBlock", after={"VpcId": "vpc-1", "CidrBlock": "10.1.0.0/16"})
    answer = ask(region, block, rules={INGRESS: {}})
    if unread is None:
        assert (answer["hookStatus"], details(region)["listeners"]) == ("SUCCESS", ["other", "third", "web"])
    else:
        assert (answer["errorCode"], answer["message"]) == ("InternalFailure", unread)
        assert details(region)["listeners"] == ["other"]


@pytest.fixture
def ask_in_time(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    """The last answer, in a time that passes with the calls. All invocations are one piece of time here, without the
    pauses between them, in which the token buckets fill."""
    seconds = hook.MAX_INVOCATIONS * hook.SECONDS_TO_ANSWER
    monkeypatch.setattr(hook, "SECONDS_TO_ANSWER", seconds)
    monkeypatch.setattr(hook, "MAX_INVOCATIONS", 1)

    def asked(region: LimitedRegion, *entries: Shape) -> dict[str, Any]:
        monkeypatch.setattr(hook, "monotonic", region.time.clock)
        answer = ask(region, *entries)
        assert region.time.clock() < seconds
        return answer

    return asked


@pytest.mark.slow
@pytest.mark.parametrize(
    ("entry", "rule_name"),
    [(NO_INGRESS, INGRESS), (NO_EGRESS, EGRESS), (NO_TARGETS, TARGETS)],
)
def test_five_hundred_load_balancers_are_judged_in_time(entry: Shape, rule_name: str, ask_in_time: Ask) -> None:
    region = large_region(lost=["web-499"])
    answer = ask_in_time(region, entry)
    assert answer["errorCode"] == "NonCompliant", answer
    named = {one["annotationName"] for one in answer["annotations"]}
    # Every target's group lets the load balancers in no more.
    assert f"{rule_name} {'web-000' if rule_name == TARGETS else 'web-499'}" in named
    assert rule_name == TARGETS or len(named) == 1
    assert "no time" not in answer["message"]


@pytest.mark.slow
def test_findings_in_time_count_although_the_rest_was_not_read(ask_in_time: Ask) -> None:
    """Both sides of all load balancers take twice the time."""
    answer = ask_in_time(large_region(lost=["web-007"]), NOTHING)
    assert answer["errorCode"] == "NonCompliant", answer
    assert "web-007" in answer["message"]
    assert re.search(r"there was no time to read \d+ load balancers", answer["message"])


@pytest.mark.slow
def test_unread_data_at_the_time_limit_gives_no_verdict(ask_in_time: Ask) -> None:
    answer = ask_in_time(large_region(lost=["web-499"]), NOTHING)
    assert (answer["hookStatus"], answer["errorCode"]) == ("FAILED", "InternalFailure"), answer
    assert re.search(r"there was no time to read \d+ load balancers, first web-\d+", answer["message"])


@pytest.mark.slow
def test_five_hundred_load_balancers_that_lose_nothing_need_no_details(ask_in_time: Ask) -> None:
    region = large_region()
    answer = ask_in_time(region, change({INBOUND: [rule(443)]}, {INBOUND: [rule(443), rule(80)]}))
    assert answer["hookStatus"] == "SUCCESS"
    assert region.time.clock() < 5
