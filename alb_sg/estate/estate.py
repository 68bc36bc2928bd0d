"""The resources of one account and region, as far as they were read, with the lookups that verdicts need.

A lookup answers or raises NotReadError. The error names the cause: the section was not collected, the section does not
hold the key, or the call failed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple, Protocol, TypeVar

from alb_sg.aws.account_region import AccountRegion
from alb_sg.errors import NotReadError
from alb_sg.estate.cidr import Family, parse_cidr
from alb_sg.estate.indexing import (
    InterfaceIndex,
    primary_interface_by_instance,
    target_groups_by_load_balancer,
    target_groups_of_unknown_load_balancer,
)
from alb_sg.estate.model import (
    Instance,
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
from alb_sg.estate.sections import SECTION_ATTRIBUTES, Section

T = TypeVar("T")

# The indexes of an estate that depend on no security group rule and on no load balancer's groups.
_INDEXES_WITHOUT_GROUPS = (
    "_failures_by_key",
    "_interface_index",
    "_primary_interface_by_instance",
    "_target_groups_by_load_balancer",
    "_target_groups_of_unknown_load_balancer",
    "_alb_registrations_by_load_balancer",
)


class ReadFailure(NamedTuple):
    """Why a section, or one key of it, could not be read."""

    section: Section
    key: str | None
    cause: str


class ResourceLookup(Protocol):
    """Looks resources up in several accounts and regions; `estate.other_accounts` implements it."""

    def section(self, name: Section) -> Mapping[str, Any]: ...

    def interface_at(self, vpc_id: str, family: Family, address: int) -> NetworkInterface | None: ...


@dataclass(frozen=True)
class Estate:
    """The resources of one account and region.

    A section that is None was not collected. `listeners` is keyed by load balancer, `targets` by target group,
    `tags` by load balancer, and every other section by the resource's own ID. `has_all_security_groups`:
    `security_groups` holds every group of the account and region. `deleted_security_groups` are known to be deleted.
    `interfaces_by_group`: all interfaces that carry a security group, for those groups where they were looked up. None:
    `network_interfaces` has every interface of the account and region.
    `rule_authentications` are the types of the actions that authenticate in a listener's rules, by listener; no verdict
    depends on them.
    `other_estates` answers what this estate does not hold. `is_planned`: a plan or template makes it, so that some
    values are unknown until it is applied.
    """

    account_id: str
    region: str
    load_balancers: Mapping[str, LoadBalancer] = field(default_factory=dict)
    listeners: Mapping[str, tuple[Listener, ...]] | None = None
    target_groups: Mapping[str, TargetGroup] | None = None
    targets: Mapping[str, tuple[Target, ...]] | None = None
    security_groups: Mapping[str, SecurityGroup] | None = None
    has_all_security_groups: bool = False
    deleted_security_groups: frozenset[str] = frozenset()
    vpcs: Mapping[str, Vpc] | None = None
    subnets: Mapping[str, Subnet] | None = None
    instances: Mapping[str, Instance] | None = None
    security_group_rules: Mapping[str, SecurityGroupRule] | None = None
    network_interfaces: Mapping[str, NetworkInterface] | None = None
    interfaces_by_group: Mapping[str, Sequence[NetworkInterface]] | None = None
    prefix_lists: Mapping[str, PrefixList] | None = None
    tags: Mapping[str, Mapping[str, str]] | None = None
    rule_authentications: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    failures: tuple[ReadFailure, ...] = ()
    is_planned: bool = False
    other_estates: ResourceLookup | None = field(default=None, repr=False, compare=False)

    @property
    def account_region(self) -> AccountRegion:
        return AccountRegion(self.account_id, self.region)

    def listeners_of(self, load_balancer: LoadBalancer) -> tuple[Listener, ...]:
        """The listeners of a load balancer, by port."""
        return self._own_entry(self.listeners, Section.LISTENERS, load_balancer.arn, "listeners of", load_balancer.name)

    def listeners_failure(self, load_balancer: LoadBalancer) -> NotReadError | None:
        """Why the listeners of a load balancer could not be read; None where they were, or where nobody asked."""
        failure = self._failures_by_key.get((Section.LISTENERS, load_balancer.arn))
        return None if failure is None else NotReadError(f"listeners of {load_balancer.name}", failure.cause)

    def targets_of(self, group: TargetGroup) -> tuple[Target, ...]:
        """The registrations in a target group."""
        return self._own_entry(self.targets, Section.TARGET_HEALTH_DESCRIPTIONS, group.arn, "targets of", group.name)

    def tags_of(self, load_balancer: LoadBalancer) -> Mapping[str, str]:
        return self._own_entry(self.tags, Section.TAGS, load_balancer.arn, "tags of", load_balancer.name)

    def security_group(self, group_id: str) -> SecurityGroup:
        return self._entry(self.security_groups, Section.SECURITY_GROUPS, group_id, "security group", group_id)

    def interfaces_with(self, group_id: str) -> Sequence[NetworkInterface]:
        """The network interfaces of this account and region that carry a security group, as far as they were read."""
        if self.interfaces_by_group is not None:
            return self.interfaces_by_group.get(group_id, ())
        return self._interfaces_by_group.get(group_id, ())

    def require_all_interfaces_with(self, group_id: str) -> None:
        """Raises NotReadError unless `interfaces_with` returns every interface that carries the group."""
        if self.interfaces_by_group is None and self._knows_all_interfaces:
            return
        what = f"network interfaces that carry {group_id}"
        if self.interfaces_by_group is not None:
            if group_id not in self.interfaces_by_group:
                raise self._not_read_error(Section.SECURITY_GROUP_CARRIERS, group_id, what)
        elif not self._was_read(Section.NETWORK_INTERFACES):
            raise self._not_read_error(Section.NETWORK_INTERFACES, None, what)
        elif self._unknown_groups_error is not None:
            raise self._unknown_groups_error

    def load_balancers_with(self, group_id: str) -> Sequence[LoadBalancer]:
        """The load balancers of every type that carry a security group, by ARN."""
        return self._load_balancers_by_group.get(group_id, ())

    def load_balancer_of(self, interface: NetworkInterface) -> LoadBalancer | None:
        """The load balancer that Elastic Load Balancing created an interface for; None if it was not read. The service
        describes such interfaces as `ELB app/name/id`."""
        return self._load_balancer_by_description.get(interface.description) if interface.is_elb_managed else None

    def require_all_load_balancers(self, what: str) -> None:
        """Raises NotReadError, which says that `what` is not known, if some load balancers may not have been read."""
        failure = self._failures_by_key.get((Section.LOAD_BALANCERS, None))
        if failure is not None:
            raise NotReadError(what, failure.cause)

    def inbound_rule_ids(self, group_id: str, permission: Permission) -> tuple[str, ...]:
        """The IDs of the security group rules that a permission consists of, as far as the source tells them."""
        return tuple(rule.id for rule in self._inbound_rules_of(group_id, permission).values())

    def inbound_rule_descriptions(self, group_id: str, permission: Permission) -> tuple[tuple[str, str], ...]:
        """The descriptions of the rules that a permission consists of, by peer, as far as the source tells them."""
        return tuple((peer, rule.description) for peer, rule in self._inbound_rules_of(group_id, permission).items())

    def _inbound_rules_of(self, group_id: str, permission: Permission) -> Mapping[str, SecurityGroupRule]:
        known = self._inbound_rules
        keys = {peer: _rule_key(group_id, permission, peer) for peer in permission.peers}
        return {peer: known[key] for peer, key in keys.items() if key in known}

    @property
    def rule_ids_failure(self) -> str | None:
        """Why the IDs of security group rules could not be read; None where they were, or where nobody asked for
        them."""
        failure = self._failures_by_key.get((Section.SECURITY_GROUP_RULES, None))
        return None if failure is None else failure.cause

    def vpc(self, vpc_id: str) -> Vpc:
        if not vpc_id:
            raise NotReadError("VPC", "VpcId was not recorded")
        return self._entry(self.vpcs, Section.VPCS, vpc_id, "VPC", vpc_id)

    def subnet(self, subnet_id: str) -> Subnet:
        return self._entry(self.subnets, Section.SUBNETS, subnet_id, "subnet", subnet_id)

    def subnet_cidrs(self, subnet_ids: tuple[str, ...], family: Family) -> tuple[str, ...]:
        """The blocks of some subnets together, sorted. Raises NotReadError where one is not known, or has none."""
        known = self._subnet_cidrs.get((subnet_ids, family))
        if known is None:
            found = {cidr for subnet_id in subnet_ids for cidr in self.subnet(subnet_id).known_cidrs(family)}
            known = self._subnet_cidrs[subnet_ids, family] = tuple(sorted(found))
        return known

    def vpc_contains(self, vpc_id: str, family: Family, address: int) -> bool:
        """Whether an address lies in an associated CIDR block of a VPC. Raises NotReadError."""
        vpc = self.vpc(vpc_id)
        blocks = (parse_cidr(cidr)[1] for cidr in vpc.cidrs[family])
        if any(first <= address <= last for first, last in blocks):
            return True
        # It lies outside only if every block is known.
        vpc.known_cidrs(family)
        return False

    def prefix_list(self, prefix_list_id: str) -> PrefixList:
        """A prefix list. Where its owner refuses the entries to this account, another account of the run may have
        them."""
        found = self._entry(
            self.prefix_lists, Section.MANAGED_PREFIX_LISTS, prefix_list_id, "prefix list", prefix_list_id
        )
        if found.entries is None and self.other_estates is not None:
            elsewhere: Mapping[str, PrefixList] = self.other_estates.section(Section.MANAGED_PREFIX_LISTS)
            return elsewhere.get(prefix_list_id, found)
        return found

    def instance(self, instance_id: str) -> Instance:
        """An instance, from its own record or from that of its primary network interface."""
        if self.instances is not None and instance_id in self.instances:
            return self.instances[instance_id]
        interface = self._primary_interface_by_instance.get(instance_id)
        if interface is not None:
            if interface.unknown is not None:
                raise interface.unknown.error(f"network interface {interface.id}")
            return Instance(
                id=instance_id,
                ipv4_address=next(iter(interface.ipv4_addresses), None),
                ipv6_address=next(iter(interface.ipv6_addresses), None),
                groups=interface.groups,
                unknown_groups=interface.unknown_groups,
            )
        return self._entry(self.instances, Section.INSTANCES, instance_id, "instance", instance_id)

    def interface_at(self, vpc_id: str, family: Family, address: int) -> NetworkInterface | None:
        """The network interface of a VPC that has an address, or a delegated prefix that contains it.

        None where no interface that was read has it. Raises NotReadError where interfaces were not collected.
        """
        interface = self._interface_index.find(vpc_id, family, address)
        if interface is None and self.other_estates is not None:
            interface = self.other_estates.interface_at(vpc_id, family, address)
        if interface is None and not self._was_read(Section.NETWORK_INTERFACES):
            raise self._not_read_error(Section.NETWORK_INTERFACES, None, "network interfaces")
        unknown = self._interface_index.unknown_error(vpc_id) if interface is None else interface.unknown_groups_error
        if unknown is not None:
            raise unknown
        return interface

    def target_groups_of(self, load_balancer: LoadBalancer) -> tuple[TargetGroup, ...]:
        """The target groups that a load balancer uses, in default actions and in rules, at any weight.

        Target groups name their load balancers (`LoadBalancerArns`), and listeners name target groups in their default
        actions. Those that it may use are included (`possible_target_groups_of`).
        """
        if self.target_groups is None:
            raise self._not_read_error(Section.TARGET_GROUPS, None, f"target groups of {load_balancer.name}")
        if (failure := self._failures_by_key.get((Section.TARGET_GROUPS, None))) is not None:
            raise NotReadError(f"target groups of {load_balancer.name}", failure.cause)
        groups = {group.arn: group for group in self._target_groups_by_load_balancer.get(load_balancer.arn, ())}
        listeners = () if self.listeners is None else self.listeners.get(load_balancer.arn, ())
        for listener in listeners:
            for arn in (*listener.known_target_group_arns, *(listener.possible_target_group_arns or ())):
                if arn not in groups:
                    groups[arn] = self._own_entry(self.target_groups, Section.TARGET_GROUPS, arn, "target group", arn)
        for vpc_id, of_vpc in self._target_groups_of_unknown_load_balancer.items():
            for group in of_vpc if _may_be_same_vpc(vpc_id, load_balancer.vpc_id) else ():
                # Target groups of Lambda functions have no VPC.
                if group.arn not in groups and not (group.target_type == "lambda" and not vpc_id):
                    raise _unrecorded_load_balancers(group)
        return tuple([groups[arn] for arn in sorted(groups)])

    def possible_target_groups_of(self, load_balancer: LoadBalancer) -> Mapping[str, NotReadError]:
        """The target groups that a load balancer of a planned estate may use, each with its unknown parts."""
        found: dict[str, NotReadError] = {}
        certain = {group.arn for group in self._target_groups_by_load_balancer.get(load_balancer.arn, ())}
        for listener in () if self.listeners is None else self.listeners.get(load_balancer.arn, ()):
            certain.update(listener.target_group_arns)
            if listener.unknown_actions is not None:
                error = listener.unknown_actions.error(f"listener {listener.arn}")
                found |= dict.fromkeys(listener.possible_target_group_arns or (), error)
        return {arn: error for arn, error in found.items() if arn not in certain}

    def alb_registrations_of(self, load_balancer: LoadBalancer) -> tuple[tuple[TargetGroup, Target], ...]:
        """The registrations of this load balancer in target groups of type `alb` that a Network Load Balancer uses.

        Registrations whose deregistration has begun (`draining`) are left out.
        """
        if not self._was_read(Section.TARGET_GROUPS):
            # Without target groups, only a VPC without Network Load Balancers is known to have none in front.
            all_listed = all(failure.section != Section.LOAD_BALANCERS for failure in self.failures)
            in_front = self._vpcs_with_network_load_balancer
            if not all_listed or any(_may_be_same_vpc(vpc_id, load_balancer.vpc_id) for vpc_id in in_front):
                raise self._not_read_error(
                    Section.TARGET_GROUPS, None, f"target groups of type alb in {load_balancer.vpc_id}"
                )
            return ()
        registered, unread = self._alb_registrations_by_load_balancer
        for vpc_id, error in unread.items():
            if _may_be_same_vpc(vpc_id, load_balancer.vpc_id):
                raise error
        return registered.get(load_balancer.arn, ())

    def references_deleted_group(self, reference: SecurityGroupReference) -> bool:
        """Whether a reference names a security group that is known to be deleted.

        EC2 refuses to delete a group that another group of its VPC references, so a group of the VPC that is missing
        from the data was left out of it. Over a peering, a reference can outlive its group.
        """
        group_id = reference.group_id
        if group_id in self.deleted_security_groups:
            return True
        return (
            self.has_all_security_groups
            and reference.peering_connection_id is not None
            and reference.owner_id == self.account_id
            and group_id not in (self.security_groups or {})
            and not (self.other_estates is not None and group_id in self.other_estates.section(Section.SECURITY_GROUPS))
        )

    def section(self, name: Section) -> object:
        """A section by its name; None where it was not collected."""
        return getattr(self, SECTION_ATTRIBUTES[name])

    def with_security_groups(
        self, load_balancers: Mapping[str, LoadBalancer], security_groups: Mapping[str, SecurityGroup]
    ) -> Estate:
        """The estate with other security groups, and load balancers that differ in theirs only.

        It keeps the indexes that do not depend on either, because plans judge thousands of such estates.
        """
        changed = replace(self, load_balancers=load_balancers, security_groups=security_groups)
        known = vars(self)
        vars(changed).update({name: known[name] for name in _INDEXES_WITHOUT_GROUPS if name in known})
        return changed

    @cached_property
    def derived_facts(self) -> dict[object, Any]:
        """What others have derived from this estate and several load balancers need, under keys of their own."""
        return {}

    @cached_property
    def _failures_by_key(self) -> Mapping[tuple[str, str | None], ReadFailure]:
        return {(failure.section, failure.key): failure for failure in self.failures}

    @cached_property
    def _subnet_cidrs(self) -> dict[tuple[tuple[str, ...], Family], tuple[str, ...]]:
        return {}

    @cached_property
    def _interface_index(self) -> InterfaceIndex:
        return InterfaceIndex((self.network_interfaces or {}).values())

    @cached_property
    def _interfaces_by_group(self) -> Mapping[str, Sequence[NetworkInterface]]:
        index: dict[str, list[NetworkInterface]] = {}
        for interface in (self.network_interfaces or {}).values():
            for group_id in interface.groups:
                index.setdefault(group_id, []).append(interface)
        return index

    @cached_property
    def _knows_all_interfaces(self) -> bool:
        return self._was_read(Section.NETWORK_INTERFACES) and self._unknown_groups_error is None

    @cached_property
    def _unknown_groups_error(self) -> NotReadError | None:
        """The error of an interface whose groups are not known: it may carry any."""
        interfaces = (self.network_interfaces or {}).values()
        return next((one.unknown_groups_error for one in interfaces if one.unknown_groups is not None), None)

    @cached_property
    def _load_balancers_by_group(self) -> Mapping[str, Sequence[LoadBalancer]]:
        index: dict[str, list[LoadBalancer]] = {}
        for _, load_balancer in sorted(self.load_balancers.items()):
            for group_id in load_balancer.security_groups:
                index.setdefault(group_id, []).append(load_balancer)
        return index

    @cached_property
    def _load_balancer_by_description(self) -> Mapping[str, LoadBalancer]:
        return {f"ELB {arn.partition(':loadbalancer/')[2]}": one for arn, one in self.load_balancers.items()}

    @cached_property
    def _inbound_rules(self) -> Mapping[tuple[object, ...], SecurityGroupRule]:
        return {
            _rule_key(rule.group_id, rule.permission, peer): rule
            for rule in (self.security_group_rules or {}).values()
            if not rule.is_egress
            for peer in rule.permission.peers
        }

    @cached_property
    def _primary_interface_by_instance(self) -> Mapping[str, NetworkInterface]:
        return primary_interface_by_instance((self.network_interfaces or {}).values())

    @cached_property
    def _target_groups_by_load_balancer(self) -> Mapping[str, list[TargetGroup]]:
        return target_groups_by_load_balancer((self.target_groups or {}).values())

    @cached_property
    def _target_groups_of_unknown_load_balancer(self) -> Mapping[str, list[TargetGroup]]:
        return target_groups_of_unknown_load_balancer((self.target_groups or {}).values())

    @cached_property
    def _vpcs_with_network_load_balancer(self) -> frozenset[str]:
        return frozenset(
            one.vpc_id
            for one in self.load_balancers.values()
            if one.type == "network" or isinstance(one.type, UnknownValue)
        )

    @cached_property
    def _alb_registrations_by_load_balancer(
        self,
    ) -> tuple[Mapping[str, tuple[tuple[TargetGroup, Target], ...]], Mapping[str, NotReadError]]:
        """Registrations by load balancer, and for each VPC the first group of type `alb` that could not be read."""
        registered: dict[str, list[tuple[TargetGroup, Target]]] = {}
        unread: dict[str, NotReadError] = {}
        of_type_alb = [group for group in (self.target_groups or {}).values() if group.may_hold_load_balancers]
        for group in sorted(of_type_alb, key=lambda group: group.arn):
            if group.load_balancer_arns == ():
                continue
            try:
                if group.load_balancer_arns is None:
                    raise _unrecorded_load_balancers(group)
                for target in self.targets_of(group):
                    if target.state != "draining":
                        registered.setdefault(target.id, []).append((group, target))
            except NotReadError as error:
                unread.setdefault(group.vpc_id, error)
        return {arn: tuple(found) for arn, found in registered.items()}, unread

    def _own_entry(self, entries: Mapping[str, T] | None, section: Section, key: str, kind: str, name: str) -> T:
        if entries is None or key not in entries:
            raise self._not_read_error(section, key, f"{kind} {name}")
        return entries[key]

    def _entry(self, entries: Mapping[str, T] | None, section: Section, key: str, kind: str, name: str) -> T:
        """The entry of this estate, else of another account or region of the run."""
        if entries is not None and key in entries:
            return entries[key]
        elsewhere: Mapping[str, T] = {} if self.other_estates is None else self.other_estates.section(section)
        if key in elsewhere:
            return elsewhere[key]
        raise self._not_read_error(section, key, f"{kind} {name}")

    def _was_read(self, section: Section) -> bool:
        return self.section(section) is not None and (section, None) not in self._failures_by_key

    def _not_read_error(self, section: Section, key: str | None, what: str) -> NotReadError:
        failure = self._failures_by_key.get((section, key)) or self._failures_by_key.get((section, None))
        if failure is not None:
            return NotReadError(what, failure.cause)
        if self.section(section) is None:
            return NotReadError(what, f"{section} of {self.account_region} was not collected")
        return NotReadError(what, f"not among the {section} collected of {self.account_region}")


def _rule_key(group_id: str, permission: Permission, peer: str) -> tuple[object, ...]:
    """What tells an inbound rule from the others of its group."""
    ports = permission.port_range if permission.has_ports else (permission.from_port, permission.to_port)
    return group_id, permission.protocol, ports, peer


def _may_be_same_vpc(vpc_id: str, other: str) -> bool:
    """Whether two resources may be of one VPC; "" is a VPC that is not known."""
    return vpc_id == other or not vpc_id or not other


def _unrecorded_load_balancers(group: TargetGroup) -> NotReadError:
    return NotReadError(f"load balancers of target group {group.name}", "LoadBalancerArns was not recorded")
