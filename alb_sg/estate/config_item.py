"""One configuration item of AWS Config: its resource in the model, the capture time and the status.

Items spell the same field in several ways (docs/semantics.md, section 4). This module brings `configuration` into the
shape of the API, which the readers of `from_api` take.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from alb_sg.aws.account_region import AccountRegion, read_account_region
from alb_sg.errors import InvalidInputError
from alb_sg.estate import from_api
from alb_sg.estate.field_readers import (
    Shape,
    list_or_empty,
    optional_text,
    read_list,
    require_object,
    required_list,
    required_text,
    text_or_default,
    whole_number,
)
from alb_sg.estate.from_api import Reader
from alb_sg.estate.indexing import ordered_targets
from alb_sg.estate.json_files import parse_if_text
from alb_sg.estate.model import (
    NO_TAGS,
    Instance,
    Listener,
    LoadBalancer,
    NetworkInterface,
    PrefixList,
    SecurityGroup,
    Subnet,
    Target,
    TargetGroup,
    UnknownValue,
    Vpc,
)
from alb_sg.estate.resource_types import (
    LOAD_BALANCER_TYPE,
    PREFIX_LIST_TYPE,
    SECTION_BY_TYPE,
    SECURITY_GROUP_TYPE,
    TARGET_GROUP_TYPE,
)

Resource = (
    LoadBalancer | Listener | TargetGroup | SecurityGroup | Vpc | Subnet | NetworkInterface | Instance | PrefixList
)


def _security_group(fields: Shape) -> SecurityGroup:
    """A security group. Its items leave out a list of rules that is empty, or have null in its place."""
    empty: dict[str, list[Any]] = {
        name: [] for name in ("IpPermissions", "IpPermissionsEgress") if fields.get(name) is None
    }
    return from_api.security_group({**fields, **empty})


def _prefix_list(fields: Shape) -> PrefixList:
    """A managed prefix list. Its items are its owner's: one without `Entries` does not say that they are refused."""
    required_list(fields, "Entries")
    return from_api.prefix_list(required_text(fields, "PrefixListId"), fields)


# The readers of configurations, by resource type.
ITEM_TYPES: Mapping[str, Reader] = {
    **{name: from_api.READERS[section] for name, section in SECTION_BY_TYPE.items() if section in from_api.READERS},
    SECURITY_GROUP_TYPE: Reader("GroupId", _security_group),
    PREFIX_LIST_TYPE: Reader("PrefixListId", _prefix_list),
}

# The types whose tags the model holds.
TAGGED_TYPES = frozenset({LOAD_BALANCER_TYPE, SECURITY_GROUP_TYPE})

# ConfigurationItemStatus (AWS Config API reference, "ConfigurationItem").
OK = "OK"
EXISTING_STATUSES = frozenset({OK, "ResourceDiscovered"})
DELETED = "ResourceDeleted"
DELETED_NOT_RECORDED = "ResourceDeletedNotRecorded"
NOT_RECORDED = "ResourceNotRecorded"
STATUSES = EXISTING_STATUSES | {DELETED, DELETED_NOT_RECORDED, NOT_RECORDED}

# These fields of a configuration may have tag keys as their keys. Tags are read from the item instead.
TAG_FIELDS = frozenset({"Tags", "TagSet", "TagList"})

# A number that grows with each state of a resource.
STATE_ID = "configurationStateId"
EARLIEST_TIME = datetime.min.replace(tzinfo=UTC)


class ConfigItem(NamedTuple):
    """A configuration item of a type that the rules read.

    `capture_time` is None where the source leaves it out, `resource` where the resource is deleted or not recorded,
    `targets` where registrations are not recorded, and `tags` where the item has no tag field. `unread_cause` says why
    the rest of an item with an ID could not be read; `unknown_targets` and `unknown_tags`, why these could not.
    """

    account_region: AccountRegion
    type: str
    id: str
    capture_time: datetime | None
    state_id: int | UnknownValue
    status: str
    resource: Resource | None
    targets: tuple[Target, ...] | None = None
    tags: Mapping[str, str] | None = None
    unread_cause: str | None = None
    unknown_targets: UnknownValue | None = None
    unknown_tags: UnknownValue | None = None

    @property
    def capture_order(self) -> tuple[datetime, int]:
        """The later of two items of a resource has the higher order, if their `state_id` is known."""
        return self.capture_time or EARLIEST_TIME, -1 if isinstance(self.state_id, UnknownValue) else self.state_id

    def as_unread(self, cause: str) -> ConfigItem:
        """This item with its identity and capture time alone."""
        return ConfigItem(
            self.account_region, self.type, self.id, self.capture_time, self.state_id, OK, None, unread_cause=cause
        )

    def merged_with(self, other: ConfigItem) -> ConfigItem | None:
        """This item, with the tags of the other where it has no tag field; None where the two contradict each other."""
        if self.unread_cause is not None or other.unread_cause is not None:
            return self if self.unread_cause is not None else other
        mine, its = self._state_without_tags, other._state_without_tags
        if mine != its or (self.tags is not None and other.tags is not None and self.tags != other.tags):
            return None
        if self.tags is not None or (self.unknown_tags is not None and other.tags is None):
            return self
        return self._replace(tags=other.tags, unknown_tags=other.unknown_tags, resource=other.resource)

    @property
    def _state_without_tags(self) -> tuple[object, ...]:
        resource = self.resource
        if isinstance(resource, SecurityGroup):
            resource = resource._replace(tags=NO_TAGS)
        return resource, self.targets, self.unknown_targets, self.status in EXISTING_STATUSES or self.status


