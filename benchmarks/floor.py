"""What any program pays that takes the load balancers and all they depend on out of a ConfigSnapshot: the least work
that leaves everything a verdict needs in memory, as typed objects. Nothing is judged, checked or written.

    python -m benchmarks.floor gzip|isal FILE…

unpacks with Python's own gzip or with isal, and prints the number of items of each type, which proves that all were
found.
"""

from __future__ import annotations

import gc
import gzip
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

import msgspec
from isal import igzip

READ_SIZE = 128 * 1024
ITEM_LIST_START = b'"configurationItems":['
ITEM_SEPARATOR = b'},{"relatedEvents":'


class LowerCamelStruct(msgspec.Struct, gc=False, rename="camel"):
    """An object as AWS Config spells most: `securityGroups`."""


class PascalStruct(msgspec.Struct, gc=False, rename="pascal"):
    """An object as AWS Config spells the newer types: `TargetGroupArn`."""


class Item(LowerCamelStruct):
    resource_type: str
    resource_id: str
    arn: str = msgspec.field(name="ARN")
    aws_account_id: str
    aws_region: str
    configuration_item_status: str
    configuration_item_capture_time: str
    configuration_state_id: int
    configuration: msgspec.Raw
    supplementary_configuration: msgspec.Raw
    tags: msgspec.Raw


class State(LowerCamelStruct):
    code: str


class Zone(LowerCamelStruct):
    subnet_id: str


class LoadBalancer(LowerCamelStruct):
    load_balancer_arn: str
    load_balancer_name: str
    type: str
    scheme: str
    state: State
    vpc_id: str
    ip_address_type: str
    security_groups: list[str]
    availability_zones: list[Zone]


class TargetGroupTuple(PascalStruct):
    target_group_arn: str


class Forward(PascalStruct):
    target_groups: list[TargetGroupTuple]


class Action(PascalStruct):
    type: str
    target_group_arn: str | None = None
    forward_config: Forward | None = None


class Listener(PascalStruct):
    listener_arn: str
    load_balancer_arn: str
    protocol: str
    port: int
    default_actions: list[Action]


class Target(PascalStruct):
    id: str
    port: int


class TargetGroup(PascalStruct):
    target_group_arn: str
    target_group_name: str
    target_type: str
    load_balancer_arns: list[str]
    port: int
    vpc_id: str
    ip_address_type: str
    health_check_enabled: bool
    health_check_port: str
    targets: list[Target]
    target_control_port: int | None = None


class Ipv4Range(LowerCamelStruct):
    cidr_ip: str


class Ipv6Range(LowerCamelStruct):
    cidr_ipv6: str


class PrefixListId(LowerCamelStruct):
    prefix_list_id: str


class Reference(LowerCamelStruct):
    group_id: str
    user_id: str
    vpc_id: str | None = None
    vpc_peering_connection_id: str | None = None
    peering_status: str | None = None


class Permission(LowerCamelStruct):
    ip_protocol: str
    ip_ranges: list[str]
    ipv4_ranges: list[Ipv4Range]
    ipv6_ranges: list[Ipv6Range]
    prefix_list_ids: list[PrefixListId]
    user_id_group_pairs: list[Reference]
    from_port: int | None = None
    to_port: int | None = None


class SecurityGroup(LowerCamelStruct):
    group_id: str
    group_name: str
    vpc_id: str
    owner_id: str
    ip_permissions: list[Permission]
    ip_permissions_egress: list[Permission]


class BlockState(LowerCamelStruct):
    state: str


class Block(LowerCamelStruct):
    cidr_block: str
    cidr_block_state: BlockState


class Ipv6Block(LowerCamelStruct):
    ipv6_cidr_block: str
    ipv6_cidr_block_state: BlockState


class Vpc(LowerCamelStruct):
    vpc_id: str
    cidr_block: str
    cidr_block_association_set: list[Block]
    ipv6_cidr_block_association_set: list[Ipv6Block]


class Subnet(LowerCamelStruct):
    subnet_id: str
    vpc_id: str
    cidr_block: str
    ipv6_cidr_block_association_set: list[Ipv6Block]


class GroupIdentifier(LowerCamelStruct):
    group_id: str


class Ipv6Address(LowerCamelStruct):
    ipv6_address: str
    is_primary_ipv6: bool = False


