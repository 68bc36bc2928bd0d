"""Remarks: what no verdict depends on, and would mislead a reader if it stayed unsaid (semantics §10)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from alb_sg.estate.export_file import read_export_file
from alb_sg.estate.snapshots.files import read_config_items
from tests.builders import (
    ANYWHERE,
    EGRESS,
    HEALTH,
    Saved,
    Shape,
    all_traffic,
    build,
    estate,
    group,
    instance,
    interface,
    judge,
    listener,
    load_balancer,
    load_balancer_arn,
    network_load_balancer,
    prefix_list,
    reference,
    target,
    target_group,
    tcp,
    vpc,
)
from tests.command_line.calling import Command
from tests.estate.example import config_items, lower_camel

ONLY_TARGETS = [tcp(80, "sg-app")]


@pytest.fixture
def command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(tmp_path, capsys)


def _remarks(command: Command, saved: Saved) -> list[str]:
    """The remarks of `check`, which `explain` and the page have alike."""
    checked = command.on(saved, "check", "--format", "json").json["remarks"]
    assert {one["loadBalancerArn"] for one in checked} <= {load_balancer_arn("web")}
    remarks = [one["remark"] for one in checked]
    assert command.on(saved, "explain", "web", "--format", "json").json["remarks"] == remarks
    out = command.on(saved, "explain", "web").out
    assert [line.removeprefix("remark  ") for line in out.splitlines() if line.startswith("remark")] == remarks
    page = command.folder / "page.html"
    command.on(saved, "dashboard", "--output", str(page), "--as-of", "2027-01-31T06:00:00Z")
    data = json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))
    [web] = [one for one in data["loadBalancers"] if one["name"] == "web"]
    assert web["detail"]["remarks"] == remarks
    return remarks


def _authenticating(action: str | None, *egress: Shape, rule: str | None = None) -> Saved:
    own = listener(443, forward=["web"])
    if action is not None:
        own["DefaultActions"] = [{"Type": action, "Order": 1}, *own["DefaultActions"]]
    saved = estate(
        load_balancer("web"),
        own,
        target_group("web", targets=["10.0.1.5"]),
        interface("10.0.1.5"),
        group("sg-1", ingress=[all_traffic(ANYWHERE)], egress=egress),
        group("sg-app", ingress=[all_traffic("sg-1")]),
    )
    if rule is not None:
        arn = saved["Listeners"][0]["ListenerArn"].replace(":listener/", ":listener-rule/")
        saved["ListenerRules"] = [
            {"RuleArn": f"{arn}/0000000000000001", "Actions": [{"Type": rule}, {"Type": "forward"}]},
            {"RuleArn": f"{arn}/0000000000000002", "IsDefault": True, "Actions": [{"Type": "forward"}]},
        ]
    return saved


@pytest.mark.parametrize("action", ["authenticate-oidc", "authenticate-cognito", "jwt-validation"])
def test_a_listener_authenticates_without_outbound_https(command: Command, action: str) -> None:
    [remark] = _remarks(command, _authenticating(action, *ONLY_TARGETS))
    assert remark == (
        f"HTTPS:443 authenticates ({action}), but no outbound TCP 443 is open in sg-1: the load balancer cannot reach "
        "the identity provider"
    )


@pytest.mark.parametrize("key", ["ListenerRules", "Rules"])
@pytest.mark.parametrize("keyed", [False, True])
def test_a_rule_authenticates_without_outbound_https(command: Command, key: str, keyed: bool) -> None:
    """As a list, as the command prints them, and by listener."""
    saved = _authenticating(None, *ONLY_TARGETS, rule="authenticate-oidc")
    rules = saved.pop("ListenerRules")
    saved[key] = {saved["Listeners"][0]["ListenerArn"]: {"Rules": rules}} if keyed else rules
    [remark] = _remarks(command, saved)
    assert remark.startswith("a rule of HTTPS:443 authenticates (authenticate-oidc), but no outbound TCP 443 is open")


@pytest.mark.parametrize(
    "saved",
    [
        pytest.param(_authenticating(None, *ONLY_TARGETS), id="nothing authenticates"),
        pytest.param(_authenticating("authenticate-oidc", all_traffic(ANYWHERE)), id="all of it is open"),
        pytest.param(
            _authenticating("authenticate-oidc", *ONLY_TARGETS, tcp(443, "sg-proxy")), id="to a proxy's group"
        ),
        pytest.param(_authenticating("authenticate-oidc", *ONLY_TARGETS, tcp(443, "2001:db8::/32")), id="IPv6 is open"),
        pytest.param(_authenticating("authenticate-oidc", *ONLY_TARGETS, tcp(443, "pl-1")), id="a list not collected"),
    ],
)
def test_no_remark_on_authentication(command: Command, saved: Saved) -> None:
    """Only then: a caveat that is always there is read by nobody."""
    assert _remarks(command, saved) == []


def test_a_stale_reference_is_no_outbound_https(command: Command) -> None:
    stale = tcp(443, reference("sg-old", peering="pcx-1", vpc="vpc-2", status="deleted"))
    assert len(_remarks(command, _authenticating("authenticate-oidc", *ONLY_TARGETS, stale))) == 1


def _internal(*more: Shape, scheme: str = "internal") -> Saved:
    return estate(load_balancer("web", scheme=scheme), listener(80), group("sg-1"), vpc("10.0.0.0/16"), *more)


def _service_interface(interface_type: str, vpc_id: str = "vpc-1") -> Shape:
    return interface("10.0.9.9", groups=[], vpc=vpc_id) | {"InterfaceType": interface_type}


@pytest.mark.parametrize(
    ("part", "service"),
    [
        (_service_interface("global_accelerator_managed"), "Global Accelerator"),
        (_service_interface("api_gateway_managed"), "API Gateway"),
        (group("sg-cf") | {"GroupName": "CloudFront-VPCOrigins-Service-SG"}, "CloudFront (VPC origins)"),
        (group("sg-ga") | {"GroupName": "GlobalAccelerator"}, "Global Accelerator"),
    ],
)
def test_a_service_may_send_to_an_internal_load_balancer(command: Command, part: Shape, service: str) -> None:
    [remark] = _remarks(command, _internal(part))
    assert remark.startswith(f"{service} is present in vpc-1 (")
    assert remark.endswith("the clients to let in are not those of the VPC")


@pytest.mark.parametrize(
    "saved",
    [
        pytest.param(
            _internal(_service_interface("global_accelerator_managed"), scheme="internet-facing"), id="facing"
        ),
        pytest.param(_internal(_service_interface("global_accelerator_managed", "vpc-2")), id="another VPC"),
        pytest.param(_internal(_service_interface("vpc_endpoint")), id="what sends to no load balancer"),
    ],
)
def test_no_remark_on_senders(command: Command, saved: Saved) -> None:
    assert _remarks(command, saved) == []


def _unhealthy(reason: str, *egress: Shape) -> Saved:
    unhealthy = target("10.0.1.5", state="unhealthy")
    unhealthy["TargetHealth"]["Reason"] = reason
    return estate(
        load_balancer("web"),
        listener(443, forward=["web"]),
        target_group("web", targets=[unhealthy, "10.0.1.6"]),
        interface("10.0.1.5"),
        interface("10.0.1.6"),
        group("sg-1", egress=egress),
    )


def test_every_outbound_row_is_met_and_targets_time_out(command: Command) -> None:
    """The other side: the targets' own groups are the usual cause, and their rule says what they lack."""
    [remark] = _remarks(command, _unhealthy("Target.Timeout", *ONLY_TARGETS))
    assert remark == (
        "target group web: 1 target (10.0.1.5) unhealthy with Target.Timeout, although every outbound row is met: "
        "look at what ALB_SG_TARGET_INGRESS finds closed in the targets' own security groups, then at network ACLs and "
        "routes"
    )


