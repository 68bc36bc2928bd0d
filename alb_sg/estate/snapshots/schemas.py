"""The fast reader of configuration items: from the bytes of a file into the model, without dicts in between.

`config_item.read_item` defines the meaning of an item. This module repeats it for the one spelling of each type that
snapshots and histories have. It refuses every other spelling or value, valid or not, with NeedsGeneralReader or
msgspec's ValidationError; `read_item` then reads the item. Tests compare the two readers, and only one words errors.

It reads and judges a snapshot in a third of the time of `read_item`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from operator import attrgetter
from socket import AF_INET, inet_pton
from typing import Annotated, Generic, Literal, TypeAlias, TypeVar

import msgspec

from alb_sg.aws.account_region import ACCOUNT_ID, AccountRegion
from alb_sg.errors import InvalidInputError
from alb_sg.estate.cidr import IPV4, IPV6, Family, InvalidCidrError, parse_cidr
from alb_sg.estate.config_item import (
    EXISTING_STATUSES,
    ITEM_TYPES,
    ConfigItem,
    Resource,
    parse_capture_time,
    parse_state_id,
)
from alb_sg.estate.field_readers import HIGHEST_PORT, LOWEST_PORT, port
from alb_sg.estate.from_api import ELB_REQUESTER_ID, names_load_balancer
from alb_sg.estate.indexing import ordered_targets
from alb_sg.estate.model import (
    AUTHENTICATING_ACTIONS,
    NO_TAGS,
    Instance,
    InstanceInterface,
    Listener,
    LoadBalancer,
    NetworkInterface,
    Permission,
    SecurityGroup,
    SecurityGroupReference,
    Subnet,
    Target,
    TargetGroup,
    Vpc,
)
from alb_sg.estate.resource_types import (
    INSTANCE_TYPE,
    LISTENER_TYPE,
    LOAD_BALANCER_TYPE,
    NETWORK_INTERFACE_TYPE,
    SECURITY_GROUP_TYPE,
    SUBNET_TYPE,
    TARGET_GROUP_TYPE,
    VPC_TYPE,
)
from alb_sg.estate.snapshots.speed import tuple_constructor

S = TypeVar("S", bound=msgspec.Struct)
R = TypeVar("R")

Text: TypeAlias = Annotated[str, msgspec.Meta(min_length=1)]
Port: TypeAlias = Annotated[int, msgspec.Meta(ge=LOWEST_PORT, le=HIGHEST_PORT)]
NULL_JSON = msgspec.Raw(b"null")
# No value is of this type: the field must not be there.
MustBeAbsent: TypeAlias = Annotated[int, msgspec.Meta(gt=0, lt=0)]


class NeedsGeneralReader(Exception):
    """The item or document is not in the one form that the fast reader takes."""


def refuse_other_spelling(schema: type[S]) -> type[S]:
    """A schema that refuses its fields in AWS Config's other spelling, instead of treating them as absent."""
    fields = msgspec.structs.fields(schema)
    taken = {field.encode_name for field in fields}
    others = {name[0].swapcase() + name[1:] for name in taken} - taken
    refused = [(f"refused_{name}", MustBeAbsent, msgspec.field(default=0, name=name)) for name in sorted(others)]
    return msgspec.defstruct(schema.__name__, refused, bases=(schema,), gc=False)  # type: ignore[return-value]  # a base of it


class ConfigItemSchema(msgspec.Struct, gc=False, rename="camel"):
    """An item whose configuration is not decoded yet."""

    resource_type: Text
    configuration: msgspec.Raw = NULL_JSON
    supplementary_configuration: msgspec.Raw = NULL_JSON
    tags: msgspec.Raw = NULL_JSON
    aws_account_id: str | None = None
    aws_region: str | None = None
    configuration_item_status: str | None = None
    configuration_item_capture_time: str | None = None
    configuration_state_id: int | str | None = None
    resource_id: str | None = None
    arn: str | None = msgspec.field(default=None, name="ARN")
    # With one of these fields, the element contains other items.
    items: MustBeAbsent = msgspec.field(default=0, name="configurationItems")
    base_items: MustBeAbsent = msgspec.field(default=0, name="baseConfigurationItems")
    aggregated_items: MustBeAbsent = msgspec.field(default=0, name="BaseConfigurationItems")
    results: MustBeAbsent = msgspec.field(default=0, name="Results")
    invoking_event: MustBeAbsent = msgspec.field(default=0, name="invokingEvent")
    item: MustBeAbsent = msgspec.field(default=0, name="configurationItem")


