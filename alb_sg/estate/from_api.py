"""From the AWS API's own shapes (Pascal-case dictionaries) to the model: one reader per class.

Live answers and saved estates are in these shapes already; configuration items are brought into them first.
Every reader raises InvalidInputError, naming the field, where a value cannot be what the API says it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from alb_sg.errors import InvalidInputError
from alb_sg.estate.cidr import Family, InvalidCidrError, parse_cidr
from alb_sg.estate.model import (
    Instance,
    InstanceInterface,
    Listener,
    LoadBalancer,
    NetworkInterface,
    Permission,
    PrefixList,
    SecurityGroup,
    SecurityGroupReference,
    Target,
    TargetGroup,
    Vpc,
)

Shape = Mapping[str, Any]
T = TypeVar("T")

HIGHEST_PORT = 65535
WHOLE_NUMBER_TEXT = re.compile(r"-?[0-9]{1,19}(\.0+)?")
# NetworkInterface.RequesterId of the interfaces that Elastic Load Balancing creates (DescribeNetworkInterfaces).
ELB_REQUESTER_ID = "amazon-elb"
_FAMILIES = {"ipv4": Family.IPV4, "ipv6": Family.IPV6}
# IANA protocol numbers that the EC2 API also spells as names.
PROTOCOL_NAMES = {"6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6"}


# --- fields


def require_object(value: Any) -> Shape:
    if not isinstance(value, Mapping):
        raise InvalidInputError(f"an object was expected, not {_json_type_name(value)}")
    return value


def list_or_empty(value: Any) -> list[Any]:
    """A list; absent and null are an empty one."""
    if value is None:
        return []
    if not isinstance(value, list | tuple):
        raise InvalidInputError(f"a list was expected, not {_json_type_name(value)}")
    return list(value)


def read_each(values: Iterable[Any], place: str, read: Callable[[Any], T]) -> Iterator[T]:
    """Read every element; an error says which element of `place` it is in."""
    for index, value in enumerate(values):
        try:
            yield read(value)
        except InvalidInputError as error:
            raise error.inside(f"{place}[{index}]") from error


def read_list(source: Shape, field: str, read: Callable[[Any], T]) -> tuple[T, ...]:
    """Every element of the list in a field, read."""
    value = source.get(field)
    if value is None or value == []:
        return ()
    try:
        elements = list_or_empty(value)
    except InvalidInputError as error:
        raise error.inside(field) from error
    return tuple(read_each(elements, field, read))


def required_text(source: Shape, field: str) -> str:
    value = source.get(field)
    if not isinstance(value, str) or not value:
        raise InvalidInputError("text is missing" if value is None else f"text was expected, not {value!r}", field)
    return value


def text_or_default(source: Shape, field: str, default: str) -> str:
    return default if source.get(field) is None else required_text(source, field)


def _known_value(source: Shape, field: str, known: Sequence[str], default: str) -> str:
    """A value of an enumeration, in lower case; an unknown one is refused, for nobody can say what it asks."""
    value = text_or_default(source, field, default).lower() if source.get(field) is not None else default
    if value != default and value not in known:
        raise InvalidInputError(f"{value!r} is not one of {', '.join(known)}", field)
    return value


def optional_text(source: Shape, field: str) -> str | None:
    return required_text(source, field) if source.get(field) else None


def whole_number(value: Any, field: str) -> int:
    """A whole number, also where it is written as text or as a float (configuration items do)."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and WHOLE_NUMBER_TEXT.fullmatch(value):
        return int(value.partition(".")[0])
    raise InvalidInputError(f"a whole number was expected, not {value!r}", field)


def port(value: Any, field: str) -> int:
    number = value if type(value) is int else whole_number(value, field)
    if not 0 <= number <= HIGHEST_PORT:
        raise InvalidInputError(f"{number} is not a port (0 to {HIGHEST_PORT})", field)
    return number


def optional_port(source: Shape, field: str) -> int | None:
    value = source.get(field)
    return None if value is None else port(value, field)


def cidr(value: Any, field: str) -> str:
    if not isinstance(value, str):
        raise InvalidInputError(f"a CIDR block was expected, not {_json_type_name(value)}", field)
    try:
        parse_cidr(value)
    except InvalidCidrError as error:
        raise InvalidInputError(str(error), field) from error
    return value


def _json_type_name(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "text", type(None): "null", bool: "true or false"}
    return names.get(type(value), "a number")


# --- Elastic Load Balancing v2