def test_both_sides_are_open_and_targets_time_out(command: Command) -> None:
    """Who is sent to the targets' groups then loses time: they are open."""
    saved = _unhealthy("Target.Timeout", *ONLY_TARGETS)
    [of_targets] = [one for one in saved["SecurityGroups"] if one["GroupId"] == "sg-app"]
    of_targets["IpPermissions"] = [tcp(80, "sg-1")]
    [remark] = _remarks(command, saved)
    assert remark == (
        "target group web: 1 target (10.0.1.5) unhealthy with Target.Timeout, although every outbound row is met: "
        "the targets' own security groups let them in as well (ALB_SG_TARGET_INGRESS), so look at network ACLs and "
        "routes, and whether the targets answer"
    )


def test_targets_time_out_and_their_side_was_not_judged(command: Command) -> None:
    saved = _unhealthy("Target.Timeout", *ONLY_TARGETS)
    rules = [argument for rule in (EGRESS, HEALTH) for argument in ("--rule", rule)]
    [found] = command.on(saved, "check", "--format", "json", *rules).json["remarks"]
    assert found["remark"].endswith(
        "look at the inbound rules of the targets' own security groups, network ACLs and routes"
    )


@pytest.mark.parametrize(
    "saved",
    [
        pytest.param(_unhealthy("Target.Timeout"), id="a row is missing: that is the cause"),
        pytest.param(_unhealthy("Target.ResponseCodeMismatch", *ONLY_TARGETS), id="the target answers"),
    ],
)
def test_no_remark_on_timeouts(command: Command, saved: Saved) -> None:
    assert _remarks(command, saved) == []


