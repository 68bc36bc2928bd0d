"""From the shapes of the AWS API (Pascal-case dictionaries) to the model: one reader per API class.

Live responses and export files have these shapes. Configuration items are brought into them first.
Every reader raises InvalidInputError, naming the field, for a value that the API does not allow.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alb_sg.errors import InvalidInputError
from alb_sg.estate.cidr import Family, parse_cidr
from alb_sg.estate.field_readers import (
    Shape,
    cidr,
    known_value,
    list_or_empty,
    optional_port,
    optional_text,
    port,
    read_each,
    read_list,
    require_object,
    required_text,
    text_or_default,
    whole_number,
)
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

# NetworkInterface.RequesterId of the interfaces that Elastic Load Balancing creates (DescribeNetworkInterfaces).
ELB_REQUESTER_ID = "amazon-elb"
_FAMILIES = {"ipv4": Family.IPV4, "ipv6": Family.IPV6}
# IANA protocol numbers that the EC2 API also spells as names.
PROTOCOL_NAMES = {"6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6"}


# --- Elastic Load Balancing v2


def load_balancer(value: Any) -> LoadBalancer:
    fields = require_object(value)
    arn = required_text(fields, "LoadBalancerArn")
    if arn.count(":") < 5:
        raise InvalidInputError(f"{arn!r} is not an ARN", "LoadBalancerArn")
    state = fields.get("State")
    return LoadBalancer(
        arn=arn,
        name=text_or_default(fields, "LoadBalancerName", _name_in_arn(arn)),
        type=required_text(fields, "Type").lower(),
        # The default of CreateLoadBalancer.
        scheme=known_value(fields, "Scheme", ("internet-facing", "internal"), "internet-facing"),
        # Sources that leave the state out describe load balancers in service.
        state="active" if state is None else required_text(require_object(state), "Code").lower(),
        vpc_id=text_or_default(fields, "VpcId", ""),
        ip_address_type=text_or_default(fields, "IpAddressType", "ipv4").lower(),
        security_groups=tuple(sorted(set(read_list(fields, "SecurityGroups", security_group_id)))),
    )


def _name_in_arn(arn: str) -> str:
    return arn.split("/")[-2] if "/" in arn else arn


def security_group_id(value: Any) -> str:
    """A security group ID, given as text or in an object."""
    if isinstance(value, Mapping):
        value = next((value[key] for key in ("Value", "GroupId", "SecurityGroupId") if value.get(key)), None)
    if not isinstance(value, str) or not value:
        raise InvalidInputError("a security group ID was expected")
    return value


def listener(value: Any) -> Listener:
    fields = require_object(value)
    return Listener(
        arn=required_text(fields, "ListenerArn"),
        load_balancer_arn=required_text(fields, "LoadBalancerArn"),
        protocol=text_or_default(fields, "Protocol", "TCP").upper(),
        port=_listener_port(fields),
        target_group_arns=tuple(
            sorted({arn for arns in read_list(fields, "DefaultActions", _forwarded_target_groups) for arn in arns})
        ),
    )


def _listener_port(fields: Shape) -> int:
    """The port; 0 for a listener of a Gateway Load Balancer, which has none."""
    if fields.get("Port") is None and ":listener/gwy/" in fields["ListenerArn"]:
        return 0
    return port(fields.get("Port"), "Port")


def _forwarded_target_groups(action: Any) -> list[str]:
    action = require_object(action)
    groups = [
        require_object(group)
        for group in list_or_empty(require_object(action.get("ForwardConfig") or {}).get("TargetGroups"))
    ]
    arns = [group.get("TargetGroupArn") for group in groups] + [action.get("TargetGroupArn")]
    return [arn for arn in arns if isinstance(arn, str) and arn]


def target_group(value: Any) -> TargetGroup:
    fields = require_object(value)
    check_port = fields.get("HealthCheckPort")
    associated = fields.get("LoadBalancerArns")
    arn = required_text(fields, "TargetGroupArn")
    target_type = text_or_default(fields, "TargetType", "instance").lower()
    enabled = fields.get("HealthCheckEnabled")
    return TargetGroup(
        arn=arn,
        name=text_or_default(fields, "TargetGroupName", _name_in_arn(arn)),
        target_type=target_type,
        port=optional_port(fields, "Port"),
        vpc_id=text_or_default(fields, "VpcId", ""),
        family=_FAMILIES[known_value(fields, "IpAddressType", tuple(_FAMILIES), "ipv4")],
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


def target_health_description(value: Any) -> Target:
    """One element of DescribeTargetHealth's `TargetHealthDescriptions`."""
    fields = require_object(value)
    state = optional_text(require_object(fields.get("TargetHealth") or {}), "State")
    try:
        return target_description(fields.get("Target"), state)
    except InvalidInputError as error:
        raise error.inside("Target") from error


