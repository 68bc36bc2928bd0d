"""The parameter Source: the calls of each rule's handler, and the IAM actions declared for them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from alb_sg.config_rule.iam_actions import evaluation_actions
from alb_sg.errors import IncompleteEvaluationError
from alb_sg.estate.resource_types import LOAD_BALANCER_TYPE, SECURITY_GROUP_TYPE
from alb_sg.live import LiveClients, LiveSource
from alb_sg.live.iam_actions import RECORDING_ACTIONS
from alb_sg.parameters import Source
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME
from embedded_aws.account import ACCOUNT_ID, REGION, tcp
from embedded_aws.config_recorder import record_estate
from tests.config_rule.test_handlers import LISTENER_RULE, Shop
from tests.rules import RULE_NAMES

pytestmark = pytest.mark.slow

CONFIG = {"Source": "config"}


@pytest.fixture
def aws() -> Iterator[Shop]:
    with Shop() as shop:
        shop.build()
        record_estate(shop.config, LiveSource(LiveClients(elbv2=shop.elbv2, ec2=shop.ec2), ACCOUNT_ID, REGION).export())
        shop.faults.calls.clear()
        yield shop


@pytest.mark.parametrize("rule", RULE_NAMES)
def test_a_periodic_run_reads_recordings(aws: Shop, rule: str) -> None:
    aws.run(rule, aws.scheduled_event(rule))
    live, calls = aws.verdicts(rule), set(aws.faults.calls)
    assert "SelectResourceConfig" not in calls
    aws.faults.calls.clear()
    aws.run(rule, aws.scheduled_event(rule, CONFIG))
    assert aws.verdicts(rule) == live
    calls = set(aws.faults.calls)
    assert "SelectResourceConfig" in calls
    assert not {"DescribeLoadBalancers", "DescribeListeners", "DescribeTargetGroups"} & calls
    declared = {action.partition(":")[2] for action in evaluation_actions(RECOMMENDATIONS_BY_NAME[rule], Source.CONFIG)}
    assert calls - {"AssumeRole"} <= declared


@pytest.mark.parametrize("rule", RULE_NAMES)
def test_a_change_is_judged_from_live_state(aws: Shop, rule: str) -> None:
    """Right after a change, a query may still return the state before it."""
    aws.run(rule, aws.change_event(rule, SECURITY_GROUP_TYPE, aws.group, CONFIG))
    assert "SelectResourceConfig" not in aws.faults.calls
    assert "DescribeLoadBalancers" in aws.faults.calls


def record_again(aws: Shop, **times: str) -> None:
    """The items as they are live now, except for those in `times`, whose capture times are by resource id."""
    exported = LiveSource(LiveClients(elbv2=aws.elbv2, ec2=aws.ec2), ACCOUNT_ID, REGION).export()
    record_estate(aws.config, exported, times=times)
    aws.faults.calls.clear()


def ordering_times(aws: Shop) -> list[datetime]:
    return [found.ordering_timestamp for found in aws.config.accepted_evaluations]


def test_a_verdict_from_recordings_has_the_time_of_its_oldest_item(aws: Shop) -> None:
    # The group of the target keeps the time before: the load balancer's listeners do not depend on it.
    own = (aws.web, aws.web_80, aws.web_targets, aws.vpc_id)
    record_again(aws, **dict.fromkeys(own, "2026-03-01T00:00:00.000Z"), **{aws.group: "2026-02-01T00:00:00.000Z"})
    aws.run(LISTENER_RULE, aws.scheduled_event(LISTENER_RULE))
    aws.faults.calls.clear()
    aws.run(LISTENER_RULE, aws.scheduled_event(LISTENER_RULE, CONFIG))
    assert ordering_times(aws)[1:] == [datetime(2026, 2, 1, tzinfo=UTC)]
    assert "DescribeLoadBalancers" not in aws.faults.calls


def test_a_verdict_with_a_part_that_is_read_live_has_the_time_of_the_rest(aws: Shop) -> None:
    """The group is recorded daily."""
    record_again(aws)
    daily = {"resourceTypes": [SECURITY_GROUP_TYPE], "recordingFrequency": "DAILY"}
    mode = {"recordingFrequency": "CONTINUOUS", "recordingModeOverrides": [daily]}
    aws.config.set_recorder({"allSupported": True}, recording_mode=mode)
    aws.run(LISTENER_RULE, aws.scheduled_event(LISTENER_RULE))
    aws.faults.calls.clear()
    aws.run(LISTENER_RULE, aws.scheduled_event(LISTENER_RULE, CONFIG))
    assert ordering_times(aws)[1:] == [datetime(2026, 1, 1, tzinfo=UTC)]
    assert "DescribeSecurityGroups" in aws.faults.calls
    assert "DescribeLoadBalancers" not in aws.faults.calls


def test_a_verdict_of_which_all_is_recorded_daily_has_the_time_of_the_run(aws: Shop) -> None:
    aws.config.set_recorder({"allSupported": True}, recording_mode={"recordingFrequency": "DAILY"})
    event = aws.scheduled_event(LISTENER_RULE, CONFIG)
    aws.run(LISTENER_RULE, event)
    time = json.loads(event["invokingEvent"])["notificationCreationTime"]
    assert ordering_times(aws) == [datetime.fromisoformat(time)]


def test_recordings_from_before_a_fix_do_not_bring_the_old_verdict_back(aws: Shop) -> None:
    """The group was closed when it was recorded last; its event had the fix judged."""
    aws.ec2.revoke_security_group_ingress(GroupId=aws.group, IpPermissions=[tcp(80, "0.0.0.0/0")])
    record_again(aws)
    aws.run(LISTENER_RULE, aws.scheduled_event(LISTENER_RULE))
    assert aws.verdicts(LISTENER_RULE) == {aws.web: "NON_COMPLIANT"}
    aws.ec2.authorize_security_group_ingress(GroupId=aws.group, IpPermissions=[tcp(80, "0.0.0.0/0")])
    aws.run(LISTENER_RULE, aws.change_event(LISTENER_RULE, SECURITY_GROUP_TYPE, aws.group))
    for _ in range(2):
        aws.run(LISTENER_RULE, aws.scheduled_event(LISTENER_RULE, CONFIG))
        assert aws.verdicts(LISTENER_RULE) == {aws.web: "COMPLIANT"}
    assert "NON_COMPLIANT" not in [verdict for _, verdict in aws.recorded()[1:]]


def test_a_change_without_an_event_is_confirmed_live_and_recorded(aws: Shop) -> None:
    """Only the scheduled run finds it, and its items are older than the verdict that it corrects."""
    aws.run(LISTENER_RULE, aws.scheduled_event(LISTENER_RULE))
    aws.ec2.revoke_security_group_ingress(GroupId=aws.group, IpPermissions=[tcp(80, "0.0.0.0/0")])
    record_again(aws)
    aws.run(LISTENER_RULE, aws.scheduled_event(LISTENER_RULE, CONFIG))
    assert aws.verdicts(LISTENER_RULE) == {aws.web: "NON_COMPLIANT"}


def test_a_load_balancer_without_a_result_is_judged_live(aws: Shop) -> None:
    """It may have become NOT_APPLICABLE after its items were recorded, which AWS Config does not tell."""
    event = aws.change_event(LISTENER_RULE, LOAD_BALANCER_TYPE, aws.web) | {"eventLeftScope": True}
    aws.run(LISTENER_RULE, event)
    aws.run(LISTENER_RULE, aws.scheduled_event(LISTENER_RULE, CONFIG))
    assert aws.verdicts(LISTENER_RULE) == {aws.web: "COMPLIANT"}
    assert "DescribeLoadBalancers" in aws.faults.calls


def test_a_load_balancer_that_is_only_recorded_is_not_applicable(aws: Shop) -> None:
    aws.run(LISTENER_RULE, aws.scheduled_event(LISTENER_RULE))
    aws.ec2.revoke_security_group_ingress(GroupId=aws.group, IpPermissions=[tcp(80, "0.0.0.0/0")])
    record_again(aws)
    aws.elbv2.delete_load_balancer(LoadBalancerArn=aws.web)
    aws.run(LISTENER_RULE, aws.scheduled_event(LISTENER_RULE, CONFIG))
    assert aws.verdicts(LISTENER_RULE) == {}


def test_results_that_cannot_be_read_fail_and_order_the_verdicts_all_the_same(aws: Shop) -> None:
    aws.run(LISTENER_RULE, aws.scheduled_event(LISTENER_RULE))
    aws.faults.fail("GetComplianceDetailsByConfigRule", "AccessDenied")
    with pytest.raises(IncompleteEvaluationError, match="GetComplianceDetailsByConfigRule: AccessDenied"):
        aws.run(LISTENER_RULE, aws.scheduled_event(LISTENER_RULE, CONFIG))
    assert ordering_times(aws)[1:] == [datetime(2026, 1, 1, tzinfo=UTC)]


def test_a_recording_that_cannot_be_read_clears_nothing_and_fails(aws: Shop) -> None:
    aws.run(LISTENER_RULE, aws.scheduled_event(LISTENER_RULE, CONFIG))
    assert aws.verdicts(LISTENER_RULE) == {aws.web: "COMPLIANT"}
    aws.faults.fail("SelectResourceConfig", "AccessDenied")
    with pytest.raises(IncompleteEvaluationError, match="SelectResourceConfig: AccessDenied"):
        aws.run(LISTENER_RULE, aws.scheduled_event(LISTENER_RULE, CONFIG))
    assert aws.verdicts(LISTENER_RULE) == {aws.web: "COMPLIANT"}


@pytest.mark.parametrize("rule", RULE_NAMES)
def test_only_that_source_asks_for_more(rule: str) -> None:
    live, recorded = (set(evaluation_actions(RECOMMENDATIONS_BY_NAME[rule], source)) for source in Source)
    assert evaluation_actions(RECOMMENDATIONS_BY_NAME[rule]) == tuple(sorted(live))
    assert recorded - live == set(RECORDING_ACTIONS)
    assert live < recorded
