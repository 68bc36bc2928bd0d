"""`alb-sg what-if`: verdicts before and after a change, and what would be missing."""

from __future__ import annotations

import pytest

from tests.builders import (
    ANYWHERE,
    EGRESS,
    HEALTH,
    INGRESS,
    RULES,
    TARGETS,
    behind,
    group,
    icmp,
    listener,
    load_balancer,
    load_balancer_arn,
    network_load_balancer,
    target_group,
    target_group_arn,
    tcp,
)
from tests.command_line.calling import Answer, Command, closed, in_order, let_in


def verdicts(answer: Answer, when: str) -> dict[str, str]:
    return {found["rule"]: found["compliance"] for found in answer.json[when]["findings"]}


def test_a_listener_that_would_not_be_open(command: Command) -> None:
    answer = command.on(in_order(), "what-if", "web", "--add-listener", "8443", "--format", "json")
    assert answer.code == 1
    assert verdicts(answer, "before") == dict.fromkeys(RULES, "COMPLIANT")
    assert verdicts(answer, "after") == {**verdicts(answer, "before"), INGRESS: "NON_COMPLIANT"}
    (finding,) = [found for found in answer.json["after"]["findings"] if found["rule"] == INGRESS]
    ((port, peers),) = [(entry["fromPort"], entry["peers"]) for entry in finding["missing"]]
    assert (port, peers) == (8443, [ANYWHERE])
    assert finding["annotation"].startswith("HTTPS:8443 ")


def test_the_rest_of_everybody_is_not_counted_out(command: Command) -> None:
    """A /27 leaves 27 blocks, which tell a reader less than the recommended peer."""
    saved = closed()
    saved["SecurityGroups"][0]["IpPermissions"] = [tcp(443, "1.1.1.0/27")]
    shown = command.on(saved, "what-if", "web", "--add-listener", "8443").out
    assert "    not open: inbound TCP 443 from all of 0.0.0.0/0, of which only a part is open\n" in shown
    assert "0.0.0.0/8" not in shown
    path = command.file(saved)
    for name in ("junit", "markdown"):
        assert "0.0.0.0/8" not in command("check", "--estate", path, "--format", name).out


def test_a_listener_that_is_open_already(command: Command) -> None:
    saved = in_order()
    saved["SecurityGroups"][0]["IpPermissions"].append(tcp(8080, ANYWHERE))
    answer = command.on(saved, "what-if", "web", "--add-listener", "8080")
    assert answer.code == 0
    assert f"{INGRESS}  stays COMPLIANT\n" in answer.out
    # What it will forward to is open or closed on the targets' side as well.
    assert "check both sides once it does" in answer.out


def test_removing_the_listener_that_offends(command: Command) -> None:
    answer = command.on(in_order(listener(80)), "what-if", "web", "--remove-listener", "80")
    assert answer.code == 0
    assert f"{INGRESS}  NON_COMPLIANT -> COMPLIANT\n" in answer.out


def test_target_groups_stay_when_their_listener_goes(command: Command) -> None:
    """Rules of other listeners may forward to them, which an estate does not tell."""
    answer = command.on(in_order(), "what-if", "web", "--remove-listener", "443", "--format", "json")
    assert verdicts(answer, "after")[EGRESS] == "COMPLIANT"
    assert verdicts(answer, "after")[INGRESS] == "NOT_APPLICABLE"
    assert any("stay associated" in note for note in answer.json["notes"])


def test_target_groups_that_only_a_listener_tells_of_stay_too(command: Command) -> None:
    saved = closed()
    saved["TargetGroups"][0]["LoadBalancerArns"] = []
    answer = command.on(saved, "what-if", "web", "--remove-listener", "443", "--format", "json")
    assert verdicts(answer, "before")[EGRESS] == "NON_COMPLIANT"
    assert verdicts(answer, "after")[EGRESS] == "NON_COMPLIANT"


@pytest.mark.parametrize("name", ["web", target_group_arn("web")])
def test_a_health_check_port_that_is_closed(command: Command, name: str) -> None:
    answer = command.on(in_order(), "what-if", "web", "--health-check-port", f"{name}=9000")
    assert answer.code == 1
    assert f"{HEALTH}  COMPLIANT -> NON_COMPLIANT\n" in answer.out
    assert f"{EGRESS}  stays COMPLIANT\n" in answer.out
    assert "not open: outbound TCP 9000 to 10.0.1.5/32, or to sg-app (new)\n" in answer.out


def test_health_checks_on_the_traffic_port(command: Command) -> None:
    saved = in_order()
    saved["TargetGroups"][0]["HealthCheckPort"] = "9000"
    answer = command.on(saved, "what-if", "web", "--health-check-port", "web=traffic-port")
    assert answer.code == 0
    assert f"{HEALTH}  NON_COMPLIANT -> COMPLIANT\n" in answer.out


