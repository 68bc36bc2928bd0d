"""Plans for saved estates: the rules, their groups, refusals and missing facts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from alb_sg.parameters import parse_parameters
from alb_sg.remediation import planning
from alb_sg.remediation.change_context import ChangeContexts, unknown_change_context
from alb_sg.remediation.fix_request import FixPolicy, ManagedGroupPolicy, WideOpeningPolicy
from alb_sg.remediation.plan import Plan, RefusalReason
from alb_sg.remediation.planning import judge_load_balancer, make_plan
from alb_sg.remediation.quota import prefix_list_weight
from alb_sg.remediation.required_rules import required_rules
from alb_sg.remediation.resource_managers import find_manager
from tests.builders import (
    ACCOUNT,
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
    build,
    estate,
    group,
    instance,
    interface,
    listener,
    load_balancer,
    load_balancer_arn,
    network_load_balancer,
    node,
    prefix_list,
    reference,
    subnet,
    target,
    target_group,
    tcp,
    vpc,
)
from tests.remediation.account import fix_of

APPROVED = FixPolicy(wide_opening=WideOpeningPolicy.APPROVAL)


def plan(saved: Saved, *rules: str, policy: FixPolicy | None = None, **given: str) -> Plan:
    """The plan for `web`; `given` are rule parameters."""
    built = build(saved)
    web = built.load_balancers[load_balancer_arn("web")]
    fix = fix_of(*rules, policy=policy, parameters=parse_parameters(given))
    return make_plan(built, web, fix, judge_load_balancer(built, web, fix), ChangeContexts([built]).of(built, web))


def added(found: Plan) -> list[str]:
    """The rules to add, such as `sg-1 ingress tcp 443 0.0.0.0/0`."""
    return [
        f"{one.group_id or 'new'} {one.direction.value} {one.permission.protocol} {one.permission.from_port} {one.peer}"
        for one in found.additions
    ]


def refused(found: Plan) -> list[RefusalReason]:
    return [refusal.reason for refusal in found.refusals]


def web(*parts: Shape, groups: Sequence[str] = ("sg-1",), **fields: Any) -> Saved:
    """A closed load balancer with a listener on 443 and a target in sg-app."""
    present = {part.get("GroupId") for part in parts}
    return estate(
        load_balancer("web", groups=groups, **fields),
        listener(443, forward=["web"]),
        target_group("web", targets=["10.0.1.5"]),
        interface("10.0.1.5"),
        *(group(one) for one in groups if one not in present),
        vpc("10.0.0.0/16"),
        *parts,
    )


def test_every_recommendation_in_one_plan() -> None:
    found = plan(web())
    assert added(found) == [
        "sg-1 egress tcp 80 sg-app",
        "sg-1 ingress icmp 3 0.0.0.0/0",
        "sg-1 ingress tcp 443 0.0.0.0/0",
    ]
    assert found.additions[0].rule_names == (HEALTH, EGRESS)
    assert [addition.open_to_everyone for addition in found.additions] == [False, True, True]
    assert refused(found) == []


def test_the_recommended_peer_and_not_its_complement() -> None:
    saved = web(group("sg-1", ingress=[tcp(443, "10.0.0.0/8", "192.168.0.0/16", "203.0.113.7/32")]))
    assert added(plan(saved, INGRESS)) == ["sg-1 ingress tcp 443 0.0.0.0/0"]


def test_behind_a_network_load_balancer_its_group() -> None:
    """One reference meets its clients and its health checks, and opens nothing to anybody else."""
    saved = web(network_load_balancer("nlb", groups=["sg-nlb"], scheme="internal"), behind(443), scheme="internal")
    assert added(plan(saved, INGRESS)) == ["sg-1 ingress tcp 443 sg-nlb"]


def test_behind_an_internet_facing_network_load_balancer_a_person_approves_its_group() -> None:
    """The reference lets in everybody whom that load balancer lets in, and anybody may have put it in front."""
    saved = web(network_load_balancer("nlb", groups=["sg-nlb"]), behind(443), scheme="internal")
    found = plan(saved, INGRESS)
    assert (added(found), refused(found)) == ([], [RefusalReason.OPENS_INTERNAL])
    [wanted] = found.refusals[0].additions
    assert (wanted.peer, wanted.is_wide) == ("sg-nlb", True)
    approved = plan(saved, INGRESS, policy=APPROVED)
    assert added(approved) == ["sg-1 ingress tcp 443 sg-nlb"]
    assert [addition.is_wide for addition in approved.additions] == [True]


@pytest.mark.parametrize(
    ("clients", "fields", "is_planned"),
    [
        ("10.0.0.0/8 100.64.0.0/10", {"scheme": "internal"}, True),
        # Together they are everybody, although none of them is.
        ("0.0.0.0/1 128.0.0.0/1", {"scheme": "internal"}, False),
        ("internet", {"scheme": "internal"}, False),
        ("198.51.100.7/32", {"scheme": "internal"}, False),
        ("vpc", {"scheme": "internal"}, True),
        # A prefix list is what its entries are.
        ("pl-public", {"scheme": "internal"}, False),
        ("pl-private", {"scheme": "internal"}, True),
        # Everybody in IPv6, half of them, IPv4 in other words, and unique local addresses.
        ("::/0 10.0.0.0/8", {"scheme": "internal", "ip_address_type": "dualstack"}, False),
        ("2000::/3 10.0.0.0/8", {"scheme": "internal", "ip_address_type": "dualstack"}, False),
        ("::ffff:0:0/96 10.0.0.0/8", {"scheme": "internal", "ip_address_type": "dualstack"}, False),
        ("fd00::/8 10.0.0.0/8", {"scheme": "internal", "ip_address_type": "dualstack"}, True),
        # The page opens an internet-facing load balancer to everybody.
        ("internet", {}, True),
        ("0.0.0.0/1 128.0.0.0/1", {}, True),
    ],
)
def test_a_tag_opens_no_more_than_the_page(clients: str, fields: dict[str, Any], is_planned: bool) -> None:
    blocks = {"pl-public": "198.51.100.0/24", "pl-private": "10.3.0.0/16"}
    lists = [{**prefix_list(name, cidr), "MaxEntries": 5} for name, cidr in blocks.items()]
    saved = web(*lists, tags={"clients": clients}, **fields)
    for rule in (INGRESS, ICMP):
        found = plan(saved, rule, TagKey="clients")
        assert refused(found) == ([] if is_planned else [RefusalReason.OPENS_INTERNAL])
        assert bool(added(found)) is is_planned
        approved = plan(saved, rule, policy=APPROVED, TagKey="clients")
        assert refused(approved) == []
        assert any(addition.is_wide for addition in approved.additions) is not is_planned


@pytest.mark.parametrize(
    ("parts", "given"),
    [
        ([], {"TagKey": "clients"}),
        (
            # Its clients are what its group lets in: the same list.
            [
                network_load_balancer("nlb", groups=["sg-nlb"]),
                group("sg-nlb", ingress=[tcp(443, "pl-1")]),
                listener(443, "TCP", of=load_balancer_arn("nlb", "network"), forward=["to-web"]),
                behind(443),
            ],
            {},
        ),
    ],
)
def test_a_prefix_list_whose_owner_refuses_its_entries_may_name_everybody(
    parts: list[Shape], given: dict[str, str]
) -> None:
    unknown = {**prefix_list("pl-1", refused=True), "MaxEntries": 5}
    saved = web(unknown, *parts, tags={"clients": "pl-1"}, scheme="internal")
    found = plan(saved, INGRESS, policy=None, **given)
    assert (added(found), refused(found)) == ([], [RefusalReason.OPENS_INTERNAL])
    assert "would be open to pl-1, whose addresses are not known, and web is internal" in found.refusals[0].text
    approved = plan(saved, INGRESS, policy=APPROVED, **given)
    assert [addition.is_wide for addition in approved.additions] == [True]


def test_a_prefix_list_of_unknown_entries_opens_an_internet_facing_load_balancer_less_than_the_page() -> None:
    unknown = {**prefix_list("pl-1", refused=True), "MaxEntries": 5}
    assert added(plan(web(unknown, tags={"clients": "pl-1"}), INGRESS, TagKey="clients")) == [
        "sg-1 ingress tcp 443 pl-1"
    ]


def test_a_vpc_with_public_addresses_is_the_pages_own_row() -> None:
    found = plan(web(vpc("198.51.100.0/24"), scheme="internal"), INGRESS)
    assert refused(found) == []


def test_accepted_sources_open_no_more_than_the_page() -> None:
    saved = web(group("sg-1", ingress=[tcp(443, "10.9.0.0/24")]), scheme="internal")
    found = plan(saved, INGRESS, AcceptedSources="10.9.0.0/24,198.51.100.0/24", AcceptedSourcesMatch="all")
    assert refused(found) == [RefusalReason.OPENS_INTERNAL]


def test_an_internal_network_load_balancer_without_groups_the_vpc() -> None:
    saved = web(network_load_balancer("nlb", scheme="internal"), behind(443), scheme="internal")
    assert added(plan(saved, INGRESS)) == ["sg-1 ingress tcp 443 10.0.0.0/16"]


def test_a_network_load_balancer_never_opens_an_internal_load_balancer_to_everyone() -> None:
    """Without a group to refer to, only 0.0.0.0/0 would do: a new NLB must not open an internal load balancer."""
    found = plan(web(network_load_balancer("nlb"), behind(443), scheme="internal"), INGRESS)
    assert (added(found), refused(found)) == ([], [RefusalReason.OPENS_INTERNAL])
    assert "web is internal" in found.refusals[0].text


def test_a_group_of_the_network_load_balancer_in_another_vpc_opens_nothing_to_everyone() -> None:
    """A reference to it cannot be written here, and 0.0.0.0/0 in its stead is refused."""
    front = network_load_balancer("nlb", groups=["sg-nlb"])
    found = plan(web(front, behind(443), group("sg-nlb", vpc="vpc-9"), scheme="internal"), INGRESS)
    assert (added(found), refused(found)) == ([], [RefusalReason.OPENS_INTERNAL])


def test_an_internet_facing_load_balancer_needs_no_reference_beside_everyone() -> None:
    """Its own clients reach it directly; 0.0.0.0/0 covers what the NLB in front needs."""
    saved = web(network_load_balancer("nlb", groups=["sg-nlb"]), behind(443))
    assert added(plan(saved, INGRESS)) == ["sg-1 ingress tcp 443 0.0.0.0/0"]


def test_lost_accepted_sources_and_not_everyone() -> None:
    """With AcceptedSourcesMatch=all, the ranges that were lost are added: the others are open on purpose."""
    saved = web(group("sg-1", ingress=[tcp(443, "198.51.100.0/24")]))
    sources = "198.51.100.0/24,203.0.113.0/24,192.0.2.0/24"
    assert added(plan(saved, INGRESS, AcceptedSources=sources, AcceptedSourcesMatch="all")) == [
        "sg-1 ingress tcp 443 203.0.113.0/24",
        "sg-1 ingress tcp 443 192.0.2.0/24",
    ]


def test_a_group_that_a_tag_names_is_referenced() -> None:
    saved = web(group("sg-partner"), tags={"clients": "sg-partner"})
    assert added(plan(saved, INGRESS, TagKey="clients")) == ["sg-1 ingress tcp 443 sg-partner"]


def test_a_tagged_group_that_does_not_exist_is_refused() -> None:
    saved = web(tags={"clients": "sg-partner"})
    assert refused(plan(saved, INGRESS, TagKey="clients")) == [RefusalReason.GROUP_ELSEWHERE]


def test_targets_beyond_a_peering_are_reached_by_their_address() -> None:
    """A reference to a group of another VPC needs a peering, which the plan cannot rely on."""
    saved = web(
        target_group("far", targets=["10.9.1.5"], port=9000),
        interface("10.9.1.5", groups=["sg-far"], vpc="vpc-9"),
        vpc("10.9.0.0/16", id="vpc-9"),
        group("sg-1", egress=[all_traffic(reference("sg-else", peering="pcx-1", vpc="vpc-9", status="active"))]),
    )
    assert "sg-1 egress tcp 9000 10.9.1.5/32" in added(plan(saved, EGRESS))


def test_a_group_that_is_out_of_sight_is_not_referenced() -> None:
    """In a shared VPC, the target's interface is visible, but its group in another account is not."""
    saved = web()
    saved["SecurityGroups"] = [one for one in saved["SecurityGroups"] if one["GroupId"] != "sg-app"]
    assert added(plan(saved, EGRESS)) == ["sg-1 egress tcp 80 10.0.1.5/32"]


