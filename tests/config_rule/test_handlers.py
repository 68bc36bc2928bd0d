"""Each rule's real `lambda_handler` on an embedded AWS: AWS Config records the right evaluations and no others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from rdklib import Evaluator

from alb_sg.config_rule import evaluations
from alb_sg.errors import IncompleteEvaluationError, InvalidInputError
from alb_sg.estate.resource_types import (
    LISTENER_TYPE,
    LOAD_BALANCER_TYPE,
    SECURITY_GROUP_TYPE,
    SECURITY_GROUP_VPC_ASSOCIATION_TYPE,
    TARGET_GROUP_TYPE,
    VPC_TYPE,
)
from embedded_aws.account import ACCOUNT_ID, REGION, EmbeddedAws, icmp, tcp
from tests.config_rule.incomplete_answers import empty_list_of_load_balancers
from tests.rules import RULE_NAMES, rule_module

pytestmark = pytest.mark.slow

LISTENER_RULE = "ALB_SG_LISTENER_INGRESS"
INSTANCE_RULE = "ALB_SG_INSTANCE_EGRESS"
ICMP_RULE = "ALB_SG_ICMP_PMTUD"

GONE = ("ResourceDeleted", "ResourceDeletedNotRecorded")


class Shop(EmbeddedAws):
    """A VPC with one Application Load Balancer `web`: its security group allows its listener on port 80, but not its
    target."""

    def build(self) -> None:
        self.vpc_id = self.vpc()
        self.subnet_ids = self.subnets(self.vpc_id)
        self.group = self.security_group(self.vpc_id, "lb", ingress=[tcp(80, "0.0.0.0/0")], egress=[])
        self.app = self.security_group(self.vpc_id, "app")
        self.web = self.load_balancer("web", self.subnet_ids, [self.group])
        self.web_targets = self.targets_of("web")
        self.web_80 = self.listener(self.web, 80, self.web_targets)

    def targets_of(self, name: str) -> str:
        return self.target_group(name, self.vpc_id, 8080, [(self.instance(self.subnet_ids[0], self.app), None)])

    def verdicts(self, rule: str) -> dict[str, str]:
        return {arn: found.compliance_type for arn, found in self.config.evaluations(rule).items()}

    def recorded(self) -> list[tuple[str, str]]:
        return [(found.resource_id, found.compliance_type) for found in self.config.accepted_evaluations]

    def run(self, rule: str, event: dict[str, Any]) -> list[dict[str, Any]]:
        answer: list[dict[str, Any]] = rule_module(rule).lambda_handler(event, None)
        json.dumps(answer)  # Lambda serialises what a handler returns; what it cannot, fails the invocation
        return answer


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.setattr(evaluations, "RETRY_PAUSES", (0, 0))
    with Shop() as shop:
        shop.build()
        yield shop


@pytest.mark.parametrize("rule", RULE_NAMES)
def test_every_rule_judges_on_every_type_of_change(aws: Shop, rule: str) -> None:
    expected = {
        "ALB_SG_LISTENER_INGRESS": "COMPLIANT",
        "ALB_SG_INSTANCE_EGRESS": "NON_COMPLIANT",
        "ALB_SG_HEALTH_CHECK_EGRESS": "NON_COMPLIANT",
        "ALB_SG_ICMP_PMTUD": "NON_COMPLIANT",
        "ALB_SG_TARGET_INGRESS": "NON_COMPLIANT",
        "ALB_SG_UNUSED_INGRESS": "COMPLIANT",
    }[rule]
    for resource_type, resource_id in (
        (LOAD_BALANCER_TYPE, aws.web),
        (LISTENER_TYPE, aws.web_80),
        (TARGET_GROUP_TYPE, aws.web_targets),
        (SECURITY_GROUP_TYPE, aws.group),
    ):
        before = len(aws.config.accepted_evaluations)
        aws.run(rule, aws.change_event(rule, resource_type, resource_id))
        given = aws.recorded()[before:]
        # One evaluation for the load balancer, and none for the item: AWS Config charges for each.
        assert given == [(aws.web, expected)]


def test_a_vpc_concerns_its_load_balancers(aws: Shop) -> None:
    elsewhere = aws.vpc("10.9.0.0/16")
    aws.run(ICMP_RULE, aws.change_event(ICMP_RULE, VPC_TYPE, elsewhere))
    assert aws.recorded() == []
    aws.run(ICMP_RULE, aws.change_event(ICMP_RULE, VPC_TYPE, aws.vpc_id))
    assert aws.recorded() == [(aws.web, "NON_COMPLIANT")]


def test_an_association_of_a_group_with_a_vpc_concerns_its_carriers(aws: Shop) -> None:
    item = f"{aws.group}|vpc-0a1b2c3d"
    aws.run(ICMP_RULE, aws.change_event(ICMP_RULE, SECURITY_GROUP_VPC_ASSOCIATION_TYPE, item))
    assert aws.recorded() == [(aws.web, "NON_COMPLIANT")]


def test_the_group_of_a_network_load_balancer_concerns_those_behind_it(aws: Shop) -> None:
    edge = aws.security_group(aws.vpc_id, "edge")
    in_front(aws, [edge])
    aws.run(LISTENER_RULE, aws.change_event(LISTENER_RULE, SECURITY_GROUP_TYPE, edge))
    assert aws.recorded() == [(aws.web, "COMPLIANT")]
    # It says nothing about Path MTU Discovery.
    aws.run(ICMP_RULE, aws.change_event(ICMP_RULE, SECURITY_GROUP_TYPE, edge))
    assert len(aws.recorded()) == 1


TARGET_RULE = "ALB_SG_TARGET_INGRESS"


def test_the_group_of_targets_concerns_the_load_balancers_that_send_to_them(aws: Shop) -> None:
    aws.run(TARGET_RULE, aws.change_event(TARGET_RULE, SECURITY_GROUP_TYPE, aws.app))
    aws.allow_ingress(aws.app, [tcp(8080, aws.group)])
    aws.run(TARGET_RULE, aws.change_event(TARGET_RULE, SECURITY_GROUP_TYPE, aws.app))
    assert aws.recorded() == [(aws.web, "NON_COMPLIANT"), (aws.web, "COMPLIANT")]
    # No rule on the load balancer's own groups has to judge.
    aws.run(ICMP_RULE, aws.change_event(ICMP_RULE, SECURITY_GROUP_TYPE, aws.app))
    assert len(aws.recorded()) == 2


def test_more_target_groups_than_are_followed_are_left_to_the_daily_run_and_the_log_says_so(
    aws: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("alb_sg.live.target_carriers.MAX_FOLLOWED_TARGET_GROUPS", 0)
    assert aws.run(TARGET_RULE, aws.change_event(TARGET_RULE, SECURITY_GROUP_TYPE, aws.app)) == []
    logged = [line for line in log_lines(capsys) if "_aws" not in line]
    assert [(one["level"], one["rule"]) for one in logged] == [("WARNING", TARGET_RULE)]
    assert aws.app in logged[0]["cause"]
    assert "the periodic run judges them" in logged[0]["cause"]


@pytest.mark.parametrize("first", ["group", "listener"])
def test_a_group_of_targets_and_a_listener_that_change_at_once_end_with_the_final_verdict(
    aws: Shop, first: str
) -> None:
    """Each event is judged by the state that it finds, in whatever order AWS Config delivers them."""
    aws.run(TARGET_RULE, aws.change_event(TARGET_RULE, SECURITY_GROUP_TYPE, aws.app))
    aws.allow_ingress(aws.app, [tcp(8080, aws.group)])
    aws.listener(aws.web, 8443, aws.web_targets)
    of_group = aws.change_event(TARGET_RULE, SECURITY_GROUP_TYPE, aws.app)
    of_listener = aws.change_event(TARGET_RULE, LISTENER_TYPE, aws.web_80)
    for event in [of_group, of_listener] if first == "group" else [of_listener, of_group]:
        aws.run(TARGET_RULE, event)
    assert aws.verdicts(TARGET_RULE) == {aws.web: "COMPLIANT"}


def test_a_verdict_that_another_event_overtakes_does_not_replace_the_later_one(
    aws: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The event of a target's group is judged. Before its verdict is recorded, a listener is added and judged."""
    aws.allow_ingress(aws.app, [tcp(8080, aws.group)])
    of_group = aws.change_event(TARGET_RULE, SECURITY_GROUP_TYPE, aws.app)
    put_evaluations = evaluations.put_evaluations

    def overtaken(*given: Any) -> Any:
        monkeypatch.setattr("alb_sg.config_rule.rule.put_evaluations", put_evaluations)
        closed = aws.target_group(
            "new", aws.vpc_id, 9090, [(aws.network_interface(aws.subnet_ids[0], aws.app), None)], target_type="ip"
        )
        listener = aws.listener(aws.web, 9443, closed)
        aws.run(TARGET_RULE, aws.change_event(TARGET_RULE, LISTENER_TYPE, listener))
        return put_evaluations(*given)

    monkeypatch.setattr("alb_sg.config_rule.rule.put_evaluations", overtaken)
    aws.run(TARGET_RULE, of_group)
    # AWS Config keeps the verdict of the later change, in whatever order they arrive.
    assert aws.recorded() == [(aws.web, "NON_COMPLIANT"), (aws.web, "COMPLIANT")]
    assert aws.verdicts(TARGET_RULE) == {aws.web: "NON_COMPLIANT"}


