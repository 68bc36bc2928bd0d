"""The facts that decide a change but no verdict: what uses a security group, who owns and manages it, its quota.

A fact that was not read raises NotReadError when a plan needs it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from alb_sg.errors import NotReadError
from alb_sg.estate.cidr import Family, family_of, is_cidr
from alb_sg.estate.estate import Estate
from alb_sg.estate.model import Instance, LoadBalancer, NetworkInterface, PrefixList, SecurityGroup, UnknownValue
from alb_sg.estate.sections import Section
from alb_sg.findings.finding import Finding, Result
from alb_sg.parameters import SECURITY_GROUP_ID
from alb_sg.permissions.addresses import AddressSet

# The sections without which a plan may lack a fact. Instances only add to the interfaces.
REQUIRED_SECTIONS = (Section.SECURITY_GROUPS, Section.NETWORK_INTERFACES, Section.LOAD_BALANCERS, Section.TAGS)


@dataclass(frozen=True, slots=True)
class AttachedResource:
    """A resource other than the load balancer. `label` names it for people. It may be registered as a target by the id
    of its instance, or by an address in `cidrs`: its own and its delegated prefixes.
    """

    label: str
    instance_id: str | None = None
    cidrs: tuple[str, ...] = ()


@dataclass(frozen=True)
class ChangeContext:
    """The facts about one load balancer's groups and those of its targets. `resources_with` gives the resources other
    than the load balancer that have a group. `unread` gives the cause for each section that is not complete."""

    groups: Mapping[str, SecurityGroup] = field(default_factory=dict)
    resources_with: Callable[[str], Iterable[AttachedResource]] = lambda _: ()
    load_balancer_tags: Mapping[str, str] = field(default_factory=dict)
    prefix_lists: Mapping[str, PrefixList] = field(default_factory=dict)
    unread: Mapping[str, str] = field(default_factory=dict)

    def group(self, group_id: str) -> SecurityGroup | None:
        """A security group; None if this account and region has no group of this id."""
        self._require(Section.SECURITY_GROUPS, f"tags and owner of {group_id}")
        return self.groups.get(group_id)

    def group_by_name(self, name: str, vpc_id: str) -> SecurityGroup | None:
        """The security group of a name in a VPC."""
        self._require(Section.SECURITY_GROUPS, f"whether a security group is called {name}")
        return next((group for group in self.groups.values() if (group.name, group.vpc_id) == (name, vpc_id)), None)

    def other_resources_with(self, group_id: str) -> tuple[str, ...]:
        """The labels of the resources that have a group, apart from the load balancer."""
        for section in (Section.NETWORK_INTERFACES, Section.LOAD_BALANCERS):
            self._require(section, f"who carries {group_id}")
        return tuple(sorted(resource.label for resource in self.resources_with(group_id)))

    def others_than_targets_with(self, group_id: str, target_ids: Collection[str]) -> tuple[str, ...]:
        """As `other_resources_with`, without the resources that are registered under one of these ids."""
        self.other_resources_with(group_id)
        # Others are registered by the id of an instance.
        cidrs = [one for one in target_ids if is_cidr(one)]
        addresses = {
            family: AddressSet.from_cidrs(family, [one for one in cidrs if family_of(one) is family])
            for family in Family
        }
        return tuple(
            sorted(
                resource.label
                for resource in self.resources_with(group_id)
                if resource.instance_id not in target_ids
                # However the addresses are spelled.
                and not any(AddressSet.from_cidrs(one, resource.cidrs).overlaps(addresses[one]) for one in Family)
            )
        )

    def require_load_balancer_tags(self) -> Mapping[str, str]:
        self._require(Section.TAGS, "tags of the load balancer")
        return self.load_balancer_tags

    def _require(self, section: Section, what: str) -> None:
        if section in self.unread:
            raise NotReadError(what, self.unread[section])


class ChangeContexts:
    """The facts about the groups of many load balancers in the estates of a run.

    The resources and prefix lists of every estate count, because accounts share security groups and prefix lists.
    """

    def __init__(self, estates: Iterable[Estate]) -> None:
        self._estates = tuple(estates)

    def of(self, estate: Estate, load_balancer: LoadBalancer) -> ChangeContext:
        """The facts about one load balancer of `estate`."""

        def resources_with(group_id: str) -> Iterator[AttachedResource]:
            resources = (carrier.resource_beside(load_balancer) for carrier in self._carriers.get(group_id, ()))
            return (resource for resource in resources if resource is not None)

        return ChangeContext(
            groups=estate.security_groups or {},
            resources_with=resources_with,
            load_balancer_tags=(estate.tags or {}).get(load_balancer.arn, {}),
            prefix_lists=self._prefix_lists,
            unread=_unread_sections(estate),
        )

    @cached_property
    def _prefix_lists(self) -> Mapping[str, PrefixList]:
        return {key: value for estate in self._estates for key, value in (estate.prefix_lists or {}).items()}

    @cached_property
    def _carriers(self) -> Mapping[str, Sequence[_Carrier]]:
        """What carries each security group."""
        carriers: dict[str, list[_Carrier]] = {}
        for carrier in _carriers(self._estates):
            for group_id in carrier.group_ids:
                carriers.setdefault(group_id, []).append(carrier)
        return carriers


def incomplete_change_context(
    estate: Estate, load_balancer: LoadBalancer, results: Iterable[Result], cause: str
) -> ChangeContext:
    """The facts in an estate that was read for verdicts only: not who carries and manages a group, for this cause.

    A group that a new rule could refer to and that was not read counts as one of the load balancer's VPC. No plan that
    depends on it is made, because it depends on the unread facts too; it only describes the rules to add.
    """
    read = estate.security_groups or {}
    presumed = {
        group_id: SecurityGroup(group_id, "", load_balancer.vpc_id, (), ())
        for group_id in groups_to_read(load_balancer, results)
        if group_id not in read and not estate.has_all_security_groups
    }
    return ChangeContext(
        groups={**presumed, **read} if presumed else read,
        unread={section: cause for section in REQUIRED_SECTIONS if section is not Section.SECURITY_GROUPS},
    )


def unknown_change_context(cause: str) -> ChangeContext:
    """A context without any fact, for one cause."""
    return ChangeContext(unread=dict.fromkeys(REQUIRED_SECTIONS, cause))


def groups_to_read(load_balancer: LoadBalancer, results: Iterable[Result]) -> frozenset[str]:
    """The load balancer's groups, those of targets that lack a rule, and the groups that a new rule could refer to."""
    missing = [entry for result in results if isinstance(result, Finding) for entry in result.missing]
    peers = {peer for entry in missing for peer in (*entry.or_security_groups, *entry.required)}
    of_targets = {group_id for entry in missing for group_id in entry.security_groups}
    return frozenset({*load_balancer.security_groups, *filter(SECURITY_GROUP_ID.fullmatch, peers), *of_targets})