def test_only_references_count_where_they_are_asked_for() -> None:
    saved = web(group("sg-1", egress=[all_traffic(ANYWHERE)]))
    assert added(plan(saved, EGRESS)) == []
    assert added(plan(saved, EGRESS, TargetMatch="security-group")) == ["sg-1 egress tcp 80 sg-app"]


def test_unresolved_targets_are_not_fixed() -> None:
    """The unreadable prefix list may open the port to everybody already."""
    saved = web(group("sg-1", ingress=[tcp(443, "pl-1")]), prefix_list("pl-1", refused=True))
    found = plan(saved, INGRESS)
    assert (added(found), refused(found)) == ([], [RefusalReason.UNRESOLVED])
    assert "pl-1" in found.refusals[0].text


@pytest.mark.parametrize(
    ("ingress", "given"),
    [
        ([tcp(443, "pl-1")], {"AcceptedSources": "pl-1"}),
        ([], {"AcceptedSources": "pl-1"}),
        ([tcp(443, "pl-1", "10.0.0.0/8")], {"AcceptedSources": "pl-1,10.0.0.0/8", "AcceptedSourcesMatch": "all"}),
        ([tcp(443, "pl-1")], {"TagKey": "clients"}),
    ],
)
def test_a_prefix_list_that_lost_its_entries_opens_nothing(ingress: list[Shape], given: dict[str, str]) -> None:
    """A rule for it lets nobody in. One for everybody would open a load balancer that a list was to protect."""
    saved = web(group("sg-1", ingress=ingress), prefix_list("pl-1"), tags={"clients": "pl-1"})
    found = plan(saved, INGRESS, policy=None, **given)
    assert (added(found), refused(found)) == ([], [RefusalReason.UNRESOLVED])
    assert found.refusals[0].text.startswith("the prefix list pl-1 has no entries")


