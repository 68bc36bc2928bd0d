"""One account and region as far as it was read, indexed by what a verdict asks for.

An accessor either answers or raises NotReadError: a section that was not collected, a key that a collected section
does not hold, and a call that failed are all the same to a verdict, and differ in the cause that is named.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from operator import attrgetter
from typing import Any, NamedTuple, TypeVar

from alb_sg.errors import NotReadError
from alb_sg.estate.cidr import Family, Range, parse_cidr
from alb_sg.estate.model import (
    Instance,
    Listener,
    LoadBalancer,
    NetworkInterface,
    PrefixList,
    SecurityGroup,
    SecurityGroupReference,
    Target,
    TargetGroup,
    Vpc,
)

T = TypeVar("T")


# The sections of a saved estate and the attributes that hold them.
SECTIONS = {
    "Listeners": "listeners",
    "TargetGroups": "target_groups",
    "TargetHealthDescriptions": "targets",
    "SecurityGroups": "security_groups",
    "Vpcs": "vpcs",
    "Instances": "instances",
    "NetworkInterfaces": "network_interfaces",
    "ManagedPrefixLists": "prefix_lists",
    "Tags": "tags",
}


class ReadFailure(NamedTuple):
    """Why a section, or one key of it, could not be read: `call` and `cause` as they are shown."""

    section: str
    key: str | None
    cause: str


@dataclass(frozen=True)
class Estate:
    """What was read of one account and region.

    A section that is None was not collected. `listeners` is keyed by load balancer, `targets` by target group,
    `tags` by load balancer; the others by their own id. `complete_groups` says that `security_groups` holds
    every group of the account and region; `deleted_groups` are known to exist no more.
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
    instances: Mapping[str, Instance] | None = None
    network_interfaces: Mapping[str, NetworkInterface] | None = None
    prefix_lists: Mapping[str, PrefixList] | None = None
    tags: Mapping[str, Mapping[str, str]] | None = None
    failures: tuple[ReadFailure, ...] = ()
    other_estates: OtherEstates | None = field(default=None, repr=False, compare=False)

    # --- accessors

    def listeners_of(self, load_balancer: LoadBalancer) -> tuple[Listener, ...]:
        """The listeners of a load balancer, by port."""
        return self._entry(self.listeners, "Listeners", load_balancer.arn, "listeners of", load_balancer.name)

    def targets_of(self, group: TargetGroup) -> tuple[Target, ...]:
        """The registrations in a target group."""
        return self._entry(self.targets, "TargetHealthDescriptions", group.arn, "targets of", group.name)

    def security_group(self, group_id: str) -> SecurityGroup:
        return self._entry_in_any_estate(self.security_groups, "SecurityGroups", group_id, "security group", group_id)

    def vpc(self, vpc_id: str) -> Vpc:
        return self._entry_in_any_estate(self.vpcs, "Vpcs", vpc_id, "VPC", vpc_id)

    def vpc_contains(self, vpc_id: str, family: Family, address: int) -> bool:
        """Whether an address lies in an associated CIDR block of a VPC. Raises NotReadError."""
        blocks = (parse_cidr(cidr)[1] for cidr in self.vpc(vpc_id).cidrs[family])
        return any(first <= address <= last for first, last in blocks)

    def prefix_list(self, prefix_list_id: str) -> PrefixList:
        return self._entry_in_any_estate(
            self.prefix_lists, "ManagedPrefixLists", prefix_list_id, "prefix list", prefix_list_id
        )

    def instance(self, instance_id: str) -> Instance:
        """An instance, from its own record or from that of its primary network interface."""
        if self.instances is not None and instance_id in self.instances:
            return self.instances[instance_id]
        interface = self._primary_interface_by_instance.get(instance_id)
        if interface is not None:
            return Instance(
                id=instance_id,
                ipv4_address=next(iter(interface.ipv4_addresses), None),
                ipv6_address=next(iter(interface.ipv6_addresses), None),
                groups=interface.groups,
            )
        return self._entry_in_any_estate(self.instances, "Instances", instance_id, "instance", instance_id)

    def interface_at(self, vpc_id: str, family: Family, address: int) -> NetworkInterface | None:
        """The network interface that holds an address in a VPC, itself or in a prefix delegated to it.

        None: those that were read do not hold it. Raises NotReadError where interfaces were not collected.
        """
        held = self._interface_index.find(vpc_id, family, address)
        if held is None and self.other_estates is not None:
            held = self.other_estates.interface_at(vpc_id, family, address)
        if held is None and (self.network_interfaces is None or ("NetworkInterfaces", None) in self._failures_by_key):
            raise self._not_read_error("NetworkInterfaces", None, "network interfaces")
        return held

    def tags_of(self, load_balancer: LoadBalancer) -> Mapping[str, str]:
        return self._entry(self.tags, "Tags", load_balancer.arn, "tags of", load_balancer.name)

    def target_groups_of(self, load_balancer: LoadBalancer) -> tuple[TargetGroup, ...]:
        """The target groups that a load balancer uses: in default actions, in rules, at whatever weight.

        Those that say so themselves (`LoadBalancerArns`) and those that its listeners' default actions name.
        """
        if self.target_groups is None:
            raise self._not_read_error("TargetGroups", None, f"target groups of {load_balancer.name}")
        if (failure := self._failures_by_key.get(("TargetGroups", None))) is not None:
            raise NotReadError(f"target groups of {load_balancer.name}", failure.cause)
        found = {group.arn: group for group in self._target_groups_by_load_balancer.get(load_balancer.arn, ())}
        listeners = () if self.listeners is None else self.listeners.get(load_balancer.arn, ())
        for listener in listeners:
            for arn in listener.target_group_arns:
                if arn not in found:
                    found[arn] = self._entry(self.target_groups, "TargetGroups", arn, "target group", arn)
        for group in self._target_groups_of_unknown_load_balancer.get(load_balancer.vpc_id, ()):
            if group.arn not in found:
                raise NotReadError(f"load balancers of target group {group.name}", "LoadBalancerArns was not recorded")
        return tuple([found[arn] for arn in sorted(found)])

    def alb_registrations_of(self, load_balancer: LoadBalancer) -> tuple[tuple[TargetGroup, Target], ...]:
        """The registrations of this load balancer in target groups of type `alb` that a Network Load Balancer
        uses; one whose deregistration is under way (`draining`) no longer counts.
        """
        if self.target_groups is None or ("TargetGroups", None) in self._failures_by_key:
            # Without target groups only a VPC that has no Network Load Balancer is known to have none in front.
            listed = all(failure.section != "LoadBalancers" for failure in self.failures)
            if not listed or load_balancer.vpc_id in self._vpcs_with_network_load_balancer:
                raise self._not_read_error("TargetGroups", None, f"target groups of type alb in {load_balancer.vpc_id}")
            return ()
        registered, unread = self._alb_registrations_by_load_balancer
        if (cause := unread.get(load_balancer.vpc_id)) is not None:
            raise cause
        return registered.get(load_balancer.arn, ())

    def references_deleted_group(self, reference: SecurityGroupReference) -> bool:
        """Whether a reference names a group that is known to exist no more.

        EC2 refuses to delete a group that another group of its VPC references; over a peering a reference can
        outlive its group. A group of the VPC that is not in the data was left out, not deleted.
        """
        group_id = reference.group_id
        if group_id in self.deleted_security_groups:
            return True
        return (
            self.has_all_security_groups
            and reference.peering_connection_id is not None
            and reference.owner_id == self.account_id
            and group_id not in (self.security_groups or {})
            and not (self.other_estates is not None and group_id in self.other_estates.section("SecurityGroups"))
        )

    def section(self, name: str) -> object:
        """A section by the name that saved estates give it; None where it was not collected."""
        return getattr(self, SECTIONS[name])

    # --- indexes

    @cached_property
    def _failures_by_key(self) -> Mapping[tuple[str, str | None], ReadFailure]:
        return {(failure.section, failure.key): failure for failure in self.failures}

    @cached_property
    def _interface_index(self) -> InterfaceIndex:
        return InterfaceIndex((self.network_interfaces or {}).values())

    @cached_property
    def _primary_interface_by_instance(self) -> Mapping[str, NetworkInterface]:
        return {
            interface.instance_id: interface
            for interface in (self.network_interfaces or {}).values()
            if interface.instance_id is not None and interface.device_index == 0
        }

    @cached_property
    def _target_groups_by_load_balancer(self) -> Mapping[str, list[TargetGroup]]:
        users: dict[str, list[TargetGroup]] = {}
        for group in (self.target_groups or {}).values():
            for arn in group.load_balancer_arns or ():
                if arn in users:
                    users[arn].append(group)
                else:
                    users[arn] = [group]
        return users

    @cached_property
    def _target_groups_of_unknown_load_balancer(self) -> Mapping[str, list[TargetGroup]]:
        unknown: dict[str, list[TargetGroup]] = {}
        for group in (self.target_groups or {}).values():
            if group.load_balancer_arns is None:
                unknown.setdefault(group.vpc_id, []).append(group)
        return unknown

    @cached_property
    def _vpcs_with_network_load_balancer(self) -> frozenset[str]:
        return frozenset(found.vpc_id for found in self.load_balancers.values() if found.type == "network")

    @cached_property
    def _alb_registrations_by_load_balancer(
        self,
    ) -> tuple[Mapping[str, tuple[tuple[TargetGroup, Target], ...]], Mapping[str, NotReadError]]:
        """Registrations by load balancer, and per VPC the first group of type `alb` that could not be read."""
        registered: dict[str, list[tuple[TargetGroup, Target]]] = {}
        unread: dict[str, NotReadError] = {}
        of_type_alb = [group for group in (self.target_groups or {}).values() if group.target_type == "alb"]
        for group in sorted(of_type_alb, key=lambda group: group.arn):
            if group.load_balancer_arns == ():
                continue
            try:
                if group.load_balancer_arns is None:
                    raise NotReadError(
                        f"load balancers of target group {group.name}", "LoadBalancerArns was not recorded"
                    )
                for target in self.targets_of(group):
                    if target.state != "draining":
                        registered.setdefault(target.id, []).append((group, target))
            except NotReadError as error:
                unread.setdefault(group.vpc_id, error)
        return {arn: tuple(found) for arn, found in registered.items()}, unread

    # --- reading

    def _entry(self, section: Mapping[str, T] | None, name: str, key: str, *what: str) -> T:
        if section is None or key not in section:
            raise self._not_read_error(name, key, " ".join(what))
        return section[key]

    def _entry_in_any_estate(self, section: Mapping[str, T] | None, name: str, key: str, *what: str) -> T:
        """As `_held`, and from another account or region of the run where this one lacks it."""
        if section is not None and key in section:
            return section[key]
        elsewhere: Mapping[str, T] = {} if self.other_estates is None else self.other_estates.section(name)
        if key in elsewhere:
            return elsewhere[key]
        raise self._not_read_error(name, key, " ".join(what))

    def _not_read_error(self, section: str, key: str | None, what: str) -> NotReadError:
        failure = self._failures_by_key.get((section, key)) or self._failures_by_key.get((section, None))
        if failure is not None:
            return NotReadError(what, failure.cause)
        where = f"{self.account_id} {self.region}"
        if self.section(section) is None:
            return NotReadError(what, f"{section} of {where} was not collected")
        return NotReadError(what, f"not among the {section} collected of {where}")


