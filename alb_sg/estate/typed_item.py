"""A configuration item as most are spelled, straight from the file's bytes into the model.

Only what a verdict needs is decoded, and nothing is turned into a dict. `config_item.read_item` says what an item
means; here that is said once more, for the one spelling of each type that snapshots and histories have. Whatever is
spelled or valued in another way, wrongly too, is refused with Irregular or msgspec's ValidationError, and then read by
`read_item`: so both mean the same, and errors are told by one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from operator import attrgetter
from socket import AF_INET, inet_pton
from typing import Annotated, Literal, TypeAlias, TypeVar

import msgspec

from alb_sg.estate.cidr import IPV4, IPV6, parse_cidr
from alb_sg.estate.config_item import (
    INSTANCE_TYPE,
    ITEM_TYPES,
    LIVING,
    NETWORK_INTERFACE_TYPE,
    VPC_TYPE,
    ItemFields,
    Resource,
    captured_time,
    state_id,
)
from alb_sg.estate.from_api import HIGHEST_PORT, port
from alb_sg.estate.home import ACCOUNT_ID, Home
from alb_sg.estate.keyed import ordered_targets
from alb_sg.estate.model import (
    LISTENER_TYPE,
    LOAD_BALANCER_TYPE,
    SECURITY_GROUP_TYPE,
    TARGET_GROUP_TYPE,
    Instance,
    Listener,
    LoadBalancer,
    NetworkInterface,
    Permission,
    SecurityGroup,
    SecurityGroupReference,
    Target,
    TargetGroup,
    Vpc,
)
from alb_sg.estate.quick import tuple_maker

S = TypeVar("S", bound=msgspec.Struct)

Text: TypeAlias = Annotated[str, msgspec.Meta(min_length=1)]
Port: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=65535)]
NULL = msgspec.Raw(b"null")
# No value is of this type: the field must not be there.
Refused: TypeAlias = Annotated[int, msgspec.Meta(gt=0, lt=0)]


class Irregular(Exception):
    """Spelled or valued in a way that is not the usual one."""


def in_one_spelling(shape: type[S]) -> type[S]:
    """A shape that refuses its fields in the other of AWS Config's two spellings, instead of taking them for absent."""
    fields = msgspec.structs.fields(shape)
    taken = {field.encode_name for field in fields}
    others = {name[0].swapcase() + name[1:] for name in taken} - taken
    refused = [(f"refused_{name}", Refused, msgspec.field(default=0, name=name)) for name in sorted(others)]
    return msgspec.defstruct(shape.__name__, refused, bases=(shape,), gc=False)  # type: ignore[return-value]  # a base of it


class Envelope(msgspec.Struct, gc=False, rename="camel"):
    """An item, its content still closed."""

    resource_type: Text
    configuration: msgspec.Raw = NULL
    supplementary_configuration: msgspec.Raw = NULL
    tags: msgspec.Raw = NULL
    aws_account_id: str | None = None
    aws_region: str | None = None
    configuration_item_status: str | None = None
    configuration_item_capture_time: str | None = None
    configuration_state_id: int | str | None = None
    resource_id: str | None = None
    arn: str | None = msgspec.field(default=None, name="ARN")
    # What has one of these is not, or not only, an item.
    items: Refused = msgspec.field(default=0, name="configurationItems")
    base_items: Refused = msgspec.field(default=0, name="baseConfigurationItems")
    aggregated_items: Refused = msgspec.field(default=0, name="BaseConfigurationItems")
    results: Refused = msgspec.field(default=0, name="Results")
    invoking_event: Refused = msgspec.field(default=0, name="invokingEvent")
    item: Refused = msgspec.field(default=0, name="configurationItem")


@in_one_spelling
class TagShape(msgspec.Struct, gc=False, rename="camel"):
    key: Text
    value: str | None = None


class SupplementShape(msgspec.Struct, gc=False):
    tags: list[TagShape] | None = msgspec.field(default=None, name="Tags")
    lower_tags: Refused = msgspec.field(default=0, name="tags")


# --- Elastic Load Balancing


@in_one_spelling
class StateShape(msgspec.Struct, gc=False, rename="camel"):
    code: Literal["active", "provisioning", "active_impaired", "failed"]