def test_another_rules_empty_prefix_list_refuses_nothing() -> None:
    saved = web(group("sg-1", ingress=[tcp(80, "pl-1")]), prefix_list("pl-1"))
    saved["ManagedPrefixLists"]["pl-1"]["MaxEntries"] = 5
    assert added(plan(saved, INGRESS)) == ["sg-1 ingress tcp 443 0.0.0.0/0"]


def test_a_family_without_accepted_source_is_opened_to_its_recommended_peer() -> None:
    """As verdict and `missing` say: per family, and the sources of IPv4 do not concern IPv6."""
    saved = web(group("sg-1", ingress=[tcp(443, "10.0.0.0/8")]), ip_address_type="dualstack")
    given = {"AcceptedSources": "10.0.0.0/8,203.0.113.0/24", "AcceptedSourcesMatch": "all"}
    assert added(plan(saved, INGRESS, policy=None, **given)) == [
        "sg-1 ingress tcp 443 203.0.113.0/24",
        "sg-1 ingress tcp 443 ::/0",
    ]


def test_an_error_is_no_part_of_a_plan() -> None:
    saved = web()
    del saved["Listeners"]
    found = plan(saved, INGRESS, ICMP)
    assert [error.rule for error in found.evaluation_errors] == [INGRESS]
    assert added(found) == ["sg-1 ingress icmp 3 0.0.0.0/0"]


