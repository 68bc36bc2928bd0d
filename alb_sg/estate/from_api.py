"""From the shapes of the AWS API (Pascal-case dictionaries) to the model: one reader per API class.

Live responses and export files have these shapes. Configuration items are brought into them first.
A value that the API does not allow, or that is newer than this code, becomes an `UnknownValue` in the model, so that it
concerns only what depends on its field. A reader raises InvalidInputError, naming the field, for an object without its
ID or whose other parts mean nothing without the wrong one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple, TypeVar

from alb_sg.aws.arns import listener_load_balancer_arn
from alb_sg.errors import InvalidInputError
from alb_sg.estate.cidr import Family, parse_cidr
from alb_sg.estate.field_readers import (
    Shape,
    address,
    cidr,
    cidr_of_family,
    known_value,
    list_or_empty,
    optional_port,
    optional_text,
    port,
    read_each,
    read_list,
    require_object,
    required_list,
    required_text,
    rule_port,
    whole_number,
)
from alb_sg.estate.model import (
    AUTHENTICATING_ACTIONS,
    CIDR_BLOCK_STATES,
    IP_ADDRESS_TYPES,
    LISTENER_PROTOCOLS,
    LOAD_BALANCER_STATES,
    LOAD_BALANCER_TYPES,
    SCHEMES,
    TARGET_STATES,
    TARGET_TYPES,
    Instance,
    InstanceInterface,
    Listener,
    LoadBalancer,
    NetworkInterface,
    Permission,
    PrefixList,
    SecurityGroup,
    SecurityGroupReference,
    SecurityGroupRule,
    Subnet,
    Target,
    TargetGroup,
    UnknownValue,
    Vpc,
)
from alb_sg.estate.sections import Section

T = TypeVar("T")

# NetworkInterface.RequesterId of the interfaces that Elastic Load Balancing creates (DescribeNetworkInterfaces).
ELB_REQUESTER_ID = "amazon-elb"
_FAMILIES = {"ipv4": Family.IPV4, "ipv6": Family.IPV6}
# IANA protocol numbers that the EC2 API also spells as names.
PROTOCOL_NAMES = {"6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6"}
HIGHEST_PROTOCOL_NUMBER = 255


def _or_unknown(field: str, read: Callable[[], T]) -> T | UnknownValue:
    """What `read` returns; an unknown value of this field for a value that it refuses."""
    try:
        return read()
    except InvalidInputError as error:
        return UnknownValue(field, error.message)


def _enumerated(fields: Shape, field: str, known: tuple[str, ...], default: str) -> str | UnknownValue:
    value = _or_unknown(field, lambda: known_value(fields, field, known, default))
    return value._replace(value=str(fields[field])) if isinstance(value, UnknownValue) else value


def _text_or(fields: Shape, field: str, default: str) -> str:
    """Text; the default where it is absent or not text."""
    value = fields.get(field)
    return value if isinstance(value, str) and value else default


def load_balancer(value: Any) -> LoadBalancer:
    fields = require_object(value)
    arn = required_text(fields, "LoadBalancerArn")
    if arn.count(":") < 5:
        raise InvalidInputError(f"{arn!r} is not an ARN", "LoadBalancerArn")
    return LoadBalancer(
        arn=arn,
        name=_text_or(fields, "LoadBalancerName", _name_in_arn(arn)),
        type=_required_value(fields, "Type", LOAD_BALANCER_TYPES),
        # The default of CreateLoadBalancer.
        scheme=_enumerated(fields, "Scheme", SCHEMES, "internet-facing"),
        state=_load_balancer_state(fields),
        vpc_id=_text_or(fields, "VpcId", ""),
        ip_address_type=_enumerated(fields, "IpAddressType", IP_ADDRESS_TYPES, "ipv4"),
        security_groups=tuple(sorted(set(_load_balancer_groups(fields)))),
        subnet_ids=_or_unknown("AvailabilityZones", lambda: _subnet_ids(fields)),
    )


def _subnet_ids(fields: Shape) -> tuple[str, ...]:
    zones = read_list(fields, "AvailabilityZones", lambda zone: required_text(require_object(zone), "SubnetId"))
    return tuple(sorted(set(zones)))


def _required_value(fields: Shape, field: str, known: tuple[str, ...]) -> str | UnknownValue:
    if not fields.get(field):
        return UnknownValue(field, "it is missing", "missing")
    return _enumerated(fields, field, known, "")


def _load_balancer_state(fields: Shape) -> str | UnknownValue:
    state = fields.get("State")
    if state is None:
        # Sources that leave the state out describe load balancers in service.
        return "active"
    if not isinstance(state, Mapping):
        return UnknownValue("State", f"an object was expected, not {state!r}", str(state))
    code = _required_value(state, "Code", LOAD_BALANCER_STATES)
    return code._replace(field="State") if isinstance(code, UnknownValue) else code


def _load_balancer_groups(fields: Shape) -> list[str]:
    """The security groups of a load balancer. A text that is no ID is kept, as a group that was not read."""
    value = fields.get("SecurityGroups")
    groups = []
    for element in value if isinstance(value, list | tuple) else [] if value is None else [value]:
        try:
            groups.append(security_group_id(element))
        except InvalidInputError:
            groups.append(f"{element!r}")
    return groups


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
    arn = required_text(fields, "ListenerArn")
    target_groups = _or_unknown("DefaultActions", lambda: _default_target_groups(fields))
    return Listener(
        arn=arn,
        load_balancer_arn=_load_balancer_of_listener(fields, arn),
        protocol=_listener_protocol(fields),
        port=_or_unknown("Port", lambda: _listener_port(fields)),
        target_group_arns=() if isinstance(target_groups, UnknownValue) else target_groups,
        unknown_actions=target_groups if isinstance(target_groups, UnknownValue) else None,
        authentications=authentications(fields.get("DefaultActions")),
    )


def authentications(actions: Any) -> tuple[str, ...]:
    """The types of a listener's or listener rule's actions that authenticate, sorted. No verdict depends on them, so a
    value of another shape has none."""
    listed = actions if isinstance(actions, list | tuple) else ()
    types = (action.get("Type") for action in listed if isinstance(action, Mapping))
    return tuple(sorted({type_name for type_name in types if type_name in AUTHENTICATING_ACTIONS}))


def _load_balancer_of_listener(fields: Shape, arn: str) -> str:
    """The load balancer's ARN, which the listener's own ARN repeats."""
    value = fields.get("LoadBalancerArn")
    if isinstance(value, str) and names_load_balancer(value):
        return value
    return listener_load_balancer_arn(arn) or required_text(fields, "LoadBalancerArn")


def _listener_protocol(fields: Shape) -> str | UnknownValue:
    protocol = _enumerated(fields, "Protocol", LISTENER_PROTOCOLS, "tcp")
    return protocol if isinstance(protocol, UnknownValue) else protocol.upper()


def _listener_port(fields: Shape) -> int:
    """The port; 0 for a listener of a Gateway Load Balancer, which has none."""
    if fields.get("Port") is None and ":listener/gwy/" in fields["ListenerArn"]:
        return 0
    return port(fields.get("Port"), "Port")


def _default_target_groups(fields: Shape) -> tuple[str, ...]:
    found = read_list(fields, "DefaultActions", _forwarded_target_groups)
    return tuple(sorted({arn for arns in found for arn in arns}))


def _forwarded_target_groups(action: Any) -> list[str]:
    action = require_object(action)
    groups = [
        require_object(group)
        for group in list_or_empty(require_object(action.get("ForwardConfig") or {}).get("TargetGroups"))
    ]
    arns = [group.get("TargetGroupArn") for group in groups] + [action.get("TargetGroupArn")]
    wrong = next((arn for arn in arns if arn is not None and not isinstance(arn, str)), None)
    if wrong is not None:
        raise InvalidInputError(f"the ARN of a target group was expected, not {wrong!r}")
    return [arn for arn in arns if arn]


def target_group(value: Any) -> TargetGroup:
    fields = require_object(value)
    arn = required_text(fields, "TargetGroupArn")
    target_type = _target_type(fields.get("TargetType"))
    enabled = fields.get("HealthCheckEnabled")
    family = _enumerated(fields, "IpAddressType", tuple(_FAMILIES), "ipv4")
    return TargetGroup(
        arn=arn,
        name=_text_or(fields, "TargetGroupName", _name_in_arn(arn)),
        target_type=target_type,
        port=_or_unknown("Port", lambda: optional_port(fields, "Port")),
        vpc_id=_text_or(fields, "VpcId", ""),
        family=family if isinstance(family, UnknownValue) else _FAMILIES[family],
        load_balancer_arns=_load_balancer_arns(fields.get("LoadBalancerArns")),
        health_checks_enabled=(
            target_type != "lambda"
            if enabled is None
            else _or_unknown("HealthCheckEnabled", lambda: _health_check_enabled(enabled))
        ),
        health_check_port=_or_unknown("HealthCheckPort", lambda: _health_check_port(fields.get("HealthCheckPort"))),
        target_control_port=_or_unknown("TargetControlPort", lambda: optional_port(fields, "TargetControlPort")),
    )


def _target_type(value: Any) -> str | UnknownValue:
    """The target type, in the API's own letter case: what the targets' ids mean under an unknown one is not known."""
    if value is None:
        # The default of CreateTargetGroup.
        return "instance"
    if value in TARGET_TYPES:
        return str(value)
    return UnknownValue("TargetType", f"{value!r} is not one of {', '.join(TARGET_TYPES)}", str(value))


def _load_balancer_arns(value: Any) -> tuple[str, ...] | None:
    """The load balancers that use a target group; None where the source does not name all of them."""
    if not isinstance(value, list | tuple) or not all(map(names_load_balancer, value)):
        return None
    return tuple(sorted(value))


def names_load_balancer(value: Any) -> bool:
    """Whether a value is the ARN of a load balancer."""
    return isinstance(value, str) and ":loadbalancer/" in value


def _health_check_port(value: Any) -> int | None:
    return None if value is None or value == "traffic-port" else port(value, "HealthCheckPort")


def _health_check_enabled(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise InvalidInputError(f"true or false was expected, not {value!r}", "HealthCheckEnabled")


def target_health_description(value: Any) -> Target:
    """One element of DescribeTargetHealth's `TargetHealthDescriptions`."""
    fields = require_object(value)
    health = fields.get("TargetHealth")
    try:
        target = target_description(fields.get("Target"))
    except InvalidInputError as error:
        raise error.inside("Target") from error
    return target._replace(
        state=_or_unknown("TargetHealth.State", lambda: _target_state(health)),
        reason=_text_or(health, "Reason", "") or None if isinstance(health, Mapping) else None,
    )


