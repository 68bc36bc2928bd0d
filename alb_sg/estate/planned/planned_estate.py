"""The estate that a plan or template makes, alone or over the estate that exists (semantics §13).

A planned resource that does not exist yet has its address as its identifier, so that every text shows the address.
Unknown values stay unknown: nothing here takes one from the estate that exists.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NamedTuple, TypeVar

from alb_sg.aws.account_region import AccountRegion
from alb_sg.aws.arns import account_id_of, listener_load_balancer_arn, region_of
from alb_sg.errors import InvalidInputError, NotReadError
from alb_sg.estate.cidr import Family, InvalidCidrError, parse_cidr
from alb_sg.estate.estate import Estate, ReadFailure
from alb_sg.estate.from_api import IP_ADDRESS_TYPES, LISTENER_PROTOCOLS, LOAD_BALANCER_TYPES, SCHEMES, TARGET_TYPES
from alb_sg.estate.indexing import listeners_by_load_balancer, ordered_targets
from alb_sg.estate.model import (
    Instance,
    Listener,
    LoadBalancer,
    NetworkInterface,
    Permission,
    PrefixList,
    SecurityGroup,
    Target,
    TargetGroup,
    UnknownValue,
    Vpc,
)
from alb_sg.estate.other_accounts import link_estates
from alb_sg.estate.planned import resource_types as types
from alb_sg.estate.planned.resources import (
    Action,
    Location,
    PlannedResource,
    ResourceReference,
    Scenario,
    UnknownPlannedValue,
)
from alb_sg.estate.planned.security_group_rules import (
    ALL_TRAFFIC,
    Rules,
    default_group,
    read_rule,
    read_rules,
    rules_of,
    split_rules,
    tags_of,
    with_rules,
    with_rules_taken_away,
)
from alb_sg.estate.planned.values import (
    DEFAULT_SECURITY_GROUP,
    PlannedValues,
    Properties,
    default_group_id,
    resource_id,
    unknown_text,
    unknown_value,
)
from alb_sg.estate.sections import Section

ModelT = TypeVar("ModelT", bound=NamedTuple)

# What would settle a value that the document does not hold.
OVER_AN_ACCOUNT = "judge over the account with --region, or over a saved estate with --estate"
_NOT_IN_DOCUMENT = f"the plan or template does not hold it; {OVER_AN_ACCOUNT}"
_FAMILIES = {"ipv4": Family.IPV4, "ipv6": Family.IPV6}
_NEW = frozenset({Action.CREATE, Action.REPLACE})
# The sections whose resources other stacks and states hold as well.
_PARTIAL_SECTIONS = (
    Section.SECURITY_GROUPS,
    Section.VPCS,
    Section.INSTANCES,
    Section.NETWORK_INTERFACES,
    Section.MANAGED_PREFIX_LISTS,
)


@dataclass(frozen=True)
class PlannedEstates:
    """The estates after the change, one for each account and region.

    `touched` are the identifiers of what the document creates, changes, deletes or adds rules and targets to;
    `documented` are those of the load balancers that it describes, `locations` where it describes them, and `replaced`
    the ARNs that load balancers have before they are replaced.
    """

    estates: tuple[Estate, ...]
    touched: frozenset[str] = frozenset()
    documented: frozenset[str] = frozenset()
    locations: Mapping[str, Location] = field(default_factory=dict)
    replaced: Mapping[str, str] = field(default_factory=dict)

    def is_affected(self, estate: Estate, load_balancer: LoadBalancer) -> bool:
        """Whether the document describes a load balancer, or touches something that its verdicts depend on."""
        if load_balancer.arn in self.documented or load_balancer.vpc_id in self.touched:
            return True
        if load_balancer.arn in self.touched or not self.touched.isdisjoint(load_balancer.security_groups):
            return True
        try:
            groups = estate.target_groups_of(load_balancer)
            targets = {target.id for group in groups for target in estate.targets_of(group)}
        except NotReadError:
            return True
        prefix_lists = {
            prefix_list_id
            for group_id in load_balancer.security_groups
            for rule in _rules_of_group(estate, group_id)
            for prefix_list_id in rule.prefix_list_ids
        }
        return not self.touched.isdisjoint({*(group.arn for group in groups), *targets, *prefix_lists})


def planned_estates(scenario: Scenario, base: Sequence[Estate] = ()) -> PlannedEstates:
    """The estates after a scenario. `base` are those before it; without any, the document stands alone.

    Raises InvalidInputError where it is not known to which of several accounts and regions a resource belongs.
    """
    values = PlannedValues(scenario.resources)
    homes = _homes(scenario.resources, base)
    by_home: dict[AccountRegion, list[PlannedResource]] = {one.account_region: [] for one in base}
    for resource, home in zip(scenario.resources, homes, strict=True):
        by_home.setdefault(home, []).append(resource)
    before = {one.account_region: one for one in base}
    builders = [
        _EstateBuilder(values, resources, before.get(home), home, scenario.resources)
        for home, resources in by_home.items()
    ]
    built = [builder.build() for builder in builders]
    load_balancers = [one for one in scenario.resources if one.type == types.LOAD_BALANCER]
    return PlannedEstates(
        link_estates(sorted(built, key=lambda one: one.account_region)),
        frozenset[str]().union(*(builder.touched for builder in builders)),
        frozenset(resource_id(one) for one in load_balancers if one.action is not Action.DELETE),
        {resource_id(one): one.location for one in scenario.resources if one.location is not None},
        {one.address: one.physical_id for one in load_balancers if one.action is Action.REPLACE and one.physical_id},
    )


def _rules_of_group(estate: Estate, group_id: str) -> tuple[Permission, ...]:
    group = (estate.security_groups or {}).get(group_id)
    return () if group is None else (*group.ingress, *group.egress)


def _homes(resources: Sequence[PlannedResource], base: Sequence[Estate]) -> list[AccountRegion]:
    """The account and region of each resource; "" for what nobody tells."""
    own = [(_account_of(one), _region_of(one)) for one in resources]
    known = [AccountRegion(account or "", region or "") for account, region in own if account or region]
    choices = [one.account_region for one in base]
    if not choices:
        accounts = {one.account_id for one in known if one.account_id}
        regions = {one.region for one in known if one.region}
        account = next(iter(accounts)) if len(accounts) == 1 else ""
        region = next(iter(regions)) if len(regions) == 1 else ""
        return [AccountRegion(of or account, where or region) for of, where in own]
    homes = []
    for resource, (account_id, where) in zip(resources, own, strict=True):
        fitting = [one for one in choices if account_id in (None, one.account_id) and where in (None, one.region)]
        if len(fitting) > 1:
            named = ", ".join(map(str, fitting[:4]))
            raise InvalidInputError(
                f"{resource.address}: the document does not tell which of these accounts and regions it is for: "
                f"{named}; give the one estate that it changes"
            )
        homes.append(fitting[0] if fitting else AccountRegion(account_id or "", where or ""))
    return homes


def _account_of(resource: PlannedResource) -> str | None:
    return resource.account_id or (account_id_of(resource.physical_id or "") or None)


def _region_of(resource: PlannedResource) -> str | None:
    return resource.region or (region_of(resource.physical_id or "") or None)


class _Members(NamedTuple):
    """The security groups and subnets of targets whose addresses are not known."""

    groups: tuple[str, ...]
    unknown_groups: UnknownValue | None
    subnets: tuple[Any, ...]


class _EstateBuilder:
    """Builds the estate of one account and region."""

    def __init__(
        self,
        values: PlannedValues,
        resources: Sequence[PlannedResource],
        base: Estate | None,
        home: AccountRegion,
        all_resources: Sequence[PlannedResource],
    ) -> None:
        self._values = values
        self._base = base
        self._home = home
        self._by_type: dict[str, list[PlannedResource]] = {}
        for resource in resources:
            self._by_type.setdefault(resource.type, []).append(resource)
        self._all_by_id = {resource_id(one): one for one in all_resources if one.action is not Action.DELETE}
        self.touched: set[str] = set()
        before = Estate(home.account_id, home.region) if base is None else base
        self._failures: list[ReadFailure] = list(before.failures)
        self._load_balancers = dict(before.load_balancers)
        self._listeners = {one.arn: one for found in (before.listeners or {}).values() for one in found}
        self._target_groups = _copy(before.target_groups)
        self._targets: dict[str, list[Target]] = {arn: list(found) for arn, found in _copy(before.targets).items()}
        self._security_groups = _copy(before.security_groups)
        self._vpcs = _copy(before.vpcs)
        self._instances = _copy(before.instances)
        self._interfaces = _copy(before.network_interfaces)
        self._prefix_lists = _copy(before.prefix_lists)
        self._tags = _copy(before.tags)
        self._deleted_groups: set[str] = set(before.deleted_security_groups)

    def build(self) -> Estate:
        self._build_prefix_lists()
        self._build_vpcs()
        self._build_security_groups()
        self._build_instances()
        self._build_load_balancers()
        self._build_listeners()
        self._build_target_groups()
        self._build_targets()
        before = Estate(self._home.account_id, self._home.region) if self._base is None else self._base
        if self._base is None:
            self._failures += [ReadFailure(section, None, _NOT_IN_DOCUMENT) for section in _PARTIAL_SECTIONS]
        return replace(
            before,
            load_balancers=self._load_balancers,
            listeners=self._section(
                before.listeners, listeners_by_load_balancer(self._load_balancers, self._listeners.values())
            ),
            target_groups=self._section(before.target_groups, self._target_groups),
            targets=self._section(
                before.targets, {arn: ordered_targets(found) for arn, found in self._targets.items()}
            ),
            security_groups=self._section(before.security_groups, self._security_groups),
            deleted_security_groups=frozenset(self._deleted_groups),
            vpcs=self._section(before.vpcs, self._vpcs),
            instances=self._section(before.instances, self._instances),
            network_interfaces=self._section(before.network_interfaces, self._interfaces),
            prefix_lists=self._section(before.prefix_lists, self._prefix_lists),
            tags=self._section(before.tags, self._tags),
            failures=tuple(self._failures),
            is_planned=True,
        )

    def _section(self, before: Mapping[str, Any] | None, after: dict[str, Any]) -> dict[str, Any] | None:
        """A section; None where the base did not collect it and the document adds nothing to it."""
        return after if self._base is None or before is not None or after else None

    # --- resources

    def _each(self, resource_type: str) -> Iterator[PlannedResource]:
        """The resources of a type that exist after the change."""
        return (one for one in self._by_type.get(resource_type, ()) if one.action is not Action.DELETE)

    def _deleted(self, resource_type: str) -> Iterator[str]:
        """The identifiers of a type that the change deletes or replaces."""
        for one in self._by_type.get(resource_type, ()):
            if one.action in (Action.DELETE, Action.REPLACE) and one.physical_id is not None:
                self.touched.add(one.physical_id)
                yield one.physical_id

    def _after(self, resource: PlannedResource) -> Properties:
        if resource.action is not Action.KEEP:
            self.touched.add(resource_id(resource))
        return Properties(self._values, resource.properties)

    def _before(self, resource: PlannedResource) -> Properties | None:
        return None if resource.before is None else Properties(self._values, resource.before)

    def _overlay(
        self,
        resource: PlannedResource,
        existing: ModelT | None,
        read: Callable[[str, Properties], ModelT],
    ) -> ModelT:
        """A resource after the change. Of one that exists, only what the change changes differs from the base."""
        identifier = resource_id(resource)
        after = read(identifier, self._after(resource))
        if existing is None or resource.action in _NEW:
            return after
        before = self._before(resource)
        if before is None:
            return existing if resource.action is Action.KEEP else after
        was = read(identifier, before)
        changed = {name: new for name, new, old in zip(after._fields, after, was, strict=True) if new != old}
        return existing._replace(**changed)

    # --- VPCs and prefix lists

    def _build_prefix_lists(self) -> None:
        for identifier in self._deleted(types.PREFIX_LIST):
            self._prefix_lists.pop(identifier, None)
        entries: dict[str, list[Any]] = {}
        for one in self._each(types.PREFIX_LIST_ENTRY):
            properties = self._after(one)
            entries.setdefault(str(properties.get("PrefixListId")), []).append(properties.get("Cidr"))
        removed: dict[str, list[Any]] = {}
        for one in self._by_type.get(types.PREFIX_LIST_ENTRY, ()):
            before = self._before(one)
            if before is not None and one.action is not Action.KEEP:
                removed.setdefault(str(before.get("PrefixListId")), []).append(before.get("Cidr"))
        for one in self._each(types.PREFIX_LIST):
            identifier = resource_id(one)
            read = self._overlay(one, self._prefix_lists.get(identifier), self._read_prefix_list)
            if isinstance(read.entries, tuple):
                self._prefix_lists[identifier] = read
        for identifier in entries.keys() | removed.keys():
            known = self._prefix_lists.get(identifier)
            if known is None or known.entries is None:
                continue
            added = entries.get(identifier, [])
            if all(isinstance(cidr, str) for cidr in added):
                kept = [cidr for cidr in known.entries if cidr not in removed.get(identifier, ())]
                self._prefix_lists[identifier] = known._replace(entries=tuple(dict.fromkeys((*kept, *added))))
            else:
                del self._prefix_lists[identifier]
                self._fail(Section.MANAGED_PREFIX_LISTS, identifier, "an entry is not known yet")
            self.touched.add(identifier)

    def _read_prefix_list(self, identifier: str, properties: Properties) -> PrefixList:
        named = properties.one_of("AddressFamily", tuple(_FAMILIES), "")
        name = properties.text("PrefixListName")
        cidrs: list[str] = []
        for entry in properties.objects("Entries"):
            cidr = entry if isinstance(entry, UnknownPlannedValue) else entry.get("Cidr")
            if not isinstance(cidr, str):
                cause = unknown_text(cidr) if isinstance(cidr, UnknownPlannedValue) else f"{cidr!r} is not a CIDR block"
                self._fail(Section.MANAGED_PREFIX_LISTS, identifier, f"its entries are not known: {cause}")
                return PrefixList(identifier, str(name or identifier), None, None)
            cidrs.append(cidr)
        family = _FAMILIES.get(named) if isinstance(named, str) else None
        return PrefixList(identifier, name if isinstance(name, str) else identifier, family, tuple(cidrs))

    def _build_vpcs(self) -> None:
        for identifier in self._deleted(types.VPC):
            self._vpcs.pop(identifier, None)
        blocks = self._vpc_blocks(self._each(types.VPC_CIDR_BLOCK), self._after)
        for one in self._each(types.VPC):
            identifier = resource_id(one)
            added = blocks.pop(identifier, [])

            def read(
                identifier: str,
                properties: Properties,
                added: Sequence[Properties] = added,
                resource: PlannedResource = one,
            ) -> Vpc:
                return self._read_vpc(identifier, properties, added, resource)

            self._vpcs[identifier] = self._overlay(one, self._vpcs.get(identifier), read)
        # Blocks of a VPC that the document does not hold.
        for identifier, added in blocks.items():
            known = self._vpcs.get(identifier)
            if known is None:
                known = Vpc(identifier, {Family.IPV4: (), Family.IPV6: ()}, _unknown_blocks(_NOT_IN_DOCUMENT))
            cidrs, unknown = dict(known.cidrs), dict(known.unknown_cidrs)
            for properties in added:
                _add_blocks(properties, cidrs, unknown)
            self._vpcs[identifier] = Vpc(identifier, cidrs, unknown)
            self.touched.add(identifier)
        if self._base is not None:
            gone = [one for one in self._by_type.get(types.VPC_CIDR_BLOCK, ()) if one.action is Action.DELETE]
            for identifier, removed in self._vpc_blocks(gone, self._before).items():
                known = self._vpcs.get(identifier)
                if known is not None:
                    lost = {properties.get(name) for properties in removed for name in ("CidrBlock", "Ipv6CidrBlock")}
                    cidrs = {of: tuple(one for one in found if one not in lost) for of, found in known.cidrs.items()}
                    self._vpcs[identifier] = known._replace(cidrs=cidrs)
                    self.touched.add(identifier)

    def _vpc_blocks(
        self, resources: Iterable[PlannedResource], properties_of: Callable[[PlannedResource], Properties | None]
    ) -> dict[str, list[Properties]]:
        found: dict[str, list[Properties]] = {}
        for one in resources:
            properties = properties_of(one)
            vpc_id = None if properties is None else properties.text("VpcId")
            if properties is not None and isinstance(vpc_id, str):
                found.setdefault(vpc_id, []).append(properties)
            elif isinstance(vpc_id, UnknownValue):
                # It may be a block of any VPC of the document.
                for vpc in self._each(types.VPC):
                    found.setdefault(resource_id(vpc), []).append(
                        Properties(self._values, {"CidrBlock": UnknownPlannedValue(vpc_id.text)})
                    )
        return found

    def _read_vpc(
        self, identifier: str, properties: Properties, added: Sequence[Properties], resource: PlannedResource
    ) -> Vpc:
        cidrs: dict[Family, tuple[str, ...]] = {Family.IPV4: (), Family.IPV6: ()}
        unknown: dict[Family, UnknownValue] = {}
        _add_blocks(properties, cidrs, unknown)
        for one in added:
            _add_blocks(one, cidrs, unknown)
        associations = properties.get("CidrBlockAssociations")
        if isinstance(associations, list | tuple):
            for association in properties.objects("CidrBlockAssociations"):
                if isinstance(association, Properties):
                    _add_blocks(association, cidrs, unknown)
        elif self._base is None and resource.action not in _NEW:
            cause = f"the plan or template does not tell all blocks of a VPC that exists; {OVER_AN_ACCOUNT}"
            unknown = {**_unknown_blocks(cause), **unknown}
        return Vpc(identifier, cidrs, unknown)

    def _vpc_of_subnets(self, subnets: Iterable[Any]) -> str | UnknownValue | None:
        """The VPC of the first subnet whose VPC is known."""
        unknown: UnknownValue | None = None
        for subnet in subnets:
            if isinstance(subnet, UnknownPlannedValue):
                unknown = unknown or unknown_value("Subnets", subnet)
                continue
            planned = self._all_by_id.get(subnet) if isinstance(subnet, str) else None
            if planned is None or planned.type != types.SUBNET:
                cause = f"the plan or template does not hold subnet {subnet}; {OVER_AN_ACCOUNT}"
                unknown = unknown or UnknownValue("VpcId", cause)
                continue
            vpc_id = Properties(self._values, planned.properties).text("VpcId")
            if isinstance(vpc_id, str):
                return vpc_id
            unknown = unknown or vpc_id
        return unknown

    def _blocks_of_subnets(self, subnets: Sequence[Any]) -> tuple[str, ...]:
        """The blocks of subnets; empty where one of them is not known."""
        blocks: list[str] = []
        for subnet in subnets:
            planned = self._all_by_id.get(subnet) if isinstance(subnet, str) else None
            if planned is None or planned.type != types.SUBNET:
                return ()
            properties = Properties(self._values, planned.properties)
            for name in ("CidrBlock", "Ipv6CidrBlock"):
                block = properties.get(name)
                if isinstance(block, str) and _is_cidr(block):
                    blocks.append(block)
                elif block is not None:
                    return ()
        return tuple(dict.fromkeys(blocks))

    def _known_vpc_id(self, vpc_id: str | UnknownValue | None, owner: str) -> str:
        """A VPC's identifier. One that is not known gets an identifier that says whose VPC it is."""
        if isinstance(vpc_id, str):
            if vpc_id not in self._vpcs and self._base is None and vpc_id not in self._all_by_id:
                self._vpcs[vpc_id] = Vpc(vpc_id, {Family.IPV4: (), Family.IPV6: ()}, _unknown_blocks(_NOT_IN_DOCUMENT))
            return vpc_id
        cause = f"VpcId is not in the document; {OVER_AN_ACCOUNT}" if vpc_id is None else vpc_id.text
        identifier = f"of {owner}"
        self._vpcs[identifier] = Vpc(identifier, {Family.IPV4: (), Family.IPV6: ()}, _unknown_blocks(cause))
        return identifier

    # --- security groups

    def _build_security_groups(self) -> None:
        for identifier in self._deleted(types.SECURITY_GROUP):
            self._security_groups.pop(identifier, None)
            self._deleted_groups.add(identifier)
        for one in self._each(types.SECURITY_GROUP):
            self._add_security_group(one)
        self._apply_rules(types.SECURITY_GROUP_INGRESS, "ingress")
        self._apply_rules(types.SECURITY_GROUP_EGRESS, "egress")

    def _add_security_group(self, resource: PlannedResource) -> None:
        identifier = resource_id(resource)
        existing = self._security_groups.get(identifier)
        after = self._after(resource)
        name, vpc_id = after.text("GroupName"), after.text("VpcId")
        tags = tags_of(after.get_all("Tags"))
        ingress, egress = (self._inline_rules(resource, after, direction) for direction in ("ingress", "egress"))
        owner = after.text("OwnerId")
        group = SecurityGroup(
            identifier,
            name if isinstance(name, str) else identifier,
            self._known_vpc_id(vpc_id, f"security group {resource.address}") if vpc_id is not None else "",
            split_rules(ingress.known),
            split_rules(egress.known),
            owner if isinstance(owner, str) else self._home.account_id or None,
            tags if isinstance(tags, Mapping) else {},
            ingress.unknown,
            egress.unknown,
        )
        if existing is None or resource.action in _NEW:
            self._security_groups[identifier] = group
            return
        before = self._before(resource)
        if resource.action is Action.KEEP:
            return
        for direction, rules in (("ingress", ingress), ("egress", egress)):
            current = rules_of(existing, direction)
            if before is None:
                # The rules that exist beside the document's own may be removed with it, or be those of others.
                others = with_rules_taken_away(current, rules)
                cause = "what the change does to rules that exist and are not in it is not known"
                unsure = tuple(UnknownValue(f"rules ({direction})", cause) for _ in others.known[:1])
                updated = Rules(rules.known, (*rules.unknown, *current.unknown, *unsure))
            else:
                was = self._inline_rules(resource, before, direction)
                kept = with_rules_taken_away(current, with_rules_taken_away(was, rules))
                updated = kept | with_rules_taken_away(rules, was) | Rules(unknown=rules.unknown)
            existing = with_rules(existing, direction, updated)
        self._security_groups[identifier] = existing

    def _inline_rules(self, resource: PlannedResource, properties: Properties, direction: str) -> Rules:
        name = "SecurityGroupIngress" if direction == "ingress" else "SecurityGroupEgress"
        if name not in properties and direction == "egress":
            # CreateSecurityGroup adds it (EC2 API reference); a reader whose tool removes it writes an empty list.
            return Rules(split_rules([ALL_TRAFFIC]))
        return read_rules(resource.address, direction, properties.objects(name), resource_id(resource))

    def _apply_rules(self, resource_type: str, direction: str) -> None:
        """The rules that are resources of their own: first those that go, then those that come."""
        added: dict[str, Rules] = {}
        removed: dict[str, Rules] = {}
        anywhere = Rules()
        for one in self._by_type.get(resource_type, ()):
            before = self._before(one)
            if before is not None and one.action is not Action.KEEP:
                group_id = before.text("GroupId")
                if isinstance(group_id, str):
                    removed[group_id] = removed.get(group_id, Rules()) | read_rule(
                        one.address, direction, before, group_id
                    )
            if one.action is Action.DELETE:
                continue
            after = Properties(self._values, one.properties)
            group_id = after.text("GroupId")
            if not isinstance(group_id, str):
                cause = f"GroupId is missing in {one.address}" if group_id is None else group_id.text
                anywhere |= Rules(unknown=(UnknownValue(f"GroupId of {one.address}", cause),))
                continue
            if one.action is Action.KEEP and self._base is not None and group_id in self._security_groups:
                # The base holds it as it is.
                continue
            if one.action is not Action.KEEP:
                self.touched.add(group_id)
            added[group_id] = added.get(group_id, Rules()) | read_rule(one.address, direction, after, group_id)
        for group_id in removed.keys() | added.keys():
            self.touched.update([group_id] if group_id in removed else [])
            group = self._security_groups.get(group_id) or self._group_elsewhere(group_id)
            if group is None:
                continue
            current = with_rules_taken_away(rules_of(group, direction), removed.get(group_id, Rules()))
            self._security_groups[group_id] = with_rules(group, direction, current | added.get(group_id, Rules()))
        if anywhere.unknown:
            for resource in self._each(types.SECURITY_GROUP):
                group = self._security_groups[resource_id(resource)]
                self._security_groups[group.id] = with_rules(group, direction, rules_of(group, direction) | anywhere)

    def _group_elsewhere(self, group_id: str) -> SecurityGroup | None:
        """A group that the document adds rules to and does not hold: nothing else is known about it."""
        planned = self._all_by_id.get(group_id)
        if planned is not None:
            # It belongs to another account or region of the document.
            return None
        if self._base is not None:
            return None
        vpc = self._vpc_of_default_group(group_id)
        if vpc is not None:
            return default_group(group_id, vpc)
        other = UnknownValue("other rules", f"the plan or template does not hold the group; {OVER_AN_ACCOUNT}")
        return SecurityGroup(group_id, group_id, "", (), (), unknown_ingress=(other,), unknown_egress=(other,))

    def _vpc_of_default_group(self, group_id: str) -> str | None:
        """The new VPC whose default group this identifier stands for."""
        for one in self._each(types.VPC):
            if one.action in _NEW and default_group_id(resource_id(one)) == group_id:
                return resource_id(one)
        return None

    def _default_group(self, vpc_id: str) -> str:
        """The default security group of a VPC: that of the document or the base, or of a new VPC."""
        for one in self._security_groups.values():
            if one.name == "default" and one.vpc_id == vpc_id:
                found: str = one.id
                return found
        identifier = default_group_id(vpc_id)
        if self._vpc_of_default_group(identifier) is not None:
            self._security_groups[identifier] = default_group(identifier, vpc_id)
        else:
            self._fail(Section.SECURITY_GROUPS, identifier, _NOT_IN_DOCUMENT)
        return identifier

    def _group_ids(self, owner: str, elements: Iterable[Any]) -> tuple[str, ...]:
        """Security groups. One that is not known gets an identifier that says so, and is never read."""
        found: list[str] = []
        for element in elements:
            if isinstance(element, str):
                vpc_id = self._vpc_of_default_group(element)
                found.append(element if vpc_id is None else self._default_group(vpc_id))
                continue
            cause = unknown_text(element) if isinstance(element, UnknownPlannedValue) else f"{element!r} is no group"
            identifier = f"of {owner} that is not known yet"
            self._fail(Section.SECURITY_GROUPS, identifier, cause)
            found.append(identifier)
        return tuple(sorted(set(found)))

    def _fail(self, section: Section, key: str, cause: str) -> None:
        self._failures.append(ReadFailure(section, key, cause))

    # --- instances

    def _build_instances(self) -> None:
        for identifier in self._deleted(types.INSTANCE):
            self._instances.pop(identifier, None)
            self._interfaces = {key: one for key, one in self._interfaces.items() if one.instance_id != identifier}
        for identifier in self._deleted(types.NETWORK_INTERFACE):
            self._interfaces.pop(identifier, None)
        attached = self._attached_groups()
        for one in self._each(types.NETWORK_INTERFACE):
            self._add_interface(one, attached)
        for one in self._each(types.INSTANCE):
            identifier = resource_id(one)
            if one.action is Action.KEEP and self._base is not None and identifier in self._instances:
                continue
            members = self._instance_members(one.address, self._after(one), attached.get(identifier, ()))
            address = self._after(one).get("PrivateIpAddress")
            known = self._instances.get(identifier)
            if known is not None and one.action is Action.UPDATE:
                before = self._before(one)
                was = None if before is None else self._instance_members(one.address, before, ())
                if was is None or (was.groups, was.unknown_groups) != (members.groups, members.unknown_groups):
                    known = known._replace(groups=members.groups, unknown_groups=members.unknown_groups)
                self._instances[identifier] = known
            else:
                self._instances[identifier] = self._members_record(identifier, members, address)
        for group_id, added in attached.items():
            known = self._instances.get(group_id)
            if known is not None and self._base is not None:
                self._instances[group_id] = known._replace(groups=tuple(sorted({*known.groups, *added})))

    def _attached_groups(self) -> dict[str, tuple[str, ...]]:
        """Groups by the interface, or by the instance whose primary interface it is."""
        found: dict[str, tuple[str, ...]] = {}
        for one in self._each(types.INTERFACE_SECURITY_GROUP):
            if one.action is Action.KEEP and self._base is not None:
                continue
            properties = self._after(one)
            interface = properties.text("NetworkInterfaceId")
            if isinstance(interface, str):
                self.touched.add(interface)
                groups = self._group_ids(one.address, [properties.get("SecurityGroupId")])
                found[interface] = (*found.get(interface, ()), *groups)
        return found

    def _add_interface(self, resource: PlannedResource, attached: Mapping[str, tuple[str, ...]]) -> None:
        identifier = resource_id(resource)
        if resource.action is Action.KEEP and self._base is not None and identifier in self._interfaces:
            return
        properties = self._after(resource)
        groups = self._group_ids(resource.address, properties.elements("GroupSet"))
        address = properties.get("PrivateIpAddress")
        vpc_id = self._vpc_of_subnets(properties.elements("SubnetId"))
        if isinstance(address, str) and isinstance(vpc_id, str) and groups:
            self._interfaces[identifier] = NetworkInterface(
                identifier, vpc_id, (*groups, *attached.get(identifier, ())), (address,), (), (), None, None
            )

    def _instance_members(self, address: str, properties: Properties, attached: Sequence[str]) -> _Members:
        """The groups of the primary interface and the subnet of an instance or a launch template's instances."""
        subnets = properties.elements("SubnetId")
        elements: list[Any] = [
            *properties.elements("SecurityGroupIds"),
            *(
                one if isinstance(one, str) and one in self._all_by_id else UnknownPlannedValue(f"group name {one}")
                for one in properties.elements("SecurityGroups")
                if not isinstance(one, UnknownPlannedValue) or not properties.elements("SecurityGroupIds")
            ),
        ]
        for interface in properties.objects("NetworkInterfaces"):
            if isinstance(interface, UnknownPlannedValue):
                elements.append(interface)
                continue
            if (interface.number("DeviceIndex") or 0) != 0 or (interface.number("NetworkCardIndex") or 0) != 0:
                continue
            elements += [*interface.elements("GroupSet"), *interface.elements("Groups")]
            subnets += interface.elements("SubnetId")
            own = interface.get("NetworkInterfaceId")
            planned = self._all_by_id.get(own) if isinstance(own, str) else None
            if planned is not None:
                of_interface = Properties(self._values, planned.properties)
                elements += of_interface.elements("GroupSet")
                subnets += of_interface.elements("SubnetId")
            elif own is not None:
                elements.append(UnknownPlannedValue(f"the groups of network interface {own} are not in the document"))
        known = tuple(sorted({one for one in elements if isinstance(one, str)} | set(attached)))
        unknown = next((unknown_value("security groups", one) for one in elements if not isinstance(one, str)), None)
        if not elements:
            vpc_id = self._vpc_of_subnets(subnets)
            if isinstance(vpc_id, str):
                known = tuple(sorted({*known, self._default_group(vpc_id)}))
            else:
                cause = "it names none, and its VPC, whose default group it gets, is not known"
                unknown = UnknownValue("security groups", cause)
        return _Members(known, unknown, tuple(subnets))

    def _members_record(self, identifier: str, members: _Members, address: Any = None) -> Instance:
        if isinstance(address, str) and _is_cidr(address):
            return Instance(identifier, address, None, members.groups, unknown_groups=members.unknown_groups)
        return Instance(
            identifier,
            None,
            None,
            members.groups,
            unknown_address=UnknownValue("address", "it is not known before the change is applied"),
            possible_cidrs=self._blocks_of_subnets(members.subnets),
            unknown_groups=members.unknown_groups,
        )

    # --- load balancers and listeners

    def _build_load_balancers(self) -> None:
        for arn in self._deleted(types.LOAD_BALANCER):
            self._load_balancers.pop(arn, None)
            self._tags.pop(arn, None)
            self._listeners = {key: one for key, one in self._listeners.items() if one.load_balancer_arn != arn}
            for group in list(self._target_groups.values()):
                if group.load_balancer_arns is not None and arn in group.load_balancer_arns:
                    left = tuple(one for one in group.load_balancer_arns if one != arn)
                    self._target_groups[group.arn] = group._replace(load_balancer_arns=left)
        for one in self._each(types.LOAD_BALANCER):
            arn = resource_id(one)
            existing = self._load_balancers.get(arn)
            read = self._overlay(one, existing, partial(self._read_load_balancer, one))
            if existing is not None and one.action not in _NEW:
                # A load balancer stays in its VPC.
                read = read._replace(vpc_id=existing.vpc_id)
            self._load_balancers[arn] = read
            tags = tags_of(self._after(one).get_all("Tags"))
            if isinstance(tags, UnknownPlannedValue):
                self._tags.pop(arn, None)
                self._fail(Section.TAGS, arn, unknown_text(tags))
            elif arn not in self._tags or one.action is not Action.KEEP:
                self._tags[arn] = tags

    def _read_load_balancer(self, resource: PlannedResource, arn: str, properties: Properties) -> LoadBalancer:
        subnets = [
            *properties.elements("Subnets"),
            *(
                one if isinstance(one, UnknownPlannedValue) else one.get("SubnetId")
                for one in properties.objects("SubnetMappings")
            ),
        ]
        vpc_id = properties.text("VpcId")
        if not isinstance(vpc_id, str):
            vpc_id = self._vpc_of_subnets(subnets) or vpc_id
        known_vpc_id = self._known_vpc_id(vpc_id, resource.address)
        kind = properties.one_of("Type", LOAD_BALANCER_TYPES, "application")
        groups = self._group_ids(resource.address, properties.elements("SecurityGroups"))
        if not groups and kind == "application":
            # CreateLoadBalancer: "the default security group for the VPC".
            groups = (self._default_group(known_vpc_id),)
        name = properties.text("Name")
        return LoadBalancer(
            arn=arn,
            name=name if isinstance(name, str) else resource.address,
            type=kind,
            scheme=properties.one_of("Scheme", SCHEMES, "internet-facing"),
            state="active",
            vpc_id=known_vpc_id,
            ip_address_type=properties.one_of("IpAddressType", IP_ADDRESS_TYPES, "ipv4"),
            security_groups=groups,
        )

    def _build_listeners(self) -> None:
        for arn in self._deleted(types.LISTENER):
            gone = self._listeners.pop(arn, None)
            self.touched.update(() if gone is None else (gone.load_balancer_arn,))
        for one in self._each(types.LISTENER):
            arn = resource_id(one)
            properties = self._after(one)
            load_balancer = properties.text("LoadBalancerArn") or listener_load_balancer_arn(arn)
            if not isinstance(load_balancer, str):
                cause = load_balancer.text if isinstance(load_balancer, UnknownValue) else "it is missing"
                self._add_listener_of_unknown(one, cause)
                continue
            if one.action is not Action.KEEP:
                self.touched.add(load_balancer)
            if load_balancer not in self._load_balancers and one.action is not Action.KEEP:
                self._fail(Section.LOAD_BALANCERS, load_balancer, f"{one.address} changes it; {_NOT_IN_DOCUMENT}")
            read = partial(self._read_listener, load_balancer)
            self._listeners[arn] = self._overlay(one, self._listeners.get(arn), read)
        for one in self._each(types.LISTENER_RULE):
            self._add_listener_rule(one)

    def _add_listener_of_unknown(self, resource: PlannedResource, cause: str) -> None:
        """A listener of a load balancer that is not known may be one of each."""
        unknown = UnknownValue("LoadBalancerArn", cause)
        for one in self._each(types.LOAD_BALANCER):
            arn = f"{resource_id(resource)} (perhaps of {resource_id(one)})"
            self._listeners[arn] = Listener(arn, resource_id(one), "HTTP", unknown, (), unknown)

    def _read_listener(self, load_balancer_arn: str, arn: str, properties: Properties) -> Listener:
        protocol = properties.one_of("Protocol", LISTENER_PROTOCOLS, "tcp")
        port = properties.port("Port")
        groups, unknown = self._forwarded(properties, "DefaultActions")
        return Listener(
            arn,
            load_balancer_arn,
            protocol if isinstance(protocol, UnknownValue) else protocol.upper(),
            UnknownValue("Port", "it is missing", "missing") if port is None else port,
            tuple(sorted(groups)),
            unknown,
        )

    def _forwarded(self, properties: Properties, name: str) -> tuple[set[str], UnknownValue | None]:
        """The target groups that actions forward to, and a value that hides some of them."""
        found: set[str] = set()
        unknown: UnknownValue | None = None
        for action in properties.objects(name):
            if isinstance(action, UnknownPlannedValue):
                unknown = unknown or unknown_value(name, action)
                continue
            arns = action.elements("TargetGroupArn")
            forward = action.object("ForwardConfig")
            if isinstance(forward, UnknownPlannedValue):
                arns.append(forward)
            elif forward is not None:
                for group in forward.objects("TargetGroups"):
                    arns += [group] if isinstance(group, UnknownPlannedValue) else group.elements("TargetGroupArn")
            for arn in arns:
                if isinstance(arn, str):
                    found.add(arn)
                elif isinstance(arn, UnknownPlannedValue):
                    unknown = unknown or unknown_value("TargetGroupArn", arn)
        return found, unknown

    def _add_listener_rule(self, resource: PlannedResource) -> None:
        """A rule's target groups belong to its listener's load balancer; unknown ones hide some of the listener's."""
        properties = self._after(resource)
        listener_arn = properties.text("ListenerArn")
        _, unknown = self._forwarded(properties, "Actions")
        listener = self._listeners.get(listener_arn) if isinstance(listener_arn, str) else None
        if isinstance(listener_arn, str) and listener is None and resource.action is not Action.KEEP:
            arn = listener_load_balancer_arn(listener_arn)
            if arn is not None and arn not in self._load_balancers:
                self._fail(Section.LOAD_BALANCERS, arn, f"{resource.address} changes it; {_NOT_IN_DOCUMENT}")
        if listener is not None and unknown is not None:
            self._listeners[listener.arn] = listener._replace(unknown_actions=listener.unknown_actions or unknown)
        elif not isinstance(listener_arn, str):
            hidden = listener_arn or UnknownValue("ListenerArn", "it is missing")
            for arn, one in self._listeners.items():
                if arn in self._all_by_id:
                    self._listeners[arn] = one._replace(unknown_actions=one.unknown_actions or hidden)

    # --- target groups and targets

    def _build_target_groups(self) -> None:
        for arn in self._deleted(types.TARGET_GROUP):
            self._target_groups.pop(arn, None)
            self._targets.pop(arn, None)
        before = self._users(lambda one: None if one.action in _NEW else self._before(one) or self._kept(one))
        after = self._users(
            lambda one: None if one.action is Action.DELETE else Properties(self._values, one.properties)
        )
        for one in self._each(types.TARGET_GROUP):
            arn = resource_id(one)
            existing = self._target_groups.get(arn)
            self._target_groups[arn] = self._overlay(one, existing, partial(self._read_target_group, one))
        listed = {(arn, one.load_balancer_arn) for one in self._listeners.values() for arn in one.target_group_arns}
        for arn in before.keys() | after.keys():
            group = self._target_groups.get(arn)
            if group is None or group.load_balancer_arns is None:
                continue
            gone = {
                one
                for one in before.get(arn, set()) - after.get(arn, set())
                if (arn, one) not in listed and self._base is not None
            }
            users = (set(group.load_balancer_arns) - gone) | after.get(arn, set())
            if users != set(group.load_balancer_arns):
                self._target_groups[arn] = group._replace(load_balancer_arns=tuple(sorted(users)))
                self.touched |= users ^ set(group.load_balancer_arns)

    def _kept(self, resource: PlannedResource) -> Properties | None:
        return Properties(self._values, resource.properties) if resource.action is Action.KEEP else None

    def _users(self, properties_of: Callable[[PlannedResource], Properties | None]) -> dict[str, set[str]]:
        """The load balancers whose listeners and rules forward to each target group."""
        users: dict[str, set[str]] = {}
        listener_users: dict[str, str] = {one.arn: one.load_balancer_arn for one in self._listeners.values()}
        for kind, actions in ((types.LISTENER, "DefaultActions"), (types.LISTENER_RULE, "Actions")):
            for one in self._by_type.get(kind, ()):
                properties = properties_of(one)
                if properties is None:
                    continue
                if kind == types.LISTENER:
                    owner = properties.text("LoadBalancerArn") or listener_load_balancer_arn(resource_id(one))
                    if isinstance(owner, str):
                        listener_users[resource_id(one)] = owner
                else:
                    arn = properties.text("ListenerArn")
                    owner = listener_users.get(arn) or listener_load_balancer_arn(arn) if isinstance(arn, str) else None
                if isinstance(owner, str):
                    for group_arn in self._forwarded(properties, actions)[0]:
                        users.setdefault(group_arn, set()).add(owner)
        return users

    def _read_target_group(self, resource: PlannedResource, arn: str, properties: Properties) -> TargetGroup:
        kind = properties.text("TargetType") or "instance"
        if isinstance(kind, str) and kind not in TARGET_TYPES:
            kind = UnknownValue("TargetType", f"{kind!r} is not one of {', '.join(TARGET_TYPES)}", kind)
        family = properties.one_of("IpAddressType", tuple(_FAMILIES), "ipv4")
        enabled = properties.flag("HealthCheckEnabled")
        name = properties.text("Name")
        vpc_id = properties.text("VpcId")
        check_port = None if properties.get("HealthCheckPort") == "traffic-port" else properties.port("HealthCheckPort")
        return TargetGroup(
            arn=arn,
            name=name if isinstance(name, str) else resource.address,
            target_type=kind,
            port=properties.port("Port"),
            vpc_id=vpc_id if isinstance(vpc_id, str) else "",
            family=family if isinstance(family, UnknownValue) else _FAMILIES[family],
            load_balancer_arns=(),
            health_checks_enabled=kind != "lambda" if enabled is None else enabled,
            health_check_port=check_port,
            target_control_port=properties.port("TargetControlPort"),
        )

    def _build_targets(self) -> None:
        registered_to: set[str] = set()
        for arn, target, action in self._registrations():
            registered_to.add(arn)
            self.touched.add(arn)
            found = self._targets.setdefault(arn, [])
            if action is Action.DELETE:
                found[:] = [one for one in found if (one.id, one.port) != (target.id, target.port)]
            elif all((one.id, one.port) != (target.id, target.port) for one in found):
                found.append(target)
        for one in self._each(types.TARGET_GROUP):
            arn = resource_id(one)
            if one.action in _NEW or arn in registered_to or self._base is not None:
                if self._base is None or one.action in _NEW:
                    self._targets.setdefault(arn, [])
            else:
                self._fail(Section.TARGET_HEALTH_DESCRIPTIONS, arn, f"it exists already, and {_NOT_IN_DOCUMENT}")

    def _registrations(self) -> Iterator[tuple[str, Target, Action]]:
        """Targets that come and go, by target group."""
        for one in self._by_type.get(types.TARGET_REGISTRATION, ()):
            before = self._before(one)
            if before is not None and one.action is not Action.KEEP:
                yield from self._read_registration(one.address, before, before.text("TargetGroupArn"), Action.DELETE)
            if one.action is not Action.DELETE and not (one.action is Action.KEEP and self._base is not None):
                after = self._after(one)
                yield from self._read_registration(one.address, after, after.text("TargetGroupArn"), Action.CREATE)
        for one in self._each(types.TARGET_GROUP):
            arn = resource_id(one)
            if one.action is Action.KEEP and arn in self._targets:
                continue
            after = self._after(one)
            before = self._before(one)
            if before is not None and one.action is Action.UPDATE:
                for target in before.objects("Targets"):
                    if isinstance(target, Properties):
                        yield from self._read_registration(one.address, target, arn, Action.DELETE)
            for target in after.objects("Targets"):
                if isinstance(target, UnknownPlannedValue):
                    unknown = unknown_value("Targets", target)
                    yield arn, Target(f"of {one.address} not known yet", unknown, None), Action.CREATE
                else:
                    yield from self._read_registration(one.address, target, arn, Action.CREATE)
        yield from self._auto_scaling_registrations()
        yield from self._service_registrations()

    def _read_registration(
        self, address: str, properties: Properties, arn: str | UnknownValue | None, action: Action
    ) -> Iterator[tuple[str, Target, Action]]:
        target_id, port = properties.get("Id"), properties.port("Port")
        if isinstance(target_id, UnknownPlannedValue):
            self._add_unknown_target(address, unknown_text(target_id))
            target_id = address
        if isinstance(arn, str):
            yield arn, Target(str(target_id), port, None), action
        elif action is Action.CREATE:
            # It may be a target of every group of the document.
            hidden = arn or UnknownValue("TargetGroupArn", "it is missing")
            for one in self._each(types.TARGET_GROUP):
                yield resource_id(one), Target(address, hidden, None), Action.CREATE

    def _add_unknown_target(self, identifier: str, cause: str) -> None:
        """A target of which nothing is known but that it is one."""
        unknown = UnknownValue("Id", cause)
        self._instances[identifier] = Instance(
            identifier, None, None, (), unknown_address=unknown, unknown_groups=unknown
        )

    def _auto_scaling_registrations(self) -> Iterator[tuple[str, Target, Action]]:
        attachments: dict[str, list[Any]] = {}
        for one in self._each(types.AUTO_SCALING_ATTACHMENT):
            properties = self._after(one)
            name = properties.get("AutoScalingGroupName")
            if isinstance(name, str):
                attachments.setdefault(name, []).append(properties.get("TargetGroupARN"))
        for one in self._each(types.AUTO_SCALING_GROUP):
            properties = self._after(one)
            identifier = resource_id(one)
            arns = [*properties.elements("TargetGroupARNs"), *attachments.pop(identifier, ())]
            if arns:
                members = self._auto_scaling_members(properties)
                yield from self._member_registrations(one, arns, members, None)
        for name, arns in attachments.items():
            unknown = UnknownValue("security groups", f"the plan or template does not hold Auto Scaling group {name}")
            for arn in arns:
                if isinstance(arn, str):
                    self._add_unknown_target(name, unknown.text)
                    yield arn, Target(name, None, None), Action.CREATE

    def _auto_scaling_members(self, properties: Properties) -> _Members:
        """The groups that a launch template or launch configuration gives to the group's instances."""
        subnets = tuple(properties.elements("VPCZoneIdentifier"))
        reference = properties.object("LaunchTemplate")
        mixed = properties.object("MixedInstancesPolicy")
        if isinstance(mixed, Properties):
            in_policy = mixed.object("LaunchTemplate")
            if isinstance(in_policy, Properties):
                reference = in_policy.object("LaunchTemplateSpecification")
                if any(
                    isinstance(one, UnknownPlannedValue) or "LaunchTemplateSpecification" in one
                    for one in in_policy.objects("Overrides")
                ):
                    reference = UnknownPlannedValue("overrides name other launch templates")
        configuration = properties.get("LaunchConfigurationName")
        unknown = UnknownPlannedValue("the launch template is not in the document")
        if isinstance(reference, Properties):
            named = reference.get("LaunchTemplateId") or reference.get("LaunchTemplateName")
            template = self._named(types.LAUNCH_TEMPLATE, named, "LaunchTemplateName")
            if template is not None:
                return self._template_members(template, reference.get("Version"), subnets)
            unknown = named if isinstance(named, UnknownPlannedValue) else unknown
        elif isinstance(reference, UnknownPlannedValue):
            unknown = reference
        elif configuration is not None:
            planned = self._named(types.LAUNCH_CONFIGURATION, configuration, "LaunchConfigurationName")
            if planned is not None:
                members = self._instance_members(
                    planned.address, self._launch_properties(planned.properties, subnets), ()
                )
                return members._replace(subnets=subnets)
            unknown = configuration if isinstance(configuration, UnknownPlannedValue) else unknown
        return _Members((), unknown_value("security groups", unknown), subnets)

    def _named(self, resource_type: str, name: Any, name_property: str) -> PlannedResource | None:
        """The resource of a type with this identifier or name."""
        if not isinstance(name, str):
            return None
        planned = self._all_by_id.get(name)
        if planned is not None and planned.type == resource_type:
            return planned
        for one in self._each(resource_type):
            if Properties(self._values, one.properties).get(name_property) == name:
                return one
        return None

    def _template_members(self, template: PlannedResource, version: Any, subnets: tuple[Any, ...]) -> _Members:
        def read(properties: Mapping[str, Any]) -> _Members:
            data = Properties(self._values, properties).object("LaunchTemplateData")
            if not isinstance(data, Properties):
                cause = data or UnknownPlannedValue("LaunchTemplateData is missing")
                return _Members((), unknown_value("security groups", cause), subnets)
            return self._instance_members(
                template.address,
                self._launch_properties(data.raw, subnets),
                (),
            )._replace(subnets=subnets)

        after = read(template.properties)
        if isinstance(version, str) and version.isdigit() and template.action is not Action.CREATE:
            latest = template.properties.get("LatestVersionNumber")
            if latest is None or str(latest) != version:
                cause = f"launch template version {version} is not in the document"
                return after._replace(groups=(), unknown_groups=UnknownValue("security groups", cause))
        if template.action is Action.UPDATE and template.before is not None and version != "$Latest":
            before = read(template.before)
            if before.groups != after.groups and not isinstance(version, UnknownPlannedValue):
                common = tuple(one for one in after.groups if one in before.groups)
                cause = "whether its instances use the new version of the launch template is not known"
                return after._replace(groups=common, unknown_groups=UnknownValue("security groups", cause))
        return after

    def _launch_properties(self, properties: Mapping[str, Any], subnets: tuple[Any, ...]) -> Properties:
        """`SecurityGroups` of a launch configuration are identifiers. The subnets are the Auto Scaling group's."""
        renamed = {"SecurityGroupIds" if key == "SecurityGroups" else key: one for key, one in properties.items()}
        if "SecurityGroups" in properties and properties.get("SecurityGroupIds"):
            renamed["SecurityGroupIds"] = properties["SecurityGroupIds"]
        return Properties(self._values, {**renamed, "SubnetId": list(subnets)})

    def _service_registrations(self) -> Iterator[tuple[str, Target, Action]]:
        for one in self._each(types.ECS_SERVICE):
            properties = self._after(one)
            load_balancers = properties.objects("LoadBalancers")
            if not load_balancers:
                continue
            network = properties.object("NetworkConfiguration")
            awsvpc = network.object("AwsvpcConfiguration") if isinstance(network, Properties) else network
            unknown: UnknownValue | None = None
            groups: tuple[str, ...] = ()
            subnets: tuple[Any, ...] = ()
            if isinstance(awsvpc, Properties):
                elements = awsvpc.elements("SecurityGroups")
                subnets = tuple(awsvpc.elements("Subnets"))
                groups = tuple(sorted({group for group in elements if isinstance(group, str)}))
                not_known = next((group for group in elements if not isinstance(group, str)), None)
                unknown = None if not_known is None else unknown_value("security groups", not_known)
                if not elements:
                    vpc_id = self._vpc_of_subnets(subnets)
                    if isinstance(vpc_id, str):
                        groups = (self._default_group(vpc_id),)
                    else:
                        unknown = UnknownValue("security groups", "it names none, and its VPC is not known")
            else:
                cause = awsvpc if isinstance(awsvpc, UnknownPlannedValue) else None
                text = unknown_text(cause) if cause else "its tasks use the interfaces of container instances"
                unknown = UnknownValue("security groups", text)
            members = _Members(groups, unknown, subnets)
            for entry in load_balancers:
                if isinstance(entry, UnknownPlannedValue):
                    yield from self._member_registrations(one, [entry], members, None)
                else:
                    # Tasks with their own interface are registered with the container's port.
                    port = entry.port("ContainerPort") if isinstance(awsvpc, Properties) else _dynamic_port()
                    arns = [entry.get("TargetGroupArn")]
                    yield from self._member_registrations(one, arns, members, port)

    def _member_registrations(
        self, resource: PlannedResource, arns: Iterable[Any], members: _Members, port: int | UnknownValue | None
    ) -> Iterator[tuple[str, Target, Action]]:
        """The future members of a resource as one target of each of its target groups."""
        identifier = resource.address
        for arn in arns:
            if isinstance(arn, str):
                if resource.action is Action.KEEP and self._base is not None and arn in self._targets:
                    # The base holds the members as they are.
                    continue
                self._instances.setdefault(identifier, self._members_record(identifier, members))
                yield arn, Target(identifier, port, None), Action.CREATE
            elif isinstance(arn, UnknownPlannedValue):
                hidden = unknown_value("TargetGroupArn", arn)
                for one in self._each(types.TARGET_GROUP):
                    yield resource_id(one), Target(identifier, hidden, None), Action.CREATE


