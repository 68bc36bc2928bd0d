"""The resources that decide whether a load balancer's security groups suffice, and whether a plan may change them.

Every class mirrors the AWS API shape of its name, is immutable, and has only the fields that verdicts, explanations and
plans use. Loaders build them; no code past a loader sees a dict of unknown shape.

A field whose value the code does not know holds an `UnknownValue`. Code that depends on the field passes it to
`require_known`, so that only verdicts that depend on the field become errors.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, TypeVar

from alb_sg.aws.arns import account_id_of, region_of
from alb_sg.errors import NotReadError
from alb_sg.estate.cidr import Family
from alb_sg.estate.field_readers import HIGHEST_PORT

T = TypeVar("T")

NO_TAGS: Mapping[str, str] = {}
NO_UNKNOWN_CIDRS: Mapping[Family, UnknownValue] = {}

# The values that the API models of Elastic Load Balancing and EC2 enumerate.
LOAD_BALANCER_TYPES = ("application", "network", "gateway")
SCHEMES = ("internet-facing", "internal")
LOAD_BALANCER_STATES = ("active", "provisioning", "active_impaired", "failed")
IP_ADDRESS_TYPES = ("ipv4", "dualstack", "dualstack-without-public-ipv4")
LISTENER_PROTOCOLS = ("http", "https", "tcp", "tls", "udp", "tcp_udp", "geneve", "quic", "tcp_quic")
# Of ActionTypeEnum, those for which a load balancer calls an identity provider or fetches its keys.
AUTHENTICATING_ACTIONS = ("authenticate-cognito", "authenticate-oidc", "jwt-validation")
TARGET_TYPES = ("instance", "ip", "lambda", "alb")
TARGET_STATES = ("initial", "healthy", "unhealthy", "unhealthy.draining", "unused", "draining", "unavailable")
CIDR_BLOCK_STATES = ("associating", "associated", "disassociating", "disassociated", "failing", "failed")


class UnknownValue(NamedTuple):
    """A value that the code cannot interpret, such as a new load balancer state or a port that is no port. `field` is
    the API's name of the field, `text` describes the fault of its value, and `value` is the value for reports.
    `identities` are what the values consist of that it stands for, before a plan is applied: two values of one identity
    are equal, whatever they are. Without any, nothing is known of them."""

    field: str
    text: str
    value: str = "unknown"
    identities: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return self.value

    def error(self, owner: str) -> NotReadError:
        """The error of a verdict that depends on this field of a resource."""
        return NotReadError(f"{self.field} of {owner}", self.text)


def require_known(value: T | UnknownValue, owner: str) -> T:
    """The value of a field of the resource that `owner` describes. Raises NotReadError for an unknown value."""
    if isinstance(value, UnknownValue):
        raise value.error(owner)
    return value


def has_unknown_value(resource: tuple[object, ...]) -> bool:
    """Whether a class of this module holds an unknown value."""
    return any(
        isinstance(value, UnknownValue)
        or any(isinstance(one, UnknownValue) for one in (value if isinstance(value, tuple) else ()))
        or (isinstance(value, Mapping) and any(isinstance(one, UnknownValue) for one in value.values()))
        for value in resource
    )


def is_security_group_id(text: str) -> bool:
    """Whether a text is the ID of a security group. Where a source has something else among a load balancer's groups,
    the model keeps it as text."""
    return text.startswith("sg-")


def is_placeholder(identifier: str) -> bool:
    """Whether this replaces the identifier of a security group or VPC that a plan does not tell: it equals no other
    identifier, and the resource may be any."""
    return identifier.startswith(("of ", "default of "))


def sortable_port(port: int | UnknownValue | None) -> int:
    """A port as a sort key. Unknown ports come first."""
    return port if isinstance(port, int) else -1


class LoadBalancer(NamedTuple):
    """An Elastic Load Balancing v2 load balancer; `type` is `application`, `network` or `gateway`. `subnet_ids` are its
    enabled subnets, from which its nodes take their addresses. Where a plan does not tell them, `possible_subnet_ids`
    are all that may be; empty if any may be.

    The ARN of one that is planned is its address in the document that plans it, such as `aws_lb.web`.
    """

    arn: str
    name: str
    type: str | UnknownValue
    scheme: str | UnknownValue
    state: str | UnknownValue
    vpc_id: str
    ip_address_type: str | UnknownValue
    security_groups: tuple[str, ...]
    subnet_ids: tuple[str, ...] | UnknownValue = ()
    possible_subnet_ids: tuple[str, ...] = ()

    @property
    def may_be_application(self) -> bool:
        """Whether this is an Application Load Balancer, or of a type that is not known."""
        return self.type == "application" or isinstance(self.type, UnknownValue)

    @property
    def account_id(self) -> str:
        return account_id_of(self.arn)

    @property
    def region(self) -> str:
        return region_of(self.arn)


class Listener(NamedTuple):
    """A listener. `target_group_arns` are the target groups of its default actions; listener rules are not included.
    `unknown_actions` is a value that hides some of them; `possible_target_group_arns` are those of which it hides some,
    or None where it may be any. `authentications` are the types of its default actions that authenticate, such as
    `authenticate-oidc`."""

    arn: str
    load_balancer_arn: str
    protocol: str | UnknownValue
    port: int | UnknownValue
    target_group_arns: tuple[str, ...]
    unknown_actions: UnknownValue | None = None
    authentications: tuple[str, ...] = ()
    possible_target_group_arns: tuple[str, ...] | None = None

    @property
    def known_port(self) -> int:
        """The TCP port. Raises NotReadError where the port or the protocol is not known."""
        if isinstance(self.protocol, UnknownValue):
            raise self.protocol.error(f"listener {self.arn}")
        if isinstance(self.port, UnknownValue):
            raise self.port.error(f"listener {self.arn}")
        return self.port

    @property
    def known_target_group_arns(self) -> tuple[str, ...]:
        """All target groups of the default actions that are not only possible. Raises NotReadError where they are not
        known."""
        if self.unknown_actions is not None and self.possible_target_group_arns is None:
            raise self.unknown_actions.error(f"listener {self.arn}")
        return self.target_group_arns


class TargetGroup(NamedTuple):
    """A target group. `load_balancer_arns` is None where the source does not name its load balancers; `port` is None
    for Lambda functions; `health_check_port` is None for `traffic-port`; `target_control_port` is None unless the
    group uses the target optimizer."""

    arn: str
    name: str
    target_type: str | UnknownValue
    port: int | UnknownValue | None
    vpc_id: str
    family: Family | UnknownValue
    load_balancer_arns: tuple[str, ...] | None
    health_checks_enabled: bool | UnknownValue
    health_check_port: int | UnknownValue | None
    target_control_port: int | UnknownValue | None = None

    @property
    def may_hold_load_balancers(self) -> bool:
        """Whether load balancers may be registered in it: its type is `alb`, or not known. Only Network Load Balancers
        forward to load balancers."""
        if not isinstance(self.target_type, UnknownValue):
            return self.target_type == "alb"
        return any(":loadbalancer/app/" not in arn for arn in self.load_balancer_arns or ())

    @property
    def known_family(self) -> Family:
        """Raises NotReadError."""
        if isinstance(self.family, UnknownValue):
            raise self.family.error(self._label)
        return self.family

    @property
    def known_health_checks_enabled(self) -> bool:
        """Raises NotReadError."""
        if isinstance(self.health_checks_enabled, UnknownValue):
            raise self.health_checks_enabled.error(self._label)
        return self.health_checks_enabled

    @property
    def known_health_check_port(self) -> int | None:
        """Raises NotReadError."""
        if isinstance(self.health_check_port, UnknownValue):
            raise self.health_check_port.error(self._label)
        return self.health_check_port

    @property
    def known_target_control_port(self) -> int | None:
        """Raises NotReadError."""
        if isinstance(self.target_control_port, UnknownValue):
            raise self.target_control_port.error(self._label)
        return self.target_control_port

    def port_of(self, target: Target) -> int:
        """The port given at registration, else the group's. Raises NotReadError."""
        port, owner = (self.port, None) if target.port is None else (target.port, target)
        if isinstance(port, int):
            return port
        if port is None:
            raise NotReadError(f"port of {self._label}", "it was not recorded")
        raise port.error(self._label if owner is None else f"target {owner.id} of {self._label}")

    def state_of(self, target: Target) -> str | None:
        """The state of a registration. Raises NotReadError."""
        if isinstance(target.state, UnknownValue):
            raise target.state.error(f"target {target.id} of {self._label}")
        return target.state

    @property
    def _label(self) -> str:
        return f"target group {self.name}"