class InterfaceIndex:
    """Network interfaces by VPC and the addresses that they hold."""

    def __init__(self, interfaces: Iterable[NetworkInterface]) -> None:
        self._by_address: dict[tuple[str, Family, int], NetworkInterface] = {}
        self._by_prefix: dict[tuple[str, Family], list[tuple[Range, NetworkInterface]]] = {}
        for interface in sorted(interfaces, key=attrgetter("id")):
            for address in (*interface.ipv4_addresses, *interface.ipv6_addresses):
                family, (number, _) = parse_cidr(address)
                self._by_address[interface.vpc_id, family, number] = interface
            for prefix in interface.prefixes:
                family, block = parse_cidr(prefix)
                self._by_prefix.setdefault((interface.vpc_id, family), []).append((block, interface))
        for blocks in self._by_prefix.values():
            blocks.sort(key=lambda entry: entry[0])

    def find(self, vpc_id: str, family: Family, address: int) -> NetworkInterface | None:
        held = self._by_address.get((vpc_id, family, address))
        if held is not None:
            return held
        blocks = self._by_prefix.get((vpc_id, family), [])
        index = bisect_right(blocks, address, key=lambda entry: entry[0][0]) - 1
        return blocks[index][1] if index >= 0 and blocks[index][0][1] >= address else None