def test_the_default_group_of_the_vpc_comes_last() -> None:
    """Whatever is launched without a group gets it, and would be open too."""
    default = group("sg-1") | {"GroupName": "default"}
    assert added(plan(web(default, groups=["sg-1", "sg-2"]), ICMP)) == ["sg-2 ingress icmp 3 0.0.0.0/0"]
    assert added(plan(web(default), ICMP)) == ["sg-1 ingress icmp 3 0.0.0.0/0"]


def test_the_group_that_has_room_is_taken() -> None:
    full = group("sg-1", ingress=[tcp(22, *(f"10.{number}.0.0/16" for number in range(60)))])
    assert added(plan(web(full, groups=["sg-1", "sg-2"]), ICMP)) == ["sg-2 ingress icmp 3 0.0.0.0/0"]


@pytest.mark.parametrize(
    ("rules", "room"),
    [
        # Sixty of each family: those of IPv6 leave room for one of IPv4.
        ([tcp(22, *(f"2001:db8:{number}::/48" for number in range(60)))], True),
        ([tcp(22, *(f"10.{number}.0.0/16" for number in range(60)))], False),
        # A reference counts in both.
        ([tcp(22, *(f"sg-{number}" for number in range(60)))], False),
        ([tcp(22, "pl-1", *(f"10.{number}.0.0/16" for number in range(9)))], True),
        ([tcp(22, "pl-1", *(f"10.{number}.0.0/16" for number in range(10)))], False),
        ([tcp(22, "pl-cloudfront", *(f"10.{number}.0.0/16" for number in range(4)))], True),
        ([tcp(22, "pl-cloudfront", *(f"10.{number}.0.0/16" for number in range(5)))], False),
        # Without the size of a prefix list, nobody knows whether the group has room.
        ([tcp(22, "pl-2")], False),
        ([tcp(22, "pl-lost")], False),
    ],
)
def test_rules_are_counted_as_ec2_counts_them(rules: list[Shape], room: bool) -> None:
    lists = {
        "pl-1": {**prefix_list("pl-1", "192.0.2.0/24"), "MaxEntries": 50},
        "pl-2": prefix_list("pl-2", "192.0.2.0/24"),
        "pl-cloudfront": {
            **prefix_list("pl-cloudfront", "192.0.2.0/24"),
            "PrefixListName": "com.amazonaws.global.cloudfront.origin-facing",
        },
    }
    saved = web(group("sg-1", ingress=rules))
    saved["ManagedPrefixLists"] = lists
    found = plan(saved, ICMP)
    assert (found.new_group is None) == room


def test_weights_of_aws_managed_lists() -> None:
    assert prefix_list_weight("com.amazonaws.global.cloudfront.origin-facing", None) == 55
    assert prefix_list_weight("com.amazonaws.us-east-1.ipv6.route53-healthchecks", None) == 25
    assert prefix_list_weight("com.amazonaws.us-east-1.something-new", None) is None
    assert prefix_list_weight("mine", 7) == 7
    assert prefix_list_weight("mine", None) is None