@in_one_spelling
class LoadBalancerShape(msgspec.Struct, gc=False, rename="camel"):
    load_balancer_arn: str
    load_balancer_name: Text
    type: Literal["application", "network", "gateway"]
    scheme: Literal["internet-facing", "internal"]
    state: StateShape
    vpc_id: Text
    ip_address_type: Literal["ipv4", "dualstack", "dualstack-without-public-ipv4"] = "ipv4"
    security_groups: list[Text] = []


@in_one_spelling
class TargetGroupTupleShape(msgspec.Struct, gc=False, rename="pascal"):
    target_group_arn: str | None = None


@in_one_spelling
class ForwardShape(msgspec.Struct, gc=False, rename="pascal"):
    target_groups: list[TargetGroupTupleShape] | None = None


@in_one_spelling
class ActionShape(msgspec.Struct, gc=False, rename="pascal"):
    target_group_arn: str | None = None
    forward_config: ForwardShape | None = None


@in_one_spelling
class ListenerShape(msgspec.Struct, gc=False, rename="pascal"):
    listener_arn: str
    load_balancer_arn: str
    protocol: Literal["HTTP", "HTTPS", "TCP", "TLS", "UDP", "TCP_UDP"]
    port: Port
    default_actions: list[ActionShape] | None = None


@in_one_spelling
class TargetShape(msgspec.Struct, gc=False, rename="pascal"):
    id: Text
    port: Port | None = None


@in_one_spelling
class TargetGroupShape(msgspec.Struct, gc=False, rename="pascal"):
    target_group_arn: str
    target_group_name: Text
    target_type: Literal["instance", "ip", "lambda", "alb"]
    load_balancer_arns: list[str] | None = None
    port: Port | None = None
    vpc_id: Text | None = None
    ip_address_type: Literal["ipv4", "ipv6"] | None = None
    health_check_enabled: bool | None = None
    health_check_port: str | None = None
    targets: list[TargetShape] | None = None


# --- EC2


@in_one_spelling
class Ipv4RangeShape(msgspec.Struct, gc=False, rename="camel"):
    cidr_ip: str


@in_one_spelling
class Ipv6RangeShape(msgspec.Struct, gc=False, rename="camel"):
    cidr_ipv6: str
    cidr_ip: Refused = 0


@in_one_spelling
class PrefixListIdShape(msgspec.Struct, gc=False, rename="camel"):
    prefix_list_id: Text


@in_one_spelling
class ReferenceShape(msgspec.Struct, gc=False, rename="camel"):
    group_id: Text
    user_id: str | None = None
    vpc_id: str | None = None
    vpc_peering_connection_id: str | None = None
    peering_status: str | None = None


@in_one_spelling
class PermissionShape(msgspec.Struct, gc=False, rename="camel"):
    ip_protocol: Literal["tcp", "udp", "icmp", "icmpv6", "-1"]
    from_port: int | None = None
    to_port: int | None = None
    ip_ranges: list[str] = []
    ipv4_ranges: list[Ipv4RangeShape] = []
    ipv6_ranges: list[Ipv6RangeShape] = []
    prefix_list_ids: list[PrefixListIdShape] = []
    user_id_group_pairs: list[ReferenceShape] = []


@in_one_spelling
class SecurityGroupShape(msgspec.Struct, gc=False, rename="camel"):
    group_id: str
    group_name: Text
    vpc_id: Text
    ip_permissions: list[PermissionShape] = []
    ip_permissions_egress: list[PermissionShape] = []


@in_one_spelling
class GroupIdentifierShape(msgspec.Struct, gc=False, rename="camel"):
    group_id: Text
    value: Refused = 0


@in_one_spelling
class AddressShape(msgspec.Struct, gc=False, rename="camel"):
    private_ip_address: str
    primary: bool | None = None


@in_one_spelling
class Ipv6AddressShape(msgspec.Struct, gc=False, rename="camel"):
    ipv6_address: str
    is_primary_ipv6: bool | None = None


@in_one_spelling
class Ipv4PrefixShape(msgspec.Struct, gc=False, rename="camel"):
    ipv4_prefix: str


@in_one_spelling
class Ipv6PrefixShape(msgspec.Struct, gc=False, rename="camel"):
    ipv6_prefix: str


@in_one_spelling
class AttachmentShape(msgspec.Struct, gc=False, rename="camel"):
    instance_id: str | None = None
    device_index: int | None = None