def test_the_health_check_port_of_the_group_in_front(command: Command) -> None:
    """A Network Load Balancer's health checks come from the VPC, to a listener that answers them."""
    saved = in_order(network_load_balancer(), behind(443), listener(8080))
    answer = command.on(saved, "what-if", "web", "--health-check-port", "to-web=8080", "--format", "json")
    missing = [
        (entry["fromPort"], entry["peers"])
        for found in answer.json["after"]["findings"]
        if found["rule"] == INGRESS
        for entry in found["missing"]
    ]
    assert (8080, ["10.0.0.0/16"]) in missing


def test_other_load_balancers_of_the_target_group_are_named(command: Command) -> None:
    saved = in_order(load_balancer("shop"))
    saved["TargetGroups"][0]["LoadBalancerArns"].append(load_balancer_arn("shop"))
    answer = command.on(saved, "what-if", "web", "--health-check-port", "web=9000")
    assert f"also used by {load_balancer_arn('shop')}" in answer.out


def test_other_security_groups(command: Command) -> None:
    saved = let_in(
        closed(
            group("sg-open", ingress=[tcp(443, ANYWHERE)], egress=[tcp(80, "sg-app")]),
            group("sg-icmp", ingress=[icmp(-1, -1, ANYWHERE)]),
        )
    )
    answer = command.on(saved, "what-if", "web", "--security-groups", "sg-open,sg-icmp")
    assert answer.code == 0
    assert answer.out.count("NON_COMPLIANT -> COMPLIANT") == 4
    answer = command.on(saved, "what-if", "web", "--security-groups", "sg-open")
    assert answer.code == 1


def test_targets_that_refer_to_a_group_lose_the_load_balancer_without_it(command: Command) -> None:
    more = group("sg-2", ingress=[tcp(443, ANYWHERE), icmp(3, 4, ANYWHERE)], egress=[tcp(80, "sg-app")])
    answer = command.on(in_order(more), "what-if", "web", "--security-groups", "sg-2", "--format", "json")
    assert answer.code == 1
    assert verdicts(answer, "after") == {**verdicts(answer, "before"), TARGETS: "NON_COMPLIANT"}


def test_a_security_group_of_another_vpc(command: Command) -> None:
    """It may be associated with the load balancer's VPC, or shared with the account."""
    elsewhere = group(
        "sg-elsewhere",
        vpc="vpc-2",
        ingress=[tcp(443, ANYWHERE), icmp(-1, -1, ANYWHERE)],
        egress=[tcp(80, "sg-app")],
    )
    saved = let_in(closed(elsewhere))
    answer = command.on(saved, "what-if", "web", "--security-groups", "sg-elsewhere")
    assert answer.code == 0
    assert answer.out.count("NON_COMPLIANT -> COMPLIANT") == 4


def test_changes_combine(command: Command) -> None:
    saved = let_in(
        in_order(group("sg-8443", ingress=[tcp(8443, ANYWHERE), icmp(3, 4, ANYWHERE)], egress=[tcp(80, "10.0.1.5")]))
    )
    answer = command.on(
        saved, "what-if", "web", "--add-listener", "8443", "--remove-listener", "443", "--security-groups", "sg-8443"
    )
    assert answer.code == 0
    assert answer.out.count("stays COMPLIANT") == 5


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ([], ["--add-listener", "--security-groups"]),
        (["--add-listener", "443"], ["443", "already"]),
        (["--add-listener", "70000"], ["70000", "port"]),
        (["--add-listener", "https"], ["https", "port"]),
        (["--remove-listener", "81"], ["81", "443"]),
        (["--health-check-port", "9000"], ["TARGET-GROUP=PORT"]),
        (["--health-check-port", "web=0"], ["'0'"]),
        (["--health-check-port", "shop=80"], ["'shop'", "web"]),
        (["--security-groups", "sg-absent"], ["sg-absent"]),
        (["--security-groups", "sg-1,default"], ["default"]),
    ],
)
def test_bad_changes_are_refused(command: Command, options: list[str], named: list[str]) -> None:
    path = command.file(in_order(target_group("shop", load_balancers=["shop"])))
    said = command.refused("what-if", "web", "--estate", path, *options)
    assert [word for word in named if word not in said] == []


@pytest.mark.parametrize(
    ("section", "options"),
    [
        ("Listeners", ["--add-listener", "80"]),
        ("TargetGroups", ["--health-check-port", "web=80"]),
        ("SecurityGroups", ["--security-groups", "sg-2"]),
    ],
)
def test_uncollected_data_of_a_change_is_an_error(command: Command, section: str, options: list[str]) -> None:
    answer = command.on(in_order(uncollected=[section]), "what-if", "web", *options)
    assert answer.code == 3
    assert f"{section} of 111122223333 us-east-1 was not collected" in answer.err


def test_verdicts_that_cannot_be_told_are_errors(command: Command) -> None:
    saved = in_order(uncollected=["TargetGroups"])
    answer = command.on(saved, "what-if", "web", "--add-listener", "80", "--format", "json")
    assert answer.code == 3
    assert len(answer.json["after"]["errors"]) == 3