def test_a_change_that_concerns_no_load_balancer_costs_no_evaluation(aws: Shop) -> None:
    spare = aws.security_group(aws.vpc_id, "spare")
    network, _ = in_front(aws, [])
    edge = {"type": "network", "scheme": "internal"}
    aws.faults.calls.clear()
    aws.run(ICMP_RULE, aws.change_event(ICMP_RULE, LOAD_BALANCER_TYPE, network, configuration=edge))
    assert not [call for call in aws.faults.calls if call.startswith("Describe")]
    aws.run(ICMP_RULE, aws.change_event(ICMP_RULE, SECURITY_GROUP_TYPE, spare))
    assert aws.recorded() == []
    # AWS Config waits for an answer, which may be empty.
    assert [call.operation for call in aws.config.calls].count("PutEvaluations") == 2


def test_a_security_group_concerns_all_that_carry_it_and_no_other(aws: Shop) -> None:
    other = aws.security_group(aws.vpc_id, "other")
    second = aws.load_balancer("second", aws.subnet_ids, [aws.group, other])
    aws.load_balancer("third", aws.subnet_ids, [other])
    aws.run(ICMP_RULE, aws.change_event(ICMP_RULE, SECURITY_GROUP_TYPE, aws.group))
    assert aws.recorded() == [
        *sorted([(second, "NON_COMPLIANT"), (aws.web, "NON_COMPLIANT")]),
    ]