def test_more_than_a_new_group_holds_is_refused() -> None:
    targets = [f"192.168.{number}.1" for number in range(61)]
    saved = web(target_group("many", targets=targets, port=9000), interface("10.0.1.9", groups=["sg-1"]))
    assert refused(plan(saved, EGRESS)) == [RefusalReason.RULE_QUOTA]
    assert refused(plan(saved, EGRESS, policy=FixPolicy(rules_per_group=100))) == []


def test_findings_share_the_new_group_and_its_room() -> None:
    saved = web(interface("10.0.1.9", groups=["sg-1"]))
    found = plan(saved)
    assert {addition.group_id for addition in found.additions} == {None}
    assert found.new_group is not None
    assert found.new_group.name == "alb-sg-web"
    found = plan(saved, ICMP, INGRESS, policy=FixPolicy(rules_per_group=1))
    assert (len(found.additions), refused(found)) == (1, [RefusalReason.RULE_QUOTA])


def test_a_group_of_another_account_is_refused_whatever_is_allowed() -> None:
    saved = web()
    saved["SecurityGroups"][0]["OwnerId"] = "999999999999"
    found = plan(saved, ICMP)
    assert refused(found) == [RefusalReason.OTHER_OWNER]
    assert "999999999999" in found.refusals[0].text


def _elastic(description: str, requester: str = "amazon-elb") -> Shape:
    return {**interface("10.0.1.9", groups=["sg-1"]), "Description": description, "RequesterId": requester}


def _described() -> str:
    return f"ELB {load_balancer_arn('web').partition(':loadbalancer/')[2]}"


def test_the_load_balancers_own_interfaces_share_nothing() -> None:
    assert plan(web(_elastic(_described())), ICMP).new_group is None


@pytest.mark.parametrize(
    "other",
    [
        _elastic("ELB app/other/0123456789abcdef"),
        _elastic("ELB net/web/0123456789abcdef"),
        # Anybody can write this description.
        _elastic(_described(), "AIDAEXAMPLE"),
        _elastic("RDSNetworkInterface", "amazon-rds"),
    ],
)
def test_any_other_interface_shares_a_group(other: Shape) -> None:
    found = plan(web(other), ICMP)
    assert found.new_group is not None
    assert "network interface eni-" in found.new_group.reason


@pytest.mark.parametrize(
    "record",
    [
        {"SecurityGroups": [{"GroupId": "sg-1"}]},
        # The group may be on an interface that is not the primary one.
        {
            "NetworkInterfaces": [
                {"NetworkInterfaceId": "eni-1", "Groups": [], "Attachment": {"DeviceIndex": 0}},
                {"NetworkInterfaceId": "eni-2", "Groups": [{"GroupId": "sg-1"}], "Attachment": {"DeviceIndex": 1}},
            ]
        },
    ],
)
def test_instances_count_where_their_interfaces_are_not_listed(record: Shape) -> None:
    saved = web()
    saved["Instances"] = [{"InstanceId": "i-1", "VpcId": "vpc-1", **record}]
    found = plan(saved, ICMP)
    assert found.new_group is not None
    assert "instance i-1" in found.new_group.reason


def test_interfaces_of_other_accounts_count() -> None:
    saved = web()
    elsewhere = {"AccountId": "999999999999", "Region": "us-east-1", "NetworkInterfaces": [_elastic("", "AIDAEXAMPLE")]}
    built = build(saved)
    context = ChangeContexts([built, build(elsewhere)]).of(built, built.load_balancers[load_balancer_arn("web")])
    assert len(context.other_resources_with("sg-1")) == 1


def test_an_interface_whose_groups_are_not_known_may_carry_any() -> None:
    saved = web(interface("10.0.1.9"))
    [other] = [one for one in saved["NetworkInterfaces"] if one["PrivateIpAddress"] == "10.0.1.9"]
    other["Groups"] = "sg-1"
    found = plan(saved, ICMP)
    assert (added(found), refused(found)) == ([], [RefusalReason.NOT_READ])
    assert f"Groups of network interface {other['NetworkInterfaceId']}" in found.refusals[0].text
    # Its addresses say nothing of that.
    other |= {"Groups": [], "PrivateIpAddresses": "10.0.1.9"}
    assert added(plan(saved, ICMP)) == ["sg-1 ingress icmp 3 0.0.0.0/0"]


def test_malformed_tags_of_a_group_refuse_what_depends_on_who_manages_it() -> None:
    saved = web(group("sg-1") | {"Tags": "team=web"})
    found = plan(saved, INGRESS)
    assert (added(found), refused(found)) == ([], [RefusalReason.NOT_READ])
    assert found.refusals[0].text == "not known: Tags of security group sg-1: a list was expected, not text"
    # Whoever manages it, the group may be changed.
    allowed = FixPolicy(managed_group=ManagedGroupPolicy.ALLOW)
    assert added(plan(saved, INGRESS, policy=allowed)) == ["sg-1 ingress tcp 443 0.0.0.0/0"]


