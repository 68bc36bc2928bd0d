"""The event that AWS Config sends a custom rule, read once (AWS Config developer guide, "Example Events for AWS
Config Rules")."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from botocore.utils import parse_timestamp

from alb_sg.errors import InvalidInputError

SCHEDULED = "ScheduledNotification"
CHANGED = "ConfigurationItemChangeNotification"
OVERSIZED = "OversizedConfigurationItemChangeNotification"

# The item still has a place in Config's results only in these (ConfigurationItemStatus).
EXISTING_STATUSES = frozenset({"OK", "ResourceDiscovered"})


class ChangedItem(NamedTuple):
    """The configuration item that triggered: what it is, when it was captured, and every value it holds or held
    (`content`: its configuration now, and before the change as far as the notification says).
    `load_balancer_type` is a load balancer's own, where the item still says it."""

    resource_type: str
    resource_id: str
    capture_time: str
    status: str
    account_id: str | None
    left_scope: bool
    load_balancer_type: str | None = None
    content: tuple[Any, ...] = ()

    @property
    def exists(self) -> bool:
        return self.status in EXISTING_STATUSES and not self.left_scope

    def texts(self) -> Iterator[str]:
        """Every text in the item's configuration, now and before."""
        for value in self.content:
            yield from _texts(value)


class Notification(NamedTuple):
    """`item` is None for a scheduled run. `created` is when Config created the notification."""

    creation_time: str
    item: ChangedItem | None


def normalize_event(event: Mapping[str, Any]) -> dict[str, Any]:
    """An event with all that a rule and rdklib read of it, in the one spelling that both understand.

    rdklib reads `ruleParameters` itself: it is told what this project understood, empty and null ones left out and
    the others without the spaces around them. Raises InvalidInputError that names what is missing.
    """
    for name in ("resultToken", "executionRoleArn", "configRuleName"):
        _require_text(event, name, "event")
    values = _require_object(event.get("ruleParameters") or "{}", "ruleParameters")
    given = {name: value.strip() if isinstance(value, str) else value for name, value in values.items()}
    given = {name: value for name, value in given.items() if value not in (None, "")}
    invoking = _require_object(event.get("invokingEvent"), "invokingEvent")
    return {**event, "ruleParameters": json.dumps(given), "invokingEvent": json.dumps(invoking)}


def read_notification(event: Mapping[str, Any]) -> Notification:
    """The notification inside an event. Raises InvalidInputError that names what is missing.

    An oversized notification carries a summary of the item in place of its configuration: enough, because the
    rules judge live state.
    """
    invoking = _require_object(event.get("invokingEvent"), "invokingEvent")
    message_type = _require_text(invoking, "messageType", "invokingEvent")
    created = _require_time(invoking.get("notificationCreationTime"), "invokingEvent.notificationCreationTime")
    if message_type == SCHEDULED:
        return Notification(created, None)
    if message_type not in (CHANGED, OVERSIZED):
        raise InvalidInputError(
            f"{message_type!r} is no message type that this rule knows", "invokingEvent.messageType"
        )
    field_name = "configurationItem" if message_type == CHANGED else "configurationItemSummary"
    item = read_changed_item(
        invoking.get(field_name),
        f"invokingEvent.{field_name}",
        left_scope=bool(event.get("eventLeftScope")),
        configuration_diff=invoking.get("configurationItemDiff"),
    )
    return Notification(created, item)


def read_changed_item(
    source: Any, place: str = "configurationItem", *, left_scope: bool = False, configuration_diff: Any = None
) -> ChangedItem:
    """A configuration item as a notification spells it. Raises InvalidInputError."""
    source = _require_object(source, place)
    configuration = source.get("configuration")
    changed = configuration_diff.get("changedProperties") if isinstance(configuration_diff, Mapping) else None
    return ChangedItem(
        resource_type=_require_text(source, "resourceType", place),
        resource_id=_require_text(source, "resourceId", place),
        capture_time=_require_time(source.get("configurationItemCaptureTime"), f"{place}.configurationItemCaptureTime"),
        status=_require_text(source, "configurationItemStatus", place),
        account_id=source.get("awsAccountId") or source.get("accountId"),
        left_scope=left_scope,
        load_balancer_type=configuration.get("type") if isinstance(configuration, Mapping) else None,
        content=tuple(value for value in (configuration, changed) if value),
    )


def _require_time(value: Any, place: str) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if not isinstance(value, str) or not value:
        raise InvalidInputError("text is missing", place)
    try:
        parse_timestamp(value)
    except ValueError as error:
        raise InvalidInputError(f"{value!r} is not a time", place) from error
    return value


def _require_object(value: Any, place: str) -> Mapping[str, Any]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError as error:
            raise InvalidInputError(f"not JSON ({error})", place) from error
    if not isinstance(value, Mapping):
        raise InvalidInputError("an object was expected", place)
    return value


def _require_text(source: Mapping[str, Any], name: str, place: str) -> str:
    value = source.get(name)
    if not isinstance(value, str) or not value:
        raise InvalidInputError("text is missing", f"{place}.{name}")
    return value


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)