@refuse_other_spelling
class TagSchema(msgspec.Struct, gc=False, rename="camel"):
    key: Text
    value: str | None = None


class SupplementSchema(msgspec.Struct, gc=False):
    tags: list[TagSchema] | None = msgspec.field(default=None, name="Tags")
    lower_tags: MustBeAbsent = msgspec.field(default=0, name="tags")


@refuse_other_spelling
class StateSchema(msgspec.Struct, gc=False, rename="camel"):
    code: Literal["active", "provisioning", "active_impaired", "failed"]


@refuse_other_spelling
class ZoneSchema(msgspec.Struct, gc=False, rename="camel"):
    subnet_id: Text


@refuse_other_spelling
class LoadBalancerSchema(msgspec.Struct, gc=False, rename="camel"):
    load_balancer_arn: str
    load_balancer_name: Text
    type: Literal["application", "network", "gateway"]
    scheme: Literal["internet-facing", "internal"]
    state: StateSchema
    vpc_id: Text
    ip_address_type: Literal["ipv4", "dualstack", "dualstack-without-public-ipv4"] = "ipv4"
    security_groups: list[Text] = []
    availability_zones: list[ZoneSchema] = []


@refuse_other_spelling
class TargetGroupTupleSchema(msgspec.Struct, gc=False, rename="pascal"):
    target_group_arn: str | None = None


@refuse_other_spelling
class ForwardSchema(msgspec.Struct, gc=False, rename="pascal"):
    target_groups: list[TargetGroupTupleSchema] | None = None


@refuse_other_spelling
class ActionSchema(msgspec.Struct, gc=False, rename="pascal"):
    type: str | None = None
    target_group_arn: str | None = None
    forward_config: ForwardSchema | None = None


@refuse_other_spelling
class ListenerSchema(msgspec.Struct, gc=False, rename="pascal"):
    listener_arn: str
    load_balancer_arn: str
    protocol: Literal["HTTP", "HTTPS", "TCP", "TLS", "UDP", "TCP_UDP"]
    port: Port
    default_actions: list[ActionSchema] | None = None


@refuse_other_spelling
class TargetSchema(msgspec.Struct, gc=False, rename="pascal"):
    id: Text
    port: Port | None = None


@refuse_other_spelling
class TargetGroupSchema(msgspec.Struct, gc=False, rename="pascal"):
    target_group_arn: str
    target_group_name: Text
    target_type: Literal["instance", "ip", "lambda", "alb"]
    load_balancer_arns: list[str] | None = None
    port: Port | None = None
    vpc_id: Text | None = None
    ip_address_type: Literal["ipv4", "ipv6"] | None = None
    health_check_enabled: bool | None = None
    health_check_port: str | None = None
    target_control_port: Port | None = None
    targets: list[TargetSchema] | None = None


@refuse_other_spelling
class Ipv4RangeSchema(msgspec.Struct, gc=False, rename="camel"):
    cidr_ip: str


@refuse_other_spelling
class Ipv6RangeSchema(msgspec.Struct, gc=False, rename="camel"):
    cidr_ipv6: str
    cidr_ip: MustBeAbsent = 0


@refuse_other_spelling
class PrefixListIdSchema(msgspec.Struct, gc=False, rename="camel"):
    prefix_list_id: Text


@refuse_other_spelling
class ReferenceSchema(msgspec.Struct, gc=False, rename="camel"):
    group_id: Text
    user_id: str | None = None
    vpc_id: str | None = None
    vpc_peering_connection_id: str | None = None
    peering_status: str | None = None


@refuse_other_spelling
class PermissionSchema(msgspec.Struct, gc=False, rename="camel"):
    ip_protocol: Literal["tcp", "udp", "icmp", "icmpv6", "-1"]
    from_port: int | None = None
    to_port: int | None = None
    ip_ranges: list[str] = []
    ipv4_ranges: list[Ipv4RangeSchema] = []
    ipv6_ranges: list[Ipv6RangeSchema] = []
    prefix_list_ids: list[PrefixListIdSchema] = []
    user_id_group_pairs: list[ReferenceSchema] = []