def test_a_malformed_interface_of_an_instance_may_carry_any_group() -> None:
    """Its primary interface decides about targets, and is whole."""
    saved = web(instance("i-1", "10.0.1.9", second_interface=("10.0.1.10", ["sg-1"])))
    interfaces = saved["Instances"][0]["NetworkInterfaces"]
    next(one for one in interfaces if one["PrivateIpAddress"] == "10.0.1.10")["Groups"] = "sg-1"
    found = plan(saved, ICMP)
    assert (added(found), refused(found)) == ([], [RefusalReason.NOT_READ])
    assert "NetworkInterfaces of instance i-1" in found.refusals[0].text
    assert build(saved).instance("i-1").groups == ("sg-app",)


@pytest.mark.parametrize("section", ["NetworkInterfaces", "SecurityGroups"])
def test_uncollected_data_is_never_guessed(section: str) -> None:
    saved = web()
    built = build(saved)
    balancer = built.load_balancers[load_balancer_arn("web")]
    fix = fix_of(ICMP)
    del saved[section]
    context = ChangeContexts([]).of(build(saved), balancer)
    found = make_plan(built, balancer, fix, judge_load_balancer(built, balancer, fix), context)
    assert (added(found), refused(found)) == ([], [RefusalReason.NOT_READ])
    assert f"{section} of {ACCOUNT} us-east-1 was not collected" in found.refusals[0].text


def test_tags_of_the_load_balancer_must_be_known_for_a_new_group_only() -> None:
    saved = web(interface("10.0.1.9", groups=["sg-1"]))
    del saved["Tags"]
    assert refused(plan(saved, ICMP)) == [RefusalReason.NOT_READ]
    saved = web()
    del saved["Tags"]
    assert refused(plan(saved, ICMP)) == []


def test_nothing_known_nothing_planned() -> None:
    built = build(web())
    balancer = built.load_balancers[load_balancer_arn("web")]
    fix = fix_of()
    found = make_plan(
        built,
        balancer,
        fix,
        judge_load_balancer(built, balancer, fix),
        unknown_change_context("Config items do not tell it"),
    )
    assert added(found) == []
    assert set(refused(found)) == {RefusalReason.NOT_READ}


@pytest.mark.parametrize(
    ("tags", "whom"),
    [
        ({}, None),
        ({"Name": "web", "team": "shop"}, None),
        ({"aws:cloudformation:stack-name": "shop", "aws:cloudformation:logical-id": "G"}, "CloudFormation stack shop"),
        ({"elasticbeanstalk:environment-name": "shop-prod"}, "Elastic Beanstalk environment shop-prod"),
        ({"elbv2.k8s.aws/cluster": "east", "ingress.k8s.aws/stack": "shop/web"}, "of cluster east"),
        ({"kubernetes.io/cluster/east": "owned"}, "Kubernetes cluster east"),
        # The cluster uses the group, but does not manage it.
        ({"kubernetes.io/cluster/east": "shared"}, None),
        ({"aws:servicecatalog:productArn": "arn"}, "an AWS service (tag aws:servicecatalog:productArn=arn)"),
        ({"ManagedBy": "Terraform"}, "infrastructure as code (tag ManagedBy=Terraform)"),
        ({"managed-by": "OpenTofu 1.9"}, "infrastructure as code"),
        ({"terraform": "true"}, "infrastructure as code"),
        ({"Terraform": "false"}, None),
        ({"tf:workspace": "prod"}, "infrastructure as code"),
        ({"pulumi:project": "shop"}, "infrastructure as code"),
        ({"created_by": "alice"}, None),
        ({"team": "terraform"}, None),
        ({"alb-sg:execution": "fix-1", "Name": "alb-sg-web"}, None),
    ],
)
def test_managers_are_told_by_tags(tags: dict[str, str], whom: str | None) -> None:
    found = find_manager(tags)
    assert found is None if whom is None else whom in str(found)


def test_a_group_of_firewall_manager_is_told_by_its_name() -> None:
    """Its policy takes the rule away again, and no tag says so."""
    saved = web()
    [own] = [one for one in saved["SecurityGroups"] if one["GroupId"] == "sg-1"]
    own["GroupName"] = "FMManagedSecurityGroup0f3c1a2b-1111-2222-3333-444455556666-sg-0a1b2c3d"
    found = plan(saved, ICMP)
    assert (added(found), refused(found)) == ([], [RefusalReason.MANAGED])
    assert "sg-1 is managed by AWS Firewall Manager" in found.refusals[0].text
    allowed = FixPolicy(managed_group=ManagedGroupPolicy.ALLOW)
    assert added(plan(saved, ICMP, policy=allowed)) == ["sg-1 ingress icmp 3 0.0.0.0/0"]