def test_deleting_the_offending_listener_turns_the_load_balancer_compliant(aws: Shop) -> None:
    offending = aws.listener(aws.web, 443)
    aws.run(LISTENER_RULE, aws.change_event(LISTENER_RULE, LISTENER_TYPE, offending))
    assert aws.verdicts(LISTENER_RULE) == {aws.web: "NON_COMPLIANT"}
    aws.elbv2.delete_listener(ListenerArn=offending)
    event = aws.change_event(LISTENER_RULE, LISTENER_TYPE, offending, status="ResourceDeleted")
    aws.run(LISTENER_RULE, event)
    assert aws.verdicts(LISTENER_RULE) == {aws.web: "COMPLIANT"}


@pytest.mark.parametrize("status", GONE)
def test_a_load_balancer_that_is_gone_is_answered_without_a_call(aws: Shop, status: str) -> None:
    aws.faults.calls.clear()
    aws.run(LISTENER_RULE, aws.change_event(LISTENER_RULE, LOAD_BALANCER_TYPE, aws.web, status=status))
    assert aws.recorded() == [(aws.web, "NOT_APPLICABLE")]
    # Messages of compliance changes quote it.
    assert aws.config.accepted_evaluations[0].annotation == "deleted, or no longer in this rule's scope"
    assert not [call for call in aws.faults.calls if call.startswith("Describe")]


@pytest.mark.parametrize("status", [*GONE, "ResourceNotRecorded"])
@pytest.mark.parametrize("resource_type", [LISTENER_TYPE, TARGET_GROUP_TYPE, SECURITY_GROUP_TYPE])
def test_items_that_are_gone_still_have_their_load_balancers_judged(aws: Shop, resource_type: str, status: str) -> None:
    resource_id = {
        LISTENER_TYPE: aws.web_80,
        TARGET_GROUP_TYPE: aws.web_targets,
        SECURITY_GROUP_TYPE: aws.group,
    }[resource_type]
    aws.run(LISTENER_RULE, aws.change_event(LISTENER_RULE, resource_type, resource_id, status=status))
    assert aws.recorded() == [(aws.web, "COMPLIANT")]


def test_a_load_balancer_that_is_not_recorded_has_one_answer_by_every_path(aws: Shop) -> None:
    """It exists and is judged from live state. Only AWS Config's recorder leaves it out."""
    aws.run(LISTENER_RULE, aws.scheduled_event(LISTENER_RULE))
    for oversized in (False, True):
        event = aws.change_event(
            LISTENER_RULE, LOAD_BALANCER_TYPE, aws.web, status="ResourceNotRecorded", oversized=oversized
        )
        aws.run(LISTENER_RULE, event)
    aws.run(LISTENER_RULE, aws.scheduled_event(LISTENER_RULE, {"Source": "config"}))
    assert aws.recorded() == [(aws.web, "COMPLIANT")] * 4


def test_a_load_balancer_that_is_not_recorded_and_gone_is_not_applicable(aws: Shop) -> None:
    aws.elbv2.delete_load_balancer(LoadBalancerArn=aws.web)
    aws.run(LISTENER_RULE, aws.change_event(LISTENER_RULE, LOAD_BALANCER_TYPE, aws.web, status="ResourceNotRecorded"))
    assert aws.recorded() == [(aws.web, "NOT_APPLICABLE")]


def test_a_load_balancer_that_left_the_scope_is_not_applicable(aws: Shop) -> None:
    event = aws.change_event(LISTENER_RULE, LOAD_BALANCER_TYPE, aws.web) | {"eventLeftScope": True}
    aws.run(LISTENER_RULE, event)
    assert aws.recorded() == [(aws.web, "NOT_APPLICABLE")]


def test_a_load_balancer_deleted_before_it_was_looked_at_is_not_applicable(aws: Shop) -> None:
    aws.elbv2.delete_load_balancer(LoadBalancerArn=aws.web)
    aws.run(LISTENER_RULE, aws.change_event(LISTENER_RULE, LOAD_BALANCER_TYPE, aws.web))
    assert aws.recorded() == [(aws.web, "NOT_APPLICABLE")]


def in_front(aws: Shop, groups: list[str]) -> tuple[str, str]:
    """A Network Load Balancer that sends to port 80 of `web`, and its target group of type `alb`."""
    network = aws.load_balancer("edge", aws.subnet_ids, groups, type_="network")
    behind = aws.target_group("to-web", aws.vpc_id, 80, [(aws.web, None)], target_type="alb", protocol="TCP")
    aws.listener(network, 80, behind, protocol="TCP")
    return network, behind


def test_a_network_load_balancer_concerns_the_ones_behind_it(aws: Shop) -> None:
    network, _ = in_front(aws, [aws.group])
    event = aws.change_event(
        LISTENER_RULE, LOAD_BALANCER_TYPE, network, configuration={"type": "network", "scheme": "internet-facing"}
    )
    aws.run(LISTENER_RULE, event)
    assert aws.recorded() == [(aws.web, "COMPLIANT")]


