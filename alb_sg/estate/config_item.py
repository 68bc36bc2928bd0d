"""One AWS Config configuration item: what it is of, when it was captured, and the resource in the model.

Items say the same in several spellings (semantics §4). Their `configuration` is brought into the API's own
shape here and read by the readers of that shape.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

from alb_sg.aws.account_region import AccountRegion, account_region_of, parse_account_id
from alb_sg.errors import InvalidInputError
from alb_sg.estate import from_api
from alb_sg.estate.from_api import Shape, list_or_empty, optional_text, require_object, required_text, whole_number
from alb_sg.estate.indexing import ordered_targets
from alb_sg.estate.json_files import parse_if_text
from alb_sg.estate.model import (
    LISTENER_TYPE,
    LOAD_BALANCER_TYPE,
    NO_TAGS,
    SECURITY_GROUP_TYPE,
    TARGET_GROUP_TYPE,
    Instance,
    Listener,
    LoadBalancer,
    NetworkInterface,
    PrefixList,
    SecurityGroup,
    Target,
    TargetGroup,
    Vpc,
)

VPC_TYPE = "AWS::EC2::VPC"
NETWORK_INTERFACE_TYPE = "AWS::EC2::NetworkInterface"
INSTANCE_TYPE = "AWS::EC2::Instance"
PREFIX_LIST_TYPE = "AWS::EC2::PrefixList"

Resource = LoadBalancer | Listener | TargetGroup | SecurityGroup | Vpc | NetworkInterface | Instance | PrefixList


class ItemType(NamedTuple):
    """How items of a resource type are read: the field of their configuration that holds the id, and the reader."""

    id_field: str
    read: Callable[[Any], Resource]

    @property
    def is_identified_by_arn(self) -> bool:
        return self.id_field.endswith("Arn")


ITEM_TYPES: Mapping[str, ItemType] = {
    LOAD_BALANCER_TYPE: ItemType("LoadBalancerArn", from_api.load_balancer),
    LISTENER_TYPE: ItemType("ListenerArn", from_api.listener),
    TARGET_GROUP_TYPE: ItemType("TargetGroupArn", from_api.target_group),
    SECURITY_GROUP_TYPE: ItemType("GroupId", from_api.security_group),
    VPC_TYPE: ItemType("VpcId", from_api.vpc),
    NETWORK_INTERFACE_TYPE: ItemType("NetworkInterfaceId", from_api.network_interface),
    INSTANCE_TYPE: ItemType("InstanceId", from_api.instance),
    PREFIX_LIST_TYPE: ItemType(
        "PrefixListId", lambda source: from_api.prefix_list(required_text(source, "PrefixListId"), source)
    ),
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

# Fields of a configuration that may hold the user's own words as keys; tags are read from the item instead.
TAG_FIELDS = frozenset({"Tags", "TagSet", "TagList"})

EARLIEST_TIME = datetime.min.replace(tzinfo=UTC)


class ConfigItem(NamedTuple):
    """A configuration item of a type that a verdict needs.

    `captured` is None where the source leaves it out. `resource` is None where it is deleted or not recorded;
    `targets` None where registrations were not recorded, `tags` where the item does not speak of tags.
    """

    account_region: AccountRegion
    type: str
    id: str
    capture_time: datetime | None
    state_id: int
    status: str
    resource: Resource | None
    targets: tuple[Target, ...] | None = None
    tags: Mapping[str, str] | None = None

    @property
    def capture_order(self) -> tuple[datetime, int]:
        """What the later of two items of a resource has more of."""
        return self.capture_time or EARLIEST_TIME, self.state_id

    def merged_with(self, other: ConfigItem) -> ConfigItem | None:
        """This item, with tags from the other where it has none; None where the two contradict each other."""
        mine, its = self._state_without_tags, other._state_without_tags
        if mine != its or (self.tags is not None and other.tags is not None and self.tags != other.tags):
            return None
        return self if self.tags is not None else self._replace(tags=other.tags, resource=other.resource)

    @property
    def _state_without_tags(self) -> tuple[object, ...]:
        resource = self.resource
        if isinstance(resource, SecurityGroup):
            resource = resource._replace(tags=NO_TAGS)
        return resource, self.targets, self.status in EXISTING_STATUSES or self.status


# The fields of a ConfigItem, as a tuple without names: of these there are millions.
ItemFields: TypeAlias = tuple[
    AccountRegion,
    str,
    str,
    datetime | None,
    int,
    str,
    Resource | None,
    tuple[Target, ...] | None,
    Mapping[str, str] | None,
]


def read_item(source: Shape) -> ConfigItem | None:
    """The item, or None where no verdict needs its type. Raises InvalidInputError that names the field."""
    type_name = required_text(source, "resourceType")
    item_type = ITEM_TYPES.get(type_name)
    if item_type is None:
        return None
    status = from_api.text_or_default(source, "configurationItemStatus", OK)
    if status not in STATUSES:
        raise InvalidInputError(f"{status!r} is no status of a configuration item", "configurationItemStatus")
    configuration = _configuration(source, required=status in EXISTING_STATUSES)
    arn = _arn(source, configuration, item_type)
    account_region = _account_region(source, arn)
    resource_id = _resource_id(source, configuration, arn, item_type)
    if item_type.is_identified_by_arn:
        account_region.check_arn(resource_id, "resourceId")
    item = ConfigItem(
        account_region=account_region,
        type=type_name,
        id=resource_id,
        capture_time=parse_capture_time(source.get("configurationItemCaptureTime")),
        state_id=parse_state_id(source.get("configurationStateId")),
        status=status,
        resource=None,
    )
    if status not in EXISTING_STATUSES:
        return item
    try:
        resource, targets = _read_resource(item, item_type, configuration)
    except InvalidInputError as error:
        raise error.inside("configuration") from error
    if type_name not in TAGGED_TYPES:
        return item._replace(resource=resource, targets=targets)
    tags = _tags(source)
    if isinstance(resource, SecurityGroup):
        resource = resource._replace(tags=tags or NO_TAGS)
    return item._replace(resource=resource, targets=targets, tags=tags)


def _read_resource(
    item: ConfigItem, item_type: ItemType, configuration: Shape
) -> tuple[Resource, tuple[Target, ...] | None]:
    """The resource, and the registrations where it is a target group that records them."""
    own_id = configuration.get(item_type.id_field)
    if own_id not in (None, item.id):
        raise InvalidInputError(f"{own_id!r} was expected to be the item's own {item.id!r}", item_type.id_field)
    resource = item_type.read({**configuration, item_type.id_field: item.id})
    if isinstance(resource, Listener):
        item.account_region.check_arn(resource.load_balancer_arn, "LoadBalancerArn")
    if item.type == TARGET_GROUP_TYPE and configuration.get("Targets") is not None:
        return resource, ordered_targets(from_api.read_list(configuration, "Targets", from_api.target_description))
    return resource, None


# --- the envelope


def _arn(source: Shape, configuration: Shape, item_type: ItemType) -> str | None:
    """The resource's ARN, from the item, from an id that is one, or from the configuration."""
    candidates = (
        source.get("ARN"),
        source.get("arn"),
        source.get("resourceId"),
        configuration.get(item_type.id_field),
        configuration.get("Arn"),
    )
    return next((value for value in candidates if isinstance(value, str) and value.startswith("arn:")), None)


