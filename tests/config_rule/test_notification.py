"""Events of AWS Config as typed notifications."""

from __future__ import annotations

import json
from typing import Any

import pytest

from alb_sg.config_rule.notification import ChangedItem, Notification, read_notification
from alb_sg.errors import InvalidInputError
from alb_sg.estate.resource_types import LOAD_BALANCER_TYPE, TARGET_GROUP_TYPE

CREATED, CAPTURED = "2026-01-02T03:04:05.006Z", "2026-01-02T03:03:00.000Z"
ITEM = {
    "awsAccountId": "123456789012",
    "configurationItemCaptureTime": CAPTURED,
    "configurationItemStatus": "OK",
    "resourceType": TARGET_GROUP_TYPE,
    "resourceId": "arn",
}
EVENT = {
    "accountId": "123456789012",
    "configRuleName": "rule",
    "resultToken": "token",
    "executionRoleArn": "arn:aws:iam::123456789012:role/config",
}


def event(message_type: str, /, *, parameters: Any = "{}", left_scope: bool = False, **fields: Any) -> dict[str, Any]:
    invoking_event = {"messageType": message_type, "notificationCreationTime": CREATED, **fields}
    return {
        **EVENT,
        "ruleParameters": parameters,
        "invokingEvent": json.dumps(invoking_event),
        "eventLeftScope": left_scope,
    }


def changed(item: dict[str, Any], difference: Any = None, *, left_scope: bool = False) -> ChangedItem:
    notification = read_notification(
        event(
            "ConfigurationItemChangeNotification",
            left_scope=left_scope,
            configurationItem=item,
            configurationItemDiff=difference,
        )
    )
    assert notification.item is not None
    return notification.item


def test_a_scheduled_run() -> None:
    notification = read_notification(event("ScheduledNotification", parameters='{"TagKey": " clients "}'))
    assert notification == Notification(
        account_id="123456789012",
        rule_name="rule",
        result_token="token",
        execution_role_arn="arn:aws:iam::123456789012:role/config",
        parameters={"TagKey": "clients"},
        creation_time=CREATED,
        item=None,
    )
    assert notification.ordering_time == CREATED


def test_a_changed_item_orders_its_evaluations_by_its_own_time() -> None:
    notification = read_notification(event("ConfigurationItemChangeNotification", configurationItem=ITEM))
    assert notification.item == ChangedItem(TARGET_GROUP_TYPE, "arn", CAPTURED, exists=True)
    assert notification.ordering_time == CAPTURED


def test_an_oversized_item_is_a_summary_until_its_history_is_read() -> None:
    notification = read_notification(
        event("OversizedConfigurationItemChangeNotification", configurationItemSummary=ITEM)
    )
    assert notification.item == ChangedItem(TARGET_GROUP_TYPE, "arn", CAPTURED, exists=True, is_summary=True)
    assert notification.item.with_history(['{"LoadBalancerArns":["web"]}', None]).texts == (
        '{"LoadBalancerArns":["web"]}',
    )


def test_texts_now_and_before() -> None:
    item = {**ITEM, "configuration": {"LoadBalancerArns": ["now"], "Port": 80, "Targets": [{"Id": "here"}]}}
    before = {"changedProperties": {"Configuration.Targets.0": {"previousValue": {"Id": "gone"}, "updatedValue": None}}}
    assert changed(item, before).texts == ("now", "here", "gone")


@pytest.mark.parametrize(
    ("status", "left_scope", "exists"),
    [
        ("OK", False, True),
        ("ResourceDiscovered", False, True),
        ("OK", True, False),
        ("ResourceDeleted", False, False),
        ("ResourceDeletedNotRecorded", False, False),
        # It is still there, and a scheduled run judges it.
        ("ResourceNotRecorded", False, True),
    ],
)
def test_whether_the_resource_exists(status: str, left_scope: bool, exists: bool) -> None:
    assert changed({**ITEM, "configurationItemStatus": status}, left_scope=left_scope).exists is exists


@pytest.mark.parametrize(
    ("configuration", "expected"), [({"type": "network"}, "network"), ({}, None), (None, None), ("{}", None)]
)
def test_type_of_a_load_balancer(configuration: Any, expected: str | None) -> None:
    item = {**ITEM, "resourceType": LOAD_BALANCER_TYPE, "configuration": configuration}
    assert changed(item).load_balancer_type == expected


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"invokingEvent": None}, "invokingEvent: an object was expected"),
        ({"invokingEvent": "{"}, "invokingEvent: not JSON"),
        ({"ruleParameters": "[]"}, "ruleParameters: an object was expected"),
        ({"resultToken": ""}, "resultToken: text was expected"),
        ({"configRuleName": None}, "configRuleName: text is missing"),
        (event("Other"), "invokingEvent.messageType: this rule does not handle the message type 'Other'"),
        (
            event("ScheduledNotification", notificationCreationTime="today"),
            "invokingEvent.notificationCreationTime: 'today' is not a time",
        ),
        (
            # dateutil knows no such zone, and would leave it out with a warning.
            event("ScheduledNotification", notificationCreationTime="2027-01-31T08:00:00 ZZQ"),
            "invokingEvent.notificationCreationTime: '2027-01-31T08:00:00 ZZQ' is not a time",
        ),
        (
            event("ConfigurationItemChangeNotification", configurationItem={**ITEM, "resourceId": None}),
            "invokingEvent.configurationItem.resourceId: text is missing",
        ),
    ],
)
def test_an_invalid_event_is_refused_by_field(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        read_notification({**event("ScheduledNotification"), **change})
    assert str(refused.value).startswith(message)


AT_NO_TIME = {"messageType": "ScheduledNotification", "notificationCreationTime": "1e400"}


@pytest.mark.parametrize(
    ("unusable", "said"),
    [
        pytest.param([], "an object was expected, not a list", id="no object"),
        pytest.param(
            {**event("ScheduledNotification"), "accountId": 123456789012}, "accountId", id="a number as account"
        ),
        pytest.param(
            event("ScheduledNotification") | {"invokingEvent": json.dumps(AT_NO_TIME)},
            "is not a time",
            id="a number as time",
        ),
        pytest.param({**EVENT, "invokingEvent": "[" * 100_000}, "nested too deeply", id="deep nesting"),
        pytest.param({**EVENT, "invokingEvent": "1" * 5000}, "not usable JSON", id="a number of 5,000 digits"),
    ],
)
def test_an_event_of_another_shape_is_refused(unusable: Any, said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        read_notification(unusable)
