"""Each rule's real `lambda_handler` on a served account: from the event to what AWS Config records and what is logged.

`test_handlers.py` has the same on an embedded AWS, whose APIs behave like the real ones and take seconds to build.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from alb_sg.config_rule.client_factory import make_client_factory
from alb_sg.config_rule.notification import read_notification
from alb_sg.errors import IncompleteEvaluationError, InvalidInputError
from alb_sg.estate.resource_types import (
    LISTENER_TYPE,
    LOAD_BALANCER_TYPE,
    SECURITY_GROUP_TYPE,
    TARGET_GROUP_TYPE,
    VPC_TYPE,
)
from embedded_aws.config_stand_in import ConfigStandIn
from tests.builders import (
    ACCOUNT,
    ANYWHERE,
    EGRESS,
    ICMP,
    INGRESS,
    REGION,
    TARGETS,
    UNUSED,
    Saved,
    behind,
    estate,
    group,
    interface,
    listener,
    load_balancer,
    load_balancer_arn,
    network_load_balancer,
    prefix_list,
    target_group,
    target_group_arn,
    tcp,
)
from tests.config_rule.incomplete_answers import empty_list_of_load_balancers
from tests.config_rule.served_account import CONTEXT, FUNCTION_ACCOUNT, ROLE, MadeClient, ServedAccount, serve
from tests.exemptions.entries import FAR_AHEAD, LONG_AGO, document, entry
from tests.rules import RULE_NAMES, rule_module

WEB = load_balancer_arn("web")
OTHER = load_balancer_arn("other")
WEB_80 = listener(80)["ListenerArn"]
EXEMPTIONS = "s3://governance/exemptions.json"
CONFIG = {"Source": "config"}

OPEN_80 = group("sg-1", ingress=[tcp(80, ANYWHERE)])


def shop(*parts: dict[str, Any]) -> Saved:
    """`web`, whose group is open on its listener's port 80, but not towards its target, nor for ICMP."""
    return estate(
        *parts,
        listener(80, forward=["web"]),
        target_group("web", targets=["10.0.1.5"], port=8080),
        OPEN_80,
        interface("10.0.1.5", groups=["sg-app"]),
    )


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[ServedAccount]:
    with ConfigStandIn() as config:
        yield serve(shop(), config, monkeypatch)


def log_lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]


def error_lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [line for line in log_lines(capsys) if line.get("level") == "ERROR"]


@pytest.mark.parametrize(
    ("rule", "verdict"),
    [
        (INGRESS, "COMPLIANT"),
        (EGRESS, "NON_COMPLIANT"),
        ("ALB_SG_HEALTH_CHECK_EGRESS", "NON_COMPLIANT"),
        (ICMP, "NON_COMPLIANT"),
        (TARGETS, "NON_COMPLIANT"),
        (UNUSED, "COMPLIANT"),
    ],
)
def test_a_change_is_judged_and_recorded(account: ServedAccount, rule: str, verdict: str) -> None:
    answer = account.run(rule, account.changed(rule, SECURITY_GROUP_TYPE, "sg-1"))
    # One evaluation for the load balancer, and none for the item: AWS Config charges for each.
    assert account.recorded() == [("web", verdict)]
    [told] = answer
    [recorded] = account.config.accepted_evaluations
    assert told == {
        "ComplianceResourceType": LOAD_BALANCER_TYPE,
        "ComplianceResourceId": WEB,
        "ComplianceType": verdict,
        "Annotation": recorded.annotation,
        "OrderingTimestamp": "2026-05-01T00:00:01.000Z",
    }
    # The time of the item, not that of the notification.
    assert recorded.ordering_timestamp == datetime(2026, 5, 1, 0, 0, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("resource_type", "resource_id"),
    [
        (LOAD_BALANCER_TYPE, WEB),
        (LISTENER_TYPE, WEB_80),
        (TARGET_GROUP_TYPE, target_group_arn("web")),
        (VPC_TYPE, "vpc-1"),
    ],
)
def test_every_type_of_item_leads_to_its_load_balancer(
    account: ServedAccount, resource_type: str, resource_id: str
) -> None:
    account.run(INGRESS, account.changed(INGRESS, resource_type, resource_id))
    assert account.recorded() == [("web", "COMPLIANT")]


@pytest.mark.parametrize("oversized", [False, True])
@pytest.mark.parametrize(
    ("status", "left_scope"), [("ResourceDeleted", False), ("ResourceDeletedNotRecorded", False), ("OK", True)]
)
def test_a_load_balancer_that_is_gone_is_answered_without_a_call(
    account: ServedAccount, status: str, left_scope: bool, oversized: bool
) -> None:
    event = account.changed(
        INGRESS, LOAD_BALANCER_TYPE, WEB, status=status, oversized=oversized, eventLeftScope=left_scope
    )
    [told] = account.run(INGRESS, event)
    assert (told["ComplianceResourceId"], told["ComplianceType"]) == (WEB, "NOT_APPLICABLE")
    # Messages of compliance changes quote it.
    assert told["Annotation"] == "deleted, or no longer in this rule's scope"
    assert account.recorded() == [("web", "NOT_APPLICABLE")]
    assert account.calls == []


def test_one_that_is_only_not_recorded_is_judged(account: ServedAccount) -> None:
    account.run(INGRESS, account.changed(INGRESS, LOAD_BALANCER_TYPE, WEB, status="ResourceNotRecorded"))
    assert account.recorded() == [("web", "COMPLIANT")]