@refuse_other_spelling
class SecurityGroupSchema(msgspec.Struct, gc=False, rename="camel"):
    group_id: str
    group_name: Text
    vpc_id: Text
    owner_id: str | None = None
    ip_permissions: list[PermissionSchema] = []
    ip_permissions_egress: list[PermissionSchema] = []


@refuse_other_spelling
class GroupIdentifierSchema(msgspec.Struct, gc=False, rename="camel"):
    group_id: Text
    value: MustBeAbsent = 0


@refuse_other_spelling
class AddressSchema(msgspec.Struct, gc=False, rename="camel"):
    private_ip_address: str
    primary: bool | None = None


@refuse_other_spelling
class Ipv6AddressSchema(msgspec.Struct, gc=False, rename="camel"):
    ipv6_address: str
    is_primary_ipv6: bool | None = None


@refuse_other_spelling
class Ipv4PrefixSchema(msgspec.Struct, gc=False, rename="camel"):
    ipv4_prefix: str


@refuse_other_spelling
class Ipv6PrefixSchema(msgspec.Struct, gc=False, rename="camel"):
    ipv6_prefix: str


@refuse_other_spelling
class AttachmentSchema(msgspec.Struct, gc=False, rename="camel"):
    instance_id: str | None = None
    instance_owner_id: str | None = None
    device_index: int | None = None
    network_card_index: int | None = None


@refuse_other_spelling
class NetworkInterfaceSchema(msgspec.Struct, gc=False, rename="camel"):
    network_interface_id: str
    vpc_id: Text
    private_ip_address: Text
    groups: list[GroupIdentifierSchema]
    private_ip_addresses: list[AddressSchema] = []
    ipv6_addresses: list[Ipv6AddressSchema] = []
    ipv4_prefixes: list[Ipv4PrefixSchema] = []
    ipv6_prefixes: list[Ipv6PrefixSchema] = []
    attachment: AttachmentSchema | None = None
    description: str | None = None
    requester_id: str | None = None
    interface_type: str | None = None


@refuse_other_spelling
class InstanceInterfaceSchema(msgspec.Struct, gc=False, rename="camel"):
    network_interface_id: str | None = None
    private_ip_address: str | None = None
    groups: list[GroupIdentifierSchema] = []
    ipv6_addresses: list[Ipv6AddressSchema] = []
    attachment: AttachmentSchema | None = None


@refuse_other_spelling
class InstanceSchema(msgspec.Struct, gc=False, rename="camel"):
    instance_id: str
    private_ip_address: str | None = None
    network_interfaces: list[InstanceInterfaceSchema] = []


@refuse_other_spelling
class BlockStateSchema(msgspec.Struct, gc=False, rename="camel"):
    state: Literal["associating", "associated", "disassociating", "disassociated", "failing", "failed"]


@refuse_other_spelling
class BlockSchema(msgspec.Struct, gc=False, rename="camel"):
    cidr_block: str
    cidr_block_state: BlockStateSchema | None = None


@refuse_other_spelling
class Ipv6BlockSchema(msgspec.Struct, gc=False, rename="camel"):
    ipv6_cidr_block: str
    ipv6_cidr_block_state: BlockStateSchema | None = None


@refuse_other_spelling
class VpcSchema(msgspec.Struct, gc=False, rename="camel"):
    vpc_id: str
    cidr_block: str
    cidr_block_association_set: list[BlockSchema] = []
    ipv6_cidr_block_association_set: list[Ipv6BlockSchema] = []


@refuse_other_spelling
class SubnetSchema(msgspec.Struct, gc=False, rename="camel"):
    subnet_id: str
    vpc_id: Text
    cidr_block: str | None = None
    cidr_block_association_set: MustBeAbsent = 0
    ipv6_cidr_block: MustBeAbsent = 0
    ipv6_cidr_block_association_set: list[Ipv6BlockSchema] = []