def test_a_deleted_network_load_balancer_concerns_those_it_stood_before(aws: Shop) -> None:
    only_edge = aws.security_group(aws.vpc_id, "only-edge")
    edge = aws.security_group(aws.vpc_id, "edge")
    aws.allow_ingress(only_edge, [tcp(80, edge)])
    # An internet-facing load balancer keeps its own clients beside those of the network load balancer.
    internal = aws.load_balancer("internal", aws.subnet_ids, [only_edge], scheme="internal")
    aws.listener(internal, 80)
    network = aws.load_balancer("edge", aws.subnet_ids, [edge], type_="network", scheme="internal")
    behind = aws.target_group("to-internal", aws.vpc_id, 80, [(internal, None)], target_type="alb", protocol="TCP")
    aws.listener(network, 80, behind, protocol="TCP")
    aws.run(LISTENER_RULE, aws.change_event(LISTENER_RULE, LOAD_BALANCER_TYPE, internal))
    assert aws.verdicts(LISTENER_RULE) == {internal: "COMPLIANT"}
    aws.delete_load_balancer(network)
    gone = aws.change_event(
        LISTENER_RULE,
        LOAD_BALANCER_TYPE,
        network.replace(":loadbalancer/app/", ":loadbalancer/net/"),
        status="ResourceDeleted",
    )
    aws.run(LISTENER_RULE, gone)
    # Without it the listener serves its own clients again, and no rule allows those.
    assert aws.verdicts(LISTENER_RULE) == {internal: "NON_COMPLIANT"}


def test_a_target_group_of_type_alb_concerns_those_registered_now_and_before(aws: Shop) -> None:
    _, behind = in_front(aws, [aws.group])
    aws.run(LISTENER_RULE, aws.change_event(LISTENER_RULE, TARGET_GROUP_TYPE, behind))
    assert aws.recorded() == [(aws.web, "COMPLIANT")]
    aws.elbv2.deregister_targets(TargetGroupArn=behind, Targets=[{"Id": aws.web}])
    before = {"Configuration.Targets.0": {"previousValue": {"Id": aws.web, "Port": 80}, "changeType": "DELETE"}}
    event = aws.change_event(
        LISTENER_RULE, TARGET_GROUP_TYPE, behind, difference={"changedProperties": before, "changeType": "UPDATE"}
    )
    aws.run(LISTENER_RULE, event)
    assert aws.recorded()[1:] == [(aws.web, "COMPLIANT")]


@pytest.mark.parametrize("rule", RULE_NAMES)
def test_oversized_notifications_work_to_the_end(aws: Shop, rule: str) -> None:
    aws.config.add_item(
        {
            "accountId": ACCOUNT_ID,
            "awsRegion": REGION,
            "resourceType": TARGET_GROUP_TYPE,
            "resourceId": aws.web_targets,
            "configurationItemCaptureTime": "2026-01-01T00:00:00.000Z",
            "configurationItemStatus": "OK",
            "configuration": {"TargetGroupArn": aws.web_targets, "LoadBalancerArns": [aws.web]},
            "supplementaryConfiguration": {},
            "relationships": [],
            "tags": {},
        }
    )
    for resource_type, resource_id in (
        (LOAD_BALANCER_TYPE, aws.web),
        (LISTENER_TYPE, aws.web_80),
        (TARGET_GROUP_TYPE, aws.web_targets),
        (SECURITY_GROUP_TYPE, aws.group),
    ):
        for status in ("OK", "ResourceDeleted"):
            before = len(aws.config.accepted_evaluations)
            event = aws.change_event(rule, resource_type, resource_id, status=status, oversized=True)
            answer = aws.run(rule, event)
            given = aws.recorded()[before:]
            assert [(found["ComplianceResourceId"], found["ComplianceType"]) for found in answer] == given
            assert given[0][0] == aws.web


def test_a_deleted_target_group_that_was_too_large_still_names_who_stood_behind_it(aws: Shop) -> None:
    _, behind = in_front(aws, [aws.group])
    aws.config.add_item(
        {
            "accountId": ACCOUNT_ID,
            "awsRegion": REGION,
            "resourceType": TARGET_GROUP_TYPE,
            "resourceId": behind,
            "configurationItemCaptureTime": "2026-01-01T00:00:00.000Z",
            "configurationItemStatus": "OK",
            "configuration": {"TargetGroupArn": behind, "Targets": [{"Id": aws.web, "Port": 80}]},
        }
    )
    for listener in aws.elbv2.describe_listeners(
        LoadBalancerArn=next(
            found["LoadBalancerArn"]
            for found in aws.elbv2.describe_load_balancers()["LoadBalancers"]
            if found["Type"] == "network"
        )
    )["Listeners"]:
        aws.elbv2.delete_listener(ListenerArn=listener["ListenerArn"])
    aws.elbv2.delete_target_group(TargetGroupArn=behind)
    event = aws.change_event(LISTENER_RULE, TARGET_GROUP_TYPE, behind, status="ResourceDeleted", oversized=True)
    aws.run(LISTENER_RULE, event)
    assert aws.recorded() == [(aws.web, "COMPLIANT")]