class CombinedSection(Mapping[str, Any]):
    """What several sections hold, the later ones before the earlier."""

    def __init__(self, sections: Iterable[Mapping[str, Any]]) -> None:
        self._section_by_key = {key: section for section in sections for key in section}

    def __getitem__(self, key: str) -> Any:
        return self._section_by_key[key][key]

    def __contains__(self, key: object) -> bool:
        return key in self._section_by_key

    def __iter__(self) -> Iterator[str]:
        return iter(self._section_by_key)

    def __len__(self) -> int:
        return len(self._section_by_key)


class OtherEstates:
    """What all estates of a run hold together, for what crosses accounts: shared VPCs, peered VPCs' interfaces
    and prefix lists that another account owns. Ids are unique across accounts and regions.
    """

    def __init__(self, estates: Iterable[Estate]) -> None:
        self._estates = tuple(estates)
        self._sections: dict[str, CombinedSection] = {}

    def section(self, name: str) -> Mapping[str, Any]:
        """One section of all estates together."""
        if name not in self._sections:
            self._sections[name] = CombinedSection(getattr(estate, SECTIONS[name]) or {} for estate in self._estates)
        return self._sections[name]

    def interface_at(self, vpc_id: str, family: Family, address: int) -> NetworkInterface | None:
        return self._interface_index.find(vpc_id, family, address)

    @cached_property
    def _interface_index(self) -> InterfaceIndex:
        sections = [estate.network_interfaces or {} for estate in self._estates]
        return InterfaceIndex(interface for section in sections for interface in section.values())


class MissTrackingSection(Mapping[str, Any]):
    """A section that notes in `asked`, after its name, what it was asked for and does not hold."""

    def __init__(self, name: str, section: Mapping[str, Any], misses: set[Any]) -> None:
        self._name = name
        self._section = section
        self._misses = misses

    def __contains__(self, key: object) -> bool:
        if key in self._section:
            return True
        self._misses.add((self._name, key))
        return False

    def __getitem__(self, key: str) -> Any:
        if key not in self:
            raise KeyError(key)
        return self._section[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._section)

    def __len__(self) -> int:
        return len(self._section)


def link_estates(estates: Iterable[Estate]) -> tuple[Estate, ...]:
    """The estates of one run, each able to see what crosses accounts and regions in the others."""
    estates = tuple(estates)
    if len(estates) < 2:
        return estates
    beyond = OtherEstates(estates)
    return tuple(replace(estate, other_estates=beyond) for estate in estates)