def test_targets_are_healthy_although_a_row_is_unresolved(command: Command) -> None:
    saved = estate(
        load_balancer("web"),
        listener(443, forward=["web"]),
        target_group("web", targets=["10.0.1.5"]),
        interface("10.0.1.5"),
        group("sg-1", egress=[tcp(80, "pl-1")]),
        group("sg-app", ingress=[all_traffic("sg-1")]),
        prefix_list("pl-1", refused=True),
    )
    [remark] = _remarks(command, saved)
    assert remark == (
        "target group web: 1 target (10.0.1.5) healthy, although ALB_SG_HEALTH_CHECK_EGRESS and ALB_SG_INSTANCE_EGRESS "
        "are unresolved: health checks get through"
    )


def test_targets_are_healthy_although_their_interfaces_are_not_seen(command: Command) -> None:
    """Nobody knows that their groups are closed."""
    saved = estate(
        load_balancer("web"),
        listener(443, forward=["web"]),
        target_group("web", targets=["10.0.1.5"]),
        group("sg-1", egress=[all_traffic(ANYWHERE)]),
    )
    [remark] = _remarks(command, saved)
    assert remark == (
        "target group web: 1 target (10.0.1.5) healthy, although ALB_SG_TARGET_INGRESS is unresolved: health checks "
        "get through"
    )
    told = command.on(saved, "explain", "web", "--rule", "target_ingress").out
    assert "1 target with security groups not known: 10.0.1.5" in told
    assert "no rule of their security groups" not in told


def test_healthy_targets_although_their_groups_are_closed(command: Command) -> None:
    """Health checks get through, so the data is not that of the account."""
    parts = (load_balancer("web"), listener(443, forward=["web"]), interface("10.0.1.5"), group("sg-1"))
    saved = estate(*parts, target_group("web", targets=["10.0.1.5"]))
    assert _remarks(command, saved) == [
        (
            "target group web: all targets are healthy, although ALB_SG_TARGET_INGRESS finds their health check port "
            "closed: the data is not that of the account, or has changed since"
        )
    ]
    # Today's nodes are let in, and others would not be.
    assert (
        _remarks(
            command,
            estate(
                *parts, target_group("web", targets=["10.0.1.5"]), group("sg-app", ingress=[tcp(80, "10.0.1.9/32")])
            ),
        )
        == []
    )
    assert (
        _remarks(
            command,
            estate(
                *parts, target_group("web", targets=["10.0.1.5"]), group("sg-app", ingress=[tcp(80, "10.0.1.0/24")])
            ),
        )
        == []
    )
    # Another port is closed: health checks say nothing about it.
    apart = target_group("web", targets=["10.0.1.5"], health_check_port="8081")
    assert _remarks(command, estate(*parts, apart, group("sg-app", ingress=[tcp(8081, "sg-1")]))) == []
    # Today's nodes are let in by their addresses, and only they do not suffice: health checks rightly get through.
    node = group("sg-app", ingress=[tcp(80, "10.0.1.17/32")])
    assert _remarks(command, estate(*parts, node, target_group("web", targets=["10.0.1.5"]))) == []
    # One target is not healthy, and may be the one that is closed.
    some = target_group("web", targets=["10.0.1.5", target("10.0.1.6", state="unhealthy")])
    assert _remarks(command, estate(*parts, some)) == []