def test_plans_that_change_the_same_have_one_fingerprint() -> None:
    found = plan(web(), ICMP)
    assert found.fingerprint == plan(web(), ICMP).fingerprint
    assert found.fingerprint != plan(web(), INGRESS).fingerprint
    other = replace(found.additions[0], group_id="sg-2")
    assert found.fingerprint != replace(found, additions=(other,)).fingerprint
    assert found.fingerprint == replace(found, refusals=plan(web(), EGRESS).refusals).fingerprint


def test_an_approval_does_not_hold_for_what_a_named_group_lets_in_later() -> None:
    """Somebody opens the Network Load Balancer while the approver thinks: the rule refers to the same group."""

    def approved(clients: str) -> Plan:
        parts = [
            network_load_balancer("nlb", groups=["sg-nlb"]),
            group("sg-nlb", ingress=[tcp(443, clients)]),
            listener(443, "TCP", of=load_balancer_arn("nlb", "network"), forward=["to-web"]),
            behind(443),
        ]
        return plan(web(*parts, scheme="internal"), INGRESS, policy=APPROVED)

    private, public = approved("10.3.0.0/16"), approved("198.51.100.0/24")
    assert added(private) == added(public) == ["sg-1 ingress tcp 443 sg-nlb"]
    assert private.fingerprint != public.fingerprint


def test_a_new_group_is_approved_beside_the_groups_that_were_seen() -> None:
    shared = plan(web(interface("10.0.1.9", groups=["sg-1"])), ICMP)
    more = replace(shared, load_balancer=shared.load_balancer._replace(security_groups=("sg-1", "sg-2")))
    assert shared.fingerprint != more.fingerprint


def test_a_target_on_no_known_interface_and_no_address_is_refused() -> None:
    saved = web(target_group("lost", type="instance", targets=[target("i-1")], ip_address_type="ipv6"))
    saved["Instances"] = [{"InstanceId": "i-1", "VpcId": "vpc-1", "PrivateIpAddress": "10.0.1.7", "SecurityGroups": []}]
    assert refused(plan(saved, EGRESS)) == [RefusalReason.UNRESOLVED]


def test_who_carries_the_groups_of_a_load_balancer_need_not_be_known_to_refer_to_one() -> None:
    """Any of them is right; that the targets' own group may be changed hangs on the same fact, and is not known."""
    on_instance = target_group("web", type="instance", targets=["i-1"])
    saved = web(on_instance, instance("i-1", "10.0.1.7"), group("sg-app"), groups=("sg-1", "sg-2"))
    saved["TargetGroups"] = [one for one in saved["TargetGroups"] if one["TargetType"] == "instance"]
    del saved["NetworkInterfaces"]
    built = build(saved)
    load_balancer_ = built.load_balancers[load_balancer_arn("web")]
    fix = fix_of(TARGETS)
    results = judge_load_balancer(built, load_balancer_, fix)
    found = make_plan(built, load_balancer_, fix, results, ChangeContexts([built]).of(built, load_balancer_))
    assert (found.additions, refused(found)) == ((), [RefusalReason.NOT_READ])
    [addition] = found.refusals[0].additions
    assert (addition.group_id, addition.peer) == ("sg-app", "sg-1")


@pytest.mark.parametrize("rule", [INGRESS, EGRESS, HEALTH, ICMP])
def test_rules_that_would_not_meet_the_finding_are_not_planned(monkeypatch: pytest.MonkeyPatch, rule: str) -> None:
    """Whatever made the planner forget a rule: half a fix is none."""
    monkeypatch.setattr("alb_sg.remediation.planning.required_rules", lambda *given: required_rules(*given)[:-1])
    found = plan(web(), rule)
    assert (added(found), refused(found)) == ([], [RefusalReason.INSUFFICIENT])
    assert found.refusals[0].text.startswith(f"{rule} would then not be met: ")


def test_a_refused_finding_leaves_the_rules_of_the_others(monkeypatch: pytest.MonkeyPatch) -> None:

    def forgets_icmp(*given: Any) -> Any:
        return () if given[1].rule == ICMP else required_rules(*given)

    monkeypatch.setattr("alb_sg.remediation.planning.required_rules", forgets_icmp)
    found = plan(web())
    assert added(found) == ["sg-1 egress tcp 80 sg-app", "sg-1 ingress tcp 443 0.0.0.0/0"]
    assert [(refusal.rule, refusal.reason) for refusal in found.refusals] == [(ICMP, RefusalReason.INSUFFICIENT)]


