"""The estate that a plan or template makes, alone or over the estate that exists (semantics §13).

A planned resource that does not exist yet has its address as its identifier, so that every text shows the address.
Unknown values stay unknown: nothing here takes one from the estate that exists.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from alb_sg.aws.account_region import AccountRegion
from alb_sg.aws.arns import account_id_of, region_of
from alb_sg.errors import InvalidInputError, NotReadError
from alb_sg.estate.estate import Estate
from alb_sg.estate.model import LoadBalancer, Permission
from alb_sg.estate.other_accounts import link_estates
from alb_sg.estate.planned import resource_types as types
from alb_sg.estate.planned.draft import Draft
from alb_sg.estate.planned.planned_groups import SecurityGroupBuilder
from alb_sg.estate.planned.planned_load_balancers import LoadBalancerBuilder
from alb_sg.estate.planned.planned_members import MemberBuilder
from alb_sg.estate.planned.planned_targets import TargetBuilder
from alb_sg.estate.planned.planned_vpcs import VpcBuilder
from alb_sg.estate.planned.resources import Action, Location, PlannedResource, Scenario
from alb_sg.estate.planned.values import PlannedValues, resource_id


@dataclass(frozen=True)
class PlannedEstates:
    """The estates after the change, one for each account and region.

    `touched` are the identifiers of what the document creates, changes, deletes or adds rules and targets to;
    `documented` are those of the load balancers that it describes, `locations` where it describes them, and `replaced`
    the ARNs that load balancers have before they are replaced. `addresses` are those of the resources that the document
    describes, by their identifier after the change.
    """

    estates: tuple[Estate, ...]
    touched: frozenset[str] = frozenset()
    documented: frozenset[str] = frozenset()
    locations: Mapping[str, Location] = field(default_factory=dict)
    replaced: Mapping[str, str] = field(default_factory=dict)
    addresses: Mapping[str, str] = field(default_factory=dict)

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
    account_regions = _account_regions(scenario.resources, base)
    by_account_region: dict[AccountRegion, list[PlannedResource]] = {one.account_region: [] for one in base}
    for resource, account_region in zip(scenario.resources, account_regions, strict=True):
        by_account_region.setdefault(account_region, []).append(resource)
    before = {one.account_region: one for one in base}
    drafts = [
        Draft(values, resources, before.get(account_region), account_region, scenario.resources)
        for account_region, resources in by_account_region.items()
    ]
    built = [_build(draft) for draft in drafts]
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
    )


def _rules_of_group(estate: Estate, group_id: str) -> tuple[Permission, ...]:
    group = (estate.security_groups or {}).get(group_id)
    return () if group is None else (*group.ingress, *group.egress)


def _account_regions(resources: Sequence[PlannedResource], base: Sequence[Estate]) -> list[AccountRegion]:
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
    account_regions = []
    for resource, (account_id, where) in zip(resources, own, strict=True):
        fitting = [one for one in choices if account_id in (None, one.account_id) and where in (None, one.region)]
        if len(fitting) > 1:
            named = ", ".join(map(str, fitting[:4]))
            raise InvalidInputError(
                f"{resource.address}: the document does not tell which of these accounts and regions it is for: "
                f"{named}; give the one estate that it changes"
            )
        account_regions.append(fitting[0] if fitting else AccountRegion(account_id or "", where or ""))
    return account_regions


def _account_of(resource: PlannedResource) -> str | None:
    return resource.account_id or (account_id_of(resource.physical_id or "") or None)


def _region_of(resource: PlannedResource) -> str | None:
    return resource.region or (region_of(resource.physical_id or "") or None)


def _build(draft: Draft) -> Estate:
    """The estate with all parts of the document that belong to it."""
    vpcs = VpcBuilder(draft)
    groups = SecurityGroupBuilder(draft, vpcs)
    members = MemberBuilder(draft, vpcs, groups)
    load_balancers = LoadBalancerBuilder(draft, vpcs, groups)
    targets = TargetBuilder(draft, vpcs, groups, members)
    vpcs.build_prefix_lists()
    vpcs.build_vpcs()
    vpcs.build_subnets()
    groups.build()
    members.build()
    load_balancers.build_load_balancers()
    load_balancers.build_listeners()
    load_balancers.build_target_groups()
    targets.build()
    return draft.estate()