def test_the_periodic_run_judges_all_and_clears_deleted_load_balancers(aws: Shop) -> None:
    passing = aws.load_balancer("passing", aws.subnet_ids, [aws.group])
    aws.listener(passing, 80)
    network = aws.load_balancer("edge", aws.subnet_ids, type_="network")
    aws.run(LISTENER_RULE, aws.scheduled_event(LISTENER_RULE))
    assert aws.verdicts(LISTENER_RULE) == {aws.web: "COMPLIANT", passing: "COMPLIANT"}
    aws.elbv2.delete_load_balancer(LoadBalancerArn=passing)
    before = len(aws.config.accepted_evaluations)
    aws.run(LISTENER_RULE, aws.scheduled_event(LISTENER_RULE))
    assert aws.recorded()[before:] == [(aws.web, "COMPLIANT"), (passing, "NOT_APPLICABLE")]
    assert aws.verdicts(LISTENER_RULE) == {aws.web: "COMPLIANT"}
    assert network not in dict(aws.recorded())


def test_a_periodic_run_judges_a_load_balancer_that_the_list_omits(aws: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer is taken for what it lacks only if AWS says so for the load balancer's own ARN."""
    aws.run(ICMP_RULE, aws.scheduled_event(ICMP_RULE))
    before = len(aws.config.accepted_evaluations)
    empty_list_of_load_balancers(monkeypatch)
    aws.run(ICMP_RULE, aws.scheduled_event(ICMP_RULE))
    assert aws.recorded()[before:] == [(aws.web, "NON_COMPLIANT")]


def test_a_verdict_is_not_cleared_while_it_is_unknown_whether_the_load_balancer_exists(
    aws: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    passing = aws.load_balancer("passing", aws.subnet_ids, [aws.group])
    aws.run(ICMP_RULE, aws.scheduled_event(ICMP_RULE))
    aws.elbv2.delete_load_balancer(LoadBalancerArn=passing)
    before = len(aws.config.accepted_evaluations)
    aws.faults.fail("DescribeLoadBalancers", "ThrottlingException", when=lambda body: "LoadBalancerArns" in body)
    with pytest.raises(IncompleteEvaluationError, match="whether passing exists: DescribeLoadBalancers: Throttling"):
        aws.run(ICMP_RULE, aws.scheduled_event(ICMP_RULE))
    assert aws.recorded()[before:] == [(aws.web, "NON_COMPLIANT")]
    assert [line["loadBalancerArn"] for line in error_lines(capsys)] == [passing]


def test_a_not_found_that_is_not_true_clears_no_verdict(aws: Shop) -> None:
    aws.run(LISTENER_RULE, aws.scheduled_event(LISTENER_RULE))
    before = len(aws.config.accepted_evaluations)
    aws.faults.fail("DescribeListeners", "LoadBalancerNotFound", times=1)
    aws.run(LISTENER_RULE, aws.scheduled_event(LISTENER_RULE))
    assert aws.recorded()[before:] == [(aws.web, "COMPLIANT")]


def test_an_empty_account_answers_with_nothing(aws: Shop) -> None:
    aws.elbv2.delete_load_balancer(LoadBalancerArn=aws.web)
    assert aws.run(LISTENER_RULE, aws.scheduled_event(LISTENER_RULE)) == []
    assert aws.recorded() == []
    assert [call.operation for call in aws.config.calls].count("PutEvaluations") == 1


def test_more_evaluations_than_one_call_takes(aws: Shop) -> None:
    for number in range(104):
        aws.load_balancer(f"lb-{number}", aws.subnet_ids, [aws.group])
    aws.run(ICMP_RULE, aws.scheduled_event(ICMP_RULE))
    assert len(aws.verdicts(ICMP_RULE)) == 105
    assert [call.operation for call in aws.config.calls].count("PutEvaluations") == 2


def test_an_incomplete_periodic_run_clears_nothing_and_fails(aws: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    passing = aws.load_balancer("passing", aws.subnet_ids, [aws.group])
    aws.listener(passing, 80)
    aws.run(LISTENER_RULE, aws.scheduled_event(LISTENER_RULE))
    aws.elbv2.delete_load_balancer(LoadBalancerArn=passing)
    before = len(aws.config.accepted_evaluations)
    aws.faults.fail("DescribeLoadBalancers", "ThrottlingException")
    with pytest.raises(IncompleteEvaluationError, match="DescribeLoadBalancers"):
        aws.run(LISTENER_RULE, aws.scheduled_event(LISTENER_RULE))
    assert aws.recorded()[before:] == []
    assert aws.verdicts(LISTENER_RULE) == {aws.web: "COMPLIANT", passing: "COMPLIANT"}
    assert len(error_lines(capsys)) == 1


def test_a_load_balancer_that_could_not_be_judged_keeps_its_verdict(
    aws: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    other = aws.load_balancer("other", aws.subnet_ids, [aws.group])
    aws.listener(other, 80, aws.targets_of("other"))
    aws.run(INSTANCE_RULE, aws.scheduled_event(INSTANCE_RULE))
    assert aws.verdicts(INSTANCE_RULE) == {aws.web: "NON_COMPLIANT", other: "NON_COMPLIANT"}
    before = len(aws.config.accepted_evaluations)
    name = aws.web_targets.rsplit("/", 1)[1]
    aws.faults.fail("DescribeTargetHealth", "AccessDenied", when=lambda body: name in body)
    with pytest.raises(IncompleteEvaluationError, match="targets of web"):
        aws.run(INSTANCE_RULE, aws.scheduled_event(INSTANCE_RULE))
    # The other one is recorded; the one that was not judged keeps its result.
    assert aws.recorded()[before:] == [(other, "NON_COMPLIANT")]
    assert aws.verdicts(INSTANCE_RULE) == {aws.web: "NON_COMPLIANT", other: "NON_COMPLIANT"}
    (line,) = error_lines(capsys)
    assert line["loadBalancerArn"] == aws.web
    assert line["rule"] == INSTANCE_RULE
    assert "AccessDenied" in line["cause"]


def test_verdicts_that_cannot_be_listed_are_not_cleared_but_the_run_fails(aws: Shop) -> None:
    aws.faults.fail("GetComplianceDetailsByConfigRule", "ThrottlingException")
    with pytest.raises(IncompleteEvaluationError, match="no longer apply"):
        aws.run(LISTENER_RULE, aws.scheduled_event(LISTENER_RULE))
    assert aws.verdicts(LISTENER_RULE) == {aws.web: "COMPLIANT"}


def log_lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]


def error_lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [line for line in log_lines(capsys) if line.get("level") == "ERROR"]


def metrics(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The one line of metrics, which has to be the last."""
    *others, last = log_lines(capsys)
    assert not any("_aws" in line for line in others)
    return last


def test_an_evaluation_and_an_error_are_a_line_each(aws: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    other = aws.load_balancer("other", aws.subnet_ids, [aws.group])
    aws.listener(other, 80)
    aws.faults.fail("DescribeListeners", "AccessDenied", when=lambda body: "other" in body)
    with pytest.raises(IncompleteEvaluationError):
        aws.run(LISTENER_RULE, aws.scheduled_event(LISTENER_RULE))
    evaluation, error, _ = log_lines(capsys)
    assert evaluation == {
        "level": "INFO",
        "rule": LISTENER_RULE,
        "accountId": ACCOUNT_ID,
        "loadBalancerArn": aws.web,
        "compliance": "COMPLIANT",
        "annotation": aws.config.evaluations(LISTENER_RULE)[aws.web].annotation,
    }
    assert error.pop("cause").startswith("DescribeListeners: AccessDenied")
    assert error == {
        "level": "ERROR",
        "rule": LISTENER_RULE,
        "accountId": ACCOUNT_ID,
        "loadBalancerArn": other,
        "what": "listeners of other",
    }


def test_metrics_have_the_embedded_format_of_cloudwatch(aws: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    aws.run(INSTANCE_RULE, aws.scheduled_event(INSTANCE_RULE))
    line = metrics(capsys)
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert isinstance(line["_aws"]["Timestamp"], int)
    assert (directive["Namespace"], directive["Dimensions"]) == ("alb-sg", [["Rule"]])
    names = [definition["Name"] for definition in directive["Metrics"]]
    assert names == ["Judged", "NonCompliant", "Errors", "Duration", "Calls"]
    # CloudWatch drops a metric that is no number, and a line whose dimension has no value.
    assert all(isinstance(line[name], int) for name in names)
    assert line["Rule"] == INSTANCE_RULE
    assert (line["Judged"], line["NonCompliant"], line["Errors"]) == (1, 1, 0)


def test_calls_are_counted_as_they_are_sent(aws: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    before = len(aws.faults.calls)
    aws.run(INSTANCE_RULE, aws.scheduled_event(INSTANCE_RULE))
    sent = aws.faults.calls[before:]
    assert {"AssumeRole", "DescribeTargetHealth", "PutEvaluations"} <= set(sent)
    assert metrics(capsys)["Calls"] == len(sent)


def test_a_repeated_attempt_is_a_call(
    aws: Shop, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    event = aws.change_event(ICMP_RULE, LOAD_BALANCER_TYPE, aws.web)
    aws.run(ICMP_RULE, event)
    before = metrics(capsys)["Calls"]
    monkeypatch.setattr("time.sleep", lambda _: None)
    aws.config.fail("PutEvaluations", "ThrottlingException", times=2)
    aws.run(ICMP_RULE, event)
    assert metrics(capsys)["Calls"] == before + 2


def test_an_invocation_that_fails_has_metrics_too(aws: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InvalidInputError):
        aws.run(LISTENER_RULE, aws.scheduled_event(LISTENER_RULE) | {"invokingEvent": "{"})
    line = metrics(capsys)
    assert (line["Judged"], line["NonCompliant"], line["Errors"], line["Calls"]) == (0, 0, 1, 0)


def test_an_evaluation_that_is_not_recorded_is_an_error_alone(aws: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    aws.config.fail("PutEvaluations", "InvalidParameterValueException")
    with pytest.raises(IncompleteEvaluationError):
        aws.run(ICMP_RULE, aws.change_event(ICMP_RULE, LOAD_BALANCER_TYPE, aws.web))
    error, line = log_lines(capsys)
    assert (error["level"], error["loadBalancerArn"]) == ("ERROR", aws.web)
    assert (line["Judged"], line["NonCompliant"], line["Errors"]) == (0, 0, 1)


def test_an_unforeseen_exception_is_a_line_too(
    aws: Shop, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise KeyError("half \ud800 a pair")

    monkeypatch.setattr("alb_sg.config_rule.rule.judge_all", fail)
    with pytest.raises(KeyError):
        aws.run(ICMP_RULE, aws.change_event(ICMP_RULE, LOAD_BALANCER_TYPE, aws.web))
    (line,) = error_lines(capsys)
    assert line["what"] == "this invocation"
    assert "half" in line["cause"]


@pytest.mark.parametrize("code", ["ThrottlingException", "AccessDenied"])
def test_a_change_that_cannot_be_judged_records_no_verdict(aws: Shop, code: str) -> None:
    aws.faults.fail("DescribeListeners", code)
    with pytest.raises(IncompleteEvaluationError, match=code):
        aws.run(LISTENER_RULE, aws.change_event(LISTENER_RULE, LOAD_BALANCER_TYPE, aws.web))
    assert aws.recorded() == []


def test_unread_data_that_decides_nothing_is_no_error(aws: Shop) -> None:
    aws.faults.fail("DescribeTargetHealth", "AccessDenied")
    aws.run(ICMP_RULE, aws.change_event(ICMP_RULE, SECURITY_GROUP_TYPE, aws.group))
    assert dict(aws.recorded())[aws.web] == "NON_COMPLIANT"


def test_config_is_answered_where_no_load_balancer_can_be_judged(aws: Shop) -> None:
    aws.faults.fail("DescribeSecurityGroups", "AccessDenied")
    with pytest.raises(IncompleteEvaluationError, match="security group"):
        aws.run(ICMP_RULE, aws.change_event(ICMP_RULE, SECURITY_GROUP_TYPE, aws.group))
    assert aws.recorded() == []
    assert [call.operation for call in aws.config.calls].count("PutEvaluations") == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("resourceType", None),
        ("resourceId", ""),
        ("configurationItemStatus", None),
        ("configurationItemCaptureTime", None),
        ("configurationItemCaptureTime", "yesterday"),
        ("resourceType", "AWS::S3::Bucket"),
    ],
)
def test_a_malformed_item_is_refused_by_name(
    aws: Shop, field: str, value: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    event = aws.change_event(LISTENER_RULE, LOAD_BALANCER_TYPE, aws.web)
    invoking = json.loads(event["invokingEvent"])
    invoking["configurationItem"][field] = value
    event["invokingEvent"] = json.dumps(invoking)
    with pytest.raises(InvalidInputError, match=field):
        aws.run(LISTENER_RULE, event)
    assert aws.recorded() == []
    assert len(error_lines(capsys)) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"invokingEvent": "{"},
        {"invokingEvent": "[]"},
        {"invokingEvent": json.dumps({"messageType": "ConfigurationSnapshotDeliveryCompleted"})},
        {"invokingEvent": json.dumps({"messageType": "ConfigurationItemChangeNotification"})},
        {"ruleParameters": "{"},
        {"ruleParameters": "[]"},
        {"resultToken": None},
        {"executionRoleArn": ""},
        {"configRuleName": None},
    ],
)
def test_an_event_that_cannot_be_read_fails_by_name(
    aws: Shop, change: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    (name,) = change
    with pytest.raises(InvalidInputError, match=name):
        aws.run(LISTENER_RULE, aws.scheduled_event(LISTENER_RULE) | change)
    assert aws.recorded() == []
    assert len(error_lines(capsys)) == 1


@pytest.mark.parametrize("parameters", ["", None, '{"AssumeRoleMode": null, "TagKey": ""}'])
def test_empty_parameters_are_absent_ones(aws: Shop, parameters: str | None) -> None:
    aws.run(LISTENER_RULE, aws.scheduled_event(LISTENER_RULE) | {"ruleParameters": parameters})
    assert aws.verdicts(LISTENER_RULE) == {aws.web: "COMPLIANT"}


def test_spaces_around_a_parameter_are_ignored(aws: Shop) -> None:
    """rdklib, which does not strip, would assume a role for " false "."""
    event = aws.scheduled_event(LISTENER_RULE, {"AssumeRoleMode": " false "})
    aws.faults.calls.clear()
    aws.run(LISTENER_RULE, event)
    assert "AssumeRole" not in aws.faults.calls


def test_an_oversized_target_group_without_its_history_is_judged_by_live_state(aws: Shop) -> None:
    aws.faults.fail("GetResourceConfigHistory", "ThrottlingException")
    with pytest.raises(IncompleteEvaluationError, match="named before"):
        aws.run(LISTENER_RULE, aws.change_event(LISTENER_RULE, TARGET_GROUP_TYPE, aws.web_targets, oversized=True))
    assert aws.recorded() == [(aws.web, "COMPLIANT")]


def test_a_function_refuses_accounts_that_it_does_not_serve(aws: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALB_SG_ACCOUNTS", "999999999999")
    event = aws.scheduled_event(LISTENER_RULE)
    aws.faults.calls.clear()
    with pytest.raises(InvalidInputError, match=ACCOUNT_ID):
        aws.run(LISTENER_RULE, event)
    assert aws.faults.calls == []


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        ({"AcceptedSource": "10.0.0.0/8"}, "AcceptedSource"),
        ({"AcceptedSources": "10.0.0.0/33"}, "AcceptedSources"),
        ({"TargetMatch": "literal"}, "TargetMatch"),
        ({"AssumeRoleMode": "no"}, "AssumeRoleMode"),
    ],
)
def test_a_parameter_that_does_not_parse_is_refused_by_name_before_any_call(
    aws: Shop, parameters: dict[str, str], name: str
) -> None:
    event = aws.scheduled_event(LISTENER_RULE, parameters)
    aws.faults.calls.clear()
    with pytest.raises(InvalidInputError, match=name):
        aws.run(LISTENER_RULE, event)
    assert aws.faults.calls == []


def test_evaluations_that_config_did_not_take_are_put_again(aws: Shop) -> None:
    aws.config.reject_evaluations(times=2, resource_ids=[aws.web])
    aws.run(LISTENER_RULE, aws.change_event(LISTENER_RULE, SECURITY_GROUP_TYPE, aws.group))
    assert aws.verdicts(LISTENER_RULE) == {aws.web: "COMPLIANT"}
    sent = [call.params["Evaluations"] for call in aws.config.calls if call.operation == "PutEvaluations"]
    assert [len(evaluations) for evaluations in sent] == [1, 1, 1]


def test_evaluations_that_config_never_takes_are_an_error(aws: Shop) -> None:
    aws.config.reject_evaluations(times=10, resource_ids=[aws.web])
    with pytest.raises(IncompleteEvaluationError, match="did not take"):
        aws.run(LISTENER_RULE, aws.change_event(LISTENER_RULE, SECURITY_GROUP_TYPE, aws.group))
    assert aws.recorded() == []


def test_a_refused_put_is_an_error(aws: Shop) -> None:
    aws.faults.fail("PutEvaluations", "AccessDeniedException")
    with pytest.raises(IncompleteEvaluationError, match="AccessDeniedException"):
        aws.run(LISTENER_RULE, aws.scheduled_event(LISTENER_RULE))


@pytest.mark.parametrize("oversized", [False, True])
def test_rdklibs_own_evaluator_records_the_same(aws: Shop, oversized: bool) -> None:
    """It calls evaluate_parameters, evaluate_change and evaluate_periodic, and adds no evaluation of its own."""
    own_role = {"AssumeRoleMode": "false"}
    change = aws.change_event(ICMP_RULE, SECURITY_GROUP_TYPE, aws.group, own_role)
    for event in (change, aws.scheduled_event(ICMP_RULE, own_role)):
        before = len(aws.config.accepted_evaluations)
        aws.run(ICMP_RULE, event)
        expected = aws.recorded()[before:]
        rule = getattr(rule_module(ICMP_RULE), ICMP_RULE)()
        again = event | {"resultToken": aws.config.issue_token(ICMP_RULE, ACCOUNT_ID)}
        before = len(aws.config.accepted_evaluations)
        Evaluator(rule, expected_resource_types=[SECURITY_GROUP_TYPE]).handle(again, None)
        assert aws.recorded()[before:] == expected


def test_parameters_reach_the_verdict(aws: Shop) -> None:
    network = aws.prefix_list("edge", "10.0.0.0/8")
    aws.allow_ingress(aws.group, [icmp(3, 4, network)])
    aws.run(ICMP_RULE, aws.scheduled_event(ICMP_RULE, {"AcceptedSources": network}))
    assert aws.verdicts(ICMP_RULE) == {aws.web: "COMPLIANT"}
    assert network in (aws.config.evaluations(ICMP_RULE)[aws.web].annotation or "")


def test_the_clients_named_by_a_tag(aws: Shop) -> None:
    tagged = aws.load_balancer("tagged", aws.subnet_ids, [aws.group], tags={"clients": "10.0.0.0/8 vpc"})
    aws.listener(tagged, 81)
    aws.allow_ingress(aws.group, [tcp(81, "10.0.0.0/8")])
    aws.run(LISTENER_RULE, aws.scheduled_event(LISTENER_RULE, {"TagKey": "clients"}))
    assert aws.verdicts(LISTENER_RULE) == {aws.web: "COMPLIANT", tagged: "COMPLIANT"}


def test_assume_role_mode_and_execution_role(aws: Shop) -> None:
    for parameters, assumed in (
        ({}, [f"arn:aws:iam::{ACCOUNT_ID}:role/alb-sg-evaluation"]),
        ({"ExecutionRoleName": "other"}, [f"arn:aws:iam::{ACCOUNT_ID}:role/other"]),
        ({"ExecutionRoleName": "other", "ExecutionRoleRegion": REGION}, [f"arn:aws:iam::{ACCOUNT_ID}:role/other"]),
        ({"AssumeRoleMode": "false"}, []),
    ):
        event = aws.scheduled_event(LISTENER_RULE, parameters)
        aws.faults.calls.clear()
        aws.faults.bodies.clear()
        aws.run(LISTENER_RULE, event)
        bodies = [body for name, body in aws.faults.bodies if name == "AssumeRole"]
        assert len(bodies) == len(assumed)
        assert all(arn in body for arn, body in zip(assumed, bodies, strict=True))
        assert aws.verdicts(LISTENER_RULE) == {aws.web: "COMPLIANT"}


def test_another_account_is_judged_through_its_role() -> None:
    with Shop() as central:
        member = "210987654321"
        event = central.scheduled_event(LISTENER_RULE)
        event |= {
            "accountId": member,
            "executionRoleArn": f"arn:aws:iam::{member}:role/alb-sg-evaluation",
            "resultToken": central.config.issue_token(LISTENER_RULE, member),
        }
        # Only the central account, with whose credentials the handler starts, has a load balancer.
        central.build()
        assert central.run(LISTENER_RULE, event) == []


def test_a_role_that_cannot_be_assumed_fails_the_invocation(aws: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    aws.faults.fail("AssumeRole", "AccessDenied")
    with pytest.raises(ClientError, match="AccessDenied"):
        aws.run(LISTENER_RULE, aws.scheduled_event(LISTENER_RULE))
    assert aws.recorded() == []
    assert len(error_lines(capsys)) == 1
