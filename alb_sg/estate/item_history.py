"""What AWS Config recorded of one account and region: of every resource the latest item, whatever their order."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from alb_sg.aws.account_region import AccountRegion
from alb_sg.errors import InvalidInputError
from alb_sg.estate.config_documents import find_config_items
from alb_sg.estate.config_item import (
    DELETED,
    INSTANCE_TYPE,
    ITEM_TYPES,
    NETWORK_INTERFACE_TYPE,
    NOT_RECORDED,
    OK,
    PREFIX_LIST_TYPE,
    VPC_TYPE,
    ConfigItem,
    ItemFields,
    read_item,
)
from alb_sg.estate.estate import Estate, ReadFailure
from alb_sg.estate.indexing import listeners_by_load_balancer
from alb_sg.estate.json_files import display_name, join_place
from alb_sg.estate.model import (
    LISTENER_TYPE,
    LOAD_BALANCER_TYPE,
    SECURITY_GROUP_TYPE,
    TARGET_GROUP_TYPE,
    Listener,
    Target,
    TargetGroup,
)
from alb_sg.estate.sections import ALL_OR_NOTHING_SECTIONS

# The section of a saved estate that items of a type fill.
SECTION_BY_TYPE = {
    LOAD_BALANCER_TYPE: "LoadBalancers",
    LISTENER_TYPE: "Listeners",
    TARGET_GROUP_TYPE: "TargetGroups",
    SECURITY_GROUP_TYPE: "SecurityGroups",
    VPC_TYPE: "Vpcs",
    NETWORK_INTERFACE_TYPE: "NetworkInterfaces",
    INSTANCE_TYPE: "Instances",
    PREFIX_LIST_TYPE: "ManagedPrefixLists",
}


class LocatedItem(NamedTuple):
    """An item and where it stands: a place, or its number in a file's `configurationItems`. `rival` is where another of
    the same time says something else."""

    item: ConfigItem
    path: str
    place: str | int
    conflict: str | None = None

    @property
    def location(self) -> str:
        return self.location_of("")

    def location_of(self, field: str) -> str:
        place = self.place if isinstance(self.place, str) else f"configurationItems[{self.place}]"
        within = join_place(place, field) if field else place
        return f"{display_name(self.path)}: {within}" if within else display_name(self.path)


def _later(known: LocatedItem, new: LocatedItem) -> LocatedItem:
    """The later of two sightings of a resource; two of the same time must agree."""
    if new.item.capture_order > known.item.capture_order:
        return new
    if new.item.capture_order < known.item.capture_order:
        return known
    united = known.item.merged_with(new.item)
    return known._replace(conflict=known.conflict or new.location) if united is None else known._replace(item=united)


class Recording:
    """What AWS Config recorded of one account and region."""

    def __init__(self, account_region: AccountRegion) -> None:
        self.account_region = account_region
        # By type, as long as there is one item of each resource, dated and of something alive: as in most files.
        self._single_items: dict[str, _SingleItems] = {type_name: _SingleItems(type_name) for type_name in ITEM_TYPES}
        # By type and id, where there is more. An undated item is neither earlier nor later than a dated one.
        self._dated: dict[str, dict[str, LocatedItem]] = {type_name: {} for type_name in ITEM_TYPES}
        self._undated: dict[str, dict[str, LocatedItem]] = {type_name: {} for type_name in ITEM_TYPES}

    def add(self, item: ItemFields, path: str, place: str | int) -> None:
        """Takes an item that stands in a file at a place, or has this number in its `configurationItems`."""
        _, type_name, resource_id, captured, state_id, _, resource, targets, tags = item
        alone = self._single_items.get(type_name)
        if alone is not None:
            if captured is not None and resource is not None and resource_id not in alone.existing:
                alone.existing[resource_id] = resource
                if targets is not None:
                    alone.targets[resource_id] = targets
                if tags is not None:
                    alone.tags[resource_id] = tags
                alone.capture_times.append(captured)
                alone.state_ids.append(state_id)
                alone.paths.append(path)
                alone.places.append(place)
                return
            del self._single_items[type_name]
            self._dated[type_name] = {one.item.id: one for one in alone.located_items(self.account_region)}
        sighting = LocatedItem(ConfigItem._make(item), path, place)
        sightings = (self._undated if captured is None else self._dated)[type_name]
        known = sightings.setdefault(resource_id, sighting)
        if known is not sighting:
            sightings[resource_id] = _later(known, sighting)

    def estate(self) -> Estate:
        """Raises InvalidInputError where it cannot be told which of two items of a resource is the latest."""
        latest = {type_name: self._latest(type_name) for type_name in ITEM_TYPES}
        not_recorded = [item for found in latest.values() for item in found.not_recorded]
        failures = map(_not_recorded_failure, sorted(not_recorded, key=lambda item: (item.type, item.id)))
        unreadable = {(failure.section, failure.key): failure for failure in failures}
        load_balancers, listeners = latest[LOAD_BALANCER_TYPE], latest[LISTENER_TYPE]
        target_groups, groups = latest[TARGET_GROUP_TYPE], latest[SECURITY_GROUP_TYPE]
        held = listeners_by_load_balancer(load_balancers.existing, listeners.existing.values())
        unreadable |= _unrecorded_load_balancers(load_balancers.ids, held, target_groups.existing.values())
        return Estate(
            account_id=self.account_region.account_id,
            region=self.account_region.region,
            load_balancers=load_balancers.existing,
            listeners=None
            if listeners.section is None
            else {arn: found for arn, found in held.items() if ("Listeners", arn) not in unreadable},
            target_groups=target_groups.section,
            targets=None if target_groups.section is None else target_groups.targets,
            security_groups=groups.section,
            has_all_security_groups=groups.section is not None and not groups.not_recorded,
            deleted_security_groups=frozenset(groups.deleted),
            vpcs=latest[VPC_TYPE].section,
            instances=latest[INSTANCE_TYPE].section,
            network_interfaces=latest[NETWORK_INTERFACE_TYPE].section,
            prefix_lists=latest[PREFIX_LIST_TYPE].section,
            tags=None if load_balancers.section is None else load_balancers.tags,
            failures=tuple(unreadable.values()),
        )

    def _latest(self, type_name: str) -> _LatestItems:
        """What the latest item of each resource of a type says."""
        alone = self._single_items.get(type_name)
        if alone is not None:
            return _LatestItems(alone.existing, alone.targets, alone.tags)
        latest = _LatestItems({}, {}, {})
        dated, undated = self._dated[type_name], self._undated[type_name]
        for resource_id in sorted(dated.keys() | undated.keys()):
            found = [sightings[resource_id] for sightings in (dated, undated) if resource_id in sightings]
            latest.add(_require_no_conflict(found))
        return latest


class Recordings(dict[AccountRegion, Recording]):
    """Recordings by account and region, each made when it is first asked for."""

    def __missing__(self, account_region: AccountRegion) -> Recording:
        made = self[account_region] = Recording(account_region)
        return made

    def add_document(self, document: Any, path: str) -> None:
        """Takes the items in a document of any form. Raises InvalidInputError that names the item and the field."""
        for place, source in find_config_items(document):
            try:
                item = read_item(source)
            except InvalidInputError as error:
                raise (error.inside(place) if place else error) from error
            if item is not None:
                self[item.account_region].add(item, path, place)

    def add_elements(self, items: Iterable[ItemFields | None], path: str, first: int) -> None:
        """Takes items that stand one after the other in a file's `configurationItems`, from this number on; None is one
        that no verdict needs."""
        # That of the item before, which mostly is that of the next.
        recording: Recording | None = None
        for place, item in enumerate(items, first):
            if item is not None:
                if recording is None or item[0] is not recording.account_region:
                    recording = self[item[0]]
                recording.add(item, path, place)


class _SingleItems:
    """Items of one type, each the only one of a resource, dated and of something alive.

    There are millions of them. So little is kept of each: the resource, registrations and tags by its id, and in the
    same order what tells it from another item.
    """

    def __init__(self, type_name: str) -> None:
        self._type = type_name
        self.existing: dict[str, Any] = {}
        self.targets: dict[str, tuple[Target, ...]] = {}
        self.tags: dict[str, Mapping[str, str]] = {}
        self.capture_times: list[datetime] = []
        self.state_ids: list[int] = []
        self.paths: list[str] = []
        self.places: list[str | int] = []

    def located_items(self, account_region: AccountRegion) -> Iterator[LocatedItem]:
        """Every item as it was, but that all are said to be OK."""
        kept = zip(self.existing.items(), self.capture_times, self.state_ids, self.paths, self.places, strict=True)
        for (resource_id, resource), captured, state_id, path, place in kept:
            targets, tags = self.targets.get(resource_id), self.tags.get(resource_id)
            item = ConfigItem(account_region, self._type, resource_id, captured, state_id, OK, resource, targets, tags)
            yield LocatedItem(item, path, place)


class _LatestItems:
    """Items of one type, each of another resource: the resources, registrations and tags by id, and what is gone or
    was never recorded."""

    def __init__(
        self,
        living: dict[str, Any],
        targets: dict[str, tuple[Target, ...]],
        tags: dict[str, Mapping[str, str]],
    ) -> None:
        self.existing = living
        self.targets = targets
        self.tags = tags
        self.deleted: list[str] = []
        self.not_recorded: list[ConfigItem] = []
        self._deleted_unrecorded: list[str] = []

    def add(self, item: ConfigItem) -> None:
        resource_id, status = item.id, item.status
        if item.resource is not None:
            self.existing[resource_id] = item.resource
            if item.targets is not None:
                self.targets[resource_id] = item.targets
            if item.tags is not None:
                self.tags[resource_id] = item.tags
        elif status == DELETED:
            self.deleted.append(resource_id)
        elif status == NOT_RECORDED:
            self.not_recorded.append(item)
        else:
            self._deleted_unrecorded.append(resource_id)

    @property
    def section(self) -> dict[str, Any] | None:
        """The resources by their ids; None where no item shows that the type is recorded."""
        return self.existing if self.existing or self.deleted else None

    @property
    def ids(self) -> Collection[str]:
        """Whatever there is an item of."""
        return self.existing.keys() | {
            *self.deleted,
            *self._deleted_unrecorded,
            *(item.id for item in self.not_recorded),
        }


def _unrecorded_load_balancers(
    known_arns: Collection[str], listeners: Mapping[str, Sequence[Listener]], target_groups: Iterable[TargetGroup]
) -> dict[tuple[str, str | None], ReadFailure]:
    """Application Load Balancers that other items name, and that have no item of their own."""
    named = {arn: held[0].arn for arn, held in listeners.items() if held and arn not in known_arns}
    for group in target_groups:
        for arn in group.load_balancer_arns or ():
            if arn not in known_arns:
                named[arn] = group.arn
    return {
        ("LoadBalancers", arn): ReadFailure("LoadBalancers", arn, f"named by {by}, but AWS Config has no item of it")
        for arn, by in sorted(named.items())
        if ":loadbalancer/app/" in arn
    }


def _require_no_conflict(found: Sequence[LocatedItem]) -> ConfigItem:
    """What the latest sighting of a resource says, or the dated and the undated one."""
    for sighting in found:
        if sighting.conflict is not None:
            raise InvalidInputError(
                f"another item of {sighting.item.id} captured at the same time differs, in {sighting.conflict}; "
                "remove one of them",
                sighting.location,
            )
    return found[0].item if len(found) == 1 else _merge_dated_and_undated(*found)


def _merge_dated_and_undated(dated: LocatedItem, undated: LocatedItem) -> ConfigItem:
    """What a dated and an undated item of a resource both say. Raises InvalidInputError where they differ."""
    united = dated.item.merged_with(undated.item)
    if united is None:
        raise InvalidInputError(
            f"missing, and this item differs from that in {dated.location}: which is the latest cannot be told",
            undated.location_of("configurationItemCaptureTime"),
        )
    return united


def _not_recorded_failure(item: ConfigItem) -> ReadFailure:
    """What cannot be read of an estate because a resource of it is not recorded."""
    section = SECTION_BY_TYPE[item.type]
    key: str | None = item.id
    if item.type == LISTENER_TYPE:
        key = _load_balancer_arn(item.id)
    elif section in ALL_OR_NOTHING_SECTIONS:
        key = None
    return ReadFailure(section, key, f"AWS Config does not record {item.id} ({NOT_RECORDED})")


def _load_balancer_arn(listener_arn: str) -> str:
    """The load balancer that a listener's ARN names."""
    return listener_arn.rpartition("/")[0].replace(":listener/", ":loadbalancer/", 1)