def _dynamic_port() -> UnknownValue:
    return UnknownValue("Port", "its tasks have host ports that Amazon ECS chooses, or that the task definition holds")


def _copy(section: Mapping[str, Any] | None) -> dict[str, Any]:
    return {} if section is None else dict(section)


def _unknown_blocks(cause: str) -> dict[Family, UnknownValue]:
    return {family: UnknownValue("CIDR blocks", cause) for family in Family}


def _add_blocks(
    properties: Properties, cidrs: dict[Family, tuple[str, ...]], unknown: dict[Family, UnknownValue]
) -> None:
    """Add the blocks that a VPC or an association of it names."""
    for name, family in (("CidrBlock", Family.IPV4), ("Ipv6CidrBlock", Family.IPV6)):
        block = properties.text(name)
        if isinstance(block, UnknownValue):
            unknown[family] = block
        elif block is not None and not _is_cidr(block):
            unknown[family] = UnknownValue(name, f"{block!r} is not a CIDR block")
        elif block is not None:
            cidrs[family] = tuple(sorted({*cidrs[family], block}))
    if properties.get("AmazonProvidedIpv6CidrBlock") not in (None, False, "false") and not cidrs[Family.IPV6]:
        unknown[Family.IPV6] = UnknownValue("Ipv6CidrBlock", "Amazon provides it when the change is applied")


def _is_cidr(text: str) -> bool:
    try:
        parse_cidr(text)
    except InvalidCidrError:
        return False
    return True


__all__ = ["DEFAULT_SECURITY_GROUP", "PlannedEstates", "ResourceReference", "planned_estates"]