def _account_region(source: Shape, arn: str | None) -> AccountRegion:
    field = next((name for name in ("awsAccountId", "accountId") if source.get(name) is not None), None)
    region = optional_text(source, "awsRegion")
    if field is not None and region is not None:
        return AccountRegion(parse_account_id(source[field], field), region)
    if arn is None:
        missing = "awsAccountId" if field is None else "awsRegion"
        raise InvalidInputError("missing, and no ARN tells it; have it in the data", missing)
    named = account_region_of(arn, "ARN")
    return AccountRegion(
        named.account_id if field is None else parse_account_id(source[field], field),
        named.region if region is None else region,
    )


def _resource_id(source: Shape, configuration: Shape, arn: str | None, item_type: ItemType) -> str:
    if item_type.is_identified_by_arn:
        if arn is None:
            raise InvalidInputError("the resource's ARN is missing", "ARN")
        return arn
    found = optional_text(source, "resourceId") or optional_text(configuration, item_type.id_field)
    if found is None and arn is not None:
        found = arn.rpartition("/")[2]
    if found is None:
        raise InvalidInputError("the resource's id is missing", "resourceId")
    return found


def parse_capture_time(value: Any) -> datetime | None:
    """A capture time: ISO 8601 text, or seconds since 1970 as version 1 of the `aws` command prints it."""
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
    return -1 if value is None else whole_number(value, "configurationStateId")


# --- what it holds


def _configuration(source: Shape, *, required: bool) -> Shape:
    """The configuration in the API's own shape; an empty one where there is none and none is required."""
    value = source.get("configuration")
    if not required and not value:
        return {}
    try:
        return require_object(to_api_keys(require_object(parse_if_text(value))))
    except InvalidInputError as error:
        raise error.inside("configuration") from error


def to_api_keys(value: Any) -> Any:
    """A decoded configuration with the API's keys: lowerCamel ones begin with a capital. Tags are left out.

    Raises InvalidInputError where one field stands there in both spellings and with different values.
    """
    if isinstance(value, list):
        return [to_api_keys(element) for element in value]
    if not isinstance(value, dict):
        return value
    found: dict[str, Any] = {}
    for key, inner in value.items():
        name = _capitalize(key)
        if name in TAG_FIELDS:
            continue
        if isinstance(inner, dict | list):
            inner = to_api_keys(inner)
        if found.get(name) is None:
            found[name] = inner
        elif inner is not None and inner != found[name]:
            raise InvalidInputError("given twice, in two spellings and with different values", name)
    return found


@lru_cache(maxsize=4096)
def _capitalize(key: str) -> str:
    return key[:1].upper() + key[1:]


def _tags(source: Shape) -> Mapping[str, str] | None:
    """An item's tags, or those of its supplementary configuration; None where it speaks of neither."""
    own = _read_tags(source.get("tags"), "tags")
    if own:
        return own
    try:
        supplementary = parse_if_text(source.get("supplementaryConfiguration"))
        supplementary = require_object(supplementary if supplementary is not None else {})
        value = supplementary.get("Tags", supplementary.get("tags"))
        listed = _read_tags(value, "Tags")
    except InvalidInputError as error:
        raise error.inside("supplementaryConfiguration") from error
    return own if listed is None else listed


def _read_tags(value: Any, field: str) -> Mapping[str, str] | None:
    """Tags as an object or as a list of `key` and `value`, either of them perhaps as JSON text."""
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