new_item = tuple_constructor(ConfigItem)
new_load_balancer = tuple_constructor(LoadBalancer)
new_listener = tuple_constructor(Listener)
new_target_group = tuple_constructor(TargetGroup)
new_target = tuple_constructor(Target)
new_security_group = tuple_constructor(SecurityGroup)
new_permission = tuple_constructor(Permission)
new_reference = tuple_constructor(SecurityGroupReference)
new_interface = tuple_constructor(NetworkInterface)
new_instance_interface = tuple_constructor(InstanceInterface)
new_instance = tuple_constructor(Instance)
_target_group_arn = attrgetter("target_group_arn")
_cidr_ip = attrgetter("cidr_ip")
_cidr_ipv6 = attrgetter("cidr_ipv6")
_prefix_list_id = attrgetter("prefix_list_id")
_group_id = attrgetter("group_id")
_subnet_id = attrgetter("subnet_id")


class ElbArnPrefixes:
    """An account and region, and how ARNs of Elastic Load Balancing begin there."""

    __slots__ = ("account_region", "prefixes")

    def __init__(self, account_region: AccountRegion) -> None:
        self.account_region = account_region
        self.prefixes = tuple(
            f"arn:{partition}:elasticloadbalancing:{account_region.region}:{account_region.account_id}:"
            for partition in ("aws", "aws-cn", "aws-us-gov")
        )


# IDs and ARNs occur in many items. Reusing the same text object saves memory and speeds up dictionary lookups.
_interned_texts: dict[str, str] = {}
_intern = _interned_texts.setdefault
MAX_INTERNED_TEXTS = 16_384


def clear_interned_texts(limit: int = MAX_INTERNED_TEXTS) -> None:
    if len(_interned_texts) > limit:
        _interned_texts.clear()


# A resource's ID, the resource, and the registrations and tags of its `ConfigItem`.
ItemContent: TypeAlias = tuple[str, Resource, tuple[Target, ...] | None, Mapping[str, str] | None]


class FastItemReader(Generic[R]):
    """Reads items one after another: most belong to the same account and region as the one before."""

    __slots__ = ("_account_id", "_arn_prefixes", "_read_unusual", "_region")

    def __init__(self, read_unusual: Callable[[bytes], R]) -> None:
        """`read_unusual` reads an element that `read_item` must read."""
        self._account_id: str | None = None
        self._region: str | None = None
        self._arn_prefixes = ElbArnPrefixes(AccountRegion("", ""))
        self._read_unusual = read_unusual

    def read_list(self, list_json: bytes) -> list[ConfigItem | R | None]:
        """As `read_item` for each element of a list. Raises msgspec.DecodeError for text that is not exactly one JSON
        list."""
        raw: list[msgspec.Raw] | None = None
        try:
            # One call for all elements takes 5 % less time to read a snapshot than one for each.
            elements: Iterable[ConfigItemSchema | None] = _decode_items(list_json)
        except msgspec.ValidationError:
            raw = _decode_raw_items(list_json)
            elements = map(_decode_item_or_none, raw)
        read: list[ConfigItem | R | None] = []
        for index, element in enumerate(elements):
            try:
                read.append(self._read(element))
            except (NeedsGeneralReader, InvalidInputError, InvalidCidrError, msgspec.ValidationError):
                if raw is None:
                    raw = _decode_raw_items(list_json)
                read.append(self._read_unusual(bytes(raw[index])))
        return read

    def _read(self, item: ConfigItemSchema | None) -> ConfigItem | None:
        """The item. Raises NeedsGeneralReader, InvalidInputError, InvalidCidrError or msgspec.ValidationError where
        `read_item` must read it."""
        if item is None:
            raise NeedsGeneralReader
        reader = READERS_BY_TYPE.get(item.resource_type)
        if reader is None:
            if item.resource_type in ITEM_TYPES:
                raise NeedsGeneralReader
            return None
        status = item.configuration_item_status
        if status is None or status not in EXISTING_STATUSES:
            raise NeedsGeneralReader
        prefixes = self._arn_prefixes
        if item.aws_region != self._region or item.aws_account_id != self._account_id:
            prefixes = self._arn_prefixes = _arn_prefixes(item.aws_account_id, item.aws_region)
            self._account_id, self._region = item.aws_account_id, item.aws_region
        type_name, read = reader
        resource_id, resource, targets, tags = read(item, prefixes.prefixes)
        state = item.configuration_state_id
        return new_item(
            (
                prefixes.account_region,
                type_name,
                resource_id,
                _parse_capture_time(item.configuration_item_capture_time),
                state if type(state) is int else parse_state_id(state),
                status,
                resource,
                targets,
                tags,
                None,
                None,
                None,
            )
        )