def target_description(value: Any, state: str | None = None) -> Target:
    """One `TargetDescription`, as a target group's configuration item lists its `Targets`."""
    fields = require_object(value)
    return Target(
        id=required_text(fields, "Id"),
        port=optional_port(fields, "Port"),
        state=None if state is None else state.lower(),
    )


# --- EC2


def security_group(value: Any) -> SecurityGroup:
    fields = require_object(value)
    group_id = required_text(fields, "GroupId")
    return SecurityGroup(
        id=group_id,
        name=text_or_default(fields, "GroupName", group_id),
        vpc_id=text_or_default(fields, "VpcId", ""),
        ingress=read_list(fields, "IpPermissions", permission),
        egress=read_list(fields, "IpPermissionsEgress", permission),
        owner_id=optional_text(fields, "OwnerId"),
        tags=dict(read_list(fields, "Tags", _tag)),
    )


def permission(value: Any) -> Permission:
    fields = require_object(value)
    protocol = _protocol(fields.get("IpProtocol"))
    from_port, to_port = fields.get("FromPort"), fields.get("ToPort")
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
        cidrs=_cidrs(fields),
        prefix_list_ids=read_list(fields, "PrefixListIds", _prefix_list_id),
        references=read_list(fields, "UserIdGroupPairs", security_group_reference),
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


def _cidrs(fields: Shape) -> tuple[str, ...]:
    """The blocks of `IpRanges`, `Ipv4Ranges` and `Ipv6Ranges`, each given as text or as an object.

    Configuration items list IPv4 blocks under both names; each block counts once.
    """
    blocks = (
        *read_list(fields, "IpRanges", _ip_range),
        *read_list(fields, "Ipv4Ranges", _ip_range),
        *read_list(fields, "Ipv6Ranges", _ip_range),
    )
    return tuple(dict.fromkeys(blocks)) if len(blocks) > 1 else blocks


def _ip_range(value: Any) -> str:
    if isinstance(value, Mapping):
        field = "CidrIp" if value.get("CidrIp") is not None else "CidrIpv6"
        return cidr(value.get(field), field)
    return cidr(value, "")


def _prefix_list_id(value: Any) -> str:
    return value if isinstance(value, str) and value else required_text(require_object(value), "PrefixListId")


def security_group_reference(value: Any) -> SecurityGroupReference:
    fields = require_object(value)
    return SecurityGroupReference(
        group_id=required_text(fields, "GroupId"),
        owner_id=optional_text(fields, "UserId"),
        vpc_id=optional_text(fields, "VpcId"),
        peering_connection_id=optional_text(fields, "VpcPeeringConnectionId"),
        peering_status=optional_text(fields, "PeeringStatus"),
    )


def vpc(value: Any) -> Vpc:
    fields = require_object(value)
    blocks = (
        _associated_cidrs(fields, "CidrBlockAssociationSet", "CidrBlock", "CidrBlockState")
        if fields.get("CidrBlockAssociationSet")
        else tuple(cidr(fields[key], key) for key in ("CidrBlock",) if fields.get(key))
    )
    ipv6 = _associated_cidrs(fields, "Ipv6CidrBlockAssociationSet", "Ipv6CidrBlock", "Ipv6CidrBlockState")
    return Vpc(id=required_text(fields, "VpcId"), cidrs={Family.IPV4: blocks, Family.IPV6: ipv6})


def _associated_cidrs(fields: Shape, field: str, block: str, state: str) -> tuple[str, ...]:
    def read(association: Any) -> str | None:
        association = require_object(association)
        if require_object(association.get(state) or {"State": "associated"}).get("State") != "associated":
            return None
        return cidr(association.get(block), block)

    return tuple(sorted(text for text in read_list(fields, field, read) if text is not None))


def network_interface(value: Any) -> NetworkInterface:
    fields = require_object(value)
    attachment = require_object(fields.get("Attachment") or {})
    index = attachment.get("DeviceIndex")
    creators = (fields.get("RequesterId"), attachment.get("InstanceOwnerId"))
    return NetworkInterface(
        id=required_text(fields, "NetworkInterfaceId"),
        vpc_id=text_or_default(fields, "VpcId", ""),
        groups=tuple(sorted(read_list(fields, "Groups", security_group_id))),
        ipv4_addresses=_ipv4_addresses(fields),
        ipv6_addresses=_ipv6_addresses(fields),
        prefixes=(
            *read_list(fields, "Ipv4Prefixes", lambda value: cidr(require_object(value).get("Ipv4Prefix"), "")),
            *read_list(fields, "Ipv6Prefixes", lambda value: cidr(require_object(value).get("Ipv6Prefix"), "")),
        ),
        instance_id=optional_text(attachment, "InstanceId"),
        device_index=None if index is None else whole_number(index, "Attachment.DeviceIndex"),
        description=optional_text(fields, "Description") or "",
        is_elb_managed=ELB_REQUESTER_ID in creators,
    )