@in_one_spelling
class NetworkInterfaceShape(msgspec.Struct, gc=False, rename="camel"):
    network_interface_id: str
    vpc_id: Text
    private_ip_address: Text
    groups: list[GroupIdentifierShape] = []
    private_ip_addresses: list[AddressShape] = []
    ipv6_addresses: list[Ipv6AddressShape] = []
    ipv4_prefixes: list[Ipv4PrefixShape] = []
    ipv6_prefixes: list[Ipv6PrefixShape] = []
    attachment: AttachmentShape | None = None


@in_one_spelling
class InstanceInterfaceShape(msgspec.Struct, gc=False, rename="camel"):
    private_ip_address: str | None = None
    groups: list[GroupIdentifierShape] = []
    ipv6_addresses: list[Ipv6AddressShape] = []
    attachment: AttachmentShape | None = None


@in_one_spelling
class InstanceShape(msgspec.Struct, gc=False, rename="camel"):
    instance_id: str
    network_interfaces: list[InstanceInterfaceShape] = []


@in_one_spelling
class BlockStateShape(msgspec.Struct, gc=False, rename="camel"):
    state: str


@in_one_spelling
class BlockShape(msgspec.Struct, gc=False, rename="camel"):
    cidr_block: str
    cidr_block_state: BlockStateShape | None = None


@in_one_spelling
class Ipv6BlockShape(msgspec.Struct, gc=False, rename="camel"):
    ipv6_cidr_block: str
    ipv6_cidr_block_state: BlockStateShape | None = None


@in_one_spelling
class VpcShape(msgspec.Struct, gc=False, rename="camel"):
    vpc_id: str
    cidr_block: str
    cidr_block_association_set: list[BlockShape] = []
    ipv6_cidr_block_association_set: list[Ipv6BlockShape] = []


# --- into the model


new_load_balancer = tuple_maker(LoadBalancer)
new_listener = tuple_maker(Listener)
new_target_group = tuple_maker(TargetGroup)
new_target = tuple_maker(Target)
new_security_group = tuple_maker(SecurityGroup)
new_permission = tuple_maker(Permission)
new_reference = tuple_maker(SecurityGroupReference)
new_interface = tuple_maker(NetworkInterface)
new_instance = tuple_maker(Instance)
_target_group_arn = attrgetter("target_group_arn")
_cidr_ip = attrgetter("cidr_ip")
_cidr_ipv6 = attrgetter("cidr_ipv6")
_prefix_list_id = attrgetter("prefix_list_id")
_group_id = attrgetter("group_id")


class Place:
    """An account and region, and how the ARNs of what Elastic Load Balancing has there begin."""

    __slots__ = ("arns", "home")

    def __init__(self, home: Home) -> None:
        self.home = home
        self.arns = tuple(
            f"arn:{partition}:elasticloadbalancing:{home.region}:{home.account_id}:"
            for partition in ("aws", "aws-cn", "aws-us-gov")
        )


# Ids and ARNs stand in whatever refers to them: of those that came lately the same text is taken again, which spares
# memory and makes looking them up quicker.
_texts: dict[str, str] = {}
_same = _texts.setdefault
MANY_TEXTS = 16_384


def forget_texts(more_than: int = MANY_TEXTS) -> None:
    if len(_texts) > more_than:
        _texts.clear()


# An id, the resource of that id, registrations and tags; the last two as a `ConfigItem` has them.
Content: TypeAlias = tuple[str, Resource, tuple[Target, ...] | None, Mapping[str, str] | None]


class TypedReader:
    """Reads items one after the other: most are of the account and region of the one before."""

    __slots__ = ("_account_id", "_place", "_region")

    def __init__(self) -> None:
        self._account_id: str | None = None
        self._region: str | None = None
        self._place: Place | None = None

    def item(self, envelope: Envelope | None) -> ItemFields | None:
        """As `read_item`; None stands for an element that is no usual item.

        Raises Irregular, UnusableInput or msgspec.ValidationError where that one must read it.
        """
        if envelope is None:
            raise Irregular
        known = READERS.get(envelope.resource_type)
        if known is None:
            if envelope.resource_type in ITEM_TYPES:
                raise Irregular
            return None
        status = envelope.configuration_item_status
        if status is None or status not in LIVING:
            raise Irregular
        place = self._place
        if place is None or envelope.aws_region != self._region or envelope.aws_account_id != self._account_id:
            place = self._place = _place(envelope.aws_account_id, envelope.aws_region)
            self._account_id, self._region = envelope.aws_account_id, envelope.aws_region
        type_name, read = known
        resource_id, resource, targets, tags = read(envelope, place)
        state = envelope.configuration_state_id
        return (
            place.home,
            type_name,
            resource_id,
            _captured_time(envelope.configuration_item_capture_time),
            state if type(state) is int else state_id(state),
            status,
            resource,
            targets,
            tags,
        )