@lru_cache(4096)
def _arn_prefixes(account_id: str | None, region: str | None) -> ElbArnPrefixes:
    if account_id is None or not ACCOUNT_ID.fullmatch(account_id) or not region:
        raise NeedsGeneralReader
    return ElbArnPrefixes(AccountRegion(account_id, region))


# Many items of a snapshot have the same capture time.
_parse_capture_time = lru_cache(4096)(parse_capture_time)


def _checked_arn(item: ConfigItemSchema, arn: str, arn_prefixes: tuple[str, ...]) -> str:
    """The ARN in a configuration, which must equal the ARN of the item."""
    if item.arn != arn or not arn.startswith(arn_prefixes):
        raise NeedsGeneralReader
    return _intern(arn, arn)


def _checked_id(item: ConfigItemSchema, resource_id: str) -> str:
    if not resource_id or item.resource_id != resource_id:
        raise NeedsGeneralReader
    return _intern(resource_id, resource_id)


def _load_balancer(item: ConfigItemSchema, arn_prefixes: tuple[str, ...]) -> ItemContent:
    schema = _decode_load_balancer(item.configuration)
    arn = _checked_arn(item, schema.load_balancer_arn, arn_prefixes)
    load_balancer = new_load_balancer(
        (
            arn,
            schema.load_balancer_name,
            schema.type,
            schema.scheme,
            schema.state.code,
            _intern(schema.vpc_id, schema.vpc_id),
            schema.ip_address_type,
            _intern_unique(schema.security_groups),
            _intern_unique(list(map(_subnet_id, schema.availability_zones))),
            (),
        )
    )
    return arn, load_balancer, None, _tags(item)


def _tags(item: ConfigItemSchema) -> Mapping[str, str] | None:
    own = _decode_tags(item.tags)
    if own:
        return own
    supplement = _decode_supplement(item.supplementary_configuration)
    if supplement is None or supplement.tags is None:
        return own
    return {tag.key: tag.value or "" for tag in supplement.tags}


def _listener(item: ConfigItemSchema, arn_prefixes: tuple[str, ...]) -> ItemContent:
    schema = _decode_listener(item.configuration)
    arn = _checked_arn(item, schema.listener_arn, arn_prefixes)
    if not schema.load_balancer_arn.startswith(arn_prefixes):
        raise NeedsGeneralReader
    target_groups: list[str] = []
    authentications: tuple[str, ...] = ()
    for action in schema.default_actions or ():
        if action.type in AUTHENTICATING_ACTIONS:
            authentications = tuple(sorted({*authentications, action.type}))
        if action.target_group_arn:
            target_groups.append(action.target_group_arn)
        if action.forward_config is not None and action.forward_config.target_groups is not None:
            target_groups += filter(None, map(_target_group_arn, action.forward_config.target_groups))
    user = schema.load_balancer_arn
    groups = _intern_unique(target_groups)
    listener = new_listener(
        (arn, _intern(user, user), schema.protocol, schema.port, groups, None, authentications, None)
    )
    return arn, listener, None, None


def _target_group(item: ConfigItemSchema, arn_prefixes: tuple[str, ...]) -> ItemContent:
    schema = _decode_target_group(item.configuration)
    arn = _checked_arn(item, schema.target_group_arn, arn_prefixes)
    users, vpc_id = schema.load_balancer_arns, schema.vpc_id or ""
    if users is not None and not all(map(names_load_balancer, users)):
        raise NeedsGeneralReader
    if users is not None and len(users) > 1:
        users.sort()
    target_group = new_target_group(
        (
            arn,
            schema.target_group_name,
            schema.target_type,
            schema.port,
            _intern(vpc_id, vpc_id),
            IPV6 if schema.ip_address_type == "ipv6" else IPV4,
            None if users is None else _intern_all(users),
            schema.target_type != "lambda" if schema.health_check_enabled is None else schema.health_check_enabled,
            _health_check_port(schema.health_check_port),
            schema.target_control_port,
        )
    )
    if schema.targets is None:
        return arn, target_group, None, None
    targets = [
        new_target((_intern(target.id, target.id), target.port, None, None, None, ())) for target in schema.targets
    ]
    return arn, target_group, ordered_targets(targets), None


