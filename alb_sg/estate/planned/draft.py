"""The estate of one account and region while it is built, with what the builders of its parts share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, TypeVar

from alb_sg.aws.account_region import AccountRegion
from alb_sg.estate.estate import Estate, ReadFailure
from alb_sg.estate.indexing import listeners_by_load_balancer, ordered_targets
from alb_sg.estate.model import Listener, Subnet, Target, Vpc
from alb_sg.estate.planned.resources import Action, PlannedResource
from alb_sg.estate.planned.values import PlannedValues, Properties, resource_id
from alb_sg.estate.sections import SECTION_ATTRIBUTES, Section

ModelT = TypeVar("ModelT", bound=NamedTuple)

# What would settle a value that the document does not hold.
OVER_AN_ACCOUNT = "judge over the account with --region, or over a saved estate with --estate"
NOT_IN_DOCUMENT = f"the plan or template does not hold it; {OVER_AN_ACCOUNT}"
NEW_ACTIONS = frozenset({Action.CREATE, Action.REPLACE})
# The sections whose resources other stacks and states hold as well.
_PARTIAL_SECTIONS = (
    Section.SECURITY_GROUPS,
    Section.VPCS,
    Section.SUBNETS,
    Section.INSTANCES,
    Section.NETWORK_INTERFACES,
    Section.MANAGED_PREFIX_LISTS,
)


class Draft:
    """The estate before the change, and what the change has made of it so far."""

    def __init__(
        self,
        values: PlannedValues,
        resources: Sequence[PlannedResource],
        base: Estate | None,
        account_region: AccountRegion,
        all_resources: Sequence[PlannedResource],
    ) -> None:
        self.values = values
        self.base = base
        self.account_region = account_region
        self.by_type: dict[str, list[PlannedResource]] = {}
        for resource in resources:
            self.by_type.setdefault(resource.type, []).append(resource)
        self.all_by_id = {resource_id(one): one for one in all_resources if one.action is not Action.DELETE}
        self.touched: set[str] = set()
        # The drafts of all accounts and regions of the scenario; this one is first.
        self.all_drafts: tuple[Draft, ...] = (self,)
        self._before = before = Estate(account_region.account_id, account_region.region) if base is None else base
        self.failures: list[ReadFailure] = list(before.failures)
        self.load_balancers = dict(before.load_balancers)
        self.listeners = {one.arn: one for found in (before.listeners or {}).values() for one in found}
        self.target_groups = _copy(before.target_groups)
        self.targets: dict[str, list[Target]] = {arn: list(found) for arn, found in _copy(before.targets).items()}
        self.security_groups = _copy(before.security_groups)
        self.vpcs = _copy(before.vpcs)
        self.subnets = _copy(before.subnets)
        self.instances = _copy(before.instances)
        self.interfaces = _copy(before.network_interfaces)
        self.prefix_lists = _copy(before.prefix_lists)
        self.tags = _copy(before.tags)
        self.deleted_groups: set[str] = set(before.deleted_security_groups)

    def each(self, resource_type: str) -> Iterator[PlannedResource]:
        """The resources of a type that exist after the change."""
        return (one for one in self.by_type.get(resource_type, ()) if one.action is not Action.DELETE)

    def subnet(self, subnet_id: str) -> Subnet | None:
        """A subnet, also of another account, which may share it."""
        return next((one.subnets[subnet_id] for one in self.all_drafts if subnet_id in one.subnets), None)

    def vpc(self, vpc_id: str) -> Vpc | None:
        """A VPC, also of another account, which may share its subnets."""
        return next((one.vpcs[vpc_id] for one in self.all_drafts if vpc_id in one.vpcs), None)

    def may_be_one_with(self) -> Iterator[Draft]:
        """This draft, and those of which nobody tells whether they are of the same account and region."""
        for one in self.all_drafts:
            if all(
                not own or not other or own == other
                for own, other in zip(self.account_region, one.account_region, strict=True)
            ):
                yield one

    def deleted(self, resource_type: str) -> Iterator[str]:
        """The identifiers of a type that the change deletes or replaces."""
        for one in self.by_type.get(resource_type, ()):
            if one.action in (Action.DELETE, Action.REPLACE) and one.physical_id is not None:
                self.touched.add(one.physical_id)
                yield one.physical_id

    def after(self, resource: PlannedResource) -> Properties:
        if resource.action is not Action.KEEP:
            self.touched.add(resource_id(resource))
        return Properties(self.values, resource.properties)

    def before(self, resource: PlannedResource) -> Properties | None:
        return None if resource.before is None else Properties(self.values, resource.before)

    def overlay(
        self,
        resource: PlannedResource,
        existing: ModelT | None,
        read: Callable[[str, Properties], ModelT],
    ) -> ModelT:
        """A resource after the change. Of one that exists, only what the change changes differs from the base."""
        identifier = resource_id(resource)
        after = read(identifier, self.after(resource))
        if existing is None or resource.action in NEW_ACTIONS:
            return after
        before = self.before(resource)
        if before is None:
            return existing if resource.action is Action.KEEP else after
        was = read(identifier, before)
        changed = {name: new for name, new, old in zip(after._fields, after, was, strict=True) if new != old}
        return existing._replace(**changed)

    def fail(self, section: Section, key: str, cause: str) -> None:
        self.failures.append(ReadFailure(section, key, cause))

    def fail_elsewhere(self, resource: PlannedResource, candidates: Sequence[str], cause: str) -> None:
        """A part of something that is not known, which may be of a load balancer outside of the document: none of the
        `candidates`, if there are any."""
        if not candidates:
            cause = f"{cause}; {NOT_IN_DOCUMENT}" if self.base is None else cause
            self.fail(Section.LOAD_BALANCERS, f"of {resource.address}", cause)

    def estate(self) -> Estate:
        """The estate as it is now."""
        before = self._before
        if self.base is None:
            self.failures += [ReadFailure(section, None, NOT_IN_DOCUMENT) for section in _PARTIAL_SECTIONS]
        else:
            self.failures += [
                ReadFailure(section, None, f"{section} of {self.account_region} was not collected")
                for section in SECTION_ATTRIBUTES
                if self.base.section(section) is None
            ]
        return replace(
            before,
            load_balancers=self.load_balancers,
            listeners=self._section(before.listeners, self._listeners_by_load_balancer()),
            target_groups=self._section(before.target_groups, self.target_groups),
            targets=self._section(before.targets, {arn: ordered_targets(found) for arn, found in self.targets.items()}),
            security_groups=self._section(before.security_groups, self.security_groups),
            deleted_security_groups=frozenset(self.deleted_groups),
            vpcs=self._section(before.vpcs, self.vpcs),
            subnets=self._section(before.subnets, self.subnets),
            instances=self._section(before.instances, self.instances),
            network_interfaces=self._section(before.network_interfaces, self.interfaces),
            prefix_lists=self._section(before.prefix_lists, self.prefix_lists),
            tags=self._section(before.tags, self.tags),
            failures=tuple(self.failures),
            is_planned=True,
        )

    def _listeners_by_load_balancer(self) -> dict[str, tuple[Listener, ...]]:
        """The listeners of each load balancer. Those that the base does not tell stay unknown."""
        found = listeners_by_load_balancer(self.load_balancers, self.listeners.values())
        for arn in self._before.load_balancers.keys() - (self._before.listeners or {}).keys():
            found.pop(arn, None)
        return found

    def _section(self, before: Mapping[str, Any] | None, after: dict[str, Any]) -> dict[str, Any] | None:
        """A section; None where the base did not collect it and the document adds nothing to it."""
        return after if self.base is None or before is not None or after else None


def _copy(section: Mapping[str, Any] | None) -> dict[str, Any]:
    return {} if section is None else dict(section)