def _target_state(health: Any) -> str | None:
    fields = require_object(health or {})
    return known_value(fields, "State", TARGET_STATES, "") if fields.get("State") else None


def target_description(value: Any) -> Target:
    """One `TargetDescription`, as a target group's configuration item lists its `Targets`."""
    fields = require_object(value)
    return Target(
        id=required_text(fields, "Id"),
        port=_or_unknown("Port", lambda: optional_port(fields, "Port")),
        state=None,
    )


def security_group(value: Any) -> SecurityGroup:
    fields = require_object(value)
    group_id = required_text(fields, "GroupId")
    ingress, unknown_ingress = _permissions(fields, "IpPermissions")
    egress, unknown_egress = _permissions(fields, "IpPermissionsEgress")
    return SecurityGroup(
        id=group_id,
        name=_text_or(fields, "GroupName", group_id),
        vpc_id=_text_or(fields, "VpcId", ""),
        ingress=ingress,
        egress=egress,
        owner_id=_text_or(fields, "OwnerId", "") or None,
        tags=_or_unknown("Tags", lambda: dict(read_list(fields, "Tags", _tag))),
        unknown_ingress=unknown_ingress,
        unknown_egress=unknown_egress,
    )


def _permissions(fields: Shape, field: str) -> tuple[tuple[Permission, ...], tuple[UnknownValue, ...]]:
    """The rules of a direction, and those that could not be read. A group without the list does not say its rules."""
    values = _or_unknown(field, lambda: required_list(fields, field))
    if isinstance(values, UnknownValue):
        return (), (values,)
    known, unknown = [], []
    for index, value in enumerate(values):
        try:
            known.append(permission(value))
        except InvalidInputError as error:
            within = error.inside(f"{field}[{index}]")
            unknown.append(UnknownValue(within.place, within.message))
    return tuple(known), tuple(unknown)