@pytest.mark.parametrize("resource_type", [LISTENER_TYPE, SECURITY_GROUP_TYPE])
def test_a_part_that_is_gone_has_its_load_balancer_judged(account: ServedAccount, resource_type: str) -> None:
    resource_id = {LISTENER_TYPE: listener(443)["ListenerArn"], SECURITY_GROUP_TYPE: "sg-1"}[resource_type]
    account.run(INGRESS, account.changed(INGRESS, resource_type, resource_id, status="ResourceDeleted"))
    assert account.recorded() == [("web", "COMPLIANT")]


def test_one_deleted_before_it_was_looked_at_is_not_applicable(account: ServedAccount) -> None:
    account.keep({"LoadBalancers": []})
    account.run(INGRESS, account.changed(INGRESS, LOAD_BALANCER_TYPE, WEB))
    assert account.recorded() == [("web", "NOT_APPLICABLE")]


def test_a_listener_of_a_load_balancer_that_is_gone_records_nothing(account: ServedAccount) -> None:
    """The load balancer's own event has it cleared."""
    account.keep({"LoadBalancers": []})
    account.run(INGRESS, account.changed(INGRESS, LISTENER_TYPE, WEB_80, status="ResourceDeleted"))
    assert account.recorded() == []


def test_a_change_that_concerns_nothing_costs_no_call_and_answers(account: ServedAccount) -> None:
    network = load_balancer_arn("nlb", "network")
    assert account.run(ICMP, account.changed(ICMP, LOAD_BALANCER_TYPE, network)) == []
    # AWS Config waits for an answer, which may be empty.
    assert (account.calls, account.puts()) == ([], [0])


def test_a_network_load_balancer_concerns_those_behind_it(account: ServedAccount) -> None:
    network = network_load_balancer()
    account.saved = shop(load_balancer(), network, behind(80), listener(80, "TCP", of=network["LoadBalancerArn"]))
    event = account.changed(INGRESS, LOAD_BALANCER_TYPE, "arn", configuration={"type": "network"})
    item = json.loads(event["invokingEvent"])
    item["configurationItem"]["resourceId"] = network["LoadBalancerArn"]
    account.run(INGRESS, event | {"invokingEvent": json.dumps(item)})
    assert account.recorded() == [("web", "COMPLIANT")]
    # A network load balancer is judged by no rule.
    assert all(name != "nlb" for name, _ in account.recorded())


def test_a_target_group_concerns_those_that_its_item_named_before(account: ServedAccount) -> None:
    account.keep({"TargetGroups": []})
    before = {"Configuration.LoadBalancerArns.0": {"previousValue": WEB, "changeType": "DELETE"}}
    gone = target_group_arn("gone")
    event = account.changed(ICMP, TARGET_GROUP_TYPE, gone, status="ResourceDeleted")
    account.run(ICMP, event)
    assert account.recorded() == []
    event = account.changed(
        ICMP, TARGET_GROUP_TYPE, gone, status="ResourceDeleted", difference={"changedProperties": before}
    )
    account.run(ICMP, event)
    assert account.recorded() == [("web", "NON_COMPLIANT")]


def test_a_deleted_load_balancer_leaves_ports_unused_in_the_groups_that_it_shared(account: ServedAccount) -> None:
    """The rule that judges the openings of a group judges all that share it."""
    event = account.changed(
        UNUSED, LOAD_BALANCER_TYPE, OTHER, status="ResourceDeleted", configuration={"securityGroups": ["sg-1"]}
    )
    account.run(UNUSED, event)
    assert account.recorded() == [("other", "NOT_APPLICABLE"), ("web", "COMPLIANT")]


def oversized_target_group(account: ServedAccount) -> dict[str, Any]:
    return account.changed(ICMP, TARGET_GROUP_TYPE, target_group_arn("gone"), status="ResourceDeleted", oversized=True)


def test_an_oversized_target_group_has_its_users_looked_up_in_its_history(account: ServedAccount) -> None:
    account.config.add_item(
        {
            "accountId": ACCOUNT,
            "awsRegion": REGION,
            "resourceType": TARGET_GROUP_TYPE,
            "resourceId": target_group_arn("gone"),
            "configurationItemCaptureTime": "2026-01-01T00:00:00.000Z",
            "configuration": {"LoadBalancerArns": [WEB]},
        }
    )
    account.run(ICMP, oversized_target_group(account))
    assert account.recorded() == [("web", "NON_COMPLIANT")]
    [asked] = [call.params for call in account.config.calls if call.operation == "GetResourceConfigHistory"]
    # The item and the one before: more would name load balancers of long ago.
    assert (asked["resourceId"], asked["limit"]) == (target_group_arn("gone"), 2)


def test_other_items_need_no_history(account: ServedAccount) -> None:
    account.run(ICMP, account.changed(ICMP, SECURITY_GROUP_TYPE, "sg-1", oversized=True))
    account.run(ICMP, account.changed(ICMP, TARGET_GROUP_TYPE, target_group_arn("web")))
    assert account.recorded() == [("web", "NON_COMPLIANT")] * 2
    assert "GetResourceConfigHistory" not in account.operations()