class Target(NamedTuple):
    """A registration in a target group. `port` is None where the target group's port applies; `state` is None where the
    source does not tell it, as configuration items never do. `reason` is the code of an unhealthy state, such as
    `Target.Timeout`. `unknown` is a value of a plan on which it depends whether the target group has this target. It
    is one of `possible_target_group_arns`; without them, it may be any."""

    id: str
    port: int | UnknownValue | None
    state: str | UnknownValue | None
    reason: str | None = None
    unknown: UnknownValue | None = None
    possible_target_group_arns: tuple[str, ...] = ()


class SecurityGroupReference(NamedTuple):
    """A security group as the peer of a rule (`UserIdGroupPair`)."""

    group_id: str
    owner_id: str | None
    vpc_id: str | None
    peering_connection_id: str | None
    peering_status: str | None

    @property
    def is_over_peering(self) -> bool:
        return self.peering_connection_id is not None or self.peering_status is not None

    @property
    def is_stale(self) -> bool:
        """Whether its VPC peering no longer exists (EC2 user guide, "Work with stale security group rules"), or its
        group no longer does: EC2 leaves out the owner of a deleted group of another VPC (EC2 API reference,
        UserIdGroupPair)."""
        return self.stale_cause is not None

    @property
    def stale_cause(self) -> str | None:
        """Why the reference is stale; None where it is not."""
        if self.peering_status is not None and self.peering_status.lower() != "active":
            return f"its peering is {self.peering_status}"
        if self.owner_id is None and self.is_over_peering:
            return "its group was deleted in the other VPC"
        return None