def permission(value: Any) -> Permission:
    fields = require_object(value)
    protocol = _protocol(fields.get("IpProtocol"))
    from_port, to_port = fields.get("FromPort"), fields.get("ToPort")
    if protocol in ("tcp", "udp"):
        if (from_port is None) != (to_port is None):
            raise InvalidInputError(f"{protocol} needs both FromPort and ToPort, or neither")
        if from_port is not None:
            from_port, to_port = rule_port(from_port, "FromPort"), rule_port(to_port, "ToPort")
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


def security_group_rule(value: Any) -> SecurityGroupRule:
    """One element of DescribeSecurityGroupRules' `SecurityGroupRules`."""
    fields = require_object(value)
    referenced = fields.get("ReferencedGroupInfo")
    lists = {
        "IpRanges": fields.get("CidrIpv4"),
        "Ipv6Ranges": fields.get("CidrIpv6"),
        "PrefixListIds": fields.get("PrefixListId"),
        "UserIdGroupPairs": referenced or None,
    }
    peers = {name: [peer] for name, peer in lists.items() if peer is not None}
    return SecurityGroupRule(
        id=required_text(fields, "SecurityGroupRuleId"),
        group_id=required_text(fields, "GroupId"),
        is_egress=bool(fields.get("IsEgress")),
        permission=permission(
            {key: fields.get(key) for key in ("IpProtocol", "FromPort", "ToPort")} | peers,
        ),
        description=_text_or(fields, "Description", ""),
    )