def test_an_unreadable_history_is_an_error_and_live_state_is_judged(
    account: ServedAccount, capsys: pytest.CaptureFixture[str]
) -> None:
    account.config.fail("GetResourceConfigHistory", "AccessDeniedException")
    event = account.changed(ICMP, TARGET_GROUP_TYPE, target_group_arn("web"), oversized=True)
    with pytest.raises(IncompleteEvaluationError, match="named before: GetResourceConfigHistory: AccessDenied"):
        account.run(ICMP, event)
    assert account.recorded() == [("web", "NON_COMPLIANT")]
    [line] = error_lines(capsys)
    assert line["loadBalancerArn"] is None
    assert target_group_arn("web") in line["what"]


def test_a_periodic_run_judges_all_and_clears_what_is_gone(account: ServedAccount) -> None:
    account.saved = shop(load_balancer(), load_balancer("other"), network_load_balancer())
    account.run(ICMP, account.scheduled(ICMP))
    assert account.recorded() == [("other", "NON_COMPLIANT"), ("web", "NON_COMPLIANT")]
    account.saved = shop()
    account.run(ICMP, account.scheduled(ICMP))
    assert account.recorded()[2:] == [("web", "NON_COMPLIANT"), ("other", "NOT_APPLICABLE")]
    assert account.verdicts(ICMP) == {"web": "NON_COMPLIANT"}
    # The time of the notification.
    assert account.config.accepted_evaluations[-1].ordering_timestamp == datetime(2026, 5, 1, 0, 0, 2, tzinfo=UTC)


def test_a_result_of_another_resource_is_cleared_without_a_call(account: ServedAccount) -> None:
    """An older version of the rule may have left one of a security group."""
    account.run(ICMP, account.scheduled(ICMP))
    token = account.config.issue_token(ICMP, ACCOUNT)
    client = account.make_client("config", REGION)
    old = {
        "ComplianceResourceType": SECURITY_GROUP_TYPE,
        "ComplianceResourceId": "sg-1",
        "ComplianceType": "NON_COMPLIANT",
        "OrderingTimestamp": datetime(2026, 4, 1, tzinfo=UTC),
    }
    client.put_evaluations(Evaluations=[old], ResultToken=token)
    account.forget_calls()
    account.run(ICMP, account.scheduled(ICMP))
    assert account.verdicts(ICMP) == {"web": "NON_COMPLIANT"}
    assert account.operations().count("DescribeLoadBalancers") == 1