@lru_cache(4096)
def _place(account_id: str | None, region: str | None) -> Place:
    if account_id is None or not ACCOUNT_ID.fullmatch(account_id) or not region:
        raise Irregular
    return Place(Home(account_id, region))


# Much of a snapshot was captured at the same time.
_captured_time = lru_cache(4096)(captured_time)


def _own_arn(envelope: Envelope, arn: str, place: Place) -> str:
    """The ARN in a configuration, which must be the item's own."""
    if envelope.arn != arn or not arn.startswith(place.arns):
        raise Irregular
    return _same(arn, arn)


def _own_id(envelope: Envelope, resource_id: str) -> str:
    if not resource_id or envelope.resource_id != resource_id:
        raise Irregular
    return _same(resource_id, resource_id)


def _load_balancer(envelope: Envelope, place: Place) -> Content:
    shape = _load_balancer_shape(envelope.configuration)
    arn = _own_arn(envelope, shape.load_balancer_arn, place)
    found = new_load_balancer(
        (
            arn,
            shape.load_balancer_name,
            shape.type,
            shape.scheme,
            shape.state.code,
            _same(shape.vpc_id, shape.vpc_id),
            shape.ip_address_type,
            _each_once(shape.security_groups),
        )
    )
    return arn, found, None, _tags(envelope)


def _tags(envelope: Envelope) -> Mapping[str, str] | None:
    own = _tags_shape(envelope.tags)
    if own:
        return own
    supplement = _supplement_shape(envelope.supplementary_configuration)
    if supplement is None or supplement.tags is None:
        return own
    return {tag.key: tag.value or "" for tag in supplement.tags}


def _listener(envelope: Envelope, place: Place) -> Content:
    shape = _listener_shape(envelope.configuration)
    arn = _own_arn(envelope, shape.listener_arn, place)
    if not shape.load_balancer_arn.startswith(place.arns):
        raise Irregular
    named: list[str] = []
    for action in shape.default_actions or ():
        if action.target_group_arn:
            named.append(action.target_group_arn)
        if action.forward_config is not None and action.forward_config.target_groups is not None:
            named += filter(None, map(_target_group_arn, action.forward_config.target_groups))
    user = shape.load_balancer_arn
    found = new_listener((arn, _same(user, user), shape.protocol, shape.port, _each_once(named)))
    return arn, found, None, None


def _target_group(envelope: Envelope, place: Place) -> Content:
    shape = _target_group_shape(envelope.configuration)
    arn = _own_arn(envelope, shape.target_group_arn, place)
    users, vpc_id = shape.load_balancer_arns, shape.vpc_id or ""
    if users is not None and len(users) > 1:
        users.sort()
    found = new_target_group(
        (
            arn,
            shape.target_group_name,
            shape.target_type,
            shape.port,
            _same(vpc_id, vpc_id),
            IPV6 if shape.ip_address_type == "ipv6" else IPV4,
            None if users is None else _all_same(users),
            shape.target_type != "lambda" if shape.health_check_enabled is None else shape.health_check_enabled,
            _health_check_port(shape.health_check_port),
        )
    )
    if shape.targets is None:
        return arn, found, None, None
    targets = [new_target((_same(target.id, target.id), target.port, None)) for target in shape.targets]
    return arn, found, ordered_targets(targets), None


@lru_cache(1024)
def _health_check_port(value: str | None) -> int | None:
    return None if value in (None, "traffic-port") else port(value, "HealthCheckPort")