def _protocol(value: Any) -> str:
    if value is None:
        raise InvalidInputError("a protocol is missing", "IpProtocol")
    if isinstance(value, str):
        name = value.strip().lower()
        if name in PROTOCOL_NAMES.values():
            return name
    number = whole_number(value, "IpProtocol")
    if not -1 <= number <= HIGHEST_PROTOCOL_NUMBER:
        raise InvalidInputError(f"{number} is not a protocol number (-1 to {HIGHEST_PROTOCOL_NUMBER})", "IpProtocol")
    return PROTOCOL_NAMES.get(str(number), str(number))


def _cidrs(fields: Shape) -> tuple[str, ...]:
    """The blocks of `IpRanges`, `Ipv4Ranges` and `Ipv6Ranges`, each given as text or as an object.

    Configuration items list IPv4 blocks under both names; each block counts once.
    """
    blocks = (
        *read_list(fields, "IpRanges", _ipv4_range),
        *read_list(fields, "Ipv4Ranges", _ipv4_range),
        *read_list(fields, "Ipv6Ranges", _ipv6_range),
    )
    return tuple(dict.fromkeys(blocks)) if len(blocks) > 1 else blocks


def _ip_range(value: Any, field: str, family: Family) -> str:
    if isinstance(value, Mapping):
        return cidr_of_family(value.get(field), field, family)
    return cidr_of_family(value, "", family)


