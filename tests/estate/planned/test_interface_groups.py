"""Security groups that resources of their own attach to network interfaces (`aws_network_interface_sg_attachment`)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.builders import REGION, build, estate, group, instance, interface, listener, load_balancer, target_group, tcp
from tests.estate.planned.judging import judge_plan
from tests.estate.planned.plans import COMPUTED, Plan, Ref
from tests.estate.planned.test_terraform import (
    ALB_GROUP,
    APP_GROUP,
    rule,
    security_group,
    vpc,
)
from tests.estate.planned.test_terraform import (
    listener as planned_listener,
)
from tests.estate.planned.test_terraform import (
    load_balancer as planned_load_balancer,
)
from tests.estate.planned.test_terraform import (
    target_group as planned_target_group,
)

ATTACHMENT = "aws_network_interface_sg_attachment.app"
TO_APP: dict[str, Any] = {"from_port": 8080, "to_port": 8080, "referenced_security_group_id": APP_GROUP}


def balanced(target_type: str, target: Ref) -> Plan:
    """A load balancer that may send to the group of the service alone, and a target."""
    plan = vpc(Plan(region=REGION))
    for name in ("alb", "app", "base"):
        security_group(plan, f"aws_security_group.{name}")
    rule(plan, "app", "egress", ALB_GROUP, **TO_APP)
    planned_listener(planned_load_balancer(plan))
    planned_target_group(plan, target_type=target_type)
    arn = Ref("aws_lb_target_group.app.arn")
    return plan.create("aws_lb_target_group_attachment.app", target_group_arn=arn, target_id=target, port=None)


def network_interface(plan: Plan, name: str = "app") -> Plan:
    """An interface whose address is known, with the group that everything has."""
    return plan.create(
        f"aws_network_interface.{name}",
        subnet_id=Ref("aws_subnet.a.id"),
        private_ips=["10.0.1.50"],
        private_ip=COMPUTED,
        security_groups=[Ref("aws_security_group.base.id")],
    )


def planned_instance(plan: Plan, address: str, **values: Any) -> Plan:
    defaults: dict[str, Any] = {"subnet_id": Ref("aws_subnet.a.id"), "private_ip": COMPUTED}
    return plan.create(address, **(defaults | values))


def attach(plan: Plan, to: Any, *, group: Any = APP_GROUP, address: str = ATTACHMENT) -> Plan:
    return plan.create(address, security_group_id=group, network_interface_id=to)


def egress(plan: Plan, **base: Any) -> str:
    [found] = [text for (_, about), text in judge_plan(plan, **base).items() if about == "targets"]
    return found


def test_the_interface_that_an_instance_is_launched_with() -> None:
    plan = network_interface(balanced("instance", Ref("aws_instance.app.id")))
    launched = {"network_interface_id": Ref("aws_network_interface.app.id"), "device_index": 0}
    planned_instance(plan, "aws_instance.app", network_interface=[launched], vpc_security_group_ids=COMPUTED)
    assert egress(plan).startswith("NON_COMPLIANT")
    assert egress(attach(plan, Ref("aws_network_interface.app.id"))).startswith("COMPLIANT")


def test_an_address_that_is_known_of_an_interface_that_is_planned() -> None:
    plan = network_interface(balanced("ip", Ref("aws_network_interface.app.private_ip")))
    assert "10.0.1.50" in egress(plan)
    assert egress(attach(plan, Ref("aws_network_interface.app.id"))).startswith("COMPLIANT")


@pytest.mark.parametrize(("attached", "first_word"), [(True, "ERROR"), (False, "NON_COMPLIANT")])
def test_an_attachment_to_one_of_several_instances(attached: bool, first_word: str) -> None:
    """`aws_instance.app[count.index]` may be each of them."""
    plan = balanced("instance", Ref("aws_instance.app[0].id"))
    for index in (0, 1):
        planned_instance(plan, f"aws_instance.app[{index}]", vpc_security_group_ids=[Ref("aws_security_group.base.id")])
    if attached:
        attach(plan, Ref("aws_instance.app", "count.index"))
        plan.changes[-1]["change"]["after_unknown"]["network_interface_id"] = True
    assert egress(plan).split()[0] == first_word


def test_an_attachment_to_an_interface_that_may_be_any() -> None:
    plan = network_interface(balanced("ip", Ref("aws_network_interface.app.private_ip")))
    plan.defer("data.aws_network_interface.some")
    attach(plan, Ref("data.aws_network_interface.some.id"))
    assert "the interface of aws_network_interface_sg_attachment.app is not known" in egress(plan)


def saved(*groups: str, target_type: str = "ip") -> Any:
    """`web` may send to sg-app alone; its target has an interface with these groups."""
    is_instance = target_type == "instance"
    primary = {"AttachmentId": "a-1", "InstanceId": "i-1", "DeviceIndex": 0}
    owner = interface("10.0.1.5", groups=groups)
    if is_instance:
        owner["Attachment"] = primary
    owner["NetworkInterfaceId"] = "eni-1"
    return build(
        estate(
            load_balancer("web", groups=["sg-1"]),
            listener(443, forward=["web"]),
            target_group(targets=["i-1" if is_instance else "10.0.1.5"], type=target_type),
            owner,
            *([instance("i-1", "10.0.1.5", groups=groups)] if is_instance else []),
            group("sg-1", ingress=[tcp(443, "0.0.0.0/0")], egress=[tcp(80, "sg-app")]),
            group("sg-app"),
            group("sg-base"),
        )
    )


ATTACHED = {"security_group_id": "sg-app", "network_interface_id": "eni-1"}


@pytest.mark.parametrize("target_type", ["ip", "instance"])
def test_a_group_that_is_attached_to_an_interface_that_exists(target_type: str) -> None:
    base = saved("sg-base", target_type=target_type)
    assert egress(Plan(region=REGION), base=[base]).startswith("NON_COMPLIANT")
    plan = Plan(region=REGION).create(ATTACHMENT, **ATTACHED)
    assert egress(plan, base=[base]).startswith("COMPLIANT")


@pytest.mark.parametrize("target_type", ["ip", "instance"])
def test_a_group_that_is_taken_from_an_interface_that_exists(target_type: str) -> None:
    base = saved("sg-app", "sg-base", target_type=target_type)
    plan = Plan(region=REGION).delete(ATTACHMENT, "sg-app_eni-1", **ATTACHED)
    assert egress(plan, base=[base]).startswith("NON_COMPLIANT")
    # One of another interface changes nothing.
    plan = Plan(region=REGION).delete(ATTACHMENT, "sg-app_eni-2", **{**ATTACHED, "network_interface_id": "eni-2"})
    assert egress(plan, base=[base]).startswith("COMPLIANT")


def test_the_groups_of_an_instance_are_those_of_its_interface() -> None:
    """The target is registered by its address."""
    base = saved("sg-base", target_type="instance")
    by_address = [target._replace(id="10.0.1.5") for found in (base.targets or {}).values() for target in found]
    arn = next(iter(base.targets or {}))
    groups = {arn: (base.target_groups or {})[arn]._replace(target_type="ip")}
    base = replace(base, targets={arn: tuple(by_address)}, target_groups=groups)
    assert egress(Plan(region=REGION), base=[base]).startswith("NON_COMPLIANT")
    plan = Plan(region=REGION)
    plan.update("aws_instance.app", "i-1", {"vpc_security_group_ids": ["sg-base"]}, vpc_security_group_ids=["sg-app"])
    assert egress(plan, base=[base]).startswith("COMPLIANT")


def test_a_group_that_is_taken_from_some_instance_of_the_plan() -> None:
    """A plan does not tell which interface is whose."""
    plan = balanced("instance", Ref("aws_instance.app.id"))
    rule(plan, "other", "egress", ALB_GROUP, from_port=8080, to_port=8080, referenced_security_group_id="sg-app")
    planned_instance(plan, "aws_instance.app", vpc_security_group_ids=["sg-app"])
    assert egress(plan).startswith("COMPLIANT")
    plan.delete(ATTACHMENT, "sg-app_eni-1", **ATTACHED)
    assert "sg-app is taken from an interface" in egress(plan)