def _security_group(envelope: Envelope, place: Place) -> Content:
    shape = _security_group_shape(envelope.configuration)
    group_id = _own_id(envelope, shape.group_id)
    found = new_security_group(
        (
            group_id,
            shape.group_name,
            _same(shape.vpc_id, shape.vpc_id),
            tuple(map(_permission, shape.ip_permissions)),
            tuple(map(_permission, shape.ip_permissions_egress)),
        )
    )
    return group_id, found, None, None


def _permission(shape: PermissionShape) -> Permission:
    cidrs = shape.ip_ranges
    if len(shape.ipv4_ranges) == 1:
        cidrs.append(shape.ipv4_ranges[0].cidr_ip)
    elif shape.ipv4_ranges:
        cidrs += map(_cidr_ip, shape.ipv4_ranges)
    if shape.ipv6_ranges:
        cidrs += map(_cidr_ipv6, shape.ipv6_ranges)
    references = shape.user_id_group_pairs
    if not references and not shape.prefix_list_ids:
        return _open_to_addresses(shape.ip_protocol, shape.from_port, shape.to_port, tuple(cidrs))
    protocol = shape.ip_protocol
    from_port, to_port = _ports(protocol, shape.from_port, shape.to_port)
    return new_permission(
        (
            protocol,
            from_port,
            to_port,
            _blocks(tuple(cidrs)) if cidrs else (),
            tuple(map(_prefix_list_id, shape.prefix_list_ids)) if shape.prefix_list_ids else (),
            (_reference(references[0]),) if len(references) == 1 else tuple(map(_reference, references)),
        )
    )


# Many groups say the same: "everything, to everywhere".
@lru_cache(8192)
def _open_to_addresses(protocol: str, from_port: int | None, to_port: int | None, cidrs: tuple[str, ...]) -> Permission:
    return Permission(protocol, *_ports(protocol, from_port, to_port), _blocks(cidrs), (), ())


@lru_cache(8192)
def _ports(protocol: str, from_port: int | None, to_port: int | None) -> tuple[int | None, int | None]:
    """The ports of a permission, for ICMP its type and code; none where its protocol has none."""
    if protocol == "-1":
        return None, None
    if protocol in ("tcp", "udp"):
        if from_port is None or to_port is None:
            if from_port is not to_port:
                raise Irregular
        elif not 0 <= from_port <= to_port <= HIGHEST_PORT:
            raise Irregular
    return from_port, to_port


@lru_cache(8192)
def _blocks(cidrs: tuple[str, ...]) -> tuple[str, ...]:
    """Blocks, each once; older items and newer ones list them in different fields, those between in both."""
    for cidr in cidrs:
        parse_cidr(cidr)
    return tuple(dict.fromkeys(cidrs))


def _reference(shape: ReferenceShape) -> SecurityGroupReference:
    group_id, owner = shape.group_id, shape.user_id
    return new_reference(
        (
            _same(group_id, group_id),
            _same(owner, owner) if owner else None,
            shape.vpc_id or None,
            shape.vpc_peering_connection_id or None,
            shape.peering_status or None,
        )
    )


def _vpc(envelope: Envelope, place: Place) -> Content:
    shape = _vpc_shape(envelope.configuration)
    vpc_id = _own_id(envelope, shape.vpc_id)
    ipv4 = [(one.cidr_block, one.cidr_block_state) for one in shape.cidr_block_association_set]
    ipv6 = [(one.ipv6_cidr_block, one.ipv6_cidr_block_state) for one in shape.ipv6_cidr_block_association_set]
    cidrs = {IPV4: _associated(ipv4 or [(shape.cidr_block, None)]), IPV6: _associated(ipv6)}
    return vpc_id, Vpc(vpc_id, cidrs), None, None


def _associated(blocks: list[tuple[str, BlockStateShape | None]]) -> tuple[str, ...]:
    found = sorted(block for block, state in blocks if state is None or state.state == "associated")
    for block in found:
        parse_cidr(block)
    return tuple(found)