_ipv4_range = partial(_ip_range, field="CidrIp", family=Family.IPV4)
_ipv6_range = partial(_ip_range, field="CidrIpv6", family=Family.IPV6)


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
    return Vpc(required_text(fields, "VpcId"), *_cidr_blocks(fields))


def subnet(value: Any) -> Subnet:
    fields = require_object(value)
    return Subnet(required_text(fields, "SubnetId"), _text_or(fields, "VpcId", ""), *_cidr_blocks(fields))


def _cidr_blocks(fields: Shape) -> tuple[dict[Family, tuple[str, ...]], dict[Family, UnknownValue]]:
    """The associated blocks of a VPC or subnet by family, and the families with a block that could not be read."""
    cidrs: dict[Family, tuple[str, ...]] = {}
    unknown_cidrs: dict[Family, UnknownValue] = {}
    for family, block in ((Family.IPV4, "CidrBlock"), (Family.IPV6, "Ipv6CidrBlock")):
        read = [
            _or_unknown(block, partial(_associated_cidr, association, block, family))
            for association in _associations(fields, block)
        ]
        cidrs[family] = tuple(sorted(text for text in read if isinstance(text, str)))
        for unknown in read:
            if isinstance(unknown, UnknownValue):
                unknown_cidrs[family] = unknown
    return cidrs, unknown_cidrs


def _associations(fields: Shape, block: str) -> list[Any]:
    """The associations of the blocks of a VPC or subnet. Without any, it has the block of its own field."""
    value = fields.get(f"{block}AssociationSet")
    if value is not None and not isinstance(value, list | tuple):
        return [value]
    return list(value or ()) or ([fields] if fields.get(block) else [])


def _associated_cidr(association: Any, block: str, family: Family) -> str | None:
    """The block of an association; None where it is not associated."""
    fields = require_object(association)
    state = require_object(fields.get(f"{block}State") or {})
    if known_value(state, "State", CIDR_BLOCK_STATES, "associated") != "associated":
        return None
    return cidr_of_family(fields.get(block), block, family)


def network_interface(value: Any) -> NetworkInterface:
    fields = require_object(value)
    interface_id = required_text(fields, "NetworkInterfaceId")
    attachment = fields.get("Attachment")
    attachment = attachment if isinstance(attachment, Mapping) else {}
    groups = _or_unknown(
        "Groups", lambda: tuple(sorted(read_each(required_list(fields, "Groups"), "", security_group_id)))
    )
    addresses: tuple[tuple[str, ...], ...] = ((), (), ())
    unknown = None
    try:
        addresses = _interface_addresses(fields)
    except InvalidInputError as error:
        unknown = UnknownValue(error.place, error.message)
    ipv4_addresses, ipv6_addresses, prefixes = addresses
    return NetworkInterface(
        id=interface_id,
        vpc_id=_text_or(fields, "VpcId", ""),
        groups=() if isinstance(groups, UnknownValue) else groups,
        ipv4_addresses=ipv4_addresses,
        ipv6_addresses=ipv6_addresses,
        prefixes=prefixes,
        instance_id=_text_or(attachment, "InstanceId", "") or None,
        device_index=_or_unknown("Attachment.DeviceIndex", lambda: _attachment_index(attachment, "DeviceIndex")),
        description=_text_or(fields, "Description", ""),
        is_elb_managed=ELB_REQUESTER_ID in (fields.get("RequesterId"), attachment.get("InstanceOwnerId")),
        network_card_index=_or_unknown("Attachment.NetworkCardIndex", lambda: _network_card_index(attachment)),
        unknown=unknown,
        interface_type=_text_or(fields, "InterfaceType", ""),
        unknown_groups=groups if isinstance(groups, UnknownValue) else None,
    )