def read_item(record: Shape) -> ConfigItem | None:
    """The item; None for a type that no rule reads.

    An item whose resource is known and whose other fields cannot be read has an `unread_cause`. Raises
    InvalidInputError, naming the field, where the resource is not known.
    """
    type_name = required_text(record, "resourceType")
    item_type = ITEM_TYPES.get(type_name)
    if item_type is None:
        return None
    try:
        configuration = _configuration(record)
        unreadable = None
    except InvalidInputError as error:
        configuration, unreadable = {}, error
    arn = _arn(record, configuration, item_type)
    account_region = read_account_region(record, arn)
    resource_id = _resource_id(record, configuration, arn, item_type)
    if item_type.id_field.endswith("Arn"):
        account_region.check_arn(resource_id, "resourceId")
    own_id = configuration.get(item_type.id_field)
    if own_id not in (None, resource_id):
        message = f"{own_id!r} differs from the item's own ID {resource_id!r}"
        raise InvalidInputError(message, item_type.id_field).inside("configuration")
    item = ConfigItem(account_region, type_name, resource_id, None, -1, OK, None)
    try:
        if unreadable is not None:
            raise unreadable
        item = _read_content(item, record, item_type, configuration)
    except InvalidInputError as error:
        # The item concerns its resource alone.
        return _dated_if_possible(item, record)._replace(unread_cause=str(error))
    if isinstance(item.resource, Listener):
        try:
            account_region.check_arn(item.resource.load_balancer_arn, "LoadBalancerArn")
        except InvalidInputError as error:
            raise error.inside("configuration") from error
    return item


def _read_content(item: ConfigItem, record: Shape, item_type: Reader, configuration: Shape) -> ConfigItem:
    """The item with everything besides its identity. Raises InvalidInputError for what cannot be read."""
    status = text_or_default(record, "configurationItemStatus", OK)
    if status not in STATUSES:
        raise InvalidInputError(f"{status!r} is not a configuration item status", "configurationItemStatus")
    item = item._replace(
        capture_time=parse_capture_time(record.get("configurationItemCaptureTime")),
        state_id=_state_id(record),
        status=status,
    )
    if status not in EXISTING_STATUSES:
        return item
    try:
        if not configuration:
            raise InvalidInputError("an object was expected, not null")
        resource = item_type.read({**configuration, item_type.id_field: item.id})
    except InvalidInputError as error:
        raise error.inside("configuration") from error
    item = _with_targets(item._replace(resource=resource), configuration)
    if item.type not in TAGGED_TYPES:
        return item
    tags, unknown = None, None
    try:
        tags = _tags(record)
    except InvalidInputError as error:
        unknown = UnknownValue(error.place, error.message)
    if isinstance(resource, SecurityGroup):
        resource = resource._replace(tags=unknown or tags or NO_TAGS)
    return item._replace(resource=resource, tags=tags, unknown_tags=unknown)


def _dated_if_possible(item: ConfigItem, record: Shape) -> ConfigItem:
    """An item that cannot be read, with its capture time where that can be."""
    item = item._replace(state_id=_state_id(record))
    try:
        return item._replace(capture_time=parse_capture_time(record.get("configurationItemCaptureTime")))
    except InvalidInputError:
        return item


def _with_targets(item: ConfigItem, configuration: Shape) -> ConfigItem:
    """The item with the registrations of a target group, if they are recorded."""
    if item.type != TARGET_GROUP_TYPE or configuration.get("Targets") is None:
        return item
    try:
        return item._replace(targets=ordered_targets(read_list(configuration, "Targets", from_api.target_description)))
    except InvalidInputError as error:
        return item._replace(unknown_targets=UnknownValue(error.place, error.message))