def _ipv4_addresses(fields: Shape) -> tuple[str, ...]:
    """The private IPv4 addresses of an interface, the primary one first."""

    def read(value: Any) -> tuple[bool, str]:
        value = require_object(value)
        return not value.get("Primary"), cidr(value.get("PrivateIpAddress"), "PrivateIpAddress")

    primary = optional_text(fields, "PrivateIpAddress")
    first = () if primary is None else (cidr(primary, "PrivateIpAddress"),)
    listed = sorted(read_list(fields, "PrivateIpAddresses", read), key=lambda pair: pair[0])
    return tuple(dict.fromkeys((*first, *(address for _, address in listed))))


def _ipv6_addresses(fields: Shape) -> tuple[str, ...]:
    """The IPv6 addresses of an interface, the primary one first."""

    def read(value: Any) -> tuple[bool, str]:
        value = require_object(value)
        return not value.get("IsPrimaryIpv6"), cidr(value.get("Ipv6Address"), "Ipv6Address")

    listed = sorted(read_list(fields, "Ipv6Addresses", read), key=lambda pair: pair[0])
    return tuple(address for _, address in listed)


def instance(value: Any) -> Instance:
    fields = require_object(value)
    primary = _primary_interface(fields)
    ipv6 = _ipv6_addresses(primary)
    address = optional_text(primary, "PrivateIpAddress")
    return Instance(
        id=required_text(fields, "InstanceId"),
        ipv4_address=None if address is None else cidr(address, "PrivateIpAddress"),
        ipv6_address=ipv6[0] if ipv6 else None,
        groups=tuple(
            sorted(read_list(primary, "Groups" if primary is not fields else "SecurityGroups", security_group_id))
        ),
        interfaces=read_list(fields, "NetworkInterfaces", _instance_interface),
    )


def _instance_interface(value: Any) -> InstanceInterface:
    fields = require_object(value)
    return InstanceInterface(
        id=optional_text(fields, "NetworkInterfaceId"),
        groups=tuple(sorted(read_list(fields, "Groups", security_group_id))),
    )


def _primary_interface(fields: Shape) -> Shape:
    """The interface with device index 0, or the only interface if it has no index. Otherwise the instance's own fields,
    which repeat the address and groups of its primary interface."""
    unindexed: list[Shape] = []
    interfaces = [require_object(interface) for interface in list_or_empty(fields.get("NetworkInterfaces"))]
    for interface in interfaces:
        index = require_object(interface.get("Attachment") or {}).get("DeviceIndex")
        if index is None:
            unindexed.append(interface)
        elif whole_number(index, "NetworkInterfaces.Attachment.DeviceIndex") == 0:
            return interface
    return unindexed[0] if len(unindexed) == len(interfaces) == 1 else fields


def prefix_list(prefix_list_id: str, value: Any) -> PrefixList:
    """A managed prefix list. Its owner refused the entries where `Entries` is missing."""
    fields = require_object(value)
    named = known_value(fields, "AddressFamily", tuple(_FAMILIES), "")
    entries = fields.get("Entries")
    cidrs = read_list(fields, "Entries", lambda entry: cidr(require_object(entry).get("Cidr"), "Cidr"))
    max_entries = fields.get("MaxEntries")
    family = parse_cidr(cidrs[0])[0] if not named and cidrs else _FAMILIES.get(named)
    return PrefixList(
        id=prefix_list_id,
        name=text_or_default(fields, "PrefixListName", prefix_list_id),
        family=family,
        entries=None if entries is None else cidrs,
        owner_id=optional_text(fields, "OwnerId"),
        max_entries=None if max_entries is None else whole_number(max_entries, "MaxEntries"),
    )


def tags(value: Any) -> Mapping[str, str]:
    """Tags given as a list of `Key` and `Value`."""
    return dict(read_each(list_or_empty(value), "", _tag))


def _tag(value: Any) -> tuple[str, str]:
    fields = require_object(value)
    return required_text(fields, "Key"), str(fields.get("Value") or "")