def _interface_addresses(fields: Shape) -> tuple[tuple[str, ...], ...]:
    """IPv4 addresses, IPv6 addresses and delegated prefixes."""
    return (
        _ipv4_addresses(fields),
        _ipv6_addresses(fields),
        (
            *read_list(fields, "Ipv4Prefixes", lambda value: _prefix(value, "Ipv4Prefix", Family.IPV4)),
            *read_list(fields, "Ipv6Prefixes", lambda value: _prefix(value, "Ipv6Prefix", Family.IPV6)),
        ),
    )


def _prefix(value: Any, field: str, family: Family) -> str:
    return cidr_of_family(require_object(value).get(field), field, family)


def _attachment_index(attachment: Shape, field: str) -> int | None:
    index = attachment.get(field)
    return None if index is None else whole_number(index, field)


def _network_card_index(attachment: Shape) -> int:
    """0 where it is absent: most instance types have one network card."""
    return _attachment_index(attachment, "NetworkCardIndex") or 0


def _ipv4_addresses(fields: Shape) -> tuple[str, ...]:
    """The private IPv4 addresses of an interface, the primary one first."""
    primary = optional_text(fields, "PrivateIpAddress")
    first = () if primary is None else (address(primary, "PrivateIpAddress", Family.IPV4),)
    listed = _listed_addresses(fields, "PrivateIpAddresses", "PrivateIpAddress", "Primary", Family.IPV4)
    return tuple(dict.fromkeys((*first, *listed)))


def _ipv6_addresses(fields: Shape) -> tuple[str, ...]:
    """The IPv6 addresses of an interface, the primary one first."""
    return _listed_addresses(fields, "Ipv6Addresses", "Ipv6Address", "IsPrimaryIpv6", Family.IPV6)


def _listed_addresses(
    fields: Shape, list_field: str, address_field: str, primary_field: str, family: Family
) -> tuple[str, ...]:
    def read(value: Any) -> tuple[bool, str]:
        value = require_object(value)
        return not value.get(primary_field), address(value.get(address_field), address_field, family)

    listed = sorted(read_list(fields, list_field, read), key=lambda pair: pair[0])
    return tuple(one for _, one in listed)


def instance(value: Any) -> Instance:
    """Raises InvalidInputError where the record does not tell which interface is the primary one."""
    fields = require_object(value)
    instance_id = required_text(fields, "InstanceId")
    primary = _primary_interface(fields)
    ipv6 = _ipv6_addresses(primary)
    ipv4 = optional_text(primary, "PrivateIpAddress")
    return Instance(
        id=instance_id,
        ipv4_address=None if ipv4 is None else address(ipv4, "PrivateIpAddress", Family.IPV4),
        ipv6_address=ipv6[0] if ipv6 else None,
        groups=tuple(
            sorted(read_list(primary, "Groups" if primary is not fields else "SecurityGroups", security_group_id))
        ),
        interfaces=_or_unknown(
            "NetworkInterfaces", lambda: read_list(fields, "NetworkInterfaces", _instance_interface)
        ),
    )


def _instance_interface(value: Any) -> InstanceInterface:
    fields = require_object(value)
    return InstanceInterface(
        id=_text_or(fields, "NetworkInterfaceId", "") or None,
        groups=tuple(sorted(read_list(fields, "Groups", security_group_id))),
    )


def _primary_interface(fields: Shape) -> Shape:
    """The interface with device index 0 of network card 0, or the only interface if it has no index. Otherwise the
    instance's own fields, which repeat the address and groups of its primary interface.

    Every network card has a device index 0. Where a source leaves out the network cards, the instance's own address
    tells the primary interface from the others. Raises InvalidInputError where the two contradict each other.
    """
    interfaces = [require_object(interface) for interface in list_or_empty(fields.get("NetworkInterfaces"))]
    attachments = [require_object(interface.get("Attachment") or {}) for interface in interfaces]
    indexes = [_attachment_index(attachment, "DeviceIndex") for attachment in attachments]
    if len(interfaces) == 1 and indexes[0] is None:
        return _with_own_address(fields, interfaces)
    candidates = [
        interface
        for interface, attachment, index in zip(interfaces, attachments, indexes, strict=True)
        if index == 0 and _network_card_index(attachment) == 0
    ]
    return _with_own_address(fields, candidates) if candidates else fields