def _arn(record: Shape, configuration: Shape, item_type: Reader) -> str | None:
    """The ARN: of the item, of the configuration, or an ID that is an ARN."""
    candidates = (
        record.get("ARN"),
        record.get("arn"),
        record.get("resourceId"),
        configuration.get(item_type.id_field),
        configuration.get("Arn"),
    )
    return next((value for value in candidates if isinstance(value, str) and value.startswith("arn:")), None)


def _resource_id(record: Shape, configuration: Shape, arn: str | None, item_type: Reader) -> str:
    if item_type.id_field.endswith("Arn"):
        if arn is None:
            raise InvalidInputError("the resource's ARN is missing", "ARN")
        return arn
    resource_id = optional_text(record, "resourceId") or optional_text(configuration, item_type.id_field)
    if resource_id is None and arn is not None:
        resource_id = arn.rpartition("/")[2]
    if resource_id is None:
        raise InvalidInputError("the resource ID is missing", "resourceId")
    return resource_id


def parse_capture_time(value: Any) -> datetime | None:
    """A capture time: ISO 8601 text, or seconds since 1970, as version 1 of the `aws` command prints it."""
    try:
        if isinstance(value, str):
            captured = datetime.fromisoformat(value)
            return captured if captured.tzinfo is not None else captured.replace(tzinfo=UTC)
        match value:
            case None:
                return None
            case bool():
                raise ValueError
            case int() | float():
                return datetime.fromtimestamp(value, UTC)
            case _:
                raise ValueError
    except (ValueError, OverflowError, OSError) as error:
        raise InvalidInputError(f"a time was expected, not {value!r}", "configurationItemCaptureTime") from error


def parse_state_id(value: Any) -> int:
    return -1 if value is None else whole_number(value, STATE_ID)


def _state_id(record: Shape) -> int | UnknownValue:
    try:
        return parse_state_id(record.get(STATE_ID))
    except InvalidInputError as error:
        return UnknownValue(STATE_ID, error.message)


def _configuration(record: Shape) -> Shape:
    """The configuration in the API's shape; empty where it is missing, as for a deleted resource."""
    value = record.get("configuration")
    if not value:
        return {}
    try:
        return require_object(to_api_keys(require_object(parse_if_text(value))))
    except InvalidInputError as error:
        raise error.inside("configuration") from error


def to_api_keys(value: Any) -> Any:
    """A decoded configuration with the API's keys: lowerCamel keys become Pascal. Tags are left out.

    Raises InvalidInputError for a field that has both spellings, with different values.
    """
    if isinstance(value, list):
        return [to_api_keys(element) for element in value]
    if not isinstance(value, dict):
        return value
    converted: dict[str, Any] = {}
    for key, inner in value.items():
        name = _capitalize(key)
        if name in TAG_FIELDS:
            continue
        if isinstance(inner, dict | list):
            inner = to_api_keys(inner)
        if converted.get(name) is None:
            converted[name] = inner
        elif inner is not None and inner != converted[name]:
            raise InvalidInputError("given in two spellings with different values", name)
    return converted


@lru_cache(maxsize=4096)
def _capitalize(key: str) -> str:
    return key[:1].upper() + key[1:]


def _tags(record: Shape) -> Mapping[str, str] | None:
    """The item's tags, or those of its supplementary configuration; None where it has neither field."""
    own = _read_tags(record.get("tags"), "tags")
    if own:
        return own
    try:
        supplementary = parse_if_text(record.get("supplementaryConfiguration"))
        supplementary = require_object(supplementary if supplementary is not None else {})
        listed = _read_tags(supplementary.get("Tags", supplementary.get("tags")), "Tags")
    except InvalidInputError as error:
        raise error.inside("supplementaryConfiguration") from error
    return own if listed is None else listed


def _read_tags(value: Any, field: str) -> Mapping[str, str] | None:
    """Tags as an object or as a list of `key` and `value`; either may be JSON text."""
    try:
        value = parse_if_text(value)
        if value is None:
            return None
        if isinstance(value, Mapping):
            return {key: _tag_value(inner, key) for key, inner in value.items()}
        return from_api.tags([to_api_keys(tag) for tag in list_or_empty(value)])
    except InvalidInputError as error:
        raise error.inside(field) from error


def _tag_value(value: Any, key: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InvalidInputError(f"text was expected, not {value!r}", key)
    return value
