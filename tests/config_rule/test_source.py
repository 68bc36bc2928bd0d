"""The parameter Source: the calls of each rule's handler, and the IAM actions declared for them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from alb_sg.config_rule.iam_actions import evaluation_actions
from alb_sg.errors import IncompleteEvaluationError
from alb_sg.estate.resource_types import SECURITY_GROUP_TYPE
from alb_sg.live import LiveClients, LiveSource
from alb_sg.live.iam_actions import RECORDING_ACTIONS
from alb_sg.parameters import Source
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME
from embedded_aws.account import ACCOUNT_ID, REGION
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
def test_a_periodic_run_reads_what_was_recorded(aws: Shop, rule: str) -> None:
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