@lru_cache(1024)
def _health_check_port(value: str | None) -> int | None:
    return None if value in (None, "traffic-port") else port(value, "HealthCheckPort")


def _security_group(item: ConfigItemSchema, arn_prefixes: tuple[str, ...]) -> ItemContent:
    schema = _decode_security_group(item.configuration)
    group_id = _checked_id(item, schema.group_id)
    owner, tags = schema.owner_id, _tags(item)
    group = new_security_group(
        (
            group_id,
            schema.group_name,
            _intern(schema.vpc_id, schema.vpc_id),
            tuple(map(_permission, schema.ip_permissions)),
            tuple(map(_permission, schema.ip_permissions_egress)),
            _intern(owner, owner) if owner else None,
            tags or NO_TAGS,
            (),
            (),
        )
    )
    return group_id, group, None, tags


def _permission(schema: PermissionSchema) -> Permission:
    cidrs = schema.ip_ranges
    if len(schema.ipv4_ranges) == 1:
        cidrs.append(schema.ipv4_ranges[0].cidr_ip)
    elif schema.ipv4_ranges:
        cidrs += map(_cidr_ip, schema.ipv4_ranges)
    ipv6_cidrs = tuple(map(_cidr_ipv6, schema.ipv6_ranges)) if schema.ipv6_ranges else ()
    references = schema.user_id_group_pairs
    if not references and not schema.prefix_list_ids:
        return _address_permission(schema.ip_protocol, schema.from_port, schema.to_port, tuple(cidrs), ipv6_cidrs)
    protocol = schema.ip_protocol
    from_port, to_port = _ports(protocol, schema.from_port, schema.to_port)
    return new_permission(
        (
            protocol,
            from_port,
            to_port,
            _checked_cidrs(tuple(cidrs), ipv6_cidrs) if cidrs or ipv6_cidrs else (),
            tuple(map(_prefix_list_id, schema.prefix_list_ids)) if schema.prefix_list_ids else (),
            (_reference(references[0]),) if len(references) == 1 else tuple(map(_reference, references)),
            None,
            None,
        )
    )


# Many groups have the same rules, such as "all traffic to every address".
@lru_cache(8192)
def _address_permission(
    protocol: str, from_port: int | None, to_port: int | None, ipv4_cidrs: tuple[str, ...], ipv6_cidrs: tuple[str, ...]
) -> Permission:
    cidrs = _checked_cidrs(ipv4_cidrs, ipv6_cidrs)
    return Permission(protocol, *_ports(protocol, from_port, to_port), cidrs, (), ())


@lru_cache(8192)
def _ports(protocol: str, from_port: int | None, to_port: int | None) -> tuple[int | None, int | None]:
    """The ports of a permission; type and code for ICMP; None for a protocol without ports."""
    if protocol == "-1":
        return None, None
    if protocol in ("tcp", "udp"):
        if from_port is None or to_port is None:
            if from_port is not to_port:
                raise NeedsGeneralReader
        elif not 0 <= from_port <= to_port <= HIGHEST_PORT:
            raise NeedsGeneralReader
    return from_port, to_port


@lru_cache(8192)
def _checked_cidrs(ipv4_cidrs: tuple[str, ...], ipv6_cidrs: tuple[str, ...]) -> tuple[str, ...]:
    """The blocks without repetition: an item may list the same block under two fields."""
    for cidrs, family in ((ipv4_cidrs, IPV4), (ipv6_cidrs, IPV6)):
        for cidr in cidrs:
            _check_family(cidr, family)
    return tuple(dict.fromkeys(ipv4_cidrs + ipv6_cidrs))


def _check_family(cidr: str, family: Family) -> None:
    if parse_cidr(cidr)[0] is not family:
        raise NeedsGeneralReader


def _reference(schema: ReferenceSchema) -> SecurityGroupReference:
    group_id, owner = schema.group_id, schema.user_id
    return new_reference(
        (
            _intern(group_id, group_id),
            _intern(owner, owner) if owner else None,
            schema.vpc_id or None,
            schema.vpc_peering_connection_id or None,
            schema.peering_status or None,
        )
    )