class Permission(NamedTuple):
    """A security group rule (`IpPermission`).

    `protocol` is `tcp`, `udp`, `icmp`, `icmpv6`, `-1` or another protocol's number. For ICMP, `from_port` is
    the type and `to_port` the code. `cidrs` holds the blocks as they are written in the rule.
    `unknown_addresses` and `unknown_reference` say that a planned rule has further peers that are not known yet:
    addresses, or security groups.
    """

    protocol: str
    from_port: int | None
    to_port: int | None
    cidrs: tuple[str, ...]
    prefix_list_ids: tuple[str, ...]
    references: tuple[SecurityGroupReference, ...]
    unknown_addresses: UnknownValue | None = None
    unknown_reference: UnknownValue | None = None

    @property
    def has_ports(self) -> bool:
        """Whether the rule is for ports, of TCP or UDP."""
        return self.protocol in ("tcp", "udp")

    @property
    def port_range(self) -> tuple[int, int]:
        """The first and last port of a rule for TCP or UDP: all of them where it names none."""
        if self.from_port is None or self.to_port is None:
            return 0, HIGHEST_PORT
        return self.from_port, self.to_port

    @property
    def has_peers(self) -> bool:
        """Whether it has a peer that is known."""
        return bool(self.cidrs or self.prefix_list_ids or self.references)

    @property
    def peers(self) -> tuple[str, ...]:
        """All peers as text: CIDR blocks, `pl-…` and `sg-…`."""
        return (*self.cidrs, *self.prefix_list_ids, *(reference.group_id for reference in self.references))


class SecurityGroup(NamedTuple):
    """A security group. `owner_id` is None where the source does not name the owner.

    `unknown_ingress` and `unknown_egress` are the rules with a value that is not known, and are not in `ingress` and
    `egress`: nobody knows what they let through.
    """

    id: str
    name: str
    vpc_id: str
    ingress: tuple[Permission, ...]
    egress: tuple[Permission, ...]
    owner_id: str | None = None
    tags: Mapping[str, str] | UnknownValue = NO_TAGS
    unknown_ingress: tuple[UnknownValue, ...] = ()
    unknown_egress: tuple[UnknownValue, ...] = ()

    @property
    def known_tags(self) -> Mapping[str, str]:
        """The tags. Raises NotReadError where they could not be read."""
        return require_known(self.tags, f"security group {self.id}")