def test_one_that_the_list_lacks_is_asked_for_and_judged(
    account: ServedAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.run(ICMP, account.scheduled(ICMP))
    empty_list_of_load_balancers(monkeypatch)
    account.run(ICMP, account.scheduled(ICMP))
    assert account.recorded() == [("web", "NON_COMPLIANT")] * 2


def test_a_verdict_stays_while_it_is_unknown_whether_its_load_balancer_exists(
    account: ServedAccount, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    account.run(ICMP, account.scheduled(ICMP))
    empty_list_of_load_balancers(monkeypatch)
    account.failures["DescribeLoadBalancers"], account.fails_for = "AccessDenied", WEB
    with pytest.raises(IncompleteEvaluationError, match="whether web exists: DescribeLoadBalancers: AccessDenied"):
        account.run(ICMP, account.scheduled(ICMP))
    assert account.recorded() == [("web", "NON_COMPLIANT")]
    [line] = error_lines(capsys)
    assert (line["loadBalancerArn"], line["accountId"]) == (WEB, ACCOUNT)


def test_a_list_that_cannot_be_read_clears_nothing(account: ServedAccount, capsys: pytest.CaptureFixture[str]) -> None:
    account.run(ICMP, account.scheduled(ICMP))
    account.failures["DescribeLoadBalancers"] = "AccessDenied"
    account.forget_calls()
    with pytest.raises(IncompleteEvaluationError, match="DescribeLoadBalancers: AccessDenied"):
        account.run(ICMP, account.scheduled(ICMP))
    assert account.verdicts(ICMP) == {"web": "NON_COMPLIANT"}
    # There is nothing that recorded verdicts could be compared with.
    assert account.operations().count("GetComplianceDetailsByConfigRule") == 0
    assert len(error_lines(capsys)) == 1


def test_verdicts_that_cannot_be_listed_fail_the_run_after_recording(
    account: ServedAccount, capsys: pytest.CaptureFixture[str]
) -> None:
    account.config.fail("GetComplianceDetailsByConfigRule", "AccessDeniedException")
    with pytest.raises(IncompleteEvaluationError, match=f"verdicts of {ICMP} that no longer apply: .*AccessDenied"):
        account.run(ICMP, account.scheduled(ICMP))
    assert account.verdicts(ICMP) == {"web": "NON_COMPLIANT"}
    [line] = error_lines(capsys)
    assert (line["loadBalancerArn"], line["accountId"], line["rule"]) == (None, ACCOUNT, ICMP)


def test_one_that_could_not_be_judged_keeps_its_verdict_and_is_logged(
    account: ServedAccount, capsys: pytest.CaptureFixture[str]
) -> None:
    account.saved = shop(load_balancer(), load_balancer("other"), listener(80, of="other"))
    account.run(INGRESS, account.scheduled(INGRESS))
    account.failures["DescribeListeners"], account.fails_for = "AccessDenied", OTHER
    capsys.readouterr()
    with pytest.raises(IncompleteEvaluationError, match=f"^{INGRESS}: 1 error: listeners of other: DescribeListeners"):
        account.run(INGRESS, account.scheduled(INGRESS))
    assert account.recorded()[2:] == [("web", "COMPLIANT")]
    assert account.verdicts(INGRESS) == {"web": "COMPLIANT", "other": "COMPLIANT"}
    evaluation, error, metrics = log_lines(capsys)
    assert evaluation == {
        "level": "INFO",
        "rule": INGRESS,
        "accountId": ACCOUNT,
        "loadBalancerArn": WEB,
        "compliance": "COMPLIANT",
        "annotation": account.config.evaluations(INGRESS)[WEB].annotation,
    }
    assert error.pop("cause").startswith("DescribeListeners: AccessDenied")
    assert error == {
        "level": "ERROR",
        "rule": INGRESS,
        "accountId": ACCOUNT,
        "loadBalancerArn": OTHER,
        "what": "listeners of other",
    }
    assert (metrics["Judged"], metrics["NonCompliant"], metrics["Errors"]) == (1, 0, 1)


def test_several_errors_are_counted_and_the_first_is_told(account: ServedAccount) -> None:
    account.saved = shop(load_balancer(), load_balancer("other"))
    account.failures["DescribeListeners"] = "AccessDenied"
    with pytest.raises(IncompleteEvaluationError, match=f"^{INGRESS}: 2 errors, the first: listeners of other: "):
        account.run(INGRESS, account.scheduled(INGRESS))
    assert account.puts() == [0]


def test_an_empty_account_is_answered_with_nothing(account: ServedAccount) -> None:
    account.keep({"LoadBalancers": []})
    assert account.run(ICMP, account.scheduled(ICMP)) == []
    assert account.puts() == [0]


def test_a_call_takes_a_hundred_evaluations(account: ServedAccount) -> None:
    account.saved = shop(*(load_balancer(f"lb-{number:03}") for number in range(201)))
    account.run(ICMP, account.scheduled(ICMP))
    assert len(account.verdicts(ICMP)) == 201
    assert account.puts() == [100, 100, 1]


@pytest.mark.parametrize(("times", "recorded"), [(1, True), (2, True), (3, False)])
def test_evaluations_that_were_not_taken_are_put_again(
    account: ServedAccount, times: int, recorded: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    account.saved = shop(load_balancer(), load_balancer("other"))
    account.config.reject_evaluations(times=times, resource_ids=[WEB])
    event = account.scheduled(ICMP)
    if recorded:
        account.run(ICMP, event)
    else:
        with pytest.raises(IncompleteEvaluationError, match=f"evaluation of {WEB}: .* did not take it in 3 attempts"):
            account.run(ICMP, event)
    assert ("web" in account.verdicts(ICMP)) is recorded
    assert account.verdicts(ICMP)["other"] == "NON_COMPLIANT"
    # Only what failed is put again.
    assert account.puts() == [2, *[1] * min(times, 2)]
    *lines, metrics = log_lines(capsys)
    judged = [line["loadBalancerArn"] for line in lines if line["level"] == "INFO"]
    assert judged == ([OTHER, WEB] if recorded else [OTHER])
    assert metrics["Judged"] == metrics["NonCompliant"] == len(judged)


def test_a_call_that_is_refused_is_an_error_of_each_of_its_evaluations(
    account: ServedAccount, capsys: pytest.CaptureFixture[str]
) -> None:
    account.saved = shop(load_balancer(), load_balancer("other"))
    account.config.fail("PutEvaluations", "AccessDeniedException")
    with pytest.raises(IncompleteEvaluationError, match=f"2 errors, the first: evaluation of {OTHER}: PutEvaluations"):
        account.run(ICMP, account.scheduled(ICMP))
    assert account.puts() == [2]
    assert [line["loadBalancerArn"] for line in error_lines(capsys)] == [OTHER, WEB]


def test_a_refused_answer_without_evaluations_is_an_error_as_well(account: ServedAccount) -> None:
    account.keep({"LoadBalancers": []})
    account.config.fail("PutEvaluations", "AccessDeniedException")
    with pytest.raises(IncompleteEvaluationError, match="evaluation of None: PutEvaluations: AccessDenied"):
        account.run(ICMP, account.scheduled(ICMP))


def test_rdklibs_marker_validates_without_recording(account: ServedAccount) -> None:
    account.run(ICMP, account.scheduled(ICMP, resultToken="TESTMODE"))
    assert account.recorded() == []
    assert [one.params["TestMode"] for one in account.config.calls if one.operation == "PutEvaluations"] == [True]


def test_recorded_evaluations_are_never_in_test_mode(account: ServedAccount) -> None:
    account.run(ICMP, account.scheduled(ICMP))
    assert [one.params["TestMode"] for one in account.config.calls if one.operation == "PutEvaluations"] == [False]


def test_metrics_are_the_last_line(account: ServedAccount, capsys: pytest.CaptureFixture[str]) -> None:
    account.run(EGRESS, account.scheduled(EGRESS))
    *others, line = log_lines(capsys)
    assert not any("_aws" in one for one in others)
    [directive] = line["_aws"]["CloudWatchMetrics"]
    assert (directive["Namespace"], directive["Dimensions"]) == ("alb-sg", [["Rule"]])
    assert {one["Name"]: one["Unit"] for one in directive["Metrics"]} == {
        "Judged": "Count",
        "NonCompliant": "Count",
        "Errors": "Count",
        "Duration": "Milliseconds",
        "Calls": "Count",
    }
    assert (line["Rule"], line["Judged"], line["NonCompliant"], line["Errors"]) == (EGRESS, 1, 1, 0)
    # In milliseconds both: of a run that ends well within a minute, and of a time after 2020.
    assert 0 < line["Duration"] < 60_000
    assert line["_aws"]["Timestamp"] > 1_577_836_800_000
    # The region answers without a request; those to AWS Config are sent.
    assert line["Calls"] == len(account.config.calls) == 2


def test_an_unforeseen_exception_is_a_line_too(
    account: ServedAccount, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise KeyError("half \ud800 a pair")

    monkeypatch.setattr("alb_sg.config_rule.rule.judge_all", fail)
    with pytest.raises(KeyError):
        account.run(ICMP, account.changed(ICMP, LOAD_BALANCER_TYPE, WEB))
    line, metrics = log_lines(capsys)
    assert (line["level"], line["what"]) == ("ERROR", "this invocation")
    assert "half" in line["cause"]
    assert (metrics["Errors"], metrics["Judged"]) == (1, 0)


def test_target_groups_that_are_not_followed_are_a_warning(
    account: ServedAccount, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("alb_sg.live.target_carriers.MAX_FOLLOWED_TARGET_GROUPS", 0)
    assert account.run(TARGETS, account.changed(TARGETS, SECURITY_GROUP_TYPE, "sg-app")) == []
    line, _ = log_lines(capsys)
    assert "sg-app" in line.pop("cause")
    assert line == {
        "level": "WARNING",
        "rule": TARGETS,
        "accountId": ACCOUNT,
        "loadBalancerArn": None,
        "what": "this change",
    }


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"invokingEvent": "{"}, "invokingEvent: not JSON"),
        ({"invokingEvent": "[]"}, "invokingEvent"),
        ({"invokingEvent": None}, "invokingEvent"),
        (
            {"invokingEvent": json.dumps({"messageType": "Other", "notificationCreationTime": "2026-05-01T00:00:00Z"})},
            "invokingEvent.messageType: this rule does not handle the message type 'Other'",
        ),
        ({"ruleParameters": "{"}, "ruleParameters: not JSON"),
        ({"ruleParameters": "[]"}, "ruleParameters"),
        ({"resultToken": None}, "resultToken"),
        ({"executionRoleArn": ""}, "executionRoleArn"),
        ({"configRuleName": None}, "configRuleName"),
        ({"accountId": 1}, "accountId"),
        ({"ruleParameters": '{"AcceptedSource": "10.0.0.0/8"}'}, "AcceptedSource"),
        ({"ruleParameters": '{"TargetMatch": "literal"}'}, "TargetMatch"),
        ({"ruleParameters": '{"AssumeRoleMode": "no"}'}, "AssumeRoleMode"),
    ],
)
def test_an_event_that_cannot_be_read_fails_by_name_before_any_call(
    account: ServedAccount, change: dict[str, Any], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InvalidInputError, match=sentence):
        account.run(INGRESS, account.scheduled(INGRESS) | change)
    assert account.operations() == []
    line, metrics = log_lines(capsys)
    assert (line["level"], line["what"], line["loadBalancerArn"]) == ("ERROR", "this invocation", None)
    assert sentence.partition(":")[0] in line["cause"]
    assert (metrics["Judged"], metrics["Errors"], metrics["Calls"]) == (0, 1, 0)


def test_an_event_that_is_no_object_is_refused(account: ServedAccount) -> None:
    with pytest.raises(InvalidInputError, match="an object was expected"):
        rule_module(ICMP).lambda_handler([], CONTEXT)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("resourceType", None),
        ("resourceId", ""),
        ("configurationItemStatus", None),
        ("configurationItemCaptureTime", None),
        ("configurationItemCaptureTime", "yesterday"),
        ("configurationItemCaptureTime", "1e400"),
    ],
)
def test_a_malformed_item_is_refused_by_name(account: ServedAccount, field: str, value: str | None) -> None:
    event = account.changed(INGRESS, LOAD_BALANCER_TYPE, WEB)
    invoking = json.loads(event["invokingEvent"])
    invoking["configurationItem"][field] = value
    with pytest.raises(InvalidInputError, match=rf"invokingEvent\.configurationItem\.{field}"):
        account.run(INGRESS, event | {"invokingEvent": json.dumps(invoking)})
    assert account.operations() == []