def _with_own_address(fields: Shape, candidates: list[Shape]) -> Shape:
    """The one interface that has the address of its instance."""
    own = optional_text(fields, "PrivateIpAddress")
    matching = [one for one in candidates if own is None or one.get("PrivateIpAddress") == own]
    if len(matching) == 1:
        return matching[0]
    if len(candidates) == 1:
        raise InvalidInputError(
            f"the primary network interface has {candidates[0].get('PrivateIpAddress')}, and the instance {own}",
            "PrivateIpAddress",
        )
    raise InvalidInputError(
        f"{len(candidates)} network interfaces have device index 0 of network card 0", "NetworkInterfaces"
    )


def prefix_list(prefix_list_id: str, value: Any) -> PrefixList:
    """A managed prefix list. Its owner refused the entries where `Entries` is missing."""
    fields = require_object(value)
    named = known_value(fields, "AddressFamily", tuple(_FAMILIES), "")
    entries = fields.get("Entries")
    cidrs = read_list(fields, "Entries", lambda entry: cidr(require_object(entry).get("Cidr"), "Cidr"))
    family = parse_cidr(cidrs[0])[0] if not named and cidrs else _FAMILIES.get(named)
    wrong = next((text for text in cidrs if parse_cidr(text)[0] is not family), None)
    if wrong is not None:
        # A family follows from the entries or is named: here it is known.
        expected = "" if family is None else f"{family.label} "
        raise InvalidInputError(f"{wrong!r} is not an {expected}block", "Entries")
    return PrefixList(
        id=prefix_list_id,
        name=_text_or(fields, "PrefixListName", prefix_list_id),
        family=family,
        entries=None if entries is None else cidrs,
        owner_id=_text_or(fields, "OwnerId", "") or None,
        max_entries=_max_entries(fields.get("MaxEntries")),
    )


def _max_entries(value: Any) -> int | None:
    """The maximum of a prefix list's entries; None where it is not told, or is no number. No verdict depends on it."""
    try:
        return None if value is None else whole_number(value, "MaxEntries")
    except InvalidInputError:
        return None


def tags(value: Any) -> Mapping[str, str]:
    """Tags given as a list of `Key` and `Value`."""
    return dict(read_each(list_or_empty(value), "", _tag))


def described_tags(value: Any) -> Mapping[str, str]:
    """The tags of one of DescribeTags' `TagDescriptions`."""
    return dict(read_each(required_list(require_object(value), "Tags"), "Tags", _tag))


def _tag(value: Any) -> tuple[str, str]:
    fields = require_object(value)
    return required_text(fields, "Key"), str(fields.get("Value") or "")


class Reader(NamedTuple):
    """How to read the resources of a section: the field that holds the ID of one, and the reader of one."""

    id_field: str
    read: Callable[[Any], Any]


READERS: Mapping[str, Reader] = {
    Section.LOAD_BALANCERS: Reader("LoadBalancerArn", load_balancer),
    Section.LISTENERS: Reader("ListenerArn", listener),
    Section.TARGET_GROUPS: Reader("TargetGroupArn", target_group),
    Section.SECURITY_GROUPS: Reader("GroupId", security_group),
    Section.SECURITY_GROUP_RULES: Reader("SecurityGroupRuleId", security_group_rule),
    Section.VPCS: Reader("VpcId", vpc),
    Section.SUBNETS: Reader("SubnetId", subnet),
    Section.NETWORK_INTERFACES: Reader("NetworkInterfaceId", network_interface),
    Section.INSTANCES: Reader("InstanceId", instance),
    Section.TAGS: Reader("ResourceArn", described_tags),
}