def test_closed_ports_that_a_container_agent_chose(command: Command) -> None:
    """A rule for today's ports would be closed to the next task."""

    def remarks(*targets: Shape, side: Shape, **fields: Any) -> list[str]:
        parts = [instance("i-1", "10.0.1.5"), target_group(type="instance", targets=targets, **fields)]
        return _remarks(command, estate(listener(443, forward=["web"]), side, *parts, group("sg-app")))

    closed = group("sg-1", egress=[])
    chosen = [target("i-1", 32801, "unhealthy"), target("i-1", 49155, "unhealthy"), target("i-1", 8080, "unhealthy")]
    expected = (
        "target group web: closed ports (32801, 49155) are ephemeral: if Amazon ECS chooses the host ports, new tasks "
        "have other ones, so open the range that it chooses from (32768-65535 contains the default ones)"
    )
    # Both sides are closed, and one of them alone.
    assert remarks(*chosen, side=closed) == [expected]
    assert remarks(*chosen, side=group("sg-1", egress=[all_traffic(ANYWHERE)])) == [expected]
    # A port that somebody chose stays: the target group's own, and one below.
    assert remarks(target("i-1", 40000, "unhealthy"), side=closed, port=40000) == []
    assert remarks(target("i-1", 30080, "unhealthy"), side=closed) == []


def test_a_remark_changes_no_verdict() -> None:
    """The same estate with and without what the remark rests on."""
    with_it, without = _authenticating("authenticate-oidc", *ONLY_TARGETS), _authenticating(None, *ONLY_TARGETS)
    assert judge(with_it, EGRESS) == judge(without, EGRESS)


def test_other_types_of_load_balancers_get_none(command: Command) -> None:
    saved = _internal(_service_interface("global_accelerator_managed"), network_load_balancer("nlb", scheme="internal"))
    remarks = command.on(saved, "check", "--format", "json").json["remarks"]
    assert {one["loadBalancerArn"] for one in remarks} == {load_balancer_arn("web")}


@pytest.mark.parametrize("spelling", [lambda items: items, lower_camel])
@pytest.mark.parametrize("fast", [False, True])
def test_configuration_items_tell_the_same(tmp_path: Path, spelling: Any, fast: bool) -> None:
    saved = _authenticating("jwt-validation", *ONLY_TARGETS)
    saved["NetworkInterfaces"].append(_service_interface("api_gateway_managed"))
    items = [item | {"configuration": spelling(item["configuration"])} for item in config_items(saved)]
    path = tmp_path / "items.json"
    path.write_text(json.dumps({"configurationItems": items}), encoding="utf-8")
    [found] = read_config_items([str(path)], fast=fast)
    expected = build(saved)
    assert found.listeners == expected.listeners
    assert {one.interface_type for one in (found.network_interfaces or {}).values()} == {"", "api_gateway_managed"}
    assert [one.authentications for one in (found.listeners or {})[load_balancer_arn("web")]] == [("jwt-validation",)]


def test_a_rule_of_no_listener_is_named(command: Command, tmp_path: Path) -> None:
    saved = _authenticating(None, rule="authenticate-oidc")
    saved["ListenerRules"][1]["RuleArn"] = "arn:aws:elasticloadbalancing:us-east-1:111122223333:loadbalancer/app/web/1"
    said = command.refused("check", "--estate", command.file(saved))
    assert "ListenerRules[1].RuleArn: 'arn:aws:elasticloadbalancing" in said
    assert "is not the ARN of a listener rule" in said


def test_actions_of_another_shape_authenticate_nothing(tmp_path: Path) -> None:
    """No verdict depends on rules, so an odd one refuses nothing."""
    saved = _authenticating(None, rule="authenticate-oidc")
    saved["ListenerRules"][0]["Actions"] = {"Type": "authenticate-oidc"}
    path = tmp_path / "estate.json"
    path.write_text(json.dumps(saved), encoding="utf-8")
    [found] = read_export_file(str(path))
    assert found.rule_authentications == {saved["Listeners"][0]["ListenerArn"]: ()}