def load_balancer(source: Any) -> LoadBalancer:
    source = require_object(source)
    arn = required_text(source, "LoadBalancerArn")
    if arn.count(":") < 5:
        raise InvalidInputError(f"{arn!r} is not an ARN", "LoadBalancerArn")
    state = source.get("State")
    return LoadBalancer(
        arn=arn,
        name=text_or_default(source, "LoadBalancerName", arn.split("/")[-2] if "/" in arn else arn),
        type=required_text(source, "Type").lower(),
        # CreateLoadBalancer makes an internet-facing one where no scheme is given.
        scheme=_known_value(source, "Scheme", ("internet-facing", "internal"), "internet-facing"),
        # An answer without a state is of a load balancer that serves.
        state="active" if state is None else required_text(require_object(state), "Code").lower(),
        vpc_id=text_or_default(source, "VpcId", ""),
        ip_address_type=text_or_default(source, "IpAddressType", "ipv4").lower(),
        security_groups=tuple(sorted(set(read_list(source, "SecurityGroups", security_group_id)))),
    )


def security_group_id(value: Any) -> str:
    """A group's id, given as text or as an object that holds it."""
    if isinstance(value, Mapping):
        value = next((value[key] for key in ("Value", "GroupId", "SecurityGroupId") if value.get(key)), None)
    if not isinstance(value, str) or not value:
        raise InvalidInputError("the id of a security group was expected")
    return value


def listener(source: Any) -> Listener:
    source = require_object(source)
    return Listener(
        arn=required_text(source, "ListenerArn"),
        load_balancer_arn=required_text(source, "LoadBalancerArn"),
        protocol=text_or_default(source, "Protocol", "TCP").upper(),
        port=_listener_port(source),
        target_group_arns=tuple(
            sorted({arn for arns in read_list(source, "DefaultActions", _forwarded_target_groups) for arn in arns})
        ),
    )


def _listener_port(source: Shape) -> int:
    """A listener's port; that of a Gateway Load Balancer has none, and counts as 0."""
    if source.get("Port") is None and ":listener/gwy/" in source["ListenerArn"]:
        return 0
    return port(source.get("Port"), "Port")


def _forwarded_target_groups(action: Any) -> list[str]:
    action = require_object(action)
    groups = [
        require_object(group)
        for group in list_or_empty(require_object(action.get("ForwardConfig") or {}).get("TargetGroups"))
    ]
    arns = [group.get("TargetGroupArn") for group in groups] + [action.get("TargetGroupArn")]
    return [arn for arn in arns if isinstance(arn, str) and arn]


def target_group(source: Any) -> TargetGroup:
    source = require_object(source)
    check_port = source.get("HealthCheckPort")
    associated = source.get("LoadBalancerArns")
    arn = required_text(source, "TargetGroupArn")
    target_type = text_or_default(source, "TargetType", "instance").lower()
    enabled = source.get("HealthCheckEnabled")
    return TargetGroup(
        arn=arn,
        name=text_or_default(source, "TargetGroupName", arn.split("/")[-2] if "/" in arn else arn),
        target_type=target_type,
        port=optional_port(source, "Port"),
        vpc_id=text_or_default(source, "VpcId", ""),
        family=_FAMILIES[_known_value(source, "IpAddressType", tuple(_FAMILIES), "ipv4")],
        load_balancer_arns=None if associated is None else tuple(sorted(map(str, list_or_empty(associated)))),
        health_checks_enabled=target_type != "lambda" if enabled is None else _health_check_enabled(enabled),
        health_check_port=(
            None if check_port is None or check_port == "traffic-port" else port(check_port, "HealthCheckPort")
        ),
    )


