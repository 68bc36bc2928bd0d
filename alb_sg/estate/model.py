"""The resources that decide whether a load balancer's security groups suffice, and whether a plan may change them.

Every class mirrors the AWS API shape of its name, is immutable, and has only the fields that verdicts, explanations and
plans use. Loaders build them; no code past a loader sees a dict of unknown shape.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from alb_sg.estate.cidr import Family

NO_TAGS: Mapping[str, str] = {}


class LoadBalancer(NamedTuple):
    """An Elastic Load Balancing v2 load balancer; `type` is `application`, `network` or `gateway`."""

    arn: str
    name: str
    type: str
    scheme: str
    state: str
    vpc_id: str
    ip_address_type: str
    security_groups: tuple[str, ...]

    @property
    def account_id(self) -> str:
        return self.arn.split(":")[4]

    @property
    def region(self) -> str:
        return self.arn.split(":")[3]


class Listener(NamedTuple):
    """A listener. `target_group_arns` are the target groups of its default actions; listener rules are not included."""

    arn: str
    load_balancer_arn: str
    protocol: str
    port: int
    target_group_arns: tuple[str, ...]


class TargetGroup(NamedTuple):
    """A target group. `load_balancer_arns` is None where the source does not name its load balancers; `port` is None
    for Lambda functions; `health_check_port` is None for `traffic-port`."""

    arn: str
    name: str
    target_type: str
    port: int | None
    vpc_id: str
    family: Family
    load_balancer_arns: tuple[str, ...] | None
    health_checks_enabled: bool
    health_check_port: int | None


class Target(NamedTuple):
    """A registration in a target group. `port` is None where the target group's port applies; `state` is None where the
    source does not tell it, as configuration items never do."""

    id: str
    port: int | None
    state: str | None


class SecurityGroupReference(NamedTuple):
    """A security group as the peer of a rule (`UserIdGroupPair`)."""

    group_id: str
    owner_id: str | None
    vpc_id: str | None
    peering_connection_id: str | None
    peering_status: str | None

    @property
    def is_stale(self) -> bool:
        """Whether its VPC peering no longer exists (EC2 user guide, "Work with stale security group rules")."""
        return self.peering_status is not None and self.peering_status.lower() != "active"


class Permission(NamedTuple):
    """A security group rule (`IpPermission`).

    `protocol` is `tcp`, `udp`, `icmp`, `icmpv6`, `-1` or another protocol's number. For ICMP, `from_port` is
    the type and `to_port` the code. `cidrs` holds the blocks as they are written in the rule.
    """

    protocol: str
    from_port: int | None
    to_port: int | None
    cidrs: tuple[str, ...]
    prefix_list_ids: tuple[str, ...]
    references: tuple[SecurityGroupReference, ...]


class SecurityGroup(NamedTuple):
    """A security group. `owner_id` is None where the source does not name the owner."""

    id: str
    name: str
    vpc_id: str
    ingress: tuple[Permission, ...]
    egress: tuple[Permission, ...]
    owner_id: str | None = None
    tags: Mapping[str, str] = NO_TAGS


class Vpc(NamedTuple):
    """A VPC and its associated CIDR blocks by family."""

    id: str
    cidrs: Mapping[Family, tuple[str, ...]]


class NetworkInterface(NamedTuple):
    """A network interface. `prefixes` are delegated prefixes; `instance_id` and `device_index` describe its attachment;
    `ipv6_addresses` begins with the primary address; Elastic Load Balancing created the `is_elb_managed` ones."""

    id: str
    vpc_id: str
    groups: tuple[str, ...]
    ipv4_addresses: tuple[str, ...]
    ipv6_addresses: tuple[str, ...]
    prefixes: tuple[str, ...]
    instance_id: str | None
    device_index: int | None
    description: str = ""
    is_elb_managed: bool = False


class InstanceInterface(NamedTuple):
    """A network interface as the record of its instance names it; `id` is None where the record leaves it out."""

    id: str | None
    groups: tuple[str, ...]


class Instance(NamedTuple):
    """An instance. The addresses and `groups` belong to its primary network interface; an address is None where that
    interface has none. `interfaces` are all interfaces that its record lists."""

    id: str
    ipv4_address: str | None
    ipv6_address: str | None
    groups: tuple[str, ...]
    interfaces: tuple[InstanceInterface, ...] = ()


class PrefixList(NamedTuple):
    """A managed prefix list. `entries` is None where its owner refuses them to this account. AWS-managed prefix lists
    have no `max_entries`."""

    id: str
    name: str
    family: Family | None
    entries: tuple[str, ...] | None
    owner_id: str | None = None
    max_entries: int | None = None