def _network_interface(envelope: Envelope, place: Place) -> Content:
    shape = _network_interface_shape(envelope.configuration)
    interface_id = _own_id(envelope, shape.network_interface_id)
    prefixes: list[str] = []
    if shape.ipv4_prefixes or shape.ipv6_prefixes:
        prefixes += [prefix.ipv4_prefix for prefix in shape.ipv4_prefixes]
        prefixes += [prefix.ipv6_prefix for prefix in shape.ipv6_prefixes]
        for prefix in prefixes:
            parse_cidr(prefix)
    attachment = shape.attachment
    found = new_interface(
        (
            interface_id,
            _same(shape.vpc_id, shape.vpc_id),
            _group_ids(shape.groups),
            _ipv4_addresses(shape.private_ip_address, shape.private_ip_addresses),
            _ipv6_addresses(shape.ipv6_addresses) if shape.ipv6_addresses else (),
            tuple(prefixes),
            None if attachment is None else attachment.instance_id or None,
            None if attachment is None else attachment.device_index,
        )
    )
    return interface_id, found, None, None


def _instance(envelope: Envelope, place: Place) -> Content:
    shape = _instance_shape(envelope.configuration)
    instance_id = _own_id(envelope, shape.instance_id)
    for interface in shape.network_interfaces:
        if interface.attachment is not None and interface.attachment.device_index == 0:
            address = interface.private_ip_address or None
            if address is not None:
                _check_address(address)
            ipv6_address = _ipv6_addresses(interface.ipv6_addresses)[0] if interface.ipv6_addresses else None
            return (
                instance_id,
                new_instance((instance_id, address, ipv6_address, _group_ids(interface.groups))),
                None,
                None,
            )
    raise Irregular


def _group_ids(groups: list[GroupIdentifierShape]) -> tuple[str, ...]:
    return _all_same([groups[0].group_id] if len(groups) == 1 else sorted(map(_group_id, groups)))


def _each_once(texts: list[str]) -> tuple[str, ...]:
    return _all_same(texts if len(texts) < 2 else sorted(set(texts)))


def _all_same(texts: list[str]) -> tuple[str, ...]:
    """`_same` of each; mostly there is one."""
    if len(texts) == 1:
        only = texts[0]
        return (_same(only, only),)
    return tuple(map(_same, texts, texts))


def _ipv4_addresses(primary: str, addresses: list[AddressShape]) -> tuple[str, ...]:
    _check_address(primary)
    if len(addresses) == 1 and addresses[0].private_ip_address == primary:
        return (primary,)
    ordered = sorted(addresses, key=lambda address: not address.primary)
    found = tuple(dict.fromkeys([primary, *[address.private_ip_address for address in ordered]]))
    for address in found:
        _check_address(address)
    return found


def _ipv6_addresses(addresses: list[Ipv6AddressShape]) -> tuple[str, ...]:
    for address in addresses:
        parse_cidr(address.ipv6_address)
    return tuple(
        [address.ipv6_address for address in sorted(addresses, key=lambda address: not address.is_primary_ipv6)]
    )


def _check_address(text: str) -> None:
    """Raises NotACidr. Most are IPv4 addresses, each of them another: not worth keeping a result."""
    try:
        inet_pton(AF_INET, text)
    except OSError:
        parse_cidr(text)


_load_balancer_shape = msgspec.json.Decoder(LoadBalancerShape).decode
_tags_shape: Callable[[msgspec.Raw], dict[str, str] | None] = msgspec.json.Decoder(dict[str, str] | None).decode
_supplement_shape: Callable[[msgspec.Raw], SupplementShape | None] = msgspec.json.Decoder(SupplementShape | None).decode
_listener_shape = msgspec.json.Decoder(ListenerShape).decode
_target_group_shape = msgspec.json.Decoder(TargetGroupShape).decode
_security_group_shape = msgspec.json.Decoder(SecurityGroupShape).decode
_vpc_shape = msgspec.json.Decoder(VpcShape).decode
_network_interface_shape = msgspec.json.Decoder(NetworkInterfaceShape).decode
_instance_shape = msgspec.json.Decoder(InstanceShape).decode

# Prefix lists are few; `read_item` is quick enough for them.
READERS: Mapping[str, tuple[str, Callable[[Envelope, Place], Content]]] = {
    name: (name, read)
    for name, read in (
        (LOAD_BALANCER_TYPE, _load_balancer),
        (LISTENER_TYPE, _listener),
        (TARGET_GROUP_TYPE, _target_group),
        (SECURITY_GROUP_TYPE, _security_group),
        (VPC_TYPE, _vpc),
        (NETWORK_INTERFACE_TYPE, _network_interface),
        (INSTANCE_TYPE, _instance),
    )
}