def _health_check_enabled(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise InvalidInputError(f"true or false was expected, not {value!r}", "HealthCheckEnabled")


def target_health_description(source: Any) -> Target:
    """One element of DescribeTargetHealth's `TargetHealthDescriptions`."""
    source = require_object(source)
    state = optional_text(require_object(source.get("TargetHealth") or {}), "State")
    try:
        return target_description(source.get("Target"), state)
    except InvalidInputError as error:
        raise error.inside("Target") from error


def target_description(source: Any, state: str | None = None) -> Target:
    """One `TargetDescription`, as a target group's configuration item lists its `Targets`."""
    source = require_object(source)
    return Target(
        id=required_text(source, "Id"),
        port=optional_port(source, "Port"),
        state=None if state is None else state.lower(),
    )


# --- EC2


def security_group(source: Any) -> SecurityGroup:
    source = require_object(source)
    group_id = required_text(source, "GroupId")
    return SecurityGroup(
        id=group_id,
        name=text_or_default(source, "GroupName", group_id),
        vpc_id=text_or_default(source, "VpcId", ""),
        ingress=read_list(source, "IpPermissions", permission),
        egress=read_list(source, "IpPermissionsEgress", permission),
        owner_id=optional_text(source, "OwnerId"),
        tags=dict(read_list(source, "Tags", _tag)),
    )


def permission(source: Any) -> Permission:
    source = require_object(source)
    protocol = _protocol(source.get("IpProtocol"))
    from_port, to_port = source.get("FromPort"), source.get("ToPort")
    if protocol in ("tcp", "udp"):
        if (from_port is None) != (to_port is None):
            raise InvalidInputError(f"{protocol} needs both FromPort and ToPort, or neither")
        if from_port is not None:
            from_port, to_port = port(from_port, "FromPort"), port(to_port, "ToPort")
            if from_port > to_port:
                raise InvalidInputError(f"FromPort {from_port} lies above ToPort {to_port}")
    elif protocol in ("icmp", "icmpv6"):
        from_port = None if from_port is None else whole_number(from_port, "FromPort")
        to_port = None if to_port is None else whole_number(to_port, "ToPort")
    else:
        from_port = to_port = None
    return Permission(
        protocol=protocol,
        from_port=from_port,
        to_port=to_port,
        cidrs=_cidrs(source),
        prefix_list_ids=read_list(source, "PrefixListIds", _prefix_list_id),
        references=read_list(source, "UserIdGroupPairs", security_group_reference),
    )


def _protocol(value: Any) -> str:
    if value is None:
        raise InvalidInputError("a protocol is missing", "IpProtocol")
    if isinstance(value, str):
        name = value.strip().lower()
        if name.isalpha() or name in ("icmpv6", "-1"):
            return name
    number = str(whole_number(value, "IpProtocol"))
    return PROTOCOL_NAMES.get(number, number)


def _cidrs(source: Shape) -> tuple[str, ...]:
    """The blocks of `IpRanges`, `Ipv4Ranges` and `Ipv6Ranges`, each given as text or as an object.

    Configuration items list IPv4 blocks twice, under both names; each block is kept once.
    """
    blocks = (
        *read_list(source, "IpRanges", _ip_range),
        *read_list(source, "Ipv4Ranges", _ip_range),
        *read_list(source, "Ipv6Ranges", _ip_range),
    )
    return tuple(dict.fromkeys(blocks)) if len(blocks) > 1 else blocks


def _ip_range(value: Any) -> str:
    if isinstance(value, Mapping):
        field = "CidrIp" if value.get("CidrIp") is not None else "CidrIpv6"
        return cidr(value.get(field), field)
    return cidr(value, "")


def _prefix_list_id(value: Any) -> str:
    return value if isinstance(value, str) and value else required_text(require_object(value), "PrefixListId")


def security_group_reference(source: Any) -> SecurityGroupReference:
    source = require_object(source)
    return SecurityGroupReference(
        group_id=required_text(source, "GroupId"),
        owner_id=optional_text(source, "UserId"),
        vpc_id=optional_text(source, "VpcId"),
        peering_connection_id=optional_text(source, "VpcPeeringConnectionId"),
        peering_status=optional_text(source, "PeeringStatus"),
    )


def vpc(source: Any) -> Vpc:
    source = require_object(source)
    blocks = (
        _associated_cidrs(source, "CidrBlockAssociationSet", "CidrBlock", "CidrBlockState")
        if source.get("CidrBlockAssociationSet")
        else tuple(cidr(source[key], key) for key in ("CidrBlock",) if source.get(key))
    )
    ipv6 = _associated_cidrs(source, "Ipv6CidrBlockAssociationSet", "Ipv6CidrBlock", "Ipv6CidrBlockState")
    return Vpc(id=required_text(source, "VpcId"), cidrs={Family.IPV4: blocks, Family.IPV6: ipv6})


def _associated_cidrs(source: Shape, field: str, block: str, state: str) -> tuple[str, ...]:
    def read(association: Any) -> str | None:
        association = require_object(association)
        if require_object(association.get(state) or {"State": "associated"}).get("State") != "associated":
            return None
        return cidr(association.get(block), block)

    return tuple(sorted(found for found in read_list(source, field, read) if found is not None))


def network_interface(source: Any) -> NetworkInterface:
    source = require_object(source)
    attachment = require_object(source.get("Attachment") or {})
    index = attachment.get("DeviceIndex")
    creators = (source.get("RequesterId"), attachment.get("InstanceOwnerId"))
    return NetworkInterface(
        id=required_text(source, "NetworkInterfaceId"),
        vpc_id=text_or_default(source, "VpcId", ""),
        groups=tuple(sorted(read_list(source, "Groups", security_group_id))),
        ipv4_addresses=_ipv4_addresses(source),
        ipv6_addresses=_ipv6_addresses(source),
        prefixes=(
            *read_list(source, "Ipv4Prefixes", lambda value: cidr(require_object(value).get("Ipv4Prefix"), "")),
            *read_list(source, "Ipv6Prefixes", lambda value: cidr(require_object(value).get("Ipv6Prefix"), "")),
        ),
        instance_id=optional_text(attachment, "InstanceId"),
        device_index=None if index is None else whole_number(index, "Attachment.DeviceIndex"),
        description=optional_text(source, "Description") or "",
        is_elb_managed=ELB_REQUESTER_ID in creators,
    )


def _ipv4_addresses(source: Shape) -> tuple[str, ...]:
    """The private IPv4 addresses of an interface, the primary one first."""

    def read(value: Any) -> tuple[bool, str]:
        value = require_object(value)
        return not value.get("Primary"), cidr(value.get("PrivateIpAddress"), "PrivateIpAddress")

    found = read_list(source, "PrivateIpAddresses", read)
    primary = optional_text(source, "PrivateIpAddress")
    first = () if primary is None else (cidr(primary, "PrivateIpAddress"),)
    others = (address for _, address in sorted(found, key=lambda pair: pair[0]))
    return tuple(dict.fromkeys((*first, *others)))


def _ipv6_addresses(source: Shape) -> tuple[str, ...]:
    """The IPv6 addresses of an interface, the primary one first."""

    def read(value: Any) -> tuple[bool, str]:
        value = require_object(value)
        return not value.get("IsPrimaryIpv6"), cidr(value.get("Ipv6Address"), "Ipv6Address")

    found = read_list(source, "Ipv6Addresses", read)
    return tuple(address for _, address in sorted(found, key=lambda pair: pair[0]))


def instance(source: Any) -> Instance:
    source = require_object(source)
    primary = _primary_interface(source)
    ipv6 = _ipv6_addresses(primary)
    address = optional_text(primary, "PrivateIpAddress")
    return Instance(
        id=required_text(source, "InstanceId"),
        ipv4_address=None if address is None else cidr(address, "PrivateIpAddress"),
        ipv6_address=ipv6[0] if ipv6 else None,
        groups=tuple(
            sorted(read_list(primary, "Groups" if primary is not source else "SecurityGroups", security_group_id))
        ),
        interfaces=read_list(source, "NetworkInterfaces", _instance_interface),
    )


def _instance_interface(source: Any) -> InstanceInterface:
    source = require_object(source)
    return InstanceInterface(
        id=optional_text(source, "NetworkInterfaceId"),
        groups=tuple(sorted(read_list(source, "Groups", security_group_id))),
    )


def _primary_interface(source: Shape) -> Shape:
    """The interface of device index 0; where none tells its index, the only one. Else the instance itself, which
    carries its primary interface's address and groups."""
    unindexed: list[Shape] = []
    interfaces = [require_object(interface) for interface in list_or_empty(source.get("NetworkInterfaces"))]
    for interface in interfaces:
        index = require_object(interface.get("Attachment") or {}).get("DeviceIndex")
        if index is None:
            unindexed.append(interface)
        elif whole_number(index, "NetworkInterfaces.Attachment.DeviceIndex") == 0:
            return interface
    return unindexed[0] if len(unindexed) == len(interfaces) == 1 else source


def prefix_list(prefix_list_id: str, source: Any) -> PrefixList:
    """A managed prefix list; without `Entries` it is one whose entries were refused."""
    source = require_object(source)
    named = _known_value(source, "AddressFamily", tuple(_FAMILIES), "")
    entries = source.get("Entries")
    cidrs = read_list(source, "Entries", lambda entry: cidr(require_object(entry).get("Cidr"), "Cidr"))
    max_entries = source.get("MaxEntries")
    family = parse_cidr(cidrs[0])[0] if not named and cidrs else _FAMILIES.get(named)
    return PrefixList(
        id=prefix_list_id,
        name=text_or_default(source, "PrefixListName", prefix_list_id),
        family=family,
        entries=None if entries is None else cidrs,
        owner_id=optional_text(source, "OwnerId"),
        max_entries=None if max_entries is None else whole_number(max_entries, "MaxEntries"),
    )


def tags(source: Any) -> Mapping[str, str]:
    """Tags given as a list of `Key` and `Value`."""
    return dict(read_each(list_or_empty(source), "", _tag))


def _tag(source: Any) -> tuple[str, str]:
    source = require_object(source)
    return required_text(source, "Key"), str(source.get("Value") or "")
