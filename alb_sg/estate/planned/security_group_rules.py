"""Rules of planned security groups, each with a single peer, so that one can be taken away from another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from alb_sg.errors import InvalidInputError
from alb_sg.estate import from_api
from alb_sg.estate.cidr import Family, format_address, parse_cidr
from alb_sg.estate.model import NO_TAGS, Permission, SecurityGroup, UnknownValue
from alb_sg.estate.planned.resources import UnknownPlannedValue
from alb_sg.estate.planned.values import Properties, unknown_block, unknown_value

ALL_TRAFFIC = Permission("-1", None, None, ("0.0.0.0/0", "::/0"), (), ())


class _PeerNames(NamedTuple):
    """The properties of a rule that name its peers."""

    prefix_list: str
    group: str
    group_owner: str


_PEERS = {
    "ingress": _PeerNames("SourcePrefixListId", "SourceSecurityGroupId", "SourceSecurityGroupOwnerId"),
    "egress": _PeerNames("DestinationPrefixListId", "DestinationSecurityGroupId", "DestinationSecurityGroupOwnerId"),
}
_GROUP_NAME = "SourceSecurityGroupName"


class Rules(NamedTuple):
    """The rules of one direction: those that are known, and why there may be others."""

    known: tuple[Permission, ...] = ()
    unknown: tuple[UnknownValue, ...] = ()

    def __or__(self, other: Rules) -> Rules:
        return Rules(
            tuple(dict.fromkeys((*self.known, *other.known))), tuple(dict.fromkeys((*self.unknown, *other.unknown)))
        )


def read_rules(owner: str, direction: str, rules: Iterable[Properties | UnknownPlannedValue], self_id: str) -> Rules:
    """The rules in a property. `self_id` is the group that owns them."""
    found = Rules()
    for rule in rules:
        if isinstance(rule, UnknownPlannedValue):
            found |= Rules(unknown=(unknown_value(f"rules ({direction}) of {owner}", rule),))
        else:
            found |= read_rule(owner, direction, rule, self_id)
    return found


def read_rule(owner: str, direction: str, rule: Properties, self_id: str) -> Rules:
    """One rule, written as CloudFormation writes it; each peer becomes a rule of its own."""
    traffic: dict[str, Any] = {}
    unknown_traffic: UnknownValue | None = None
    for field in ("IpProtocol", "FromPort", "ToPort"):
        value = rule.get(field)
        if isinstance(value, UnknownPlannedValue):
            unknown_traffic = unknown_traffic or unknown_value(f"{field} of {owner}", value)
        elif value not in (None, ""):
            traffic[field] = value
    if unknown_traffic is not None and "IpProtocol" not in traffic:
        return Rules(unknown=(unknown_traffic,))
    addresses, unknown_blocks = _address_shapes(owner, direction, rule)
    unknown_addresses = unknown_blocks[-1] if unknown_blocks else None
    references, unknown_reference = _reference_shapes(owner, direction, rule, self_id)
    try:
        bare = from_api.permission({"IpProtocol": traffic["IpProtocol"]} if unknown_traffic else traffic)
        if unknown_traffic is not None and bare.protocol in _ANY_PORT:
            # It lets nothing through but this protocol, and may have any port or type.
            if addresses or unknown_addresses is not None:
                unknown_addresses = unknown_traffic
            if references or unknown_reference is not None:
                unknown_reference = unknown_traffic
            addresses, references, unknown_blocks = [], [], []
            bare = bare._replace(from_port=_ANY_PORT[bare.protocol], to_port=_ANY_PORT[bare.protocol])
        known = [_normalized(_with_peers(bare, shape)) for shape in (*addresses, *references)]
    except InvalidInputError as error:
        return Rules(unknown=(UnknownValue(f"{error.place or 'rule'} of {owner}", error.message),))
    # A rule each for blocks of which is known what they are equal to.
    known += [
        bare._replace(unknown_addresses=one) for one in unknown_blocks if one.identities and one != unknown_addresses
    ]
    if unknown_addresses is not None or unknown_reference is not None:
        known.append(bare._replace(unknown_addresses=unknown_addresses, unknown_reference=unknown_reference))
    return Rules(tuple(dict.fromkeys(known)))


# FromPort and ToPort of a rule that lets through everything of a protocol.
_ANY_PORT: Mapping[str, int | None] = {"tcp": None, "udp": None, "icmp": -1, "icmpv6": -1}


def _with_peers(bare: Permission, shape: Mapping[str, Any]) -> Permission:
    """The permission with the peers of a shape."""
    peers = from_api.permission({"IpProtocol": bare.protocol, **shape})
    return bare._replace(cidrs=peers.cidrs, prefix_list_ids=peers.prefix_list_ids, references=peers.references)


def _address_shapes(owner: str, direction: str, rule: Properties) -> tuple[list[dict[str, Any]], list[UnknownValue]]:
    """The blocks and prefix lists of a rule in the API's shape, and those that are not known."""
    shapes: list[dict[str, Any]] = []
    unknown: list[UnknownValue] = []
    for field, family, shape_of in (
        ("CidrIp", Family.IPV4, _ipv4_shape),
        ("CidrIpv6", Family.IPV6, _ipv6_shape),
        (_PEERS[direction].prefix_list, None, _prefix_list_shape),
    ):
        for value in rule.elements(field):
            if isinstance(value, UnknownPlannedValue):
                unknown.append(unknown_block(f"{field} of {owner}", value, family))
            elif value != "":
                shapes.append(shape_of(value))
    return shapes, unknown