class Address(LowerCamelStruct):
    private_ip_address: str
    primary: bool


class Attachment(LowerCamelStruct):
    device_index: int
    instance_id: str | None = None
    instance_owner_id: str | None = None
    network_card_index: int | None = None


class Prefix(LowerCamelStruct):
    ipv4_prefix: str | None = None
    ipv6_prefix: str | None = None


class NetworkInterface(LowerCamelStruct):
    network_interface_id: str
    vpc_id: str
    groups: list[GroupIdentifier]
    private_ip_address: str
    private_ip_addresses: list[Address]
    ipv6_addresses: list[Ipv6Address]
    ipv4_prefixes: list[Prefix]
    ipv6_prefixes: list[Prefix]
    attachment: Attachment
    description: str
    interface_type: str
    requester_id: str | None = None


class InstanceInterface(LowerCamelStruct):
    network_interface_id: str
    private_ip_address: str
    groups: list[GroupIdentifier]
    ipv6_addresses: list[Ipv6Address]
    attachment: Attachment


class Instance(LowerCamelStruct):
    instance_id: str
    private_ip_address: str
    network_interfaces: list[InstanceInterface]


class DecodedItem(LowerCamelStruct):
    """An item without the fields that are no longer needed."""

    account_id: str
    region: str
    status: str
    captured: str
    state_id: int
    configuration: Any
    tags: dict[str, str] | None


def _decoder(shape: type[Any]) -> Any:
    return msgspec.json.Decoder(shape).decode


DECODERS = {
    f"AWS::{name}": _decoder(shape)
    for name, shape in {
        "ElasticLoadBalancingV2::LoadBalancer": LoadBalancer,
        "ElasticLoadBalancingV2::Listener": Listener,
        "ElasticLoadBalancingV2::TargetGroup": TargetGroup,
        "EC2::SecurityGroup": SecurityGroup,
        "EC2::VPC": Vpc,
        "EC2::Subnet": Subnet,
        "EC2::NetworkInterface": NetworkInterface,
        "EC2::Instance": Instance,
    }.items()
}
DECOMPRESSORS: dict[str, Callable[[BinaryIO], Any]] = {
    "gzip": lambda stream: gzip.GzipFile(fileobj=stream, mode="rb"),
    "isal": lambda stream: cast("Any", igzip).IGzipFile(fileobj=stream, mode="rb"),
}
TAGGED_TYPE = "AWS::ElasticLoadBalancingV2::LoadBalancer"


def main(decompressor: str, paths: list[str]) -> None:
    # Nothing that is held has cycles; looking for some would take a third more time.
    gc.disable()
    counts = dict.fromkeys(DECODERS, 0)
    for path in paths:
        held = _read_items(path, DECOMPRESSORS[decompressor])
        for name, found in held.items():
            counts[name] += len(found)
        del held
    json.dump(counts, sys.stdout)


def _read_items(path: str, decompress: Callable[[BinaryIO], Any]) -> dict[str, dict[str, DecodedItem]]:
    held: dict[str, dict[str, DecodedItem]] = {name: {} for name in DECODERS}
    items, tags = _decoder(list[Item]), _decoder(dict[str, str])
    for block in _read_chunks(path, decompress):
        for item in items(block):
            decode = DECODERS.get(item.resource_type)
            if decode is not None:
                held[item.resource_type][item.resource_id] = DecodedItem(
                    item.aws_account_id,
                    item.aws_region,
                    item.configuration_item_status,
                    item.configuration_item_capture_time,
                    item.configuration_state_id,
                    decode(item.configuration),
                    tags(item.tags) if item.resource_type == TAGGED_TYPE else None,
                )
    return held


def _read_chunks(path: str, decompress: Callable[[BinaryIO], Any]) -> Iterator[bytes]:
    """The items as lists, each cut where one item ends and the next begins."""
    with Path(path).open("rb") as stream, decompress(stream) as unpacked:
        rest = unpacked.read(READ_SIZE)
        rest = rest[rest.index(ITEM_LIST_START) + len(ITEM_LIST_START) :]
        while chunk := unpacked.read(READ_SIZE):
            rest += chunk
            end = rest.rindex(ITEM_SEPARATOR) + 1
            yield b"[%b]" % rest[:end]
            rest = rest[end + 1 :]
        yield b"[%b]" % rest[: rest.rindex(b"]")]


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