class SecurityGroupRule(NamedTuple):
    """A rule of a security group with its own ID (`SecurityGroupRule`). `permission` has exactly one peer."""

    id: str
    group_id: str
    is_egress: bool
    permission: Permission
    description: str = ""


class Vpc(NamedTuple):
    """A VPC and its associated CIDR blocks by family. `unknown_cidrs` has a family where a block of it could not be
    read."""

    id: str
    cidrs: Mapping[Family, tuple[str, ...]]
    unknown_cidrs: Mapping[Family, UnknownValue] = NO_UNKNOWN_CIDRS

    def known_cidrs(self, family: Family) -> tuple[str, ...]:
        """All blocks of a family. Raises NotReadError where one could not be read."""
        unknown = self.unknown_cidrs.get(family)
        if unknown is not None:
            raise unknown.error(f"VPC {self.id}")
        return self.cidrs[family]


class Subnet(NamedTuple):
    """A subnet and its associated CIDR blocks by family, as of a VPC."""

    id: str
    vpc_id: str
    cidrs: Mapping[Family, tuple[str, ...]]
    unknown_cidrs: Mapping[Family, UnknownValue] = NO_UNKNOWN_CIDRS

    def known_cidrs(self, family: Family) -> tuple[str, ...]:
        """All blocks of a family. Raises NotReadError where one could not be read, and where there is none."""
        unknown = self.unknown_cidrs.get(family)
        if unknown is not None:
            raise unknown.error(f"subnet {self.id}")
        if not self.cidrs[family]:
            raise NotReadError(f"{family.label} CIDR block of subnet {self.id}", "none was recorded")
        return self.cidrs[family]


class NetworkInterface(NamedTuple):
    """A network interface. `prefixes` are delegated prefixes; `instance_id`, `network_card_index` and `device_index`
    describe its attachment; `ipv6_addresses` begins with the primary address; Elastic Load Balancing created the
    `is_elb_managed` ones. `unknown` is a value that hides which addresses it has, and `unknown_groups` one that hides
    which security groups.
    `interface_type` is EC2's, such as `global_accelerator_managed`, or "" where the source does not tell it."""

    id: str
    vpc_id: str
    groups: tuple[str, ...]
    ipv4_addresses: tuple[str, ...]
    ipv6_addresses: tuple[str, ...]
    prefixes: tuple[str, ...]
    instance_id: str | None
    device_index: int | UnknownValue | None
    description: str = ""
    is_elb_managed: bool = False
    network_card_index: int | UnknownValue = 0
    unknown: UnknownValue | None = None
    interface_type: str = ""
    unknown_groups: UnknownValue | None = None

    @property
    def is_primary(self) -> bool:
        """Whether it is the primary interface of its instance. Every network card has a device index 0; the primary
        interface is that of card 0."""
        return self.device_index == 0 and self.network_card_index == 0

    @property
    def unknown_groups_error(self) -> NotReadError | None:
        """The error of what depends on its groups; None where they are known."""
        return None if self.unknown_groups is None else self.unknown_groups.error(f"network interface {self.id}")


class InstanceInterface(NamedTuple):
    """A network interface as the record of its instance names it; `id` is None where the record leaves it out."""

    id: str | None
    groups: tuple[str, ...]


class Instance(NamedTuple):
    """An instance. The addresses and `groups` belong to its primary network interface; an address is None where that
    interface has none. `interfaces` are all interfaces that its record lists.

    A planned instance, or the future members of an Auto Scaling group or ECS service, has an `unknown_address` within
    `possible_cidrs` (none: anywhere), and perhaps `unknown_groups` beside those that are known.
    """

    id: str
    ipv4_address: str | None
    ipv6_address: str | None
    groups: tuple[str, ...]
    interfaces: tuple[InstanceInterface, ...] | UnknownValue = ()
    unknown_address: UnknownValue | None = None
    possible_cidrs: tuple[str, ...] = ()
    unknown_groups: UnknownValue | None = None


class PrefixList(NamedTuple):
    """A managed prefix list. `entries` is None where its owner refuses them to this account. AWS-managed prefix lists
    have no `max_entries`."""

    id: str
    name: str
    family: Family | None
    entries: tuple[str, ...] | None
    owner_id: str | None = None
    max_entries: int | None = None
