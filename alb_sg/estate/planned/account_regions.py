"""The account and region of every planned resource."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from alb_sg.aws.account_region import AccountRegion
from alb_sg.aws.arns import account_id_of, region_of
from alb_sg.errors import InvalidInputError
from alb_sg.estate.estate import Estate
from alb_sg.estate.planned import resource_types as types
from alb_sg.estate.planned.resources import Action, PlannedResource, Scenario
from alb_sg.estate.planned.values import PlannedValues, Properties, resource_id

# The property that names what a resource is a part of. Both are of one account and region.
OWNERS: Mapping[str, str] = {
    types.LISTENER: "LoadBalancerArn",
    types.LISTENER_RULE: "ListenerArn",
    types.SECURITY_GROUP_INGRESS: "GroupId",
    types.SECURITY_GROUP_EGRESS: "GroupId",
    types.EXCLUSIVE_RULES: "GroupId",
    types.VPC_CIDR_BLOCK: "VpcId",
    types.SUBNET_CIDR_BLOCK: "SubnetId",
    types.SUBNET: "VpcId",
    types.PREFIX_LIST_ENTRY: "PrefixListId",
    types.INTERFACE_SECURITY_GROUP: "NetworkInterfaceId",
    types.TARGET_REGISTRATION: "TargetGroupArn",
    types.AUTO_SCALING_ATTACHMENT: "AutoScalingGroupName",
}
# The objects whose target groups are of the resource's own account and region.
_TARGET_GROUP_PROPERTIES = ("TargetGroupARNs", "TargetGroupARN", "DefaultActions", "Actions", "LoadBalancers")


class _Known(NamedTuple):
    """What a resource itself tells: None for nothing, "" for what is not known and differs from the rest."""

    account_id: str | None
    region: str | None


def account_regions_of(scenario: Scenario, values: PlannedValues, base: Sequence[Estate]) -> list[AccountRegion]:
    """The account and region of each resource; "" for what nobody tells.

    Raises InvalidInputError where it is not known which of several estates a resource changes.
    """
    found = _Search(scenario, values, base)
    if not base:
        return found.alone()
    return [found.over_base(one) for one in scenario.resources]


class _Search:
    def __init__(self, scenario: Scenario, values: PlannedValues, base: Sequence[Estate]) -> None:
        self._scenario = scenario
        self._values = values
        self._base = base
        self._by_id = {resource_id(one): one for one in scenario.resources}
        own = {one.address: _Known(_account_of(one), _region_of(one)) for one in scenario.resources}
        # Most documents are of one account and region, and there is nothing to search for.
        is_uniform = len(set(own.values())) == 1 and len(base) < 2
        self._known = own if is_uniform else self._with_owners(self._with_related(own))

    def alone(self) -> list[AccountRegion]:
        known = self._known.values()
        accounts = {one.account_id for one in known if one.account_id}
        regions = {one.region for one in known if one.region}
        account = next(iter(accounts)) if len(accounts) == 1 and self._scenario.is_one_account else ""
        region = next(iter(regions)) if len(regions) == 1 else ""
        return [
            AccountRegion(
                account if one.account_id is None else one.account_id, region if one.region is None else one.region
            )
            for one in (self._known[resource.address] for resource in self._scenario.resources)
        ]

    def over_base(self, resource: PlannedResource) -> AccountRegion:
        known = self._known[resource.address]
        fitting = [
            one.account_region
            for one in self._base
            if known.account_id in (None, one.account_id) and known.region in (None, one.region)
        ]
        if len(fitting) > 1:
            named = ", ".join(map(str, fitting[:4]))
            provider = f" (provider {resource.provider})" if resource.provider else ""
            raise InvalidInputError(
                f"{resource.address}{provider}: the document does not tell which of these accounts and regions it is "
                f"for: {named}; give the one estate that it changes"
            )
        return fitting[0] if fitting else AccountRegion(known.account_id or "", known.region or "")

    def _with_related(self, own: Mapping[str, _Known]) -> dict[str, _Known]:
        """What resources of one account and region tell, for those among them that do not."""
        parents: dict[str, str] = {}

        def root(address: str) -> str:
            while (parent := parents.get(address, address)) != address:
                parents[address] = parents.get(parent, parent)
                address = parent
            return address

        for one in self._scenario.resources:
            for other in (self._owner(one), *self._target_groups(one)):
                if other is not None:
                    parents[root(one.address)] = root(other.address)
        told: dict[str, tuple[set[str], set[str]]] = {}
        for address, known in own.items():
            accounts, regions = told.setdefault(root(address), (set(), set()))
            accounts |= {known.account_id} if known.account_id else set()
            regions |= {known.region} if known.region else set()
        found: dict[str, _Known] = {}
        for address, known in own.items():
            accounts, regions = told[root(address)]
            found[address] = _Known(
                known.account_id or (next(iter(accounts)) if len(accounts) == 1 else known.account_id),
                known.region or (next(iter(regions)) if len(regions) == 1 else known.region),
            )
        return found

    def _with_owners(self, known: dict[str, _Known]) -> dict[str, _Known]:
        """Each part has the account and region of its owner, also where it tells others."""
        found = dict(known)
        for one in self._scenario.resources:
            part, passed = one, {one.address}
            while (owner := self._owner(part)) is not None and owner.address not in passed:
                part = owner
                passed.add(owner.address)
            if part is not one:
                found[one.address] = known[part.address]
            elif self._base and (outside := self._owner_in_base(one)) is not None:
                found[one.address] = _Known(*outside)
        return found

    def _owner(self, resource: PlannedResource) -> PlannedResource | None:
        """What a resource is a part of, in the document."""
        identifier = self._owner_id(resource)
        return None if identifier is None else self._by_id.get(identifier)

    def _owner_id(self, resource: PlannedResource) -> str | None:
        name = OWNERS.get(resource.type)
        if name is None:
            return None
        identifier = self._properties(resource).text(name)
        return identifier if isinstance(identifier, str) else None

    def _owner_in_base(self, resource: PlannedResource) -> AccountRegion | None:
        """The estate that holds what a resource is a part of."""
        identifier = self._owner_id(resource)
        for one in self._base if identifier is not None else ():
            sections = (one.security_groups, one.vpcs, one.subnets, one.load_balancers, one.target_groups)
            if any(identifier in section for section in sections if section is not None):
                return one.account_region
        return None

    def _target_groups(self, resource: PlannedResource) -> Iterator[PlannedResource]:
        """The target groups that a resource forwards to or registers targets with."""
        properties = self._properties(resource)
        pending: list[object] = [properties.get_all(name) for name in _TARGET_GROUP_PROPERTIES if name in properties]
        while pending:
            value = pending.pop()
            if isinstance(value, str):
                found = self._by_id.get(value)
                if found is not None and found.type == types.TARGET_GROUP:
                    yield found
            elif isinstance(value, Mapping):
                pending += value.values()
            elif isinstance(value, list):
                pending += value

    def _properties(self, resource: PlannedResource) -> Properties:
        is_gone = resource.action is Action.DELETE and resource.before is not None
        return Properties(self._values, (resource.before if is_gone else resource.properties) or {})


def _account_of(resource: PlannedResource) -> str | None:
    return resource.account_id or account_id_of(resource.physical_id or "") or resource.account_id


def _region_of(resource: PlannedResource) -> str | None:
    return resource.region or region_of(resource.physical_id or "") or resource.region