def _reference_shapes(
    owner: str, direction: str, rule: Properties, self_id: str
) -> tuple[list[dict[str, Any]], UnknownValue | None]:
    """The security groups of a rule in the API's shape, and an unknown one."""
    names = _PEERS[direction]
    shapes: list[dict[str, Any]] = []
    unknown: UnknownValue | None = None
    group_owner = rule.text(names.group_owner)
    user = {"UserId": group_owner} if isinstance(group_owner, str) else {}
    for value in rule.elements(names.group):
        if isinstance(value, UnknownPlannedValue):
            unknown = unknown_value(f"{names.group} of {owner}", value)
        elif value != "":
            shapes.append({"UserIdGroupPairs": [{"GroupId": self_id if value == SELF else value, **user}]})
    if direction == "ingress" and rule.elements(_GROUP_NAME):
        by_name = UnknownPlannedValue("the rule names its source group by name")
        unknown = unknown_value(f"{_GROUP_NAME} of {owner}", by_name)
    return shapes, unknown


# The peer of a rule that names its own group (`self` in Terraform).
SELF = "self"


def split_rules(permissions: Iterable[Permission]) -> tuple[Permission, ...]:
    """The same rules with one peer each."""
    split: list[Permission] = []
    for one in permissions:
        bare = one._replace(cidrs=(), prefix_list_ids=(), references=())
        split += [_normalized(bare._replace(cidrs=(cidr,))) for cidr in one.cidrs]
        split += [bare._replace(prefix_list_ids=(prefix_list_id,)) for prefix_list_id in one.prefix_list_ids]
        split += [bare._replace(references=(reference,)) for reference in one.references]
        if one.unknown_addresses is not None or one.unknown_reference is not None:
            split.append(bare)
    return tuple(dict.fromkeys(split))


def rules_of(group: SecurityGroup, direction: str) -> Rules:
    """The rules of a group in one direction, with one peer each."""
    if direction == "ingress":
        return Rules(split_rules(group.ingress), group.unknown_ingress)
    return Rules(split_rules(group.egress), group.unknown_egress)


def with_rules(group: SecurityGroup, direction: str, rules: Rules) -> SecurityGroup:
    """The group with other rules in one direction."""
    if direction == "ingress":
        return group._replace(ingress=rules.known, unknown_ingress=rules.unknown)
    return group._replace(egress=rules.known, unknown_egress=rules.unknown)


def with_rules_taken_away(rules: Rules, taken: Rules) -> Rules:
    """The rules without others. References count as equal where they name one group."""
    keys = frozenset(map(_key, taken.known))
    return Rules(tuple(one for one in rules.known if _key(one) not in keys), rules.unknown)


def _key(rule: Permission) -> tuple[object, ...]:
    return (
        rule.protocol,
        rule.from_port,
        rule.to_port,
        rule.cidrs,
        rule.prefix_list_ids,
        tuple(reference.group_id for reference in rule.references),
        rule.unknown_addresses is not None,
        rule.unknown_reference is not None,
    )


def _normalized(rule: Permission) -> Permission:
    """Equal blocks get equal texts: EC2 drops host bits."""
    return rule._replace(cidrs=tuple(_network(cidr) for cidr in rule.cidrs)) if rule.cidrs else rule


def _network(cidr: str) -> str:
    family, (first, last) = parse_cidr(cidr)
    length = family.bits - (last - first).bit_length()
    return f"{format_address(family, first)}/{length}"


def _ipv4_shape(value: Any) -> dict[str, Any]:
    # A block of the other family is refused below, with the field's name.
    return {"IpRanges": [{"CidrIp": value}]}


def _ipv6_shape(value: Any) -> dict[str, Any]:
    return {"Ipv6Ranges": [{"CidrIpv6": value}]}


def _prefix_list_shape(value: Any) -> dict[str, Any]:
    return {"PrefixListIds": [{"PrefixListId": value}]}


def default_group(group_id: str, vpc_id: str) -> SecurityGroup:
    """The default group of a new VPC: open to its own members, and to everything outbound (Amazon VPC user guide,
    "Default security groups for your VPCs")."""
    from_itself = from_api.permission({"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": group_id}]})
    return SecurityGroup(group_id, "default", vpc_id, (from_itself,), (ALL_TRAFFIC,), None, NO_TAGS)


def tags_of(value: Any) -> Mapping[str, str] | UnknownPlannedValue:
    """Tags given as a list of `Key` and `Value`."""
    if isinstance(value, UnknownPlannedValue):
        return value
    if not isinstance(value, list | None):
        return UnknownPlannedValue(f"Tags is no list: {value!r}")
    found: dict[str, str] = {}
    for tag in value or []:
        if isinstance(tag, UnknownPlannedValue):
            return tag
        if not isinstance(tag, Mapping):
            return UnknownPlannedValue(f"a tag is no object: {tag!r}")
        key, text = tag.get("Key"), tag.get("Value")
        unknown = next((one for one in (key, text) if isinstance(one, UnknownPlannedValue)), None)
        if unknown is not None:
            return unknown
        found[str(key)] = "" if text is None else str(text)
    return found