def elb_interface_description(load_balancer_arn: str) -> str:
    """How Elastic Load Balancing describes a load balancer's interfaces: `ELB app/name/id`. Anybody can write that."""
    return f"ELB {load_balancer_arn.partition(':loadbalancer/')[2]}"


def attached_interface(interface: NetworkInterface, load_balancer_arn: str) -> AttachedResource | None:
    """An interface as a resource of its own; None if it is the load balancer's: one that the service created."""
    is_own = interface.description == elb_interface_description(load_balancer_arn)
    if interface.is_elb_managed and is_own:
        return None
    name = f"network interface {interface.id}"
    label = f"{name} ({interface.description})" if interface.description else name
    return AttachedResource(label, interface.instance_id, _held_cidrs(interface))


def _held_cidrs(interface: NetworkInterface) -> tuple[str, ...]:
    """The addresses of an interface and the prefixes that are delegated to it."""
    return (*interface.ipv4_addresses, *interface.ipv6_addresses, *interface.prefixes)


def _unread_sections(estate: Estate) -> dict[str, str]:
    where = f"{estate.account_id} {estate.region}"
    missing = {
        section: f"{section} of {where} was not collected"
        for section in REQUIRED_SECTIONS
        if section is not Section.LOAD_BALANCERS and estate.section(section) is None
    }
    interfaces = (estate.network_interfaces or {}).values()
    unknown = next((one.unknown_groups_error for one in interfaces if one.unknown_groups is not None), None)
    # The record of an instance may not tell the groups of all its interfaces.
    of_instances = ((instance, instance.interfaces) for instance in (estate.instances or {}).values())
    unknown = unknown or next(
        (one.error(f"instance {instance.id}") for instance, one in of_instances if isinstance(one, UnknownValue)), None
    )
    if unknown is not None:
        # It may carry any group.
        missing[Section.NETWORK_INTERFACES] = str(unknown)
    return missing | {failure.section: failure.cause for failure in estate.failures if failure.key is None}


class _Carrier(NamedTuple):
    """An interface, an instance or a load balancer with its security groups. `node_cidrs` are those of a load
    balancer's interfaces: another load balancer may have them as targets."""

    group_ids: frozenset[str]
    resource: NetworkInterface | Instance | LoadBalancer
    node_cidrs: tuple[str, ...] = ()

    def resource_beside(self, load_balancer: LoadBalancer) -> AttachedResource | None:
        """It as a resource other than the load balancer; None if it is the load balancer's own."""
        match self.resource:
            case NetworkInterface():
                return attached_interface(self.resource, load_balancer.arn)
            case Instance():
                return AttachedResource(f"instance {self.resource.id}", self.resource.id)
            case LoadBalancer():
                if self.resource.arn == load_balancer.arn:
                    return None
                return AttachedResource(f"load balancer {self.resource.name}", cidrs=self.node_cidrs)


def _carriers(estates: Sequence[Estate]) -> Iterator[_Carrier]:
    interfaces = {key: value for estate in estates for key, value in (estate.network_interfaces or {}).items()}
    node_cidrs: dict[str, tuple[str, ...]] = {}
    for interface in interfaces.values():
        yield _Carrier(frozenset(interface.groups), interface)
        if interface.is_elb_managed:
            known = node_cidrs.get(interface.description, ())
            node_cidrs[interface.description] = (*known, *_held_cidrs(interface))
    for estate in estates:
        for instance in (estate.instances or {}).values():
            yield _Carrier(_groups_of_unlisted_interfaces(instance, interfaces), instance)
        for other in estate.load_balancers.values():
            nodes = node_cidrs.get(elb_interface_description(other.arn), ())
            yield _Carrier(frozenset(other.security_groups), other, nodes)


def _groups_of_unlisted_interfaces(instance: Instance, interfaces: Mapping[str, object]) -> frozenset[str]:
    """The groups of those interfaces of an instance that the estates do not hold themselves."""
    if not instance.interfaces or isinstance(instance.interfaces, UnknownValue):
        return frozenset(instance.groups)
    unlisted = (interface for interface in instance.interfaces if interface.id not in interfaces)
    return frozenset(group_id for interface in unlisted for group_id in interface.groups)