def _vpc(item: ConfigItemSchema, arn_prefixes: tuple[str, ...]) -> ItemContent:
    schema = _decode_vpc(item.configuration)
    vpc_id = _checked_id(item, schema.vpc_id)
    ipv4 = [(one.cidr_block, one.cidr_block_state) for one in schema.cidr_block_association_set]
    ipv6 = [(one.ipv6_cidr_block, one.ipv6_cidr_block_state) for one in schema.ipv6_cidr_block_association_set]
    cidrs = {IPV4: _associated_cidrs(ipv4 or [(schema.cidr_block, None)], IPV4), IPV6: _associated_cidrs(ipv6, IPV6)}
    return vpc_id, Vpc(vpc_id, cidrs, {}), None, None


def _subnet(item: ConfigItemSchema, arn_prefixes: tuple[str, ...]) -> ItemContent:
    schema = _decode_subnet(item.configuration)
    subnet_id = _checked_id(item, schema.subnet_id)
    ipv4: list[tuple[str, BlockStateSchema | None]] = [(schema.cidr_block, None)] if schema.cidr_block else []
    ipv6 = [(one.ipv6_cidr_block, one.ipv6_cidr_block_state) for one in schema.ipv6_cidr_block_association_set]
    cidrs = {IPV4: _associated_cidrs(ipv4, IPV4), IPV6: _associated_cidrs(ipv6, IPV6)}
    return subnet_id, Subnet(subnet_id, _intern(schema.vpc_id, schema.vpc_id), cidrs, {}), None, None


def _associated_cidrs(blocks: list[tuple[str, BlockStateSchema | None]], family: Family) -> tuple[str, ...]:
    found = sorted(block for block, state in blocks if state is None or state.state == "associated")
    for block in found:
        _check_family(block, family)
    return tuple(found)


def _network_interface(item: ConfigItemSchema, arn_prefixes: tuple[str, ...]) -> ItemContent:
    schema = _decode_network_interface(item.configuration)
    interface_id = _checked_id(item, schema.network_interface_id)
    prefixes: list[str] = []
    if schema.ipv4_prefixes or schema.ipv6_prefixes:
        prefixes += [prefix.ipv4_prefix for prefix in schema.ipv4_prefixes]
        prefixes += [prefix.ipv6_prefix for prefix in schema.ipv6_prefixes]
        for ipv4_prefix in schema.ipv4_prefixes:
            _check_family(ipv4_prefix.ipv4_prefix, IPV4)
        for ipv6_prefix in schema.ipv6_prefixes:
            _check_family(ipv6_prefix.ipv6_prefix, IPV6)
    attachment = schema.attachment
    interface = new_interface(
        (
            interface_id,
            _intern(schema.vpc_id, schema.vpc_id),
            _group_ids(schema.groups),
            _ipv4_addresses(schema.private_ip_address, schema.private_ip_addresses),
            _ipv6_addresses(schema.ipv6_addresses) if schema.ipv6_addresses else (),
            tuple(prefixes),
            None if attachment is None else attachment.instance_id or None,
            None if attachment is None else attachment.device_index,
            schema.description or "",
            schema.requester_id == ELB_REQUESTER_ID
            or (attachment is not None and attachment.instance_owner_id == ELB_REQUESTER_ID),
            0 if attachment is None else attachment.network_card_index or 0,
            None,
            schema.interface_type or "",
            None,
        )
    )
    return interface_id, interface, None, None


def _instance(item: ConfigItemSchema, arn_prefixes: tuple[str, ...]) -> ItemContent:
    schema = _decode_instance(item.configuration)
    instance_id = _checked_id(item, schema.instance_id)
    for interface in schema.network_interfaces:
        attachment = interface.attachment
        if attachment is not None and attachment.device_index == 0 and not attachment.network_card_index:
            address = interface.private_ip_address or None
            own = schema.private_ip_address or None
            if own != address and (own is not None or len(schema.network_interfaces) > 1):
                raise NeedsGeneralReader
            if address is not None:
                _check_address(address)
            ipv6_address = _ipv6_addresses(interface.ipv6_addresses)[0] if interface.ipv6_addresses else None
            groups = _group_ids(interface.groups)
            interfaces = (
                (_instance_interface(interface, groups),)
                if len(schema.network_interfaces) == 1
                else tuple([_instance_interface(one, _group_ids(one.groups)) for one in schema.network_interfaces])
            )
            return (
                instance_id,
                new_instance((instance_id, address, ipv6_address, groups, interfaces, None, (), None)),
                None,
                None,
            )
    raise NeedsGeneralReader