def test_empty_parameters_are_absent_ones_and_spaces_are_ignored(account: ServedAccount) -> None:
    for parameters in ("", None, '{"AssumeRoleMode": null, "TagKey": "", "AcceptedSources": " "}'):
        account.run(ICMP, account.scheduled(ICMP) | {"ruleParameters": parameters})
    assert account.recorded() == [("web", "NON_COMPLIANT")] * 3


def test_a_function_refuses_accounts_that_it_does_not_serve(
    account: ServedAccount, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ALB_SG_ACCOUNTS", FUNCTION_ACCOUNT)
    with pytest.raises(InvalidInputError, match=f"does not serve account '{ACCOUNT}'"):
        account.run(ICMP, account.scheduled(ICMP))
    assert account.operations() == []
    assert len(error_lines(capsys)) == 1
    monkeypatch.setenv("ALB_SG_ACCOUNTS", f"{FUNCTION_ACCOUNT},{ACCOUNT}")
    account.run(ICMP, account.scheduled(ICMP))
    assert account.verdicts(ICMP) == {"web": "NON_COMPLIANT"}


def test_parameters_reach_the_verdict(account: ServedAccount) -> None:
    account.saved = estate(
        load_balancer(tags={"clients": "10.0.0.0/8"}),
        listener(80),
        group("sg-1", ingress=[tcp(80, "pl-1")]),
        prefix_list("pl-1", "10.0.0.0/8"),
    )
    account.run(INGRESS, account.scheduled(INGRESS))
    account.run(INGRESS, account.scheduled(INGRESS, {"AcceptedSources": "pl-1"}))
    account.run(INGRESS, account.scheduled(INGRESS, {"TagKey": "clients"}))
    assert account.recorded() == [("web", "NON_COMPLIANT"), ("web", "COMPLIANT"), ("web", "COMPLIANT")]
    assert "pl-1" in (account.config.accepted_evaluations[1].annotation or "")


def test_target_match_looks_up_targets_that_open_egress_needs_not(account: ServedAccount) -> None:
    account.saved = shop()
    account.keep({"SecurityGroups": [group("sg-1", egress=[tcp(8080, ANYWHERE)]), group("sg-app")]})
    account.run(EGRESS, account.scheduled(EGRESS))
    assert "DescribeNetworkInterfaces" not in account.operations()
    account.run(EGRESS, account.scheduled(EGRESS, {"TargetMatch": "security-group"}))
    assert account.recorded() == [("web", "COMPLIANT"), ("web", "NON_COMPLIANT")]


def test_rdklibs_methods_judge_the_same(account: ServedAccount) -> None:
    """rdklib's own evaluator calls them with the event, a factory, the item and the parameters."""
    for event in (account.scheduled(ICMP), account.changed(ICMP, SECURITY_GROUP_TYPE, "sg-1")):
        rule = getattr(rule_module(ICMP), ICMP)()
        parameters = rule.evaluate_parameters({"TargetMatch": "effective"})
        factory = make_client_factory(read_notification(event))
        if "configurationItem" in event["invokingEvent"]:
            found = rule.evaluate_change(event, factory, {}, parameters)
        else:
            found = rule.evaluate_periodic(event, factory, parameters)
        assert [(one.complianceResourceId, one.complianceType) for one in found] == [(WEB, "NON_COMPLIANT")]


ASSUMED = {"aws_access_key_id": "assumed", "aws_secret_access_key": "secret", "aws_session_token": "token"}


@pytest.mark.parametrize(
    ("parameters", "role"),
    [
        ({}, ROLE),
        ({"AssumeRoleMode": "True"}, ROLE),
        ({"ExecutionRoleName": "other"}, f"arn:aws:iam::{ACCOUNT}:role/other"),
        ({"AssumeRoleMode": "False"}, None),
    ],
)
def test_the_role_of_the_event_or_of_the_parameters_is_assumed_once(
    account: ServedAccount, parameters: dict[str, str], role: str | None
) -> None:
    account.run(ICMP, account.scheduled(ICMP, parameters))
    assumed = [given for name, given in account.others if name == "AssumeRole"]
    assert [one["RoleArn"] for one in assumed] == ([] if role is None else [role])
    if role is not None:
        assert assumed[0]["RoleSessionName"] == "configLambdaExecution"
        assert assumed[0]["DurationSeconds"] == 900
    used = [one for one in account.clients if one.service != "sts"]
    # One client a service.
    assert sorted(one.service for one in used) == ["config", "ec2", "elbv2"]
    assert all(one.credentials == ({} if role is None else ASSUMED) for one in used)
    assert all(one == MadeClient("sts", REGION, {}) for one in account.clients if one.service == "sts")


def test_a_region_of_the_parameters_is_that_of_every_client(account: ServedAccount) -> None:
    with pytest.raises(IncompleteEvaluationError):
        # The stand-in knows no results of the rule there.
        account.run(ICMP, account.scheduled(ICMP, {"ExecutionRoleRegion": "eu-west-1"}) | {"configRuleName": "other"})
    assert {one.region for one in account.clients} == {"eu-west-1"}


def test_a_role_that_cannot_be_assumed_says_what_to_do(
    account: ServedAccount, capsys: pytest.CaptureFixture[str]
) -> None:
    account.failures["AssumeRole"] = "AccessDenied"
    with pytest.raises(ClientError):
        account.run(ICMP, account.scheduled(ICMP))
    assert account.puts() == []
    [line] = error_lines(capsys)
    cause = "AssumeRole: AccessDenied: as the test wants it (the function's role must be allowed to assume this role"
    assert line["cause"].startswith(cause)


def test_another_failure_of_the_role_gives_no_advice(account: ServedAccount) -> None:
    account.failures["AssumeRole"] = "RegionDisabledException"
    with pytest.raises(ClientError) as refused:
        account.run(ICMP, account.scheduled(ICMP))
    assert refused.value.response["Error"]["Message"] == "as the test wants it"


def test_an_event_without_an_account_is_of_the_account_of_its_clients(account: ServedAccount) -> None:
    event = account.changed(ICMP, LOAD_BALANCER_TYPE, WEB)
    del event["accountId"]
    account.run(ICMP, event)
    assert account.operations().count("GetCallerIdentity") == 1
    assert account.recorded() == [("web", "NON_COMPLIANT")]
    account.run(ICMP, account.changed(ICMP, LOAD_BALANCER_TYPE, WEB))
    assert account.operations().count("GetCallerIdentity") == 1


def exempting(account: ServedAccount, **changes: Any) -> None:
    account.exemptions = json.dumps(document(entry(rule=ICMP, **{"expires": FAR_AHEAD} | changes)))


@pytest.mark.parametrize("location", [EXEMPTIONS, "ssm:/alb-sg/exemptions"])
def test_an_exempted_load_balancer_is_not_applicable(account: ServedAccount, location: str) -> None:
    account.saved = shop(load_balancer(), load_balancer("other"))
    exempting(account)
    account.run(ICMP, account.scheduled(ICMP, {"Exemptions": location}))
    assert account.recorded() == [("other", "NON_COMPLIANT"), ("web", "NOT_APPLICABLE")]
    annotation = account.config.accepted_evaluations[1].annotation or ""
    assert annotation.startswith(f"exempt until {FAR_AHEAD} by team-edge (SEC-12)")
    # The function's own role reads them, from its own account's bucket: the judged account must not exempt itself.
    [read] = [one for one in account.clients if one.service in ("s3", "ssm")]
    assert read.credentials == {}
    if location == EXEMPTIONS:
        [given] = [given for name, given in account.others if name == "GetObject"]
        assert given == {"Bucket": "governance", "Key": "exemptions.json", "ExpectedBucketOwner": FUNCTION_ACCOUNT}


@pytest.mark.parametrize(
    "changes", [{"expires": LONG_AGO}, {"rule": INGRESS}, {"loadBalancer": OTHER}], ids=["past", "rule", "other"]
)
def test_an_exemption_that_does_not_apply_exempts_nobody(account: ServedAccount, changes: dict[str, str]) -> None:
    account.exemptions = json.dumps(document(entry(**{"rule": ICMP, "expires": FAR_AHEAD} | changes)))
    account.run(ICMP, account.scheduled(ICMP, {"Exemptions": EXEMPTIONS}))
    assert account.recorded() == [("web", "NON_COMPLIANT")]


def test_annotations_need_no_escape_in_json(account: ServedAccount) -> None:
    """EventBridge puts them unescaped into the messages of dashboard.yaml."""
    exempting(account, owner='the "edge" team', ticket="EDGE\\12")
    account.run(ICMP, account.scheduled(ICMP, {"Exemptions": EXEMPTIONS}))
    annotation = account.config.accepted_evaluations[0].annotation or ""
    assert annotation.startswith(f"exempt until {FAR_AHEAD} by the 'edge' team (EDGE/12): ")
    assert json.dumps(annotation, ensure_ascii=False) == f'"{annotation}"'


def test_an_exemption_of_a_port_leaves_the_others_judged(account: ServedAccount) -> None:
    account.saved = shop(load_balancer(), listener(8443))
    account.exemptions = json.dumps(document(entry(rule=INGRESS, ports=[8443], expires=FAR_AHEAD)))
    account.run(INGRESS, account.scheduled(INGRESS, {"Exemptions": EXEMPTIONS}))
    account.run(INGRESS, account.scheduled(INGRESS))
    assert account.recorded() == [("web", "COMPLIANT"), ("web", "NON_COMPLIANT")]


def test_no_load_balancer_needs_no_exemptions(account: ServedAccount) -> None:
    account.saved = estate(network_load_balancer())
    account.keep({"LoadBalancers": [network_load_balancer()]})
    account.run(ICMP, account.scheduled(ICMP, {"Exemptions": EXEMPTIONS}))
    assert "GetObject" not in account.operations()


@pytest.mark.parametrize(
    ("content", "code", "cause"),
    [
        (None, "AccessDenied", "GetObject: AccessDenied"),
        ("[]", None, "exemptions.json"),
    ],
)
def test_exemptions_that_cannot_be_read_exempt_nobody_and_fail_the_run(
    account: ServedAccount, content: str | None, code: str | None, cause: str, capsys: pytest.CaptureFixture[str]
) -> None:
    account.exemptions = content
    account.failures |= {} if code is None else {"GetObject": code}
    with pytest.raises(IncompleteEvaluationError, match=f"exemptions in {EXEMPTIONS}: .*{cause}"):
        account.run(ICMP, account.scheduled(ICMP, {"Exemptions": EXEMPTIONS}))
    assert account.recorded() == [("web", "NON_COMPLIANT")]
    [line] = error_lines(capsys)
    assert line["cause"].endswith("; no exemption applies")
    assert (line["loadBalancerArn"], line["what"]) == (None, f"exemptions in {EXEMPTIONS}")


@pytest.mark.parametrize(("rule", "fails"), [(ICMP, True), (INGRESS, False)])
def test_a_malformed_entry_is_an_error_of_the_rule_that_it_may_be_for(
    account: ServedAccount, rule: str, fails: bool
) -> None:
    account.exemptions = json.dumps(document(entry(rule=ICMP, expires="soon")))
    event = account.scheduled(rule, {"Exemptions": EXEMPTIONS})
    if fails:
        with pytest.raises(IncompleteEvaluationError, match="soon"):
            account.run(rule, event)
    else:
        account.run(rule, event)
    assert len(account.recorded()) == 1


def test_an_exemption_may_not_last_longer_than_the_deployment_allows(
    account: ServedAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALB_SG_MAX_EXEMPTION_DAYS", "90")
    exempting(account)
    with pytest.raises(IncompleteEvaluationError, match="90 days"):
        account.run(ICMP, account.scheduled(ICMP, {"Exemptions": EXEMPTIONS}))
    assert account.recorded() == [("web", "NON_COMPLIANT")]


def times(account: ServedAccount) -> list[datetime]:
    return [one.ordering_timestamp for one in account.config.accepted_evaluations]


def test_a_verdict_from_recordings_has_the_time_of_its_oldest_item(account: ServedAccount) -> None:
    account.record(**{"sg-1": "2025-12-01T00:00:00.000Z"})
    account.run(INGRESS, account.scheduled(INGRESS))
    account.forget_calls()
    account.run(INGRESS, account.scheduled(INGRESS, CONFIG))
    assert times(account)[1:] == [datetime(2025, 12, 1, tzinfo=UTC)]
    assert "SelectResourceConfig" in account.operations()
    assert "DescribeListeners" not in account.operations()


def test_a_change_is_judged_live_whatever_the_source(account: ServedAccount) -> None:
    """Right after a change, a query may still return the state before it."""
    account.record()
    account.run(INGRESS, account.changed(INGRESS, SECURITY_GROUP_TYPE, "sg-1", CONFIG))
    assert "SelectResourceConfig" not in account.operations()
    assert account.recorded() == [("web", "COMPLIANT")]


def test_a_periodic_run_is_live_unless_it_is_asked_to_read_recordings(account: ServedAccount) -> None:
    account.record()
    account.run(INGRESS, account.scheduled(INGRESS))
    assert "SelectResourceConfig" not in account.operations()


def closed_when_recorded(account: ServedAccount) -> None:
    opened = account.saved
    account.saved = shop()
    account.keep({"SecurityGroups": [group("sg-1"), group("sg-app")]})
    account.record()
    account.saved = opened


def test_a_recorded_state_that_differs_from_a_later_verdict_is_confirmed_live(account: ServedAccount) -> None:
    """The verdict is from after the fix; the recording is from before it."""
    closed_when_recorded(account)
    account.run(INGRESS, account.changed(INGRESS, SECURITY_GROUP_TYPE, "sg-1"))
    account.run(INGRESS, account.scheduled(INGRESS, CONFIG))
    assert account.recorded() == [("web", "COMPLIANT")] * 2
    assert times(account)[1] > datetime(2026, 5, 1, tzinfo=UTC)


def test_the_same_verdict_with_another_annotation_is_confirmed_live(account: ServedAccount) -> None:
    account.saved = shop(load_balancer(), listener(8080))
    account.record()
    account.saved = shop(load_balancer(), listener(9090))
    account.run(INGRESS, account.changed(INGRESS, SECURITY_GROUP_TYPE, "sg-1"))
    account.run(INGRESS, account.scheduled(INGRESS, CONFIG))
    first, second = account.config.accepted_evaluations
    assert (first.compliance_type, second.compliance_type) == ("NON_COMPLIANT", "NON_COMPLIANT")
    assert first.annotation == second.annotation
    assert "9090" in (second.annotation or "")


def test_one_without_a_result_is_confirmed_live(account: ServedAccount) -> None:
    """It may have become NOT_APPLICABLE after its items were recorded, which AWS Config does not tell."""
    account.record()
    account.run(INGRESS, account.scheduled(INGRESS, CONFIG))
    assert account.recorded() == [("web", "COMPLIANT")]
    assert "DescribeListeners" in account.operations()


def test_one_that_does_not_apply_and_has_no_result_needs_no_confirmation(account: ServedAccount) -> None:
    account.saved = shop(load_balancer(state="provisioning"))
    account.record()
    account.run(INGRESS, account.scheduled(INGRESS, CONFIG))
    assert account.recorded() == [("web", "NOT_APPLICABLE")]
    assert "DescribeListeners" not in account.operations()


def test_a_recording_that_is_newer_than_the_result_stands(account: ServedAccount) -> None:
    account.run(INGRESS, account.scheduled(INGRESS))
    account.keep({"SecurityGroups": [group("sg-1"), group("sg-app")]})
    account.record(**dict.fromkeys((WEB, WEB_80, "sg-1", "vpc-1", target_group_arn("web")), "2026-06-01T00:00:00.000Z"))
    account.forget_calls()
    account.run(INGRESS, account.scheduled(INGRESS, CONFIG))
    assert account.verdicts(INGRESS) == {"web": "NON_COMPLIANT"}
    assert "DescribeListeners" not in account.operations()
    assert times(account)[-1] == datetime(2026, 6, 1, tzinfo=UTC)


def test_a_recorded_load_balancer_that_is_gone_is_not_applicable(account: ServedAccount) -> None:
    closed_when_recorded(account)
    account.run(INGRESS, account.scheduled(INGRESS))
    account.keep({"LoadBalancers": []})
    account.run(INGRESS, account.scheduled(INGRESS, CONFIG))
    assert account.recorded() == [("web", "COMPLIANT"), ("web", "NOT_APPLICABLE")]


def test_results_that_cannot_be_read_leave_the_recordings_to_order_the_verdicts(account: ServedAccount) -> None:
    account.record()
    account.config.fail("GetComplianceDetailsByConfigRule", "AccessDeniedException")
    with pytest.raises(IncompleteEvaluationError, match="no longer apply"):
        account.run(INGRESS, account.scheduled(INGRESS, CONFIG))
    assert times(account) == [datetime(2026, 1, 1, tzinfo=UTC)]


@pytest.mark.parametrize("rule", RULE_NAMES)
def test_every_handler_runs_its_own_rule(account: ServedAccount, rule: str, capsys: pytest.CaptureFixture[str]) -> None:
    account.run(rule, account.scheduled(rule))
    *lines, metrics = log_lines(capsys)
    assert {line["rule"] for line in lines} == {rule} == {metrics["Rule"]}
