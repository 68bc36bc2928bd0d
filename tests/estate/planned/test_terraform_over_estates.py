"""Terraform plans over an estate in which every recommendation is met: what a change takes away is seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from alb_sg.estate.estate import Estate
from alb_sg.estate.model import Target
from tests.builders import (
    REGION,
    Shape,
    build,
    estate,
    group,
    icmp,
    instance,
    interface,
    listener,
    listener_arn,
    load_balancer,
    load_balancer_arn,
    prefix_list,
    target_group,
    target_group_arn,
    tcp,
)
from tests.estate.planned.judging import judge_plan
from tests.estate.planned.plans import COMPUTED, Plan, Ref

WEB = load_balancer_arn("web")
PRIMARY = instance("i-1", "10.0.1.5")["NetworkInterfaces"][0]["NetworkInterfaceId"]


def saved(
    *parts: Shape,
    group_id: str = "sg-1",
    group_name: str = "alb",
    egress: Sequence[Shape] = (tcp(80, "sg-app"),),
    has_interface: bool = True,
    is_instance: bool = False,
) -> Estate:
    """`web` may send to sg-app alone, which its target has."""
    own = group(group_id, ingress=[tcp(443, "0.0.0.0/0"), icmp(3, 4, "0.0.0.0/0")], egress=egress)
    attached = interface("10.0.1.5") | {"NetworkInterfaceId": "eni-1"}
    if is_instance:
        attached["Attachment"] = {"AttachmentId": "a-1", "InstanceId": "i-1", "DeviceIndex": 0}
    return build(
        estate(
            load_balancer("web", groups=[group_id]),
            listener(443, forward=["web"]),
            target_group(targets=["i-1" if is_instance else "10.0.1.5"], type="instance" if is_instance else "ip"),
            own | {"GroupName": group_name},
            group("sg-app", ingress=[tcp(80, group_id)]),
            *([instance("i-1", "10.0.1.5")] if is_instance else []),
            *([attached] if has_interface else []),
            *parts,
        )
    )


def words(plan: Plan, base: Estate) -> dict[str, str]:
    """The first word of each result of `web`."""
    assert set(_words(Plan(region=REGION), base).values()) <= {"COMPLIANT", "NON_COMPLIANT"}
    return _words(plan, base)


def _words(plan: Plan, base: Estate) -> dict[str, str]:
    return {about: text.split()[0] for (arn, about), text in judge_plan(plan, [base]).items() if arn == WEB}


@pytest.mark.parametrize(
    ("vpc_id", "expected"), [("vpc-1", "NON_COMPLIANT"), ("vpc-2", "COMPLIANT"), (COMPUTED, "ERROR")]
)
def test_a_default_group_that_is_taken_over_loses_its_rules(vpc_id: Any, expected: str) -> None:
    """Its resource is created, and the group exists. Without a VPC, it is that of the default VPC."""
    plan = Plan(region=REGION)
    plan.create("aws_default_security_group.main", vpc_id=vpc_id, name=COMPUTED, ingress=[], egress=[])
    assert words(plan, saved(group_id="sg-default", group_name="default"))["listeners"] == expected


@pytest.mark.parametrize(("address", "identifier"), [("security_group", "sg-default"), ("vpc", "vpc-1")])
def test_what_was_taken_over_stays_when_its_resource_goes(address: str, identifier: str) -> None:
    plan = Plan(region=REGION).delete(
        f"aws_default_{address}.main", identifier, vpc_id="vpc-1", cidr_block="10.0.0.0/16"
    )
    assert words(plan, saved(group_id="sg-default", group_name="default"))["listeners"] == "COMPLIANT"


TO_APP: dict[str, Any] = {
    "type": "egress",
    "security_group_id": "sg-1",
    "protocol": "tcp",
    "from_port": 80,
    "to_port": 80,
    "source_security_group_id": "sg-app",
    "self": False,
}


def test_a_rule_that_changes_its_direction_is_gone_from_the_old_one() -> None:
    plan = Plan(region=REGION)
    plan.replace("aws_security_group_rule.app", "sgrule-1", TO_APP, **(TO_APP | {"type": "ingress"}))
    assert words(plan, saved())["targets"] == "NON_COMPLIANT"


@pytest.mark.parametrize(("group_id", "expected"), [("sg-1", "ERROR"), ("sg-2", "NON_COMPLIANT")])
def test_a_rule_whose_direction_is_not_known_may_be_of_each(group_id: str, expected: str) -> None:
    plan = Plan(region=REGION)
    plan.create("aws_security_group_rule.app", **(TO_APP | {"type": COMPUTED, "security_group_id": group_id}))
    assert words(plan, saved(egress=()))["targets"] == expected


def test_tasks_are_targets_of_the_alternate_target_group_too() -> None:
    """A health check port that only the alternate target group has is required for its future tasks."""
    green = target_group("green", targets=[], load_balancers=["web"], health_check_port="9090")
    balancer = {
        "target_group_arn": target_group_arn("web"),
        "container_port": 80,
        "advanced_configuration": [{"alternate_target_group_arn": target_group_arn("green")}],
    }
    network = {"security_groups": ["sg-app"], "subnets": ["subnet-a"]}
    plan = Plan(region=REGION)
    plan.create("aws_ecs_service.app", network_configuration=[network], load_balancer=[balancer])
    assert words(plan, saved(green))["health checks"] == "NON_COMPLIANT"


OVERRIDES: dict[str, Any] = {
    "launch_template_specification": [{"launch_template_id": "lt-0", "version": "1"}],
    "override": [{"launch_template_specification": [{"launch_template_id": "lt-1", "version": "$Latest"}]}],
}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"launch_template": [{"id": "lt-1", "version": "$Latest"}]}, "NON_COMPLIANT"),
        ({"mixed_instances_policy": [{"launch_template": [OVERRIDES]}]}, "ERROR"),
    ],
)
@pytest.mark.parametrize("is_attached", [True, False])
def test_a_launch_template_that_changes_under_an_auto_scaling_group(
    arguments: dict[str, Any], expected: str, is_attached: bool
) -> None:
    """The Auto Scaling group and its attachment stay as they are, and its next instances have another group."""
    before = {"name": "app", "vpc_security_group_ids": ["sg-app"], "latest_version": 1}
    after = {"name": "app", "vpc_security_group_ids": ["sg-other"], "latest_version": COMPUTED}
    plan = Plan(region=REGION).update("aws_launch_template.app", "lt-1", before, **after)
    arns = [] if is_attached else [target_group_arn("web")]
    plan.keep("aws_autoscaling_group.app", "app", name="app", target_group_arns=arns, **arguments)
    if is_attached:
        attachment = {"autoscaling_group_name": "app", "lb_target_group_arn": target_group_arn("web")}
        plan.keep("aws_autoscaling_attachment.app", "app-1", **attachment)
    assert words(plan, saved())["targets"] == expected


INTERFACE: dict[str, Any] = {
    "subnet_id": "subnet-a",
    "security_groups": ["sg-app"],
    "private_ips": ["10.0.1.5"],
    "private_ip": "10.0.1.5",
}
ATTACHMENT: dict[str, Any] = {"security_group_id": "sg-app"}


@pytest.mark.parametrize(("groups", "expected"), [(["sg-other"], "NON_COMPLIANT"), (COMPUTED, "ERROR")])
def test_an_interface_that_only_the_record_of_its_instance_tells(groups: Any, expected: str) -> None:
    """A live account is asked for the interfaces of addresses, and not for those of instances."""
    base = saved(is_instance=True, has_interface=False)
    plan = Plan(region=REGION)
    plan.update("aws_network_interface.app", PRIMARY, INTERFACE, **(INTERFACE | {"security_groups": groups}))
    assert words(plan, base)["targets"] == expected


@pytest.mark.parametrize(("interface_id", "expected"), [(PRIMARY, "ERROR"), ("eni-other", "COMPLIANT")])
def test_an_attachment_that_goes_from_such_an_interface(interface_id: str, expected: str) -> None:
    plan = Plan(region=REGION)
    plan.delete("aws_network_interface_sg_attachment.app", "a-1", network_interface_id=interface_id, **ATTACHMENT)
    assert words(plan, saved(is_instance=True, has_interface=False))["targets"] == expected


def test_an_interface_of_an_instance_whose_record_tells_none() -> None:
    base = saved(is_instance=True, has_interface=False)
    known = base.instances or {}
    base = replace(base, instances={"i-1": known["i-1"]._replace(interfaces=())})
    plan = Plan(region=REGION)
    plan.delete("aws_network_interface_sg_attachment.app", "a-1", network_interface_id=PRIMARY, **ATTACHMENT)
    assert words(plan, base)["targets"] == "ERROR"


def test_exclusive_rules_of_a_group_that_is_not_known() -> None:
    plan = Plan(region=REGION)
    plan.create("aws_vpc_security_group_rules_exclusive.all", security_group_id=Ref("data.aws_x.y.id"))
    assert words(plan, saved())["targets"] == "ERROR"


def test_an_entry_of_a_prefix_list_that_is_not_known() -> None:
    plan = Plan(region=REGION)
    plan.create("aws_ec2_managed_prefix_list_entry.app", prefix_list_id=Ref("data.aws_x.y.id"), cidr="10.0.1.0/24")
    base = saved(prefix_list("pl-1", "10.9.0.0/16"), egress=[tcp(80, "pl-1")])
    assert words(plan, base)["targets"] == "ERROR"


def test_a_rule_of_a_listener_that_the_estate_does_not_hold() -> None:
    """A saved estate is older than the listener."""
    plan = Plan(region=REGION)
    action = {"type": "forward", "target_group_arn": Ref("data.aws_x.y.arn")}
    plan.create("aws_lb_listener_rule.app", listener_arn=listener_arn(WEB, "later"), action=[action])
    found = words(plan, saved())
    assert (found["listeners"], found["targets"]) == ("ERROR", "ERROR")


@pytest.mark.parametrize(("groups", "expected"), [(["sg-other"], "NON_COMPLIANT"), (Ref("data.aws_x.y.ids"), "ERROR")])
def test_an_instance_whose_interface_is_a_target_by_its_address(groups: Any, expected: str) -> None:
    """A live account is asked for the interface alone."""
    base = saved(is_instance=True)
    groups_of_targets = {arn: one._replace(target_type="ip") for arn, one in (base.target_groups or {}).items()}
    targets = {arn: (Target("10.0.1.5", None, None),) for arn in groups_of_targets}
    base = replace(base, instances={}, target_groups=groups_of_targets, targets=targets)
    before = {"vpc_security_group_ids": ["sg-app"], "subnet_id": "subnet-a", "private_ip": "10.0.1.5"}
    plan = Plan(region=REGION)
    plan.update("aws_instance.app", "i-1", before, **(before | {"vpc_security_group_ids": groups}))
    assert words(plan, base)["targets"] == expected


def test_a_traffic_source_whose_type_is_not_known() -> None:
    source = {"identifier": target_group_arn("web"), "type": Ref("data.aws_x.y.type")}
    attachment = {"autoscaling_group_name": "app", "traffic_source": [source]}
    plan = Plan(region=REGION).create("aws_autoscaling_traffic_source_attachment.app", **attachment)
    assert words(plan, saved())["targets"] == "ERROR"


@pytest.mark.parametrize("is_first", [True, False])
def test_a_target_that_another_resource_registers(is_first: bool) -> None:
    """The order in which a plan lists the two says nothing."""
    attachment = {"target_group_arn": target_group_arn("web"), "target_id": "10.0.1.5", "port": None}
    plan = Plan(region=REGION)
    plan.create("aws_lb_target_group_attachment.new", **attachment)
    plan.delete("aws_lb_target_group_attachment.old", "a-1", **attachment)
    plan.changes.sort(key=lambda one: one["change"]["actions"][0], reverse=not is_first)
    assert words(plan, saved(egress=()))["targets"] == "NON_COMPLIANT"


@pytest.mark.parametrize("address", ["10.0.1.60", "10.0.1.61"])
def test_each_address_of_an_interface_has_its_groups(address: str) -> None:
    values = {"subnet_id": "subnet-a", "security_groups": ["sg-app"], "private_ips": ["10.0.1.60", "10.0.1.61"]}
    plan = Plan(region=REGION).create("aws_network_interface.more", **values)
    attachment = {"target_group_arn": target_group_arn("web"), "target_id": address}
    plan.create("aws_lb_target_group_attachment.more", **attachment)
    assert words(plan, saved())["targets"] == "COMPLIANT"


def test_listed_targets_that_are_not_known() -> None:
    listed = {"target_group_arn": target_group_arn("web"), "port": 80, "target_type": "ip", "vpc_id": "vpc-1"}
    address = "awscc_elasticloadbalancingv2_target_group.web"
    after: dict[str, Any] = {**listed, "targets": Ref("data.aws_x.y.ids")}
    plan = Plan(region=REGION).update(address, target_group_arn("web"), listed, **after)
    assert f"known after apply: {address}.targets" in judge_plan(plan, [saved()])[WEB, "targets"]


@pytest.mark.parametrize(
    ("address", "values", "sensitive"),
    [
        ("aws_security_group_rule.app", TO_APP, "source_security_group_id"),
        (
            "aws_network_interface_sg_attachment.app",
            ATTACHMENT | {"network_interface_id": "eni-1"},
            "security_group_id",
        ),
        (
            "aws_network_interface_sg_attachment.app",
            ATTACHMENT | {"network_interface_id": "eni-1"},
            "network_interface_id",
        ),
    ],
)
def test_what_goes_is_not_known_where_it_is_sensitive(address: str, values: dict[str, Any], sensitive: str) -> None:
    plan = Plan(region=REGION).delete(address, "x-1", **values)
    plan.changes[-1]["change"]["before_sensitive"] = {sensitive: True}
    assert words(plan, saved())["targets"] == "ERROR"


def test_an_inline_rule_that_goes_and_whose_group_is_sensitive() -> None:
    app = {"protocol": "tcp", "from_port": 80, "to_port": 80, "cidr_blocks": [], "security_groups": ["sg-app"]}
    before = {"name": "alb", "vpc_id": "vpc-1", "ingress": [], "egress": [app]}
    plan = Plan(region=REGION).update("aws_security_group.alb", "sg-1", before, **(before | {"egress": []}))
    plan.changes[-1]["change"]["before_sensitive"] = {"egress": [{"security_groups": True}]}
    assert words(plan, saved())["targets"] == "ERROR"


@pytest.mark.parametrize("sensitive", ["prefix_list_id", "cidr"])
def test_an_entry_that_goes_and_is_sensitive(sensitive: str) -> None:
    plan = Plan(region=REGION)
    plan.delete("aws_ec2_managed_prefix_list_entry.app", "e-1", prefix_list_id="pl-1", cidr="10.0.1.0/24")
    plan.changes[-1]["change"]["before_sensitive"] = {sensitive: True}
    assert words(plan, saved(prefix_list("pl-1", "10.0.1.0/24"), egress=[tcp(80, "pl-1")]))["targets"] == "ERROR"