def _instance_interface(schema: InstanceInterfaceSchema, groups: tuple[str, ...]) -> InstanceInterface:
    interface_id = schema.network_interface_id
    return new_instance_interface((_intern(interface_id, interface_id) if interface_id else None, groups))


def _group_ids(groups: list[GroupIdentifierSchema]) -> tuple[str, ...]:
    return _intern_all([groups[0].group_id] if len(groups) == 1 else sorted(map(_group_id, groups)))


def _intern_unique(texts: list[str]) -> tuple[str, ...]:
    return _intern_all(texts if len(texts) < 2 else sorted(set(texts)))


def _intern_all(texts: list[str]) -> tuple[str, ...]:
    """`_intern` of each text. Most lists have one element."""
    if len(texts) == 1:
        only = texts[0]
        return (_intern(only, only),)
    return tuple(map(_intern, texts, texts))


def _ipv4_addresses(primary: str, addresses: list[AddressSchema]) -> tuple[str, ...]:
    _check_address(primary)
    if len(addresses) == 1 and addresses[0].private_ip_address == primary:
        return (primary,)
    ordered = sorted(addresses, key=lambda address: not address.primary)
    found = tuple(dict.fromkeys([primary, *[address.private_ip_address for address in ordered]]))
    for address in found:
        _check_address(address)
    return found


def _ipv6_addresses(addresses: list[Ipv6AddressSchema]) -> tuple[str, ...]:
    for address in addresses:
        if "/" in address.ipv6_address:
            raise NeedsGeneralReader
        _check_family(address.ipv6_address, IPV6)
    return tuple(
        [address.ipv6_address for address in sorted(addresses, key=lambda address: not address.is_primary_ipv6)]
    )


def _check_address(text: str) -> None:
    """Refuses a text that is no IPv4 address. Most are unique, so caching them in `parse_cidr` does not pay."""
    try:
        inet_pton(AF_INET, text)
    except OSError as error:
        raise NeedsGeneralReader from error


def _decode_item_or_none(raw: msgspec.Raw) -> ConfigItemSchema | None:
    try:
        return _decode_item(raw)
    except msgspec.ValidationError:
        return None


_decode_items = msgspec.json.Decoder(list[ConfigItemSchema]).decode
_decode_item = msgspec.json.Decoder(ConfigItemSchema).decode
_decode_raw_items = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_load_balancer = msgspec.json.Decoder(LoadBalancerSchema).decode
_decode_tags: Callable[[msgspec.Raw], dict[str, str] | None] = msgspec.json.Decoder(dict[str, str] | None).decode
_decode_supplement: Callable[[msgspec.Raw], SupplementSchema | None] = msgspec.json.Decoder(
    SupplementSchema | None
).decode
_decode_listener = msgspec.json.Decoder(ListenerSchema).decode
_decode_target_group = msgspec.json.Decoder(TargetGroupSchema).decode
_decode_security_group = msgspec.json.Decoder(SecurityGroupSchema).decode
_decode_vpc = msgspec.json.Decoder(VpcSchema).decode
_decode_subnet = msgspec.json.Decoder(SubnetSchema).decode
_decode_network_interface = msgspec.json.Decoder(NetworkInterfaceSchema).decode
_decode_instance = msgspec.json.Decoder(InstanceSchema).decode

# Prefix lists are left out: they are few, and `read_item` reads them.
READERS_BY_TYPE: Mapping[str, tuple[str, Callable[[ConfigItemSchema, tuple[str, ...]], ItemContent]]] = {
    name: (name, read)
    for name, read in (
        (LOAD_BALANCER_TYPE, _load_balancer),
        (LISTENER_TYPE, _listener),
        (TARGET_GROUP_TYPE, _target_group),
        (SECURITY_GROUP_TYPE, _security_group),
        (VPC_TYPE, _vpc),
        (SUBNET_TYPE, _subnet),
        (NETWORK_INTERFACE_TYPE, _network_interface),
        (INSTANCE_TYPE, _instance),
    )
}
