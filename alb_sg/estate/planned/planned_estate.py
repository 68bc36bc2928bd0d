"""The estate that a plan or template makes, alone or over the estate that exists (semantics §13).

A planned resource that does not exist yet has its address as its identifier, so that every text shows the address.
Unknown values stay unknown: nothing here takes one from the estate that exists.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from alb_sg.aws.account_region import AccountRegion
from alb_sg.errors import NotReadError
from alb_sg.estate.estate import Estate
from alb_sg.estate.model import LoadBalancer, Permission, UnknownValue
from alb_sg.estate.other_accounts import link_estates
from alb_sg.estate.planned import resource_types as types
from alb_sg.estate.planned.account_regions import OWNERS, account_regions_of
from alb_sg.estate.planned.draft import Draft
from alb_sg.estate.planned.planned_groups import SecurityGroupBuilder, takes_over_default_group
from alb_sg.estate.planned.planned_load_balancers import LoadBalancerBuilder
from alb_sg.estate.planned.planned_members import MemberBuilder
from alb_sg.estate.planned.planned_targets import TargetBuilder
from alb_sg.estate.planned.planned_vpcs import VpcBuilder
from alb_sg.estate.planned.resources import (
    Action,
    DocumentResources,
    InlineRules,
    Location,
    PlannedResource,
    Scenario,
)
from alb_sg.estate.planned.security_group_rules import SELF
from alb_sg.estate.planned.values import PlannedValues, Properties, resource_id

_RULE_TYPES = {"ingress": types.SECURITY_GROUP_INGRESS, "egress": types.SECURITY_GROUP_EGRESS}


@dataclass(frozen=True)
class PlannedEstates:
    """The estates after the change, one for each account and region.

    `touched` are the identifiers of what the document creates, changes, deletes or adds rules and targets to;
    `documented` are those of the load balancers that it describes, `locations` where it describes them, and `replaced`
    the ARNs that load balancers have before they are replaced. `addresses` are those of the resources that the document
    describes, by their identifier after the change, and `inline_rules` has those security groups that list their rules
    themselves. `changes` are what the document does to an identifier, such as `aws_security_group.a (delete)`.
    """

    estates: tuple[Estate, ...]
    touched: frozenset[str] = frozenset()
    documented: frozenset[str] = frozenset()
    locations: Mapping[str, Location] = field(default_factory=dict)
    replaced: Mapping[str, str] = field(default_factory=dict)
    addresses: Mapping[str, str] = field(default_factory=dict)
    inline_rules: Mapping[str, InlineRules] = field(default_factory=dict)
    changes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def document(self) -> DocumentResources:
        return DocumentResources(self.addresses, self.locations, self.inline_rules)

    def is_affected(self, estate: Estate, load_balancer: LoadBalancer) -> bool:
        """Whether the document describes a load balancer, or touches something that its verdicts depend on."""
        if load_balancer.arn in self.documented or load_balancer.vpc_id in self.touched:
            return True
        if load_balancer.arn in self.touched or not self.touched.isdisjoint(load_balancer.security_groups):
            return True
        try:
            return not self.touched.isdisjoint(_behind(estate, load_balancer))
        except NotReadError:
            return True

    def changes_to(self, estate: Estate, load_balancer: LoadBalancer, groups: AbstractSet[str]) -> tuple[str, ...]:
        """What the document does to a load balancer and to what its verdicts depend on. `groups` are security groups of
        its targets."""
        listeners = (estate.listeners or {}).get(load_balancer.arn, ())
        identifiers = {load_balancer.arn, load_balancer.vpc_id, *load_balancer.security_groups, *groups}
        identifiers.update(one.arn for one in listeners)
        if not isinstance(load_balancer.subnet_ids, UnknownValue):
            identifiers.update(load_balancer.subnet_ids)
        # What is not known of its targets is not what the document changes.
        with contextlib.suppress(NotReadError):
            identifiers |= _behind(estate, load_balancer)
        return tuple(dict.fromkeys(one for key, found in self.changes.items() if key in identifiers for one in found))


def planned_estates(scenario: Scenario, base: Sequence[Estate] = ()) -> PlannedEstates:
    """The estates after a scenario. `base` are those before it; without any, the document stands alone.

    Raises InvalidInputError where it is not known to which of several accounts and regions a resource belongs.
    """
    scenario = replace(scenario, resources=[_with_default_group(one, base) for one in scenario.resources])
    values = PlannedValues(scenario.resources)
    account_regions = account_regions_of(scenario, values, base)
    by_account_region: dict[AccountRegion, list[PlannedResource]] = {one.account_region: [] for one in base}
    for resource, account_region in zip(scenario.resources, account_regions, strict=True):
        by_account_region.setdefault(account_region, []).append(resource)
    before = {one.account_region: one for one in base}
    drafts = [
        Draft(values, resources, before.get(account_region), account_region, scenario.resources)
        for account_region, resources in by_account_region.items()
    ]
    for draft in drafts:
        draft.all_drafts = (draft, *(one for one in drafts if one is not draft))
    built = _build(drafts)
    load_balancers = [one for one in scenario.resources if one.type == types.LOAD_BALANCER]
    return PlannedEstates(
        link_estates(sorted(built, key=lambda one: one.account_region)),
        frozenset[str]().union(*(draft.touched for draft in drafts)),
        frozenset(resource_id(one) for one in load_balancers if one.action is not Action.DELETE),
        {resource_id(one): one.location for one in scenario.resources if one.location is not None},
        {one.address: one.physical_id for one in load_balancers if one.action is Action.REPLACE and one.physical_id},
        {
            resource_id(one): one.address
            for one in scenario.resources
            if one.is_written and one.action is not Action.DELETE
        },
        _inline_rules(scenario, values),
        _changes(scenario, values),
    )


def _with_default_group(resource: PlannedResource, base: Sequence[Estate]) -> PlannedResource:
    """A default security group whose resource takes over the one of a VPC that exists is that group."""
    if not takes_over_default_group(resource):
        return resource
    vpc_id = resource.properties.get("VpcId")
    groups = [group for estate in base for group in (estate.security_groups or {}).values()]
    found = [group.id for group in groups if (group.name, group.vpc_id) == ("default", vpc_id)]
    return replace(resource, physical_id=found[0]) if found else resource


def _behind(estate: Estate, load_balancer: LoadBalancer) -> set[str]:
    """The identifiers of a load balancer's target groups, targets and prefix lists, without those that it perhaps has.
    Raises NotReadError."""
    possible = estate.possible_target_groups_of(load_balancer)
    groups = [one for one in estate.target_groups_of(load_balancer) if one.arn not in possible]
    targets = {target.id for group in groups for target in estate.targets_of(group) if target.unknown is None}
    prefix_lists = {
        prefix_list_id
        for group_id in load_balancer.security_groups
        for rule in _rules_of_group(estate, group_id)
        for prefix_list_id in rule.prefix_list_ids
    }
    return {*(group.arn for group in groups), *targets, *prefix_lists}


def _changes(scenario: Scenario, values: PlannedValues) -> dict[str, tuple[str, ...]]:
    """What the document does to each resource, and to what each of them is a part of, before and after."""
    found: dict[str, tuple[str, ...]] = {}
    for one in scenario.resources:
        if one.action is not Action.KEEP:
            owner = OWNERS.get(one.type, "")
            states = [one.properties, *([] if one.before is None else [one.before])]
            owners = [Properties(values, state).text(owner) for state in states]
            for identifier in dict.fromkeys((resource_id(one), one.physical_id, *owners)):
                if isinstance(identifier, str):
                    found[identifier] = (*found.get(identifier, ()), f"{one.address} ({one.action.value})")
    return found


def _inline_rules(scenario: Scenario, values: PlannedValues) -> dict[str, InlineRules]:
    """The security groups that list their rules themselves. In a direction in which a group has no rules of either
    kind, it is as in the other one."""
    apart = {
        (Properties(values, one.properties).text("GroupId"), direction)
        for one in scenario.resources
        for direction in ("ingress", "egress")
        if one.type == _RULE_TYPES[direction] and one.action is not Action.DELETE
    }
    found: dict[str, InlineRules] = {}
    for one in scenario.resources:
        if one.inline_rules and one.action is not Action.DELETE:
            identifier = resource_id(one)
            properties = Properties(values, one.properties)
            peers = {
                group
                for name in ("SecurityGroupIngress", "SecurityGroupEgress")
                for rule in properties.objects(name)
                if isinstance(rule, Properties)
                for side in ("SourceSecurityGroupId", "DestinationSecurityGroupId")
                for group in rule.elements(side)
                if isinstance(group, str) and group != SELF
            }
            directions = {name for name in _RULE_TYPES if name in one.inline_rules or (identifier, name) not in apart}
            found[identifier] = InlineRules(frozenset(directions), frozenset(peers))
    return found


def _rules_of_group(estate: Estate, group_id: str) -> tuple[Permission, ...]:
    group = (estate.security_groups or {}).get(group_id)
    return () if group is None else (*group.ingress, *group.egress)


def _build(drafts: Sequence[Draft]) -> list[Estate]:
    """The estates with all parts of the document that belong to them. Each part is built for all accounts and regions
    before the next: some share VPCs, and what is not known may belong to several of them."""
    builders = [_Builders(draft) for draft in drafts]
    for one in builders:
        one.vpcs.build_prefix_lists()
        one.vpcs.build_vpcs()
        one.vpcs.build_subnets()
    for one in builders:
        one.groups.build()
    for one in builders:
        one.groups.apply_rules()
    for one in builders:
        one.members.build()
        one.load_balancers.build_load_balancers()
    for one in builders:
        one.load_balancers.build_listeners()
    for one in builders:
        one.load_balancers.build_listener_rules()
    for one in builders:
        one.load_balancers.build_target_groups()
    for one in builders:
        one.targets.build()
    return [draft.estate() for draft in drafts]


class _Builders:
    def __init__(self, draft: Draft) -> None:
        self.vpcs = VpcBuilder(draft)
        self.groups = SecurityGroupBuilder(draft, self.vpcs)
        self.members = MemberBuilder(draft, self.vpcs, self.groups)
        self.load_balancers = LoadBalancerBuilder(draft, self.vpcs, self.groups)
        self.targets = TargetBuilder(draft, self.vpcs, self.groups, self.members)
