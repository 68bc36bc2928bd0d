"""What of an account a change concerns: load balancers by side, target groups, and Network Load Balancers in front."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from alb_sg.aws.account_region import AccountRegion
from alb_sg.estate.estate import Estate
from alb_sg.estate.planned.change_set import read_change_set, read_changed_resources
from alb_sg.estate.planned.cloudformation import read_templates
from alb_sg.estate.planned.deployed_stack import DeployedResource, DeployedStack
from alb_sg.estate.planned.resources import Scenario
from alb_sg.estate.planned.template_documents import encode_template
from alb_sg.estate.planned.template_stacks import TemplateFile
from alb_sg.functions.hook_scope import Scope, find_scope, target_groups_of, with_load_balancers_behind
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME
from tests.builders import (
    ACCOUNT,
    ANYWHERE,
    EGRESS,
    INGRESS,
    REGION,
    TARGETS,
    UNUSED,
    Saved,
    Shape,
    all_traffic,
    behind,
    build,
    estate,
    group,
    instance,
    interface,
    listener_arn,
    load_balancer,
    load_balancer_arn,
    network_load_balancer,
    node,
    reference,
    target_group,
    target_group_arn,
    tcp,
    vpc,
)
from tests.functions.hook_events import GROUP, LISTENER, LOAD_BALANCER, UNKNOWN, changed, payload
from tests.functions.large_region import INBOUND, OUTBOUND, change, rule

ACCOUNT_REGION = AccountRegion(ACCOUNT, REGION)
TARGET_GROUP = "AWS::ElasticLoadBalancingV2::TargetGroup"
INTERFACE = "AWS::EC2::NetworkInterface"
INSTANCE = "AWS::EC2::Instance"
# The resources of the stack, by their logical identifiers.
IDS = {
    "Changed": "sg-1",
    "Nlb": "sg-nlb",
    "App": "sg-app",
    "Targets": target_group_arn("web"),
    "ToWeb": target_group_arn("to-web"),
    "Web": load_balancer_arn("web"),
    "Interface": interface("10.0.1.5")["NetworkInterfaceId"],
    "Instance": "i-1",
}
NLB = load_balancer_arn("nlb", "network")


def account(*more: Shape) -> Saved:
    """Load balancers `web` and `other` with a group and a target group each, and `nlb`, which sends to nothing."""
    return estate(
        load_balancer("web", groups=["sg-1"]),
        load_balancer("other", groups=["sg-2"]),
        network_load_balancer("nlb", groups=["sg-nlb"]),
        group("sg-1", ingress=[tcp(443, ANYWHERE), tcp(80, ANYWHERE)], egress=[tcp(80, "sg-app")]),
        group("sg-2", ingress=[tcp(443, ANYWHERE)], egress=[tcp(80, "sg-app")]),
        group("sg-nlb", ingress=[tcp(443, "192.0.2.0/24")]),
        group("sg-app", ingress=[tcp(80, "sg-1", "sg-2")]),
        target_group("web"),
        target_group("other", load_balancers=["other"]),
        vpc("10.0.0.0/16"),
        *more,
    )


def before_the_change(saved: Saved) -> Estate:
    """The account as the Hook has read it first: without listeners and registrations."""
    return replace(build(saved), listeners={}, targets={})


def change_set(*entries: Shape, ids: Mapping[str, str] = IDS) -> Scenario:
    content = payload({}, entries)
    return read_change_set(content["template"], read_changed_resources(content), ids, ACCOUNT_REGION)


def scope_of(
    base: Estate, *entries: Shape, rules: Sequence[str] = (INGRESS, EGRESS, TARGETS), ids: Mapping[str, str] = IDS
) -> Scope:
    return find_scope([change_set(*entries, ids=ids)], base, [RECOMMENDATIONS_BY_NAME[name] for name in rules])


def names(arns: Sequence[str] | frozenset[str]) -> list[str]:
    return sorted(arn.split("/")[-2] for arn in arns)


def sides(scope: Scope) -> tuple[list[str], list[str]]:
    return names(scope.clients), names(scope.targets)


def less(*, logical_id: str = "Changed") -> Shape:
    """Less is let in: nothing on port 443."""
    return change({INBOUND: [rule(443)]}, {INBOUND: []}, logical_id)


def wider(logical_id: str = "Changed") -> Shape:
    return change({INBOUND: []}, {INBOUND: [rule(8080)]}, logical_id)


def test_a_changed_load_balancer_is_concerned_on_both_sides() -> None:
    fields = {"Scheme": "internet-facing", "SecurityGroups": ["sg-1"], "Subnets": ["subnet-a"]}
    update = changed("Web", LOAD_BALANCER, "UPDATE", before=fields, after={**fields, "SecurityGroups": ["sg-2"]})
    assert sides(scope_of(before_the_change(account()), update)) == (["web"], ["web"])


def test_a_group_of_a_load_balancer_that_another_group_of_it_replaces() -> None:
    """Both ports are lost, and another group lets one of them in."""
    saved = account(load_balancer("two", groups=["sg-1", "sg-3"]), group("sg-3", ingress=[tcp(80, ANYWHERE)]))
    entry = change({INBOUND: [rule(443), rule(80)]}, {INBOUND: []})
    assert sides(scope_of(before_the_change(saved), entry)) == (["two", "web"], [])
    everything = account(load_balancer("two", groups=["sg-1", "sg-3"]), group("sg-3", ingress=[all_traffic(ANYWHERE)]))
    assert sides(scope_of(before_the_change(everything), entry)) == (["web"], [])


def test_a_reference_of_another_group_on_more_ports_covers_the_one_that_is_lost() -> None:
    saved = account(load_balancer("two", groups=["sg-1", "sg-3"]), group("sg-3", egress=[tcp((1, 100), "sg-app")]))
    to_app = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "DestinationSecurityGroupId": "sg-app"}
    entry = change({OUTBOUND: [to_app]}, {OUTBOUND: [rule(443)]})
    assert sides(scope_of(before_the_change(saved), entry)) == ([], ["web"])


def test_a_rule_of_unknown_addresses_that_stays_is_no_loss() -> None:
    """Nothing else covers it, and nothing need."""
    saved = account(
        load_balancer("odd", groups=["sg-5"]), group("sg-5", ingress=[tcp(443, ANYWHERE), tcp(22, "10.0.0.0/99")])
    )
    base = before_the_change(saved)
    assert sides(scope_of(base, wider("Odd"), ids={"Odd": "sg-5"})) == ([], [])


def test_a_group_that_is_deleted_takes_its_rules_and_the_references_to_it() -> None:
    deleted = changed("App", GROUP, "DELETE", before={"GroupDescription": "app", "VpcId": "vpc-1"})
    clients, targets = sides(scope_of(before_the_change(account()), deleted))
    assert (clients, targets) == ([], ["other", "web"])


def test_a_group_that_was_deleted_before_is_no_loss() -> None:
    """The references to it let nobody in before either."""
    saved = account(group("sg-4", egress=[tcp(80, "sg-gone")]), load_balancer("old", groups=["sg-4"]))
    base = replace(before_the_change(saved), deleted_security_groups=frozenset({"sg-gone"}))
    assert sides(scope_of(base, wider())) == ([], [])


def test_rules_of_unused_openings_concern_every_load_balancer() -> None:
    assert sides(scope_of(before_the_change(account()), wider(), rules=[UNUSED])) == (["nlb", "other", "web"], [])


@pytest.mark.parametrize(
    ("entry", "concerned"),
    [
        (wider("Nlb"), ["nlb"]),
        (changed("Nlb", GROUP, "DELETE", before={"GroupDescription": "nlb", "VpcId": "vpc-1"}), ["nlb"]),
        # Another group's ingress, and this group's egress.
        (wider("App"), []),
        (change({OUTBOUND: []}, {OUTBOUND: [rule(443)]}, "Nlb"), []),
    ],
)
def test_what_a_network_load_balancer_lets_in_are_the_clients_of_others(entry: Shape, concerned: Sequence[str]) -> None:
    scope = scope_of(before_the_change(account()), entry)
    assert names(scope.clients) == concerned
    assert names(scope.targets) == []


def test_other_ingress_of_an_application_load_balancer_is_no_loss() -> None:
    assert sides(scope_of(before_the_change(account()), wider())) == ([], [])


FIXED = {"VpcId": "vpc-1", "Port": 80, "Protocol": "HTTP", "TargetType": "ip"}


def test_a_changed_target_group_concerns_the_paths_of_its_load_balancers() -> None:
    entry = changed("Targets", TARGET_GROUP, "UPDATE", before=FIXED, after={**FIXED, "HealthCheckPort": "8081"})
    scope = scope_of(before_the_change(account()), entry)
    assert sides(scope) == ([], ["web"])
    assert names(scope.target_groups) == names(scope.changed_target_groups) == ["web"]
    # Its registrations are read, and those of no other one.
    assert target_groups_of(scope, before_the_change(account())) == {
        load_balancer_arn("web"): [target_group_arn("web")]
    }


def test_a_target_group_without_load_balancers_concerns_none() -> None:
    saved = account(target_group("spare", load_balancers=[]))
    entry = changed("Spare", TARGET_GROUP, "UPDATE", before=FIXED, after={**FIXED, "HealthCheckPort": "8081"})
    scope = scope_of(before_the_change(saved), entry, ids={"Spare": target_group_arn("spare")})
    assert sides(scope) == ([], [])


def test_a_new_target_group_has_no_registrations_to_read() -> None:
    targets = {"Targets": [{"Id": "10.0.1.5"}]}
    for properties in (FIXED, {**FIXED, **targets}):
        scope = scope_of(before_the_change(account()), changed("New", TARGET_GROUP, after=properties))
        assert sides(scope) == ([], [])
        assert scope.target_groups == frozenset()


def test_load_balancers_that_are_no_longer_there_are_left_out() -> None:
    """A target group may name one that is deleted meanwhile."""
    saved = account(target_group("gone", load_balancers=["gone"]))
    entry = changed("Gone", TARGET_GROUP, "UPDATE", before=FIXED, after={**FIXED, "HealthCheckPort": "8081"})
    assert sides(scope_of(before_the_change(saved), entry, ids={"Gone": target_group_arn("gone")})) == ([], [])


@pytest.mark.parametrize(
    ("kind", "logical_id", "before", "after", "targets"),
    [
        ("an interface", "Interface", {"GroupSet": ["sg-app"]}, {"GroupSet": ["sg-2"]}, ["other", "web"]),
        ("an instance", "Instance", {"SecurityGroupIds": ["sg-app"]}, {"SecurityGroupIds": ["sg-2"]}, ["other", "web"]),
    ],
)
def test_other_groups_of_a_target_concern_the_target_groups_of_its_vpc(
    kind: str, logical_id: str, before: Shape, after: Shape, targets: Sequence[str]
) -> None:
    saved = account(
        interface("10.0.1.5"),
        instance("i-1", "10.0.1.6"),
        interface("10.0.1.6", instance="i-1"),
        load_balancer("far", groups=["sg-2"], vpc="vpc-2"),
        target_group("far", load_balancers=["far"], vpc="vpc-2"),
        # Its targets are load balancers, which have no such interfaces.
        behind(443),
    )
    types = {"Interface": INTERFACE, "Instance": INSTANCE}
    subnet = {"SubnetId": "subnet-a"}
    entry = changed(logical_id, types[logical_id], "UPDATE", before={**subnet, **before}, after={**subnet, **after})
    assert sides(scope_of(before_the_change(saved), entry)) == ([], targets), kind


def test_less_for_a_load_balancers_own_interface_is_nothing_for_targets() -> None:
    saved = account(node("10.0.0.9", of="web", groups=["sg-1"]))
    assert sides(scope_of(before_the_change(saved), less())) == (["web"], [])
    # The group of a target as well.
    saved = account(interface("10.0.1.9", groups=["sg-1"]))
    assert sides(scope_of(before_the_change(saved), less())) == (["web"], ["other", "web"])


PEERED = [
    ("a peering", reference("sg-9", peering="pcx-1", vpc="vpc-9", status="active"), ["web"]),
    ("a peering that names no VPC", reference("sg-9", peering="pcx-1", status="active"), ["web"]),
    ("a group of another VPC", reference("sg-9", vpc="vpc-9"), ["web"]),
    ("a group of the same VPC", reference("sg-9", vpc="vpc-1"), []),
    ("a group whose VPC is not told", reference("sg-9"), []),
]


@pytest.mark.parametrize(("why", "peer", "targets"), PEERED)
def test_a_changed_group_with_a_reference_over_a_peering_may_tell_other_groups_of_targets(
    why: str, peer: Shape, targets: Sequence[str]
) -> None:
    """Nothing is lost here: what the reference covers may be another target."""
    saved = estate(
        load_balancer("web", groups=["sg-1", "sg-gone"]),
        load_balancer("other", groups=["sg-2"]),
        group("sg-1", egress=[tcp(80, peer)]),
        group("sg-2", egress=[tcp(80, peer)]),
    )
    assert sides(scope_of(before_the_change(saved), wider())) == ([], targets), why


def test_changed_targets_may_be_behind_any_reference_over_a_peering() -> None:
    peer = reference("sg-9", peering="pcx-1", vpc="vpc-9", status="active")
    saved = account(
        load_balancer("far", groups=["sg-6"], vpc="vpc-2"),
        group("sg-6", egress=[tcp(80, peer)]),
        interface("10.0.1.5"),
    )
    subnet = {"SubnetId": "subnet-a"}
    entry = changed(
        "Interface",
        INTERFACE,
        "UPDATE",
        before={**subnet, "GroupSet": ["sg-app"]},
        after={**subnet, "GroupSet": ["sg-2"]},
    )
    assert sides(scope_of(before_the_change(saved), entry)) == ([], ["far", "other", "web"])


def fronted(*more: Shape) -> Saved:
    return account(behind(443), *more)


def test_the_fronts_of_concerned_load_balancers_are_read() -> None:
    """Their registrations tell whether one is behind them, and their listeners whom they let in."""
    far = target_group("far", type="alb", load_balancers=["nlb"], vpc="vpc-2")
    scope = scope_of(before_the_change(fronted(far)), less())
    assert (names(scope.clients), names(scope.target_groups), names(scope.fronts)) == (["web"], ["to-web"], ["nlb"])
    assert scope.changed_target_groups == frozenset()
    nothing = scope_of(before_the_change(fronted()), wider())
    assert (nothing.target_groups, nothing.fronts) == (frozenset(), frozenset())


def test_a_front_whose_vpc_is_not_told_may_be_in_any() -> None:
    nowhere = behind(443)
    del nowhere["VpcId"]
    assert names(scope_of(before_the_change(account(nowhere)), less()).fronts) == ["nlb"]
    assert names(scope_of(before_the_change(account(nowhere)), wider()).fronts) == ["nlb"]


def test_a_load_balancer_whose_vpc_is_not_told_may_be_behind_any_front() -> None:
    nowhere = load_balancer("web")
    del nowhere["VpcId"]
    far = target_group("far", type="alb", load_balancers=["nlb"], vpc="vpc-2")
    saved = estate(
        nowhere,
        network_load_balancer("nlb", groups=["sg-nlb"]),
        group("sg-1", ingress=[tcp(443, ANYWHERE)]),
        group("sg-nlb"),
        far,
    )
    assert names(scope_of(before_the_change(saved), less()).fronts) == ["nlb"]


def test_a_target_group_that_names_no_load_balancers_concerns_none() -> None:
    silent = [behind(443, name="far"), target_group("spare")]
    for one in silent:
        del one["LoadBalancerArns"]
    before = {"VpcId": "vpc-1", "Port": 443, "Protocol": "TCP", "TargetType": "alb"}
    entry = changed("Far", TARGET_GROUP, "UPDATE", before=before, after={**before, "HealthCheckPort": "8443"})
    base = before_the_change(account(*silent))
    scope = scope_of(base, entry, ids={"Far": target_group_arn("far")})
    assert (sides(scope), scope.fronts) == (([], []), frozenset())
    assert names(scope.changed_target_groups) == ["far"]
    assert with_load_balancers_behind(scope, base) == scope
    assert with_load_balancers_behind(Scope(clients=frozenset({NLB})), base).clients == {NLB}
    assert target_groups_of(replace(scope, targets=frozenset({load_balancer_arn("web")})), base) == {
        load_balancer_arn("web"): [target_group_arn("web")]
    }


def test_a_front_that_is_no_longer_there_is_left_out() -> None:
    before = {"VpcId": "vpc-1", "Port": 443, "Protocol": "TCP", "TargetType": "alb"}
    entry = changed("ToWeb", TARGET_GROUP, "UPDATE", before=before, after={**before, "HealthCheckPort": "8443"})
    scope = scope_of(before_the_change(account(behind(443, nlb="gone"))), entry)
    assert sides(scope) == ([], [])


def test_a_front_without_load_balancers_has_no_listeners_to_read() -> None:
    unused = behind(443)
    unused["LoadBalancerArns"] = []
    scope = scope_of(before_the_change(account(unused)), less())
    assert (names(scope.target_groups), names(scope.fronts)) == (["to-web"], [])


@pytest.mark.parametrize(("subnets", "fronts"), [(["subnet-a"], ["nlb"]), (["subnet-b"], []), ([UNKNOWN], ["nlb"])])
def test_a_new_load_balancer_may_be_put_behind_the_fronts_of_its_vpc(
    subnets: Sequence[str], fronts: Sequence[str]
) -> None:
    saved = fronted()
    saved["Subnets"] = [
        {"SubnetId": "subnet-a", "VpcId": "vpc-1", "CidrBlock": "10.0.0.0/24"},
        {"SubnetId": "subnet-b", "VpcId": "vpc-2", "CidrBlock": "10.8.0.0/24"},
    ]
    fields = {"Scheme": "internet-facing", "Subnets": list(subnets), "SecurityGroups": ["sg-1"]}
    scope = scope_of(before_the_change(saved), changed("Shop", LOAD_BALANCER, after=fields))
    assert (sides(scope), names(scope.fronts)) == (([], []), fronts)


def test_a_changed_group_of_a_front_concerns_it_and_the_others_of_the_vpc() -> None:
    before = {"VpcId": "vpc-2", "Port": 443, "Protocol": "TCP", "TargetType": "alb"}
    far = target_group("far", type="alb", load_balancers=["nlb"], vpc="vpc-2")
    near = target_group("near", type="alb", load_balancers=[], vpc="vpc-2")
    entry = changed("Far", TARGET_GROUP, "UPDATE", before=before, after={**before, "HealthCheckPort": "8443"})
    scope = scope_of(before_the_change(account(far, near, behind(443))), entry, ids={"Far": target_group_arn("far")})
    assert names(scope.clients) == ["nlb"]
    # `nlb` itself is in another VPC.
    assert names(scope.target_groups) == ["far", "near", "to-web"]
    assert names(scope.changed_target_groups) == ["far"]


@pytest.mark.parametrize(
    ("entry", "clients"),
    [
        # Whom the Network Load Balancer lets in changes.
        (wider("Nlb"), ["nlb", "web"]),
        # Its target group changes.
        (
            changed(
                "ToWeb",
                TARGET_GROUP,
                "UPDATE",
                before={"VpcId": "vpc-1", "Port": 443, "Protocol": "TCP", "TargetType": "alb"},
                after={"VpcId": "vpc-1", "Port": 443, "Protocol": "TCP", "TargetType": "alb", "HealthCheckPort": "1"},
            ),
            ["nlb", "web"],
        ),
        # Neither.
        (change({INBOUND: [rule(443)]}, {INBOUND: []}, "Two"), ["other"]),
    ],
)
def test_the_load_balancers_behind_a_concerned_front_are_concerned(entry: Shape, clients: Sequence[str]) -> None:
    base = build(fronted())
    scope = scope_of(replace(base, listeners={}, targets={}), entry, ids={**IDS, "Two": "sg-2"})
    assert names(with_load_balancers_behind(scope, base).clients) == clients


def test_a_front_that_is_put_before_a_load_balancer_concerns_it() -> None:
    """So far, nothing sends to the target group in which it is registered."""
    spare = behind(443)
    spare["LoadBalancerArns"] = []
    base = build(account(spare))
    new = {
        "LoadBalancerArn": NLB,
        "Port": 443,
        "Protocol": "TCP",
        "DefaultActions": [{"Type": "forward", "TargetGroupArn": target_group_arn("to-web")}],
    }
    scope = scope_of(replace(base, listeners={}, targets={}), changed("New", LISTENER, after=new))
    assert names(scope.target_groups) == ["to-web"]
    assert names(with_load_balancers_behind(scope, base).clients) == ["nlb", "web"]


def test_a_target_of_a_front_that_is_no_load_balancer_of_the_account_is_left_out() -> None:
    gone = behind(443, alb="gone")
    base = build(account(gone))
    scope = scope_of(replace(base, listeners={}, targets={}), wider("Nlb"))
    assert names(with_load_balancers_behind(scope, base).clients) == ["nlb"]


def stack_update(
    folder: Path, before: Mapping[str, Shape], after: Mapping[str, Shape], deployed: Mapping[str, str]
) -> Sequence[Scenario]:
    resources = {name: DeployedResource(before[name]["Type"], physical_id) for name, physical_id in deployed.items()}
    path = folder / "template"
    path.write_bytes(template_of(after))
    stack = DeployedStack("web", resources, template_of(before))
    return read_templates(
        [TemplateFile(str(path), "web", *ACCOUNT_REGION, stack, has_local_parts=False)], over_estate=True
    )


def template_of(resources: Mapping[str, Shape]) -> bytes:
    return encode_template(json.dumps({"Resources": resources}))


def forwarding(target_group: str) -> Shape:
    properties = {
        "LoadBalancerArn": {"Ref": "Other"},
        "Port": 443,
        "Protocol": "HTTPS",
        "DefaultActions": [{"Type": "forward", "TargetGroupArn": {"Ref": target_group}}],
    }
    return {"Type": LISTENER, "Properties": properties}


def test_a_listener_of_a_template_tells_load_balancer_and_target_groups_by_reference(tmp_path: Path) -> None:
    """What the stack keeps beside it, such as another load balancer, is not concerned."""
    web = {"Type": LOAD_BALANCER, "Properties": {"Subnets": ["subnet-a"], "SecurityGroups": ["sg-1"]}}
    other = {"Type": LOAD_BALANCER, "Properties": {"Subnets": ["subnet-a"], "SecurityGroups": ["sg-2"]}}
    spare = {"Type": TARGET_GROUP, "Properties": FIXED}
    kept = {"Web": web, "Other": other, "First": spare, "Second": spare}
    deployed = {
        "Web": load_balancer_arn("web"),
        "Other": load_balancer_arn("other"),
        "First": target_group_arn("other"),
        "Second": target_group_arn("spare"),
        "Https": listener_arn(load_balancer_arn("other"), "0123456789abcdef"),
    }
    base = before_the_change(account(target_group("spare", load_balancers=[])))
    before, after = {**kept, "Https": forwarding("First")}, {**kept, "Https": forwarding("Second")}
    scenarios = stack_update(tmp_path, before, after, deployed)
    scope = find_scope(scenarios, base, [RECOMMENDATIONS_BY_NAME[INGRESS]])
    assert sides(scope) == (["other"], ["other"])
    assert names(scope.changed_target_groups) == ["other", "spare"]
    new = stack_update(tmp_path, kept, {**kept, "New": forwarding("Second")}, {name: deployed[name] for name in kept})
    scope = find_scope(new, base, [RECOMMENDATIONS_BY_NAME[INGRESS]])
    assert sides(scope) == (["other"], ["other"])
    assert names(scope.changed_target_groups) == ["spare"]


def test_a_group_that_is_replaced_changes_the_load_balancers_that_refer_to_it(tmp_path: Path) -> None:
    """Nothing of the load balancer itself is written differently."""

    def resources(vpc_id: str) -> Mapping[str, Shape]:
        ingress = [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": ANYWHERE}]
        fields = {"GroupDescription": "lb", "VpcId": vpc_id, "SecurityGroupIngress": ingress}
        web = {"Subnets": ["subnet-a"], "SecurityGroups": [{"Ref": "Group"}]}
        return {
            "Group": {"Type": GROUP, "Properties": fields},
            "Web": {"Type": LOAD_BALANCER, "Properties": web},
        }

    deployed = {"Group": "sg-1", "Web": load_balancer_arn("web")}
    scenarios = stack_update(tmp_path, resources("vpc-1"), resources("vpc-2"), deployed)
    scope = find_scope(scenarios, before_the_change(account()), [RECOMMENDATIONS_BY_NAME[INGRESS]])
    assert sides(scope) == (["web"], ["web"])


def test_load_balancers_that_were_not_read_are_left_out_on_both_sides() -> None:
    scope = Scope(clients=frozenset({"a", "b"}), targets=frozenset({"b", "c"}))
    assert scope.without(["b"]) == Scope(clients=frozenset({"a"}), targets=frozenset({"c"}))


@pytest.mark.parametrize(
    ("kind", "physical_id"),
    [
        (LISTENER, listener_arn(load_balancer_arn("web"), "0123456789abcdef")),
        (
            "AWS::ElasticLoadBalancingV2::ListenerRule",
            listener_arn(load_balancer_arn("web"), "0123456789abcdef/fedcba9876543210").replace(
                ":listener/", ":listener-rule/"
            ),
        ),
    ],
)
def test_a_listener_or_rule_tells_its_load_balancer_by_its_identifier(kind: str, physical_id: str) -> None:
    entry = changed("Gone", kind, "DELETE", before={"Priority": 1})
    scope = scope_of(before_the_change(account()), entry, ids={"Gone": physical_id})
    assert sides(scope) == (["web"], ["web"])


def test_what_a_resource_names_before_its_change_is_concerned() -> None:
    """The listener sends to another target group afterwards."""
    before = {
        "LoadBalancerArn": load_balancer_arn("other"),
        "Port": 443,
        "Protocol": "HTTPS",
        "DefaultActions": [{"Type": "forward", "TargetGroupArn": target_group_arn("web")}],
    }
    forward = [{"Type": "forward", "TargetGroupArn": target_group_arn("other")}]
    listener_id = listener_arn(load_balancer_arn("other"), "0123456789abcdef")
    entry = changed("Https", LISTENER, "UPDATE", before=before, after={**before, "DefaultActions": forward})
    scope = scope_of(before_the_change(account()), entry, ids={"Https": listener_id})
    assert sides(scope) == (["other"], ["other", "web"])
    assert names(scope.changed_target_groups) == ["other", "web"]


def test_a_section_without_resources_has_nothing_that_a_change_concerns() -> None:
    bare = Estate(ACCOUNT, REGION, load_balancers=build(account()).load_balancers)
    assert sides(scope_of(bare, changed("New", TARGET_GROUP, after=FIXED))) == ([], [])
    scope = Scope(clients=frozenset({NLB}))
    assert with_load_balancers_behind(scope, bare) == scope
    assert target_groups_of(scope, bare) == {}
    full = build(account(behind(443), interface("10.0.1.5")))
    assert with_load_balancers_behind(scope, replace(bare, target_groups=full.target_groups)) == scope
    # A target's groups change, and the groups of the load balancers were not read.
    subnet = {"SubnetId": "subnet-a"}
    entry = changed(
        "Interface", INTERFACE, "UPDATE", before={**subnet, "GroupSet": ["sg-app"]}, after={**subnet, "GroupSet": []}
    )
    assert sides(scope_of(replace(bare, network_interfaces=full.network_interfaces), entry)) == ([], [])