def test_a_fix_that_would_break_another_verdict_is_not_planned(monkeypatch: pytest.MonkeyPatch) -> None:
    """No addition can do that today; the check must hold all the same."""
    known = planning.apply_to_estate

    def loses_inbound_rules(*given: Any) -> Any:
        changed = known(*given)
        groups = {one.id: one._replace(ingress=()) for one in (changed.security_groups or {}).values()}
        return changed.with_security_groups(changed.load_balancers, groups)

    monkeypatch.setattr(planning, "apply_to_estate", loses_inbound_rules)
    found = plan(web(group("sg-1", ingress=[tcp(443, ANYWHERE)])), INGRESS, EGRESS)
    assert (added(found), refused(found)) == ([], [RefusalReason.INSUFFICIENT])
    assert found.refusals[0].text.startswith(f"{INGRESS} would then not be met: ")


def _target_side(*parts: Shape, targets: Sequence[str] = ("10.0.1.5",), **fields: Any) -> Plan:
    """The plan for the targets' side of a load balancer that is open itself."""
    own = [] if any(part.get("GroupId") == "sg-1" for part in parts) else [group("sg-1")]
    return plan(estate(listener(443), target_group("web", targets=targets, **fields), *own, *parts), TARGETS)


@pytest.mark.parametrize(
    ("targets", "address_type", "parts"),
    [
        # A node of a Kubernetes cluster holds its pods' addresses as a prefix.
        (["10.0.1.33"], "ipv4", [interface("10.0.1.5", prefixes=["10.0.1.32/28"])]),
        # People register IPv6 addresses in any spelling.
        (["2001:0DB8:0:1:0:0:0:5"], "ipv6", [interface("10.0.1.5", ipv6=["2001:db8:0:1::5"])]),
        # The interfaces of a Network Load Balancer are registered by their addresses.
        (
            ["10.0.1.9"],
            "ipv4",
            [
                network_load_balancer("inner", groups=["sg-app"]),
                node("10.0.1.9", of="inner", type="network", groups=["sg-app"]),
            ],
        ),
    ],
    ids=["delegated prefix", "spelling", "Network Load Balancer"],
)
def test_what_holds_a_target_is_not_told_as_opened_beside_it(
    targets: list[str], address_type: str, parts: list[Shape]
) -> None:
    dual = (
        vpc("10.0.0.0/16", "2001:db8::/56"),
        subnet("10.0.1.0/24", "2001:db8:0:1::/64", id="subnet-a"),
        subnet("10.0.2.0/24", "2001:db8:0:2::/64", id="subnet-b"),
    )
    found = _target_side(*dual, *parts, targets=targets, ip_address_type=address_type)
    (addition,) = found.additions
    assert (addition.group_id, addition.also_opens) == ("sg-app", ())
    # Whatever else carries the group is told.
    other = interface("10.0.1.77", prefixes=["10.0.1.96/28"])
    (addition,) = _target_side(*dual, *parts, other, targets=targets, ip_address_type=address_type).additions
    assert len(addition.also_opens) == 1
    assert addition.also_opens[0].startswith("network interface eni-")


def test_the_vpcs_default_group_comes_after_another_one_of_the_target() -> None:
    """Whatever is launched without a group gets the default one."""
    default = group("sg-0") | {"GroupName": "default"}
    found = _target_side(interface("10.0.1.5", groups=["sg-0", "sg-app"]), default)
    assert added(found) == ["sg-app ingress tcp 80 sg-1"]


def test_the_targets_own_group_gets_the_rule_beside_one_of_another_vpc() -> None:
    """A target may carry a group that is associated with its VPC: the other one suffices."""
    found = _target_side(interface("10.0.1.5", groups=["sg-0", "sg-app"]), group("sg-0", vpc="vpc-hub"))
    assert added(found) == ["sg-app ingress tcp 80 sg-1"]


def test_a_rule_that_other_targets_need_serves_those_with_more_groups_too() -> None:
    """A second rule in their other group would open that group for nothing."""
    parts = [interface("10.0.1.5", groups=["sg-a", "sg-app"]), interface("10.0.1.6")]
    found = _target_side(*parts, targets=["10.0.1.5", "10.0.1.6"], health_check_port="8081")
    assert added(found) == ["sg-app ingress tcp 80 sg-1", "sg-app ingress tcp 8081 sg-1"]
    # Where they need a port more, it goes into the group that fewest others carry.
    parts.append(target_group("more", targets=["10.0.1.5"], port=90, load_balancers=["web"]))
    found = _target_side(*parts, targets=["10.0.1.5", "10.0.1.6"])
    assert added(found) == ["sg-app ingress tcp 80 sg-1", "sg-a ingress tcp 90 sg-1"]


def test_a_refusal_tells_the_rule_for_a_target_with_groups_of_another_vpc_alone() -> None:
    found = _target_side(interface("10.0.1.5", groups=["sg-0"]), group("sg-0", vpc="vpc-hub"))
    (refusal,) = found.refusals
    assert refusal.reason is RefusalReason.GROUP_ELSEWHERE
    assert "needs inbound TCP 80 from sg-1 in sg-0, which is not a group of vpc-1; add it by hand" in refusal.text
