"""The event with which AWS Config invokes a rule's function, as one typed value.

The format is in the AWS Config developer guide, "Example Events for AWS Config Rules".
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from botocore.utils import parse_timestamp

from alb_sg.errors import InvalidInputError
from alb_sg.estate.field_readers import Shape, optional_text, require_object, required_text, texts_in
from alb_sg.estate.json_files import parse_if_text

SCHEDULED = "ScheduledNotification"
CHANGED = "ConfigurationItemChangeNotification"
OVERSIZED = "OversizedConfigurationItemChangeNotification"

# Statuses of a resource that does not exist any more (ConfigurationItemStatus). One that is only not recorded
# (ResourceNotRecorded) still exists: a scheduled run judges it from live state, and so does its event.
DELETED_STATUSES = frozenset({"ResourceDeleted", "ResourceDeletedNotRecorded"})


class ChangedItem(NamedTuple):
    """The configuration item that triggered the rule.

    `exists`: the resource exists and is in the rule's scope. `load_balancer_type` is a load balancer's type, None if
    the item does not hold it. `texts` are all texts in the resource's configuration, now and before the change. The
    summary in an oversized notification has none (`is_summary`).
    """

    resource_type: str
    resource_id: str
    capture_time: str
    exists: bool
    load_balancer_type: str | None = None
    texts: tuple[str, ...] = ()
    is_summary: bool = False

    def with_history(self, configurations: Any) -> ChangedItem:
        """The item with the texts of the resource's recorded configurations."""
        return self._replace(texts=tuple(texts_in(configurations)))


class Notification(NamedTuple):
    """An event. `parameters` are the rule's, without empty ones. `item` is None for a scheduled run."""

    account_id: str | None
    rule_name: str
    result_token: str
    execution_role_arn: str
    parameters: Mapping[str, object]
    creation_time: str
    item: ChangedItem | None

    @property
    def ordering_time(self) -> str:
        """The time by which AWS Config orders the evaluations of this event."""
        return self.creation_time if self.item is None else self.item.capture_time


def read_notification(event: Mapping[str, Any]) -> Notification:
    """Parses an event. Raises InvalidInputError, which names the field."""
    require_object(event)
    with _errors_inside("ruleParameters"):
        parameters = require_object(parse_if_text(event.get("ruleParameters") or {}))
    with _errors_inside("invokingEvent"):
        invoking_event = require_object(parse_if_text(event.get("invokingEvent")))
        creation_time = _required_time(invoking_event, "notificationCreationTime")
        item = _read_item(invoking_event, left_scope=bool(event.get("eventLeftScope")))
    return Notification(
        account_id=optional_text(event, "accountId"),
        rule_name=required_text(event, "configRuleName"),
        result_token=required_text(event, "resultToken"),
        execution_role_arn=required_text(event, "executionRoleArn"),
        parameters=_without_empty_values(parameters),
        creation_time=creation_time,
        item=item,
    )


def _read_item(invoking_event: Shape, *, left_scope: bool) -> ChangedItem | None:
    """The changed item; None for a scheduled run. An oversized notification holds a summary of the item."""
    message_type = required_text(invoking_event, "messageType")
    if message_type == SCHEDULED:
        return None
    if message_type not in (CHANGED, OVERSIZED):
        raise InvalidInputError(f"this rule does not handle the message type {message_type!r}", "messageType")
    is_summary = message_type == OVERSIZED
    field = "configurationItemSummary" if is_summary else "configurationItem"
    with _errors_inside(field):
        item = require_object(invoking_event.get(field))
        configuration, difference = item.get("configuration"), invoking_event.get("configurationItemDiff")
        changed_properties = difference.get("changedProperties") if isinstance(difference, Mapping) else None
        return ChangedItem(
            resource_type=required_text(item, "resourceType"),
            resource_id=required_text(item, "resourceId"),
            capture_time=_required_time(item, "configurationItemCaptureTime"),
            exists=required_text(item, "configurationItemStatus") not in DELETED_STATUSES and not left_scope,
            load_balancer_type=configuration.get("type") if isinstance(configuration, Mapping) else None,
            texts=tuple(texts_in([configuration, changed_properties])),
            is_summary=is_summary,
        )


def _without_empty_values(parameters: Shape) -> dict[str, object]:
    """Parameters without spaces around their values: AWS Config passes an unset parameter as an empty text."""
    stripped = {name: value.strip() if isinstance(value, str) else value for name, value in parameters.items()}
    return {name: value for name, value in stripped.items() if value not in (None, "")}


def _required_time(fields: Shape, name: str) -> str:
    value = required_text(fields, name)
    try:
        with warnings.catch_warnings():
            # dateutil, which botocore parses with, only warns of a zone that it does not know, and leaves it out.
            warnings.simplefilter("error", RuntimeWarning)
            parse_timestamp(value)
    except (ValueError, RuntimeError, RuntimeWarning) as error:
        # RuntimeError: botocore takes a number for seconds, of any size.
        raise InvalidInputError(f"{value!r} is not a time", name) from error
    return value


@contextmanager
def _errors_inside(place: str) -> Iterator[None]:
    try:
        yield
    except InvalidInputError as error:
        raise error.inside(place) from error
